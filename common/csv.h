/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_CSV_H
#define COMMON_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "common/sv.h"

/*
 * One lenient CSV reader (RFC 4180 and what really occurs): LF, CRLF or CR
 * line ends, quoted fields with "" and line ends inside, a quote inside an
 * unquoted field or after a closed one is data, a BOM is skipped.  Views
 * point into the text; a field with doubled quotes is rewritten in place,
 * therefore the text is not const.
 */
enum { CSV_FIELDS_MAX = 256 };

struct csv_row {
	struct sv field[CSV_FIELDS_MAX];
	size_t n;
	struct sv raw;	/* the record without its line end */
	size_t used;	/* bytes taken from the text, line end included */
	unsigned lines; /* line ends inside and after it; both: see csv_rc */
};

enum csv_rc {
	CSV_OK = 0,
	CSV_PARTIAL, /* no line end yet: hold it, read more.  row->used: up to
		       * the end of the line where a quote is open, 0 = none */
	CSV_END,     /* no bytes left */
	CSV_FIELDS,  /* more than CSV_FIELDS_MAX; row->used skips it */
	CSV_QUOTE,   /* a quoted field of several lines is closed where
		       * another seems to begin (a name that begins with a
		       * quote, twice); row->used as for CSV_PARTIAL */
};

/* Cut the first record off text.  last: the text ends here, so a missing
 * line end is no reason to wait; an unclosed quote still is CSV_PARTIAL. */
enum csv_rc csv_next(char *text, size_t n, char separator, bool last,
		     struct csv_row *row);

#endif
