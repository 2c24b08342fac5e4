/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "collector/sip/dialog.c"

/*
 * A scenario is a script and what must come out of it.  Script lines:
 *
 *   SECONDS START CALL-ID FROM-TAG TO-TAG BRANCH CSEQ [HEADER]
 *
 * START is a method, or STATUS/METHOD, and "!" before it: sent by the other
 * side than usual; "-" = absent; "SECONDS ." only lets time pass.  After the
 * script the capture is over.  Output: phase, time, status, talk, flags and key generation.
 */
enum { T0 = 1000000000 };

struct run {
	struct dialog_table *t;
	struct call_key key[8]; /* by order of appearance */
	size_t keys;
	char out[2048];
	size_t n;
};

static size_t key_number(struct run *r, const struct call_key *k)
{
	for (size_t i = 0; i < r->keys; i++)
		if (memcmp(&r->key[i], k, sizeof(*k)) == 0)
			return i;
	assert_true(r->keys < ARRAY_LEN(r->key));
	r->key[r->keys] = *k;
	return r->keys++;
}

static void say(struct run *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	r->n += (size_t)vsnprintf(r->out + r->n, sizeof(r->out) - r->n, fmt,
				  ap);
	va_end(ap);
	assert_true(r->n < sizeof(r->out));
}

static double seconds(int64_t us)
{
	return (double)(us - T0 * SEC_US) / 1e6;
}

static void on_event(void *arg, struct event *ev)
{
	struct run *r = arg;

	assert_int_equal(event_check(ev), EVENT_OK);
	assert_int_equal(ev->kind, EVENT_CALL);
	assert_true(sv_eq(EVENT_SV(ev->source), SV("tap")));
	say(r, "%zu %s %g", key_number(r, &ev->key),
	    phase_name((enum event_phase)ev->phase),
	    seconds(event_time(ev) && ev->phase != PHASE_PROGRESS
			    ? event_time(ev)
			    : ev->observed_us));
	if (!ev->setup_us)
		say(r, " lone");
	if (ev->phase != PHASE_SETUP)
		say(r, " %u", ev->status);
	if (ev->talk_s != EVENT_NO_TALK)
		say(r, " talk=%d", ev->talk_s);
	if (ev->q850)
		say(r, " q=%u", ev->q850);
	if (EVENT_SV(ev->account).n)
		say(r, " %.*s", SV_ARG(EVENT_SV(ev->account)));
	if (ev->flags & EVENT_ESTIMATED)
		say(r, " estimated");
	if (ev->flags & EVENT_CHALLENGED)
		say(r, " challenged");
	if (ev->flags & EVENT_REKEYED)
		say(r, " rekeyed");
	if (ev->flags & EVENT_MALFORMED)
		say(r, " malformed");
	if (ev->flags & EVENT_AMBIGUOUS)
		say(r, " ambiguous");
	say(r, "\n");
}

/* Account = accepted digest user, else the source address' last number. */
static void on_resolve(void *arg, const struct sip_identity *id,
		       struct event *ev)
{
	char trunk[16];

	(void)arg;
	if (id->digest_accepted)
		EVENT_PUT(ev, account, id->digest_user);
	else if (id->asserted.n)
		EVENT_PUT(ev, account, id->asserted);
	snprintf(trunk, sizeof(trunk), "%u:%u", id->src[15], id->src_port);
	EVENT_PUT(ev, trunk, sv_of(trunk));
	EVENT_PUT(ev, callee_raw, id->request_user);
}

static struct packet packet_of(bool request)
{
	struct packet p = {.src_port = 5060, .dst_port = 5060};

	p.src[15] = request ? 1 : 2;
	p.dst[15] = request ? 2 : 1;
	return p;
}

static size_t message(char *out, size_t size, char f[8][80])
{
	char *slash = strchr(f[1], '/');
	const char *method = slash ? slash + 1 : f[1];
	int n;

	if (slash)
		n = snprintf(out, size, "SIP/2.0 %.3s x\r\n", f[1]);
	else
		n = snprintf(out, size,
			     "%s sip:+442079460001@example.com SIP/2.0\r\n",
			     method);
	n += snprintf(out + n, size - (size_t)n,
		      "Via: SIP/2.0/UDP h%s%s\r\nFrom: <sip:a@h>%s%s\r\n"
		      "To: <sip:b@h>%s%s\r\nCall-ID: %s\r\nCSeq: %s %s\r\n"
		      "%s\r\n\r\n",
		      f[5][0] == '-' ? "" : ";branch=z9hG4bK",
		      f[5][0] == '-' ? "" : f[5],
		      f[3][0] == '-' ? "" : ";tag=", f[3][0] == '-' ? "" : f[3],
		      f[4][0] == '-' ? "" : ";tag=", f[4][0] == '-' ? "" : f[4],
		      f[2], f[6], method, f[7]);
	assert_true(n > 0 && (size_t)n < size);
	return (size_t)n;
}

static void play_line(struct run *r, const char *line)
{
	char f[8][80] = {{0}}, text[1024];
	struct sip_msg m;
	struct packet p;
	bool swapped;
	int64_t t_us;
	int n = sscanf(line, "%79s %79s %79s %79s %79s %79s %79s %79[^\n]",
		       f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7]);

	assert_true(n == 2 || n >= 7);
	t_us = T0 * SEC_US + (int64_t)(strtod(f[0], NULL) * 1e6);
	if (n == 2) {
		dialog_expire(r->t, t_us);
		return;
	}
	swapped = f[1][0] == '!';
	memmove(f[1], f[1] + swapped, sizeof(f[1]) - swapped);
	n = (int)message(text, sizeof(text), f);
	assert_int_equal(sip_scan((struct sv){text, (size_t)n}, false, &m),
			 SIP_OK);
	p = packet_of((m.status == 0) != swapped);
	dialog_message(r->t, &m, &p, t_us);
}

static void play(struct run *r, const char *script)
{
	struct sv rest = sv_of(script);

	while (rest.n) {
		char *line = sv_dup(sv_cut(&rest, '\n'));

		play_line(r, line);
		free(line);
	}
}

static struct dialog_opts options(struct run *r, uint32_t capacity)
{
	return (struct dialog_opts){
		.capacity = capacity,
		.key = hash_public_key,
		.source = "tap",
		.resolve = on_resolve,
		.emit = on_event,
		.emit_arg = r,
	};
}

struct scenario {
	const char *name, *script, *out;
};

static void check(const struct scenario *s, size_t n, uint32_t capacity)
{
	for (size_t i = 0; i < n; i++) {
		struct run r = {0};
		struct dialog_opts o = options(&r, capacity);

		r.t = dialog_new(&o);
		play(&r, s[i].script);
		dialog_settle(r.t);
		if (strcmp(r.out, s[i].out) != 0)
			fail_msg("%s: got\n%swant\n%s", s[i].name, r.out,
				 s[i].out);
		dialog_free(r.t);
	}
}

/* clang-format off */
static const struct scenario calls[] = {
	{"basic call",
	 "0    INVITE     x a - 1 1\n"
	 "0.1  100/INVITE x a - 1 1\n"
	 "1    180/INVITE x a b 1 1\n"
	 "2    180/INVITE x a b 1 1\n"
	 "5    200/INVITE x a b 1 1\n"
	 "5.1  ACK        x a b 2 1\n"
	 "5.5  200/INVITE x a b 1 1\n"
	 "9.9  BYE        x a b 3 2 Reason: Q.850;cause=16\n"
	 "10   200/BYE    x a b 3 2\n"
	 "10.4 BYE        x a b 3 2",
	 "0 setup 0\n0 progress 1 180\n0 answer 5 200\n0 end 9.9 200 talk=4 q=16\n"},
	{"the callee hangs up",
	 "0 INVITE x a - 1 1\n5 200/INVITE x a b 1 1\n7 BYE x b a 9 1",
	 "0 setup 0\n0 answer 5 200\n0 end 7 200 talk=2\n"},
	{"early media is no answer",
	 "0 INVITE x a - 1 1\n1 183/INVITE x a b 1 1\n2 200/PRACK x a b 2 2\n"
	 "3 486/INVITE x a b 1 1",
	 "0 setup 0\n0 progress 1 183\n0 end 3 486\n"},
	{"two hops, retransmitted on both",
	 "0 INVITE x a - 1 1\n0.1 INVITE x a - 2 1\n0.5 INVITE x a - 1 1\n"
	 "0.6 INVITE x a - 2 1\n1 180/INVITE x a b 2 1\n1.1 180/INVITE x a b 1 1\n"
	 "2 200/INVITE x a b 2 1\n2.1 200/INVITE x a b 1 1\n"
	 "4 BYE x a b 3 2\n4.1 BYE x a b 4 2",
	 "0 setup 0\n0 progress 1 180\n0 answer 2 200\n0 end 4 200 talk=2\n"},
	{"a proxy tries one target after the other",
	 "0 INVITE x a - 1 1\n0.1 INVITE x a - 2 1\n0.2 100/INVITE x a - 1 1\n"
	 "5 486/INVITE x a b 2 1\n5.1 INVITE x a - 3 1\n8 200/INVITE x a c 3 1\n"
	 "9 BYE x a c 4 2",
	 "0 setup 0\n0 answer 8 200\n0 end 9 200 talk=1\n"},
	{"the caller's side never says: the other hop's reason",
	 "0 INVITE x a - 1 1\n0.1 INVITE x a - 2 1\n5 486/INVITE x a b 2 1\n300 .",
	 "0 setup 0\n0 end 32 486 estimated\n"},
	{"challenged, then answered: the credentials pay",
	 "0 INVITE x a - 1 1 P-Asserted-Identity: <sip:pai@h>\n"
	 "0.1 407/INVITE x a b 1 1\n0.2 ACK x a b 1 1\n"
	 "0.3 INVITE x a - 2 2 Proxy-Authorization: Digest username=\"alice\"\n"
	 "1 180/INVITE x a c 2 2\n2 200/INVITE x a c 2 2\n3 BYE x a c 3 3",
	 "0 setup 0 pai\n0 progress 1 180 alice challenged\n"
	 "0 answer 2 200 alice challenged\n0 end 3 200 talk=1 alice challenged\n"},
	{"credentials that are refused pay nothing",
	 "0 INVITE x a - 1 1 Authorization: Digest username=\"victim\"\n"
	 "0.1 403/INVITE x a b 1 1",
	 "0 setup 0\n0 end 0.1 403\n"},
	{"refused credentials pay nothing, though another hop answers",
	 "0 INVITE x a - 1 1 Authorization: Digest username=\"victim\"\n"
	 "0.1 401/INVITE x a b 1 1\n2 200/INVITE x a c 2 1",
	 "0 setup 0\n0 answer 2 200 challenged\n"},
	{"credentials in the first INVITE",
	 "0 INVITE x a - 1 1 Authorization: Digest username=\"alice\"\n"
	 "2 200/INVITE x a c 1 1",
	 "0 setup 0\n0 answer 2 200 alice\n"},
	{"an old agent answers the challenge under the same CSeq and branch",
	 "0 INVITE x a - - 1\n0.1 401/INVITE x a b - 1\n"
	 "0.3 INVITE x a - - 1 Authorization: Digest username=\"alice\"\n"
	 "2 200/INVITE x a c - 1",
	 "0 setup 0\n0 answer 2 200 alice challenged\n"},
	{"an agent answers the challenge under a new tag",
	 "0 INVITE x a - 1 1\n0.1 401/INVITE x a b 1 1\n0.3 INVITE x z - 2 2\n"
	 "2 200/INVITE x z c 2 2\n3 BYE x z c 3 3",
	 "0 setup 0\n0 answer 2 200 challenged\n0 end 3 200 talk=1 challenged\n"},
	{"challenged and given up",
	 "0 INVITE x a - 1 1\n0.5 401/INVITE x a b 1 1\n100 .",
	 "0 setup 0\n0 end 64.5 401 estimated challenged\n"},
	{"redirected",
	 "0 INVITE x a - 1 1\n0.5 302/INVITE x a b 1 1\n1 INVITE x a - 2 2\n"
	 "2 200/INVITE x a c 2 2",
	 "0 setup 0\n0 answer 2 200\n"},
	{"three INVITEs in the pipe, one answered",
	 "0 INVITE x a - 1 1\n0.1 INVITE x a - 2 2\n0.2 INVITE x a - 3 3\n"
	 "1 200/INVITE x a b 1 1\n1.1 CANCEL x a - 2 2\n1.2 487/INVITE x a b 2 2\n"
	 "1.3 487/INVITE x a b 3 3",
	 "0 setup 0\n0 answer 1 200\n"},
	{"CANCEL ends nothing, the 487 does",
	 "0 INVITE x a - 1 1\n1 180/INVITE x a b 1 1\n2 CANCEL x a - 1 1\n"
	 "2.1 200/CANCEL x a - 1 1\n2.2 487/INVITE x a b 1 1",
	 "0 setup 0\n0 progress 1 180\n0 end 2.2 487\n"},
	{"the answer overtakes the CANCEL",
	 "0 INVITE x a - 1 1\n2 CANCEL x a - 1 1\n2.1 200/INVITE x a b 1 1\n"
	 "2.2 200/CANCEL x a - 1 1\n9 BYE x a b 2 2",
	 "0 setup 0\n0 answer 2.1 200\n0 end 9 200 talk=6\n"},
	{"a re-INVITE that fails leaves the call up",
	 "0 INVITE x a - 1 1\n1 200/INVITE x a b 1 1\n5 INVITE x a b 2 2\n"
	 "5.1 488/INVITE x a b 2 2\n9 BYE x a b 3 3",
	 "0 setup 0\n0 answer 1 200\n0 end 9 200 talk=8\n"},
	{"481 to a re-INVITE of the callee ends it",
	 "0 INVITE x a - 1 1\n1 200/INVITE x a b 1 1\n5 INVITE x b a 2 7\n"
	 "5.1 481/INVITE x b a 2 7",
	 "0 setup 0\n0 answer 1 200\n0 end 5.1 481 talk=4\n"},
	{"481 to nothing that was asked ends nothing",
	 "0 INVITE x a - 1 1\n1 200/INVITE x a b 1 1\n5 481/INVITE x a b 2 2\n"
	 "6 481/UPDATE x a b 3 3",
	 "0 setup 0\n0 answer 1 200\n"},
	{"a forked call ends with its last dialog",
	 "0 INVITE x a - 1 1\n1 200/INVITE x a b 1 1\n1.1 200/INVITE x a c 1 1\n"
	 "1.2 BYE x a c 2 2\n9 BYE x a b 3 3",
	 "0 setup 0\n0 answer 1 200\n0 end 9 200 talk=8\n"},
	{"no reply at all",
	 "0 INVITE x a - 1 1\n0.5 INVITE x a - 1 1\n31 .\n33 .",
	 "0 setup 0\n0 end 32 408 estimated\n"},
	{"rings for ever",
	 "0 INVITE x a - 1 1\n1 180/INVITE x a b 1 1\n190 .\n3600 .",
	 "0 setup 0\n0 progress 1 180\n0 end 196 408 estimated\n"},
	{"answered and nothing more: open, but not for ever",
	 "0 INVITE x a - 1 1\n1 200/INVITE x a b 1 1\n80000 .\n"
	 "80000 INVITE y a - 1 1\n80001 200/INVITE y a b 1 1\n90000 .",
	 "0 setup 0\n0 answer 1 200\n1 setup 80000\n1 answer 80001 200\n"
	 "0 end 86401 200 talk=86400 estimated\n"},
	{"a re-INVITE is a sign of life",
	 "0 INVITE x a - 1 1\n1 200/INVITE x a b 1 1\n80000 INVITE x a b 2 2\n"
	 "80000 200/INVITE x a b 2 2\n90000 .\n166399 .",
	 "0 setup 0\n0 answer 1 200\n"},
	{"a session of 136 years",
	 "0 INVITE x a - 1 1\n1 200/INVITE x a b 1 1 x: 4294967295\n90000 .",
	 "0 setup 0\n0 answer 1 200\n0 end 86401 200 talk=86400 estimated\n"},
	{"session timer, refreshed once by each side",
	 "0 INVITE x a - 1 1\n1 200/INVITE x a b 1 1 Session-Expires: 1800;refresher=uac\n"
	 "900 INVITE x a b 2 2\n901 200/INVITE x a b 2 2 x: 1800\n"
	 "1800 UPDATE x b a 3 2\n1801 200/UPDATE x b a 3 2 x: 1800\n3600 .\n3602 .",
	 "0 setup 0\n0 answer 1 200\n0 end 3601 200 talk=3600 estimated\n"},
	{"a session of one second is taken as 90",
	 "0 INVITE x a - 1 1\n1 200/INVITE x a b 1 1 x: 1\n50 BYE x a b 2 2",
	 "0 setup 0\n0 answer 1 200\n0 end 50 200 talk=49\n"},
	{"a retransmitted 200 is no refresh",
	 "0 INVITE x a - 1 1\n1 200/INVITE x a b 1 1 x: 90\n20 200/INVITE x a b 1 1 x: 90\n200 .",
	 "0 setup 0\n0 answer 1 200\n0 end 91 200 talk=90 estimated\n"},
	{"no tags, no branches (RFC 2543)",
	 "0 INVITE x - - - 1\n0.5 INVITE x - - - 1\n1 200/INVITE x - - - 1\n2 BYE x - - - 2",
	 "0 setup 0\n0 answer 1 200\n0 end 2 200 talk=1\n"},
	{"two copies of a Call-ID header",
	 "0 INVITE x a - 1 1 Call-ID: y",
	 "0 setup 0 ambiguous\n"},
	{"responses, BYE, CANCEL of nobody's call",
	 "0 180/INVITE x a b 1 1\n1 486/INVITE x a b 1 1\n2 BYE x a b 2 2\n"
	 "3 CANCEL x a - 1 1\n4 INVITE x a b 4 4\n5 UPDATE x a - 5 5\n6 200/UPDATE x a - 5 5\n"
	 "7 OPTIONS x a - 1 1\n8 200/OPTIONS x a b 1 1\n9 REGISTER x a - 1 1",
	 ""},
	{"a lone 200, its retransmission, its BYE",
	 "0 200/INVITE x a b 1 1\n0.5 200/INVITE x a b 1 1\n5 BYE x b a 2 1",
	 "0 answer 0 lone 200\n0 end 5 lone 200 talk=5\n"},
	{"time goes back a little",
	 "0 INVITE x a - 1 1\n5 200/INVITE x a b 1 1\n4 BYE x a b 2 2",
	 "0 setup 0\n0 answer 5 200\n0 end 4 200 talk=0\n"},
};

static const struct scenario byes[] = {
	{"challenged: the accepted one counts",
	 "0 INVITE x a - 1 1\n1 200/INVITE x a b 1 1\n5 BYE x a b 2 2\n5.1 407/BYE x a b 2 2\n"
	 "9 BYE x a b 3 3\n9.1 200/BYE x a b 3 3\n9.2 BYE x a b 3 3",
	 "0 setup 0\n0 answer 1 200\n0 end 9 200 talk=8\n"},
	{"refused and not sent again: it is up",
	 "0 INVITE x a - 1 1\n1 200/INVITE x a b 1 1\n5 BYE x a b 2 2\n5.1 500/BYE x a b 2 2\n"
	 "5.5 BYE x a b 2 2\n5.6 500/BYE x a b 2 2\n6 BYE x a b 1 1\n3600 .",
	 "0 setup 0\n0 answer 1 200\n"},
	{"refused, up to the session timer",
	 "0 INVITE x a - 1 1\n1 200/INVITE x a b 1 1 x: 90\n80 BYE x a b 2 2\n100 401/BYE x a b 2 2\n101 .",
	 "0 setup 0\n0 answer 1 200\n0 end 91 200 talk=90 estimated\n"},
	{"481 and 408 end it, a 1xx does not",
	 "0 INVITE x a - 1 1\n1 200/INVITE x a b 1 1\n5 BYE x a b 2 2\n5.1 100/BYE x a b 2 2\n"
	 "5.2 401/BYE x a b 2 2\n6 BYE x a b 2 3\n7 481/BYE x a b 2 3\n"
	 "10 INVITE y a - 1 1\n11 200/INVITE y a b 1 1\n15 BYE y b a 2 2\n16 408/BYE y b a 2 2\n17 .",
	 "0 setup 0\n0 answer 1 200\n0 end 6 200 talk=5\n"
	 "1 setup 10\n1 answer 11 200\n1 end 15 200 talk=4\n"},
	{"nobody answers",
	 "0 INVITE x a - 1 1\n1 200/INVITE x a b 1 1\n5 BYE x a b 2 2\n9 BYE x a b 2 2\n36 .\n38 .\n"
	 "40 401/BYE x a b 2 2",
	 "0 setup 0\n0 answer 1 200\n0 end 5 200 talk=4\n"},
	{"an old agent answers the challenge under the same CSeq",
	 "0 INVITE x a - 1 1\n1 200/INVITE x a b 1 1\n5 BYE x a b 2 2\n5.1 401/BYE x a b 2 2\n"
	 "6 BYE x a b 2 2 Authorization: Digest username=\"a\"\n6.1 200/BYE x a b 2 2",
	 "0 setup 0\n0 answer 1 200\n0 end 6 200 talk=5\n"},
	{"a proxy tried another way: 503 there, 200 to the caller",
	 "0 INVITE x a - 1 1\n1 200/INVITE x a b 1 1\n5 BYE x a b 2 2\n5.1 BYE x a b 3 2\n"
	 "5.2 503/BYE x a b 3 2\n5.5 200/BYE x a b 2 2",
	 "0 setup 0\n0 answer 1 200\n0 end 5 200 talk=4\n"},
	{"both hang up at once, one is refused",
	 "0 INVITE x a - 1 1\n1 200/INVITE x a b 1 1\n5 BYE x a b 2 2\n5.1 !BYE x b a 3 2\n"
	 "5.2 401/BYE x a b 2 2\n5.3 !200/BYE x b a 3 2",
	 "0 setup 0\n0 answer 1 200\n0 end 5.1 200 talk=4\n"},
	{"a forked call whose dialogs are both left",
	 "0 INVITE x a - 1 1\n1 200/INVITE x a b 1 1\n1.1 200/INVITE x a c 1 1\n2 BYE x a c 2 2\n"
	 "9 BYE x a b 3 3\n9.1 200/BYE x a b 3 3\n35 .",
	 "0 setup 0\n0 answer 1 200\n0 end 9 200 talk=8\n"},
	{"the sender accepts his own BYE",
	 "0 INVITE x a - 1 1\n1 200/INVITE x a b 1 1\n5 BYE x a b 2 2\n5.01 !200/BYE x a b 2 2\n"
	 "5.1 401/BYE x a b 2 2\n5.2 !200/BYE x a b 2 2\n3600 .",
	 "0 setup 0\n0 answer 1 200\n"},
	{"a response to no BYE",
	 "0 INVITE x a - 1 1\n1 200/INVITE x a b 1 1\n5 200/BYE x a b 2 2\n6 BYE x a b 2 3\n"
	 "6.1 401/BYE x a b 2 3\n7 200/BYE x a b 2 4\n8 200/BYE x b a 2 3",
	 "0 setup 0\n0 answer 1 200\n"},
};

/* What hides a call that costs money must not work. */
static const struct scenario tricks[] = {
	{"a BYE with another tag",
	 "0 INVITE x a - 1 1\n1 200/INVITE x a b 1 1\n2 BYE x a z 2 2\n"
	 "3 BYE x z b 3 2\n4 BYE x a - 4 2\n9 BYE x a b 5 3",
	 "0 setup 0\n0 answer 1 200\n0 end 9 200 talk=8\n"},
	{"a BYE before the answer",
	 "0 INVITE x a - 1 1\n1 BYE x a - 2 2\n2 200/INVITE x a b 1 1",
	 "0 setup 0\n0 answer 2 200\n"},
	{"one Call-ID for calls one after another, same tag",
	 "0 INVITE x a - 1 1\n1 200/INVITE x a b 1 1\n2 BYE x a b 2 2\n2 200/BYE x a b 2 2\n"
	 "3 INVITE x a - 3 3\n4 200/INVITE x a c 3 3\n5 BYE x a c 4 4\n5 200/BYE x a c 4 4\n"
	 "6 INVITE x a - 5 1\n6.5 INVITE x a - 5 1\n7 486/INVITE x a d 5 1",
	 "0 setup 0\n0 answer 1 200\n0 end 2 200 talk=1\n"
	 "1 setup 3 rekeyed\n1 answer 4 200 rekeyed\n1 end 5 200 talk=1 rekeyed\n"
	 "2 setup 6 rekeyed\n2 end 7 486 rekeyed\n"},
	{"one Call-ID again, long after it was forgotten",
	 "0 INVITE x a - 1 1\n1 200/INVITE x a b 1 1\n2 BYE x a b 2 2\n"
	 "3600 INVITE x a - 1 1",
	 "0 setup 0\n0 answer 1 200\n0 end 2 200 talk=1\n1 setup 3600 rekeyed\n"},
	{"one Call-ID for calls at once",
	 "0 INVITE x a - 1 1\n0.1 INVITE x b - 2 1\n0.2 INVITE x c - 3 1\n"
	 "1 200/INVITE x a t 1 1\n1 200/INVITE x b u 2 1\n1 486/INVITE x c v 3 1\n"
	 "5 BYE x a t 4 2\n6 BYE x u b 5 2",
	 "0 setup 0\n1 setup 0.1 rekeyed\n2 setup 0.2 rekeyed\n"
	 "0 answer 1 200\n1 answer 1 200 rekeyed\n2 end 1 486 rekeyed\n"
	 "0 end 5 200 talk=4\n1 end 6 200 talk=5 rekeyed\n"},
	{"a retransmission after the end is no new call",
	 "0 INVITE x a - 1 1\n0.1 INVITE x a - 2 1\n1 486/INVITE x a b 1 1\n"
	 "1.5 INVITE x a - 2 1\n1.6 486/INVITE x a b 1 1\n2 INVITE x a - 1 1",
	 "0 setup 0\n0 end 1 486\n"},
	{"answered after it was given up",
	 "0 INVITE x a - 1 1\n33.5 .\n40 200/INVITE x a b 1 1\n41 200/INVITE x a b 1 1\n"
	 "50 BYE x a b 2 2",
	 "0 setup 0\n0 end 32 408 estimated\n1 answer 40 lone 200 rekeyed\n"
	 "1 end 50 lone 200 talk=10 rekeyed\n"},
	{"one Call-ID and tag for calls at once",
	 "0 INVITE x a - 1 1\n1 200/INVITE x a b 1 1\n2 INVITE x a - 2 2\n"
	 "3 200/INVITE x a c 2 2\n3.1 200/INVITE x a b 1 1\n3.5 200/INVITE x a c 2 2\n"
	 "4 INVITE x a - 3 3\n5 200/INVITE x a d 3 3\n6 BYE x c a 9 1\n6 200/BYE x c a 9 1\n"
	 "7 BYE x a b 4 4\n7 200/BYE x a b 4 4\n"
	 "50 BYE x a d 5 5\n51 BYE x a d 5 5",
	 "0 setup 0\n0 answer 1 200\n1 answer 3 lone 200 rekeyed\n2 answer 5 lone 200 rekeyed\n"
	 "1 end 6 lone 200 talk=3 rekeyed\n0 end 7 200 talk=6\n2 end 50 lone 200 talk=45 rekeyed\n"},
	{"failure of an old try does not end the new one",
	 "0 INVITE x a - 1 1\n1 INVITE x a - 2 2\n2 486/INVITE x a b 1 1\n"
	 "3 200/INVITE x a c 2 2",
	 "0 setup 0\n0 answer 3 200\n"},
};

/* Places for two calls. */
static const struct scenario full[] = {
	{"the ended go first",
	 "0 INVITE x a - 1 1\n1 486/INVITE x a b 1 1\n2 INVITE y a - 1 1\n"
	 "3 INVITE z a - 1 1\n4 200/INVITE y a b 1 1",
	 "0 setup 0\n0 end 1 486\n1 setup 2\n2 setup 3\n1 answer 4 200\n"},
	{"then the oldest unanswered; its answer is seen all the same",
	 "0 INVITE x a - 1 1\n1 INVITE y a - 1 1\n1.5 200/INVITE y a b 1 1\n"
	 "2 INVITE z a - 1 1\n3 200/INVITE x a b 1 1\n",
	 "0 setup 0\n1 setup 1\n1 answer 1.5 200\n0 end 2 408 estimated\n2 setup 2\n"
	 "2 end 3 408 estimated\n3 answer 3 lone 200 rekeyed\n"},
	{"an answered call never",
	 "0 INVITE x a - 1 1\n0 INVITE y a - 1 1\n1 200/INVITE x a b 1 1\n"
	 "1 200/INVITE y a b 1 1\n2 INVITE z a - 1 1\n2.5 INVITE z a - 1 1\n"
	 "3 200/INVITE z a b 1 1\n4 BYE z a b 1 1\n9 BYE x a b 2 2",
	 "0 setup 0\n1 setup 0\n0 answer 1 200\n1 answer 1 200\n2 setup 2\n2 setup 2.5\n"
	 "2 answer 3 lone 200\n0 end 9 200 talk=8\n"},
};
/* clang-format on */

static void one_call_is_one_call(void **state)
{
	(void)state;
	check(calls, ARRAY_LEN(calls), 100);
}

static void an_accepted_bye_ends(void **state)
{
	(void)state;
	check(byes, ARRAY_LEN(byes), 100);
}

static void no_trick_hides_a_call(void **state)
{
	(void)state;
	check(tricks, ARRAY_LEN(tricks), 100);
}

static void a_full_table_keeps_answered_calls(void **state)
{
	(void)state;
	check(full, ARRAY_LEN(full), 2);
}

static void refuses_times_of_no_use(void **state)
{
	struct run r = {0};
	struct dialog_opts o = options(&r, 10);
	struct sip_msg m = {.method = SIP_INVITE};
	struct packet p = {.src_port = 1};

	(void)state;
	r.t = dialog_new(&o);
	assert_int_equal(dialog_message(r.t, &m, &p, 0), DIALOG_BAD_TIME);
	assert_int_equal(dialog_message(r.t, &m, &p, YEAR_2100_US),
			 DIALOG_BAD_TIME);
	assert_int_equal(dialog_stats(r.t).rc[DIALOG_BAD_TIME], 2);
	dialog_free(r.t);
	dialog_free(NULL);
}

static void drop_event(void *arg, struct event *ev)
{
	(void)arg;
	assert_int_equal(event_check(ev), EVENT_OK);
}

/* Nothing stays for ever but what is answered; every call ends once. */
static void load_drains(void **state)
{
	enum { CALLS = 20000, PLACES = 1000 };
	struct dialog_stats s;
	struct run r = {0};
	struct dialog_opts o = options(&r, PLACES);
	char line[80];

	(void)state;
	o.emit = drop_event;
	r.t = dialog_new(&o);
	for (int i = 0; i < CALLS; i++) {
		/* 100 a second: 3,200 want to be under way at once */
		snprintf(line, sizeof(line), "%g INVITE x%d a - 1 1", i / 100.0,
			 i);
		play_line(&r, line);
		assert_true(dialog_stats(r.t).calls <= PLACES);
	}
	assert_int_equal(dialog_stats(r.t).calls, PLACES);
	assert_int_equal(dialog_stats(r.t).shed, CALLS - PLACES);
	play_line(&r, "1000 .");
	play_line(&r, "2000 .");
	s = dialog_stats(r.t);
	assert_int_equal(s.setups, CALLS);
	assert_int_equal(s.ends, CALLS);
	assert_int_equal(s.calls, 0);
	dialog_free(r.t);
}

/* Calls that are answered and never seen again do not fill the table. */
static void lost_calls_drain(void **state)
{
	struct run r = {0};
	struct dialog_opts o = options(&r, 10);

	(void)state;
	o.emit = drop_event;
	o.max_call_us = 3600 * SEC_US;
	r.t = dialog_new(&o);
	for (int i = 0; i < 10; i++) {
		char line[80];

		snprintf(line, sizeof(line), "%d 200/INVITE x%d a b 1 1", i, i);
		play_line(&r, line);
	}
	play_line(&r, "3599 .");
	assert_int_equal(dialog_stats(r.t).calls, 10);
	assert_int_equal(dialog_stats(r.t).given_up, 0);
	play_line(&r, "3700 .");
	play_line(&r, "3800 .");
	assert_int_equal(dialog_stats(r.t).given_up, 10);
	assert_int_equal(dialog_stats(r.t).estimated, 10);
	assert_int_equal(dialog_stats(r.t).calls, 0);
	dialog_free(r.t);
}

static void every_reason_has_a_name(void **state)
{
	(void)state;
	for (int rc = 0; rc < DIALOG_RCS; rc++)
		assert_non_null(dialog_rc_name((enum dialog_rc)rc));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_call_is_one_call),
		cmocka_unit_test(an_accepted_bye_ends),
		cmocka_unit_test(no_trick_hides_a_call),
		cmocka_unit_test(a_full_table_keeps_answered_calls),
		cmocka_unit_test(refuses_times_of_no_use),
		cmocka_unit_test(load_drains),
		cmocka_unit_test(lost_calls_drain),
		cmocka_unit_test(every_reason_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
