/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/audit_copy.h"

enum { MAGIC = 11, EXTENSION_MAX = 4096 };

static uint32_t be32(const char *p)
{
	const uint8_t *b = (const uint8_t *)p;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
	       (uint32_t)b[2] << 8 | b[3];
}

static uint16_t be16(const char *p)
{
	const uint8_t *b = (const uint8_t *)p;

	return (uint16_t)(b[0] << 8 | b[1]);
}

enum copy_rc copy_header(struct sv in, size_t *took)
{
	static const char magic[MAGIC] = "PGCOPY\n\377\r\n";
	size_t have = in.n < MAGIC ? in.n : MAGIC;
	uint32_t extension;

	if (memcmp(in.p, magic, have) != 0)
		return COPY_BAD_START;
	if (in.n < MAGIC + 8)
		return COPY_MORE;
	extension = be32(in.p + MAGIC + 4);
	if (be32(in.p + MAGIC) != 0 || extension > EXTENSION_MAX)
		return COPY_BAD_START;
	if (extension > in.n - MAGIC - 8)
		return COPY_MORE;
	*took = MAGIC + 8 + extension;
	return COPY_OK;
}

enum copy_rc copy_row(struct sv in, struct sv *col, size_t n, size_t *took)
{
	size_t at = 2;
	uint16_t columns;

	if (in.n < 2)
		return COPY_MORE;
	columns = be16(in.p);
	*took = 2;
	if (columns == UINT16_MAX)
		return COPY_END;
	if (columns != n)
		return COPY_BAD_COLUMNS;
	for (size_t i = 0; i < n; i++) {
		uint32_t length;

		if (in.n - at < 4)
			return COPY_MORE;
		length = be32(in.p + at);
		at += 4;
		col[i] = (struct sv){NULL, 0};
		if (length == UINT32_MAX)
			continue;
		if (length > COPY_FIELD_MAX)
			return COPY_BAD_LENGTH;
		if (length > in.n - at)
			return COPY_MORE;
		col[i] = (struct sv){in.p + at, length};
		at += length;
	}
	*took = at;
	return COPY_OK;
}
