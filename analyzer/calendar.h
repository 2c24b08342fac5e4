/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_CALENDAR_H
#define ANALYZER_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/finding.h"

/*
 * Opening hours compiled to sorted UTC instants, so that nothing on a hot
 * path knows about time zones, week days or holidays:
 *
 *   local rules (08:00-18:00, mon-fri, holidays)  ──load──▶
 *   at[]  : ... 08:00Z opens | 18:00Z closes | (Mon) 08:00Z opens ...
 *   shut[]: closed microseconds from the beginning of the table to at[i]
 *
 * Opening is half-open: open at 08:00:00.000000, closed at 18:00:00.000000.
 * A local time that does not exist (clocks forward) counts as the instant of
 * the change; one that occurs twice as the first.  Overnight hours
 * ("22:00-06:00" on fri) belong to the day they begin on.  The table covers
 * CALENDAR_FIRST_YEAR..CALENDAR_LAST_YEAR; beyond it the account is closed,
 * unless it is open all the time: then there is no change at all.
 */
enum { CALENDAR_FIRST_YEAR = 2009, CALENDAR_LAST_YEAR = 2040 };

struct calendar;

/* One opening: on the days of the mask (bit 0 = Monday) from minute to
 * minute of local time, 0..1440; until <= from runs over midnight. */
struct opening {
	uint8_t days;
	uint16_t from_min;
	uint16_t until_min;
};

/* Dates (days since 1970, sorted) that are closed all day, with names. */
struct holiday {
	int64_t day;
	const char *name;
};

struct calendar_spec {
	const char *name;     /* "office" */
	const char *timezone; /* IANA, "Europe/London" */
	const struct opening *opening;
	size_t n_opening;
	const struct holiday *holiday; /* NULL: open on holidays too */
	size_t n_holiday;
	const char *division; /* for the reason text, or NULL */
};

MUST_USE bool calendar_new(struct calendar **out,
			   const struct calendar_spec *spec, struct err *e);
void calendar_free(struct calendar *c); /* NULL ok */

/* REGIME_INSIDE when open at t. */
enum regime calendar_regime(const struct calendar *c, int64_t t_us);

/* First instant after t at which the regime changes; INT64_MAX if never. */
int64_t calendar_next(const struct calendar *c, int64_t t_us);

/* Instant at or before t at which the present regime began; INT64_MIN if
 * it always was. */
int64_t calendar_since(const struct calendar *c, int64_t t_us);

/* Closed microseconds in [a, b). */
int64_t calendar_closed(const struct calendar *c, int64_t a_us, int64_t b_us);

/* Number of the local date (days since 1970-01-01 in local time). */
int64_t calendar_day(const struct calendar *c, int64_t t_us);

/* UTC offset in seconds at t, for printing local time. */
int32_t calendar_offset(const struct calendar *c, int64_t t_us);

/* "closed: Christmas Day (england-and-wales)", "open: mon-fri 08:00-18:00",
 * "closed: opens Mon 08:00". */
void calendar_reason(const struct calendar *c, int64_t t_us, char *out,
		     size_t size);

#endif
