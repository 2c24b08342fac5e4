/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/config.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/mem.h"

/* What the walker fills in before it is compiled. */
struct raw_dialplan {
	const char *name;
	struct conf_array outside_line;
	struct conf_array cli_prefix;
	struct conf_array international;
	const char *national;
	const char *country;
	const struct conf_tree *where;
};

struct raw_peer {
	const char *name;
	struct conf_array networks;
	enum side side;
	const struct conf_tree *where;
};

struct raw_profile {
	const char *name;
	const char *separator;
	const char *column[PROFILE_FIELDS];
	const char *time;
	const char *zone;
	enum profile_duration duration;
	struct conf_array identity;
	const struct conf_tree *where;
};

struct raw {
	uint32_t version;
	struct {
		const char *name, *timezone, *division, *region, *secret;
		bool feed_clock;
	} site;
	struct conf_array dialplans, peers, sources, profiles;
	const char *accounts;
	const struct conf_tree *accounts_at;
	const char *connect, *metrics, *spool_dir;
	uint64_t spool_cap;
	uint32_t dialogs_max;
	int64_t max_call_us;
};

/* One of the words in a table that ends with NULL; its index is the value. */
static bool parse_word(const char *const *words, struct sv text, int *out,
		       struct err *e)
{
	size_t n = 0;
	const char *near;

	for (; words[n]; n++) {
		if (sv_eq(text, sv_of(words[n]))) {
			*out = (int)n;
			return true;
		}
	}
	near = conf_nearest(text, words, n);
	return err_set(e, "'%.*s' is not known: did you mean '%s'?",
		       SV_ARG(text), near ? near : words[0]);
}

static bool parse_side(const struct conf_node *n, struct sv text, void *field,
		       struct err *e)
{
	static const char *const words[] = {"customer", "carrier", "internal",
					    NULL};
	int i = 0;

	(void)n;
	if (!parse_word(words, text, &i, e))
		return false;
	*(enum side *)field = (enum side)(SIDE_CUSTOMER + i);
	return true;
}

static bool parse_kind(const struct conf_node *n, struct sv text, void *field,
		       struct err *e)
{
	static const char *const words[] = {"pcap", "file", NULL};
	int i = 0;

	(void)n;
	if (!parse_word(words, text, &i, e))
		return false;
	*(enum source_kind *)field = (enum source_kind)i;
	return true;
}

static bool parse_clock(const struct conf_node *n, struct sv text, void *field,
			struct err *e)
{
	static const char *const words[] = {"wall", "feed", NULL};
	int i = 0;

	(void)n;
	if (!parse_word(words, text, &i, e))
		return false;
	*(bool *)field = i == 1;
	return true;
}

static bool parse_duration_unit(const struct conf_node *n, struct sv text,
				void *field, struct err *e)
{
	static const char *const words[] = {"s", "ms", "hms", NULL};
	int i = 0;

	(void)n;
	if (!parse_word(words, text, &i, e))
		return false;
	*(enum profile_duration *)field = (enum profile_duration)i;
	return true;
}

static bool parse_time(const struct conf_node *n, struct sv text, void *field,
		       struct err *e)
{
	return conf_str(n, text, field, e) &&
	       profile_time_check(*(const char **)field, e);
}

/* Digits and what a keypad has: prefixes of a dialplan. */
static bool parse_prefix(const struct conf_node *n, struct sv text, void *field,
			 struct err *e)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == '\0' || !strchr("0123456789*#", text.p[i]))
			return err_set(e, "'%.*s' is not a dialled prefix",
				       SV_ARG(text));
	return conf_str(n, text, field, e);
}

/* clang-format off */
#define SCALAR(n, p, t, f, ...) \
	{.name = n, .kind = CONF_SCALAR, .parse = p, .at = offsetof(struct t, f), __VA_ARGS__}
#define OTHER(n) {.name = n, .kind = CONF_OTHER}
#define WHERE(t) {.name = ".", .kind = CONF_TREE, .at = offsetof(struct t, where)}
#define COLUMN(n, i) \
	SCALAR(n, conf_str, raw_profile, column[i], .doc = "header of the column with this field")

static const struct conf_node text_item = {.kind = CONF_SCALAR, .parse = conf_str};
static const struct conf_node prefix_item = {.kind = CONF_SCALAR, .parse = parse_prefix};

static const struct conf_node site[] = {
	SCALAR("name", conf_name, raw, site.name, .flags = CONF_REQUIRED, .max = 15, .doc = "short name of the site"),
	SCALAR("timezone", conf_str, raw, site.timezone, .def = "Europe/London", .doc = "IANA zone of the provider"),
	SCALAR("division", conf_str, raw, site.division, .doc = "holidays that apply"),
	SCALAR("region", conf_str, raw, site.region, .doc = "where the data are kept"),
	SCALAR("secret", conf_str, raw, site.secret,   .flags = CONF_SECRET, .doc = "key of call keys; ${file:...}"),
	SCALAR("clock", parse_clock, raw, site.feed_clock, .def = "wall", .doc = "wall, or feed: time is that of the events"),
	{0}};

static const struct conf_node files[] = {
	SCALAR("accounts", conf_str, raw, accounts, .doc = "CSV of accounts with users, trunks, networks, ranges"),
	{.name = ".", .kind = CONF_TREE, .at = offsetof(struct raw, accounts_at)},
	OTHER("rates"), OTHER("numbering"), OTHER("numbers"), OTHER("holidays"),
	{0}};

static const struct conf_node spool[] = {
	SCALAR("dir", conf_str, raw, spool_dir, .flags = CONF_RESTART, .doc = "folder of unacknowledged events"),
	SCALAR("cap", conf_bytes, raw, spool_cap, .def = "1GiB", .min = 1 << 20, .max = INT64_C(1) << 42, .flags = CONF_RESTART, .doc = "size at which files are no longer read"),
	{0}};

static const struct conf_node collector[] = {
	{.name = "spool", .kind = CONF_MAP, .child = spool, .doc = "events on their way"},
	SCALAR("dialogs_max", conf_u32, raw, dialogs_max, .def = "200000", .min = 16, .max = 10000000, .flags = CONF_RESTART, .doc = "SIP calls followed at once"),
	SCALAR("max_call", conf_duration, raw, max_call_us, .def = "24h", .min = HOUR_US, .max = 7 * DAY_US, .flags = CONF_RESTART, .doc = "a SIP call without an end or a sign of life is taken for over"),
	SCALAR("connect", conf_str, raw, connect, .flags = CONF_RESTART, .doc = "endpoint of the analyzer"),
	SCALAR("metrics", conf_str, raw, metrics, .flags = CONF_RESTART, .doc = "listen address of metrics and status"),
	{0}};

static const struct conf_node dialplan[] = {
	{.name = "outside_line", .kind = CONF_LIST, .at = offsetof(struct raw_dialplan, outside_line), .child = &prefix_item, .item_size = sizeof(char *), .doc = "digits for an outside line"},
	{.name = "cli_prefix", .kind = CONF_LIST, .at = offsetof(struct raw_dialplan, cli_prefix), .child = &prefix_item, .item_size = sizeof(char *), .doc = "caller ID prefixes, 141 and 1470"},
	{.name = "international", .kind = CONF_LIST, .at = offsetof(struct raw_dialplan, international), .child = &prefix_item, .item_size = sizeof(char *), .doc = "international prefixes"},
	SCALAR("national", parse_prefix, raw_dialplan, national, .doc = "trunk prefix of national numbers"),
	SCALAR("country", parse_prefix, raw_dialplan, country, .flags = CONF_REQUIRED, .doc = "country code"),
	WHERE(raw_dialplan),
	{0}};
static const struct conf_node dialplan_item = {.kind = CONF_MAP, .child = dialplan};

static const struct conf_node peer[] = {
	SCALAR("name", conf_name, raw_peer, name, .flags = CONF_REQUIRED, .max = 15, .doc = "name of the peer, as in channels and trunks"),
	{.name = "networks", .kind = CONF_LIST, .at = offsetof(struct raw_peer, networks), .child = &text_item, .item_size = sizeof(char *), .flags = CONF_REQUIRED, .doc = "addresses it uses"},
	SCALAR("side", parse_side, raw_peer, side, .flags = CONF_REQUIRED, .doc = "customer, carrier or internal"),
	WHERE(raw_peer),
	{0}};
static const struct conf_node peer_item = {.kind = CONF_MAP, .child = peer};

static const struct conf_node columns[] = {
	COLUMN("setup", FIELD_SETUP), COLUMN("answer", FIELD_ANSWER),
	COLUMN("end", FIELD_END), COLUMN("duration", FIELD_DURATION),
	COLUMN("talk", FIELD_TALK), COLUMN("caller", FIELD_CALLER),
	COLUMN("callee", FIELD_CALLEE), COLUMN("account", FIELD_ACCOUNT),
	COLUMN("user", FIELD_USER), COLUMN("trunk", FIELD_TRUNK),
	COLUMN("call_id", FIELD_CALL_ID), COLUMN("status", FIELD_STATUS),
	COLUMN("direction", FIELD_DIRECTION),
	{0}};

static const struct conf_node profile[] = {
	SCALAR("separator", conf_str, raw_profile, separator, .def = ",", .doc = "one character between fields"),
	{.name = "columns", .kind = CONF_MAP, .child = columns, .flags = CONF_REQUIRED, .doc = "field: header of its column"},
	SCALAR("time", parse_time, raw_profile, time, .def = "%Y-%m-%d %H:%M:%S", .doc = "epoch, epoch-ms, rfc3339 or a format"),
	SCALAR("zone", conf_str, raw_profile, zone, .doc = "IANA zone of local times"),
	SCALAR("duration", parse_duration_unit, raw_profile, duration, .def = "s", .doc = "s, ms or hms"),
	{.name = "identity", .kind = CONF_LIST, .at = offsetof(struct raw_profile, identity), .child = &text_item, .item_size = sizeof(char *), .doc = "columns that make a row unique"},
	WHERE(raw_profile),
	{0}};
static const struct conf_node profile_item = {.kind = CONF_MAP, .child = profile};

static const struct conf_node source[] = {
	SCALAR("name", conf_name, source_conf, name, .flags = CONF_REQUIRED, .max = 15, .doc = "unique; stands in every event"),
	SCALAR("kind", parse_kind, source_conf, kind, .flags = CONF_REQUIRED, .doc = "pcap or file"),
	SCALAR("path", conf_str, source_conf, path, .flags = CONF_ENV, .doc = "files, with * and ?"),
	SCALAR("interface", conf_str, source_conf, interface, .doc = "network interface to capture from"),
	SCALAR("filter", conf_str, source_conf, filter, .doc = "pcap filter of a live capture"),
	SCALAR("dialplan", conf_str, source_conf, dialplan_name, .doc = "how numbers are dialled here"),
	SCALAR("as", conf_str, source_conf, as, .def = "asterisk", .doc = "asterisk, csv or a profile"),
	SCALAR("zone", conf_str, source_conf, zone_name, .doc = "IANA zone of local times"),
	OTHER("clock"), OTHER("lateness"), OTHER("role"), OTHER("of"), OTHER("within"),
	WHERE(source_conf),
	{0}};
static const struct conf_node source_item = {.kind = CONF_MAP, .child = source};

static const struct conf_node schema[] = {
	SCALAR("version", conf_u32, raw, version, .flags = CONF_REQUIRED, .min = 1, .max = 1, .doc = "version of this format"),
	{.name = "site", .kind = CONF_MAP, .child = site, .flags = CONF_REQUIRED, .doc = "who and where"},
	{.name = "files", .kind = CONF_MAP, .child = files, .doc = "side files"},
	{.name = "collector", .kind = CONF_MAP, .child = collector, .doc = "the collector"},
	{.name = "dialplans", .kind = CONF_DICT, .at = offsetof(struct raw, dialplans), .child = &dialplan_item, .item_size = sizeof(struct raw_dialplan), .doc = "from dialled digits to numbers"},
	{.name = "peers", .kind = CONF_LIST, .at = offsetof(struct raw, peers), .child = &peer_item, .item_size = sizeof(struct raw_peer), .doc = "whose address is whose"},
	{.name = "profiles", .kind = CONF_DICT, .at = offsetof(struct raw, profiles), .child = &profile_item, .item_size = sizeof(struct raw_profile), .doc = "CSV formats of your own"},
	{.name = "sources", .kind = CONF_LIST, .at = offsetof(struct raw, sources), .child = &source_item, .item_size = sizeof(struct source_conf), .flags = CONF_REQUIRED, .doc = "where calls are seen"},
	OTHER("include"), OTHER("analyzer"), OTHER("alerter"), OTHER("console"),
	OTHER("database"), OTHER("calendars"), OTHER("rules"), OTHER("overrides"),
	OTHER("people"), OTHER("schedules"), OTHER("escalation"), OTHER("last_resort"),
	{0}};
/* clang-format on */

void collector_conf_document(FILE *out)
{
	conf_document(schema, out);
}

/* NULL-ended copy of a list of strings; NULL when it is empty. */
static const char *const *strings(const struct conf_array *a)
{
	const char **out;

	if (a->n == 0)
		return NULL;
	out = xcalloc(a->n + 1, sizeof(*out));
	memcpy(out, a->item, a->n * sizeof(*out));
	return out;
}

static void take_dialplans(struct collector_conf *k, const struct raw *raw)
{
	const struct raw_dialplan *r = raw->dialplans.item;

	k->n_dialplans = raw->dialplans.n;
	k->dialplan = xcalloc(k->n_dialplans + 1, sizeof(*k->dialplan));
	for (size_t i = 0; i < k->n_dialplans; i++)
		k->dialplan[i] = (struct dialplan){
			.name = r[i].name,
			.outside_line = strings(&r[i].outside_line),
			.cli_prefix = strings(&r[i].cli_prefix),
			.international = strings(&r[i].international),
			.national = r[i].national,
			.country = r[i].country,
		};
}

static void take_peers(struct collector_conf *k, const struct raw *raw)
{
	const struct raw_peer *r = raw->peers.item;
	struct err e;

	k->peers = peers_new();
	for (size_t i = 0; i < raw->peers.n; i++)
		if (!peers_add(k->peers, r[i].name, r[i].side,
			       r[i].networks.item, r[i].networks.n, &e))
			conf_error(k->conf, r[i].where, "peer", NULL,
				   "peer %s: %s", r[i].name, e.text);
}

static void take_profile(struct collector_conf *k, const struct raw_profile *r,
			 struct profile *out)
{
	*out = (struct profile){
		.name = r->name,
		.separator = r->separator[0],
		.time = r->time,
		.duration = r->duration,
	};
	memcpy(out->column, r->column, sizeof(out->column));
	if (strlen(r->separator) != 1)
		conf_error(k->conf, r->where, "profile", NULL,
			   "profile %s: separator is one character", r->name);
	if (!r->column[FIELD_SETUP] ||
	    (!r->column[FIELD_END] && !r->column[FIELD_DURATION] &&
	     !r->column[FIELD_TALK]))
		conf_error(k->conf, r->where, "profile",
			   "columns: {setup: ..., end: ...}",
			   "profile %s: wants a column for setup, and one for "
			   "end, duration or talk",
			   r->name);
	if (r->identity.n > CDR_IDENTITY_MAX) {
		conf_error(k->conf, r->where, "profile", NULL,
			   "profile %s: at most %d identity columns", r->name,
			   CDR_IDENTITY_MAX);
		return;
	}
	if (r->identity.n > 0)
		memcpy(out->identity, r->identity.item,
		       r->identity.n * sizeof(char *));
}

static void take_profiles(struct collector_conf *k, const struct raw *raw)
{
	const struct raw_profile *r = raw->profiles.item;

	k->n_profiles = raw->profiles.n;
	k->profile = xcalloc(k->n_profiles + 1, sizeof(*k->profile));
	for (size_t i = 0; i < k->n_profiles; i++)
		take_profile(k, &r[i], &k->profile[i]);
}

static void find_dialplan(struct collector_conf *k, struct source_conf *s)
{
	const char *names[64];
	size_t n = 0;
	const char *near;

	if (!s->dialplan_name)
		return;
	for (size_t i = 0; i < k->n_dialplans; i++) {
		if (strcmp(k->dialplan[i].name, s->dialplan_name) == 0)
			s->dialplan = &k->dialplan[i];
		if (n < ARRAY_LEN(names))
			names[n++] = k->dialplan[i].name;
	}
	if (s->dialplan)
		return;
	near = conf_nearest(sv_of(s->dialplan_name), names, n);
	conf_error(k->conf, conf_get(s->where, "dialplan"), "unknown-name",
		   near, "no dialplan '%s'", s->dialplan_name);
}

static void find_profile(struct collector_conf *k, struct source_conf *s,
			 const struct raw *raw)
{
	const struct raw_profile *r = raw->profiles.item;
	const char *names[64] = {"asterisk", "csv"};
	size_t n = 2;
	const char *near;

	if (strcmp(s->as, "asterisk") == 0)
		return;
	if (strcmp(s->as, "csv") == 0)
		s->profile = &profile_csv;
	for (size_t i = 0; i < k->n_profiles; i++) {
		if (strcmp(k->profile[i].name, s->as) == 0) {
			s->profile = &k->profile[i];
			if (!s->zone_name)
				s->zone_name = r[i].zone;
		}
		if (n < ARRAY_LEN(names))
			names[n++] = k->profile[i].name;
	}
	if (s->profile)
		return;
	near = conf_nearest(sv_of(s->as), names, n);
	conf_error(k->conf, conf_get(s->where, "as"), "unknown-name", near,
		   "no format or profile '%s'", s->as);
}

static void check_source(struct collector_conf *k, struct source_conf *s)
{
	if (s->kind == SOURCE_FILE && (!s->path || s->interface))
		conf_error(k->conf, s->where, "source", "path: \"spool/*.csv\"",
			   "source %s: kind file wants a path", s->name);
	if (s->kind == SOURCE_PCAP && !s->path == !s->interface)
		conf_error(k->conf, s->where, "source", NULL,
			   "source %s: kind pcap wants either an interface or "
			   "a path",
			   s->name);
	if (s->interface && k->site.feed_clock)
		conf_error(k->conf, conf_get(s->where, "interface"), "source",
			   NULL,
			   "source %s: an interface wants site.clock: wall",
			   s->name);
	for (size_t i = 0;; i++) {
		const struct source_conf *o = collector_conf_source(k, i);

		if (o == s)
			break;
		if (strcmp(o->name, s->name) == 0)
			conf_error(k->conf, s->where, "duplicate", NULL,
				   "two sources have the name %s", s->name);
	}
}

static void take_sources(struct collector_conf *k, const struct raw *raw)
{
	struct source_conf *s = raw->sources.item;
	struct err e;

	k->sources = raw->sources;
	for (size_t i = 0; i < k->sources.n; i++, s++) {
		check_source(k, s);
		find_dialplan(k, s);
		s->resolver = (struct resolver){
			.configured = true,
			.accounts = k->accounts,
			.peers = k->peers,
			.plan = s->dialplan,
			.source = s->name,
		};
		if (s->kind != SOURCE_FILE)
			continue;
		find_profile(k, s, raw);
		if (!zone_new(&s->zone,
			      s->zone_name ? s->zone_name : "Europe/London",
			      &e))
			conf_error(k->conf, conf_get(s->where, "zone"), "zone",
				   NULL, "%s", e.text);
	}
}

static void compile(struct collector_conf *k, const struct raw *raw)
{
	k->site.name = raw->site.name;
	k->site.timezone = raw->site.timezone;
	k->site.secret = raw->site.secret;
	k->site.feed_clock = raw->site.feed_clock;
	k->connect = raw->connect;
	k->metrics = raw->metrics;
	k->dialogs_max = raw->dialogs_max;
	k->max_call_us = raw->max_call_us;
	k->spool.dir = raw->spool_dir;
	k->spool.cap = raw->spool_cap;
	k->key = hash_public_key;
	if (raw->site.secret)
		hash_derive(sv_of(raw->site.secret), "call-key", &k->key);
	if (raw->accounts)
		k->accounts =
			accounts_load(k->conf,
				      conf_get(raw->accounts_at, "accounts"),
				      sv_of(raw->accounts));
	take_dialplans(k, raw);
	take_peers(k, raw);
	take_profiles(k, raw);
	take_sources(k, raw);
}

struct collector_conf *collector_conf_load(const char *path, struct conf **c,
					   struct err *e)
{
	struct collector_conf *k;
	struct raw raw = {0};

	*c = NULL;
	if (!conf_load(c, path, e))
		return NULL;
	k = xcalloc(1, sizeof(*k));
	k->conf = *c;
	if (conf_walk(*c, conf_root(*c), schema, &raw))
		compile(k, &raw);
	if (conf_errors(*c) == 0)
		return k;
	k->conf = NULL; /* stays the caller's, with its errors */
	collector_conf_free(k);
	err_set(e, "%s: %zu errors", path, conf_errors(*c));
	return NULL;
}

void collector_conf_free(struct collector_conf *k)
{
	struct source_conf *s;

	if (!k)
		return;
	s = k->sources.item;
	for (size_t i = 0; i < k->sources.n; i++)
		zone_free(s[i].zone);
	for (size_t i = 0; i < k->n_dialplans; i++) {
		free((void *)k->dialplan[i].outside_line);
		free((void *)k->dialplan[i].cli_prefix);
		free((void *)k->dialplan[i].international);
	}
	free(k->dialplan);
	free(k->profile);
	peers_free(k->peers);
	accounts_free(k->accounts);
	conf_free(k->conf);
	free(k);
}

const struct source_conf *collector_conf_source(const struct collector_conf *k,
						size_t i)
{
	const struct source_conf *s = k->sources.item;

	return i < k->sources.n ? &s[i] : NULL;
}

const struct source_conf *collector_conf_find(const struct collector_conf *k,
					      const char *name,
					      enum source_kind kind)
{
	const struct source_conf *s;

	for (size_t i = 0; (s = collector_conf_source(k, i)) != NULL; i++)
		if (name ? strcmp(s->name, name) == 0 : s->kind == kind)
			return s;
	return NULL;
}
