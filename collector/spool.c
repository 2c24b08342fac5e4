/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/spool.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/mem.h"
#include "common/wire.h"

enum {
	SEGMENT_BYTES = 16 << 20,
	PATH_BYTES = 512,
	FULL_REGISTER = 80, /* percent of the cap */
	FULL_PROGRESS = 87,
	FULL_SETUP = 94,
};

/* A batch that waits: where it ends, and how many events come before. */
struct waiting {
	uint64_t end;
	uint64_t events;
};

struct spool {
	struct journal *journal;
	struct offsets *offsets;
	char dir[PATH_BYTES], path[PATH_BYTES]; /* journal; file of offsets */
	char stream[24];
	uint64_t cap, safe;
	uint64_t seq; /* of the next event */
	uint32_t boot;
	uint32_t n; /* events held */
	struct event held[WIRE_EVENTS_MAX];
	struct waiting *waiting;
	size_t first, end, cap_waiting;
	uint64_t total;	    /* events in all batches so far */
	uint64_t saved_end; /* position of the file of offsets */
	bool saved;
	struct spool_stats stats;
};

static void wait_for(struct spool *s, uint64_t end, uint64_t events)
{
	if (s->end == s->cap_waiting && s->first > s->cap_waiting / 2) {
		memmove(s->waiting, s->waiting + s->first,
			(s->end - s->first) * sizeof(*s->waiting));
		s->end -= s->first;
		s->first = 0;
	}
	if (s->end == s->cap_waiting) {
		s->cap_waiting = s->cap_waiting ? 2 * s->cap_waiting : 256;
		s->waiting = xrealloc(s->waiting, s->cap_waiting,
				      sizeof(*s->waiting));
	}
	s->total += events;
	s->waiting[s->end++] = (struct waiting){end, s->total};
}

/* What waits in the journal, and the marks behind the file of offsets. */
static bool recover(struct spool *s, uint64_t pos, struct err *e)
{
	struct journal_reader *r;
	struct sv payload;
	uint64_t end;
	enum journal_rc rc;

	if (!journal_read_open(&r, s->dir, s->safe, e))
		return false;
	while ((rc = journal_next(r, &payload, &end, e)) == JOURNAL_OK) {
		struct wire_view v;

		if (wire_check(payload, &v) != WIRE_OK) {
			err_set(e, "%s: an entry is not a batch", s->dir);
			rc = JOURNAL_CORRUPT;
			break;
		}
		if (end > pos)
			offsets_apply(s->offsets, v.cursor);
		if (v.h->boot >= s->boot)
			s->boot = v.h->boot + 1;
		wait_for(s, end, v.h->count);
	}
	journal_read_close(r);
	return rc == JOURNAL_END;
}

bool spool_open(struct spool **out, const struct spool_opts *o, struct err *e)
{
	struct journal_opts j = {.segment_bytes = SEGMENT_BYTES};
	struct spool *s = xcalloc(1, sizeof(*s));
	uint64_t pos;

	*out = s;
	s->offsets = o->offsets;
	s->cap = o->cap;
	s->seq = 1;
	snprintf(s->stream, sizeof(s->stream), "%s", o->stream);
	if ((size_t)snprintf(s->dir, sizeof(s->dir), "%s/spool", o->dir) >=
		    sizeof(s->dir) ||
	    (size_t)snprintf(s->path, sizeof(s->path), "%s/offsets", o->dir) >=
		    sizeof(s->path)) {
		err_set(e, "%s: path is too long", o->dir);
		goto fail;
	}
	if (!offsets_load(s->offsets, s->path, &s->boot, &pos, e) ||
	    !journal_open(&s->journal, s->dir, &j, e))
		goto fail;
	s->boot = s->boot ? s->boot + 1 : o->fresh_boot;
	s->safe = journal_begin(s->journal);
	if (!recover(s, pos, e))
		goto fail;
	/* the boot is used up before the first event has it */
	if (!spool_sync(s, e))
		goto fail;
	s->stats.torn = journal_torn(s->journal);
	return true;
fail:
	spool_close(s);
	*out = NULL;
	return false;
}

void spool_close(struct spool *s)
{
	if (!s)
		return;
	journal_close(s->journal);
	free(s->waiting);
	free(s);
}

static uint64_t fill_percent(const struct spool *s)
{
	uint64_t bytes = journal_end(s->journal) - s->safe;

	return bytes * 100 / s->cap;
}

/* UK geographic and 03 numbers: no fraud to speak of goes there. */
static bool is_cheap(struct number callee)
{
	char text[NUMBER_TEXT];
	size_t n = number_text(callee, text);

	return n > 4 && memcmp(text, "+44", 3) == 0 && text[3] >= '1' &&
	       text[3] <= '3';
}

/* The counter of a refusal, NULL when the event is admitted. */
static uint64_t *refusal(struct spool *s, const struct event *ev)
{
	uint64_t percent = fill_percent(s);

	if (percent < FULL_REGISTER)
		return NULL;
	if (ev->kind == EVENT_REGISTER)
		return &s->stats.refused_register;
	if (percent >= FULL_PROGRESS && ev->phase == PHASE_PROGRESS)
		return &s->stats.refused_progress;
	if (percent >= FULL_SETUP && ev->phase == PHASE_SETUP &&
	    is_cheap(ev->callee))
		return &s->stats.refused_setup;
	return NULL;
}

bool spool_event(struct spool *s, struct event *ev, bool live)
{
	uint64_t *counter = live ? refusal(s, ev) : NULL;

	s->stats.received++;
	if (counter) {
		(*counter)++;
		s->stats.refused++;
		return false;
	}
	ev->boot = s->boot;
	ev->seq = s->seq + s->n;
	s->held[s->n++] = *ev;
	return true;
}

bool spool_batch_full(const struct spool *s)
{
	return s->n == WIRE_EVENTS_MAX;
}

bool spool_append(struct spool *s, struct err *e)
{
	struct wire_header h;
	struct sv cursor;
	struct iovec iov[3];
	uint64_t end;

	if (s->n == 0)
		return true;
	cursor = offsets_cursor(s->offsets);
	wire_header(&h, WIRE_EVENTS, sv_of(s->stream), s->boot, s->seq, s->n);
	h.cursor_len = (uint32_t)cursor.n;
	iov[0] = (struct iovec){&h, sizeof(h)};
	iov[1] = (struct iovec){s->held, s->n * sizeof(s->held[0])};
	iov[2] = (struct iovec){(void *)cursor.p, cursor.n};
	if (!journal_append(s->journal, iov, 3, &end, e)) {
		/* the marks stay to be written: the caller tries again */
		offsets_again(s->offsets, cursor);
		return false;
	}
	wait_for(s, end, s->n);
	s->seq += s->n;
	s->n = 0;
	return true;
}

bool spool_sync(struct spool *s, struct err *e)
{
	uint64_t end;

	/* the marks of held events are ahead of the journal */
	if (!spool_append(s, e))
		return false;
	end = journal_end(s->journal);
	if (s->saved && end == s->saved_end)
		return true;
	if (!journal_sync(s->journal, e) ||
	    !offsets_save(s->offsets, s->path, s->boot, end, e))
		return false;
	s->saved = true;
	s->saved_end = end;
	return true;
}

void spool_safe(struct spool *s, uint64_t pos)
{
	s->safe = pos;
	while (s->first < s->end && s->waiting[s->first].end <= pos)
		s->stats.acked = s->waiting[s->first++].events;
}

bool spool_is_full(const struct spool *s)
{
	return journal_end(s->journal) - s->safe >= s->cap;
}

bool spool_is_empty(const struct spool *s)
{
	return s->n == 0 && s->first == s->end;
}

struct journal *spool_journal(struct spool *s)
{
	return s->journal;
}

const char *spool_journal_dir(const struct spool *s)
{
	return s->dir;
}

struct spool_stats spool_stats(const struct spool *s)
{
	struct spool_stats out = s->stats;

	out.spooled = s->total;
	out.bytes = journal_end(s->journal) - s->safe;
	out.boot = s->boot;
	out.seq = s->seq - 1;
	return out;
}

uint64_t spool_events_in(const struct spool *s, uint64_t batches)
{
	size_t waiting = s->end - s->first;
	size_t n = batches < waiting ? (size_t)batches : waiting;

	return n ? s->waiting[s->first + n - 1].events - s->stats.acked : 0;
}
