/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/explain.c"

#include "analyzer/check.h"
#include "site.h"

/* Run a command with stdout in a file; the text is freed by the caller. */
static char *run(int (*cmd)(int, char **), char **argv, int want)
{
	char *out = NULL;
	size_t n = 0;
	FILE *tmp = tmpfile();
	int keep = dup(STDOUT_FILENO);
	int argc = 0;
	int code;

	while (argv[argc])
		argc++;
	fflush(stdout);
	dup2(fileno(tmp), STDOUT_FILENO);
	optind = 0;
	code = cmd(argc, argv);
	fflush(stdout);
	dup2(keep, STDOUT_FILENO);
	close(keep);
	rewind(tmp);
	if (getdelim(&out, &n, '\0', tmp) < 0) {
		free(out);
		out = xstrdup("");
	}
	fclose(tmp);
	if (code != want)
		fail_msg("exit %d, want %d: %s", code, want, out);
	return out;
}

static void no_site_no_test(void)
{
	if (access("config/tollwatch.yaml", R_OK) == 0)
		return;
	print_message("skipped: no config/\n");
	skip();
}

static void verdicts_of_the_example_site(void **state)
{
	/* clang-format off */
	static const struct { const char *account, *at, *want; } c[] = {
		{"hollins-joinery", "2026-01-17 02:24", "\"at\":\"2026-01-17T02:24:00.000000Z\",\"regime\":\"outside\",\"from\":\"2026-01-16T18:00:00.000000Z\",\"until\":\"2026-01-19T08:00:00.000000Z\",\"reason\":\"closed: opens Mon 08:00\""},
		{"hollins-joinery", "2026-07-17 17:59:59.999999", "\"at\":\"2026-07-17T16:59:59.999999Z\",\"regime\":\"inside\""},
		{"hollins-joinery", "2026-07-17T17:00:00Z", "\"regime\":\"outside\""},
		{"st-aidans-school", "2026-11-30 10:00", "closed: St Andrew's Day (scotland)"},
		{"hollins-joinery", "2026-11-30 10:00", "open: mon-fri 08:00-18:00"},
		{"black-swan-pub", "2026-01-18 01:00", "open: fri-sat 11:00-01:30"},
		{"starline-taxis", "2026-01-17 02:24", "\"regime\":\"inside\",\"from\":null,\"until\":null"},
		/* a doubled hour is the first, a skipped one the change */
		{"hollins-joinery", "2026-10-25 01:30", "\"at\":\"2026-10-25T00:30:00.000000Z\""},
		{"hollins-joinery", "2026-10-25 02:30", "\"at\":\"2026-10-25T02:30:00.000000Z\""},
		{"hollins-joinery", "2026-03-29 02:30", "\"at\":\"2026-03-29T01:30:00.000000Z\""},
		{"hollins-joinery", "2026-01-17 02:24", "\"rule\":\"R01\",\"name\":\"spend-60m\",\"severity\":\"critical\",\"measure\":\"spend\",\"window\":\"60m\",\"limit\":\"25.00\",\"floor\":\"25.00\",\"override\":null,\"file\":\"rules.yaml\""},
		{"northgate-contact", "2026-01-16 12:00", "\"measure\":\"calls\",\"window\":\"1m\",\"limit\":240,\"floor\":60,\"override\":\"owner alex until 2027-03-31: agreed profile: outbound campaigns\""},
		{"northgate-contact", "2027-04-16 12:00", "\"measure\":\"calls\",\"window\":\"1m\",\"limit\":60,\"floor\":60,\"override\":null"},
	};
	/* clang-format on */

	(void)state;
	no_site_no_test();
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		char *argv[] = {
			"explain", "--account",	    (char *)c[i].account,
			"--at",	   (char *)c[i].at, "--json",
			NULL};
		char *out = run(explain_main, argv, 0);

		if (!strstr(out, c[i].want))
			fail_msg("no %s in %s", c[i].want, out);
		free(out);
	}
}

static void text_is_in_local_time(void **state)
{
	char *argv[] = {"explain",
			"--account",
			"hollins-joinery",
			"--at",
			"2026-07-17T18:30:00Z",
			NULL};
	char *out;

	(void)state;
	no_site_no_test();
	out = run(explain_main, argv, 0);
	assert_non_null(strstr(out,
			       "hollins-joinery (Hollins Joinery Ltd) at "
			       "Fri 2026-07-17 19:30:00 +01:00\n"
			       "  outside opening hours: closed: opens "
			       "Mon 08:00\n"
			       "  since Fri 2026-07-17 18:00:00 +01:00\n"
			       "  until Mon 2026-07-20 08:00:00 +01:00\n"));
	assert_non_null(strstr(out, "R01  spend-60m"));
	free(out);
}

static void refusals(void **state)
{
	/* clang-format off */
	static char *const argv[][6] = {
		{"explain", "--account", "holins-joinery", "--at", "2026-01-17 02:24"},
		{"explain", "--account", "hollins-joinery", "--at", "yesterday"},
		{"explain", "--account", "hollins-joinery"},
		{"explain", "--config", "/nonexistent", "--account=x", "--at=2026-01-17 02:24"},
	};
	/* clang-format on */
	static const int want[] = {1, 2, 2, 78};

	(void)state;
	no_site_no_test();
	for (size_t i = 0; i < ARRAY_LEN(argv); i++)
		free(run(explain_main, (char **)argv[i], want[i]));
}

static void check_config_exits(void **state)
{
	char *good[] = {"check-config", "--json", "config", NULL};
	char *none[] = {"check-config", "/nonexistent", NULL};
	char *usage[] = {"check-config", "a", "b", NULL};
	struct site s;
	char *out;

	(void)state;
	no_site_no_test();
	out = run(check_config_main, good, 0);
	if (strstr(out, "\"severity\":\"error\""))
		fail_msg("%s", out);
	free(out);
	free(run(check_config_main, none, 78));
	free(run(check_config_main, usage, 2));
	site_begin(&s);
	site_write(&s, "tollwatch.yaml", "version: 1\nsights: {}\n");
	good[2] = s.dir;
	out = run(check_config_main, good, 78);
	assert_non_null(strstr(out, "\"line\":2,\"col\":1,"));
	free(out);
	site_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts_of_the_example_site),
		cmocka_unit_test(text_is_in_local_time),
		cmocka_unit_test(refusals),
		cmocka_unit_test(check_config_exits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
