/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COLLECTOR_CDR_CDR_H
#define COLLECTOR_CDR_CDR_H

#include <stdbool.h>
#include <stdint.h>

#include "common/event.h"
#include "common/hash.h"
#include "common/sv.h"
#include "common/zone.h"

/*
 * A call record as its row says it, the same for every format: views into
 * the row (dead with it) and times in UTC.  Formats fill it in; cdr_event
 * makes the copies.
 */

/* Why a row is refused.  Each is a counter and a line in the reject file. */
enum cdr_rc {
	CDR_OK = 0,
	CDR_COLUMNS, /* not as many fields as the format has */
	CDR_QUOTE,   /* a quoted field is not closed: a torn line */
	CDR_LONG,    /* longer than a record may be */
	CDR_START,   /* no set-up time, or not a time */
	CDR_ANSWER,  /* not a time */
	CDR_END,     /* not a time, and none follows from the duration */
	CDR_SECONDS, /* duration or talk time is not a number */
	CDR_STATUS,  /* not a status code or disposition */
	CDR_NOBODY,  /* neither caller nor callee */
	CDR_FUTURE,  /* more than a day ahead of the clock on the wall */
	CDR_RC_COUNT,
};
const char *cdr_rc_text(enum cdr_rc rc);

enum { CDR_IDENTITY_MAX = 8, CDR_NO_SECONDS = -1 };

struct cdr_row {
	struct sv account; /* as the switch names it */
	struct sv user;
	struct sv src_peer; /* whom the call came from and went to: a trunk, */
	struct sv dst_peer; /* or a phone; see resolve.h */
	struct sv caller;
	struct sv callee;
	struct sv call_id; /* SIP Call-ID, if the row carries it */
	struct sv identity[CDR_IDENTITY_MAX]; /* what makes the row unique */
	unsigned n_identity;
	int64_t setup_us;
	int64_t answer_us; /* 0 = not answered */
	int64_t end_us;
	int32_t talk_s;	   /* EVENT_NO_TALK = not said */
	uint16_t status;   /* 0 = not said */
	uint32_t flags;	   /* enum event_flag */
	uint8_t direction; /* enum direction, when the row says so */
};

/* The event of a row but for account, trunk, numbers and direction, which
 * resolve_cdr adds.  The call key is the hash of the Call-ID, as dialogs have
 * it, else of the identity fields joined by 0x1f. */
void cdr_event(const struct hash_key *k, struct sv source,
	       const struct cdr_row *row, struct event *ev);

/*
 * Local times of rows in file order.  The hour that occurs twice when clocks
 * go back is told apart by, in this order: the epoch in the row's id; how
 * start and end fit the duration; whether the file has stepped back in time.
 */
struct cdr_clock {
	const struct zone *zone; /* NULL: UTC; not owned */
	int64_t last_end;	 /* local seconds, inside the repeated hour */
	bool second;		 /* the file is past the step back */
	bool utc;	 /* ids prove the file to be in UTC, not in zone */
	uint64_t in_utc; /* rows read so */
	char date[12];	 /* the date parsed last, and its seconds */
	int64_t date_s;
};

/* One row's times in local seconds; 0 = none. */
struct cdr_local {
	int64_t start;
	int64_t answer;
	int64_t end;
	int64_t duration_s; /* CDR_NO_SECONDS = not said */
	int64_t talk_s;
	int64_t epoch_s; /* UTC of the beginning, from an id; 0 = none */
};

/* "2026-01-17 02:24:05" as seconds since 1970 on that clock. */
bool cdr_local_time(struct cdr_clock *c, struct sv text, int64_t *local);

/* Fill the row's times and flags; CDR_END when there is no end. */
enum cdr_rc cdr_times(struct cdr_clock *c, const struct cdr_local *t,
		      struct cdr_row *row);

/* Set EVENT_INCONSISTENT when times, durations and answer contradict. */
void cdr_check(struct cdr_row *row, int64_t duration_s, int64_t talk_s);

/* Status of a disposition or a number ("BUSY", "486"); false: neither. */
bool cdr_status(struct sv text, uint16_t *status);

#endif
