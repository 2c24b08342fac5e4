/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/episode.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/script.h"

#define NIGHT "2026-01-17T02:24:00Z"

struct site {
	struct world *w;
	struct kept *k;
	struct engine *g;
	uint64_t id;
};

/* One rule: outside, warning and critical, of one measure and window. */
static struct site *site_new(enum measure m, int64_t within, int64_t warning,
			     int64_t critical)
{
	struct site *s = xcalloc(1, sizeof(*s));
	struct engine_sink sink;

	s->w = world_new();
	world_rule(s->w, "R01", m, within,
		   (int64_t[]){warning, critical, warning, critical});
	s->k = xcalloc(1, sizeof(*s->k));
	sink = keep_sink(s->k);
	s->g = engine_new(&s->w->conf, &sink);
	return s;
}

static void site_free(struct site *s)
{
	engine_free(s->g);
	world_free(s->w);
	free(s->k);
	free(s);
}

/* n attempts, a second apart, in an account's name. */
static void attempts(struct site *s, const char *account, int64_t from, int n)
{
	struct told c = {account, "+442079460001", from, 0, 0};

	for (int i = 0; i < n; i++, c.setup += SEC_US)
		send_setup(s->g, "sip", ++s->id, &c);
}

static void a_limit_fires_once_in_an_episode(void **state)
{
	struct site *s = site_new(MEASURE_CALLS, HOUR_US, 10, 20);
	int64_t t = when(NIGHT);
	const struct finding *warning = &s->k->finding[0];
	const struct finding *critical = &s->k->finding[1];

	(void)state;
	attempts(s, "acme", t, 9);
	assert_int_equal(s->k->n, 0);
	attempts(s, "acme", t + 9 * SEC_US, 1); /* observed >= limit */
	assert_int_equal(s->k->n, 1);
	attempts(s, "acme", t + 10 * SEC_US, 9);
	assert_int_equal(s->k->n, 1);
	attempts(s, "acme", t + 19 * SEC_US, 40);
	assert_int_equal(s->k->n, 2);
	assert_int_equal(warning->severity, SEVERITY_WARNING);
	assert_int_equal(warning->time_us, t + 9 * SEC_US);
	assert_int_equal(critical->severity, SEVERITY_CRITICAL);
	assert_int_equal(critical->time_us, t + 19 * SEC_US);
	assert_int_equal(critical->episode_us, warning->episode_us);
	assert_memory_not_equal(critical->id, warning->id, 16);
	assert_int_equal(critical->calls, 20);
	assert_int_equal(critical->n_evidence, FINDING_EVIDENCE);
	assert_string_equal(critical->key, "account:acme");
	site_free(s);
}

/* It ends when the value was below half of the lowest limit for a window, and
 * the next one has another id. */
static void an_episode_ends_after_a_quiet_window(void **state)
{
	struct site *s = site_new(MEASURE_CALLS, HOUR_US, 10, 0);
	int64_t t = when(NIGHT);

	(void)state;
	attempts(s, "acme", t, 10);
	assert_int_equal(s->k->n, 1);
	/* five in the next window keep it open: half is not below half */
	attempts(s, "acme", t + 50 * MIN_US, 5);
	engine_tick(s->g, t + 105 * MIN_US);
	assert_int_equal(s->k->last.open, 1);
	/* below half from 02:24 + 110 min, for an hour */
	engine_tick(s->g, t + 168 * MIN_US);
	assert_int_equal(s->k->last.open, 1);
	engine_tick(s->g, t + 172 * MIN_US);
	assert_int_equal(s->k->last.open, 0);
	assert_int_equal(engine_stats(s->g).timers, 0);
	attempts(s, "acme", t + 4 * HOUR_US, 10);
	assert_int_equal(s->k->n, 2);
	assert_memory_not_equal(s->k->finding[0].id, s->k->finding[1].id, 16);
	site_free(s);
}

static void exposure_follows_an_open_episode(void **state)
{
	struct site *s = site_new(MEASURE_SPEND, HOUR_US, 10 * POUND, 0);
	struct told c = {"acme", "+25299000001", when(NIGHT), when(NIGHT), 0};
	struct told before = {"acme", "+25299000001", when(NIGHT) - 20 * MIN_US,
			      when(NIGHT) - 20 * MIN_US,
			      when(NIGHT) - 18 * MIN_US};
	int64_t fired;

	(void)state;
	send_cdr(s->g, "sip", ++s->id, &before); /* £1.80, in the window */
	send_setup(s->g, "sip", 100, &c);
	send_answer(s->g, "sip", 100, &c);
	engine_tick(s->g, c.answer + 30 * MIN_US);
	assert_int_equal(s->k->n, 1);
	fired = s->k->finding[0].time_us;
	assert_int_equal(s->k->finding[0].exposure, 10 * POUND);
	assert_int_equal(s->k->finding[0].first_call_us, before.setup);
	assert_int_equal(s->k->n_exposures,
			 (c.answer + 30 * MIN_US - fired) / (10 * SEC_US));
	assert_int_equal(s->k->last.calls, 2);
	assert_int_equal(s->k->last.live_calls, 1);
	assert_int_equal(s->k->last.burn_per_min, 90 * PENNY);
	/* 90p a minute, a second ahead */
	assert_int_equal(s->k->last.exposure,
			 180 * PENNY + 90 * PENNY *
					       (s->k->last.time_us - c.answer +
						SEC_US) /
					       MIN_US);
	c.end = c.answer + 30 * MIN_US;
	send_end(s->g, "sip", 100, &c);
	engine_tick(s->g, c.end + 4 * HOUR_US);
	assert_int_equal(s->k->last.open, 0);
	assert_int_equal(s->k->last.live_calls, 0);
	/* the table has forgotten the calls, the exposure has not */
	assert_int_equal(engine_stats(s->g).tracked_calls, 0);
	assert_int_equal(s->k->last.exposure, 180 * PENNY + 27 * POUND);
	assert_int_equal(s->k->last.calls, 2);
	site_free(s);
}

static void two_different_warnings_make_a_critical(void **state)
{
	/* minutes between the two, and whether they combine */
	static const struct {
		int64_t apart;
		bool combine;
	} row[] = {{1, true}, {50, true}, {61, false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct site *s = site_new(MEASURE_CALLS, HOUR_US, 10, 1000);
		struct engine_sink sink = keep_sink(s->k);
		struct told c = {"acme", "+25299000001", 0, 0, 0};
		const struct finding *f;

		world_rule(s->w, "R02", MEASURE_SPEND, HOUR_US,
			   (int64_t[]){4 * POUND, 0, 0, 0});
		engine_free(s->g);
		s->g = engine_new(&s->w->conf, &sink);
		attempts(s, "acme", when(NIGHT), 10);
		c.setup = when(NIGHT) + row[i].apart * MIN_US;
		c.answer = c.setup;
		c.end = c.setup + 5 * MIN_US;
		send_cdr(s->g, "sip", ++s->id, &c);
		f = kept_find(s->k, "COMBI", 0);
		assert_int_equal(f != NULL, row[i].combine);
		if (f) {
			assert_int_equal(f->severity, SEVERITY_CRITICAL);
			assert_int_equal(f->n_terms, 2);
			assert_int_equal(f->term[0].measure, MEASURE_SPEND);
			assert_int_equal(f->term[1].measure, MEASURE_CALLS);
		}
		site_free(s);
	}
}

static void a_suppressed_rule_is_silent_until_it_ends(void **state)
{
	struct site *s = site_new(MEASURE_CALLS, HOUR_US, 10, 0);
	int64_t t = when(NIGHT);
	struct control k = {.kind = CONTROL_SUPPRESS,
			    .from_us = t,
			    .until_us = t + 30 * SEC_US};

	(void)state;
	sv_put(k.account, sizeof(k.account), SV("acme"));
	sv_put(k.rule, sizeof(k.rule), SV("R01"));
	engine_control(s->g, &k);
	attempts(s, "acme", t, 30);
	assert_int_equal(s->k->n, 0);
	attempts(s, "beta", t + 29 * SEC_US, 10);
	assert_int_equal(s->k->n, 1);
	attempts(s, "acme", t + 40 * SEC_US, 1);
	assert_int_equal(s->k->n, 2);
	site_free(s);
}

static void an_override_scales_the_floor(void **state)
{
	static const char *const names[] = {"acme", NULL};
	struct site *s = site_new(MEASURE_CALLS, HOUR_US, 10, 0);
	struct override o = {.rules = 1,
			     .factor_milli = 1500,
			     .until_us = when(NIGHT) + 2 * HOUR_US,
			     .text = "owner alex: agreed",
			     .accounts = names};

	(void)state;
	s->w->conf.override[0] = o;
	s->w->conf.n_overrides = 1;
	attempts(s, "acme", when(NIGHT), 14);
	assert_int_equal(s->k->n, 0);
	attempts(s, "acme", when(NIGHT) + MIN_US, 1);
	assert_int_equal(s->k->n, 1);
	assert_int_equal(s->k->finding[0].term[0].limit, 15);
	assert_int_equal(s->k->finding[0].term[0].floor, 10);
	assert_int_equal(s->k->finding[0].term[0].override_milli, 1500);
	assert_string_equal(s->k->finding[0].override, "owner alex: agreed");
	attempts(s, "beta", when(NIGHT) + 2 * MIN_US, 10);
	assert_int_equal(s->k->n, 2);
	/* it ends */
	attempts(s, "acme", when(NIGHT) + 6 * HOUR_US, 10);
	assert_int_equal(s->k->n, 3);
	site_free(s);
}

/* ---- usual ---- */

/* `n` attempts at 20:00 of each of so many days. */
static void days(struct site *s, int64_t first, int count, int n)
{
	for (int i = 0; i < count; i++)
		attempts(s, "acme", first + i * DAY_US, n);
}

static struct site *usual_new(void)
{
	struct site *s = site_new(MEASURE_CALLS, HOUR_US, 10, 0);
	struct engine_sink sink = keep_sink(s->k);

	s->w->conf.rule[0].usual = true;
	s->w->conf.rule[0].usual_days = 28;
	s->w->conf.rule[0].usual_factor_milli = 2000;
	engine_free(s->g);
	s->g = engine_new(&s->w->conf, &sink);
	return s;
}

static void the_usual_is_twice_the_largest_complete_day(void **state)
{
	struct site *s = usual_new();
	int64_t t = when("2026-01-05T20:00:00Z");
	const struct finding_term *term = &s->k->finding[0].term[0];

	(void)state;
	days(s, t, 3, 8);
	assert_int_equal(s->k->n, 0);
	/* twice eight: today's own eight more do not teach */
	attempts(s, "acme", t + 3 * DAY_US, 15);
	assert_int_equal(s->k->n, 0);
	attempts(s, "acme", t + 3 * DAY_US + MIN_US, 1);
	assert_int_equal(s->k->n, 1);
	assert_int_equal(term->limit, 16);
	assert_int_equal(term->usual, 8);
	assert_int_equal(term->usual_days, 3);
	/* 28 days later it is forgotten; the warning's day was 16 */
	engine_tick(s->g, t + 4 * DAY_US);
	attempts(s, "acme", t + 40 * DAY_US, 10);
	assert_int_equal(s->k->n, 2);
	assert_int_equal(s->k->finding[1].term[0].usual, 0);
	assert_int_equal(s->k->finding[1].term[0].usual_days, 28);
	site_free(s);
}

/* What happens by day teaches nothing about the night. */
static void regimes_learn_apart(void **state)
{
	struct site *s = usual_new();
	int64_t t = when("2026-01-05T14:00:00Z");

	(void)state;
	days(s, t, 3, 9);
	attempts(s, "acme", when("2026-01-08T20:00:00Z"), 10);
	assert_int_equal(s->k->n, 1);
	assert_int_equal(s->k->finding[0].term[0].usual, 0);
	site_free(s);
}

static void an_incident_teaches_nothing_until_its_verdict(void **state)
{
	static const struct {
		int verdict; /* 0: none yet */
		int64_t usual;
	} row[] = {{0, 0},
		   {VERDICT_EXPECTED, 9},
		   {VERDICT_TEST, 9},
		   {VERDICT_WRONG_RATE, 9},
		   {VERDICT_FRAUD, 0},
		   {VERDICT_OTHER, 0}};
	int64_t t = when("2026-01-05T20:00:00Z");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct site *s = usual_new();
		struct control k = {.kind = CONTROL_INCIDENT_OPEN,
				    .from_us = t};
		const struct finding *f;

		sv_put(k.account, sizeof(k.account), SV("acme"));
		attempts(s, "acme", t, 9);
		engine_control(s->g, &k);
		attempts(s, "acme", t + DAY_US, 1);
		k.kind = CONTROL_VERDICT;
		k.verdict = (uint8_t)row[i].verdict;
		if (row[i].verdict)
			engine_control(s->g, &k);
		attempts(s, "acme", t + 2 * DAY_US, 30);
		f = kept_find(s->k, "R01", 0);
		assert_non_null(f);
		assert_int_equal(f->term[0].usual, row[i].usual);
		site_free(s);
	}
}

static void a_critical_day_teaches_nothing(void **state)
{
	struct site *s = usual_new();
	int64_t t = when("2026-01-05T20:00:00Z");

	(void)state;
	s->w->conf.rule[0].limit[REGIME_OUTSIDE][1] =
		s->w->conf.rule[0].limit[REGIME_OUTSIDE][0];
	attempts(s, "acme", t, 500);
	attempts(s, "acme", t + 2 * DAY_US, 10);
	assert_int_equal(s->k->n, 2);
	assert_int_equal(s->k->finding[0].severity, SEVERITY_CRITICAL);
	assert_int_equal(s->k->finding[1].term[0].usual, 0);
	assert_int_equal(s->k->finding[1].term[0].usual_days, 1);
	site_free(s);
}

/* From Friday evening to Sunday noon without a pause: Saturday has no finding
 * of its own, and is no more usual than Friday. */
static void a_critical_over_midnight_teaches_nothing(void **state)
{
	struct site *s = usual_new();
	int64_t t = when("2026-01-09T20:00:00Z");

	(void)state;
	s->w->conf.rule[0].limit[REGIME_OUTSIDE][1] =
		s->w->conf.rule[0].limit[REGIME_OUTSIDE][0];
	for (int i = 0; i < 40 * 3; i++)
		attempts(s, "acme", t + i * 20 * MIN_US, 30);
	attempts(s, "acme", t + 3 * DAY_US, 10);
	assert_int_equal(s->k->n, 2);
	assert_int_equal(s->k->finding[0].severity, SEVERITY_CRITICAL);
	assert_int_equal(s->k->finding[1].term[0].usual, 0);
	assert_int_equal(s->k->finding[1].term[0].usual_days, 0);
	site_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_limit_fires_once_in_an_episode),
		cmocka_unit_test(an_episode_ends_after_a_quiet_window),
		cmocka_unit_test(exposure_follows_an_open_episode),
		cmocka_unit_test(two_different_warnings_make_a_critical),
		cmocka_unit_test(a_suppressed_rule_is_silent_until_it_ends),
		cmocka_unit_test(an_override_scales_the_floor),
		cmocka_unit_test(the_usual_is_twice_the_largest_complete_day),
		cmocka_unit_test(regimes_learn_apart),
		cmocka_unit_test(an_incident_teaches_nothing_until_its_verdict),
		cmocka_unit_test(a_critical_day_teaches_nothing),
		cmocka_unit_test(a_critical_over_midnight_teaches_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
