/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_RATING_H
#define ANALYZER_RATING_H

#include <stdbool.h>
#include <stdint.h>

#include "common/conf.h"
#include "common/number.h"

/*
 * The rate deck: rates.csv in a prefix table.  Longest prefix at call start
 * whose from..until holds; cost price decides, retail goes beside.
 *
 *   charge(talk) = setup + per_min x billed / 60,  rounded up to a micropenny
 *   billed       = max(min_s, talk rounded up to step_s); 0 if not answered
 */
struct rate {
	int64_t cost_per_min;	/* micropence */
	int64_t retail_per_min; /* micropence */
	int64_t setup;		/* micropence, once, at answer */
	uint32_t min_s;
	uint32_t step_s; /* >= 1 */
	int64_t from_us; /* validity, half-open; 0 = open-ended */
	int64_t until_us;
	const char *name;
	bool is_default; /* nothing matched: the stated default rate */
};

struct rating;

struct rating *rating_load(struct conf *c, const struct conf_tree *at,
			   struct sv path);
void rating_free(struct rating *r);

/* Never NULL: without a match it is the default, 150p a minute 60/60. */
const struct rate *rating_find(const struct rating *r, struct number callee,
			       int64_t at_us);

/* First 16 hex digits of the deck's SHA-256. */
const char *rating_hash(const struct rating *r);

/* Exact charge of an answered call in micropence (per_min: cost or retail). */
int64_t rate_charge(const struct rate *r, int64_t per_min, int64_t talk_us);

/* Seconds charged at once at the answer: the first increment. */
static inline uint32_t rate_first_s(const struct rate *r)
{
	return r->min_s > r->step_s ? r->min_s : r->step_s;
}

#endif
