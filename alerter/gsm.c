/* SPDX-License-Identifier: Apache-2.0 */
#include "alerter/gsm.h"

#include <stdio.h>

#include "common/utf8.h"

enum { REPLACEMENT = 0xfffd };

/* The character at the front of *s, taken off it. */
static uint32_t next_char(struct sv *s)
{
	const unsigned char *p = (const unsigned char *)s->p;
	unsigned n = utf8_size(*s);
	uint32_t c = REPLACEMENT;

	if (n == 1)
		c = p[0];
	else if (n > 1)
		c = p[0] & (0xffU >> (n + 1));
	for (unsigned i = 1; i < n; i++)
		c = c << 6 | (p[i] & 0x3f);
	n = n ? n : 1;
	*s = (struct sv){s->p + n, s->n - n};
	return c;
}

static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 ||
	       c == 0x2029;
}

/* Marks that are not seen: directions, joiners, accents, tags. */
static bool is_unseen(uint32_t c)
{
	return c == 0xad || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
	       c == 0xfeff || (c >= 0xe0000 && c <= 0xe0fff);
}

static bool is_combining(uint32_t c)
{
	return (c >= 0x300 && c <= 0x36f) || (c >= 0xfe00 && c <= 0xfe0f);
}

/* ASCII that the alphabet lacks, or holds at the price of two. */
static char fold_ascii(uint32_t c)
{
	static const char from[] = "[]{}\\|^~`";
	static const char to[] = "()()//'-'";
	const char *at = strchr(from, (int)c);

	return at ? to[at - from] : (char)c;
}

static char fold_mark(uint32_t c)
{
	switch (c) {
	case 0xa0:
	case 0x202f:
		return ' ';
	case 0x2018:
	case 0x2019:
	case 0x201b:
		return '\'';
	case 0x201c:
	case 0x201d:
	case 0x201e:
		return '"';
	case 0x2010:
	case 0x2011:
	case 0x2013:
	case 0x2014:
	case 0x2212:
		return '-';
	case 0x2026:
		return '.';
	default:
		return '?';
	}
}

static char fold(uint32_t c)
{
	/* U+00C0..U+017F without their accents */
	static const char latin[] =
		"AAAAAAACEEEEIIIIDNOOOOOxOUUUUYTsaaaaaaaceeeeiiiidnooooo/"
		"ouuuuytyAaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIi"
		"IiIiJjKkkLlLlLlLlLlNnNnNnnNnOoOoOoOoRrRrRrSsSsSsSsTtTtTt"
		"UuUuUuUuUuUuWwYyYZzZzZzs";

	if (is_control(c))
		return ' ';
	if (c < 0x80)
		return fold_ascii(c);
	if (c >= 0xc0 && c < 0x180)
		return latin[c - 0xc0];
	if (c >= 0xff01 && c <= 0xff5e) /* full width */
		return fold_ascii(c - 0xff01 + '!');
	return fold_mark(c);
}

void gsm_fold(struct sv s, char *out, size_t size)
{
	size_t n = 0;

	while (s.n > 0 && n + 2 < size) {
		uint32_t c = next_char(&s);
		char f;

		if (is_unseen(c) || is_combining(c))
			continue;
		if (c == 0xa3) {
			out[n++] = '\xc2';
			out[n++] = '\xa3';
			continue;
		}
		f = fold(c);
		if ((f == ' ' || (f == '?' && c != '?')) &&
		    (n > 0 ? out[n - 1] == f : f == ' '))
			continue; /* one of a run, none in front */
		out[n++] = f;
	}
	while (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
}

size_t gsm_count(const char *text)
{
	return utf8_count(sv_of(text));
}

/* Bytes of the first k characters. */
static size_t bytes_of(struct sv s, size_t k)
{
	size_t n = s.n;

	while (k-- > 0 && s.n > 0)
		next_char(&s);
	return n - s.n;
}

void gsm_cut(const char *text, size_t max, char *out, size_t size)
{
	size_t count = gsm_count(text);
	size_t keep = max > 2 ? max - 2 : 0;
	size_t head, tail;

	if (count <= max) {
		snprintf(out, size, "%s", text);
		return;
	}
	head = bytes_of(sv_of(text), keep - keep / 2);
	tail = bytes_of(sv_of(text), count - keep / 2);
	snprintf(out, size, "%.*s..%s", (int)head, text, text + tail);
}

void gsm_clean(struct sv s, char *out, size_t size)
{
	size_t n = 0;

	while (s.n > 0) {
		struct sv rest = s;
		uint32_t c = next_char(&rest);
		struct sv as = {s.p, s.n - rest.n};

		s = rest;
		if (is_control(c))
			as = SV(" ");
		else if (is_unseen(c))
			continue;
		else if (c == REPLACEMENT)
			as = SV("\xef\xbf\xbd");
		if (as.n >= size - n)
			break;
		memcpy(out + n, as.p, as.n);
		n += as.n;
	}
	out[n] = '\0';
}
