/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "launch/pg.c"

#include "common/attr.h"

static void the_same_as_another_role(void **state)
{
	static const struct {
		const char *dsn, *want; /* NULL: refused */
	} row[] = {
		{"host=db user=a dbname=t", "dbname='t' host='db' user='r' "},
		{"postgresql://a:secret@db:5433/t?sslmode=verify-full",
		 "dbname='t' host='db' port='5433' sslmode='verify-full' "
		 "user='r' "},
		{"user=a password='x y' dbname='it''s'", NULL},
		{"host='/a b' dbname='it\\'s \\\\'",
		 "dbname='it\\'s \\\\' host='/a b' user='r' "},
		{"", "user='r' "},
		{"host", NULL},
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		char *got = as_role(row[i].dsn, "r", &e);

		if (!row[i].want)
			assert_null(got);
		else
			assert_string_equal(got, row[i].want);
		free(got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_as_another_role),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
