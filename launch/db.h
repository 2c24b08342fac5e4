/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAUNCH_DB_H
#define LAUNCH_DB_H

#include <stdbool.h>
#include <stdio.h>

#include "common/err.h"

/*
 * Migrations: the files of sql/, applied in the order of their names, each
 * once and in one transaction with the row of migration.applied that says so.
 * They only go forward: a file that was applied and has changed or gone since
 * is an error, before anything is done.
 */
enum { DB_PATH = 512 };

/* The folder beside this program (build tree) or in share/tollwatch/sql. */
MUST_USE bool db_folder(char out[DB_PATH], struct err *e);

/* Apply what is missing, a line on `say` for each file; sql NULL = db_folder.
 * The DSN's role must be a superuser: the files make roles.  Blocks. */
MUST_USE bool db_migrate(const char *dsn, const char *sql, FILE *say,
			 struct err *e);

#endif
