/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_METRICS_H
#define COMMON_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include "common/err.h"
#include "common/json.h"

/*
 * GET /metrics (Prometheus text 0.0.4), /-/healthy, /-/ready and /status (one
 * JSON object, what "tollwatch status" shows) over HTTP on a unix socket
 * ("unix:/path") or loopback ("127.0.0.1:9400", port 0 = any).  libevent's
 * evhttp does the protocol.  The program keeps its own counters and fills in
 * the answer when asked: nothing is registered on a hot path.
 */
struct metrics;

/* Collects one exposition; names without the "tollwatch_" prefix. */
struct metrics_out;
void metrics_counter(struct metrics_out *o, const char *name, const char *help,
		     const char *labels, uint64_t v);
void metrics_gauge(struct metrics_out *o, const char *name, const char *help,
		   const char *labels, double v);

struct metrics_opts {
	const char *listen;
	void (*on_metrics)(void *arg, struct metrics_out *o);
	void (*on_status)(void *arg, struct json *j); /* writes one object */
	bool (*is_ready)(void *arg);
	void *arg;
};

/* Several samples of one name must follow each other; HELP and TYPE are
 * written once.  labels is NULL or like: source="sbc-1" (escape values with
 * metrics_label). */
MUST_USE bool metrics_new(struct metrics **out, struct event_base *base,
			  const struct metrics_opts *o, struct err *e);
void metrics_free(struct metrics *m); /* removes its socket; NULL ok */
uint16_t metrics_port(const struct metrics *m); /* 0 on a unix socket */

/* key="value" with the value escaped; false when it does not fit. */
bool metrics_label(char *out, size_t size, const char *key, struct sv value);

/* Ask another process: GET path on its listen address into *body (caller
 * frees, NUL-terminated).  Blocks up to timeout_ms.  False: not there. */
MUST_USE bool metrics_fetch(const char *listen, const char *path,
			    int timeout_ms, char **body, struct err *e);

#endif
