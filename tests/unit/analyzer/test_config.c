/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/config.c"

#include "common/money.h"
#include "site.h"

/* A small site that is right; tests replace one file of it. */
static const char good_main[] =
	"version: 1\n"
	"site: {name: t, timezone: Europe/London, division: scotland}\n"
	"files: {accounts: a.csv, rates: r.csv, numbering: n.csv,"
	" holidays: holidays/}\n"
	"calendars:\n"
	"  office: {open: {mon-fri: \"08:00-18:00\"}, holidays: division}\n"
	"  bar: {open: {fri-sun: [\"12:00-14:00\", \"22:00-06:00\"]}}\n"
	"sources:\n"
	"  - {name: sbc, kind: pcap, path: x}\n"
	"  - {name: cdr, kind: file, as: asterisk, role: witness, of: sbc}\n"
	"overrides:\n"
	"  - {segments: [trader], rules: [R01], factor: 4, reason: agreed,"
	" owner: alex, until: 2026-06-01}\n"
	"  - {accounts: [acme], rules: [R01, R09], factor: 0.5,"
	" reason: attacked before, owner: sam, until: 2026-03-01}\n"
	"include: [rules.yaml]\n";

static const char good_rules[] =
	"rules:\n"
	"  - id: R01\n"
	"    name: spend\n"
	"    family: toll\n"
	"    match: {direction: [outbound, diverted], class: premium,\n"
	"            any: [{tier: [A, B]}, {rate: £0.50}]}\n"
	"    within: 60m\n"
	"    outside: {warning: {spend: £10}, critical: {spend: £25}}\n"
	"    inside: {within: session, warning: {spend: £30, calls: 3 calls},\n"
	"             critical: {any: [{calls: 12}, {minutes: 120m, within: "
	"24h}]}}\n"
	"    usual: {factor: 2.5, history: 7d}\n"
	"    first_action: \"Bar {trunk}.\"\n"
	"  - {id: R09, name: long, family: toll, per: call,\n"
	"     outside: {critical: {any: [{longest: 1h}, {spend: £25}]}}}\n"
	"  - {id: R04, name: at-once, family: toll,\n"
	"     outside: {critical: {concurrent: 5}}}\n";

static const char good_accounts[] =
	"account,name,segment,calendar,division,channels,trunks,networks,"
	"from,ended\n"
	"zeta,\"Zeta, Ltd\",trader,bar,,4,z1;z2,198.51.100.8/30,,\n"
	"acme,Acme,trader,office,northern-ireland,,,198.51.100.4/30,"
	"2026-01-01,2026-07-01\n";

static const char good_rates[] =
	"prefix,name,cost_ppm,retail_ppm,setup_p,min_s,step_s\n"
	"44,UK,0.3,1,0,1,1\n";
static const char good_numbers[] = "prefix,class,country\n+44,geographic,GB\n";

struct one {
	struct site s;
	struct analyzer_conf *a;
	struct err e;
};

static void load(struct one *o, const char *main_yaml, const char *rules,
		 const char *accounts)
{
	char path[96];

	site_begin(&o->s);
	snprintf(path, sizeof(path), "%s/holidays", o->s.dir);
	assert_int_equal(mkdir(path, 0700), 0);
	site_write(&o->s, "holidays/scotland.csv",
		   "date,name\n2026-01-02,2 January\n2026-01-01,New Year\n");
	site_write(&o->s, "holidays/northern-ireland.csv",
		   "date,name\n2026-03-17,St Patrick\n");
	site_write(&o->s, "tollwatch.yaml", main_yaml);
	site_write(&o->s, "rules.yaml", rules);
	site_write(&o->s, "a.csv", accounts);
	site_write(&o->s, "r.csv", good_rates);
	site_write(&o->s, "n.csv", good_numbers);
	o->a = analyzer_conf_load(o->s.dir, &o->s.c, &o->e);
}

static void end(struct one *o)
{
	if (o->a) {
		analyzer_conf_free(o->a);
		o->s.c = NULL; /* it owned it */
	}
	site_end(&o->s);
}

static void load_good(struct one *o)
{
	load(o, good_main, good_rules, good_accounts);
	if (!o->a)
		fail_msg("%s", site_report(&o->s));
}

static int64_t at(const char *text)
{
	int64_t us;

	assert_true(time_parse(sv_of(text), &us));
	return us;
}

static void rules_are_compiled(void **state)
{
	const struct limit *l;
	const struct rule *r;
	struct one o;

	(void)state;
	load_good(&o);
	assert_int_equal(o.a->n_rules, 3);
	r = &o.a->rule[0];
	assert_string_equal(r->id, "R01");
	assert_int_equal(r->per, PER_ACCOUNT);
	assert_int_equal(r->match.all.directions, 1 << 1 | 1 << 4);
	assert_int_equal(r->match.all.classes, 1 << CLASS_PREMIUM);
	assert_int_equal(r->match.n_any, 2);
	assert_int_equal(r->match.any[0].tiers, 3);
	assert_int_equal(r->match.any[1].rate_min, 50 * PENNY);
	assert_int_equal(r->usual_factor_milli, 2500);
	assert_int_equal(r->usual_days, 7);
	l = &r->limit[REGIME_OUTSIDE][SEVERITY_CRITICAL - 1];
	assert_int_equal(l->n_alt, 1);
	assert_int_equal(l->alt[0].term[0].measure, MEASURE_SPEND);
	assert_int_equal(l->alt[0].term[0].value, 25 * POUND);
	assert_int_equal(l->alt[0].term[0].within, HOUR_US);
	assert_string_equal(l->file, "rules.yaml");
	assert_int_equal(l->line, 8);
	l = &r->limit[REGIME_INSIDE][SEVERITY_WARNING - 1];
	assert_int_equal(l->alt[0].n, 2);
	assert_int_equal(l->alt[0].term[1].value, 3);
	assert_int_equal(l->alt[0].term[1].within, WITHIN_SESSION);
	l = &r->limit[REGIME_INSIDE][SEVERITY_CRITICAL - 1];
	assert_int_equal(l->n_alt, 2);
	assert_int_equal(l->alt[1].term[0].value, 2 * HOUR_US);
	assert_int_equal(l->alt[1].term[0].within, DAY_US);
	r = &o.a->rule[1];
	assert_int_equal(r->per, PER_CALL);
	assert_int_equal(r->limit[0][1].alt[1].term[0].within, WITHIN_NOW);
	end(&o);
}

static void accounts_are_sorted_with_their_hours(void **state)
{
	const struct account_conf *acme;
	const struct account_conf *zeta;
	struct one o;

	(void)state;
	load_good(&o);
	assert_int_equal(o.a->n_accounts, 2);
	acme = &o.a->account[0];
	zeta = &o.a->account[1];
	assert_string_equal(acme->name, "acme");
	assert_string_equal(zeta->display, "Zeta, Ltd");
	assert_string_equal(zeta->trunk, "z1");
	assert_int_equal(zeta->channels, 4);
	/* local midnights: winter and summer */
	assert_int_equal(acme->from_us, at("2026-01-01T00:00:00Z"));
	assert_int_equal(acme->ended_us, at("2026-06-30T23:00:00Z"));
	/* the account's division, and the site's for unknown accounts */
	assert_int_equal(calendar_regime(acme->calendar,
					 at("2026-01-02T10:00:00Z")),
			 1);
	assert_int_equal(calendar_regime(acme->calendar,
					 at("2026-03-17T10:00:00Z")),
			 0);
	assert_int_equal(calendar_regime(o.a->provider,
					 at("2026-01-02T10:00:00Z")),
			 0);
	/* bar: sunday night runs into monday; tuesday is dry */
	assert_int_equal(calendar_regime(zeta->calendar,
					 at("2026-01-19T05:59:00Z")),
			 1);
	assert_int_equal(calendar_regime(zeta->calendar,
					 at("2026-01-20T13:00:00Z")),
			 0);
	end(&o);
}

static void overrides_by_account_then_segment(void **state)
{
	const struct account_conf *acme;
	const char *text;
	struct one o;

	(void)state;
	load_good(&o);
	acme = &o.a->account[0];
	assert_int_equal(override_milli(o.a, 0, acme,
					at("2026-02-28T23:59:59Z"), &text),
			 500);
	assert_string_equal(text,
			    "owner sam until 2026-03-01: attacked before");
	/* expired: the segment's is left, until summer-time midnight */
	assert_int_equal(override_milli(o.a, 0, acme,
					at("2026-03-01T00:00:00Z"), &text),
			 4000);
	assert_int_equal(override_milli(o.a, 0, acme,
					at("2026-05-31T22:59:59Z"), NULL),
			 4000);
	assert_int_equal(override_milli(o.a, 0, acme,
					at("2026-05-31T23:00:00Z"), &text),
			 1000);
	assert_null(text);
	assert_int_equal(override_milli(o.a, 1, &o.a->account[1], 0, NULL),
			 1000);
	assert_int_equal(override_milli(o.a, 0, NULL, 0, NULL), 1000);
	end(&o);
}

static void sources_and_defaults(void **state)
{
	struct one o;

	(void)state;
	load_good(&o);
	assert_int_equal(o.a->n_sources, 2);
	assert_int_equal(o.a->source[0].clock, CLOCK_LIVE);
	assert_int_equal(o.a->source[0].lateness_us, 120 * SEC_US);
	assert_string_equal(o.a->source[0].of, "");
	assert_int_equal(o.a->source[1].clock, CLOCK_BATCH);
	assert_int_equal(o.a->source[1].lateness_us, 2 * HOUR_US);
	assert_string_equal(o.a->source[1].of, "sbc");
	assert_int_equal(o.a->source[1].within_us, 5 * SEC_US);
	assert_int_equal(o.a->max_call_us, 12 * HOUR_US);
	assert_int_equal(o.a->accounts_max, 100000);
	assert_int_equal(o.a->archive_keep_us, 35 * DAY_US);
	assert_false(o.a->site.feed_clock);
	end(&o);
}

/* What issue 2 shows: six things at once, one of them right. */
static void all_errors_in_one_run(void **state)
{
	static const char main_yaml[] =
		"version: 1\n"
		"site: {name: t, timezone: Europe/London, division: scotland}\n"
		"files: {accounts: a.csv, rates: r.csv, numbering: n.csv}\n"
		"calendars:\n"
		"  night: {open: {mon-fri: \"22:00-06:00\"}}\n"
		"sources:\n"
		"  - {name: sbc, kind: pcap, path: x}\n"
		"  - {name: cdr, kind: file, role: witness, off: sbc}\n"
		"analyzer:\n"
		"\tmax_call: 12h\n"
		"include: [rules.yaml]\n";
	static const char rules[] = "rules:\n"
				    "  - id: R01\n"
				    "    name: spend\n"
				    "    family: toll\n"
				    "    withn: 60m\n"
				    "    within: 60\n"
				    "    name: again\n"
				    "    outside: {critical: {spend: £25}}\n";
	static const char accounts[] = "account,name,segment,calendar\n"
				       "acme,Acme,office,nigth\n";
	struct one o;

	(void)state;
	load(&o, main_yaml, rules, accounts);
	assert_null(o.a);
	site_want(&o.s, "\"line\":10,\"col\":1,"); /* the tab */
	site_want(&o.s, "\"line\":8,\"col\":44,");
	site_want(&o.s, "\"line\":5,\"col\":5,\"severity\":\"error\","
			"\"code\":\"unknown-key\"");
	site_want(&o.s, "\"line\":6,\"col\":13,"); /* the bare number */
	site_want(&o.s, "\"line\":7,\"col\":5,\"severity\":\"error\","
			"\"code\":\"duplicate-key\"");
	site_want(&o.s, "\"line\":2,\"col\":18,\"severity\":\"error\","
			"\"code\":\"unknown-calendar\"");
	site_want(&o.s, "did you mean 'night'?");
	if (strstr(o.s.report, "bad-hours"))
		fail_msg("%s", o.s.report);
	end(&o);
}

/* One fault each in a rule that is right otherwise. */
static void faults_of_rules(void **state)
{
	/* clang-format off */
	static const struct { const char *rule, *want; } c[] = {
		{"within: 60m, outside: {critical: {spent: £25}}", "did you mean 'spend'?"},
		{"within: 60m, outside: {critical: {spend: 25}}", "bad-value"},
		{"within: 60m, outside: {critical: {calls: 12 pounds}}", "bad-value"},
		{"within: 60m, outside: {critical: {calls: 0}}", "bad-value"},
		{"within: 60m, outside: {critical: {minutes: 120}}", "bad-value"},
		{"outside: {critical: {spend: £25}}", "needs a window"},
		{"within: 0s, outside: {critical: {spend: £25}}", "bad-value"},
		{"within: 60m, outside: {critical: {distinct: callee}}", "'distinct' is not available yet"},
		{"within: 60m, shadow: true, outside: {critical: {spend: £25}}", "'shadow' is not available yet"},
		{"within: 60m, outside: {critcal: {spend: £25}}", "did you mean 'critical'?"},
		{"within: 60m, outside: {critical: {}}", "empty-limit"},
		{"within: 60m, outside: {critical: {any: []}}", "bad-value"},
		{"within: 60m, outside: {critical: {any: [{calls: 1}], spend: £1}}", "mixed-limit"},
		{"within: 60m, outside: {critical: {any: [{calls: 1}, {calls: 2}, {calls: 3}, {calls: 4}, {calls: 5}]}}", "1 to 4"},
		{"per: user, within: 60m, outside: {critical: {spend: £25}}", "'user' is not available yet"},
		{"per: acount, within: 60m, outside: {critical: {spend: £25}}", "did you mean 'account'?"},
		{"per: call, outside: {critical: {calls: 3}}", "spend or longest"},
		{"outside: {critical: {longest: 30m}}", "set per: call"},
		{"per: call, usual: {factor: 2}, outside: {critical: {longest: 30m}}", "bad-usual"},
		{"usual: {factor: 0}, within: 1h, outside: {critical: {calls: 3}}", "want a factor"},
		{"usual: {history: 90d}, within: 1h, outside: {critical: {calls: 3}}", "1d to 28d"},
		{"latch: {for: 24h}, within: 1h, outside: {critical: {calls: 3}}", "'latch' is not available yet"},
		{"match: {clas: mobile}, within: 1h, outside: {critical: {calls: 3}}", "did you mean 'class'?"},
		{"match: {class: [mobil]}, within: 1h, outside: {critical: {calls: 3}}", "did you mean 'mobile'?"},
		{"match: {country: [Somalia]}, within: 1h, outside: {critical: {calls: 3}}", "bad-country"},
		{"match: {rate: £0}, within: 1h, outside: {critical: {calls: 3}}", "above zero"},
		{"match: {any: [{}]}, within: 1h, outside: {critical: {calls: 3}}", "not-a-map"},
		{"within: 1h, outside: {critical: {calls: 3}}, family: tol", "did you mean 'toll'?"},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		char rules[512];
		struct one o;

		snprintf(rules, sizeof(rules),
			 "rules:\n  - {id: R01, name: x, %s%s}\n"
			 "  - {id: R09, name: y, family: toll, per: call,"
			 " outside: {critical: {spend: £9}}}\n",
			 strstr(c[i].rule, "family") ? "" : "family: toll, ",
			 c[i].rule);
		load(&o, good_main, rules, good_accounts);
		if (o.a)
			fail_msg("accepted: %s", c[i].rule);
		site_want(&o.s, c[i].want);
		/* and nothing that only follows from it */
		assert_int_equal(conf_errors(o.s.c), 1);
		end(&o);
	}
}

static void faults_of_accounts(void **state)
{
	/* clang-format off */
	static const struct { const char *row, *want; } c[] = {
		{"b1,B,ofice,office,,,,,,", "did you mean 'office'?"},
		{"b1,B,office,ofice,,,,,,", "did you mean 'office'?"},
		{"b1,B,office,office,wales,,,,,", "no holidays for 'wales'"},
		{"b1,B,office,office,../scotland,,,,,", "unknown-division"},
		{"Big One,B,office,office,,,,,,", "bad-name"},
		{"a-name-of-twenty-eight-bytes,B,office,office,,,,,,", "bad-name"},
		{"b1,,office,office,,,,,,", "is missing"},
		{"b1,B,office,office,,many,,,,", "number of channels"},
		{"b1,B,office,office,,,,,2026-02-30,", "is no date"},
		{"b1,B,office,office,,,,,2026-02-02,2026-02-01", "ends before it begins"},
		{"acme,B,office,office,,,,,,", "already in line 3"},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		char text[512];
		struct one o;

		snprintf(text, sizeof(text), "%s%s\n", good_accounts, c[i].row);
		load(&o, good_main, good_rules, text);
		if (o.a)
			fail_msg("accepted: %s", c[i].row);
		site_want(&o.s, c[i].want);
		site_want(&o.s, "\"line\":4,");
		end(&o);
	}
}

/* Replaces a part of the good main file. */
static void faults_of_the_rest(void **state)
{
	/* clang-format off */
	static const struct { const char *from, *to, *want; } c[] = {
		{"Europe/London", "Europe/Londn", "unknown time zone"},
		{"08:00-18:00", "8:00-18:00", "bad-hours"},
		{"08:00-18:00", "08:00-24:01", "bad-hours"},
		{"mon-fri", "mon-fry", "bad-days"},
		{"of: sbc", "of: sbb", "did you mean 'sbc'?"},
		{", of: sbc", "", "a witness says of which"},
		{"role: witness, ", "", "only a witness has 'of'"},
		{"name: cdr", "name: sbc", "duplicate-source"},
		{"[trader]", "[traders]", "did you mean 'trader'?"},
		{"[acme]", "[acne]", "did you mean 'acme'?"},
		{"[R01, R09]", "[R01, R90]", "is not one of the rules"},
		{"factor: 4", "factor: four", "want a factor"},
		{"reason: agreed,", "", "'reason' is missing"},
		{" owner: alex,", "", "'owner' is missing"},
		{", until: 2026-06-01", "", "'until' is missing"},
		{"segments: [trader], ", "", "says for whom"},
		{"holidays: division", "holidays: wales", "no holidays for 'wales'"},
		{"version: 1", "version: 2", "bad-value"},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		const char *p = strstr(good_main, c[i].from);
		char text[2048];
		struct one o;

		assert_non_null(p);
		snprintf(text, sizeof(text), "%.*s%s%s", (int)(p - good_main),
			 good_main, c[i].to, p + strlen(c[i].from));
		load(&o, text, good_rules, good_accounts);
		if (o.a)
			fail_msg("accepted: %s", c[i].to);
		site_want(&o.s, c[i].want);
		end(&o);
	}
}

static void lint_warns(void **state)
{
	static const char rules[] =
		"rules:\n"
		"  - {id: R01, name: a, family: toll, within: 1h,\n"
		"     outside: {warning: {calls: 5}, critical: {calls: 5}}}\n"
		"  - {id: R09, name: b, family: toll}\n";
	static const char accounts[] =
		"account,name,segment,calendar,networks\n"
		"acme,A,office,office,198.51.100.0/24\n"
		"beta,B,office,office,198.51.100.64/30\n"
		"gamma,C,office,office,203.0.113.1;203.0.113.2\n";
	struct one o;

	(void)state;
	load(&o, good_main, rules, accounts);
	if (!o.a)
		fail_msg("%s", site_report(&o.s));
	site_want(&o.s, "warning-late");
	site_want(&o.s, "rule R09 has no limit");
	site_want(&o.s, "198.51.100.64/30 overlaps 198.51.100.0/24 of line 2");
	site_want(&o.s, "no-secret");
	assert_int_equal(conf_warnings(o.s.c), 4);
	analyzer_conf_lint(o.a, at("2025-09-01T00:00:00Z"));
	assert_int_equal(conf_warnings(o.s.c), 4);
	analyzer_conf_lint(o.a, at("2025-11-01T00:00:00Z"));
	site_want(&o.s, "the holidays of scotland end within 90 days");
	end(&o);
}

/* The site in config/ is right, and what the sample night relies on. */
static void the_example_site_loads(void **state)
{
	struct conf *c;
	struct err e;
	struct analyzer_conf *a = analyzer_conf_load("config", &c, &e);
	static const char *const ids[] = {"R01", "R02", "R03", "R04",
					  "R05", "R09", "R10", "R11"};
	struct number n;

	(void)state;
	if (!a && !c) {
		print_message("skipped: %s\n", e.text);
		skip();
	}
	if (!a) {
		conf_report(c, stderr, false, false);
		fail();
	}
	assert_int_equal(a->n_rules, ARRAY_LEN(ids));
	for (unsigned i = 0; i < a->n_rules; i++)
		assert_string_equal(a->rule[i].id, ids[i]);
	assert_true(a->n_accounts >= 12);
	assert_true(a->site.feed_clock);
	assert_true(number_parse(SV("+48704660123"), &n));
	assert_int_equal(rating_find(a->rating, n, 1)->cost_per_min,
			 50 * PENNY);
	assert_string_equal(numbering_find(a->numbering, n).country, "PL");
	assert_int_equal(conf_warnings(c), 1); /* the missing secret */
	analyzer_conf_lint(a, at("2026-01-17T00:00:00Z"));
	assert_int_equal(conf_warnings(c), 1);
	analyzer_conf_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_are_compiled),
		cmocka_unit_test(accounts_are_sorted_with_their_hours),
		cmocka_unit_test(overrides_by_account_then_segment),
		cmocka_unit_test(sources_and_defaults),
		cmocka_unit_test(all_errors_in_one_run),
		cmocka_unit_test(faults_of_rules),
		cmocka_unit_test(faults_of_accounts),
		cmocka_unit_test(faults_of_the_rest),
		cmocka_unit_test(lint_warns),
		cmocka_unit_test(the_example_site_loads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
