/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/pair.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/script.h"

#define NOON "2026-01-17T12:00:00Z"

enum { CALLS = 500 };

/* Both witnesses of the same calls, no key in common. */
struct both {
	struct world *w;
	struct kept *k;
	struct engine *g;
	struct told sip[CALLS];
	struct told cdr[CALLS];
	bool no_sip[CALLS];
	bool no_cdr[CALLS];
	int n;
};

static struct both *both_new(int n, int64_t apart_us, bool same_number)
{
	static const char *const callee[] = {"+442079460001", "+21698000001",
					     "+88216000001"};
	struct both *b = xcalloc(1, sizeof(*b));
	struct engine_sink sink;

	b->w = world_new();
	world_rules(b->w);
	b->k = xcalloc(1, sizeof(*b->k));
	sink = keep_sink(b->k);
	b->g = engine_new(&b->w->conf, &sink);
	b->n = n;
	for (int i = 0; i < n; i++) {
		struct told *s = &b->sip[i];

		s->account = "taxi"; /* one session for ever: an exact total */
		s->callee = callee[same_number ? 0 : i % 3];
		s->setup = when(NOON) + i * apart_us;
		if (i % 4)
			s->answer = s->setup + (3 + i % 9) * SEC_US + 123456;
		s->end = s->setup + (20 + i % 170) * SEC_US + 234567;
		/* whole seconds, and a clock that is a second behind */
		b->cdr[i] = *s;
		b->cdr[i].setup = (s->setup / SEC_US - 1) * SEC_US;
		b->cdr[i].end = (s->end / SEC_US - 1) * SEC_US;
		if (s->answer)
			b->cdr[i].answer = (s->answer / SEC_US - 1) * SEC_US;
	}
	return b;
}

static void both_free(struct both *b)
{
	engine_free(b->g);
	world_free(b->w);
	free(b->k);
	free(b);
}

static void sip(struct both *b, int i, int phase)
{
	uint64_t id = (uint64_t)i + 1;

	if (b->no_sip[i])
		return;
	if (phase == PHASE_SETUP)
		send_setup(b->g, "sip", id, &b->sip[i]);
	if (phase == PHASE_ANSWER && b->sip[i].answer)
		send_answer(b->g, "sip", id, &b->sip[i]);
	if (phase == PHASE_END)
		send_end(b->g, "sip", id, &b->sip[i]);
}

static void cdr(struct both *b, int i)
{
	if (!b->no_cdr[i])
		send_cdr(b->g, "cdr", UINT64_C(1) << 32 | (uint64_t)i,
			 &b->cdr[i]);
}

/* All events of both feeds in order of time, CDRs `late` after their end. */
static void interleave(struct both *b, int64_t late)
{
	int64_t from = when(NOON) - MIN_US;

	for (int64_t t = from; t < from + 10 * HOUR_US; t += 100000)
		for (int i = 0; i < b->n; i++) {
			const struct told *c = &b->sip[i];

			if (c->setup >= t && c->setup < t + 100000)
				sip(b, i, PHASE_SETUP);
			if (c->answer >= t && c->answer < t + 100000)
				sip(b, i, PHASE_ANSWER);
			if (c->end >= t && c->end < t + 100000)
				sip(b, i, PHASE_END);
			if (c->end + late >= t && c->end + late < t + 100000)
				cdr(b, i);
		}
}

static int64_t charge(const struct told *c)
{
	struct number callee;
	const struct rate *r;

	if (!c->answer || !number_parse(sv_of(c->callee), &callee))
		return 0;
	r = rating_find(NULL, callee, c->setup);
	return rate_charge(r, r->cost_per_min, c->end - c->answer);
}

/* Each call once, with its money to the micropenny. */
static void expect_once(struct both *b)
{
	const struct account *a;
	int64_t money = 0;
	uint64_t calls = 0;
	int d = plan_find(&b->g->plan, 0, MEASURE_SPEND, WITHIN_SESSION);
	int n = plan_find(&b->g->plan, 0, MEASURE_CALLS, WITHIN_SESSION);

	engine_finish(b->g);
	for (int i = 0; i < b->n; i++) {
		if (b->no_sip[i] && b->no_cdr[i])
			continue;
		money += charge(b->no_sip[i] ? &b->cdr[i] : &b->sip[i]);
		calls++;
	}
	a = account_find(&b->g->accounts, SV("taxi"));
	assert_int_equal(engine_stats(b->g).calls, calls);
	assert_int_equal(engine_stats(b->g).live_calls, 0);
	assert_true(a->counter[n].session[REGIME_INSIDE].value ==
		    (ring_num)calls * RING_UNIT);
	assert_true(a->counter[d].session[REGIME_INSIDE].value ==
		    (ring_num)money * RING_UNIT);
}

static void sip_first(void **state)
{
	struct both *b = both_new(CALLS, 7 * SEC_US, false);

	(void)state;
	interleave(b, 90 * SEC_US);
	expect_once(b);
	assert_int_equal(engine_stats(b->g).paired, CALLS);
	assert_int_equal(engine_stats(b->g).unpaired, 0);
	both_free(b);
}

static void cdr_first(void **state)
{
	struct both *b = both_new(CALLS, 7 * SEC_US, false);

	(void)state;
	for (int i = 0; i < b->n; i++)
		cdr(b, i);
	assert_int_equal(engine_stats(b->g).calls, 0);
	for (int i = 0; i < b->n; i++)
		for (int p = PHASE_SETUP; p <= PHASE_END; p++)
			sip(b, i, p);
	expect_once(b);
	assert_int_equal(engine_stats(b->g).paired, CALLS);
	both_free(b);
}

static void cdr_two_hours_late(void **state)
{
	struct both *b = both_new(200, 20 * SEC_US, false);

	(void)state;
	interleave(b, 2 * HOUR_US - 10 * MIN_US);
	expect_once(b);
	assert_int_equal(engine_stats(b->g).paired, 200);
	assert_int_equal(engine_stats(b->g).late, 0);
	both_free(b);
}

static void one_in_a_hundred_missing_on_either_side(void **state)
{
	struct both *b = both_new(CALLS, 7 * SEC_US, false);

	(void)state;
	for (int i = 0; i < b->n; i++) {
		b->no_sip[i] = i % 100 == 41;
		b->no_cdr[i] = i % 100 == 77;
	}
	interleave(b, 90 * SEC_US);
	expect_once(b);
	assert_int_equal(engine_stats(b->g).paired, CALLS - 10);
	assert_int_equal(engine_stats(b->g).unpaired, 5);
	both_free(b);
}

/* The Frip peak: nobody can say which belongs to which, and need not. */
static void identical_calls_at_once(void **state)
{
	for (int first = 0; first < 2; first++) {
		struct both *b = both_new(167, 0, true);

		(void)state;
		for (int i = 0; i < b->n; i++) {
			b->sip[i].answer = b->sip[0].setup + 5 * SEC_US;
			b->sip[i].end = b->sip[0].setup + 65 * SEC_US;
			b->cdr[i].answer = b->sip[i].answer;
			b->cdr[i].end = b->sip[i].end;
		}
		for (int i = 0; first && i < b->n; i++)
			cdr(b, i);
		for (int p = PHASE_SETUP; p <= PHASE_END; p++)
			for (int i = 0; i < b->n; i++)
				sip(b, i, p);
		for (int i = 0; !first && i < b->n; i++)
			cdr(b, b->n - 1 - i);
		expect_once(b);
		assert_int_equal(engine_stats(b->g).paired, 167);
		both_free(b);
	}
}

/* Whose talk counts, in either order of arrival. */
static void the_witness_is_believed_about_money(void **state)
{
	const int64_t t = when(NOON);
	/* clang-format off */
	const struct {
		int64_t sip_answer, sip_end, cdr_answer, cdr_end; /* seconds */
		int64_t talk; /* 0 = not answered */
	} row[] = {
		{5, 65, 5, 65, 60},
		{5, 65, 5, 66, 60},   /* within its clock's second */
		{5, 65, 5, 125, 120}, /* the tap lost the true end */
		{5, 0, 5, 65, 60},    /* the tap saw no end */
		{0, 65, 5, 65, 60},   /* the tap saw no answer */
		{5, 65, 0, 65, 60},   /* dispositions lie, a 200 does not */
		{0, 30, 0, 30, 0},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_LEN(row); i++) {
		struct both *b = both_new(1, 0, true);
		struct told *s = &b->sip[0];
		struct told *c = &b->cdr[0];
		size_t k = i / 2;
		const struct account *a;
		int d = plan_find(&b->g->plan, 0, MEASURE_SPEND,
				  WITHIN_SESSION);
		int64_t want = row[k].talk * 1234567;

		s->setup = c->setup = t;
		s->answer =
			row[k].sip_answer ? t + row[k].sip_answer * SEC_US : 0;
		s->end = t + row[k].sip_end * SEC_US;
		c->answer =
			row[k].cdr_answer ? t + row[k].cdr_answer * SEC_US : 0;
		c->end = t + row[k].cdr_end * SEC_US;
		if (i % 2)
			cdr(b, 0);
		sip(b, 0, PHASE_SETUP);
		sip(b, 0, PHASE_ANSWER);
		if (row[k].sip_end)
			sip(b, 0, PHASE_END);
		if (!(i % 2))
			cdr(b, 0);
		engine_finish(b->g);
		a = account_find(&b->g->accounts, SV("taxi"));
		assert_true(a->counter[d].session[1].value ==
			    (ring_num)((want + 59) / 60) * RING_UNIT);
		both_free(b);
	}
}

/* Too far apart, another number, another account: two calls. */
static void strangers_are_not_paired(void **state)
{
	static const struct {
		const char *account;
		const char *callee;
		int64_t apart;
		bool pair;
	} row[] = {
		{"taxi", "+442079460001", 5 * SEC_US, true},
		{"taxi", "+442079460001", 5 * SEC_US + 1, false},
		{"taxi", "+442079460002", 0, false},
		{"acme", "+442079460001", 0, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct both *b = both_new(1, 0, true);

		b->cdr[0] = (struct told){row[i].account, row[i].callee,
					  b->sip[0].setup + row[i].apart, 0,
					  b->sip[0].setup + 10 * SEC_US};
		sip(b, 0, PHASE_SETUP);
		cdr(b, 0);
		engine_finish(b->g);
		assert_int_equal(engine_stats(b->g).paired, row[i].pair);
		assert_int_equal(engine_stats(b->g).calls, 2 - row[i].pair);
		both_free(b);
	}
}

/* The nearest set-up wins, and each is taken once. */
static void the_nearest_is_taken(void **state)
{
	struct both *b = both_new(3, 2 * SEC_US, true);

	(void)state;
	for (int i = 0; i < 3; i++)
		sip(b, i, PHASE_SETUP);
	b->cdr[1].setup = b->sip[1].setup + 300000;
	b->cdr[2].setup = b->sip[1].setup + 400000;
	cdr(b, 1);
	cdr(b, 2);
	engine_finish(b->g);
	assert_true(b->g->calls.call[1].paired);
	assert_true(b->g->calls.call[2].paired);
	assert_false(b->g->calls.call[0].paired);
	both_free(b);
}

/* A CDR that carries the Call-ID is the same call at once. */
static void the_same_key_needs_no_pairing(void **state)
{
	for (int first = 0; first < 2; first++) {
		struct both *b = both_new(1, 0, true);

		(void)state;
		b->sip[0].answer = b->sip[0].setup + SEC_US;
		b->cdr[0] = b->sip[0];
		b->cdr[0].setup += 30 * SEC_US; /* further than `within` */
		if (first)
			send_cdr(b->g, "cdr", 1, &b->cdr[0]);
		sip(b, 0, PHASE_SETUP);
		sip(b, 0, PHASE_ANSWER);
		sip(b, 0, PHASE_END);
		if (!first)
			send_cdr(b->g, "cdr", 1, &b->cdr[0]);
		assert_int_equal(engine_stats(b->g).paired, 1);
		expect_once(b);
		both_free(b);
	}
}

/* What waits for a primary counts when the primary's feed has passed it. */
static void waiting_ends_with_the_lateness_bound(void **state)
{
	struct both *b = both_new(1, 0, true);
	int64_t bound =
		b->cdr[0].end + 5 * SEC_US + b->w->conf.source[0].lateness_us;

	(void)state;
	cdr(b, 0);
	engine_tick(b->g, bound - 1);
	assert_int_equal(engine_stats(b->g).calls, 0);
	engine_tick(b->g, bound);
	assert_int_equal(engine_stats(b->g).calls, 1);
	assert_int_equal(engine_stats(b->g).unpaired, 1);
	both_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sip_first),
		cmocka_unit_test(cdr_first),
		cmocka_unit_test(cdr_two_hours_late),
		cmocka_unit_test(one_in_a_hundred_missing_on_either_side),
		cmocka_unit_test(identical_calls_at_once),
		cmocka_unit_test(the_witness_is_believed_about_money),
		cmocka_unit_test(strangers_are_not_paired),
		cmocka_unit_test(the_nearest_is_taken),
		cmocka_unit_test(the_same_key_needs_no_pairing),
		cmocka_unit_test(waiting_ends_with_the_lateness_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
