/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_BUS_SOCK_H
#define COMMON_BUS_SOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/event.h>

#include "common/bus.h"
#include "common/err.h"
#include "common/sv.h"

/*
 * A ZeroMQ socket inside libevent: what bus_sender.c and bus_receiver.c
 * share, and nobody else includes.  Knows that ZMQ_FD is edge-triggered.
 */
enum {
	BUS_CREDIT_MAX = 64, /* batches under way, whatever the peer allows */
	BUS_HELLO_MS = 1000,
	BUS_STALL_MS = 2000, /* without progress: go back */
	BUS_CONNECTED_MS = 5000,
};

struct bus {
	void *zmq;
	struct event_base *base;
};

enum bus_read {
	BUS_AGAIN = 0, /* nothing more to read now */
	BUS_MORE,      /* one message was dealt with */
	BUS_GONE,      /* the socket is dead */
};

struct bus_sock {
	void *zmq;
	struct event *edge;
	struct event *again;
	struct event *tick; /* NULL without on_tick */
	void *copy;	    /* aligned home for bytes that are not */
	/* Read one message. */
	enum bus_read (*on_read)(void *arg);
	/* After each burst: also the time to send what did not fit before. */
	void (*on_burst)(void *arg);
	void (*on_tick)(void *arg); /* four times a second; NULL ok */
	void *arg;
};

/* on_*, arg are set by the caller before.  routing_id is NULL or at most 255
 * bytes.  bind or connect to endpoint. */
MUST_USE bool bus_sock_open(struct bus_sock *s, struct bus *b, int type,
			    const char *routing_id, const char *endpoint,
			    struct err *e);
void bus_sock_close(struct bus_sock *s);

/* Send one frame; false: the queue is full or nobody is there. */
bool bus_sock_send(struct bus_sock *s, const void *p, size_t n, bool more);

/* Look again on the next turn of the loop. */
void bus_sock_wake(struct bus_sock *s);

/* One frame into a fresh msg (zmq_msg_t, closed by the caller on BUS_MORE). */
enum bus_read bus_sock_recv(struct bus_sock *s, void *msg);

/* wire_check of a frame, moved to an aligned place if needed.  The view is
 * good until the next frame. */
bool bus_sock_view(struct bus_sock *s, void *msg, struct wire_view *v,
		   struct bus_stats *count);

#endif
