/* SPDX-License-Identifier: Apache-2.0 */
#include "alerter/roster.c"

#include "tests/unit/alerter/world.h"

static void test_roster(void **state)
{
	struct world w;
	struct json j = {0};
	json_t *o, *alex;

	(void)state;
	world_init(&w);
	w.person[1].name = "Sam \"S\" \xc5\xa0";
	w.person[2].login = "";
	roster_json(&w.conf, &j);
	o = json_loadb(j.p, j.n, 0, NULL);
	assert_int_equal(json_array_size(o), 3);
	alex = json_pack("{s:s, s:s, s:s, s:[{s:s,s:s,s:i},{s:s,s:s,s:i}]}",
			 "id", "alex", "name", "Alex Example", "login", "alex",
			 "contacts", "channel", "email", "target",
			 "alex@example.com", "after_s", 0, "channel", "webhook",
			 "target", "team", "after_s", 120);
	assert_true(json_equal(json_array_get(o, 0), alex));
	assert_string_equal(json_string_value(
				    json_object_get(json_array_get(o, 1),
						    "name")),
			    w.person[1].name);
	assert_true(
		json_is_null(json_object_get(json_array_get(o, 2), "login")));
	json_decref(alex);
	json_decref(o);
	json_free(&j);
}

static void test_nobody(void **state)
{
	const struct alerter_conf none = {0};
	struct json j = {0};

	(void)state;
	roster_json(&none, &j);
	assert_int_equal(j.n, 2);
	assert_memory_equal(j.p, "[]", 2);
	json_free(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roster),
		cmocka_unit_test(test_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
