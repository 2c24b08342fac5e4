/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_USUAL_H
#define ANALYZER_USUAL_H

#include "analyzer/state.h"

/*
 * What is usual for an account: the largest value that a counter reached on
 * each of the last 28 complete local days, inside and outside of hours.
 *
 *   day - 28 ...... day - 2  day - 1 | day (not counted: it is not over)
 *
 * Stored in coarse units that round up, so that a limit is never lower than
 * what was normal: money in hundredths of a penny, talk in seconds.  A day
 * with a critical finding teaches nothing, nor do days under an open
 * incident until its verdict says that nothing was wrong.
 */
struct usual {
	uint32_t day[USUAL_DAYS]; /* [local day % 28] */
};

/* An event of the account at t: days that are over become history. */
void usual_touch(struct engine *g, struct account *a, int64_t t_us);

/* The counter's value now: is it the largest of the day? */
static inline void usual_note(struct counter *c, enum regime r, ring_num v)
{
	if (v > c->today[r])
		c->today[r] = v;
}

/* Largest of the history in the period's regime, in the unit of the measure.
 * A session that runs over several days does not teach itself. */
int64_t usual_largest(const struct engine *g, const struct account *a,
		      unsigned d, const struct period *p);

/* Days learnt, at most `history`. */
uint32_t usual_days(const struct account *a, uint32_t history);

/* What an incident and its verdict mean for learning. */
void usual_control(struct engine *g, struct account *a,
		   const struct control *k);

#endif
