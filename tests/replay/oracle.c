/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The oracle: a million random events go through the engine, and again and
 * again every counter is recounted from the calls told so far, by code that
 * shares nothing with it: no rings, no running sums, no laziness, not even
 * the calendar (in January London is on UTC and hours open on the hour).
 *
 *   oracle [EVENTS [SEED]]
 *
 * Counters must agree exactly, as sixty-millionths of a unit, with a recount
 * on the same bucket borders; and counts must lie between the recounts of
 * the window less and the window plus nothing: one bucket.  When all calls
 * have ended, all money is the sum of the exact charges.
 */
#include "analyzer/state.h"

#include <stdio.h>

#include "tests/support/traffic.h"

enum { CHECKS = 80 };

struct oracle {
	struct world *world;
	struct traffic *traffic;
	struct engine *g;
	struct kept *kept;
	uint8_t *told; /* bits of enum traffic_phase, per call */
	const struct world_prefix *prefix[ARRAY_LEN(traffic_callee)];
	bool match[PLAN_DEFS][ARRAY_LEN(traffic_callee)];
	uint64_t compared;
	uint64_t wrong;
};

/* ---- what is known ---- */

struct recount {
	const struct oracle *o;
	unsigned account;
	unsigned def;
	enum regime regime;
	int64_t from, to; /* instants that count, half-open */
	int64_t paid;	  /* accrual is seen until here */
};

static bool office_open(int64_t t)
{
	int64_t day = t / DAY_US;
	int64_t hour = t % DAY_US / HOUR_US;

	return (day + 3) % 7 < 5 && hour >= 8 && hour < 18;
}

static enum regime regime_of(unsigned account, int64_t t)
{
	if (strcmp(traffic_account[account], "taxi") == 0 || office_open(t))
		return REGIME_INSIDE;
	return REGIME_OUTSIDE;
}

static bool counts_at(const struct recount *r, int64_t t)
{
	return t >= r->from && t < r->to &&
	       regime_of(r->account, t) == r->regime;
}

/* Microseconds of [a, b) that count, hour by hour. */
static int64_t span_of(const struct recount *r, int64_t a, int64_t b)
{
	int64_t sum = 0;

	if (a < r->from)
		a = r->from;
	if (b > r->to)
		b = r->to;
	while (a < b) {
		int64_t next = (a / HOUR_US + 1) * HOUR_US;

		if (next > b)
			next = b;
		if (regime_of(r->account, a) == r->regime)
			sum += next - a;
		a = next;
	}
	return sum;
}

struct facts_told {
	int64_t setup, answer, end;
};

static struct facts_told told(const struct oracle *o, size_t i)
{
	const struct traffic_call *c = &o->traffic->call[i];
	unsigned t = o->told[i];
	struct facts_told f = {0};

	if (t & (1u << TELL_SETUP | 1u << TELL_ALL))
		f.setup = c->setup;
	if (t & (1u << TELL_ANSWER | 1u << TELL_ALL))
		f.answer = c->answer;
	if (t & (1u << TELL_END | 1u << TELL_ALL))
		f.end = c->end;
	return f;
}

static ring_num money(const struct recount *r, const struct rate *rate,
		      int64_t per_min, const struct facts_told *f)
{
	int64_t first_s =
		rate->min_s > rate->step_s ? rate->min_s : rate->step_s;
	ring_num first = (ring_num)rate->setup * 60000000 +
			 (ring_num)per_min * first_s * SEC_US;
	int64_t begin = f->answer + (first_s - rate->step_s) * SEC_US;
	ring_num sum = 0;

	if (counts_at(r, f->answer))
		sum += first;
	sum += (ring_num)per_min * span_of(r, begin, f->end ? f->end : r->paid);
	if (f->end && counts_at(r, f->end)) {
		sum += (ring_num)rate_charge(rate, per_min,
					     f->end - f->answer) *
		       60000000;
		sum -= first;
		if (f->end > begin)
			sum -= (ring_num)per_min * (f->end - begin);
	}
	return sum;
}

static ring_num of_call(const struct recount *r, size_t i)
{
	const struct traffic_call *c = &r->o->traffic->call[i];
	const struct definition *d = &r->o->g->plan.def[r->def];
	const struct world_prefix *p = r->o->prefix[c->callee];
	struct facts_told f;

	if (c->account != r->account || !r->o->told[i] ||
	    !r->o->match[r->def][c->callee])
		return 0;
	f = told(r->o, i);
	if (f.end && f.end < r->from)
		return 0;
	switch (d->measure) {
	case MEASURE_CALLS:
		return f.setup && counts_at(r, f.setup) ? 60000000 : 0;
	case MEASURE_FAILED:
		return f.end && !f.answer && counts_at(r, f.end) ? 60000000 : 0;
	case MEASURE_ANSWERED:
		return f.answer && counts_at(r, f.answer) ? 60000000 : 0;
	case MEASURE_MINUTES:
		return f.answer ? (ring_num)span_of(r, f.answer,
						    f.end ? f.end : r->paid) *
					  60000000
				: 0;
	case MEASURE_SPEND:
		return f.answer ? money(r, &p->rate, p->rate.cost_per_min, &f)
				: 0;
	case MEASURE_RETAIL:
		return f.answer ? money(r, &p->rate, p->rate.retail_per_min, &f)
				: 0;
	case MEASURE_CONCURRENT:
		return f.answer && !f.end &&
				       regime_of(r->account, f.answer) ==
					       r->regime
			       ? 60000000
			       : 0;
	default:
		abort();
	}
}

static ring_num all_calls(const struct recount *r)
{
	ring_num sum = 0;

	for (size_t i = 0; i < r->o->traffic->n_calls; i++)
		sum += of_call(r, i);
	return sum;
}

/* ---- comparing ---- */

static void wrong(struct oracle *o, const struct recount *r, ring_num have,
		  ring_num want, const char *what)
{
	const struct definition *d = &o->g->plan.def[r->def];

	if (o->wrong++ < 20)
		printf("%s: %s def %u (measure %d, within %lld s) regime %d: "
		       "engine %.8f, recount %.8f, differ by %lld\n",
		       what, traffic_account[r->account], r->def, d->measure,
		       (long long)(d->within / SEC_US), r->regime,
		       (double)have / 6e7, (double)want / 6e7,
		       (long long)(have - want));
}

static void compare_ring(struct oracle *o, struct recount *r,
			 const struct counter *c)
{
	const struct definition *d = &o->g->plan.def[r->def];
	int64_t head = r->paid / d->shape.bucket_us;
	ring_num have = c->ring[r->regime].sum;
	ring_num want;

	r->from = (head - 59) * d->shape.bucket_us;
	r->to = (head + 1) * d->shape.bucket_us;
	want = all_calls(r);
	o->compared++;
	if (have != want)
		wrong(o, r, have, want, "window");
	if (d->measure != MEASURE_CALLS && d->measure != MEASURE_MINUTES)
		return;
	/* the true sliding window, to one bucket */
	r->to = r->paid + 1;
	r->from = r->paid - d->within + 1;
	if (have > all_calls(r))
		wrong(o, r, have, all_calls(r), "more than the window");
	r->from += d->shape.bucket_us;
	if (have < all_calls(r))
		wrong(o, r, have, all_calls(r), "less than a bucket short");
}

static void compare_session(struct oracle *o, struct recount *r,
			    const struct counter *c)
{
	const struct session *s = &c->session[r->regime];
	ring_num want;

	if (!s->since_us && strcmp(traffic_account[r->account], "taxi") != 0)
		return;
	r->from = s->since_us;
	for (r->to = s->since_us;
	     r->to <= r->paid && regime_of(r->account, r->to) == r->regime;)
		r->to = (r->to / HOUR_US + 1) * HOUR_US;
	if (r->regime == REGIME_OUTSIDE && !s->since_us)
		return;
	want = all_calls(r);
	o->compared++;
	if (s->value != want)
		wrong(o, r, s->value, want, "session");
}

static void compare(struct oracle *o, unsigned account)
{
	const struct account *a =
		account_find(&o->g->accounts, sv_of(traffic_account[account]));

	if (!a || !a->counter)
		return;
	for (unsigned d = 0; d < o->g->plan.n_defs; d++)
		for (int regime = 0; regime < 2; regime++) {
			const struct counter *c = &a->counter[d];
			struct recount r = {.o = o,
					    .account = account,
					    .def = d,
					    .regime = (enum regime)regime,
					    .paid = c->paid_us};
			ring_num up;

			switch (o->g->plan.def[d].kind) {
			case DEF_RING:
				compare_ring(o, &r, c);
				break;
			case DEF_SESSION:
				compare_session(o, &r, c);
				break;
			default:
				up = (ring_num)c->up[regime] * RING_UNIT;
				o->compared++;
				if (up != all_calls(&r))
					wrong(o, &r, up, all_calls(&r), "up");
			}
		}
}

/* All calls have ended: both regimes together are the exact charges. */
static void compare_money(struct oracle *o)
{
	int d = plan_find(&o->g->plan, 0, MEASURE_SPEND, 30 * DAY_US);

	for (unsigned k = 0; k < ARRAY_LEN(traffic_account); k++) {
		const struct account *a =
			account_find(&o->g->accounts,
				     sv_of(traffic_account[k]));
		ring_num have =
			a->counter[d].ring[0].sum + a->counter[d].ring[1].sum;
		int64_t want = 0;

		for (size_t i = 0; i < o->traffic->n_calls; i++) {
			const struct traffic_call *c = &o->traffic->call[i];
			const struct rate *r = &o->prefix[c->callee]->rate;

			if (c->account == k && c->answer && o->told[i])
				want += rate_charge(r, r->cost_per_min,
						    c->end - c->answer);
		}
		printf("%s: %lld micropence\n", traffic_account[k],
		       (long long)want);
		o->compared++;
		if (have != (ring_num)want * RING_UNIT)
			o->wrong++;
		if (a->up != 0)
			o->wrong++;
	}
}

static void find_matches(struct oracle *o)
{
	for (size_t i = 0; i < ARRAY_LEN(traffic_callee); i++) {
		struct number_info info;
		struct number callee;

		if (!number_parse(sv_of(traffic_callee[i]), &callee))
			abort();
		info = numbering_find(NULL, callee);
		o->prefix[i] = world_find(callee);
		for (unsigned d = 0; d < o->g->plan.n_defs; d++)
			o->match[d][i] = match_call(
				o->g->plan.match[o->g->plan.def[d].match],
				DIRECTION_OUTBOUND, &info,
				o->prefix[i]->rate.cost_per_min);
	}
}

static void play(struct oracle *o)
{
	const struct traffic *t = o->traffic;
	size_t every = t->n / CHECKS + 1;

	for (size_t i = 0; i < t->n; i++) {
		traffic_send(t, i, o->g);
		o->told[t->event[i].call] |= (uint8_t)(1u << t->event[i].phase);
		if (i % every == every - 1)
			compare(o, (unsigned)(i / every) %
					   ARRAY_LEN(traffic_account));
	}
	for (unsigned k = 0; k < ARRAY_LEN(traffic_account); k++)
		compare(o, k);
	compare_money(o);
}

int main(int argc, char **argv)
{
	struct oracle o = {0};
	uint64_t n = 1000000;
	uint64_t seed = 20260117;
	struct engine_sink sink;
	struct engine_stats stats;

	if ((argc > 1 && !sv_u64(sv_of(argv[1]), &n)) ||
	    (argc > 2 && !sv_u64(sv_of(argv[2]), &seed)))
		return 2;
	o.world = world_new();
	o.world->conf.calls_max = 200000;
	world_rules(o.world);
	world_rule(o.world, "R90", MEASURE_SPEND, 30 * DAY_US,
		   (int64_t[]){1000000 * POUND, 0, 1000000 * POUND, 0});
	world_rule(o.world, "R91", MEASURE_FAILED, HOUR_US,
		   (int64_t[]){1000000, 0, 1000000, 0});
	world_rule(o.world, "R92", MEASURE_ANSWERED, 10 * MIN_US,
		   (int64_t[]){1000000, 0, 1000000, 0});
	/* eleven days from Thursday 2026-01-01 for a million events */
	o.traffic = traffic_new(seed, n, when("2026-01-01T00:00:00Z"),
				(int64_t)n * SEC_US);
	o.kept = xcalloc(1, sizeof(*o.kept));
	o.told = xcalloc(o.traffic->n_calls, 1);
	sink = keep_sink(o.kept);
	o.g = engine_new(&o.world->conf, &sink);
	find_matches(&o);
	play(&o);
	stats = engine_stats(o.g);
	printf("%zu events, %zu calls: %llu comparisons, %llu wrong; "
	       "%llu applied, %llu duplicate, %llu late, %llu findings\n",
	       o.traffic->n, o.traffic->n_calls, (unsigned long long)o.compared,
	       (unsigned long long)o.wrong, (unsigned long long)stats.applied,
	       (unsigned long long)stats.duplicate,
	       (unsigned long long)stats.late,
	       (unsigned long long)stats.findings);
	engine_free(o.g);
	traffic_free(o.traffic);
	world_free(o.world);
	free(o.kept);
	free(o.told);
	return o.wrong || stats.late ? 1 : 0;
}
