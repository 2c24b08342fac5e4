/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "collector/sip/scan.c"

#define REQUEST(method)                                                        \
	method " sip:+442079460001@example.com SIP/2.0\r\n"                    \
	       "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"                \
	       "From: <sip:alice@example.com>;tag=1\r\n"                       \
	       "To: <sip:bob@example.com>\r\n"                                 \
	       "Call-ID: a@192.0.2.1\r\n"
#define INVITE REQUEST("INVITE") "CSeq: 1 INVITE\r\n"
#define RESPONSE                                                               \
	"From: <sip:alice@example.com>;tag=1\r\nTo: <sip:b@c>\r\n"             \
	"Call-ID: a\r\nVia: SIP/2.0/UDP h\r\n"

/* Views must equal the text they are cut from, wherever the header hides. */
static void finds_headers(void **state)
{
	/* clang-format off */
	static const struct {
		const char *line;
		enum sip_header header;
		const char *value;
	} c[] = {
		{"Via: SIP/2.0/UDP h;branch=x", SIP_VIA, "SIP/2.0/UDP h;branch=x"},
		{"v:SIP/2.0/UDP h", SIP_VIA, "SIP/2.0/UDP h"},
		{"From: <sip:a@b>;tag=1", SIP_FROM, "<sip:a@b>;tag=1"},
		{"f: <sip:a@b>", SIP_FROM, "<sip:a@b>"},
		{"F  \t: <sip:a@b>  ", SIP_FROM, "<sip:a@b>"},
		{"tO: sip:c@d", SIP_TO, "sip:c@d"},
		{"t: sip:c@d", SIP_TO, "sip:c@d"},
		{"CALL-id : 7", SIP_CALL_ID, "7"},
		{"i: 7", SIP_CALL_ID, "7"},
		{"i:\r\n 7", SIP_CALL_ID, "7"},
		{"i:\n\t7", SIP_CALL_ID, "7"},
		{"To\r\n : sip:c@d", SIP_TO, "sip:c@d"},
		{"CSeq: 2 INVITE", SIP_CSEQ, "2 INVITE"},
		{"Contact: *", SIP_CONTACT, "*"},
		{"m: *", SIP_CONTACT, "*"},
		{"Authorization: Digest x", SIP_AUTHORIZATION, "Digest x"},
		{"Proxy-Authorization: Digest x", SIP_AUTHORIZATION, "Digest x"},
		{"P-Asserted-Identity: <tel:+44>", SIP_ASSERTED, "<tel:+44>"},
		{"Diversion: <sip:a@b>\r\nDiversion: <sip:z@b>", SIP_DIVERSION, "<sip:z@b>"},
		{"User-Agent: x y", SIP_USER_AGENT, "x y"},
		{"Session-Expires: 90;refresher=uac", SIP_SESSION_EXPIRES, "90;refresher=uac"},
		{"x: 90", SIP_SESSION_EXPIRES, "90"},
		{"l: 0", SIP_CONTENT_LENGTH, "0"},
		{"Content-Length: 0", SIP_CONTENT_LENGTH, "0"},
		{"Reason: Q.850;cause=16", SIP_REASON, "Q.850;cause=16"},
		{"Subject: 90\r\n more\r\nx: 91", SIP_SESSION_EXPIRES, "91"},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		char text[256];
		struct sip_msg m;
		struct sv got;

		/* the rest may be missing: headers are filled before that */
		snprintf(text, sizeof(text),
			 "BYE sip:a@b SIP/2.0\r\n%s\r\n\r\n", c[i].line);
		sip_scan(sv_of(text), false, &m);
		got = m.header[c[i].header];
		if (!got.p || !sv_eq(got, sv_of(c[i].value)))
			fail_msg("%s: got '%.*s'", c[i].line, SV_ARG(got));
	}
}

static void says_why_not(void **state)
{
	/* clang-format off */
	static const struct {
		const char *text;
		enum sip_rc rc;
		unsigned flags;
	} c[] = {
		{INVITE "\r\n", SIP_OK, 0},
		{INVITE, SIP_OK, 0}, /* no empty line */
		{"\r\n\r\n" INVITE, SIP_OK, 0},
		{"", SIP_KEEPALIVE, 0},
		{"\r\n\r\n", SIP_KEEPALIVE, 0},
		{"hello", SIP_KEEPALIVE, 0},
		{"jaK\r\n", SIP_KEEPALIVE, 0},
		{"GET / HTTP/1.1\r\n\r\n", SIP_NOT_SIP, 0},
		{"SETUP rtsp://example.com RTSP/1.0\r\n", SIP_NOT_SIP, 0},
		{"RTP \x80 noise", SIP_NOT_SIP, 0},
		{"SIP/2.0", SIP_BAD_STATUS, 0},
		{"INVITE", SIP_NOT_SIP, 0},
		{"INVITE sip:a@b SIP/7.0\r\n", SIP_VERSION, 0},
		{"SIP/3.0 200 OK\r\n", SIP_VERSION, 0},
		{"INVITE  SIP/2.0\r\n", SIP_BAD_START, 0},
		{"SIP/2.0 4294967301 no\r\n" RESPONSE, SIP_BAD_STATUS, 0},
		{"SIP/2.0 20 no\r\n" RESPONSE, SIP_BAD_STATUS, 0},
		{"SIP/2.0 099 no\r\n" RESPONSE, SIP_BAD_STATUS, 0},
		{"SIP/2.0 700 no\r\n" RESPONSE, SIP_BAD_STATUS, 0},
		{"SIP/2.00 200 no\r\n" RESPONSE, SIP_BAD_STATUS, 0},
		{"SIP/2.0 200 OK\r\nCSeq: 1 BYE\r\n" RESPONSE, SIP_OK, 0},
		{"SIP/2.0  486 Busy\r\nCSeq: 1 BYE\r\n" RESPONSE, SIP_OK, 0},
		{"sip/2.0 100 \r\nCSeq: 1 BYE\r\n" RESPONSE, SIP_OK, 0},
		{"SIP/2.0 200\r\nCSeq: 4294967295 BYE\r\n" RESPONSE, SIP_OK, 0},
		{"SIP/2.0 200\r\nCSeq: 4294967296 BYE\r\n" RESPONSE, SIP_BAD_CSEQ, SIP_MALFORMED},
		{"SIP/2.0 200\r\nCSeq: 4294967296 INVITE\r\n" RESPONSE, SIP_OK, SIP_MALFORMED},
		{"SIP/2.0 200\r\nCSeq: 1\r\n" RESPONSE, SIP_BAD_CSEQ, SIP_MALFORMED},
		{REQUEST("INVITE"), SIP_OK, SIP_MALFORMED}, /* no CSeq */
		{REQUEST("INVITE") "CSeq: x INVITE", SIP_OK, SIP_MALFORMED},
		{REQUEST("INVITE") "CSeq: 0001\r\n  INVITE", SIP_OK, 0},
		{REQUEST("INVITE") "CSeq: 1 BYE", SIP_CSEQ_MISMATCH, 0},
		{REQUEST("BYE") "CSeq: x BYE", SIP_BAD_CSEQ, SIP_MALFORMED},
		{REQUEST("BYE"), SIP_BAD_CSEQ, SIP_MALFORMED},
		{REQUEST("OPTIONS") "CSeq: 1 INVITE", SIP_CSEQ_MISMATCH, 0},
		{REQUEST("NEWMETHOD") "CSeq: 1 INVITE", SIP_CSEQ_MISMATCH, 0},
		{REQUEST("NEWMETHOD") "CSeq: 1 NEWMETHOD", SIP_OK, 0},
		{REQUEST("invite") "CSeq: 1 INVITE", SIP_OK, SIP_MALFORMED},
		{"INVITE  sip:a@b  SIP/2.0\r\n" RESPONSE "CSeq: 1 INVITE", SIP_OK, SIP_MALFORMED},
		{"INVITE sip:a@b; lr SIP/2.0\r\n" RESPONSE "CSeq: 1 INVITE", SIP_OK, SIP_MALFORMED},
		{"INVITE sip:a@b SIP/2.0 \r\n" RESPONSE "CSeq: 1 INVITE", SIP_OK, SIP_MALFORMED},
		{"INVITE sip:a@b SIP/2.0\r\nFrom: a\r\nTo: b\r\nCSeq: 1 INVITE", SIP_NO_CALL_ID, 0},
		{"INVITE sip:a@b SIP/2.0\r\ni: a\r\nTo: b\r\nCSeq: 1 INVITE", SIP_NO_FROM, 0},
		{"INVITE sip:a@b SIP/2.0\r\ni: a\r\nf: b\r\nCSeq: 1 INVITE", SIP_OK, SIP_MALFORMED},
		{INVITE "Call-ID: b\r\n", SIP_OK, SIP_AMBIGUOUS},
		{INVITE "f: b\r\n", SIP_OK, SIP_AMBIGUOUS},
		{INVITE "no colon\r\n", SIP_OK, SIP_MALFORMED},
		{INVITE ": no name\r\n", SIP_OK, SIP_MALFORMED},
		{INVITE "l: 4\r\n\r\nbody", SIP_OK, 0},
		{INVITE "l: 4\r\n\r\nbody\r\n\r\n", SIP_OK, 0},
		{INVITE "l: 4\r\n\r\nbodyINVITE", SIP_OK, SIP_TRAILING},
		{INVITE "l: 5\r\n\r\nbody", SIP_OK, SIP_BODY_SHORT},
		{INVITE "l: -9\r\n\r\nbody", SIP_OK, SIP_MALFORMED},
		{INVITE "l: 0\r\nl: 4\r\n\r\n", SIP_OK, SIP_MALFORMED},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		struct sip_msg m;
		enum sip_rc rc = sip_scan(sv_of(c[i].text), false, &m);

		if (rc != c[i].rc || m.flags != c[i].flags)
			fail_msg("case %zu: %s, flags %u:\n%s", i,
				 sip_rc_name(rc), m.flags, c[i].text);
	}
}

static void reads_binary(void **state)
{
	static const char stun[20] = "\0\1\0\0\x21\x12\xa4\x42";
	static const char nuls[4];
	static const char nul[] = REQUEST("OPTIONS") "CSeq: 1 OPTIONS\r\n"
						     "l: 3\r\n\r\n\0\n\0";
	struct sip_msg m;

	(void)state;
	assert_int_equal(sip_scan((struct sv){stun, 20}, false, &m), SIP_STUN);
	assert_int_equal(sip_scan((struct sv){nuls, 4}, false, &m),
			 SIP_KEEPALIVE);
	assert_int_equal(sip_scan(SV(nul), false, &m), SIP_OK);
	assert_int_equal(m.body.n, 3);
	assert_int_equal(m.flags, 0);
	assert_int_equal(sip_scan((struct sv){NULL, 0}, false, &m),
			 SIP_KEEPALIVE);
}

static void reads_the_start_line(void **state)
{
	struct sip_msg m;

	(void)state;
	assert_int_equal(sip_scan(SV(INVITE), false, &m), SIP_OK);
	assert_int_equal(m.method, SIP_INVITE);
	assert_int_equal(m.status, 0);
	assert_int_equal(m.cseq, 1);
	assert_true(sv_eq(m.request_uri, SV("sip:+442079460001@example.com")));
	assert_int_equal(
		sip_scan(SV("SIP/2.0 487 Gone\nCSeq: 77 INVITE\n" RESPONSE),
			 false, &m),
		SIP_OK);
	assert_int_equal(m.method, SIP_INVITE);
	assert_int_equal(m.status, 487);
	assert_int_equal(m.cseq, 77);
	assert_int_equal(m.request_uri.n, 0);
}

/* A line that the capture cut says nothing: half a Call-ID is another one. */
static void ignores_a_cut_line(void **state)
{
	struct sip_msg m;
	struct sv cut = SV("BYE sip:a@b SIP/2.0\r\nf: a\r\nCall-ID: 12");

	(void)state;
	assert_int_equal(sip_scan(cut, true, &m), SIP_NO_CALL_ID);
	assert_int_equal(sip_scan(cut, false, &m), SIP_BAD_CSEQ);
}

static void limits_hold(void **state)
{
	static char text[SIP_MESSAGE_MAX + 1];
	struct sip_msg m;
	size_t n = (size_t)snprintf(text, sizeof(text), "%s", INVITE);

	(void)state;
	for (int i = 0; i < SIP_HEADERS_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "a: b\r\n");
	n += (size_t)snprintf(text + n, sizeof(text) - n, "m: late\r\n\r\nx");
	assert_int_equal(sip_scan((struct sv){text, n}, false, &m), SIP_OK);
	assert_int_equal(m.flags, SIP_MALFORMED);
	assert_null(m.header[SIP_CONTACT].p);
	assert_true(sv_eq(m.body, SV("x")));
	assert_int_equal(sip_scan((struct sv){text, sizeof(text)}, false, &m),
			 SIP_TOO_LONG);
}

static void every_reason_has_a_name(void **state)
{
	(void)state;
	for (int rc = 0; rc < SIP_RCS; rc++)
		assert_non_null(sip_rc_name((enum sip_rc)rc));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_headers),
		cmocka_unit_test(says_why_not),
		cmocka_unit_test(reads_binary),
		cmocka_unit_test(reads_the_start_line),
		cmocka_unit_test(ignores_a_cut_line),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(every_reason_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
