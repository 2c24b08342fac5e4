/* SPDX-License-Identifier: Apache-2.0 */
#include "common/bus.h"

#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "common/bus_sock.h"
#include "common/clock.h"
#include "common/mem.h"

/* More senders than any site has; a stranger on the socket cannot make more
 * peers than this. */
enum { PEERS_MAX = 256, NAME_MAX_LEN = 23 };

struct bus_peer {
	struct bus_receiver *r;
	char name[NAME_MAX_LEN + 1]; /* routing id = stream */
};

struct bus_receiver {
	struct bus_sock sock;
	struct bus_receiver_opts o;
	struct bus_peer *peer[PEERS_MAX];
	size_t peers;
	struct bus_stats stats;
	struct mono_ms heard;
	bool worked; /* since on_idle ran */
};

/* A routing id that is a stream name; those that ZeroMQ makes up for peers
 * without one begin with a zero. */
static bool name_ok(struct sv id)
{
	return id.n > 0 && id.n <= NAME_MAX_LEN && !memchr(id.p, '\0', id.n);
}

/* NULL: not one of ours, or too many. */
static struct bus_peer *peer_get(struct bus_receiver *r, struct sv id)
{
	struct bus_peer *p;

	for (size_t i = 0; i < r->peers; i++)
		if (sv_eq(sv_of(r->peer[i]->name), id))
			return r->peer[i];
	if (!name_ok(id) || r->peers == PEERS_MAX)
		return NULL;
	p = xcalloc(1, sizeof(*p));
	p->r = r;
	memcpy(p->name, id.p, id.n);
	r->peer[r->peers++] = p;
	return p;
}

static void handle(struct bus_receiver *r, struct bus_peer *p,
		   const struct wire_view *v)
{
	r->heard = clock_mono();
	switch (v->h->kind) {
	case WIRE_HELLO:
		r->o.on_hello(r->o.arg, p, EVENT_SV(v->h->stream));
		break;
	case WIRE_ACK:
	case WIRE_NACK:
		r->stats.bad++; /* no receiver is asked for those */
		break;
	default:
		r->stats.batches++;
		r->o.on_batch(r->o.arg, p, v);
		break;
	}
}

/* Frames that no sender of ours adds; at most those of one message. */
static size_t skip_rest(struct bus_receiver *r, zmq_msg_t *last)
{
	bool more = zmq_msg_more(last);
	size_t n = 0;

	while (more) {
		zmq_msg_t msg;

		if (bus_sock_recv(&r->sock, &msg) != BUS_MORE)
			break;
		more = zmq_msg_more(&msg);
		zmq_msg_close(&msg);
		n++;
	}
	return n;
}

/* [routing id][batch] */
static enum bus_read read_one(void *arg)
{
	struct bus_receiver *r = arg;
	struct bus_peer *p;
	struct wire_view v;
	zmq_msg_t id;
	zmq_msg_t msg;
	enum bus_read rc = bus_sock_recv(&r->sock, &id);

	if (rc != BUS_MORE)
		return rc;
	r->worked = true;
	rc = zmq_msg_more(&id) ? bus_sock_recv(&r->sock, &msg) : BUS_AGAIN;
	if (rc != BUS_MORE) {
		zmq_msg_close(&id);
		r->stats.bad++;
		return rc == BUS_GONE ? BUS_GONE : BUS_MORE;
	}
	p = peer_get(r, (struct sv){zmq_msg_data(&id), zmq_msg_size(&id)});
	if (skip_rest(r, &msg) || !p)
		r->stats.bad++;
	else if (bus_sock_view(&r->sock, &msg, &v, &r->stats))
		handle(r, p, &v);
	zmq_msg_close(&id);
	zmq_msg_close(&msg);
	return BUS_MORE;
}

static void after_burst(void *arg)
{
	struct bus_receiver *r = arg;

	if (r->worked && r->o.on_idle)
		r->o.on_idle(r->o.arg);
	r->worked = false;
}

bool bus_receiver_new(struct bus_receiver **out, struct bus *b,
		      const struct bus_receiver_opts *o, struct err *e)
{
	struct bus_receiver *r = xcalloc(1, sizeof(*r));

	r->o = *o;
	r->o.endpoint = NULL; /* the caller's string */
	r->heard.ms = clock_mono().ms - BUS_CONNECTED_MS;
	r->sock.on_read = read_one;
	r->sock.on_burst = after_burst;
	r->sock.arg = r;
	if (!bus_sock_open(&r->sock, b, ZMQ_ROUTER, NULL, o->endpoint, e)) {
		free(r);
		return false;
	}
	*out = r;
	return true;
}

void bus_receiver_free(struct bus_receiver *r)
{
	if (!r)
		return;
	bus_sock_close(&r->sock);
	for (size_t i = 0; i < r->peers; i++)
		free(r->peer[i]);
	free(r);
}

/* To a peer that is away ZeroMQ drops both frames without a word. */
void bus_peer_send(struct bus_peer *p, const void *batch, size_t size)
{
	struct bus_sock *s = &p->r->sock;

	if (bus_sock_send(s, p->name, strlen(p->name), true))
		(void)bus_sock_send(s, batch, size, false);
}

void bus_ack(struct bus_peer *p, const struct wire_mark *m, uint32_t credit,
	     bool again)
{
	struct wire_header h;

	wire_header(&h, again ? WIRE_NACK : WIRE_ACK, sv_of(p->name), m->boot,
		    m->seq, credit);
	p->r->stats.acks++;
	bus_peer_send(p, &h, sizeof(h));
}

struct bus_stats bus_receiver_stats(const struct bus_receiver *r)
{
	struct bus_stats s = r->stats;

	s.connected = clock_mono().ms - r->heard.ms < BUS_CONNECTED_MS;
	return s;
}
