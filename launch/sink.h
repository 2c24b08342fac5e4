/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAUNCH_SINK_H
#define LAUNCH_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/sv.h"

/* What the receivers of the sample night have in common. */

/*
 * How a receiver is told to fail, for tests: HOW[:TIMES], for the first TIMES
 * messages (all without): "503", "5xx", "4xx", "reset", "close" (without an
 * answer), "slow:20s" (answers well, but late).
 */
enum sink_how { SINK_WELL = 0, SINK_CODE, SINK_RESET, SINK_CLOSE, SINK_SLOW };

struct sink_fail {
	enum sink_how how;
	unsigned code; /* 4 and 5: the protocol's usual one of the class */
	unsigned slow_ms;
	uint32_t left; /* UINT32_MAX: for ever */
};

MUST_USE bool sink_fail_parse(struct sink_fail *f, struct sv text,
			      struct err *e);
/* What to do with the next message. */
enum sink_how sink_fail_next(struct sink_fail *f);

/* The last messages, by hash: a sender may repeat one. */
enum { SINK_SEEN = 4096 };

struct sink_seen {
	uint8_t id[SINK_SEEN][16];
	uint64_t n;
};

/* False: it came before. */
bool sink_seen_add(struct sink_seen *s, struct sv id);

struct sink_count {
	uint64_t received; /* accepted, without repeats */
	uint64_t repeated;
	uint64_t refused; /* failed as told, or not verified */
};

/* Make fd, a connection, end with a reset. */
void sink_reset(int fd);

#endif
