/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/counter.h"

#include <string.h>

#include "analyzer/state.h"

/* Add to the session of a period; false when that session is over. */
static bool session_add(struct session *s, const struct period *p, int64_t t_us,
			ring_num n)
{
	if (p->since_us < s->since_us)
		return false;
	if (p->since_us > s->since_us)
		*s = (struct session){.since_us = p->since_us};
	if (!s->first_us || t_us < s->first_us)
		s->first_us = t_us;
	s->value += n;
	return true;
}

/* Nothing that is older counts: no need to go through its periods. */
static int64_t oldest_kept(const struct definition *def,
			   const struct counter *c)
{
	int64_t a = c->session[0].since_us;
	int64_t b = c->session[1].since_us;

	if (def->kind != DEF_RING)
		return a < b ? a : b;
	a = (c->ring[0].head - def->shape.held + 1) * def->shape.bucket_us;
	b = (c->ring[1].head - def->shape.held + 1) * def->shape.bucket_us;
	return a < b ? a : b;
}

/* `rate` for every microsecond of the span, each to its own regime. */
static bool spread(struct engine *g, struct account *a, unsigned d,
		   struct ring_span span)
{
	const struct definition *def = &g->plan.def[d];
	struct counter *c = &a->counter[d];
	int64_t oldest = oldest_kept(def, c);
	bool all = span.from_us >= oldest;

	if (!all)
		span.from_us = oldest;
	while (span.from_us < span.to_us) {
		struct period p = account_period(a, span.from_us);
		struct ring_span piece = span;

		if (piece.to_us > p.until_us)
			piece.to_us = p.until_us;
		if (def->kind == DEF_SESSION)
			all &= session_add(&c->session[p.regime], &p,
					   piece.from_us,
					   (ring_num)piece.rate *
						   (piece.to_us -
						    piece.from_us));
		else
			all &= ring_spread(&c->ring[p.regime], &g->chunks,
					   &def->shape, piece);
		span.from_us = piece.to_us;
	}
	return all;
}

void counter_advance(struct engine *g, struct account *a, unsigned d,
		     int64_t t_us)
{
	const struct definition *def = &g->plan.def[d];
	struct counter *c = &a->counter[d];
	struct ring_span span = {c->paid_us, t_us, c->rate};

	if (t_us <= c->paid_us)
		return;
	c->paid_us = t_us;
	if (def->kind == DEF_RING) {
		int64_t bucket = ring_bucket(&def->shape, t_us);

		ring_advance(&c->ring[0], &g->chunks, &def->shape, bucket);
		ring_advance(&c->ring[1], &g->chunks, &def->shape, bucket);
	}
	if (c->rate && def->kind != DEF_GAUGE)
		spread(g, a, d, span);
}

bool counter_post(struct engine *g, struct account *a, unsigned d, int64_t t_us,
		  ring_num n)
{
	const struct definition *def = &g->plan.def[d];
	struct counter *c = &a->counter[d];
	struct period p = account_period(a, t_us);

	counter_advance(g, a, d, t_us);
	if (def->kind == DEF_SESSION)
		return session_add(&c->session[p.regime], &p, t_us, n);
	return ring_add(&c->ring[p.regime], &g->chunks, &def->shape,
			ring_bucket(&def->shape, t_us), n);
}

bool counter_start(struct engine *g, struct account *a, unsigned d,
		   int64_t from_us, int64_t rate)
{
	struct counter *c = &a->counter[d];

	counter_advance(g, a, d, from_us);
	c->rate += rate;
	return spread(g, a, d, (struct ring_span){from_us, c->paid_us, rate});
}

void counter_stop(struct engine *g, struct account *a, unsigned d,
		  int64_t from_us, int64_t rate)
{
	struct counter *c = &a->counter[d];

	counter_advance(g, a, d, from_us);
	c->rate -= rate;
	spread(g, a, d, (struct ring_span){from_us, c->paid_us, -rate});
}

ring_num counter_value(const struct engine *g, const struct account *a,
		       unsigned d, const struct period *p)
{
	const struct counter *c = &a->counter[d];

	switch ((enum definition_kind)g->plan.def[d].kind) {
	case DEF_GAUGE:
		return (ring_num)c->up[p->regime] * RING_UNIT;
	case DEF_SESSION:
		return c->session[p->regime].since_us == p->since_us
			       ? c->session[p->regime].value
			       : 0;
	case DEF_RING:
		break;
	}
	return c->ring[p->regime].sum;
}

void counter_clear(struct engine *g, struct account *a, unsigned d)
{
	struct counter *c = &a->counter[d];

	timer_cancel(&g->lane[c->timer.lane].timers, &c->timer);
	for (int r = 0; r < 2; r++) {
		if (g->plan.def[d].kind == DEF_RING)
			ring_clear(&c->ring[r], &g->chunks);
		if (c->usual[r])
			slab_give(&g->days, c->usual[r]);
	}
	memset(c, 0, sizeof(*c));
}
