/* SPDX-License-Identifier: Apache-2.0 */
#define main oracle
#include "tests/replay/oracle.c"
#undef main

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* The same with three seeds and fewer events; "make oracle" runs a million. */
static void engine_and_recount_agree(void **state)
{
	static char *const seed[] = {"1", "2", "3"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(seed); i++) {
		char *argv[] = {"oracle", "20000", seed[i], NULL};

		assert_int_equal(oracle(3, argv), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engine_and_recount_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
