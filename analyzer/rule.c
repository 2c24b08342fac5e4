/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/config_inside.h"

#include <stdio.h>

#include "common/clock.h"

/* From the trees of `rules:` to struct rule. */
struct raw_rule {
	const struct conf_tree *at;
	const char *id, *name, *family, *first_action;
	const struct conf_tree *per, *match, *within, *limits[2], *usual;
	const struct conf_tree *tests, *latch, *then, *distinct;
	const struct conf_tree *shadow;
};

struct raw_usual {
	const struct conf_tree *factor;
	int64_t history_us;
};

static const struct conf_node usual_nodes[] = {
	{.name = "factor",
	 .kind = CONF_TREE,
	 .at = offsetof(struct raw_usual, factor),
	 .doc = "times the largest of the history; 2 when not said"},
	{.name = "history",
	 .parse = conf_duration,
	 .at = offsetof(struct raw_usual, history_us),
	 .def = "28d",
	 .doc = "whole days that are looked at, 1d to 28d"},
	{0}};

#define AT(f) offsetof(struct raw_rule, f)

/* clang-format off */
static const struct conf_node rule_nodes[] = {
	{.name = ".", .kind = CONF_TREE, .at = AT(at)},
	{.name = "id", .parse = conf_str, .at = AT(id), .max = 15, .flags = CONF_REQUIRED, .doc = "R01; unique"},
	{.name = "name", .parse = conf_name, .at = AT(name), .max = 31, .flags = CONF_REQUIRED, .doc = "short name for people"},
	{.name = "family", .parse = conf_name, .at = AT(family), .max = 11, .flags = CONF_REQUIRED, .doc = "toll, access, inbound, identity, campaign or feed"},
	{.name = "per", .kind = CONF_TREE, .at = AT(per), .doc = "account or call"},
	{.name = "match", .kind = CONF_TREE, .at = AT(match), .doc = "which calls count"},
	{.name = "within", .kind = CONF_TREE, .at = AT(within), .doc = "window: 60m, or session"},
	{.name = "outside", .kind = CONF_TREE, .at = AT(limits[REGIME_OUTSIDE]), .doc = "limits outside opening hours"},
	{.name = "inside", .kind = CONF_TREE, .at = AT(limits[REGIME_INSIDE]), .doc = "limits inside opening hours"},
	{.name = "usual", .kind = CONF_TREE, .at = AT(usual), .child = usual_nodes, .doc = "raises limits to what the account is used to"},
	{.name = "first_action", .parse = conf_str, .at = AT(first_action), .max = 95, .doc = "what to do first; {trunk} {account} {country}"},
	{.name = "shadow", .kind = CONF_TREE, .at = AT(shadow), .doc = "not available yet"},
	{.name = "tests", .kind = CONF_TREE, .at = AT(tests), .doc = "examples that check-config plays"},
	{.name = "latch", .kind = CONF_TREE, .at = AT(latch), .doc = "not available yet"},
	{.name = "then", .kind = CONF_TREE, .at = AT(then), .doc = "not available yet"},
	{.name = "distinct", .kind = CONF_TREE, .at = AT(distinct), .doc = "not available yet"},
	{0}};
/* clang-format on */

static const char *const families[] = {"toll",	   "access",   "inbound",
				       "identity", "campaign", "feed"};
static const char *const keys[] = {"account", "call"};
static const char *const later_keys[] = {"user",   "trunk",
					 "caller", "caller-block",
					 "callee", "callee-block",
					 "source", "country",
					 "feed",   "platform"};

static bool not_yet(struct conf *c, const struct conf_tree *t, const char *what)
{
	if (t)
		conf_error(c, t, "not-yet", NULL, "'%s' is not available yet",
			   what);
	return !t;
}

static bool read_per(struct conf *c, const struct conf_tree *t,
		     enum rule_key *out)
{
	int w;

	*out = PER_ACCOUNT;
	if (!t)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(later_keys); i++)
		if (sv_eq(conf_text(t), sv_of(later_keys[i])))
			return not_yet(c, t, later_keys[i]);
	w = config_word(c, t, keys, ARRAY_LEN(keys), "key");
	*out = w == 1 ? PER_CALL : PER_ACCOUNT;
	return w >= 0;
}

void rules_document(FILE *out)
{
	static const struct conf_node each = {.kind = CONF_MAP,
					      .child = rule_nodes};
	static const struct conf_node list[] = {{.name = "rules",
						 .kind = CONF_LIST,
						 .child = &each,
						 .doc = "what is unusual"},
						{0}};

	conf_document(list, out);
}

static bool read_usual(struct conf *c, const struct conf_tree *t,
		       struct rule *r)
{
	struct raw_usual raw = {0};

	if (!t)
		return true;
	if (!conf_walk(c, t, usual_nodes, &raw))
		return false;
	if (r->per == PER_CALL) {
		conf_error(c, t, "bad-usual", NULL,
			   "a rule per call has no usual");
		return false;
	}
	if (raw.history_us % DAY_US || raw.history_us < DAY_US ||
	    raw.history_us > 28 * DAY_US) {
		conf_error(c, t, "bad-value", "history: 28d",
			   "history is 1d to 28d in whole days");
		return false;
	}
	r->usual = true;
	r->usual_days = (uint32_t)(raw.history_us / DAY_US);
	r->usual_factor_milli = 2000;
	return !raw.factor ||
	       config_factor(c, raw.factor, &r->usual_factor_milli);
}

/* `outside: {within: 60m, warning: {...}, critical: {...}}` */
static bool read_regime(struct conf *c, const struct conf_tree *t,
			int64_t within, struct rule *r, enum regime regime)
{
	static const char *const words[] = {"warning", "critical", "within"};
	const struct conf_tree *own;
	bool ok = true;

	if (!t)
		return true;
	if (conf_kind(t) != TREE_MAP) {
		conf_error(c, t, "not-a-map", NULL,
			   "expected {warning: ..., critical: ...}");
		return false;
	}
	own = conf_get(t, "within");
	if (own && !within_load(c, own, &within))
		return false;
	for (size_t i = 0; i < conf_len(t); i++) {
		int w = config_word(c, conf_key(t, i), words, 3, "key");

		if (w == 0 || w == 1)
			ok &= limit_load(c, conf_item(t, i), r->per, within,
					 &r->limit[regime][w]);
		ok &= w >= 0;
	}
	return ok;
}

/* ---- lint ---- */

/* The single term of an alternative, for comparison; else NULL. */
static const struct term *only_term(const struct limit *l, unsigned alt)
{
	return l->alt[alt].n == 1 ? &l->alt[alt].term[0] : NULL;
}

static void lint_order(struct conf *c, const struct conf_tree *at,
		       const struct limit *warning,
		       const struct limit *critical)
{
	for (unsigned w = 0; w < warning->n_alt; w++) {
		for (unsigned k = 0; k < critical->n_alt; k++) {
			const struct term *a = only_term(warning, w);
			const struct term *b = only_term(critical, k);

			if (!a || !b || a->measure != b->measure ||
			    a->within != b->within || a->value < b->value)
				continue;
			conf_warn(c, at, "warning-late", NULL,
				  "the warning for '%s' is not below the "
				  "critical limit",
				  measure_name(a->measure));
		}
	}
}

static void lint(struct conf *c, const struct raw_rule *raw,
		 const struct rule *r)
{
	unsigned n = 0;

	for (unsigned g = 0; g < 2; g++) {
		n += r->limit[g][0].n_alt + r->limit[g][1].n_alt;
		if (raw->limits[g])
			lint_order(c, raw->limits[g], &r->limit[g][0],
				   &r->limit[g][1]);
	}
	if (n == 0)
		conf_warn(c, raw->at, "no-limits",
			  "outside: {critical: {spend: £25}}",
			  "rule %s has no limit and finds nothing", r->id);
}

/* ---- one rule ---- */

static void put(char *field, size_t size, const char *text)
{
	if (text)
		sv_put(field, size - 1, sv_of(text));
}

static bool put_texts(struct conf *c, const struct raw_rule *raw,
		      struct rule *r)
{
	const struct conf_tree *family = conf_get(raw->at, "family");

	put(r->id, sizeof(r->id), raw->id);
	put(r->name, sizeof(r->name), raw->name);
	put(r->family, sizeof(r->family), raw->family);
	put(r->first_action, sizeof(r->first_action), raw->first_action);
	return !raw->family || config_word(c, family, families,
					   ARRAY_LEN(families), "family") >= 0;
}

/* A rule with a fault is read to its end, to find the others. */
static bool read_rule(struct conf *c, const struct conf_tree *t, struct rule *r)
{
	struct raw_rule raw = {0};
	bool ok = conf_walk(c, t, rule_nodes, &raw);
	/* a misspelt `within` is one fault, not one more for each limit */
	int64_t within = ok ? 0 : WITHIN_SESSION;

	ok &= put_texts(c, &raw, r);
	ok &= not_yet(c, raw.latch, "latch");
	ok &= not_yet(c, raw.then, "then");
	ok &= not_yet(c, raw.distinct, "distinct");
	/* a rule that nobody hears of must not look like one that watches */
	ok &= not_yet(c, raw.shadow, "shadow");
	ok &= read_per(c, raw.per, &r->per);
	ok &= match_load(c, raw.match, &r->match);
	if (raw.within && !within_load(c, raw.within, &within)) {
		within = WITHIN_SESSION;
		ok = false;
	}
	for (unsigned g = 0; g < 2; g++)
		ok &= read_regime(c, raw.limits[g], within, r, (enum regime)g);
	ok &= read_usual(c, raw.usual, r);
	r->tests = raw.tests;
	if (ok)
		lint(c, &raw, r);
	return ok;
}

static bool id_is_new(struct conf *c, const struct analyzer_conf *a,
		      const struct conf_tree *t, const struct rule *r)
{
	for (unsigned i = 0; i < a->n_rules; i++) {
		if (strcmp(a->rule[i].id, r->id) != 0)
			continue;
		conf_error(c, conf_get(t, "id"), "duplicate-rule", NULL,
			   "rule %s is there already", r->id);
		return false;
	}
	return true;
}

bool rules_load(struct conf *c, struct analyzer_conf *a)
{
	const struct conf_tree *list = conf_get(conf_root(c), "rules");
	bool ok = true;

	if (!list)
		return true;
	if (conf_kind(list) != TREE_LIST) {
		conf_error(c, list, "not-a-list", NULL,
			   "expected a list of rules");
		return false;
	}
	for (size_t i = 0; i < conf_len(list); i++) {
		const struct conf_tree *t = conf_item(list, i);
		struct rule r;

		if (a->n_rules == RULES_MAX) {
			conf_error(c, t, "too-many", NULL, "more than %d rules",
				   RULES_MAX);
			return false;
		}
		memset(&r, 0, sizeof(r));
		ok &= read_rule(c, t, &r);
		/* a faulty rule keeps its place: overrides may name it */
		if (r.id[0] && id_is_new(c, a, t, &r))
			a->rule[a->n_rules++] = r;
	}
	return ok;
}
