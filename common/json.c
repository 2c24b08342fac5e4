/* SPDX-License-Identifier: Apache-2.0 */
#include "common/json.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/money.h"
#include "common/utf8.h"

void json_reset(struct json *j)
{
	j->n = 0;
	j->comma = false;
}

void json_free(struct json *j)
{
	free(j->p);
	*j = (struct json){0};
}

/* Room for n more bytes; returns where they go. */
static char *room(struct json *j, size_t n)
{
	if (n > j->cap - j->n) {
		size_t cap = j->cap ? j->cap : 1024;

		while (cap - j->n < n)
			cap *= 2;
		j->p = xrealloc(j->p, cap, 1);
		j->cap = cap;
	}
	return j->p + j->n;
}

static void put(struct json *j, const char *p, size_t n)
{
	if (n == 0)
		return;
	memcpy(room(j, n), p, n);
	j->n += n;
}

static void put_char(struct json *j, char c)
{
	*room(j, 1) = c;
	j->n++;
}

/* Every value comes through here first. */
static void separate(struct json *j)
{
	if (j->comma)
		put_char(j, ',');
	j->comma = true;
}

void json_open(struct json *j, char bracket)
{
	separate(j);
	put_char(j, bracket);
	j->comma = false;
}

void json_close(struct json *j, char bracket)
{
	put_char(j, bracket);
	j->comma = true;
}

void json_key(struct json *j, const char *key)
{
	size_t n = strlen(key);
	char *p;

	separate(j);
	p = room(j, n + 3);
	p[0] = '"';
	memcpy(p + 1, key, n);
	p[n + 1] = '"';
	p[n + 2] = ':';
	j->n += n + 3;
	j->comma = false;
}

/* Length of the longest beginning that may stand in a string as it is. */
static size_t plain(struct sv s)
{
	size_t i = 0;

	while (i < s.n) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
			break;
		i++;
	}
	return i;
}

static void put_escape(struct json *j, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char u[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
	/* clang-format off */
	char two = c == '"' || c == '\\' ? (char)c :
		   c == '\n' ? 'n' : c == '\t' ? 't' : c == '\r' ? 'r' : 0;
	/* clang-format on */

	if (!two) {
		put(j, u, sizeof(u));
		return;
	}
	put_char(j, '\\');
	put_char(j, two);
}

void json_str(struct json *j, struct sv s)
{
	separate(j);
	put_char(j, '"');
	while (s.n) {
		size_t n = plain(s);

		put(j, s.p, n);
		s = (struct sv){s.p + n, s.n - n};
		if (s.n == 0)
			break;
		n = utf8_size(s);
		if (n == 0) {
			put(j, "\xef\xbf\xbd", 3);
			n = 1;
		} else if (n == 1) {
			put_escape(j, (unsigned char)s.p[0]);
		} else {
			put(j, s.p, n);
		}
		s = (struct sv){s.p + n, s.n - n};
	}
	put_char(j, '"');
}

void json_str_or_null(struct json *j, struct sv s)
{
	if (s.n)
		json_str(j, s);
	else
		json_none(j);
}

void json_int(struct json *j, int64_t v)
{
	char text[20];
	size_t at = sizeof(text);
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

	separate(j);
	do {
		text[--at] = (char)('0' + u % 10);
		u /= 10;
	} while (u);
	if (v < 0)
		text[--at] = '-';
	put(j, text + at, sizeof(text) - at);
}

void json_bool(struct json *j, bool v)
{
	json_raw(j, v ? SV("true") : SV("false"));
}

void json_none(struct json *j)
{
	json_raw(j, SV("null"));
}

void json_raw(struct json *j, struct sv already_json)
{
	separate(j);
	put(j, already_json.p, already_json.n);
}

void json_time(struct json *j, int64_t us)
{
	char text[TIME_TEXT];

	if (us == 0) {
		json_none(j);
		return;
	}
	time_text(us, text);
	json_str(j, sv_of(text));
}

void json_money(struct json *j, int64_t micropence)
{
	char text[MONEY_TEXT];

	money_text(micropence, text);
	json_str(j, sv_of(text));
}

void json_line(struct json *j, FILE *out)
{
	put_char(j, '\n');
	fwrite(j->p, 1, j->n, out);
	json_reset(j);
}
