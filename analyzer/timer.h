/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_TIMER_H
#define ANALYZER_TIMER_H

#include <stddef.h>
#include <stdint.h>

/*
 * Instants of event time at which something must be looked at again.  A
 * heap of timers that live inside their owners (which must not move),
 * ordered by (due, kind, order) and by nothing else, so that what fires first
 * does not depend on how the heap was filled.
 */
enum timer_kind {
	TIMER_CALL = 0,	   /* a call's next instant */
	TIMER_COUNTER = 1, /* a counter may cross a limit */
	TIMER_WATCH = 2,   /* an open episode is looked at every 10 s */
};

struct timer {
	int64_t due_us;
	uint64_t order; /* unique in its kind */
	uint32_t pos;	/* 1-based place in the heap, 0 = not armed */
	uint32_t owner; /* index of the account or call */
	uint16_t sub;	/* index of the counter */
	uint8_t kind;	/* enum timer_kind */
	uint8_t lane;	/* of the heap it is in */
};

struct timer_slot {
	int64_t due_us; /* the timer's, so that a comparison stays in the heap */
	struct timer *timer;
};

struct timers {
	struct timer_slot *heap; /* four children a node */
	size_t n;
	size_t cap;
};

void timers_release(struct timers *h); /* the timers are not owned */

/* Arm, or move when it is armed in this heap already. */
void timer_set(struct timers *h, struct timer *t, int64_t due_us);
void timer_cancel(struct timers *h, struct timer *t);

/* Take the first timer due at or before t; NULL: none. */
struct timer *timer_pop(struct timers *h, int64_t t_us);

#endif
