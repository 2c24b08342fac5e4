/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/sip/scan.h"

#include <string.h>

#define VERSION SV("SIP/2.0")

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_space(char c)
{
	return is_blank(c) || c == '\r' || c == '\n';
}

static struct sv trim_blank(struct sv s)
{
	while (s.n && is_blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* What agents send to keep a NAT binding open is no broken SIP. */
static enum sip_rc not_a_message(struct sv d)
{
	static const uint8_t cookie[4] = {0x21, 0x12, 0xa4, 0x42};
	size_t i = 0;

	if (d.n >= 20 && (d.p[0] & 0xc0) == 0 &&
	    memcmp(d.p + 4, cookie, sizeof(cookie)) == 0)
		return SIP_STUN;
	if (sv_eq_nocase(d, SV("hello")) || sv_starts(d, SV("jaK")))
		return SIP_KEEPALIVE;
	while (i < d.n && (d.p[i] == '\r' || d.p[i] == '\n' || d.p[i] == '\0'))
		i++;
	return i == d.n ? SIP_KEEPALIVE : SIP_OK;
}

/* The first line of *rest without its line end, CRLF or bare LF. */
static struct sv cut_line(struct sv *rest)
{
	struct sv line = sv_cut(rest, '\n');

	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

struct method_name {
	struct sv name;
	enum sip_method method;
};

/*
 * Methods are case-sensitive (RFC 3261 7.1), yet well-known servers take
 * "invite" for INVITE.  *exact says which it was.
 */
static enum sip_method method_of(struct sv token, bool *exact)
{
	static const struct method_name table[] = {
		{SV("INVITE"), SIP_INVITE},
		{SV("ACK"), SIP_ACK},
		{SV("BYE"), SIP_BYE},
		{SV("CANCEL"), SIP_CANCEL},
		{SV("REGISTER"), SIP_REGISTER},
		{SV("OPTIONS"), SIP_OPTIONS},
		{SV("UPDATE"), SIP_UPDATE},
		{SV("PRACK"), SIP_PRACK},
		{SV("INFO"), SIP_INFO},
		{SV("REFER"), SIP_REFER},
		{SV("NOTIFY"), SIP_NOTIFY},
		{SV("SUBSCRIBE"), SIP_SUBSCRIBE},
		{SV("MESSAGE"), SIP_MESSAGE},
		{SV("PUBLISH"), SIP_PUBLISH},
	};

	*exact = true;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (sv_eq(token, table[i].name))
			return table[i].method;
	*exact = false;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (sv_eq_nocase(token, table[i].name))
			return table[i].method;
	return SIP_METHOD_OTHER;
}

/* "SIP/2.0 486 Busy Here"; two spaces occur even in RFC 3665. */
static enum sip_rc status_line(struct sv line, struct sip_msg *m)
{
	uint32_t status;
	struct sv code;

	line = trim_blank((struct sv){line.p + 7, line.n - 7});
	code = sv_cut(&line, ' ');
	if (code.n != 3 || !sv_u32(code, &status) || status < 100 ||
	    status > 699)
		return SIP_BAD_STATUS;
	m->status = (uint16_t)status;
	return SIP_OK;
}

/* Does the line end in a SIP version other than ours? */
static bool other_version(struct sv line)
{
	const char *last = memrchr(line.p, ' ', line.n);

	if (!last)
		return false;
	line.n -= (size_t)(last + 1 - line.p);
	return sv_starts_nocase((struct sv){last + 1, line.n}, SV("SIP/"));
}

/* "INVITE sip:bob@example.com SIP/2.0", and the same with too many spaces,
 * spaces inside the URI, or <> around it (RFC 4475 3.1.2). */
static enum sip_rc request_line(struct sv raw, struct sip_msg *m)
{
	struct sv line = trim_blank(raw);
	struct sv tail = {line.p + line.n - VERSION.n, VERSION.n};
	struct sv token;
	bool exact;

	if (line.n < VERSION.n + 3 || !sv_eq_nocase(tail, VERSION) ||
	    !is_blank(tail.p[-1]))
		return line.n && other_version(line) ? SIP_VERSION
						     : SIP_NOT_SIP;
	if (line.n != raw.n)
		m->flags |= SIP_MALFORMED;
	line.n -= VERSION.n + 1;
	token = sv_cut(&line, ' ');
	m->method = method_of(token, &exact);
	if (m->method && !exact)
		m->flags |= SIP_MALFORMED;
	m->request_uri = trim_blank(line);
	if (m->request_uri.n != line.n ||
	    memchr(m->request_uri.p, ' ', m->request_uri.n))
		m->flags |= SIP_MALFORMED;
	return m->request_uri.n ? SIP_OK : SIP_BAD_START;
}

static enum sip_rc start_line(struct sv *rest, struct sip_msg *m)
{
	struct sv line;

	/* RFC 3261 7.5: ignore empty lines before the start line */
	while (rest->n && (rest->p[0] == '\r' || rest->p[0] == '\n')) {
		rest->p++;
		rest->n--;
	}
	line = cut_line(rest);
	if (sv_starts_nocase(line, SV("SIP/"))) {
		if (!sv_starts_nocase(line, VERSION))
			return SIP_VERSION;
		if (line.n > VERSION.n && is_blank(line.p[VERSION.n]))
			return status_line(line, m);
		return SIP_BAD_STATUS;
	}
	return request_line(line, m);
}

struct header_name {
	struct sv name;
	enum sip_header header;
};

/* Ordered by length, so that a look-up compares only names of its own. */
static const struct header_name header_names[] = {
	{SV("v"), SIP_VIA},
	{SV("f"), SIP_FROM},
	{SV("t"), SIP_TO},
	{SV("i"), SIP_CALL_ID},
	{SV("m"), SIP_CONTACT},
	{SV("l"), SIP_CONTENT_LENGTH},
	{SV("x"), SIP_SESSION_EXPIRES},
	{SV("To"), SIP_TO},
	{SV("Via"), SIP_VIA},
	{SV("From"), SIP_FROM},
	{SV("CSeq"), SIP_CSEQ},
	{SV("Reason"), SIP_REASON},
	{SV("Call-ID"), SIP_CALL_ID},
	{SV("Contact"), SIP_CONTACT},
	{SV("Diversion"), SIP_DIVERSION},
	{SV("User-Agent"), SIP_USER_AGENT},
	{SV("Authorization"), SIP_AUTHORIZATION},
	{SV("Content-Length"), SIP_CONTENT_LENGTH},
	{SV("Session-Expires"), SIP_SESSION_EXPIRES},
	{SV("P-Asserted-Identity"), SIP_ASSERTED},
	{SV("Proxy-Authorization"), SIP_AUTHORIZATION},
};

enum { HEADER_NAME_MAX = 19, NONE = 255 };

/* First of header_names with this length. */
static const uint8_t first_of_length[HEADER_NAME_MAX + 1] = {
	NONE, 0,    7,	  8,  9,  NONE, 11,   12,   NONE, 14,
	15,   NONE, NONE, 16, 17, 18,	NONE, NONE, NONE, 19,
};

static enum sip_header header_of(struct sv name)
{
	size_t i;

	if (name.n > HEADER_NAME_MAX || first_of_length[name.n] == NONE)
		return SIP_HEADERS;
	for (i = first_of_length[name.n];
	     i < ARRAY_LEN(header_names) && header_names[i].name.n == name.n;
	     i++) {
		/* letters differ in bit 5 only by case: a quick no */
		if ((header_names[i].name.p[0] ^ name.p[0]) & 0x1f)
			continue;
		if (sv_eq(name, header_names[i].name) || /* mostly */
		    sv_eq_nocase(name, header_names[i].name))
			return header_names[i].header;
	}
	return SIP_HEADERS;
}

/* Keep the first of duplicates, but the last Diversion. */
static void keep(struct sip_msg *m, enum sip_header h, struct sv value)
{
	struct sv *slot = &m->header[h];

	if (!slot->p || h == SIP_DIVERSION) {
		*slot = value;
		return;
	}
	switch (h) {
	case SIP_FROM:
	case SIP_TO:
	case SIP_CALL_ID:
	case SIP_CSEQ:
		m->flags |= SIP_AMBIGUOUS;
		break;
	case SIP_CONTENT_LENGTH:
		m->flags |= SIP_MALFORMED;
		break;
	default: /* may be repeated */
		break;
	}
}

static void header_line(struct sip_msg *m, struct sv line)
{
	enum sip_header h;
	struct sv name;
	size_t colon = 0;

	while (colon < line.n && line.p[colon] != ':')
		colon++;
	if (colon == line.n) {
		m->flags |= SIP_MALFORMED;
		return;
	}
	name = (struct sv){line.p, colon};
	while (name.n &&
	       (is_blank(name.p[name.n - 1]) || name.p[name.n - 1] == '\r' ||
		name.p[name.n - 1] == '\n'))
		name.n--; /* RFC 3261 7.3.1: "To :" is a To */
	if (name.n == 0) {
		m->flags |= SIP_MALFORMED;
		return;
	}
	h = header_of(name);
	if (h == SIP_HEADERS)
		return;
	keep(m, h,
	     sv_trim((struct sv){line.p + colon + 1, line.n - colon - 1}));
}

/* Join the lines that continue this one: they begin with a blank. */
static void unfold(struct sv *line, struct sv *rest)
{
	while (rest->n && is_blank(rest->p[0])) {
		struct sv more = cut_line(rest);

		line->n = (size_t)(more.p + more.n - line->p);
	}
}

/* All headers up to the empty line; *rest becomes the body. */
static void headers(struct sv *rest, bool truncated, struct sip_msg *m)
{
	const char *end = rest->p + rest->n;
	int count = 0;

	while (rest->n) {
		struct sv line = cut_line(rest);

		if (line.n == 0)
			return;
		unfold(&line, rest);
		if (truncated && rest->n == 0 && end[-1] != '\n')
			return;
		if (count++ == SIP_HEADERS_MAX)
			m->flags |= SIP_MALFORMED;
		if (count <= SIP_HEADERS_MAX)
			header_line(m, line);
	}
}

/* "0009\r\n INVITE": digits, white space, a method. */
static enum sip_rc cseq(struct sip_msg *m)
{
	struct sv s = m->header[SIP_CSEQ].p ? m->header[SIP_CSEQ] : SV("");
	struct sv digits = {s.p, 0};
	bool invite = m->status == 0 && m->method == SIP_INVITE;
	enum sip_method method;
	bool exact;

	while (digits.n < s.n && !is_space(s.p[digits.n]))
		digits.n++;
	s = sv_trim((struct sv){s.p + digits.n, s.n - digits.n});
	method = method_of(s, &exact);
	if (s.n == 0 || !sv_u32(digits, &m->cseq)) {
		m->cseq = 0;
		m->flags |= SIP_MALFORMED;
		/* an INVITE and its answers count all the same */
		if (invite && (s.n == 0 || method == SIP_INVITE))
			return SIP_OK;
		if (m->status == 0 || method != SIP_INVITE)
			return SIP_BAD_CSEQ;
	}
	if (m->status)
		m->method = method;
	return m->method == method ? SIP_OK : SIP_CSEQ_MISMATCH;
}

static void content_length(struct sv rest, struct sip_msg *m)
{
	struct sv text = m->header[SIP_CONTENT_LENGTH], more;
	uint32_t len;

	m->body = rest;
	if (!text.p)
		return;
	if (!sv_u32(text, &len)) {
		m->flags |= SIP_MALFORMED;
		return;
	}
	if (len > rest.n) {
		m->flags |= SIP_BODY_SHORT;
		return;
	}
	m->body.n = len;
	/* line ends and NULs are padding, anything else may be smuggled */
	more = (struct sv){rest.p + len, rest.n - len};
	for (size_t i = 0; i < more.n; i++)
		if (more.p[i] != '\r' && more.p[i] != '\n' && more.p[i]) {
			m->flags |= SIP_TRAILING;
			return;
		}
}

enum sip_rc sip_scan(struct sv datagram, bool truncated, struct sip_msg *m)
{
	struct sv rest = datagram;
	enum sip_rc rc;

	memset(m, 0, sizeof(*m));
	if (datagram.n > SIP_MESSAGE_MAX)
		return SIP_TOO_LONG;
	rc = not_a_message(datagram);
	if (rc)
		return rc;
	rc = start_line(&rest, m);
	if (rc)
		return rc;
	headers(&rest, truncated, m);
	if (m->header[SIP_CALL_ID].n == 0)
		return SIP_NO_CALL_ID;
	if (m->header[SIP_FROM].n == 0)
		return SIP_NO_FROM;
	if (m->header[SIP_TO].n == 0)
		m->flags |= SIP_MALFORMED;
	content_length(rest, m);
	return cseq(m);
}

const char *sip_rc_name(enum sip_rc rc)
{
	static const char *const name[SIP_RCS] = {
		[SIP_OK] = "ok",
		[SIP_KEEPALIVE] = "keepalive",
		[SIP_STUN] = "stun",
		[SIP_TOO_LONG] = "too_long",
		[SIP_NOT_SIP] = "not_sip",
		[SIP_VERSION] = "version",
		[SIP_BAD_START] = "bad_start",
		[SIP_BAD_STATUS] = "bad_status",
		[SIP_NO_CALL_ID] = "no_call_id",
		[SIP_NO_FROM] = "no_from",
		[SIP_BAD_CSEQ] = "bad_cseq",
		[SIP_CSEQ_MISMATCH] = "cseq_mismatch",
	};

	return name[rc];
}
