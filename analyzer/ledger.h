/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_LEDGER_H
#define ANALYZER_LEDGER_H

#include "analyzer/state.h"

/*
 * What one call puts into the counters, in three parts, each of which can be
 * taken back to the last crumb:
 *
 *   set-up    calls +1
 *   answer    answered +1, up +1, minutes begin,
 *             spend: set-up charge and first increment at once
 *   end       minutes and accrual end, up -1, or failed +1;
 *             spend: the exact charge replaces what was charged
 *
 *   £ charged  ^            one increment ahead of the talk:
 *              |         /  never too little, at most one step too much
 *              |  ______/
 *              |_|          exact charge (a staircase) lies below it
 *              +-|------|-------------> t
 *            answer   answer + first - step: accrual begins
 *
 * What a call has put in depends on c->counted and c->linear alone, so a
 * correction is: take back, change the facts, count again.
 */

/* End of the call as counted: its end, or where accrual was stopped. */
int64_t ledger_end(const struct call *c);

/* Instant at which linear accrual begins. */
int64_t ledger_linear_from(const struct call *c);

/* Count parts that are not counted yet.  False: some of it was too old. */
bool ledger_count(struct engine *g, struct call *c, unsigned parts);

/* Take back parts that are counted. */
void ledger_retract(struct engine *g, struct call *c, unsigned parts);

/* The first increment is over: accrue second by second from now on. */
void ledger_linear(struct engine *g, struct call *c);

/* Count the parts that are counted once more, into new definitions only:
 * fresh[d] is true for them. */
void ledger_replay(struct engine *g, struct call *c, const bool *fresh);

/* Micropence charged for the call by t at this price a minute. */
int64_t ledger_cost(const struct call *c, int64_t per_min, int64_t t_us);

#endif
