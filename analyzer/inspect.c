/* SPDX-License-Identifier: Apache-2.0 */
/* Looking into a running engine: nothing here changes what it decides. */
#include "analyzer/state.h"

void engine_calls(const struct engine *g, struct sv account,
		  void (*each)(void *arg, const struct engine_call *c),
		  void *arg)
{
	const struct account *a = account_find(&g->accounts, account);

	for (uint32_t i = a ? a->newest : CALL_NONE; i != CALL_NONE;) {
		const struct call *c = call_at(&g->calls, i);
		struct engine_call out = {
			.key = c->key,
			.setup_us = c->counted.setup_us,
			.answer_us = c->counted.answer_us,
			.end_us = c->counted.end_us ? c->counted.end_us
						    : c->stop_us,
			.callee = c->callee,
			.info = c->info,
			.rate = c->rate,
			.direction = (enum direction)c->direction,
		};

		i = c->older;
		if (c->parts) /* else a witness, or nothing counted yet */
			each(arg, &out);
	}
}

void engine_retain(struct engine *g, int64_t us)
{
	if (us > g->retain_us)
		g->retain_us = us;
}
