/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_FINDING_H
#define ANALYZER_FINDING_H

#include "analyzer/exposure.h"

/*
 * The finding with its whole explanation: every number in it can be
 * recounted from the account's calls.
 */
struct finding_of {
	const struct exposed *exposed; /* of the family's episodes */
	int64_t episode_us;
	const struct call *call; /* of a rule about one call, or NULL */
};

/* Where the longest window of the limit that was reached begins. */
int64_t finding_window(const struct judge *j, const struct crossing *x);

void finding_build(const struct judge *j, const struct crossing *x,
		   const struct finding_of *of, struct finding *out);

/* Turn the second of two warnings into the critical that says both. */
void finding_combine(struct finding *f, const struct finding_term *first,
		     int64_t episode_us);

/* All but family and open. */
void finding_exposure(const struct judge *j, const struct exposed *x,
		      int64_t t_us, struct exposure *out);

#endif
