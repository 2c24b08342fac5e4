/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "alerter/config_inside.h"
#include "common/clock.h"
#include "common/mem.h"

/* ---- names ---- */

/* Ids of people, and behind them of schedules, for "did you mean". */
static const char **ids_of(const struct alerter_conf *a, size_t *n)
{
	const char **ids =
		xcalloc(a->n_people + a->n_schedules + 1, sizeof(*ids));

	*n = 0;
	for (size_t i = 0; i < a->n_people; i++)
		ids[(*n)++] = a->person[i].id;
	for (size_t i = 0; i < a->n_schedules; i++)
		ids[(*n)++] = a->schedule[i].id;
	return ids;
}

static void unknown(struct conf *c, const struct alerter_conf *a,
		    const struct conf_tree *at, const char *code,
		    const char *what, const char *name)
{
	size_t n;
	const char **ids = ids_of(a, &n);
	char hint[96];

	conf_error(c, at, code, config_hint(sv_of(name), ids, n, hint),
		   "no %s '%s'", what, name);
	free(ids);
}

static bool id_fits(struct conf *c, const struct conf_tree *at, const char *id)
{
	if (strlen(id) <= PERSON_ID)
		return true;
	conf_error(c, at, "bad-key", NULL, "'%s' is longer than %d bytes", id,
		   PERSON_ID);
	return false;
}

/* ---- people ---- */

static bool has_contact(const struct person *p, enum channel_kind k)
{
	for (size_t i = 0; i < p->n_contacts; i++)
		if (p->contact[i].channel == k)
			return true;
	return false;
}

static void add_contact(struct person *p, enum channel_kind k,
			const char *target, int64_t after_us)
{
	size_t i = p->n_contacts++;

	/* sorted: those before keep their order when equal */
	for (; i > 0 && p->contact[i - 1].after_us > after_us; i--)
		p->contact[i] = p->contact[i - 1];
	p->contact[i] = (struct contact){.channel = k,
					 .target = target,
					 .after_us = after_us};
}

/* Where a person is told by a channel; NULL: an error was recorded. */
static const char *target_of(struct conf *c, const struct raw_person *r,
			     const struct raw_contact *k)
{
	const char *target = strcmp(k->by, "email") == 0     ? r->email
			     : strcmp(k->by, "webhook") == 0 ? r->webhook
							     : r->sms;

	if (!target)
		conf_error(c, conf_get(k->at, "by"), "missing-key", NULL,
			   "'%s' has no key '%s'", r->id, k->by);
	return target;
}

static void take_contact(struct conf *c, struct person *p,
			 const struct raw_person *r,
			 const struct raw_contact *k)
{
	static const char *const ways[] = {"email", "webhook", "sms"};
	enum channel_kind kind;
	const char *target;
	char hint[96];

	if (!k->by)
		return; /* said before */
	if (strcmp(k->by, "sms") == 0) {
		if (target_of(c, r, k))
			conf_warn(c, conf_get(k->at, "by"), "not-sent-yet",
				  NULL, "text messages are not sent yet");
		return;
	}
	kind = strcmp(k->by, "email") == 0     ? CHANNEL_EMAIL
	       : strcmp(k->by, "webhook") == 0 ? CHANNEL_WEBHOOK
					       : CHANNEL_KINDS;
	if (kind == CHANNEL_KINDS) {
		conf_error(c, conf_get(k->at, "by"), "unknown-word",
			   config_hint(sv_of(k->by), ways, 3, hint),
			   "no such way '%s': email, webhook or sms", k->by);
		return;
	}
	if (has_contact(p, kind)) {
		conf_error(c, k->at, "duplicate-contact", NULL,
			   "'%s' is told by %s already", p->id, k->by);
		return;
	}
	target = target_of(c, r, k);
	if (target)
		add_contact(p, kind, target, k->after);
}

static void take_contacts(struct conf *c, struct person *p,
			  const struct raw_person *r)
{
	const struct raw_contact *k = r->contacts.item;
	size_t before = conf_errors(c);

	p->contact =
		xcalloc(r->contacts.n + CHANNEL_KINDS, sizeof(*p->contact));
	for (size_t i = 0; i < r->contacts.n; i++)
		take_contact(c, p, r, &k[i]);
	if (!conf_get(r->at, "contacts")) {
		if (r->email)
			add_contact(p, CHANNEL_EMAIL, r->email, 0);
		if (r->webhook)
			add_contact(p, CHANNEL_WEBHOOK, r->webhook, 0);
	}
	/* one that is there and wrong was said */
	if (p->n_contacts == 0 && conf_errors(c) == before &&
	    !conf_get(r->at, "email") && !conf_get(r->at, "webhook"))
		conf_error(c, r->at, "no-contact", "email: name@example.com",
			   "'%s' has no e-mail address and no webhook: nobody "
			   "could tell them",
			   p->id);
	else if (p->n_contacts == 0 && conf_errors(c) == before)
		conf_error(c, conf_get(r->at, "contacts"), "no-contact",
			   "{by: email}", "'%s' would never be told", p->id);
}

static void check_webhook(struct conf *c, const struct alerter_conf *a,
			  const struct raw_person *r)
{
	const char **names;
	char hint[96];
	bool found = !r->webhook;

	names = xcalloc(a->n_webhooks + 1, sizeof(*names));
	for (size_t i = 0; i < a->n_webhooks; i++) {
		names[i] = a->webhook[i].name;
		found = found || strcmp(names[i], r->webhook) == 0;
	}
	if (!found)
		conf_error(c, conf_get(r->at, "webhook"), "unknown-webhook",
			   config_hint(sv_of(r->webhook), names, a->n_webhooks,
				       hint),
			   "no webhook '%s' in alerter.webhooks", r->webhook);
	free(names);
}

static void check_login(struct conf *c, const struct alerter_conf *a,
			const struct raw_person *r, const struct person *p)
{
	for (const struct person *o = a->person; o < p; o++)
		if (*p->login && strcmp(o->login, p->login) == 0)
			conf_error(c, conf_get(r->at, "login"),
				   "duplicate-login", NULL,
				   "login '%s' is that of '%s' already",
				   p->login, o->id);
}

void take_people(struct conf *c, struct alerter_conf *a, const struct raw *raw)
{
	const struct raw_person *r = raw->people.item;

	a->person = xcalloc(raw->people.n + 1, sizeof(*a->person));
	for (size_t i = 0; i < raw->people.n; i++, r++) {
		struct person *p = &a->person[a->n_people];

		if (!r->at || !*r->id || !id_fits(c, r->at, r->id))
			continue; /* said before */
		a->n_people++;
		p->id = r->id;
		p->name = r->name ? r->name : r->id;
		p->login = r->login ? r->login : "";
		p->email = r->email ? r->email : "";
		p->sms = r->sms ? r->sms : "";
		check_login(c, a, r, p);
		check_webhook(c, a, r);
		take_contacts(c, p, r);
	}
}

/* ---- schedules ---- */

static void take_turns(struct conf *c, struct alerter_conf *a,
		       const struct raw_schedule *r, struct schedule *s)
{
	const struct conf_tree *list = conf_get(r->at, "people");
	const char *const *id = r->people.item;

	s->person = xcalloc(r->people.n + 1, sizeof(*s->person));
	if (r->people.n == 0 && list && conf_kind(list) == TREE_LIST)
		conf_error(c, list, "empty-list", NULL,
			   "nobody is on schedule '%s'", s->id);
	for (size_t i = 0; i < r->people.n; i++) {
		const struct person *p =
			id[i] ? person_find(a, sv_of(id[i])) : NULL;

		if (p)
			s->person[s->n_people++] = p;
		else if (id[i])
			unknown(c, a, conf_item(list, i), "unknown-person",
				"person", id[i]);
	}
}

static void take_from(struct conf *c, struct alerter_conf *a,
		      const struct raw_schedule *r, struct schedule *s)
{
	const struct conf_tree *at = conf_get(r->at, "from");
	int64_t local = shape_local_s(r->from);
	int64_t utc[2];
	unsigned n = zone_utc(a->zone, local, utc);

	s->from_local_us = local * SEC_US;
	s->from_us = utc[0] * SEC_US;
	if (n == 0)
		conf_error(c, at, "no-such-time", "an hour later or earlier",
			   "the clocks in %s leave out %s", a->timezone,
			   r->from);
	if (n == 2)
		conf_warn(c, at, "time-twice", "an hour later or earlier",
			  "the clocks in %s show %s twice; the first is meant",
			  a->timezone, r->from);
}

void take_schedules(struct conf *c, struct alerter_conf *a,
		    const struct raw *raw)
{
	const struct raw_schedule *r = raw->schedules.item;

	a->schedule = xcalloc(raw->schedules.n + 1, sizeof(*a->schedule));
	for (size_t i = 0; i < raw->schedules.n; i++, r++) {
		struct schedule *s = &a->schedule[a->n_schedules];

		if (!r->at || !*r->id || !id_fits(c, r->at, r->id))
			continue;
		s->id = r->id;
		s->every_us = r->every;
		if (person_find(a, sv_of(r->id)))
			conf_error(c, r->at, "ambiguous-name", NULL,
				   "'%s' is a person and a schedule", r->id);
		if (r->every % HOUR_US != 0)
			conf_error(c, conf_get(r->at, "every"), "bad-value",
				   "12h, 1d or 1w", "a turn lasts whole hours");
		a->n_schedules++;
		take_turns(c, a, r, s);
		if (r->from)
			take_from(c, a, r, s);
	}
}

/* ---- escalation ---- */

static void take_step(struct conf *c, struct alerter_conf *a,
		      const struct raw_step *r, struct escalation *x, bool last)
{
	struct step *s = &x->step[x->n_steps];
	const struct step *before = x->n_steps ? s - 1 : NULL;

	if (!r->at || !r->notify)
		return; /* said before */
	x->n_steps++;
	*s = (struct step){.after_us = r->after,
			   .repeat_us = r->repeat,
			   .line = conf_line(r->at)};
	s->person = person_find(a, sv_of(r->notify));
	for (size_t i = 0; !s->person && i < a->n_schedules; i++)
		if (strcmp(a->schedule[i].id, r->notify) == 0)
			s->schedule = &a->schedule[i];
	if (!s->person && !s->schedule)
		unknown(c, a, conf_get(r->at, "notify"), "unknown-person",
			"person or schedule", r->notify);
	if (before && before->after_us > s->after_us)
		conf_error(c, conf_get(r->at, "after"), "step-order",
			   "'after' counts from the first page, not from the "
			   "step before",
			   "this step comes before the one above it");
	if (s->repeat_us && !last)
		conf_error(c, conf_get(r->at, "repeat"), "step-order", NULL,
			   "only the last step can repeat");
}

/* The end of every escalation: somebody is told until it is over. */
static void end_steps(struct conf *c, struct alerter_conf *a,
		      struct escalation *x, const struct conf_tree *at)
{
	const struct step *last = x->n_steps ? &x->step[x->n_steps - 1] : NULL;

	if (!last || last->repeat_us)
		return;
	if (a->last_resort)
		x->step[x->n_steps++] = (struct step){
			.person = a->last_resort,
			.after_us =
				last->after_us + LAST_RESORT_AFTER_MIN * MIN_US,
			.repeat_us = LAST_RESORT_REPEAT_MIN * MIN_US,
			.last_resort = true};
	else if (!conf_get(conf_root(c), "last_resort"))
		conf_warn(c, at, "no-last-resort", "last_resort: PERSON",
			  "after the last step of '%s' nobody is told",
			  x->family);
}

static void check_family(struct conf *c, const struct conf_tree *at,
			 const char *family)
{
	static const char *const known[] = {"toll",	"access",   "inbound",
					    "identity", "campaign", "feed",
					    "default"};
	char hint[96];

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(known[i], family) == 0)
			return;
	conf_error(c, at, "unknown-word",
		   config_hint(sv_of(family), known, ARRAY_LEN(known), hint),
		   "no such family '%s'", family);
}

static void take_last_resort(struct conf *c, struct alerter_conf *a,
			     const struct raw *raw)
{
	if (!raw->last_resort)
		return;
	a->last_resort = person_find(a, sv_of(raw->last_resort));
	if (!a->last_resort)
		unknown(c, a, conf_get(conf_root(c), "last_resort"),
			"unknown-person", "person", raw->last_resort);
	a->last_step =
		(struct step){.person = a->last_resort,
			      .repeat_us = LAST_RESORT_REPEAT_MIN * MIN_US,
			      .last_resort = true};
}

void take_escalation(struct conf *c, struct alerter_conf *a,
		     const struct raw *raw)
{
	const struct conf_tree *map = conf_get(conf_root(c), "escalation");
	const struct raw_escalation *r = raw->escalation.item;

	take_last_resort(c, a, raw);
	a->others = (struct escalation){.family = "others",
					.step = &a->last_step,
					.n_steps = a->last_resort != NULL};
	a->escalation = xcalloc(raw->escalation.n + 1, sizeof(*a->escalation));
	for (size_t i = 0; i < raw->escalation.n; i++, r++) {
		struct escalation *x = &a->escalation[a->n_escalations];
		const struct raw_step *s = r->steps.item;

		if (!*r->family)
			continue;
		a->n_escalations++;
		check_family(c, conf_key(map, i), r->family);
		x->family = r->family;
		x->step = xcalloc(r->steps.n + 1, sizeof(*x->step));
		if (r->steps.n == 0 &&
		    conf_kind(conf_item(map, i)) == TREE_LIST)
			conf_error(c, conf_key(map, i), "empty-list", NULL,
				   "'%s' has no step", r->family);
		for (size_t k = 0; k < r->steps.n; k++)
			take_step(c, a, &s[k], x, k + 1 == r->steps.n);
		end_steps(c, a, x, conf_key(map, i));
	}
}
