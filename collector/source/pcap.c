/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/source/pcap.h"

#include <stdlib.h>
#include <string.h>

#include "collector/resolve.h"
#include "common/clock.h"
#include "common/mem.h"

/*
 * One damaged record dated 2099 would move the clock of the dialogs there for
 * good and end all calls.  So a frame that is much later than the one before
 * it (the first of a file: than nothing) waits for the next one:
 *
 *   10:00  10:01  2099  10:02      time goes back: the one held was wrong
 *   10:00  10:01  13:30  13:31     time goes on: it was a quiet time
 *
 * The last frame of a file has no next one: a day's quiet is believed.
 */
#define JUMP_US	     HOUR_US
#define LAST_JUMP_US DAY_US
#define YEAR_2100_US (INT64_C(4102444800) * SEC_US)

/* Events that one frame gave and nobody has taken yet. */
struct queue {
	struct event *ev;
	size_t first, n, cap;
};

struct pcap_source {
	struct dialog_table *dialogs;
	struct pcap_file *file;
	bool live; /* the file is an interface */
	struct resolver resolver;
	struct queue queue;
	int64_t clock_us; /* latest time of the file, 0 = none yet */
	struct pcap_frame held;
	uint8_t *held_bytes; /* NULL = never held one */
	bool holds;
	enum pcap_source_rc why; /* there is no more of the file, ... */
	struct err broken;	 /* ... of PCAP_SOURCE_BROKEN */
	struct pcap_source_stats stats;
};

static void push(void *arg, struct event *ev)
{
	struct queue *q = arg;

	if (q->n == q->cap) {
		q->cap = q->cap ? 2 * q->cap : 64;
		q->ev = xrealloc(q->ev, q->cap, sizeof(*q->ev));
	}
	q->ev[q->n++] = *ev;
}

static bool pop(struct queue *q, struct event *ev)
{
	if (q->first == q->n) {
		q->first = q->n = 0;
		return false;
	}
	*ev = q->ev[q->first++];
	return true;
}

struct pcap_source *pcap_source_new(const struct pcap_source_opts *o)
{
	struct pcap_source *s = xcalloc(1, sizeof(*s));
	struct dialog_opts d = {
		.capacity = o->dialogs_max,
		.max_call_us = o->max_call_us,
		.key = o->key,
		.source = o->source,
		.resolve = resolve_sip,
		.resolve_arg = &s->resolver,
		.emit = push,
		.emit_arg = &s->queue,
	};

	s->resolver = *o->resolver;
	s->why = PCAP_SOURCE_END;
	s->dialogs = dialog_new(&d);
	return s;
}

void pcap_source_free(struct pcap_source *s)
{
	if (!s)
		return;
	pcap_file_close(s->file);
	dialog_free(s->dialogs);
	free(s->queue.ev);
	free(s->held_bytes);
	free(s);
}

bool pcap_source_open(struct pcap_source *s, const char *path, struct err *e)
{
	pcap_file_close(s->file);
	s->file = NULL;
	s->why = PCAP_SOURCE_END;
	s->live = s->holds = false;
	s->clock_us = 0;
	return pcap_file_open(&s->file, path, e);
}

bool pcap_source_listen(struct pcap_source *s, const char *interface,
			const char *filter, struct err *e)
{
	pcap_file_close(s->file);
	s->file = NULL;
	s->live = true;
	s->holds = false;
	return pcap_file_listen(&s->file, interface, filter, e);
}

int pcap_source_fd(const struct pcap_source *s)
{
	return s->file ? pcap_file_fd(s->file) : -1;
}

void pcap_source_quiet(struct pcap_source *s, int64_t now_us)
{
	dialog_expire(s->dialogs, now_us);
}

static void frame(struct pcap_source *s, const struct pcap_frame *f)
{
	struct packet packet;
	struct sip_msg msg;
	enum packet_rc prc = packet_udp(f->linktype, f->p, f->caplen, &packet);
	enum sip_rc rc;

	s->stats.frames++;
	s->stats.packet[prc]++;
	if (prc != PACKET_OK)
		return;
	rc = sip_scan(packet.payload, packet.truncated, &msg);
	s->stats.sip[rc]++;
	if (rc == SIP_OK)
		dialog_message(s->dialogs, &msg, &packet, f->t_us);
}

static void pass(struct pcap_source *s, const struct pcap_frame *f)
{
	if (f->t_us > s->clock_us)
		s->clock_us = f->t_us;
	frame(s, f);
}

static void hold(struct pcap_source *s, const struct pcap_frame *f)
{
	s->held = *f;
	s->held_bytes = xrealloc(s->held_bytes, f->caplen + 1, 1);
	memcpy(s->held_bytes, f->p, f->caplen);
	s->held.p = s->held_bytes;
	s->holds = true;
}

/* Pass on the frame that is held, at its own time or that of a neighbour. */
static void release(struct pcap_source *s, int64_t t_us)
{
	s->stats.time_jumps += s->held.t_us != t_us;
	s->held.t_us = t_us;
	s->holds = false;
	pass(s, &s->held);
}

static void in_time(struct pcap_source *s, const struct pcap_frame *f)
{
	if (f->t_us <= 0 || f->t_us >= YEAR_2100_US) {
		struct pcap_frame now = *f;

		s->stats.time_jumps++;
		now.t_us = s->clock_us; /* 0: refused further on */
		frame(s, &now);
		return;
	}
	if (s->live) { /* the kernel's own time, and nobody may wait */
		pass(s, f);
		return;
	}
	if (s->holds && f->t_us >= s->held.t_us - JUMP_US)
		release(s, s->held.t_us);
	else if (s->holds)
		release(s, s->clock_us ? s->clock_us : f->t_us);
	if (!s->clock_us || f->t_us - s->clock_us > JUMP_US)
		hold(s, f);
	else
		pass(s, f);
}

static void end_file(struct pcap_source *s, enum pcap_source_rc why)
{
	if (s->holds) {
		bool far = s->clock_us &&
			   s->held.t_us - s->clock_us > LAST_JUMP_US;

		release(s, far ? s->clock_us : s->held.t_us);
	}
	s->stats.dropped += pcap_file_dropped(s->file);
	pcap_file_close(s->file);
	s->file = NULL;
	s->why = why;
	dialog_settle(s->dialogs);
}

enum pcap_source_rc pcap_source_next(struct pcap_source *s, struct event *ev,
				     struct err *e)
{
	struct pcap_frame f;

	while (!pop(&s->queue, ev)) {
		if (!s->file) {
			*e = s->broken;
			return s->why;
		}
		switch (pcap_file_next(s->file, &f, &s->broken)) {
		case PCAP_FILE_OK:
			in_time(s, &f);
			break;
		case PCAP_FILE_IDLE:
			return PCAP_SOURCE_IDLE;
		case PCAP_FILE_END:
			end_file(s, PCAP_SOURCE_END);
			break;
		case PCAP_FILE_BROKEN:
			end_file(s, PCAP_SOURCE_BROKEN);
			break;
		}
	}
	return PCAP_SOURCE_EVENT;
}

struct pcap_source_stats pcap_source_stats(const struct pcap_source *s)
{
	struct pcap_source_stats out = s->stats;

	if (s->file)
		out.dropped += pcap_file_dropped(s->file);
	out.dialog = dialog_stats(s->dialogs);
	return out;
}
