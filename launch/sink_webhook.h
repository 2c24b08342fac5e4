/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAUNCH_SINK_WEBHOOK_H
#define LAUNCH_SINK_WEBHOOK_H

#include <event2/event.h>

#include "launch/sink.h"

/*
 * A receiver of signed webhooks (common/signature.h) for the sample night and
 * for tests, on a port of 127.0.0.1 that the kernel gives.  What is not signed
 * with the secret within five minutes is answered 401.
 */
struct sink_webhook;

/* json is NUL-terminated and dead after the call.  Repeats are not told. */
typedef void sink_post_fn(void *arg, const char *id, const char *json,
			  bool verified);

MUST_USE bool sink_webhook_new(struct sink_webhook **out,
			       struct event_base *base, const char *secret,
			       sink_post_fn *on_post, void *arg, struct err *e);
void sink_webhook_free(struct sink_webhook *s); /* NULL ok */

const char *sink_webhook_url(const struct sink_webhook *s); /* "http://..." */
/* 5xx is 503, 4xx is 400. */
void sink_webhook_fail(struct sink_webhook *s, const struct sink_fail *f);
struct sink_count sink_webhook_count(const struct sink_webhook *s);

#endif
