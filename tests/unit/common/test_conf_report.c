/* SPDX-License-Identifier: Apache-2.0 */
#include "common/conf_report.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void nearest(void **state)
{
	static const char *const names[] = {"within", "without", "rules",
					    "id",     "calls",	 "cost"};
	/* clang-format off */
	static const struct { const char *in, *out; } t[] = {
		{"witin", "within"},
		{"wihtin", "within"}, /* a swap is one edit */
		{"Within", "within"},
		{"rule", "rules"},
		{"ruels", "rules"},
		{"di", "id"},
		{"xy", NULL}, /* short: one edit at most */
		{"call", "calls"},
		{"bananas", NULL},
		{"", NULL},
	};
	/* clang-format on */
	char huge[NEAR_MAX + 2];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		const char *got =
			conf_nearest(sv_of(t[i].in), names, ARRAY_LEN(names));

		if (!same_text(got, t[i].out))
			fail_msg("%s: %s", t[i].in, got ? got : "none");
	}
	memset(huge, 'w', sizeof(huge));
	assert_null(conf_nearest((struct sv){huge, sizeof(huge)}, names,
				 ARRAY_LEN(names)));
}

/* A source of one line, for what the shown line looks like. */
static void shows(const char *text, unsigned col, unsigned width,
		  const char *want)
{
	struct sv line = sv_of(text);
	struct conf_source s = {.line = &line, .n_lines = 1};
	struct conf_fault f = {.source = &s, .at = {1, col, width}};
	char *got = NULL;
	size_t n;
	FILE *out = open_memstream(&got, &n);

	put_source(&f, out, false);
	fclose(out);
	assert_string_equal(got, want);
	free(got);
}

static void carets(void **state)
{
	char text[401];
	char want[400];

	(void)state;
	shows("a: b", 4, 1, "a: b\n   ^\n");
	shows("\xc2\xa3\xe2\x82\xac: xyz", 5, 3,
	      "\xc2\xa3\xe2\x82\xac: xyz\n    ^~~\n");
	shows("ab", 99, 5, "ab\n  ^\n"); /* past the end */
	shows("ab", 2, 99, "ab\n ^\n");
	shows("", 1, 1, "\n^\n");
	shows("\xff\x1b\tz", 4, 1, "?? z\n   ^\n");

	/* a long line is cut around the fault */
	memset(text, 'a', 400);
	text[400] = '\0';
	memset(want, 'a', SHOWN_MAX);
	memset(want + SHOWN_MAX, '\n', 1);
	memset(want + SHOWN_MAX + 1, ' ', SHOWN_BEFORE);
	memcpy(want + SHOWN_MAX + 1 + SHOWN_BEFORE, "^~\n", 4);
	shows(text, 200, 2, want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nearest),
		cmocka_unit_test(carets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
