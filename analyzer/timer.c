/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/timer.h"

#include <stdbool.h>
#include <stdlib.h>

#include "common/mem.h"

static bool before(const struct timer *a, const struct timer *b)
{
	if (a->due_us != b->due_us)
		return a->due_us < b->due_us;
	if (a->kind != b->kind)
		return a->kind < b->kind;
	return a->order < b->order;
}

static void place(struct timers *h, size_t i, struct timer *t)
{
	h->heap[i] = t;
	t->pos = (uint32_t)i + 1;
}

static void up(struct timers *h, size_t i)
{
	struct timer *t = h->heap[i];

	for (; i > 0 && before(t, h->heap[(i - 1) / 2]); i = (i - 1) / 2)
		place(h, i, h->heap[(i - 1) / 2]);
	place(h, i, t);
}

static void down(struct timers *h, size_t i)
{
	struct timer *t = h->heap[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= h->n)
			break;
		if (child + 1 < h->n &&
		    before(h->heap[child + 1], h->heap[child]))
			child++;
		if (!before(h->heap[child], t))
			break;
		place(h, i, h->heap[child]);
		i = child;
	}
	place(h, i, t);
}

void timers_release(struct timers *h)
{
	free(h->heap);
	*h = (struct timers){0};
}

void timer_set(struct timers *h, struct timer *t, int64_t due_us)
{
	t->due_us = due_us;
	if (!t->pos) {
		if (h->n == h->cap) {
			h->cap = h->cap ? 2 * h->cap : 1024;
			h->heap = xrealloc(h->heap, h->cap,
					   sizeof(struct timer *));
		}
		place(h, h->n++, t);
	}
	up(h, t->pos - 1);
	down(h, t->pos - 1);
}

void timer_cancel(struct timers *h, struct timer *t)
{
	size_t i = t->pos;
	struct timer *last;

	if (i-- == 0)
		return;
	t->pos = 0;
	last = h->heap[--h->n];
	if (last == t)
		return;
	place(h, i, last);
	up(h, i);
	down(h, last->pos - 1);
}

struct timer *timer_pop(struct timers *h, int64_t t_us)
{
	struct timer *t = h->n ? h->heap[0] : NULL;

	if (!t || t->due_us > t_us)
		return NULL;
	timer_cancel(h, t);
	return t;
}
