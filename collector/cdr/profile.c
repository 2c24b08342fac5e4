/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/cdr/profile.h"

#include <stdlib.h>

#include "common/clock.h"

const char *const profile_field_name[PROFILE_FIELDS] = {
	"setup",   "answer", "end",	  "duration", "talk",
	"caller",  "callee", "account",	  "user",     "trunk",
	"call_id", "status", "direction",
};

const struct profile profile_csv = {
	.name = "csv",
	.separator = ',',
	.column = {"setup", "answer", "end", "duration", "talk", "caller",
		   "callee", "account", "user", "trunk", "call_id", "status",
		   "direction"},
	.time = "rfc3339",
};

static bool is_builtin(const struct profile *p)
{
	return p == &profile_csv;
}

static int16_t find_column(const struct csv_row *header, const char *name)
{
	for (size_t i = 0; i < header->n; i++)
		if (sv_eq_nocase(sv_trim(header->field[i]), sv_of(name)))
			return (int16_t)i;
	return -1;
}

static bool missing(const struct profile *p, const char *column, struct err *e)
{
	if (is_builtin(p))
		return err_set(e,
			       "the header has no column '%s': describe the "
			       "file under 'profiles:' and name it with "
			       "'as:' (or --as)",
			       column);
	return err_set(e,
		       "the header has no column '%s': correct profile '%s' "
		       "or the file's header line",
		       column, p->name);
}

/* Without its own identity list a row is known by who, whom and when. */
static void default_identity(struct profile_map *m)
{
	static const uint8_t fields[] = {FIELD_SETUP,  FIELD_CALLER,
					 FIELD_CALLEE, FIELD_TRUNK,
					 FIELD_END,    FIELD_DURATION};

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (m->field[fields[i]] >= 0)
			m->identity[m->n_identity++] = m->field[fields[i]];
}

bool profile_bind(const struct profile *p, const struct csv_row *header,
		  struct profile_map *out, struct err *e)
{
	*out = (struct profile_map){.profile = p};
	for (int i = 0; i < PROFILE_FIELDS; i++) {
		out->field[i] = -1;
		if (!p->column[i])
			continue;
		out->field[i] = find_column(header, p->column[i]);
		if (out->field[i] < 0 &&
		    (!is_builtin(p) || i == FIELD_SETUP || i == FIELD_CALLEE))
			return missing(p, p->column[i], e);
	}
	for (int i = 0; i < CDR_IDENTITY_MAX && p->identity[i]; i++) {
		int16_t at = find_column(header, p->identity[i]);

		if (at < 0)
			return missing(p, p->identity[i], e);
		out->identity[out->n_identity++] = at;
	}
	if (out->n_identity == 0)
		default_identity(out);
	if (out->field[FIELD_END] < 0 && out->field[FIELD_DURATION] < 0 &&
	    out->field[FIELD_TALK] < 0)
		return missing(p, "end' nor 'duration' nor 'talk", e);
	return true;
}

static struct sv get(const struct profile_map *m, const struct csv_row *in,
		     enum profile_field f)
{
	int16_t at = m->field[f];

	return at >= 0 ? sv_trim(in->field[at]) : (struct sv){NULL, 0};
}

/* Between 1 and most digits, as many as there are. */
static bool number(struct sv *s, unsigned most, int64_t *out)
{
	unsigned n = 0;

	*out = 0;
	while (n < most && n < s->n && s->p[n] >= '0' && s->p[n] <= '9')
		*out = *out * 10 + (s->p[n++] - '0');
	*s = (struct sv){s->p + n, s->n - n};
	return n > 0;
}

static bool month_name(struct sv *s, int64_t *month)
{
	static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";

	for (int i = 0; i < 12; i++) {
		if (!sv_starts_nocase(*s, (struct sv){names + 3 * i, 3}))
			continue;
		*month = i + 1;
		*s = (struct sv){s->p + 3, s->n - 3};
		return true;
	}
	return false;
}

/* Fraction of a second of up to nine digits. */
static bool fraction(struct sv *s, int64_t *us)
{
	size_t before = s->n;
	int64_t scale = SEC_US, v;

	if (!number(s, 9, &v))
		return false;
	for (size_t i = before - s->n; i > 6; i--)
		v /= 10;
	for (size_t i = 0; i < before - s->n && i < 6; i++)
		scale /= 10;
	*us = v * scale;
	return true;
}

struct clock_parts {
	int64_t year, month, day, hour, minute, second, us;
	bool pm, am;
};

static bool conversion(char c, struct sv *s, struct clock_parts *p)
{
	switch (c) {
	case 'Y':
		return number(s, 4, &p->year);
	case 'y':
		if (!number(s, 2, &p->year))
			return false;
		p->year += p->year < 70 ? 2000 : 1900;
		return true;
	case 'm':
		return number(s, 2, &p->month);
	case 'b':
		return month_name(s, &p->month);
	case 'd':
		return number(s, 2, &p->day);
	case 'H':
	case 'I':
		return number(s, 2, &p->hour);
	case 'M':
		return number(s, 2, &p->minute);
	case 'S':
		return number(s, 2, &p->second);
	case 'f':
		return fraction(s, &p->us);
	case 'p':
		p->pm = sv_starts_nocase(*s, SV("pm"));
		p->am = sv_starts_nocase(*s, SV("am"));
		*s = (struct sv){s->p + 2, s->n - (p->am || p->pm ? 2 : 0)};
		return p->am || p->pm;
	default:
		return false;
	}
}

static bool assemble(struct clock_parts *p, int64_t *local_us)
{
	int year;
	unsigned month, day;
	int64_t days;

	if ((p->pm || p->am) && p->hour > 12)
		return false;
	if (p->pm && p->hour < 12)
		p->hour += 12;
	if (p->am && p->hour == 12)
		p->hour = 0;
	if (p->year < 1970 || p->year > 2099 || p->month < 1 || p->month > 12 ||
	    p->day < 1 || p->day > 31 || p->hour > 23 || p->minute > 59 ||
	    p->second > 60)
		return false;
	days = days_from_civil((int)p->year, (unsigned)p->month,
			       (unsigned)p->day);
	civil_from_days(days, &year, &month, &day);
	if (month != p->month) /* 30 February */
		return false;
	*local_us = days * DAY_US + p->hour * HOUR_US + p->minute * MIN_US +
		    p->second * SEC_US + p->us;
	return true;
}

bool profile_time(const char *format, struct sv text, int64_t *local_us)
{
	struct clock_parts p = {.day = 1};

	for (const char *f = format; *f; f++) {
		if (*f == '%' && f[1] && f[1] != '%') {
			if (!conversion(*++f, &text, &p))
				return false;
			continue;
		}
		f += *f == '%' && f[1] == '%';
		if (text.n == 0 || text.p[0] != *f)
			return false;
		text = (struct sv){text.p + 1, text.n - 1};
	}
	return text.n == 0 && assemble(&p, local_us);
}

bool profile_time_check(const char *format, struct err *e)
{
	static const char *const word[] = {"epoch", "epoch-ms", "rfc3339"};
	bool date = false;

	for (size_t i = 0; i < ARRAY_LEN(word); i++)
		if (strcmp(format, word[i]) == 0)
			return true;
	for (const char *f = format; *f; f++) {
		if (*f != '%')
			continue;
		if (*++f == '\0' || !strchr("YymbdHIMSfp%", *f))
			return err_set(e,
				       "'%s': want epoch, epoch-ms, rfc3339 or "
				       "a format of %%Y %%m %%d %%H %%M %%S "
				       "(%%y %%b %%I %%p %%f %%%%)",
				       format);
		date |= *f == 'd';
	}
	return date || err_set(e, "'%s' has no day (%%d)", format);
}

enum time_rc { TIME_NONE, TIME_LOCAL, TIME_UTC, TIME_BAD };

static bool epoch(struct sv text, int64_t unit, int64_t *us)
{
	struct sv whole = sv_cut(&text, '.');
	uint64_t v;

	*us = 0;
	if (!sv_u64(whole, &v) || v > (uint64_t)(INT64_MAX / 2 / unit))
		return false;
	if (text.n > 0 && (!fraction(&text, us) || text.n > 0))
		return false;
	*us = (int64_t)v * unit + *us * unit / SEC_US;
	return true;
}

/* One time column: UTC when it says so itself, else of the file's zone. */
static enum time_rc time_of(const struct profile *p, struct cdr_clock *clock,
			    struct sv text, int64_t *us)
{
	int64_t s;

	*us = 0;
	if (text.n == 0 || sv_eq(text, SV("0")) || sv_eq(text, SV("NULL")))
		return TIME_NONE;
	if (strcmp(p->time, "epoch") == 0)
		return epoch(text, SEC_US, us) ? TIME_UTC : TIME_BAD;
	if (strcmp(p->time, "epoch-ms") == 0)
		return epoch(text, 1000, us) ? TIME_UTC : TIME_BAD;
	if (cdr_local_time(clock, text, &s)) {
		*us = s * SEC_US;
		if (strcmp(p->time, "rfc3339") == 0 ||
		    strcmp(p->time, "%Y-%m-%d %H:%M:%S") == 0)
			return TIME_LOCAL;
	}
	if (strcmp(p->time, "rfc3339") == 0)
		return time_parse(text, us) ? TIME_UTC : TIME_BAD;
	return profile_time(p->time, text, us) ? TIME_LOCAL : TIME_BAD;
}

static bool seconds(const struct profile *p, struct sv text, int64_t *us)
{
	int64_t part[3] = {0, 0, 0};
	uint64_t v;

	*us = CDR_NO_SECONDS;
	if (text.n == 0)
		return true;
	if (p->duration == DURATION_MS) {
		if (!sv_u64(text, &v) || v > INT32_MAX * 1000ull)
			return false;
		*us = (int64_t)v * 1000;
		return true;
	}
	if (p->duration == DURATION_S)
		return epoch(text, SEC_US, us) && *us <= INT32_MAX * SEC_US;
	for (int i = 0; text.n > 0; i++) {
		struct sv cell = sv_cut(&text, ':');

		if (i == 3 || !sv_u64(cell, &v) || v > 999999)
			return false;
		part[0] = part[1];
		part[1] = part[2];
		part[2] = (int64_t)v;
	}
	*us = (part[0] * 3600 + part[1] * 60 + part[2]) * SEC_US;
	return *us <= INT32_MAX * SEC_US;
}

/* Times and lengths of a row in microseconds, 0 and CDR_NO_SECONDS = none. */
struct moments {
	int64_t start, answer, end, duration, talk;
	bool utc;
};

static enum cdr_rc moments(const struct profile_map *m, struct cdr_clock *clock,
			   const struct csv_row *in, struct moments *t)
{
	const struct profile *p = m->profile;
	enum time_rc start =
		time_of(p, clock, get(m, in, FIELD_SETUP), &t->start);
	enum time_rc answer =
		time_of(p, clock, get(m, in, FIELD_ANSWER), &t->answer);
	enum time_rc end = time_of(p, clock, get(m, in, FIELD_END), &t->end);

	if (start == TIME_NONE || start == TIME_BAD)
		return CDR_START;
	if (answer == TIME_BAD || (answer != TIME_NONE && answer != start))
		return CDR_ANSWER;
	if (end == TIME_BAD || (end != TIME_NONE && end != start))
		return CDR_END;
	if (!seconds(p, get(m, in, FIELD_DURATION), &t->duration) ||
	    !seconds(p, get(m, in, FIELD_TALK), &t->talk))
		return CDR_SECONDS;
	t->utc = start == TIME_UTC;
	return CDR_OK;
}

/*
 * What the file leaves out follows from the rest.  A file without an answer
 * column says by a talk time that the call was answered.
 */
static bool complete(const struct profile_map *m, struct moments *t)
{
	bool counts = m->field[FIELD_ANSWER] < 0 && t->talk > 0;

	if (t->end == 0 && t->duration >= 0)
		t->end = t->start + t->duration;
	else if (t->end == 0 && t->answer > 0 && t->talk >= 0)
		t->end = t->answer + t->talk;
	else if (t->end == 0 && t->talk >= 0)
		t->end = t->start + t->talk;
	if (counts && t->end > 0)
		t->answer = t->end - t->talk;
	return t->end > 0;
}

static int64_t whole(int64_t us)
{
	return us < 0 ? CDR_NO_SECONDS : us / SEC_US;
}

static enum cdr_rc put_times(struct cdr_clock *clock, const struct moments *t,
			     struct cdr_row *out)
{
	struct cdr_local local = {
		.start = t->start / SEC_US,
		.answer = t->answer / SEC_US,
		.end = t->end / SEC_US,
		.duration_s = whole(t->duration),
		.talk_s = whole(t->talk),
	};
	enum cdr_rc rc;

	if (t->utc) {
		out->setup_us = t->start;
		out->answer_us = t->answer;
		out->end_us = t->end;
		return CDR_OK;
	}
	rc = cdr_times(clock, &local, out);
	if (rc != CDR_OK)
		return rc;
	out->setup_us += t->start % SEC_US;
	out->end_us += t->end % SEC_US;
	if (t->answer > 0)
		out->answer_us += t->answer % SEC_US;
	return CDR_OK;
}

static void put_texts(const struct profile_map *m, const struct csv_row *in,
		      struct cdr_row *out)
{
	enum direction d = DIRECTION_NONE;

	out->caller = get(m, in, FIELD_CALLER);
	out->callee = get(m, in, FIELD_CALLEE);
	out->account = get(m, in, FIELD_ACCOUNT);
	out->user = get(m, in, FIELD_USER);
	out->src_peer = out->user;
	out->dst_peer = get(m, in, FIELD_TRUNK);
	out->call_id = get(m, in, FIELD_CALL_ID);
	direction_parse(get(m, in, FIELD_DIRECTION), &d);
	out->direction = (uint8_t)d;
	for (unsigned i = 0; i < m->n_identity; i++)
		out->identity[i] = in->field[m->identity[i]];
	out->n_identity = m->n_identity;
}

static bool has_columns(const struct profile_map *m, const struct csv_row *in)
{
	for (int i = 0; i < PROFILE_FIELDS; i++)
		if (m->field[i] >= (int)in->n)
			return false;
	for (unsigned i = 0; i < m->n_identity; i++)
		if (m->identity[i] >= (int)in->n)
			return false;
	return true;
}

enum cdr_rc profile_row(const struct profile_map *m, struct cdr_clock *clock,
			const struct csv_row *in, struct cdr_row *out)
{
	struct moments t = {0};
	enum cdr_rc rc;

	if (!has_columns(m, in))
		return CDR_COLUMNS;
	rc = moments(m, clock, in, &t);
	if (rc != CDR_OK)
		return rc;
	if (!complete(m, &t))
		return CDR_END;
	*out = (struct cdr_row){.talk_s = EVENT_NO_TALK};
	put_texts(m, in, out);
	if (out->caller.n == 0 && out->callee.n == 0)
		return CDR_NOBODY;
	if (!cdr_status(get(m, in, FIELD_STATUS), &out->status))
		return CDR_STATUS;
	rc = put_times(clock, &t, out);
	if (rc != CDR_OK)
		return rc;
	cdr_check(out, whole(t.duration), whole(t.talk));
	if (t.talk > 0 || (t.talk == 0 && out->answer_us > 0))
		out->talk_s = (int32_t)(t.talk / SEC_US);
	return CDR_OK;
}
