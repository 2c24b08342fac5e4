/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALERTER_OUTBOX_H
#define ALERTER_OUTBOX_H

#include "alerter/incident.h"
#include "common/err.h"
#include "common/wire.h"

/*
 * What must survive a crash, in the alerter's state folder (0700):
 *
 *   outbox/      journal of fact entries; PostgreSQL is told from it
 *   alerter.state  (0600, swapped whole) the book at one position of it
 *
 * Opening = state file + entries after its position.  What both the state
 * file and the database have is forgotten.
 */
struct outbox;

MUST_USE bool outbox_open(struct outbox **out, const char *dir,
			  struct book *book, struct err *e);
void outbox_close(struct outbox *o); /* NULL ok */

/* Random, made with the folder: positions are unique within it. */
const char *outbox_stream(const struct outbox *o);
const char *outbox_dir(const struct outbox *o); /* of the journal */

/* Append one entry.  Its mark counts from now on; outbox_sync makes it
 * safe. */
MUST_USE bool outbox_append(struct outbox *o, const struct fact_entry *x,
			    struct err *e);
MUST_USE bool outbox_sync(struct outbox *o, struct err *e);

/* How far a sender's findings have been taken. */
struct wire_seen outbox_seen(const struct outbox *o, struct sv stream);

/* Latest time of a fact, so that a feed's clock goes on where it was. */
int64_t outbox_clock(const struct outbox *o);

/* Write the state file when enough has been appended since the last time,
 * or now; and retire the journal up to there as far as the database has it
 * (stored, a position). */
MUST_USE bool outbox_save(struct outbox *o, const struct book *book, bool now,
			  uint64_t stored, struct err *e);

uint64_t outbox_end(const struct outbox *o);
uint64_t outbox_bytes(const struct outbox *o);

#endif
