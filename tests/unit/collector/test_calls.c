/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "collector/calls.c"

#define AT(s) ((INT64_C(1768615200) + (s)) * SEC_US)

static struct event event_of(enum event_phase phase, int64_t answer_us)
{
	struct event ev;

	event_init(&ev);
	ev.kind = EVENT_CALL;
	ev.phase = (uint8_t)phase;
	ev.setup_us = AT(0);
	ev.answer_us = answer_us;
	ev.end_us = phase == PHASE_END ? AT(9) : 0;
	ev.observed_us = AT(9);
	return ev;
}

/* The table says what became of a call, not which event came first. */
static void the_table_has_the_state_of_the_call(void **state)
{
	static const struct {
		enum event_phase phase[3];
		bool answered;
		const char *want;
	} t[] = {
		{{PHASE_SETUP}, false, " setup "},
		{{PHASE_SETUP, PHASE_PROGRESS}, false, " setup "},
		{{PHASE_SETUP, PHASE_ANSWER}, true, " up "},
		{{PHASE_SETUP, PHASE_ANSWER, PHASE_END}, true, " answered "},
		{{PHASE_SETUP, PHASE_END}, false, " failed "},
		{{PHASE_END}, true, " answered "}, /* a CDR */
		{{PHASE_END}, false, " failed "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct calls *c = calls_new();
		char *text = NULL;
		size_t n = 0;
		FILE *out = open_memstream(&text, &n);

		assert_non_null(out);
		for (size_t k = 0; k < 3 && t[i].phase[k]; k++) {
			bool up = t[i].answered && t[i].phase[k] > 2;
			struct event ev =
				event_of(t[i].phase[k], up ? AT(4) : 0);

			calls_add(c, &ev);
		}
		assert_int_equal(calls_count(c), 1);
		calls_print(c, out, false);
		fclose(out);
		if (!strstr(strchr(text, '\n'), t[i].want))
			fail_msg("case %zu: want%sin\n%s", i, t[i].want, text);
		free(text);
		calls_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_has_the_state_of_the_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
