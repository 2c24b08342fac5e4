/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/config_inside.h"

#include "common/clock.h"

/*
 * What stands under `warning` and `critical`:
 *
 *   {spend: £10}                       one term
 *   {calls: 5, spend: £2}              both
 *   {any: [{calls: 2}, {spend: £5}]}   one of them
 *   {spend: £10, within: 24h}          its own window
 */

/* Longest window that counts; `session` has no end of its own. */
#define WITHIN_MAX (7 * DAY_US)

/* Words of the design that a later version brings. */
static const char *const later[] = {"distinct", "new",	"share", "sequence",
				    "rejected", "then", "min",	 "silence"};

static const char *const known[] = {"calls",   "answered", "failed",
				    "spend",   "minutes",  "concurrent",
				    "longest", "within",   "any"};

bool within_load(struct conf *c, const struct conf_tree *t, int64_t *within)
{
	static const struct conf_node node = {.name = "within",
					      .min = SEC_US,
					      .max = WITHIN_MAX};
	struct err e = {""};

	if (conf_kind(t) == TREE_SCALAR && sv_eq(conf_text(t), SV("session"))) {
		*within = WITHIN_SESSION;
		return true;
	}
	if (conf_kind(t) == TREE_SCALAR &&
	    conf_duration(&node, conf_text(t), within, &e) &&
	    *within >= SEC_US && *within <= WITHIN_MAX)
		return true;
	*within = 0;
	conf_error(c, t, "bad-value", "60m, 24h or session", "%s",
		   e.text[0] ? e.text : "want a time from 1s to 7d");
	return false;
}

/* "12" or "12 calls" */
static bool parse_calls(struct sv text, int64_t *value, struct err *e)
{
	struct sv word = text;
	struct sv count = sv_cut(&word, ' ');
	uint32_t v;

	word = sv_trim(word);
	if (!sv_u32(count, &v) || v == 0 ||
	    (word.n && !sv_eq(word, SV("calls")) && !sv_eq(word, SV("call"))))
		return err_set(e,
			       "want a number of calls above zero, "
			       "got '%.*s'",
			       SV_ARG(text));
	*value = v;
	return true;
}

static bool parse_value(enum measure m, struct sv text, int64_t *value,
			struct err *e)
{
	static const struct conf_node node = {.name = "limit"};
	bool ok;

	switch (m) {
	case MEASURE_SPEND:
		ok = conf_money(&node, text, value, e);
		break;
	case MEASURE_MINUTES:
	case MEASURE_LONGEST:
		ok = conf_duration(&node, text, value, e);
		break;
	default:
		ok = parse_calls(text, value, e);
	}
	if (ok && *value <= 0)
		return err_set(e, "a limit is above zero");
	return ok;
}

static bool unknown_measure(struct conf *c, const struct conf_tree *key)
{
	struct sv k = conf_text(key);
	char hint[96];

	for (size_t i = 0; i < ARRAY_LEN(later); i++) {
		if (!sv_eq(k, sv_of(later[i])))
			continue;
		conf_error(c, key, "not-yet", NULL, "'%s' is not available yet",
			   later[i]);
		return false;
	}
	conf_error(c, key, "unknown-measure",
		   config_hint(k, known, ARRAY_LEN(known), hint),
		   "unknown measure '%.*s'", SV_ARG(k));
	return false;
}

/* A measure counts in a window, or is what it is now. */
static bool set_window(struct conf *c, const struct conf_tree *key,
		       enum rule_key per, int64_t within, struct term *term)
{
	enum measure m = term->measure;
	bool call = per == PER_CALL;

	if (call && m != MEASURE_SPEND && m != MEASURE_LONGEST) {
		conf_error(c, key, "bad-measure", "spend or longest",
			   "a rule per call cannot count '%s'",
			   measure_name(m));
		return false;
	}
	if (!call && m == MEASURE_LONGEST) {
		conf_error(c, key, "bad-measure", "set per: call",
			   "'longest' is about one call");
		return false;
	}
	term->within = call || m == MEASURE_CONCURRENT ? WITHIN_NOW : within;
	if (call || m == MEASURE_CONCURRENT || within != 0)
		return true;
	conf_error(c, key, "missing-within", "within: 60m",
		   "'%s' needs a window", measure_name(m));
	return false;
}

static bool read_term(struct conf *c, const struct conf_tree *key,
		      const struct conf_tree *value, enum rule_key per,
		      int64_t within, struct term *out)
{
	struct err e = {""};

	if (!measure_parse(conf_text(key), &out->measure))
		return unknown_measure(c, key);
	if (conf_kind(value) != TREE_SCALAR) {
		conf_error(c, value, "not-a-scalar", NULL,
			   "expected a value with its unit");
		return false;
	}
	if (!parse_value(out->measure, conf_text(value), &out->value, &e)) {
		conf_error(c, value, "bad-value", NULL, "%s", e.text);
		return false;
	}
	return set_window(c, key, per, within, out);
}

static bool read_alt(struct conf *c, const struct conf_tree *t,
		     enum rule_key per, int64_t within, struct limit *out)
{
	const struct conf_tree *own =
		conf_kind(t) == TREE_MAP ? conf_get(t, "within") : NULL;
	bool ok = true;
	unsigned n = 0;

	if (conf_kind(t) != TREE_MAP) {
		conf_error(c, t, "not-a-map", NULL,
			   "expected {spend: £25} or the like");
		return false;
	}
	if (own && !within_load(c, own, &within))
		return false;
	for (size_t i = 0; i < conf_len(t); i++) {
		if (sv_eq(conf_text(conf_key(t, i)), SV("within")))
			continue;
		if (n == LIMIT_TERMS) {
			conf_error(c, t, "too-many", NULL,
				   "more than %d measures", LIMIT_TERMS);
			return false;
		}
		ok &= read_term(c, conf_key(t, i), conf_item(t, i), per, within,
				&out->alt[out->n_alt].term[n++]);
	}
	if (n == 0)
		conf_error(c, t, "empty-limit", NULL, "a limit of nothing");
	out->alt[out->n_alt++].n = n;
	return ok && n > 0;
}

bool limit_load(struct conf *c, const struct conf_tree *t, enum rule_key per,
		int64_t within, struct limit *out)
{
	const struct conf_tree *any = conf_get(t, "any");
	const struct conf_tree *own = conf_get(t, "within");
	bool ok = true;

	memset(out, 0, sizeof(*out));
	out->file = conf_filename(t);
	out->line = conf_line(t);
	if (!any)
		return read_alt(c, t, per, within, out);
	if (own && !within_load(c, own, &within))
		return false;
	if (conf_len(t) != (own ? 2u : 1u)) {
		conf_error(c, t, "mixed-limit", "put all into the list",
			   "'any' stands alone");
		return false;
	}
	if (conf_kind(any) != TREE_LIST || conf_len(any) == 0 ||
	    conf_len(any) > LIMIT_ALTS) {
		conf_error(c, any, "bad-value",
			   "any: [{calls: 2}, {spend: £5}]",
			   "want a list of 1 to %d limits", LIMIT_ALTS);
		return false;
	}
	for (size_t i = 0; i < conf_len(any); i++)
		ok &= read_alt(c, conf_item(any, i), per, within, out);
	return ok;
}
