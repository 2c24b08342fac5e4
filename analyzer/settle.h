/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_SETTLE_H
#define ANALYZER_SETTLE_H

#include "analyzer/state.h"

/*
 * The life of a call in the table: what is known of it changes, and what is
 * counted follows.
 */

/* Make what is counted equal to what is known, judge what that reached, and
 * arm the call's next instant.  t: of the event that brought the news. */
void settle_call(struct engine *g, struct call *c, int64_t t_us);

/* An entry for an event's call, its account's newest; NULL: there is no room
 * for its account. */
struct call *settle_new(struct engine *g, const struct event *ev,
			unsigned source);

/* If the event says more of who calls whom than was known, take back what was
 * counted, to be matched again when the call is settled.  False: it does
 * not. */
bool settle_identity(struct engine *g, struct call *c, const struct event *ev);

/* A witness that nobody came for counts by itself. */
void settle_alone(struct engine *g, struct call *c);

/* Join a witness to its primary, if there is one now. */
bool settle_join(struct engine *g, struct call *c, int64_t t_us);

/* Instant from which its primary can be told from others: all of them have
 * had the time to end. */
int64_t settle_ripe(const struct engine *g, const struct call *c);

/* A witness has waited long enough: it joins, or counts alone. */
void settle_waited(struct engine *g, struct call *c, int64_t t_us);

/* The call's timer fired. */
void settle_timer(struct engine *g, struct call *c, int64_t t_us);

/* Wait for the primary until the lateness bound has passed. */
void settle_wait(struct engine *g, struct call *c);

/* Forget calls that are over for long enough. */
void settle_expire(struct engine *g);

/* The account of a name, made or taken from another if need be; NULL: every
 * place is held by an account with calls up.  With a block of counters. */
struct account *settle_account(struct engine *g, struct sv name, int64_t t_us);

#endif
