/* SPDX-License-Identifier: Apache-2.0 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "alerter/config_inside.h"
#include "common/clock.h"
#include "common/utf8.h"

enum { SECRET_MIN = 24, SECRET_MAX = 64, LOCAL_TEXT = 16 };

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9');
}

/*
 * Nothing that ends a header or a line: C0, DEL, the C1 controls (of which
 * NEL is a line end) and U+2028, U+2029.
 */
static bool one_line(struct sv s)
{
	const unsigned char *p = (const unsigned char *)s.p;

	for (size_t i = 0; i < s.n; i++) {
		if (p[i] < 0x20 || p[i] == 0x7f)
			return false;
		if (i + 1 < s.n && p[i] == 0xc2 && p[i + 1] < 0xa0)
			return false;
		if (i + 2 < s.n && p[i] == 0xe2 && p[i + 1] == 0x80 &&
		    (p[i + 2] == 0xa8 || p[i + 2] == 0xa9))
			return false;
	}
	return utf8_valid(s);
}

bool shape_line(const struct conf_node *n, struct sv text, void *field,
		struct err *e)
{
	if (!one_line(text))
		return err_set(e, "line ends and control characters are not "
				  "accepted here");
	return conf_str(n, text, field, e);
}

/* Letters, digits, '.' and '-', none of the last two at an end. */
static bool host_name(struct sv s)
{
	if (s.n == 0 || s.n > 253)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		bool mark = s.p[i] == '.' || s.p[i] == '-';

		if (!mark && !is_alnum(s.p[i]))
			return false;
		if (mark && (i == 0 || i + 1 == s.n || s.p[i - 1] == '.'))
			return false;
	}
	return true;
}

/* The dot-atom of RFC 5322 3.2.3: no quotes, no comments, no space. */
static bool mailbox(struct sv s)
{
	static const char marks[] = "!#$%&'*+-/=?^_`{|}~.";

	if (s.n == 0 || s.n > 64 || s.p[0] == '.' || s.p[s.n - 1] == '.')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!is_alnum(s.p[i]) &&
		    !memchr(marks, s.p[i], sizeof(marks) - 1))
			return false;
		if (i > 0 && s.p[i] == '.' && s.p[i - 1] == '.')
			return false;
	}
	return true;
}

bool shape_email(const struct conf_node *n, struct sv text, void *field,
		 struct err *e)
{
	struct sv domain = text;
	struct sv local = sv_cut(&domain, '@');

	if (!mailbox(local) || !host_name(domain))
		return err_set(e, "want an address like alex@example.com, "
				  "without name or brackets");
	return conf_str(n, text, field, e);
}

bool shape_phone(const struct conf_node *n, struct sv text, void *field,
		 struct err *e)
{
	/* ITU-T E.164: fifteen digits at most */
	bool ok = text.n >= 9 && text.n <= 16 && text.p[0] == '+';

	for (size_t i = 1; ok && i < text.n; i++)
		ok = text.p[i] >= '0' && text.p[i] <= '9';
	if (!ok)
		return err_set(e, "want a number like +447700900101");
	return conf_str(n, text, field, e);
}

/* host, host:port, [::1]:port; *rest is what follows, from '/' or '?' on. */
static bool authority(struct sv s, struct sv *rest)
{
	struct sv host, port;
	uint32_t v;
	size_t n = 0;

	while (n < s.n && s.p[n] != '/' && s.p[n] != '?' && s.p[n] != '#')
		n++;
	*rest = (struct sv){s.p + n, s.n - n};
	port = (struct sv){s.p, n};
	if (n > 0 && s.p[0] == '[') {
		host = sv_cut(&port, ']');
		if (host.n < 3 || (port.n && port.p[0] != ':'))
			return false;
		for (size_t i = 1; i < host.n; i++)
			if (!is_alnum(host.p[i]) && host.p[i] != ':' &&
			    host.p[i] != '.')
				return false;
		if (port.n == 0)
			return host.p + host.n < s.p + n;
		port.p++;
		port.n--;
		return sv_u32(port, &v) && v > 0 && v < 65536;
	}
	host = sv_cut(&port, ':');
	if (!host_name(host))
		return false;
	return host.n == n || (sv_u32(port, &v) && v > 0 && v < 65536);
}

static bool skip(struct sv *s, struct sv prefix)
{
	if (!sv_starts(*s, prefix))
		return false;
	*s = (struct sv){s->p + prefix.n, s->n - prefix.n};
	return true;
}

bool shape_relay(const struct conf_node *n, struct sv text, void *field,
		 struct err *e)
{
	struct sv s = text, rest;

	if ((!skip(&s, SV("smtp://")) && !skip(&s, SV("smtps://"))) ||
	    !authority(s, &rest) || rest.n > 0)
		return err_set(e, "want smtp://host:25 or smtps://host:465; "
				  "user and password have keys of their own");
	return conf_str(n, text, field, e);
}

bool shape_url(const struct conf_node *n, struct sv text, void *field,
	       struct err *e)
{
	struct sv s = text, rest;

	if ((!skip(&s, SV("https://")) && !skip(&s, SV("http://"))) ||
	    !authority(s, &rest))
		return err_set(e, "want https://host/path without user and "
				  "password");
	for (size_t i = 0; i < rest.n; i++) {
		unsigned char c = (unsigned char)rest.p[i];

		if (c <= 0x20 || c >= 0x7f || strchr("\"<>\\^`{|}#", c))
			return err_set(e, "a URL has no spaces, quotes, '#' "
					  "or letters beyond ASCII: write "
					  "them as %%XX");
	}
	return conf_str(n, text, field, e);
}

/* Standard Webhooks 1.0.0 */
bool shape_secret(struct sv s)
{
	unsigned char key[SECRET_MAX];
	const char *end;
	size_t n;
	bool ok;

	if (!skip(&s, SV("whsec_")))
		return false;
	ok = sodium_base642bin(key, sizeof(key), s.p, s.n, NULL, &n, &end,
			       sodium_base64_VARIANT_ORIGINAL) == 0 &&
	     end == s.p + s.n && n >= SECRET_MIN;
	sodium_memzero(key, sizeof(key));
	return ok;
}

static bool local_us(const char *text, int64_t *us)
{
	char stamp[LOCAL_TEXT + sizeof("Z")];

	snprintf(stamp, sizeof(stamp), "%sZ", text);
	return time_parse(sv_of(stamp), us);
}

bool shape_local(const struct conf_node *n, struct sv text, void *field,
		 struct err *e)
{
	int64_t us;

	if (text.n != LOCAL_TEXT || !local_us(text.p, &us))
		return err_set(e,
			       "want a local time like 2026-01-05 17:30, "
			       "got '%.*s'",
			       SV_ARG(text));
	return conf_str(n, text, field, e);
}

int64_t shape_local_s(const char *text)
{
	int64_t us = 0;

	return local_us(text, &us) ? us / SEC_US : 0;
}
