/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COLLECTOR_CDR_REJECT_H
#define COLLECTOR_CDR_REJECT_H

#include <stdint.h>
#include <stdio.h>

#include "collector/cdr/cdr.h"

/*
 * Lines that could not be read: counted by reason, and listed with file, line
 * and reason (not with what they say: that is personal data) in
 * dir/SOURCE.txt, or on stderr when dir is NULL.  The list stops growing at
 * a limit; the counters go on.
 */
struct rejects {
	uint64_t n[CDR_RC_COUNT];
	uint64_t total;
	FILE *out;
	uint64_t room; /* bytes that may still be written */
};

MUST_USE bool rejects_open(struct rejects *r, const char *dir,
			   const char *source, struct err *e);
void rejects_close(struct rejects *r);
void rejects_add(struct rejects *r, const char *file, uint64_t line,
		 enum cdr_rc rc);

#endif
