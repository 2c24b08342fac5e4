/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/pair.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/ledger.h"
#include "common/clock.h"

/* Asterisk and most billing systems write whole seconds. */
#define CDR_STEP SEC_US

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Answered by both, ended for both: whose talk counts? */
static bool talk_differs(const struct facts *a, const struct facts *b)
{
	int64_t d = (a->end_us - a->answer_us) - (b->end_us - b->answer_us);

	return d > CDR_STEP || d < -CDR_STEP;
}

struct facts pair_facts(const struct call *c)
{
	struct facts f = c->said;
	const struct facts *w = &c->witness;

	if (!c->witness_source)
		return f;
	if (!f.setup_us)
		f.setup_us = w->setup_us;
	if (!f.answer_us && w->answer_us) {
		f.answer_us = w->answer_us;
		f.end_us = w->end_us ? w->end_us : f.end_us;
	} else if (f.answer_us && w->answer_us && w->end_us) {
		if (!f.end_us || talk_differs(&f, w)) {
			f.answer_us = w->answer_us;
			f.end_us = w->end_us;
		}
	} else if (!f.end_us && w->end_us) {
		f.end_us = w->end_us;
	}
	if (f.end_us && f.answer_us)
		f.end_us = later(f.end_us, f.answer_us);
	return f;
}

static bool set_once(int64_t *field, int64_t v)
{
	if (*field || !v)
		return false;
	*field = v;
	return true;
}

bool pair_merge(struct facts *f, const struct event *ev)
{
	bool news = set_once(&f->setup_us, ev->setup_us);

	/* an answer after a failed end: a fork failed, the call goes on */
	if (ev->answer_us && !f->answer_us && f->end_us &&
	    ev->answer_us > f->end_us)
		f->end_us = 0;
	news |= set_once(&f->answer_us, ev->answer_us);
	if (ev->phase == PHASE_END)
		news |= set_once(&f->end_us, event_time(ev));
	if (f->end_us && f->answer_us)
		f->end_us = later(f->end_us, f->answer_us);
	return news;
}

/* Search the pairing buckets around an instant for the nearest call that is
 * on the other side. */
struct search {
	struct engine *g;
	const struct call *like;
	int64_t within_us;
	unsigned witness_source;
	bool want_witness;
	struct call *best;
	int64_t best_us;
};

static bool fits(const struct search *s, const struct call *c)
{
	if (c->account != s->like->account || c->callee.v != s->like->callee.v)
		return false;
	if (s->want_witness)
		return c->role == CALL_WITNESS &&
		       c->source == s->witness_source + 1;
	return c->role == CALL_PRIMARY &&
	       c->source == s->g->source_of[s->witness_source] &&
	       !(c->paired >> s->witness_source & 1);
}

/* Distance of two instants.  What a witness writes in whole seconds (Asterisk
 * cuts) is compared in whole seconds, else another call of the same burst can
 * seem nearer than the right one. */
static int64_t apart(int64_t primary, int64_t witness)
{
	if (witness % CDR_STEP == 0)
		primary -= primary % CDR_STEP;
	return llabs(primary - witness);
}

/* Did they begin within the bound of each other?  *d says how far apart. */
static bool began_near(const struct facts *p, const struct facts *w,
		       int64_t within_us, int64_t *d)
{
	int64_t x = p->setup_us;
	int64_t y = w->setup_us;

	if (!x || !y) {
		x = p->answer_us;
		y = w->answer_us;
	}
	*d = apart(x, y);
	return x && y && llabs(x - y) <= within_us;
}

/* An end that one side has not seen lies in the future of its clock. */
static int64_t ended_apart(const struct facts *p, const struct facts *w,
			   int64_t clock_us)
{
	if (p->end_us && w->end_us)
		return apart(p->end_us, w->end_us);
	if (!p->end_us && !w->end_us)
		return 0;
	return later(clock_us - (p->end_us ? p->end_us : w->end_us), 0);
}

/* One was answered, the other ended without: not the same call, unless there
 * is no better one. */
static bool contradict(const struct facts *p, const struct facts *w)
{
	return (!p->answer_us && p->end_us && w->answer_us) ||
	       (!w->answer_us && w->end_us && p->answer_us);
}

/* Among calls that began within the bound all that both sides know decides:
 * in a burst to one number the set-ups alone would pair the wrong ones, and
 * leave some over.  -1: they did not. */
static int64_t distance(const struct search *s, const struct call *c)
{
	const struct facts *p = s->want_witness ? &s->like->said : &c->said;
	const struct facts *w = s->want_witness ? &c->said : &s->like->said;
	int64_t d;

	if (!began_near(p, w, s->within_us, &d))
		return -1;
	if (p->setup_us && w->setup_us && p->answer_us && w->answer_us)
		d += apart(p->answer_us, w->answer_us);
	else if (contradict(p, w))
		d += s->within_us;
	return d + ended_apart(p, w, s->g->lane[c->lane].clock);
}

static void consider(struct search *s, struct call *c)
{
	int64_t d = distance(s, c);

	if (d < 0 || !fits(s, c))
		return;
	if (s->best && (d > s->best_us ||
			(d == s->best_us &&
			 memcmp(&c->key, &s->best->key, sizeof(c->key)) >= 0)))
		return;
	s->best = c;
	s->best_us = d;
}

static void around(struct search *s, int64_t begin_us)
{
	struct calls *t = &s->g->calls;

	for (int side = -1; side <= 1; side++) {
		int64_t at = begin_us + side * t->pair_width;
		uint32_t i = t->pairs[call_pairs(t, s->like, at < 0 ? 0 : at)];

		for (; i != CALL_NONE; i = t->call[i].chain)
			consider(s, &t->call[i]);
	}
}

static struct call *nearest(struct search *s)
{
	const struct facts *f = &s->like->said;

	s->within_us = s->g->conf->source[s->witness_source].within_us;
	around(s, call_begin(f));
	/* one that has no set-up lies where its answer is */
	if (f->setup_us && f->answer_us)
		around(s, f->answer_us);
	return s->best;
}

struct call *pair_primary(struct engine *g, const struct call *witness)
{
	struct search s = {.g = g,
			   .like = witness,
			   .witness_source = witness->source - 1u};

	return nearest(&s);
}

struct call *pair_witness(struct engine *g, const struct call *primary,
			  unsigned source)
{
	struct search s = {.g = g,
			   .like = primary,
			   .witness_source = source,
			   .want_witness = true};

	return nearest(&s);
}

/* Of several witnesses the one configured first is believed. */
static void carry(struct call *primary, const struct call *witness)
{
	if (primary->witness_source &&
	    primary->witness_source < witness->source)
		return;
	primary->witness_source = witness->source;
	primary->witness = witness->said;
}

/* The primary came so late that the witness had been counted alone. */
static void uncount(struct engine *g, struct call *witness)
{
	if (!witness->attempted)
		return;
	ledger_retract(g, witness, PART_SETUP | PART_ANSWER | PART_END);
	witness->attempted = false;
	g->stats.calls--;
	g->stats.unpaired--;
}

void pair_join(struct engine *g, struct call *primary, struct call *witness)
{
	unsigned source = witness->source - 1u;

	uncount(g, witness);

	call_unindex_pair(&g->calls, witness);
	timer_cancel(&g->lane[witness->timer.lane].timers, &witness->timer);
	witness->role = CALL_PAIRED;
	witness->pair = call_index(&g->calls, primary);
	witness->pair_serial = primary->serial;
	witness->done_us = g->clock;
	call_move(&g->calls, witness, CALL_DONE);
	g->stats.paired++;

	primary->paired |= 1u << source;
	if (primary->paired == g->witnesses[primary->source - 1])
		call_unindex_pair(&g->calls, primary);
	carry(primary, witness);
}

struct call *pair_update(struct engine *g, const struct call *witness)
{
	struct call *primary = call_at(&g->calls, witness->pair);

	if (primary->serial != witness->pair_serial)
		return NULL;
	carry(primary, witness);
	return primary;
}
