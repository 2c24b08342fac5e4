/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAUNCH_REPORT_H
#define LAUNCH_REPORT_H

#include <stdio.h>

#include "common/bus.h"
#include "common/finding.h"

/*
 * What `tollwatch run` says while there is no alerter: each finding in one
 * stable line and in words, exposure at most once an hour of feed time and
 * account, and a table at the end.
 */
struct report;

/* Listen on endpoint and write to out; zone NULL = UTC. */
MUST_USE bool report_open(struct report **out, struct bus *b,
			  const char *endpoint, const char *zone, FILE *to,
			  struct err *e);

/* Write each finding as one line of JSON to out instead of in words. */
void report_json(struct report *r, FILE *out);

void report_close(struct report *r); /* NULL ok */

struct report_counts {
	uint64_t warnings;
	uint64_t criticals;
	uint64_t repeated; /* findings that came a second time */
};
struct report_counts report_counts(const struct report *r);

/* The closing table: what each account cost and why it was found. */
void report_table(const struct report *r);

#endif
