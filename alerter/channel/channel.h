/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALERTER_CHANNEL_CHANNEL_H
#define ALERTER_CHANNEL_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include "alerter/config.h"
#include "alerter/fact.h"
#include "common/err.h"

/*
 * The ways out: each takes a message and says once what became of it.  All
 * transfers of the process run in one libcurl multi handle on the event loop;
 * nothing blocks.  A channel does not retry: delivery.h decides that.
 */
struct channels;

/* What to say and to whom.  All texts are UTF-8; a channel makes them safe
 * for its protocol (a header takes no line end). */
struct message {
	uint32_t page;
	enum channel_kind channel;
	const char *target;   /* address, or name of the webhook */
	const char *id;       /* the same for every try: receivers drop repeats */
	const char *thread;   /* the same for every page of an incident; "" */
	const char *subject;  /* one line */
	const char *text;     /* several lines */
	const char *json;     /* the body of a webhook */
	int64_t time_us;      /* when it was queued (the site's clock) */
};

enum send_result { SEND_OK, SEND_TEMPORARY, SEND_PERMANENT };

struct send_outcome {
	enum send_result result;
	uint32_t retry_after_s; /* the receiver's wish, 0 = none */
	char error[160];        /* "550 no such user", "timeout after 15 s" */
};

typedef void send_fn(void *arg, uint32_t page,
		     const struct send_outcome *outcome);

/* conf outlives the channels, or is replaced by channels_conf. */
MUST_USE bool channels_new(struct channels **out, struct event_base *base,
			   const struct alerter_conf *conf, send_fn *done,
			   void *arg, struct err *e);
void channels_conf(struct channels *c, const struct alerter_conf *conf);
void channels_free(struct channels *c); /* cuts what is under way; NULL ok */

/* Copies what it needs.  done is called later, never from inside. */
void channels_send(struct channels *c, const struct message *m);

/* Transfers under way. */
unsigned channels_busy(const struct channels *c);

#endif
