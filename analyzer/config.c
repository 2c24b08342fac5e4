/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/config.h"

#include <stdio.h>
#include <stdlib.h>

#include "analyzer/config_inside.h"
#include "common/clock.h"
#include "common/mem.h"

/* ---- the schema ---- */

struct raw_source {
	const struct conf_tree *at;
	const char *name, *kind, *role, *of, *clock;
	int64_t within, lateness;
};

struct raw {
	const char *name, *timezone, *division, *region, *secret, *clock;
	const struct conf_tree *site_at, *files_at, *analyzer_at;
	const char *accounts, *rates, *numbering, *holidays;
	const struct conf_tree *calendars, *rules, *overrides;
	struct conf_array sources;
	int64_t archive_keep, max_call, snapshot;
	uint32_t version, accounts_max, calls_max;
	const char *calendar, *events, *findings, *metrics, *state;
};

#define AT(f)  offsetof(struct raw, f)
#define SRC(f) offsetof(struct raw_source, f)
#define OTHER(n)                                                               \
	{                                                                      \
		.name = n, .kind = CONF_OTHER                                  \
	}

/* clang-format off */
static const struct conf_node site_nodes[] = {
	{.name = ".", .kind = CONF_TREE, .at = AT(site_at)},
	{.name = "name", .parse = conf_name, .at = AT(name), .max = 15, .flags = CONF_REQUIRED, .doc = "short name of the site"},
	{.name = "timezone", .parse = conf_str, .at = AT(timezone), .def = "Europe/London", .doc = "IANA zone of the provider"},
	{.name = "division", .parse = conf_name, .at = AT(division), .def = "england-and-wales", .doc = "holidays that apply"},
	{.name = "region", .parse = conf_str, .at = AT(region), .doc = "where the data are kept"},
	{.name = "secret", .parse = conf_str, .at = AT(secret), .flags = CONF_SECRET | CONF_RESTART, .doc = "key of call identities; ${file:...}"},
	{.name = "clock", .parse = conf_str, .at = AT(clock), .def = "wall", .flags = CONF_RESTART, .doc = "wall, or feed: time is that of the events"},
	{0}};

static const struct conf_node files_nodes[] = {
	{.name = ".", .kind = CONF_TREE, .at = AT(files_at)},
	{.name = "accounts", .parse = conf_str, .at = AT(accounts), .flags = CONF_REQUIRED, .doc = "CSV of accounts"},
	{.name = "rates", .parse = conf_str, .at = AT(rates), .flags = CONF_REQUIRED, .doc = "CSV of prices in pence ex VAT"},
	{.name = "numbering", .parse = conf_str, .at = AT(numbering), .flags = CONF_REQUIRED, .doc = "CSV of number classes"},
	{.name = "holidays", .parse = conf_str, .at = AT(holidays), .def = "holidays/", .doc = "folder of <division>.csv"},
	OTHER("numbers"),
	{0}};

static const struct conf_node archive_nodes[] = {
	{.name = "keep", .parse = conf_duration, .at = AT(archive_keep), .def = "35d", .min = DAY_US, .max = 400 * DAY_US, .doc = "age at which archived events are deleted"},
	{0}};

static const struct conf_node analyzer_nodes[] = {
	{.name = ".", .kind = CONF_TREE, .at = AT(analyzer_at)},
	{.name = "archive", .kind = CONF_MAP, .child = archive_nodes, .doc = "what is kept for replay"},
	{.name = "accounts_max", .parse = conf_u32, .at = AT(accounts_max), .def = "100000", .min = 16, .max = 10000000, .flags = CONF_RESTART, .doc = "accounts, unknown networks included"},
	{.name = "calls_max", .parse = conf_u32, .at = AT(calls_max), .def = "200000", .min = 16, .max = 10000000, .flags = CONF_RESTART, .doc = "calls up and kept for pairing"},
	{.name = "max_call", .parse = conf_duration, .at = AT(max_call), .def = "12h", .min = MIN_US, .max = 48 * HOUR_US, .doc = "a call without an end stops counting"},
	{.name = "snapshot", .parse = conf_duration, .at = AT(snapshot), .def = "10s", .min = SEC_US, .max = HOUR_US, .doc = "time between snapshots"},
	{.name = "calendar", .parse = conf_name, .at = AT(calendar), .def = "office", .doc = "hours of unknown accounts"},
	{.name = "events", .parse = conf_str, .at = AT(events), .flags = CONF_RESTART, .doc = "endpoint for collectors"},
	{.name = "findings", .parse = conf_str, .at = AT(findings), .flags = CONF_RESTART, .doc = "endpoint of the alerter"},
	{.name = "metrics", .parse = conf_str, .at = AT(metrics), .flags = CONF_RESTART, .doc = "address of the metrics page"},
	{.name = "state", .parse = conf_str, .at = AT(state), .flags = CONF_RESTART, .doc = "folder of archive, findings and snapshot"},
	{0}};

static const struct conf_node source_nodes[] = {
	{.name = ".", .kind = CONF_TREE, .at = SRC(at)},
	{.name = "name", .parse = conf_name, .at = SRC(name), .max = 15, .flags = CONF_REQUIRED, .doc = "unique name"},
	{.name = "kind", .parse = conf_name, .at = SRC(kind), .flags = CONF_REQUIRED, .doc = "pcap or file"},
	{.name = "role", .parse = conf_name, .at = SRC(role), .def = "primary", .doc = "primary, or witness of another"},
	{.name = "of", .parse = conf_name, .at = SRC(of), .doc = "the source it is a witness of"},
	{.name = "within", .parse = conf_duration, .at = SRC(within), .def = "5s", .min = 1000, .max = 5 * MIN_US, .doc = "how far apart both may date a call"},
	{.name = "clock", .parse = conf_name, .at = SRC(clock), .doc = "live or batch; pcap is live, file is batch"},
	{.name = "lateness", .parse = conf_duration, .at = SRC(lateness), .min = SEC_US, .max = 2 * DAY_US, .doc = "how late an event may come"},
	OTHER("path"), OTHER("interface"), OTHER("filter"), OTHER("as"), OTHER("zone"),
	OTHER("dialplan"), OTHER("profile"), OTHER("after"),
	{0}};
static const struct conf_node source_item = {.kind = CONF_MAP, .child = source_nodes};

static const struct conf_node schema[] = {
	{.name = "version", .parse = conf_u32, .at = AT(version), .flags = CONF_REQUIRED, .min = 1, .max = 1, .doc = "of this format: 1"},
	{.name = "site", .kind = CONF_MAP, .child = site_nodes, .flags = CONF_REQUIRED, .doc = "who and where"},
	{.name = "files", .kind = CONF_MAP, .child = files_nodes, .flags = CONF_REQUIRED, .doc = "side files"},
	{.name = "calendars", .kind = CONF_TREE, .at = AT(calendars), .doc = "opening hours by name"},
	{.name = "rules", .kind = CONF_TREE, .at = AT(rules), .doc = "what is unusual"},
	{.name = "overrides", .kind = CONF_TREE, .at = AT(overrides), .doc = "limits scaled for some accounts"},
	{.name = "sources", .kind = CONF_LIST, .at = AT(sources), .child = &source_item, .item_size = sizeof(struct raw_source), .flags = CONF_REQUIRED, .doc = "where calls are seen"},
	{.name = "analyzer", .kind = CONF_MAP, .child = analyzer_nodes, .doc = "the analyzer"},
	OTHER("dialplans"), OTHER("peers"), OTHER("profiles"), OTHER("collector"),
	OTHER("alerter"), OTHER("console"), OTHER("database"), OTHER("people"),
	OTHER("schedules"), OTHER("escalation"), OTHER("last_resort"),
	{0}};
/* clang-format on */

void analyzer_conf_document(FILE *out)
{
	conf_document(schema, out);
	fputc('\n', out);
	hours_document(out);
	fputc('\n', out);
	rules_document(out);
	fputc('\n', out);
	overrides_document(out);
}

/* ---- for all readers ---- */

const char *config_hint(struct sv text, const char *const *words, size_t n,
			char hint[96])
{
	const char *near = conf_nearest(text, words, n);

	if (!near)
		return NULL;
	snprintf(hint, 96, "did you mean '%s'?", near);
	return hint;
}

int config_word(struct conf *c, const struct conf_tree *t,
		const char *const *words, size_t n, const char *what)
{
	struct sv s = conf_text(t);
	char hint[96];

	for (size_t i = 0; conf_kind(t) == TREE_SCALAR && i < n; i++)
		if (sv_eq(s, sv_of(words[i])))
			return (int)i;
	if (conf_kind(t) != TREE_SCALAR)
		conf_error(c, t, "not-a-scalar", NULL, "expected a %s", what);
	else
		conf_error(c, t, "unknown-word", config_hint(s, words, n, hint),
			   "no such %s '%.*s'", what, SV_ARG(s));
	return -1;
}

bool config_factor(struct conf *c, const struct conf_tree *t, uint32_t *milli)
{
	struct sv frac = conf_text(t);
	struct sv whole = sv_cut(&frac, '.');
	uint32_t w;
	uint32_t f = 0;

	if (conf_kind(t) == TREE_SCALAR && sv_u32(whole, &w) && w <= 1000 &&
	    frac.n <= 3 && (frac.n == 0 || sv_u32(frac, &f))) {
		for (size_t i = frac.n; i < 3; i++)
			f *= 10;
		*milli = w * 1000 + f;
		if (*milli > 0 && *milli <= 1000000)
			return true;
	}
	conf_error(c, t, "bad-value", "2 or 0.5",
		   "want a factor above 0, at most 1000, to three decimals");
	return false;
}

int64_t config_midnight(const struct analyzer_conf *a, int64_t day)
{
	int64_t t = day * DAY_US;

	/* no zone changes its clocks so near to a date's own midnight that
	 * the second look could move again */
	t -= calendar_offset(a->provider, t) * SEC_US;
	return day * DAY_US - calendar_offset(a->provider, t) * SEC_US;
}

/* ---- sections ---- */

static void take_site(struct conf *c, struct analyzer_conf *a,
		      const struct raw *raw)
{
	static const char *const clocks[] = {"wall", "feed"};
	const struct conf_tree *clock = conf_get(raw->site_at, "clock");
	struct calendar *probe;
	struct calendar_spec spec = {.name = "zone", .timezone = raw->timezone};
	struct err e;

	a->site.name = raw->name;
	a->site.timezone = raw->timezone;
	a->site.division = raw->division;
	a->site.feed_clock =
		clock && config_word(c, clock, clocks, 2, "clock") == 1;
	if (raw->secret)
		hash_derive(sv_of(raw->secret), "tables", &a->site.key);
	else
		a->site.key = hash_public_key;
	if (!raw->secret && !conf_get(raw->site_at, "secret"))
		conf_warn(c, raw->site_at, "no-secret",
			  "secret: \"${file:secrets/site.key}\"",
			  "call identities use the public key");
	if (calendar_new(&probe, &spec, &e)) {
		calendar_free(probe);
		return;
	}
	conf_error(c, conf_get(raw->site_at, "timezone"), "bad-value",
		   "an IANA name: Europe/London", "%s", e.text);
	a->site.timezone = "UTC"; /* so that the rest can be looked at */
}

/* Closed all the time: the limits of the night are the stricter ones. */
static const struct calendar *strict(struct analyzer_conf *a)
{
	struct calendar_spec spec = {.name = "closed",
				     .timezone = a->site.timezone};
	struct err e;

	if (!calendar_new(&a->closed, &spec, &e))
		return NULL; /* not reached: the zone was tried before */
	return a->closed;
}

static void take_calendars(struct conf *c, struct analyzer_conf *a,
			   const struct raw *raw)
{
	const struct conf_tree *at = conf_get(raw->analyzer_at, "calendar");
	const struct conf_tree *folder = conf_get(raw->files_at, "holidays");
	const struct calendar *named;
	const char *near;
	char hint[96];
	bool known;

	a->hours = hours_load(c, a, raw->calendars,
			      folder ? folder : raw->files_at, raw->holidays);
	a->provider = strict(a);
	named = hours_find(a->hours, sv_of(raw->calendar), SV(""), &known,
			   &near);
	if (named)
		a->provider = named;
	if (known || !at)
		return;
	snprintf(hint, sizeof(hint), "did you mean '%s'?", near ? near : "");
	conf_error(c, at, "unknown-calendar", near ? hint : NULL,
		   "no such calendar '%s'", raw->calendar);
}

static bool source_clock(struct conf *c, const struct raw_source *r,
			 struct source_conf *s)
{
	static const char *const clocks[] = {"live", "batch"};
	bool file = r->kind && strcmp(r->kind, "file") == 0;
	int w = file ? CLOCK_BATCH : CLOCK_LIVE;

	if (r->clock)
		w = config_word(c, conf_get(r->at, "clock"), clocks, 2,
				"clock");
	if (w < 0)
		return false;
	s->clock = (enum source_clock)w;
	s->lateness_us = r->lateness		  ? r->lateness
			 : s->clock == CLOCK_LIVE ? 120 * SEC_US
						  : 2 * HOUR_US;
	return true;
}

/* A witness names a primary source. */
static void check_of(struct conf *c, const struct raw_source *all, size_t n,
		     const struct raw_source *r)
{
	const struct conf_tree *of = conf_get(r->at, "of");
	const char **names = xcalloc(n + 1, sizeof(*names));
	const struct raw_source *found = NULL;
	char hint[96];
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		if (!all[i].name || all[i].of)
			continue;
		names[k++] = all[i].name;
		if (strcmp(all[i].name, r->of) == 0)
			found = &all[i];
	}
	if (!found)
		conf_error(c, of, "unknown-source",
			   config_hint(sv_of(r->of), names, k, hint),
			   "no primary source '%s'", r->of);
	free(names);
}

static void check_source(struct conf *c, const struct raw_source *all, size_t n,
			 const struct raw_source *r)
{
	static const char *const roles[] = {"primary", "witness"};
	const struct conf_tree *role = conf_get(r->at, "role");
	int w = role ? config_word(c, role, roles, 2, "role") : 0;

	if (w == 1 && !r->of)
		conf_error(c, role, "missing-key", "of: sbc-1",
			   "a witness says of which source it is one");
	else if (w == 0 && r->of)
		conf_error(c, conf_get(r->at, "of"), "bad-value",
			   "role: witness", "only a witness has 'of'");
	else if (w == 1)
		check_of(c, all, n, r);
	for (const struct raw_source *o = all; o < r; o++)
		if (o->name && strcmp(o->name, r->name) == 0)
			conf_error(c, conf_get(r->at, "name"),
				   "duplicate-source", NULL,
				   "source '%s' is there already", r->name);
}

static void take_sources(struct conf *c, struct analyzer_conf *a,
			 const struct raw *raw)
{
	const struct raw_source *all = raw->sources.item;

	a->source = xcalloc(raw->sources.n + 1, sizeof(*a->source));
	for (size_t i = 0; i < raw->sources.n; i++) {
		const struct raw_source *r = &all[i];
		struct source_conf *s = &a->source[a->n_sources];

		if (!r->name || !r->at)
			continue; /* said before */
		check_source(c, all, raw->sources.n, r);
		if (!source_clock(c, r, s))
			continue;
		sv_put(s->name, sizeof(s->name) - 1, sv_of(r->name));
		if (r->of)
			sv_put(s->of, sizeof(s->of) - 1, sv_of(r->of));
		s->within_us = r->within;
		a->n_sources++;
	}
}

static void take_files(struct conf *c, struct analyzer_conf *a,
		       const struct raw *raw)
{
	if (raw->numbering)
		a->numbering =
			numbering_load(c, conf_get(raw->files_at, "numbering"),
				       sv_of(raw->numbering));
	if (raw->rates)
		a->rating = rating_load(c, conf_get(raw->files_at, "rates"),
					sv_of(raw->rates));
	if (raw->accounts)
		accounts_load(c, a, conf_get(raw->files_at, "accounts"),
			      sv_of(raw->accounts));
}

static void take(struct conf *c, struct analyzer_conf *a, const struct raw *raw)
{
	a->accounts_max = raw->accounts_max;
	a->calls_max = raw->calls_max;
	a->archive_keep_us = raw->archive_keep;
	a->max_call_us = raw->max_call;
	a->snapshot_every_us = raw->snapshot;
	a->path.events = raw->events;
	a->path.findings = raw->findings;
	a->path.metrics = raw->metrics;
	a->path.state = raw->state;
	take_site(c, a, raw);
	take_calendars(c, a, raw);
	take_sources(c, a, raw);
	take_files(c, a, raw);
	rules_load(c, a);
	overrides_load(c, a, raw->overrides);
}

struct analyzer_conf *analyzer_conf_load(const char *path, struct conf **c,
					 struct err *e)
{
	struct analyzer_conf *a;
	struct raw raw = {0};
	char hash[SHA256_HEX];

	*c = NULL;
	if (!conf_load(c, path, e))
		return NULL;
	a = xcalloc(1, sizeof(*a));
	conf_walk(*c, conf_root(*c), schema, &raw);
	/* what is missing was said; the rest is looked at all the same */
	raw.timezone = raw.timezone ? raw.timezone : "UTC";
	raw.site_at = raw.site_at ? raw.site_at : conf_root(*c);
	raw.files_at = raw.files_at ? raw.files_at : conf_root(*c);
	raw.calendar = raw.calendar ? raw.calendar : "office";
	take(*c, a, &raw);
	conf_hash(*c, hash);
	memcpy(a->hash, hash, sizeof(a->hash));
	if (conf_errors(*c) == 0) {
		a->conf = *c;
		return a;
	}
	err_set(e, "%s: %zu errors in the configuration", path,
		conf_errors(*c));
	analyzer_conf_free(a); /* not *c: it has the errors */
	return NULL;
}

void analyzer_conf_lint(const struct analyzer_conf *a, int64_t now_us)
{
	hours_lint(a->hours, now_us);
}

void analyzer_conf_free(struct analyzer_conf *a)
{
	if (!a)
		return;
	hours_free(a->hours);
	calendar_free(a->closed);
	numbering_free(a->numbering);
	rating_free(a->rating);
	overrides_free(a);
	free(a->account);
	free(a->source);
	conf_free(a->conf);
	free(a);
}
