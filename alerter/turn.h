/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALERTER_TURN_H
#define ALERTER_TURN_H

#include "alerter/channel/channel.h"
#include "alerter/decide.h"
#include "alerter/outbox.h"
#include "alerter/say.h"
#include "alerter/store.h"
#include "common/clock.h"

/*
 * One turn: decide (facts into entry and book), commit (journal, then act):
 *
 *   turn_at(t, when) ─▶ decide_*() ... ─▶ turn_commit()
 *                                          append, fdatasync
 *                                          say, hand pages to channels
 *                                          wake the database writer
 *
 * Nothing leaves the process before the journal has it.  A journal that
 * cannot be written ends the process: what it knows more than its journal is
 * worth nothing, and the senders still have the findings.
 *
 * The site's clock (site.clock): wall, or the feed's.  A feed runs thousands
 * of times faster than a relay answers, so it waits while pages are under
 * way, and the clock goes on by real time meanwhile: a page takes as long on
 * the record as it took.
 */
struct turn {
	const struct alerter_conf *conf;
	struct book book;
	struct fact_entry entry;
	struct decide decide;
	struct outbox *outbox;
	struct channels *channels;
	struct store *store; /* NULL: no database configured */
	struct say *say;
	int64_t feed_us;
	struct mono_ms held; /* since when the feed waits; ms 0: it does not */
	bool failed;	     /* the journal: the loop must end */
	struct err why;
	uint64_t next_of; /* book.changes that next_us was found for */
	int64_t next_us;
};

void turn_init(struct turn *t, const struct alerter_conf *conf);
void turn_conf(struct turn *t, const struct alerter_conf *conf);
void turn_free(struct turn *t);

int64_t turn_now(const struct turn *t);

/* Begin to decide at this instant (never earlier than the last). */
struct decide *turn_at(struct turn *t, int64_t us);

void turn_commit(struct turn *t);

/* When something is due by itself; INT64_MAX never. */
int64_t turn_next(struct turn *t);

/* Decide what is due up to us, in order, each at its time; stops early when
 * a feed must wait for pages.  True when all was done. */
bool turn_due(struct turn *t, int64_t us);

/* A feed must wait. */
bool turn_held(const struct turn *t);

/* After outbox_open: what was under way. */
void turn_recover(struct turn *t);

void turn_sent(struct turn *t, uint32_t page, const struct send_outcome *o);

#endif
