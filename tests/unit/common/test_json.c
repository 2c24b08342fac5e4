/* SPDX-License-Identifier: Apache-2.0 */
#include "common/json.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/attr.h"

static void is(struct json *j, const char *want)
{
	assert_int_equal(j->n, strlen(want));
	assert_memory_equal(j->p, want, j->n);
	json_reset(j);
}

static void commas(void **state)
{
	struct json j = {0};

	(void)state;
	json_open(&j, '{');
	json_key(&j, "a");
	json_open(&j, '[');
	json_close(&j, ']');
	json_key(&j, "b");
	json_open(&j, '[');
	json_int(&j, 1);
	json_bool(&j, true);
	json_none(&j);
	json_open(&j, '{');
	json_close(&j, '}');
	json_raw(&j, SV("2.5"));
	json_close(&j, ']');
	json_key(&j, "c");
	json_str_or_null(&j, SV(""));
	json_close(&j, '}');
	is(&j, "{\"a\":[],\"b\":[1,true,null,{},2.5],\"c\":null}");
	json_free(&j);
}

static void strings(void **state)
{
	/* clang-format off */
	static const struct { struct sv in; const char *out; } t[] = {
		{{"", 0}, "\"\""},
		{{"plain", 5}, "\"plain\""},
		{{"a\"b\\c", 5}, "\"a\\\"b\\\\c\""},
		{{"\n\t\r", 3}, "\"\\n\\t\\r\""},
		{{"\0\x01\x1f", 3}, "\"\\u0000\\u0001\\u001f\""},
		{{"\xc2\xa3""5", 3}, "\"\xc2\xa3""5\""},
		{{"\xff\xfe", 2}, "\"\xef\xbf\xbd\xef\xbf\xbd\""},
		{{"a\xe2\x82", 3}, "\"a\xef\xbf\xbd\xef\xbf\xbd\""},
	};
	/* clang-format on */
	struct json j = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		json_str(&j, t[i].in);
		is(&j, t[i].out);
	}
	json_free(&j);
}

static void scalars(void **state)
{
	struct json j = {0};

	(void)state;
	json_int(&j, 0);
	is(&j, "0");
	json_int(&j, INT64_MIN);
	is(&j, "-9223372036854775808");
	json_int(&j, INT64_MAX);
	is(&j, "9223372036854775807");
	json_time(&j, 0);
	is(&j, "null");
	json_time(&j, 1);
	is(&j, "\"1970-01-01T00:00:00.000001Z\"");
	json_money(&j, 25 * POUND);
	is(&j, "\"25.00\"");
	json_free(&j);
}

static void grows_and_is_used_again(void **state)
{
	struct json j = {0};
	FILE *f = tmpfile();
	char big[5000];
	size_t cap;

	(void)state;
	memset(big, 'x', sizeof(big));
	json_str(&j, (struct sv){big, sizeof(big)});
	assert_int_equal(j.n, sizeof(big) + 2);
	cap = j.cap;
	json_reset(&j);
	json_int(&j, 7);
	json_line(&j, f);
	json_int(&j, 8);
	json_line(&j, f);
	assert_int_equal(j.cap, cap);
	rewind(f);
	assert_int_equal(fread(big, 1, sizeof(big), f), 4);
	assert_memory_equal(big, "7\n8\n", 4);
	fclose(f);
	json_free(&j);
	assert_null(j.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas),
		cmocka_unit_test(strings),
		cmocka_unit_test(scalars),
		cmocka_unit_test(grows_and_is_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
