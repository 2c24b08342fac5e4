/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/snapshot.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/traffic.h"

struct run {
	struct world *w;
	struct kept *k;
	struct engine *g;
};

static struct run run_new(void)
{
	struct run r = {.w = world_new(), .k = xcalloc(1, sizeof(*r.k))};
	struct engine_sink sink = keep_sink(r.k);

	world_rules(r.w);
	r.w->conf.calls_max = 150; /* small enough to evict */
	r.g = engine_new(&r.w->conf, &sink);
	return r;
}

static void run_free(struct run *r)
{
	engine_free(r->g);
	world_free(r->w);
	free(r->k);
}

static FILE *save(const struct engine *g)
{
	FILE *f = tmpfile();
	struct err e;

	assert_non_null(f);
	if (!engine_save(g, f, &e))
		fail_msg("%s", e.text);
	rewind(f);
	return f;
}

/* Replace the engine by one that was loaded from its snapshot. */
static void restart(struct run *r)
{
	struct engine_sink sink = keep_sink(r->k);
	FILE *f = save(r->g);
	struct err e;

	engine_free(r->g);
	r->g = engine_new(&r->w->conf, &sink);
	if (!engine_load(r->g, f, &e))
		fail_msg("%s", e.text);
	fclose(f);
}

static char *bytes_of(const struct engine *g, size_t *n)
{
	FILE *f = save(g);
	char *p;

	fseek(f, 0, SEEK_END);
	*n = (size_t)ftell(f);
	rewind(f);
	p = xmalloc(*n);
	assert_int_equal(fread(p, 1, *n, f), *n);
	fclose(f);
	return p;
}

/* Witnesses of the sip source that find their primaries, or do not. */
static void also_cdr(const struct traffic *t, size_t i, struct engine *g)
{
	const struct traffic_event *e = &t->event[i];
	const struct traffic_call *c = &t->call[e->call];
	struct told told = {traffic_account[c->account],
			    traffic_callee[c->callee], c->setup + SEC_US / 2,
			    c->answer, c->end};

	if (e->phase != TELL_END || e->call % 3)
		return;
	if (e->call % 5 == 0)
		told.setup += 20 * SEC_US; /* too far away to pair */
	send_cdr(g, "cdr", UINT64_C(1) << 40 | e->call, &told);
}

/* Design section 6, identity (b): split over a snapshot, anywhere. */
static void a_restart_changes_nothing(void **state)
{
	struct traffic *t = traffic_new(7, 12000, when("2026-01-16T12:00:00Z"),
					60 * HOUR_US);
	struct run whole = run_new();
	struct run split = run_new();
	char *a;
	char *b;
	size_t n;
	size_t m;

	(void)state;
	for (size_t i = 0; i < t->n; i++) {
		if (traffic_upto(t, 300) == 0)
			restart(&split);
		traffic_send(t, i, whole.g);
		also_cdr(t, i, whole.g);
		traffic_send(t, i, split.g);
		also_cdr(t, i, split.g);
	}
	engine_finish(whole.g);
	engine_finish(split.g);
	assert_true(whole.k->n > 50);
	assert_true(engine_stats(whole.g).paired > 100);
	assert_true(engine_stats(whole.g).unpaired > 100);
	assert_true(engine_stats(whole.g).evicted > 0);
	assert_int_equal(whole.k->n, split.k->n);
	assert_memory_equal(whole.k->finding, split.k->finding,
			    sizeof(whole.k->finding));
	assert_int_equal(whole.k->n_exposures, split.k->n_exposures);
	assert_memory_equal(&whole.k->last, &split.k->last,
			    sizeof(whole.k->last));
	a = bytes_of(whole.g, &n);
	b = bytes_of(split.g, &m);
	assert_int_equal(n, m);
	assert_memory_equal(a, b, n);
	free(a);
	free(b);
	run_free(&whole);
	run_free(&split);
	traffic_free(t);
}

/* Another configuration: a rule came, one went, an account went.  What is
 * unchanged keeps its counts; what is new is counted from the calls held. */
static void a_changed_configuration_keeps_what_it_can(void **state)
{
	struct told c = {"acme", "+88216000001", when("2026-01-17T02:24:00Z"),
			 when("2026-01-17T02:24:00Z"), 0};
	struct run old = run_new();
	struct run now = {.w = world_new(), .k = xcalloc(1, sizeof(*now.k))};
	struct engine_sink sink = keep_sink(now.k);
	FILE *f;
	struct err e;
	const struct account *a;

	(void)state;
	send_setup(old.g, "sip", 1, &c);
	send_answer(old.g, "sip", 1, &c);
	c.account = "beta";
	send_setup(old.g, "sip", 2, &c);
	world_rule(now.w, "R50", MEASURE_MINUTES, HOUR_US,
		   (int64_t[]){0, 2 * MIN_US, 0, 0});
	world_rule(now.w, "R01", MEASURE_SPEND, HOUR_US,
		   (int64_t[]){10 * POUND, 25 * POUND, 0, 0});
	now.w->conf.rule[1].usual = true;
	now.w->conf.rule[1].usual_days = 28;
	now.w->conf.rule[1].usual_factor_milli = 2000;
	now.w->conf.n_accounts = 1;
	now.g = engine_new(&now.w->conf, &sink);
	f = save(old.g);
	if (!engine_load(now.g, f, &e))
		fail_msg("%s", e.text);
	fclose(f);
	a = account_find(&now.g->accounts, SV("acme"));
	assert_true(
		a->counter[plan_find(&now.g->plan, 0, MEASURE_SPEND, HOUR_US)]
			.ring[0]
			.sum == (ring_num)8 * POUND * RING_UNIT);
	engine_tick(now.g, c.answer + 121 * SEC_US);
	assert_non_null(kept_find(now.k, "R50", 0));
	assert_int_equal(kept_find(now.k, "R50", 0)->time_us,
			 c.answer + 120 * SEC_US);
	assert_non_null(account_find(&now.g->accounts, SV("beta")));
	run_free(&old);
	run_free(&now);
}

static void a_damaged_file_is_refused(void **state)
{
	struct traffic *t =
		traffic_new(3, 300, when("2026-01-16T12:00:00Z"), HOUR_US);
	struct run r = run_new();
	char *bytes;
	size_t n;

	(void)state;
	for (size_t i = 0; i < t->n; i++)
		traffic_send(t, i, r.g);
	bytes = bytes_of(r.g, &n);
	for (size_t cut = 0; cut < n; cut += 997) {
		struct run other = run_new();
		FILE *f = fmemopen(bytes, cut ? cut : 1, "r");
		struct err e;

		assert_false(engine_load(other.g, f, &e));
		fclose(f);
		run_free(&other);
	}
	free(bytes);
	run_free(&r);
	traffic_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_restart_changes_nothing),
		cmocka_unit_test(a_changed_configuration_keeps_what_it_can),
		cmocka_unit_test(a_damaged_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
