/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAUNCH_CHECKPOINT_H
#define LAUNCH_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/hash.h"
#include "common/sv.h"
#include "launch/audit_chain.h"

/*
 * A checkpoint: what the log was, in a text that is signed and kept where the
 * database's administrators cannot write.
 *
 *   tollwatch checkpoint 1
 *   origin 0f3c1b62-...             which deployment
 *   n 17
 *   at 2026-01-17T02:24:05Z
 *   previous 4be1...                SHA-256 of the text of number 16
 *   catalogue 9a40...               audit.fingerprint()
 *   makers 11c8...                  and of the functions it comes from
 *   stream access 812 77d0...       links, and the hash of the last
 *
 * There is one way to write it, so that it can be compared by its bytes.
 */
enum {
	CHECKPOINT_STREAMS = 16,
	CHECKPOINT_TEXT = 4096,
	CHECKPOINT_GAP_S = 15 * 60, /* made every five minutes */
};

struct checkpoint_head {
	char stream[AUDIT_STREAM];
	int64_t seq;
	char hash[SHA256_HEX];
};

struct checkpoint {
	char origin[AUDIT_SITE];
	uint64_t n; /* from 1 */
	int64_t at_s;
	char previous[SHA256_HEX]; /* zeros for the first */
	char catalogue[SHA256_HEX];
	char makers[SHA256_HEX];
	size_t streams; /* by name */
	struct checkpoint_head head[CHECKPOINT_STREAMS];
};

/* What the first has for the hash of the one before. */
extern const char checkpoint_no_previous[SHA256_HEX];

/* Add a stream; they come by name. */
MUST_USE bool checkpoint_add(struct checkpoint *c, struct sv stream,
			     int64_t seq, const uint8_t hash[AUDIT_HASH],
			     struct err *e);

/* Its length. */
size_t checkpoint_text(const struct checkpoint *c, char out[CHECKPOINT_TEXT]);

/* One line that says which it is: the trusted comment of its signature. */
enum { CHECKPOINT_COMMENT = 160 };
void checkpoint_comment(const struct checkpoint *c,
			char out[CHECKPOINT_COMMENT]);

/* Exactly what checkpoint_text writes, or nothing. */
MUST_USE bool checkpoint_parse(struct checkpoint *c, struct sv text,
			       struct err *e);

/* c comes after `before`, whose text has this SHA-256 (before NULL: c is the
 * first).  How long after is for the caller to judge. */
MUST_USE bool checkpoint_follows(const struct checkpoint *before,
				 const char *sha256, const struct checkpoint *c,
				 struct err *e);

/* NULL: it has no such stream. */
const struct checkpoint_head *checkpoint_find(const struct checkpoint *c,
					      const char *stream);

/* "2026-01-17T02:24:05Z" */
enum { CHECKPOINT_TIME = 32 };
void checkpoint_time(int64_t at_s, char out[CHECKPOINT_TIME]);

#endif
