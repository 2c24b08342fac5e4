/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/timer.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { N = 2000 };

static uint64_t next(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return *seed >> 33;
}

/* Whatever was set, moved and cancelled, they come out in order of (due, kind,
 * order), each once. */
static void timers_come_out_in_order(void **state)
{
	static struct timer t[N];
	struct timers h = {0};
	const struct timer *last = NULL;
	struct timer *p;
	uint64_t seed = 5;
	size_t armed = 0;
	size_t out = 0;

	(void)state;
	for (unsigned i = 0; i < N; i++) {
		t[i].order = i * 7919u % N;
		t[i].kind = (uint8_t)(i % 3);
	}
	for (int i = 0; i < 20000; i++) {
		struct timer *x = &t[next(&seed) % N];

		if (next(&seed) % 3)
			timer_set(&h, x, (int64_t)(next(&seed) % 500));
		else
			timer_cancel(&h, x);
	}
	for (unsigned i = 0; i < N; i++)
		armed += t[i].pos != 0;
	assert_int_equal(armed, h.n);
	assert_null(timer_pop(&h, -1));
	while ((p = timer_pop(&h, 499))) {
		assert_int_equal(p->pos, 0);
		assert_true(!last || before(last, p));
		last = p;
		out++;
	}
	assert_int_equal(out, armed);
	timers_release(&h);
}

static void what_is_not_due_stays(void **state)
{
	struct timers h = {0};
	struct timer a = {.order = 1};
	struct timer b = {.order = 2};

	(void)state;
	timer_set(&h, &a, 100);
	timer_set(&h, &b, 100);
	timer_set(&h, &b, 50); /* moved, not doubled */
	assert_null(timer_pop(&h, 49));
	assert_ptr_equal(timer_pop(&h, 50), &b);
	assert_null(timer_pop(&h, 99));
	timer_cancel(&h, &b); /* not armed: no harm */
	assert_ptr_equal(timer_pop(&h, 1000), &a);
	assert_null(timer_pop(&h, 1000));
	timers_release(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_come_out_in_order),
		cmocka_unit_test(what_is_not_due_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
