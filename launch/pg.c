/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/pg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf.h"
#include "common/mem.h"
#include "launch/cluster.h"
#include "launch/place.h"

/* database.dsn of the config; NULL when it has none. */
static char *config_dsn(const char *dir)
{
	const struct conf_tree *t;
	struct sv text = SV("");
	char path[PLACE_PATH];
	struct conf *c;
	struct err e;
	char *dsn = NULL;

	if ((size_t)snprintf(path, sizeof(path), "%s/tollwatch.yaml", dir) >=
		    sizeof(path) ||
	    !conf_load(&c, path, &e))
		return NULL;
	t = conf_get(conf_root(c), "database");
	t = t ? conf_get(t, "dsn") : NULL;
	if (t)
		text = conf_text(t);
	if (sv_starts(text, SV("${env:")) && text.n > 7) {
		char *name = sv_dup((struct sv){text.p + 6, text.n - 7});
		const char *value = getenv(name);

		if (value)
			dsn = xstrdup(value);
		free(name);
	} else if (text.n > 0 && !sv_starts(text, SV("${"))) {
		dsn = sv_dup(text);
	}
	conf_free(c);
	return dsn;
}

static void put_option(FILE *f, const char *name, const char *value)
{
	fprintf(f, "%s='", name);
	for (; *value; value++) {
		if (*value == '\'' || *value == '\\')
			fputc('\\', f);
		fputc(*value, f);
	}
	fputs("' ", f);
}

/* The same database as another role; a password is of the role that it was
 * written for, ~/.pgpass knows others. */
static char *as_role(const char *dsn, const char *role, struct err *e)
{
	char *why = NULL, *out = NULL;
	PQconninfoOption *opts = PQconninfoParse(dsn, &why);
	size_t size;
	FILE *f = opts ? open_memstream(&out, &size) : NULL;

	if (!f) {
		err_set(e, "the config's dsn: %s", why ? why : "out of memory");
		PQfreemem(why);
		PQconninfoFree(opts);
		return NULL;
	}
	for (const PQconninfoOption *o = opts; o->keyword; o++)
		if (o->val && strcmp(o->keyword, "user") != 0 &&
		    strcmp(o->keyword, "password") != 0)
			put_option(f, o->keyword, o->val);
	put_option(f, "user", role);
	PQconninfoFree(opts);
	if (fclose(f) == 0)
		return out;
	free(out);
	err_set(e, "out of memory");
	return NULL;
}

char *pg_find_dsn(const struct pg_where *w, struct err *e)
{
	struct place p;
	char *dsn;

	if (w->dsn)
		return xstrdup(w->dsn);
	dsn = w->config ? config_dsn(w->config) : NULL;
	if (dsn && *dsn && w->role_always) {
		char *other = as_role(dsn, w->role, e);

		free(dsn);
		return other;
	}
	if (dsn && *dsn)
		return dsn;
	free(dsn);
	dsn = xcalloc(1, CLUSTER_DSN);
	if (place_find(&p, w->state, e) &&
	    cluster_find_dsn(p.state, w->role, dsn, e))
		return dsn;
	free(dsn);
	return NULL;
}

bool pg_err(struct err *e, const char *what, const PGconn *pg)
{
	struct sv s = sv_trim(sv_of(PQerrorMessage(pg)));

	err_set(e, "%s: %.*s", what, SV_ARG(s));
	for (char *p = e->text; *p; p++)
		if (*p == '\n')
			*p = ' ';
	return false;
}

bool pg_open(PGconn **pg, const char *dsn, struct err *e)
{
	*pg = PQconnectdb(dsn);
	return PQstatus(*pg) == CONNECTION_OK || pg_err(e, "database", *pg);
}

bool pg_run(PGconn *pg, const char *sql, struct err *e)
{
	PGresult *r = PQexec(pg, sql);
	bool ok = PQresultStatus(r) == PGRES_COMMAND_OK;

	PQclear(r);
	return ok || pg_err(e, "database", pg);
}

PGresult *pg_ask(PGconn *pg, const char *sql, int n, const char *const *value,
		 struct err *e)
{
	PGresult *r = PQexecParams(pg, sql, n, NULL, value, NULL, NULL, 0);

	if (PQresultStatus(r) == PGRES_TUPLES_OK)
		return r;
	pg_err(e, "database", pg);
	PQclear(r);
	return NULL;
}
