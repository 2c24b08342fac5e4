/* SPDX-License-Identifier: Apache-2.0 */
#include "common/zone.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* 02:24 in January and in July, and the process's own zone is as it was. */
static void text_leaves_the_zone_alone(void **state)
{
	static const char *const own[] = {"Asia/Dubai", NULL};
	time_t s = 1768616640; /* 2026-01-17 02:24 UTC */
	char out[32];
	struct tm tm;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		if (own[i])
			setenv("TZ", own[i], 1);
		else
			unsetenv("TZ");
		zone_text("Europe/London", (int64_t)s * 1000000,
			  "%a %e %b %H:%M", out);
		assert_string_equal(out, "Sat 17 Jan 02:24");
		zone_text("Europe/London", ((int64_t)s + 181 * DAY_S) * 1000000,
			  "%a %e %b %H:%M", out);
		assert_string_equal(out, "Fri 17 Jul 03:24");
		zone_text(NULL, (int64_t)s * 1000000, "%H:%M", out);
		assert_string_equal(out, "02:24");
		if (own[i]) {
			assert_string_equal(getenv("TZ"), own[i]);
			assert_non_null(localtime_r(&s, &tm));
			assert_int_equal(tm.tm_hour, 6);
		} else {
			assert_null(getenv("TZ"));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_leaves_the_zone_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
