/* SPDX-License-Identifier: Apache-2.0 */
/* Nights of one incident, decided fact by fact. */
#include "alerter/escalate.c"

#include "world.h"

static struct world w;

static int setup(void **state)
{
	(void)state;
	world_init(&w);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_free(&w);
	return 0;
}

static struct incident *begin(enum severity severity, int64_t exposure)
{
	struct finding f;

	world_finding(&f, 1, severity, exposure);
	join_finding(&w.d, &f);
	return book_find(&w.book, 1);
}

static void at(int64_t after_us)
{
	w.d.now_us = WORLD_T0 * SEC_US + after_us;
}

static unsigned pages_of(const struct incident *i, const char *person)
{
	unsigned n = 0;

	for (size_t k = 0; k < i->n_pages; k++)
		n += strcmp(i->page[k].person, person) == 0 &&
		     i->page[k].state != PAGE_CANCELLED;
	return n;
}

static void test_steps_in_their_time(void **state)
{
	struct incident *i = begin(SEVERITY_CRITICAL, POUND);

	(void)state;
	world_deliver(&w);
	assert_int_equal(pages_of(i, "alex"), 2);
	assert_int_equal(escalate_when(&w.d, i),
			 WORLD_T0 * SEC_US + 5 * MIN_US);
	at(5 * MIN_US - 1);
	escalate_due(&w.d, i);
	assert_int_equal(pages_of(i, "sam"), 0);
	at(5 * MIN_US);
	escalate_due(&w.d, i);
	assert_int_equal(pages_of(i, "sam"), 1);
	at(10 * MIN_US);
	escalate_due(&w.d, i);
	assert_int_equal(pages_of(i, "priya"), 1);
	at(25 * MIN_US);
	escalate_due(&w.d, i);
	assert_int_equal(pages_of(i, "priya"), 2);
	assert_int_equal(i->page[i->n_pages - 1].reason, REASON_REPEAT);
}

static void test_a_warning_wakes_no_second_person(void **state)
{
	struct incident *i = begin(SEVERITY_WARNING, POUND);
	struct finding f;

	(void)state;
	world_deliver(&w);
	assert_int_equal(escalate_when(&w.d, i), INT64_MAX);
	world_finding(&f, 2, SEVERITY_CRITICAL, 2 * POUND);
	at(MIN_US);
	join_finding(&w.d, &f);
	assert_int_equal(w.book.n, 1);
	assert_int_equal(i->severity, SEVERITY_CRITICAL);
	assert_int_equal(i->page[2].reason, REASON_SEVERITY);
	assert_int_equal(escalate_when(&w.d, i),
			 WORLD_T0 * SEC_US + 6 * MIN_US);
}

static void test_the_same_finding_again_is_nothing(void **state)
{
	struct incident *i = begin(SEVERITY_CRITICAL, POUND);
	size_t facts = w.entry.n;
	struct finding f;

	(void)state;
	world_finding(&f, 1, SEVERITY_CRITICAL, POUND);
	join_finding(&w.d, &f);
	assert_int_equal(w.entry.n, facts);
	assert_int_equal(i->findings, 1);
}

static void test_doubled_pounds_tell_again(void **state)
{
	static const struct {
		int64_t pence;
		unsigned pages; /* of alex, who has two contacts */
	} row[] = {
		{100, 2}, {199, 2},  {200, 4},	{399, 4},
		{400, 6}, {5000, 8}, {9999, 8},
	};
	struct incident *i = begin(SEVERITY_CRITICAL, 50 * PENNY);
	struct exposure x;

	(void)state;
	world_deliver(&w);
	for (size_t k = 0; k < ARRAY_LEN(row); k++) {
		world_exposure(&x, row[k].pence * PENNY);
		join_exposure(&w.d, &x);
		world_deliver(&w);
		assert_int_equal(pages_of(i, "alex"), row[k].pages);
	}
	assert_int_equal(i->exposure_at_first_page, 50 * PENNY);
}

static void test_acknowledged_is_quiet_until_it_expires(void **state)
{
	struct incident *i = begin(SEVERITY_CRITICAL, POUND);
	const struct act a = {.ref = 1, .person = "alex", .via = "shell"};
	struct exposure x;
	struct finding f;
	struct err e;
	size_t pages;

	(void)state;
	world_deliver(&w);
	at(MIN_US);
	assert_true(act_ack(&w.d, &a, &e));
	pages = i->n_pages;
	assert_int_equal(i->state, INCIDENT_ACKED);
	assert_int_equal(i->page[1].state, PAGE_CANCELLED);
	world_exposure(&x, 500 * POUND);
	join_exposure(&w.d, &x);
	world_finding(&f, 2, SEVERITY_CRITICAL, 600 * POUND);
	join_finding(&w.d, &f);
	at(30 * MIN_US);
	escalate_due(&w.d, i);
	assert_int_equal(i->n_pages, pages);
	at(31 * MIN_US);
	assert_int_equal(escalate_when(&w.d, i), w.d.now_us);
	escalate_due(&w.d, i);
	assert_int_equal(i->state, INCIDENT_OPEN);
	assert_int_equal(i->page[pages].reason, REASON_EXPIRED);
	assert_string_equal(i->page[pages].person, "alex");
}

static void fail_page(uint32_t no, enum send_result how)
{
	struct send_outcome o = {.result = how, .error = "550 no such user"};
	struct incident *i;
	struct page *p = book_page(&w.book, no, &i);

	delivery_begin(&w.d, i, p);
	delivery_end(&w.d, no, &o);
}

static void test_failure_moves_on_at_once(void **state)
{
	struct incident *i = begin(SEVERITY_CRITICAL, POUND);

	(void)state;
	/* alex's e-mail fails for good: the webhook does not wait */
	fail_page(1, SEND_PERMANENT);
	assert_int_equal(i->page[1].due_us, w.d.now_us);
	assert_int_equal(i->n_pages, 2);
	/* and so does that: sam at once, not after five minutes */
	fail_page(2, SEND_PERMANENT);
	assert_int_equal(pages_of(i, "sam"), 1);
	fail_page(3, SEND_PERMANENT);
	assert_int_equal(pages_of(i, "priya"), 1);
	assert_false(i->nobody);
	fail_page(4, SEND_PERMANENT);
	assert_true(i->nobody);
}

static void test_temporary_failure_is_tried_again(void **state)
{
	static const int64_t pause_s[] = {5, 15, 30, 60, 120};
	struct incident *i = begin(SEVERITY_CRITICAL, POUND);

	(void)state;
	for (unsigned k = 0; k < ARRAY_LEN(pause_s); k++) {
		fail_page(1, SEND_TEMPORARY);
		assert_int_equal(i->page[0].state, PAGE_FAILED_TEMPORARY);
		assert_in_range(i->page[0].due_us - w.d.now_us,
				pause_s[k] * SEC_US,
				pause_s[k] * SEC_US * 5 / 4);
		w.d.now_us = i->page[0].due_us;
	}
	fail_page(1, SEND_TEMPORARY);
	assert_int_equal(i->page[0].state, PAGE_FAILED_PERMANENT);
	assert_int_equal(i->page[0].attempts, DELIVERY_TRIES);
}

static void test_a_restart_ends_what_was_under_way(void **state)
{
	static const struct {
		bool acked;
		enum page_state want;
	} row[] = {
		{false, PAGE_FAILED_TEMPORARY},
		{true, PAGE_CANCELLED},
	};
	const struct act ack = {.ref = 1, .person = "alex", .via = "shell"};
	struct err e;

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(row); k++) {
		struct incident *i = begin(SEVERITY_CRITICAL, POUND);

		delivery_begin(&w.d, i, &i->page[0]);
		if (row[k].acked)
			assert_true(act_ack(&w.d, &ack, &e));
		delivery_recover(&w.d, i);
		assert_int_equal(i->page[0].state, row[k].want);
		assert_int_equal(i->page[0].attempts, 1);
		assert_string_equal(i->page[0].error,
				    "interrupted by a restart");
		if (!row[k].acked)
			assert_int_equal(i->page[0].due_us, w.d.now_us);
		world_free(&w);
		world_init(&w);
	}
}

static void test_a_restart_sends_a_test_page_again(void **state)
{
	uint32_t first;

	(void)state;
	act_page_test(&w.d, &w.person[1], &first);
	delivery_begin(&w.d, NULL, &w.book.test[0]);
	delivery_recover(&w.d, NULL);
	assert_int_equal(w.book.test[0].state, PAGE_FAILED_TEMPORARY);
	assert_int_equal(w.book.test[0].due_us, w.d.now_us);
}

static void test_people_act(void **state)
{
	struct act a = {.ref = 1,
			.person = "sam",
			.via = "shell",
			.verdict = VERDICT_FRAUD};
	struct incident *i = begin(SEVERITY_CRITICAL, POUND);
	struct finding f;
	struct err e;

	(void)state;
	assert_true(act_escalate(&w.d, &a, &e));
	assert_int_equal(pages_of(i, "sam"), 1);
	assert_true(act_resolve(&w.d, &a, &e));
	assert_int_equal(i->state, INCIDENT_RESOLVED);
	assert_false(act_ack(&w.d, &a, &e));
	assert_string_equal(e.text, "incident 1 was resolved by sam");
	a.ref = 9;
	assert_false(act_ack(&w.d, &a, &e));
	/* what comes later is another incident */
	world_finding(&f, 7, SEVERITY_CRITICAL, POUND);
	join_finding(&w.d, &f);
	assert_int_equal(w.book.n, 2);
}

static void test_nobody_configured_is_on_the_record(void **state)
{
	struct incident *i;

	(void)state;
	w.conf.n_escalations = 0;
	i = begin(SEVERITY_CRITICAL, POUND);
	assert_true(i->nobody);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_steps_in_their_time),
		T(test_a_warning_wakes_no_second_person),
		T(test_the_same_finding_again_is_nothing),
		T(test_doubled_pounds_tell_again),
		T(test_acknowledged_is_quiet_until_it_expires),
		T(test_failure_moves_on_at_once),
		T(test_temporary_failure_is_tried_again),
		T(test_a_restart_ends_what_was_under_way),
		T(test_a_restart_sends_a_test_page_again),
		T(test_people_act),
		T(test_nobody_configured_is_on_the_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
