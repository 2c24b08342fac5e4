/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_EXPOSURE_H
#define ANALYZER_EXPOSURE_H

#include "analyzer/limit.h"

/*
 * What an incident costs: all calls of the account that match any joined
 * rule, from the first call in the first firing window until now, calls up
 * included.
 *
 * It is added up from the calls whenever somebody asks, which is every ten
 * seconds of an open episode, and not carried along with each event: nothing
 * can drift, and calls whose times are corrected later are right by
 * themselves.  Calls that the table forgets meanwhile are kept as a sum.
 */
struct exposed {
	int64_t from_us;  /* first call in the first firing window; 0 = none */
	int64_t first_us; /* of the forgotten calls */
	int64_t cost;	  /* of the forgotten calls */
	int64_t retail;
	uint32_t calls;
	uint32_t match; /* plan matches of the joined rules */
};

struct exposed_sum {
	int64_t cost;
	int64_t retail;
	int64_t burn;	    /* micropence a minute of the calls up */
	int64_t projection; /* at the end of the regime if nobody acts */
	int64_t first_us;
	int64_t last_us;
	uint32_t calls;
	uint32_t live;
};

/* A rule joins; its window begins at window_us. */
void exposure_join(const struct judge *j, struct exposed *x, int64_t window_us,
		   int64_t now_us);

/* The call table forgets a call. */
void exposure_forget(struct exposed *x, const struct call *c);

void exposure_sum(const struct judge *j, const struct exposed *x,
		  int64_t now_us, struct exposed_sum *out);

#endif
