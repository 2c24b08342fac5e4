/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/config_inside.h"

#include "common/event.h"

enum { COUNTRIES = 8 };

static const char *const direction_names[] = {"none", "outbound", "inbound",
					      "internal", "diverted"};
static const char *const tier_names[] = {"A", "B", "C"};
static const char *const key_names[] = {"direction", "class", "country",
					"tier",	     "rate",  "any"};

/* `outbound` or `[outbound, diverted]`, each word's bit; first: of words. */
static bool read_mask(struct conf *c, const struct conf_tree *t,
		      const char *const *words, size_t n, unsigned first,
		      const char *what, uint32_t *mask)
{
	size_t len = conf_kind(t) == TREE_LIST ? conf_len(t) : 1;
	bool ok = len > 0;

	if (!ok)
		conf_error(c, t, "empty-list", NULL, "no %s in the list", what);
	for (size_t i = 0; i < len; i++) {
		const struct conf_tree *item =
			conf_kind(t) == TREE_LIST ? conf_item(t, i) : t;
		int w = config_word(c, item, words, n, what);

		if (w >= 0)
			*mask |= 1u << (w + first);
		ok &= w >= 0;
	}
	return ok;
}

static bool read_classes(struct conf *c, const struct conf_tree *t,
			 uint32_t *mask)
{
	const char *names[CLASS_COUNT];

	for (unsigned i = 1; i < CLASS_COUNT; i++)
		names[i - 1] = class_name((enum number_class)i);
	return read_mask(c, t, names, CLASS_COUNT - 1, 1, "class", mask);
}

static bool read_country(struct conf *c, const struct conf_tree *t, char *out)
{
	struct sv s = conf_text(t);

	if (conf_kind(t) == TREE_SCALAR &&
	    (sv_eq(s, SV("001")) ||
	     (s.n == 2 && s.p[0] >= 'A' && s.p[0] <= 'Z' && s.p[1] >= 'A' &&
	      s.p[1] <= 'Z')))
		return sv_put(out, 4, s);
	conf_error(c, t, "bad-country", "two capitals as in ISO 3166: SO",
		   "'%.*s' is no country", SV_ARG(s));
	return false;
}

static bool read_countries(struct conf *c, const struct conf_tree *t,
			   struct match_cond *m)
{
	bool list = conf_kind(t) == TREE_LIST;
	size_t n = list ? conf_len(t) : 1;
	bool ok = true;

	if (n == 0 || n > COUNTRIES) {
		conf_error(c, t, "too-many", NULL, "want 1 to %d countries",
			   COUNTRIES);
		return false;
	}
	for (size_t i = 0; i < n; i++)
		ok &= read_country(c, list ? conf_item(t, i) : t,
				   m->country[i]);
	return ok;
}

static bool read_rate(struct conf *c, const struct conf_tree *t,
		      struct match_cond *m)
{
	static const struct conf_node node = {.name = "rate"};
	struct err e = {""};

	if (conf_kind(t) == TREE_SCALAR &&
	    conf_money(&node, conf_text(t), &m->rate_min, &e)) {
		/* zero would mean "any"; every call costs at least nothing */
		if (m->rate_min > 0)
			return true;
		err_set(&e, "want a price above zero");
	}
	conf_error(c, t, "bad-value", "at least this price a minute: £0.50",
		   "%s", e.text[0] ? e.text : "expected a price");
	return false;
}

static bool read_key(struct conf *c, const struct conf_tree *key,
		     const struct conf_tree *t, struct match_cond *m)
{
	struct sv k = conf_text(key);
	char hint[96];

	if (sv_eq(k, SV("direction")))
		return read_mask(c, t, direction_names + 1, 4, 1, "direction",
				 &m->directions);
	if (sv_eq(k, SV("class")))
		return read_classes(c, t, &m->classes);
	if (sv_eq(k, SV("tier")))
		return read_mask(c, t, tier_names, 3, 0, "tier", &m->tiers);
	if (sv_eq(k, SV("country")))
		return read_countries(c, t, m);
	if (sv_eq(k, SV("rate")))
		return read_rate(c, t, m);
	conf_error(c, key, "unknown-key", config_hint(k, key_names, 6, hint),
		   "unknown key '%.*s'", SV_ARG(k));
	return false;
}

static bool read_any(struct conf *c, const struct conf_tree *t,
		     struct match *out)
{
	bool ok = true;

	if (conf_kind(t) != TREE_LIST || conf_len(t) == 0 ||
	    conf_len(t) > MATCH_ALTS) {
		conf_error(c, t, "bad-value", "any: [{tier: A}, {rate: £0.50}]",
			   "want a list of 1 to %d conditions", MATCH_ALTS);
		return false;
	}
	for (size_t i = 0; i < conf_len(t); i++) {
		const struct conf_tree *item = conf_item(t, i);

		if (conf_kind(item) != TREE_MAP || conf_len(item) == 0) {
			conf_error(c, item, "not-a-map", NULL,
				   "expected {tier: A} or the like");
			ok = false;
			continue;
		}
		for (size_t k = 0; k < conf_len(item); k++)
			ok &= read_key(c, conf_key(item, k), conf_item(item, k),
				       &out->any[i]);
		out->n_any++;
	}
	return ok;
}

bool match_load(struct conf *c, const struct conf_tree *t, struct match *out)
{
	bool ok = true;

	memset(out, 0, sizeof(*out));
	if (!t)
		return true;
	if (conf_kind(t) != TREE_MAP) {
		conf_error(c, t, "not-a-map", NULL,
			   "expected {direction: [outbound]} or the like");
		return false;
	}
	for (size_t i = 0; i < conf_len(t); i++) {
		const struct conf_tree *key = conf_key(t, i);

		if (sv_eq(conf_text(key), SV("any")))
			ok &= read_any(c, conf_item(t, i), out);
		else
			ok &= read_key(c, key, conf_item(t, i), &out->all);
	}
	return ok;
}

static bool country_holds(const struct match_cond *m, const char *country)
{
	for (unsigned i = 0; i < COUNTRIES && m->country[i][0]; i++)
		if (strncmp(m->country[i], country, 4) == 0)
			return true;
	return m->country[0][0] == '\0';
}

static bool cond_holds(const struct match_cond *m, enum direction d,
		       const struct number_info *info, int64_t cost_per_min)
{
	if (m->directions && !(m->directions >> d & 1))
		return false;
	if (m->classes && !(m->classes >> info->class & 1))
		return false;
	if (m->tiers &&
	    (info->tier == 0 || !(m->tiers >> (info->tier - 'A') & 1)))
		return false;
	if (cost_per_min < m->rate_min)
		return false;
	return country_holds(m, info->country);
}

bool match_call(const struct match *m, enum direction d,
		const struct number_info *info, int64_t cost_per_min)
{
	if (!cond_holds(&m->all, d, info, cost_per_min))
		return false;
	for (unsigned i = 0; i < m->n_any; i++)
		if (cond_holds(&m->any[i], d, info, cost_per_min))
			return true;
	return m->n_any == 0;
}
