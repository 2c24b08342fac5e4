/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/cdr/reader.h"

#include <errno.h>
#include <stdlib.h>

#include "collector/cdr/asterisk.h"
#include "common/clock.h"
#include "common/mem.h"

#define YEAR_2025_US (INT64_C(1735689600) * SEC_US)

enum {
	BUFFER = 1 << 18,
	LINE_MAX_BYTES = 1 << 16, /* longer ones are refused */
};

struct cdr_reader {
	struct cdr_reader_opts o;
	FILE *in;
	bool asterisk;
	bool known; /* the format is decided, the header read */
	bool ended; /* the file gave no more bytes */
	bool skip;  /* inside of a line that is too long */
	size_t at;  /* of what is not read yet, up to n */
	size_t n;
	uint64_t offset; /* of buf[at] in the file */
	uint64_t line;	 /* lines before it */
	struct profile_map map;
	struct csv_row row;
	char buf[BUFFER];
};

/* Move what is left to the front and read more.  False: nothing came. */
static bool fill(struct cdr_reader *r)
{
	size_t got;

	if (r->at > 0) {
		memmove(r->buf, r->buf + r->at, r->n - r->at);
		r->n -= r->at;
		r->at = 0;
	}
	clearerr(r->in);
	got = fread(r->buf + r->n, 1, sizeof(r->buf) - r->n, r->in);
	r->n += got;
	return got > 0;
}

static void take(struct cdr_reader *r, size_t n, unsigned lines)
{
	r->at += n;
	r->offset += n;
	r->line += lines;
}

/* Bytes of the physical line at the front with its end; 0 = none yet. */
static size_t line_size(const struct cdr_reader *r)
{
	const char *end = memchr(r->buf + r->at, '\n', r->n - r->at);

	if (end)
		return (size_t)(end - (r->buf + r->at)) + 1;
	return r->ended && r->o.finite ? r->n - r->at : 0;
}

/* Refuse the line at the front, or as much of it as there is. */
static void refuse_line(struct cdr_reader *r, enum cdr_rc rc)
{
	size_t n = line_size(r);

	if (!r->skip)
		rejects_add(r->o.rejects, r->o.path, r->line + 1, rc);
	r->skip = n == 0;
	take(r, n > 0 ? n : r->n - r->at, n > 0);
}

/* Refuse the record up to the line whose quote is open, and no row after. */
static void refuse_quote(struct cdr_reader *r)
{
	rejects_add(r->o.rejects, r->o.path, r->line + r->row.lines, CDR_QUOTE);
	take(r, r->row.used, r->row.lines);
}

enum cut { CUT_ROW, CUT_MORE, CUT_REFUSED };

static enum cut cut_line(struct cdr_reader *r)
{
	size_t n = line_size(r);

	if (r->skip || n > LINE_MAX_BYTES ||
	    (n == 0 && r->n - r->at > LINE_MAX_BYTES)) {
		if (n == 0 && r->n == r->at)
			return CUT_MORE;
		refuse_line(r, CDR_LONG);
		return CUT_REFUSED;
	}
	if (n == 0)
		return CUT_MORE;
	switch (csv_next(r->buf + r->at, n, ',', true, &r->row)) {
	case CSV_OK:
		/* a lone CR may be the line end: then there is more behind */
		take(r, r->row.used, r->row.lines);
		return CUT_ROW;
	case CSV_FIELDS:
		refuse_line(r, CDR_COLUMNS);
		return CUT_REFUSED;
	default:
		refuse_line(r, CDR_QUOTE);
		return CUT_REFUSED;
	}
}

static enum cut cut_record(struct cdr_reader *r)
{
	size_t left = r->n - r->at;
	char separator = r->asterisk || r->o.detect || !r->o.profile
				 ? ','
				 : r->o.profile->separator;

	if (left == 0)
		return CUT_MORE;
	if (r->skip) {
		refuse_line(r, CDR_LONG);
		return CUT_REFUSED;
	}
	switch (csv_next(r->buf + r->at, left, separator,
			 r->ended && r->o.finite, &r->row)) {
	case CSV_OK:
		take(r, r->row.used, r->row.lines);
		return CUT_ROW;
	case CSV_FIELDS:
		refuse_line(r, CDR_COLUMNS);
		return CUT_REFUSED;
	case CSV_QUOTE:
		refuse_quote(r);
		return CUT_REFUSED;
	case CSV_END:
		return CUT_MORE;
	case CSV_PARTIAL:
		break;
	}
	if (left <= LINE_MAX_BYTES && !(r->ended && r->o.finite))
		return CUT_MORE;
	if (r->row.used > 0)
		refuse_quote(r);
	else
		refuse_line(r, r->ended ? CDR_QUOTE : CDR_LONG);
	return CUT_REFUSED;
}

/* The format by the first row: Asterisk's has its columns in their places,
 * any other is a header. */
static bool decide(struct cdr_reader *r, bool *is_header, struct err *e)
{
	const struct profile *p = r->o.profile;

	*is_header = false;
	r->known = true;
	if (r->o.detect) {
		r->asterisk = asterisk_looks_like(&r->row);
		p = &profile_csv;
	}
	if (r->asterisk)
		return true;
	*is_header = true;
	return profile_bind(p, &r->row, &r->map, e) ||
	       err_prefix(e, "%s", r->o.path);
}

static bool is_blank(const struct csv_row *row)
{
	return row->n == 0 || (row->n == 1 && sv_trim(row->field[0]).n == 0);
}

/*
 * A call that is yet to be: it would move the clock of its source there, and
 * what comes after would be too late.  A day is for zones and bad clocks; a
 * machine that does not know the time itself (no RTC) cannot tell.
 */
static bool is_ahead(const struct event *ev)
{
	int64_t now_us = clock_wall().us;
	int64_t limit_us = now_us + DAY_US;

	return now_us > YEAR_2025_US &&
	       (ev->setup_us > limit_us || ev->answer_us > limit_us ||
		ev->end_us > limit_us);
}

static bool make_event(struct cdr_reader *r, uint64_t line, struct event *ev)
{
	struct cdr_row row;
	enum cdr_rc rc;

	if (r->asterisk)
		rc = asterisk_row(r->o.clock, &r->row, &row);
	else
		rc = profile_row(&r->map, r->o.clock, &r->row, &row);
	if (rc == CDR_OK) {
		cdr_event(r->o.key, sv_of(r->o.source), &row, ev);
		resolve_cdr(r->o.resolver, &row, ev);
		/* refused further on it would be on nobody's list */
		if (event_check(ev) == EVENT_BAD_TIME)
			rc = CDR_START;
		else if (is_ahead(ev))
			rc = CDR_FUTURE;
	}
	if (rc != CDR_OK)
		rejects_add(r->o.rejects, r->o.path, line, rc);
	return rc == CDR_OK;
}

/* The next whole row, or why there is none. */
static enum reader_rc next_row(struct cdr_reader *r, struct err *e)
{
	for (;;) {
		bool by_line = r->asterisk || (r->o.detect && !r->known);
		enum cut cut = by_line ? cut_line(r) : cut_record(r);

		if (cut == CUT_ROW && !is_blank(&r->row))
			return READER_EVENT;
		if (cut != CUT_MORE)
			continue;
		if (!r->ended || !r->o.finite) {
			r->ended = !fill(r);
			if (!r->ended)
				continue;
			if (ferror(r->in)) {
				err_set(e, "%s: %s", r->o.path,
					strerror(errno));
				return READER_FAILED;
			}
			if (r->o.finite && r->n > r->at)
				continue;
		}
		return r->o.finite ? READER_END : READER_IDLE;
	}
}

enum reader_rc cdr_reader_next(struct cdr_reader *r, struct event *ev,
			       struct err *e)
{
	for (;;) {
		uint64_t line = r->line + 1;
		enum reader_rc rc = next_row(r, e);
		bool is_header;

		if (rc != READER_EVENT)
			return rc;
		/* refused lines may stand before it */
		line = r->line > line ? r->line - r->row.lines + 1 : line;
		if (!r->known) {
			if (!decide(r, &is_header, e))
				return READER_FAILED;
			if (is_header)
				continue;
		}
		if (make_event(r, line, ev))
			return READER_EVENT;
	}
}

/* A resumed file with a header: read that again, then go to the offset. */
static bool resume(struct cdr_reader *r, struct err *e)
{
	bool is_header = false;

	if (!r->asterisk || r->o.detect) {
		if (next_row(r, e) != READER_EVENT)
			return err_set(e, "%s: its header is gone", r->o.path);
		if (!decide(r, &is_header, e))
			return false;
	}
	if (fseeko(r->in, (off_t)r->o.offset, SEEK_SET) != 0)
		return err_set(e, "%s: %s", r->o.path, strerror(errno));
	r->known = true;
	r->ended = r->skip = false;
	r->at = r->n = 0;
	r->offset = r->o.offset;
	r->line = r->o.line;
	return true;
}

bool cdr_reader_new(struct cdr_reader **out, FILE *in,
		    const struct cdr_reader_opts *o, struct err *e)
{
	/* not zeroed: the buffer is large and is written before it is read */
	struct cdr_reader *r = xmalloc(sizeof(*r));

	memset(r, 0, offsetof(struct cdr_reader, buf));
	r->o = *o;
	r->in = in;
	r->asterisk = !o->detect && !o->profile;
	r->known = r->asterisk;
	if (o->offset > 0 && !resume(r, e)) {
		free(r);
		*out = NULL;
		return false;
	}
	*out = r;
	return true;
}

void cdr_reader_free(struct cdr_reader *r)
{
	if (!r)
		return;
	fclose(r->in);
	free(r);
}

uint64_t cdr_reader_offset(const struct cdr_reader *r)
{
	return r->offset;
}

uint64_t cdr_reader_line(const struct cdr_reader *r)
{
	return r->line;
}

int cdr_reader_fd(const struct cdr_reader *r)
{
	return fileno(r->in);
}
