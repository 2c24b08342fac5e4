/* SPDX-License-Identifier: Apache-2.0 */
/* cluster STATE [fresh]: the private PostgreSQL of a state folder until
 * SIGTERM; says "ready DSN" each time its database is there and migrated. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "launch/cluster.h"
#include "launch/db.h"

struct site {
	struct event_base *base;
	struct cluster *cluster;
	struct event *tick, *term;
	unsigned ready; /* restarts + 1 when it was last said */
	bool fresh;
	int code;
};

static void on_end(void *arg, int code)
{
	struct site *s = arg;

	s->code = code;
	event_base_loopbreak(s->base);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct site *s = arg;
	unsigned now = cluster_restarts(s->cluster) + 1;
	const char *dsn = cluster_dsn(s->cluster, CLUSTER_SUPERUSER);
	struct err e;

	(void)fd;
	(void)what;
	if (s->ready == now || !cluster_ready(s->cluster))
		return;
	if (!cluster_database(s->cluster, s->fresh && s->ready == 0, &e) ||
	    !db_migrate(dsn, NULL, stdout, &e)) {
		fprintf(stderr, "cluster: %s\n", e.text);
		return;
	}
	s->ready = now;
	printf("ready %s\n", dsn);
	fflush(stdout);
}

static void on_term(evutil_socket_t sig, short what, void *arg)
{
	struct site *s = arg;

	(void)sig;
	(void)what;
	cluster_stop(s->cluster);
}

int main(int argc, char **argv)
{
	const struct timeval tick = {0, 50000};
	struct site s = {0};
	struct err e;

	if (argc < 2)
		return 2;
	s.fresh = argc > 2 && strcmp(argv[2], "fresh") == 0;
	log_open("cluster", LOG_INFO);
	s.base = event_base_new();
	if (!cluster_new(&s.cluster, s.base, argv[1], on_end, &s, &e)) {
		fprintf(stderr, "cluster: %s\n", e.text);
		return 1;
	}
	s.tick = event_new(s.base, -1, EV_PERSIST, on_tick, &s);
	s.term = evsignal_new(s.base, SIGTERM, on_term, &s);
	event_add(s.tick, &tick);
	event_add(s.term, NULL);
	cluster_start(s.cluster);
	event_base_dispatch(s.base);
	event_free(s.tick);
	event_free(s.term);
	cluster_free(s.cluster);
	event_base_free(s.base);
	return s.code;
}
