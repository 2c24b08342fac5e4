/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/call.h"

#include <assert.h>
#include <string.h>

#include "analyzer/pages.h"
#include "common/clock.h"

void calls_init(struct calls *t, const struct analyzer_conf *conf)
{
	uint32_t n = 1024;

	*t = (struct calls){.max = conf->calls_max ? conf->calls_max : 1,
			    .key = conf->site.key,
			    .pair_width = SEC_US};
	while (n < t->max)
		n *= 2;
	t->mask = n - 1;
	/* fresh pages are not touched before they are needed */
	t->call = pages_new(t->max * sizeof(*t->call));
	t->bucket = pages_new(n * sizeof(*t->bucket));
	t->pairs = pages_new(n * sizeof(*t->pairs));
	memset(t->bucket, 0xff, n * sizeof(*t->bucket));
	memset(t->pairs, 0xff, n * sizeof(*t->pairs));
	for (int i = 0; i < CALL_LISTS; i++)
		t->list[i].first = t->list[i].last = CALL_NONE;
	for (size_t i = 0; i < conf->n_sources; i++)
		if (conf->source[i].of[0] &&
		    conf->source[i].within_us > t->pair_width)
			t->pair_width = conf->source[i].within_us;
}

void calls_release(struct calls *t)
{
	size_t n = (size_t)t->mask + 1;

	pages_free(t->call, t->max * sizeof(*t->call));
	pages_free(t->bucket, n * sizeof(*t->bucket));
	pages_free(t->pairs, n * sizeof(*t->pairs));
}

static uint32_t *bucket_of(const struct calls *t, const struct call_key *key)
{
	return &t->bucket[hash64(&t->key, key->b, sizeof(key->b)) & t->mask];
}

struct call *call_find(const struct calls *t, const struct call_key *key)
{
	uint32_t i = *bucket_of(t, key);

	while (i != CALL_NONE &&
	       memcmp(&t->call[i].key, key, sizeof(*key)) != 0)
		i = t->call[i].hash_next;
	return i == CALL_NONE ? NULL : &t->call[i];
}

static void unlink_list(struct calls *t, struct call *c)
{
	if (c->prev != CALL_NONE)
		t->call[c->prev].next = c->next;
	else
		t->list[c->list].first = c->next;
	if (c->next != CALL_NONE)
		t->call[c->next].prev = c->prev;
	else
		t->list[c->list].last = c->prev;
	t->list[c->list].n--;
}

static void append(struct calls *t, struct call *c, enum call_list list)
{
	uint32_t i = call_index(t, c);

	c->list = (uint8_t)list;
	c->next = CALL_NONE;
	c->prev = t->list[list].last;
	if (c->prev != CALL_NONE)
		t->call[c->prev].next = i;
	else
		t->list[list].first = i;
	t->list[list].last = i;
	t->list[list].n++;
}

void call_move(struct calls *t, struct call *c, enum call_list list)
{
	if (c->list == list)
		return;
	unlink_list(t, c);
	append(t, c, list);
}

struct call *call_add(struct calls *t, const struct call_key *key)
{
	uint32_t *bucket = bucket_of(t, key);
	struct call *c;

	if (t->list[CALL_FREE].n) {
		c = &t->call[t->list[CALL_FREE].last];
		unlink_list(t, c);
	} else if (t->fresh < t->max) {
		c = &t->call[t->fresh++];
	} else {
		return NULL;
	}
	*c = (struct call){
		.key = *key,
		.serial = ++t->serial,
		.pair = CALL_NONE,
		.older = CALL_NONE,
		.newer = CALL_NONE,
		.chain = CALL_NONE,
		.hash_next = *bucket,
	};
	*bucket = call_index(t, c);
	append(t, c, CALL_RINGING);
	return c;
}

struct call *call_victim(const struct calls *t)
{
	static const uint8_t order[] = {CALL_DONE, CALL_WAITING, CALL_RINGING,
					CALL_UP};

	for (size_t i = 0; i < sizeof(order); i++)
		if (t->list[order[i]].n)
			return &t->call[t->list[order[i]].first];
	return NULL;
}

void call_remove(struct calls *t, struct call *c)
{
	uint32_t *link = bucket_of(t, &c->key);
	uint32_t i = call_index(t, c);

	assert(!c->indexed && !c->timer.pos);
	while (*link != i)
		link = &t->call[*link].hash_next;
	*link = c->hash_next;
	call_move(t, c, CALL_FREE);
}

int64_t call_begin(const struct facts *f)
{
	if (f->setup_us)
		return f->setup_us;
	return f->answer_us ? f->answer_us : f->end_us;
}

uint32_t call_pairs(const struct calls *t, const struct call *like,
		    int64_t begin_us)
{
	struct {
		uint64_t callee;
		int64_t slot;
		uint64_t account;
	} k = {like->callee.v, begin_us / t->pair_width, like->account};

	return (uint32_t)hash64(&t->key, &k, sizeof(k)) & t->mask;
}

void call_index_pair(struct calls *t, struct call *c)
{
	assert(!c->indexed);
	c->slot = call_pairs(t, c, call_begin(&c->said));
	c->chain = t->pairs[c->slot];
	t->pairs[c->slot] = call_index(t, c);
	c->indexed = true;
}

void call_unindex_pair(struct calls *t, struct call *c)
{
	uint32_t *link = &t->pairs[c->slot];
	uint32_t i = call_index(t, c);

	if (!c->indexed)
		return;
	while (*link != i)
		link = &t->call[*link].chain;
	*link = c->chain;
	c->indexed = false;
}
