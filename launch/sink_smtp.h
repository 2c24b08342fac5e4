/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAUNCH_SINK_SMTP_H
#define LAUNCH_SINK_SMTP_H

#include <event2/event.h>

#include "launch/sink.h"

/*
 * A mail server for the sample night and for tests: takes e-mail on a port of
 * 127.0.0.1 that the kernel gives, keeps nothing and sends nothing on.
 */
struct sink_smtp;

/* Texts are decoded (quoted-printable, RFC 2047 "Q") and dead after the
 * call; line ends are LF. */
struct sink_mail {
	const char *to;
	const char *id;	    /* Message-ID with its <> */
	const char *thread; /* In-Reply-To, "" when none */
	const char *subject;
	const char *text;
};

typedef void sink_mail_fn(void *arg, const struct sink_mail *m);

MUST_USE bool sink_smtp_new(struct sink_smtp **out, struct event_base *base,
			    sink_mail_fn *on_mail, void *arg, struct err *e);
void sink_smtp_free(struct sink_smtp *s); /* NULL ok */

const char *sink_smtp_url(const struct sink_smtp *s); /* "smtp://..." */
/* A code below 400 makes no sense here; 5xx is 554, 4xx is 451. */
void sink_smtp_fail(struct sink_smtp *s, const struct sink_fail *f);
struct sink_count sink_smtp_count(const struct sink_smtp *s);

#endif
