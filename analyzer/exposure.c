/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/exposure.h"

#include "analyzer/ledger.h"
#include "common/clock.h"

static struct call *newest(const struct judge *j)
{
	return j->a->newest == CALL_NONE ? NULL
					 : call_at(&j->g->calls, j->a->newest);
}

static struct call *older(const struct judge *j, const struct call *c)
{
	return c->older == CALL_NONE ? NULL : call_at(&j->g->calls, c->older);
}

static int64_t session_value(const struct judge *j, unsigned match,
			     unsigned measure)
{
	int d = plan_find(&j->g->plan, match, measure, WITHIN_SESSION);

	if (d < 0)
		return 0;
	return (int64_t)(counter_value(j->g, j->a, (unsigned)d, &j->period) /
			 RING_UNIT);
}

/* A session is longer than the memory of calls: what it has counted and no
 * call accounts for was forgotten before the incident began. */
static void forgotten(const struct judge *j, struct exposed *x, int64_t now)
{
	unsigned match = j->g->plan.rule[j->rule].match;
	int d = plan_find(&j->g->plan, match, MEASURE_CALLS, WITHIN_SESSION);
	int64_t cost = session_value(j, match, MEASURE_SPEND);
	int64_t retail = session_value(j, match, MEASURE_RETAIL);
	int64_t calls = session_value(j, match, MEASURE_CALLS);

	for (struct call *c = newest(j); c; c = older(j, c)) {
		if (!(c->match >> match & 1) || !c->parts ||
		    call_begin(&c->counted) < j->period.since_us)
			continue;
		cost -= ledger_cost(c, c->rate.cost_per_min, now);
		retail -= ledger_cost(c, c->rate.retail_per_min, now);
		calls -= c->parts & PART_SETUP ? 1 : 0;
	}
	if (cost > 0)
		x->cost = cost;
	if (retail > 0)
		x->retail = retail;
	if (calls > 0 && d >= 0) {
		x->calls = (uint32_t)calls;
		x->first_us =
			j->a->counter[d].session[j->period.regime].first_us;
	}
}

void exposure_join(const struct judge *j, struct exposed *x, int64_t window_us,
		   int64_t now_us)
{
	const struct plan_rule *pr = &j->g->plan.rule[j->rule];

	x->match |= 1u << pr->match;
	if (x->from_us)
		return;
	x->from_us = now_us;
	if (pr->session && window_us == j->period.since_us) {
		x->from_us = window_us;
		forgotten(j, x, now_us);
	}
	for (struct call *c = newest(j); c; c = older(j, c)) {
		int64_t begin = call_begin(&c->counted);
		int64_t end = ledger_end(c);

		if (!(c->match >> pr->match & 1) || !c->parts)
			continue;
		if (pr->session ? begin < window_us : end && end < window_us)
			continue;
		if (begin < x->from_us)
			x->from_us = begin;
	}
	if (!x->from_us)
		x->from_us = 1;
}

static bool counts(const struct exposed *x, const struct call *c)
{
	return x->from_us && (c->match & x->match) && c->parts &&
	       call_begin(&c->counted) >= x->from_us;
}

void exposure_forget(struct exposed *x, const struct call *c)
{
	int64_t begin = call_begin(&c->counted);

	if (!counts(x, c))
		return;
	x->cost += ledger_cost(c, c->rate.cost_per_min, INT64_MAX);
	x->retail += ledger_cost(c, c->rate.retail_per_min, INT64_MAX);
	x->calls++;
	if (!x->first_us || begin < x->first_us)
		x->first_us = begin;
}

/* cost + burn for the rest of the period; a period that never ends counts as
 * a day. */
static int64_t projected(int64_t cost, int64_t burn, int64_t rest_us)
{
	ring_num n;

	if (rest_us > 14 * DAY_US)
		rest_us = DAY_US;
	n = cost + (ring_num)burn * rest_us / MIN_US;
	return n > INT64_MAX ? INT64_MAX : (int64_t)n;
}

void exposure_sum(const struct judge *j, const struct exposed *x,
		  int64_t now_us, struct exposed_sum *out)
{
	*out = (struct exposed_sum){.cost = x->cost,
				    .retail = x->retail,
				    .calls = x->calls,
				    .first_us = x->first_us,
				    .last_us = x->first_us};
	for (struct call *c = newest(j); c; c = older(j, c)) {
		int64_t begin = call_begin(&c->counted);

		if (!counts(x, c))
			continue;
		out->cost += ledger_cost(c, c->rate.cost_per_min, now_us);
		out->retail += ledger_cost(c, c->rate.retail_per_min, now_us);
		out->calls++;
		if (!out->first_us || begin < out->first_us)
			out->first_us = begin;
		if (begin > out->last_us)
			out->last_us = begin;
		if (c->list != CALL_UP)
			continue;
		out->live++;
		out->burn += c->rate.cost_per_min;
	}
	out->projection =
		projected(out->cost, out->burn, j->period.until_us - now_us);
}
