/* SPDX-License-Identifier: Apache-2.0 */
#include "common/signature.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* Made with openssl; also in the specification's reference libraries. */
#define SECRET "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define OTHER  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
#define WANT   "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

static struct signed_text example(void)
{
	return (struct signed_text){SV("msg_p5jXN8AQM9LWM0D4loKWxJek"),
				    1614265330, SV("{\"test\": 2432232314}")};
}

static void known_signatures(void **state)
{
	static const char *const secret[] = {SECRET, "whsec_" SECRET,
					     "  whsec_" SECRET " "};
	struct signed_text t = example();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(secret); i++) {
		struct signature_keys k;
		char out[SIGNATURE_TEXT];
		struct err e;

		assert_true(signature_keys_parse(&k, sv_of(secret[i]), &e));
		signature_text(&k, &t, out);
		assert_string_equal(out, WANT);
	}
}

static void the_hub_way(void **state)
{
	char out[SHA256_HEX];

	(void)state;
	signature_hub(SV("It's a Secret to Everybody"), SV("Hello, World!"),
		      out);
	assert_string_equal(out, "757107ea0eb2509fc211221cce984b8a37570b6d7586"
				 "c22c46f4379c8b043e17");
}

static void a_new_secret_beside_the_old(void **state)
{
	struct signature_keys both, old;
	struct signed_text t = example();
	char out[SIGNATURE_TEXT];
	struct err e;

	(void)state;
	assert_true(signature_keys_parse(&both,
					 SV("whsec_" OTHER "  whsec_" SECRET),
					 &e));
	assert_int_equal(both.n, 2);
	assert_true(signature_keys_parse(&old, SV(SECRET), &e));
	signature_text(&both, &t, out);
	assert_non_null(strstr(out, " " WANT));
	assert_true(signature_ok(&old, &t, sv_of(out)));
	assert_true(signature_ok(&both, &t, SV(WANT)));
}

static void what_is_not_signed(void **state)
{
	/* clang-format off */
	static const char *const header[] = {
		"", "v1,", "v1", "v1,g0hM9SsE", "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
		"v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
		"v1,h0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
		"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OEAAAA=",
	};
	/* clang-format on */
	struct signed_text t = example();
	struct signature_keys k;
	struct err e;

	(void)state;
	assert_true(signature_keys_parse(&k, SV(SECRET), &e));
	for (size_t i = 0; i < ARRAY_LEN(header); i++)
		assert_false(signature_ok(&k, &t, sv_of(header[i])));
	assert_true(signature_ok(&k, &t, SV(WANT)));
	t.at_s++;
	assert_false(signature_ok(&k, &t, SV(WANT)));
	t = example();
	t.body.n--;
	assert_false(signature_ok(&k, &t, SV(WANT)));
	t = example();
	t.id = SV("msg_p5jXN8AQM9LWM0D4loKWxJel");
	assert_false(signature_ok(&k, &t, SV(WANT)));
}

static void bad_secrets(void **state)
{
	/* clang-format off */
	static const char *const secret[] = {
		"", " ", "whsec_", "whsec_!!!!", "hunter2", "whsec_c2hvcnQ=",
		/* 65 bytes */
		"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		SECRET " nonsense",
		SECRET " " SECRET " " SECRET " " SECRET " " SECRET,
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(secret); i++) {
		struct signature_keys k;
		struct err e = {""};

		assert_false(signature_keys_parse(&k, sv_of(secret[i]), &e));
		assert_null(strstr(e.text, "hunter2"));
		assert_null(strstr(e.text, "MfKQ"));
		assert_int_equal(k.n, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_signatures),
		cmocka_unit_test(the_hub_way),
		cmocka_unit_test(a_new_secret_beside_the_old),
		cmocka_unit_test(what_is_not_signed),
		cmocka_unit_test(bad_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
