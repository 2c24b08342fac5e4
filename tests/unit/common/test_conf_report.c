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

/* The last line of a file that is not YAML. */
static void broken(const char *text, const char *want)
{
	struct sv line[4];
	struct conf_source s = {.line = line, .broken = true};
	struct conf_fault f = {.source = &s, .at = {0, 1, 1}};
	struct sv rest = sv_of(text);
	char *got = NULL;
	size_t n;
	FILE *out;

	while (rest.n && s.n_lines < ARRAY_LEN(line))
		line[s.n_lines++] = sv_cut(&rest, '\n');
	f.at.line = s.n_lines;
	out = open_memstream(&got, &n);
	assert_non_null(out);
	put_source(&f, out, false);
	fclose(out);
	got[strcspn(got, "\n")] = '\0';
	assert_string_equal(got, want);
	free(got);
}

/* No schema tells the secrets of a file with a syntax error. */
static void secrets_by_name(void **state)
{
	/* clang-format off */
	static const struct { const char *in, *out; } t[] = {
		{"secret: hunter2", "secret: …"},
		{"  Site_Secret:hunter2", "  Site_Secret:…"},
		{"\"password\" : \"hunt er2", "\"password\" : …"},
		{"- token = hunter2 # x", "- token = …"},
		{"api-key hunter2", "api-key …"},
		{"£: {name: x, secret: hunter2, hold: [}",
		 "£: {name: x, secret: …"},
		{"secret: \"${file:a.key}\"", "secret: \"${file:a.key}\""},
		{"{secret: ${env:A}, password: hunter2}",
		 "{secret: ${env:A}, password: …"},
		{"secret: ${file:a}hunter2", "secret: …"},
		{"secret: ${file:a", "secret: …"},
		{"secret:", "secret:"},
		{"name: the key of a door", "name: the key of a door"},
		{"hold: 5m", "hold: 5m"},
		{"secret: |\n  hunter2", "  …"},
		{"secret:\n\n  hunter2: [", "  …"},
		{"- secret: >\n    a\n   hunter2", "   …"},
		{"site: {password: \"hunter\n  hunter2", "  …"},
		{"secret: x\nhold: 5m", "hold: 5m"},
		{"a:\n  secret: x\n  hold: 5m", "  hold: 5m"},
		{"secret: \xff\xfe\x1b", "secret: …"},
		{"", ""},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		broken(t[i].in, t[i].out);
}

/* One character stands for a secret: its length is not told, and the caret
 * still stands under what it means. */
static void caret_beside_secret(void **state)
{
	static const struct conf_place fault[] = {
		{1, 1, 1}, {1, 4, 7}, {1, 6, 9}, {1, 12, 2}, {1, 99, 1}};
	static const char *const want[] = {"s: …, b\n^\n", "s: …, b\n   ^\n",
					   "s: …, b\n   ^~~~\n",
					   "s: …, b\n     ^~\n",
					   "s: …, b\n       ^\n"};
	struct sv line = SV("s: hunter2, b");
	struct conf_hidden h = {.at = {1, 4, 7}};
	struct conf_source s = {.line = &line, .n_lines = 1, .hidden = &h};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		struct conf_fault f = {.source = &s, .at = fault[i]};
		char *got = NULL;
		size_t n;
		FILE *out = open_memstream(&got, &n);

		assert_non_null(out);
		put_source(&f, out, false);
		fclose(out);
		assert_string_equal(got, want[i]);
		free(got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nearest),
		cmocka_unit_test(carets),
		cmocka_unit_test(secrets_by_name),
		cmocka_unit_test(caret_beside_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
