/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COLLECTOR_SPOOL_H
#define COLLECTOR_SPOOL_H

#include "collector/offset.h"
#include "common/event.h"
#include "common/journal.h"

/*
 * Events wait here, on disk, from when they are read until the analyzer has
 * them.  Numbers are given at append, so a refusal leaves no gap.
 *
 * When the analyzer is away and the spool fills, live events are refused in
 * the order of what they are worth; sources that can wait are not read.
 *
 *   80 %  register    87 %  progress    94 %  set-ups to 01, 02, 03
 *   100 % full: every file source stops
 */
struct spool;

struct spool_opts {
	const char *dir;	 /* of journal and offsets; must exist */
	const char *stream;	 /* at most 23 bytes */
	uint64_t cap;		 /* bytes that may wait */
	uint32_t fresh_boot;	 /* the boot in a fresh folder */
	struct offsets *offsets; /* filled in by the recovery; not owned */
};

MUST_USE bool spool_open(struct spool **out, const struct spool_opts *o,
			 struct err *e);
void spool_close(struct spool *s); /* NULL ok; append what is held first */

/* Take an event.  live: it may be refused (false), and is counted. */
bool spool_event(struct spool *s, struct event *ev, bool live);

/* True when spool_append must be called before the next event. */
bool spool_batch_full(const struct spool *s);

/* Write what is held, with the marks that moved, as one batch. */
MUST_USE bool spool_append(struct spool *s, struct err *e);

/* Make it durable, and the file of offsets with it. */
MUST_USE bool spool_sync(struct spool *s, struct err *e);

/* The receiver has everything up to pos. */
void spool_safe(struct spool *s, uint64_t pos);

bool spool_is_full(const struct spool *s);
bool spool_is_empty(const struct spool *s); /* all is acknowledged */

struct journal *spool_journal(struct spool *s);
const char *spool_journal_dir(const struct spool *s);

struct spool_stats {
	uint64_t received; /* events offered */
	uint64_t spooled;  /* in the journal, from before the start too */
	uint64_t acked;
	uint64_t refused;
	uint64_t refused_register, refused_progress, refused_setup;
	uint64_t bytes; /* that wait */
	uint64_t torn;	/* bytes cut at the start */
	uint32_t boot;
	uint64_t seq; /* of the last event */
};
struct spool_stats spool_stats(const struct spool *s);

/* Events in the first n batches that are not acknowledged. */
uint64_t spool_events_in(const struct spool *s, uint64_t batches);

#endif
