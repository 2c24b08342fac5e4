/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/config_inside.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/mem.h"

/* `overrides:` - floors scaled for some accounts, by whom, why, how long. */
struct raw_override {
	const struct conf_tree *at, *factor;
	struct conf_array accounts, segments, rules; /* of const char * */
	const char *reason, *owner;
	int64_t until;
};

#define AT(f) offsetof(struct raw_override, f)

static const struct conf_node word = {.parse = conf_str};

/* clang-format off */
static const struct conf_node nodes[] = {
	{.name = ".", .kind = CONF_TREE, .at = AT(at)},
	{.name = "accounts", .kind = CONF_LIST, .at = AT(accounts), .child = &word, .item_size = sizeof(char *), .doc = "account names"},
	{.name = "segments", .kind = CONF_LIST, .at = AT(segments), .child = &word, .item_size = sizeof(char *), .doc = "or segments"},
	{.name = "rules", .kind = CONF_LIST, .at = AT(rules), .child = &word, .item_size = sizeof(char *), .flags = CONF_REQUIRED, .doc = "rule ids"},
	{.name = "factor", .kind = CONF_TREE, .at = AT(factor), .flags = CONF_REQUIRED, .doc = "limits are multiplied by it"},
	{.name = "reason", .parse = conf_str, .at = AT(reason), .flags = CONF_REQUIRED, .doc = "why"},
	{.name = "owner", .parse = conf_str, .at = AT(owner), .flags = CONF_REQUIRED, .doc = "who answers for it"},
	{.name = "until", .parse = conf_date, .at = AT(until), .flags = CONF_REQUIRED, .doc = "first day without it"},
	{0}};
/* clang-format on */

void overrides_document(FILE *out)
{
	static const struct conf_node each = {.kind = CONF_MAP, .child = nodes};
	static const struct conf_node list[] = {
		{.name = "overrides",
		 .kind = CONF_LIST,
		 .child = &each,
		 .doc = "limits scaled for some accounts"},
		{0}};

	conf_document(list, out);
}

static const char *item(const struct conf_array *a, size_t i)
{
	return ((const char *const *)a->item)[i];
}

/* The names as a list ended by NULL. */
static const char *const *keep_names(const struct conf_array *a)
{
	const char **out;

	if (a->n == 0)
		return NULL;
	out = xcalloc(a->n + 1, sizeof(*out));
	for (size_t i = 0; i < a->n; i++)
		out[i] = item(a, i);
	return out;
}

static bool is_one_of(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* Every name of the list is known; `at` is the override, key its list. */
static void check_names(struct conf *c, const struct conf_tree *at,
			const char *key, const struct conf_array *a,
			const char *const *names, size_t n)
{
	const struct conf_tree *list = conf_get(at, key);
	char hint[96];

	for (size_t i = 0; i < a->n; i++) {
		if (is_one_of(item(a, i), names, n))
			continue;
		conf_error(c, conf_item(list, i), "unknown-name",
			   config_hint(sv_of(item(a, i)), names, n, hint),
			   "'%s' is not one of the %s", item(a, i), key);
	}
}

static void check(struct conf *c, const struct analyzer_conf *a,
		  const struct raw_override *raw)
{
	const char **names = xcalloc(a->n_accounts + 1, sizeof(*names));
	const char *ids[RULES_MAX];

	for (size_t i = 0; i < a->n_accounts; i++)
		names[i] = a->account[i].name;
	for (unsigned i = 0; i < a->n_rules; i++)
		ids[i] = a->rule[i].id;
	check_names(c, raw->at, "accounts", &raw->accounts, names,
		    a->n_accounts);
	check_names(c, raw->at, "segments", &raw->segments, segment_names,
		    ARRAY_LEN(segment_names));
	check_names(c, raw->at, "rules", &raw->rules, ids, a->n_rules);
	free(names);
	if (raw->accounts.n + raw->segments.n == 0)
		conf_error(c, raw->at, "missing-key",
			   "accounts: [...] or segments: [...]",
			   "an override says for whom it is");
	if (raw->rules.n == 0)
		conf_error(c, conf_get(raw->at, "rules"), "empty-list", NULL,
			   "an override names its rules");
}

static uint64_t rule_mask(const struct analyzer_conf *a,
			  const struct conf_array *rules)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < rules->n; i++)
		for (unsigned r = 0; r < a->n_rules; r++)
			if (strcmp(a->rule[r].id, item(rules, i)) == 0)
				mask |= UINT64_C(1) << r;
	return mask;
}

static const char *words_of(const struct raw_override *raw)
{
	char text[256];
	unsigned month;
	unsigned day;
	int year;

	civil_from_days(raw->until, &year, &month, &day);
	snprintf(text, sizeof(text), "owner %s until %04d-%02u-%02u: %s",
		 raw->owner, year, month, day, raw->reason);
	return xstrdup(text);
}

static void read_one(struct conf *c, struct analyzer_conf *a,
		     const struct conf_tree *t)
{
	struct override *o = &a->override[a->n_overrides];
	struct raw_override raw = {0};

	if (!conf_walk(c, t, nodes, &raw))
		return;
	check(c, a, &raw);
	if (!config_factor(c, raw.factor, &o->factor_milli))
		return;
	o->rules = rule_mask(a, &raw.rules);
	o->until_us = config_midnight(a, raw.until);
	o->text = words_of(&raw);
	o->accounts = keep_names(&raw.accounts);
	o->segments = keep_names(&raw.segments);
	a->n_overrides++;
}

void overrides_load(struct conf *c, struct analyzer_conf *a,
		    const struct conf_tree *list)
{
	if (!list)
		return;
	if (conf_kind(list) != TREE_LIST) {
		conf_error(c, list, "not-a-list", NULL,
			   "expected a list of overrides");
		return;
	}
	a->override = xcalloc(conf_len(list) + 1, sizeof(*a->override));
	for (size_t i = 0; i < conf_len(list); i++)
		read_one(c, a, conf_item(list, i));
}

void overrides_free(struct analyzer_conf *a)
{
	for (size_t i = 0; i < a->n_overrides; i++) {
		free((char *)a->override[i].text);
		free((void *)a->override[i].accounts);
		free((void *)a->override[i].segments);
	}
	free(a->override);
}

static bool listed(const char *const *names, const char *name)
{
	for (; names && *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

uint32_t override_milli(const struct analyzer_conf *a, unsigned rule,
			const struct account_conf *acc, int64_t t_us,
			const char **text)
{
	const struct override *by_segment = NULL;
	const struct override *found = NULL;

	/* one for the account itself beats one for its segment; the first of
	 * a kind wins */
	for (size_t i = 0; acc && i < a->n_overrides && !found; i++) {
		const struct override *o = &a->override[i];

		if (!(o->rules >> rule & 1) ||
		    (o->until_us && t_us >= o->until_us))
			continue;
		if (listed(o->accounts, acc->name))
			found = o;
		else if (!by_segment && listed(o->segments, acc->segment))
			by_segment = o;
	}
	found = found ? found : by_segment;
	if (text)
		*text = found ? found->text : NULL;
	return found ? found->factor_milli : 1000;
}
