/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/numbering.c"

#include "site.h"

static struct number num(const char *text)
{
	struct number n;

	assert_true(number_parse(sv_of(text), &n));
	return n;
}

static struct numbering *load(struct site *s, const char *csv)
{
	site_begin(s);
	site_write(s, "tollwatch.yaml", "a: 1\n");
	site_write(s, "n.csv", csv);
	site_load(s);
	return numbering_load(s->c, conf_root(s->c), SV("n.csv"));
}

static void classes_by_longest_prefix(void **state)
{
	static const char csv[] =
		"prefix,class,country,lengths,tier,source,expires\n"
		"+44,geographic,GB,11;12,,,\n"
		"+447,mobile,GB,12,,,\n"
		"+447624,mobile,IM,12,,,\n"
		"+48,international,PL,8-12,C,list,2027-07-01\n"
		"\n"
		"+88216,satellite,001,,A,list,\n"
		"118,directory,GB,6,,,\n"
		"112,emergency,GB,3,,,\n";
	/* clang-format off */
	static const struct { const char *n, *country; int class; char tier; bool ok; } want[] = {
		{"+441632960123",  "GB",  CLASS_GEOGRAPHIC,    0,   true},
		{"+4416329601",    "GB",  CLASS_GEOGRAPHIC,    0,   false},
		{"+44118496012",   "GB",  CLASS_GEOGRAPHIC,    0,   true},
		{"+447700900123",  "GB",  CLASS_MOBILE,        0,   true},
		{"+447624900123",  "IM",  CLASS_MOBILE,        0,   true},
		{"+48704660123",   "PL",  CLASS_INTERNATIONAL, 'C', true},
		{"+4870466",       "PL",  CLASS_INTERNATIONAL, 'C', false},
		{"+882165551234",  "001", CLASS_SATELLITE,     'A', true},
		{"118118",         "GB",  CLASS_DIRECTORY,     0,   true},
		{"112",            "GB",  CLASS_EMERGENCY,     0,   true},
		/* not hidden behind the emergency number */
		{"1125",           "",    CLASS_UNKNOWN,       0,   false},
		{"11200441632",    "",    CLASS_UNKNOWN,       0,   false},
		{"+112",           "",    CLASS_UNKNOWN,       0,   false},
		{"*21*112#",       "",    CLASS_UNKNOWN,       0,   false},
		{"201",            "",    CLASS_UNKNOWN,       0,   false},
		{"+999",           "",    CLASS_UNKNOWN,       0,   false},
	};
	/* clang-format on */
	struct site s;
	struct numbering *n = load(&s, csv);

	(void)state;
	assert_int_equal(conf_errors(s.c), 0);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		struct number_info f = numbering_find(n, num(want[i].n));

		if ((int)f.class != want[i].class)
			fail_msg("%s is %s", want[i].n, class_name(f.class));
		assert_string_equal(f.country, want[i].country);
		assert_int_equal(f.tier, want[i].tier);
		assert_int_equal(f.length_ok, want[i].ok);
	}
	assert_int_equal(numbering_find(n, (struct number){0}).class, 0);
	numbering_free(n);
	site_end(&s);
}

static void every_fault_has_its_place(void **state)
{
	static const char csv[] = "prefix,class,country,lengths,tier\n"
				  "+44,geografic,GB,12,\n"
				  "+45,mobile,Denmark,8,\n"
				  "+46,mobile,SE,8..9,\n"
				  "+47,mobile,NO,8,Z\n"
				  "x47,mobile,NO,8,\n"
				  "999,emergency,GB,,\n"
				  "+45,mobile,DK,8,\n";
	/* clang-format off */
	static const char *const want[] = {
		"\"line\":2,\"col\":5,\"severity\":\"error\",\"code\":\"unknown-class\"",
		"did you mean 'geographic'?",
		"\"line\":3,\"col\":12,\"severity\":\"error\",\"code\":\"bad-country\"",
		"\"line\":4,\"col\":15,\"severity\":\"error\",\"code\":\"bad-lengths\"",
		"\"line\":5,\"col\":17,\"severity\":\"error\",\"code\":\"bad-tier\"",
		"\"line\":6,\"col\":1,\"severity\":\"error\",\"code\":\"bad-prefix\"",
		"\"line\":7,\"col\":18,\"severity\":\"error\",\"code\":\"missing-lengths\"",
		"\"line\":8,\"col\":1,\"severity\":\"error\",\"code\":\"duplicate-prefix\"",
		"already in line 3",
	};
	/* clang-format on */
	struct site s;
	struct numbering *n = load(&s, csv);

	(void)state;
	assert_int_equal(conf_errors(s.c), 7);
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		site_want(&s, want[i]);
	numbering_free(n);
	site_end(&s);
}

static void a_misspelt_column_is_named(void **state)
{
	struct site s;
	struct numbering *n = load(&s, "prefix,clas,country\n+44,mobile,GB\n");

	(void)state;
	assert_int_equal(conf_errors(s.c), 1);
	site_want(&s, "\"line\":1,\"col\":8");
	site_want(&s, "is 'clas' meant to be 'class'?");
	numbering_free(n);
	site_end(&s);
}

static void names_go_both_ways(void **state)
{
	(void)state;
	for (unsigned i = 1; i < CLASS_COUNT; i++) {
		enum number_class c;

		assert_true(class_parse(sv_of(class_name(i)), &c));
		assert_int_equal(c, i);
	}
	assert_string_equal(class_name(CLASS_COUNT), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classes_by_longest_prefix),
		cmocka_unit_test(every_fault_has_its_place),
		cmocka_unit_test(a_misspelt_column_is_named),
		cmocka_unit_test(names_go_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
