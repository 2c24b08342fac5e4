/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_PUBLISH_H
#define ANALYZER_PUBLISH_H

#include "analyzer/apply.h"
#include "common/bus.h"

/*
 * Findings on their way to the alerter: journalled first, sent by the bus,
 * forgotten when the alerter's journal has them.  Each journal entry is a
 * batch of one finding whose cursor is the place in the archive it arose at:
 * a recovery that comes by the same place again says nothing twice.  The newest
 * place also lies in a file beside, as an acknowledged journal can be empty.
 *
 * Nor is an id said twice of the last few thousand (since a restart: of those
 * the journal still holds): a call that is sent again after the call table has
 * forgotten it would be told anew by the rules about one call.
 */
struct publish;

/* dir: of the journal.  endpoint NULL: journal only. */
MUST_USE bool publish_open(struct publish **out, struct bus *bus,
			   const char *dir, const char *endpoint,
			   struct err *e);
void publish_close(struct publish *p); /* NULL ok */

/* Where the archive ends before anything is applied: places beyond it are of
 * an archive that is gone, and must not silence this one. */
void publish_archive_ends(struct publish *p, uint64_t pos);

MUST_USE bool publish_finding(struct publish *p, const struct finding *f,
			      const struct apply_place *at, struct err *e);

/* Sync what was journalled and send it. */
MUST_USE bool publish_flush(struct publish *p, struct err *e);

/* How far the feed has come, for an alerter on the feed's clock. */
void publish_time(struct publish *p, int64_t feed_us);

/* Not journalled: last value wins. */
void publish_exposure(struct publish *p, const struct exposure *x);

struct publish_stats {
	uint64_t journalled;
	uint64_t repeated; /* known already, not sent again */
	uint64_t unsent;   /* bytes in the journal not yet acknowledged */
	struct bus_stats bus;
};
struct publish_stats publish_stats(const struct publish *p);

#endif
