/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/cdr/cdr.h"

#include <stdlib.h>

#include "common/clock.h"

enum {
	DAY_S = 86400,
	TIME_LEN = 19, /* "2026-01-17 02:24:05" */
	DATE_LEN = 10,
	STEP_BACK_S = 60, /* rows leave a switch nearly in order of their end */
	EPOCH_NEAR_S = 2,
	FIELD_MAX = 256, /* longer identity fields count by their hash */
	KEY_SEPARATOR = 0x1f,
};

const char *cdr_rc_text(enum cdr_rc rc)
{
	static const char *const text[CDR_RC_COUNT] = {
		"ok",
		"wrong number of columns",
		"a quoted field is not closed",
		"line too long",
		"no set-up time, or it is not a time",
		"the answer time is not a time",
		"no end time, or it is not a time",
		"duration or talk time is not a number of seconds",
		"unknown status",
		"neither caller nor callee",
		"time in the future",
	};

	return rc < CDR_RC_COUNT ? text[rc] : "?";
}

static void identity_key(const struct hash_key *k, const struct cdr_row *row,
			 uint8_t out[16])
{
	char buf[CDR_IDENTITY_MAX * (FIELD_MAX + 1)];
	size_t n = 0;

	for (unsigned i = 0; i < row->n_identity; i++) {
		struct sv f = row->identity[i];

		if (i > 0)
			buf[n++] = KEY_SEPARATOR;
		if (f.n > FIELD_MAX) {
			hash128(k, f.p, f.n, (uint8_t *)buf + n);
			n += 16;
		} else if (f.n > 0) {
			memcpy(buf + n, f.p, f.n);
			n += f.n;
		}
	}
	hash128(k, buf, n, out);
}

void cdr_event(const struct hash_key *k, struct sv source,
	       const struct cdr_row *row, struct event *ev)
{
	event_init(ev);
	ev->kind = EVENT_CALL;
	ev->phase = PHASE_END;
	if (row->call_id.n > 0)
		hash128(k, row->call_id.p, row->call_id.n, ev->key.b);
	else
		identity_key(k, row, ev->key.b);
	ev->setup_us = row->setup_us;
	ev->answer_us = row->answer_us;
	ev->end_us = row->end_us;
	ev->observed_us = row->end_us;
	ev->talk_s = row->talk_s;
	ev->status = row->status;
	ev->flags = row->flags;
	ev->direction = row->direction;
	EVENT_PUT(ev, source, source);
}

static bool two(const char *p, unsigned most, int64_t *out)
{
	unsigned a = (unsigned)(p[0] - '0'), b = (unsigned)(p[1] - '0');

	if (a > 9 || b > 9 || a * 10 + b > most)
		return false;
	*out = a * 10 + b;
	return true;
}

static bool date_seconds(const char *p, int64_t *out)
{
	static const uint8_t days[] = {31, 29, 31, 30, 31, 30,
				       31, 31, 30, 31, 30, 31};
	int64_t century, year, month, day;

	if (!two(p, 99, &century) || !two(p + 2, 99, &year) || p[4] != '-' ||
	    !two(p + 5, 12, &month) || p[7] != '-' || !two(p + 8, 31, &day) ||
	    month == 0 || day == 0 || day > days[month - 1])
		return false;
	year += century * 100;
	if (month == 2 && day == 29 &&
	    (year % 4 != 0 || (year % 100 == 0 && year % 400 != 0)))
		return false;
	if (year < 1970 || year > 2099)
		return false;
	*out = days_from_civil((int)year, (unsigned)month, (unsigned)day) *
	       DAY_S;
	return true;
}

bool cdr_local_time(struct cdr_clock *c, struct sv text, int64_t *local)
{
	const char *p = text.p;
	int64_t h, m, s;

	if (text.n != TIME_LEN || (p[10] != ' ' && p[10] != 'T'))
		return false;
	/* rows of one file share their date: convert it once */
	if (memcmp(c->date, p, DATE_LEN) != 0) {
		if (!date_seconds(p, &c->date_s)) {
			c->date[0] = '\0';
			return false;
		}
		memcpy(c->date, p, DATE_LEN);
	}
	if (!two(p + 11, 23, &h) || p[13] != ':' || !two(p + 14, 59, &m) ||
	    p[16] != ':' || !two(p + 17, 60, &s))
		return false;
	*local = c->date_s + h * 3600 + m * 60 + s;
	return true;
}

/* Instants of a local time, in *at; how many there are to choose from. */
static unsigned instants(struct cdr_clock *c, int64_t local, int64_t at[2],
			 uint32_t *flags)
{
	unsigned n;

	at[0] = at[1] = local;
	if (!c->zone || c->utc)
		return 1;
	n = zone_utc(c->zone, local, at);
	if (n != 1)
		*flags |= EVENT_LOCAL_TIME;
	return n == 2 ? 2 : 1;
}

/*
 * A switch may write UTC (cdr.conf: usegmtime=yes) although the source is
 * configured with a zone.  The id's epoch is absolute and shows it.
 */
static void learn_utc(struct cdr_clock *c, const struct cdr_local *t)
{
	int64_t at[2];

	if (!c->zone || t->epoch_s == 0)
		return;
	zone_utc(c->zone, t->start, at);
	if (llabs(at[0] - t->epoch_s) <= EPOCH_NEAR_S ||
	    llabs(at[1] - t->epoch_s) <= EPOCH_NEAR_S) {
		if (at[0] != t->start)
			c->utc = false;
	} else if (llabs(t->start - t->epoch_s) <= EPOCH_NEAR_S) {
		c->utc = true;
	}
}

/* Smaller is better; see struct cdr_clock. */
static int64_t misfit(const struct cdr_local *t, int64_t start, int64_t end)
{
	int64_t fit = end - start;

	if (t->duration_s >= 0)
		fit = llabs(fit - t->duration_s);
	else if (fit < 0)
		fit = DAY_S;
	if (t->epoch_s > 0)
		fit += llabs(start - t->epoch_s) * 4;
	return fit;
}

static void track_step(struct cdr_clock *c, int64_t local_end, bool twice)
{
	if (!twice) {
		c->second = false;
		c->last_end = 0;
		return;
	}
	if (c->last_end > local_end + STEP_BACK_S)
		c->second = true;
	c->last_end = local_end;
}

static void choose(struct cdr_clock *c, const struct cdr_local *t,
		   int64_t *start, int64_t *end, uint32_t *flags)
{
	int64_t s[2], e[2];
	int64_t best = INT64_MAX;
	unsigned n_s = instants(c, t->start, s, flags);
	unsigned n_e = instants(c, t->end, e, flags);

	track_step(c, t->end, n_e == 2);
	for (unsigned i = 0; i < n_s * n_e; i++) {
		/* the later reading first when the file has stepped back */
		unsigned k = c->second ? n_s * n_e - 1 - i : i;
		int64_t fit = misfit(t, s[k / n_e], e[k % n_e]);

		if (fit >= best)
			continue;
		best = fit;
		*start = s[k / n_e];
		*end = e[k % n_e];
	}
	if (n_e == 2 && *end == e[1])
		c->second = true;
}

enum cdr_rc cdr_times(struct cdr_clock *c, const struct cdr_local *t,
		      struct cdr_row *row)
{
	struct cdr_local local = *t;
	int64_t start = 0, end = 0, answer[2];

	if (local.end == 0) {
		if (local.duration_s < 0)
			return CDR_END;
		local.end = local.start + local.duration_s;
	}
	learn_utc(c, &local);
	c->in_utc += c->utc;
	choose(c, &local, &start, &end, &row->flags);
	row->setup_us = start * SEC_US;
	row->end_us = end * SEC_US;
	row->answer_us = 0;
	if (local.answer > 0) {
		int64_t want = local.talk_s >= 0 ? end - local.talk_s : start;

		if (instants(c, local.answer, answer, &row->flags) == 2 &&
		    llabs(answer[1] - want) < llabs(answer[0] - want))
			answer[0] = answer[1];
		row->answer_us = answer[0] * SEC_US;
	}
	return CDR_OK;
}

void cdr_check(struct cdr_row *row, int64_t duration_s, int64_t talk_s)
{
	int64_t up_s = (row->end_us - row->answer_us) / SEC_US;
	int64_t all_s = (row->end_us - row->setup_us) / SEC_US;
	bool bad = row->end_us < row->setup_us;

	if (row->answer_us > 0) {
		bad |= row->answer_us < row->setup_us ||
		       row->answer_us > row->end_us;
		bad |= talk_s >= 0 && llabs(up_s - talk_s) > 1;
	} else {
		bad |= talk_s > 0 || row->status == 200;
	}
	bad |= duration_s >= 0 && llabs(all_s - duration_s) > 1;
	bad |= duration_s >= 0 && talk_s > duration_s + 1;
	if (bad)
		row->flags |= EVENT_INCONSISTENT;
}

bool cdr_status(struct sv text, uint16_t *status)
{
	/* clang-format off */
	static const struct { const char *name; uint16_t status; } word[] = {
		{"ANSWERED",   200}, {"ANSWER",     200},
		{"NO ANSWER",  480}, {"NOANSWER",   480}, {"NO_ANSWER", 480},
		{"BUSY",       486}, {"FAILED",     503}, {"CONGESTION", 503},
		{"CANCEL",     487}, {"CANCELLED",  487}, {"UNKNOWN",      0},
	};
	/* clang-format on */
	uint32_t v;

	*status = 0;
	if (text.n == 0)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(word); i++) {
		if (sv_eq_nocase(text, sv_of(word[i].name))) {
			*status = word[i].status;
			return true;
		}
	}
	if (!sv_u32(text, &v) || v < 100 || v > 699)
		return false;
	*status = (uint16_t)v;
	return true;
}
