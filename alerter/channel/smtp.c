/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerter/channel/mime.h"
#include "alerter/channel/transfer.h"
#include "common/utf8.h"

/* ---- replies ---- */

void smtp_reply(struct smtp *s, struct sv line)
{
	uint32_t code;

	if (line.n < 3 || !sv_u32((struct sv){line.p, 3}, &code))
		code = 0; /* not SMTP: no reply that anybody wants */
	if (!s->more) {
		s->code = (int)code;
		snprintf(s->reply, sizeof(s->reply), "%.*s",
			 (int)utf8_cut(line, sizeof(s->reply) - 1).n, line.p);
	}
	s->more = line.n > 3 && line.p[3] == '-';
}

void smtp_refused(struct smtp *s, struct send_outcome *out)
{
	enum send_result r = s->code >= 500 && s->code < 600 ? SEND_PERMANENT
							     : SEND_TEMPORARY;

	mail_mask(s->reply);
	if (s->code >= 400 && s->code < 600)
		outcome_set(out, r, "%s", s->reply);
	else
		outcome_set(out, r, "a strange answer: %s", s->reply);
}

/* ---- the end ---- */

void smtp_close(struct smtp *s)
{
	if (s->io != NULL)
		event_free(s->io);
	if (s->limit != NULL)
		event_free(s->limit);
	s->io = s->limit = NULL;
}

/* QUIT is a courtesy, nobody waits for what it brings. */
static void end(struct transfer *t, const struct send_outcome *out)
{
	size_t n;

	if (t->smtp.out_at == t->smtp.out_n)
		(void)curl_easy_send(t->easy, "QUIT\r\n", 6, &n);
	transfer_finish(t, out);
}

static void broke(struct transfer *t)
{
	struct send_outcome out = {0};

	outcome_set(&out, SEND_TEMPORARY, "the connection broke");
	transfer_finish(t, &out);
}

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
	struct transfer *t = arg;
	struct send_outcome out = {0};

	(void)fd;
	(void)what;
	transfer_failed(t, CURLE_OPERATION_TIMEDOUT, &out);
	transfer_finish(t, &out);
}

/* ---- the dialogue ---- */

static void say(struct smtp *s, enum smtp_state state, const char *p, size_t n)
{
	s->state = state;
	s->out = p;
	s->out_n = n;
	s->out_at = 0;
}

/* Addresses were checked: they end no line, and fit. */
static void say_command(struct smtp *s, enum smtp_state state, const char *verb,
			const char *address)
{
	int n = snprintf(s->command, sizeof(s->command), "%s:<%s>\r\n", verb,
			 address);

	assert(n > 0 && (size_t)n < sizeof(s->command));
	say(s, state, s->command, (size_t)n);
}

/* A whole reply is here; false: the session is over. */
static bool step(struct transfer *t)
{
	struct smtp *s = &t->smtp;
	struct send_outcome out = {0};
	int want = s->state == SMTP_DATA ? 3 : 2;

	if (s->code / 100 != want || s->out_at < s->out_n) {
		smtp_refused(s, &out);
		end(t, &out);
		return false;
	}
	switch (s->state) {
	case SMTP_MAIL:
		say_command(s, SMTP_RCPT, "RCPT TO", t->m.target);
		return true;
	case SMTP_RCPT:
		say(s, SMTP_DATA, "DATA\r\n", 6);
		return true;
	case SMTP_DATA:
		say(s, SMTP_TEXT, t->body, t->body_n);
		return true;
	case SMTP_TEXT:
	case SMTP_CONNECT:
		break;
	}
	out.result = SEND_OK;
	end(t, &out);
	return false;
}

/* Bytes of the relay; false: the session is over. */
static bool take(struct transfer *t, const char *p, size_t n)
{
	struct smtp *s = &t->smtp;

	t->answered += n;
	if (t->answered > ANSWER_MAX) {
		broke(t);
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (p[i] != '\n') {
			if (s->line_n < sizeof(s->line)) /* the rest is lost */
				s->line[s->line_n++] = p[i];
			continue;
		}
		smtp_reply(s, sv_trim((struct sv){s->line, s->line_n}));
		s->line_n = 0;
		if (!s->more && !step(t))
			return false;
	}
	return true;
}

static bool read_all(struct transfer *t)
{
	char buf[4096];
	size_t n;
	CURLcode rc;

	/* TLS may hold bytes that make no socket readable: until EAGAIN. */
	while ((rc = curl_easy_recv(t->easy, buf, sizeof(buf), &n)) ==
		       CURLE_OK &&
	       n > 0)
		if (!take(t, buf, n))
			return false;
	if (rc == CURLE_AGAIN)
		return true;
	broke(t);
	return false;
}

static bool write_all(struct transfer *t)
{
	struct smtp *s = &t->smtp;
	short want = EV_READ | EV_PERSIST;

	while (s->out_at < s->out_n) {
		size_t n = 0;
		CURLcode rc = curl_easy_send(t->easy, s->out + s->out_at,
					     s->out_n - s->out_at, &n);

		if (rc == CURLE_AGAIN || (rc == CURLE_OK && n == 0)) {
			want |= EV_WRITE;
			break;
		}
		if (rc != CURLE_OK) {
			broke(t);
			return false;
		}
		s->out_at += n;
	}
	if (event_get_events(s->io) != want) {
		evutil_socket_t fd = event_get_fd(s->io);
		event_callback_fn on_io = event_get_callback(s->io);

		event_del(s->io);
		event_assign(s->io, transfer_base(t), fd, want, on_io, t);
		event_add(s->io, NULL);
	}
	return true;
}

static void on_io(evutil_socket_t fd, short what, void *arg)
{
	struct transfer *t = arg;

	(void)fd;
	if ((what & EV_READ) != 0 && !read_all(t))
		return;
	(void)write_all(t);
}

void smtp_talk(struct transfer *t)
{
	struct smtp *s = &t->smtp;
	int64_t left_ms =
		t->timeout_us / 1000 - (clock_mono().ms - t->begin.ms);
	struct timeval tv = {0, 1};
	curl_socket_t fd = CURL_SOCKET_BAD;

	if (left_ms > 0)
		tv = (struct timeval){left_ms / 1000, left_ms % 1000 * 1000};
	curl_easy_getinfo(t->easy, CURLINFO_ACTIVESOCKET, &fd);
	if (fd == CURL_SOCKET_BAD) {
		broke(t);
		return;
	}
	s->io = event_new(transfer_base(t), fd, EV_READ | EV_PERSIST, on_io, t);
	s->limit = evtimer_new(transfer_base(t), on_limit, t);
	if (s->io == NULL || s->limit == NULL)
		abort(); /* out of memory, as xmalloc */
	event_add(s->io, NULL);
	event_add(s->limit, &tv);
	s->more = false;
	say_command(s, SMTP_MAIL, "MAIL FROM", t->from);
	(void)write_all(t);
}
