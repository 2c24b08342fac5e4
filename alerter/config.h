/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALERTER_CONFIG_H
#define ALERTER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alerter/fact.h"
#include "common/conf.h"
#include "common/zone.h"

/*
 * The alerter's part of the config: who is told, in which order and how.
 *
 *   people:      {alex: {name, login, email, sms, webhook, contacts: [...]}}
 *   schedules:   {night: {people: [alex, sam], every: 1w, from: "..."}}
 *   escalation:  {toll: [{notify: night, after: 0m}, ...], default: [...]}
 *   last_resort: priya
 *   alerter:     {staffed, smtp: {...}, webhooks: {...}, acknowledge: 30m}
 *
 * Text messages are not sent yet: `sms` is checked and is no contact.
 * Without `contacts` a person is told by e-mail and webhook at once, as far
 * as they have them.  `contacts: [{by: email}, {by: webhook, after: 2m}]`
 * orders them; one that fails for good brings the next forward at once.
 */
struct contact {
	enum channel_kind channel;
	const char *target; /* address, or name in webhooks */
	int64_t after_us;
};

struct person {
	const char *id;
	const char *name;
	const char *login; /* "" = none */
	const char *email;
	const char *sms;
	struct contact *contact; /* sorted by after_us */
	size_t n_contacts;
};

struct schedule {
	const char *id;
	const struct person **person;
	size_t n_people;
	int64_t every_us; /* whole hours; whole days are local days */
	int64_t from_us;  /* first hand-over, UTC instant of the local time:
			   * the first of two; one left out is an error */
	int64_t from_local_us; /* the same as if local time were UTC */
};

struct step {
	const struct schedule *schedule; /* or NULL: */
	const struct person *person;
	int64_t after_us;  /* since paging began */
	int64_t repeat_us; /* 0 = not; the last step only */
	unsigned line;
	bool last_resort; /* appended by us */
};

struct escalation {
	const char *family; /* "toll"; "default" for those not named; "others"
			     * when there is no default: last resort only */
	struct step *step;  /* sorted by after_us; ends with last_resort when
			     * the last one does not repeat */
	size_t n_steps;
};

struct smtp_conf {
	const char *relay; /* "smtp://host:25", "smtps://host"; "" = none */
	const char *from;
	const char *user; /* "" = no AUTH */
	const char *password;
	const char *tls; /* "required" (default), "try", "none" */
	int64_t timeout_us;
};

struct webhook_conf {
	const char *name;
	const char *url;
	const char *secret;   /* "whsec_..." */
	bool private_network; /* may be a loopback or private address */
	int64_t timeout_us;
};

struct alerter_conf {
	struct conf *conf; /* owns all texts */
	const char *site;
	const char *timezone;	/* IANA */
	bool feed;		/* site.clock: feed */
	int64_t acknowledge_us; /* how long an acknowledgement lasts */
	const char *dsn;	/* "" = none given */
	struct smtp_conf smtp;
	struct webhook_conf *webhook;
	size_t n_webhooks;
	struct person *person;
	size_t n_people;
	struct schedule *schedule;
	size_t n_schedules;
	struct escalation *escalation;
	size_t n_escalations;
	const struct person *last_resort; /* or NULL */
	struct step last_step;		  /* it, at once and again */
	struct escalation others; /* of families without an entry or default */
	struct zone *zone;	  /* of timezone */
};

/* Load and check; NULL when it has errors: *c holds them (conf_report, then
 * conf_free), or *c is NULL and *e says why.  On success the result owns *c.
 * `environ_needed`: an unset ${env:} is an error; without, as check-config
 * asks, it stays empty. */
struct alerter_conf *alerter_conf_load(const char *dir, bool environ_needed,
				       struct conf **c, struct err *e);
void alerter_conf_free(struct alerter_conf *a); /* NULL ok */

const struct person *person_find(const struct alerter_conf *a, struct sv id);
/* By the login of an account of this machine; NULL: nobody. */
const struct person *person_of_login(const struct alerter_conf *a,
				     const char *login);
/* The steps of a family; never NULL (may have no step). */
const struct escalation *escalation_of(const struct alerter_conf *a,
				       const char *family);

/* Every option for docs/configuration.md. */
void alerter_document(FILE *out);

#endif
