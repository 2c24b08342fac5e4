/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_BUS_H
#define COMMON_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include "common/err.h"
#include "common/journal.h"
#include "common/wire.h"

/*
 * The reliable stream between two programs, and the only user of ZeroMQ.
 * Keep this seam narrow: another engine may be put behind it.
 *
 *   sender (DEALER, connects)                 receiver (ROUTER, binds)
 *   journal ──▶ batches, up to its credit ──▶ on_batch
 *   retires ◀── ACK (boot, seq), credit   ◀── bus_ack, when it is safe
 *
 * The sender ships journal entries, each one a whole batch (wire.h), in
 * order.  Acknowledgement is cumulative.  On NACK, on a time-out without
 * progress and after a restart it goes back to the first unacknowledged
 * entry.  So the receiver sees every batch at least once, in order within a
 * stream, and drops repeats by wire_order.
 */
struct bus; /* the ZeroMQ context of a process */

struct bus *bus_new(struct event_base *base);
void bus_free(struct bus *b); /* after its senders and receivers; NULL ok */

/* ---- sender ---- */
struct bus_sender;

struct bus_sender_opts {
	const char *endpoint; /* "ipc:///path"; "tcp://127.0.0.1:port" */
	const char *stream;   /* name, at most 23 bytes, unique per sender */
	struct journal *journal;
	const char *journal_dir;
	/* Called when everything up to position pos is safe at the receiver,
	 * after the journal was retired to it.  NULL ok. */
	void (*on_safe)(void *arg, uint64_t pos);
	/* A batch that came back on the same socket (control); NULL ok. */
	void (*on_batch)(void *arg, const struct wire_view *v);
	void *arg;
};

MUST_USE bool bus_sender_new(struct bus_sender **out, struct bus *b,
			     const struct bus_sender_opts *o, struct err *e);
void bus_sender_free(struct bus_sender *s); /* NULL ok */

/* The journal has grown: send as far as credit goes. */
void bus_sender_kick(struct bus_sender *s);

/* Send a batch that is in no journal (exposure); false: the peer is away or
 * slow, and the batch is dropped. */
bool bus_sender_offer(struct bus_sender *s, const void *batch, size_t size);

struct bus_stats {
	uint64_t batches; /* sent or received */
	uint64_t resent;  /* sent again after NACK or time-out */
	uint64_t acks;
	uint64_t bad; /* refused by wire_check */
	uint64_t oversize;
	uint64_t in_flight; /* batches sent and not acknowledged */
	uint64_t safe;	    /* sender: journal position acknowledged */
	bool connected;	    /* heard from the peer within 5 s */
};
struct bus_stats bus_sender_stats(const struct bus_sender *s);

/* ---- receiver ---- */
struct bus_receiver;
struct bus_peer; /* who sent it; valid until the receiver is freed */

struct bus_receiver_opts {
	const char *endpoint;
	/* Every batch that passed wire_check.  The buffer dies on return. */
	void (*on_batch)(void *arg, struct bus_peer *p,
			 const struct wire_view *v);
	/* A sender asks where it stands: answer with bus_ack. */
	void (*on_hello)(void *arg, struct bus_peer *p, struct sv stream);
	/* Runs once after each burst of messages: the place to sync a journal
	 * once for many batches, and then to bus_ack.  NULL ok. */
	void (*on_idle)(void *arg);
	void *arg;
};

MUST_USE bool bus_receiver_new(struct bus_receiver **out, struct bus *b,
			       const struct bus_receiver_opts *o,
			       struct err *e);
/* NULL ok.  An ipc endpoint is given up in the background: before it is bound
 * again in the same process, free the bus too. */
void bus_receiver_free(struct bus_receiver *r);

/* All of the stream up to m is safe here; credit = batches that may be under
 * way beyond it.  again: what follows m is missing, send it (NACK). */
void bus_ack(struct bus_peer *p, const struct wire_mark *m, uint32_t credit,
	     bool again);

/* Send a batch to a peer (control); dropped when it is away. */
void bus_peer_send(struct bus_peer *p, const void *batch, size_t size);

struct bus_stats bus_receiver_stats(const struct bus_receiver *r);

#endif
