/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/limit.h"

#include "analyzer/usual.h"

static const struct term *term_of(const struct judge *j, unsigned alt,
				  unsigned term)
{
	return &limit_of(j)->alt[alt].term[term];
}

/* Overrides end; until the next one does, what was found out holds. */
void limit_refresh(struct engine *g, struct account *a, int64_t t_us)
{
	const struct analyzer_conf *conf = g->conf;

	for (unsigned r = 0; r < conf->n_rules; r++)
		a->rule[r].override_milli =
			override_milli(conf, r, a->conf, t_us, NULL);
	a->override_at = t_us;
	a->override_until = INT64_MAX;
	for (size_t i = 0; i < conf->n_overrides; i++) {
		int64_t until = conf->override[i].until_us;

		if (until > t_us && until < a->override_until)
			a->override_until = until;
	}
}

uint32_t limit_override(struct engine *g, struct account *a, unsigned rule,
			int64_t t_us)
{
	if (t_us >= a->override_until)
		limit_refresh(g, a, t_us);
	return a->rule[rule].override_milli;
}

static int64_t scaled(int64_t v, uint32_t milli)
{
	ring_num n = ((ring_num)v * milli + 999) / 1000;

	return n > INT64_MAX ? INT64_MAX : (int64_t)n;
}

int64_t limit_value(const struct judge *j, unsigned alt, unsigned term)
{
	const struct rule *r = &j->g->conf->rule[j->rule];
	int64_t limit = scaled(term_of(j, alt, term)->value,
			       j->a->rule[j->rule].override_milli);
	int64_t usual;

	if (!r->usual)
		return limit;
	usual = scaled(usual_largest(j->g, j->a, limit_def(j, alt, term),
				     &j->period),
		       r->usual_factor_milli);
	return usual > limit ? usual : limit;
}

static ring_num needed(const struct judge *j, unsigned alt, unsigned term)
{
	return (ring_num)limit_value(j, alt, term) * RING_UNIT;
}

bool limit_now(const struct judge *j, int scale, struct crossing *x)
{
	const struct limit *l = limit_of(j);

	for (x->alt = 0; x->alt < l->n_alt; x->alt++) {
		unsigned n = l->alt[x->alt].n;
		unsigned t;

		for (t = 0; t < n; t++) {
			x->value[t] = counter_value(j->g, j->a,
						    limit_def(j, x->alt, t),
						    &j->period);
			if (x->value[t] * scale < needed(j, x->alt, t))
				break;
		}
		if (t == n)
			return true;
	}
	return false;
}

static const struct ring *ring_of(const struct judge *j, unsigned d)
{
	return &j->a->counter[d].ring[j->period.regime];
}

/* A term's value in the window that ended at an instant of the past.  What
 * has no past (sessions, calls up) is taken as it stands. */
static ring_num value_at(const struct judge *j, unsigned d, int64_t t_us)
{
	const struct definition *def = &j->g->plan.def[d];

	if (def->kind != DEF_RING)
		return counter_value(j->g, j->a, d, &j->period);
	return ring_sum_at(ring_of(j, d), &j->g->chunks,
			   ring_bucket(&def->shape, t_us));
}

/* One ring alone: all its window ends in one walk. */
static bool ring_since(const struct judge *j, int64_t from_us,
		       struct crossing *x)
{
	unsigned d = limit_def(j, x->alt, 0);
	const struct ring_shape *s = &j->g->plan.def[d].shape;
	int64_t first = ring_bucket(s, from_us);
	int64_t end = first;

	if (!ring_reached(ring_of(j, d), &j->g->chunks, &end,
			  needed(j, x->alt, 0), &x->value[0]))
		return false;
	x->at_us = end == first ? from_us : end * s->bucket_us;
	return true;
}

/* Before what its ring holds a term is nothing. */
static int64_t held_from(const struct judge *j, unsigned alt, int64_t from_us)
{
	for (unsigned t = 0; t < limit_of(j)->alt[alt].n; t++) {
		unsigned d = limit_def(j, alt, t);
		const struct ring_shape *s = &j->g->plan.def[d].shape;
		int64_t oldest = (ring_of(j, d)->head - s->held) * s->bucket_us;

		if (j->g->plan.def[d].kind == DEF_RING && from_us < oldest)
			from_us = oldest;
	}
	return from_us;
}

/* All terms at one instant, tried at every border of the finest window. */
static bool terms_since(const struct judge *j, int64_t from_us,
			struct crossing *x)
{
	unsigned n = limit_of(j)->alt[x->alt].n;
	int64_t now = x->at_us;
	int64_t step = INT64_MAX;

	for (unsigned t = 0; t < n; t++) {
		const struct definition *def =
			&j->g->plan.def[limit_def(j, x->alt, t)];

		if (def->kind == DEF_RING && def->shape.bucket_us < step)
			step = def->shape.bucket_us;
	}
	if (step == INT64_MAX)
		step = now - from_us + 1;
	else
		from_us = held_from(j, x->alt, from_us);
	for (int64_t at = from_us; at <= now; at = (at / step + 1) * step) {
		unsigned t = 0;

		while (t < n) {
			x->value[t] = value_at(j, limit_def(j, x->alt, t), at);
			if (x->value[t] < needed(j, x->alt, t))
				break;
			t++;
		}
		if (t == n) {
			x->at_us = at;
			return true;
		}
	}
	return false;
}

bool limit_since(const struct judge *j, int64_t from_us, struct crossing *x)
{
	const struct limit *l = limit_of(j);

	for (x->alt = 0; x->alt < l->n_alt; x->alt++) {
		unsigned d = limit_def(j, x->alt, 0);
		bool one_ring = l->alt[x->alt].n == 1 &&
				j->g->plan.def[d].kind == DEF_RING;

		if (one_ring ? ring_since(j, from_us, x)
			     : terms_since(j, from_us, x))
			return true;
	}
	return false;
}

void limit_explain(const struct judge *j, unsigned alt, unsigned term,
		   ring_num observed, struct finding_term *out)
{
	const struct rule *r = &j->g->conf->rule[j->rule];
	const struct term *t = term_of(j, alt, term);

	*out = (struct finding_term){
		.observed = (int64_t)(observed / RING_UNIT),
		.limit = t->value,
		.floor = t->value,
		.usual = -1,
		.override_milli = j->a->rule[j->rule].override_milli,
		.measure = (uint8_t)t->measure,
		.session = t->within == WITHIN_SESSION,
		.window_us = t->within > 0 ? t->within : 0,
	};
	if (j->g->plan.rule[j->rule].per_call) {
		out->limit = scaled(t->value, out->override_milli);
		return;
	}
	out->limit = limit_value(j, alt, term);
	if (!r->usual)
		return;
	out->usual =
		usual_largest(j->g, j->a, limit_def(j, alt, term), &j->period);
	out->usual_days = usual_days(j->a, r->usual_days);
	out->usual_factor_milli = r->usual_factor_milli;
}
