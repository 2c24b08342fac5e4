/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/percall.h"

#include "analyzer/ledger.h"
#include "common/clock.h"

/*
 * A call that is up when the account closes has an inside part and an outside
 * part, as its money has in the rings: each is judged by the limits of its
 * own hours.  Else every honest call of half an hour would page at 18:00:00.
 */
static int64_t part_from(const struct judge *j, const struct call *c)
{
	return c->counted.answer_us > j->period.since_us ? c->counted.answer_us
							 : j->period.since_us;
}

/* Instant at which the charge of that part reaches a value. */
static int64_t charge_reaches(const struct judge *j, const struct call *c,
			      int64_t value)
{
	int64_t price = c->rate.cost_per_min;
	int64_t from = part_from(j, c);
	ring_num miss = (ring_num)value * RING_UNIT;

	if (from == c->counted.answer_us)
		miss -= (ring_num)c->rate.setup * RING_UNIT +
			(ring_num)price * rate_first_s(&c->rate) * SEC_US;
	if (miss <= 0)
		return from;
	if (price <= 0)
		return INT64_MAX;
	if (from < ledger_linear_from(c))
		from = ledger_linear_from(c);
	miss = (miss + price - 1) / price + from;
	return miss > INT64_MAX ? INT64_MAX : (int64_t)miss;
}

static int64_t term_reaches(const struct judge *j, const struct call *c,
			    const struct term *t)
{
	ring_num value =
		(ring_num)t->value * j->a->rule[j->rule].override_milli / 1000;

	if (value > INT64_MAX / 4)
		return INT64_MAX;
	switch (t->measure) {
	case MEASURE_SPEND:
		return charge_reaches(j, c, (int64_t)value);
	case MEASURE_LONGEST:
	case MEASURE_MINUTES:
		return part_from(j, c) + (int64_t)value;
	default:
		return value <= 1 ? c->counted.answer_us : INT64_MAX;
	}
}

/* When the limit is met by the regime of j->period: all terms of the first
 * alternative to be complete.  Not before the period began. */
static int64_t limit_reaches(const struct judge *j, const struct call *c,
			     unsigned *which)
{
	const struct limit *l = limit_of(j);
	int64_t best = INT64_MAX;

	for (unsigned alt = 0; alt < l->n_alt; alt++) {
		int64_t at = j->period.since_us;

		for (unsigned t = 0; t < l->alt[alt].n; t++) {
			int64_t r = term_reaches(j, c, &l->alt[alt].term[t]);

			if (r > at)
				at = r;
		}
		if (at < best) {
			best = at;
			*which = alt;
		}
	}
	return best < c->counted.answer_us ? c->counted.answer_us : best;
}

static ring_num value_at(const struct judge *j, const struct call *c,
			 enum measure m, int64_t t_us)
{
	int64_t price = c->rate.cost_per_min;
	int64_t from = part_from(j, c);

	switch (m) {
	case MEASURE_SPEND:
		return ((ring_num)ledger_cost(c, price, t_us) -
			(from > c->counted.answer_us
				 ? ledger_cost(c, price, from)
				 : 0)) *
		       RING_UNIT;
	case MEASURE_LONGEST:
	case MEASURE_MINUTES:
		return (ring_num)(t_us - from) * RING_UNIT;
	default:
		return RING_UNIT;
	}
}

/* Try one severity in each period of the call's life until t. */
static bool try(struct judge *j, struct call *c, int64_t t_us)
{
	int64_t from = c->counted.answer_us;

	if (from < t_us - LIMIT_LOOK_BACK)
		from = t_us - LIMIT_LOOK_BACK;
	while (from <= t_us) {
		struct crossing x = {.now_us = t_us};
		const struct limit *l;

		j->period = account_period(j->a, from);
		x.at_us = limit_reaches(j, c, &x.alt);
		if (x.at_us <= t_us && x.at_us < j->period.until_us) {
			l = limit_of(j);
			for (unsigned t = 0; t < l->alt[x.alt].n; t++)
				x.value[t] =
					value_at(j, c,
						 l->alt[x.alt].term[t].measure,
						 x.at_us);
			episode_fire_call(j, &x, c);
			return true;
		}
		from = j->period.until_us;
	}
	return false;
}

static uint32_t rules_of(const struct engine *g, const struct call *c)
{
	uint32_t rules = 0;

	for (uint32_t m = c->match; m; m &= m - 1)
		rules |= g->plan.match_calls[__builtin_ctz(m)];
	return rules;
}

static bool silent(const struct judge *j, int64_t t_us)
{
	const struct account *a = j->a;

	return j->g->conf->rule[j->rule].shadow ||
	       ((a->suppressed >> j->rule & 1) && t_us >= a->suppress_from &&
		t_us < a->suppress_until);
}

void percall_judge(struct engine *g, struct call *c, int64_t t_us)
{
	struct judge j = {.g = g, .a = &g->accounts.account[c->account]};
	int64_t end = ledger_end(c);

	if (!(c->parts & PART_ANSWER))
		return;
	if (end && end < t_us)
		t_us = end;
	for (uint32_t r = rules_of(g, c); r; r &= r - 1) {
		j.rule = (unsigned)__builtin_ctz(r);
		limit_override(g, j.a, j.rule, t_us);
		if (silent(&j, t_us))
			continue;
		for (int s = SEVERITY_CRITICAL; s >= SEVERITY_WARNING; s--) {
			if (c->fired[s - 1] >> j.rule & 1)
				break;
			j.severity = (enum severity)s;
			if (try(&j, c, t_us))
				break;
		}
	}
}

int64_t percall_next(struct engine *g, const struct call *c, int64_t t_us)
{
	struct judge j = {.g = g, .a = &g->accounts.account[c->account]};
	int64_t next = INT64_MAX;

	j.period = account_period(j.a, t_us);
	for (uint32_t r = rules_of(g, c); r; r &= r - 1) {
		j.rule = (unsigned)__builtin_ctz(r);
		limit_override(g, j.a, j.rule, t_us);
		for (int s = SEVERITY_WARNING; s <= SEVERITY_CRITICAL; s++) {
			unsigned alt;
			int64_t at;

			if (c->fired[s - 1] >> j.rule & 1)
				continue;
			j.severity = (enum severity)s;
			at = limit_reaches(&j, c, &alt);
			if (at > t_us && at < next)
				next = at;
			if (j.period.until_us < next)
				next = j.period.until_us;
		}
	}
	return next;
}
