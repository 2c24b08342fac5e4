/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_COUNTER_H
#define ANALYZER_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/plan.h"
#include "analyzer/ring.h"
#include "analyzer/timer.h"

/*
 * One counter of one account: what definition d counts there.
 *
 * It has a value inside and one outside of opening hours.  What happens at
 * an instant (an attempt, a set-up charge) goes to the regime of that
 * instant; what accrues goes second by second to the regime of each second:
 * an afternoon's spending never meets the night limit at closing time.  A call
 * that is up counts as one of the regime it was answered in, for as long as it
 * is up: those of a busy afternoon are not a night's either.
 *
 * Accrual is lazy.  The counter knows the sum of the rates of its calls up,
 * and pays it into the buckets when it is next touched:
 *
 *      paid_us                    t
 *   ------|=======================|        rate x (t - paid_us), split at
 *                                          bucket and regime borders
 *
 * A counter moves on only when an event of its account or one of its own
 * timers touches it, never because time passed elsewhere.
 */
struct engine;
struct account;

struct period {
	int64_t since_us;
	int64_t until_us; /* exclusive */
	enum regime regime;
};

/* Since the regime's present period began; never reset at midnight. */
struct session {
	ring_num value;
	int64_t since_us; /* of the period it counts */
	int64_t first_us; /* of what was counted first in it */
};

struct counter {
	struct timer timer; /* earliest instant at which a limit may be met */
	int64_t paid_us;    /* accrual is in the buckets up to here */
	int64_t rate;	    /* micro-units a minute of the calls up */
	uint32_t up[2];	    /* calls up, by the regime of their answer */
	uint32_t usual[2];  /* slab of day maxima, per regime; 0 = all zero */
	ring_num today[2];  /* largest value of the day so far */
	union {
		struct ring ring[2]; /* [enum regime] */
		struct session session[2];
	};
};

/* Pay what accrued until t; earlier than paid_us does nothing. */
void counter_advance(struct engine *g, struct account *a, unsigned d,
		     int64_t t_us);

/* Count n (in 1/RING_UNIT) at an instant.  False: too old to be counted. */
bool counter_post(struct engine *g, struct account *a, unsigned d, int64_t t_us,
		  ring_num n);

/* A call accrues from an instant on, at span.rate; and no longer from an
 * instant on.  Both also when that was long ago. */
bool counter_start(struct engine *g, struct account *a, unsigned d,
		   int64_t from_us, int64_t rate);
void counter_stop(struct engine *g, struct account *a, unsigned d,
		  int64_t from_us, int64_t rate);

/* Value in the period the counter has been advanced to. */
ring_num counter_value(const struct engine *g, const struct account *a,
		       unsigned d, const struct period *p);

/* Back to nothing, chunks given back. */
void counter_clear(struct engine *g, struct account *a, unsigned d);

#endif
