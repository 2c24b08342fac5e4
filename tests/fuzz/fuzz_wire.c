/* SPDX-License-Identifier: Apache-2.0 */
/* folder: common */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a batch does to a mark agrees with a recount of its numbers. */
static void check_order(const struct wire_header *h, struct wire_mark m)
{
	uint32_t skip;
	struct wire_seen seen = {.now = m};
	enum wire_order order = wire_order(&seen, h, &skip);
	struct wire_seen then = seen;
	uint32_t again;

	if (order != WIRE_NEXT) {
		assert(skip == 0);
		return;
	}
	assert(skip == 0 || skip < h->count);
	if (m.boot && h->boot == m.boot && h->count)
		assert(h->seq + skip == m.seq + 1);
	wire_advance(&then, h);
	/* never back, and what was taken once is known from then on */
	if (m.boot || m.seq)
		assert(then.now.boot != m.boot || then.now.seq >= m.seq);
	if (then.now.boot || then.now.seq)
		assert(h->count == 0 ||
		       wire_order(&then, h, &again) == WIRE_DUPLICATE);
}

/* A view stays inside its bytes; a batch is the same without what follows
 * it, and short by any byte less. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* exactly sized and aligned, for the sanitizer to see one byte over */
	char *p = xmalloc(size ? size : 1);
	struct wire_view v;
	struct wire_view same;

	if (size)
		memcpy(p, data, size);
	if (wire_check((struct sv){p, size}, &v) == WIRE_OK) {
		uint32_t bytes = wire_record_size(v.h->kind);
		uint32_t n = bytes ? v.h->count : 0;
		const char *end = p + size;

		assert(v.size >= WIRE_HEADER && v.size <= size);
		assert(v.size <= WIRE_BATCH_MAX);
		assert((const char *)v.records + (size_t)n * bytes ==
		       v.cursor.p);
		assert(v.cursor.p + v.cursor.n <= end);
		assert(wire_check((struct sv){p, v.size}, &same) == WIRE_OK);
		assert(same.size == v.size);
		assert(wire_check((struct sv){p, v.size - 1}, &same) ==
		       WIRE_SHORT);
		if (bytes) {
			check_order(v.h, (struct wire_mark){0});
			check_order(v.h, (struct wire_mark){v.h->boot,
							    v.h->seq / 2});
			check_order(v.h, (struct wire_mark){v.h->boot,
							    v.h->seq + n / 2});
		}
	}
	free(p);
	return 0;
}
