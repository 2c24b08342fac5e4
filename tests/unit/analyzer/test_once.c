/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/script.h"

/*
 * Nothing fires twice.  Random calls that begin on few instants, so that
 * episodes would like to share one, told by a tap, by call records that come
 * in time, hours late or corrected, and by the same again.
 */
enum { STEPS = 6000, CALLS = 900 };

static uint32_t rnd(uint64_t *x, uint32_t n)
{
	*x = *x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*x >> 33) % n;
}

static const char *const account[] = {"acme", "taxi", "unknown:192.0.2.0"};
static const char *const callee[] = {"+25299000001", "+88216000001",
				     "+4490900001", "+21698000001"};

static void say(struct engine *g, uint64_t *x, int64_t now)
{
	uint64_t id = rnd(x, CALLS);
	int64_t back = rnd(x, 3) ? rnd(x, 4) : rnd(x, 40);
	struct told c = {.account = account[id % ARRAY_LEN(account)],
			 .callee = callee[id / 3 % ARRAY_LEN(callee)]};

	c.setup = (now / (10 * MIN_US) - back) * 10 * MIN_US;
	c.answer = c.setup + (rnd(x, 2) ? 0 : 5 * SEC_US);
	c.end = c.answer + (1 + (int64_t)rnd(x, 20)) * MIN_US;
	switch (rnd(x, 5)) {
	case 0:
		send_setup(g, "sip", id, &c);
		break;
	case 1:
		send_answer(g, "sip", id, &c);
		break;
	case 2:
		send_end(g, "sip", id, &c);
		break;
	case 3:
		send_cdr(g, "cdr", id, &c);
		break;
	default:
		send_cdr(g, "hourly", id, &c);
	}
}

static int by_id(const void *a, const void *b)
{
	const struct finding *const *x = a;
	const struct finding *const *y = b;

	return memcmp((*x)->id, (*y)->id, sizeof((*x)->id));
}

static void want_distinct(const struct kept *k, uint64_t seed)
{
	static const struct finding *p[KEEP_MAX];

	assert_true(k->n <= KEEP_MAX);
	for (size_t i = 0; i < k->n; i++)
		p[i] = &k->finding[i];
	qsort(p, k->n, sizeof(*p), by_id);
	/* A call that is sent again after the table forgot it is told again,
	 * under the id by which the receiver knows it. */
	for (size_t i = 1; i < k->n; i++)
		if (by_id(&p[i - 1], &p[i]) == 0 &&
		    strncmp(p[i]->key, "call:", 5) != 0)
			fail_msg("seed %llu: %s %s twice at %lld and %lld",
				 (unsigned long long)seed, p[i]->rule,
				 p[i]->key, (long long)p[i - 1]->time_us,
				 (long long)p[i]->time_us);
}

static void no_two_findings_share_an_id(void **state)
{
	struct kept *k = xcalloc(1, sizeof(*k));

	(void)state;
	for (uint64_t seed = 1; seed <= 2; seed++) {
		struct world *w = world_new();
		struct engine_sink sink = keep_sink(k);
		int64_t now = when("2026-01-16T12:00:00Z");
		uint64_t x = seed;
		struct engine *g;

		world_rules(w);
		g = engine_new(&w->conf, &sink);
		k->n = 0;
		for (int i = 0; i < STEPS; i++) {
			now += rnd(&x, 40) ? rnd(&x, 60) * SEC_US : 2 * HOUR_US;
			engine_tick(g, now);
			say(g, &x, now);
		}
		assert_true(k->n > 50);
		want_distinct(k, seed);
		engine_free(g);
		world_free(w);
	}
	free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_two_findings_share_an_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
