/* SPDX-License-Identifier: Apache-2.0 */
#include "common/metrics.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/listener.h>

#include "common/mem.h"
#include "common/metrics_addr.h"

enum { BACKLOG = 16, HEADERS_MAX = 8192, IDLE_S = 5 };

struct metrics {
	struct metrics_opts o;
	struct metrics_addr addr; /* as bound */
	struct evhttp *http;
	struct json json;
};

/* ---- exposition ---- */

struct metrics_out {
	struct evbuffer *buf;
	const char *last; /* name whose HELP and TYPE are written */
};

/* In HELP a backslash and a line feed are escaped. */
static void put_help(struct evbuffer *buf, const char *help)
{
	for (; *help; help++) {
		if (*help == '\n')
			evbuffer_add(buf, "\\n", 2);
		else if (*help == '\\')
			evbuffer_add(buf, "\\\\", 2);
		else
			evbuffer_add(buf, help, 1);
	}
}

static void put_sample(struct metrics_out *o, const char *name,
		       const char *type, const char *help, const char *labels)
{
	if (!o->last || strcmp(o->last, name) != 0) {
		evbuffer_add_printf(o->buf, "# HELP tollwatch_%s ", name);
		put_help(o->buf, help);
		evbuffer_add_printf(o->buf, "\n# TYPE tollwatch_%s %s\n", name,
				    type);
		o->last = name;
	}
	if (labels && *labels)
		evbuffer_add_printf(o->buf, "tollwatch_%s{%s} ", name, labels);
	else
		evbuffer_add_printf(o->buf, "tollwatch_%s ", name);
}

void metrics_counter(struct metrics_out *o, const char *name, const char *help,
		     const char *labels, uint64_t v)
{
	put_sample(o, name, "counter", help, labels);
	evbuffer_add_printf(o->buf, "%llu\n", (unsigned long long)v);
}

void metrics_gauge(struct metrics_out *o, const char *name, const char *help,
		   const char *labels, double v)
{
	char text[40];

	put_sample(o, name, "gauge", help, labels);
	if (isnan(v)) {
		snprintf(text, sizeof(text), "NaN");
	} else if (isinf(v)) {
		snprintf(text, sizeof(text), v > 0 ? "+Inf" : "-Inf");
	} else {
		/* the short form, when it says the same */
		snprintf(text, sizeof(text), "%.15g", v);
		if (strtod(text, NULL) < v || strtod(text, NULL) > v)
			snprintf(text, sizeof(text), "%.17g", v);
	}
	evbuffer_add_printf(o->buf, "%s\n", text);
}

bool metrics_label(char *out, size_t size, const char *key, struct sv value)
{
	int k = snprintf(out, size, "%s=\"", key);
	size_t n = (size_t)k;

	if (k < 0 || n >= size)
		return false;
	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];
		bool escape = c == '"' || c == '\\' || c == '\n';

		if (4 > size - n) /* two for c, the quote and the NUL */
			return false;
		if (escape)
			out[n++] = '\\';
		out[n++] = c == '\n' ? 'n' : c;
	}
	if (2 > size - n)
		return false;
	out[n++] = '"';
	out[n] = '\0';
	return true;
}

/* ---- answers ---- */

static void reply(struct evhttp_request *req, int code, const char *type,
		  struct evbuffer *buf)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(req);

	evhttp_add_header(headers, "Content-Type", type);
	evhttp_add_header(headers, "Cache-Control", "no-store");
	evhttp_send_reply(req, code, code == 200 ? "OK" : "Not now", buf);
	evbuffer_free(buf);
}

static void reply_text(struct evhttp_request *req, int code, const char *text)
{
	struct evbuffer *buf = evbuffer_new();

	evbuffer_add(buf, text, strlen(text));
	reply(req, code, "text/plain; charset=utf-8", buf);
}

static void get_metrics(struct evhttp_request *req, void *arg)
{
	struct metrics *m = arg;
	struct metrics_out out = {.buf = evbuffer_new()};

	if (m->o.on_metrics)
		m->o.on_metrics(m->o.arg, &out);
	reply(req, 200, "text/plain; version=0.0.4; charset=utf-8", out.buf);
}

static void get_status(struct evhttp_request *req, void *arg)
{
	struct metrics *m = arg;
	struct evbuffer *buf = evbuffer_new();

	json_reset(&m->json);
	if (m->o.on_status) {
		m->o.on_status(m->o.arg, &m->json);
	} else {
		json_open(&m->json, '{');
		json_close(&m->json, '}');
	}
	evbuffer_add(buf, m->json.p, m->json.n);
	evbuffer_add(buf, "\n", 1);
	reply(req, 200, "application/json", buf);
}

static void get_healthy(struct evhttp_request *req, void *arg)
{
	(void)arg;
	reply_text(req, 200, "healthy\n");
}

static void get_ready(struct evhttp_request *req, void *arg)
{
	struct metrics *m = arg;

	if (!m->o.is_ready || m->o.is_ready(m->o.arg))
		reply_text(req, 200, "ready\n");
	else
		reply_text(req, 503, "not ready\n");
}

/* ---- listening ---- */

/* A socket file that nobody answers on is left over from a crash. */
static bool is_stale(const struct metrics_addr *a)
{
	struct stat st;
	bool stale;
	int fd;

	if (lstat(a->un.sun_path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	stale = connect(fd, &a->sa, a->len) && errno == ECONNREFUSED;
	close(fd);
	return stale;
}

static int listen_on(struct metrics_addr *a, const char *name, struct err *e)
{
	int fd = socket(a->sa.sa_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool local = a->sa.sa_family == AF_UNIX;
	const int on = 1;

	if (fd < 0)
		goto fail;
	if (local) {
		/* Linux gives the file the mode of the socket: there is no
		 * moment in which others could connect */
		if (fchmod(fd, 0600))
			goto fail;
	} else {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	}
	if (bind(fd, &a->sa, a->len)) {
		if (!local || errno != EADDRINUSE)
			goto fail;
		if (is_stale(a))
			unlink(a->un.sun_path);
		if (bind(fd, &a->sa, a->len))
			goto fail;
	}
	if (listen(fd, BACKLOG) ||
	    (!local && getsockname(fd, &a->sa, &a->len))) {
		if (local)
			unlink(a->un.sun_path);
		goto fail;
	}
	return fd;
fail:
	err_set(e, "%s: %s", name, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static void serve(struct metrics *m, struct event_base *base, int fd)
{
	struct evconnlistener *l =
		evconnlistener_new(base, NULL, NULL,
				   LEV_OPT_CLOSE_ON_FREE |
					   LEV_OPT_CLOSE_ON_EXEC,
				   0, fd);

	m->http = evhttp_new(base);
	if (!l || !m->http || !evhttp_bind_listener(m->http, l))
		abort(); /* out of memory */
	evhttp_set_allowed_methods(m->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
	evhttp_set_max_headers_size(m->http, HEADERS_MAX);
	evhttp_set_max_body_size(m->http, 0);
	evhttp_set_timeout(m->http, IDLE_S);
	evhttp_set_cb(m->http, "/metrics", get_metrics, m);
	evhttp_set_cb(m->http, "/status", get_status, m);
	evhttp_set_cb(m->http, "/-/healthy", get_healthy, m);
	evhttp_set_cb(m->http, "/-/ready", get_ready, m);
}

bool metrics_new(struct metrics **out, struct event_base *base,
		 const struct metrics_opts *o, struct err *e)
{
	struct metrics *m = xcalloc(1, sizeof(*m));
	int fd = -1;

	m->o = *o;
	if (metrics_addr_parse(&m->addr, o->listen, e))
		fd = listen_on(&m->addr, o->listen, e);
	m->o.listen = NULL; /* the caller's string */
	if (fd < 0) {
		free(m);
		return false;
	}
	serve(m, base, fd);
	*out = m;
	return true;
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	evhttp_free(m->http);
	if (m->addr.sa.sa_family == AF_UNIX)
		unlink(m->addr.un.sun_path);
	json_free(&m->json);
	free(m);
}

uint16_t metrics_port(const struct metrics *m)
{
	if (m->addr.sa.sa_family == AF_INET)
		return ntohs(m->addr.in.sin_port);
	if (m->addr.sa.sa_family == AF_INET6)
		return ntohs(m->addr.in6.sin6_port);
	return 0;
}
