/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/ring.h"

struct ring_shape ring_shape(int64_t window_us, int64_t lateness_us)
{
	struct ring_shape s;

	s.bucket_us = (window_us + RING_WINDOW - 1) / RING_WINDOW;
	s.held = RING_WINDOW + (lateness_us + s.bucket_us - 1) / s.bucket_us;
	return s;
}

static struct ring_chunk *chunk_of(const struct slab *chunks, uint32_t id)
{
	return slab_at(chunks, id);
}

/* Sum of the buckets first..last. */
static ring_num sum_of(const struct ring *r, const struct slab *chunks,
		       int64_t first, int64_t last)
{
	ring_num sum = 0;

	for (uint32_t id = r->newest; id; id = chunk_of(chunks, id)->older) {
		const struct ring_chunk *c = chunk_of(chunks, id);
		int64_t base = c->number * RING_CHUNK;

		if (base + RING_CHUNK <= first)
			break;
		for (int i = 0; i < RING_CHUNK; i++)
			if (base + i >= first && base + i <= last)
				sum += c->bucket[i];
	}
	return sum;
}

/* Give back the chunks that hold nothing later than `before`. */
static void forget(struct ring *r, struct slab *chunks, int64_t before)
{
	uint32_t *link = &r->newest;
	uint32_t id;

	while (*link &&
	       (chunk_of(chunks, *link)->number + 1) * RING_CHUNK > before)
		link = &chunk_of(chunks, *link)->older;
	id = *link;
	*link = 0;
	while (id) {
		uint32_t older = chunk_of(chunks, id)->older;

		slab_give(chunks, id);
		id = older;
	}
}

/* Take out of the sum what leaves the window: buckets first..last. */
static void leave(struct ring *r, struct slab *chunks, int64_t first,
		  int64_t last)
{
	while (r->tail) {
		const struct ring_chunk *c = chunk_of(chunks, r->tail);
		int64_t base = c->number * RING_CHUNK;

		for (int i = 0; i < RING_CHUNK; i++)
			if (base + i >= first && base + i <= last)
				r->sum -= c->bucket[i];
		if (base + RING_CHUNK - 1 > last)
			break;
		r->tail = c->newer;
	}
}

void ring_advance(struct ring *r, struct slab *chunks,
		  const struct ring_shape *s, int64_t bucket)
{
	int64_t old = r->head;

	if (bucket <= old)
		return;
	r->head = bucket;
	if (!r->newest)
		return;
	if (bucket - old >= RING_WINDOW) {
		r->sum = 0;
		r->tail = 0;
	} else {
		leave(r, chunks, old - RING_WINDOW + 1, bucket - RING_WINDOW);
	}
	/* now and then: walking the whole list each time would cost more than
	 * the chunks that stay a little longer */
	if (bucket / s->held != old / s->held)
		forget(r, chunks, bucket - s->held + 1);
}

/* Where a walk down the list stands: chunks newer than what it looks for are
 * behind it. */
struct walk {
	uint32_t *link;
	uint32_t newer; /* chunk that *link belongs to, 0 = the ring */
};

/* The chunk of this number, made if it is not there.  A caller that goes back
 * in time goes on from where it was. */
static struct ring_chunk *chunk_at(struct ring *r, struct slab *chunks,
				   struct walk *w, int64_t number)
{
	struct ring_chunk *c;
	uint32_t id;

	while (*w->link) {
		c = chunk_of(chunks, *w->link);
		if (c->number == number)
			return c;
		if (c->number < number)
			break;
		w->newer = *w->link;
		w->link = &c->older;
	}
	id = slab_take(chunks);
	c = chunk_of(chunks, id);
	c->number = number;
	c->older = *w->link;
	c->newer = w->newer;
	if (c->older)
		chunk_of(chunks, c->older)->newer = id;
	*w->link = id;
	if ((number + 1) * RING_CHUNK > r->head - RING_WINDOW + 1 &&
	    (!r->tail || chunk_of(chunks, r->tail)->number > number))
		r->tail = id;
	return c;
}

static void put(struct ring *r, struct slab *chunks, struct walk *w,
		int64_t bucket, ring_num n)
{
	struct ring_chunk *c = chunk_at(r, chunks, w, bucket / RING_CHUNK);

	c->bucket[bucket % RING_CHUNK] += n;
	if (bucket > r->head - RING_WINDOW)
		r->sum += n;
}

bool ring_add(struct ring *r, struct slab *chunks, const struct ring_shape *s,
	      int64_t bucket, ring_num n)
{
	struct walk w = {.link = &r->newest};

	if (bucket <= r->head - s->held)
		return false;
	put(r, chunks, &w, bucket, n);
	return true;
}

bool ring_spread(struct ring *r, struct slab *chunks,
		 const struct ring_shape *s, struct ring_span span)
{
	struct walk w = {.link = &r->newest};
	int64_t oldest = (r->head - s->held + 1) * s->bucket_us;
	bool all = span.from_us >= oldest;
	int64_t from = all ? span.from_us : oldest;
	int64_t to = span.to_us;

	while (to > from) {
		int64_t bucket = ring_bucket(s, to - 1);
		int64_t start = bucket * s->bucket_us;

		if (start < from)
			start = from;
		put(r, chunks, &w, bucket, (ring_num)span.rate * (to - start));
		to = start;
	}
	return all;
}

ring_num ring_sum_at(const struct ring *r, const struct slab *chunks,
		     int64_t end)
{
	if (end == r->head)
		return r->sum;
	return sum_of(r, chunks, end - RING_WINDOW + 1, end);
}

/* One bucket; *id walks down the list, so calls must go back in time. */
static ring_num bucket_at(const struct slab *chunks, uint32_t *id,
			  int64_t bucket)
{
	const struct ring_chunk *c;

	while (*id && chunk_of(chunks, *id)->number > bucket / RING_CHUNK)
		*id = chunk_of(chunks, *id)->older;
	if (!*id)
		return 0;
	c = chunk_of(chunks, *id);
	if (c->number != bucket / RING_CHUNK)
		return 0;
	return c->bucket[bucket % RING_CHUNK];
}

bool ring_reached(const struct ring *r, const struct slab *chunks,
		  int64_t *from, ring_num limit, ring_num *sum)
{
	uint32_t lead = r->newest;
	uint32_t trail = r->newest;
	ring_num at = r->sum;
	int64_t first = *from;
	bool hit = false;

	for (int64_t end = r->head; lead; end--) {
		if (at >= limit) {
			hit = true;
			*from = end;
			*sum = at;
		}
		if (end <= first)
			break;
		at += bucket_at(chunks, &trail, end - RING_WINDOW) -
		      bucket_at(chunks, &lead, end);
	}
	return hit;
}

void ring_clear(struct ring *r, struct slab *chunks)
{
	forget(r, chunks, INT64_MAX);
	*r = (struct ring){0};
}
