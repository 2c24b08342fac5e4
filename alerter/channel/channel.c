/* SPDX-License-Identifier: Apache-2.0 */
#include "alerter/channel/channel.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alerter/channel/address.h"
#include "alerter/channel/transfer.h"
#include "common/clock.h"
#include "common/mem.h"

/*
 * libcurl's multi handle on libevent: libcurl tells which sockets and which
 * one timer to watch, and is told what happened to them.
 *
 *   channels_send ─▶ lane[kind].wait ─kick─▶ lane[kind].up ─▶ done()
 *
 * Each kind has a lane of its own, so that a webhook that hangs holds up no
 * e-mail.  A transfer starts and ends from the loop, never from inside
 * channels_send; a connection serves one transfer, because a reused one would
 * not be asked again whether its address is allowed, and may be dead.
 */
enum { LANE_MAX = 8, CONNECT_S = 10 };

struct lane {
	struct transfer *wait, **wait_end;
	struct transfer *up;
	unsigned running;
};

struct channels {
	struct event_base *base;
	const struct alerter_conf *conf;
	send_fn *done;
	void *arg;
	CURLM *multi;
	struct event *timer; /* libcurl's */
	struct event *kick;  /* there may be something to start */
	struct lane lane[CHANNEL_KINDS];
	unsigned busy;
};

/* ---- outcomes ---- */

bool outcome_set(struct send_outcome *out, enum send_result r, const char *fmt,
		 ...)
{
	va_list ap;

	out->result = r;
	va_start(ap, fmt);
	vsnprintf(out->error, sizeof(out->error), fmt, ap);
	va_end(ap);
	return false;
}

static void no_connection(const struct transfer *t, struct send_outcome *out)
{
	long os = 0;

	curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &os);
	if (t->refused > 0 && t->opened == 0)
		outcome_set(out, SEND_PERMANENT,
			    "the address is private, and private_network is "
			    "not set");
	else
		outcome_set(out, SEND_TEMPORARY, "no connection%s%s",
			    os != 0 ? ": " : "",
			    os != 0 ? strerror((int)os) : "");
}

/* In our own words: libcurl's may hold a URL, and URLs hold secrets. */
void transfer_failed(const struct transfer *t, CURLcode rc,
		     struct send_outcome *out)
{
	switch (rc) {
	case CURLE_COULDNT_CONNECT:
		no_connection(t, out);
		break;
	case CURLE_COULDNT_RESOLVE_HOST:
		outcome_set(out, SEND_TEMPORARY, "the host name is not found");
		break;
	case CURLE_OPERATION_TIMEDOUT:
		outcome_set(out, SEND_TEMPORARY, "timeout%s after %g s",
			    t->opened == 0 ? " looking up the host" : "",
			    (double)t->timeout_us / (double)SEC_US);
		break;
	case CURLE_PEER_FAILED_VERIFICATION:
		outcome_set(out, SEND_PERMANENT,
			    "the certificate is not valid for this host");
		break;
	case CURLE_SSL_CACERT_BADFILE:
		outcome_set(out, SEND_PERMANENT,
			    "no certificates to trust: is ca-certificates "
			    "installed?");
		break;
	case CURLE_USE_SSL_FAILED:
		outcome_set(out, SEND_PERMANENT,
			    "the relay offers no TLS, and it is required");
		break;
	case CURLE_SSL_CONNECT_ERROR:
		outcome_set(out, SEND_TEMPORARY, "no TLS connection");
		break;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
		outcome_set(out, SEND_PERMANENT, "not a URL to send to");
		break;
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		outcome_set(out, SEND_TEMPORARY, "the connection broke");
		break;
	default:
		outcome_set(out, SEND_TEMPORARY, "%s", curl_easy_strerror(rc));
	}
}

/* ---- a transfer ---- */

/* The actual address, after the name was looked up, for each one tried. */
static curl_socket_t on_open(void *arg, curlsocktype purpose,
			     struct curl_sockaddr *a)
{
	struct transfer *t = arg;

	(void)purpose;
	if (t->public_only && !address_is_public(&a->addr, a->addrlen)) {
		t->refused++;
		return CURL_SOCKET_BAD;
	}
	t->opened++;
	t->fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
	return t->fd;
}

void transfer_open(struct transfer *t, const char *protocols,
		   int64_t timeout_us)
{
	CURL *e = curl_easy_init();
	long ms = (long)(timeout_us / 1000);

	if (e == NULL)
		abort(); /* out of memory, as xmalloc */
	t->easy = e;
	t->begin = clock_mono();
	t->timeout_us = timeout_us;
	curl_easy_setopt(e, CURLOPT_PRIVATE, t);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, protocols);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, ms > 0 ? ms : 1);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	/* A look-up that hangs is left to its thread, not waited for. */
	curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, t);
}

static struct transfer *transfer_new(struct channels *c,
				     const struct message *m)
{
	struct transfer *t = xcalloc(1, sizeof(*t));

	t->c = c;
	t->fd = CURL_SOCKET_BAD;
	t->m = *m;
	t->m.target = xstrdup(m->target);
	t->m.id = xstrdup(m->id);
	t->m.thread = xstrdup(m->thread != NULL ? m->thread : "");
	t->m.subject = xstrdup(m->subject != NULL ? m->subject : "");
	t->m.text = xstrdup(m->text != NULL ? m->text : "");
	t->m.json = xstrdup(m->json != NULL ? m->json : "");
	return t;
}

static void transfer_free(struct transfer *t)
{
	smtp_close(&t->smtp); /* before its socket goes */
	if (t->easy != NULL) {
		curl_multi_remove_handle(t->c->multi, t->easy);
		curl_easy_cleanup(t->easy);
	}
	curl_slist_free_all(t->list);
	free(t->body);
	free((char *)t->from);
	free((char *)t->m.target);
	free((char *)t->m.id);
	free((char *)t->m.thread);
	free((char *)t->m.subject);
	free((char *)t->m.text);
	free((char *)t->m.json);
	free(t);
}

/* ---- start and end ---- */

static const struct webhook_conf *find_webhook(const struct alerter_conf *a,
					       const char *name)
{
	for (size_t i = 0; i < a->n_webhooks; i++)
		if (strcmp(a->webhook[i].name, name) == 0)
			return &a->webhook[i];
	return NULL;
}

static bool start(struct transfer *t, struct send_outcome *out)
{
	struct channels *c = t->c;

	switch (t->m.channel) {
	case CHANNEL_EMAIL:
		if (!email_start(t, &c->conf->smtp, out))
			return false;
		break;
	case CHANNEL_WEBHOOK:
		if (!webhook_start(t, find_webhook(c->conf, t->m.target), out))
			return false;
		break;
	default:
		return outcome_set(out, SEND_PERMANENT, "no such channel");
	}
	if (curl_multi_add_handle(c->multi, t->easy) != CURLM_OK)
		return outcome_set(out, SEND_TEMPORARY, "cannot start");
	return true;
}

struct event_base *transfer_base(const struct transfer *t)
{
	return t->c->base;
}

/* Often from inside one of its own callbacks: freed in the next turn. */
void transfer_finish(struct transfer *t, const struct send_outcome *out)
{
	t->finished = true;
	t->outcome = *out;
	smtp_close(&t->smtp);
	event_active(t->c->kick, EV_TIMEOUT, 0);
}

/* Free what is finished and say what became of it; what done() sends waits
 * for the next turn. */
static void reap_lane(struct channels *c, struct lane *l)
{
	struct transfer **at = &l->up, *finished = NULL;

	while (*at != NULL) {
		struct transfer *t = *at;

		if (!t->finished) {
			at = &t->next;
			continue;
		}
		*at = t->next;
		t->next = finished;
		finished = t;
		l->running--;
	}
	while (finished != NULL) {
		struct transfer *t = finished;
		struct send_outcome out = t->outcome;
		uint32_t page = t->m.page;

		finished = t->next;
		transfer_free(t);
		c->busy--;
		c->done(c->arg, page, &out);
	}
}

static void start_lane(struct lane *l)
{
	while (l->wait != NULL && l->running < LANE_MAX) {
		struct transfer *t = l->wait;
		struct send_outcome out = {0};

		l->wait = t->next;
		if (l->wait == NULL)
			l->wait_end = &l->wait;
		t->next = l->up;
		l->up = t;
		l->running++;
		if (!start(t, &out))
			transfer_finish(t, &out);
	}
}

static void on_kick(evutil_socket_t fd, short what, void *arg)
{
	struct channels *c = arg;

	(void)fd;
	(void)what;
	for (size_t i = 0; i < CHANNEL_KINDS; i++) {
		reap_lane(c, &c->lane[i]);
		start_lane(&c->lane[i]);
	}
}

/* What libcurl is through with. */
static void collect(struct channels *c)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(c->multi, &left)) != NULL) {
		struct send_outcome out = {0};
		struct transfer *t;
		CURLcode rc = msg->data.result;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &t);
		if (t->m.channel == CHANNEL_EMAIL) {
			email_connected(t, rc);
		} else {
			webhook_end(t, rc, &out);
			transfer_finish(t, &out);
		}
	}
}

/* ---- libcurl and libevent ---- */

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
	struct channels *c = arg;
	int flags = (what & EV_READ ? CURL_CSELECT_IN : 0) |
		    (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
	int running;

	curl_multi_socket_action(c->multi, fd, flags, &running);
	collect(c);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct channels *c = arg;
	int running;

	(void)fd;
	(void)what;
	curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect(c);
}

/* libcurl wants to hear of fd (or no more); of is our event for it. */
static int watch(CURL *easy, curl_socket_t fd, int what, void *arg, void *of)
{
	struct channels *c = arg;
	struct event *ev = of;
	short flags = EV_PERSIST;

	(void)easy;
	if (ev != NULL)
		event_free(ev);
	ev = NULL;
	if (what != CURL_POLL_REMOVE) {
		if (what & CURL_POLL_IN)
			flags |= EV_READ;
		if (what & CURL_POLL_OUT)
			flags |= EV_WRITE;
		ev = event_new(c->base, fd, flags, on_socket, c);
		if (ev == NULL)
			abort(); /* out of memory, as xmalloc */
		event_add(ev, NULL);
	}
	curl_multi_assign(c->multi, fd, ev);
	return 0;
}

static int set_timer(CURLM *multi, long ms, void *arg)
{
	struct channels *c = arg;
	struct timeval tv = {ms / 1000, ms % 1000 * 1000};

	(void)multi;
	if (ms < 0)
		evtimer_del(c->timer);
	else
		evtimer_add(c->timer, &tv);
	return 0;
}

/* ---- life ---- */

bool channels_new(struct channels **out, struct event_base *base,
		  const struct alerter_conf *conf, send_fn *done, void *arg,
		  struct err *e)
{
	struct channels *c;

	*out = NULL;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(e, "libcurl does not start");
	/* TLS writes to sockets that the other end has closed. */
	signal(SIGPIPE, SIG_IGN);
	c = xcalloc(1, sizeof(*c));
	c->base = base;
	c->conf = conf;
	c->done = done;
	c->arg = arg;
	for (size_t i = 0; i < CHANNEL_KINDS; i++)
		c->lane[i].wait_end = &c->lane[i].wait;
	c->multi = curl_multi_init();
	c->timer = evtimer_new(base, on_timer, c);
	c->kick = evtimer_new(base, on_kick, c);
	if (c->multi == NULL || c->timer == NULL || c->kick == NULL)
		abort(); /* out of memory, as xmalloc */
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, watch);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	*out = c;
	return true;
}

void channels_conf(struct channels *c, const struct alerter_conf *conf)
{
	c->conf = conf;
}

static void free_all(struct transfer *t)
{
	while (t != NULL) {
		struct transfer *next = t->next;

		transfer_free(t);
		t = next;
	}
}

void channels_free(struct channels *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < CHANNEL_KINDS; i++) {
		free_all(c->lane[i].wait);
		free_all(c->lane[i].up);
	}
	curl_multi_cleanup(c->multi);
	event_free(c->timer);
	event_free(c->kick);
	free(c);
	curl_global_cleanup();
}

void channels_send(struct channels *c, const struct message *m)
{
	struct transfer *t = transfer_new(c, m);
	/* Lane 0 is for kinds that do not exist, and refuses them. */
	struct lane *l = &c->lane[m->channel < CHANNEL_KINDS ? m->channel : 0];

	*l->wait_end = t;
	l->wait_end = &t->next;
	c->busy++;
	event_active(c->kick, EV_TIMEOUT, 0);
}

unsigned channels_busy(const struct channels *c)
{
	return c->busy;
}
