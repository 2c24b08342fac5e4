/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collector/sip/uri.c"

static void assert_sv(struct sv got, const char *want)
{
	if (!sv_eq(got, sv_of(want)))
		fail_msg("got '%.*s', want '%s'", SV_ARG(got), want);
}

static void splits_addresses(void **state)
{
	/* clang-format off */
	static const struct {
		const char *value;
		bool ok;
		const char *uri, *user, *tag;
	} c[] = {
		{"<sip:a@h>;tag=1", true, "sip:a@h", "a", "1"},
		{"sip:a@h;tag=1", true, "sip:a@h", "a", "1"},
		{"sip:a@h", true, "sip:a@h", "a", ""},
		{"Bob <sips:a@h;tag=2>;x;TAG = 1", true, "sips:a@h;tag=2", "a", "1"},
		{"\"<sip:evil@h>;tag=9, x\" <sip:a@h>;tag=1", true, "sip:a@h", "a", "1"},
		{"\"q \\\" <x\" <sip:a@h>\r\n ;\r\n tag = 1", true, "sip:a@h", "a", "1"},
		{"<sip:a@h>;p=\";tag=9\";tag=\"1\"", true, "sip:a@h", "a", "1"},
		{"sip:a@h;p=\"<sip:b@h>\";tag=1", true, "sip:a@h", "a", "1"},
		{"<sip:a@h>;;;tag=1", true, "sip:a@h", "a", "1"},
		{"<sip:a@h>;tag", true, "sip:a@h", "a", ""},
		{"\"open <sip:a@h>;tag=1", false, "sip:a@h", "a", "1"},
		{"\"open", false, "\"open", "", ""},
		{"<sip:a@h;tag=1", false, "sip:a@h;tag=1", "a", ""},
		{"< sip:a@h >", true, "sip:a@h", "a", ""},
		{"<tel:+44-20-7946-0001;ext=5>", true, "tel:+44-20-7946-0001;ext=5", "+44-20-7946-0001", ""},
		{"", true, "", "", ""},
		{"<", false, "", "", ""},
		{"<>", true, "", "", ""},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		struct sip_addr a;

		assert_int_equal(sip_addr(sv_of(c[i].value), &a), c[i].ok);
		assert_sv(a.uri, c[i].uri);
		assert_sv(sip_uri_user(a.uri), c[i].user);
		assert_sv(sip_tag(sv_of(c[i].value)), c[i].tag);
	}
}

static void cuts_the_user(void **state)
{
	static const struct {
		const char *uri, *user;
	} c[] = {
		{"sip:+442079460001@h;user=phone", "+442079460001"},
		{"SIP:100:secret@h", "100"},
		{"sip:7042;phone-context=+44@h;user=phone", "7042"},
		{"sip:+44;npdi;rn=+1:x@h", "+44"},
		{"sip:sips%3Auser%40example.com@example.net",
		 "sips%3Auser%40example.com"},
		{"sip:192.0.2.1", ""},
		{"sip:@h", ""},
		{"sip:", ""},
		{"", ""},
		{"nobodyKnowsThisScheme:totallyopaquecontent", ""},
		{"<sip:user@example.com>", "user"},
		{"TEL:+442079460001", "+442079460001"},
		{"<tel:112>", "112"},
		{"tel:", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(c); i++)
		assert_sv(sip_uri_user(sv_of(c[i].uri)), c[i].user);
}

static void takes_values_off_a_list(void **state)
{
	struct sv list = SV(" ,\"a,b\" <sip:c,d@h>;x=\",\" ,, <tel:+1> ,");

	(void)state;
	assert_sv(sip_next_value(&list), "\"a,b\" <sip:c,d@h>;x=\",\"");
	assert_sv(sip_next_value(&list), "<tel:+1>");
	assert_sv(sip_next_value(&list), "");
	assert_sv(sip_next_value(&list), "");
	assert_sv(sip_header_user(SV("<tel:+1>, <sip:2@h>")), "+1");
	assert_sv(sip_header_user((struct sv){NULL, 0}), "");
}

static void reads_other_parts(void **state)
{
	(void)state;
	assert_sv(sip_branch(SV("SIP/2.0/UDP h;rport;branch=z1, SIP/2.0/TCP "
				"g;branch=z2")),
		  "z1");
	assert_sv(sip_branch(SV("SIP / 2.0\r\n /UDP 192.0.2.2;branch= 3")),
		  "3");
	assert_sv(sip_branch(SV("SIP/2.0/UDP h;;,;,,")), "");
	assert_sv(sip_digest_user(SV("Digest realm=\"a, b\", username=\"x@y\","
				     "uri=\"sip:z\"")),
		  "x@y");
	assert_sv(sip_digest_user(SV("digest\tUsername = bare")), "bare");
	assert_sv(sip_digest_user(SV("Basic username=\"x\"")), "");
	assert_sv(sip_digest_user(SV("Digest x=\"username=\\\"no\"")), "");
	assert_sv(sip_digest_user((struct sv){NULL, 0}), "");
	assert_int_equal(sip_q850(SV("SIP;cause=200, q.850 ;cause=16;text="
				     "\"x\"")),
			 16);
	assert_int_equal(sip_q850(SV("Q.850;cause=128")), 0);
	assert_int_equal(sip_q850(SV("Q.850;cause=-1")), 0);
	assert_int_equal(sip_q850((struct sv){NULL, 0}), 0);
}

static void writes_users_as_text(void **state)
{
	/* clang-format off */
	static const struct { const char *user, *text; } c[] = {
		{"+44-20-7946.0001", "+442079460001"},
		{"(0113)%20496%2D0000", "01134960000"},
		{"*67%23", "*67#"},
		{"a.smith-1", "a.smith-1"},
		{"%2530", "%30"}, /* once, not twice */
		{"%zz%4", "%zz%4"},
		{"null-%00-null", "null-?-null"},
		{"caf\xc3\xa9", "caf??"},
		{"", ""},
	};
	/* clang-format on */
	char buf[SIP_USER_MAX], longer[SIP_USER_MAX + 1];
	bool cut;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		assert_sv(sip_user_text(sv_of(c[i].user), buf, &cut),
			  c[i].text);
		assert_false(cut);
	}
	memset(longer, '1', sizeof(longer));
	assert_int_equal(
		sip_user_text((struct sv){longer, sizeof(longer)}, buf, &cut).n,
		SIP_USER_MAX);
	assert_true(cut);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits_addresses),
		cmocka_unit_test(cuts_the_user),
		cmocka_unit_test(takes_values_off_a_list),
		cmocka_unit_test(reads_other_parts),
		cmocka_unit_test(writes_users_as_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
