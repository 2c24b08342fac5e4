/* SPDX-License-Identifier: Apache-2.0 */
#include "alerter/channel/address.h"

#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "common/attr.h"

struct net4 {
	uint32_t net;
	unsigned bits;
};

static const struct net4 special4[] = {
	{0x00000000, 8},  /* 0.0.0.0/8 this network */
	{0x0a000000, 8},  /* 10.0.0.0/8 private */
	{0x64400000, 10}, /* 100.64.0.0/10 carrier NAT */
	{0x7f000000, 8},  /* 127.0.0.0/8 loopback */
	{0xa9fe0000, 16}, /* 169.254.0.0/16 link-local, cloud metadata */
	{0xac100000, 12}, /* 172.16.0.0/12 private */
	{0xc0000000, 24}, /* 192.0.0.0/24 protocol assignments */
	{0xc0000200, 24}, /* 192.0.2.0/24 documentation */
	{0xc0586300, 24}, /* 192.88.99.0/24 6to4 relay */
	{0xc0a80000, 16}, /* 192.168.0.0/16 private */
	{0xc6120000, 15}, /* 198.18.0.0/15 benchmarks */
	{0xc6336400, 24}, /* 198.51.100.0/24 documentation */
	{0xcb007100, 24}, /* 203.0.113.0/24 documentation */
	{0xe0000000, 3},  /* multicast, reserved, broadcast */
};

static bool public4(uint32_t a)
{
	for (size_t i = 0; i < ARRAY_LEN(special4); i++)
		if ((a ^ special4[i].net) >> (32 - special4[i].bits) == 0)
			return false;
	return true;
}

static uint32_t be32_at(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return ntohl(v);
}

static bool public6(const uint8_t a[16])
{
	static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (memcmp(a, mapped, sizeof(mapped)) == 0 ||
	    memcmp(a, nat64, sizeof(nat64)) == 0)
		return public4(be32_at(a + 12));
	if (a[0] == 0x20 && a[1] == 0x02) /* 2002::/16, 6to4 */
		return public4(be32_at(a + 2));
	if (be32_at(a) == 0x20010db8) /* documentation */
		return false;
	if (be32_at(a) >> 12 == 0x3fff0000 >> 12) /* documentation */
		return false;
	/* 2001::/23, protocol assignments: Teredo hides an IPv4 address */
	if (be32_at(a) >> 9 == 0x20010000 >> 9)
		return false;
	/* Global unicast is 2000::/3; all else is ours, special or not given
	 * out: ::, ::1, fe80::/10, fc00::/7, ff00::/8. */
	return a[0] >> 5 == 1;
}

bool address_is_public(const struct sockaddr *sa, socklen_t n)
{
	if (sa->sa_family == AF_INET && n >= sizeof(struct sockaddr_in)) {
		struct sockaddr_in in;

		memcpy(&in, sa, sizeof(in));
		return public4(ntohl(in.sin_addr.s_addr));
	}
	if (sa->sa_family == AF_INET6 && n >= sizeof(struct sockaddr_in6)) {
		struct sockaddr_in6 in;

		memcpy(&in, sa, sizeof(in));
		return public6(in.sin6_addr.s6_addr);
	}
	return false;
}
