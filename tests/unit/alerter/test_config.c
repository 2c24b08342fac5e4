/* SPDX-License-Identifier: Apache-2.0 */
#include "alerter/config.c"

#include "site.h"

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" /* 24 bytes */

static const char good_site[] =
	"version: 1\n"
	"site: {name: t, timezone: Europe/London, clock: feed}\n"
	"calendars: {office: {open: {mon-fri: \"08:00-18:00\"}}}\n"
	"alerter:\n"
	"  staffed: office\n"
	"  smtp: {relay: \"${env:TW_RELAY}\", from: tollwatch@example.com,\n"
	"         tls: none}\n"
	"  webhooks:\n"
	"    team: {url: \"${env:TW_URL}\", secret: \"${env:TW_SECRET}\"}\n"
	"database: {dsn: \"${env:TW_DSN}\"}\n"
	"rules: anything\n"
	"include: [oncall.yaml]\n";

static const char good_people[] =
	"people:\n"
	"  alex: {name: Alex, login: al, email: alex@example.com,\n"
	"         sms: \"+447700900101\", webhook: team}\n"
	"  sam: {email: sam@example.com, webhook: team,\n"
	"        contacts: [{by: webhook, after: 2m}, {by: email}]}\n"
	"  priya: {login: priya, webhook: team}\n"
	"schedules:\n"
	"  night: {people: [alex, sam, priya], every: 1w,\n"
	"          from: \"2026-01-05 17:30\"}\n";

static const char good_steps[] =
	"escalation:\n"
	"  toll: [{notify: night, after: 0m}, {notify: sam, after: 5m},\n"
	"         {notify: priya, after: 10m, repeat: 15m}]\n"
	"  access: [{notify: night, after: 0m}]\n"
	"last_resort: priya\n";

struct one {
	struct site s;
	struct alerter_conf *a;
};

/* site and oncall: NULL = the good one; steps follow the people. */
static void load(struct one *o, const char *site, const char *people,
		 const char *steps, bool environ_needed)
{
	char oncall[4096];
	struct err e;

	memset(o, 0, sizeof(*o));
	site_begin(&o->s);
	site_write(&o->s, "tollwatch.yaml", site ? site : good_site);
	snprintf(oncall, sizeof(oncall), "%s%s", people ? people : good_people,
		 steps ? steps : good_steps);
	site_write(&o->s, "oncall.yaml", oncall);
	o->a = alerter_conf_load(o->s.dir, environ_needed, &o->s.c, &e);
	assert_non_null(o->s.c);
}

static void done(struct one *o)
{
	if (o->a) {
		o->a->conf = NULL; /* site_end frees it */
		alerter_conf_free(o->a);
	}
	site_end(&o->s);
}

static int set_environ(void **state)
{
	(void)state;
	setenv("TW_RELAY", "smtp://127.0.0.1:2525", 1);
	setenv("TW_URL", "https://hooks.example.com/x?y=1", 1);
	setenv("TW_SECRET", SECRET, 1);
	setenv("TW_DSN", "host=/run/pg dbname=tollwatch", 1);
	return 0;
}

static int unset_environ(void **state)
{
	(void)state;
	unsetenv("TW_RELAY");
	unsetenv("TW_URL");
	unsetenv("TW_SECRET");
	unsetenv("TW_DSN");
	return 0;
}

static void a_whole_site(void **state)
{
	const struct escalation *x;
	const struct person *sam;
	struct one o;

	(void)state;
	load(&o, NULL, NULL, NULL, true);
	if (!o.a)
		fail_msg("%s", site_report(&o.s));
	assert_int_equal(conf_warnings(o.s.c), 0);
	assert_true(o.a->feed);
	assert_string_equal(o.a->smtp.relay, "smtp://127.0.0.1:2525");
	assert_string_equal(o.a->smtp.tls, "none");
	assert_int_equal(o.a->smtp.timeout_us, 15 * SEC_US);
	assert_string_equal(o.a->webhook[0].secret, SECRET);
	assert_string_equal(o.a->dsn, "host=/run/pg dbname=tollwatch");
	assert_int_equal(o.a->acknowledge_us, 30 * MIN_US);
	assert_string_equal(person_of_login(o.a, "al")->id, "alex");
	assert_null(person_of_login(o.a, "alex"));
	assert_null(person_of_login(o.a, "")); /* sam has none */

	sam = person_find(o.a, SV("sam"));
	assert_string_equal(sam->name, "sam");
	assert_int_equal(sam->n_contacts, 2);
	assert_int_equal(sam->contact[0].channel, CHANNEL_EMAIL);
	assert_string_equal(sam->contact[1].target, "team");
	assert_int_equal(sam->contact[1].after_us, 2 * MIN_US);
	assert_int_equal(person_find(o.a, SV("alex"))->n_contacts, 2);
	assert_int_equal(person_find(o.a, SV("priya"))->n_contacts, 1);

	assert_int_equal(o.a->schedule[0].n_people, 3);
	assert_int_equal(o.a->schedule[0].every_us, 7 * DAY_US);

	x = escalation_of(o.a, "toll");
	assert_int_equal(x->n_steps, 3); /* it repeats: nothing is added */
	assert_ptr_equal(x->step[0].schedule, &o.a->schedule[0]);
	assert_null(x->step[0].person);
	assert_ptr_equal(x->step[1].person, sam);
	assert_int_equal(x->step[2].repeat_us, 15 * MIN_US);

	x = escalation_of(o.a, "access");
	assert_int_equal(x->n_steps, 2);
	assert_true(x->step[1].last_resort);
	assert_string_equal(x->step[1].person->id, "priya");
	assert_int_equal(x->step[1].after_us, 5 * MIN_US);
	assert_int_equal(x->step[1].repeat_us, 15 * MIN_US);

	x = escalation_of(o.a, "feed"); /* no entry and no default */
	assert_int_equal(x->n_steps, 1);
	assert_true(x->step[0].last_resort);
	assert_int_equal(x->step[0].after_us, 0);
	done(&o);
}

static void others_fall_to_default(void **state)
{
	struct one o;

	(void)state;
	load(&o, NULL, NULL,
	     "escalation: {default: [{notify: sam, after: 1m}]}\n", true);
	assert_non_null(o.a);
	assert_string_equal(escalation_of(o.a, "toll")->family, "default");
	assert_int_equal(escalation_of(o.a, "toll")->n_steps, 1);
	site_want(&o.s, "after the last step of 'default' nobody is told");
	done(&o);
	load(&o, NULL, NULL, "", true);
	assert_non_null(o.a);
	assert_int_equal(escalation_of(o.a, "toll")->n_steps, 0);
	done(&o);
}

/* check-config on a machine where the site does not run. */
static void a_bare_environment(void **state)
{
	struct one o;

	(void)state;
	unset_environ(NULL);
	load(&o, NULL, NULL, NULL, false);
	assert_non_null(o.a);
	assert_int_equal(conf_warnings(o.s.c), 0);
	assert_string_equal(o.a->smtp.relay, "");
	assert_string_equal(o.a->webhook[0].url, "");
	assert_string_equal(o.a->dsn, "");
	done(&o);
	load(&o, NULL, NULL, NULL, true);
	assert_null(o.a);
	assert_int_equal(conf_errors(o.s.c), 4);
	site_want(&o.s, "environment variable TW_RELAY is not set");
	done(&o);
	set_environ(NULL);
}

/* The YAML of design section 8, as it stands. */
static void the_design(void **state)
{
	struct one o;

	(void)state;
	load(&o,
	     "version: 1\n"
	     "site: {name: example, timezone: Europe/London}\n"
	     "calendars: {office: {open: {mon-fri: \"08:00-18:00\"}}}\n"
	     "alerter: {staffed: office}\n"
	     "database: {dsn: \"${env:TOLLWATCH_DSN}\"}\n"
	     "include: [oncall.yaml]\n",
	     "people:\n"
	     "  alex: {name: \"Alex Example\", login: alex,"
	     " email: alex@example.com, sms: \"+447700900101\"}\n"
	     "  sam: {email: sam@example.com}\n"
	     "  priya: {email: priya@example.com}\n"
	     "schedules:\n"
	     "  night: {people: [alex, sam, priya], every: 1w,"
	     " from: \"2026-01-05 17:30\"}\n",
	     NULL, false);
	assert_non_null(o.a);
	site_want(&o.s, "without alerter.smtp no e-mail can be sent");
	done(&o);
}

/* One fault each: what must be said, and at which line of oncall.yaml (0: of
 * tollwatch.yaml). */
static const struct fault {
	const char *people, *steps, *want, *hint;
} faults[] = {
	/* clang-format off */
	{"people: {alex: {email: a@example.com}}\n"
	 "schedules: {n: {people: [alix], every: 1w, from: \"2026-01-05 17:30\"}}\n",
	 "", "no person 'alix'", "did you mean 'alex'?"},
	{NULL, "escalation: {toll: [{notify: nigth, after: 0m}]}\nlast_resort: sam\n",
	 "no person or schedule 'nigth'", "did you mean 'night'?"},
	{NULL, "escalation: {tol: [{notify: night, after: 0m}]}\nlast_resort: sam\n",
	 "no such family 'tol'", "did you mean 'toll'?"},
	{NULL, "escalation: {toll: []}\nlast_resort: sam\n", "'toll' has no step", NULL},
	{NULL, "last_resort: night\n", "no person 'night'", NULL},
	{NULL, "escalation: {toll: [{notify: sam, after: 5m}, {notify: alex, after: 4m}]}\nlast_resort: sam\n",
	 "this step comes before the one above it", NULL},
	{NULL, "escalation: {toll: [{notify: sam, after: 5m, repeat: 5m}, {notify: alex, after: 5m}]}\nlast_resort: sam\n",
	 "only the last step can repeat", NULL},
	{NULL, "escalation: {toll: [{notify: sam, after: 5m, repeat: 5s}]}\nlast_resort: sam\n",
	 "want 1m to 1d, got '5s'", NULL},
	{"people: {a: {login: x, email: a@example.com}, b: {login: x, email: b@example.com}}\n", "",
	 "login 'x' is that of 'a' already", NULL},
	{"people: {a: {sms: \"+447700900101\"}}\n", "",
	 "'a' has no e-mail address and no webhook", NULL},
	{"people: {a: {email: a@example.com, sms: \"+447700900101\", contacts: [{by: sms}]}}\n", "",
	 "'a' would never be told", "{by: email}"},
	{"people: {a: {email: a@example.com, contacts: []}}\n", "", "'a' would never be told", NULL},
	{"people: {a: {email: a@example.com, contacts: [{by: webhook}]}}\n", "",
	 "'a' has no key 'webhook'", NULL},
	{"people: {a: {email: a@example.com, contacts: [{by: emial}]}}\n", "",
	 "no such way 'emial'", "did you mean 'email'?"},
	{"people: {a: {email: a@example.com, contacts: [{by: email}, {by: email}]}}\n", "",
	 "'a' is told by email already", NULL},
	{"people: {a: {webhook: taem}}\n", "", "no webhook 'taem'", "did you mean 'team'?"},
	{"people: {a: {email: \"a b@example.com\"}}\n", "", "want an address like", NULL},
	{"people: {a: {email: \"A <a@example.com>\"}}\n", "", "want an address like", NULL},
	{"people: {a: {email: \"a@example.com\\r\\nBcc: x@example.com\"}}\n", "", "want an address like", NULL},
	{"people: {a: {email: \"a@-example.com\"}}\n", "", "want an address like", NULL},
	{"people: {a: {email: \"@example.com\"}}\n", "", "want an address like", NULL},
	{"people: {a: {email: \"a..b@example.com\"}}\n", "", "want an address like", NULL},
	{"people: {a: {email: a@example.com, name: \"A\\nBcc: b@example.com\"}}\n", "",
	 "line ends and control characters are not accepted", NULL},
	{"people: {a: {email: a@example.com, name: \"A\\u2028B\"}}\n", "",
	 "line ends and control characters are not accepted", NULL},
	{"people: {a: {email: a@example.com, name: \"A\\u0085B\"}}\n", "",
	 "line ends and control characters are not accepted", NULL},
	{"people: {a: {email: a@example.com, sms: \"07700 900101\"}}\n", "",
	 "want a number like +447700900101", NULL},
	{"people: {aaaaaaaaaabbbbbbbbbbccccccccccdd: {email: a@example.com}}\n", "",
	 "is longer than 31 bytes", NULL},
	{"people: {a: {email: a@example.com}}\n"
	 "schedules: {a: {people: [a], every: 1w, from: \"2026-01-05 17:30\"}}\n", "",
	 "'a' is a person and a schedule", NULL},
	{"people: {a: {email: a@example.com}}\n"
	 "schedules: {n: {people: [a], every: 90m, from: \"2026-01-05 17:30\"}}\n", "",
	 "a turn lasts whole hours", NULL},
	{"people: {a: {email: a@example.com}}\n"
	 "schedules: {n: {people: [], every: 1w, from: \"2026-01-05 17:30\"}}\n", "",
	 "nobody is on schedule 'n'", NULL},
	{"people: {a: {email: a@example.com}}\n"
	 "schedules: {n: {people: [a], every: 1w, from: \"2026-02-30 17:30\"}}\n", "",
	 "want a local time like 2026-01-05 17:30", NULL},
	{"people: {a: {email: a@example.com}}\n"
	 "schedules: {n: {people: [a], every: 1w, from: \"2026-03-29 01:30\"}}\n", "",
	 "the clocks in Europe/London leave out 2026-03-29 01:30", NULL},
	{"people: {a: {email: a@example.com, emial: x}}\n", "", "unknown key 'emial'", "did you mean 'email'?"},
	/* clang-format on */
};

static void faults_of_people(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		struct one o;

		load(&o, NULL, faults[i].people, faults[i].steps, true);
		if (o.a)
			fail_msg("accepted: %s", faults[i].want);
		site_want(&o.s, faults[i].want);
		if (faults[i].hint)
			site_want(&o.s, faults[i].hint);
		site_want(&o.s, "oncall.yaml");
		done(&o);
	}
}

static void a_time_that_comes_twice(void **state)
{
	struct one o;

	(void)state;
	load(&o, NULL,
	     "people: {a: {email: a@example.com}}\n"
	     "schedules: {n: {people: [a], every: 1w,"
	     " from: \"2026-10-25 01:30\"}}\n",
	     "", true);
	assert_non_null(o.a);
	site_want(&o.s, "show 2026-10-25 01:30 twice; the first is meant");
	assert_int_equal(o.a->schedule[0].from_us / SEC_US, 1792888200);
	done(&o);
}

static void text_messages_wait(void **state)
{
	struct one o;

	(void)state;
	load(&o, NULL,
	     "people: {a: {email: a@example.com, sms: \"+447700900101\","
	     " contacts: [{by: sms}, {by: email, after: 1m}]}}\n",
	     "", true);
	assert_non_null(o.a);
	assert_int_equal(conf_warnings(o.s.c), 1);
	site_want(&o.s, "text messages are not sent yet");
	assert_int_equal(o.a->person[0].n_contacts, 1);
	done(&o);
}

static void faults_of_the_site(void **state)
{
	/* clang-format off */
	static const struct { const char *alerter, *want; } c[] = {
		{"{staffed: ofice}", "no such calendar 'ofice'"},
		{"{smtp: {relay: example.com, from: a@example.com}}", "want smtp://host:25"},
		{"{smtp: {relay: \"smtp://u:p@example.com\", from: a@example.com}}", "want smtp://host:25"},
		{"{smtp: {relay: \"smtp://example.com:99999\", from: a@example.com}}", "want smtp://host:25"},
		{"{smtp: {relay: \"smtp://example.com\"}}", "key 'from' is missing"},
		{"{smtp: {relay: \"smtp://example.com\", from: a@example.com, tls: of}}", "no such tls 'of'"},
		{"{smtp: {relay: \"smtp://example.com\", from: a@example.com, user: u}}", "a user needs a password"},
		{"{smtp: {relay: \"smtp://example.com\", from: a@example.com, password: p}}", "a secret must not stand in the config"},
		{"{smtp: {relay: \"smtp://example.com\", from: a@example.com, user: u, password: \"${env:TW_DSN}\", tls: try}}", "could cross the network unencrypted"},
		{"{webhooks: {x: {url: \"https://example.com\", secret: " SECRET "}}}", "a secret must not stand in the config"},
		{"{webhooks: {x: {url: \"https://example.com\", secret: \"${env:TW_DSN}\"}}}", "is not whsec_ and base64 of 24 to 64 bytes"},
		{"{webhooks: {x: {url: \"http://example.com\", secret: \"${env:TW_SECRET}\"}}}", "would send names and amounts unencrypted"},
		{"{webhooks: {x: {url: \"ftp://example.com\", secret: \"${env:TW_SECRET}\"}}}", "want https://host/path"},
		{"{webhooks: {x: {url: \"https://u:p@example.com/\", secret: \"${env:TW_SECRET}\"}}}", "want https://host/path"},
		{"{webhooks: {x: {url: \"https://example.com/a b\", secret: \"${env:TW_SECRET}\"}}}", "a URL has no spaces"},
		{"{webhooks: {x: {url: \"https://example.com/\\nX: y\", secret: \"${env:TW_SECRET}\"}}}", "a URL has no spaces"},
		{"{webhooks: {x: {url: \"https:///a\", secret: \"${env:TW_SECRET}\"}}}", "want https://host/path"},
		{"{acknowledge: 30}", "needs a unit"},
		{"{acknowledge: 10s}", "want 1m to 1d"},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		char site[1024];
		struct one o;

		snprintf(site, sizeof(site),
			 "site: {name: t}\ncalendars: {office: {}}\n"
			 "alerter: %s\n",
			 c[i].alerter);
		load(&o, site, NULL, NULL, true);
		if (o.a)
			fail_msg("accepted: %s", c[i].alerter);
		site_want(&o.s, c[i].want);
		assert_null(strstr(o.s.report, SECRET));
		done(&o);
	}
}

static void a_password_in_the_dsn(void **state)
{
	/* clang-format off */
	static const struct { const char *dsn; bool ok; } c[] = {
		{"host=/run/pg dbname=tollwatch", true},
		{"postgresql://tollwatch@db.example.com/tollwatch", true},
		{"postgresql://tollwatch:hunter2@db.example.com/tollwatch", false},
		{"host=db.example.com password=hunter2", false},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		char site[256];
		struct one o;

		snprintf(site, sizeof(site),
			 "site: {name: t}\ndatabase: {dsn: \"%s\"}\n",
			 c[i].dsn);
		load(&o, site, NULL, NULL, true);
		assert_true((o.a != NULL) == c[i].ok);
		assert_null(strstr(site_report(&o.s), "hunter2"));
		done(&o);
	}
}

static void secrets_have_a_shape(void **state)
{
	/* clang-format off */
	static const struct { const char *text; bool ok; } c[] = {
		{SECRET, true},
		{"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", false},
		{"whsec_", false},
		{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa==", false}, /* 22 bytes */
		{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2Lg", false},     /* 21 bytes */
		{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw ", false},
		/* 64 bytes, and 66 */
		{"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==", true},
		{"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", false},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(c); i++)
		if (shape_secret(sv_of(c[i].text)) != c[i].ok)
			fail_msg("%s", c[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_site),
		cmocka_unit_test(others_fall_to_default),
		cmocka_unit_test(a_bare_environment),
		cmocka_unit_test(the_design),
		cmocka_unit_test(faults_of_people),
		cmocka_unit_test(a_time_that_comes_twice),
		cmocka_unit_test(text_messages_wait),
		cmocka_unit_test(faults_of_the_site),
		cmocka_unit_test(a_password_in_the_dsn),
		cmocka_unit_test(secrets_have_a_shape),
	};

	return cmocka_run_group_tests(tests, set_environ, unset_environ);
}
