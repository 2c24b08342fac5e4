/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/ledger.h"

#include <assert.h>

#include "common/clock.h"

int64_t ledger_end(const struct call *c)
{
	return c->counted.end_us ? c->counted.end_us : c->stop_us;
}

int64_t ledger_linear_from(const struct call *c)
{
	return c->counted.answer_us +
	       (int64_t)(rate_first_s(&c->rate) - c->rate.step_s) * SEC_US;
}

/* Price of a minute in a measure that accrues, in units of that measure. */
static int64_t per_min(const struct call *c, unsigned measure)
{
	switch (measure) {
	case MEASURE_SPEND:
		return c->rate.cost_per_min;
	case MEASURE_RETAIL:
		return c->rate.retail_per_min;
	default:
		return RING_UNIT; /* talk: a microsecond a microsecond */
	}
}

static bool is_money(unsigned measure)
{
	return measure == MEASURE_SPEND || measure == MEASURE_RETAIL;
}

static ring_num first_charge(const struct call *c, int64_t price)
{
	return (ring_num)c->rate.setup * RING_UNIT +
	       (ring_num)price * rate_first_s(&c->rate) * SEC_US;
}

/* What the end adds to what has been charged, mostly less than nothing. */
static ring_num correction(const struct call *c, int64_t price)
{
	int64_t end = ledger_end(c);
	int64_t from = ledger_linear_from(c);
	ring_num charged = first_charge(c, price);

	if (c->linear && end > from)
		charged += (ring_num)price * (end - from);
	return (ring_num)rate_charge(&c->rate, price,
				     end - c->counted.answer_us) *
		       RING_UNIT -
	       charged;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* The work for one counter: +1 counts a part, -1 takes it back. */
struct posting {
	struct engine *g;
	struct account *a;
	const struct call *c;
	unsigned d;
	unsigned measure;
	int sign;
	const bool *only; /* these definitions; NULL: all */
};

static bool post(const struct posting *p, int64_t t_us, ring_num n)
{
	return counter_post(p->g, p->a, p->d, t_us, p->sign * n);
}

static bool post_setup(const struct posting *p)
{
	if (p->measure != MEASURE_CALLS)
		return true;
	return post(p, p->c->counted.setup_us, RING_UNIT);
}

/* Accrual from an instant on: begun when counting, undone when retracting. */
static bool accrue(const struct posting *p, int64_t from_us)
{
	int64_t rate = per_min(p->c, p->measure);

	return counter_start(p->g, p->a, p->d, from_us, p->sign * rate);
}

static bool post_answer(const struct posting *p)
{
	int64_t t = p->c->counted.answer_us;
	bool ok;

	switch (p->measure) {
	case MEASURE_ANSWERED:
		return post(p, t, RING_UNIT);
	case MEASURE_CONCURRENT:
		counter_advance(p->g, p->a, p->d, t);
		p->a->counter[p->d].up[p->c->regime] += (uint32_t)p->sign;
		return true;
	case MEASURE_MINUTES:
		return accrue(p, t);
	case MEASURE_SPEND:
	case MEASURE_RETAIL:
		ok = post(p, t, first_charge(p->c, per_min(p->c, p->measure)));
		if (p->c->linear)
			ok &= accrue(p, ledger_linear_from(p->c));
		return ok;
	default:
		return true;
	}
}

/* Accrual ends at an instant, or goes on as if it had not. */
static void halt(const struct posting *p, int64_t at_us)
{
	int64_t rate = per_min(p->c, p->measure);

	counter_stop(p->g, p->a, p->d, at_us, p->sign * rate);
}

static bool post_end(const struct posting *p)
{
	int64_t t = ledger_end(p->c);

	if (!p->c->counted.answer_us)
		return p->measure != MEASURE_FAILED || post(p, t, RING_UNIT);
	switch (p->measure) {
	case MEASURE_CONCURRENT:
		counter_advance(p->g, p->a, p->d, t);
		p->a->counter[p->d].up[p->c->regime] -= (uint32_t)p->sign;
		return true;
	case MEASURE_MINUTES:
		halt(p, t);
		return true;
	case MEASURE_SPEND:
	case MEASURE_RETAIL:
		if (p->c->linear)
			halt(p, later(t, ledger_linear_from(p->c)));
		return post(p, t, correction(p->c, per_min(p->c, p->measure)));
	default:
		return true;
	}
}

/* Run one part through all counters the call matches. */
static bool run(struct posting p, bool (*part)(const struct posting *))
{
	const struct engine *g = p.g;
	const struct call *c = p.c;
	bool ok = true;

	p.a = &g->accounts.account[c->account];
	for (uint32_t m = c->match; m; m &= m - 1) {
		unsigned match = (unsigned)__builtin_ctz(m);

		for (p.d = g->plan.first[match]; p.d < g->plan.first[match + 1];
		     p.d++) {
			p.measure = g->plan.def[p.d].measure;
			if (!p.only || p.only[p.d])
				ok &= part(&p);
		}
	}
	return ok;
}

static bool each(struct engine *g, const struct call *c, int sign,
		 bool (*part)(const struct posting *))
{
	return run((struct posting){.g = g, .c = c, .sign = sign}, part);
}

static void count_up(struct engine *g, const struct call *c, int by)
{
	g->accounts.account[c->account].up += (uint32_t)by;
	g->stats.live_calls += (uint32_t)by;
}

/* Does accrual begin with the answer, as far as the lane's clock knows? */
static bool begins_linear(const struct engine *g, const struct call *c)
{
	int64_t from = ledger_linear_from(c);
	int64_t end = ledger_end(c);

	return end ? from < end : from <= g->lane[c->lane].clock;
}

bool ledger_count(struct engine *g, struct call *c, unsigned parts)
{
	bool ok = true;

	parts &= ~(unsigned)c->parts;
	if (parts & PART_SETUP)
		ok &= each(g, c, 1, post_setup);
	if (parts & PART_ANSWER) {
		c->linear = begins_linear(g, c);
		/* kept: a reload may bring other opening hours */
		c->regime = (uint8_t)account_period(
				    &g->accounts.account[c->account],
				    c->counted.answer_us)
				    .regime;
		ok &= each(g, c, 1, post_answer);
		count_up(g, c, 1);
	}
	if (parts & PART_END) {
		ok &= each(g, c, 1, post_end);
		if (c->counted.answer_us)
			count_up(g, c, -1);
	}
	c->parts |= (uint8_t)parts;
	return ok;
}

void ledger_retract(struct engine *g, struct call *c, unsigned parts)
{
	parts &= c->parts;
	if (parts & PART_END) {
		each(g, c, -1, post_end);
		if (c->counted.answer_us)
			count_up(g, c, 1);
	}
	if (parts & PART_ANSWER) {
		each(g, c, -1, post_answer);
		count_up(g, c, -1);
		c->linear = false;
	}
	if (parts & PART_SETUP)
		each(g, c, -1, post_setup);
	c->parts &= (uint8_t)~parts;
}

void ledger_replay(struct engine *g, struct call *c, const bool *fresh)
{
	struct posting p = {.g = g, .c = c, .sign = 1, .only = fresh};

	if (c->parts & PART_SETUP)
		run(p, post_setup);
	if (c->parts & PART_ANSWER)
		run(p, post_answer);
	if (c->parts & PART_END)
		run(p, post_end);
}

static bool post_linear(const struct posting *p)
{
	return !is_money(p->measure) || accrue(p, ledger_linear_from(p->c));
}

void ledger_linear(struct engine *g, struct call *c)
{
	assert(!c->linear && (c->parts & PART_ANSWER));
	c->linear = true;
	each(g, c, 1, post_linear);
}

int64_t ledger_cost(const struct call *c, int64_t price, int64_t t_us)
{
	int64_t end = ledger_end(c);
	int64_t answer = c->counted.answer_us;
	ring_num charged = first_charge(c, price);

	if (!answer || t_us < answer)
		return 0;
	if (end && t_us >= end)
		return rate_charge(&c->rate, price, end - answer);
	if (t_us > ledger_linear_from(c))
		charged += (ring_num)price * (t_us - ledger_linear_from(c));
	return (int64_t)(charged / RING_UNIT);
}
