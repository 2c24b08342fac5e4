/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/db.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "common/attr.h"
#include "common/hash.h"
#include "common/mem.h"
#include "launch/migration.h"
#include "launch/pg.h"

static const char first_file[] = "001_ledger.sql";

/* ---- the folder ---- */

bool db_folder(char out[DB_PATH], struct err *e)
{
	static const char *const from_program[] = {
		"/../sql",		   /* build/ */
		"/../../sql",		   /* build/asan/, build/test/ */
		"/../share/tollwatch/sql", /* PREFIX/bin/ */
	};
	char self[DB_PATH], probe[DB_PATH + 64];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self));
	char *slash;

	if (n < 0 || (size_t)n == sizeof(self))
		return err_set(e, "/proc/self/exe: %s",
			       n < 0 ? strerror(errno) : "name too long");
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	for (size_t i = 0; i < ARRAY_LEN(from_program); i++) {
		if (snprintf(out, DB_PATH, "%s%s", self, from_program[i]) >=
		    DB_PATH)
			continue;
		snprintf(probe, sizeof(probe), "%s/%s", out, first_file);
		if (access(probe, R_OK) == 0)
			return true;
	}
	return err_set(e, "no folder sql near %s", self);
}

static bool read_file(const char *path, char **text, size_t *n, struct err *e)
{
	FILE *f = fopen(path, "re");
	struct stat st;
	bool ok;

	if (!f)
		return err_set(e, "%s: %s", path, strerror(errno));
	ok = fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode) &&
	     st.st_size < MIGRATION_MAX;
	*n = ok ? (size_t)st.st_size : 0;
	*text = xmalloc(*n + 1);
	ok = ok && fread(*text, 1, *n, f) == *n && !memchr(*text, '\0', *n);
	(*text)[*n] = '\0';
	fclose(f);
	return ok || err_set(e, "%s: not a text that can be read", path);
}

/* "NNN_name.sql" */
static bool is_migration(const char *name)
{
	size_t n = strlen(name);

	return n > 8 && n < MIGRATION_NAME && strspn(name, "0123456789") == 3 &&
	       name[3] == '_' && strcmp(name + n - 4, ".sql") == 0;
}

static int by_name(const void *a, const void *b)
{
	const struct migration *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static bool add_file(struct migrations *m, const char *sql, const char *name,
		     struct err *e)
{
	char path[DB_PATH + MIGRATION_NAME];
	struct migration *x;
	size_t n = 0;

	m->file = xrealloc(m->file, m->n + 1, sizeof(*m->file));
	x = &m->file[m->n++];
	memset(x, 0, sizeof(*x));
	snprintf(x->name, sizeof(x->name), "%s", name);
	snprintf(path, sizeof(path), "%s/%s", sql, name);
	if (!read_file(path, &x->text, &n, e))
		return false;
	sha256_hex(x->text, n, x->sha256);
	return true;
}

bool migrations_read(struct migrations *m, const char *sql, struct err *e)
{
	DIR *d = opendir(sql);
	const struct dirent *at;
	bool ok = true;

	*m = (struct migrations){0};
	if (!d)
		return err_set(e, "%s: %s", sql, strerror(errno));
	while (ok && (at = readdir(d)))
		if (is_migration(at->d_name))
			ok = add_file(m, sql, at->d_name, e);
	closedir(d);
	if (ok && m->n > 0)
		qsort(m->file, m->n, sizeof(*m->file), by_name);
	for (size_t i = 1; ok && i < m->n; i++)
		if (memcmp(m->file[i].name, m->file[i - 1].name, 4) == 0)
			ok = err_set(e, "%s and %s have one number",
				     m->file[i - 1].name, m->file[i].name);
	if (ok && m->n == 0)
		ok = err_set(e, "%s: no migrations", sql);
	return ok;
}

void migrations_free(struct migrations *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->file[i].text);
	free(m->file);
	*m = (struct migrations){0};
}

/* ---- what the database has had ---- */

static bool run_sql(PGconn *pg, const char *what, const char *text,
		    struct err *e)
{
	PGresult *r = PQexec(pg, text);
	ExecStatusType s = PQresultStatus(r);

	PQclear(r);
	return s == PGRES_COMMAND_OK || s == PGRES_TUPLES_OK ||
	       pg_err(e, what, pg);
}

static PGresult *query(PGconn *pg, const char *text, struct err *e)
{
	PGresult *r = PQexec(pg, text);

	if (PQresultStatus(r) == PGRES_TUPLES_OK)
		return r;
	pg_err(e, "migration.applied", pg);
	PQclear(r);
	return NULL;
}

static bool is_new(PGconn *pg, bool *out, struct err *e)
{
	PGresult *r =
		query(pg, "select to_regclass('migration.applied') is null", e);

	if (!r)
		return false;
	*out = strcmp(PQgetvalue(r, 0, 0), "t") == 0;
	PQclear(r);
	return true;
}

static struct migration *find(struct migrations *m, const char *name)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->file[i].name, name) == 0)
			return &m->file[i];
	return NULL;
}

static bool check_applied(struct migrations *m, const PGresult *r,
			  struct err *e)
{
	for (int i = 0; i < PQntuples(r); i++) {
		const char *name = PQgetvalue(r, i, 0);
		struct migration *x = find(m, name);

		if (!x)
			return err_set(e,
				       "%s was applied and is not here: this "
				       "program is older than the database",
				       name);
		if (strcmp(x->sha256, PQgetvalue(r, i, 1)) != 0)
			return err_set(e, "%s has changed since it was applied",
				       name);
		x->applied = true;
	}
	for (size_t i = 1; i < m->n; i++)
		if (m->file[i].applied && !m->file[i - 1].applied)
			return err_set(e,
				       "%s comes before %s, which was "
				       "applied: give it a later number",
				       m->file[i - 1].name, m->file[i].name);
	return true;
}

bool migrations_compare(struct migrations *m, PGconn *pg, struct err *e)
{
	PGresult *r;
	bool fresh, ok;

	if (!is_new(pg, &fresh, e))
		return false;
	if (fresh)
		return true;
	r = query(pg, "select name, sha256 from migration.applied order by 1",
		  e);
	if (!r)
		return false;
	ok = check_applied(m, r, e);
	PQclear(r);
	return ok;
}

/* ---- apply ---- */

static bool record(PGconn *pg, const struct migration *x, struct err *e)
{
	const char *const value[] = {x->name, x->sha256};
	PGresult *r = PQexecParams(
		pg,
		"insert into migration.applied (name, sha256) values ($1, $2)",
		2, NULL, value, NULL, NULL, 0);
	bool ok = PQresultStatus(r) == PGRES_COMMAND_OK;

	PQclear(r);
	return ok || pg_err(e, x->name, pg);
}

static bool apply(PGconn *pg, const struct migration *x, struct err *e)
{
	struct err ignored;

	if (!run_sql(pg, x->name, "begin", e))
		return false;
	if (run_sql(pg, x->name, x->text, e) &&
	    run_sql(pg, x->name, "reset role", e) && record(pg, x, e))
		return run_sql(pg, x->name, "commit", e);
	(void)run_sql(pg, x->name, "rollback", &ignored);
	return false;
}

static bool apply_all(struct migrations *m, PGconn *pg, FILE *say,
		      struct err *e)
{
	for (size_t i = 0; i < m->n; i++) {
		if (m->file[i].applied)
			continue;
		if (!apply(pg, &m->file[i], e))
			return false;
		fprintf(say, "migrated %s\n", m->file[i].name);
	}
	return true;
}

bool migrations_open(PGconn **pg, const char *dsn, struct err *e)
{
	if (!pg_open(pg, dsn, e))
		return false;
	/* Files name the schema of everything they use. */
	return run_sql(*pg, "database",
		       "set search_path = pg_catalog, pg_temp; "
		       "set client_min_messages = warning; "
		       "set lock_timeout = '30s'",
		       e);
}

/* Two that migrate at once: the second waits, then finds nothing to do.  The
 * lock goes with the connection. */
static bool lock(PGconn *pg, struct err *e)
{
	return run_sql(pg, "another migration runs",
		       "select pg_advisory_lock(hashtext('tollwatch'), "
		       "hashtext('migration'))",
		       e);
}

bool db_migrate(const char *dsn, const char *sql, FILE *say, struct err *e)
{
	struct migrations m = {0};
	char folder[DB_PATH];
	PGconn *pg = NULL;
	bool ok;

	if (!sql) {
		if (!db_folder(folder, e))
			return false;
		sql = folder;
	}
	ok = migrations_read(&m, sql, e) && migrations_open(&pg, dsn, e) &&
	     lock(pg, e) && migrations_compare(&m, pg, e) &&
	     apply_all(&m, pg, say, e);
	PQfinish(pg);
	migrations_free(&m);
	return ok;
}
