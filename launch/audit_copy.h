/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAUNCH_AUDIT_COPY_H
#define LAUNCH_AUDIT_COPY_H

#include <stddef.h>
#include <stdint.h>

#include "common/sv.h"

/*
 * PostgreSQL's COPY ... (FORMAT binary), as it comes in pieces:
 *
 *   "PGCOPY\n\377\r\n\0" flags[4] n[4] extension[n]
 *   rows:  columns[2], each: length[4] (-1 = null) bytes
 *   end:   -1[2]
 */
enum copy_rc {
	COPY_OK = 0,	/* a row */
	COPY_MORE,	/* bytes are missing */
	COPY_END,	/* that was all */
	COPY_BAD_START, /* not this format, or flags we do not know */
	COPY_BAD_COLUMNS,
	COPY_BAD_LENGTH,
};

enum { COPY_FIELD_MAX = 1 << 20 };

/* Bytes of the header at in, when all of it is there. */
enum copy_rc copy_header(struct sv in, size_t *took);

/* The row at in: n columns as views into it; null has p NULL. */
enum copy_rc copy_row(struct sv in, struct sv *col, size_t n, size_t *took);

#endif
