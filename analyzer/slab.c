/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/slab.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/pages.h"
#include "common/mem.h"

void slab_init(struct slab *s, size_t size)
{
	*s = (struct slab){.size = (size + 15) / 16 * 16};
}

void slab_release(struct slab *s)
{
	for (uint32_t i = 0; i < s->n_segments; i++)
		pages_free(s->segment[i], SLAB_SEGMENT * s->size);
	free(s->segment);
	slab_init(s, s->size);
}

/* A returned item holds the number of the next one in its first bytes. */
uint32_t slab_take(struct slab *s)
{
	uint32_t id = s->free;

	s->live++;
	if (id) {
		memcpy(&s->free, slab_at(s, id), sizeof(s->free));
		memset(slab_at(s, id), 0, s->size);
		return id;
	}
	if (s->fresh == s->n_segments * (uint32_t)SLAB_SEGMENT) {
		s->segment = xrealloc(s->segment, s->n_segments + 1,
				      sizeof(*s->segment));
		s->segment[s->n_segments++] = pages_new(SLAB_SEGMENT * s->size);
	}
	return ++s->fresh;
}

void slab_give(struct slab *s, uint32_t id)
{
	memcpy(slab_at(s, id), &s->free, sizeof(s->free));
	s->free = id;
	s->live--;
}
