/* SPDX-License-Identifier: Apache-2.0 */
#include "common/conf_scalar.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* clang-format off */
struct parse_case {
	conf_parse_fn *parse;
	const char *in;
	int64_t v;
	const char *error; /* NULL: it must parse to v */
};

#define L "\xc2\xa3"

static const struct parse_case cases[] = {
	{conf_duration, "0s", 0, NULL},
	{conf_duration, "250ms", 250000, NULL},
	{conf_duration, "1m", MIN_US, NULL},
	{conf_duration, "1h30m", 90 * MIN_US, NULL},
	{conf_duration, "4w", 28 * DAY_US, NULL},
	{conf_duration, "1d2h3m4s5ms", DAY_US + 2 * HOUR_US + 3 * MIN_US + 4005000, NULL},
	{conf_duration, "30", 0, "30 needs a unit, e.g. 30m or 30s"},
	{conf_duration, "1.5", 0, "1.5 needs a unit"},
	{conf_duration, "1.5h", 0, "want a duration"},
	{conf_duration, "30m1h", 0, "want a duration"},
	{conf_duration, "30m30m", 0, "want a duration"},
	{conf_duration, "30 m", 0, "want a duration"},
	{conf_duration, "-5m", 0, "want a duration"},
	{conf_duration, "m", 0, "want a duration"},
	{conf_duration, "5m3", 0, "want a duration"},
	{conf_duration, "", 0, "want a duration"},
	{conf_duration, "15250284w", INT64_C(15250284) * 7 * DAY_US, NULL},
	{conf_duration, "15250285w", 0, "want a duration"},
	{conf_duration, "99999999999999999999s", 0, "want a duration"},
	{conf_money, L "50", 50 * POUND, NULL},
	{conf_money, "25p", 25 * PENNY, NULL},
	{conf_money, "50", 0, "50 needs a unit, e.g. " L "50 or 50p"},
	{conf_money, "$50", 0, "want an amount"},
	{conf_bytes, "64MiB", 64 << 20, NULL},
	{conf_bytes, "1GiB512MiB", 1536 << 20, NULL},
	{conf_bytes, "7B", 7, NULL},
	{conf_bytes, "64", 0, "64 needs a unit, e.g. 64MiB"},
	{conf_bytes, "64MB", 0, "want a size"},
	{conf_bytes, "8388608TiB", 0, "want a size"},
	{conf_date, "2026-03-31", 20543, NULL},
	{conf_date, "1969-12-31", -1, NULL},
	{conf_date, "2026-3-31", 0, "want a date"},
	{conf_date, "2026-02-29", 0, "want a date"},
	{conf_date, "2026-03-31T", 0, "want a date"},
};
/* clang-format on */

static void tables(void **state)
{
	static const struct conf_node any = {.name = "x"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct parse_case *t = &cases[i];
		struct err e = {""};
		int64_t v = 12345;
		bool ok = t->parse(&any, sv_of(t->in), &v, &e);

		if (ok != !t->error)
			fail_msg("%s: %s", t->in, ok ? "accepted" : e.text);
		if (ok)
			assert_int_equal(v, t->v);
		else if (!strstr(e.text, t->error))
			fail_msg("%s: %s", t->in, e.text);
		else
			assert_int_equal(v, 12345); /* left alone */
	}
}

static void bounds(void **state)
{
	static const struct conf_node one_to_ten = {.min = 1, .max = 10};
	static const struct conf_node upto_hour = {.min = 0, .max = HOUR_US};
	static const struct conf_node any = {0};
	int64_t us;
	uint32_t v;
	struct err e;

	(void)state;
	assert_true(conf_u32(&one_to_ten, SV("10"), &v, &e));
	assert_false(conf_u32(&one_to_ten, SV("0"), &v, &e));
	assert_false(conf_u32(&one_to_ten, SV("11"), &v, &e));
	assert_string_equal(e.text, "want a whole number 1..10, got '11'");
	assert_true(conf_u32(&any, SV("4294967295"), &v, &e));
	assert_false(conf_u32(&any, SV("4294967296"), &v, &e));
	assert_false(conf_u32(&any, SV("12 calls"), &v, &e));
	assert_true(conf_duration(&upto_hour, SV("60m"), &us, &e));
	assert_false(conf_duration(&upto_hour, SV("60m1s"), &us, &e));
	assert_string_equal(e.text, "want 0ms to 1h, got '60m1s'");
}

static void texts(void **state)
{
	static const struct conf_node five = {.max = 5};
	const char *p = NULL;
	struct err e;
	bool b;

	(void)state;
	assert_true(conf_str(&five, SV("A b/c"), &p, &e));
	assert_string_equal(p, "A b/c");
	assert_false(conf_str(&five, SV("abcdef"), &p, &e));
	assert_false(conf_str(&five, SV(""), &p, &e));
	assert_true(conf_name(&five, SV("a-z_."), &p, &e));
	assert_false(conf_name(&five, SV("aB"), &p, &e));
	assert_false(conf_name(&five, SV("a b"), &p, &e));
	assert_false(conf_name(&five, SV(""), &p, &e));
	assert_true(conf_bool(&five, SV("true"), &b, &e) && b);
	assert_true(conf_bool(&five, SV("false"), &b, &e) && !b);
	assert_false(conf_bool(&five, SV("True"), &b, &e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables),
		cmocka_unit_test(bounds),
		cmocka_unit_test(texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
