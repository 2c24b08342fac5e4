/* SPDX-License-Identifier: Apache-2.0 */
#include "common/log.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/attr.h"

static void escapes(void **state)
{
	/* clang-format off */
	static const struct { const char *in, *out; } t[] = {
		{"plain: \xc2\xa3" "5", "plain: \xc2\xa3" "5"},
		{"a\nb", "a\\x0ab"},
		{"\x1b[31m", "\\x1b[31m"},
		{"\x7f", "\\x7f"},
		{"\xff\xc2", "\\xff\\xc2"},
		{"\xc2\x9b" "31m", "\\xc2\\x9b31m"}, /* C1: CSI */
		{"\xc2\xa0", "\xc2\xa0"},
	};
	/* clang-format on */
	char out[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		size_t n = escape(sv_of(t[i].in), out);

		out[n] = '\0';
		assert_string_equal(out, t[i].out);
	}
}

/* What a test makes the log say, from stderr. */
static size_t captured(void (*say_it)(void), char *out, size_t size)
{
	FILE *f = tmpfile();
	int saved = dup(STDERR_FILENO);
	size_t n;

	dup2(fileno(f), STDERR_FILENO);
	say_it();
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(f);
	n = fread(out, 1, size - 1, f);
	out[n] = '\0';
	fclose(f);
	return n;
}

static void two_lines(void)
{
	log_open("test", LOG_INFO);
	log_debug("csv: not shown");
	log_info("csv: opened: %s", "a\nb");
	log_warn("csv: closed: %d", 7);
}

static void lines(void **state)
{
	char out[512];
	char *second;

	(void)state;
	captured(two_lines, out, sizeof(out));
	second = strchr(out, '\n') + 1;
	assert_memory_equal(out + 23, "Z test info csv: opened: a\\x0ab\n",
			    second - out - 23);
	assert_string_equal(second + 23, "Z test warn csv: closed: 7\n");
}

static char big[3 * LOG_TEXT];

static void long_line(void)
{
	log_error("%s", big);
}

static void long_text_is_cut(void **state)
{
	char out[LOG_LINE];
	size_t n;

	(void)state;
	memset(big, '\n', sizeof(big) - 1);
	n = captured(long_line, out, sizeof(out));
	assert_true(n > 4 * (LOG_TEXT - 4) && n < LOG_LINE);
	assert_string_equal(out + n - 4, "...\n");
	assert_ptr_equal(strchr(out, '\n'), out + n - 1);
}

static void limits(void **state)
{
	struct log_limit l = {0};

	(void)state;
	assert_true(allow_at(&l, 10, 5));
	assert_int_equal(l.suppressed, 0);
	assert_false(allow_at(&l, 10, 5));
	assert_false(allow_at(&l, 10, 10004));
	assert_true(allow_at(&l, 10, 10005));
	assert_int_equal(l.suppressed, 2); /* for the caller to say */
	assert_false(allow_at(&l, 10, 10006));
	assert_int_equal(l.suppressed, 1);
	assert_true(allow_at(&l, 10, 30000));
	assert_int_equal(l.suppressed, 1);
	assert_true(allow_at(&l, 10, 60000));
	assert_int_equal(l.suppressed, 0);
}

static void numbers_are_masked(void **state)
{
	struct number n;

	(void)state;
	assert_true(number_parse(SV("+442079460123"), &n));
	assert_string_equal(log_number(n), "+4420****23");
	assert_ptr_not_equal(log_number(n), log_number(n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes),
		cmocka_unit_test(lines),
		cmocka_unit_test(long_text_is_cut),
		cmocka_unit_test(limits),
		cmocka_unit_test(numbers_are_masked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
