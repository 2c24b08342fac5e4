/* SPDX-License-Identifier: Apache-2.0 */
#include "alerter/gsm.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void folding(void **state)
{
	/* clang-format off */
	static const struct { const char *text, *want; } c[] = {
		{"", ""},
		{"ACME Ltd", "ACME Ltd"},
		{" \t a \r\n\r\n b \n", "a b"},
		{"\xc3\x85ngstr\xc3\xb6m & S\xc3\xb8n", "Angstrom & Son"},
		{"\xc5\x81\xc3\xb3""d\xc5\xba", "Lodz"},
		{"e\xcc\x81t\xc3\xa9", "ete"}, /* combining and composed */
		{"[a]{b}|c\\d^e~f`g", "(a)(b)/c/d'e-f'g"},
		{"\xe2\x80\x9cquoted\xe2\x80\x9d \xe2\x80\x94 \xe2\x82\xac", "\"quoted\" - ?"},
		{"\xef\xbc\xa1\xef\xbc\xa2\xef\xbc\xbb", "AB("}, /* full width */
		{"\xf0\x9f\x94\xa5\xf0\x9f\x94\xa5x", "?x"},
		{"what??", "what??"},
		{"a\xe2\x80\xae""b\xe2\x80\x8b""c\xef\xbb\xbf", "abc"},
		{"a\xff\xfe", "a?"},
		{"\xc2\x85\xe2\x80\xa8z", "z"}, /* NEL, line separator */
		{"\xc2\xa3" "5", "\xc2\xa3" "5"},
	};
	/* clang-format on */
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		gsm_fold(sv_of(c[i].text), out, sizeof(out));
		assert_string_equal(out, c[i].want);
	}
}

/* Whatever the room, what comes out is whole characters and ends. */
static void small_rooms(void **state)
{
	static const char text[] = "\xc2\xa3\xc2\xa3"
				   "A\xf0\x9f\x94\xa5\xc3\xa9";
	char out[32];

	(void)state;
	for (size_t size = 1; size < sizeof(out); size++) {
		gsm_fold(sv_of(text), out, size);
		assert_true(strlen(out) < size && utf8_valid(sv_of(out)));
		gsm_clean(sv_of(text), out, size);
		assert_true(strlen(out) < size && utf8_valid(sv_of(out)));
	}
	assert_string_equal(out, text);
}

static void cutting(void **state)
{
	/* clang-format off */
	static const struct { const char *text; size_t max; const char *want; } c[] = {
		{"ACME Ltd", 8, "ACME Ltd"},
		{"ACME Ltd", 7, "ACM..td"},
		{"ACME Ltd", 6, "AC..td"},
		{"ACME Ltd", 3, "A.."},
		{"\xc2\xa3\xc2\xa3\xc2\xa3\xc2\xa3\xc2\xa3", 4, "\xc2\xa3..\xc2\xa3"},
	};
	/* clang-format on */
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		gsm_cut(c[i].text, c[i].max, out, sizeof(out));
		assert_string_equal(out, c[i].want);
		assert_true(gsm_count(out) <= c[i].max);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folding),
		cmocka_unit_test(small_rooms),
		cmocka_unit_test(cutting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
