/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/retime.h"

#include <stdlib.h>

#include "common/mem.h"

/* The moments of a record: 24 bytes each, so that a month of calls fits. */
struct moment {
	int64_t us;
	uint32_t record; /* file order breaks ties */
	uint8_t phase;
};

struct retime {
	struct event *record;
	size_t n, cap;
	struct moment *moment;
	size_t n_moments, cap_moments;
};

struct retime *retime_new(void)
{
	return xcalloc(1, sizeof(struct retime));
}

void retime_free(struct retime *r)
{
	if (!r)
		return;
	free(r->record);
	free(r->moment);
	free(r);
}

static void add_moment(struct retime *r, int64_t us, enum event_phase phase)
{
	if (us == 0)
		return;
	if (r->n_moments == r->cap_moments) {
		r->cap_moments = r->cap_moments ? 2 * r->cap_moments : 4096;
		r->moment =
			xrealloc(r->moment, r->cap_moments, sizeof(*r->moment));
	}
	r->moment[r->n_moments++] =
		(struct moment){us, (uint32_t)r->n, (uint8_t)phase};
}

void retime_add(struct retime *r, const struct event *ev)
{
	if (r->n == r->cap) {
		r->cap = r->cap ? 2 * r->cap : 4096;
		r->record = xrealloc(r->record, r->cap, sizeof(*r->record));
	}
	add_moment(r, ev->setup_us, PHASE_SETUP);
	add_moment(r, ev->answer_us, PHASE_ANSWER);
	add_moment(r, ev->end_us, PHASE_END);
	r->record[r->n++] = *ev;
}

static int by_time(const void *x, const void *y)
{
	const struct moment *a = x, *b = y;

	if (a->us != b->us)
		return a->us < b->us ? -1 : 1;
	if (a->record != b->record)
		return a->record < b->record ? -1 : 1;
	return a->phase < b->phase ? -1 : a->phase > b->phase;
}

/* Nothing in it that was not known at that moment. */
static void as_seen(struct event *ev, const struct moment *m)
{
	ev->phase = m->phase;
	ev->observed_us = m->us;
	if (m->phase == PHASE_END)
		return;
	ev->end_us = 0;
	ev->talk_s = EVENT_NO_TALK;
	ev->status = m->phase == PHASE_ANSWER ? 200 : 0;
	ev->q850 = 0;
	if (m->phase == PHASE_SETUP)
		ev->answer_us = 0;
}

void retime_flush(struct retime *r,
		  void (*put)(void *arg, const struct event *ev), void *arg)
{
	if (r->n_moments > 0)
		qsort(r->moment, r->n_moments, sizeof(*r->moment), by_time);
	for (size_t i = 0; i < r->n_moments; i++) {
		struct event ev = r->record[r->moment[i].record];

		as_seen(&ev, &r->moment[i]);
		put(arg, &ev);
	}
	r->n = r->n_moments = 0;
}
