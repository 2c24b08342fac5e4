/* SPDX-License-Identifier: Apache-2.0 */
#include "alerter/channel/mime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/sv.h"
#include "common/utf8.h"

enum {
	LINE_MAX_QP = 76, /* RFC 2045 6.7, the soft break included */
	WORD_MAX = 50,	  /* of an encoded word: fits beside "Subject: " */
	ID_MAX = 128,
	ADDRESS_MAX = 254, /* RFC 5321 4.5.3.1 */
	LOCAL_MAX = 64,
};

/* ---- addresses ---- */

/* Letters and digits of ASCII, whatever the locale. */
static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

/* RFC 5322 atext, and the dot between atoms. */
static bool is_local(char c)
{
	return is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", c));
}

bool mail_address_ok(const char *address)
{
	const char *at = strchr(address, '@');
	size_t n = strlen(address);

	if (at == NULL || at == address || at[1] == '\0' || n > ADDRESS_MAX ||
	    at - address > LOCAL_MAX || at[1] == '-' || at[1] == '.')
		return false;
	for (const char *p = address; p < at; p++)
		if (!is_local(*p))
			return false;
	for (const char *p = at + 1; *p != '\0'; p++)
		if (!is_alnum(*p) && *p != '.' && *p != '-')
			return false;
	return true;
}

void mail_mask(char *text)
{
	char *out = text;
	char *word = text; /* in what is written: begin of a possible address */

	for (const char *p = text; *p != '\0'; p++) {
		char c = *p >= ' ' && *p <= '~' ? *p : '?';

		/* Three stars need the room of three letters at most. */
		if (c == '@' && out > word) {
			size_t keep = out - word >= 4 ? 1 : 0;
			size_t stars = (size_t)(out - word) - keep;

			if (stars > 3)
				stars = 3;
			memset(word + keep, '*', stars);
			out = word + keep + stars;
		}
		*out++ = c;
		if (!is_local(c))
			word = out;
	}
	*out = '\0';
}

/* ---- headers ---- */

static void put_address(FILE *f, const char *name, const char *address)
{
	fprintf(f, "%s: <%s>\r\n", name, address);
}

/* <id@domain>, as a dot-atom. */
static void put_id(FILE *f, const char *name, const char *id, const char *from)
{
	char prev = '.';

	fprintf(f, "%s: <", name);
	for (size_t i = 0; id[i] != '\0' && i < ID_MAX; i++) {
		bool ok = is_alnum(id[i]) || id[i] == '_' || id[i] == '-' ||
			  (id[i] == '.' && prev != '.' && id[i + 1] != '\0' &&
			   i + 1 < ID_MAX);

		prev = ok ? id[i] : '-';
		fputc(prev, f);
	}
	if (id[0] == '\0')
		fputc('-', f);
	fprintf(f, "%s>\r\n", strchr(from, '@'));
}

static void put_date(FILE *f, int64_t us)
{
	static const char day_name[][4] = {"Thu", "Fri", "Sat", "Sun",
					   "Mon", "Tue", "Wed"};
	static const char month_name[][4] = {"Jan", "Feb", "Mar", "Apr",
					     "May", "Jun", "Jul", "Aug",
					     "Sep", "Oct", "Nov", "Dec"};
	int64_t days;
	unsigned month, day;
	int year, s;

	if (us < 0)
		us = 0;
	days = us / DAY_US;
	s = (int)(us % DAY_US / SEC_US);
	civil_from_days(days, &year, &month, &day);
	fprintf(f, "Date: %s, %u %s %04d %02d:%02d:%02d +0000\r\n",
		day_name[days % 7], day, month_name[month - 1], year, s / 3600,
		s / 60 % 60, s % 60);
}

/* The next character: as it is, or U+FFFD for a byte that is not UTF-8. */
static struct sv take_char(const char **p)
{
	unsigned n = utf8_size(sv_of(*p));
	struct sv c = {*p, n};

	*p += n > 0 ? n : 1;
	return n > 0 ? c : SV("\xef\xbf\xbd");
}

static bool is_plain(const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if (s[i] < ' ' || s[i] > '~')
			return false;
	return n <= 60 && n > 0 && s[0] != ' ' && s[n - 1] != ' ' &&
	       strstr(s, "=?") == NULL;
}

/* RFC 2047: words of whole characters, folded between them. */
static void put_encoded(FILE *f, const char *s)
{
	size_t used = 0;

	fputs("=?UTF-8?Q?", f);
	while (*s != '\0') {
		struct sv c = take_char(&s);
		bool literal = c.n == 1 && is_alnum(c.p[0]);
		bool space = c.n == 1 &&
			     ((c.p[0] >= 0 && c.p[0] <= ' ') || c.p[0] == 0x7f);
		size_t need = literal || space ? 1 : 3 * c.n;

		if (used + need > WORD_MAX) {
			fputs("?=\r\n =?UTF-8?Q?", f);
			used = 0;
		}
		used += need;
		for (size_t i = 0; i < c.n; i++)
			if (literal || space)
				fputc(space ? '_' : c.p[i], f);
			else
				fprintf(f, "=%02X", (uint8_t)c.p[i]);
	}
	fputs("?=", f);
}

static void put_subject(FILE *f, const char *s)
{
	fputs("Subject: ", f);
	if (is_plain(s))
		fputs(s, f);
	else
		put_encoded(f, s);
	fputs("\r\n", f);
}

/* ---- text ---- */

struct qp {
	FILE *f;
	size_t column;
};

/* One character; a soft break before it when the line is full. */
static void put_qp(struct qp *q, struct sv c, bool literal)
{
	size_t need = literal ? c.n : 3 * c.n;

	if (q->column + need > LINE_MAX_QP - 1) {
		fputs("=\r\n", q->f);
		q->column = 0;
	}
	/* The relay's dot-stuffing and "From " of old mailboxes: not ours to
	 * suffer from. */
	if (q->column == 0 && (c.p[0] == '.' || c.p[0] == 'F')) {
		literal = false;
		need = 3;
	}
	q->column += need;
	for (size_t i = 0; i < c.n; i++)
		if (literal)
			fputc(c.p[i], q->f);
		else
			fprintf(q->f, "=%02X", (uint8_t)c.p[i]);
}

static void put_text(FILE *f, const char *s)
{
	struct qp q = {f, 0};

	while (*s != '\0') {
		struct sv c = take_char(&s);
		bool blank = c.p[0] == ' ' || c.p[0] == '\t';
		bool end = *s == '\0' || *s == '\n' || *s == '\r';

		if (c.p[0] == '\r' && *s == '\n')
			continue;
		if (c.p[0] == '\n' || c.p[0] == '\r') {
			fputs("\r\n", f);
			q.column = 0;
			continue;
		}
		if (c.n == 1 && !blank &&
		    ((c.p[0] >= 0 && c.p[0] < ' ') || c.p[0] == 0x7f))
			c = SV("?");
		put_qp(&q, c,
		       blank ? !end
			     : c.n == 1 && c.p[0] > ' ' && c.p[0] != '=');
	}
	if (q.column > 0)
		fputs("\r\n", f);
}

char *mail_build(const struct mail *m, size_t *n)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, n);

	if (f == NULL)
		abort(); /* out of memory, as xmalloc */
	put_date(f, m->date_us);
	put_address(f, "From", m->from);
	put_address(f, "To", m->to);
	put_subject(f, m->subject);
	put_id(f, "Message-ID", m->id, m->from);
	if (m->thread[0] != '\0' && strcmp(m->thread, m->id) != 0) {
		put_id(f, "In-Reply-To", m->thread, m->from);
		put_id(f, "References", m->thread, m->from);
	}
	fputs("Auto-Submitted: auto-generated\r\n"
	      "X-Priority: 1\r\n"
	      "MIME-Version: 1.0\r\n"
	      "Content-Type: text/plain; charset=utf-8\r\n"
	      "Content-Transfer-Encoding: quoted-printable\r\n"
	      "\r\n",
	      f);
	put_text(f, m->text);
	fputs(".\r\n", f);
	if (ferror(f) || fclose(f) != 0)
		abort();
	return text;
}
