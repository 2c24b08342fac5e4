/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/episode.h"

#include <string.h>

#include "analyzer/finding.h"
#include "analyzer/ledger.h"
#include "analyzer/usual.h"
#include "common/clock.h"

#define WATCH_EVERY  (10 * SEC_US)
#define QUIET_NOW    HOUR_US
#define COMBI_WITHIN HOUR_US

/* ---- watches ---- */

struct watch *watch_open(struct engine *g, struct account *a)
{
	struct watch *w;

	if (a->watch)
		return watch_of(g, a);
	a->watch = slab_take(&g->watches);
	w = watch_of(g, a);
	w->timer = (struct timer){.kind = TIMER_WATCH,
				  .owner = a->index,
				  .order = a->index,
				  .lane = a->lane};
	return w;
}

void watch_close(struct engine *g, struct account *a)
{
	struct watch *w = watch_of(g, a);

	if (!w)
		return;
	timer_cancel(&g->lane[w->timer.lane].timers, &w->timer);
	slab_give(&g->watches, a->watch);
	a->watch = 0;
}

static unsigned fired(const struct engine *g, const struct account *a,
		      unsigned rule)
{
	const struct watch *w = watch_of(g, a);

	return w ? w->episode[rule].fired : 0;
}

/* ---- firing ---- */

static struct watched *family_of(const struct judge *j, struct watch *w)
{
	return &w->family[j->g->plan.rule[j->rule].family];
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Open the episode if it is not, and mark the severity and those below. */
static struct episode *mark(const struct judge *j, struct watch *w,
			    const struct crossing *x)
{
	struct episode *e = &w->episode[j->rule];

	if (!e->start_us)
		*e = (struct episode){
			.start_us =
				later(x->at_us, j->a->rule[j->rule].over_us)};
	e->low_us = 0;
	e->fired |= (uint8_t)(1u << j->severity | 1u << SEVERITY_WARNING);
	if (j->severity == SEVERITY_CRITICAL) {
		family_of(j, w)->critical = true;
		j->a->taught_wrong = true;
	}
	if (!w->timer.pos)
		timer_set(&j->g->lane[w->timer.lane].timers, &w->timer,
			  x->now_us + WATCH_EVERY);
	return e;
}

static void emit(struct engine *g, const struct finding *f)
{
	g->stats.findings++;
	if (g->sink.finding)
		g->sink.finding(g->sink.arg, f);
}

/* The second of two warnings: say both in one critical. */
static void combine(const struct judge *j, struct watch *w, struct finding *f)
{
	struct watched *fam = family_of(j, w);

	if (strcmp(j->g->conf->rule[j->rule].family, "toll") != 0 ||
	    fam->critical)
		return;
	if (fam->warned_us && fam->warned_rule != j->rule &&
	    f->time_us - fam->warned_us <= COMBI_WITHIN) {
		struct episode *e = &w->episode[RULE_COMBI];

		j->a->combi_us = later(f->time_us, j->a->combi_us + 1);
		*e = (struct episode){.start_us = j->a->combi_us,
				      .fired = 1u << SEVERITY_CRITICAL};
		fam->critical = true;
		j->a->taught_wrong = true;
		finding_combine(f, &fam->warned, e->start_us);
		emit(j->g, f);
		return;
	}
	fam->warned_us = f->time_us;
	fam->warned_rule = (uint8_t)j->rule;
	fam->warned = f->term[0];
}

static void fire(const struct judge *j, const struct crossing *x)
{
	struct watch *w = watch_open(j->g, j->a);
	struct episode *e = mark(j, w, x);
	struct finding f;

	exposure_join(j, &family_of(j, w)->exposed, finding_window(j, x),
		      x->at_us);
	finding_build(j, x,
		      &(struct finding_of){&family_of(j, w)->exposed,
					   e->start_us, NULL},
		      &f);
	emit(j->g, &f);
	if (j->severity == SEVERITY_WARNING)
		combine(j, w, &f);
}

void episode_fire_call(const struct judge *j, const struct crossing *x,
		       struct call *c)
{
	struct watch *w = watch_open(j->g, j->a);
	struct finding f;

	mark(j, w, x);
	c->fired[j->severity - 1] |= 1u << j->rule;
	if (j->severity == SEVERITY_CRITICAL)
		c->fired[0] |= 1u << j->rule;
	exposure_join(j, &family_of(j, w)->exposed, call_begin(&c->counted),
		      x->at_us);
	finding_build(j, x,
		      &(struct finding_of){&family_of(j, w)->exposed,
					   call_begin(&c->counted), c},
		      &f);
	emit(j->g, &f);
	if (j->severity == SEVERITY_WARNING)
		combine(j, w, &f);
}

/* ---- judging ---- */

static bool suppressed(const struct account *a, unsigned rule, int64_t t_us)
{
	return (a->suppressed >> rule & 1) && t_us >= a->suppress_from &&
	       t_us < a->suppress_until;
}

/* Every period from from_us to now, the old ones by what their rings hold. */
static bool reached(struct judge *j, int64_t from_us, struct crossing *x)
{
	int64_t now = x->at_us;

	from_us = later(from_us, j->a->rule[j->rule].over_us);
	from_us = later(from_us, now - LIMIT_LOOK_BACK);
	if (from_us >= now)
		return limit_now(j, 1, x);
	while (from_us <= now) {
		j->period = account_period(j->a, from_us);
		x->at_us = now;
		if (limit_since(j, from_us, x))
			return true;
		from_us = j->period.until_us;
	}
	return false;
}

/* The severer limit first: who is told of the worse need not hear of the
 * lesser. */
static void judge_rule(const struct judge *at, int64_t from_us, int64_t now)
{
	struct judge j = *at;
	unsigned before = fired(j.g, j.a, j.rule);

	if (j.g->conf->rule[j.rule].shadow || suppressed(j.a, j.rule, now))
		return;
	for (int s = SEVERITY_CRITICAL; s >= SEVERITY_WARNING; s--) {
		struct crossing x = {.at_us = now, .now_us = now};

		if (before >> s & 1)
			return;
		j.severity = (enum severity)s;
		j.period = at->period;
		if (reached(&j, from_us, &x)) {
			fire(&j, &x);
			return;
		}
	}
}

/* All counters of a match move on together, so that a rule with several
 * terms sees them at one instant. */
static int64_t advance(struct engine *g, struct account *a, unsigned match,
		       int64_t t_us)
{
	const struct plan *p = &g->plan;
	int64_t now = t_us;

	for (unsigned d = p->first[match]; d < p->first[match + 1]; d++)
		if (a->counter[d].paid_us > now)
			now = a->counter[d].paid_us;
	for (unsigned d = p->first[match]; d < p->first[match + 1]; d++)
		counter_advance(g, a, d, now);
	return now;
}

static void note_usual(struct engine *g, struct account *a, unsigned match,
		       const struct period *p)
{
	const struct plan *plan = &g->plan;

	for (unsigned d = plan->first[match]; d < plan->first[match + 1]; d++)
		if (plan->def[d].usual_days)
			usual_note(&a->counter[d], p->regime,
				   counter_value(g, a, d, p));
}

void episode_judge(struct engine *g, struct account *a, unsigned match,
		   int64_t from_us, int64_t t_us)
{
	int64_t now = advance(g, a, match, t_us);
	struct judge j = {.g = g, .a = a, .period = account_period(a, now)};

	limit_override(g, a, 0, now);
	note_usual(g, a, match, &j.period);
	for (uint32_t r = g->plan.match_rules[match]; r; r &= r - 1) {
		j.rule = (unsigned)__builtin_ctz(r);
		judge_rule(&j, from_us, now);
	}
	episode_arm(g, a, match);
}

/* ---- crossing timers ---- */

/* Least amount by which a counter must grow until some limit is met that has
 * not fired; 0 = none. */
static ring_num least_missing(struct judge *j, unsigned d, ring_num value)
{
	ring_num least = 0;
	const struct limit *l = limit_of(j);

	for (unsigned alt = 0; alt < l->n_alt; alt++)
		for (unsigned t = 0; t < l->alt[alt].n; t++) {
			ring_num miss;

			if (limit_def(j, alt, t) != d)
				continue;
			miss = (ring_num)limit_value(j, alt, t) * RING_UNIT -
			       value;
			if (miss > 0 && (!least || miss < least))
				least = miss;
		}
	return least;
}

/* Earliest instant at which the counter alone can meet a limit, nothing
 * expiring meanwhile; at the latest where the regime changes. */
static int64_t crossing_due(struct judge *j, unsigned d)
{
	const struct counter *c = &j->a->counter[d];
	ring_num value = counter_value(j->g, j->a, d, &j->period);
	int64_t due = j->period.until_us;

	for (uint32_t r = j->g->plan.def[d].rules; r; r &= r - 1) {
		unsigned before;

		j->rule = (unsigned)__builtin_ctz(r);
		before = fired(j->g, j->a, j->rule);
		for (int s = SEVERITY_WARNING; s <= SEVERITY_CRITICAL; s++) {
			ring_num miss;
			ring_num wait;

			if (before >> s & 1)
				continue;
			j->severity = (enum severity)s;
			miss = least_missing(j, d, value);
			if (!miss)
				continue;
			wait = (miss + c->rate - 1) / c->rate;
			if (wait < due - c->paid_us)
				due = c->paid_us + (int64_t)wait;
		}
	}
	return due;
}

void episode_arm(struct engine *g, struct account *a, unsigned match)
{
	const struct plan *p = &g->plan;
	struct judge j = {.g = g, .a = a};

	for (unsigned d = p->first[match]; d < p->first[match + 1]; d++) {
		struct counter *c = &a->counter[d];
		int64_t due;

		if (!p->def[d].rules || p->def[d].kind == DEF_GAUGE)
			continue;
		if (c->rate <= 0) {
			timer_cancel(&g->lane[c->timer.lane].timers, &c->timer);
			continue;
		}
		j.period = account_period(a, c->paid_us);
		due = crossing_due(&j, d);
		if (c->timer.pos && c->timer.lane != a->lane)
			timer_cancel(&g->lane[c->timer.lane].timers, &c->timer);
		counter_timer(c, a, d);
		c->timer.lane = a->lane;
		timer_set(&g->lane[a->lane].timers, &c->timer, due);
	}
}

/* ---- late events ---- */

static ring_num own(const struct call *c, const struct term *t)
{
	int64_t end = ledger_end(c);

	/* no more of a long call than fits into one window */
	if (end && t->within > 0 && end - c->counted.answer_us > t->within)
		end = c->counted.answer_us + t->within;
	switch (t->measure) {
	case MEASURE_CALLS:
		return c->parts & PART_SETUP ? RING_UNIT : 0;
	case MEASURE_ANSWERED:
		return c->parts & PART_ANSWER ? RING_UNIT : 0;
	case MEASURE_FAILED:
		return end && !c->counted.answer_us ? RING_UNIT : 0;
	case MEASURE_SPEND:
		return (ring_num)ledger_cost(c, c->rate.cost_per_min,
					     end ? end : c->counted.answer_us) *
		       RING_UNIT;
	case MEASURE_MINUTES:
		return end && c->counted.answer_us
			       ? (ring_num)(end - c->counted.answer_us) *
					 RING_UNIT
			       : 0;
	default:
		return 0;
	}
}

static bool alone_reached(const struct judge *j, const struct call *c,
			  struct crossing *x)
{
	const struct limit *l = limit_of(j);

	for (x->alt = 0; x->alt < l->n_alt; x->alt++) {
		unsigned t = 0;

		for (; t < l->alt[x->alt].n; t++) {
			x->value[t] = own(c, &l->alt[x->alt].term[t]);
			if (x->value[t] <
			    (ring_num)limit_value(j, x->alt, t) * RING_UNIT)
				break;
		}
		if (t == l->alt[x->alt].n)
			return true;
	}
	return false;
}

void episode_judge_alone(struct engine *g, const struct call *c)
{
	struct account *a = &g->accounts.account[c->account];
	int64_t t = call_begin(&c->counted);
	int64_t now = later(t, g->lane[c->lane].clock);
	struct judge j = {.g = g, .a = a, .period = account_period(a, t)};

	limit_override(g, a, 0, t);
	for (uint32_t m = c->match; m; m &= m - 1) {
		unsigned match = (unsigned)__builtin_ctz(m);
		uint32_t r = g->plan.match_rules[match];

		for (; r; r &= r - 1) {
			j.rule = (unsigned)__builtin_ctz(r);
			if (g->conf->rule[j.rule].shadow ||
			    suppressed(a, j.rule, t))
				continue;
			for (int s = SEVERITY_CRITICAL; s > 0; s--) {
				struct crossing x = {.at_us = t, .now_us = now};

				if (fired(g, a, j.rule) >> s & 1)
					break;
				j.severity = (enum severity)s;
				if (!alone_reached(&j, c, &x))
					continue;
				fire(&j, &x);
				break;
			}
		}
	}
}

/* ---- the end of an episode ---- */

static enum severity lowest(const struct rule *r, enum regime regime)
{
	return r->limit[regime][SEVERITY_WARNING - 1].n_alt ? SEVERITY_WARNING
							    : SEVERITY_CRITICAL;
}

/* How long a rule's value must stay low. */
static int64_t quiet_us(const struct judge *j)
{
	const struct limit *l = limit_of(j);
	int64_t longest = 0;

	for (unsigned alt = 0; alt < l->n_alt; alt++)
		for (unsigned t = 0; t < l->alt[alt].n; t++) {
			int64_t within = l->alt[alt].term[t].within;

			if (within <= 0)
				within = QUIET_NOW;
			if (within > longest)
				longest = within;
		}
	return longest ? longest : QUIET_NOW;
}

static bool call_up(const struct judge *j)
{
	struct calls *t = &j->g->calls;

	for (uint32_t i = j->a->newest; i != CALL_NONE; i = t->call[i].older)
		if (t->call[i].list == CALL_UP &&
		    t->call[i].fired[0] >> j->rule & 1)
			return true;
	return false;
}

static bool is_low(struct judge *j)
{
	struct crossing x = {0};

	if (j->g->plan.rule[j->rule].per_call)
		return !call_up(j);
	return !limit_now(j, 2, &x);
}

/* Ends the episode when it was low for long enough; true while it is open. */
static bool still_open(struct judge *j, struct episode *e, int64_t t_us)
{
	j->severity = lowest(&j->g->conf->rule[j->rule], j->period.regime);
	if (!is_low(j)) {
		e->low_us = 0;
		return true;
	}
	if (!e->low_us)
		e->low_us = t_us;
	if (t_us - e->low_us < quiet_us(j))
		return true;
	j->a->rule[j->rule].over_us = later(t_us, e->start_us + 1);
	*e = (struct episode){0};
	return false;
}

static void emit_exposure(const struct judge *j, const struct exposed *x,
			  const char *family, int64_t t_us, bool open)
{
	struct exposure out;

	if (!j->g->sink.exposure)
		return;
	finding_exposure(j, x, t_us, &out);
	sv_put(out.family, sizeof(out.family), sv_of(family));
	out.open = open;
	j->g->sink.exposure(j->g->sink.arg, &out);
}

/* Judge, then ask each open episode whether it is over: then its limits can be
 * met anew.  Returns the families that still have one. */
static uint32_t look(struct engine *g, struct account *a, int64_t t_us)
{
	struct watch *w = watch_of(g, a);
	struct judge j = {.g = g, .a = a};
	uint32_t open = 0;

	for (unsigned m = 0; m < g->plan.n_match; m++)
		for (uint32_t r = g->plan.match_rules[m]; r; r &= r - 1)
			if (w->episode[__builtin_ctz(r)].start_us) {
				episode_judge(g, a, m, t_us, t_us);
				break;
			}
	j.period = account_period(a, t_us);
	for (j.rule = 0; j.rule < g->conf->n_rules; j.rule++) {
		const struct plan_rule *r = &g->plan.rule[j.rule];

		if (!w->episode[j.rule].start_us)
			continue;
		if (still_open(&j, &w->episode[j.rule], t_us))
			open |= 1u << r->family;
		else
			episode_arm(g, a, r->match);
	}
	return open;
}

void episode_timer(struct engine *g, struct account *a, int64_t t_us)
{
	struct watch *w = watch_of(g, a);
	struct judge j = {.g = g, .a = a};
	uint32_t open = look(g, a, t_us);

	j.period = account_period(a, t_us);
	for (unsigned f = 0; f < g->plan.n_families; f++) {
		struct watched *fam = &w->family[f];

		if (!fam->exposed.match)
			continue;
		emit_exposure(&j, &fam->exposed, g->plan.family[f], t_us,
			      open >> f & 1);
		if (!(open >> f & 1))
			*fam = (struct watched){0};
	}
	if (open) {
		w->timer.lane = a->lane;
		timer_set(&g->lane[a->lane].timers, &w->timer,
			  t_us + WATCH_EVERY);
	} else {
		watch_close(g, a);
	}
}

void episode_forget(struct engine *g, struct account *a, const struct call *c)
{
	struct watch *w = watch_of(g, a);

	if (w)
		for (unsigned f = 0; f < g->plan.n_families; f++)
			exposure_forget(&w->family[f].exposed, c);
}
