/* SPDX-License-Identifier: Apache-2.0 */
#include "common/money.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/attr.h"

static void texts(void **state)
{
	/* clang-format off */
	static const struct { int64_t v; const char *two, *exact; } t[] = {
		{0, "0.00", "0.00"},
		{25 * POUND, "25.00", "25.00"},
		{36 * PENNY, "0.36", "0.36"},
		{499999, "0.00", "0.00499999"},
		{500000, "0.01", "0.005"},
		{-499999, "0.00", "-0.00499999"},
		{-500000, "-0.01", "-0.005"},
		{-50 * PENNY, "-0.50", "-0.50"},
		{12345, "0.00", "0.00012345"},
		{INT64_MAX, "92233720368.55", "92233720368.54775807"},
		{INT64_MIN, "-92233720368.55", "-92233720368.54775808"},
	};
	/* clang-format on */
	char text[MONEY_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		money_text(t[i].v, text);
		assert_string_equal(text, t[i].two);
		money_text_exact(t[i].v, text);
		assert_string_equal(text, t[i].exact);
	}
}

static void parsing(void **state)
{
	/* clang-format off */
	static const struct { const char *in; int64_t v; } t[] = {
		{"\xc2\xa3" "50", 50 * POUND},
		{"\xc2\xa3" "0.25", 25 * PENNY},
		{"\xc2\xa3" "0.00000001", 1},
		{"\xc2\xa3" "0.000000001", -1},
		{"\xc2\xa3" "92233720367.99999999", INT64_C(9223372036799999999)},
		{"\xc2\xa3" "92233720369", -1},
		{"\xc2\xa3" "184467440737095516160", -1},
		{"25p", 25 * PENNY},
		{"0.5p", PENNY / 2},
		{"0.0000001p", -1},
		{"\xc2\xa3" "25p", -1},
		{"25", -1},
		{"p", -1},
		{"", -1},
		{"\xc2\xa3", -1},
		{"\xa3" "5", -1},
		{"\xc2\xa3" "-1", -1},
		{"\xc2\xa3" " 1", -1},
		{"\xc2\xa3" "1.", -1},
		{"\xc2\xa3" ".5", -1},
		{"\xc2\xa3" "1,000", -1},
		{"\xc2\xa3" "1.2.3", -1},
	};
	/* clang-format on */
	int64_t v;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		bool ok = money_parse(sv_of(t[i].in), &v);

		if (ok != (t[i].v >= 0) || (ok && v != t[i].v))
			fail_msg("%s: %d %lld", t[i].in, ok, (long long)v);
	}
	assert_true(money_parse_pence(SV("1.25"), &v));
	assert_int_equal(v, 1250000);
	assert_true(money_parse_pence(SV("0"), &v));
	assert_int_equal(v, 0);
	assert_false(money_parse_pence(SV("1.25p"), &v));
	assert_false(money_parse_pence(SV("-1"), &v));
	assert_false(money_parse_pence(SV(""), &v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(parsing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
