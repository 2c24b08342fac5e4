/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/settle.h"

#include <string.h>

#include "analyzer/episode.h"
#include "analyzer/ledger.h"
#include "analyzer/pair.h"
#include "analyzer/percall.h"
#include "analyzer/usual.h"
#include "common/clock.h"
#include "common/mem.h"

enum { PARTS = PART_SETUP | PART_ANSWER | PART_END };

static struct account *account_of(struct engine *g, const struct call *c)
{
	return &g->accounts.account[c->account];
}

/* ---- accounts ---- */

static void need_counters(struct engine *g, struct account *a)
{
	if (a->counter)
		return;
	a->counter = slab_at(&g->blocks, slab_take(&g->blocks));
	a->rule = xcalloc(g->conf->n_rules + 1, sizeof(*a->rule));
}

static void link_account(struct engine *g, struct call *c, struct account *a)
{
	c->account = a->index;
	c->newer = CALL_NONE;
	c->older = a->newest;
	if (c->older != CALL_NONE)
		call_at(&g->calls, c->older)->newer = call_index(&g->calls, c);
	a->newest = call_index(&g->calls, c);
}

static void unlink_account(struct engine *g, struct call *c)
{
	if (c->newer != CALL_NONE)
		call_at(&g->calls, c->newer)->older = c->older;
	else
		account_of(g, c)->newest = c->older;
	if (c->older != CALL_NONE)
		call_at(&g->calls, c->older)->newer = c->newer;
}

/* Forget a call: what it counted stays. */
static void drop(struct engine *g, struct call *c)
{
	struct account *a = account_of(g, c);

	if (c->list == CALL_UP) {
		c->stop_us = g->lane[c->lane].clock;
		if (c->stop_us < c->counted.answer_us)
			c->stop_us = c->counted.answer_us;
		ledger_count(g, c, PART_END);
	}
	timer_cancel(&g->lane[c->timer.lane].timers, &c->timer);
	call_unindex_pair(&g->calls, c);
	episode_forget(g, a, c);
	unlink_account(g, c);
	call_remove(&g->calls, c);
}

static void clear_account(struct engine *g, struct account *a)
{
	while (a->newest != CALL_NONE)
		drop(g, call_at(&g->calls, a->newest));
	watch_close(g, a);
	for (unsigned r = 0; a->rule && r < g->conf->n_rules; r++)
		a->rule[r].over_us = g->clock;
	a->combi_us = g->clock;
	for (unsigned d = 0; a->counter && d < g->plan.n_defs; d++)
		counter_clear(g, a, d);
}

/* Largest session spend the account shows: what would be lost with it. */
static ring_num worth(const struct engine *g, const struct account *a)
{
	ring_num most = 0;

	for (unsigned d = 0; a->counter && d < g->plan.n_defs; d++)
		for (int r = 0; r < 2; r++) {
			const struct counter *c = &a->counter[d];
			ring_num v = g->plan.def[d].kind == DEF_RING
					     ? c->ring[r].sum
				     : g->plan.def[d].kind == DEF_SESSION
					     ? c->session[r].value
					     : 0;

			if (g->plan.def[d].measure == MEASURE_SPEND && v > most)
				most = v;
		}
	return most;
}

/* Of the next few strangers: no call up, then least money, then oldest. */
static struct account *evict(struct engine *g)
{
	struct accounts *t = &g->accounts;
	uint32_t n = t->n - t->n_provisioned;
	struct account *best = NULL;
	ring_num least = 0;

	for (uint32_t i = 0; i < ACCOUNT_PROBE && i < n; i++) {
		struct account *a =
			&t->account[t->n_provisioned + (t->hand + i) % n];
		ring_num v = worth(g, a);

		if (a->up || a->watch)
			continue;
		if (!best || v < least ||
		    (v == least && a->since_us < best->since_us)) {
			best = a;
			least = v;
		}
	}
	t->hand = n ? (t->hand + ACCOUNT_PROBE) % n : 0;
	return best;
}

struct account *settle_account(struct engine *g, struct sv name, int64_t t_us)
{
	struct account *a;

	if (name.n == 0)
		name = SV("unknown");
	a = account_find(&g->accounts, name);
	if (!a)
		a = account_add(&g->accounts, g->conf, name);
	if (!a) {
		a = evict(g);
		if (!a)
			return NULL;
		clear_account(g, a);
		account_rename(&g->accounts, a, name);
	}
	need_counters(g, a);
	if (!a->since_us)
		a->since_us = t_us;
	usual_touch(g, a, t_us);
	return a;
}

/* ---- calls come and go ---- */

static struct call *make_room(struct engine *g, const struct call_key *key)
{
	struct call *c = call_add(&g->calls, key);

	while (!c) {
		struct call *victim = call_victim(&g->calls);

		if (victim->list == CALL_WAITING)
			settle_waited(g, victim, g->clock);
		g->stats.evicted++;
		drop(g, victim);
		c = call_add(&g->calls, key);
	}
	return c;
}

void settle_expire(struct engine *g)
{
	struct calls *t = &g->calls;

	while (t->list[CALL_DONE].n) {
		struct call *c = call_at(t, t->list[CALL_DONE].first);

		if (g->clock - c->done_us < g->retain_us)
			break;
		drop(g, c);
	}
}

struct call *settle_new(struct engine *g, const struct event *ev,
			unsigned source)
{
	struct account *a =
		settle_account(g, EVENT_SV(ev->account), event_time(ev));
	struct call *c;

	if (!a)
		return NULL;
	c = make_room(g, &ev->key);
	c->callee = ev->callee;
	c->direction = ev->direction;
	c->source = (uint8_t)source;
	c->role = source && g->source_of[source - 1] ? CALL_WITNESS
						     : CALL_PRIMARY;
	c->lane = source ? g->source_lane[source - 1] : LANE_LIVE;
	call_timer(&g->calls, c);
	memcpy(c->trunk, ev->trunk, sizeof(c->trunk));
	c->info = numbering_find(g->conf->numbering, c->callee);
	link_account(g, c, a);
	return c;
}

static bool is_stranger(struct sv name)
{
	return sv_starts(name, SV("unknown"));
}

bool settle_identity(struct engine *g, struct call *c, const struct event *ev)
{
	struct sv name = EVENT_SV(ev->account);
	struct account *old = account_of(g, c);
	struct account *a = old;

	if (name.n && !sv_eq(name, EVENT_SV(old->conf->name)) &&
	    !is_stranger(name))
		a = settle_account(g, name, event_time(ev));
	if (!a)
		a = old;
	if (a == old && (c->direction || !ev->direction) &&
	    (number_known(c->callee) || !number_known(ev->callee)))
		return false;
	ledger_retract(g, c, PARTS);
	call_unindex_pair(&g->calls, c);
	if (a != old) {
		unlink_account(g, c);
		link_account(g, c, a);
	}
	if (!c->direction)
		c->direction = ev->direction;
	if (!number_known(c->callee)) {
		c->callee = ev->callee;
		c->info = numbering_find(g->conf->numbering, c->callee);
	}
	c->rated_us = 0; /* match again */
	return true;
}

/* ---- counting ---- */

/* Rate and matches hold from the beginning of the call; they are looked up
 * again only when an earlier beginning becomes known. */
static void look_up(struct engine *g, struct call *c, int64_t begin_us)
{
	const struct rate *r =
		rating_find(g->conf->rating, c->callee, begin_us);

	ledger_retract(g, c, PARTS);
	c->rated_us = begin_us;
	c->rate = *r;
	c->rate.name = NULL;
	if (c->rate.step_s == 0)
		c->rate.step_s = 1;
	c->match = plan_match(&g->plan, (enum direction)c->direction, &c->info,
			      r->cost_per_min);
	if (c->match && r->is_default)
		g->stats.unrated++;
}

/* Parts that were counted with other facts than these. */
static unsigned stale(const struct call *c, const struct facts *f)
{
	unsigned parts = 0;

	if (f->setup_us != c->counted.setup_us)
		parts |= PART_SETUP;
	if (f->answer_us != c->counted.answer_us)
		parts |= PART_ANSWER | PART_END;
	/* accrual is begun again when a known end changes */
	if (f->end_us != c->counted.end_us && c->parts & PART_END)
		parts |= PART_ANSWER | PART_END;
	return parts & c->parts;
}

static unsigned known(const struct call *c)
{
	return (c->counted.setup_us ? PART_SETUP : 0u) |
	       (c->counted.answer_us ? PART_ANSWER : 0u) |
	       (ledger_end(c) ? PART_END : 0u);
}

/* Earliest instant of some parts. */
static int64_t earliest(const struct call *c, unsigned parts)
{
	int64_t t = INT64_MAX;

	if (parts & PART_SETUP)
		t = c->counted.setup_us;
	if (parts & PART_ANSWER && c->counted.answer_us < t)
		t = c->counted.answer_us;
	if (parts & PART_END && ledger_end(c) < t)
		t = ledger_end(c);
	return t;
}

static void set_list(struct engine *g, struct call *c)
{
	enum call_list list = CALL_RINGING;

	if (ledger_end(c))
		list = CALL_DONE;
	else if (c->counted.answer_us)
		list = CALL_UP;
	if (list == CALL_DONE && c->list != CALL_DONE)
		c->done_us = g->clock;
	call_move(&g->calls, c, list);
}

/* The counters of a match lie together, but seldom in the cache: ask for all
 * of them at once instead of waiting for each. */
static void fetch(const struct engine *g, const struct account *a,
		  uint32_t match)
{
	for (; match; match &= match - 1) {
		unsigned m = (unsigned)__builtin_ctz(match);
		const char *p = (const char *)&a->counter[g->plan.first[m]];
		const char *end =
			(const char *)&a->counter[g->plan.first[m + 1]];

		for (; p < end; p += 64)
			__builtin_prefetch(p, 1);
	}
}

/* Is this instant older than what the account's rings hold? */
static bool too_late(const struct engine *g, const struct account *a,
		     uint32_t match, int64_t t_us)
{
	const struct plan *p = &g->plan;

	for (; match; match &= match - 1) {
		unsigned m = (unsigned)__builtin_ctz(match);

		for (unsigned d = p->first[m]; d < p->first[m + 1]; d++) {
			const struct ring_shape *s = &p->def[d].shape;

			if (p->def[d].kind == DEF_RING &&
			    ring_bucket(s, t_us) <=
				    ring_bucket(s, a->counter[d].paid_us) -
					    s->held)
				return true;
		}
	}
	return false;
}

static void arm(struct engine *g, struct call *c, int64_t now)
{
	struct timers *timers = &g->lane[c->lane].timers;
	int64_t due;
	int64_t next;

	if (c->timer.pos && c->timer.lane != c->lane)
		timer_cancel(&g->lane[c->timer.lane].timers, &c->timer);
	c->timer.lane = c->lane;
	if (c->list != CALL_UP) {
		timer_cancel(timers, &c->timer);
		return;
	}
	due = c->counted.answer_us + g->max_call_us;
	if (!c->linear && ledger_linear_from(c) < due)
		due = ledger_linear_from(c);
	next = percall_next(g, c, now);
	timer_set(timers, &c->timer, next < due ? next : due);
}

static void judge(struct engine *g, struct call *c, int64_t from_us,
		  int64_t t_us)
{
	struct account *a = account_of(g, c);

	for (uint32_t m = c->match; m; m &= m - 1)
		episode_judge(g, a, (unsigned)__builtin_ctz(m), from_us, t_us);
}

static void count_late(struct engine *g, const struct call *c, int64_t t_us)
{
	struct account *a = account_of(g, c);

	g->stats.late++;
	a->late++;
	if (t_us > a->late_us)
		a->late_us = t_us;
	episode_judge_alone(g, c);
}

void settle_call(struct engine *g, struct call *c, int64_t t_us)
{
	struct facts f = pair_facts(c);
	struct account *a = account_of(g, c);
	int64_t now = g->lane[c->lane].clock;
	unsigned parts;
	bool late;

	if (now < t_us)
		now = t_us;
	a->lane = c->lane;
	if (call_begin(&f) != c->rated_us)
		look_up(g, c, call_begin(&f));
	fetch(g, a, c->match);
	late = too_late(g, a, c->match, t_us);
	ledger_retract(g, c, stale(c, &f));
	c->counted = f;
	if (f.end_us || !f.answer_us)
		c->stop_us = 0;
	parts = known(c) & ~(unsigned)c->parts;
	ledger_count(g, c, parts);
	if (parts & PART_SETUP && !c->attempted) {
		c->attempted = true;
		g->stats.calls++;
	}
	set_list(g, c);
	if (parts) {
		judge(g, c, earliest(c, parts), t_us);
		percall_judge(g, c, now);
		if (late)
			count_late(g, c, t_us);
	}
	arm(g, c, now);
}

/* ---- timers and witnesses ---- */

void settle_alone(struct engine *g, struct call *c)
{
	int64_t t = c->said.end_us ? c->said.end_us : call_begin(&c->said);

	timer_cancel(&g->lane[c->timer.lane].timers, &c->timer);
	g->stats.unpaired++;
	call_move(&g->calls, c, CALL_RINGING);
	settle_call(g, c, t);
}

bool settle_join(struct engine *g, struct call *c, int64_t t_us)
{
	struct call *primary = pair_primary(g, c);

	if (!primary)
		return false;
	pair_join(g, primary, c);
	settle_call(g, primary, t_us);
	return true;
}

void settle_waited(struct engine *g, struct call *c, int64_t t_us)
{
	if (!settle_join(g, c, t_us))
		settle_alone(g, c);
}

int64_t settle_ripe(const struct engine *g, const struct call *c)
{
	const struct source_conf *s = &g->conf->source[c->source - 1];

	return c->said.end_us ? c->said.end_us + s->within_us : 0;
}

/* When a witness that nobody came for counts by itself: its primary may be
 * late by the primary's lateness, and may speak until the end. */
static int64_t deadline(const struct engine *g, const struct call *c)
{
	const struct source_conf *s = &g->conf->source[c->source - 1];
	const struct source_conf *of =
		&g->conf->source[g->source_of[c->source - 1] - 1];
	int64_t last = c->said.end_us ? c->said.end_us : call_begin(&c->said);

	return last + s->within_us + of->lateness_us;
}

void settle_wait(struct engine *g, struct call *c)
{
	int64_t due = deadline(g, c);
	int64_t ripe = settle_ripe(g, c);

	call_move(&g->calls, c, CALL_WAITING);
	if (ripe > g->lane[c->lane].clock && ripe < due)
		due = ripe;
	c->timer.lane = c->lane;
	timer_set(&g->lane[c->lane].timers, &c->timer, due);
}

static void waited(struct engine *g, struct call *c, int64_t t_us)
{
	if (t_us >= deadline(g, c))
		settle_waited(g, c, t_us);
	else if (!settle_join(g, c, t_us))
		settle_wait(g, c);
}

void settle_timer(struct engine *g, struct call *c, int64_t t_us)
{
	if (c->list == CALL_WAITING) {
		waited(g, c, t_us);
		return;
	}
	if (c->list != CALL_UP)
		return;
	if (!c->linear && t_us >= ledger_linear_from(c)) {
		ledger_linear(g, c);
		judge(g, c, t_us, t_us);
	}
	percall_judge(g, c, t_us);
	if (t_us - c->counted.answer_us >= g->max_call_us) {
		c->stop_us = t_us;
		ledger_count(g, c, PART_END);
		set_list(g, c);
	}
	arm(g, c, t_us);
}
