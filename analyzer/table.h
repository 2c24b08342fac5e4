/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_TABLE_H
#define ANALYZER_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/conf.h"
#include "common/csv.h"

/*
 * A side file of the config: CSV whose header names the columns, in any
 * order; what this program does not need is stepped over.  Every complaint
 * names file, line and column.
 */
enum { TABLE_COLUMNS = 16 };

struct table {
	struct conf *c;
	const char *file;
	char *text; /* owned by c */
	size_t n;
	size_t at;
	const char *const *names;  /* wanted columns, NULL-ended */
	int column[TABLE_COLUMNS]; /* where they stand; -1 = absent */
	unsigned line;		   /* of the row */
	unsigned next_line;
	struct csv_row row;
};

/* Columns 0..required-1 of names must be there.  False: errors were recorded
 * at `at` or in the file. */
bool table_open(struct table *t, struct conf *c, const struct conf_tree *at,
		struct sv path, const char *const *names, unsigned required);

/* The next row that is not blank.  Rows with too many fields are errors. */
bool table_next(struct table *t);

/* Trimmed field; empty when the column or field is absent. */
struct sv table_get(const struct table *t, unsigned column);

/* Record an error at a field of the present row. */
void table_error(struct table *t, unsigned column, const char *code,
		 const char *hint, const char *fmt, ...) PRINTF(5, 6);

/* A date of the field as midnight UTC in microseconds; empty = 0. */
bool table_date(struct table *t, unsigned column, int64_t *us);

#endif
