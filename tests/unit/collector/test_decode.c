/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collector/packet/decode.c"

/* clang-format off */
#define MAC   "\2\0\0\0\0\1\2\0\0\0\0\2"
#define UDP   "\x13\xc4\x13\xc5\0\x0a\0\0" "hi"      /* 5060 to 5061 */
#define IP4_(frag, len, proto) "\x45\0\0" len "\0\1" frag "\x40" proto "\0\0" \
	"\xc0\0\2\1" "\xc6\x33\x64\2"
#define IP4   IP4_("\0\0", "\x1e", "\x11")
#define IP6_(next, len) "\x60\0\0\0\0" len next "\x40" \
	"\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1" \
	"\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2"
#define IP6   IP6_("\x11", "\x0a")
#define EXT(next) next "\0\0\0\0\0\0\0"
#define EXT8  EXT("\0") EXT("\0") EXT("\0") EXT("\0") EXT("\0") EXT("\0") EXT("\0")
#define PPPOE(proto) "\x11\0\x12\x34\0\x20\0" proto
#define TAG   "\x81\0\0\7"
#define OUTER(len) "\x45\0\0" len "\0\1\0\0\x40\x04\0\0" "\x0a\0\0\1" "\x0a\0\0\2"

#define FRAME(text) {(text), sizeof(text) - 1}

static const struct {
	int link;
	struct sv frame;
	enum packet_rc rc;
	bool truncated;
} cases[] = {
	{LINK_ETHERNET, FRAME(MAC "\x08\0" IP4 UDP), PACKET_OK, false},
	{LINK_ETHERNET, FRAME(MAC "\x08\0" IP4 UDP "padding"), PACKET_OK, false},
	{LINK_ETHERNET, FRAME(MAC "\x86\xdd" IP6 UDP), PACKET_OK, false},
	{LINK_ETHERNET, FRAME(MAC TAG "\x08\0" IP4 UDP), PACKET_OK, false},
	{LINK_ETHERNET, FRAME(MAC "\x88\xa8\0\1" "\x91\0\0\1" TAG TAG "\x08\0" IP4 UDP), PACKET_OK, false},
	{LINK_ETHERNET, FRAME(MAC TAG TAG TAG TAG TAG "\x08\0" IP4 UDP), PACKET_NESTED, false},
	{LINK_ETHERNET, FRAME(MAC TAG "\x88\x64" PPPOE("\x21") IP4 UDP), PACKET_OK, false},
	{LINK_ETHERNET, FRAME(MAC "\x88\x64" PPPOE("\x57") IP6 UDP), PACKET_OK, false},
	{LINK_ETHERNET, FRAME(MAC "\x88\x64" PPPOE("\xc0") IP4 UDP), PACKET_NOT_IP, false},
	{LINK_ETHERNET, FRAME(MAC "\x08\x06" "arp"), PACKET_NOT_IP, false},
	{LINK_ETHERNET, FRAME(MAC TAG), PACKET_SHORT, false},
	{LINK_ETHERNET, FRAME(MAC), PACKET_SHORT, false},
	{LINK_COOKED, FRAME("\0\0\0\1\0\6" "\2\0\0\0\0\1\0\0" "\x08\0" IP4 UDP), PACKET_OK, false},
	{LINK_COOKED2, FRAME("\x08\0\0\0\0\0\0\1\0\1\4\6" "\2\0\0\0\0\1\0\0" IP4 UDP), PACKET_OK, false},
	{LINK_NULL, FRAME("\2\0\0\0" IP4 UDP), PACKET_OK, false},
	{LINK_NULL, FRAME("\0\0\0\2" IP4 UDP), PACKET_OK, false},
	{LINK_LOOP, FRAME("\0\0\0\x1e" IP6 UDP), PACKET_OK, false},
	{LINK_NULL, FRAME("\7\0\0\0" IP4 UDP), PACKET_NOT_IP, false},
	{LINK_RAW, FRAME(IP4 UDP), PACKET_OK, false},
	{LINK_RAW_BSD, FRAME(IP6 UDP), PACKET_OK, false},
	{LINK_RAW_OPENBSD, FRAME(IP4 UDP), PACKET_OK, false},
	{LINK_IPV4, FRAME(IP4 UDP), PACKET_OK, false},
	{LINK_IPV6, FRAME(IP6 UDP), PACKET_OK, false},
	{147, FRAME(IP4 UDP), PACKET_LINK, false},
	{LINK_RAW, FRAME(""), PACKET_SHORT, false},
	{LINK_RAW, FRAME("\x50"), PACKET_BAD_IP, false},
	/* options, and a header that claims more than there is */
	{LINK_RAW, FRAME("\x46\0\0\x22\0\1\0\0\x40\x11\0\0" "\xc0\0\2\1" "\xc6\x33\x64\2" "\1\1\1\1" UDP), PACKET_OK, false},
	{LINK_RAW, FRAME("\x44\0\0\x1e\0\1\0\0\x40\x11\0\0" "\xc0\0\2\1" "\xc6\x33\x64\2" UDP), PACKET_BAD_IP, false},
	{LINK_RAW, FRAME("\x4f\0\0\x1e\0\1\0\0\x40\x11\0\0" "\xc0\0\2\1" "\xc6\x33\x64\2" UDP), PACKET_BAD_IP, false},
	{LINK_RAW, FRAME("\x4f\0\0\x50\0\1\0\0\x40\x11\0\0" "\xc0\0\2\1" "\xc6\x33\x64\2" UDP), PACKET_SHORT, false},
	{LINK_RAW, FRAME(IP4_("\0\0", "\0", "\x11") UDP), PACKET_OK, false},  /* offload */
	/* fragments */
	{LINK_RAW, FRAME(IP4_("\x20\0", "\x1e", "\x11") "\x13\xc4\x13\xc5\0\x20\0\0" "hi"), PACKET_OK, true},
	{LINK_RAW, FRAME(IP4_("\x20\1", "\x1e", "\x11") UDP), PACKET_FRAGMENT, false},
	{LINK_RAW, FRAME(IP6_("\x2c", "\x12") "\x11\0\0\1\0\0\0\1" "\x13\xc4\x13\xc5\0\x20\0\0" "hi"), PACKET_OK, true},
	{LINK_RAW, FRAME(IP6_("\x2c", "\x12") "\x11\0\0\x09\0\0\0\1" UDP), PACKET_FRAGMENT, false},
	/* extension headers: 8 are taken, 9 are not; one longer than the packet */
	{LINK_RAW, FRAME(IP6_("\0", "\x4a") EXT8 EXT("\x11") UDP), PACKET_OK, false},
	{LINK_RAW, FRAME(IP6_("\0", "\x52") EXT8 EXT("\0") EXT("\x11") UDP), PACKET_NESTED, false},
	{LINK_RAW, FRAME(IP6_("\x3c", "\x12") "\x11\x09\0\0\0\0\0\0" UDP), PACKET_BAD_IP, false},
	{LINK_RAW, FRAME(IP6_("\x33", "\x16") "\x11\1\0\0\0\0\0\0\0\0\0\0" UDP), PACKET_OK, false},
	/* tunnels: the inner addresses count */
	{LINK_RAW, FRAME(OUTER("\x32") IP4 UDP), PACKET_OK, false},
	{LINK_RAW, FRAME(IP6_("\x29", "\x32") IP6 UDP), PACKET_OK, false},
	{LINK_RAW, FRAME(OUTER("\x46") OUTER("\x32") OUTER("\x1e")), PACKET_SHORT, false},
	{LINK_RAW, FRAME(OUTER("\x6e") OUTER("\x5a") OUTER("\x46") OUTER("\x32") IP4 UDP), PACKET_NESTED, false},
	/* UDP */
	{LINK_RAW, FRAME(IP4_("\0\0", "\x1e", "\x06") UDP), PACKET_NOT_UDP, false},
	{LINK_RAW, FRAME(IP4_("\0\0", "\x1e", "\x11") "\x13\xc4\x13\xc5\0\7\0\0" "hi"), PACKET_BAD_UDP, false},
	{LINK_RAW, FRAME(IP4_("\0\0", "\x1e", "\x11") "\x13\xc4\x13\xc5\0\x0b\0\0" "hi"), PACKET_BAD_UDP, false},
	{LINK_RAW, FRAME(IP4_("\0\0", "\x18", "\x11") "\x13\xc4\x13\xc5"), PACKET_BAD_UDP, false},
	/* snapped by the capture */
	{LINK_RAW, FRAME(IP4_("\0\0", "\x80", "\x11") "\x13\xc4\x13\xc5\0\x6c\0\0" "hi"), PACKET_OK, true},
	{LINK_RAW, FRAME(IP4_("\0\0", "\x80", "\x11") "\x13\xc4"), PACKET_SHORT, false},
};
/* clang-format on */

static void decodes_or_says_why(void **state)
{
	static const uint8_t v4[16] = {[10] = 0xff, 0xff, 192, 0, 2, 1};
	static const uint8_t v6[16] = {0x20, 1, 0x0d, 0xb8, [15] = 1};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sv f = cases[i].frame;
		struct packet out;
		enum packet_rc rc = packet_udp(cases[i].link,
					       (const uint8_t *)f.p, f.n, &out);

		if (rc != cases[i].rc)
			fail_msg("case %zu: %s", i, packet_rc_name(rc));
		if (rc)
			continue;
		assert_true(sv_eq(out.payload, SV("hi")));
		assert_true(out.payload.p > f.p && out.payload.p < f.p + f.n);
		assert_int_equal(out.truncated, cases[i].truncated);
		assert_int_equal(out.src_port, 5060);
		assert_int_equal(out.dst_port, 5061);
		assert_true(memcmp(out.src, v4, 16) == 0 ||
			    memcmp(out.src, v6, 16) == 0);
	}
}

/* Whatever the capture cuts off: no read beyond it, no payload beyond it. */
static void survives_every_cut(void **state)
{
	uint8_t buf[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sv f = cases[i].frame;

		for (size_t n = 0; n <= f.n; n++) {
			/* at the end of the buffer, so that asan sees it */
			uint8_t *p = buf + sizeof(buf) - n;
			struct packet out;

			memcpy(p, f.p, n);
			if (packet_udp(cases[i].link, p, n, &out))
				continue;
			assert_true((const uint8_t *)out.payload.p +
					    out.payload.n <=
				    p + n);
		}
	}
}

static void every_reason_has_a_name(void **state)
{
	(void)state;
	for (int rc = 0; rc < PACKET_RCS; rc++)
		assert_non_null(packet_rc_name((enum packet_rc)rc));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_or_says_why),
		cmocka_unit_test(survives_every_cut),
		cmocka_unit_test(every_reason_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
