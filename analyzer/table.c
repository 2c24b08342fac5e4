/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/table.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/clock.h"

/* Of a field's first byte, from 1; after the end when it is not there. */
static unsigned place_of(const struct table *t, int at)
{
	struct sv f;

	if (at < 0 || (size_t)at >= t->row.n)
		return (unsigned)t->row.raw.n + 1;
	f = t->row.field[at];
	return (unsigned)(f.p - t->row.raw.p) + 1;
}

static void header_column(struct table *t, size_t at)
{
	struct sv name = sv_trim(t->row.field[at]);

	for (unsigned i = 0; t->names[i]; i++) {
		if (!sv_eq(name, sv_of(t->names[i])))
			continue;
		if (t->column[i] >= 0)
			conf_error_at(t->c, t->file, 1, place_of(t, (int)at),
				      t->row.raw, "duplicate-column", NULL,
				      "column '%s' is there twice",
				      t->names[i]);
		t->column[i] = (int)at;
	}
}

/* A column that is wanted and not there may be one that is misspelt. */
static void missing_column(struct table *t, const char *name)
{
	char hint[128] = "the first line names the columns";
	unsigned col = 1;

	for (size_t i = 0; i < t->row.n; i++) {
		struct sv head = sv_trim(t->row.field[i]);

		if (!conf_nearest(head, &name, 1))
			continue;
		snprintf(hint, sizeof(hint), "is '%.*s' meant to be '%s'?",
			 head.n < 40 ? (int)head.n : 40, head.p, name);
		col = place_of(t, (int)i);
	}
	conf_error_at(t->c, t->file, 1, col, t->row.raw, "missing-column", hint,
		      "no column '%s'", name);
}

static bool read_header(struct table *t, unsigned required)
{
	bool ok = true;

	for (size_t i = 0; i < t->row.n; i++)
		header_column(t, i);
	for (unsigned i = 0; i < required; i++) {
		if (t->column[i] >= 0)
			continue;
		missing_column(t, t->names[i]);
		ok = false;
	}
	return ok;
}

bool table_open(struct table *t, struct conf *c, const struct conf_tree *at,
		struct sv path, const char *const *names, unsigned required)
{
	memset(t, 0, sizeof(*t));
	t->c = c;
	t->names = names;
	for (unsigned i = 0; i < TABLE_COLUMNS; i++)
		t->column[i] = -1;
	t->text = conf_file(c, at, path, &t->n, &t->file);
	if (!t->text)
		return false;
	if (csv_next(t->text, t->n, ',', true, &t->row) != CSV_OK) {
		conf_error_at(c, t->file, 1, 1, SV(""), "no-header",
			      "the first line names the columns",
			      "no header line");
		return false;
	}
	t->at = t->row.used;
	t->next_line = 1 + t->row.lines;
	return read_header(t, required);
}

static void bad_row(struct table *t, enum csv_rc rc)
{
	struct sv rest = {t->text + t->at, t->n - t->at};

	rest = sv_cut(&rest, '\n');
	conf_error_at(t->c, t->file, t->line, 1, rest, "bad-row", NULL,
		      rc == CSV_FIELDS ? "more than %d fields"
				       : "a quote is never closed, or the row "
					 "has more than %d fields",
		      CSV_FIELDS_MAX);
}

bool table_next(struct table *t)
{
	enum csv_rc rc;

	do {
		t->line = t->next_line;
		rc = csv_next(t->text + t->at, t->n - t->at, ',', true,
			      &t->row);
		if (rc == CSV_END)
			return false;
		if (rc != CSV_OK) {
			bad_row(t, rc);
			return false;
		}
		t->at += t->row.used;
		t->next_line += t->row.lines;
	} while (sv_trim(t->row.raw).n == 0);
	return true;
}

struct sv table_get(const struct table *t, unsigned column)
{
	int at = t->column[column];

	if (at < 0 || (size_t)at >= t->row.n)
		return SV("");
	return sv_trim(t->row.field[at]);
}

void table_error(struct table *t, unsigned column, const char *code,
		 const char *hint, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	conf_error_at(t->c, t->file, t->line, place_of(t, t->column[column]),
		      t->row.raw, code, hint, "%s: %s", t->names[column], text);
}

bool table_date(struct table *t, unsigned column, int64_t *us)
{
	struct sv text = table_get(t, column);
	char whole[32];

	*us = 0;
	if (text.n == 0)
		return true;
	snprintf(whole, sizeof(whole), "%.*s 00:00", SV_ARG(text));
	if (text.n == 10 && time_parse(sv_of(whole), us))
		return true;
	table_error(t, column, "bad-date", "write 2026-03-31",
		    "'%.*s' is no date", SV_ARG(text));
	return false;
}
