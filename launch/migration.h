/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAUNCH_MIGRATION_H
#define LAUNCH_MIGRATION_H

#include <stdbool.h>
#include <stddef.h>

#include <libpq-fe.h>

#include "common/err.h"
#include "common/hash.h"

/* What db.c and its command share. */
enum { MIGRATION_NAME = 128, MIGRATION_MAX = 4 << 20 };

struct migration {
	char name[MIGRATION_NAME];
	char sha256[SHA256_HEX];
	char *text;
	bool applied;
};

struct migrations {
	struct migration *file; /* by name */
	size_t n;
};

/* Free with migrations_free in every case. */
MUST_USE bool migrations_read(struct migrations *m, const char *sql,
			      struct err *e);
void migrations_free(struct migrations *m);

/* PQfinish *pg in every case. */
MUST_USE bool migrations_open(PGconn **pg, const char *dsn, struct err *e);

/* Mark those the database has had; an error when one of them changed, is
 * missing, or a new one comes before. */
MUST_USE bool migrations_compare(struct migrations *m, PGconn *pg,
				 struct err *e);

#endif
