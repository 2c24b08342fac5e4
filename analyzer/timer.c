/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/timer.h"

#include <stdbool.h>
#include <stdlib.h>

#include "common/mem.h"

enum { FAN = 4 };

static bool before(const struct timer *a, const struct timer *b)
{
	if (a->due_us != b->due_us)
		return a->due_us < b->due_us;
	if (a->kind != b->kind)
		return a->kind < b->kind;
	return a->order < b->order;
}

/* The timers lie all over the memory: they are only asked when due alike. */
static bool sooner(struct timer_slot a, struct timer_slot b)
{
	return a.due_us != b.due_us ? a.due_us < b.due_us
				    : before(a.timer, b.timer);
}

static void place(struct timers *h, size_t i, struct timer_slot s)
{
	h->heap[i] = s;
	s.timer->pos = (uint32_t)i + 1;
}

static void up(struct timers *h, size_t i, struct timer_slot s)
{
	for (; i > 0 && sooner(s, h->heap[(i - 1) / FAN]); i = (i - 1) / FAN)
		place(h, i, h->heap[(i - 1) / FAN]);
	place(h, i, s);
}

static void down(struct timers *h, size_t i, struct timer_slot s)
{
	for (;;) {
		size_t child = FAN * i + 1;
		size_t end = child + FAN < h->n ? child + FAN : h->n;
		size_t best = child;

		if (child >= h->n)
			break;
		while (++child < end)
			if (sooner(h->heap[child], h->heap[best]))
				best = child;
		if (!sooner(h->heap[best], s))
			break;
		place(h, i, h->heap[best]);
		i = best;
	}
	place(h, i, s);
}

static void settle(struct timers *h, size_t i, struct timer_slot s)
{
	if (i > 0 && sooner(s, h->heap[(i - 1) / FAN]))
		up(h, i, s);
	else
		down(h, i, s);
}

void timers_release(struct timers *h)
{
	free(h->heap);
	*h = (struct timers){0};
}

void timer_set(struct timers *h, struct timer *t, int64_t due_us)
{
	if (t->pos && t->due_us == due_us)
		return;
	t->due_us = due_us;
	if (!t->pos) {
		if (h->n == h->cap) {
			h->cap = h->cap ? 2 * h->cap : 1024;
			h->heap = xrealloc(h->heap, h->cap, sizeof(*h->heap));
		}
		t->pos = (uint32_t)++h->n;
	}
	settle(h, t->pos - 1, (struct timer_slot){due_us, t});
}

void timer_cancel(struct timers *h, struct timer *t)
{
	size_t i = t->pos;
	struct timer_slot last;

	if (i-- == 0)
		return;
	t->pos = 0;
	last = h->heap[--h->n];
	if (last.timer != t)
		settle(h, i, last);
}

struct timer *timer_pop(struct timers *h, int64_t t_us)
{
	struct timer *t = h->n ? h->heap[0].timer : NULL;

	if (!t || t->due_us > t_us)
		return NULL;
	timer_cancel(h, t);
	return t;
}
