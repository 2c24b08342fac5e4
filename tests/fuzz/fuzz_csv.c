/* SPDX-License-Identifier: Apache-2.0 */
/* folder: common */
#include "common/csv.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct sv v, const char *text, size_t n)
{
	assert(v.p >= text && v.n <= n && v.p - text <= (ptrdiff_t)(n - v.n));
}

/* What is decided before the end is seen stands when more is read. */
static void early_is_final(const char *text, size_t n, char separator,
			   const struct csv_row *final)
{
	static struct csv_row row;
	char *copy = malloc(n + 1);
	enum csv_rc rc;

	memcpy(copy, text, n);
	rc = csv_next(copy, n, separator, false, &row);
	if (rc == CSV_PARTIAL)
		assert(memcmp(copy, text, n) == 0);
	else if (rc == CSV_QUOTE)
		assert(row.used == final->used && row.lines == final->lines);
	else
		assert(row.used == final->used && row.n == final->n &&
		       row.lines == final->lines);
	free(copy);
}

/* Views stay inside the text, every record takes some of it, and the last
 * one takes the rest unless a quote is open. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct csv_row row;
	char *text = malloc(size + 1);
	char *before = malloc(size + 1);
	char separator = size && data[0] & 1 ? ';' : ',';
	size_t at = 0;

	if (size)
		memcpy(text, data, size);
	for (;;) {
		size_t left = size - at;
		enum csv_rc rc;

		memcpy(before, text + at, left);
		rc = csv_next(text + at, left, separator, true, &row);
		if (rc == CSV_PARTIAL) {
			assert(memcmp(before, text + at, left) == 0);
			assert(memchr(before, '"', left));
			break;
		}
		if (rc == CSV_END)
			break;
		assert(row.used > 0 && row.used <= left);
		if (rc == CSV_QUOTE) {
			assert(memcmp(before, text + at, left) == 0);
			if (left < 4096)
				early_is_final(before, left, separator, &row);
			at += row.used;
			continue;
		}
		assert(row.n > 0 && row.n <= CSV_FIELDS_MAX);
		inside(row.raw, text + at, row.used);
		for (size_t i = 0; i < row.n; i++)
			inside(row.field[i], text + at, row.used);
		if (left < 4096)
			early_is_final(before, left, separator, &row);
		at += row.used;
	}
	free(before);
	free(text);
	return 0;
}
