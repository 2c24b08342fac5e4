/* SPDX-License-Identifier: Apache-2.0 */
#include "common/metrics.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/metrics_addr.h"

enum { ANSWER_MAX = 16 << 20 };

/* ---- address ---- */

/* "127.0.0.1:port" or "[::1]:port": nothing that others can reach.  Port 0
 * is any (evutil_parse_sockaddr_port refuses it). */
static bool loopback_parse(struct metrics_addr *a, struct sv text)
{
	const struct sv v4 = SV("127.0.0.1:");
	const struct sv v6 = SV("[::1]:");
	bool six = sv_starts(text, v6);
	size_t skip = six ? v6.n : v4.n;
	uint32_t port;

	if ((!six && !sv_starts(text, v4)) ||
	    !sv_u32((struct sv){text.p + skip, text.n - skip}, &port) ||
	    port > UINT16_MAX)
		return false;
	if (six) {
		a->in6.sin6_family = AF_INET6;
		a->in6.sin6_addr = in6addr_loopback;
		a->in6.sin6_port = htons((uint16_t)port);
		a->len = sizeof(a->in6);
	} else {
		a->in.sin_family = AF_INET;
		a->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		a->in.sin_port = htons((uint16_t)port);
		a->len = sizeof(a->in);
	}
	return true;
}

bool metrics_addr_parse(struct metrics_addr *a, const char *listen,
			struct err *e)
{
	static const char prefix[] = "unix:";
	const char *path = listen + sizeof(prefix) - 1;

	memset(a, 0, sizeof(*a));
	if (strncmp(listen, prefix, sizeof(prefix) - 1) == 0) {
		if (*path == '\0' || strlen(path) >= sizeof(a->un.sun_path))
			return err_set(e, "%s: want a path of 1 to %zu bytes",
				       listen, sizeof(a->un.sun_path) - 1);
		a->un.sun_family = AF_UNIX;
		memcpy(a->un.sun_path, path, strlen(path));
		a->len = sizeof(a->un);
		return true;
	}
	if (!loopback_parse(a, sv_of(listen)))
		return err_set(e,
			       "%s: want unix:/path, 127.0.0.1:port or "
			       "[::1]:port",
			       listen);
	return true;
}

/* ---- client ---- */

/* Until fd is ready or the deadline is over. */
static bool wait_for(int fd, short what, int64_t deadline, struct err *e)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = what};
		int64_t left = deadline - clock_mono().ms;
		int rc = left > 0 ? poll(&p, 1, (int)left) : 0;

		if (rc > 0)
			return true;
		if (rc == 0)
			return err_set(e, "no answer in time");
		if (errno != EINTR)
			return err_set(e, "%s", strerror(errno));
	}
}

static int dial(const struct metrics_addr *a, int64_t deadline, struct err *e)
{
	int fd = socket(a->sa.sa_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error = 0;
	socklen_t size = sizeof(error);

	if (fd < 0) {
		err_set(e, "%s", strerror(errno));
		return -1;
	}
	if (connect(fd, &a->sa, a->len) == 0)
		return fd;
	error = errno;
	if (error == EINPROGRESS && wait_for(fd, POLLOUT, deadline, e) &&
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 &&
	    error == 0)
		return fd;
	if (error != EINPROGRESS)
		err_set(e, "%s", strerror(error));
	close(fd);
	return -1;
}

static bool ask(int fd, const char *path, int64_t deadline, struct err *e)
{
	char text[512];
	size_t done = 0;
	int n = snprintf(text, sizeof(text),
			 "GET %s HTTP/1.0\r\nHost: localhost\r\n"
			 "Connection: close\r\n\r\n",
			 path);

	if (n < 0 || (size_t)n >= sizeof(text))
		return err_set(e, "path is too long");
	while (done < (size_t)n) {
		ssize_t w;

		if (!wait_for(fd, POLLOUT, deadline, e))
			return false;
		w = send(fd, text + done, (size_t)n - done, MSG_NOSIGNAL);
		if (w < 0 && errno != EAGAIN && errno != EINTR)
			return err_set(e, "%s", strerror(errno));
		done += w > 0 ? (size_t)w : 0;
	}
	return true;
}

/* All until the end, NUL-terminated; NULL on failure. */
static char *answer(int fd, int64_t deadline, size_t *size, struct err *e)
{
	size_t cap = 1 << 14;
	char *p = xmalloc(cap);
	ssize_t got = 1;

	for (*size = 0; got != 0; *size += got > 0 ? (size_t)got : 0) {
		if (*size + 1 == cap)
			p = xrealloc(p, cap *= 2, 1);
		if (cap > ANSWER_MAX) {
			err_set(e, "answer is too long");
			goto fail;
		}
		if (!wait_for(fd, POLLIN, deadline, e))
			goto fail;
		got = read(fd, p + *size, cap - 1 - *size);
		if (got < 0 && errno != EAGAIN && errno != EINTR) {
			err_set(e, "%s", strerror(errno));
			goto fail;
		}
	}
	p[*size] = '\0';
	return p;
fail:
	free(p);
	return NULL;
}

/* The body of a 200 whose length is what it says. */
static bool take_body(struct sv all, char **body, struct err *e)
{
	static const char blank[] = "\r\n\r\n";
	const char *end = memmem(all.p, all.n, blank, 4);
	struct sv head = {all.p, end ? (size_t)(end - all.p) : all.n};
	struct sv rest = head;
	struct sv status = sv_trim(sv_cut(&rest, '\n'));
	uint64_t length;

	if (!end || !sv_starts(status, SV("HTTP/1.")))
		return err_set(e, "the answer is not HTTP");
	rest = status;
	sv_cut(&rest, ' ');
	if (!sv_starts(rest, SV("200")))
		return err_set(e, "answered %.*s", SV_ARG(rest));
	rest = (struct sv){end + 4, all.n - head.n - 4};
	while (head.n) {
		struct sv value = sv_cut(&head, '\n');
		struct sv name = sv_cut(&value, ':');

		if (sv_eq_nocase(name, SV("content-length")) &&
		    (!sv_u64(sv_trim(value), &length) || length != rest.n))
			return err_set(e, "the answer is cut short");
	}
	*body = sv_dup(rest);
	return true;
}

bool metrics_fetch(const char *listen, const char *path, int timeout_ms,
		   char **body, struct err *e)
{
	int64_t deadline = clock_mono().ms + timeout_ms;
	struct metrics_addr a;
	char *text = NULL;
	bool ok = false;
	size_t size;
	int fd;

	if (!metrics_addr_parse(&a, listen, e))
		return false;
	fd = dial(&a, deadline, e);
	if (fd >= 0 && ask(fd, path, deadline, e))
		text = answer(fd, deadline, &size, e);
	if (text)
		ok = take_body((struct sv){text, size}, body, e);
	free(text);
	if (fd >= 0)
		close(fd);
	return ok || err_prefix(e, "%s", listen);
}
