/* SPDX-License-Identifier: Apache-2.0 */
#include "alerter/config.h"

#include <stdlib.h>
#include <string.h>

#include "alerter/config_inside.h"
#include "common/clock.h"
#include "common/mem.h"

/* ---- the schema ---- */

#define AT(s, f) offsetof(struct s, f)
#define OTHER(n)                                                               \
	{                                                                      \
		.name = n, .kind = CONF_OTHER                                  \
	}

/* clang-format off */
static const struct conf_node site_nodes[] = {
	{.name = ".", .kind = CONF_TREE, .at = AT(raw, site_at)},
	{.name = "name", .parse = conf_name, .at = AT(raw, site), .max = 15, .flags = CONF_REQUIRED, .doc = "short name of the site"},
	{.name = "timezone", .parse = conf_str, .at = AT(raw, timezone), .def = "Europe/London", .doc = "IANA zone in which people hand over"},
	{.name = "clock", .parse = conf_str, .at = AT(raw, clock), .def = "wall", .flags = CONF_RESTART, .doc = "wall, or feed: time is that of the events"},
	OTHER("division"), OTHER("region"), OTHER("secret"),
	{0}};

static const struct conf_node contact_nodes[] = {
	{.name = ".", .kind = CONF_TREE, .at = AT(raw_contact, at)},
	{.name = "by", .parse = conf_name, .at = AT(raw_contact, by), .flags = CONF_REQUIRED, .doc = "email, webhook or sms"},
	{.name = "after", .parse = conf_duration, .at = AT(raw_contact, after), .def = "0m", .max = HOUR_US, .doc = "how long after the page; at once when one before it failed"},
	{0}};
static const struct conf_node contact_item = {.kind = CONF_MAP, .child = contact_nodes};

static const struct conf_node person_nodes[] = {
	{.name = ".", .kind = CONF_TREE, .at = AT(raw_person, at)},
	{.name = "name", .parse = shape_line, .at = AT(raw_person, name), .max = 80, .doc = "as it is shown; the key without"},
	{.name = "login", .parse = conf_name, .at = AT(raw_person, login), .max = PERSON_ID, .doc = "account on this machine, for `tollwatch ack`"},
	{.name = "email", .parse = shape_email, .at = AT(raw_person, email), .max = TARGET, .doc = "address"},
	{.name = "sms", .parse = shape_phone, .at = AT(raw_person, sms), .doc = "number for text messages, which are not sent yet"},
	{.name = "webhook", .parse = conf_name, .at = AT(raw_person, webhook), .doc = "one of `alerter.webhooks`"},
	{.name = "contacts", .kind = CONF_LIST, .at = AT(raw_person, contacts), .child = &contact_item, .item_size = sizeof(struct raw_contact), .doc = "in which order; without it e-mail and webhook at once"},
	{0}};
static const struct conf_node person_item = {.kind = CONF_MAP, .child = person_nodes};

static const struct conf_node turn_item = {.parse = conf_name};
static const struct conf_node schedule_nodes[] = {
	{.name = ".", .kind = CONF_TREE, .at = AT(raw_schedule, at)},
	{.name = "people", .kind = CONF_LIST, .at = AT(raw_schedule, people), .child = &turn_item, .item_size = sizeof(char *), .flags = CONF_REQUIRED, .doc = "who takes turns, in this order"},
	{.name = "every", .parse = conf_duration, .at = AT(raw_schedule, every), .min = HOUR_US, .max = 371 * DAY_US, .flags = CONF_REQUIRED, .doc = "length of a turn in whole hours; days and weeks are local days"},
	{.name = "from", .parse = shape_local, .at = AT(raw_schedule, from), .flags = CONF_REQUIRED, .doc = "when the first turn begins, local time: \"2026-01-05 17:30\""},
	{0}};
static const struct conf_node schedule_item = {.kind = CONF_MAP, .child = schedule_nodes};

static const struct conf_node step_nodes[] = {
	{.name = ".", .kind = CONF_TREE, .at = AT(raw_step, at)},
	{.name = "notify", .parse = conf_name, .at = AT(raw_step, notify), .flags = CONF_REQUIRED, .doc = "a person, or a schedule: whoever has the turn then"},
	{.name = "after", .parse = conf_duration, .at = AT(raw_step, after), .max = DAY_US, .flags = CONF_REQUIRED, .doc = "since the first page; the steps go up"},
	{.name = "repeat", .parse = conf_duration, .at = AT(raw_step, repeat), .min = MIN_US, .max = DAY_US, .doc = "again and again until acknowledged; last step only"},
	{0}};
static const struct conf_node step_item = {.kind = CONF_MAP, .child = step_nodes};
static const struct conf_node family_item = {.kind = CONF_LIST, .at = AT(raw_escalation, steps), .child = &step_item, .item_size = sizeof(struct raw_step)};

static const struct conf_node smtp_nodes[] = {
	{.name = ".", .kind = CONF_TREE, .at = AT(raw, smtp_at)},
	{.name = "relay", .parse = shape_relay, .at = AT(raw, relay), .flags = CONF_REQUIRED | CONF_ENV, .doc = "`smtp://host:587` or `smtps://host:465`"},
	{.name = "from", .parse = shape_email, .at = AT(raw, from), .flags = CONF_REQUIRED, .doc = "address of the sender"},
	{.name = "user", .parse = shape_line, .at = AT(raw, user), .max = 255, .doc = "for a relay that wants a password"},
	{.name = "password", .parse = shape_line, .at = AT(raw, password), .max = 255, .flags = CONF_SECRET, .doc = "`${file:...}` or `${env:...}`"},
	{.name = "tls", .parse = conf_name, .at = AT(raw, tls), .def = "required", .doc = "required; try: plain when the relay has no STARTTLS; none"},
	{.name = "timeout", .parse = conf_duration, .at = AT(raw, smtp_timeout), .def = "15s", .min = SEC_US, .max = 2 * MIN_US, .doc = "of one try"},
	{0}};

static const struct conf_node webhook_nodes[] = {
	{.name = ".", .kind = CONF_TREE, .at = AT(raw_webhook, at)},
	{.name = "url", .parse = shape_url, .at = AT(raw_webhook, url), .max = 2000, .flags = CONF_REQUIRED | CONF_ENV, .doc = "`https://host/path`; `http://` on a private network only"},
	{.name = "secret", .parse = conf_str, .at = AT(raw_webhook, secret), .flags = CONF_REQUIRED | CONF_SECRET, .doc = "`whsec_` and base64 of 24 to 64 bytes, by `${file:...}` or `${env:...}`"},
	{.name = "private_network", .parse = conf_bool, .at = AT(raw_webhook, private_network), .def = "false", .doc = "true: the receiver may have a loopback or private address"},
	{.name = "timeout", .parse = conf_duration, .at = AT(raw_webhook, timeout), .def = "15s", .min = SEC_US, .max = 2 * MIN_US, .doc = "of one try"},
	{0}};
static const struct conf_node webhook_item = {.kind = CONF_MAP, .child = webhook_nodes};

static const struct conf_node alerter_nodes[] = {
	{.name = ".", .kind = CONF_TREE, .at = AT(raw, alerter_at)},
	{.name = "staffed", .parse = conf_name, .at = AT(raw, staffed), .doc = "calendar of the hours in which the office is staffed; not used yet"},
	{.name = "smtp", .kind = CONF_MAP, .child = smtp_nodes, .doc = "the relay that takes e-mail"},
	{.name = "webhooks", .kind = CONF_DICT, .at = AT(raw, webhooks), .child = &webhook_item, .item_size = sizeof(struct raw_webhook), .doc = "receivers of JSON, signed as Standard Webhooks 1.0.0 has it"},
	{.name = "acknowledge", .parse = conf_duration, .at = AT(raw, acknowledge), .def = "30m", .min = MIN_US, .max = DAY_US, .doc = "how long an acknowledgement lasts before paging begins anew"},
	{0}};

static const struct conf_node database_nodes[] = {
	{.name = ".", .kind = CONF_TREE, .at = AT(raw, database_at)},
	{.name = "dsn", .parse = conf_str, .at = AT(raw, dsn), .flags = CONF_REQUIRED | CONF_ENV | CONF_RESTART, .doc = "libpq connection string"},
	{0}};

static const struct conf_node schema[] = {
	{.name = "site", .kind = CONF_MAP, .child = site_nodes, .flags = CONF_REQUIRED, .doc = "who and where"},
	{.name = "calendars", .kind = CONF_TREE, .at = AT(raw, calendars), .doc = "opening hours by name"},
	{.name = "alerter", .kind = CONF_MAP, .child = alerter_nodes, .doc = "the alerter"},
	{.name = "database", .kind = CONF_MAP, .child = database_nodes, .doc = "PostgreSQL"},
	{.name = "people", .kind = CONF_DICT, .at = AT(raw, people), .child = &person_item, .item_size = sizeof(struct raw_person), .doc = "who can be told"},
	{.name = "schedules", .kind = CONF_DICT, .at = AT(raw, schedules), .child = &schedule_item, .item_size = sizeof(struct raw_schedule), .doc = "who takes turns"},
	{.name = "escalation", .kind = CONF_DICT, .at = AT(raw, escalation), .child = &family_item, .item_size = sizeof(struct raw_escalation), .doc = "steps by family of rules: toll, access, inbound, identity, campaign, feed, default"},
	{.name = "last_resort", .parse = conf_name, .at = AT(raw, last_resort), .doc = "person told 5 minutes after the last step, then every 15, and for families without steps"},
	OTHER("version"), OTHER("files"), OTHER("rules"), OTHER("overrides"),
	OTHER("sources"), OTHER("dialplans"), OTHER("peers"),
	OTHER("profiles"), OTHER("collector"), OTHER("analyzer"),
	OTHER("console"),
	{0}};
/* clang-format on */

void alerter_document(FILE *out)
{
	conf_document(schema, out);
}

const char *config_hint(struct sv text, const char *const *names, size_t n,
			char hint[96])
{
	const char *near = conf_nearest(text, names, n);

	if (!near)
		return NULL;
	snprintf(hint, 96, "did you mean '%s'?", near);
	return hint;
}

/* ---- sections ---- */

/* Index of a word; -1: an error was recorded. */
static int word(struct conf *c, const struct conf_tree *at, const char *text,
		const char *const *words, size_t n, const char *what)
{
	char hint[96];

	for (size_t i = 0; i < n; i++)
		if (strcmp(text, words[i]) == 0)
			return (int)i;
	conf_error(c, at, "unknown-word",
		   config_hint(sv_of(text), words, n, hint), "no such %s '%s'",
		   what, text);
	return -1;
}

static void take_site(struct conf *c, struct alerter_conf *a,
		      const struct raw *raw)
{
	static const char *const clocks[] = {"wall", "feed"};
	struct err e;

	a->site = raw->site ? raw->site : "";
	a->timezone = raw->timezone ? raw->timezone : "UTC";
	if (raw->clock)
		a->feed = word(c, conf_get(raw->site_at, "clock"), raw->clock,
			       clocks, 2, "clock") == 1;
	if (zone_new(&a->zone, a->timezone, &e))
		return;
	/* in the analyzer's words, so that the launcher shows it once */
	conf_error(c, conf_get(raw->site_at, "timezone"), "bad-value",
		   "an IANA name: Europe/London", "unknown time zone '%s'",
		   a->timezone);
	a->timezone = "UTC"; /* so that the rest can be looked at */
	if (!zone_new(&a->zone, a->timezone, &e))
		abort(); /* UTC needs no file */
}

static void take_staffed(struct conf *c, const struct raw *raw)
{
	const struct conf_tree *map = raw->calendars;
	size_t n = map && conf_kind(map) == TREE_MAP ? conf_len(map) : 0;
	const char **names;
	char hint[96];

	if (!raw->staffed || (map && conf_get(map, raw->staffed)))
		return;
	names = xcalloc(n + 1, sizeof(*names));
	for (size_t i = 0; i < n; i++)
		names[i] = conf_text(conf_key(map, i)).p;
	conf_error(c, conf_get(raw->alerter_at, "staffed"), "unknown-calendar",
		   config_hint(sv_of(raw->staffed), names, n, hint),
		   "no such calendar '%s'", raw->staffed);
	free(names);
}

static void check_password(struct conf *c, const struct raw *raw, int tls)
{
	const struct conf_tree *user = conf_get(raw->smtp_at, "user");
	const struct conf_tree *password = conf_get(raw->smtp_at, "password");

	if (user && !password)
		conf_error(c, user, "missing-key",
			   "password: \"${file:secrets/smtp}\"",
			   "a user needs a password");
	if (password && !user)
		conf_error(c, password, "missing-key", "user: NAME",
			   "a password needs a user");
	if (password && tls > 0 &&
	    !sv_starts(sv_of(raw->relay ? raw->relay : ""), SV("smtps://")))
		conf_error(c, conf_get(raw->smtp_at, "tls"), "clear-password",
			   "tls: required",
			   "the password could cross the network unencrypted");
}

static void take_smtp(struct conf *c, struct alerter_conf *a,
		      const struct raw *raw)
{
	static const char *const tls[] = {"required", "try", "none"};
	const struct conf_tree *at = conf_get(raw->smtp_at, "tls");
	int w = raw->tls && at ? word(c, at, raw->tls, tls, 3, "tls") : 0;

	a->smtp = (struct smtp_conf){
		.relay = raw->relay ? raw->relay : "",
		.from = raw->from ? raw->from : "",
		.user = raw->user ? raw->user : "",
		.password = raw->password ? raw->password : "",
		.tls = tls[w > 0 ? w : 0],
		.timeout_us = raw->smtp_timeout,
	};
	if (raw->smtp_at)
		check_password(c, raw, w);
}

static void take_webhook(struct conf *c, struct webhook_conf *w,
			 const struct raw_webhook *r)
{
	*w = (struct webhook_conf){
		.name = r->name,
		.url = r->url ? r->url : "",
		.secret = r->secret ? r->secret : "",
		.private_network = r->private_network,
		.timeout_us = r->timeout,
	};
	if (strlen(r->name) > PERSON_ID)
		conf_error(c, r->at, "bad-key", NULL,
			   "'%s' is longer than %d bytes", r->name, PERSON_ID);
	if (r->secret && !shape_secret(sv_of(r->secret)))
		conf_error(c, conf_get(r->at, "secret"), "bad-secret",
			   "echo whsec_$(openssl rand -base64 32)",
			   "the secret of '%s' is not whsec_ and base64 of 24 "
			   "to 64 bytes",
			   r->name);
	if (sv_starts(sv_of(w->url), SV("http://")) && !r->private_network)
		conf_error(c, conf_get(r->at, "url"), "clear-text",
			   "https://, or private_network: true",
			   "'%s' would send names and amounts unencrypted",
			   r->name);
}

static void take_webhooks(struct conf *c, struct alerter_conf *a,
			  const struct raw *raw)
{
	const struct raw_webhook *r = raw->webhooks.item;

	a->webhook = xcalloc(raw->webhooks.n + 1, sizeof(*a->webhook));
	for (size_t i = 0; i < raw->webhooks.n; i++)
		if (r[i].at && *r[i].name)
			take_webhook(c, &a->webhook[a->n_webhooks++], &r[i]);
}

/* postgresql://user:password@host and password=... do not belong here. */
static bool names_password(struct sv s)
{
	const char *at = memmem(s.p, s.n, "://", 3);
	const char *end = at ? memchr(at, '@', s.n - (size_t)(at - s.p)) : NULL;

	return memmem(s.p, s.n, "password", 8) ||
	       (end && memchr(at + 3, ':', (size_t)(end - at - 3)));
}

static void take_database(struct conf *c, struct alerter_conf *a,
			  const struct raw *raw)
{
	const struct conf_tree *at =
		raw->database_at ? conf_get(raw->database_at, "dsn") : NULL;

	a->dsn = raw->dsn ? raw->dsn : "";
	if (!at || conf_kind(at) != TREE_SCALAR ||
	    !names_password(conf_text(at)) ||
	    sv_starts(conf_text(at), SV("${")))
		return;
	conf_hide(c, at);
	conf_error(c, at, "inline-secret",
		   "${file:secrets/dsn} or ${env:TOLLWATCH_DSN}",
		   "a secret must not stand in the config");
}

/* What is right by itself and tells nobody all the same. */
static void look_whole(struct conf *c, const struct alerter_conf *a,
		       const struct raw *raw)
{
	if (raw->smtp_at)
		return;
	for (size_t i = 0; i < a->n_people; i++) {
		const struct raw_person *r = raw->people.item;

		if (!*a->person[i].email)
			continue;
		conf_warn(c, raw->alerter_at ? raw->alerter_at : r->at,
			  "no-relay",
			  "smtp: {relay: \"smtp://...\", from: ...}",
			  "without alerter.smtp no e-mail can be sent");
		return;
	}
}

static void take(struct conf *c, struct alerter_conf *a, const struct raw *raw)
{
	a->acknowledge_us = raw->acknowledge;
	take_site(c, a, raw);
	take_staffed(c, raw);
	take_smtp(c, a, raw);
	take_webhooks(c, a, raw);
	take_database(c, a, raw);
	take_people(c, a, raw);
	take_schedules(c, a, raw);
	take_escalation(c, a, raw);
	look_whole(c, a, raw);
}

struct alerter_conf *alerter_conf_load(const char *dir, bool environ_needed,
				       struct conf **c, struct err *e)
{
	struct alerter_conf *a;
	struct raw raw = {0};

	*c = NULL;
	if (!conf_load(c, dir, e))
		return NULL;
	if (!environ_needed)
		conf_env_optional(*c);
	a = xcalloc(1, sizeof(*a));
	conf_walk(*c, conf_root(*c), schema, &raw);
	raw.site_at = raw.site_at ? raw.site_at : conf_root(*c);
	take(*c, a, &raw);
	if (conf_errors(*c) == 0) {
		a->conf = *c;
		return a;
	}
	alerter_conf_free(a);
	return NULL;
}

void alerter_conf_free(struct alerter_conf *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->n_people; i++)
		free(a->person[i].contact);
	for (size_t i = 0; i < a->n_schedules; i++)
		free(a->schedule[i].person);
	for (size_t i = 0; i < a->n_escalations; i++)
		free(a->escalation[i].step);
	free(a->person);
	free(a->schedule);
	free(a->escalation);
	free(a->webhook);
	zone_free(a->zone);
	conf_free(a->conf);
	free(a);
}

/* ---- finding things ---- */

const struct person *person_find(const struct alerter_conf *a, struct sv id)
{
	for (size_t i = 0; i < a->n_people; i++)
		if (sv_eq(sv_of(a->person[i].id), id))
			return &a->person[i];
	return NULL;
}

const struct person *person_of_login(const struct alerter_conf *a,
				     const char *login)
{
	for (size_t i = 0; *login && i < a->n_people; i++)
		if (strcmp(a->person[i].login, login) == 0)
			return &a->person[i];
	return NULL;
}

const struct escalation *escalation_of(const struct alerter_conf *a,
				       const char *family)
{
	const struct escalation *other = &a->others;

	for (size_t i = 0; i < a->n_escalations; i++) {
		if (strcmp(a->escalation[i].family, family) == 0)
			return &a->escalation[i];
		if (strcmp(a->escalation[i].family, "default") == 0)
			other = &a->escalation[i];
	}
	return other;
}
