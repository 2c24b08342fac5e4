/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/report.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct finding finding_of(const char *account, const char *rule,
				 enum severity severity, int64_t exposure)
{
	struct finding f = {
		.time_us = INT64_C(1768617240) * SEC_US, /* Sat 02:34 */
		.first_call_us = INT64_C(1768616640) * SEC_US,
		.exposure = exposure,
		.burn_per_min = 8 * POUND,
		.severity = (uint8_t)severity,
		.n_terms = 1,
		.accounts = 1,
	};

	sv_put(f.account, sizeof(f.account), sv_of(account));
	sv_put(f.rule, sizeof(f.rule), sv_of(rule));
	sv_put(f.name, sizeof(f.name), SV("spend-60m"));
	f.term[0].measure = MEASURE_SPEND;
	f.term[0].observed = exposure;
	f.term[0].limit = 25 * POUND;
	f.term[0].usual = -1;
	f.term[0].window_us = HOUR_US;
	return f;
}

static void take(struct report *r, struct finding *f, uint32_t n)
{
	struct wire_header h = {.kind = WIRE_FINDINGS, .count = n};
	struct wire_view v = {.h = &h, .records = (const uint8_t *)f};

	take_findings(r, &v, 0);
}

static void a_finding_is_one_stable_line(void **state)
{
	char *text = NULL;
	size_t n = 0;
	struct report r = {.to = open_memstream(&text, &n),
			   .zone = "Europe/London"};
	struct finding f =
		finding_of("acme", "R01", SEVERITY_CRITICAL, 2740 * PENNY);
	const char *want = "finding critical R01 spend-60m acme: "
			   "£27.40 so far, £8.00/min, since "
			   "Sat 17 Jan 02:24:00, limit £25.00, "
			   "id 00000000000000000000000000000000\n";

	(void)state;
	take(&r, &f, 1);
	fclose(r.to);
	assert_memory_equal(text, want, strlen(want));
	free(text);
	free(r.victim);
}

static void the_table_sums_up_an_account(void **state)
{
	char *text = NULL;
	size_t n = 0;
	struct report r = {.to = open_memstream(&text, &n)};
	struct finding f[] = {
		finding_of("acme", "R03", SEVERITY_WARNING, 3 * POUND),
		finding_of("acme", "R01", SEVERITY_CRITICAL, 26 * POUND),
		finding_of("acme", "R01", SEVERITY_WARNING, 11 * POUND),
		finding_of("bloggs", "R09", SEVERITY_WARNING, 10 * POUND),
	};

	(void)state;
	take(&r, f, ARRAY_LEN(f));
	assert_int_equal(report_counts(&r).criticals, 1);
	assert_int_equal(report_counts(&r).warnings, 3);
	assert_int_equal(r.n_victims, 2);
	assert_int_equal(r.victim[0].page_exposure, 26 * POUND);
	assert_int_equal(r.victim[0].exposure, 26 * POUND);
	assert_int_equal(r.victim[0].n_rules, 2);
	assert_int_equal(r.victim[1].criticals, 0);
	report_table(&r);
	fclose(r.to);
	assert_non_null(strstr(text, "\n1 critical, 3 warning\n"));
	free(text);
	free(r.victim);
}

static void exposure_is_said_once_an_hour(void **state)
{
	/* clang-format off */
	static const struct { int64_t minute; uint8_t open; bool said; } t[] = {
		{1000, 1, true}, {1001, 1, false}, {1059, 1, false},
		{1060, 1, true}, {1061, 0, true},
	};
	/* clang-format on */
	struct report r = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct exposure x = {.time_us = t[i].minute * MIN_US,
				     .open = t[i].open,
				     .account = "acme"};
		struct wire_header h = {.kind = WIRE_EXPOSURE, .count = 1};
		struct wire_view v = {.h = &h, .records = (uint8_t *)&x};
		char *text = NULL;
		size_t n = 0;

		r.to = open_memstream(&text, &n);
		take_exposure(&r, &v);
		fclose(r.to);
		assert_int_equal(n > 0, t[i].said);
		free(text);
	}
	free(r.victim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_finding_is_one_stable_line),
		cmocka_unit_test(the_table_sums_up_an_account),
		cmocka_unit_test(exposure_is_said_once_an_hour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
