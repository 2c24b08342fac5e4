/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "launch/program.h"

enum { ANSWER_S = 10 };

static int dial(const char *path, struct err *e)
{
	const struct timeval limit = {ANSWER_S, 0};
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(sa.sun_path)) {
		err_set(e, "%s: longer than a socket's path may be", path);
		return -1;
	}
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0) {
		err_set(e,
			"the alerter is not there (%s); `tollwatch status` "
			"says what "
			"runs; the database has what was written",
			strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	return fd;
}

static json_t *converse(FILE *f, const json_t *request, struct err *e)
{
	char *line = NULL;
	size_t cap = 0;
	json_t *answer = NULL;

	if (json_dumpf(request, f, JSON_COMPACT) != 0 || fputc('\n', f) < 0 ||
	    fflush(f) != 0)
		err_set(e, "the alerter does not listen: %s", strerror(errno));
	else if (getline(&line, &cap, f) <= 0)
		err_set(e, "the alerter gave no answer");
	else if (!(answer = json_loads(line, 0, NULL)))
		err_set(e, "the alerter's answer is not JSON");
	free(line);
	return answer;
}

int ask(const char *socket, json_t *request, json_t **answer, struct err *e)
{
	int fd = dial(socket, e);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r+");
	const char *why;
	int code;

	*answer = f ? converse(f, request, e) : NULL;
	json_decref(request);
	if (f)
		fclose(f);
	else if (fd >= 0)
		close(fd);
	if (!*answer)
		return EXIT_AWAY;
	if (json_is_true(json_object_get(*answer, "ok")))
		return 0;
	why = json_string_value(json_object_get(*answer, "error"));
	code = (int)json_integer_value(json_object_get(*answer, "code"));
	err_set(e, "%s", why ? why : "refused");
	return code > 0 ? code : 1;
}
