/* SPDX-License-Identifier: Apache-2.0 */
#include "common/bus.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zmq.h>

#include "common/bus_sock.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"

/*
 *   journal: ... | safe | in flight          | not yet sent |
 *                       ^ acked_pos          ^ read_pos     ^ journal_end
 *
 * The ring holds what is in flight.  Going back = throw the ring away and
 * read from acked_pos again; what the receiver turns out to have (known) is
 * then passed over without being sent.
 */
struct flight {
	struct wire_mark last; /* its last record */
	uint64_t end;	       /* position after the entry */
};

struct bus_sender {
	struct bus_sock sock;
	struct bus_sender_opts o;
	char *stream;
	char *dir;
	struct journal_reader *reader; /* NULL: opened when needed */
	struct sv next;		       /* read, not yet sent; p NULL: none */
	struct flight next_flight;
	uint64_t read_pos;
	uint64_t acked_pos;
	uint64_t saved_pos; /* acked_pos as the file has it */
	uint64_t sent_pos;  /* furthest ever sent: before it is "resent" */
	struct flight ring[BUS_CREDIT_MAX];
	size_t head;
	size_t flying;
	uint32_t credit; /* 0: unknown, nothing but HELLO is sent */
	struct wire_mark known;
	struct wire_mark went_back; /* where the last NACK sent us */
	bool want_hello;	    /* it could not be sent yet */
	struct mono_ms hello_at;
	struct mono_ms heard_at;
	struct mono_ms progress_at;
	struct mono_ms back_at;
	struct mono_ms saved_at;
	struct log_limit trouble;
	struct bus_stats stats;
};

static void complain(struct bus_sender *s, const struct err *e)
{
	if (log_allow(&s->trouble, 10))
		log_error("bus: %s: %s", s->stream, e->text);
}

/* Of another boot nothing is known: it may be one that never came to this
 * receiver.  It answers for each boot that it is sent. */
static bool is_known(const struct bus_sender *s, const struct flight *f)
{
	return f->last.boot == s->known.boot && f->last.seq <= s->known.seq;
}

/* ---- the acknowledged position in a file ---- */

/* It spares sending all again after a restart; losing it costs duplicates,
 * nothing else.  So any trouble with it is "begin at the beginning". */
static uint64_t load_acked(const struct bus_sender *s)
{
	uint64_t begin = journal_begin(s->o.journal);
	char path[PATH_MAX];
	char text[32] = "";
	uint64_t pos = 0;
	FILE *f;

	if (snprintf(path, sizeof(path), "%s/acked", s->dir) >=
	    (int)sizeof(path))
		return begin;
	f = fopen(path, "re");
	if (!f)
		return begin;
	if (!fgets(text, sizeof(text), f) ||
	    !sv_u64(sv_trim(sv_of(text)), &pos))
		pos = 0;
	fclose(f);
	return pos >= begin && pos <= journal_end(s->o.journal) ? pos : begin;
}

static bool write_acked(const struct bus_sender *s, struct err *e)
{
	char path[PATH_MAX];
	char temp[PATH_MAX];
	bool ok;
	FILE *f;

	if (snprintf(path, sizeof(path), "%s/acked", s->dir) >=
		    (int)sizeof(path) ||
	    snprintf(temp, sizeof(temp), "%s/acked.tmp", s->dir) >=
		    (int)sizeof(temp))
		return err_set(e, "%s: path is too long", s->dir);
	f = fopen(temp, "we");
	if (!f)
		return err_set(e, "%s: %s", temp, strerror(errno));
	ok = fprintf(f, "%llu\n", (unsigned long long)s->acked_pos) > 0;
	ok = fclose(f) == 0 && ok;
	if (!ok || rename(temp, path))
		return err_set(e, "%s: %s", path, strerror(errno));
	return true;
}

/* The journal is synced first: after a power cut it must not end before the
 * position in the file, or what is appended next would count as sent. */
static void save_acked(struct bus_sender *s)
{
	struct err e;

	if (s->acked_pos == s->saved_pos)
		return;
	if (!journal_sync(s->o.journal, &e) || !write_acked(s, &e)) {
		complain(s, &e);
		return;
	}
	s->saved_pos = s->acked_pos;
}

/* ---- going forward ---- */

static void advance_acked(struct bus_sender *s, uint64_t pos)
{
	struct err e;

	s->acked_pos = pos;
	s->progress_at = clock_mono();
	if (!journal_retire(s->o.journal, pos, &e))
		complain(s, &e);
	if (s->o.on_safe)
		s->o.on_safe(s->o.arg, pos);
}

/* An entry into next; false: there is none.  What no receiver would take
 * leaves next empty. */
static bool read_entry(struct bus_sender *s)
{
	struct wire_view v;
	struct sv payload;
	struct err e;

	s->next.p = NULL;
	if (s->read_pos >= journal_end(s->o.journal))
		return false;
	if (!s->reader &&
	    !journal_read_open(&s->reader, s->dir, s->read_pos, &e)) {
		complain(s, &e);
		return false;
	}
	switch (journal_next(s->reader, &payload, &s->read_pos, &e)) {
	case JOURNAL_END:
		return false;
	case JOURNAL_CORRUPT:
		complain(s, &e);
		return false;
	case JOURNAL_OK:
		break;
	}
	s->next_flight.end = s->read_pos;
	if (wire_check(payload, &v) != WIRE_OK) {
		err_set(&e, "entry before position %llu is no batch: skipped",
			(unsigned long long)s->read_pos);
		complain(s, &e);
		s->stats.bad++;
		return true;
	}
	s->next_flight.last = wire_last(v.h);
	s->next = payload;
	return true;
}

/* Fill next with something that the receiver does not have.  What is passed
 * over is safe together with what flies before it. */
static bool next_unknown(struct bus_sender *s)
{
	uint64_t pass = 0;

	while (s->next.p || read_entry(s)) {
		if (s->next.p && !is_known(s, &s->next_flight))
			break;
		s->next.p = NULL;
		if (s->flying)
			s->ring[(s->head + s->flying - 1) % BUS_CREDIT_MAX]
				.end = s->next_flight.end;
		else
			pass = s->next_flight.end;
	}
	if (pass)
		advance_acked(s, pass);
	return s->next.p != NULL;
}

/* Credit is looked at last: on_safe may have sent meanwhile. */
static void pump(struct bus_sender *s)
{
	while (next_unknown(s) && s->flying < s->credit) {
		size_t slot = (s->head + s->flying) % BUS_CREDIT_MAX;

		if (!bus_sock_send(&s->sock, s->next.p, s->next.n, false))
			return; /* the edge of "writable" brings us back */
		if (s->flying == 0)
			s->progress_at = clock_mono();
		s->next.p = NULL;
		s->ring[slot] = s->next_flight;
		s->flying++;
		s->stats.batches++;
		if (s->next_flight.end <= s->sent_pos)
			s->stats.resent++;
		else
			s->sent_pos = s->next_flight.end;
	}
}

static void go_back(struct bus_sender *s)
{
	journal_read_close(s->reader);
	s->reader = NULL;
	s->next.p = NULL;
	s->flying = 0;
	s->read_pos = s->acked_pos;
	s->progress_at = clock_mono();
	s->back_at = s->progress_at;
}

/* ---- what the receiver says ---- */

static void take_mark(struct bus_sender *s, const struct wire_header *h)
{
	uint64_t pos = s->acked_pos;
	size_t n = s->flying;

	s->stats.acks++;
	s->known = (struct wire_mark){h->boot, h->seq};
	s->credit = h->count < BUS_CREDIT_MAX ? h->count : BUS_CREDIT_MAX;
	/* what was sent before something known came before it too */
	while (n && !is_known(s, &s->ring[(s->head + n - 1) % BUS_CREDIT_MAX]))
		n--;
	if (n) {
		pos = s->ring[(s->head + n - 1) % BUS_CREDIT_MAX].end;
		s->head = (s->head + n) % BUS_CREDIT_MAX;
		s->flying -= n;
	}
	if (pos != s->acked_pos)
		advance_acked(s, pos);
}

/* Each batch behind a lost one brings a NACK of its own: only the first
 * sends us back, until it is worth trying again. */
static void take_nack(struct bus_sender *s, const struct wire_header *h)
{
	bool same = s->went_back.boot == h->boot && s->went_back.seq == h->seq;

	if (same && clock_mono().ms - s->back_at.ms < BUS_STALL_MS / 4)
		return;
	s->went_back = (struct wire_mark){h->boot, h->seq};
	go_back(s);
}

static void handle(struct bus_sender *s, const struct wire_view *v)
{
	s->heard_at = clock_mono();
	switch (v->h->kind) {
	case WIRE_ACK:
		take_mark(s, v->h);
		break;
	case WIRE_NACK:
		take_mark(s, v->h);
		take_nack(s, v->h);
		break;
	case WIRE_HELLO:
		s->stats.bad++;
		break;
	default:
		if (s->o.on_batch)
			s->o.on_batch(s->o.arg, v);
		break;
	}
}

static enum bus_read read_one(void *arg)
{
	struct bus_sender *s = arg;
	struct wire_view v;
	zmq_msg_t msg;
	enum bus_read rc = bus_sock_recv(&s->sock, &msg);

	if (rc != BUS_MORE)
		return rc;
	if (bus_sock_view(&s->sock, &msg, &v, &s->stats))
		handle(s, &v);
	zmq_msg_close(&msg);
	return BUS_MORE;
}

static void say_hello(struct bus_sender *s)
{
	struct wire_header h;

	wire_header(&h, WIRE_HELLO, sv_of(s->stream), 0, 0, 0);
	s->want_hello = !bus_sock_send(&s->sock, &h, sizeof(h), false);
	s->hello_at = clock_mono();
}

static void after_burst(void *arg)
{
	struct bus_sender *s = arg;

	if (s->want_hello)
		say_hello(s);
	pump(s);
}

static void on_tick(void *arg)
{
	struct bus_sender *s = arg;
	int64_t now = clock_mono().ms;

	if (s->flying && now - s->progress_at.ms >= BUS_STALL_MS) {
		go_back(s);
		s->credit = 0; /* that may have been another life of it */
		say_hello(s);
	} else if ((s->credit == 0 || now - s->heard_at.ms >= BUS_HELLO_MS) &&
		   now - s->hello_at.ms >= BUS_HELLO_MS) {
		say_hello(s);
	}
	if (now - s->saved_at.ms >= 1000) {
		s->saved_at.ms = now;
		save_acked(s);
	}
	pump(s);
}

/* ---- from outside ---- */

bool bus_sender_new(struct bus_sender **out, struct bus *b,
		    const struct bus_sender_opts *o, struct err *e)
{
	struct bus_sender *s;
	size_t n = strlen(o->stream);

	if (n == 0 || n > sizeof(((struct wire_header *)0)->stream) - 1)
		return err_set(e, "stream name '%s': want 1 to 23 bytes",
			       o->stream);
	s = xcalloc(1, sizeof(*s));
	s->o = *o;
	s->stream = xstrdup(o->stream);
	s->dir = xstrdup(o->journal_dir);
	s->acked_pos = load_acked(s);
	s->saved_pos = s->acked_pos;
	s->heard_at.ms = clock_mono().ms - BUS_CONNECTED_MS;
	s->saved_at = clock_mono();
	s->want_hello = true;
	go_back(s);
	s->sock.on_read = read_one;
	s->sock.on_burst = after_burst;
	s->sock.on_tick = on_tick;
	s->sock.arg = s;
	if (!bus_sock_open(&s->sock, b, ZMQ_DEALER, s->stream, o->endpoint,
			   e)) {
		bus_sender_free(s);
		return false;
	}
	*out = s;
	return true;
}

void bus_sender_free(struct bus_sender *s)
{
	if (!s)
		return;
	if (s->sock.zmq)
		save_acked(s);
	bus_sock_close(&s->sock);
	journal_read_close(s->reader);
	free(s->stream);
	free(s->dir);
	free(s);
}

void bus_sender_kick(struct bus_sender *s)
{
	pump(s);
}

bool bus_sender_offer(struct bus_sender *s, const void *batch, size_t size)
{
	/* Behind the journal, never ahead of it. */
	if (s->flying >= s->credit ||
	    clock_mono().ms - s->heard_at.ms >= BUS_CONNECTED_MS)
		return false;
	return bus_sock_send(&s->sock, batch, size, false);
}

struct bus_stats bus_sender_stats(const struct bus_sender *s)
{
	struct bus_stats st = s->stats;

	st.in_flight = s->flying;
	st.safe = s->acked_pos;
	st.connected = clock_mono().ms - s->heard_at.ms < BUS_CONNECTED_MS;
	return st;
}
