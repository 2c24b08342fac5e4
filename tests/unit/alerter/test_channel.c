/* SPDX-License-Identifier: Apache-2.0 */
#include "alerter/channel/channel.c"

#include <setjmp.h>

#include <cmocka.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "common/signature.h"
#include "common/sv.h"

/*
 * The channels against servers of this process on ports of 127.0.0.1 that the
 * kernel gives: an HTTP server (libevent's) and a scripted SMTP server.
 */
#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

enum { OUTCOMES = 64 };

struct world {
	struct event_base *base;
	struct channels *c;
	struct alerter_conf conf;
	struct webhook_conf hook[2];
	char url[2][64], relay[64];
	struct send_outcome got[OUTCOMES];
	unsigned n_got, want;
	bool inside; /* in channels_send */
	/* the HTTP server */
	struct evhttp *http;
	uint16_t http_port;
	int status;
	const char *header, *value;
	size_t body;
	char first_id[128], first_at[32];
	char hub[80];
	unsigned requests, verified, open, most_open;
	struct evhttp_request *held[OUTCOMES];
	bool hold;
	/* the SMTP server */
	struct evconnlistener *smtp;
	const char *say[8]; /* by enum verb; NULL: says nothing */
	struct evbuffer *mail;
	char rcpt[128];
	unsigned mails;
};

enum verb { GREET, EHLO, MAIL, RCPT, DATA, DOT, QUIT, AUTH };

/* ---- HTTP ---- */

static const char *header_of(struct evhttp_request *r, const char *name)
{
	const char *v =
		evhttp_find_header(evhttp_request_get_input_headers(r), name);

	return v != NULL ? v : "";
}

static void verify(struct world *w, struct evhttp_request *r)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(r);
	struct signature_keys k;
	uint64_t at = 0;
	struct err e;
	struct signed_text t = {
		.id = sv_of(header_of(r, "webhook-id")),
		.body = {(char *)evbuffer_pullup(in, -1),
			 evbuffer_get_length(in)},
	};

	assert_true(signature_keys_parse(&k, SV(SECRET), &e));
	sv_u64(sv_of(header_of(r, "webhook-timestamp")), &at);
	t.at_s = (int64_t)at;
	assert_true(llabs(t.at_s - clock_wall().us / SEC_US) <= 5);
	if (signature_ok(&k, &t, sv_of(header_of(r, "webhook-signature"))))
		w->verified++;
	snprintf(w->first_id, sizeof(w->first_id), "%s",
		 header_of(r, "webhook-id"));
	snprintf(w->hub, sizeof(w->hub), "%s",
		 header_of(r, "X-Hub-Signature-256"));
	assert_string_equal(header_of(r, "Content-Type"), "application/json");
}

static void on_request(struct evhttp_request *r, void *arg)
{
	struct world *w = arg;
	struct evbuffer *body = evbuffer_new();

	w->requests++;
	verify(w, r);
	if (w->hold) {
		w->held[w->open++] = r;
		if (w->open > w->most_open)
			w->most_open = w->open;
		evbuffer_free(body);
		return;
	}
	if (w->header != NULL)
		evhttp_add_header(evhttp_request_get_output_headers(r),
				  w->header, w->value);
	for (size_t i = 0; i < w->body / 1000; i++)
		evbuffer_add_printf(body, "%01000d", 0);
	evhttp_send_reply(r, w->status, "", body);
	evbuffer_free(body);
}

/* ---- SMTP ---- */

static void say(struct world *w, struct bufferevent *b, enum verb v)
{
	if (w->say[v] != NULL)
		evbuffer_add_printf(bufferevent_get_output(b), "%s\r\n",
				    w->say[v]);
}

static void on_command(struct world *w, struct bufferevent *b, const char *s)
{
	if (strncmp(s, "EHLO", 4) == 0)
		say(w, b, EHLO);
	else if (strncmp(s, "AUTH", 4) == 0)
		say(w, b, AUTH);
	else if (strncmp(s, "MAIL", 4) == 0)
		say(w, b, MAIL);
	else if (strncmp(s, "RCPT", 4) == 0)
		snprintf(w->rcpt, sizeof(w->rcpt), "%s", s), say(w, b, RCPT);
	else if (strncmp(s, "DATA", 4) == 0)
		w->hold = w->say[DATA] == NULL || w->say[DATA][0] == '3',
		say(w, b, DATA); /* text follows */
	else if (strncmp(s, "QUIT", 4) == 0)
		say(w, b, QUIT);
	else
		evbuffer_add_printf(bufferevent_get_output(b), "502 no\r\n");
}

static void on_lines(struct bufferevent *b, void *arg)
{
	struct world *w = arg;
	char *s;

	while ((s = evbuffer_readln(bufferevent_get_input(b), NULL,
				    EVBUFFER_EOL_CRLF_STRICT)) != NULL) {
		if (!w->hold)
			on_command(w, b, s);
		else if (strcmp(s, ".") == 0)
			w->hold = false, w->mails++, say(w, b, DOT);
		else
			evbuffer_add_printf(w->mail, "%s\n", s);
		free(s);
	}
}

static void on_close(struct bufferevent *b, short what, void *arg)
{
	(void)what;
	(void)arg;
	bufferevent_free(b);
}

static void on_accept(struct evconnlistener *l, evutil_socket_t fd,
		      struct sockaddr *sa, int n, void *arg)
{
	struct world *w = arg;
	struct bufferevent *b;
	struct linger reset = {1, 0};

	(void)l;
	(void)sa;
	(void)n;
	if (w->say[GREET] != NULL && w->say[GREET][0] == '\0') {
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		evutil_closesocket(fd);
		return;
	}
	b = bufferevent_socket_new(w->base, fd, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(b, on_lines, NULL, on_close, w);
	bufferevent_enable(b, EV_READ | EV_WRITE);
	say(w, b, GREET);
}

/* ---- the world ---- */

static void on_done(void *arg, uint32_t page, const struct send_outcome *o)
{
	struct world *w = arg;

	assert_false(w->inside);
	assert_true(page < OUTCOMES);
	w->got[page] = *o;
	if (++w->n_got >= w->want)
		event_base_loopbreak(w->base);
}

static uint16_t port_of(evutil_socket_t fd)
{
	struct sockaddr_in in;
	socklen_t n = sizeof(in);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &n), 0);
	return ntohs(in.sin_port);
}

static void relay_up(struct world *w)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_addr = {htonl(INADDR_LOOPBACK)}};

	w->smtp = evconnlistener_new_bind(w->base, on_accept, w,
					  LEV_OPT_CLOSE_ON_FREE, 16,
					  (struct sockaddr *)&in, sizeof(in));
	assert_non_null(w->smtp);
	snprintf(w->relay, sizeof(w->relay), "smtp://127.0.0.1:%u",
		 port_of(evconnlistener_get_fd(w->smtp)));
	w->conf.smtp = (struct smtp_conf){
		.relay = w->relay,
		.from = "tollwatch@example.com",
		.user = "",
		.password = "",
		.tls = "none",
		.timeout_us = 5 * SEC_US,
	};
}

static int set_up(void **state)
{
	static const char *const polite[] = {
		"220 relay", "250-relay\r\n250 SIZE 100000",
		"250 ok",    "250 ok",
		"354 go on", "250 taken",
		"221 bye",   "235 ok"};
	struct world *w = xcalloc(1, sizeof(*w));
	struct evhttp_bound_socket *s;
	struct err e;

	w->base = event_base_new();
	w->http = evhttp_new(w->base);
	evhttp_set_gencb(w->http, on_request, w);
	s = evhttp_bind_socket_with_handle(w->http, "127.0.0.1", 0);
	w->http_port = port_of(evhttp_bound_socket_get_fd(s));
	for (size_t i = 0; i < 2; i++) {
		snprintf(w->url[i], sizeof(w->url[i]),
			 "http://127.0.0.1:%u/secret-path", w->http_port);
		w->hook[i] = (struct webhook_conf){
			.name = i == 0 ? "noc" : "public",
			.url = w->url[i],
			.secret = SECRET,
			.private_network = i == 0,
			.timeout_us = 5 * SEC_US,
		};
	}
	w->conf.webhook = w->hook;
	w->conf.n_webhooks = 2;
	w->status = 200;
	w->mail = evbuffer_new();
	memcpy(w->say, polite, sizeof(polite));
	relay_up(w);
	assert_true(channels_new(&w->c, w->base, &w->conf, on_done, w, &e));
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	channels_free(w->c);
	for (int i = 0; i < 10; i++) /* our servers see the ends */
		event_base_loop(w->base, EVLOOP_NONBLOCK);
	evhttp_free(w->http);
	evconnlistener_free(w->smtp);
	evbuffer_free(w->mail);
	event_base_free(w->base);
	free(w);
	return 0;
}

static void send_page(struct world *w, uint32_t page, enum channel_kind k,
		      const char *target)
{
	const struct message m = {
		.page = page,
		.channel = k,
		.target = target,
		.id = "example-7.1",
		.thread = "example-7",
		.subject = "ACME \xc2\xa3"
			   "412",
		.text = "one\n.two\n",
		.json = "{\"type\":\"incident.opened\"}",
		.time_us = 1,
	};

	w->inside = true;
	channels_send(w->c, &m);
	w->inside = false;
}

static void run(struct world *w, unsigned want)
{
	struct timeval end = {20, 0};

	w->want = want;
	if (w->n_got < want) {
		event_base_loopexit(w->base, &end);
		event_base_dispatch(w->base);
	}
	assert_int_equal(w->n_got, want);
}

static const struct send_outcome *one(struct world *w, enum channel_kind k,
				      const char *target)
{
	w->n_got = 0;
	send_page(w, 1, k, target);
	assert_int_equal(channels_busy(w->c), 1);
	run(w, 1);
	assert_int_equal(channels_busy(w->c), 0);
	return &w->got[1];
}

/* ---- webhooks ---- */

static void statuses(void **state)
{
	/* clang-format off */
	static const struct {
		int status;
		const char *header, *value;
		enum send_result want;
		uint32_t after;
	} t[] = {
		{200, NULL, NULL, SEND_OK, 0},
		{202, NULL, NULL, SEND_OK, 0},
		{204, NULL, NULL, SEND_OK, 0},
		{301, "Location", "http://127.0.0.1:1/", SEND_PERMANENT, 0},
		{304, NULL, NULL, SEND_PERMANENT, 0},
		{400, NULL, NULL, SEND_PERMANENT, 0},
		{401, NULL, NULL, SEND_PERMANENT, 0},
		{404, "Retry-After", "9", SEND_PERMANENT, 0},
		{408, NULL, NULL, SEND_TEMPORARY, 0},
		{410, NULL, NULL, SEND_PERMANENT, 0},
		{425, NULL, NULL, SEND_TEMPORARY, 0},
		{429, "Retry-After", "120", SEND_TEMPORARY, 120},
		{429, "Retry-After", "soon", SEND_TEMPORARY, 0},
		{500, NULL, NULL, SEND_TEMPORARY, 0},
		{503, "Retry-After", "7", SEND_TEMPORARY, 7},
		{503, "Retry-After", "99999999999999999999", SEND_TEMPORARY, 0},
		{599, NULL, NULL, SEND_TEMPORARY, 0},
	};
	/* clang-format on */
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		const struct send_outcome *o;
		char want[16];

		w->status = t[i].status;
		w->header = t[i].header;
		w->value = t[i].value;
		o = one(w, CHANNEL_WEBHOOK, "noc");
		assert_int_equal(w->requests, i + 1); /* no redirect */
		assert_int_equal(o->result, t[i].want);
		assert_int_equal(o->retry_after_s, t[i].after);
		snprintf(want, sizeof(want), "HTTP %d", t[i].status);
		if (o->result != SEND_OK)
			assert_non_null(strstr(o->error, want));
	}
	assert_int_equal(w->verified, ARRAY_LEN(t));
}

static void signatures(void **state)
{
	struct world *w = *state;
	char want[80] = "sha256=";

	one(w, CHANNEL_WEBHOOK, "noc");
	signature_hub(SV(SECRET), SV("{\"type\":\"incident.opened\"}"),
		      want + 7);
	assert_string_equal(w->hub, want);
	assert_string_equal(w->first_id, "example-7-1");
	assert_int_equal(w->verified, 1);
}

static void a_long_answer(void **state)
{
	struct world *w = *state;

	w->body = 10 * 1000 * 1000;
	assert_int_equal(one(w, CHANNEL_WEBHOOK, "noc")->result, SEND_OK);
	w->status = 503;
	assert_int_equal(one(w, CHANNEL_WEBHOOK, "noc")->result,
			 SEND_TEMPORARY);
	w->status = 400;
	assert_int_equal(one(w, CHANNEL_WEBHOOK, "noc")->result,
			 SEND_PERMANENT);
}

static void private_addresses(void **state)
{
	static const char *const host[] = {"127.0.0.1", "localhost",
					   "[::1]",	"[::ffff:127.0.0.1]",
					   "0.0.0.0",	"2130706433"};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(host); i++) {
		const struct send_outcome *o;

		snprintf(w->url[1], sizeof(w->url[1]), "http://%s:%u/", host[i],
			 w->http_port);
		o = one(w, CHANNEL_WEBHOOK, "public");
		assert_int_equal(o->result, SEND_PERMANENT);
		assert_non_null(strstr(o->error, "private_network"));
	}
	assert_int_equal(w->requests, 0);
}

static void no_proxy_of_the_environment(void **state)
{
	struct world *w = *state;

	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	assert_int_equal(one(w, CHANNEL_WEBHOOK, "noc")->result, SEND_OK);
	unsetenv("http_proxy");
	unsetenv("ALL_PROXY");
}

static void bad_webhooks(void **state)
{
	/* clang-format off */
	static const struct {
		const char *url, *secret;
		enum send_result want;
		const char *says;
	} t[] = {
		{"ftp://127.0.0.1/", SECRET, SEND_PERMANENT, "URL"},
		{"file:///etc/passwd", SECRET, SEND_PERMANENT, "URL"},
		{"gopher://127.0.0.1/", SECRET, SEND_PERMANENT, "URL"},
		{"http://", SECRET, SEND_PERMANENT, "URL"},
		{"http://127.0.0.1:1/x", "", SEND_PERMANENT, "secret"},
		{"http://127.0.0.1:1/x", "hunter2", SEND_PERMANENT, "secret"},
		{"http://127.0.0.1:1/x", SECRET, SEND_TEMPORARY, "refused"},
		{"http://name.invalid/x", SECRET, SEND_TEMPORARY, "host"},
	};
	/* clang-format on */
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		const struct send_outcome *o;

		w->hook[0].url = t[i].url;
		w->hook[0].secret = t[i].secret;
		o = one(w, CHANNEL_WEBHOOK, "noc");
		assert_int_equal(o->result, t[i].want);
		assert_non_null(strstr(o->error, t[i].says));
		assert_null(strstr(o->error, "hunter2"));
	}
	assert_int_equal(one(w, CHANNEL_WEBHOOK, "nobody")->result,
			 SEND_PERMANENT);
	assert_int_equal(one(w, CHANNEL_KINDS, "noc")->result, SEND_PERMANENT);
}

static void a_server_without_tls(void **state)
{
	struct world *w = *state;

	snprintf(w->url[0], sizeof(w->url[0]), "https://127.0.0.1:%u/",
		 w->http_port);
	assert_int_equal(one(w, CHANNEL_WEBHOOK, "noc")->result,
			 SEND_TEMPORARY);
}

static void a_time_limit(void **state)
{
	struct world *w = *state;
	const struct send_outcome *o;

	w->hold = true;
	w->hook[0].timeout_us = SEC_US / 4;
	o = one(w, CHANNEL_WEBHOOK, "noc");
	assert_int_equal(o->result, SEND_TEMPORARY);
	assert_string_equal(o->error, "timeout after 0.25 s");
}

static void answer_held(evutil_socket_t fd, short what, void *arg)
{
	struct world *w = arg;

	(void)fd;
	(void)what;
	w->hold = false;
	for (unsigned i = 0; i < w->open; i++)
		evhttp_send_reply(w->held[i], 200, "", NULL);
	w->open = 0;
}

/* More than fit wait; e-mail has a lane of its own. */
static void in_parallel(void **state)
{
	struct world *w = *state;
	struct timeval soon = {0, 300000};

	for (uint32_t i = 0; i < 40; i++)
		send_page(w, i, CHANNEL_WEBHOOK, "noc");
	assert_int_equal(channels_busy(w->c), 40);
	w->hold = true;
	event_base_once(w->base, -1, EV_TIMEOUT, answer_held, w, &soon);
	run(w, 40);
	assert_int_equal(w->most_open, LANE_MAX);
	for (uint32_t i = 0; i < 40; i++)
		assert_int_equal(w->got[i].result, SEND_OK);
	assert_int_equal(w->verified, 40);
}

static void stop_loop(evutil_socket_t fd, short what, void *arg)
{
	struct world *w = arg;

	(void)fd;
	(void)what;
	event_base_loopbreak(w->base);
}

/* tear_down frees with transfers under way and waiting; no word of them. */
static void cut_off(void **state)
{
	struct world *w = *state;
	struct timeval soon = {0, 200000};

	w->hold = true;
	for (uint32_t i = 0; i < 20; i++)
		send_page(w, i, CHANNEL_WEBHOOK, "noc");
	w->hook[1].url = "http://name.invalid/";
	send_page(w, 21, CHANNEL_WEBHOOK, "public");
	event_base_once(w->base, -1, EV_TIMEOUT, stop_loop, w, &soon);
	event_base_dispatch(w->base);
	assert_int_equal(w->requests, LANE_MAX);
	assert_int_equal(w->n_got, 0);
	assert_int_equal(channels_busy(w->c), 21);
}

/* ---- e-mail ---- */

static void a_mail(void **state)
{
	struct world *w = *state;
	char *text;

	assert_int_equal(one(w, CHANNEL_EMAIL, "alex@example.com")->result,
			 SEND_OK);
	assert_int_equal(w->mails, 1);
	assert_string_equal(w->rcpt, "RCPT TO:<alex@example.com>");
	evbuffer_add(w->mail, "", 1);
	text = (char *)evbuffer_pullup(w->mail, -1);
	assert_non_null(
		strstr(text, "\nMessage-ID: <example-7.1@example.com>"));
	assert_non_null(strstr(text, "\nReferences: <example-7@example.com>"));
	assert_non_null(strstr(text, "\nSubject: =?UTF-8?Q?ACME_=C2=A3412?="));
	assert_non_null(strstr(text, "\none\n=2Etwo\n"));
}

static void replies(void **state)
{
	/* clang-format off */
	static const struct {
		enum verb verb;
		const char *say;
		enum send_result want;
		const char *error;
	} t[] = {
		{GREET, "554 go away", SEND_PERMANENT, "554 go away"},
		{GREET, "421 later", SEND_TEMPORARY, "421 later"},
		{GREET, "", SEND_TEMPORARY, "connection"},
		{MAIL, "550 not you", SEND_PERMANENT, "550 not you"},
		{MAIL, "451 not now", SEND_TEMPORARY, "451 not now"},
		{RCPT, "550 5.1.1 <alex@example.com> unknown", SEND_PERMANENT, "550 5.1.1 <a***@example.com> unknown"},
		{RCPT, "450 greylisted", SEND_TEMPORARY, "450 greylisted"},
		{RCPT, "550-first line\r\n550 second", SEND_PERMANENT, "550-first line"},
		{DATA, "554 no", SEND_PERMANENT, "554 no"},
		{DOT, "552 too big", SEND_PERMANENT, "552 too big"},
		{DOT, "452 full", SEND_TEMPORARY, "452 full"},
		{DOT, "250-taken\r\n250 and done", SEND_OK, ""},
	};
	/* clang-format on */
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		const char *polite = w->say[t[i].verb];
		const struct send_outcome *o;

		w->say[t[i].verb] = t[i].say;
		o = one(w, CHANNEL_EMAIL, "alex@example.com");
		if (o->result != t[i].want ||
		    strstr(o->error, t[i].error) == NULL)
			fail_msg("%s: %d %s", t[i].say, o->result, o->error);
		w->say[t[i].verb] = polite;
	}
}

static void log_in(void **state)
{
	struct world *w = *state;
	const struct send_outcome *o;

	w->conf.smtp.user = "tollwatch";
	w->conf.smtp.password = "hunter2";
	w->say[EHLO] = "250-relay\r\n250 AUTH PLAIN";
	assert_int_equal(one(w, CHANNEL_EMAIL, "alex@example.com")->result,
			 SEND_OK);
	w->say[AUTH] = "535 bad password hunter2 of tollwatch";
	o = one(w, CHANNEL_EMAIL, "alex@example.com");
	assert_int_equal(o->result, SEND_PERMANENT);
	assert_string_equal(o->error, "535 the relay refused our log-in");
	w->say[AUTH] = "454 try later";
	o = one(w, CHANNEL_EMAIL, "alex@example.com");
	assert_int_equal(o->result, SEND_TEMPORARY);
}

static void tls_that_is_not_there(void **state)
{
	struct world *w = *state;
	const struct send_outcome *o;

	w->conf.smtp.tls = "required";
	o = one(w, CHANNEL_EMAIL, "alex@example.com");
	assert_int_equal(o->result, SEND_PERMANENT);
	assert_non_null(strstr(o->error, "TLS"));
	assert_int_equal(w->mails, 0);
	w->conf.smtp.tls = "try";
	o = one(w, CHANNEL_EMAIL, "alex@example.com");
	assert_int_equal(o->result, SEND_OK);
}

static void bad_addresses(void **state)
{
	struct world *w = *state;

	assert_int_equal(
		one(w, CHANNEL_EMAIL, "a@b>\r\nRCPT TO:<eve@b")->result,
		SEND_PERMANENT);
	w->conf.smtp.from = "me";
	assert_int_equal(one(w, CHANNEL_EMAIL, "alex@example.com")->result,
			 SEND_PERMANENT);
	w->conf.smtp.from = "me@example.com";
	w->conf.smtp.relay = "http://127.0.0.1/";
	assert_int_equal(one(w, CHANNEL_EMAIL, "alex@example.com")->result,
			 SEND_PERMANENT);
	w->conf.smtp.relay = "";
	assert_int_equal(one(w, CHANNEL_EMAIL, "alex@example.com")->result,
			 SEND_PERMANENT);
	assert_int_equal(w->mails, 0);
}

/* It does not answer QUIT: the loop goes on all the same. */
static void a_relay_that_does_not_say_goodbye(void **state)
{
	struct world *w = *state;
	struct mono_ms begin = clock_mono();

	w->say[QUIT] = NULL;
	assert_int_equal(one(w, CHANNEL_EMAIL, "alex@example.com")->result,
			 SEND_OK);
	w->say[RCPT] = "550 no";
	assert_int_equal(one(w, CHANNEL_EMAIL, "alex@example.com")->result,
			 SEND_PERMANENT);
	assert_true(clock_mono().ms - begin.ms < 900);
}

static void count_tick(evutil_socket_t fd, short what, void *arg)
{
	unsigned *ticks = arg;

	(void)fd;
	(void)what;
	(*ticks)++;
}

/* Wherever it falls silent, the rest of the loop goes on until the limit. */
static void a_relay_that_hangs(void **state)
{
	struct timeval often = {0, 10000};
	static const enum verb silent[] = {GREET, EHLO, MAIL, RCPT, DATA, DOT};
	struct world *w = *state;
	struct event *tick;
	unsigned ticks;

	w->conf.smtp.timeout_us = SEC_US / 4;
	tick = event_new(w->base, -1, EV_PERSIST, count_tick, &ticks);
	event_add(tick, &often);
	for (size_t i = 0; i < ARRAY_LEN(silent); i++) {
		const char *polite = w->say[silent[i]];
		struct mono_ms begin = clock_mono();
		const struct send_outcome *o;

		w->say[silent[i]] = NULL;
		w->hold = false;
		ticks = 0;
		o = one(w, CHANNEL_EMAIL, "alex@example.com");
		assert_int_equal(o->result, SEND_TEMPORARY);
		assert_non_null(strstr(o->error, "timeout"));
		assert_true(clock_mono().ms - begin.ms < 900);
		assert_true(ticks >= 10); /* of 25 */
		w->say[silent[i]] = polite;
	}
	event_free(tick);
}

#define IN_WORLD(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(statuses),
		IN_WORLD(signatures),
		IN_WORLD(a_long_answer),
		IN_WORLD(private_addresses),
		IN_WORLD(no_proxy_of_the_environment),
		IN_WORLD(bad_webhooks),
		IN_WORLD(a_server_without_tls),
		IN_WORLD(a_time_limit),
		IN_WORLD(in_parallel),
		IN_WORLD(cut_off),
		IN_WORLD(a_mail),
		IN_WORLD(replies),
		IN_WORLD(log_in),
		IN_WORLD(tls_that_is_not_there),
		IN_WORLD(bad_addresses),
		IN_WORLD(a_relay_that_does_not_say_goodbye),
		IN_WORLD(a_relay_that_hangs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
