/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_WORLD_H
#define TESTS_SUPPORT_WORLD_H

/*
 * A small provider for tests of the engine: four customers, an office and an
 * always-open calendar, a handful of rates and the eight rules, built by hand
 * so that nothing is read from disk.  It stands in for rating, numbering,
 * matching and overrides, which have tests of their own.
 */

#include <stdlib.h>
#include <string.h>

#include "analyzer/config.h"
#include "common/clock.h"
#include "common/mem.h"
#include "common/money.h"

#define ALL(e) (1u << (e))

static const struct world_prefix {
	const char *prefix;
	enum number_class class;
	char country[4];
	char tier;
	struct rate rate;
} world_prefix[] = {
	/* clang-format off */
	/*                                               cost/min   retail  setup  min step */
	{"999",    CLASS_EMERGENCY,     "GB",  0,  {.cost_per_min = 0, .step_s = 1}},
	{"+4490",  CLASS_PREMIUM,       "GB",  0,  {.cost_per_min = 150 * PENNY, .retail_per_min = 160 * PENNY, .setup = 5 * PENNY, .min_s = 60, .step_s = 60}},
	{"+44",    CLASS_GEOGRAPHIC,    "GB",  0,  {.cost_per_min = 1234567, .retail_per_min = 2 * PENNY, .min_s = 0, .step_s = 1}},
	{"+25299", CLASS_INTERNATIONAL, "SO", 'A', {.cost_per_min = 90 * PENNY, .retail_per_min = 99 * PENNY, .min_s = 1, .step_s = 1}},
	{"+88",    CLASS_SATELLITE,     "001", 0,  {.cost_per_min = 800 * PENNY, .retail_per_min = 900 * PENNY, .min_s = 60, .step_s = 60}},
	{"+216",   CLASS_INTERNATIONAL, "TN", 'B', {.cost_per_min = 37111111, .retail_per_min = 40 * PENNY, .setup = 1500000, .min_s = 30, .step_s = 6}},
	{"+49",    CLASS_INTERNATIONAL, "DE",  0,  {.cost_per_min = 2 * PENNY, .retail_per_min = 3 * PENNY, .setup = 1, .min_s = 1, .step_s = 1}},
	{"",       CLASS_INTERNATIONAL, "",    0,  {.cost_per_min = 150 * PENNY, .retail_per_min = 150 * PENNY, .min_s = 60, .step_s = 60, .is_default = true}},
	/* clang-format on */
};

static inline const struct world_prefix *world_find(struct number n)
{
	char text[NUMBER_TEXT];
	size_t i = 0;

	number_text(n, text);
	while (strncmp(text, world_prefix[i].prefix,
		       strlen(world_prefix[i].prefix)) != 0)
		i++;
	return &world_prefix[i];
}

const struct rate *rating_find(const struct rating *r, struct number callee,
			       int64_t at_us)
{
	(void)r;
	(void)at_us;
	return &world_find(callee)->rate;
}

const char *rating_hash(const struct rating *r)
{
	(void)r;
	return "0123456789abcdef";
}

int64_t rate_charge(const struct rate *r, int64_t per_min, int64_t talk_us)
{
	int64_t talk_s = (talk_us + SEC_US - 1) / SEC_US;
	int64_t billed = (talk_s + r->step_s - 1) / r->step_s * r->step_s;

	if (billed < r->min_s)
		billed = r->min_s;
	return r->setup + (per_min * billed + 59) / 60;
}

struct number_info numbering_find(const struct numbering *n,
				  struct number callee)
{
	const struct world_prefix *p = world_find(callee);
	struct number_info i = {.class = p->class,
				.tier = p->tier,
				.length_ok = true};

	(void)n;
	memcpy(i.country, p->country, sizeof(i.country));
	return i;
}

static inline bool world_cond(const struct match_cond *m, enum direction d,
			      const struct number_info *i, int64_t cost)
{
	return (!m->directions || m->directions >> d & 1) &&
	       (!m->classes || m->classes >> i->class & 1) &&
	       (!m->tiers || (i->tier && m->tiers >> (i->tier - 'A') & 1)) &&
	       cost >= m->rate_min;
}

bool match_call(const struct match *m, enum direction d,
		const struct number_info *info, int64_t cost_per_min)
{
	bool any = m->n_any == 0;

	for (unsigned i = 0; i < m->n_any; i++)
		any |= world_cond(&m->any[i], d, info, cost_per_min);
	return any && world_cond(&m->all, d, info, cost_per_min);
}

uint32_t override_milli(const struct analyzer_conf *a, unsigned rule,
			const struct account_conf *acc, int64_t t_us,
			const char **text)
{
	for (size_t i = 0; i < a->n_overrides; i++) {
		const struct override *o = &a->override[i];

		if ((o->rules >> rule & 1) && o->accounts &&
		    strcmp(o->accounts[0], acc->name) == 0 &&
		    (!o->until_us || t_us < o->until_us)) {
			if (text)
				*text = o->text;
			return o->factor_milli;
		}
	}
	return 1000;
}

/* ---- the configuration ---- */

struct world {
	struct analyzer_conf conf;
	struct calendar *office;
	struct calendar *always;
};

static inline void world_limit(struct rule *r, enum regime regime,
			       enum severity s, struct term term)
{
	struct limit *l = &r->limit[regime][s - 1];

	l->alt[l->n_alt].term[0] = term;
	l->alt[l->n_alt++].n = 1;
	l->file = "rules.yaml";
	l->line = 7;
}

/* One measure and window with its four limits: out warn, out crit, in warn,
 * in crit. */
static inline struct rule *world_rule(struct world *w, const char *id,
				      enum measure m, int64_t within,
				      const int64_t v[4])
{
	struct rule *r = &w->conf.rule[w->conf.n_rules++];

	sv_put(r->id, sizeof(r->id), sv_of(id));
	sv_put(r->name, sizeof(r->name), sv_of(id));
	sv_put(r->family, sizeof(r->family), SV("toll"));
	sv_put(r->first_action, sizeof(r->first_action),
	       SV("Bar {country} on {trunk} of {account}."));
	r->per = PER_ACCOUNT;
	r->match.all.directions =
		ALL(DIRECTION_OUTBOUND) | ALL(DIRECTION_DIVERTED);
	for (int i = 0; i < 4; i++)
		if (v[i])
			world_limit(r, (enum regime)(i / 2),
				    (enum severity)(i % 2 + 1),
				    (struct term){m, v[i], within});
	return r;
}

static inline void world_account(struct world *w, const char *name,
				 const struct calendar *c)
{
	struct account_conf *a = &w->conf.account[w->conf.n_accounts++];

	sv_put(a->name, sizeof(a->name), sv_of(name));
	sv_put(a->display, sizeof(a->display), sv_of(name));
	sv_put(a->trunk, sizeof(a->trunk), SV("trunk-1"));
	a->calendar = c;
}

static inline void world_source(struct world *w, const char *name,
				enum source_clock clock, const char *of)
{
	struct source_conf *s = &w->conf.source[w->conf.n_sources++];

	sv_put(s->name, sizeof(s->name), sv_of(name));
	sv_put(s->of, sizeof(s->of), sv_of(of));
	s->clock = clock;
	s->lateness_us = clock == CLOCK_LIVE ? 120 * SEC_US : 2 * HOUR_US;
	s->within_us = 5 * SEC_US;
}

static inline struct calendar *world_calendar(uint8_t days, uint16_t from,
					      uint16_t until)
{
	struct opening o = {days, from, until};
	struct calendar_spec spec = {.name = "test",
				     .timezone = "Europe/London",
				     .opening = &o,
				     .n_opening = 1};
	struct calendar *c;
	struct err e;

	if (!calendar_new(&c, &spec, &e))
		abort();
	return c;
}

/* Accounts acme, beta (office), taxi (always open), zeta (office); sources
 * sip (live), cdr (its witness), hourly (batch). */
static inline struct world *world_new(void)
{
	struct world *w = xcalloc(1, sizeof(*w));

	w->office = world_calendar(0x1f, 480, 1080);
	w->always = world_calendar(0x7f, 0, 1440);
	w->conf.account = xcalloc(8, sizeof(struct account_conf));
	w->conf.source = xcalloc(8, sizeof(struct source_conf));
	w->conf.override = xcalloc(8, sizeof(struct override));
	w->conf.provider = w->office;
	w->conf.accounts_max = 1000;
	w->conf.calls_max = 10000;
	w->conf.max_call_us = 12 * HOUR_US;
	memcpy(w->conf.hash, "fedcba9876543210", 16);
	world_account(w, "acme", w->office);
	world_account(w, "beta", w->office);
	world_account(w, "taxi", w->always);
	world_account(w, "zeta", w->office);
	world_source(w, "sip", CLOCK_LIVE, "");
	world_source(w, "cdr", CLOCK_BATCH, "sip");
	world_source(w, "hourly", CLOCK_BATCH, "");
	return w;
}

static inline void world_free(struct world *w)
{
	calendar_free(w->office);
	calendar_free(w->always);
	free(w->conf.account);
	free(w->conf.source);
	free(w->conf.override);
	free(w);
}

static inline void world_international(struct rule *r)
{
	r->match.all.classes = ALL(CLASS_INTERNATIONAL) | ALL(CLASS_SATELLITE);
}

/* The eight rules of the example site. */
static inline void world_rules(struct world *w)
{
	/* clang-format off */
	struct rule *r;

	world_rule(w, "R01", MEASURE_SPEND, HOUR_US, (int64_t[]){10 * POUND, 25 * POUND, 30 * POUND, 75 * POUND});
	world_rule(w, "R02", MEASURE_SPEND, WITHIN_SESSION, (int64_t[]){40 * POUND, 100 * POUND, 100 * POUND, 250 * POUND});
	r = world_rule(w, "R03", MEASURE_CALLS, HOUR_US, (int64_t[]){1, 3, 2, 6});
	r->match.n_any = 2;
	r->match.any[0].tiers = 3;
	r->match.any[1].rate_min = 50 * PENNY;
	world_international(world_rule(w, "R04", MEASURE_CONCURRENT, WITHIN_NOW, (int64_t[]){3, 5, 5, 10}));
	world_international(world_rule(w, "R05", MEASURE_MINUTES, HOUR_US, (int64_t[]){60 * MIN_US, 120 * MIN_US, 180 * MIN_US, 360 * MIN_US}));
	r = world_rule(w, "R09", MEASURE_LONGEST, WITHIN_NOW, (int64_t[]){30 * MIN_US, 60 * MIN_US, 60 * MIN_US, 120 * MIN_US});
	world_international(r);
	r->per = PER_CALL;
	for (int i = 0; i < 4; i++)
		world_limit(r, (enum regime)(i / 2), (enum severity)(i % 2 + 1), (struct term){MEASURE_SPEND, (int64_t[]){10, 25, 20, 50}[i] * POUND, WITHIN_NOW});
	world_rule(w, "R10", MEASURE_CALLS, MIN_US, (int64_t[]){10, 20, 30, 60});
	r = world_rule(w, "R11", MEASURE_CALLS, HOUR_US, (int64_t[]){2, 5, 5, 15});
	r->match.all.classes = ALL(CLASS_PREMIUM);
	for (int i = 0; i < 4; i++)
		world_limit(r, (enum regime)(i / 2), (enum severity)(i % 2 + 1), (struct term){MEASURE_SPEND, (int64_t[]){5, 15, 10, 40}[i] * POUND, HOUR_US});
	for (unsigned i = 0; i < 5; i++) {
		w->conf.rule[i].usual = true;
		w->conf.rule[i].usual_days = 28;
		w->conf.rule[i].usual_factor_milli = 2000;
	}
	/* clang-format on */
}

#endif
