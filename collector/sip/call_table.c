/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/sip/call_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"

enum {
	WHEEL = 512, /* slots; one more holds what is being looked at */
	WAYS = 8,
	BY_AGE = 0,
	BY_DUE = 1,
};

struct list {
	uint32_t first, last;
};

struct call_table {
	struct call *call; /* [0] is nobody: position 0 means none */
	uint32_t capacity;
	uint32_t high; /* positions below were in use: memory stays low */
	uint32_t free; /* list through chain */
	uint32_t used;
	uint32_t *bucket;
	uint64_t bucket_mask;
	struct call_id *id;
	uint64_t set_mask;
	struct list trying, ended;
	struct list wheel[WHEEL + 1];
	int64_t tick_s;	  /* wheel slots up to here are done */
	int64_t target_s; /* and are to be done up to here */
};

static uint64_t power_of_two(uint64_t n)
{
	uint64_t p = 1;

	while (p < n)
		p *= 2;
	return p;
}

struct call_table *call_table_new(uint32_t capacity)
{
	struct call_table *t = xcalloc(1, sizeof(*t));
	uint64_t buckets = power_of_two((uint64_t)capacity + 1);
	uint64_t sets = power_of_two(((uint64_t)capacity * 2) / WAYS + 1);

	t->capacity = capacity;
	t->high = 1;
	t->call = xcalloc((size_t)capacity + 1, sizeof(*t->call));
	t->bucket = xcalloc(buckets, sizeof(*t->bucket));
	t->bucket_mask = buckets - 1;
	t->id = xcalloc(sets * WAYS, sizeof(*t->id));
	t->set_mask = sets - 1;
	return t;
}

void call_table_free(struct call_table *t)
{
	if (!t)
		return;
	free(t->call);
	free(t->bucket);
	free(t->id);
	free(t);
}

uint32_t call_table_used(const struct call_table *t)
{
	return t->used;
}

uint32_t call_position(const struct call_table *t, const struct call *c)
{
	return (uint32_t)(c - t->call);
}

struct call *call_at(struct call_table *t, uint32_t position)
{
	return position ? &t->call[position] : NULL;
}

uint32_t call_table_high(const struct call_table *t)
{
	return t->high;
}

/* ---- index ---- */

/* Call-ID and tag are keyed hashes already: nobody can aim at a bucket. */
static uint32_t *bucket_of(struct call_table *t, const uint8_t id[16],
			   uint64_t tag)
{
	uint64_t h;

	memcpy(&h, id, sizeof(h));
	return &t->bucket[(h ^ tag) & t->bucket_mask];
}

struct call *call_find(struct call_table *t, const uint8_t id[16], uint64_t tag)
{
	for (uint32_t i = *bucket_of(t, id, tag); i; i = t->call[i].chain)
		if (t->call[i].tag == tag && memcmp(t->call[i].id, id, 16) == 0)
			return &t->call[i];
	return NULL;
}

static void index_add(struct call_table *t, struct call *c)
{
	uint32_t *bucket = bucket_of(t, c->id, c->tag);

	c->chain = *bucket;
	*bucket = call_position(t, c);
}

static void index_remove(struct call_table *t, struct call *c)
{
	uint32_t *at = bucket_of(t, c->id, c->tag);

	while (*at != call_position(t, c))
		at = &t->call[*at].chain;
	*at = c->chain;
}

void call_retag(struct call_table *t, struct call *c, uint64_t tag)
{
	index_remove(t, c);
	c->tag = tag;
	index_add(t, c);
}

/* ---- lists ---- */

static void list_append(struct call_table *t, struct list *l, int by,
			struct call *c)
{
	c->link[by].prev = l->last;
	c->link[by].next = 0;
	if (l->last)
		t->call[l->last].link[by].next = call_position(t, c);
	else
		l->first = call_position(t, c);
	l->last = call_position(t, c);
}

static void list_remove(struct call_table *t, struct list *l, int by,
			struct call *c)
{
	uint32_t prev = c->link[by].prev, next = c->link[by].next;

	if (prev)
		t->call[prev].link[by].next = next;
	else
		l->first = next;
	if (next)
		t->call[next].link[by].prev = prev;
	else
		l->last = prev;
}

static struct list *list_of(struct call_table *t, enum call_state s)
{
	switch (s) {
	case CALL_TRYING:
	case CALL_RETRYING:
		return &t->trying;
	case CALL_ENDED:
		return &t->ended;
	case CALL_FREE:
	case CALL_ANSWERED:
		return NULL;
	}
	return NULL;
}

void call_set_state(struct call_table *t, struct call *c, enum call_state s)
{
	struct list *from = list_of(t, (enum call_state)c->state);
	struct list *to = list_of(t, s);

	c->state = (uint8_t)s;
	if (from == to)
		return;
	if (from)
		list_remove(t, from, BY_AGE, c);
	if (to)
		list_append(t, to, BY_AGE, c);
}

struct call *call_oldest(struct call_table *t, enum call_state s)
{
	return call_at(t, list_of(t, s)->first);
}

/* ---- the wheel ---- */

static struct list *slot_of(struct call_table *t, int64_t slot_s)
{
	/* the second being done has its own list, see call_due() */
	return slot_s < 0 ? &t->wheel[WHEEL] : &t->wheel[slot_s % WHEEL];
}

static void unlink_due(struct call_table *t, struct call *c)
{
	if (c->slot_s)
		list_remove(t, slot_of(t, c->slot_s), BY_DUE, c);
	c->slot_s = 0;
}

/* The first second in which due_us is past, or the last one in reach. */
static int64_t slot_for(const struct call_table *t, int64_t due_us)
{
	int64_t s = due_us / SEC_US + 1;

	if (s <= t->target_s)
		return t->target_s + 1;
	if (s >= t->target_s + WHEEL)
		return t->target_s + WHEEL - 1;
	return s;
}

void call_set_due(struct call_table *t, struct call *c, int64_t due_us)
{
	int64_t s;

	c->due_us = due_us;
	if (!due_us) {
		unlink_due(t, c);
		return;
	}
	s = slot_for(t, due_us);
	if (c->slot_s > 0 && c->slot_s <= s)
		return; /* it will be moved on when its slot comes */
	unlink_due(t, c);
	c->slot_s = s;
	list_append(t, slot_of(t, s), BY_DUE, c);
}

/* Put all of the next slot aside, so that each call is looked at once though
 * it may go back to the same slot for the next round. */
static void open_slot(struct call_table *t)
{
	struct list *slot = slot_of(t, ++t->tick_s), *aside = slot_of(t, -1);

	assert(t->call);
	*aside = *slot;
	*slot = (struct list){0, 0};
	for (uint32_t i = aside->first; i; i = t->call[i].link[BY_DUE].next)
		t->call[i].slot_s = -1;
}

struct call *call_due(struct call_table *t, int64_t now_us)
{
	struct list *aside = slot_of(t, -1);

	if (now_us / SEC_US > t->target_s) {
		t->target_s = now_us / SEC_US;
		/* after a gap, once round sees them all */
		if (t->tick_s < t->target_s - WHEEL)
			t->tick_s = t->target_s - WHEEL;
	}
	for (;;) {
		struct call *c = call_at(t, aside->first);

		if (!c && t->tick_s >= t->target_s)
			return NULL;
		if (!c)
			open_slot(t);
		else if (c->due_us <= now_us)
			return c;
		else
			call_set_due(t, c, c->due_us);
	}
}

/* ---- calls ---- */

struct call *call_add(struct call_table *t, const uint8_t id[16], uint64_t tag)
{
	struct call *c;

	if (t->free) {
		c = &t->call[t->free];
		t->free = c->chain;
		memset(c, 0, sizeof(*c));
	} else if (t->high <= t->capacity) {
		c = &t->call[t->high++];
	} else {
		return NULL;
	}
	t->used++;
	memcpy(c->id, id, 16);
	c->tag = tag;
	index_add(t, c);
	return c;
}

void call_remove(struct call_table *t, struct call *c)
{
	assert(c->state != CALL_FREE);
	call_set_state(t, c, CALL_FREE);
	unlink_due(t, c);
	index_remove(t, c);
	c->chain = t->free;
	t->free = call_position(t, c);
	t->used--;
}

/* ---- Call-IDs ---- */

static struct call_id *set_of(struct call_table *t, const uint8_t id[16])
{
	uint64_t h;

	memcpy(&h, id + 8, sizeof(h));
	return &t->id[(h & t->set_mask) * WAYS];
}

struct call_id *call_id_find(struct call_table *t, const uint8_t id[16])
{
	struct call_id *set = set_of(t, id);

	for (int i = 0; i < WAYS; i++)
		if (set[i].calls && memcmp(set[i].id, id, 16) == 0)
			return &set[i];
	return NULL;
}

struct call_id *call_id_get(struct call_table *t, const uint8_t id[16],
			    int64_t now_us, bool *forgot)
{
	struct call_id *set = set_of(t, id), *oldest = set;
	struct call_id *known = call_id_find(t, id);

	*forgot = false;
	if (known) {
		known->seen_us = now_us;
		return known;
	}
	for (int i = 0; i < WAYS; i++) {
		if (!set[i].calls) {
			oldest = &set[i];
			break;
		}
		if (set[i].seen_us < oldest->seen_us)
			oldest = &set[i];
	}
	*forgot = oldest->calls != 0;
	memset(oldest, 0, sizeof(*oldest));
	memcpy(oldest->id, id, 16);
	oldest->seen_us = now_us;
	return oldest;
}
