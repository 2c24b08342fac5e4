/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/finding.h"

#include <stdio.h>
#include <string.h>

#include "analyzer/ledger.h"
#include "common/hash.h"

#define FIELD_PUT(field, text) sv_put((field), sizeof(field), (text))

enum { COUNTRIES = 1024 };

/* What the walk over the account's calls finds in the window. */
struct gathered {
	int64_t from_us;
	int64_t at_us;
	uint32_t match; /* bit of the rule's match */
	const struct call *only;
	uint32_t calls;
	int64_t spend;
	const struct call *dearest[FINDING_EVIDENCE];
	int64_t cost[FINDING_EVIDENCE];
	unsigned n;
	struct {
		char code[4];
		uint32_t calls;
	} country[COUNTRIES];
};

static struct sv code_of(const char country[4])
{
	return sv_field(country, 4);
}

int64_t finding_window(const struct judge *j, const struct crossing *x)
{
	const struct limit *l = limit_of(j);
	int64_t from = x->at_us;

	if (j->g->plan.rule[j->rule].per_call)
		return from;
	for (unsigned t = 0; t < l->alt[x->alt].n; t++) {
		const struct definition *d =
			&j->g->plan.def[limit_def(j, x->alt, t)];
		int64_t start = x->at_us;

		if (d->kind == DEF_SESSION)
			start = j->period.since_us;
		else if (d->kind == DEF_RING)
			start = (ring_bucket(&d->shape, x->at_us) -
				 RING_WINDOW + 1) *
				d->shape.bucket_us;
		if (start < from)
			from = start;
	}
	return from < 0 ? 0 : from;
}

/* Two letters make a place in the table; "001" of networks takes one that no
 * country has. */
static void count_country(struct gathered *w, const struct call *c)
{
	const char *code = c->info.country;
	unsigned i = ((unsigned)code[0] & 31) << 5 | ((unsigned)code[1] & 31);

	if (!code[0])
		return;
	memcpy(w->country[i].code, code, sizeof(w->country[i].code));
	w->country[i].calls++;
}

/* Dearest first; ties by set-up, then by key. */
static bool dearer(const struct call *a, int64_t cost_a, const struct call *b,
		   int64_t cost_b)
{
	int64_t begin_a = call_begin(&a->counted);
	int64_t begin_b = call_begin(&b->counted);

	if (cost_a != cost_b)
		return cost_a > cost_b;
	if (begin_a != begin_b)
		return begin_a < begin_b;
	return memcmp(&a->key, &b->key, sizeof(a->key)) < 0;
}

static void keep_dearest(struct gathered *w, const struct call *c, int64_t cost)
{
	unsigned i = w->n;

	if (i == FINDING_EVIDENCE) {
		if (!dearer(c, cost, w->dearest[i - 1], w->cost[i - 1]))
			return;
		i--;
	} else {
		w->n++;
	}
	for (; i && dearer(c, cost, w->dearest[i - 1], w->cost[i - 1]); i--) {
		w->dearest[i] = w->dearest[i - 1];
		w->cost[i] = w->cost[i - 1];
	}
	w->dearest[i] = c;
	w->cost[i] = cost;
}

static bool in_window(const struct gathered *w, const struct call *c)
{
	int64_t begin = call_begin(&c->counted);
	int64_t end = ledger_end(c);

	if (w->only)
		return c == w->only;
	if (!(c->match & w->match) || !c->parts || begin > w->at_us)
		return false;
	return begin >= w->from_us ||
	       (c->counted.answer_us && (!end || end > w->from_us));
}

static void gather(const struct judge *j, struct gathered *w)
{
	const struct calls *t = &j->g->calls;

	for (uint32_t i = j->a->newest; i != CALL_NONE; i = t->call[i].older) {
		const struct call *c = &t->call[i];
		int64_t cost;

		if (!in_window(w, c))
			continue;
		cost = ledger_cost(c, c->rate.cost_per_min, w->at_us);
		w->calls++;
		w->spend += cost - ledger_cost(c, c->rate.cost_per_min,
					       w->from_us - 1);
		count_country(w, c);
		keep_dearest(w, c, cost);
	}
}

static void put_evidence(const struct gathered *w, struct finding *f)
{
	f->n_evidence = (uint8_t)w->n;
	for (unsigned i = 0; i < w->n; i++) {
		const struct call *c = w->dearest[i];
		struct finding_call *e = &f->evidence[i];

		e->key = c->key;
		e->setup_us = c->counted.setup_us;
		e->answer_us = c->counted.answer_us;
		e->end_us = ledger_end(c);
		e->cost = w->cost[i];
		e->callee = c->callee;
		memcpy(e->country, c->info.country, sizeof(e->country));
		e->live = c->list == CALL_UP;
	}
}

static void put_countries(const struct gathered *w, struct finding *f)
{
	for (unsigned i = 0; i < COUNTRIES; i++) {
		unsigned k = 3;

		if (!w->country[i].calls)
			continue;
		while (k > 0 && (w->country[i].calls > f->top_calls[k - 1] ||
				 (w->country[i].calls == f->top_calls[k - 1] &&
				  memcmp(w->country[i].code,
					 f->top_country[k - 1], 4) < 0)))
			k--;
		if (k == 3)
			continue;
		for (unsigned m = 2; m > k; m--) {
			memcpy(f->top_country[m], f->top_country[m - 1], 4);
			f->top_calls[m] = f->top_calls[m - 1];
		}
		memcpy(f->top_country[k], w->country[i].code, 4);
		f->top_calls[k] = w->country[i].calls;
	}
}

/* A session counts calls that the table has forgotten; a ring of spend knows
 * better than the walk what belongs to the regime. */
static void put_window(const struct judge *j, const struct crossing *x,
		       const struct gathered *w, struct finding *f)
{
	const struct plan *p = &j->g->plan;
	const struct plan_rule *pr = &p->rule[j->rule];
	int64_t within = limit_of(j)->alt[x->alt].term[0].within;
	int spend = plan_find(p, pr->match, MEASURE_SPEND, within);
	int calls = plan_find(p, pr->match, MEASURE_CALLS, within);

	f->calls = w->calls;
	f->spend = w->spend;
	if (pr->per_call || (spend < 0 && calls < 0))
		return;
	if (spend >= 0 && x->at_us >= j->a->counter[spend].paid_us)
		f->spend = (int64_t)(counter_value(j->g, j->a, (unsigned)spend,
						   &j->period) /
				     RING_UNIT);
	if (calls >= 0 && p->def[calls].kind == DEF_SESSION)
		f->calls = (uint32_t)(counter_value(j->g, j->a, (unsigned)calls,
						    &j->period) /
				      RING_UNIT);
}

static void put_exposure(const struct judge *j, const struct exposed *x,
			 int64_t now_us, struct finding *f)
{
	struct exposed_sum sum;

	exposure_sum(j, x, now_us, &sum);
	f->exposure = sum.cost;
	f->exposure_retail = sum.retail;
	f->burn_per_min = sum.burn;
	f->projection = sum.projection;
	f->live_calls = sum.live;
	f->first_call_us = sum.first_us;
	f->last_call_us = sum.last_us;
}

/* "Bar international on {trunk}." */
static void put_action(const char *template, struct finding *f)
{
	static const char *const name[] = {"{trunk}", "{account}", "{country}"};
	const struct sv value[] = {EVENT_SV(f->trunk), EVENT_SV(f->account),
				   code_of(f->top_country[0])};
	char *out = f->first_action;
	size_t left = sizeof(f->first_action);

	while (*template && left) {
		size_t i = 0;

		while (i < ARRAY_LEN(name) &&
		       strncmp(template, name[i], strlen(name[i])) != 0)
			i++;
		if (i == ARRAY_LEN(name)) {
			*out++ = *template ++;
			left--;
			continue;
		}
		for (size_t k = 0; k < value[i].n && left; k++, left--)
			*out++ = value[i].p[k];
		template += strlen(name[i]);
	}
}

/* The last part of a path fits more often than the first. */
static struct sv base_name(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return path ? sv_of(slash ? slash + 1 : path) : SV("");
}

static void put_names(const struct judge *j, const struct finding_of *of,
		      struct finding *f)
{
	const struct analyzer_conf *conf = j->g->conf;
	const struct rule *r = &conf->rule[j->rule];
	const struct account_conf *ac = j->a->conf;
	const char *text = NULL;
	char key[64];

	FIELD_PUT(f->rule, sv_field(r->id, sizeof(r->id)));
	FIELD_PUT(f->name, sv_field(r->name, sizeof(r->name)));
	FIELD_PUT(f->family, sv_field(r->family, sizeof(r->family)));
	FIELD_PUT(f->account, EVENT_SV(ac->name));
	FIELD_PUT(f->account_name, EVENT_SV(ac->display));
	FIELD_PUT(f->trunk, EVENT_SV(ac->trunk));
	if (!f->trunk[0] && f->n_evidence)
		FIELD_PUT(f->trunk,
			  EVENT_SV(call_find(&j->g->calls, &f->evidence[0].key)
					   ->trunk));
	snprintf(key, sizeof(key), "account:%.*s", SV_ARG(EVENT_SV(ac->name)));
	if (of->call) {
		memcpy(key, "call:", 5);
		hex_text(of->call->key.b, sizeof(of->call->key.b), key + 5);
	}
	FIELD_PUT(f->key, sv_of(key));
	FIELD_PUT(f->file, base_name(limit_of(j)->file));
	override_milli(conf, j->rule, ac, f->time_us, &text);
	if (text)
		FIELD_PUT(f->override, sv_of(text));
	FIELD_PUT(f->config, sv_field(conf->hash, sizeof(conf->hash)));
	FIELD_PUT(f->rates, sv_of(rating_hash(conf->rating)));
}

/* hash(rule, key, severity, episode start), of fixed-size fields. */
static void put_id(struct finding *f)
{
	struct {
		char rule[16];
		char key[48];
		int64_t severity;
		int64_t episode_us;
	} what = {.severity = f->severity, .episode_us = f->episode_us};

	memcpy(what.rule, f->rule, sizeof(what.rule));
	memcpy(what.key, f->key, sizeof(what.key));
	hash128(&hash_public_key, &what, sizeof(what), f->id);
}

void finding_build(const struct judge *j, const struct crossing *x,
		   const struct finding_of *of, struct finding *f)
{
	const struct limit *l = limit_of(j);
	struct gathered w = {
		.at_us = x->at_us,
		.match = 1u << j->g->plan.rule[j->rule].match,
		.only = of->call,
	};

	memset(f, 0, sizeof(*f));
	f->time_us = x->at_us;
	f->episode_us = of->episode_us;
	f->severity = (uint8_t)j->severity;
	f->regime = (uint8_t)j->period.regime;
	f->closed_since_us = j->period.since_us;
	if (j->period.until_us != INT64_MAX)
		f->regime_until_us = j->period.until_us;
	f->accounts = 1;
	f->line = l->line;
	f->n_terms = (uint8_t)l->alt[x->alt].n;
	for (unsigned t = 0; t < f->n_terms; t++)
		limit_explain(j, x->alt, t, x->value[t], &f->term[t]);
	f->baseline_max = f->term[0].usual;
	w.from_us = of->call ? call_begin(&of->call->counted)
			     : finding_window(j, x);
	f->window_start_us = w.from_us;
	if (j->a->late_us >= f->window_start_us)
		f->late = j->a->late;
	gather(j, &w);
	put_evidence(&w, f);
	put_countries(&w, f);
	put_window(j, x, &w, f);
	put_exposure(j, of->exposed, x->now_us, f);
	put_names(j, of, f);
	put_action(j->g->conf->rule[j->rule].first_action, f);
	put_id(f);
}

void finding_combine(struct finding *f, const struct finding_term *first,
		     int64_t episode_us)
{
	char key[64];

	snprintf(key, sizeof(key), "account:%.*s",
		 SV_ARG(EVENT_SV(f->account)));
	FIELD_PUT(f->key, sv_of(key)); /* the warning's may be a call's */
	FIELD_PUT(f->rule, SV("COMBI"));
	FIELD_PUT(f->name, SV("two-warnings"));
	f->severity = SEVERITY_CRITICAL;
	f->episode_us = episode_us;
	if (f->n_terms < FINDING_TERMS)
		f->term[f->n_terms++] = *first;
	put_id(f);
}

void finding_exposure(const struct judge *j, const struct exposed *x,
		      int64_t t_us, struct exposure *out)
{
	struct exposed_sum sum;
	char key[64];

	exposure_sum(j, x, t_us, &sum);
	memset(out, 0, sizeof(*out));
	out->time_us = t_us;
	out->exposure = sum.cost;
	out->exposure_retail = sum.retail;
	out->burn_per_min = sum.burn;
	out->projection = sum.projection;
	out->first_call_us = sum.first_us;
	out->last_call_us = sum.last_us;
	out->calls = sum.calls;
	out->live_calls = sum.live;
	FIELD_PUT(out->account, EVENT_SV(j->a->conf->name));
	snprintf(key, sizeof(key), "account:%.*s",
		 SV_ARG(EVENT_SV(j->a->conf->name)));
	FIELD_PUT(out->key, sv_of(key));
}
