/* SPDX-License-Identifier: Apache-2.0 */
#include "common/event_json.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void fill(struct event *ev)
{
	event_init(ev);
	ev->kind = EVENT_CALL;
	ev->phase = PHASE_END;
	EVENT_PUT(ev, source, SV("sbc-1"));
	ev->boot = 1768600000;
	ev->seq = 42;
	memset(ev->key.b, 0xab, sizeof(ev->key.b));
	ev->leg = 2;
	EVENT_PUT(ev, account, SV("acme"));
	EVENT_PUT(ev, user, SV("alice"));
	EVENT_PUT(ev, trunk, SV("trunk-1"));
	assert_true(number_parse(SV("+441632960001"), &ev->caller));
	EVENT_PUT(ev, caller_raw, SV("01632960001"));
	assert_true(number_parse(SV("+25299000001"), &ev->callee));
	EVENT_PUT(ev, callee_raw, SV("90025299000001"));
	ev->direction = DIRECTION_DIVERTED;
	assert_true(number_parse(SV("+441632960002"), &ev->diverting));
	assert_true(in_addr(SV("192.0.2.7"), ev->src_addr));
	ev->ua_class = UA_SCANNER;
	assert_true(
		time_parse(SV("2026-01-17T02:24:05.000001Z"), &ev->setup_us));
	ev->answer_us = ev->setup_us + SEC_US;
	ev->end_us = ev->answer_us + 60 * SEC_US;
	ev->observed_us = ev->end_us + 1;
	ev->talk_s = 0;
	ev->status = 200;
	ev->q850 = 16;
	ev->reg_outcome = REG_REJECTED;
	ev->flags = EVENT_ESTIMATED | EVENT_LOCAL_TIME | EVENT_CHALLENGED;
}

static void text_is(const struct event *ev, const char *want)
{
	struct json j = {0};

	event_json(ev, &j);
	assert_int_equal(j.n, strlen(want));
	assert_memory_equal(j.p, want, j.n);
	json_free(&j);
}

static void every_key_in_its_place(void **state)
{
	struct event ev;

	(void)state;
	fill(&ev);
	text_is(&ev,
		"{\"kind\":\"call\",\"phase\":\"end\",\"source\":\"sbc-1\","
		"\"boot\":1768600000,\"seq\":42,"
		"\"call_key\":\"abababababababababababababababab\","
		"\"leg\":2,\"account\":\"acme\",\"user\":\"alice\","
		"\"trunk\":\"trunk-1\",\"caller\":\"+441632960001\","
		"\"caller_raw\":\"01632960001\","
		"\"callee\":\"+25299000001\","
		"\"callee_raw\":\"90025299000001\","
		"\"diverting\":\"+441632960002\","
		"\"direction\":\"diverted\",\"src_addr\":\"192.0.2.7\","
		"\"ua_class\":\"scanner\","
		"\"setup\":\"2026-01-17T02:24:05.000001Z\","
		"\"answer\":\"2026-01-17T02:24:06.000001Z\","
		"\"end\":\"2026-01-17T02:25:06.000001Z\","
		"\"observed\":\"2026-01-17T02:25:06.000002Z\","
		"\"talk_s\":0,\"status\":200,\"q850\":16,"
		"\"reg_outcome\":\"rejected\","
		"\"flags\":[\"estimated\",\"local_time\",\"challenged\"]}");
}

static void unknown_is_null(void **state)
{
	struct event ev;

	(void)state;
	event_init(&ev);
	ev.kind = EVENT_HEARTBEAT;
	text_is(&ev,
		"{\"kind\":\"heartbeat\",\"phase\":null,\"source\":null,"
		"\"boot\":null,\"seq\":null,\"call_key\":null,\"leg\":null,"
		"\"account\":null,\"user\":null,\"trunk\":null,"
		"\"caller\":null,\"caller_raw\":null,\"callee\":null,"
		"\"callee_raw\":null,\"diverting\":null,"
		"\"direction\":null,\"src_addr\":null,\"ua_class\":null,"
		"\"setup\":null,\"answer\":null,\"end\":null,"
		"\"observed\":null,\"talk_s\":null,\"status\":null,"
		"\"q850\":null,\"reg_outcome\":null,\"flags\":[]}");
}

static void comes_back(const struct event *ev, struct event *back)
{
	struct json j = {0};
	struct err e = {""};

	event_json(ev, &j);
	if (!event_from_json((struct sv){j.p, j.n}, back, &e))
		fail_msg("%s: %.*s", e.text, (int)j.n, j.p);
	json_free(&j);
}

static void round_trip(void **state)
{
	static const char *const addr[] = {"192.0.2.7", "0.10.100.255",
					   "2001:db8::1",
					   "::ffff:198.51.100.9"};
	struct event ev;
	struct event back;

	(void)state;
	fill(&ev);
	comes_back(&ev, &back);
	assert_memory_equal(&ev, &back, sizeof(ev));
	event_init(&ev);
	ev.kind = EVENT_REGISTER;
	comes_back(&ev, &back);
	assert_memory_equal(&ev, &back, sizeof(ev));
	for (size_t i = 0; i < ARRAY_LEN(addr); i++) {
		fill(&ev);
		assert_true(in_addr(sv_of(addr[i]), ev.src_addr));
		comes_back(&ev, &back);
		assert_memory_equal(&ev, &back, sizeof(ev));
	}
	fill(&ev);
	ev.flags = 0;
	for (unsigned bit = 0; bit < ARRAY_LEN(flag_names); bit++)
		ev.flags |= 1U << bit;
	ev.seq = INT64_MAX;
	ev.boot = UINT32_MAX;
	ev.talk_s = INT32_MAX;
	ev.status = UINT16_MAX;
	ev.q850 = UINT8_MAX;
	comes_back(&ev, &back);
	assert_memory_equal(&ev, &back, sizeof(ev));
}

/* Bytes that are not UTF-8 become U+FFFD, which may not all fit; from then
 * on nothing changes any more. */
static void foreign_bytes_settle(void **state)
{
	static const char *const raw[] = {
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
		"\xc2\xa3\x01\x1f\"\\\t\r\n\x7f\xed\xa0\x80",
		"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98"
		"\x80\xf0\x9f\x98\x80"};
	struct event ev;
	struct event once;
	struct event twice;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(raw); i++) {
		fill(&ev);
		EVENT_PUT(&ev, user, sv_of(raw[i]));
		EVENT_PUT(&ev, caller_raw, sv_of(raw[i]));
		EVENT_PUT(&ev, callee_raw, sv_of(raw[i]));
		comes_back(&ev, &once);
		comes_back(&once, &twice);
		assert_memory_equal(&once, &twice, sizeof(once));
	}
}

static void refused(void **state)
{
	/* clang-format off */
	static const struct { const char *json, *why; } bad[] = {
		{"", "not JSON"},
		{"[]", "not a JSON object"},
		{"{}", "no kind"},
		{"{\"kind\":\"heartbeat\"} x", "not JSON"},
		{"{\"kind\":\"call\"}", "phase"},
		{"{\"kind\":\"call\",\"kind\":\"call\"}", "not JSON"},
		{"{\"kind\":\"Call\"}", "\"kind\""},
		{"{\"kind\":7}", "\"kind\""},
		{"{\"kind\":\"register\",\"phase\":\"end\"}", "phase"},
		{"{\"kind\":\"heartbeat\",\"colour\":1}", "unknown key"},
		{"{\"kind\":\"heartbeat\",\"seq\":-1}", "\"seq\""},
		{"{\"kind\":\"heartbeat\",\"seq\":1.5}", "\"seq\""},
		{"{\"kind\":\"heartbeat\",\"seq\":9223372036854775808}", "not JSON"},
		{"{\"kind\":\"heartbeat\",\"leg\":256}", "\"leg\""},
		{"{\"kind\":\"heartbeat\",\"status\":65536}", "\"status\""},
		{"{\"kind\":\"heartbeat\",\"boot\":4294967296}", "\"boot\""},
		{"{\"kind\":\"heartbeat\",\"talk_s\":-1}", "\"talk_s\""},
		{"{\"kind\":\"heartbeat\",\"talk_s\":2147483648}", "\"talk_s\""},
		{"{\"kind\":\"heartbeat\",\"caller\":\"+44 1632\"}", "\"caller\""},
		{"{\"kind\":\"heartbeat\",\"caller\":\"\"}", "\"caller\""},
		{"{\"kind\":\"heartbeat\",\"call_key\":\"abc\"}", "\"call_key\""},
		{"{\"kind\":\"heartbeat\",\"src_addr\":\"192.0.2\"}", "\"src_addr\""},
		{"{\"kind\":\"heartbeat\",\"setup\":\"yesterday\"}", "\"setup\""},
		{"{\"kind\":\"heartbeat\",\"setup\":\"2101-01-01T00:00:00Z\"}", "2100"},
		{"{\"kind\":\"heartbeat\",\"setup\":\"1969-01-01T00:00:00Z\"}", "1970"},
		{"{\"kind\":\"heartbeat\",\"flags\":[\"odd\"]}", "\"flags\""},
		{"{\"kind\":\"heartbeat\",\"flags\":\"clamped\"}", "\"flags\""},
		{"{\"kind\":\"heartbeat\",\"user\":\"a\\u0000b\"}", "not JSON"},
		{"{\"kind\":\"heartbeat\",\"account\":\"a\\nb\"}", "out of range"},
		{"{\"kind\":\"heartbeat\",\"account\":\"abcdefghijklmnopqrstuvwxyz012\"}", "\"account\""},
	};
	/* clang-format on */
	struct event ev;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		e.text[0] = '\0';
		assert_false(event_from_json(sv_of(bad[i].json), &ev, &e));
		if (!strstr(e.text, bad[i].why))
			fail_msg("%s: %s", bad[i].json, e.text);
	}
}

static void missing_is_null(void **state)
{
	struct event ev;
	struct event want;
	struct err e;

	(void)state;
	event_init(&want);
	want.kind = EVENT_HEARTBEAT;
	assert_true(event_from_json(SV("{\"kind\":\"heartbeat\"}"), &ev, &e));
	assert_memory_equal(&ev, &want, sizeof(ev));
	assert_true(event_from_json(SV("{\"kind\":\"heartbeat\",\"user\":"
				       "\"abcdefghijklmnopqrstuvwxyz\"}"),
				    &ev, &e));
	assert_int_equal(ev.flags, EVENT_TRUNCATED);
	assert_memory_equal(ev.user, "abcdefghijklmnopqrstuvwx", 24);
}

static void names(void **state)
{
	enum direction d;

	(void)state;
	assert_string_equal(direction_name(DIRECTION_INTERNAL), "internal");
	assert_null(direction_name(DIRECTION_NONE));
	assert_null(direction_name((enum direction)5));
	assert_true(direction_parse(SV("outbound"), &d));
	assert_int_equal(d, DIRECTION_OUTBOUND);
	assert_false(direction_parse(SV("out"), &d));
	assert_false(direction_parse(SV(""), &d));
	assert_string_equal(phase_name(PHASE_PROGRESS), "progress");
	assert_null(phase_name((enum event_phase)9));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_in_its_place),
		cmocka_unit_test(unknown_is_null),
		cmocka_unit_test(round_trip),
		cmocka_unit_test(foreign_bytes_settle),
		cmocka_unit_test(refused),
		cmocka_unit_test(missing_is_null),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
