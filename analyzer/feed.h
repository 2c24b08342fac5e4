/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_FEED_H
#define ANALYZER_FEED_H

#include <event2/event.h>

#include "analyzer/apply.h"
#include "analyzer/publish.h"

/*
 * The analyzer's way in, live:
 *
 *   collectors ══▶ archive ──sync──▶ acknowledge ──▶ apply ──▶ findings
 *
 * Nothing is acknowledged before the archive holds it on disk, nothing is
 * applied that is not read back from the archive; so state = snapshot +
 * archive, always, and a kill at any instant loses and doubles nothing.
 */
struct feed;

struct feed_opts {
	const char *config;   /* folder or file, read again on reload */
	const char *state;    /* archive/, configs/, findings/, snapshot */
	const char *bind;     /* endpoint of the collectors */
	const char *findings; /* endpoint of the alerter, NULL: journal only */
};

/* Opens everything and recovers.  Takes *conf over. */
MUST_USE bool feed_open(struct feed **out, struct event_base *base,
			struct bus *bus, struct analyzer_conf **conf,
			const struct feed_opts *o, struct err *e);

/* Snapshot and close; NULL ok. */
void feed_close(struct feed *f);

/* Read the config again; on errors the old one stays and the log says so. */
void feed_reload(struct feed *f);

/* Retention and the snapshot when they are due: call every second. */
void feed_second(struct feed *f);

/* A write failed: the archive can no longer promise anything.  The program
 * must end (its supervisor starts it again and it recovers). */
bool feed_failed(const struct feed *f);

/* First 16 hex digits of the config in force; NUL-terminated. */
const char *feed_config_hash(const struct feed *f);

struct feed_stats {
	uint64_t received; /* events in batches that came in, repeats too */
	uint64_t archived; /* events written to the archive */
	uint64_t repeated; /* events known already by (stream, boot, seq) */
	uint64_t gaps;	   /* batches refused because one before is missing */
	uint64_t lost;	   /* events a sender could not give any more */
	uint64_t snapshots;
	uint64_t archive_bytes;
	struct engine_stats engine;
	struct publish_stats publish;
	struct bus_stats bus;
	int64_t clock_us; /* engine clock */
};
struct feed_stats feed_stats(const struct feed *f);

#endif
