/* SPDX-License-Identifier: Apache-2.0 */
#include "common/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"

enum {
	FIRST_YEAR = 1990,
	LAST_YEAR = 2040,
	PROBE_S = 12 * 3600, /* no zone changed twice within half a day */
	CHANGES_MAX = 512,
	DAY_S = 86400,
};

/* offset[i] holds in [from[i], from[i + 1]); from[0] is the beginning of
 * time. */
struct zone {
	int64_t from[CHANGES_MAX + 1];
	int64_t offset[CHANGES_MAX];
	unsigned n;
};

static int64_t offset_at(int64_t utc)
{
	time_t t = (time_t)utc;
	struct tm tm;

	return localtime_r(&t, &tm) ? (int64_t)tm.tm_gmtoff : 0;
}

/* First second in (a, b] whose offset is that of b. */
static int64_t find_change(int64_t a, int64_t b)
{
	int64_t old = offset_at(a);

	while (b - a > 1) {
		int64_t mid = a + (b - a) / 2;

		if (offset_at(mid) == old)
			a = mid;
		else
			b = mid;
	}
	return b;
}

static void probe(struct zone *z)
{
	int64_t t = days_from_civil(FIRST_YEAR, 1, 1) * DAY_S;
	int64_t end = days_from_civil(LAST_YEAR + 1, 1, 1) * DAY_S;

	z->from[0] = INT64_MIN;
	z->offset[0] = offset_at(t);
	z->n = 1;
	for (; t < end && z->n < CHANGES_MAX; t += PROBE_S) {
		int64_t next = offset_at(t + PROBE_S);

		if (next == z->offset[z->n - 1])
			continue;
		z->from[z->n] = find_change(t, t + PROBE_S);
		z->offset[z->n++] = next;
	}
	z->from[z->n] = INT64_MAX;
}

/* glibc takes an unknown name for UTC without a word, so look first. */
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

/* Until leave(), which takes what enter() returned. */
static char *enter(const char *name)
{
	const char *tz = getenv("TZ");
	char *old = tz ? xstrdup(tz) : NULL;

	setenv("TZ", name, 1);
	tzset();
	return old;
}

static void leave(char *old)
{
	if (old)
		setenv("TZ", old, 1);
	else
		unsetenv("TZ");
	tzset();
	free(old);
}

bool zone_new(struct zone **out, const char *name, struct err *e)
{
	char *old;

	*out = NULL;
	if (!zone_exists(name))
		return err_set(e,
			       "unknown time zone '%s' (names are those of "
			       "/usr/share/zoneinfo, e.g. Europe/London)",
			       name);
	*out = xcalloc(1, sizeof(**out));
	old = enter(name);
	probe(*out);
	leave(old);
	return true;
}

void zone_text(const char *name, int64_t us, const char *fmt, char out[32])
{
	char *old = enter(name ? name : "UTC0");
	time_t s = (time_t)(us / 1000000);
	struct tm tm;

	if (!localtime_r(&s, &tm) || strftime(out, 32, fmt, &tm) == 0)
		out[0] = '\0';
	leave(old);
}

void zone_free(struct zone *z)
{
	free(z);
}

int64_t zone_offset(const struct zone *z, int64_t utc)
{
	unsigned lo = 0, hi = z->n;

	while (hi - lo > 1) {
		unsigned mid = lo + (hi - lo) / 2;

		if (z->from[mid] <= utc)
			lo = mid;
		else
			hi = mid;
	}
	return z->offset[lo];
}

/* Last i whose period can hold local: from[i] + offset[i] <= local. */
static unsigned period_of(const struct zone *z, int64_t local)
{
	unsigned lo = 0, hi = z->n;

	while (hi - lo > 1) {
		unsigned mid = lo + (hi - lo) / 2;

		if (z->from[mid] + z->offset[mid] <= local)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

unsigned zone_utc(const struct zone *z, int64_t local, int64_t at[2])
{
	unsigned i = period_of(z, local);
	int64_t utc = local - z->offset[i];
	int64_t before;

	at[0] = at[1] = utc;
	if (i + 1 < z->n && utc >= z->from[i + 1]) {
		/* past the end of its period, before the next begins */
		return 0;
	}
	if (i == 0)
		return 1;
	before = local - z->offset[i - 1];
	if (before >= z->from[i] || (i > 1 && before < z->from[i - 1]))
		return 1;
	at[0] = before;
	return 2;
}
