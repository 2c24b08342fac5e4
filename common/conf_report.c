/* SPDX-License-Identifier: Apache-2.0 */
#include "common/conf_inside.h"

#include <stdarg.h>
#include <stdlib.h>

#include "common/json.h"
#include "common/mem.h"
#include "common/utf8.h"

enum {
	MESSAGE_MAX = 400,
	SHOWN_MAX = 160, /* columns of a line that are shown */
	SHOWN_BEFORE = 100,
};

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same(const struct conf_fault *a, const struct conf_fault *b)
{
	return a->severity == b->severity && a->at.line == b->at.line &&
	       a->at.col == b->at.col && same_text(a->file, b->file) &&
	       same_text(a->code, b->code) && same_text(a->hint, b->hint) &&
	       same_text(a->message, b->message);
}

/* Several programs look at one tree and find the same: kept once.  Past the
 * maximum they are only counted. */
static void record(struct conf *c, struct conf_fault *f, const char *fmt,
		   va_list ap)
{
	char text[MESSAGE_MAX];
	struct sv message;

	vsnprintf(text, sizeof(text), fmt, ap);
	message = sv_of(text);
	f->message = text;
	for (size_t i = 0; i < c->n_faults; i++)
		if (same(&c->fault[i], f))
			return;
	if (f->severity == CONF_ERROR)
		c->n_errors++;
	else
		c->n_warnings++;
	if (c->n_faults == CONF_FAULTS_MAX)
		return;
	f->message = conf_keep(c, message);
	f->file = conf_keep(c, sv_of(f->file));
	f->code = conf_keep(c, sv_of(f->code));
	f->text.p = conf_keep(c, f->text);
	if (f->hint)
		f->hint = conf_keep(c, sv_of(f->hint));
	c->fault[c->n_faults++] = *f;
}

static void record_node(struct conf *c, enum conf_severity severity,
			const struct conf_tree *t, const char *code,
			const char *hint, const char *fmt, va_list ap)
{
	const struct conf_tree *at = t ? t : c->root;
	struct conf_fault f = {.severity = severity,
			       .source = at->source,
			       .file = at->source->name,
			       .at = at->at,
			       .text = {"", 0},
			       .code = code,
			       .hint = hint};

	record(c, &f, fmt, ap);
}

void conf_error(struct conf *c, const struct conf_tree *at, const char *code,
		const char *hint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	record_node(c, CONF_ERROR, at, code, hint, fmt, ap);
	va_end(ap);
}

void conf_warn(struct conf *c, const struct conf_tree *at, const char *code,
	       const char *hint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	record_node(c, CONF_WARNING, at, code, hint, fmt, ap);
	va_end(ap);
}

void conf_fault_at(struct conf *c, enum conf_severity severity,
		   struct conf_source *s, struct conf_place at,
		   const char *code, const char *hint, const char *fmt, ...)
{
	struct conf_fault f = {.severity = severity,
			       .source = s,
			       .file = s->name,
			       .at = at,
			       .text = {"", 0},
			       .code = code,
			       .hint = hint};
	va_list ap;

	va_start(ap, fmt);
	record(c, &f, fmt, ap);
	va_end(ap);
}

void conf_error_at(struct conf *c, const char *file, unsigned line,
		   unsigned col, struct sv text, const char *code,
		   const char *hint, const char *fmt, ...)
{
	struct conf_fault f = {.severity = CONF_ERROR,
			       .file = file,
			       .at = {line, col ? col : 1, 1},
			       .text = text,
			       .code = code,
			       .hint = hint};
	va_list ap;

	va_start(ap, fmt);
	record(c, &f, fmt, ap);
	va_end(ap);
}

size_t conf_errors(const struct conf *c)
{
	return c->n_errors;
}

size_t conf_warnings(const struct conf *c)
{
	return c->n_warnings;
}

/* ---- secrets ---- */

static void hide_line(struct conf *c, struct conf_source *s, unsigned line,
		      unsigned col, unsigned width)
{
	struct conf_hidden *h = conf_alloc(c, sizeof(*h));

	h->at = (struct conf_place){line, col, width};
	h->next = s->hidden;
	s->hidden = h;
}

void conf_hide(struct conf *c, const struct conf_tree *t)
{
	bool one_line = t->end_line <= t->at.line;

	hide_line(c, t->source, t->at.line, t->at.col,
		  one_line ? t->at.width : UINT32_MAX);
	for (unsigned i = t->at.line + 1; i <= t->end_line; i++)
		hide_line(c, t->source, i, 1, UINT32_MAX);
}

static bool is_hidden(const struct conf_source *s, unsigned line, size_t col)
{
	const struct conf_hidden *h = s ? s->hidden : NULL;

	for (; h; h = h->next)
		if (h->at.line == line && col >= h->at.col &&
		    col - h->at.col < h->at.width)
			return true;
	return false;
}

/* ---- the report ---- */

/* One column for each character: what a terminal would act on, and bytes
 * that are no characters, become '?', a tab a space. */
static void put_char(struct sv s, unsigned size, FILE *out)
{
	unsigned char c = (unsigned char)s.p[0];

	if (c == '\t')
		fputc(' ', out);
	else if (size == 0 || c < 0x20 || c == 0x7f ||
		 (c == 0xc2 && (unsigned char)s.p[1] < 0xa0))
		fputc('?', out);
	else
		fwrite(s.p, 1, size, out);
}

static void put_clean(const char *text, FILE *out)
{
	struct sv s = sv_of(text);

	while (s.n) {
		unsigned size = utf8_size(s);

		put_char(s, size, out);
		size += size == 0;
		s = (struct sv){s.p + size, s.n - size};
	}
}

static struct sv line_of(const struct conf_fault *f)
{
	if (!f->source)
		return f->text;
	if (f->at.line == 0 || f->at.line > f->source->n_lines)
		return (struct sv){"", 0};
	return f->source->line[f->at.line - 1];
}

/* Characters written before the fault and for it. */
struct shown {
	size_t before;
	size_t under;
};

/* Columns from..to-1 of the line, a secret as one "â¦" however long it is; a
 * fault inside of it is at that. */
static struct shown put_columns(const struct conf_fault *f, struct sv line,
				size_t from, size_t to, FILE *out)
{
	size_t secret = SIZE_MAX;
	size_t at = f->at.col;
	struct shown s = {0, 0};
	size_t n = 0;
	bool hidden = false;

	if (line.n && f->source && f->source->broken)
		secret = conf_secret_col(f->source, f->at.line);
	for (size_t col = 1; line.n && col < to; col++) {
		unsigned size = utf8_size(line);
		bool was = hidden && col > from;

		hidden = col >= secret || is_hidden(f->source, f->at.line, col);
		if (col >= from && !(hidden && was)) {
			n++;
			if (hidden)
				fputs("\xe2\x80\xa6", out);
			else
				put_char(line, size, out);
		}
		if (col <= at)
			s.before = n - (n && col == at);
		if (col >= at && col - at < f->at.width)
			s.under = n - s.before;
		size += size == 0;
		line = (struct sv){line.p + size, line.n - size};
	}
	return s;
}

static void put_source(const struct conf_fault *f, FILE *out, bool colour)
{
	struct sv line = line_of(f);
	size_t count = utf8_count(line);
	size_t from = 1;
	size_t to;
	struct shown s;

	if (count > SHOWN_MAX && f->at.col > SHOWN_BEFORE)
		from = (f->at.col <= count ? f->at.col : count + 1) -
		       SHOWN_BEFORE;
	to = count - from + 1 > SHOWN_MAX ? from + SHOWN_MAX : count + 1;
	s = put_columns(f, line, from, to, out);
	fprintf(out, "\n%*s%s^", (int)s.before, "", colour ? "\033[32m" : "");
	for (size_t i = 1; i < s.under; i++)
		fputc('~', out);
	fputs(colour ? "\033[0m\n" : "\n", out);
}

static void put_text(const struct conf_fault *f, FILE *out, bool colour)
{
	bool error = f->severity == CONF_ERROR;

	if (colour)
		fputs("\033[1m", out);
	put_clean(f->file, out);
	fprintf(out, ":%u:%u: ", f->at.line, f->at.col);
	if (colour)
		fputs(error ? "\033[31m" : "\033[35m", out);
	fputs(error ? "error: " : "warning: ", out);
	if (colour)
		fputs("\033[0m", out);
	put_clean(f->message, out);
	fprintf(out, " (%s)\n", f->code);
	put_source(f, out, colour);
	if (f->hint) {
		fputs("  hint: ", out);
		put_clean(f->hint, out);
		fputc('\n', out);
	}
}

static void put_json(const struct conf_fault *f, struct json *j, FILE *out)
{
	json_open(j, '{');
	json_key(j, "file");
	json_str(j, sv_of(f->file));
	json_key(j, "line");
	json_int(j, f->at.line);
	json_key(j, "col");
	json_int(j, f->at.col);
	json_key(j, "severity");
	json_str(j, f->severity == CONF_ERROR ? SV("error") : SV("warning"));
	json_key(j, "code");
	json_str(j, sv_of(f->code));
	json_key(j, "message");
	json_str(j, sv_of(f->message));
	json_key(j, "hint");
	json_str_or_null(j, sv_of(f->hint ? f->hint : ""));
	json_close(j, '}');
	json_line(j, out);
}

static int by_place(const void *a, const void *b)
{
	const struct conf_fault *x = *(const struct conf_fault *const *)a;
	const struct conf_fault *y = *(const struct conf_fault *const *)b;
	int d = strcmp(x->file, y->file);

	if (d)
		return d;
	if (x->at.line != y->at.line)
		return x->at.line < y->at.line ? -1 : 1;
	if (x->at.col != y->at.col)
		return x->at.col < y->at.col ? -1 : 1;
	return x < y ? -1 : x > y; /* as they were found */
}

void conf_report(const struct conf *c, FILE *out, bool as_json, bool colour)
{
	const struct conf_fault **sorted =
		xcalloc(c->n_faults + 1, sizeof(*sorted));
	struct json j = {0};
	size_t all = c->n_errors + c->n_warnings;

	for (size_t i = 0; i < c->n_faults; i++)
		sorted[i] = &c->fault[i];
	qsort(sorted, c->n_faults, sizeof(*sorted), by_place);
	for (size_t i = 0; i < c->n_faults; i++) {
		if (as_json)
			put_json(sorted[i], &j, out);
		else
			put_text(sorted[i], out, colour);
	}
	if (all > c->n_faults && !as_json)
		fprintf(out, "and %zu more\n", all - c->n_faults);
	json_free(&j);
	free(sorted);
}

/* ---- did you mean ---- */

enum { NEAR_MAX = 48 }; /* longer names are not compared */

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/* Edits (insert, delete, replace, swap of neighbours) from a to b. */
static unsigned distance(struct sv a, struct sv b)
{
	unsigned d[3][NEAR_MAX + 1];

	for (unsigned j = 0; j <= b.n; j++)
		d[0][j] = j;
	for (unsigned i = 1; i <= a.n; i++) {
		unsigned *row = d[i % 3];
		const unsigned *up = d[(i + 2) % 3];
		const unsigned *up2 = d[(i + 1) % 3];

		row[0] = i;
		for (unsigned j = 1; j <= b.n; j++) {
			unsigned differ = a.p[i - 1] != b.p[j - 1];

			row[j] = min3(up[j] + 1, row[j - 1] + 1,
				      up[j - 1] + differ);
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] &&
			    a.p[i - 2] == b.p[j - 1] && up2[j - 2] + 1 < row[j])
				row[j] = up2[j - 2] + 1;
		}
	}
	return d[a.n % 3][b.n];
}

const char *conf_nearest(struct sv text, const char *const *names, size_t n)
{
	unsigned best = text.n / 3 > 2 ? (unsigned)text.n / 3 : 2;
	const char *found = NULL;

	if (text.n <= 3) /* two edits would make it anything */
		best = 1;
	if (text.n == 0 || text.n > NEAR_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		struct sv name = sv_of(names[i]);
		unsigned d;

		if (name.n > NEAR_MAX)
			continue;
		d = distance(text, name);
		if (d < best || (d == best && !found)) {
			best = d;
			found = names[i];
		}
	}
	return found;
}
