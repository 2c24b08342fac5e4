/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/ring.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/clock.h"

/* A 60-minute window that holds two hours more. */
static struct ring_shape shape(void)
{
	return ring_shape(HOUR_US, 2 * HOUR_US);
}

static void totals_follow_the_window(void **state)
{
	/* clang-format off */
	static const struct { int64_t bucket; bool counted; int sum; } step[] = {
		{1000, true,  1},
		{1000, true,  2},
		{1059, true,  3},
		{1060, true,  2}, /* 1000 has left */
		{1001, true,  3}, /* late, still inside */
		{1000, true,  3}, /* late, held but outside */
		{1061, true,  3}, /* 1001 has left */
		{ 881, false, 3}, /* older than what is held */
		{ 882, true,  3},
		{9999, true,  1}, /* a gap longer than all */
	};
	/* clang-format on */
	struct ring_shape s = shape();
	struct ring r = {0};
	struct slab chunks;

	(void)state;
	slab_init(&chunks, sizeof(struct ring_chunk));
	for (size_t i = 0; i < ARRAY_LEN(step); i++) {
		ring_advance(&r, &chunks, &s, step[i].bucket);
		assert_int_equal(ring_add(&r, &chunks, &s, step[i].bucket, 1),
				 step[i].counted);
		assert_true(r.sum == step[i].sum);
	}
	assert_true(chunks.live < 3); /* what is over has been given back */
	ring_clear(&r, &chunks);
	assert_int_equal(chunks.live, 0);
	slab_release(&chunks);
}

/* Against an array that remembers all: random advances, late additions,
 * spreads and take-backs. */
static void a_plain_array_agrees(void **state)
{
	static ring_num plain[40000];
	struct ring_shape s = shape();
	struct ring r = {0};
	struct slab chunks;
	uint64_t seed = 1;

	(void)state;
	slab_init(&chunks, sizeof(struct ring_chunk));
	for (int i = 0; i < 20000; i++) {
		int64_t b;
		int64_t oldest;
		ring_num sum = 0;

		seed = seed * UINT64_C(6364136223846793005) +
		       1442695040888963407u;
		b = r.head + (int64_t)(seed >> 60 == 0 ? seed >> 40 & 127
						       : seed >> 59 & 1);
		if (b < 300)
			b = 300;
		if (b >= 39999)
			break;
		ring_advance(&r, &chunks, &s, b);
		oldest = r.head - s.held + 1;
		if (seed >> 58 & 1) {
			struct ring_span span;
			int64_t len = (int64_t)(seed >> 20 & 0xfffffff);

			span.to_us = (r.head + 1) * s.bucket_us;
			span.from_us = span.to_us - len;
			span.rate = (int64_t)(seed >> 30 & 0xfff) - 2048;
			assert_true(ring_spread(&r, &chunks, &s, span));
			for (int64_t t = span.from_us; t < span.to_us;) {
				int64_t n = (t / s.bucket_us + 1) * s.bucket_us;

				plain[t / s.bucket_us] +=
					(ring_num)span.rate * (n - t);
				t = n;
			}
		} else {
			int64_t at = oldest +
				     (int64_t)((seed >> 33) % (uint64_t)s.held);

			assert_true(ring_add(&r, &chunks, &s, at, 7));
			plain[at] += 7;
		}
		for (int64_t k = r.head - 59; k <= r.head; k++)
			sum += plain[k];
		assert_true(r.sum == sum);
		b = r.head - (int64_t)((seed >> 13) % 100);
		sum = 0;
		for (int64_t k = b - 59; k <= b; k++)
			sum += plain[k];
		assert_true(ring_sum_at(&r, &chunks, b) == sum);
	}
	ring_clear(&r, &chunks);
	assert_int_equal(chunks.live, 0);
	slab_release(&chunks);
}

static void the_first_window_that_reached_is_found(void **state)
{
	/* clang-format off */
	static const struct { int64_t from; int limit; bool hit; int64_t at; int sum; } row[] = {
		{1000, 10, true,  1020, 10}, /* 5 at 1000 and 5 at 1020 */
		{1000, 11, false, 0,    0},
		{1000, 5,  true,  1000, 5},
		{1061, 5,  true,  1061, 5},  /* the later five still count */
		{1080, 5,  true,  1100, 9},
	};
	/* clang-format on */
	struct ring_shape s = shape();
	struct slab chunks;

	(void)state;
	slab_init(&chunks, sizeof(struct ring_chunk));
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct ring r = {0};
		int64_t at = row[i].from;
		ring_num sum = 0;

		ring_advance(&r, &chunks, &s, 1100);
		ring_add(&r, &chunks, &s, 1000, 5);
		ring_add(&r, &chunks, &s, 1020, 5);
		ring_add(&r, &chunks, &s, 1100, 9);
		assert_int_equal(ring_reached(&r, &chunks, &at, row[i].limit,
					      &sum),
				 row[i].hit);
		if (row[i].hit) {
			assert_int_equal(at, row[i].at);
			assert_true(sum == row[i].sum);
		}
		ring_clear(&r, &chunks);
	}
	slab_release(&chunks);
}

/* Accrual leaves no crumbs: what is spread in pieces and taken back whole is
 * nothing. */
static void taking_back_leaves_nothing(void **state)
{
	struct ring_shape s = shape();
	struct ring r = {0};
	struct slab chunks;
	int64_t from = 1000 * s.bucket_us + 1;
	int64_t to = 1044 * s.bucket_us + 59999999;

	(void)state;
	slab_init(&chunks, sizeof(struct ring_chunk));
	ring_advance(&r, &chunks, &s, 1044);
	for (int64_t t = from; t < to; t += 1234567)
		ring_spread(&r, &chunks, &s,
			    (struct ring_span){t,
					       t + 1234567 < to ? t + 1234567
								: to,
					       37111111});
	assert_true(r.sum == (ring_num)37111111 * (to - from));
	ring_spread(&r, &chunks, &s, (struct ring_span){from, to, -37111111});
	assert_true(r.sum == 0);
	ring_clear(&r, &chunks);
	slab_release(&chunks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(totals_follow_the_window),
		cmocka_unit_test(a_plain_array_agrees),
		cmocka_unit_test(the_first_window_that_reached_is_found),
		cmocka_unit_test(taking_back_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
