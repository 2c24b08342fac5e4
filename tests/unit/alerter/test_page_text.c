/* SPDX-License-Identifier: Apache-2.0 */
#include "alerter/page_text.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <jansson.h>

#include "common/utf8.h"

static int64_t at(const char *utc)
{
	int64_t us;

	if (!time_parse(sv_of(utc), &us))
		fail_msg("%s", utc);
	return us;
}

static int64_t gbp(const char *text)
{
	int64_t v;

	if (!money_parse(sv_of(text), &v))
		fail_msg("%s", text);
	return v;
}

struct world {
	struct person person[3];
	struct alerter_conf conf;
	struct incident in;
	struct page page[4];
	struct page_text text;
};

static void begin(struct world *w)
{
	struct err e;

	*w = (struct world){
		.person = {{.id = "alex", .name = "Alex Example"},
			   {.id = "sam", .name = "Sam Sample"},
			   {.id = "priya", .name = "Priya Pattern"}},
		.conf = {.site = "example",
			 .timezone = "Europe/London",
			 .acknowledge_us = 30 * MIN_US,
			 .n_people = 3},
		.in = {.ref = 1042,
		       .severity = SEVERITY_CRITICAL,
		       .family = "toll",
		       .subject = "account:acme",
		       .account = "acme",
		       .account_name = "ACME Ltd",
		       .opened_us = at("2026-01-17T02:25:00Z"),
		       .first_call_us = at("2026-01-17T02:24:00Z"),
		       .n_pages = 4},
		.page = {{.no = 1,
			  .person = "alex",
			  .reason = REASON_OPENED,
			  .channel = CHANNEL_EMAIL,
			  .queued_us = at("2026-01-17T02:25:00Z"),
			  .sent_us = at("2026-01-17T02:25:01Z")},
			 {.no = 2,
			  .person = "alex",
			  .reason = REASON_OPENED,
			  .channel = CHANNEL_WEBHOOK,
			  .sent_us = at("2026-01-17T02:25:01Z")},
			 {.no = 3, .person = "priya", .reason = REASON_STEP},
			 {.no = 4,
			  .person = "sam",
			  .reason = REASON_DOUBLED,
			  .queued_us = at("2026-01-17T02:40:00Z")}},
	};
	w->conf.person = w->person;
	w->in.page = w->page;
	w->in.now = (struct fact_exposure){.exposure = gbp("\xc2\xa3"
							   "412.09"),
					   .burn_per_min = gbp("\xc2\xa3"
							       "23.40"),
					   .projection = gbp("\xc2\xa3"
							     "12399.70"),
					   .calls = 47,
					   .live_calls = 3};
	w->in.worst = (struct fact_finding){
		.calls = 47,
		.country_calls = 47,
		.rule = "R01",
		.name = "spend-60m",
		.trunk = "PBX-ACME-01",
		.country = "SO",
		.callee = "+2526****34",
		.first_action = "Bar international on PBX-ACME-01."};
	assert_true(zone_new(&w->conf.zone, w->conf.timezone, &e));
}

static void make(struct world *w, const struct page *p, bool test)
{
	page_text(&w->text, &w->conf, test ? NULL : &w->in, p,
		  at("2026-01-17T02:45:00Z"));
}

static void end(struct world *w)
{
	page_text_free(&w->text);
	zone_free(w->conf.zone);
}

static void the_page_of_the_night(void **state)
{
	struct world w;

	(void)state;
	begin(&w);
	make(&w, &w.page[3], false);
	assert_string_equal(
		w.text.subject,
		"Tollwatch CRITICAL 1042: ACME Ltd, 47 calls to Somalia since "
		"02:24, \xc2\xa3"
		"412 so far, +\xc2\xa3"
		"23/min. Bar "
		"international on PBX-ACME-01. tollwatch ack 1042");
	assert_string_equal(
		w.text.body,
		"CRITICAL, incident 1042\n"
		"\n"
		"Do first        Bar international on PBX-ACME-01.\n"
		"Take it         tollwatch ack 1042 (no more pages for 30 "
		"min)\n"
		"\n"
		"Account         ACME Ltd (acme)\n"
		"Trunk           PBX-ACME-01\n"
		"Cost so far     \xc2\xa3"
		"412\n"
		"Now             \xc2\xa3"
		"23 a minute\n"
		"If left alone   \xc2\xa3"
		"12,400 by the next change of hours\n"
		"Calls           47, 3 of them up now\n"
		"Most to         Somalia\n"
		"Dearest to      +2526****34\n"
		"Since           02:24\n"
		"Rule            R01 spend-60m\n"
		"\n"
		"Why this page   it has cost twice what the last page said\n"
		"Also told       Alex Example, 02:25\n"
		"\n"
		"All of it: tollwatch show 1042\n"
		"Pass it on: tollwatch escalate 1042\n");
	end(&w);
}

/* What a change of one thing makes of the subject. */
static void subjects(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name, *account, *subject, *action, *spent, *burn;
		uint32_t calls, to;
		const char *country, *since, *want;
	} c[] = {
		{"ACME Ltd", "acme", "account:acme", "Bar it.", "\xc2\xa3" "4.50", "\xc2\xa3" "0.90", 1, 1, "SO", "2026-01-17T02:24:00Z",
		 "Tollwatch CRITICAL 1042: ACME Ltd, 1 call to Somalia since 02:24, \xc2\xa3" "4.50 so far, +\xc2\xa3" "0.90/min. Bar it. tollwatch ack 1042"},
		/* summer, yesterday; no call up; country of half the calls */
		{"ACME Ltd", "acme", "account:acme", "", "\xc2\xa3" "9", "\xc2\xa3" "0", 4, 2, "SO", "2025-07-16T22:30:00Z",
		 "Tollwatch CRITICAL 1042: ACME Ltd, 4 calls since Wed 16 Jul 23:30, \xc2\xa3" "9 so far. Look at its calls now. tollwatch ack 1042"},
		{"ACME Ltd", "acme", "account:acme", "Bar it.", "\xc2\xa3" "1234567.50", "\xc2\xa3" "1000", 4, 3, "CI", "2026-01-17T02:24:00Z",
		 "Tollwatch CRITICAL 1042: ACME Ltd, 4 calls mostly to Ivory Coast since 02:24, \xc2\xa3" "1,234,568 so far, +\xc2\xa3" "1,000/min. Bar it. tollwatch ack 1042"},
		/* a feed: no account, no cost, no call */
		{"", "", "feed:sbc-1", "Look at sbc-1.", "\xc2\xa3" "0", "\xc2\xa3" "0", 0, 0, "", "2026-01-17T02:24:00Z",
		 "Tollwatch CRITICAL 1042: feed:sbc-1 since 02:24. Look at sbc-1. tollwatch ack 1042"},
		/* 001: international networks are no country */
		{"ACME Ltd", "acme", "account:acme", "Bar it.", "\xc2\xa3" "20", "\xc2\xa3" "0", 2, 2, "001", "2026-01-17T02:24:00Z",
		 "Tollwatch CRITICAL 1042: ACME Ltd, 2 calls since 02:24, \xc2\xa3" "20 so far. Bar it. tollwatch ack 1042"},
		/* hostile names */
		{"Caf\xc3\xa9 \xe2\x80\x98Z\xc3\xbcrich\xe2\x80\x99\r\nBcc: x@y", "acme", "account:acme", "Bar it.", "\xc2\xa3" "20", "\xc2\xa3" "0", 2, 2, "SO", "2026-01-17T02:24:00Z",
		 "Tollwatch CRITICAL 1042: Cafe 'Zurich' Bcc: x@y, 2 calls to Somalia since 02:24, \xc2\xa3" "20 so far. Bar it. tollwatch ack 1042"},
		{"\xd7\x90\xd7\x91\xe2\x80\xae\xd7\x92", "acme", "account:acme", "Bar it.", "\xc2\xa3" "20", "\xc2\xa3" "0", 2, 2, "SO", "2026-01-17T02:24:00Z",
		 "Tollwatch CRITICAL 1042: acme, 2 calls to Somalia since 02:24, \xc2\xa3" "20 so far. Bar it. tollwatch ack 1042"},
		{"\xf0\x9f\x94\xa5\xf0\x9f\x94\xa5 Grill {1} [~|^]\xff", "acme", "account:acme", "Bar it.", "\xc2\xa3" "20", "\xc2\xa3" "0", 2, 2, "SO", "2026-01-17T02:24:00Z",
		 "Tollwatch CRITICAL 1042: ? Grill (1) (-/')?, 2 calls to Somalia since 02:24, \xc2\xa3" "20 so far. Bar it. tollwatch ack 1042"},
		/* too long: the name is cut in the middle, then country and time go */
		{"Bartholomew Featherstonehaugh and Sons Limited", "b", "account:b", "Bar international on PBX-ACME-01.", "\xc2\xa3" "412", "\xc2\xa3" "23", 47, 47, "SO", "2026-01-17T02:24:00Z",
		 "Tollwatch CRITICAL 1042: Bartholomew ..ons Limited, 47 calls to Somalia since 02:24, \xc2\xa3" "412 so far, +\xc2\xa3" "23/min. Bar international on PBX-ACME-01. tollwatch ack 1042"},
		{"Bartholomew Featherstonehaugh and Sons Limited", "b", "account:b", "Bar international on PBX-ACME-01, then ring accounts at Bartholomew Featherstonehaugh and Sons", "\xc2\xa3" "412", "\xc2\xa3" "23", 47, 47, "SO", "2026-01-17T02:24:00Z",
		 "Tollwatch CRITICAL 1042: Barthol..Limited, \xc2\xa3" "412 so far, +\xc2\xa3" "23/min. Bar international on PBX-ACME-01, then ring accounts at Bartholomew Featherstonehaugh and Sons"},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		struct world w;

		begin(&w);
		sv_put(w.in.account_name, sizeof(w.in.account_name),
		       sv_of(c[i].name));
		sv_put(w.in.account, sizeof(w.in.account), sv_of(c[i].account));
		sv_put(w.in.subject, sizeof(w.in.subject), sv_of(c[i].subject));
		memset(w.in.worst.first_action, 0,
		       sizeof(w.in.worst.first_action));
		sv_put(w.in.worst.first_action, sizeof(w.in.worst.first_action),
		       sv_of(c[i].action));
		memset(w.in.worst.country, 0, sizeof(w.in.worst.country));
		sv_put(w.in.worst.country, sizeof(w.in.worst.country),
		       sv_of(c[i].country));
		w.in.now.exposure = gbp(c[i].spent);
		w.in.now.burn_per_min = gbp(c[i].burn);
		w.in.now.calls = w.in.worst.calls = c[i].calls;
		w.in.worst.country_calls = c[i].to;
		w.in.first_call_us = at(c[i].since);
		make(&w, &w.page[3], false);
		assert_string_equal(w.text.subject, c[i].want);
		assert_true(gsm_count(w.text.subject) <= SUBJECT_MAX);
		end(&w);
	}
}

/* Everything at its limit, fields full without a NUL, bytes that are no
 * text: one line of 160, £ and the whole action in it where they fit, no
 * control character anywhere, valid UTF-8 and JSON. */
static void nothing_breaks_the_texts(void **state)
{
	static const struct sv fill[] = {
		{"A", 1},
		{"\xff", 1},
		{"\r\n", 2},
		{"\xf0\x9f\x94\xa5", 4},
		{"\xe2\x80\xae", 3},
		{"\xc2\xa3", 2},
		{"\"\\", 2},
		{"\xc3", 1},
		{"%s%n", 4},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fill); i++) {
		struct world w;
		json_t *o;

		begin(&w);
#define FILL(f)                                                                \
	for (size_t k = 0; k < sizeof(f); k++)                                 \
	(f)[k] = fill[i].p[k % fill[i].n]
		FILL(w.in.account_name);
		FILL(w.in.account);
		FILL(w.in.subject);
		FILL(w.in.worst.first_action);
		FILL(w.in.worst.trunk);
		FILL(w.in.worst.callee);
		FILL(w.in.worst.country);
		FILL(w.in.worst.rule);
		FILL(w.in.worst.name);
		w.in.ref = UINT32_MAX;
		w.in.now = (struct fact_exposure){.exposure = INT64_MAX - POUND,
						  .burn_per_min =
							  INT64_MAX - POUND,
						  .projection = INT64_MAX -
								POUND / 2 - 1,
						  .calls = UINT32_MAX,
						  .live_calls = UINT32_MAX};
		make(&w, &w.page[3], false);
		assert_true(gsm_count(w.text.subject) <= SUBJECT_MAX);
		assert_non_null(strstr(w.text.subject,
				       "\xc2\xa3"
				       "92,233,720,368 so far"));
		for (const char *p = w.text.subject; *p; p++)
			assert_true((unsigned char)*p >= 0x20);
		for (const char *p = w.text.body; *p; p++)
			assert_true((unsigned char)*p >= 0x20 || *p == '\n');
		assert_true(utf8_valid(sv_of(w.text.body)));
		assert_null(strstr(w.text.body, "\xe2\x80\xae"));
		assert_true(strlen(w.text.json) < 20000);
		o = json_loads(w.text.json, 0, NULL);
		assert_non_null(o);
		json_decref(o);
		end(&w);
	}
}

static const char *string_at(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void the_json(void **state)
{
	struct world w;
	json_t *o, *d;

	(void)state;
	begin(&w);
	make(&w, &w.page[3], false);
	o = json_loads(w.text.json, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(o);
	d = json_object_get(o, "data");
	assert_string_equal(string_at(o, "type"), "incident.updated");
	assert_string_equal(string_at(o, "timestamp"),
			    "2026-01-17T02:40:00.000000Z");
	assert_int_equal(json_integer_value(json_object_get(d, "ref")), 1042);
	assert_string_equal(string_at(d, "exposure_gbp"), "412.09");
	assert_string_equal(string_at(d, "burn_gbp_min"), "23.40");
	assert_string_equal(string_at(d, "person"), "sam");
	assert_string_equal(string_at(d, "person_name"), "Sam Sample");
	assert_string_equal(string_at(d, "reason"), "doubled");
	assert_string_equal(string_at(d, "country_name"), "Somalia");
	assert_string_equal(string_at(d, "callee"), "+2526****34");
	assert_string_equal(string_at(d, "text"), w.text.subject);
	assert_true(json_is_null(json_object_get(d, "acked_by")));
	json_decref(o);
	end(&w);
}

static void a_test_page(void **state)
{
	struct world w;
	struct page p = {.no = 9,
			 .person = "priya",
			 .reason = REASON_TEST,
			 .queued_us = at("2026-01-17T02:44:00Z")};
	json_t *o;

	(void)state;
	begin(&w);
	make(&w, &p, true);
	assert_string_equal(w.text.subject,
			    "Tollwatch TEST for Priya Pattern: pages reach "
			    "you. Nothing is wrong.");
	assert_non_null(strstr(w.text.body, "nothing has to be done"));
	o = json_loads(w.text.json, 0, NULL);
	assert_string_equal(string_at(o, "type"), "page.test");
	json_decref(o);
	end(&w);
}

static void reasons_have_words(void **state)
{
	struct world w;
	char text[FIELD];

	(void)state;
	begin(&w);
	for (int r = REASON_OPENED; r < PAGE_REASONS; r++) {
		struct view v = {&w.conf, &w.in, &w.page[0], 0};

		w.page[0].reason = (enum page_reason)r;
		why(&v, text);
		assert_true(strlen(text) > 5);
	}
	end(&w);
}

static void countries_are_found(void **state)
{
	(void)state;
	assert_string_equal(country_name("AD"), "Andorra");
	assert_string_equal(country_name("SO"), "Somalia");
	assert_string_equal(country_name("ZW"), "Zimbabwe");
	assert_string_equal(country_name("001"), "");
	assert_string_equal(country_name(""), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_of_the_night),
		cmocka_unit_test(subjects),
		cmocka_unit_test(nothing_breaks_the_texts),
		cmocka_unit_test(the_json),
		cmocka_unit_test(a_test_page),
		cmocka_unit_test(reasons_have_words),
		cmocka_unit_test(countries_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
