/* SPDX-License-Identifier: Apache-2.0 */
#include "common/prefix.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/attr.h"

static unsigned digits_of(const char *text, uint8_t *out)
{
	unsigned n = 0;

	for (; text[n]; n++)
		out[n] = (uint8_t)(text[n] - '0');
	return n;
}

static int32_t add(struct prefix_table *t, const char *text, int32_t value)
{
	uint8_t d[16];
	unsigned n = digits_of(text, d);

	return prefix_add(t, d, n, value);
}

static void longest_prefix_wins(void **state)
{
	/* clang-format off */
	static const struct { const char *number; int32_t value; unsigned len; } want[] = {
		{"441632960123",    0, 2},
		{"447700900123",    1, 3},
		{"447624900123",    2, 5},
		{"447630000000",    1, 3},
		{"4",              -1, 0},
		{"44",              0, 2},
		{"33123456789",    -1, 0},
		{"",               -1, 0},
		{"999999999999999", 3, 15}, /* the longest prefix there can be */
		{"99999999999999", -1, 0},
		{"0",               4, 1},
	};
	/* clang-format on */
	struct prefix_table *t = prefix_new();

	(void)state;
	assert_int_equal(add(t, "44", 0), -1);
	assert_int_equal(add(t, "447", 1), -1);
	assert_int_equal(add(t, "44762", 2), -1);
	assert_int_equal(add(t, "999999999999999", 3), -1);
	assert_int_equal(add(t, "0", 4), -1);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		uint8_t d[16];
		unsigned len = 99;
		unsigned n = digits_of(want[i].number, d);

		assert_int_equal(prefix_find(t, d, n, &len), want[i].value);
		assert_int_equal(len, want[i].len);
		assert_int_equal(prefix_find(t, d, n, NULL), want[i].value);
	}
	prefix_free(t);
	prefix_free(NULL);
}

static void adding_again_replaces(void **state)
{
	struct prefix_table *t = prefix_new();
	uint8_t d[2] = {4, 8};

	(void)state;
	assert_int_equal(add(t, "48", 7), -1);
	assert_int_equal(add(t, "48", 9), 7);
	assert_int_equal(prefix_find(t, d, 2, NULL), 9);
	prefix_free(t);
}

/* Against a plain scan over many prefixes of every length. */
static void agrees_with_a_scan(void **state)
{
	enum { N = 2000 };
	static char text[N][16];
	struct prefix_table *t = prefix_new();
	uint32_t seed = 12345;

	(void)state;
	for (int i = 0; i < N; i++) {
		unsigned n = 1 + (unsigned)i % 6;

		for (unsigned k = 0; k < n; k++) {
			seed = seed * 1664525 + 1013904223;
			text[i][k] = (char)('0' + (seed >> 24) % 10);
		}
		add(t, text[i], i);
	}
	for (int j = 0; j < 20000; j++) {
		char number[9] = {0};
		uint8_t d[8];
		int32_t best = -1;

		for (unsigned k = 0; k < 8; k++) {
			seed = seed * 1664525 + 1013904223;
			number[k] = (char)('0' + (seed >> 24) % 10);
			d[k] = (uint8_t)(number[k] - '0');
		}
		for (int i = 0; i < N; i++) {
			size_t n = strlen(text[i]);

			/* the later of equal prefixes replaced the earlier */
			if (strncmp(number, text[i], n) == 0 &&
			    (best < 0 || n >= strlen(text[best])))
				best = i;
		}
		assert_int_equal(prefix_find(t, d, 8, NULL), best);
	}
	prefix_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(longest_prefix_wins),
		cmocka_unit_test(adding_again_replaces),
		cmocka_unit_test(agrees_with_a_scan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
