/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/source/source.h"

/*
 * "site.clock: feed" replays a night as it was lived: every file at once, in
 * the order in which its events were seen.  The sources are few, so a look at
 * each head is cheaper than a heap.
 */
struct source *merge_next(struct source *const *list, size_t n,
			  struct event **ev)
{
	struct source *best = NULL;

	for (size_t i = 0; i < n; i++) {
		struct event *head;

		if (source_peek(list[i], &head) != SOURCE_EVENT)
			continue;
		if (best && head->observed_us >= (*ev)->observed_us)
			continue;
		best = list[i];
		*ev = head;
	}
	return best;
}
