/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_PERCALL_H
#define ANALYZER_PERCALL_H

#include "analyzer/episode.h"

/*
 * Limits on one call: how long it is up, what it costs.  Both only grow, so
 * the instant at which a limit is met is known when the call is answered; one
 * timer in the call table waits for it.
 */

/* Fire what the call has met by t, in the regime of each instant. */
void percall_judge(struct engine *g, struct call *c, int64_t t_us);

/* Next instant after t at which there is something to judge; INT64_MAX:
 * never. */
int64_t percall_next(struct engine *g, const struct call *c, int64_t t_us);

#endif
