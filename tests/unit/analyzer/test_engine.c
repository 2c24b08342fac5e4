/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/engine.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "analyzer/ledger.h"
#include "tests/support/script.h"

/* Saturday 02:24, Friday 15:00; the office is open mon-fri 08:00-18:00. */
#define NIGHT "2026-01-17T02:24:00Z"

struct site {
	struct world *w;
	struct kept *k;
	struct engine *g;
};

static int open_site(void **state)
{
	struct site *s = xcalloc(1, sizeof(*s));
	struct engine_sink sink;

	s->w = world_new();
	world_rules(s->w);
	s->k = xcalloc(1, sizeof(*s->k));
	sink = keep_sink(s->k);
	s->g = engine_new(&s->w->conf, &sink);
	*state = s;
	return 0;
}

static int close_site(void **state)
{
	struct site *s = *state;

	engine_free(s->g);
	world_free(s->w);
	free(s->k);
	free(s);
	return 0;
}

/* Value of the first counter of an account with this measure and window that
 * matches everything outbound, inside + outside, in 1/RING_UNIT. */
static ring_num total(const struct site *s, const char *account,
		      unsigned measure, int64_t within)
{
	const struct account *a = account_find(&s->g->accounts, sv_of(account));
	int d = plan_find(&s->g->plan, 0, measure, within);

	if (d < 0 || !a || !a->counter)
		return 0;
	if (s->g->plan.def[d].kind == DEF_SESSION)
		return a->counter[d].session[0].value +
		       a->counter[d].session[1].value;
	return a->counter[d].ring[0].sum + a->counter[d].ring[1].sum;
}

static int64_t spent(const struct site *s, const char *account)
{
	ring_num v = total(s, account, MEASURE_SPEND, HOUR_US);

	assert_true(v % RING_UNIT == 0);
	return (int64_t)(v / RING_UNIT);
}

/* ---- phases ---- */

enum { S = 1, A, E, D /* a CDR */ };

static void phases_in_any_order_count_the_same(void **state)
{
	static const int order[][4] = {
		{S, A, E}, {S, E, A}, {A, S, E}, {A, E, S}, {E, S, A},
		{E, A, S}, {D},	      {S, D},	 {S, A, D}, {D, S, A},
		{D, D, D}, {S, S, A}, {A, D, E},
	};
	struct told c = {"acme", "+21698000001", when(NIGHT),
			 when(NIGHT) + 7 * SEC_US, when(NIGHT) + 137 * SEC_US};
	/* 130 s are 132 in steps of 6 */
	int64_t charge = 1500000 + (37111111 * INT64_C(132) + 59) / 60;

	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		struct site *s;
		bool ended = false;

		if (i) {
			close_site(state);
			open_site(state);
		}
		s = *state;
		for (int k = 0; k < 4; k++) {
			if (order[i][k] == S)
				send_setup(s->g, "sip", 1, &c);
			if (order[i][k] == A)
				send_answer(s->g, "sip", 1, &c);
			if (order[i][k] == E)
				send_end(s->g, "sip", 1, &c);
			if (order[i][k] == D)
				send_cdr(s->g, "sip", 1, &c);
			ended |= order[i][k] == E || order[i][k] == D;
		}
		assert_int_equal(engine_stats(s->g).calls, 1);
		assert_int_equal(engine_stats(s->g).live_calls, !ended);
		assert_true(total(s, "acme", MEASURE_CALLS, MIN_US) ==
				    RING_UNIT ||
			    ended);
		if (ended)
			assert_int_equal(spent(s, "acme"), charge);
	}
}

/* A record dated 2099 that is seen tonight counts tonight, and the windows
 * of all the others stay. */
static void nothing_is_seen_before_it_happens(void **state)
{
	struct site *s = *state;
	int64_t far = when("2099-01-01T00:00:00Z");
	struct told c = {"acme", "+21698000001", when(NIGHT), 0, 0};
	struct event ev;

	send_setup(s->g, "sip", 1, &c);
	ev = tell("sip", 2, &c);
	ev.phase = PHASE_END;
	ev.setup_us = far;
	ev.answer_us = far + SEC_US;
	ev.end_us = far + 61 * SEC_US;
	ev.observed_us = when(NIGHT);
	engine_event(s->g, &ev);
	assert_int_equal(engine_stats(s->g).ahead, 1);
	assert_int_equal(engine_clock(s->g), when(NIGHT) + 5 * SEC_US);
	assert_int_equal(spent(s, "acme"), /* 60 s */
			 1500000 + 37111111);
	assert_int_equal(engine_stats(s->g).calls, 2);
}

static void charge_runs_one_increment_ahead(void **state)
{
	struct site *s = *state;
	struct told c = {"acme", "+88216000001", when(NIGHT), when(NIGHT), 0};
	/* 60/60 at £8: what is charged t seconds after the answer */
	/* clang-format off */
	static const struct { int t; int64_t pounds_milli; } step[] = {
		{0, 8000}, {30, 12000}, {60, 16000}, {90, 20000},
	};
	/* clang-format on */

	send_setup(s->g, "sip", 1, &c);
	send_answer(s->g, "sip", 1, &c);
	for (size_t i = 0; i < ARRAY_LEN(step); i++) {
		int64_t t = c.answer + step[i].t * SEC_US;
		struct account *a;
		int d = plan_find(&s->g->plan, 0, MEASURE_SPEND, HOUR_US);

		engine_tick(s->g, t);
		a = account_find(&s->g->accounts, SV("acme"));
		counter_advance(s->g, a, (unsigned)d, t);
		assert_int_equal(spent(s, "acme"),
				 step[i].pounds_milli * POUND / 1000);
	}
	c.end = c.answer + 90 * SEC_US;
	send_end(s->g, "sip", 1, &c);
	assert_int_equal(spent(s, "acme"), 16 * POUND);
}

static void a_failed_call_may_be_answered_after_all(void **state)
{
	struct site *s = *state;
	struct told c = {"acme", "+4420794600", when(NIGHT), 0,
			 when(NIGHT) + SEC_US};

	c.callee = "+442079460001";
	send_setup(s->g, "sip", 1, &c);
	send_end(s->g, "sip", 1, &c); /* one fork was busy */
	assert_int_equal(engine_stats(s->g).live_calls, 0);
	c.answer = when(NIGHT) + 5 * SEC_US;
	send_answer(s->g, "sip", 1, &c);
	assert_int_equal(engine_stats(s->g).live_calls, 1);
	c.end = c.answer + 60 * SEC_US;
	send_end(s->g, "sip", 1, &c);
	assert_int_equal(engine_stats(s->g).live_calls, 0);
	assert_int_equal(spent(s, "acme"), 1234567);
}

static void a_call_moves_to_the_account_that_proved_itself(void **state)
{
	struct site *s = *state;
	struct told c = {"acme", "+442079460001", when(NIGHT),
			 when(NIGHT) + SEC_US, when(NIGHT) + 61 * SEC_US};

	send_setup(s->g, "sip", 1, &c);
	c.account = "beta";
	send_answer(s->g, "sip", 1, &c);
	send_end(s->g, "sip", 1, &c);
	assert_int_equal(spent(s, "acme"), 0);
	assert_int_equal(spent(s, "beta"), 1234567);
	assert_true(total(s, "acme", MEASURE_CALLS, MIN_US) == 0);
	assert_int_equal(engine_stats(s->g).calls, 1);
}

static void a_call_without_an_end_stops_accruing(void **state)
{
	struct site *s = *state;
	struct told c = {"taxi", "+442079460001", when(NIGHT), when(NIGHT), 0};

	send_setup(s->g, "sip", 1, &c);
	send_answer(s->g, "sip", 1, &c);
	engine_tick(s->g, c.answer + 13 * HOUR_US);
	assert_int_equal(engine_stats(s->g).live_calls, 0);
	assert_true(total(s, "taxi", MEASURE_SPEND, WITHIN_SESSION) ==
		    (ring_num)1234567 * 720 * RING_UNIT);
	/* and when the end comes after all, it is the truth */
	c.end = c.answer + 14 * HOUR_US;
	engine_tick(s->g, c.end);
	send_end(s->g, "sip", 1, &c);
	assert_true(total(s, "taxi", MEASURE_SPEND, WITHIN_SESSION) ==
		    (ring_num)1234567 * (c.end ? 840 : 0) * RING_UNIT);
}

static void emergency_and_inbound_count_toward_nothing(void **state)
{
	struct site *s = *state;
	struct told c = {"acme", "999", when(NIGHT), when(NIGHT), 0};
	struct event ev;

	for (uint64_t id = 1; id <= 30; id++)
		send_setup(s->g, "sip", id, &c);
	c.callee = "+25299000001";
	for (uint64_t id = 31; id <= 60; id++) {
		ev = tell("sip", id, &c);
		ev.phase = PHASE_SETUP;
		ev.setup_us = c.setup;
		ev.direction = DIRECTION_INBOUND;
		engine_event(s->g, &ev);
	}
	assert_int_equal(s->k->n, 0);
}

/* ---- time ---- */

static void afternoon_spending_never_meets_the_night_limit(void **state)
{
	struct site *s = *state;
	int64_t five = when("2026-01-16T17:00:00Z");
	struct told c = {"acme", "+4990000001", 0, 0, 0};

	/* 90 calls up over closing time, £26 of them before 18:00 */
	for (uint64_t id = 1; id <= 25; id++) {
		c.setup = five + (int64_t)id * MIN_US;
		c.answer = c.setup + SEC_US;
		send_setup(s->g, "sip", id, &c);
		send_answer(s->g, "sip", id, &c);
	}
	c.callee = "+88216000001";
	c.setup = c.answer = when("2026-01-16T17:57:00Z");
	send_setup(s->g, "sip", 99, &c);
	send_answer(s->g, "sip", 99, &c);
	c.end = when("2026-01-16T17:59:50Z");
	send_end(s->g, "sip", 99, &c); /* £24 */
	for (size_t i = 0; i < s->k->n; i++)
		assert_int_equal(s->k->finding[i].regime, REGIME_INSIDE);
	s->k->n = 0;
	engine_tick(s->g, when("2026-01-16T18:00:00Z"));
	engine_tick(s->g, when("2026-01-16T18:00:01Z"));
	assert_null(kept_find(s->k, "R01", 0));
	assert_null(kept_find(s->k, "R02", 0));
}

/* A session goes on over midnight and over a weekend. */
static void a_session_is_not_reset_at_midnight(void **state)
{
	struct site *s = *state;
	struct told c = {"acme", "+88216000001", 0, 0, 0};
	const struct finding *f;

	/* £8 at Fri 18:30, Fri 23:50, Sat 00:10, Sun 12:00, Mon 07:00 */
	static const char *const at[] = {"2026-01-16T18:30:00Z",
					 "2026-01-16T23:50:00Z",
					 "2026-01-17T00:10:00Z",
					 "2026-01-18T12:00:00Z",
					 "2026-01-19T07:00:00Z"};

	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		c.setup = c.answer = when(at[i]);
		c.end = c.answer + 55 * SEC_US;
		assert_null(kept_find(s->k, "R02", 0));
		send_setup(s->g, "sip", i + 1, &c);
		send_answer(s->g, "sip", i + 1, &c);
		send_end(s->g, "sip", i + 1, &c);
	}
	f = kept_find(s->k, "R02", 0);
	assert_non_null(f);
	assert_int_equal(f->term[0].observed, 40 * POUND);
	assert_int_equal(f->calls, 5); /* though four are long forgotten */
	assert_int_equal(f->exposure, 40 * POUND);
	assert_int_equal(f->exposure_retail, 45 * POUND);
	assert_int_equal(f->first_call_us, when(at[0]));
	assert_int_equal(f->window_start_us, when("2026-01-16T18:00:00Z"));
	/* Monday's opening ends it */
	engine_tick(s->g, when("2026-01-19T08:30:00Z"));
	c.setup = c.answer = when("2026-01-19T18:30:00Z");
	c.end = c.answer + SEC_US;
	send_cdr(s->g, "sip", 77, &c);
	assert_true(account_find(&s->g->accounts, SV("acme"))
			    ->counter[plan_find(&s->g->plan, 0, MEASURE_SPEND,
						WITHIN_SESSION)]
			    .session[REGIME_OUTSIDE]
			    .value == (ring_num)8 * POUND * RING_UNIT);
}

/* The crossing is found between events, to the microsecond. */
static void a_crossing_timer_fires_between_events(void **state)
{
	struct site *s = *state;
	/* 90p a minute, per second: £10 after 666.67 s, one second ahead */
	struct told c = {"acme", "+25299000001", when(NIGHT), when(NIGHT), 0};
	const struct finding *f;

	send_setup(s->g, "sip", 1, &c);
	send_answer(s->g, "sip", 1, &c);
	engine_tick(s->g, c.answer + HOUR_US / 2);
	f = kept_find(s->k, "R01", 0);
	assert_non_null(f);
	assert_int_equal(f->severity, SEVERITY_WARNING);
	assert_int_equal(f->time_us, c.answer + 665666667);
	assert_int_equal(f->term[0].observed, 10 * POUND);
	assert_int_equal(f->live_calls, 1);
	assert_int_equal(f->burn_per_min, 90 * PENNY);
	assert_string_equal(f->first_action, "Bar SO on trunk-1 of acme.");
	/* R09: £10 in one call, at the same instant */
	f = kept_find(s->k, "R09", 0);
	assert_non_null(f);
	assert_int_equal(f->time_us, c.answer + 665666667);
}

static void one_call_up_for_long_is_found_while_it_is_up(void **state)
{
	struct site *s = *state;
	struct told c = {"acme", "+4990000001", when(NIGHT), when(NIGHT), 0};
	const struct finding *f;

	send_setup(s->g, "sip", 1, &c);
	send_answer(s->g, "sip", 1, &c);
	engine_tick(s->g, c.answer + 61 * MIN_US);
	f = kept_find(s->k, "R09", 0);
	assert_non_null(f);
	assert_int_equal(f->severity, SEVERITY_WARNING);
	assert_int_equal(f->time_us, c.answer + 30 * MIN_US);
	f = kept_find(s->k, "R09", 1);
	assert_non_null(f);
	assert_int_equal(f->severity, SEVERITY_CRITICAL);
	assert_int_equal(f->time_us, c.answer + 60 * MIN_US);
	assert_null(kept_find(s->k, "R09", 2));
}

/* An account fed an hour late is judged at its own time, and the timers of
 * its calls do not run ahead of its feed. */
static void a_batch_account_lives_in_its_own_time(void **state)
{
	struct site *s = *state;
	struct told live = {"beta", "+442079460001", when(NIGHT) + HOUR_US, 0,
			    0};
	struct told c = {"acme", "+25299000001", when(NIGHT), when(NIGHT),
			 when(NIGHT) + 2 * MIN_US};

	send_setup(s->g, "sip", 1, &live);
	send_setup(s->g, "hourly", 2, &c);
	send_answer(s->g, "hourly", 2, &c);
	live.setup += SEC_US;
	send_setup(s->g, "sip", 3, &live);
	assert_null(kept_find(s->k, "R01", 0));
	send_end(s->g, "hourly", 2, &c);
	assert_int_equal(spent(s, "acme"), 180 * PENNY);
	assert_int_equal(engine_stats(s->g).late, 0);
}

static void late_events_fall_into_the_window_they_belong_to(void **state)
{
	struct site *s = *state;
	int64_t t = when(NIGHT);
	struct told c = {"acme", "+442079460001", t, 0, 0};
	const struct finding *f;

	/* nine attempts, then one hour later, then the tenth of the nine */
	for (uint64_t id = 1; id <= 9; id++) {
		c.setup = t + (int64_t)id * SEC_US;
		send_setup(s->g, "sip", id, &c);
	}
	c.setup = t + HOUR_US;
	send_setup(s->g, "sip", 50, &c);
	assert_null(kept_find(s->k, "R10", 0));
	c.setup = t + 30 * SEC_US;
	send_setup(s->g, "sip", 51, &c);
	f = kept_find(s->k, "R10", 0);
	assert_non_null(f);
	assert_int_equal(f->time_us, t + 30 * SEC_US);
	assert_int_equal(f->term[0].observed, 10);
	assert_int_equal(engine_stats(s->g).late, 0);
	/* three hours late: counted, and judged by itself */
	c.setup = t - 3 * HOUR_US;
	c.callee = "+25299000001";
	c.setup = t - 3 * HOUR_US;
	send_setup(s->g, "sip", 52, &c);
	c.setup = t + HOUR_US;
	send_setup(s->g, "sip", 53, &c);
	c.setup = t - 3 * HOUR_US;
	send_setup(s->g, "sip", 54, &c);
	assert_true(engine_stats(s->g).late >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			nothing_is_seen_before_it_happens, open_site,
			close_site),
#define T(f) cmocka_unit_test_setup_teardown(f, open_site, close_site)
		T(phases_in_any_order_count_the_same),
		T(charge_runs_one_increment_ahead),
		T(a_failed_call_may_be_answered_after_all),
		T(a_call_moves_to_the_account_that_proved_itself),
		T(a_call_without_an_end_stops_accruing),
		T(emergency_and_inbound_count_toward_nothing),
		T(afternoon_spending_never_meets_the_night_limit),
		T(a_session_is_not_reset_at_midnight),
		T(a_crossing_timer_fires_between_events),
		T(one_call_up_for_long_is_found_while_it_is_up),
		T(a_batch_account_lives_in_its_own_time),
		T(late_events_fall_into_the_window_they_belong_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
