/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALERTER_INTAKE_H
#define ALERTER_INTAKE_H

#include "alerter/turn.h"
#include "common/bus.h"

/*
 * What the analyzer says: findings (each acknowledged once the journal has
 * what came of it), exposure and, for a site on a feed's clock, the time.
 * While a feed must wait for pages its batches wait here, bounded: what does
 * not fit is not acknowledged and so comes again.
 */
struct intake;

MUST_USE bool intake_open(struct intake **out, struct bus *bus,
			  const char *endpoint, struct turn *t, struct err *e);
void intake_close(struct intake *in); /* NULL ok */

/* Go on after a wait. */
void intake_pump(struct intake *in);

struct intake_stats {
	uint64_t findings;
	uint64_t repeated; /* findings that came again */
	uint64_t exposures;
	uint64_t refused; /* no room while waiting: will come again */
	uint64_t gaps;
	uint64_t waiting; /* batches, now */
	struct bus_stats bus;
};
struct intake_stats intake_stats(const struct intake *in);

#endif
