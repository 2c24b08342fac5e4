/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_SCRIPT_H
#define TESTS_SUPPORT_SCRIPT_H

/* Call events in one line each, and a sink that keeps what comes out. */

#include <stdio.h>

#include "analyzer/engine.h"
#include "tests/support/world.h"

enum { KEEP_MAX = 4096 };

struct kept {
	struct finding finding[KEEP_MAX];
	struct exposure last;
	size_t n;
	size_t n_exposures;
};

static inline void keep_finding(void *arg, const struct finding *f)
{
	struct kept *k = arg;

	if (k->n < KEEP_MAX)
		k->finding[k->n] = *f;
	k->n++;
}

static inline void keep_exposure(void *arg, const struct exposure *x)
{
	struct kept *k = arg;

	k->last = *x;
	k->n_exposures++;
}

static inline struct engine_sink keep_sink(struct kept *k)
{
	return (struct engine_sink){keep_finding, keep_exposure, k};
}

/* The n-th finding of a rule, NULL when it did not fire so often. */
static inline const struct finding *kept_find(const struct kept *k,
					      const char *rule, unsigned n)
{
	for (size_t i = 0; i < k->n && i < KEEP_MAX; i++)
		if (strcmp(k->finding[i].rule, rule) == 0 && n-- == 0)
			return &k->finding[i];
	return NULL;
}

static inline int64_t when(const char *text)
{
	int64_t us;

	if (!time_parse(sv_of(text), &us))
		abort();
	return us;
}

/* A call as one tells it; 0 = did not happen. */
struct told {
	const char *account;
	const char *callee;
	int64_t setup, answer, end;
};

static inline struct event tell(const char *source, uint64_t id,
				const struct told *c)
{
	struct event ev;

	event_init(&ev);
	ev.kind = EVENT_CALL;
	ev.direction = DIRECTION_OUTBOUND;
	memcpy(ev.key.b, &id, sizeof(id));
	sv_put(ev.source, sizeof(ev.source), sv_of(source));
	sv_put(ev.account, sizeof(ev.account), sv_of(c->account));
	if (!number_parse(sv_of(c->callee), &ev.callee))
		abort();
	return ev;
}

static inline void send_setup(struct engine *g, const char *source, uint64_t id,
			      const struct told *c)
{
	struct event ev = tell(source, id, c);

	ev.phase = PHASE_SETUP;
	ev.setup_us = c->setup;
	engine_event(g, &ev);
}

static inline void send_answer(struct engine *g, const char *source,
			       uint64_t id, const struct told *c)
{
	struct event ev = tell(source, id, c);

	ev.phase = PHASE_ANSWER;
	ev.answer_us = c->answer;
	engine_event(g, &ev);
}

static inline void send_end(struct engine *g, const char *source, uint64_t id,
			    const struct told *c)
{
	struct event ev = tell(source, id, c);

	ev.phase = PHASE_END;
	ev.end_us = c->end;
	engine_event(g, &ev);
}

/* A CDR: an end that knows everything. */
static inline void send_cdr(struct engine *g, const char *source, uint64_t id,
			    const struct told *c)
{
	struct event ev = tell(source, id, c);

	ev.phase = PHASE_END;
	ev.setup_us = c->setup;
	ev.answer_us = c->answer;
	ev.end_us = c->end;
	engine_event(g, &ev);
}

#endif
