/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAUNCH_PG_H
#define LAUNCH_PG_H

#include <stdbool.h>

#include <libpq-fe.h>

#include "common/err.h"

/* What every command that asks the database does the same way. */

/* Where it is: --dsn, the config's, or that of the site that runs on this
 * state, as role. */
struct pg_where {
	const char *dsn;    /* NULL = not said */
	const char *config; /* folder; NULL = do not ask it */
	const char *state;  /* NULL = choose */
	const char *role;   /* of a private cluster */
	bool role_always;   /* also where the config's has another */
};

/* The caller frees it; NULL after an error. */
char *pg_find_dsn(const struct pg_where *w, struct err *e);

/* PQfinish *pg in every case. */
MUST_USE bool pg_open(PGconn **pg, const char *dsn, struct err *e);

/* Commands without an answer. */
MUST_USE bool pg_run(PGconn *pg, const char *sql, struct err *e);

/* Rows of text; the caller clears them.  NULL after an error. */
PGresult *pg_ask(PGconn *pg, const char *sql, int n, const char *const *value,
		 struct err *e);

/* "what: PQerrorMessage" without line ends; false. */
bool pg_err(struct err *e, const char *what, const PGconn *pg);

#endif
