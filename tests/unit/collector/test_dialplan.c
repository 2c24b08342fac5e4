/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "collector/dialplan.c"

static const char *const nine[] = {"9", NULL};
static const char *const clip[] = {"141", "1470", NULL};
static const char *const intl[] = {"00", "011", NULL};
static const struct dialplan uk = {.name = "uk",
				   .outside_line = nine,
				   .cli_prefix = clip,
				   .international = intl,
				   .national = "0",
				   .country = "44"};

struct dialled {
	const char *raw;
	const char *want; /* "" = cannot be normalised */
};

static void run(const struct dialplan *plan, const struct dialled *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct number got = {1};
		char text[NUMBER_TEXT];
		bool ok = dialplan_normalise(plan, sv_of(c[i].raw), &got);

		number_text(got, text);
		if (strcmp(text, c[i].want) != 0 || ok != (*c[i].want != 0))
			fail_msg("'%s' is '%s', want '%s'", c[i].raw, text,
				 c[i].want);
	}
}

static void uk_pbx(void **state)
{
	static const struct dialled c[] = {
		{"+442079460123", "+442079460123"},
		{"02079460123", "+442079460123"},
		{"902079460123", "+442079460123"},
		{"14102079460123", "+442079460123"},
		{"147002079460123", "+442079460123"},
		{"914102079460123", "+442079460123"},
		{"141902079460123", "+442079460123"},
		{"9147000252991234567", "+252991234567"},
		{"00252991234567", "+252991234567"},
		{"011252991234567", "+252991234567"},
		{"9011252991234567", "+252991234567"},
		/* 011 also begins Leeds: the length decides */
		{"01134960123", "+441134960123"},
		{"901134960123", "+441134960123"},
		{"+44 (0)20 7946 0123", "+442079460123"},
		{"0044 (0)20-7946.0123", "+442079460123"},
		{"%2B442079460123", "+442079460123"},
		{"442079460123", "+442079460123"},
		{"09098790123", "+449098790123"},
		{"02079460123;phone-context=+44", "+442079460123"},
		{"02079460123@carrier", "+442079460123"},
		{"02079460123,,1234", "+442079460123"},
		{"999", "999"},
		{"112", "112"},
		{"9999", "999"},
		{"9112", "112"},
		{"101", "101"},
		{"118118", "118118"},
		{"9118118", "118118"},
		{"141118118", "118118"},
		{"116123", "116123"},
		{"2034", "2034"},
		{"9034", "9034"}, /* no number follows: an extension */
		{"*97", "*97"},
		{"#31#", "#31#"},
		/* neither national nor international */
		{"252991234567", ""},
		{"9960123", ""},
		{"", ""},
		{"s", ""},
		{"anonymous", ""},
		{"+", ""},
		{"+0123456789", ""},
		{"00", "00"},
		{"000123456789", ""},
		{"+1234567890123456", ""},
		{"0020794601239999999999999", ""},
		{"%00", ""},
		{"1+2", ""},
	};

	(void)state;
	run(&uk, c, ARRAY_LEN(c));
}

static void without_a_plan(void **state)
{
	static const struct dialled c[] = {
		{"+442079460123", "+442079460123"},
		{"02079460123", ""},
		{"0044207946", ""},
		{"2034", "2034"},
		{"999", "999"},
	};

	(void)state;
	run(NULL, c, ARRAY_LEN(c));
}

static void another_country(void **state)
{
	static const char *const us_intl[] = {"011", NULL};
	static const struct dialplan us = {.international = us_intl,
					   .national = "1",
					   .country = "1"};
	static const struct dialled c[] = {
		{"12025550123", "+12025550123"},
		{"011442079460123", "+442079460123"},
		{"911", "911"},
		{"+12025550123", "+12025550123"},
	};

	(void)state;
	run(&us, c, ARRAY_LEN(c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uk_pbx),
		cmocka_unit_test(without_a_plan),
		cmocka_unit_test(another_country),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
