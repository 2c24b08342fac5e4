/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "collector/resolve.c"

static const char *const intl[] = {"00", NULL};
static const char *const nine[] = {"9", NULL};
static const struct dialplan uk = {.outside_line = nine,
				   .international = intl,
				   .national = "0",
				   .country = "44"};

struct site {
	char dir[64];
	struct conf *conf;
	struct resolver r;
	struct accounts *accounts;
	struct peers *peers;
};

static void put_file(const char *dir, const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void drop_file(const char *dir, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
}

static struct accounts *load(struct site *s, const char *csv)
{
	char path[128];
	struct err e;

	snprintf(s->dir, sizeof(s->dir), "/tmp/tollwatch-test-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	put_file(s->dir, "tollwatch.yaml", "accounts: accounts.csv\n");
	put_file(s->dir, "accounts.csv", csv);
	snprintf(path, sizeof(path), "%s/tollwatch.yaml", s->dir);
	assert_true(conf_load(&s->conf, path, &e));
	return accounts_load(s->conf, conf_get(conf_root(s->conf), "accounts"),
			     SV("accounts.csv"));
}

static void leave(struct site *s)
{
	accounts_free(s->accounts);
	peers_free(s->peers);
	conf_free(s->conf);
	drop_file(s->dir, "tollwatch.yaml");
	drop_file(s->dir, "accounts.csv");
	rmdir(s->dir);
}

static void enter(struct site *s)
{
	static const char *const carrier[] = {"192.0.2.0/28"};
	static const char *const customer[] = {"198.51.100.0/24"};
	static const char *const core[] = {"203.0.113.0/28", "2001:db8::/64"};
	struct err e;

	*s = (struct site){0};
	s->accounts =
		load(s,
		     "account,name,trunks,users,networks,ranges\n"
		     "acme,Acme,acme-sip,101;102,198.51.100.16/28,"
		     "+441632960100-199;+442079460000-+442079460009\n"
		     "bolt,Bolt,bolt-sip,201,198.51.100.32/28,+4416329602\n");
	assert_non_null(s->accounts);
	s->peers = peers_new();
	assert_true(
		peers_add(s->peers, "carrier-a", SIDE_CARRIER, carrier, 1, &e));
	assert_true(peers_add(s->peers, "customers", SIDE_CUSTOMER, customer, 1,
			      &e));
	assert_true(peers_add(s->peers, "core", SIDE_INTERNAL, core, 2, &e));
	assert_false(
		peers_add(s->peers, "again", SIDE_CARRIER, carrier, 1, &e));
	s->r = (struct resolver){.configured = true,
				 .accounts = s->accounts,
				 .peers = s->peers,
				 .plan = &uk,
				 .source = "src"};
}

static void address(const char *text, uint8_t out[16])
{
	struct network n;
	struct err e;

	assert_true(network_parse(sv_of(text), &n, &e));
	memcpy(out, n.addr, 16);
}

#define ACME	"198.51.100.17"
#define BOLT	"198.51.100.33"
#define CARRIER "192.0.2.1"
#define CORE	"203.0.113.1"
#define WILD	"203.0.113.99"
#define ABROAD	"00252991234567"

static void sip_identities(void **state)
{
	/* clang-format off */
	static const struct {
		const char *src, *dst, *from, *to, *digest, *asserted, *diversion;
		const char *account, *caller, *trunk;
		enum direction d;
	} c[] = {
		/* the source network */
		{ACME, CARRIER, "01632960101", ABROAD, "", "", "", "acme", "+441632960101", "carrier-a", DIRECTION_OUTBOUND},
		/* a lying From does not move the bill */
		{ACME, CARRIER, "01632960201", ABROAD, "", "", "", "acme", "+441632960201", "carrier-a", DIRECTION_OUTBOUND},
		/* accepted credentials are above the network */
		{ACME, CORE, "x", ABROAD, "201", "", "", "bolt", "", "customers", DIRECTION_OUTBOUND},
		/* asserted identity: from our own proxy, not from a customer */
		{CORE, CARRIER, "anonymous", ABROAD, "", "01632960101", "", "acme", "+441632960101", "carrier-a", DIRECTION_NONE},
		{ACME, CARRIER, "anonymous", ABROAD, "", "01632960201", "", "acme", "", "carrier-a", DIRECTION_OUTBOUND},
		/* number range, then From's user, for an unknown address */
		{WILD, CARRIER, "+442079460003", ABROAD, "", "", "", "acme", "+442079460003", "carrier-a", DIRECTION_OUTBOUND},
		{WILD, CARRIER, "201", ABROAD, "", "", "", "bolt", "201", "carrier-a", DIRECTION_OUTBOUND},
		{WILD, CORE, "1000", ABROAD, "", "", "", "unknown:203.0.113.0/24", "1000", "", DIRECTION_OUTBOUND},
		{"2001:db8:1:2::5", CORE, "1000", ABROAD, "", "", "", "unknown:2001:db8:1:2", "1000", "", DIRECTION_OUTBOUND},
		/* in: the called side's account */
		{CARRIER, ACME, "+33123456789", "01632960101", "", "", "", "acme", "+33123456789", "carrier-a", DIRECTION_INBOUND},
		{CARRIER, ACME, "+33123456789", "9999999", "", "", "", "acme", "+33123456789", "carrier-a", DIRECTION_INBOUND},
		{CARRIER, CORE, "+33123456789", "01632960101", "", "", "", "acme", "+33123456789", "carrier-a", DIRECTION_NONE},
		{ACME, CORE, "101", "01632960201", "", "", "", "acme", "101", "customers", DIRECTION_INTERNAL},
		/* diverted: the diverting party pays */
		{CORE, CARRIER, "+33123456789", ABROAD, "", "", "01632960201", "bolt", "+33123456789", "carrier-a", DIRECTION_DIVERTED},
		{BOLT, CARRIER, "+33123456789", ABROAD, "", "", "01632960201", "bolt", "+33123456789", "carrier-a", DIRECTION_DIVERTED},
		/* ... but a customer cannot name another one */
		{BOLT, CARRIER, "+33123456789", ABROAD, "", "", "01632960101", "bolt", "+33123456789", "carrier-a", DIRECTION_OUTBOUND},
	};
	/* clang-format on */
	struct site s;

	(void)state;
	enter(&s);
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		struct sip_identity id = {
			.digest_user = sv_of(c[i].digest),
			.digest_accepted = *c[i].digest != 0,
			.asserted = sv_of(c[i].asserted),
			.from_user = sv_of(c[i].from),
			.request_user = sv_of(c[i].to),
			.diversion = sv_of(c[i].diversion),
			.user_agent = SV("friendly-scanner"),
		};
		struct event ev;
		char text[NUMBER_TEXT];

		address(c[i].src, id.src);
		address(c[i].dst, id.dst);
		event_init(&ev);
		resolve_sip(&s.r, &id, &ev);
		number_text(ev.caller, text);
		if (!sv_eq(EVENT_SV(ev.account), sv_of(c[i].account)) ||
		    strcmp(text, c[i].caller) != 0 ||
		    !sv_eq(EVENT_SV(ev.trunk), sv_of(c[i].trunk)) ||
		    ev.direction != c[i].d)
			fail_msg("%zu: %.28s %s %.16s %s", i, ev.account, text,
				 ev.trunk,
				 ev.direction ? direction_name(ev.direction)
					      : "none");
		assert_int_equal(ev.ua_class, UA_SCANNER);
	}
	leave(&s);
}

static void cdr_rows(void **state)
{
	/* clang-format off */
	static const struct {
		const char *code, *src, *dst, *caller, *callee;
		const char *account, *trunk;
		enum direction d;
	} c[] = {
		/* a PBX's view: phone to line, line to phone */
		{"acme", "101", "acme-sip", "101", ABROAD, "acme", "acme-sip", DIRECTION_OUTBOUND},
		{"acme", "acme-sip", "101", "+33123456789", "01632960101", "acme", "acme-sip", DIRECTION_INBOUND},
		{"", "101", "acme-sip", "101", "01632960201", "acme", "acme-sip", DIRECTION_INTERNAL},
		{"", "101", "102", "101", "102", "acme", "102", DIRECTION_INTERNAL},
		{"", "101", "", "101", "*97", "acme", "", DIRECTION_INTERNAL},
		/* a provider's view: line to carrier and back */
		{"", "acme-sip", "carrier-a", "01632960101", ABROAD, "acme", "carrier-a", DIRECTION_OUTBOUND},
		{"", "carrier-a", "bolt-sip", "+33123456789", "01632960201", "bolt", "carrier-a", DIRECTION_INBOUND},
		{"bolt", "carrier-a", "carrier-a", "+33123456789", ABROAD, "bolt", "carrier-a", DIRECTION_DIVERTED},
		/* no code, nobody we know: by the caller's number, else unknown */
		{"", "x", "carrier-a", "01632960205", ABROAD, "bolt", "carrier-a", DIRECTION_OUTBOUND},
		{"", "x", "carrier-a", "7", ABROAD, "unknown:src", "carrier-a", DIRECTION_OUTBOUND},
		/* a code of the switch that is not in accounts.csv stays */
		{"new\nco", "x", "carrier-a", "7", ABROAD, "new?co", "carrier-a", DIRECTION_OUTBOUND},
	};
	/* clang-format on */
	struct site s;

	(void)state;
	enter(&s);
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		struct cdr_row row = {
			.account = sv_of(c[i].code),
			.user = sv_of(c[i].src),
			.src_peer = sv_of(c[i].src),
			.dst_peer = sv_of(c[i].dst),
			.caller = sv_of(c[i].caller),
			.callee = sv_of(c[i].callee),
		};
		struct event ev;

		event_init(&ev);
		resolve_cdr(&s.r, &row, &ev);
		if (!sv_eq(EVENT_SV(ev.account), sv_of(c[i].account)) ||
		    !sv_eq(EVENT_SV(ev.trunk), sv_of(c[i].trunk)) ||
		    ev.direction != c[i].d)
			fail_msg("%zu: %.28s %.16s %s", i, ev.account, ev.trunk,
				 ev.direction ? direction_name(ev.direction)
					      : "none");
	}
	leave(&s);
}

static void without_a_config(void **state)
{
	struct resolver r = {.source = "x"};
	struct cdr_row row = {.account = SV("acme"), .callee = SV("0207946")};
	struct event ev;

	(void)state;
	event_init(&ev);
	resolve_cdr(&r, &row, &ev);
	assert_int_equal(ev.account[0], 0);
	assert_int_equal(ev.direction, DIRECTION_NONE);
	assert_false(number_known(ev.callee));
	assert_true(ev.flags & EVENT_UNNORMAL);
	assert_true(sv_eq(EVENT_SV(ev.callee_raw), SV("0207946")));
}

static void networks(void **state)
{
	/* clang-format off */
	static const struct { const char *text; bool ok; } c[] = {
		{"192.0.2.0/28", true}, {"192.0.2.1", true}, {"::/0", true},
		{"0.0.0.0/0", true}, {"2001:db8::/32", true},
		{"192.0.2.1/28", false}, {"192.0.2.0/33", false},
		{"192.0.2/24", false}, {"", false}, {"/8", false},
		{"192.0.2.0/", false}, {"2001:db8::/129", false},
	};
	/* clang-format on */
	struct network_table *t = network_new();
	struct network n;
	struct err e;
	uint8_t a[16];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(c); i++)
		if (network_parse(sv_of(c[i].text), &n, &e) != c[i].ok)
			fail_msg("%s", c[i].text);
	assert_true(network_parse(SV("0.0.0.0/0"), &n, &e));
	assert_true(network_add(t, &n, 1));
	assert_true(network_parse(SV("192.0.2.0/24"), &n, &e));
	assert_true(network_add(t, &n, 2));
	assert_true(network_parse(SV("192.0.2.16/28"), &n, &e));
	assert_true(network_add(t, &n, 3));
	assert_false(network_add(t, &n, 4));
	address("192.0.2.17", a);
	assert_int_equal(network_find(t, a), 3);
	address("192.0.2.32", a);
	assert_int_equal(network_find(t, a), 2);
	address("198.51.100.1", a);
	assert_int_equal(network_find(t, a), 1);
	address("2001:db8::1", a);
	assert_int_equal(network_find(t, a), -1);
	network_free(t);
}

static void faults_of_accounts(void **state)
{
	/* clang-format off */
	static const char *const bad[] = {
		"account,trunks,users,networks\na,,,\n",
		"account,trunks,users,networks,ranges\na,,,,\na,,,,\n",
		"account,trunks,users,networks,ranges\na,,7,,\nb,,7,,\n",
		"account,trunks,users,networks,ranges\na,,,192.0.2.0/40,\n",
		"account,trunks,users,networks,ranges\na,,,,0163296\n",
		"account,trunks,users,networks,ranges\na,,,,+4416-+4415\n",
		"account,trunks,users,networks,ranges\na,,,,+44163-\nb,,,,+44163\n",
		"account,trunks,users,networks,ranges\n,,,,\n",
	};
	/* clang-format on */
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct site s = {0};

		s.accounts = load(&s, bad[i]);
		if (s.accounts)
			fail_msg("accepted: %s", bad[i]);
		assert_true(conf_errors(s.conf) > 0);
		leave(&s);
	}
}

/* event_check() refuses such a name, and so every call of the account. */
static void accounts_have_clean_names(void **state)
{
	static const char *const bad[] = {"caf\xe9", "a\tb", "a\x7f"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct site s = {0};
		char csv[128];

		snprintf(csv, sizeof(csv),
			 "account,trunks,users,networks,ranges\n%s,,,,\n",
			 bad[i]);
		assert_null(load(&s, csv));
		assert_int_equal(conf_errors(s.conf), 1);
		leave(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accounts_have_clean_names),
		cmocka_unit_test(networks),
		cmocka_unit_test(cdr_rows),
		cmocka_unit_test(sip_identities),
		cmocka_unit_test(without_a_config),
		cmocka_unit_test(faults_of_accounts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
