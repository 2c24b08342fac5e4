/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/plan.h"

#include <assert.h>
#include <string.h>

#include "common/hash.h"

/* Serialised field by field: a struct's padding may hold anything. */
static size_t put_cond(uint8_t *out, const struct match_cond *c)
{
	size_t n = 0;

	memcpy(out + n, &c->directions, 4), n += 4;
	memcpy(out + n, &c->classes, 4), n += 4;
	memcpy(out + n, &c->tiers, 4), n += 4;
	memcpy(out + n, &c->rate_min, 8), n += 8;
	memcpy(out + n, c->country, sizeof(c->country));
	return n + sizeof(c->country);
}

enum { COND_BYTES = 4 + 4 + 4 + 8 + 32 };

static void match_id(const struct match *m, uint8_t id[16])
{
	uint8_t text[COND_BYTES * (1 + MATCH_ALTS)] = {0};
	size_t n = put_cond(text, &m->all);

	for (unsigned i = 0; i < m->n_any; i++)
		n += put_cond(text + n, &m->any[i]);
	hash128(&hash_public_key, text, n, id);
}

static void def_id(struct definition *d, const uint8_t match[16])
{
	uint8_t text[16 + 8 + 1 + 1];

	memcpy(text, match, 16);
	memcpy(text + 16, &d->within, 8);
	text[24] = d->measure;
	text[25] = d->usual_days;
	hash128(&hash_public_key, text, sizeof(text), d->id);
}

static unsigned intern_match(struct plan *p, const struct match *m)
{
	uint8_t id[16];

	match_id(m, id);
	for (unsigned i = 0; i < p->n_match; i++)
		if (memcmp(id, p->match_id[i], sizeof(id)) == 0)
			return i;
	p->match[p->n_match] = m;
	memcpy(p->match_id[p->n_match], id, sizeof(id));
	return p->n_match++;
}

static unsigned intern_family(struct plan *p, const char *name)
{
	for (unsigned i = 0; i < p->n_families; i++)
		if (strcmp(p->family[i], name) == 0)
			return i;
	assert(p->n_families < PLAN_FAMILIES);
	p->family[p->n_families] = name;
	return p->n_families++;
}

static uint8_t kind_of(unsigned measure, int64_t within)
{
	if (measure == MEASURE_CONCURRENT)
		return DEF_GAUGE;
	return within == WITHIN_SESSION ? DEF_SESSION : DEF_RING;
}

static unsigned intern_def(struct plan *p, const struct definition *want,
			   int64_t lateness_us)
{
	struct definition *d;

	for (unsigned i = p->first[want->match]; i < p->n_defs; i++) {
		d = &p->def[i];
		if (d->measure == want->measure && d->within == want->within &&
		    d->usual_days == want->usual_days)
			return i;
	}
	assert(p->n_defs < PLAN_DEFS);
	d = &p->def[p->n_defs];
	*d = *want;
	d->kind = kind_of(d->measure, d->within);
	if (d->kind == DEF_RING)
		d->shape = ring_shape(d->within, lateness_us);
	def_id(d, p->match_id[d->match]);
	return p->n_defs++;
}

/* A term that speaks of one call and not of a sum over calls. */
static bool about_one_call(const struct term *t)
{
	return t->measure == MEASURE_LONGEST ||
	       (t->within == WITHIN_NOW && t->measure != MEASURE_CONCURRENT);
}

struct builder {
	struct plan *plan;
	const struct analyzer_conf *conf;
	int64_t lateness_us;
};

static void add_term(const struct builder *b, unsigned rule,
		     const struct term *t, uint8_t *def)
{
	const struct rule *r = &b->conf->rule[rule];
	struct plan_rule *pr = &b->plan->rule[rule];
	struct definition want = {
		.match = pr->match,
		.measure = (uint8_t)t->measure,
		.within = t->measure == MEASURE_CONCURRENT ? WITHIN_NOW
							   : t->within,
		.usual_days = r->usual ? (uint8_t)r->usual_days : 0,
	};
	unsigned i;

	if (want.usual_days > USUAL_DAYS)
		want.usual_days = USUAL_DAYS;
	i = intern_def(b->plan, &want, b->lateness_us);
	b->plan->def[i].rules |= 1u << rule;
	*def = (uint8_t)i;
	if (t->within == WITHIN_SESSION)
		pr->session = true;
}

/* All terms of a rule's four limits. */
static void each_term(const struct builder *b, unsigned rule)
{
	const struct rule *r = &b->conf->rule[rule];
	struct plan_rule *pr = &b->plan->rule[rule];

	for (unsigned i = 0; i < 4; i++) {
		const struct limit *l = &r->limit[i / 2][i % 2];

		for (unsigned a = 0; a < l->n_alt; a++)
			for (unsigned t = 0; t < l->alt[a].n; t++)
				add_term(b, rule, &l->alt[a].term[t],
					 &pr->def[i / 2][i % 2][a][t]);
	}
}

static bool is_per_call(const struct rule *r)
{
	if (r->per == PER_CALL)
		return true;
	for (unsigned i = 0; i < 4; i++) {
		const struct limit *l = &r->limit[i / 2][i % 2];

		for (unsigned a = 0; a < l->n_alt; a++)
			for (unsigned t = 0; t < l->alt[a].n; t++)
				if (about_one_call(&l->alt[a].term[t]))
					return true;
	}
	return false;
}

/* What a finding about a session has to say. */
static void add_companions(const struct builder *b, unsigned match)
{
	static const uint8_t measure[] = {MEASURE_CALLS, MEASURE_SPEND,
					  MEASURE_RETAIL};

	for (size_t i = 0; i < ARRAY_LEN(measure); i++) {
		struct definition want = {
			.match = (uint8_t)match,
			.measure = measure[i],
			.within = WITHIN_SESSION,
		};

		if (plan_find(b->plan, match, measure[i], WITHIN_SESSION) < 0)
			intern_def(b->plan, &want, b->lateness_us);
	}
}

static void build_match(const struct builder *b, unsigned match)
{
	struct plan *p = b->plan;
	bool session = false;

	p->first[match] = p->n_defs;
	for (unsigned i = 0; i < b->conf->n_rules; i++) {
		if (p->rule[i].match != match)
			continue;
		if (p->rule[i].per_call) {
			p->match_calls[match] |= 1u << i;
			continue;
		}
		p->match_rules[match] |= 1u << i;
		each_term(b, i);
		session |= p->rule[i].session;
	}
	if (session)
		add_companions(b, match);
	p->first[match + 1] = p->n_defs;
}

void plan_build(struct plan *p, const struct analyzer_conf *conf)
{
	struct builder b = {.plan = p, .conf = conf, .lateness_us = 120000000};

	memset(p, 0, sizeof(*p));
	for (size_t i = 0; i < conf->n_sources; i++)
		if (conf->source[i].lateness_us > b.lateness_us)
			b.lateness_us = conf->source[i].lateness_us;
	for (unsigned i = 0; i < conf->n_rules; i++) {
		const struct rule *r = &conf->rule[i];

		p->rule[i].match = (uint8_t)intern_match(p, &r->match);
		p->rule[i].family = (uint8_t)intern_family(p, r->family);
		p->rule[i].per_call = is_per_call(r);
	}
	for (unsigned m = 0; m < p->n_match; m++)
		build_match(&b, m);
}

int plan_find(const struct plan *p, unsigned match, unsigned measure,
	      int64_t within)
{
	for (unsigned i = p->first[match]; i < p->n_defs; i++) {
		const struct definition *d = &p->def[i];

		if (d->match == match && d->measure == measure &&
		    d->within == within)
			return (int)i;
	}
	return -1;
}

uint32_t plan_match(const struct plan *p, enum direction d,
		    const struct number_info *info, int64_t cost_per_min)
{
	uint32_t mask = 0;

	/* A person in need never counts toward anything. */
	if (info->class == CLASS_EMERGENCY)
		return 0;
	for (unsigned m = 0; m < p->n_match; m++)
		if (match_call(p->match[m], d, info, cost_per_min))
			mask |= 1u << m;
	return mask;
}
