/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_RING_H
#define ANALYZER_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/slab.h"

/*
 * A sliding window that forgets in steps of 1/60 of itself and still takes
 * what comes late:
 *
 *       held for latecomers        window: 60 buckets
 *   |. . . . . . . . . . . . .|. . . . . . . . . . . . .|
 *   head-held+1                head-59               head
 *                              `------ sum of these -----'
 *
 * A 60-minute window has one-minute buckets, so at 03:14:20 it holds what
 * happened since 02:15:00.  Buckets lie in chunks of eight, newest first, and
 * only chunks that hold something exist: an account with three calls in the
 * hour has three or four chunks.
 *
 * Values are exact.  Money accrues at so many micropence a minute while time
 * runs in microseconds, so a bucket counts sixty-millionths of its unit:
 * rate times microseconds is a whole number, and what is added and taken
 * back leaves no crumbs, in whatever order it happens.  128 bits hold it:
 * 64-bit rates times 64-bit times cannot overflow.
 */
typedef __int128 ring_num;

#define RING_UNIT INT64_C(60000000) /* what 1 call or 1 micropenny counts */

enum { RING_WINDOW = 60, RING_CHUNK = 8 };

struct ring_shape {
	int64_t bucket_us;
	int64_t held; /* buckets, window included */
};

struct ring {
	ring_num sum;
	int64_t head;	 /* number of the newest bucket: time / bucket_us */
	uint32_t newest; /* chunk */
	uint32_t tail;	 /* oldest chunk that is still in the window */
};

struct ring_chunk {
	int64_t number; /* bucket / RING_CHUNK */
	uint32_t older;
	uint32_t newer;
	ring_num bucket[RING_CHUNK];
};

/* Window in microseconds and how late an event may come. */
struct ring_shape ring_shape(int64_t window_us, int64_t lateness_us);

static inline int64_t ring_bucket(const struct ring_shape *s, int64_t t_us)
{
	return t_us / s->bucket_us;
}

/* Move the head on to a bucket; earlier than the head does nothing. */
void ring_advance(struct ring *r, struct slab *chunks,
		  const struct ring_shape *s, int64_t bucket);

/* Add n (may be negative) to a bucket not after the head.  False: it is older
 * than what is held and was not counted. */
bool ring_add(struct ring *r, struct slab *chunks, const struct ring_shape *s,
	      int64_t bucket, ring_num n);

/* From microsecond `from` to before `to`, `rate` for each of them: the one
 * primitive of late starts, late ends and corrections.  The head must have
 * reached `to`.  False: a part was older than what is held. */
struct ring_span {
	int64_t from_us;
	int64_t to_us;
	int64_t rate;
};
bool ring_spread(struct ring *r, struct slab *chunks,
		 const struct ring_shape *s, struct ring_span span);

/* Sum of the window that ends with this bucket. */
ring_num ring_sum_at(const struct ring *r, const struct slab *chunks,
		     int64_t end);

/* The first window that ends in a bucket from `from` to the head and sums to
 * at least limit.  False: none. */
bool ring_reached(const struct ring *r, const struct slab *chunks,
		  int64_t *from, ring_num limit, ring_num *sum);

void ring_clear(struct ring *r, struct slab *chunks);

#endif
