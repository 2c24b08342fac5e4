/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_EPISODE_H
#define ANALYZER_EPISODE_H

#include "analyzer/exposure.h"
#include "analyzer/limit.h"

/*
 * A limit that is reached fires once, not with every call after it:
 *
 *   value   ______critical__________________
 *          /        ____
 *   ______/___warn_/    \___
 *        /               \______half of warn_____
 *   ____/                       \________________
 *        ^ finding  ^ finding    |-- one window --| the episode ends
 *        |<------ one episode: exposure every 10 s ------>|
 *
 * All open episodes of one account are watched together.  Limits on calls up
 * now have no window and those on a session only end with it: for them an
 * hour below half ends the episode.
 *
 * Two different warnings of family "toll" on one account within an hour are a
 * critical of their own, COMBI, once per watch.
 */
enum { RULE_COMBI = RULES_MAX };

struct episode {
	int64_t start_us; /* 0 = none open */
	int64_t low_us;	  /* below half since; 0 = it is not */
	uint8_t fired;	  /* 1 << severity */
};

struct watch {
	struct timer timer;
	struct watched {
		struct exposed exposed;
		int64_t warned_us;	    /* last warning ... */
		struct finding_term warned; /* ... its first term ... */
		uint8_t warned_rule;	    /* ... and its rule */
		bool critical;		    /* fired already */
	} family[PLAN_FAMILIES];
	struct episode episode[RULES_MAX + 1];
};

/* Judge all rules of a match after something happened at from_us; t_us is the
 * instant of the event that made it known (>= from_us). */
void episode_judge(struct engine *g, struct account *a, unsigned match,
		   int64_t from_us, int64_t t_us);

/* A limit about one call was reached. */
void episode_fire_call(const struct judge *j, const struct crossing *x,
		       struct call *c);

/* An event was too old for the rings: judge what it counts by itself. */
void episode_judge_alone(struct engine *g, const struct call *c);

/* The 10 seconds are over. */
void episode_timer(struct engine *g, struct account *a, int64_t t_us);

/* The call table forgets a call of the account. */
void episode_forget(struct engine *g, struct account *a, const struct call *c);

/* Arm the timer of each counter of a match at its earliest crossing. */
void episode_arm(struct engine *g, struct account *a, unsigned match);

/* A new watch of an account, its timer ready to be set. */
struct watch *watch_open(struct engine *g, struct account *a);
void watch_close(struct engine *g, struct account *a);

static inline struct watch *watch_of(const struct engine *g,
				     const struct account *a)
{
	return a->watch ? slab_at(&g->watches, a->watch) : NULL;
}

#endif
