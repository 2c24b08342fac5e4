/* SPDX-License-Identifier: Apache-2.0 */
#include "common/number.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/attr.h"

static void round_trip(void **state)
{
	static const char *const good[] = {
		"+441632960001",   "999", "*21#", "0", "+999999999999999",
		"1234567890123456"};
	static const char *const bad[] = {"",
					  "+",
					  "++44",
					  "44+",
					  "4 4",
					  "a",
					  "+1234567890123456",
					  "12345678901234567"};
	char text[NUMBER_TEXT];
	struct number n;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_true(number_parse(sv_of(good[i]), &n));
		assert_int_equal(number_text(n, text), strlen(good[i]));
		assert_string_equal(text, good[i]);
		assert_int_equal(number_is_e164(n), good[i][0] == '+');
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(number_parse(sv_of(bad[i]), &n));
	assert_int_equal(number_text((struct number){0}, text), 0);
	assert_string_equal(text, "");
}

static void digits(void **state)
{
	static const uint8_t want[] = {4, 4, 0, 9};
	uint8_t out[NUMBER_DIGITS];
	struct number n = {0};

	(void)state;
	assert_true(number_parse(SV("+4409"), &n));
	assert_int_equal(number_digits(n, out), 4);
	assert_memory_equal(out, want, 4);
	assert_true(number_parse(SV("4409"), &n));
	assert_int_equal(number_digits(n, out), 4);
	assert_true(number_parse(SV("*4409"), &n));
	assert_int_equal(number_digits(n, out), 0);
	assert_int_equal(number_digits((struct number){0}, out), 0);
}

static void masks(void **state)
{
	/* clang-format off */
	static const struct { const char *in, *out; } t[] = {
		{"", ""},
		{"999", "999"},
		{"118500", "118500"},
		{"1234567", "12****67"},
		{"12345678", "123****78"},
		{"123456789", "1234****89"},
		{"01632960001", "0163****01"},
		{"+123456", "+1****56"},
		{"+1234567", "+12****67"},
		{"+12345678", "+123****78"},
		{"+123456789", "+1234****89"},
		{"+442079460123", "+4420****23"},
	};
	/* clang-format on */
	char out[NUMBER_TEXT];
	struct number n;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		number_mask_raw(sv_of(t[i].in), out, sizeof(out));
		assert_string_equal(out, t[i].out);
		if (!number_parse(sv_of(t[i].in), &n))
			continue;
		number_mask(n, out);
		assert_string_equal(out, t[i].out);
	}
	number_mask_raw(SV("0163296000101632960001"), out, sizeof(out));
	assert_string_equal(out, "0163****01");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(digits),
		cmocka_unit_test(masks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
