/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALERTER_CONFIG_INSIDE_H
#define ALERTER_CONFIG_INSIDE_H

#include "alerter/config.h"

/* What the files of the config share; nobody else includes this.
 *
 *   config.c         the schema; site, relay, webhooks, database
 *   config_people.c  people, schedules, escalation, last resort
 *   config_shape.c   what an address, a URL, a secret looks like
 */

/* Bounds that the texts of struct fact set. */
enum {
	PERSON_ID = 31,
	TARGET = 63,
	LAST_RESORT_AFTER_MIN = 5,
	LAST_RESORT_REPEAT_MIN = 15,
};

struct raw_contact {
	const struct conf_tree *at;
	const char *by;
	int64_t after;
};

struct raw_person {
	const char *id;
	const struct conf_tree *at;
	const char *name, *login, *email, *sms, *webhook;
	struct conf_array contacts;
};

struct raw_schedule {
	const char *id;
	const struct conf_tree *at;
	struct conf_array people; /* const char * */
	int64_t every;
	const char *from;
};

struct raw_step {
	const struct conf_tree *at;
	const char *notify;
	int64_t after, repeat;
};

struct raw_escalation {
	const char *family;
	struct conf_array steps;
};

struct raw_webhook {
	const char *name;
	const struct conf_tree *at;
	const char *url, *secret;
	bool private_network;
	int64_t timeout;
};

struct raw {
	const char *site, *timezone, *clock, *staffed, *dsn;
	const struct conf_tree *site_at, *alerter_at, *smtp_at, *database_at;
	const struct conf_tree *calendars;
	int64_t acknowledge, smtp_timeout;
	const char *relay, *from, *user, *password, *tls;
	struct conf_array webhooks, people, schedules, escalation;
	const char *last_resort;
};

void take_people(struct conf *c, struct alerter_conf *a, const struct raw *r);
void take_schedules(struct conf *c, struct alerter_conf *a,
		    const struct raw *r);
void take_escalation(struct conf *c, struct alerter_conf *a,
		     const struct raw *r);

/* "did you mean 'x'?" or NULL. */
const char *config_hint(struct sv text, const char *const *names, size_t n,
			char hint[96]);

conf_parse_fn shape_line;	/* text without control characters */
conf_parse_fn shape_email;	/* name@example.com */
conf_parse_fn shape_phone;	/* +447700900101 */
conf_parse_fn shape_relay;	/* smtp://host:port, smtps://host */
conf_parse_fn shape_url;	/* https://host/path, http://... */
conf_parse_fn shape_local;	/* 2026-01-05 17:30 */
bool shape_secret(struct sv s); /* whsec_ and base64 of 24..64 bytes */

/* Seconds since 1970 of a text that shape_local took, as if it were UTC. */
int64_t shape_local_s(const char *text);

#endif
