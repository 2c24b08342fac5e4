/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALERTER_CONTROL_H
#define ALERTER_CONTROL_H

#include "alerter/incident.h"
#include "common/bus.h"

/*
 * What the analyzer must know of incidents: that one is open (its days teach
 * nothing) and what it turned out to be.  A stream of control records like
 * any other: journalled, sent to the analyzer's own endpoint, forgotten once
 * its archive has them.  The records are idempotent, so after a restart all
 * that is known is told again.
 */
struct control_out;

/* events: the analyzer's endpoint; NULL: nobody is told. */
MUST_USE bool control_open(struct control_out **out, struct bus *bus,
			   const char *state_dir, const char *events,
			   struct err *e);
void control_close(struct control_out *c); /* NULL ok */

/* Tell what is new in the book since the last time. */
void control_follow(struct control_out *c, const struct book *b);

#endif
