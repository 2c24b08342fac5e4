/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAUNCH_AUDIT_CHAIN_H
#define LAUNCH_AUDIT_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/sv.h"

/*
 * The chain of sql/014_audit.sql, followed without asking the database what
 * it thinks of it:
 *
 *   hash of a link = SHA-256 of 0x00 "TWAUD1", then each field of the link
 *                    before and of the event as a length and its bytes
 *   first link     follows SHA-256 of "TWAUD1:" site ":" stream
 *
 * Links come by stream (in the order of bytes) and place in it, each with its
 * event; no row is kept.  Columns are as COPY's binary format has them, which
 * is what is hashed but for the time, that counts from 2000 there.
 */
enum audit_col {
	LINK_STREAM,
	LINK_SEQ,
	LINK_EVENT,
	LINK_PREV,
	LINK_HASH,
	EVENT_ID,
	EVENT_STREAM,
	EVENT_AT,
	EVENT_ACTOR,
	EVENT_LOGIN,
	EVENT_ACTION,
	EVENT_CODE,
	EVENT_INCIDENT,
	EVENT_TICKET,
	EVENT_AUTHORITY,
	EVENT_SUBJECT,
	EVENT_PURPOSE,
	EVENT_FIELDS,
	EVENT_WORDS_HASH,
	EVENT_DETAIL,
	AUDIT_COLS,
};

enum {
	AUDIT_HASH = 32,
	AUDIT_STREAM = 32, /* name and NUL */
	AUDIT_SITE = 37,   /* uuid and NUL */
};

enum chain_rc {
	CHAIN_OK = 0,
	CHAIN_MALFORMED,    /* not a row of the log at all */
	CHAIN_NO_LINK,	    /* an event that is in no chain */
	CHAIN_NO_EVENT,	    /* a link whose event is gone */
	CHAIN_OTHER_EVENT,  /* a link with the event of another */
	CHAIN_OTHER_STREAM, /* the event says it is of another stream */
	CHAIN_ORDER,	    /* a place that is taken, a stream that was over */
	CHAIN_GAP,	    /* places are missing before it */
	CHAIN_PREV,	    /* does not follow the one before */
	CHAIN_HASH,	    /* was changed after it was sealed */
	CHAIN_RCS,
};

struct audit_chain {
	char site[AUDIT_SITE];
	char stream[AUDIT_STREAM]; /* of the last link; "" = none yet */
	int64_t seq;		   /* its place */
	uint8_t hash[AUDIT_HASH];  /* its hash as we make it */
	uint8_t said[AUDIT_HASH];  /* as the row has it: the next follows */
};

void audit_chain_begin(struct audit_chain *c, const char *site);

/* The next row; a column's p is NULL for null.  After a fault the chain goes
 * on from what the row says, so that each fault is told once. */
enum chain_rc audit_chain_add(struct audit_chain *c,
			      const struct sv col[AUDIT_COLS]);

/* Why, for people. */
const char *chain_rc_text(enum chain_rc rc);

/* A name as streams have: a-z and _, so that it is safe to print. */
bool audit_is_stream(struct sv name);

/* An int8 of COPY; false when it is not one. */
bool audit_int(struct sv col, int64_t *out);

#endif
