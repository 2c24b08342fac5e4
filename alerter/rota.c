/* SPDX-License-Identifier: Apache-2.0 */
#include "alerter/rota.h"

#include <stdio.h>

#include "common/clock.h"
#include "common/zone.h"

/*
 * Turns are counted from the first hand-over; turn k belongs to
 * person[k mod n].  A turn of whole days is counted on the clock on the wall,
 * so that it ends at the same time of day in summer and winter:
 *
 *   Mon 23 Mar 17:30 GMT ── 7 x 24 h - 1 ──▶ Mon 30 Mar 17:30 BST
 *
 * A hand-over that a change of the clocks leaves out is made that much later;
 * one that it repeats is made the first time.  A turn of hours is counted in
 * UTC: twelve hours are twelve hours in every night.
 */

enum { BEFORE = -1 };

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int64_t local_us(const struct alerter_conf *a, int64_t t_us)
{
	return t_us + zone_offset(a->zone, floor_div(t_us, SEC_US)) * SEC_US;
}

/* When turn k begins. */
static int64_t turn_begins(const struct alerter_conf *a,
			   const struct schedule *s, int64_t k)
{
	int64_t utc[2];

	if (s->every_us % DAY_US != 0)
		return s->from_us + k * s->every_us;
	zone_utc(a->zone, (s->from_local_us + k * s->every_us) / SEC_US, utc);
	return utc[0] * SEC_US;
}

/* The turn an instant lies in; BEFORE the first. */
static int64_t turn_at(const struct alerter_conf *a, const struct schedule *s,
		       int64_t t_us)
{
	int64_t k;

	if (t_us < s->from_us)
		return BEFORE;
	if (s->every_us % DAY_US != 0)
		return (t_us - s->from_us) / s->every_us;
	/* The change of the clocks can put this off by one either way. */
	k = floor_div(local_us(a, t_us) - s->from_local_us, s->every_us);
	while (turn_begins(a, s, k + 1) <= t_us)
		k++;
	while (k > 0 && turn_begins(a, s, k) > t_us)
		k--;
	return k < 0 ? 0 : k;
}

static const struct person *turn_of(const struct schedule *s, int64_t k)
{
	return s->person[(size_t)k % s->n_people];
}

const struct person *rota_at(const struct alerter_conf *a,
			     const struct schedule *s, int64_t t_us)
{
	int64_t k = turn_at(a, s, t_us);

	return k == BEFORE || s->n_people == 0 ? NULL : turn_of(s, k);
}

int64_t rota_next(const struct alerter_conf *a, const struct schedule *s,
		  int64_t t_us)
{
	int64_t k = turn_at(a, s, t_us);

	if (s->n_people == 0)
		return INT64_MAX;
	if (k == BEFORE)
		return s->from_us;
	/* [alex, alex, sam]: alex hands over every second time */
	for (size_t i = 1; i < s->n_people; i++)
		if (turn_of(s, k + (int64_t)i) != turn_of(s, k))
			return turn_begins(a, s, k + (int64_t)i);
	return INT64_MAX;
}

const struct person *step_person(const struct alerter_conf *a,
				 const struct step *s, int64_t t_us)
{
	return s->schedule ? rota_at(a, s->schedule, t_us) : s->person;
}

/* 1970-01-01 was a Thursday. */
static const char *weekday(int64_t day)
{
	static const char *const name[] = {"Thu", "Fri", "Sat", "Sun",
					   "Mon", "Tue", "Wed"};

	return name[day - floor_div(day, 7) * 7];
}

void local_text(const struct alerter_conf *a, int64_t t_us, int64_t now_us,
		char *out, size_t size)
{
	static const char *const name[] = {"Jan", "Feb", "Mar", "Apr",
					   "May", "Jun", "Jul", "Aug",
					   "Sep", "Oct", "Nov", "Dec"};
	int64_t t = local_us(a, t_us);
	int64_t day = floor_div(t, DAY_US);
	int64_t minute = (t - day * DAY_US) / MIN_US;
	unsigned month, mday;
	int year;
	char time[8];

	snprintf(time, sizeof(time), "%02u:%02u", (unsigned)(minute / 60) % 24,
		 (unsigned)(minute % 60));
	if (day == floor_div(local_us(a, now_us), DAY_US)) {
		snprintf(out, size, "%s", time);
		return;
	}
	civil_from_days(day, &year, &month, &mday);
	snprintf(out, size, "%s %u %s %s", weekday(day), mday, name[month - 1],
		 time);
}
