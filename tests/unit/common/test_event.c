/* SPDX-License-Identifier: Apache-2.0 */
#include "common/event.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void valid(struct event *ev)
{
	event_init(ev);
	ev->kind = EVENT_CALL;
	ev->phase = PHASE_SETUP;
	ev->setup_us = 1;
}

static void check_finds(void **state)
{
	struct event ev;

	(void)state;
	valid(&ev);
	assert_int_equal(event_check(&ev), EVENT_OK);
#define BAD(change, rc)                                                        \
	valid(&ev);                                                            \
	change;                                                                \
	assert_int_equal(event_check(&ev), rc)
	BAD(ev.kind = 0, EVENT_BAD_KIND);
	BAD(ev.kind = 4, EVENT_BAD_KIND);
	BAD(ev.phase = 0, EVENT_BAD_PHASE);
	BAD(ev.phase = 5, EVENT_BAD_PHASE);
	BAD(ev.kind = EVENT_REGISTER, EVENT_BAD_PHASE);
	BAD(ev.direction = 5, EVENT_BAD_DIRECTION);
	BAD(ev.setup_us = -1, EVENT_BAD_TIME);
	BAD(ev.answer_us = INT64_MIN, EVENT_BAD_TIME);
	BAD(ev.end_us = INT64_MAX, EVENT_BAD_TIME);
	BAD(ev.observed_us = TIME_LIMIT, EVENT_BAD_TIME);
	BAD(ev.observed_us = TIME_LIMIT - 1, EVENT_OK);
	BAD(ev.ua_class = 3, EVENT_BAD_OTHER);
	BAD(ev.reg_outcome = 4, EVENT_BAD_OTHER);
	BAD(ev.talk_s = -2, EVENT_BAD_OTHER);
	BAD(ev.seq = UINT64_MAX, EVENT_BAD_OTHER);
	BAD(ev.flags = 2 * EVENT_CHALLENGED, EVENT_BAD_OTHER);
	BAD(ev.flags = FLAGS_KNOWN, EVENT_OK);
	BAD(ev.reserved[2] = 1, EVENT_BAD_OTHER);
	BAD(ev.caller.v = UINT64_C(0xe) << 60, EVENT_BAD_OTHER);
	BAD(ev.callee.v = 1, EVENT_BAD_OTHER); /* a hole in front */
	BAD(ev.diverting.v = UINT64_C(0x1b) << 56, EVENT_BAD_OTHER); /* 0+ */
	BAD(ev.user[3] = 'x', EVENT_BAD_OTHER);
	BAD(ev.caller_raw[19] = 'x', EVENT_BAD_OTHER);
	BAD(ev.account[0] = '\n', EVENT_BAD_OTHER);
	BAD(ev.source[0] = '\xff', EVENT_BAD_OTHER);
	BAD(memset(ev.trunk, 't', sizeof(ev.trunk)), EVENT_OK);
	BAD(memset(ev.user, 0xff, sizeof(ev.user)), EVENT_OK);
#undef BAD
}

static void time_by_phase(void **state)
{
	struct event ev = {.setup_us = 1,
			   .answer_us = 2,
			   .end_us = 3,
			   .observed_us = 4};
	static const int64_t want[] = {4, 1, 4, 2, 3};

	(void)state;
	for (unsigned p = 0; p < ARRAY_LEN(want); p++) {
		ev.phase = (uint8_t)p;
		assert_int_equal(event_time(&ev), want[p]);
	}
	ev.end_us = 0;
	assert_int_equal(event_time(&ev), 4);
}

static void put_cuts_between_characters(void **state)
{
	char field[5];
	uint32_t flags = 0;

	(void)state;
	event_put(field, 5, SV("abcde"), &flags);
	assert_memory_equal(field, "abcde", 5);
	assert_int_equal(flags, 0);
	event_put(field, 5, SV("abcd\xc2\xa3"), &flags);
	assert_memory_equal(field, "abcd\0", 5);
	assert_int_equal(flags, EVENT_TRUNCATED);
	/* a NUL does not end it early */
	event_put(field, 5, SV("a\0b"), &flags);
	assert_memory_equal(field, "a?b\0\0", 5);
}

static void clamp_brings_back(void **state)
{
	/* clang-format off */
	static const struct {
		int64_t in[4], out[4]; /* setup answer end observed */
		bool ahead;
	} t[] = {
		{{1, 2, 100, 100},     {1, 2, 100, 100},   false},
		{{0, 0, 0, 100},       {0, 0, 0, 100},     false},
		{{0, 0, 0, 900},       {0, 0, 0, 100},     true},
		{{900, 910, 940, 50},  {60, 70, 100, 50},  true},
		{{900, 0, 0, 50},      {100, 0, 0, 50},    true},
		{{20, 30, 900, 50},    {20, 30, 100, 50},  true},
		{{200, 0, 9000, 50},   {100, 0, 100, 50},  true},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct event ev = {.setup_us = t[i].in[0],
				   .answer_us = t[i].in[1],
				   .end_us = t[i].in[2],
				   .observed_us = t[i].in[3]};

		assert_int_equal(event_clamp(&ev, 100), t[i].ahead);
		assert_int_equal(ev.flags, t[i].ahead ? EVENT_CLAMPED : 0);
		assert_int_equal(ev.setup_us, t[i].out[0]);
		assert_int_equal(ev.answer_us, t[i].out[1]);
		assert_int_equal(ev.end_us, t[i].out[2]);
		assert_int_equal(ev.observed_us, t[i].out[3]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_finds),
		cmocka_unit_test(time_by_phase),
		cmocka_unit_test(clamp_brings_back),
		cmocka_unit_test(put_cuts_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
