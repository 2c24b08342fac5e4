/* SPDX-License-Identifier: Apache-2.0 */
#include "common/bus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include <zmq.h>

#include "common/bus_sock.h"
#include "common/mem.h"

enum {
	BURST = 256,		    /* messages before the loop has its turn */
	QUEUE = 4 * BUS_CREDIT_MAX, /* high-water marks: bounded memory */
	RECONNECT_MS = 100,
	RECONNECT_MAX_MS = 1000,
	TICK_US = 250000,
};

static const struct timeval now_tv;

/* ---- context ---- */

struct bus *bus_new(struct event_base *base)
{
	struct bus *b = xcalloc(1, sizeof(*b));

	b->base = base;
	b->zmq = zmq_ctx_new();
	if (!b->zmq)
		abort(); /* out of memory or of descriptors at the start */
	return b;
}

void bus_free(struct bus *b)
{
	if (!b)
		return;
	while (zmq_ctx_term(b->zmq) && errno == EINTR)
		;
	free(b);
}

/* ---- reading ---- */

/*
 * ZMQ_FD is edge-triggered: readable means only "something changed", and no
 * second edge comes for messages we leave behind.  So read until there is
 * nothing; when the burst is spent first, come back by timer: a busy peer
 * must not starve the rest of the loop.
 */
static void drain(evutil_socket_t fd, short what, void *arg)
{
	struct bus_sock *s = arg;
	enum bus_read rc = BUS_MORE;

	(void)fd;
	(void)what;
	for (int i = 0; i < BURST && rc == BUS_MORE; i++)
		rc = s->on_read(s->arg);
	if (rc == BUS_GONE) {
		event_del(s->edge);
		return;
	}
	if (rc == BUS_MORE)
		bus_sock_wake(s);
	s->on_burst(s->arg);
}

static void tick(evutil_socket_t fd, short what, void *arg)
{
	struct bus_sock *s = arg;

	(void)fd;
	(void)what;
	s->on_tick(s->arg);
}

void bus_sock_wake(struct bus_sock *s)
{
	evtimer_add(s->again, &now_tv);
}

enum bus_read bus_sock_recv(struct bus_sock *s, void *msg)
{
	int n;

	zmq_msg_init(msg);
	do
		n = zmq_msg_recv(msg, s->zmq, ZMQ_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return BUS_MORE;
	zmq_msg_close(msg);
	return errno == EAGAIN ? BUS_AGAIN : BUS_GONE;
}

bool bus_sock_view(struct bus_sock *s, void *msg, struct wire_view *v,
		   struct bus_stats *count)
{
	struct sv bytes = {zmq_msg_data(msg), zmq_msg_size(msg)};

	if (bytes.n > WIRE_BATCH_MAX) {
		count->oversize++;
		return false;
	}
	if ((uintptr_t)bytes.p % 8) {
		memcpy(s->copy, bytes.p, bytes.n);
		bytes.p = s->copy;
	}
	if (wire_check(bytes, v) == WIRE_OK && v->size == bytes.n)
		return true;
	count->bad++;
	return false;
}

/* ---- sending ---- */

/* A send reads the socket's mailbox too and so eats the edge of a message
 * that came meanwhile: ask whether there is one. */
bool bus_sock_send(struct bus_sock *s, const void *p, size_t n, bool more)
{
	int flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0);
	int events = 0;
	size_t size = sizeof(events);
	int rc;

	do
		rc = zmq_send(s->zmq, p, n, flags);
	while (rc < 0 && errno == EINTR);
	if (!more && zmq_getsockopt(s->zmq, ZMQ_EVENTS, &events, &size) == 0 &&
	    (events & ZMQ_POLLIN))
		bus_sock_wake(s);
	return rc >= 0;
}

/* ---- opening ---- */

/* Nothing encrypts or asks who is there: TCP stays inside the machine. */
static bool check_tcp(const char *endpoint, struct err *e)
{
	struct sv at = sv_of(endpoint);

	/* "from;to" binds the one and connects to the other */
	if ((sv_starts(at, SV("tcp://127.0.0.1:")) ||
	     sv_starts(at, SV("tcp://[::1]:"))) &&
	    !strchr(endpoint, ';'))
		return true;
	return err_set(e,
		       "%s: refused: the stream between machines is not yet "
		       "encrypted; use ipc:///PATH, tcp://127.0.0.1:PORT or "
		       "tcp://[::1]:PORT, and a tunnel to another machine",
		       endpoint);
}

static bool check_endpoint(const char *endpoint, struct err *e)
{
	static const char ipc[] = "ipc://";
	const size_t room = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;

	if (strncmp(endpoint, "tcp:", 4) == 0)
		return check_tcp(endpoint, e);
	if (strncmp(endpoint, ipc, sizeof(ipc) - 1) != 0)
		return true;
	if (strlen(endpoint + sizeof(ipc) - 1) <= room)
		return true;
	return err_set(e,
		       "%s: path is longer than the %zu bytes a unix "
		       "socket may have",
		       endpoint, room);
}

static bool set_int(void *zmq, int option, int v)
{
	return zmq_setsockopt(zmq, option, &v, sizeof(v)) == 0;
}

/* ZMQ_IMMEDIATE: what is sent while nobody is there fails at once instead of
 * lying in a queue until it is stale.  ZMQ_ROUTER_HANDOVER: a sender that
 * came back takes its name over from its dead connection. */
static bool set_options(void *zmq, int type, const char *routing_id)
{
	const int64_t largest = 2 * WIRE_BATCH_MAX;

	if (!set_int(zmq, ZMQ_LINGER, 0) || !set_int(zmq, ZMQ_SNDHWM, QUEUE) ||
	    !set_int(zmq, ZMQ_RCVHWM, QUEUE) ||
	    zmq_setsockopt(zmq, ZMQ_MAXMSGSIZE, &largest, sizeof(largest)))
		return false;
	if (type == ZMQ_ROUTER)
		return set_int(zmq, ZMQ_ROUTER_HANDOVER, 1);
	return set_int(zmq, ZMQ_IMMEDIATE, 1) &&
	       set_int(zmq, ZMQ_RECONNECT_IVL, RECONNECT_MS) &&
	       set_int(zmq, ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS) &&
	       zmq_setsockopt(zmq, ZMQ_ROUTING_ID, routing_id,
			      strlen(routing_id)) == 0;
}

static void add_events(struct bus_sock *s, struct bus *b, evutil_socket_t fd)
{
	const struct timeval often = {0, TICK_US};

	s->edge = event_new(b->base, fd, EV_READ | EV_PERSIST, drain, s);
	s->again = evtimer_new(b->base, drain, s);
	if (s->on_tick)
		s->tick = event_new(b->base, -1, EV_PERSIST, tick, s);
	if (!s->edge || !s->again || (s->on_tick && !s->tick))
		abort(); /* out of memory */
	event_add(s->edge, NULL);
	if (s->tick)
		event_add(s->tick, &often);
	bus_sock_wake(s); /* an edge may pass before the first wait */
}

bool bus_sock_open(struct bus_sock *s, struct bus *b, int type,
		   const char *routing_id, const char *endpoint, struct err *e)
{
	evutil_socket_t fd;
	size_t size = sizeof(fd);

	if (!check_endpoint(endpoint, e))
		return false;
	s->zmq = zmq_socket(b->zmq, type);
	if (!s->zmq)
		return err_set(e, "%s: %s", endpoint, zmq_strerror(errno));
	if (!set_options(s->zmq, type, routing_id) ||
	    (type == ZMQ_ROUTER ? zmq_bind(s->zmq, endpoint)
				: zmq_connect(s->zmq, endpoint)) ||
	    zmq_getsockopt(s->zmq, ZMQ_FD, &fd, &size)) {
		err_set(e, "%s: %s", endpoint, zmq_strerror(errno));
		zmq_close(s->zmq);
		s->zmq = NULL;
		return false;
	}
	s->copy = xmalloc(WIRE_BATCH_MAX);
	add_events(s, b, fd);
	return true;
}

void bus_sock_close(struct bus_sock *s)
{
	if (!s->zmq)
		return;
	event_free(s->edge);
	event_free(s->again);
	if (s->tick)
		event_free(s->tick);
	zmq_close(s->zmq);
	free(s->copy);
	s->zmq = NULL;
}
