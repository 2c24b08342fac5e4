/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/sip/uri.h"

#include <stdint.h>

/* Where the first stop is that is outside quotes and <>; s.n without one. */
static size_t find_outside(struct sv s, char stop)
{
	const char *at = s.n ? memchr(s.p, stop, s.n) : NULL;
	bool quoted = false, angled = false;
	size_t n = at ? (size_t)(at - s.p) : s.n;

	/* the common case needs no walk */
	if (n == 0 || (!memchr(s.p, '"', n) && !memchr(s.p, '<', n)))
		return n;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (quoted) {
			if (c == '\\')
				i++; /* RFC 3261 25.1 quoted-pair */
			else if (c == '"')
				quoted = false;
			continue;
		}
		if (!angled && c == stop)
			return i;
		if (c == '"')
			quoted = true;
		else if (c == '<')
			angled = true;
		else if (c == '>')
			angled = false;
	}
	return s.n;
}

static struct sv from(struct sv s, size_t at)
{
	return (struct sv){s.p + at, s.n - at};
}

struct sv sip_next_value(struct sv *list)
{
	while (list->n) {
		size_t n = find_outside(*list, ',');
		struct sv value = sv_trim((struct sv){list->p, n});

		*list = from(*list, n < list->n ? n + 1 : n);
		if (value.n)
			return value;
	}
	return SV("");
}

bool sip_addr(struct sv value, struct sip_addr *out)
{
	size_t open = find_outside(value, '<');
	bool balanced = true;
	size_t n;

	if (open == value.n && value.n && value.p[0] == '"') {
		/* a display name whose quote is never closed */
		const char *lt = memchr(value.p, '<', value.n);

		open = lt ? (size_t)(lt - value.p) : value.n;
		balanced = false;
	}
	if (open == value.n) { /* parameters are the header's, not the URI's */
		n = find_outside(value, ';');
		out->uri = sv_trim((struct sv){value.p, n});
		out->params = from(value, n);
		return balanced;
	}
	value = from(value, open + 1);
	out->uri = sv_cut(&value, '>');
	if (out->uri.p + out->uri.n == value.p) /* no '>' was there */
		balanced = false;
	out->uri = sv_trim(out->uri);
	out->params = from(value, find_outside(value, ';'));
	return balanced;
}

struct sv sip_uri_user(struct sv uri)
{
	struct sv user;
	const char *at;

	if (uri.n && uri.p[0] == '<') /* RFC 4475 ltgtruri */
		uri = from(uri, 1);
	if (sv_starts_nocase(uri, SV("tel:"))) {
		uri = from(uri, 4);
		user = sv_cut(&uri, ';');
		return user.n && user.p[user.n - 1] == '>'
			       ? (struct sv){user.p, user.n - 1}
			       : user;
	}
	if (sv_starts_nocase(uri, SV("sip:")))
		uri = from(uri, 4);
	else if (sv_starts_nocase(uri, SV("sips:")))
		uri = from(uri, 5);
	else
		return SV("");
	at = uri.n ? memchr(uri.p, '@', uri.n) : NULL;
	if (!at)
		return SV("");
	uri.n = (size_t)(at - uri.p);
	user = sv_cut(&uri, ';');
	return sv_cut(&user, ':');
}

struct sv sip_header_user(struct sv header)
{
	struct sip_addr addr;

	sip_addr(sip_next_value(&header), &addr);
	return sip_uri_user(addr.uri);
}

static struct sv unquote(struct sv s)
{
	size_t i;

	if (s.n == 0 || s.p[0] != '"')
		return s;
	for (i = 1; i < s.n && s.p[i] != '"'; i++)
		if (s.p[i] == '\\')
			i++;
	return (struct sv){s.p + 1, (i < s.n ? i : s.n) - 1};
}

bool sip_param(struct sv params, struct sv name, struct sv *value)
{
	size_t at = find_outside(params, ';');

	while (at < params.n) {
		struct sv one;

		params = from(params, at + 1);
		at = find_outside(params, ';');
		one = (struct sv){params.p, at};
		if (!sv_eq_nocase(sv_trim(sv_cut(&one, '=')), name))
			continue;
		*value = unquote(sv_trim(one));
		return true;
	}
	*value = SV("");
	return false;
}

struct sv sip_tag(struct sv header)
{
	struct sip_addr addr;
	struct sv tag;

	sip_addr(header, &addr);
	sip_param(addr.params, SV("tag"), &tag);
	return tag;
}

struct sv sip_branch(struct sv via)
{
	struct sv branch;

	sip_param(sip_next_value(&via), SV("branch"), &branch);
	return branch;
}

struct sv sip_digest_user(struct sv authorization)
{
	struct sv scheme = SV("Digest");
	struct sv list, one;

	if (!sv_starts_nocase(authorization, scheme))
		return SV("");
	list = from(authorization, scheme.n);
	for (one = sip_next_value(&list); one.n; one = sip_next_value(&list))
		if (sv_eq_nocase(sv_trim(sv_cut(&one, '=')), SV("username")))
			return unquote(sv_trim(one));
	return SV("");
}

unsigned sip_q850(struct sv reason)
{
	for (;;) {
		struct sv one = sip_next_value(&reason), text;
		struct sv protocol = {one.p, find_outside(one, ';')};
		uint32_t cause;

		if (one.n == 0)
			return 0;
		if (sv_eq_nocase(sv_trim(protocol), SV("Q.850")) &&
		    sip_param(one, SV("cause"), &text) &&
		    sv_u32(text, &cause) && cause <= 127)
			return cause;
	}
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The next character of a user part, %-decoded; *s moves past it. */
static char decode(struct sv *s)
{
	char c = s->p[0];
	size_t used = 1;

	if (c == '%' && s->n >= 3 && hex_digit(s->p[1]) >= 0 &&
	    hex_digit(s->p[2]) >= 0) {
		c = (char)(hex_digit(s->p[1]) << 4 | hex_digit(s->p[2]));
		used = 3;
	}
	*s = from(*s, used);
	return c >= ' ' && c <= '~' ? c : '?';
}

static bool is_separator(char c)
{
	return c == '-' || c == '.' || c == '(' || c == ')' || c == ' ';
}

static bool is_dialled(char c)
{
	return (c >= '0' && c <= '9') || c == '+' || c == '*' || c == '#';
}

struct sv sip_user_text(struct sv user, char out[SIP_USER_MAX], bool *cut)
{
	bool number = true;
	size_t n = 0, kept = 0;

	while (user.n && n < SIP_USER_MAX) {
		char c = decode(&user);

		number = number && (is_dialled(c) || is_separator(c));
		out[n++] = c;
	}
	*cut = user.n > 0;
	if (!number)
		return (struct sv){out, n};
	for (size_t i = 0; i < n; i++)
		if (!is_separator(out[i]))
			out[kept++] = out[i];
	return (struct sv){out, kept};
}
