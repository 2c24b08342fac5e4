/* SPDX-License-Identifier: Apache-2.0 */
#include "common/csv.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/attr.h"

/* Fields joined by '|', "P" for partial, "E" for the end, "F" for too many;
 * the whole text is in the buffer. */
static void cases(void **state)
{
	/* clang-format off */
	static const struct {
		const char *in; bool last; const char *out; size_t used; unsigned lines;
	} t[] = {
		{"", false, "E", 0, 0},
		{"", true, "E", 0, 0},
		{"a,b\n", false, "a|b", 4, 1},
		{"a,b\r\nc", false, "a|b", 5, 1},
		{"a,b\rc", false, "a|b", 4, 1},
		{"a,b\r", false, "P", 0, 0}, /* half of a CRLF? */
		{"a,b\r", true, "a|b", 4, 1},
		{"a,b", false, "P", 0, 0},
		{"a,b", true, "a|b", 3, 0},
		{"\n", false, "", 1, 1},
		{",\n", false, "|", 2, 1},
		{"a,", true, "a|", 2, 0},
		{"\xef\xbb\xbf" "a\n", false, "a", 5, 1},
		{"\xef\xbb\xbf", false, "P", 0, 0},
		{"\xef\xbb\xbf", true, "E", 0, 0},
		{"\"a,b\",c\n", false, "a,b|c", 8, 1},
		{"\"a\nb\r\nc\rd\",e\n", false, "a\nb\r\nc\rd|e", 13, 4},
		{"\"\"\"Alex\"\" <+441632960001>\",x\n", false,
		 "\"Alex\" <+441632960001>|x", 29, 1},
		{"\"\",\"\"\n", false, "|", 6, 1},
		{"\"a", false, "P", 0, 0},
		{"\"a\n,b\n", true, "P", 3, 1}, /* never closed */
		{"\"x\ny\",\"a\r\n,b\n", false, "P", 10, 2},
		{"1,\"Al,x\n2,\"Bo,y\n", false, "Q", 8, 1},
		{"1,\"Al\n2,\"Bo\"\n", false, "Q", 6, 1},
		{"\"a\nb\",c\n", false, "a\nb|c", 8, 2},
		{"\"a\"", true, "a", 3, 0},
		{"\"a\"", false, "P", 0, 0},
		{"\"a\"b\"c,d\n", false, "ab\"c|d", 9, 1},
		{"\"a\"\"\"b\"\"\n", false, "a\"b\"\"", 9, 1},
		{"a\"b\",\"\n\"\n", false, "a\"b\"|\n", 9, 2},
		{" \"a\",b\n", false, " \"a\"|b", 7, 1},
	};
	/* clang-format on */
	char text[128];
	char got[256];
	struct csv_row row;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		size_t n = strlen(t[i].in);
		char *p = got;
		enum csv_rc rc;

		memcpy(text, t[i].in, n);
		rc = csv_next(text, n, ',', t[i].last, &row);
		if (rc != CSV_OK) {
			assert_int_equal(t[i].out[0], rc == CSV_PARTIAL ? 'P'
						      : rc == CSV_QUOTE ? 'Q'
									: 'E');
			assert_int_equal(row.used, t[i].used);
			assert_int_equal(row.lines, t[i].lines);
			assert_memory_equal(text, t[i].in, n);
			continue;
		}
		*p = '\0';
		for (size_t f = 0; f < row.n; f++)
			p += snprintf(p, 64, "%s%.*s", f ? "|" : "",
				      SV_ARG(row.field[f]));
		assert_string_equal(got, t[i].out);
		assert_int_equal(row.used, t[i].used);
		assert_int_equal(row.lines, t[i].lines);
	}
}

static void too_many_fields(void **state)
{
	char text[2 * CSV_FIELDS_MAX + 16];
	struct csv_row row;

	(void)state;
	memset(text, ',', sizeof(text));
	text[CSV_FIELDS_MAX - 1] = '\n';
	assert_int_equal(csv_next(text, sizeof(text), ',', true, &row), CSV_OK);
	assert_int_equal(row.n, CSV_FIELDS_MAX);
	text[CSV_FIELDS_MAX - 1] = ',';
	text[CSV_FIELDS_MAX] = '\n';
	assert_int_equal(csv_next(text, sizeof(text), ',', true, &row),
			 CSV_FIELDS);
	assert_int_equal(row.used, CSV_FIELDS_MAX + 1);
	assert_int_equal(row.n, CSV_FIELDS_MAX);
}

static void rows_follow(void **state)
{
	char text[] = "a;b\r\n\"c\";d\r\n";
	struct csv_row row;

	(void)state;
	assert_int_equal(csv_next(text, 12, ';', true, &row), CSV_OK);
	assert_true(sv_eq(row.raw, SV("a;b")));
	assert_int_equal(csv_next(text + row.used, 12 - row.used, ';', true,
				  &row),
			 CSV_OK);
	assert_true(sv_eq(row.field[0], SV("c")));
	assert_true(sv_eq(row.field[1], SV("d")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cases),
		cmocka_unit_test(too_many_fields),
		cmocka_unit_test(rows_follow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
