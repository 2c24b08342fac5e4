/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/sink.c"
#include "launch/sink_smtp.c"

#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void how_to_fail(void **state)
{
	/* clang-format off */
	static const struct { const char *text; struct sink_fail want; } t[] = {
		{"5xx:3", {SINK_CODE, 5, 0, 3}},
		{"4xx", {SINK_CODE, 4, 0, UINT32_MAX}},
		{"410:1", {SINK_CODE, 410, 0, 1}},
		{"reset", {SINK_RESET, 0, 0, UINT32_MAX}},
		{"close:2", {SINK_CLOSE, 0, 0, 2}},
		{"slow:20s", {SINK_SLOW, 0, 20000, UINT32_MAX}},
		{"slow:1s:0", {SINK_SLOW, 0, 1000, 0}},
	};
	/* clang-format on */
	static const char *const bad[] = {"",	       "6xx",	 "200",
					  "slow",      "slow:",	 "slow:20",
					  "5xx:x",     "slow:s", "4xx:-1",
					  "slow:4000s"};
	struct sink_fail f;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		assert_true(sink_fail_parse(&f, sv_of(t[i].text), &e));
		assert_int_equal(f.how, t[i].want.how);
		assert_int_equal(f.code, t[i].want.code);
		assert_int_equal(f.slow_ms, t[i].want.slow_ms);
		assert_int_equal(f.left, t[i].want.left);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (sink_fail_parse(&f, sv_of(bad[i]), &e))
			fail_msg("%s", bad[i]);
}

static void so_many_times(void **state)
{
	struct sink_fail f;
	struct err e;

	(void)state;
	assert_true(sink_fail_parse(&f, SV("reset:2"), &e));
	assert_int_equal(sink_fail_next(&f), SINK_RESET);
	assert_int_equal(sink_fail_next(&f), SINK_RESET);
	assert_int_equal(sink_fail_next(&f), SINK_WELL);
	assert_int_equal(sink_fail_next(&f), SINK_WELL);
}

static void repeats(void **state)
{
	static struct sink_seen s;
	char id[16];

	(void)state;
	assert_true(sink_seen_add(&s, SV("a")));
	assert_true(sink_seen_add(&s, SV("b")));
	assert_false(sink_seen_add(&s, SV("a")));
	for (int i = 0; i < SINK_SEEN; i++) {
		snprintf(id, sizeof(id), "x%d", i);
		assert_true(sink_seen_add(&s, sv_of(id)));
	}
	assert_true(sink_seen_add(&s, SV("a"))); /* too long ago */
	assert_false(sink_seen_add(&s, sv_of(id)));
}

static void words(void **state)
{
	/* clang-format off */
	static const struct { const char *in, *want; } t[] = {
		{"plain =A3 _", "plain =A3 _"},
		{"=?UTF-8?Q?=C2=A3412_and?=", "\xc2\xa3" "412 and"},
		{"=?UTF-8?Q?one?= =?UTF-8?Q?_two?= three", "one two three"},
		{"=?UTF-8?Q?open", "=?UTF-8?Q?open"},
		{"=?UTF-8?Q?\?=", ""}, {"=?utf-8?q?=3D=?=", "=="},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		char text[64];

		snprintf(text, sizeof(text), "%s", t[i].in);
		decode_words(text);
		assert_string_equal(text, t[i].want);
	}
}

static void headers(void **state)
{
	static const char head[] = "Subject: one\n two\n\tthree\n"
				   "X-Subject: no\nMessage-ID:<a@b>\n"
				   "message-id: <second>\n";
	char out[HEADER_SIZE];

	(void)state;
	find_header(sv_of(head), "Subject:", out);
	assert_string_equal(out, "one two three");
	find_header(sv_of(head), "message-id:", out);
	assert_string_equal(out, "<a@b>");
	find_header(sv_of(head), "Missing:", out);
	assert_string_equal(out, "");
}

/* ---- a session, byte by byte as a stranger might send it ---- */

static unsigned mails;

static void on_mail(void *arg, const struct sink_mail *m)
{
	(void)arg;
	assert_string_equal(m->to, "alex@example.com");
	assert_string_equal(m->text, "hi\n.\n");
	mails++;
}

struct client {
	struct event_base *base;
	struct sink_smtp *s;
	struct bufferevent *b;
	bool ended;
};

static void on_client_end(struct bufferevent *b, short what, void *arg)
{
	struct client *c = arg;

	(void)b;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		c->ended = true;
}

static void settle(struct client *c)
{
	for (int i = 0; i < 50; i++)
		event_base_loop(c->base, EVLOOP_NONBLOCK);
}

static int set_up(void **state)
{
	struct client *c = xcalloc(1, sizeof(*c));
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_addr = {htonl(INADDR_LOOPBACK)}};
	unsigned port;
	struct err e;

	mails = 0;
	c->base = event_base_new();
	assert_true(sink_smtp_new(&c->s, c->base, on_mail, NULL, &e));
	assert_int_equal(sscanf(sink_smtp_url(c->s), "smtp://127.0.0.1:%u",
				&port),
			 1);
	in.sin_port = htons((uint16_t)port);
	c->b = bufferevent_socket_new(c->base, -1, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(c->b, NULL, NULL, on_client_end, c);
	bufferevent_enable(c->b, EV_READ | EV_WRITE);
	bufferevent_socket_connect(c->b, (struct sockaddr *)&in, sizeof(in));
	settle(c);
	*state = c;
	return 0;
}

static int tear_down(void **state)
{
	struct client *c = *state;

	bufferevent_free(c->b);
	sink_smtp_free(c->s);
	event_base_free(c->base);
	free(c);
	return 0;
}

static void type(struct client *c, const char *text)
{
	evbuffer_add(bufferevent_get_output(c->b), text, strlen(text));
	settle(c);
}

/* The codes of what was answered until now. */
static void expect(struct client *c, const char *codes)
{
	struct evbuffer *in = bufferevent_get_input(c->b);
	char got[128] = "";
	char *line;

	for (int i = 0; i < 2000 && strlen(got) < strlen(codes); i++) {
		settle(c);
		while ((line = evbuffer_readln(in, NULL,
					       EVBUFFER_EOL_CRLF)) != NULL) {
			size_t n = strlen(got);

			snprintf(got + n, sizeof(got) - n, "%.3s ", line);
			free(line);
		}
		usleep(1000);
	}
	assert_string_equal(got, codes);
}

static void a_session(void **state)
{
	struct client *c = *state;
	static const char mail[] =
		"MAIL FROM:<a@b>\r\nRCPT TO:<alex@example.com>\r\nDATA\r\n"
		"Message-ID: <1@b>\r\n\r\nhi\r\n..\r\n.\r\n";

	expect(c, "220 ");
	type(c, "EHLO me\r\nNOOP\r\nWHAT\r\nDATA\r\nRCPT TO:<x@y>\r\n");
	expect(c, "250 250 250 250 502 503 503 ");
	type(c, mail);
	expect(c, "250 250 354 250 ");
	type(c, mail);
	expect(c, "250 250 354 250 ");
	assert_int_equal(mails, 1);
	assert_int_equal(sink_smtp_count(c->s).repeated, 1);
	type(c, "MAIL FROM:<a@b>\r\nRCPT TO:<>\r\nRCPT TO:<x@y>\r\n"
		"RCPT TO:<x@z>\r\nRSET\r\nDATA\r\nQUIT\r\n");
	expect(c, "250 501 250 452 250 503 221 ");
	assert_false(c->ended);
}

static void too_long(void **state)
{
	struct client *c = *state;
	char line[LINE_LIMIT + 20];

	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	type(c, line);
	assert_true(c->ended);
	assert_int_equal(c->s->n_sessions, 0);
}

static void too_big(void **state)
{
	struct client *c = *state;
	char line[903];

	memset(line, 'x', 900);
	memcpy(line + 900, "\r\n", 3);
	type(c, "MAIL FROM:<a@b>\r\nRCPT TO:<alex@example.com>\r\nDATA\r\n");
	for (int i = 0; i < 400; i++)
		type(c, line);
	type(c, ".\r\n");
	expect(c, "220 250 250 354 552 ");
	assert_int_equal(mails, 0);
}

#define IN_SESSION(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(how_to_fail), cmocka_unit_test(so_many_times),
		cmocka_unit_test(repeats),     cmocka_unit_test(words),
		cmocka_unit_test(headers),     IN_SESSION(a_session),
		IN_SESSION(too_long),	       IN_SESSION(too_big),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
