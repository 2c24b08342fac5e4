/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/rating.c"

#include "site.h"

static struct number num(const char *text)
{
	struct number n;

	assert_true(number_parse(sv_of(text), &n));
	return n;
}

#define HEAD "prefix,name,cost_ppm,retail_ppm,setup_p,min_s,step_s,from,until\n"

static struct rating *load(struct site *s, const char *csv)
{
	site_begin(s);
	site_write(s, "tollwatch.yaml", "a: 1\n");
	site_write(s, "r.csv", csv);
	site_load(s);
	return rating_load(s->c, conf_root(s->c), SV("r.csv"));
}

static void charges_to_the_micropenny(void **state)
{
	/* clang-format off */
	static const struct { int64_t per_min, setup; uint32_t min, step; int64_t talk_us, want; } c[] = {
		/* per second */
		{60000000, 0, 0, 1, 0, 0},
		{60000000, 0, 1, 1, 0, 1000000},
		{60000000, 0, 1, 1, 1, 1000000},
		{60000000, 0, 1, 1, 1000000, 1000000},
		{60000000, 0, 1, 1, 1000001, 2000000},
		{60000000, 0, 1, 1, 59999999, 60000000},
		/* 6/6 */
		{60000000, 0, 6, 6, 1, 6000000},
		{60000000, 0, 6, 6, 6000000, 6000000},
		{60000000, 0, 6, 6, 6000001, 12000000},
		/* 60/60 */
		{50000000, 0, 60, 60, 1, 50000000},
		{50000000, 0, 60, 60, 60000000, 50000000},
		{50000000, 0, 60, 60, 60000001, 100000000},
		/* minimum 60, then seconds; minimum 30, then sixes */
		{60000000, 0, 60, 1, 5000000, 60000000},
		{60000000, 0, 60, 1, 60000001, 61000000},
		{60000000, 0, 30, 6, 30000001, 36000000},
		/* set-up only, and set-up beside */
		{0, 1500000, 60, 60, 90000000, 1500000},
		{60000000, 250000, 1, 1, 3000000, 3250000},
		/* rounded up to a micropenny: 0.28 ppm, 1 s = 4666.67 */
		{280000, 0, 1, 1, 1000000, 4667},
		{280000, 0, 1, 1, 3000000, 14000},
		{1, 0, 1, 1, 1000000, 1},
		{1, 0, 1, 1, 61000000, 2},
		/* a clock gone backwards is no refund */
		{60000000, 0, 1, 1, -5000000, 1000000},
		/* no overflow on the way, saturated at the end */
		{100000000000, 0, 1, 1, 86400000000, 144000000000000},
		{INT64_MAX, 0, 1, 1, INT64_MAX, INT64_MAX},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		struct rate r = {.setup = c[i].setup,
				 .min_s = c[i].min,
				 .step_s = c[i].step};
		int64_t got = rate_charge(&r, c[i].per_min, c[i].talk_us);

		if (got != c[i].want)
			fail_msg("case %zu: %lld", i, (long long)got);
	}
}

static void first_increment(void **state)
{
	struct rate r = {.min_s = 30, .step_s = 6};

	(void)state;
	assert_int_equal(rate_first_s(&r), 30);
	r.step_s = 60;
	assert_int_equal(rate_first_s(&r), 60);
}

static void longest_valid_prefix(void **state)
{
	static const char csv[] =
		HEAD "44,UK,0.28,1.2,0,1,1,,\n"
		     "4870,\"Poland, premium\",50,67.5,0,30,6,,\n"
		     "48,Poland,0.9,1.6,0,1,1,,2026-01-10\n"
		     "48,Poland new,1.1,1.8,0,1,1,2026-01-10,2026-02-01\n"
		     "118,Directory,160,199,150,60,60,,\n";
	/* clang-format off */
	static const struct { const char *n, *at, *name; } want[] = {
		{"+441632960123", "2026-01-17T02:00:00Z", "UK"},
		{"+48704660123",  "2026-01-17T02:00:00Z", "Poland, premium"},
		{"+48225550123",  "2026-01-09T23:59:59.999999Z", "Poland"},
		{"+48225550123",  "2026-01-10T00:00:00Z", "Poland new"},
		{"+48225550123",  "2026-02-01T00:00:00Z", "default"},
		{"+33155501234",  "2026-01-17T02:00:00Z", "default"},
		{"118500",        "2026-01-17T02:00:00Z", "Directory"},
		{"1185001632960", "2026-01-17T02:00:00Z", "default"},
		{"44163296",      "2026-01-17T02:00:00Z", "default"},
		{"*44#",          "2026-01-17T02:00:00Z", "default"},
	};
	/* clang-format on */
	struct site s;
	struct rating *r = load(&s, csv);
	char hex[SHA256_HEX];

	(void)state;
	assert_int_equal(conf_errors(s.c), 0);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		const struct rate *f;
		int64_t t;

		assert_true(time_parse(sv_of(want[i].at), &t));
		f = rating_find(r, num(want[i].n), t);
		assert_string_equal(f->name, want[i].name);
		assert_int_equal(f->is_default,
				 strcmp(want[i].name, "default") == 0);
	}
	assert_int_equal(rating_find(r, num("+4870"), 0)->cost_per_min,
			 50 * PENNY);
	assert_int_equal(rating_find(r, num("+4870"), 0)->retail_per_min,
			 67500000);
	assert_int_equal(rating_find(r, num("118118"), 0)->setup, 150 * PENNY);
	/* the hash is of the file, not of the unquoted copy */
	sha256_hex(csv, sizeof(csv) - 1, hex);
	assert_memory_equal(rating_hash(r), hex, 16);
	assert_int_equal(strlen(rating_hash(r)), 16);
	rating_free(r);
	site_end(&s);
}

static void every_fault_has_its_place(void **state)
{
	static const char csv[] =
		HEAD "44,UK,0.2.8,1.2,0,1,1,,\n"
		     "45,Denmark,£1,1.2,0,1,1,,\n"
		     "46,Sweden,1,1.2,0,1,0,,\n"
		     "47,Norway,1,1.2,0,1,1,2026-13-01,\n"
		     "4x,Poland,1,1.2,0,1,1,,\n"
		     "49,Germany,1,1.2,0,1,1,2026-02-01,2026-01-01\n"
		     "31,\"Nether\"\"lands\",1,1.2,0,1,1,,2026-02-01\n"
		     "31,Netherlands,1,1.2,0,1,1,2026-01-31,\n"
		     "32,Belgium,200000,1.2,0,1,1,,\n"
		     "33,France,1,1.2\n";
	/* clang-format off */
	static const char *const want[] = {
		"\"line\":2,\"col\":7,\"severity\":\"error\",\"code\":\"bad-price\"",
		"\"line\":3,\"col\":12,\"severity\":\"error\",\"code\":\"bad-price\"",
		"\"line\":4,\"col\":21,\"severity\":\"error\",\"code\":\"bad-seconds\"",
		"\"line\":5,\"col\":23,\"severity\":\"error\",\"code\":\"bad-date\"",
		"\"line\":6,\"col\":1,\"severity\":\"error\",\"code\":\"bad-prefix\"",
		"\"line\":7,\"col\":35,\"severity\":\"error\",\"code\":\"bad-dates\"",
		"\"line\":9,\"col\":1,\"severity\":\"error\",\"code\":\"duplicate-prefix\"",
		"in line 8",
		"more than £1,000",
		"\"line\":11",
	};
	/* clang-format on */
	struct site s;
	struct rating *r = load(&s, csv);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		site_want(&s, want[i]);
	rating_free(r);
	site_end(&s);
}

static void a_missing_file_is_an_error(void **state)
{
	struct site s;
	struct rating *r;

	(void)state;
	site_begin(&s);
	site_write(&s, "tollwatch.yaml", "a: 1\n");
	site_load(&s);
	r = rating_load(s.c, conf_root(s.c), SV("none.csv"));
	assert_int_equal(conf_errors(s.c), 1);
	assert_true(rating_find(r, num("+441632960123"), 0)->is_default);
	rating_free(r);
	rating_free(NULL);
	site_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(charges_to_the_micropenny),
		cmocka_unit_test(first_increment),
		cmocka_unit_test(longest_valid_prefix),
		cmocka_unit_test(every_fault_has_its_place),
		cmocka_unit_test(a_missing_file_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
