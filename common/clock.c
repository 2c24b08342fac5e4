/* SPDX-License-Identifier: Apache-2.0 */
#include "common/clock.h"

#include <stdio.h>
#include <time.h>

struct mono_ms clock_mono(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (struct mono_ms){ts.tv_sec * 1000 + ts.tv_nsec / 1000000};
}

struct wall_us clock_wall(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (struct wall_us){ts.tv_sec * SEC_US + ts.tv_nsec / 1000};
}

/* Years are counted from March, so that the leap day is the last of its year
 * (Hinnant, "chrono-compatible low-level date algorithms"). */
int64_t days_from_civil(int year, unsigned month, unsigned day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 +
		      (int64_t)day - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return era * 146097 + doe - 719468;
}

void civil_from_days(int64_t days, int *year, unsigned *month, unsigned *day)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	*day = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
	*month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
	*year = (int)(yoe + era * 400 + (*month <= 2));
}

/* n digits of v, then the character that follows them. */
static char *put_digits(char *p, unsigned n, unsigned v, char after)
{
	for (unsigned i = n; i-- > 0; v /= 10)
		p[i] = (char)('0' + v % 10);
	p[n] = after;
	return p + n + 1;
}

/* By hand: printf would be most of the cost of "decode --json". */
void time_text(int64_t us, char out[TIME_TEXT])
{
	int64_t days = us / DAY_US - (us % DAY_US < 0);
	int64_t rest = us % DAY_US + (us % DAY_US < 0 ? DAY_US : 0);
	unsigned sec = (unsigned)(rest / SEC_US);
	char *p = out;
	int y;
	unsigned m;
	unsigned d;

	civil_from_days(days, &y, &m, &d);
	if (y >= 0 && y <= 9999)
		p = put_digits(p, 4, (unsigned)y, '-');
	else
		p += snprintf(out, 12, "%d-", y);
	p = put_digits(p, 2, m, '-');
	p = put_digits(p, 2, d, 'T');
	p = put_digits(p, 2, sec / 3600, ':');
	p = put_digits(p, 2, sec / 60 % 60, ':');
	p = put_digits(p, 2, sec % 60, '.');
	p = put_digits(p, 6, (unsigned)(rest % SEC_US), 'Z');
	*p = '\0';
}

/* Exactly n digits at the front of *s. */
static bool digits(struct sv *s, size_t n, unsigned *out)
{
	uint32_t v;

	if (s->n < n || !sv_u32((struct sv){s->p, n}, &v))
		return false;
	*out = v;
	*s = (struct sv){s->p + n, s->n - n};
	return true;
}

static bool one_of(struct sv *s, const char *set)
{
	if (s->n == 0 || !strchr(set, s->p[0]) || s->p[0] == '\0')
		return false;
	*s = (struct sv){s->p + 1, s->n - 1};
	return true;
}

static bool fraction(struct sv *s, int64_t *us)
{
	int64_t unit = SEC_US;

	for (*us = 0; s->n && s->p[0] >= '0' && s->p[0] <= '9';) {
		if (unit == 1)
			return false; /* finer than a microsecond */
		unit /= 10;
		*us += (s->p[0] - '0') * unit;
		*s = (struct sv){s->p + 1, s->n - 1};
	}
	return unit < SEC_US;
}

static bool offset(struct sv *s, int64_t *us)
{
	unsigned hh;
	unsigned mm;
	bool minus = s->n && s->p[0] == '-';

	*us = 0;
	if (s->n == 0 || one_of(s, "Zz"))
		return true;
	if (!one_of(s, "+-") || !digits(s, 2, &hh))
		return false;
	one_of(s, ":");
	if (!digits(s, 2, &mm) || hh > 23 || mm > 59)
		return false;
	*us = (hh * HOUR_US + mm * MIN_US) * (minus ? -1 : 1);
	return true;
}

static bool month_holds(unsigned y, unsigned m, unsigned d)
{
	int year;
	unsigned month;
	unsigned day;

	if (m < 1 || m > 12 || d < 1 || d > 31)
		return false;
	civil_from_days(days_from_civil((int)y, m, d), &year, &month, &day);
	return month == m && day == d;
}

bool time_parse(struct sv s, int64_t *us)
{
	unsigned y, mo, d, h, mi, sec = 0;
	int64_t frac = 0;
	int64_t off;

	if (!digits(&s, 4, &y) || !one_of(&s, "-") || !digits(&s, 2, &mo) ||
	    !one_of(&s, "-") || !digits(&s, 2, &d) || !one_of(&s, "Tt ") ||
	    !digits(&s, 2, &h) || !one_of(&s, ":") || !digits(&s, 2, &mi))
		return false;
	if (one_of(&s, ":") && !digits(&s, 2, &sec))
		return false;
	if (one_of(&s, ".") && !fraction(&s, &frac))
		return false;
	if (!offset(&s, &off) || s.n != 0)
		return false;
	if (!month_holds(y, mo, d) || h > 23 || mi > 59 || sec > 60)
		return false;
	*us = days_from_civil((int)y, mo, d) * DAY_US + h * HOUR_US +
	      mi * MIN_US + sec * SEC_US + frac - off;
	return true;
}
