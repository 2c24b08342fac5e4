/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/calendar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/attr.h"
#include "common/clock.h"
#include "common/mem.h"

/*
 * Compiled in two steps.  First the zone: its offsets as periods,
 *
 *   from[i] : -inf | 2026-03-29 01:00Z | 2026-10-25 01:00Z ...
 *   off[i]  :   0  |       +3600       |        0
 *
 * found by asking glibc once a day and bisecting the days where the answer
 * differs.  Then every local day of the table adds its openings as UTC
 * intervals, which are sorted and merged: 22:00-06:00 on friday and
 * 06:00-12:00 on saturday are one opening of fourteen hours.
 */
struct zone {
	int64_t *from; /* seconds UTC; from[0] is unused: it always was */
	int32_t *off;
	size_t n;
};

struct calendar {
	int64_t *at; /* opens, closes, opens, ...; always even in number */
	int64_t *shut;
	size_t n;
	bool always; /* n = 0: open all the time, not never */
	struct zone zone;
	char *division;
	struct opening *opening;
	size_t n_opening;
	struct holiday *holiday; /* names owned */
	size_t n_holiday;
};

enum { DAY_S = 86400, DAY_MIN = 1440 };

/* ---- the zone ---- */

/* glibc takes an unknown name for UTC without a word, so look ourselves. */
static bool zone_exists(const char *name)
{
	const char *dir = getenv("TZDIR");
	char path[256];
	int n;

	if (name[0] == '\0' || name[0] == '/' || strstr(name, ".."))
		return false;
	if (strcmp(name, "UTC") == 0)
		return true;
	n = snprintf(path, sizeof(path), "%s/%s",
		     dir ? dir : "/usr/share/zoneinfo", name);
	return n > 0 && (size_t)n < sizeof(path) && access(path, R_OK) == 0;
}

static int32_t glibc_offset(int64_t s)
{
	time_t t = (time_t)s;
	struct tm tm;

	return localtime_r(&t, &tm) ? (int32_t)tm.tm_gmtoff : 0;
}

static void zone_add(struct zone *z, int64_t from, int32_t off)
{
	z->from = xrealloc(z->from, z->n + 1, sizeof(*z->from));
	z->off = xrealloc(z->off, z->n + 1, sizeof(*z->off));
	z->from[z->n] = from;
	z->off[z->n++] = off;
}

static void zone_scan(struct zone *z)
{
	int64_t t = days_from_civil(CALENDAR_FIRST_YEAR, 1, 1) * DAY_S - DAY_S;
	int64_t end = days_from_civil(CALENDAR_LAST_YEAR + 1, 1, 2) * DAY_S;
	int32_t off = glibc_offset(t);

	zone_add(z, INT64_MIN, off);
	for (; t < end; t += DAY_S) {
		int64_t lo = t;
		int64_t hi = t + DAY_S;

		if (glibc_offset(hi) == off)
			continue;
		while (hi - lo > 1) {
			int64_t mid = lo + (hi - lo) / 2;

			if (glibc_offset(mid) == off)
				lo = mid;
			else
				hi = mid;
		}
		off = glibc_offset(t + DAY_S);
		zone_add(z, hi, off);
	}
}

static bool zone_load(struct zone *z, const char *name, struct err *e)
{
	const char *now = getenv("TZ");
	char *old = now ? xstrdup(now) : NULL;

	if (!zone_exists(name)) {
		free(old);
		return err_set(e, "unknown time zone '%s'", name);
	}
	setenv("TZ", name, 1);
	tzset();
	zone_scan(z);
	if (old)
		setenv("TZ", old, 1);
	else
		unsetenv("TZ");
	tzset();
	free(old);
	return true;
}

/* Entries <= t of a sorted array. */
static size_t count_until(const int64_t *at, size_t n, int64_t t)
{
	size_t lo = 0;
	size_t hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (at[mid] <= t)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/*
 * The first period that local second l has not yet passed holds it, or lies
 * behind a gap that swallowed it; then the change itself is the instant.
 */
static int64_t zone_utc(const struct zone *z, int64_t l)
{
	size_t i = 0;

	while (i + 1 < z->n && l - z->off[i] >= z->from[i + 1])
		i++;
	return l - z->off[i] < z->from[i] ? z->from[i] : l - z->off[i];
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int32_t zone_offset(const struct zone *z, int64_t t_us)
{
	size_t i = count_until(z->from, z->n, floor_div(t_us, SEC_US));

	return z->off[i ? i - 1 : 0];
}

/* ---- compiling ---- */

static const struct holiday *find_holiday(const struct calendar *c, int64_t day)
{
	size_t lo = 0;
	size_t hi = c->n_holiday;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (c->holiday[mid].day == day)
			return &c->holiday[mid];
		if (c->holiday[mid].day < day)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* 0 = Monday; 1970-01-01 was a Thursday. */
static unsigned weekday(int64_t day)
{
	int64_t w = (day + 3) % 7;

	return (unsigned)(w < 0 ? w + 7 : w);
}

static unsigned length_min(const struct opening *o)
{
	unsigned more = o->until_min <= o->from_min ? DAY_MIN : 0;

	return o->until_min + more - o->from_min;
}

struct span {
	int64_t from;
	int64_t until;
};

struct spans {
	struct span table; /* what the spans are cut to */
	struct span *s;
	size_t n;
	size_t cap;
};

static void add_day(const struct calendar *c, int64_t day, struct spans *out)
{
	if (find_holiday(c, day))
		return;
	for (size_t i = 0; i < c->n_opening; i++) {
		const struct opening *o = &c->opening[i];
		int64_t l = day * DAY_S + o->from_min * 60;
		struct span s;

		if (!(o->days >> weekday(day) & 1))
			continue;
		s.from = zone_utc(&c->zone, l);
		s.until = zone_utc(&c->zone, l + length_min(o) * 60);
		s.from = s.from < out->table.from ? out->table.from : s.from;
		s.until =
			s.until > out->table.until ? out->table.until : s.until;
		if (s.from >= s.until) /* outside, or in a skipped hour */
			continue;
		if (out->n == out->cap) {
			out->cap = out->cap ? 2 * out->cap : 1024;
			out->s = xrealloc(out->s, out->cap, sizeof(*out->s));
		}
		out->s[out->n++] = s;
	}
}

static int by_from(const void *a, const void *b)
{
	const struct span *x = a;
	const struct span *y = b;

	return (x->from > y->from) - (x->from < y->from);
}

static size_t merge(struct span *s, size_t n)
{
	size_t out = 0;

	qsort(s, n, sizeof(*s), by_from);
	for (size_t i = 0; i < n; i++) {
		if (out && s[i].from <= s[out - 1].until) {
			if (s[i].until > s[out - 1].until)
				s[out - 1].until = s[i].until;
			continue;
		}
		s[out++] = s[i];
	}
	return out;
}

static void compile(struct calendar *c)
{
	int64_t first = days_from_civil(CALENDAR_FIRST_YEAR, 1, 1);
	int64_t last = days_from_civil(CALENDAR_LAST_YEAR, 12, 31);
	struct spans sp = {.table = {zone_utc(&c->zone, first * DAY_S),
				     zone_utc(&c->zone, (last + 1) * DAY_S)}};
	int64_t shut = 0;
	size_t n;

	for (int64_t day = first - 1; day <= last; day++)
		add_day(c, day, &sp);
	n = sp.n ? merge(sp.s, sp.n) : 0;
	c->always = n == 1 && sp.s[0].from == sp.table.from &&
		    sp.s[0].until == sp.table.until;
	if (!c->always)
		c->n = 2 * n;
	c->at = xcalloc(c->n + 1, sizeof(*c->at));
	c->shut = xcalloc(c->n + 1, sizeof(*c->shut));
	for (size_t i = 0; i < c->n / 2; i++) {
		c->at[2 * i] = sp.s[i].from * SEC_US;
		c->at[2 * i + 1] = sp.s[i].until * SEC_US;
		if (i)
			shut += c->at[2 * i] - c->at[2 * i - 1];
		c->shut[2 * i] = c->shut[2 * i + 1] = shut;
	}
	free(sp.s);
}

static void copy_spec(struct calendar *c, const struct calendar_spec *spec)
{
	c->division = spec->division ? xstrdup(spec->division) : NULL;
	c->n_opening = spec->n_opening;
	c->opening = xcalloc(spec->n_opening + 1, sizeof(*c->opening));
	for (size_t i = 0; i < spec->n_opening; i++)
		c->opening[i] = spec->opening[i];
	if (!spec->holiday)
		return;
	c->n_holiday = spec->n_holiday;
	c->holiday = xcalloc(spec->n_holiday + 1, sizeof(*c->holiday));
	for (size_t i = 0; i < spec->n_holiday; i++) {
		c->holiday[i].day = spec->holiday[i].day;
		c->holiday[i].name = xstrdup(spec->holiday[i].name);
	}
}

bool calendar_new(struct calendar **out, const struct calendar_spec *spec,
		  struct err *e)
{
	struct calendar *c;

	*out = NULL;
	for (size_t i = 0; i < spec->n_opening; i++)
		if (spec->opening[i].from_min > DAY_MIN ||
		    spec->opening[i].until_min > DAY_MIN)
			return err_set(e, "%s: a time is past 24:00",
				       spec->name);
	c = xcalloc(1, sizeof(*c));
	if (!zone_load(&c->zone, spec->timezone, e)) {
		calendar_free(c);
		return false;
	}
	copy_spec(c, spec);
	compile(c);
	*out = c;
	return true;
}

void calendar_free(struct calendar *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_holiday; i++)
		free((char *)c->holiday[i].name);
	free(c->holiday);
	free(c->opening);
	free(c->division);
	free(c->zone.from);
	free(c->zone.off);
	free(c->at);
	free(c->shut);
	free(c);
}

/* ---- asking ---- */

enum regime calendar_regime(const struct calendar *c, int64_t t_us)
{
	size_t i = count_until(c->at, c->n, t_us);

	return c->always || i % 2 ? REGIME_INSIDE : REGIME_OUTSIDE;
}

int64_t calendar_next(const struct calendar *c, int64_t t_us)
{
	size_t i = count_until(c->at, c->n, t_us);

	return i < c->n ? c->at[i] : INT64_MAX;
}

int64_t calendar_since(const struct calendar *c, int64_t t_us)
{
	size_t i = count_until(c->at, c->n, t_us);

	return i ? c->at[i - 1] : INT64_MIN;
}

/* Closed microseconds from at[0] to t, negative before it.  t is bounded so
 * that no difference overflows. */
static int64_t closed_until(const struct calendar *c, int64_t t)
{
	const int64_t far = INT64_MAX / 4;
	size_t i;

	if (c->always)
		return 0;
	t = t > far ? far : t < -far ? -far : t;
	if (c->n == 0)
		return t;
	i = count_until(c->at, c->n, t);
	if (i == 0)
		return t - c->at[0];
	return c->shut[i - 1] + (i % 2 ? 0 : t - c->at[i - 1]);
}

int64_t calendar_closed(const struct calendar *c, int64_t a_us, int64_t b_us)
{
	return a_us < b_us ? closed_until(c, b_us) - closed_until(c, a_us) : 0;
}

int32_t calendar_offset(const struct calendar *c, int64_t t_us)
{
	return zone_offset(&c->zone, t_us);
}

int64_t calendar_day(const struct calendar *c, int64_t t_us)
{
	int64_t s = floor_div(t_us, SEC_US) + calendar_offset(c, t_us);

	return floor_div(s, DAY_S);
}

/* ---- words ---- */

static const char *const day_word[7] = {"mon", "tue", "wed", "thu",
					"fri", "sat", "sun"};

/* "mon-fri", "mon,wed-fri" */
static void days_text(uint8_t days, char out[32])
{
	size_t n = 0;

	out[0] = '\0';
	for (unsigned d = 0; d < 7; d++) {
		unsigned end = d;

		if (!(days >> d & 1))
			continue;
		while (end < 6 && days >> (end + 1) & 1)
			end++;
		n += (size_t)snprintf(out + n, 32 - n, "%s%s", n ? "," : "",
				      day_word[d]);
		if (end > d)
			n += (size_t)snprintf(out + n, 32 - n, "-%s",
					      day_word[end]);
		d = end;
	}
}

/* The opening that holds t, begun today or yesterday by the local date. */
static const struct opening *opening_at(const struct calendar *c, int64_t t_us)
{
	int64_t t = floor_div(t_us, SEC_US);
	int64_t today = calendar_day(c, t_us);

	for (int64_t day = today; day >= today - 1; day--) {
		if (find_holiday(c, day))
			continue;
		for (size_t i = 0; i < c->n_opening; i++) {
			const struct opening *o = &c->opening[i];
			int64_t l = day * DAY_S + o->from_min * 60;

			if (o->days >> weekday(day) & 1 &&
			    t >= zone_utc(&c->zone, l) &&
			    t < zone_utc(&c->zone, l + length_min(o) * 60))
				return o;
		}
	}
	return NULL;
}

static void open_reason(const struct calendar *c, int64_t t_us, char *out,
			size_t size)
{
	const struct opening *o = opening_at(c, t_us);
	char days[32];

	if (!o) {
		snprintf(out, size, "open");
		return;
	}
	days_text(o->days, days);
	snprintf(out, size, "open: %s %02u:%02u-%02u:%02u", days,
		 o->from_min / 60u, o->from_min % 60u, o->until_min / 60u,
		 o->until_min % 60u);
}

void calendar_reason(const struct calendar *c, int64_t t_us, char *out,
		     size_t size)
{
	const struct holiday *h = find_holiday(c, calendar_day(c, t_us));
	int64_t next = calendar_next(c, t_us);
	int64_t local;
	char name[4] = {0};

	if (calendar_regime(c, t_us) == REGIME_INSIDE) {
		open_reason(c, t_us, out, size);
		return;
	}
	if (h) {
		snprintf(out, size, "closed: %s%s%s%s", h->name,
			 c->division ? " (" : "",
			 c->division ? c->division : "",
			 c->division ? ")" : "");
		return;
	}
	if (next == INT64_MAX) {
		snprintf(out, size, "closed: does not open again");
		return;
	}
	local = floor_div(next, SEC_US) + calendar_offset(c, next);
	memcpy(name, day_word[weekday(floor_div(local, DAY_S))], 4);
	name[0] = (char)(name[0] - 'a' + 'A');
	snprintf(out, size, "closed: opens %s %02d:%02d", name,
		 (int)(local % DAY_S / 3600), (int)(local % 3600 / 60));
}
