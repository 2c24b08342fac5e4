/* SPDX-License-Identifier: Apache-2.0 */
#include "common/sv.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/attr.h"

static void comparing(void **state)
{
	(void)state;
	assert_true(sv_eq(SV(""), (struct sv){NULL, 0}));
	assert_true(sv_eq(SV("ab"), SV("ab")));
	assert_false(sv_eq(SV("ab"), SV("abc")));
	assert_true(sv_eq_nocase(SV("Call-ID"), SV("cALL-id")));
	assert_false(sv_eq_nocase(SV("a@"), SV("a`")));
	assert_false(sv_eq_nocase(SV("\xc9"), SV("\xe9")));
	assert_true(sv_starts(SV("sip:a"), SV("sip:")));
	assert_false(sv_starts(SV("si"), SV("sip:")));
	assert_true(sv_starts_nocase(SV("SIP:a"), SV("sip:")));
	assert_true(sv_starts_nocase(SV("x"), SV("")));
}

static void cutting(void **state)
{
	struct sv rest = SV("a,,b");

	(void)state;
	assert_true(sv_eq(sv_cut(&rest, ','), SV("a")));
	assert_true(sv_eq(sv_cut(&rest, ','), SV("")));
	assert_true(sv_eq(sv_cut(&rest, ','), SV("b")));
	assert_int_equal(rest.n, 0);
	assert_true(sv_eq(sv_cut(&rest, ','), SV("")));
	assert_true(sv_eq(sv_trim(SV(" \t a b\r\n")), SV("a b")));
	assert_int_equal(sv_trim(SV(" \t\r\n")).n, 0);
}

static void decimals(void **state)
{
	/* clang-format off */
	static const struct { const char *in; bool u32, u64; uint64_t v; } t[] = {
		{"", false, false, 0},
		{"0", true, true, 0},
		{"007", true, true, 7},
		{"4294967295", true, true, UINT32_MAX},
		{"4294967296", false, true, 4294967296},
		{"18446744073709551615", false, true, UINT64_MAX},
		{"18446744073709551616", false, false, 0},
		{"99999999999999999999", false, false, 0},
		{"-1", false, false, 0},
		{"1 ", false, false, 0},
		{"1\xb1", false, false, 0},
	};
	/* clang-format on */
	uint32_t a = 0;
	uint64_t b = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		assert_int_equal(sv_u32(sv_of(t[i].in), &a), t[i].u32);
		assert_int_equal(sv_u64(sv_of(t[i].in), &b), t[i].u64);
		assert_true(!t[i].u32 || a == t[i].v);
		assert_true(!t[i].u64 || b == t[i].v);
	}
}

static void copying(void **state)
{
	char field[4] = "zzz";
	char *copy = sv_dup(SV("abc"));

	(void)state;
	assert_string_equal(copy, "abc");
	free(copy);
	assert_true(sv_put(field, 4, SV("ab")));
	assert_memory_equal(field, "ab\0\0", 4);
	assert_true(sv_put(field, 4, SV("abcd")));
	assert_int_equal(sv_field(field, 4).n, 4);
	assert_false(sv_put(field, 4, SV("vwxyz")));
	assert_memory_equal(field, "vwxy", 4);
	assert_true(sv_put(field, 4, (struct sv){NULL, 0}));
	assert_int_equal(sv_field(field, 4).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comparing),
		cmocka_unit_test(cutting),
		cmocka_unit_test(decimals),
		cmocka_unit_test(copying),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
