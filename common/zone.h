/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_ZONE_H
#define COMMON_ZONE_H

#include <stdint.h>

#include "common/err.h"

/*
 * Local time of a place to UTC and back: for switches that write no offset,
 * and for people, who hand over by the clock on the wall.  Asks glibc's zone files once, when it is made, for all changes of the offset
 * from 1990 to 2040; outside of that the nearest offset holds.
 */
struct zone;

/* name: IANA, "Europe/London".  Sets TZ for a moment: not for threads. */
MUST_USE bool zone_new(struct zone **out, const char *name, struct err *e);
void zone_free(struct zone *z); /* NULL ok */

/*
 * The instants (seconds UTC) at which the clock on the wall showed local
 * (seconds since 1970-01-01 00:00 on that clock).  Returns how many:
 *   1  the ordinary case
 *   2  the hour that occurs twice: at[0] the first, at[1] the second
 *   0  the hour left out: at[0] is shifted forward by the gap
 */
unsigned zone_utc(const struct zone *z, int64_t local, int64_t at[2]);

/* Seconds that the clock on the wall is ahead of UTC at an instant. */
int64_t zone_offset(const struct zone *z, int64_t utc);

/* An instant (microseconds) for people, by strftime: "Sat 17 Jan 02:33".  name
 * NULL: UTC.  Sets TZ for a moment, as zone_new does; not for a hot path. */
void zone_text(const char *name, int64_t us, const char *fmt, char out[32]);

#endif
