/* SPDX-License-Identifier: Apache-2.0 */
#include "common/csv.h"

#include <stdint.h>
#include <string.h>

/*
 * Nothing is written before the end of the record is known: a record that is
 * still partial is read again from its first byte.  So the scan only marks
 * the fields that hold quotes, and unquote() rewrites them at the end.
 */
struct scan {
	char *text;
	size_t n;
	size_t at;
	char separator;
	unsigned lines;
	size_t resume; /* after the first line end in the quotes, 0 = none */
	unsigned resume_lines; /* up to there */
	bool torn; /* the quote that closed the field was an opening one */
	uint64_t quoted[CSV_FIELDS_MAX / 64]; /* bit set: unquote the field */
};

/* Step over one line end, CRLF as one. */
static void line_end(struct scan *s)
{
	bool crlf = s->text[s->at] == '\r' && s->at + 1 < s->n &&
		    s->text[s->at + 1] == '\n';

	s->at += crlf ? 2 : 1;
	s->lines++;
}

/* From the opening quote to after the closing one; false: not closed. */
static bool skip_quoted(struct scan *s)
{
	s->resume = 0;
	for (s->at++; s->at < s->n;) {
		char c = s->text[s->at];

		if (c == '\r' || c == '\n') {
			line_end(s);
			if (!s->resume) {
				s->resume = s->at;
				s->resume_lines = s->lines;
			}
		} else if (c != '"') {
			s->at++;
		} else if (s->at + 1 < s->n && s->text[s->at + 1] == '"') {
			s->at += 2;
		} else {
			s->at++;
			return true;
		}
	}
	return false;
}

static void skip_plain(struct scan *s)
{
	while (s->at < s->n) {
		char c = s->text[s->at];

		if (c == s->separator || c == '\n' || c == '\r')
			return;
		s->at++;
	}
}

/* Drop the quotes of a quoted field; what follows the closing quote is data
 * and moves up to it. */
static struct sv unquote(char *p, size_t n)
{
	size_t from = 1;
	size_t to = 0;

	while (from < n &&
	       (p[from] != '"' || (from + 1 < n && p[from + 1] == '"'))) {
		from += p[from] == '"';
		p[to++] = p[from++];
	}
	from++;
	if (from < n) {
		memmove(p + to, p + from, n - from);
		to += n - from;
	}
	return (struct sv){p, to};
}

static bool at_data(const struct scan *s)
{
	return s->at < s->n && s->text[s->at] != s->separator &&
	       s->text[s->at] != '\r' && s->text[s->at] != '\n';
}

/* One field; false: the text ends inside quotes, or they are torn. */
static bool next_field(struct scan *s, struct csv_row *row)
{
	size_t begin = s->at;
	bool quoted = s->at < s->n && s->text[s->at] == '"';

	if (quoted && !skip_quoted(s))
		return false;
	s->torn = quoted && s->resume && at_data(s);
	if (s->torn)
		return false;
	skip_plain(s);
	if (row->n < CSV_FIELDS_MAX) {
		row->field[row->n] =
			(struct sv){s->text + begin, s->at - begin};
		if (quoted)
			s->quoted[row->n / 64] |= UINT64_C(1) << row->n % 64;
	}
	row->n++;
	return true;
}

static enum csv_rc finish(struct scan *s, struct csv_row *row)
{
	bool fits = row->n <= CSV_FIELDS_MAX;

	row->used = s->at;
	row->lines = s->lines;
	row->n = fits ? row->n : CSV_FIELDS_MAX;
	for (size_t i = 0; i < row->n; i++)
		if (s->quoted[i / 64] >> i % 64 & 1)
			row->field[i] =
				unquote(s->text + (row->field[i].p - s->text),
					row->field[i].n);
	return fits ? CSV_OK : CSV_FIELDS;
}

enum csv_rc csv_next(char *text, size_t n, char separator, bool last,
		     struct csv_row *row)
{
	struct scan s = {.text = text, .n = n, .separator = separator};
	size_t begin;

	row->n = 0;
	row->used = 0;
	row->lines = 0;
	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		s.at = 3;
	if (s.at == n)
		return n == 0 || last ? CSV_END : CSV_PARTIAL;
	begin = s.at;
	for (;;) {
		if (!next_field(&s, row)) {
			row->used = s.resume;
			row->lines = s.resume_lines;
			return s.torn ? CSV_QUOTE : CSV_PARTIAL;
		}
		if (s.at == n || text[s.at] != separator)
			break;
		s.at++;
	}
	row->raw = (struct sv){text + begin, s.at - begin};
	/* A CR at the end of what we have may be half of a CRLF. */
	if (!last && (s.at == n || (text[s.at] == '\r' && s.at + 1 == n)))
		return CSV_PARTIAL;
	if (s.at < n)
		line_end(&s);
	return finish(&s, row);
}
