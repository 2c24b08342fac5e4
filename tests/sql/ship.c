/* SPDX-License-Identifier: Apache-2.0 */
/* ship DSN STREAM FOLDER ENTRIES [BAD]: write an outbox of small incidents a
 * few at a time while the store takes it to the database; end when all of it
 * is there.  A FOLDER with entries is gone on with.  Entry BAD is one that the
 * database cannot take. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerter/store.h"
#include "common/journal.h"
#include "common/log.h"

struct ship {
	struct event_base *base;
	struct journal *journal;
	struct store *store;
	struct event *tick;
	unsigned written, want, bad;
	uint64_t end, safe;
};

static void append(struct ship *s)
{
	char text[512];
	unsigned n = s->written + 1;
	struct iovec v = {text, 0};
	struct err e;

	v.iov_len = (size_t)snprintf(
		text, sizeof(text),
		"{\"v\":1,\"facts\":[{\"kind\":\"opened\",\"at\":"
		"\"2026-01-17T02:%02u:%02u.%06uZ\",\"ref\":%u,\"id\":\"%032x\","
		"\"family\":\"toll\",\"subject\":\"account:a%u\",\"severity\":"
		"\"critical\"},{\"kind\":\"queued\",\"at\":%s,\"ref\":%u,"
		"\"page\":%u,\"person\":\"alex\",\"channel\":\"email\","
		"\"reason\":\"opened\"}]}",
		n / 60 % 60, n % 60, n, n, n, n,
		n == s->bad ? "\"never\"" : "\"2026-01-17T03:00:00Z\"", n, n);
	if (!journal_append(s->journal, &v, 1, &s->end, &e)) {
		fprintf(stderr, "ship: %s\n", e.text);
		exit(1);
	}
	s->written = n;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct ship *s = arg;
	struct err e;

	(void)fd;
	(void)what;
	for (int i = 0; i < 7 && s->written < s->want; i++)
		append(s);
	if (!journal_sync(s->journal, &e))
		exit(1);
	store_kick(s->store, s->end);
	if (s->written == s->want && s->safe == s->end)
		event_base_loopbreak(s->base);
}

static void on_safe(void *arg, uint64_t pos)
{
	struct ship *s = arg;

	if (pos < s->safe) {
		fprintf(stderr, "ship: went back\n");
		exit(1);
	}
	s->safe = pos;
}

int main(int argc, char **argv)
{
	const struct timeval tick = {0, 5000};
	const struct journal_opts jo = {0};
	struct ship s = {0};
	struct store_opts o = {.on_safe = on_safe, .arg = &s};
	struct store_stats x;
	struct err e;

	if (argc < 5)
		return 2;
	log_open("ship", LOG_INFO);
	s.base = event_base_new();
	s.want = (unsigned)strtoul(argv[4], NULL, 10);
	s.bad = argc > 5 ? (unsigned)strtoul(argv[5], NULL, 10) : 0;
	if (!journal_open(&s.journal, argv[3], &jo, &e)) {
		fprintf(stderr, "ship: %s\n", e.text);
		return 1;
	}
	s.end = journal_end(s.journal);
	if (s.end > 0)
		s.written = s.want; /* go on with what is there */
	o.base = s.base;
	o.dsn = argv[1];
	o.stream = argv[2];
	o.journal = argv[3];
	store_new(&s.store, &o);
	store_people(s.store, SV("[{\"id\":\"alex\",\"name\":\"Alex Example\","
				 "\"contacts\":[{\"channel\":\"email\","
				 "\"target\":\"alex@example.com\"}]}]"));
	s.tick = event_new(s.base, -1, EV_PERSIST, on_tick, &s);
	event_add(s.tick, &tick);
	event_base_dispatch(s.base);
	x = store_stats(s.store);
	printf("applied %" PRIu64 " repeated %" PRIu64 " failures %" PRIu64
	       " connects %" PRIu64 " behind %" PRIu64 "\n",
	       x.applied, x.repeated, x.failures, x.connects, x.bytes_behind);
	store_free(s.store);
	event_free(s.tick);
	journal_close(s.journal);
	event_base_free(s.base);
	return 0;
}
