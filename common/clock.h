/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/sv.h"

/*
 * Three kinds of time that must never be mixed:
 *
 *   struct mono_ms  time-outs and intervals of this process (CLOCK_MONOTONIC)
 *   struct wall_us  what the clock on the wall says, microseconds UTC
 *   int64_t ..._us  event time: when a call was set up, answered, ended, in
 *                   microseconds UTC as the source said; 0 = unknown
 *
 * Domain code takes event time as an argument and never reads a clock; the
 * loop reads the other two once per turn and passes them on.
 */
struct mono_ms {
	int64_t ms;
};

struct wall_us {
	int64_t us;
};

#define SEC_US	INT64_C(1000000)
#define MIN_US	(60 * SEC_US)
#define HOUR_US (60 * MIN_US)
#define DAY_US	(24 * HOUR_US)

struct mono_ms clock_mono(void);
struct wall_us clock_wall(void);

enum { TIME_TEXT = 32 };

/* RFC 3339 UTC with microseconds, "2026-01-17T02:24:05.000000Z". */
void time_text(int64_t us, char out[TIME_TEXT]);

/* RFC 3339 with 'T' or a space, up to six fraction digits, "Z" or "+hh:mm".
 * A text without an offset is UTC.  False on anything else. */
bool time_parse(struct sv text, int64_t *us);

/* Days since 1970-01-01 of a Gregorian date, and back (proleptic). */
int64_t days_from_civil(int year, unsigned month, unsigned day);
void civil_from_days(int64_t days, int *year, unsigned *month, unsigned *day);

#endif
