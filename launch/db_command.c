/* SPDX-License-Identifier: Apache-2.0 */
/* tollwatch db migrate|status */
#include "launch/command.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "launch/cluster.h"
#include "launch/db.h"
#include "launch/migration.h"
#include "launch/pg.h"
#include "launch/program.h"

enum { EXIT_PENDING = 3 };

struct db_opts {
	const char *dsn;
	const char *config;
	const char *state;
	const char *sql;
};

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
	dsn = pg_find_dsn(&(struct pg_where){.dsn = o->dsn,
					     .config = o->config,
					     .state = o->state,
					     .role = CLUSTER_SUPERUSER},
			  &e);
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
