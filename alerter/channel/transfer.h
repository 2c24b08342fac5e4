/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALERTER_CHANNEL_TRANSFER_H
#define ALERTER_CHANNEL_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

#include "alerter/channel/channel.h"
#include "common/clock.h"
#include "common/sv.h"

/*
 * The part of an SMTP session that is ours.  libcurl connects, greets, starts
 * TLS and logs in; it would wait for the answer to the message itself, and to
 * QUIT, without going back to the loop, and a relay that filters takes its
 * time.
 *
 *   connect ─▶ MAIL ─▶ RCPT ─▶ DATA ─▶ TEXT ─▶ (QUIT, not waited for)
 */
enum smtp_state {
	SMTP_CONNECT = 0, /* libcurl's */
	SMTP_MAIL,	  /* io and limit are set; waits for the answer */
	SMTP_RCPT,
	SMTP_DATA,
	SMTP_TEXT,
};

enum { SMTP_LINE = 1024, SMTP_COMMAND = 320 };

struct smtp {
	enum smtp_state state;
	struct event *io, *limit;
	const char *out; /* command, or body */
	size_t out_n, out_at;
	char command[SMTP_COMMAND];
	char line[SMTP_LINE];
	size_t line_n;
	int code;	 /* of the last reply */
	bool more;	 /* ...which goes on in the next line */
	char reply[128]; /* ...its first line, as it came */
};

/*
 * One message on its way.  channel.c owns it, the event loop and what all
 * channels have in common; email.c and webhook.c make a libcurl handle out of
 * the message and a verdict out of the end.
 */
struct transfer {
	struct channels *c;
	struct transfer *next;
	CURL *easy;		 /* NULL until its turn comes */
	struct curl_slist *list; /* headers, or recipients */
	struct message m;	 /* own copies */
	char *body;		 /* what is sent */
	size_t body_n;
	const char *from; /* e-mail: copy of the sender's address */
	int64_t timeout_us;
	struct mono_ms begin;

	bool public_only; /* no connection inside our own networks */
	unsigned opened;  /* sockets */
	unsigned refused; /* addresses that public_only kept us from */
	curl_socket_t fd; /* the last one opened */

	size_t answered;  /* bytes of answer, headers included */
	bool answer_body; /* a body has begun: the status is final */

	struct smtp smtp;

	bool finished; /* to be freed and reported with outcome */
	struct send_outcome outcome;
};

enum { ANSWER_MAX = 65536 };

/* Set up t->easy; false: it cannot be sent, out says why. */
bool email_start(struct transfer *t, const struct smtp_conf *s,
		 struct send_outcome *out);
bool webhook_start(struct transfer *t, const struct webhook_conf *w,
		   struct send_outcome *out);

/* libcurl is through; rc CURLE_OK: the rest of the session begins. */
void email_connected(struct transfer *t, CURLcode rc);
void webhook_end(struct transfer *t, CURLcode rc, struct send_outcome *out);

/* A new handle with what every channel wants: only these protocols, this much
 * time, a connection of its own, no proxy, nothing of the environment. */
void transfer_open(struct transfer *t, const char *protocols,
		   int64_t timeout_us);

/* The verdict when the protocol itself gave none. */
void transfer_failed(const struct transfer *t, CURLcode rc,
		     struct send_outcome *out);

/* Report it and free t, from the loop. */
void transfer_finish(struct transfer *t, const struct send_outcome *out);

struct event_base *transfer_base(const struct transfer *t);

/* One line of a reply, without its end. */
void smtp_reply(struct smtp *s, struct sv line);
/* What a reply that is not the wanted one means. */
void smtp_refused(struct smtp *s, struct send_outcome *out);
void smtp_talk(struct transfer *t);
void smtp_close(struct smtp *s); /* events only; safe at any time */

bool outcome_set(struct send_outcome *out, enum send_result r, const char *fmt,
		 ...) PRINTF(3, 4); /* returns false */

#endif
