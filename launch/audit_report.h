/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAUNCH_AUDIT_REPORT_H
#define LAUNCH_AUDIT_REPORT_H

#include <inttypes.h>

#include <jansson.h>

#include "common/attr.h"
#include "launch/audit_chain.h"
#include "launch/checkpoint.h"

/* What audit verify has found, told as text while it is found, or at the end
 * as one JSON object. */
struct audit_stream {
	char name[AUDIT_STREAM];
	int64_t events;
	int64_t proven; /* up to the last checkpoint that fits */
	int64_t seq;	/* of the last link */
	uint8_t hash[AUDIT_HASH];
	bool broken;
	bool has_head;
};

struct audit_report {
	bool as_json;
	uint64_t faults;
	json_t *fault; /* the first AUDIT_FAULTS_SHOWN sentences */
	json_t *note;
	struct audit_stream stream[CHECKPOINT_STREAMS];
	size_t streams;
	char site[AUDIT_SITE];
	char key[17];
	uint64_t checkpoints;
	size_t places;
	char first_at[CHECKPOINT_TIME]; /* "" = no checkpoint */
	char last_at[CHECKPOINT_TIME];
};

enum { AUDIT_FAULTS_SHOWN = 50 };

void audit_report_begin(struct audit_report *r, bool as_json);
void audit_report_end(struct audit_report *r);

void audit_fault(struct audit_report *r, const char *fmt, ...) PRINTF(2, 3);
void audit_note(struct audit_report *r, const char *fmt, ...) PRINTF(2, 3);

/* The stream of that name, made when new; NULL when there are too many. */
struct audit_stream *audit_report_stream(struct audit_report *r,
					 const char *name);

/* Say how it ended; the exit code. */
int audit_report_say(const struct audit_report *r);

#endif
