/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_TRAFFIC_H
#define TESTS_SUPPORT_TRAFFIC_H

/*
 * Random calls of the small provider, the same for the same seed: answered,
 * failed, never ended, long and short, told phase by phase or by one record
 * at the end, repeated, and out of order within the lateness bound.
 */

#include <stdio.h>

#include "tests/support/script.h"

static const char *const traffic_account[] = {"acme", "beta", "taxi", "zeta"};
static const char *const traffic_callee[] = {"+442079460001", "+442079460002",
					     "+4990000001",   "+25299000001",
					     "+88216000001",  "+21698000001",
					     "+909879000001"};

enum traffic_phase { TELL_SETUP, TELL_ANSWER, TELL_END, TELL_ALL };

struct traffic_call {
	uint8_t account;
	uint8_t callee;
	int64_t setup, answer, end;
};

struct traffic_event {
	int64_t deliver; /* when it reaches the engine */
	uint32_t call;
	uint8_t phase;
};

struct traffic {
	uint64_t seed;
	struct traffic_call *call;
	size_t n_calls;
	struct traffic_event *event;
	size_t n;
	size_t cap;
};

/* splitmix64 */
static inline uint64_t traffic_random(struct traffic *t)
{
	uint64_t z = t->seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static inline int64_t traffic_upto(struct traffic *t, int64_t n)
{
	return (int64_t)(traffic_random(t) % (uint64_t)n);
}

static inline void traffic_tell(struct traffic *t, uint32_t call,
				enum traffic_phase phase, int64_t at)
{
	/* up to 110 s late, one in 50 twice */
	int copies = traffic_upto(t, 50) == 0 ? 2 : 1;

	while (copies--) {
		int64_t late =
			traffic_upto(t, 4) ? 0 : traffic_upto(t, 110 * SEC_US);

		if (t->n == t->cap)
			return;
		t->event[t->n++] =
			(struct traffic_event){at + late, call, (uint8_t)phase};
	}
}

/* Minutes mostly, sometimes hours, sometimes nothing. */
static inline int64_t traffic_talk(struct traffic *t)
{
	int64_t kind = traffic_upto(t, 20);

	if (kind == 0)
		return traffic_upto(t, 3 * HOUR_US);
	if (kind < 4)
		return traffic_upto(t, 5 * SEC_US);
	if (kind == 4)
		return traffic_upto(t, 10) * MIN_US; /* exact increments */
	return traffic_upto(t, 8 * MIN_US);
}

static inline void traffic_one(struct traffic *t, uint32_t i, int64_t setup)
{
	struct traffic_call *c = &t->call[i];
	int64_t kind = traffic_upto(t, 100);

	c->account = (uint8_t)traffic_upto(t, ARRAY_LEN(traffic_account));
	/* mostly ordinary numbers */
	c->callee = (uint8_t)(traffic_upto(t, 3) ? traffic_upto(t, 2)
						 : traffic_upto(t, 7));
	c->setup = setup;
	if (kind < 70)
		c->answer = setup + traffic_upto(t, 30 * SEC_US);
	c->end = c->answer ? c->answer + traffic_talk(t)
			   : setup + traffic_upto(t, 40 * SEC_US);
	if (kind % 7 == 0) {
		traffic_tell(t, i, TELL_ALL, c->end);
		return;
	}
	traffic_tell(t, i, TELL_SETUP, c->setup);
	if (c->answer)
		traffic_tell(t, i, TELL_ANSWER, c->answer);
	traffic_tell(t, i, TELL_END, c->end);
}

static inline int traffic_order(const void *a, const void *b)
{
	const struct traffic_event *x = a;
	const struct traffic_event *y = b;

	if (x->deliver != y->deliver)
		return x->deliver < y->deliver ? -1 : 1;
	if (x->call != y->call)
		return x->call < y->call ? -1 : 1;
	return x->phase - y->phase;
}

/* About n events over the given span. */
static inline struct traffic *traffic_new(uint64_t seed, size_t n, int64_t from,
					  int64_t span)
{
	struct traffic *t = xcalloc(1, sizeof(*t));

	t->seed = seed;
	t->cap = n;
	t->event = xcalloc(n, sizeof(*t->event));
	t->call = xcalloc(n, sizeof(*t->call));
	while (t->n + 8 < t->cap)
		traffic_one(t, (uint32_t)t->n_calls++,
			    from +
				    (int64_t)((double)span * (double)t->n /
					      (double)n) +
				    traffic_upto(t, 2 * MIN_US));
	qsort(t->event, t->n, sizeof(*t->event), traffic_order);
	return t;
}

static inline void traffic_free(struct traffic *t)
{
	free(t->call);
	free(t->event);
	free(t);
}

static inline void traffic_send(const struct traffic *t, size_t i,
				struct engine *g)
{
	const struct traffic_event *e = &t->event[i];
	const struct traffic_call *c = &t->call[e->call];
	struct told told = {traffic_account[c->account],
			    traffic_callee[c->callee], c->setup, c->answer,
			    c->end};
	uint64_t id = e->call + 1;

	switch ((enum traffic_phase)e->phase) {
	case TELL_SETUP:
		send_setup(g, "sip", id, &told);
		break;
	case TELL_ANSWER:
		send_answer(g, "sip", id, &told);
		break;
	case TELL_END:
		send_end(g, "sip", id, &told);
		break;
	case TELL_ALL:
		send_cdr(g, "sip", id, &told);
		break;
	}
}

#endif
