/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/night.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdlib.h>

#include "common/attr.h"
#include "common/mem.h"

/*
 * SIP between the customers' PBXs and the carrier, as a mirror port sees it.
 * First a plan of all messages in order of time, then each one is written:
 *
 *   PBX                        carrier     outbound, challenged, answered
 *    |-- INVITE ------------------>|
 *    |<------------------ 407 -----|
 *    |-- ACK, INVITE + digest ---->|
 *    |<------- 100, 180, 200 ------|
 *    |-- ACK --------------------->|
 *    |<----------------- BYE ------|       (either side hangs up)
 *    |-- 200 --------------------->|
 *
 * Lost answers are shown by the repeated request, as RFC 3261 17.1.1.2 has
 * it: after 500 ms (timer A).
 */
enum part {
	P_INVITE,
	P_INVITE_AUTH,
	P_407,
	P_ACK_407,
	P_100,
	P_180,
	P_200,
	P_ACK,
	P_BYE,
	P_200_BYE,
	P_CANCEL,
	P_200_CANCEL,
	P_FAILURE,
	P_ACK_FAILURE,
};

struct msg {
	int64_t at;
	uint32_t call;
	uint16_t order; /* within the call */
	uint16_t part;
};

struct plan {
	struct msg *msg;
	size_t n;
	size_t cap;
};

static void plan_add(struct plan *p, uint32_t call, int64_t at, enum part part)
{
	struct msg m = {.at = at, .call = call, .part = (uint16_t)part};

	if (p->n == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 4096;
		p->msg = xrealloc(p->msg, p->cap, sizeof(*p->msg));
	}
	if (p->n > 0 && p->msg[p->n - 1].call == call)
		m.order = (uint16_t)(p->msg[p->n - 1].order + 1);
	p->msg[p->n++] = m;
}

static const int64_t ms = 1000;

/* INVITE to 180; returns when the INVITE that counts was sent. */
static void plan_setup(struct plan *p, uint32_t i, const struct night_call *c)
{
	enum part invite = P_INVITE;
	int64_t t = c->setup_us;
	bool lost = c->retransmitted && c->end_us - t > 2 * SEC_US;

	plan_add(p, i, t, P_INVITE);
	if (c->challenged) {
		plan_add(p, i, t + 9 * ms, P_407);
		plan_add(p, i, t + 12 * ms, P_ACK_407);
		t += 14 * ms;
		invite = P_INVITE_AUTH;
		plan_add(p, i, t, invite);
	}
	if (lost) {
		t += 500 * ms;
		plan_add(p, i, t, invite);
	}
	plan_add(p, i, t + 8 * ms, P_100);
	if (c->fate != FATE_BUSY)
		plan_add(p, i, t + 180 * ms, P_180);
}

static void plan_call(struct plan *p, uint32_t i, const struct night_call *c)
{
	int64_t lost = c->retransmitted ? 500 * ms : 0;

	plan_setup(p, i, c);
	if (c->fate == FATE_ANSWERED) {
		plan_add(p, i, c->answer_us, P_200);
		if (lost > 0)
			plan_add(p, i, c->answer_us + lost, P_200);
		plan_add(p, i, c->answer_us + lost + 11 * ms, P_ACK);
		plan_add(p, i, c->end_us, P_BYE);
		plan_add(p, i, c->end_us + 13 * ms, P_200_BYE);
		return;
	}
	if (c->fate == FATE_CANCELLED) {
		plan_add(p, i, c->end_us - 17 * ms, P_CANCEL);
		plan_add(p, i, c->end_us - 6 * ms, P_200_CANCEL);
	}
	plan_add(p, i, c->end_us, P_FAILURE);
	plan_add(p, i, c->end_us + 10 * ms, P_ACK_FAILURE);
}

static int by_time(const void *x, const void *y)
{
	const struct msg *a = x;
	const struct msg *b = y;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	if (a->call != b->call)
		return a->call < b->call ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

/* ---- text of a message ---- */

struct text {
	char b[1900];
	size_t n;
};

static void add(struct text *t, const char *fmt, ...) PRINTF(2, 3);

static void add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->b + t->n, sizeof(t->b) - t->n, fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n < sizeof(t->b) - t->n)
		t->n += (size_t)n;
}

enum { CARRIER = 0xc000020a }; /* 192.0.2.10, TEST-NET-1 */

/* All that the messages of one call share. */
struct dialog {
	const struct night_call *call;
	char uac[16], uas[16]; /* addresses as text */
	uint32_t uac_ip, uas_ip;
	char from[32], to[32]; /* user parts */
	uint64_t id, id2;
	unsigned cseq;
};

static void ip_text(uint32_t ip, char out[16])
{
	struct in_addr in = {htonl(ip)};

	inet_ntop(AF_INET, &in, out, 16);
}

/* How a customer's PBX writes numbers: "0…/00…" as most do, "+…", or with the
 * 9 for an outside line left in. */
static void pbx_form(const struct night_account *a, const char *number,
		     bool callee, char out[32])
{
	unsigned style = (unsigned)(a->number / 100 % 3);
	bool home = strncmp(number, "+44", 3) == 0;

	if (style == 1)
		snprintf(out, 32, "%s", number);
	else
		snprintf(out, 32, "%s%s%s", style == 2 && callee ? "9" : "",
			 home ? "0" : "00", number + (home ? 3 : 1));
}

static void dialog_of(const struct night_call *c, struct dialog *d)
{
	struct rng r = rng_fork(UINT64_C(0x5349502f322e30), c->serial);
	uint32_t pbx = c->account->pbx;

	d->call = c;
	d->id = rng_next(&r);
	d->id2 = rng_next(&r);
	d->cseq = (unsigned)rng_range(&r, 1, 30000);
	d->uac_ip = c->inbound ? CARRIER : pbx;
	d->uas_ip = c->inbound ? pbx : CARRIER;
	ip_text(d->uac_ip, d->uac);
	ip_text(d->uas_ip, d->uas);
	if (c->inbound) {
		snprintf(d->from, sizeof(d->from), "%s", c->outside);
		snprintf(d->to, sizeof(d->to), "%s", c->own);
	} else {
		pbx_form(c->account, c->own, false, d->from);
		pbx_form(c->account, c->outside, true, d->to);
	}
}

static void add_sdp(struct text *t, const char *ip, unsigned port)
{
	char body[300];
	int n = snprintf(body, sizeof(body),
			 "v=0\r\no=- %u 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\n"
			 "t=0 0\r\nm=audio %u RTP/AVP 8 0 101\r\n"
			 "a=rtpmap:101 telephone-event/8000\r\n",
			 port, ip, ip, port);

	add(t, "Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s",
	    n, body);
}

/* Which transaction of the dialog a part belongs to: its branch. */
static unsigned branch_of(enum part part)
{
	switch (part) {
	case P_INVITE:
	case P_407:
	case P_ACK_407:
		return 1;
	case P_ACK:
		return 3;
	case P_BYE:
	case P_200_BYE:
		return 4;
	case P_INVITE_AUTH:
	case P_100:
	case P_180:
	case P_200:
	case P_CANCEL:
	case P_200_CANCEL:
	case P_FAILURE:
	case P_ACK_FAILURE:
		break;
	}
	return 2;
}

static bool bye_from_uas(const struct dialog *d)
{
	return d->id % 5 < 2;
}

static void add_tags(struct text *t, const struct dialog *d, enum part part)
{
	bool swap = (part == P_BYE || part == P_200_BYE) && bye_from_uas(d);
	char from[96], to[96], tag[24] = "";

	/* The callee's tag comes with its first answer beyond 100. */
	if (part != P_INVITE && part != P_INVITE_AUTH && part != P_100 &&
	    part != P_CANCEL)
		snprintf(tag, sizeof(tag), ";tag=%08x", (unsigned)d->id2);
	snprintf(from, sizeof(from), "<sip:%s@%s>;tag=%08x", d->from, d->uac,
		 (unsigned)(d->id >> 32));
	snprintf(to, sizeof(to), "<sip:%s@%s>%s", d->to, d->uas, tag);
	add(t, "From: %s\r\nTo: %s\r\n", swap ? to : from, swap ? from : to);
	add(t, "Call-ID: %016llx%016llx@%s\r\n", (unsigned long long)d->id,
	    (unsigned long long)d->id2, d->uac);
}

static const char *method_of(enum part part)
{
	switch (part) {
	case P_ACK_407:
	case P_ACK:
	case P_ACK_FAILURE:
		return "ACK";
	case P_BYE:
	case P_200_BYE:
		return "BYE";
	case P_CANCEL:
	case P_200_CANCEL:
		return "CANCEL";
	default:
		return "INVITE";
	}
}

/* The method that CSeq names: that of the request which is answered. */
static void add_cseq(struct text *t, const struct dialog *d, enum part part)
{
	unsigned n = d->cseq;

	if (branch_of(part) != 1 && d->call->challenged)
		n++;
	if (branch_of(part) == 4)
		n = bye_from_uas(d) ? 1 : n + 1;
	add(t, "CSeq: %u %s\r\n", n, method_of(part));
}

static void add_via(struct text *t, const struct dialog *d, enum part part)
{
	bool uas = branch_of(part) == 4 && bye_from_uas(d);
	unsigned b = branch_of(part);

	/* Without a challenge there is only one INVITE transaction. */
	if (b == 1 && !d->call->challenged)
		b = 2;
	add(t, "Via: SIP/2.0/UDP %s:5060;branch=z9hG4bK%08x%u\r\n",
	    uas ? d->uas : d->uac, (unsigned)(d->id ^ d->id2), b);
}

static void add_request(struct text *t, const struct dialog *d, enum part part)
{
	const struct night_call *c = d->call;
	bool uas = part == P_BYE && bye_from_uas(d);

	add(t, "%s sip:%s@%s SIP/2.0\r\n", method_of(part),
	    uas ? d->from : d->to, uas ? d->uac : d->uas);
	add_via(t, d, part);
	add_tags(t, d, part);
	add_cseq(t, d, part);
	add(t, "Max-Forwards: 70\r\n");
	if (part == P_INVITE_AUTH)
		add(t,
		    "Proxy-Authorization: Digest username=\"%s\", "
		    "realm=\"carrier.example.com\", nonce=\"%08x\", "
		    "uri=\"sip:%s@%s\", response=\"%016llx%016llx\"\r\n",
		    c->account->user[c->user], (unsigned)d->id2, d->to, d->uas,
		    (unsigned long long)d->id2, (unsigned long long)d->id);
	if (part != P_INVITE && part != P_INVITE_AUTH) {
		add(t, "Content-Length: 0\r\n\r\n");
		return;
	}
	add(t, "Contact: <sip:%s@%s:5060>\r\n", d->from, d->uac);
	if (c->inbound)
		add(t, "P-Asserted-Identity: <sip:%s@%s>\r\n", d->from, d->uac);
	add(t, "User-Agent: %s\r\n",
	    c->inbound ? "Example Carrier SBC" : "Example PBX 18.4");
	add(t, "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n");
	add_sdp(t, d->uac, 10000 + (unsigned)(d->id % 10000) * 2);
}

static const char *status_of(const struct dialog *d, enum part part)
{
	switch (part) {
	case P_407:
		return "407 Proxy Authentication Required";
	case P_100:
		return "100 Trying";
	case P_180:
		return "180 Ringing";
	case P_FAILURE:
		if (d->call->fate == FATE_BUSY)
			return "486 Busy Here";
		if (d->call->fate == FATE_CANCELLED)
			return "487 Request Terminated";
		return "480 Temporarily Unavailable";
	default:
		return "200 OK";
	}
}

static void add_response(struct text *t, const struct dialog *d, enum part part)
{
	add(t, "SIP/2.0 %s\r\n", status_of(d, part));
	add_via(t, d, part);
	add_tags(t, d, part);
	add_cseq(t, d, part);
	if (part == P_407)
		add(t,
		    "Proxy-Authenticate: Digest "
		    "realm=\"carrier.example.com\", nonce=\"%08x\"\r\n",
		    (unsigned)d->id2);
	if (part == P_180 || part == P_200)
		add(t, "Contact: <sip:%s@%s:5060>\r\n", d->to, d->uas);
	if (part == P_200)
		add_sdp(t, d->uas, 30000 + (unsigned)(d->id2 % 10000) * 2);
	else
		add(t, "Content-Length: 0\r\n\r\n");
}

static bool is_request(enum part part)
{
	return part == P_INVITE || part == P_INVITE_AUTH || part == P_ACK_407 ||
	       part == P_ACK || part == P_BYE || part == P_CANCEL ||
	       part == P_ACK_FAILURE;
}

/* ---- bytes of a packet ---- */

enum { ETH_LEN = 14, IP_LEN = 20, UDP_LEN = 8, HEAD_LEN = 42 };

static void be16_put(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void be32_put(uint8_t *p, uint32_t v)
{
	be16_put(p, v >> 16);
	be16_put(p + 2, v & 0xffff);
}

/* Sum of 16-bit words for the Internet checksum (RFC 1071). */
static uint32_t sum16(uint32_t sum, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	if (n % 2 == 1)
		sum += (uint32_t)p[n - 1] << 8;
	return sum;
}

static unsigned fold16(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static void headers(uint8_t *h, uint32_t src, uint32_t dst, const uint8_t *data,
		    size_t n, uint16_t ip_id)
{
	static const uint8_t eth[ETH_LEN] = {2, 0, 0, 0, 0, 2, 2,
					     0, 0, 0, 0, 1, 8, 0};
	uint8_t *ip = h + ETH_LEN;
	uint8_t *udp = ip + IP_LEN;
	uint32_t sum;

	memset(h, 0, HEAD_LEN);
	memcpy(h, eth, ETH_LEN);
	ip[0] = 0x45;
	be16_put(ip + 2, (unsigned)(IP_LEN + UDP_LEN + n));
	be16_put(ip + 4, ip_id);
	ip[8] = 62;
	ip[9] = 17;
	be32_put(ip + 12, src);
	be32_put(ip + 16, dst);
	be16_put(ip + 10, fold16(sum16(0, ip, IP_LEN)));
	be16_put(udp, 5060);
	be16_put(udp + 2, 5060);
	be16_put(udp + 4, (unsigned)(UDP_LEN + n));
	sum = sum16(17 + (uint32_t)(UDP_LEN + n), ip + 12, 8);
	sum = sum16(sum16(sum, udp, UDP_LEN), data, n);
	sum = fold16(sum);
	be16_put(udp + 6, sum == 0 ? 0xffff : sum);
}

static void packet(FILE *out, const struct msg *m, const struct night_call *c)
{
	struct dialog d;
	struct text t = {.n = 0};
	uint8_t head[HEAD_LEN];
	uint32_t record[4];
	enum part part = (enum part)m->part;
	bool from_uac = is_request(part);

	dialog_of(c, &d);
	if (from_uac)
		add_request(&t, &d, part);
	else
		add_response(&t, &d, part);
	if (branch_of(part) == 4 && bye_from_uas(&d))
		from_uac = !from_uac;
	headers(head, from_uac ? d.uac_ip : d.uas_ip,
		from_uac ? d.uas_ip : d.uac_ip, (const uint8_t *)t.b, t.n,
		(uint16_t)(d.id + m->order));
	record[0] = (uint32_t)(m->at / SEC_US);
	record[1] = (uint32_t)(m->at % SEC_US);
	record[2] = record[3] = (uint32_t)(HEAD_LEN + t.n);
	fwrite(record, sizeof(record), 1, out);
	fwrite(head, sizeof(head), 1, out);
	fwrite(t.b, t.n, 1, out);
}

void night_pcap_write(const struct night_calls *c, FILE *out)
{
	/* libpcap's file format 2.4, microseconds, Ethernet */
	static const uint32_t head[6] = {0xa1b2c3d4, 4u << 16 | 2, 0,
					 0,	     65535,	   1};
	struct plan p = {0};

	for (size_t i = 0; i < c->n; i++)
		plan_call(&p, (uint32_t)i, &c->call[i]);
	if (p.n)
		qsort(p.msg, p.n, sizeof(*p.msg), by_time);
	fwrite(head, sizeof(head), 1, out);
	for (size_t i = 0; i < p.n; i++)
		packet(out, &p.msg[i], &c->call[p.msg[i].call]);
	free(p.msg);
}
