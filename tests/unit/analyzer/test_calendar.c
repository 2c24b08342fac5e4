/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/calendar.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { MON_FRI = 0x1f, MON_SUN = 0x7f, SAT = 0x20, FRI = 0x10 };

static const struct holiday ew[] = {
	{20454, "New Year's Day"}, /* 2026-01-01 */
	{20546, "Good Friday"},	   /* 2026-04-03 */
	{20549, "Easter Monday"},
	{20577, "Early May bank holiday"},
	{20812, "Christmas Day"}, /* 2026-12-25 */
	{20815, "Boxing Day (substitute)"},
};

static int64_t at(const char *text)
{
	int64_t us;

	if (!time_parse(sv_of(text), &us))
		fail_msg("bad time in a test: %s", text);
	return us;
}

static struct calendar *make(const struct opening *o, size_t n, bool holidays)
{
	struct calendar_spec spec = {.name = "test",
				     .timezone = "Europe/London",
				     .opening = o,
				     .n_opening = n};
	struct calendar *c;
	struct err e;

	if (holidays) {
		spec.holiday = ew;
		spec.n_holiday = ARRAY_LEN(ew);
		spec.division = "england-and-wales";
	}
	if (!calendar_new(&c, &spec, &e))
		fail_msg("%s", e.text);
	return c;
}

static const struct opening office_hours = {MON_FRI, 480, 1080};

/* Every hour of a summer week, where local time is UTC + 1. */
static void a_week_has_168_hours(void **state)
{
	struct calendar *c = make(&office_hours, 1, true);
	int64_t monday = at("2026-07-13T00:00:00Z") - HOUR_US; /* local */

	(void)state;
	for (int h = 0; h < 168; h++) {
		bool open = h / 24 < 5 && h % 24 >= 8 && h % 24 < 18;
		int64_t t = monday + h * HOUR_US;

		assert_int_equal(calendar_regime(c, t), open);
		assert_int_equal(calendar_regime(c, t + HOUR_US - 1), open);
		assert_int_equal(calendar_day(c, t), 20647 + h / 24);
		assert_int_equal(calendar_offset(c, t), 3600);
	}
	calendar_free(c);
}

/* Instants of the office calendar: verdict and the words for it. */
static void verdicts_with_reasons(void **state)
{
	/* clang-format off */
	static const struct { const char *t; int open; const char *reason; } want[] = {
		{"2026-01-16T17:59:59.999999Z", 1, "open: mon-fri 08:00-18:00"},
		{"2026-01-16T18:00:00.000000Z", 0, "closed: opens Mon 08:00"},
		{"2026-01-19T07:59:59.999999Z", 0, "closed: opens Mon 08:00"},
		{"2026-01-19T08:00:00.000000Z", 1, "open: mon-fri 08:00-18:00"},
		{"2026-01-17T02:24:00Z",        0, "closed: opens Mon 08:00"},
		/* holidays, and the bank-holiday weekend of Easter */
		{"2026-01-01T12:00:00Z", 0, "closed: New Year's Day (england-and-wales)"},
		{"2026-04-02T16:59:59Z", 1, "open: mon-fri 08:00-18:00"},
		{"2026-04-02T17:00:00Z", 0, "closed: opens Tue 08:00"},
		{"2026-04-03T10:00:00Z", 0, "closed: Good Friday (england-and-wales)"},
		{"2026-04-04T10:00:00Z", 0, "closed: opens Tue 08:00"},
		{"2026-04-06T10:00:00Z", 0, "closed: Easter Monday (england-and-wales)"},
		{"2026-04-07T06:59:59Z", 0, "closed: opens Tue 08:00"},
		{"2026-04-07T07:00:00Z", 1, "open: mon-fri 08:00-18:00"},
		/* the longest: Christmas Day and the substitute */
		{"2026-12-25T10:00:00Z", 0, "closed: Christmas Day (england-and-wales)"},
		{"2026-12-28T10:00:00Z", 0, "closed: Boxing Day (substitute) (england-and-wales)"},
		/* the first working days after each clock change */
		{"2026-03-27T17:59:59Z", 1, "open: mon-fri 08:00-18:00"},
		{"2026-03-30T06:59:59Z", 0, "closed: opens Mon 08:00"},
		{"2026-03-30T07:00:00Z", 1, "open: mon-fri 08:00-18:00"},
		{"2026-10-23T17:00:00Z", 0, "closed: opens Mon 08:00"},
		{"2026-10-26T07:59:59Z", 0, "closed: opens Mon 08:00"},
		{"2026-10-26T08:00:00Z", 1, "open: mon-fri 08:00-18:00"},
		/* beyond the table */
		{"2008-06-04T12:00:00Z", 0, "closed: opens Thu 08:00"},
		{"2041-06-05T12:00:00Z", 0, "closed: does not open again"},
	};
	/* clang-format on */
	struct calendar *c = make(&office_hours, 1, true);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		char reason[96];
		int64_t t = at(want[i].t);

		calendar_reason(c, t, reason, sizeof(reason));
		if (calendar_regime(c, t) != (enum regime)want[i].open)
			fail_msg("%s: wrong regime", want[i].t);
		assert_string_equal(reason, want[i].reason);
	}
	calendar_free(c);
}

/* 00:30-01:30 and 22:00-06:00 over the nights when the clocks change. */
static void clock_change_nights(void **state)
{
	/* clang-format off */
	static const struct { struct opening o; const char *from, *until; } want[] = {
		/* 29 March: 01:00Z is 02:00 BST, 01:30 does not exist */
		{{MON_SUN, 30, 90},   "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z"},
		{{MON_SUN, 90, 180},  "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"},
		{{MON_SUN, 1320, 360},"2026-03-28T22:00:00Z", "2026-03-29T05:00:00Z"},
		/* 25 October: 01:00-02:00 comes twice; the first counts */
		{{MON_SUN, 30, 90},   "2026-10-24T23:30:00Z", "2026-10-25T00:30:00Z"},
		{{MON_SUN, 90, 180},  "2026-10-25T00:30:00Z", "2026-10-25T03:00:00Z"},
		{{MON_SUN, 1320, 360},"2026-10-24T21:00:00Z", "2026-10-25T06:00:00Z"},
		/* overnight hours belong to the day they begin on */
		{{FRI, 1320, 360},    "2026-01-16T22:00:00Z", "2026-01-17T06:00:00Z"},
		{{FRI, 0, 1440},      "2026-01-16T00:00:00Z", "2026-01-17T00:00:00Z"},
		{{FRI, 600, 600},     "2026-01-16T10:00:00Z", "2026-01-17T10:00:00Z"},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		struct calendar *c = make(&want[i].o, 1, false);
		int64_t from = at(want[i].from);
		int64_t until = at(want[i].until);

		assert_int_equal(calendar_regime(c, from - 1), 0);
		assert_int_equal(calendar_regime(c, from), 1);
		assert_int_equal(calendar_regime(c, until - 1), 1);
		assert_int_equal(calendar_regime(c, until), 0);
		assert_int_equal(calendar_next(c, from), until);
		assert_int_equal(calendar_next(c, from - 1), from);
		assert_int_equal(calendar_since(c, until - 1), from);
		assert_int_equal(calendar_since(c, until), until);
		assert_int_equal(calendar_closed(c, from, until), 0);
		assert_int_equal(calendar_closed(c, from - 5, until + 7), 12);
		calendar_free(c);
	}
}

static void whole_skipped_hour_never_opens(void **state)
{
	struct opening o = {0x40, 65, 115}; /* sun 01:05-01:55 */
	struct calendar *c = make(&o, 1, false);

	(void)state;
	assert_int_equal(calendar_closed(c, at("2026-03-29T00:00:00Z"),
					 at("2026-03-30T00:00:00Z")),
			 24 * HOUR_US);
	calendar_free(c);
}

static void touching_hours_are_one_opening(void **state)
{
	struct opening o[] = {{FRI, 1320, 360}, {SAT, 360, 720}};
	struct calendar *c = make(o, 2, false);
	char reason[64];

	(void)state;
	assert_int_equal(calendar_next(c, at("2026-01-16T23:00:00Z")),
			 at("2026-01-17T12:00:00Z"));
	calendar_reason(c, at("2026-01-17T05:59:59Z"), reason, 64);
	assert_string_equal(reason, "open: fri 22:00-06:00");
	calendar_reason(c, at("2026-01-17T06:00:00Z"), reason, 64);
	assert_string_equal(reason, "open: sat 06:00-12:00");
	calendar_free(c);
}

static void a_holiday_does_not_cut_the_night_before(void **state)
{
	struct opening o = {MON_SUN, 1320, 360};
	struct calendar *c = make(&o, 1, true);

	(void)state;
	/* the night of Thursday runs into Good Friday, whose own does not */
	assert_int_equal(calendar_regime(c, at("2026-04-03T02:00:00Z")), 1);
	assert_int_equal(calendar_regime(c, at("2026-04-03T22:00:00Z")), 0);
	assert_int_equal(calendar_regime(c, at("2026-04-04T02:00:00Z")), 0);
	calendar_free(c);
}

static void always_and_never(void **state)
{
	struct opening all = {MON_SUN, 0, 1440};
	struct calendar *a = make(&all, 1, false);
	struct calendar *n = make(NULL, 0, false);
	int64_t t = at("2026-03-29T01:00:00Z");

	(void)state;
	assert_int_equal(calendar_regime(a, t), 1);
	assert_int_equal(calendar_next(a, t), INT64_MAX);
	assert_int_equal(calendar_since(a, t), INT64_MIN);
	assert_int_equal(calendar_closed(a, INT64_MIN, INT64_MAX), 0);
	assert_int_equal(calendar_regime(n, t), 0);
	assert_int_equal(calendar_next(n, t), INT64_MAX);
	assert_int_equal(calendar_since(n, t), INT64_MIN);
	assert_int_equal(calendar_closed(n, t, t + 5), 5);
	assert_int_equal(calendar_closed(n, t, t), 0);
	assert_int_equal(calendar_closed(n, t + 5, t), 0);
	assert_true(calendar_closed(n, INT64_MIN, INT64_MAX) > 0);
	calendar_free(a);
	calendar_free(n);
	calendar_free(NULL);
}

/* The verdict as a person would work it out from local time, with glibc. */
static bool open_by_hand(const struct opening *o, size_t n, int64_t t_us)
{
	time_t t = (time_t)floor_div(t_us, SEC_US);
	struct tm tm;
	unsigned day;
	int minute;

	localtime_r(&t, &tm);
	day = (unsigned)(tm.tm_wday + 6) % 7;
	minute = tm.tm_hour * 60 + tm.tm_min;
	for (size_t i = 0; i < n; i++) {
		bool over = o[i].until_min <= o[i].from_min;

		if (o[i].days >> day & 1 && minute >= o[i].from_min &&
		    (over || minute < o[i].until_min))
			return true;
		if (over && o[i].days >> (day + 6) % 7 & 1 &&
		    minute < o[i].until_min)
			return true;
	}
	return false;
}

/* Minute by minute over a year with both changes (their two ambiguous hours
 * are in the table above), for every question at once. */
static void agrees_with_brute_force(void **state)
{
	struct opening o[] = {{MON_FRI, 480, 1080},
			      {SAT, 540, 780},
			      {FRI, 1320, 360}};
	struct calendar *c = make(o, 3, false);
	int64_t begin = at("2026-01-01T00:00:00Z");
	int64_t later = begin + 100 * DAY_US + 3 * HOUR_US;
	int64_t closed = 0;
	int64_t closed_before = 0;
	int64_t since = INT64_MIN;
	bool was = false;

	(void)state;
	setenv("TZ", "Europe/London", 1);
	tzset();
	for (int64_t t = begin; t < begin + 366 * DAY_US; t += MIN_US) {
		bool open = open_by_hand(o, 3, t);

		assert_int_equal(calendar_regime(c, t), open);
		if (t > begin && open != was) {
			assert_int_equal(calendar_next(c, t - MIN_US), t);
			assert_int_equal(calendar_since(c, t), t);
			since = t;
		}
		if (since != INT64_MIN)
			assert_int_equal(calendar_since(c, t), since);
		assert_int_equal(calendar_closed(c, begin, t), closed);
		if (t == later)
			closed_before = closed;
		if (t >= later)
			assert_int_equal(calendar_closed(c, later, t),
					 closed - closed_before);
		/* inside a minute the share is that of its regime */
		assert_int_equal(calendar_closed(c, begin, t + 17),
				 closed + (open ? 0 : 17));
		closed += open ? 0 : MIN_US;
		was = open;
	}
	unsetenv("TZ");
	tzset();
	calendar_free(c);
}

static void zone_is_checked_and_put_back(void **state)
{
	/* clang-format off */
	static const char *const bad[] = {"Europe/Londn", "", "/etc/passwd",
		"../zoneinfo/UTC", "GMT0BST"};
	/* clang-format on */
	struct calendar *c;
	struct err e;

	(void)state;
	setenv("TZ", "Asia/Dubai", 1);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct calendar_spec spec = {.name = "x", .timezone = bad[i]};

		assert_false(calendar_new(&c, &spec, &e));
		assert_null(c);
		assert_non_null(strstr(e.text, "unknown time zone"));
	}
	c = make(&office_hours, 1, false);
	assert_string_equal(getenv("TZ"), "Asia/Dubai");
	assert_int_equal(glibc_offset(0), 4 * 3600);
	calendar_free(c);
	unsetenv("TZ");
	c = make(&office_hours, 1, false);
	assert_null(getenv("TZ"));
	calendar_free(c);
}

static void other_zones(void **state)
{
	struct calendar_spec spec = {.name = "ny",
				     .timezone = "America/New_York",
				     .opening = &office_hours,
				     .n_opening = 1};
	struct calendar *c;
	struct err e;

	(void)state;
	assert_true(calendar_new(&c, &spec, &e));
	assert_int_equal(calendar_next(c, at("2026-01-19T00:00:00Z")),
			 at("2026-01-19T13:00:00Z"));
	assert_int_equal(calendar_next(c, at("2026-07-20T00:00:00Z")),
			 at("2026-07-20T12:00:00Z"));
	assert_int_equal(calendar_offset(c, at("2026-07-20T00:00:00Z")),
			 -4 * 3600);
	calendar_free(c);
}

/* The shared list of changes was computed apart from this code. */
static void london_changes_match_the_shared_table(void **state)
{
	const char *shared = getenv("TOLLWATCH_SHARED");
	struct calendar *c;
	char path[512];
	char line[128];
	unsigned n = 0;
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/data/europe_london_dst.csv",
		 shared ? shared : "../shared");
	f = fopen(path, "r");
	if (!f) {
		print_message("skipped: no %s\n", path);
		skip();
	}
	c = make(&office_hours, 1, false);
	while (fgets(line, sizeof(line), f)) {
		struct sv rest = sv_of(line);
		struct sv when = sv_cut(&rest, ',');
		uint32_t before;
		uint32_t after;
		int64_t t;

		if (!time_parse(when, &t))
			continue; /* the header */
		assert_true(sv_u32(sv_cut(&rest, ','), &before));
		assert_true(sv_u32(sv_cut(&rest, ','), &after));
		assert_int_equal(calendar_offset(c, t - 1), before);
		assert_int_equal(calendar_offset(c, t), after);
		n++;
	}
	assert_true(n >= 30);
	fclose(f);
	calendar_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_week_has_168_hours),
		cmocka_unit_test(verdicts_with_reasons),
		cmocka_unit_test(clock_change_nights),
		cmocka_unit_test(whole_skipped_hour_never_opens),
		cmocka_unit_test(touching_hours_are_one_opening),
		cmocka_unit_test(a_holiday_does_not_cut_the_night_before),
		cmocka_unit_test(always_and_never),
		cmocka_unit_test(agrees_with_brute_force),
		cmocka_unit_test(zone_is_checked_and_put_back),
		cmocka_unit_test(other_zones),
		cmocka_unit_test(london_changes_match_the_shared_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
