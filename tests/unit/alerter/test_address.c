/* SPDX-License-Identifier: Apache-2.0 */
#include "alerter/channel/address.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static bool is_public(const char *text)
{
	struct sockaddr_in in4 = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET, text, &in4.sin_addr) == 1)
		return address_is_public((struct sockaddr *)&in4, sizeof(in4));
	assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
	return address_is_public((struct sockaddr *)&in6, sizeof(in6));
}

static void who_may_be_told(void **state)
{
	/* clang-format off */
	static const struct { const char *text; bool want; } t[] = {
		{"0.0.0.0", false}, {"0.1.2.3", false}, {"1.1.1.1", true},
		{"9.255.255.255", true}, {"10.0.0.0", false},
		{"10.255.255.255", false}, {"11.0.0.0", true},
		{"100.63.255.255", true}, {"100.64.0.1", false},
		{"100.127.255.255", false}, {"100.128.0.0", true},
		{"126.255.255.255", true}, {"127.0.0.1", false},
		{"127.255.255.254", false}, {"128.0.0.0", true},
		{"169.253.1.1", true}, {"169.254.169.254", false},
		{"172.15.255.255", true}, {"172.16.0.1", false},
		{"172.31.255.255", false}, {"172.32.0.0", true},
		{"192.0.0.8", false}, {"192.0.2.1", false},
		{"192.88.99.1", false},
		{"192.167.255.255", true}, {"192.168.0.1", false},
		{"192.169.0.0", true}, {"198.18.0.1", false},
		{"198.19.255.255", false}, {"198.51.100.1", false},
		{"203.0.113.1", false}, {"223.255.255.255", true},
		{"224.0.0.1", false}, {"240.0.0.1", false},
		{"255.255.255.255", false},
		{"::", false}, {"::1", false}, {"::7f00:1", false},
		{"::ffff:127.0.0.1", false}, {"::ffff:10.0.0.1", false},
		{"::ffff:169.254.169.254", false}, {"::ffff:1.1.1.1", true},
		{"64:ff9b::127.0.0.1", false}, {"64:ff9b::1.1.1.1", true},
		{"64:ff9b:1::1", false}, {"100::1", false},
		{"2002:7f00:1::", false}, {"2002:a00:1::1", false},
		{"2002:101:101::1", true}, {"2001::1", false},
		{"2001:db8::1", false}, {"3fff::1", false},
		{"2001:4860:4860::8888", true}, {"2a00:1450::1", true},
		{"fc00::1", false}, {"fd12:3456::1", false},
		{"fe80::1", false}, {"fec0::1", false}, {"ff02::1", false},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		if (is_public(t[i].text) != t[i].want)
			fail_msg("%s", t[i].text);
}

static void what_is_no_address(void **state)
{
	struct sockaddr un = {.sa_family = AF_UNIX};
	struct sockaddr_in in4 = {.sin_family = AF_INET,
				  .sin_addr = {htonl(0x01010101)}};

	(void)state;
	assert_false(address_is_public(&un, sizeof(un)));
	assert_false(address_is_public((struct sockaddr *)&in4, 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_may_be_told),
		cmocka_unit_test(what_is_no_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
