/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/sink_smtp.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>

#include "common/hash.h"
#include "common/mem.h"

enum {
	LINE_LIMIT = 1000, /* RFC 5321 4.5.3.1.6 */
	MAIL_LIMIT = 256 * 1024,
	SESSIONS = 64,
	IDLE_S = 60,
	TO_SIZE = 256,
	HEADER_SIZE = 1024,
};

struct session {
	struct sink_smtp *s;
	struct session *next;
	struct bufferevent *b;
	struct event *late; /* the answer of a slow receiver; NULL until then */
	bool data;	    /* lines are of a message */
	bool big;
	char to[TO_SIZE]; /* "" = no recipient yet */
	bool from;
	struct evbuffer *mail; /* LF line ends */
};

struct sink_smtp {
	struct event_base *base;
	struct evconnlistener *listener;
	sink_mail_fn *on_mail;
	void *arg;
	struct sink_fail fail;
	struct sink_seen seen;
	struct sink_count count;
	struct session *session;
	unsigned n_sessions;
	char url[64];
};

/* ---- the message ---- */

static int hex_pair(struct sv s)
{
	uint8_t v;

	return s.n >= 2 && hex_parse((struct sv){s.p, 2}, &v, 1) ? v : -1;
}

/* In place; "=" before a line end joins the lines, "_" is a space in words. */
static size_t decode_qp(char *out, struct sv in, bool word)
{
	size_t n = 0;

	while (in.n > 0) {
		int v = in.p[0] == '='
				? hex_pair((struct sv){in.p + 1, in.n - 1})
				: -1;
		size_t used = 1;

		if (v >= 0) {
			out[n++] = (char)v;
			used = 3;
		} else if (in.p[0] == '=' && in.n > 1 && in.p[1] == '\n') {
			used = 2;
		} else {
			out[n++] = word && in.p[0] == '_' ? ' ' : in.p[0];
		}
		in = (struct sv){in.p + used, in.n - used};
	}
	return n;
}

/* The words of RFC 2047 that mime.c writes; the space between two goes. */
static void decode_words(char *text)
{
	char *out = text;
	struct sv in = sv_of(text);
	bool after_word = false;

	while (in.n > 0) {
		static const char head[] = "=?UTF-8?Q?";
		const char *end = NULL;
		struct sv rest = in;

		if (after_word)
			while (rest.n > 0 && rest.p[0] == ' ')
				rest = (struct sv){rest.p + 1, rest.n - 1};
		if (sv_starts_nocase(rest, sv_of(head)))
			end = memmem(rest.p + 10, rest.n - 10, "?=", 2);
		if (end == NULL) {
			*out++ = in.p[0];
			in = (struct sv){in.p + 1, in.n - 1};
			after_word = false;
			continue;
		}
		out += decode_qp(out,
				 (struct sv){rest.p + 10,
					     (size_t)(end - rest.p) - 10},
				 true);
		in = (struct sv){end + 2, (size_t)(rest.p + rest.n - end) - 2};
		after_word = true;
	}
	*out = '\0';
}

/* A header's value, unfolded; "" when there is none. */
static void find_header(struct sv head, const char *name, char out[HEADER_SIZE])
{
	size_t n = 0;
	bool in = false;

	while (head.n > 0) {
		struct sv line = sv_cut(&head, '\n');
		bool folded =
			line.n > 0 && (line.p[0] == ' ' || line.p[0] == '\t');

		if (in && !folded)
			break;
		if (!in && !folded && sv_starts_nocase(line, sv_of(name))) {
			line.p += strlen(name);
			line.n -= strlen(name);
			in = true;
		} else if (!in) {
			continue;
		}
		line = sv_trim(line);
		if (n > 0 && n < HEADER_SIZE - 1)
			out[n++] = ' ';
		if (line.n > HEADER_SIZE - 1 - n)
			line.n = HEADER_SIZE - 1 - n;
		memcpy(out + n, line.p, line.n);
		n += line.n;
	}
	out[n] = '\0';
}

/* A repeat is the same id to the same person. */
static bool is_new(struct sink_smtp *s, const char *id, const char *to)
{
	char key[HEADER_SIZE + TO_SIZE];

	snprintf(key, sizeof(key), "%s %s", id, to);
	return sink_seen_add(&s->seen, sv_of(key));
}

static void deliver(struct session *x)
{
	struct sink_smtp *s = x->s;
	char id[HEADER_SIZE], thread[HEADER_SIZE], subject[HEADER_SIZE];
	char coding[HEADER_SIZE];
	struct sink_mail m = {x->to, id, thread, subject, NULL};
	size_t n = evbuffer_get_length(x->mail);
	char *all = xmalloc(n + 1), *text;
	struct sv head;

	evbuffer_copyout(x->mail, all, n);
	all[n] = '\0';
	text = strstr(all, "\n\n");
	text = text != NULL ? text + 2 : all + n;
	head = (struct sv){all, (size_t)(text - all)};
	find_header(head, "Message-ID:", id);
	find_header(head, "In-Reply-To:", thread);
	find_header(head, "Subject:", subject);
	find_header(head, "Content-Transfer-Encoding:", coding);
	decode_words(subject);
	if (strcmp(coding, "quoted-printable") == 0)
		text[decode_qp(text, sv_of(text), false)] = '\0';
	m.text = text;
	if (is_new(s, id, x->to)) {
		s->count.received++;
		s->on_mail(s->arg, &m);
	} else {
		s->count.repeated++;
	}
	free(all);
}

/* ---- the session ---- */

static void say(struct session *x, const char *text)
{
	evbuffer_add_printf(bufferevent_get_output(x->b), "%s\r\n", text);
}

static void forget(struct session *x)
{
	x->data = x->big = x->from = false;
	x->to[0] = '\0';
	evbuffer_drain(x->mail, evbuffer_get_length(x->mail));
}

static void session_free(struct session *x)
{
	struct session **at = &x->s->session;

	while (*at != x)
		at = &(*at)->next;
	*at = x->next;
	x->s->n_sessions--;
	if (x->late != NULL)
		event_free(x->late);
	bufferevent_free(x->b);
	evbuffer_free(x->mail);
	free(x);
}

static void on_read(struct bufferevent *b, void *arg);

static void accept_mail(struct session *x)
{
	deliver(x);
	forget(x);
	say(x, "250 2.0.0 taken");
}

static void on_late(evutil_socket_t fd, short what, void *arg)
{
	struct session *x = arg;

	(void)fd;
	(void)what;
	accept_mail(x);
	bufferevent_enable(x->b, EV_READ);
	on_read(x->b, x);
}

/* Even if the sender gives up meanwhile, it has been received. */
static void be_slow(struct session *x, unsigned ms)
{
	struct timeval tv = {ms / 1000, 0};

	if (x->late == NULL)
		x->late = evtimer_new(x->s->base, on_late, x);
	if (x->late == NULL)
		abort(); /* out of memory, as xmalloc */
	evtimer_add(x->late, &tv);
	bufferevent_disable(x->b, EV_READ);
}

/* The dot: false when the session is over. */
static bool end_of_mail(struct session *x)
{
	struct sink_smtp *s = x->s;
	unsigned code = s->fail.code;
	enum sink_how how = sink_fail_next(&s->fail);
	char text[32];

	x->data = false;
	if (x->big) {
		forget(x);
		say(x, "552 5.3.4 too big");
		return true;
	}
	s->count.refused += how != SINK_WELL && how != SINK_SLOW;
	switch (how) {
	case SINK_WELL:
		accept_mail(x);
		return true;
	case SINK_SLOW:
		be_slow(x, s->fail.slow_ms);
		return true;
	case SINK_CODE:
		code = code == 4 ? 451 : code == 5 ? 554 : code;
		snprintf(text, sizeof(text), "%u as told", code);
		forget(x);
		say(x, text);
		return true;
	case SINK_RESET:
		sink_reset(bufferevent_getfd(x->b));
		break;
	case SINK_CLOSE:
		break;
	}
	session_free(x);
	return false;
}

static bool text_line(struct session *x, struct sv line)
{
	if (sv_eq(line, SV(".")))
		return end_of_mail(x);
	if (line.n > 0 && line.p[0] == '.')
		line = (struct sv){line.p + 1, line.n - 1};
	x->big = x->big || evbuffer_get_length(x->mail) + line.n > MAIL_LIMIT;
	if (!x->big) {
		evbuffer_add(x->mail, line.p, line.n);
		evbuffer_add(x->mail, "\n", 1);
	}
	return true;
}

static void recipient(struct session *x, struct sv line)
{
	struct sv rest = line;
	struct sv to;

	sv_cut(&rest, '<');
	to = sv_cut(&rest, '>');
	if (!x->from)
		say(x, "503 5.5.1 MAIL first");
	else if (x->to[0] != '\0')
		say(x, "452 4.5.3 one recipient at a time");
	else if (to.n == 0 || to.n >= sizeof(x->to))
		say(x, "501 5.1.3 no address");
	else {
		snprintf(x->to, sizeof(x->to), "%.*s", SV_ARG(to));
		say(x, "250 2.1.5 ok");
	}
}

/* False when the session is over. */
static bool command(struct session *x, struct sv line)
{
	if (x->data)
		return text_line(x, line);
	if (sv_starts_nocase(line, SV("EHLO"))) {
		forget(x);
		say(x, "250-tollwatch sink\r\n250-8BITMIME\r\n250 SIZE "
		       "262144");
	} else if (sv_starts_nocase(line, SV("HELO"))) {
		forget(x);
		say(x, "250 tollwatch sink");
	} else if (sv_starts_nocase(line, SV("MAIL FROM:"))) {
		forget(x);
		x->from = true;
		say(x, "250 2.1.0 ok");
	} else if (sv_starts_nocase(line, SV("RCPT TO:"))) {
		recipient(x, line);
	} else if (sv_starts_nocase(line, SV("DATA"))) {
		x->data = x->to[0] != '\0';
		say(x, x->data ? "354 go on" : "503 5.5.1 RCPT first");
	} else if (sv_starts_nocase(line, SV("RSET"))) {
		forget(x);
		say(x, "250 2.0.0 ok");
	} else if (sv_starts_nocase(line, SV("NOOP"))) {
		say(x, "250 2.0.0 ok");
	} else if (sv_starts_nocase(line, SV("QUIT"))) {
		say(x, "221 2.0.0 bye"); /* the other end closes */
	} else {
		say(x, "502 5.5.2 no such command");
	}
	return true;
}

static void on_read(struct bufferevent *b, void *arg)
{
	struct session *x = arg;
	struct evbuffer *in = bufferevent_get_input(b);

	while ((bufferevent_get_enabled(b) & EV_READ) != 0) {
		size_t n;
		char *line = evbuffer_readln(in, &n, EVBUFFER_EOL_CRLF);
		bool go_on;

		if (line == NULL)
			break;
		go_on = n <= LINE_LIMIT && command(x, (struct sv){line, n});
		free(line);
		if (n > LINE_LIMIT)
			session_free(x);
		if (!go_on)
			return;
	}
	if (evbuffer_get_length(in) > LINE_LIMIT &&
	    (bufferevent_get_enabled(b) & EV_READ) != 0)
		session_free(x);
}

static void on_end(struct bufferevent *b, short what, void *arg)
{
	(void)b;
	(void)what;
	session_free(arg);
}

static void on_accept(struct evconnlistener *l, evutil_socket_t fd,
		      struct sockaddr *sa, int n, void *arg)
{
	struct sink_smtp *s = arg;
	struct timeval idle = {IDLE_S, 0};
	struct session *x;

	(void)l;
	(void)sa;
	(void)n;
	if (s->n_sessions >= SESSIONS) {
		evutil_closesocket(fd);
		return;
	}
	x = xcalloc(1, sizeof(*x));
	x->s = s;
	x->mail = evbuffer_new();
	x->b = bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (x->mail == NULL || x->b == NULL)
		abort(); /* out of memory, as xmalloc */
	x->next = s->session;
	s->session = x;
	s->n_sessions++;
	bufferevent_setcb(x->b, on_read, NULL, on_end, x);
	bufferevent_set_timeouts(x->b, &idle, &idle);
	bufferevent_enable(x->b, EV_READ | EV_WRITE);
	say(x, "220 tollwatch sink ESMTP");
}

/* ---- life ---- */

bool sink_smtp_new(struct sink_smtp **out, struct event_base *base,
		   sink_mail_fn *on_mail, void *arg, struct err *e)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct sink_smtp *s = xcalloc(1, sizeof(*s));
	socklen_t n = sizeof(in);

	*out = NULL;
	signal(SIGPIPE, SIG_IGN); /* a sender may be gone */
	s->base = base;
	s->on_mail = on_mail;
	s->arg = arg;
	s->listener =
		evconnlistener_new_bind(base, on_accept, s,
					LEV_OPT_CLOSE_ON_FREE |
						LEV_OPT_CLOSE_ON_EXEC,
					16, (struct sockaddr *)&in, sizeof(in));
	if (s->listener == NULL ||
	    getsockname(evconnlistener_get_fd(s->listener),
			(struct sockaddr *)&in, &n) != 0) {
		err_set(e, "mail sink: %s", strerror(errno));
		sink_smtp_free(s);
		return false;
	}
	snprintf(s->url, sizeof(s->url), "smtp://127.0.0.1:%u",
		 ntohs(in.sin_port));
	*out = s;
	return true;
}

void sink_smtp_free(struct sink_smtp *s)
{
	if (s == NULL)
		return;
	while (s->session != NULL)
		session_free(s->session);
	if (s->listener != NULL)
		evconnlistener_free(s->listener);
	free(s);
}

const char *sink_smtp_url(const struct sink_smtp *s)
{
	return s->url;
}

void sink_smtp_fail(struct sink_smtp *s, const struct sink_fail *f)
{
	s->fail = *f;
}

struct sink_count sink_smtp_count(const struct sink_smtp *s)
{
	return s->count;
}
