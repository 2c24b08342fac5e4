/* SPDX-License-Identifier: Apache-2.0 */
#include "alerter/rota.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/attr.h"

static const struct person alex = {.id = "alex"};
static const struct person sam = {.id = "sam"};
static const struct person priya = {.id = "priya"};

static int64_t at(const char *utc)
{
	int64_t us;

	if (!time_parse(sv_of(utc), &us))
		fail_msg("%s", utc);
	return us;
}

/* A schedule from a local time that exists once. */
static struct schedule make(const struct alerter_conf *a, const char *from,
			    int64_t every_us, const struct person **who,
			    size_t n)
{
	int64_t utc[2];
	struct schedule s = {.id = "night",
			     .person = who,
			     .n_people = n,
			     .every_us = every_us,
			     .from_local_us = at(from)};

	assert_int_equal(zone_utc(a->zone, s.from_local_us / SEC_US, utc), 1);
	s.from_us = utc[0] * SEC_US;
	return s;
}

static int begin(void **state)
{
	static struct alerter_conf a;
	struct err e;

	a = (struct alerter_conf){.timezone = "Europe/London"};
	*state = &a;
	return zone_new(&a.zone, a.timezone, &e) ? 0 : -1;
}

static int end(void **state)
{
	zone_free(((struct alerter_conf *)*state)->zone);
	return 0;
}

struct turn {
	const char *t;	  /* UTC */
	const char *who;  /* "" = nobody */
	const char *next; /* UTC of the change; "" = never */
};

static void check(const struct alerter_conf *a, const struct schedule *s,
		  const struct turn *turn, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct person *p = rota_at(a, s, at(turn[i].t));
		int64_t next = rota_next(a, s, at(turn[i].t));
		int64_t want = *turn[i].next ? at(turn[i].next) : INT64_MAX;

		if (strcmp(p ? p->id : "", turn[i].who) != 0)
			fail_msg("%s: %s", turn[i].t, p ? p->id : "nobody");
		if (next != want)
			fail_msg("%s: next in %lld s, not %lld", turn[i].t,
				 (long long)(next - at(turn[i].t)) / SEC_US,
				 (long long)(want - at(turn[i].t)) / SEC_US);
	}
}

/* Mondays 17:30 on the wall, through both changes of the clocks and a year of
 * 53 ISO weeks (2026). */
static void weeks_are_local(void **state)
{
	const struct person *who[] = {&alex, &sam, &priya};
	struct schedule s =
		make(*state, "2026-01-05 17:30", 7 * DAY_US, who, 3);
	/* clang-format off */
	static const struct turn turn[] = {
		{"2026-01-05T17:29:59Z", "", "2026-01-05T17:30:00Z"},
		{"1969-12-31T23:00:00Z", "", "2026-01-05T17:30:00Z"},
		{"2026-01-05T17:30:00Z", "alex", "2026-01-12T17:30:00Z"},
		{"2026-01-12T17:29:59Z", "alex", "2026-01-12T17:30:00Z"},
		{"2026-01-17T02:25:00Z", "sam", "2026-01-19T17:30:00Z"},
		/* forward on 29 March: that week has an hour less */
		{"2026-03-23T17:30:00Z", "priya", "2026-03-30T16:30:00Z"},
		{"2026-03-30T16:29:59Z", "priya", "2026-03-30T16:30:00Z"},
		{"2026-03-30T16:30:00Z", "alex", "2026-04-06T16:30:00Z"},
		/* back on 25 October: an hour more */
		{"2026-10-19T16:30:00Z", "priya", "2026-10-26T17:30:00Z"},
		{"2026-10-26T16:30:00Z", "priya", "2026-10-26T17:30:00Z"},
		{"2026-10-26T17:30:00Z", "alex", "2026-11-02T17:30:00Z"},
		/* week 53 is a week as any other */
		{"2026-12-28T17:30:00Z", "alex", "2027-01-04T17:30:00Z"},
		{"2027-01-04T17:30:00Z", "sam", "2027-01-11T17:30:00Z"},
	};
	/* clang-format on */

	check(*state, &s, turn, ARRAY_LEN(turn));
}

/* 01:30 is left out on 29 March and comes twice on 25 October. */
static void a_hand_over_inside_the_change(void **state)
{
	const struct person *who[] = {&alex, &sam};
	struct schedule s = make(*state, "2026-01-01 01:30", DAY_US, who, 2);
	/* clang-format off */
	static const struct turn turn[] = {
		{"2026-03-28T01:30:00Z", "alex", "2026-03-29T01:30:00Z"},
		{"2026-03-29T01:29:59Z", "alex", "2026-03-29T01:30:00Z"},
		{"2026-03-29T01:30:00Z", "sam", "2026-03-30T00:30:00Z"},
		{"2026-03-30T00:29:59Z", "sam", "2026-03-30T00:30:00Z"},
		{"2026-03-30T00:30:00Z", "alex", "2026-03-31T00:30:00Z"},
		{"2026-10-25T00:29:59Z", "alex", "2026-10-25T00:30:00Z"},
		{"2026-10-25T00:30:00Z", "sam", "2026-10-26T01:30:00Z"},
		{"2026-10-25T01:30:00Z", "sam", "2026-10-26T01:30:00Z"},
		{"2026-10-26T01:30:00Z", "alex", "2026-10-27T01:30:00Z"},
	};
	/* clang-format on */

	check(*state, &s, turn, ARRAY_LEN(turn));
}

static void hours_are_hours(void **state)
{
	const struct person *who[] = {&alex, &sam};
	struct schedule s =
		make(*state, "2026-03-28 20:00", 12 * HOUR_US, who, 2);
	/* clang-format off */
	static const struct turn turn[] = {
		{"2026-03-28T20:00:00Z", "alex", "2026-03-29T08:00:00Z"},
		{"2026-03-29T07:59:59Z", "alex", "2026-03-29T08:00:00Z"},
		{"2026-03-29T08:00:00Z", "sam", "2026-03-29T20:00:00Z"},
	};
	/* clang-format on */

	check(*state, &s, turn, ARRAY_LEN(turn));
}

static void a_change_is_of_person(void **state)
{
	const struct person *twice[] = {&alex, &alex, &sam};
	const struct person *one[] = {&alex};
	struct schedule s = make(*state, "2026-01-01 09:00", DAY_US, twice, 3);
	static const struct turn turn[] = {
		{"2026-01-01T09:00:00Z", "alex", "2026-01-03T09:00:00Z"},
		{"2026-01-02T10:00:00Z", "alex", "2026-01-03T09:00:00Z"},
		{"2026-01-03T10:00:00Z", "sam", "2026-01-04T09:00:00Z"},
	};
	static const struct turn never[] = {
		{"2025-12-31T09:00:00Z", "", "2026-01-01T09:00:00Z"},
		{"2026-01-03T10:00:00Z", "alex", ""},
	};

	check(*state, &s, turn, ARRAY_LEN(turn));
	s.person = one;
	s.n_people = 1;
	check(*state, &s, never, ARRAY_LEN(never));
}

/* Every half hour of two years: whoever has the turn has it until exactly
 * the change that was foretold. */
static void every_instant_agrees(void **state)
{
	const struct person *who[] = {&alex, &sam, &priya};
	static const int64_t every[] = {HOUR_US, 12 * HOUR_US, 36 * HOUR_US,
					DAY_US, 7 * DAY_US};

	for (size_t i = 0; i < ARRAY_LEN(every); i++) {
		struct schedule s =
			make(*state, "2026-01-01 01:30", every[i], who, 3);
		int64_t next = at("2026-01-01T01:30:00Z");
		const struct person *before = NULL;

		for (int64_t t = at("2026-01-01T00:00:00Z");
		     t < at("2028-01-01T00:00:00Z"); t += 30 * MIN_US) {
			const struct person *p = rota_at(*state, &s, t);

			assert_true((p != before) == (t == next));
			next = rota_next(*state, &s, t);
			assert_true(next > t);
			before = p;
		}
	}
}

static void times_are_local(void **state)
{
	/* clang-format off */
	static const struct { const char *t, *now, *text; } c[] = {
		{"2026-01-17T02:25:30Z", "2026-01-17T02:30:00Z", "02:25"},
		{"2026-07-17T02:25:30Z", "2026-07-17T20:30:00Z", "03:25"},
		{"2026-01-17T02:25:30Z", "2026-01-18T00:00:00Z", "Sat 17 Jan 02:25"},
		/* the same UTC date, another on the wall */
		{"2026-07-16T22:59:00Z", "2026-07-16T23:00:00Z", "Thu 16 Jul 23:59"},
		{"1969-12-31T23:30:00Z", "1969-12-31T23:30:00Z", "23:30"},
		{"2026-03-29T01:00:00Z", "2026-03-29T00:00:00Z", "02:00"},
	};
	/* clang-format on */
	char out[32];

	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		local_text(*state, at(c[i].t), at(c[i].now), out, sizeof(out));
		assert_string_equal(out, c[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weeks_are_local),
		cmocka_unit_test(a_hand_over_inside_the_change),
		cmocka_unit_test(hours_are_hours),
		cmocka_unit_test(a_change_is_of_person),
		cmocka_unit_test(every_instant_agrees),
		cmocka_unit_test(times_are_local),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
