/* SPDX-License-Identifier: Apache-2.0 */
#include "common/hash.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/attr.h"

/* SipHash-2-4 with key 00..0f over 00..0e is the example of the paper
 * (Aumasson and Bernstein, appendix A). */
static void siphash(void **state)
{
	struct hash_key k;
	uint8_t in[15];
	uint8_t a[16];
	uint8_t b[16];

	(void)state;
	for (size_t i = 0; i < sizeof(k.k); i++)
		k.k[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)i;
	assert_true(hash64(&k, in, sizeof(in)) == UINT64_C(0xa129ca6149be45e5));
	hash128(&k, in, sizeof(in), a);
	hash128(&hash_public_key, in, sizeof(in), b);
	assert_memory_not_equal(a, b, sizeof(a));
}

static void derived_keys_differ(void **state)
{
	struct hash_key a;
	struct hash_key b;
	struct hash_key c;
	struct hash_key again;

	(void)state;
	hash_derive(SV("secret"), "tables", &a);
	hash_derive(SV("secret"), "calls", &b);
	hash_derive(SV("secreu"), "tables", &c);
	hash_derive(SV("secret"), "tables", &again);
	assert_memory_equal(&a, &again, sizeof(a));
	assert_memory_not_equal(&a, &b, sizeof(a));
	assert_memory_not_equal(&a, &c, sizeof(a));
	/* purpose and secret do not run into each other */
	hash_derive(SV("xsecret"), "table", &c);
	hash_derive(SV("secret"), "tablex", &b);
	assert_memory_not_equal(&b, &c, sizeof(b));
}

static void sha256(void **state)
{
	char hex[SHA256_HEX];

	(void)state;
	sha256_hex("abc", 3, hex); /* FIPS 180-4 example */
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223"
				 "b00361a396177a9cb410ff61f20015ad");
}

static void hex(void **state)
{
	static const char *const bad[] = {"",	  "0",	  "00ff0",
					  "00gg", "00 f", "00ff00"};
	uint8_t out[2];
	char text[5];

	(void)state;
	assert_true(hex_parse(SV("0aFf"), out, 2));
	assert_int_equal(out[0], 0x0a);
	assert_int_equal(out[1], 0xff);
	hex_text(out, 2, text);
	assert_string_equal(text, "0aff");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(hex_parse(sv_of(bad[i]), out, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siphash),
		cmocka_unit_test(derived_keys_differ),
		cmocka_unit_test(sha256),
		cmocka_unit_test(hex),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
