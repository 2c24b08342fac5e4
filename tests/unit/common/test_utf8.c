/* SPDX-License-Identifier: Apache-2.0 */
#include "common/utf8.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/attr.h"

static void sizes(void **state)
{
	static const struct {
		const char *in;
		unsigned size;
	} t[] = {
		{"", 0},
		{"a", 1},
		{"\x7f", 1},
		{"\x80", 0},
		{"\xc1\xbf", 0}, /* overlong */
		{"\xc2\xa3", 2},
		{"\xc2", 0},
		{"\xc2\x28", 0},
		{"\xe0\x9f\xbf", 0}, /* overlong */
		{"\xe2\x82\xac", 3},
		{"\xe2\x82", 0},
		{"\xed\x9f\xbf", 3},
		{"\xed\xa0\x80", 0}, /* surrogate */
		{"\xf0\x8f\xbf\xbf", 0},
		{"\xf0\x9f\x98\x80", 4},
		{"\xf4\x8f\xbf\xbf", 4},
		{"\xf4\x90\x80\x80", 0}, /* past U+10FFFF */
		{"\xf5\x80\x80\x80", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		assert_int_equal(utf8_size(sv_of(t[i].in)), t[i].size);
}

static void counting_and_cutting(void **state)
{
	struct sv s = SV("a\xc2\xa3\xe2\x82\xac\xff");
	static const size_t cut[] = {0, 1, 1, 3, 3, 3, 6, 7, 7};

	(void)state;
	assert_int_equal(utf8_count(s), 4);
	assert_false(utf8_valid(s));
	assert_true(utf8_valid((struct sv){s.p, 6}));
	for (size_t max = 0; max < ARRAY_LEN(cut); max++)
		assert_int_equal(utf8_cut(s, max).n, cut[max]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(counting_and_cutting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
