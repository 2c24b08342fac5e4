/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_LIMIT_H
#define ANALYZER_LIMIT_H

#include "analyzer/state.h"
#include "common/clock.h"

/*
 * The limit that holds for an account:
 *
 *   max(floor x override, usual factor x its own largest)
 *
 * and whether its counters have reached it.  A limit is any of several
 * alternatives, each of which wants all of its terms.
 */
/* No further back are past periods judged: longer than any weekend, and a
 * record that claims a call of thirty years costs no thirty years of periods.
 */
#define LIMIT_LOOK_BACK (14 * DAY_US)

struct judge {
	struct engine *g;
	struct account *a;
	unsigned rule;
	enum severity severity;
	struct period period; /* whose regime and session count */
};

struct crossing {
	unsigned alt;
	int64_t at_us;
	/* When it became known: later than at_us for what a record told
	 * afterwards.  Money "so far" is as of this instant. */
	int64_t now_us;
	ring_num value[LIMIT_TERMS];
};

static inline const struct limit *limit_of(const struct judge *j)
{
	return &j->g->conf->rule[j->rule]
			.limit[j->period.regime][j->severity - 1];
}

/* Definition behind a term of the limit. */
static inline unsigned limit_def(const struct judge *j, unsigned alt,
				 unsigned term)
{
	return j->g->plan.rule[j->rule]
		.def[j->period.regime][j->severity - 1][alt][term];
}

/* Override factor of a rule for an account, from its cache. */
uint32_t limit_override(struct engine *g, struct account *a, unsigned rule,
			int64_t t_us);

/* Look the factors of all rules up anew. */
void limit_refresh(struct engine *g, struct account *a, int64_t t_us);

/* The effective limit of one term, in the unit of its measure. */
int64_t limit_value(const struct judge *j, unsigned alt, unsigned term);

/* Is it reached by the counters as they stand?  They must have been advanced
 * to x->at_us, which lies in the period.  scale 2 asks for half the limit. */
bool limit_now(const struct judge *j, int scale, struct crossing *x);

/* Was it reached in a window that ended between *from* and x->at_us, the
 * instant the counters stand at?  Sets x to the first such. */
bool limit_since(const struct judge *j, int64_t from_us, struct crossing *x);

/* How the limit of a term arose, with what was observed. */
void limit_explain(const struct judge *j, unsigned alt, unsigned term,
		   ring_num observed, struct finding_term *out);

#endif
