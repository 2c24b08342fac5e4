/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "collector/cdr/profile.c"

static int64_t at(const char *text)
{
	int64_t us = 0;

	if (*text)
		assert_true(time_parse(sv_of(text), &us));
	return us;
}

static void times_by_format(void **state)
{
	/* clang-format off */
	static const struct { const char *format, *text, *want; } c[] = {
		{"%d/%m/%Y %H:%M:%S", "17/01/2026 02:24:05", "2026-01-17T02:24:05Z"},
		{"%d/%m/%y %H:%M", "7/1/26 2:04", "2026-01-07T02:04:00Z"},
		{"%Y%m%d%H%M%S", "20260117022405", "2026-01-17T02:24:05Z"},
		{"%d %b %Y %I:%M:%S %p", "17 Jan 2026 12:24:05 am", "2026-01-17T00:24:05Z"},
		{"%d %b %Y %I:%M:%S %p", "17 JAN 2026 12:24:05 PM", "2026-01-17T12:24:05Z"},
		{"%Y-%m-%d %H:%M:%S.%f", "2026-01-17 02:24:05.25", "2026-01-17T02:24:05.25Z"},
		{"%Y-%m-%d %H:%M:%S.%f", "2026-01-17 02:24:05.123456789", "2026-01-17T02:24:05.123456Z"},
		{"%d/%m/%Y", "31/02/2026", ""},
		{"%d/%m/%Y", "17/13/2026", ""},
		{"%d/%m/%Y", "17/01/2026 ", ""},
		{"%d/%m/%Y", "", ""},
		{"%I:%M %p %d/%m/%Y", "13:00 pm 17/01/2026", ""},
	};
	/* clang-format on */
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		int64_t us = 0;
		bool ok = profile_time(c[i].format, sv_of(c[i].text), &us);

		if (ok != (*c[i].want != 0) || (ok && us != at(c[i].want)))
			fail_msg("%s by %s", c[i].text, c[i].format);
	}
}

static void formats_are_checked(void **state)
{
	struct err e;

	(void)state;
	assert_true(profile_time_check("epoch", &e));
	assert_true(profile_time_check("%d/%m/%Y %H:%M", &e));
	assert_false(profile_time_check("%Q %d", &e));
	assert_false(profile_time_check("%", &e));
	assert_false(profile_time_check("%H:%M", &e));
}

static void header_of(char *text, char separator, struct csv_row *row)
{
	assert_int_equal(csv_next(text, strlen(text), separator, true, row),
			 CSV_OK);
}

static void a_wrong_header_names_the_column(void **state)
{
	static const struct profile own = {
		.name = "own",
		.column = {[FIELD_SETUP] = "Start", [FIELD_TALK] = "Secs"},
		.time = "epoch",
		.identity = {"RecordID"},
	};
	char full[] = "start,Secs,RecordID\n", less[] = "start,Secs\n";
	char none[] = "foo,bar\n";
	struct csv_row row;
	struct profile_map m;
	struct err e;

	(void)state;
	header_of(full, ',', &row);
	assert_true(profile_bind(&own, &row, &m, &e));
	header_of(less, ',', &row);
	assert_false(profile_bind(&own, &row, &m, &e));
	assert_non_null(strstr(e.text, "'RecordID'"));
	assert_non_null(strstr(e.text, "'own'"));
	header_of(none, ',', &row);
	assert_false(profile_bind(&profile_csv, &row, &m, &e));
	assert_non_null(strstr(e.text, "'setup'"));
	assert_non_null(strstr(e.text, "profiles:"));
}

static void rows(void **state)
{
	/* setup,answer,end,duration,talk,caller,callee,status */
	/* clang-format off */
	static const struct { const char *row; enum cdr_rc rc;
		const char *answer, *end; int talk; uint16_t status; uint32_t flags; } c[] = {
		{"2026-01-17T02:24:05Z,2026-01-17T02:24:10Z,2026-01-17T02:25:10Z,65,60,1,2,200",
		 CDR_OK, "2026-01-17T02:24:10Z", "2026-01-17T02:25:10Z", 60, 200, 0},
		{"2026-01-17T02:24:05+01:00,,,30,,1,2,486",
		 CDR_OK, "", "2026-01-17T01:24:35Z", -1, 486, 0},
		{"2026-01-17T02:24:05Z,2026-01-17T02:24:10Z,,,60,1,2,",
		 CDR_OK, "2026-01-17T02:24:10Z", "2026-01-17T02:25:10Z", 60, 0, 0},
		{"2026-07-17 02:24:05,,2026-07-17 02:24:35,30,,1,2,BUSY",
		 CDR_OK, "", "2026-07-17T01:24:35Z", -1, 486, 0},
		{"2026-01-17T02:24:05Z,,2026-01-17T02:25:10Z,65,60,1,2,",
		 CDR_OK, "", "2026-01-17T02:25:10Z", 60, 0, EVENT_INCONSISTENT},
		{",,,1,1,1,2,", CDR_START, "", "", 0, 0, 0},
		{"x,,,1,1,1,2,", CDR_START, "", "", 0, 0, 0},
		{"2026-01-17T02:24:05Z,,,,,1,2,", CDR_END, "", "", 0, 0, 0},
		{"2026-01-17T02:24:05Z,,,-1,,1,2,", CDR_SECONDS, "", "", 0, 0, 0},
		{"2026-01-17T02:24:05Z,,,1,,,,", CDR_NOBODY, "", "", 0, 0, 0},
		{"2026-01-17T02:24:05Z,,,1,,1,2,WHAT", CDR_STATUS, "", "", 0, 0, 0},
		{"2026-01-17T02:24:05Z,,,1", CDR_COLUMNS, "", "", 0, 0, 0},
	};
	/* clang-format on */
	char head[] = "setup,answer,end,duration,talk,caller,callee,status\n";
	struct csv_row header;
	struct profile_map m;
	struct cdr_clock clock = {0};
	struct zone *z;
	struct err e;

	(void)state;
	assert_true(zone_new(&z, "Europe/London", &e));
	clock.zone = z;
	header_of(head, ',', &header);
	assert_true(profile_bind(&profile_csv, &header, &m, &e));
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		char line[256];
		struct csv_row row;
		struct cdr_row out;

		snprintf(line, sizeof(line), "%s\n", c[i].row);
		header_of(line, ',', &row);
		if (profile_row(&m, &clock, &row, &out) != c[i].rc)
			fail_msg("%s", c[i].row);
		if (c[i].rc != CDR_OK)
			continue;
		assert_int_equal(out.answer_us, at(c[i].answer));
		assert_int_equal(out.end_us, at(c[i].end));
		assert_int_equal(out.talk_s, c[i].talk);
		assert_int_equal(out.status, c[i].status);
		assert_int_equal(out.flags, c[i].flags);
	}
	zone_free(z);
}

static void talk_without_an_answer_column(void **state)
{
	static const struct profile own = {
		.name = "own",
		.column = {[FIELD_SETUP] = "s",
			   [FIELD_DURATION] = "d",
			   [FIELD_TALK] = "t",
			   [FIELD_CALLEE] = "c"},
		.time = "epoch",
		.duration = DURATION_HMS,
	};
	char head[] = "s;d;t;c\n", line[] = "1768616645;0:01:05;60;x\n";
	struct csv_row row;
	struct profile_map m;
	struct cdr_clock clock = {0};
	struct cdr_row out;
	struct err e;

	(void)state;
	header_of(head, ';', &row);
	assert_true(profile_bind(&own, &row, &m, &e));
	header_of(line, ';', &row);
	assert_int_equal(profile_row(&m, &clock, &row, &out), CDR_OK);
	assert_int_equal(out.answer_us, 1768616650 * SEC_US);
	assert_int_equal(out.end_us, 1768616710 * SEC_US);
	assert_int_equal(out.talk_s, 60);
}

/* A row that carries the Call-ID has the key that SIP gives it. */
static void call_id_is_the_key(void **state)
{
	struct cdr_row row = {.call_id = SV("a84b4c76e66710@example.com")};
	struct event ev;
	uint8_t key[16];

	(void)state;
	hash128(&hash_public_key, row.call_id.p, row.call_id.n, key);
	cdr_event(&hash_public_key, SV("x"), &row, &ev);
	assert_memory_equal(ev.key.b, key, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_by_format),
		cmocka_unit_test(formats_are_checked),
		cmocka_unit_test(a_wrong_header_names_the_column),
		cmocka_unit_test(rows),
		cmocka_unit_test(talk_without_an_answer_column),
		cmocka_unit_test(call_id_is_the_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
