/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_SLAB_H
#define ANALYZER_SLAB_H

#include <stddef.h>
#include <stdint.h>

/*
 * Many items of one size, named by a number that fits in four bytes and
 * never moves.  Memory grows by segments and is used again, so after warm-up
 * nothing is allocated.  0 names no item.
 */
enum { SLAB_SEGMENT = 16384 };

struct slab {
	size_t size; /* of an item, a multiple of 16 */
	unsigned char **segment;
	uint32_t n_segments;
	uint32_t fresh; /* items ever taken from segments */
	uint32_t free;	/* first of the returned items */
	uint32_t live;
};

void slab_init(struct slab *s, size_t size);
void slab_release(struct slab *s); /* all items at once */

uint32_t slab_take(struct slab *s); /* zeroed */
void slab_give(struct slab *s, uint32_t id);

static inline void *slab_at(const struct slab *s, uint32_t id)
{
	return s->segment[(id - 1) / SLAB_SEGMENT] +
	       (size_t)((id - 1) % SLAB_SEGMENT) * s->size;
}

#endif
