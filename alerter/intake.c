/* SPDX-License-Identifier: Apache-2.0 */
#include "alerter/intake.h"

#include <stdlib.h>

#include "common/mem.h"

enum {
	SENDERS_MAX = 16, /* analyzers of a site */
	CREDIT = 64,
	WAITING_MAX = 8192, /* batches */
};

struct sender {
	char name[24];
	struct bus_peer *peer;
	struct wire_seen seen; /* what is decided, if not yet journalled */
	bool due;	       /* an acknowledgement */
	bool again;
};

/* A batch that waits, in order of arrival. */
struct item {
	struct item *next;
	struct bus_peer *peer;
	uint32_t done; /* records taken */
	size_t size;
	_Alignas(8) uint8_t bytes[];
};

struct intake {
	struct bus_receiver *receiver;
	struct turn *turn;
	struct sender sender[SENDERS_MAX];
	size_t n_senders;
	struct item *first, **last;
	size_t waiting;
	struct intake_stats stats;
};

static struct sender *sender_of(struct intake *in, struct sv name)
{
	struct sender *s = in->sender;

	for (; s < in->sender + in->n_senders; s++)
		if (sv_eq(EVENT_SV(s->name), name))
			return s;
	if (in->n_senders == SENDERS_MAX)
		return NULL;
	in->n_senders++;
	sv_put(s->name, sizeof(s->name), name);
	s->seen = outbox_seen(in->turn->outbox, name);
	return s;
}

static void want_ack(struct sender *s, struct bus_peer *p, bool again)
{
	s->peer = p;
	s->due = true;
	s->again |= again;
}

/* ---- records ---- */

/* One entry holds the mark of one stream. */
static void set_mark(struct intake *in, const struct wire_view *v, uint32_t i)
{
	struct fact_entry *x = &in->turn->entry;

	sv_put(x->stream, sizeof(x->stream), EVENT_SV(v->h->stream));
	x->mark = (struct wire_mark){v->h->boot, v->h->seq + i};
}

/* A feed may have to wait for the pages of each record; on the wall's clock
 * one journal write does for all that has come. */
static void settle(struct intake *in)
{
	if (in->turn->conf->feed)
		turn_commit(in->turn);
}

/* What the feed's time brings with it comes first.  False: wait. */
static bool reach(struct intake *in, int64_t us)
{
	struct turn *t = in->turn;

	if (!t->conf->feed) {
		turn_at(t, turn_now(t));
		return true;
	}
	if (!turn_due(t, us))
		return false;
	turn_at(t, us);
	return true;
}

static bool take_finding(struct intake *in, const struct wire_view *v,
			 uint32_t i)
{
	struct turn *t = in->turn;
	struct finding f;

	memcpy(&f, v->records + (size_t)i * sizeof(f), sizeof(f));
	if (!reach(in, f.time_us))
		return false;
	join_finding(&t->decide, &f);
	set_mark(in, v, i);
	settle(in);
	in->stats.findings++;
	return true;
}

static bool take_exposure(struct intake *in, const struct wire_view *v,
			  uint32_t i)
{
	struct exposure x;

	memcpy(&x, v->records + (size_t)i * sizeof(x), sizeof(x));
	if (!reach(in, x.time_us))
		return false;
	join_exposure(&in->turn->decide, &x);
	settle(in);
	in->stats.exposures++;
	return true;
}

static bool take_findings(struct intake *in, struct item *it,
			  const struct wire_view *v)
{
	struct sender *s = sender_of(in, EVENT_SV(v->h->stream));
	uint32_t skip = 0;
	enum wire_order order;

	if (!s)
		return true;
	if (in->turn->entry.mark.boot &&
	    !sv_eq(EVENT_SV(in->turn->entry.stream), EVENT_SV(v->h->stream)))
		turn_commit(in->turn);
	order = wire_order(&s->seen, v->h, &skip);
	in->stats.repeated += order == WIRE_DUPLICATE ? v->h->count : 0;
	in->stats.gaps += order == WIRE_GAP;
	for (uint32_t i = skip; order == WIRE_NEXT && i < v->h->count; i++) {
		struct wire_header upto = *v->h;

		if (!take_finding(in, v, i))
			return false;
		upto.count = i + 1;
		wire_advance(&s->seen, &upto);
	}
	want_ack(s, it->peer, order == WIRE_GAP);
	return true;
}

static bool take_item(struct intake *in, struct item *it)
{
	struct wire_view v;

	if (wire_check((struct sv){(const char *)it->bytes, it->size}, &v) !=
	    WIRE_OK)
		return true;
	switch (v.h->kind) {
	case WIRE_FINDINGS:
		return take_findings(in, it, &v);
	case WIRE_EXPOSURE:
		for (; it->done < v.h->count; it->done++)
			if (!take_exposure(in, &v, it->done))
				return false;
		return true;
	case WIRE_TICK:
		return reach(in, (int64_t)v.h->seq);
	default:
		return true;
	}
}

static void acknowledge(struct intake *in)
{
	for (size_t k = 0; k < in->n_senders; k++) {
		struct sender *s = &in->sender[k];

		if (!s->due)
			continue;
		bus_ack(s->peer, &s->seen.now, CREDIT, s->again);
		s->due = s->again = false;
	}
}

void intake_pump(struct intake *in)
{
	while (in->first && !in->turn->failed && !turn_held(in->turn)) {
		struct item *it = in->first;

		if (!take_item(in, it))
			break;
		in->first = it->next;
		if (!in->first)
			in->last = &in->first;
		in->waiting--;
		free(it);
	}
	turn_commit(in->turn);
	if (!in->turn->failed)
		acknowledge(in);
}

/* ---- the bus ---- */

static void on_batch(void *arg, struct bus_peer *p, const struct wire_view *v)
{
	struct intake *in = arg;
	struct item *it;

	if (in->waiting == WAITING_MAX) {
		in->stats.refused++;
		return;
	}
	it = xmalloc(sizeof(*it) + v->size);
	*it = (struct item){.peer = p, .size = v->size};
	memcpy(it->bytes, v->h, v->size);
	*in->last = it;
	in->last = &it->next;
	in->waiting++;
}

static void on_hello(void *arg, struct bus_peer *p, struct sv stream)
{
	struct intake *in = arg;
	struct sender *s = sender_of(in, stream);

	if (!s || in->turn->failed)
		return;
	turn_commit(in->turn);
	want_ack(s, p, false);
	acknowledge(in);
}

static void on_idle(void *arg)
{
	intake_pump(arg);
}

bool intake_open(struct intake **out, struct bus *bus, const char *endpoint,
		 struct turn *t, struct err *e)
{
	struct intake *in = xcalloc(1, sizeof(*in));
	const struct bus_receiver_opts o = {
		.endpoint = endpoint,
		.on_batch = on_batch,
		.on_hello = on_hello,
		.on_idle = on_idle,
		.arg = in,
	};

	in->turn = t;
	in->last = &in->first;
	if (!bus_receiver_new(&in->receiver, bus, &o, e)) {
		free(in);
		return false;
	}
	*out = in;
	return true;
}

void intake_close(struct intake *in)
{
	if (!in)
		return;
	bus_receiver_free(in->receiver);
	while (in->first) {
		struct item *it = in->first;

		in->first = it->next;
		free(it);
	}
	free(in);
}

struct intake_stats intake_stats(const struct intake *in)
{
	struct intake_stats s = in->stats;

	s.waiting = in->waiting;
	s.bus = bus_receiver_stats(in->receiver);
	return s;
}
