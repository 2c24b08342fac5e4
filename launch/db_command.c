/* SPDX-License-Identifier: Apache-2.0 */
/* tollwatch db migrate|status */
#include "launch/command.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf.h"
#include "common/mem.h"
#include "launch/cluster.h"
#include "launch/db.h"
#include "launch/migration.h"
#include "launch/place.h"
#include "launch/program.h"

enum { EXIT_PENDING = 3 };

struct db_opts {
	const char *dsn;
	const char *config;
	const char *state;
	const char *sql;
};

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

/* --dsn, the config's, or that of the site that runs on this state. */
static char *find_dsn(const struct db_opts *o, struct err *e)
{
	struct place p;
	char *dsn;

	if (o->dsn)
		return xstrdup(o->dsn);
	dsn = config_dsn(o->config);
	if (dsn && *dsn)
		return dsn;
	free(dsn);
	dsn = xcalloc(1, CLUSTER_DSN);
	if (place_find(&p, o->state, e) &&
	    cluster_find_dsn(p.state, CLUSTER_SUPERUSER, dsn, e))
		return dsn;
	free(dsn);
	return NULL;
}

static int status(const char *dsn, const char *sql)
{
	struct migrations m = {0};
	PGconn *pg = NULL;
	size_t pending = 0;
	struct err e;
	bool ok = migrations_read(&m, sql, &e) &&
		  migrations_open(&pg, dsn, &e) &&
		  migrations_compare(&m, pg, &e);

	for (size_t i = 0; ok && i < m.n; i++) {
		pending += !m.file[i].applied;
		printf("%-8s %s\n", m.file[i].applied ? "applied" : "pending",
		       m.file[i].name);
	}
	if (!ok)
		fprintf(stderr, "tollwatch: db: %s\n", e.text);
	PQfinish(pg);
	migrations_free(&m);
	return !ok ? 1 : pending > 0 ? EXIT_PENDING : 0;
}

static int run_verb(const char *verb, const struct db_opts *o)
{
	char folder[DB_PATH];
	const char *sql = o->sql;
	struct err e;
	char *dsn;
	int code = 0;

	if (!sql) {
		if (!db_folder(folder, &e))
			goto failed;
		sql = folder;
	}
	dsn = find_dsn(o, &e);
	if (!dsn)
		goto failed;
	if (strcmp(verb, "status") == 0) {
		code = status(dsn, sql);
	} else if (!db_migrate(dsn, sql, stdout, &e)) {
		fprintf(stderr, "tollwatch: db: %s\n", e.text);
		code = 1;
	}
	free(dsn);
	return code;
failed:
	fprintf(stderr, "tollwatch: db: %s\n", e.text);
	return 1;
}

int db_main(int argc, char **argv)
{
	static const struct option opts[] = {
		{"dsn", required_argument, NULL, 'd'},
		{"config", required_argument, NULL, 'c'},
		{"state", required_argument, NULL, 's'},
		{"sql", required_argument, NULL, 'q'},
		{0},
	};
	struct db_opts o = {.config = "config"};
	bool ok = true;
	int c;

	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		if (c == 'd')
			o.dsn = optarg;
		else if (c == 'c')
			o.config = optarg;
		else if (c == 's')
			o.state = optarg;
		else if (c == 'q')
			o.sql = optarg;
		else
			ok = false;
	}
	if (!ok || optind + 1 != argc ||
	    (strcmp(argv[optind], "migrate") != 0 &&
	     strcmp(argv[optind], "status") != 0)) {
		fputs("usage: tollwatch db migrate|status [--dsn DSN] "
		      "[--config DIR] [--state DIR] [--sql DIR]\n",
		      stderr);
		return EXIT_USAGE;
	}
	return run_verb(argv[optind], &o);
}
