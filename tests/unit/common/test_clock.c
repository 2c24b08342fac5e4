/* SPDX-License-Identifier: Apache-2.0 */
#include "common/clock.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/attr.h"

static void texts(void **state)
{
	/* clang-format off */
	static const struct { int64_t us; const char *text; } t[] = {
		{0, "1970-01-01T00:00:00.000000Z"},
		{-1, "1969-12-31T23:59:59.999999Z"},
		{INT64_C(1768616645000001), "2026-01-17T02:24:05.000001Z"},
		{INT64_C(951782400) * SEC_US, "2000-02-29T00:00:00.000000Z"},
		{INT64_C(253402300799999999), "9999-12-31T23:59:59.999999Z"},
		{INT64_MAX, "294247-01-10T04:00:54.775807Z"},
		{INT64_MIN, "-290308-12-21T19:59:05.224192Z"},
	};
	/* clang-format on */
	char text[TIME_TEXT];
	int64_t us;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		time_text(t[i].us, text);
		assert_string_equal(text, t[i].text);
		if (t[i].text[4] != '-')
			continue;
		assert_true(time_parse(sv_of(text), &us));
		assert_int_equal(us, t[i].us);
	}
}

static void parsing(void **state)
{
	/* clang-format off */
	static const struct { const char *in, *same_as; } t[] = {
		{"2026-01-17 02:24", "2026-01-17T02:24:00.000000Z"},
		{"2026-01-17T02:24:05", "2026-01-17T02:24:05.000000Z"},
		{"2026-01-17t02:24:05z", "2026-01-17T02:24:05.000000Z"},
		{"2026-01-17T02:24:05.5Z", "2026-01-17T02:24:05.500000Z"},
		{"2026-06-17T02:24:05+01:00", "2026-06-17T01:24:05.000000Z"},
		{"2026-06-17T02:24:05-0530", "2026-06-17T07:54:05.000000Z"},
		{"2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000Z"},
		{"2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000Z"},
	};
	static const char *const bad[] = {
		"", "2026-01-17", "2026-1-17 02:24", "2026-13-01 00:00",
		"2026-00-01 00:00", "2025-02-29 00:00", "2026-04-31 00:00",
		"2026-01-00 00:00", "2026-01-17 24:00", "2026-01-17 02:60",
		"2026-01-17 02:24:61", "2026-01-17 02:24:05.", "2026-01-17 02:24:",
		"2026-01-17 02:24:05.1234567", "2026-01-17 02:24:05 Z",
		"2026-01-17 02:24:05+24:00", "2026-01-17 02:24:05+01:60",
		"2026-01-17 02:24:05+1", "2026-01-17 02:24:05Zx",
		" 2026-01-17 02:24:05", "2026-01-17x02:24:05",
	};
	/* clang-format on */
	char text[TIME_TEXT];
	int64_t us;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		assert_true(time_parse(sv_of(t[i].in), &us));
		time_text(us, text);
		assert_string_equal(text, t[i].same_as);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (time_parse(sv_of(bad[i]), &us))
			fail_msg("accepted: %s", bad[i]);
}

static void civil(void **state)
{
	int64_t day = days_from_civil(1599, 12, 31);
	static const uint8_t len[] = {31, 28, 31, 30, 31, 30,
				      31, 31, 30, 31, 30, 31};

	(void)state;
	assert_int_equal(days_from_civil(1970, 1, 1), 0);
	for (int y = 1600; y <= 2400; y++) {
		bool leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);

		for (unsigned m = 1; m <= 12; m++) {
			unsigned last = len[m - 1] + (m == 2 && leap);

			for (unsigned d = 1; d <= last; d++) {
				int y2;
				unsigned m2;
				unsigned d2;

				day++;
				assert_int_equal(days_from_civil(y, m, d), day);
				civil_from_days(day, &y2, &m2, &d2);
				assert_int_equal(y2, y);
				assert_int_equal(m2, m);
				assert_int_equal(d2, d);
			}
		}
	}
}

static void clocks_move(void **state)
{
	struct mono_ms a = clock_mono();

	(void)state;
	assert_true(clock_mono().ms >= a.ms);
	assert_true(clock_wall().us > INT64_C(1700000000) * SEC_US);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(parsing),
		cmocka_unit_test(civil),
		cmocka_unit_test(clocks_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
