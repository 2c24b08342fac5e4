/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/engine.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/episode.h"
#include "analyzer/pair.h"
#include "analyzer/settle.h"
#include "analyzer/state.h"
#include "analyzer/usual.h"
#include "common/clock.h"
#include "common/mem.h"

#define MAX_CALL (12 * HOUR_US)

/* ---- set-up ---- */

/* Both fields are NUL-padded, so all 16 bytes compare. */
static unsigned source_index(const struct engine *g, const char name[16])
{
	for (unsigned i = 0; i < g->n_sources; i++)
		if (memcmp(name, g->conf->source[i].name, 16) == 0)
			return i + 1;
	return 0;
}

/* Batch primaries get a lane each, all the rest runs on the live one. */
static void set_lanes(struct engine *g)
{
	const struct analyzer_conf *conf = g->conf;
	uint8_t lanes = LANE_LIVE + 1;

	g->n_sources = conf->n_sources < LANES_MAX ? (unsigned)conf->n_sources
						   : LANES_MAX - 1;
	for (unsigned i = 0; i < g->n_sources; i++) {
		const struct source_conf *s = &conf->source[i];

		if (s->of[0])
			g->source_of[i] = (uint8_t)source_index(g, s->of);
		else if (s->clock == CLOCK_BATCH)
			g->source_lane[i] = lanes++;
	}
	for (unsigned i = 0; i < g->n_sources; i++) {
		unsigned of = g->source_of[i];
		int64_t keep =
			conf->source[i].lateness_us + conf->source[i].within_us;

		if (!of)
			continue;
		g->source_lane[i] = g->source_lane[of - 1];
		g->witnesses[of - 1] |= 1u << i;
		if (keep > g->retain_us)
			g->retain_us = keep;
	}
}

struct engine *engine_new(const struct analyzer_conf *conf,
			  const struct engine_sink *sink)
{
	struct engine *g = xcalloc(1, sizeof(*g));

	g->conf = conf;
	g->sink = *sink;
	g->retain_us = HOUR_US;
	g->max_call_us = conf->max_call_us ? conf->max_call_us : MAX_CALL;
	plan_build(&g->plan, conf);
	slab_init(&g->blocks, (g->plan.n_defs + 1) * sizeof(struct counter));
	slab_init(&g->chunks, sizeof(struct ring_chunk));
	slab_init(&g->days, sizeof(struct usual));
	slab_init(&g->watches, sizeof(struct watch));
	set_lanes(g);
	accounts_init(&g->accounts, conf);
	calls_init(&g->calls, conf);
	return g;
}

void engine_free(struct engine *g)
{
	if (!g)
		return;
	for (int i = 0; i < LANES_MAX; i++)
		timers_release(&g->lane[i].timers);
	accounts_release(&g->accounts);
	calls_release(&g->calls);
	slab_release(&g->blocks);
	slab_release(&g->chunks);
	slab_release(&g->days);
	slab_release(&g->watches);
	free(g);
}

/* ---- time ---- */

static void run_timer(struct engine *g, const struct timer *t)
{
	struct account *a;

	if (t->kind == TIMER_CALL) {
		settle_timer(g, call_at(&g->calls, t->owner), t->due_us);
		return;
	}
	a = &g->accounts.account[t->owner];
	if (t->kind == TIMER_COUNTER)
		episode_judge(g, a, g->plan.def[t->sub].match, t->due_us,
			      t->due_us);
	else
		episode_timer(g, a, t->due_us);
}

/* Timers due at t run before what happens at t. */
static void drive(struct engine *g, unsigned lane, int64_t t_us)
{
	struct lane *l = &g->lane[lane];
	struct timer *t;

	if (t_us > l->clock)
		l->clock = t_us;
	if (t_us > g->clock)
		g->clock = t_us;
	while ((t = timer_pop(&l->timers, l->clock)))
		run_timer(g, t);
}

void engine_tick(struct engine *g, int64_t t_us)
{
	drive(g, LANE_LIVE, t_us);
	settle_expire(g);
}

int64_t engine_clock(const struct engine *g)
{
	return g->clock;
}

/* ---- events ---- */

/* The witnesses that were here first.  Only when the call is over is enough
 * known of it to tell it from others that began with it; till then they wait
 * on. */
static void find_witnesses(struct engine *g, struct call *c)
{
	uint32_t want =
		c->source ? g->witnesses[c->source - 1] & ~c->paired : 0;

	if (!want)
		return;
	if (!c->indexed)
		call_index_pair(&g->calls, c);
	if (!c->said.end_us ||
	    (g->calls.list[CALL_WAITING].n == 0 && g->stats.unpaired == 0))
		return;
	for (; want; want &= want - 1) {
		struct call *other =
			pair_witness(g, c, (unsigned)__builtin_ctz(want));

		if (other)
			pair_join(g, c, other);
	}
}

/* The record of a call comes a little before or after its last packet: it is
 * ripe when the primary has had the time to end. */
static void find_primary(struct engine *g, struct call *c, int64_t t_us)
{
	if (!c->indexed)
		call_index_pair(&g->calls, c);
	if (g->lane[c->lane].clock >= settle_ripe(g, c) &&
	    settle_join(g, c, t_us))
		return;
	settle_wait(g, c);
}

/* A primary and a witness that use the same key are one entry. */
static bool by_the_other_side(const struct call *c, unsigned source,
			      bool witness)
{
	return c->source != source && (c->role == CALL_WITNESS) != witness;
}

static void same_key_witness(struct engine *g, struct call *c,
			     const struct event *ev, unsigned source)
{
	bool first = !c->witness_source;

	if (first) {
		c->witness_source = (uint8_t)source;
		c->paired |= 1u << (source - 1);
		g->stats.paired++;
	}
	if (c->witness_source != source || !pair_merge(&c->witness, ev)) {
		g->stats.duplicate++;
		return;
	}
	g->stats.applied++;
	settle_call(g, c, event_time(ev));
}

/* What waited as a witness becomes the primary's entry. */
static void promote(struct engine *g, struct call *c, unsigned source)
{
	timer_cancel(&g->lane[c->timer.lane].timers, &c->timer);
	call_unindex_pair(&g->calls, c);
	if (c->list == CALL_WAITING)
		call_move(&g->calls, c, CALL_RINGING);
	c->witness = c->said;
	c->witness_source = c->source;
	c->paired |= 1u << (c->source - 1);
	c->said = (struct facts){0};
	c->role = CALL_PRIMARY;
	c->source = (uint8_t)source;
	g->stats.paired++;
}

static void paired_event(struct engine *g, struct call *c,
			 const struct event *ev)
{
	struct call *primary;

	if (!pair_merge(&c->said, ev)) {
		g->stats.duplicate++;
		return;
	}
	g->stats.applied++;
	primary = pair_update(g, c);
	if (primary)
		settle_call(g, primary, event_time(ev));
}

static void own_event(struct engine *g, struct call *c, const struct event *ev)
{
	int64_t begin = call_begin(&c->said);
	bool news = begin && settle_identity(g, c, ev);

	news |= pair_merge(&c->said, ev);
	if (!news) {
		g->stats.duplicate++;
		return;
	}
	g->stats.applied++;
	if (call_begin(&c->said) != begin)
		call_unindex_pair(&g->calls, c);
	if (c->role == CALL_WITNESS && (!c->parts || c->list == CALL_WAITING)) {
		find_primary(g, c, event_time(ev));
		return;
	}
	find_witnesses(g, c);
	settle_call(g, c, event_time(ev));
}

static void call_event(struct engine *g, const struct event *ev,
		       unsigned source, bool witness)
{
	struct call *c = call_find(&g->calls, &ev->key);

	if (!c) {
		c = settle_new(g, ev, source);
		if (!c) {
			g->stats.untracked++;
			return;
		}
	} else if (c->role == CALL_PAIRED) {
		paired_event(g, c, ev);
		return;
	} else if (by_the_other_side(c, source, witness)) {
		if (witness) {
			same_key_witness(g, c, ev, source);
			return;
		}
		promote(g, c, source);
	}
	own_event(g, c, ev);
}

/* Does the event tell an instant of a call? */
static bool tells(const struct event *ev)
{
	return ev->kind == EVENT_CALL && event_time(ev) > 0 &&
	       (ev->setup_us || ev->answer_us || ev->phase == PHASE_END) &&
	       (ev->phase == PHASE_SETUP || ev->phase == PHASE_ANSWER ||
		ev->phase == PHASE_END);
}

/* Nothing is seen before it happens. */
static const struct event *not_ahead(struct engine *g, const struct event *ev,
				     struct event *copy)
{
	int64_t limit = ev->observed_us + EVENT_AHEAD_S * SEC_US;

	if (!ev->observed_us || event_time(ev) <= limit)
		return ev;
	*copy = *ev;
	event_clamp(copy, limit);
	g->stats.ahead++;
	return copy;
}

void engine_event(struct engine *g, const struct event *given)
{
	struct event copy;
	const struct event *ev = not_ahead(g, given, &copy);
	unsigned source = source_index(g, ev->source);
	bool witness = source && g->source_of[source - 1];
	unsigned lane = source ? g->source_lane[source - 1] : LANE_LIVE;

	/* a heartbeat of a batch source says nothing of how far it is */
	if (!witness && (ev->kind == EVENT_CALL || lane == LANE_LIVE))
		drive(g, lane, event_time(ev));
	if (tells(ev))
		call_event(g, ev, source, witness);
	settle_expire(g);
}

void engine_finish(struct engine *g)
{
	struct calls *t = &g->calls;

	while (t->list[CALL_WAITING].n)
		settle_waited(g, call_at(t, t->list[CALL_WAITING].first),
			      g->clock);
}

/* ---- control ---- */

static uint32_t rules_named(const struct engine *g, struct sv id)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < g->conf->n_rules; i++) {
		const struct rule *r = &g->conf->rule[i];

		if (id.n == 0 || sv_eq(id, sv_field(r->id, sizeof(r->id))))
			mask |= 1u << i;
	}
	return mask;
}

void engine_control(struct engine *g, const struct control *k)
{
	struct account *a = account_find(&g->accounts, EVENT_SV(k->account));

	if (!a)
		return;
	if (k->kind != CONTROL_SUPPRESS) {
		usual_control(g, a, k);
		return;
	}
	a->suppressed = rules_named(g, EVENT_SV(k->rule));
	a->suppress_from = k->from_us;
	a->suppress_until = k->until_us;
}

/* ---- looking in ---- */

struct engine_stats engine_stats(const struct engine *g)
{
	struct engine_stats s = g->stats;

	s.tracked_calls = g->calls.fresh - g->calls.list[CALL_FREE].n;
	s.accounts = g->accounts.n;
	for (int i = 0; i < LANES_MAX; i++)
		s.timers += (uint32_t)g->lane[i].timers.n;
	s.ring_bytes = (uint64_t)g->chunks.live * g->chunks.size;
	return s;
}

/* The counter in the window that ends at t; t may lie after the account's
 * last event, which must not move the account on. */
static ring_num peek(const struct judge *j, unsigned d, int64_t t_us)
{
	const struct definition *def = &j->g->plan.def[d];

	if (!j->a->counter)
		return 0;
	if (def->kind != DEF_RING)
		return counter_value(j->g, j->a, d, &j->period);
	return ring_sum_at(&j->a->counter[d].ring[j->period.regime],
			   &j->g->chunks, ring_bucket(&def->shape, t_us));
}

struct listing {
	void (*each)(void *arg, const struct engine_limit *l);
	void *arg;
	int64_t t_us;
};

static void list_limit(const struct judge *j, const struct listing *to)
{
	const struct limit *l = limit_of(j);
	struct engine_limit out = {
		.rule = &j->g->conf->rule[j->rule],
		.severity = j->severity,
		.regime = j->period.regime,
		.file = l->file,
		.line = l->line,
	};

	override_milli(j->g->conf, j->rule, j->a->conf, to->t_us,
		       &out.override_text);
	for (unsigned alt = 0; alt < l->n_alt; alt++)
		for (unsigned t = 0; t < l->alt[alt].n; t++) {
			ring_num v = 0;

			if (!j->g->plan.rule[j->rule].per_call)
				v = peek(j, limit_def(j, alt, t), to->t_us);
			limit_explain(j, alt, t, v, &out.term);
			to->each(to->arg, &out);
		}
}

void engine_limits(struct engine *g, struct sv account, int64_t t_us,
		   void (*each)(void *arg, const struct engine_limit *l),
		   void *arg)
{
	struct listing to = {each, arg, t_us};
	struct judge j = {.g = g};

	j.a = account_find(&g->accounts, account);
	if (!j.a)
		return;
	j.a = settle_account(g, account, t_us);
	j.period = account_period(j.a, t_us);
	for (j.rule = 0; j.rule < g->conf->n_rules; j.rule++) {
		limit_override(g, j.a, j.rule, t_us);
		for (int s = SEVERITY_WARNING; s <= SEVERITY_CRITICAL; s++) {
			j.severity = (enum severity)s;
			list_limit(&j, &to);
		}
	}
}
