/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/sink_webhook.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/signature.h"

enum { BODY_MAX = 256 * 1024, HEADERS_MAX = 16384, IDLE_S = 60 };

/* A request whose answer comes late. */
struct held {
	struct sink_webhook *s;
	struct held *next;
	struct evhttp_request *r;
	struct event *timer;
};

struct sink_webhook {
	struct event_base *base;
	struct evhttp *http;
	struct signature_keys keys;
	sink_post_fn *on_post;
	void *arg;
	struct sink_fail fail;
	struct sink_seen seen;
	struct sink_count count;
	struct held *held;
	char url[64];
};

static const char *header(struct evhttp_request *r, const char *name)
{
	const char *v =
		evhttp_find_header(evhttp_request_get_input_headers(r), name);

	return v != NULL ? v : "";
}

/* NUL-terminated; the request's. */
static const char *body(struct evhttp_request *r, size_t *n)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(r);

	*n = evbuffer_get_length(in);
	evbuffer_add(in, "", 1);
	return (const char *)evbuffer_pullup(in, -1);
}

static bool verify(const struct sink_webhook *s, struct evhttp_request *r,
		   struct sv json)
{
	struct signed_text t = {.id = sv_of(header(r, "webhook-id")),
				.body = json};
	int64_t now = clock_wall().us / SEC_US;
	uint64_t at;

	if (t.id.n == 0 ||
	    !sv_u64(sv_of(header(r, "webhook-timestamp")), &at) ||
	    at > INT64_MAX)
		return false;
	t.at_s = (int64_t)at;
	if (t.at_s < now - SIGNATURE_TOLERANCE_S ||
	    t.at_s > now + SIGNATURE_TOLERANCE_S)
		return false;
	return signature_ok(&s->keys, &t,
			    sv_of(header(r, "webhook-signature")));
}

static void take(struct sink_webhook *s, struct evhttp_request *r)
{
	const char *id = header(r, "webhook-id");
	size_t n;
	const char *json = body(r, &n);

	if (!verify(s, r, (struct sv){json, n})) {
		s->count.refused++;
		s->on_post(s->arg, id, json, false);
		evhttp_send_reply(r, 401, "Unauthorized", NULL);
		return;
	}
	if (sink_seen_add(&s->seen, sv_of(id))) {
		s->count.received++;
		s->on_post(s->arg, id, json, true);
	} else {
		s->count.repeated++;
	}
	evhttp_send_reply(r, 204, "No Content", NULL);
}

static void unhold(struct held *h)
{
	struct held **at = &h->s->held;

	while (*at != h)
		at = &(*at)->next;
	*at = h->next;
	event_free(h->timer);
	free(h);
}

/* The sender may be gone: libevent then gave r to us, and frees it with the
 * answer that nobody gets. */
static void on_late(evutil_socket_t fd, short what, void *arg)
{
	struct held *h = arg;
	struct sink_webhook *s = h->s;
	struct evhttp_request *r = h->r;

	(void)fd;
	(void)what;
	unhold(h);
	take(s, r);
}

static void hold(struct sink_webhook *s, struct evhttp_request *r)
{
	struct timeval tv = {s->fail.slow_ms / 1000, 0};
	struct held *h = xcalloc(1, sizeof(*h));

	h->s = s;
	h->r = r;
	h->next = s->held;
	s->held = h;
	h->timer = evtimer_new(s->base, on_late, h);
	if (h->timer == NULL)
		abort(); /* out of memory, as xmalloc */
	evtimer_add(h->timer, &tv);
}

/* Break the connection under libevent, whose answer then goes nowhere. */
static void cut(struct evhttp_request *r, bool reset)
{
	struct evhttp_connection *c = evhttp_request_get_connection(r);
	evutil_socket_t fd =
		bufferevent_getfd(evhttp_connection_get_bufferevent(c));

	if (reset)
		sink_reset(fd);
	else
		shutdown(fd, SHUT_RDWR);
	evhttp_send_reply(r, 500, "", NULL);
}

static void on_request(struct evhttp_request *r, void *arg)
{
	struct sink_webhook *s = arg;
	unsigned code = s->fail.code;
	enum sink_how how = sink_fail_next(&s->fail);

	s->count.refused += how != SINK_WELL && how != SINK_SLOW;
	switch (how) {
	case SINK_WELL:
		take(s, r);
		break;
	case SINK_SLOW:
		hold(s, r);
		break;
	case SINK_RESET:
	case SINK_CLOSE:
		cut(r, how == SINK_RESET);
		break;
	case SINK_CODE:
		code = code == 4 ? 400 : code == 5 ? 503 : code;
		evhttp_send_reply(r, (int)code, "As told", NULL);
		break;
	}
}

bool sink_webhook_new(struct sink_webhook **out, struct event_base *base,
		      const char *secret, sink_post_fn *on_post, void *arg,
		      struct err *e)
{
	struct sink_webhook *s = xcalloc(1, sizeof(*s));
	struct evhttp_bound_socket *b;
	struct sockaddr_in in;
	socklen_t n = sizeof(in);

	*out = NULL;
	signal(SIGPIPE, SIG_IGN); /* a sender may be gone */
	s->base = base;
	s->on_post = on_post;
	s->arg = arg;
	if (!signature_keys_parse(&s->keys, sv_of(secret), e))
		goto fail;
	s->http = evhttp_new(base);
	b = s->http == NULL
		    ? NULL
		    : evhttp_bind_socket_with_handle(s->http, "127.0.0.1", 0);
	if (b == NULL || getsockname(evhttp_bound_socket_get_fd(b),
				     (struct sockaddr *)&in, &n) != 0) {
		err_set(e, "webhook sink: %s", strerror(errno));
		goto fail;
	}
	evhttp_set_max_body_size(s->http, BODY_MAX);
	evhttp_set_max_headers_size(s->http, HEADERS_MAX);
	evhttp_set_timeout(s->http, IDLE_S);
	evhttp_set_allowed_methods(s->http, EVHTTP_REQ_POST);
	evhttp_set_gencb(s->http, on_request, s);
	snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%u/hook",
		 ntohs(in.sin_port));
	*out = s;
	return true;
fail:
	sink_webhook_free(s);
	return false;
}

void sink_webhook_free(struct sink_webhook *s)
{
	if (s == NULL)
		return;
	while (s->held != NULL) {
		struct evhttp_request *r = s->held->r;

		unhold(s->held);
		if (evhttp_request_get_connection(r) == NULL)
			evhttp_request_free(r);
	}
	if (s->http != NULL)
		evhttp_free(s->http);
	signature_keys_wipe(&s->keys);
	free(s);
}

const char *sink_webhook_url(const struct sink_webhook *s)
{
	return s->url;
}

void sink_webhook_fail(struct sink_webhook *s, const struct sink_fail *f)
{
	s->fail = *f;
}

struct sink_count sink_webhook_count(const struct sink_webhook *s)
{
	return s->count;
}
