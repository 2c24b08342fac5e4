/* SPDX-License-Identifier: Apache-2.0 */

/*
 * engine_save and engine_load.
 *
 * One description serves both directions: each field is named once, and
 * "io" writes or reads it, so the two cannot disagree.  What refers to the
 * configuration (sources, rules, matches, definitions, families) is stored
 * by its own name or hash; tables at the front say which number it had, and
 * a reader under another configuration translates.  What it no longer knows
 * it skips; definitions it did not know are counted from the calls held.
 */
#include "analyzer/engine.h"

#include <errno.h>
#include <string.h>

#include "analyzer/episode.h"
#include "analyzer/ledger.h"
#include "analyzer/settle.h"
#include "analyzer/state.h"
#include "analyzer/usual.h"
#include "common/clock.h"

enum {
	SNAPSHOT_MAGIC = 0x4e535754, /* "TWSN" */
	SNAPSHOT_VERSION = 3,
	SNAPSHOT_END = 0x444e4554, /* "TEND" */
	SKIP = 0xff,
};

/* Numbers of the file -> numbers of this configuration; SKIP = gone. */
struct map {
	uint8_t to[PLAN_DEFS];
	uint32_t n;
};

struct dump {
	struct engine *g;
	FILE *in; /* one of the two is NULL */
	FILE *out;
	const char *broken; /* why it cannot be read; NULL = fine so far */
	struct map source, rule, match, def, family;
	bool fresh[PLAN_DEFS]; /* definitions that the file does not have */
	uint32_t fresh_match;
};

static void io(struct dump *d, void *p, size_t n)
{
	if (d->broken)
		return;
	if (d->out) {
		if (fwrite(p, 1, n, d->out) != n)
			d->broken = strerror(errno);
	} else if (fread(p, 1, n, d->in) != n) {
		d->broken = "the file ends too early";
		memset(p, 0, n);
	}
}

#define IO(d, field) io((d), &(field), sizeof(field))

static bool bad(struct dump *d, const char *why)
{
	if (!d->broken)
		d->broken = why;
	return false;
}

/* ---- tables of names ---- */

/* One row of a table: its name here (saving), or whose name it is. */
static void io_map(struct dump *d, struct map *m, uint8_t (*name)[16],
		   uint32_t n)
{
	m->n = n;
	IO(d, m->n);
	if (m->n > PLAN_DEFS && !bad(d, "a table is too long"))
		return;
	for (uint32_t i = 0; i < m->n && !d->broken; i++) {
		uint8_t row[16] = {0};

		if (d->out)
			memcpy(row, name[i], sizeof(row));
		IO(d, row);
		m->to[i] = SKIP;
		for (uint32_t k = 0; k < n; k++)
			if (memcmp(row, name[k], sizeof(row)) == 0)
				m->to[i] = (uint8_t)k;
	}
}

static void io_maps(struct dump *d)
{
	struct engine *g = d->g;
	uint8_t name[PLAN_DEFS][16];
	bool known[PLAN_DEFS] = {false};

	for (unsigned i = 0; i < g->n_sources; i++)
		memcpy(name[i], g->conf->source[i].name, 16);
	io_map(d, &d->source, name, g->n_sources);
	for (unsigned i = 0; i < g->conf->n_rules; i++)
		memcpy(name[i], g->conf->rule[i].id, 16);
	io_map(d, &d->rule, name, g->conf->n_rules);
	for (unsigned i = 0; i < g->plan.n_families; i++)
		sv_put((char *)name[i], 16, sv_of(g->plan.family[i]));
	io_map(d, &d->family, name, g->plan.n_families);
	io_map(d, &d->match, g->plan.match_id, g->plan.n_match);
	for (unsigned i = 0; i < g->plan.n_defs; i++)
		memcpy(name[i], g->plan.def[i].id, 16);
	io_map(d, &d->def, name, g->plan.n_defs);

	for (uint32_t i = 0; i < d->def.n && i < PLAN_DEFS; i++)
		if (d->def.to[i] != SKIP)
			known[d->def.to[i]] = true;
	for (unsigned i = 0; i < g->plan.n_defs; i++)
		d->fresh[i] = !known[i];
	d->fresh_match = UINT32_MAX;
	for (uint32_t i = 0; i < d->match.n && i < RULES_MAX; i++)
		if (d->match.to[i] != SKIP)
			d->fresh_match &= ~(1u << d->match.to[i]);
}

/* A mask over one of the tables. */
static void io_mask(struct dump *d, const struct map *m, uint32_t *mask)
{
	uint32_t file = *mask;

	IO(d, file);
	if (d->out)
		return;
	*mask = 0;
	for (uint32_t i = 0; i < m->n && i < 32; i++)
		if ((file >> i & 1) && m->to[i] != SKIP)
			*mask |= 1u << m->to[i];
}

/* A source's number, 1-based, and the lane that goes with it. */
static void io_source(struct dump *d, uint8_t *source)
{
	IO(d, *source);
	if (d->out || !*source)
		return;
	if (*source > d->source.n || d->source.to[*source - 1] == SKIP)
		*source = 0;
	else
		*source = (uint8_t)(d->source.to[*source - 1] + 1);
}

/* A lane is stored as a source that drives it; 0 = the live lane. */
static void io_lane(struct dump *d, uint8_t *lane)
{
	uint8_t source = 0;

	if (d->out)
		for (unsigned i = 0; i < d->g->n_sources; i++)
			if (*lane && d->g->source_lane[i] == *lane)
				source = (uint8_t)(i + 1);
	io_source(d, &source);
	if (d->in)
		*lane = source ? d->g->source_lane[source - 1] : LANE_LIVE;
}

/* Reading, the timer knows whose it is already: its place in the heap depends
 * on that. */
static void io_timer(struct dump *d, struct timer *t)
{
	int64_t due = t->pos ? t->due_us : INT64_MIN;
	uint8_t lane = t->lane;

	IO(d, due);
	io_lane(d, &lane);
	if (d->out || d->broken)
		return;
	t->lane = lane;
	t->pos = 0;
	if (due != INT64_MIN)
		timer_set(&d->g->lane[lane].timers, t, due);
}

/* ---- counters ---- */

static void io_chunks(struct dump *d, struct ring *r)
{
	uint32_t *link = &r->newest;
	uint32_t newer = 0;
	uint8_t more;

	if (d->in)
		*r = (struct ring){.sum = r->sum, .head = r->head};
	for (;;) {
		struct ring_chunk *c;

		more = *link != 0;
		IO(d, more);
		if (!more || d->broken)
			return;
		if (d->in)
			*link = slab_take(&d->g->chunks);
		c = slab_at(&d->g->chunks, *link);
		IO(d, c->number);
		IO(d, c->bucket);
		c->newer = newer;
		newer = *link;
		if ((c->number + 1) * RING_CHUNK > r->head - RING_WINDOW + 1)
			r->tail = *link;
		link = &c->older;
	}
}

static void io_usual(struct dump *d, uint32_t *id)
{
	uint8_t there = *id != 0;
	struct usual *u;

	IO(d, there);
	if (!there) {
		*id = 0;
		return;
	}
	if (d->in)
		*id = slab_take(&d->g->days);
	u = slab_at(&d->g->days, *id);
	IO(d, u->day);
}

static void io_counter(struct dump *d, struct counter *c, uint8_t kind)
{
	IO(d, c->paid_us);
	IO(d, c->rate);
	IO(d, c->up);
	for (int r = 0; r < 2; r++) {
		IO(d, c->today[r]);
		io_usual(d, &c->usual[r]);
		if (kind == DEF_RING) {
			IO(d, c->ring[r].sum);
			IO(d, c->ring[r].head);
			io_chunks(d, &c->ring[r]);
		} else {
			IO(d, c->session[r].value);
			IO(d, c->session[r].since_us);
			IO(d, c->session[r].first_us);
		}
	}
	io_timer(d, &c->timer);
}

/* All counters of an account.  One that this configuration does not have is
 * read into nowhere. */
static void io_counters(struct dump *d, struct account *a)
{
	struct engine *g = d->g;

	for (uint32_t i = 0; i < d->def.n && !d->broken; i++) {
		uint8_t to = d->out ? (uint8_t)i : d->def.to[i];
		uint8_t kind = to == SKIP ? 0 : g->plan.def[to].kind;
		struct counter spare = {.paid_us = 0};
		struct counter *c = to == SKIP ? &spare : &a->counter[to];

		IO(d, kind);
		if (to != SKIP && kind != g->plan.def[to].kind &&
		    !bad(d, "a counter is of another kind"))
			return;
		if (d->in)
			counter_timer(c, a, to);
		io_counter(d, c, kind);
		if (to != SKIP)
			continue;
		timer_cancel(&g->lane[spare.timer.lane].timers, &spare.timer);
		for (int r = 0; r < 2; r++) {
			if (kind == DEF_RING)
				ring_clear(&spare.ring[r], &g->chunks);
			if (spare.usual[r])
				slab_give(&g->days, spare.usual[r]);
		}
	}
}

/* ---- accounts ---- */

static void io_episodes(struct dump *d, struct watch *w)
{
	for (uint32_t i = 0; i <= d->rule.n && !d->broken; i++) {
		uint8_t to = d->out ? (uint8_t)i : d->rule.to[i];
		struct episode spare = {0};
		struct episode *e = &spare;

		if (i == d->rule.n)
			e = &w->episode[RULE_COMBI];
		else if (to != SKIP)
			e = &w->episode[to];
		IO(d, e->start_us);
		IO(d, e->low_us);
		IO(d, e->fired);
	}
}

static void io_family(struct dump *d, struct watched *f)
{
	uint32_t rule = f->warned_rule < RULES_MAX ? 1u << f->warned_rule : 0;

	IO(d, f->exposed.from_us);
	IO(d, f->exposed.first_us);
	IO(d, f->exposed.cost);
	IO(d, f->exposed.retail);
	IO(d, f->exposed.calls);
	io_mask(d, &d->match, &f->exposed.match);
	IO(d, f->warned_us);
	IO(d, f->warned);
	IO(d, f->critical);
	io_mask(d, &d->rule, &rule);
	if (d->in)
		f->warned_rule =
			rule ? (uint8_t)__builtin_ctz(rule) : RULE_COMBI;
}

static void io_watch(struct dump *d, struct account *a)
{
	uint8_t there = a->watch != 0;
	struct watch *w;

	IO(d, there);
	if (!there || d->broken)
		return;
	w = d->in ? watch_open(d->g, a)
		  : watch_of(d->g, a); /* sets its timer */
	io_episodes(d, w);
	for (uint32_t i = 0; i < d->family.n && !d->broken; i++) {
		uint8_t to = d->out ? (uint8_t)i : d->family.to[i];
		struct watched spare = {.warned_us = 0};

		io_family(d, to == SKIP || to >= PLAN_FAMILIES
				     ? &spare
				     : &w->family[to]);
	}
	io_timer(d, &w->timer);
}

static void io_rules(struct dump *d, struct account *a)
{
	for (uint32_t i = 0; i < d->rule.n && !d->broken; i++) {
		uint8_t to = d->out ? (uint8_t)i : d->rule.to[i];
		int64_t spare = 0;
		int64_t *over_us = to == SKIP ? &spare : &a->rule[to].over_us;

		IO(d, *over_us);
	}
}

static void io_account(struct dump *d, struct account *a)
{
	io_lane(d, &a->lane);
	IO(d, a->taught_wrong);
	IO(d, a->override_at);
	IO(d, a->since_us);
	IO(d, a->learnt);
	IO(d, a->day);
	IO(d, a->day_until);
	IO(d, a->hold_day);
	io_mask(d, &d->rule, &a->suppressed);
	IO(d, a->suppress_from);
	IO(d, a->suppress_until);
	IO(d, a->late);
	IO(d, a->late_us);
	IO(d, a->combi_us);
	IO(d, a->up);
	io_rules(d, a);
	io_counters(d, a);
	io_watch(d, a);
	if (d->in && a->override_at)
		limit_refresh(d->g, a, a->override_at);
}

/* Strangers come in the order of their places, so that a replay from here
 * gives the next one the same place.  False: no room, or the file is bad. */
static struct account *place(struct dump *d, const char name[28])
{
	struct sv sv = sv_field(name, 28);

	if (sv.n == 0) {
		bad(d, "an account without a name");
		return NULL;
	}
	return settle_account(d->g, sv, 0);
}

static void save_accounts(struct dump *d)
{
	struct accounts *t = &d->g->accounts;
	uint8_t more = 1;

	for (uint32_t i = 0; i < t->n; i++) {
		struct account *a = &t->account[i];
		char name[28];

		if (!a->counter)
			continue;
		memcpy(name, a->conf->name, sizeof(name));
		IO(d, more);
		IO(d, name);
		io_account(d, a);
	}
	more = 0;
	IO(d, more);
}

static void load_accounts(struct dump *d)
{
	uint8_t more = 0;

	for (;;) {
		char name[28];
		struct account *a;

		IO(d, more);
		if (!more || d->broken)
			return;
		IO(d, name);
		a = d->broken ? NULL : place(d, name);
		if (!a) {
			bad(d, "more accounts than fit");
			return;
		}
		io_account(d, a);
	}
}

/* ---- calls ---- */

static void io_rate(struct dump *d, struct rate *r)
{
	IO(d, r->cost_per_min);
	IO(d, r->retail_per_min);
	IO(d, r->setup);
	IO(d, r->min_s);
	IO(d, r->step_s);
	IO(d, r->is_default);
}

static void io_call(struct dump *d, struct call *c)
{
	IO(d, c->said);
	IO(d, c->witness);
	IO(d, c->counted);
	IO(d, c->stop_us);
	IO(d, c->done_us);
	io_rate(d, &c->rate);
	IO(d, c->rated_us);
	io_mask(d, &d->match, &c->match);
	io_mask(d, &d->rule, &c->fired[0]);
	io_mask(d, &d->rule, &c->fired[1]);
	io_mask(d, &d->source, &c->paired);
	IO(d, c->trunk);
	io_source(d, &c->source);
	io_source(d, &c->witness_source);
	io_lane(d, &c->lane);
	IO(d, c->role);
	IO(d, c->parts);
	IO(d, c->direction);
	IO(d, c->regime);
	IO(d, c->linear);
	IO(d, c->attempted);
	IO(d, c->indexed);
	IO(d, c->pair_serial);
	if (c->parts && c->rate.step_s == 0)
		bad(d, "a rate without a step");
	if (c->regime > REGIME_INSIDE)
		bad(d, "a call of no regime");
	io_timer(d, &c->timer);
}

/* What is looked up, and what is linked. */
static void restore(struct dump *d, struct call *c, struct account *a)
{
	struct engine *g = d->g;

	c->info = numbering_find(g->conf->numbering, c->callee);
	if (c->parts)
		c->match |= d->fresh_match &
			    plan_match(&g->plan, (enum direction)c->direction,
				       &c->info, c->rate.cost_per_min);
	c->account = a->index;
	c->older = a->newest;
	if (c->older != CALL_NONE)
		call_at(&g->calls, c->older)->newer = call_index(&g->calls, c);
	a->newest = call_index(&g->calls, c);
	if (c->indexed) {
		c->indexed = false;
		call_index_pair(&g->calls, c);
	}
	ledger_replay(g, c, d->fresh);
}

static void save_list(struct dump *d, enum call_list list)
{
	struct calls *t = &d->g->calls;
	uint8_t more = 1;

	for (uint32_t i = t->list[list].first; i != CALL_NONE;
	     i = t->call[i].next) {
		struct call *c = &t->call[i];
		char name[28];
		struct call_key pair = {{0}};

		memcpy(name, d->g->accounts.account[c->account].conf->name,
		       sizeof(name));
		if (c->role == CALL_PAIRED &&
		    t->call[c->pair].serial == c->pair_serial)
			pair = t->call[c->pair].key;
		IO(d, more);
		IO(d, c->key);
		IO(d, c->serial);
		IO(d, c->callee);
		IO(d, name);
		IO(d, pair);
		io_call(d, c);
	}
	more = 0;
	IO(d, more);
}

/* Pairs lie in DONE, which is read last: their primaries are there, unless
 * forgotten. */
static bool load_call(struct dump *d, enum call_list list)
{
	struct calls *t = &d->g->calls;
	struct call_key key;
	struct call_key pair;
	char name[28];
	struct account *a;
	struct call *c;
	const struct call *p;

	IO(d, key);
	c = d->broken || call_find(t, &key) ? NULL : call_add(t, &key);
	if (!c)
		return bad(d, "more calls than fit, or one twice");
	IO(d, c->serial);
	call_timer(t, c);
	IO(d, c->callee);
	IO(d, name);
	IO(d, pair);
	io_call(d, c);
	a = d->broken ? NULL : place(d, name);
	if (!a)
		return bad(d, "more accounts than fit");
	p = c->role == CALL_PAIRED ? call_find(t, &pair) : NULL;
	c->pair = p && p->serial == c->pair_serial ? call_index(t, p)
						   : call_index(t, c);
	call_move(t, c, list);
	restore(d, c, a);
	return true;
}

static void load_list(struct dump *d, enum call_list list)
{
	uint8_t more = 0;

	for (;;) {
		IO(d, more);
		if (!more || d->broken || !load_call(d, list))
			return;
	}
}

/* ---- the whole ---- */

static void io_engine(struct dump *d)
{
	struct engine *g = d->g;

	IO(d, g->clock);
	for (unsigned i = 0; i <= d->source.n && i < LANES_MAX; i++) {
		uint8_t lane = i && d->out ? g->source_lane[i - 1] : LANE_LIVE;
		int64_t clock = g->lane[lane].clock;

		io_lane(d, &lane);
		IO(d, clock);
		if (d->in && clock > g->lane[lane].clock)
			g->lane[lane].clock = clock;
	}
	IO(d, g->stats);
	IO(d, g->accounts.hand);
}

static void io_all(struct dump *d)
{
	static const uint8_t order[] = {CALL_UP, CALL_RINGING, CALL_WAITING,
					CALL_DONE};
	struct calls *t = &d->g->calls;
	uint32_t magic = SNAPSHOT_MAGIC;
	uint32_t version = SNAPSHOT_VERSION;
	uint32_t end = SNAPSHOT_END;
	uint64_t serial = t->serial;

	IO(d, magic);
	IO(d, version);
	if (magic != SNAPSHOT_MAGIC || version != SNAPSHOT_VERSION) {
		bad(d, "not a snapshot of this version");
		return;
	}
	io_maps(d);
	io_engine(d);
	IO(d, serial);
	if (d->out)
		save_accounts(d);
	else
		load_accounts(d);
	for (size_t i = 0; i < sizeof(order); i++) {
		if (d->out)
			save_list(d, (enum call_list)order[i]);
		else
			load_list(d, (enum call_list)order[i]);
	}
	t->serial = serial;
	IO(d, end);
	if (end != SNAPSHOT_END)
		bad(d, "damaged");
}

bool engine_save(const struct engine *g, FILE *out, struct err *e)
{
	/* one description for both directions: saving does not write to g */
	struct dump d = {.g = (struct engine *)(uintptr_t)g, .out = out};

	io_all(&d);
	if (!d.broken && fflush(out) != 0)
		d.broken = strerror(errno);
	return !d.broken || err_set(e, "snapshot: %s", d.broken);
}

bool engine_load(struct engine *g, FILE *in, struct err *e)
{
	struct dump d = {.g = g, .in = in};

	io_all(&d);
	return !d.broken || err_set(e, "snapshot: %s", d.broken);
}
