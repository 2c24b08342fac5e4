/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_PAIR_H
#define ANALYZER_PAIR_H

#include "analyzer/state.h"

/*
 * One call, several witnesses.  A witness's call that has no key in common
 * with its primary is paired with the not-yet-paired primary of the same
 * account and callee that was set up within the bound and lies nearest to it
 * in all that both know (set-up, answer, end), whichever came first:
 *
 *   primary  |set-up----answer=============end|
 *   witness      |set-up (within 5 s)                 end| arrives later
 *
 * The primary counts at once and alone.  A witness waits: when it is paired
 * its times correct the primary, when nobody came by the lateness bound it
 * counts by itself, because the tap missed the call; a primary that comes
 * later still takes its place.
 *
 * With many identical calls at once it does not matter which two pair: each
 * is counted once and the totals are equal.
 */

/* What the call's own source and its witness amount to.  The witness (a CDR)
 * knows what will be billed, so its talk is the truth for money, unless it
 * differs by no more than its clock's second.  The same facts give the same
 * result in whatever order they came. */
struct facts pair_facts(const struct call *c);

/* Put what an event says into what its source has said.  False: nothing in
 * it was new. */
bool pair_merge(struct facts *f, const struct event *ev);

/* The primary for a waiting witness, or NULL. */
struct call *pair_primary(struct engine *g, const struct call *witness);

/* A waiting witness of a source for a primary, or NULL. */
struct call *pair_witness(struct engine *g, const struct call *primary,
			  unsigned source);

/* Join the two; the caller settles the primary. */
void pair_join(struct engine *g, struct call *primary, struct call *witness);

/* The witness has said more: carry it to its primary, which is returned for
 * the caller to settle; NULL: it is forgotten. */
struct call *pair_update(struct engine *g, const struct call *witness);

#endif
