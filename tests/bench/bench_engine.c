/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Events a second of the engine with the eight rules over 100,000 accounts,
 * and whether its memory stays flat: the second half of the run must not
 * need more than the first.
 *
 *   bench_engine [EVENTS [ACCOUNTS [HOT]]]
 *
 * HOT calls in a thousand go to a hot destination (1): with 300 tens of
 * thousands of episodes are open at once.
 */
#include "analyzer/engine.h"

#include <stdio.h>
#include <sys/resource.h>

#include "tests/support/script.h"

enum { UP = 1 << 14 }; /* calls in flight, roughly */

struct bench {
	struct world *w;
	struct engine *g;
	uint64_t seed;
	uint64_t n_accounts;
	uint64_t hot;
	uint64_t findings;
	struct event flight[UP];
};

static uint64_t draw(struct bench *b)
{
	uint64_t z = b->seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static void count_finding(void *arg, const struct finding *f)
{
	struct bench *b = arg;

	(void)f;
	b->findings++;
}

static void make_accounts(struct bench *b)
{
	free(b->w->conf.account);
	b->w->conf.account =
		xcalloc(b->n_accounts, sizeof(struct account_conf));
	b->w->conf.n_accounts = 0;
	for (uint64_t i = 0; i < b->n_accounts; i++) {
		char name[32];

		snprintf(name, sizeof(name), "account-%llu",
			 (unsigned long long)i);
		world_account(b->w, name, b->w->office);
	}
	b->w->conf.accounts_max = (uint32_t)b->n_accounts + 1000;
}

static void new_call(struct bench *b, struct event *ev, int64_t t)
{
	/* in a thousand: 950 at home, 49 abroad, one to a hot destination;
	 * more of those leave fewer at home */
	uint64_t r = draw(b) % 1000;
	struct told c = {.callee = r < 951 - b->hot    ? "+442079460001"
				   : r < 1000 - b->hot ? "+49300000001"
						       : "+21698000001"};
	char name[32];

	snprintf(name, sizeof(name), "account-%llu",
		 (unsigned long long)(draw(b) % b->n_accounts));
	c.account = name;
	*ev = tell("sip", draw(b), &c);
	ev->phase = PHASE_SETUP;
	ev->setup_us = t;
}

/* The next event of some call: set-up, answer, end, and then another. */
static void step(struct bench *b, int64_t t)
{
	struct event *ev = &b->flight[draw(b) % UP];

	if (ev->phase == PHASE_NONE || ev->phase == PHASE_END) {
		new_call(b, ev, t);
	} else if (ev->phase == PHASE_SETUP && draw(b) % 10 < 7) {
		ev->phase = PHASE_ANSWER;
		ev->answer_us = t;
	} else {
		ev->phase = PHASE_END;
		ev->end_us = t;
	}
	engine_event(b->g, ev);
}

static double seconds(void)
{
	return (double)clock_mono().ms / 1000.0;
}

static long peak_kb(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss;
}

int main(int argc, char **argv)
{
	struct bench *b = xcalloc(1, sizeof(*b));
	uint64_t n = 4000000;
	struct engine_stats s;
	int64_t t = when("2026-01-16T09:00:00Z");
	double begin;
	double cost;
	long warm = 0;

	b->n_accounts = 100000;
	b->hot = 1;
	if ((argc > 1 && !sv_u64(sv_of(argv[1]), &n)) ||
	    (argc > 2 && !sv_u64(sv_of(argv[2]), &b->n_accounts)) ||
	    (argc > 3 && !sv_u64(sv_of(argv[3]), &b->hot)) || b->hot > 951)
		return 2;
	b->w = world_new();
	world_rules(b->w);
	make_accounts(b);
	b->w->conf.calls_max = 1000000;
	b->g = engine_new(&b->w->conf,
			  &(struct engine_sink){count_finding, NULL, b});
	begin = seconds();
	for (uint64_t i = 0; i < n; i++) {
		/* 33 calls a second: eleven hours in all */
		step(b, t += 10000);
		if (i == n / 2)
			warm = peak_kb();
	}
	cost = seconds() - begin;
	s = engine_stats(b->g);
	printf("engine: %.0f events/s (%llu events, %llu accounts, %.2f s); "
	       "%u calls up, %u tracked, %llu findings, %u timers\n",
	       (double)n / cost, (unsigned long long)n,
	       (unsigned long long)b->n_accounts, cost, s.live_calls,
	       s.tracked_calls, (unsigned long long)b->findings, s.timers);
	printf("memory: %ld MB at half time, %ld MB at the end; rings %.1f "
	       "MB\n",
	       warm / 1024, peak_kb() / 1024, (double)s.ring_bytes / 1e6);
	engine_free(b->g);
	world_free(b->w);
	free(b);
	return 0;
}
