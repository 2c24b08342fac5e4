/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COLLECTOR_SIP_CALL_TABLE_H
#define COLLECTOR_SIP_CALL_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/event.h"
#include "common/hash.h"

/*
 * Storage of the calls a tap is looking at: all memory is taken once, all
 * operations are O(1).  What the states mean is dialog.c's business.
 *
 *   index     (Call-ID, caller's tag) ─▶ call      chained hash
 *   Call-IDs  Call-ID ─▶ how many calls it made, the latest of them
 *             (8-way sets; outlives the calls, so that a Call-ID that comes
 *             back later does not pass for the old call)
 *   by age    unanswered and ended calls, oldest first: what to evict
 *   by due    a wheel of 512 one-second slots
 *
 * A call that is due later than the wheel reaches, or whose time was put
 * off, lies in an earlier slot and is moved on when that comes round.
 */
enum {
	CALL_BRANCHES = 4, /* hops of one INVITE that are told apart */
	CALL_DIALOGS = 2,  /* answers of one INVITE (forking) */
	CALL_TEXT = 48,
};

enum call_state {
	CALL_FREE = 0,
	CALL_TRYING,   /* by age; due: nobody answers (Timer B, Timer C) */
	CALL_RETRYING, /* by age; refused with 401, 302...: the caller is to
			* try again; due: it did not */
	CALL_ANSWERED, /* due: nobody answers the BYE (Timer F), else the
			* session timer, else the longest a call may be */
	CALL_ENDED,    /* by age; due: retransmissions are over */
};

/* One answer of the INVITE, and the latest BYE to it. */
struct call_dialog {
	uint64_t callee; /* hash of the tag */
	int64_t bye_us;	 /* 0 = none yet */
	uint32_t bye_cseq;
	uint32_t bye_to;  /* hash of the address it went to */
	bool from_caller; /* the BYE is his */
	bool refused;	  /* with 401, 500...: the dialog goes on */
	uint8_t q850;
};

/* What every message touches comes first. */
struct call {
	uint8_t id[16]; /* keyed hash of the Call-ID */
	uint64_t tag;	/* what it is found by: the caller's, mostly */
	uint32_t chain;
	uint32_t cseq;	/* of the latest initial INVITE */
	int64_t due_us; /* 0 = never */
	int64_t slot_s; /* where it lies in the wheel, 0 = nowhere */
	uint8_t state;	/* enum call_state */
	uint8_t dialogs;
	uint8_t branches;
	uint8_t digest_n;
	uint8_t asserted_n;
	bool siblings;	     /* other calls have its Call-ID */
	bool timed;	     /* a session timer was agreed */
	bool rung;	     /* a progress event is out */
	uint16_t hop_status; /* last failure on another hop */
	struct {
		uint32_t prev, next;
	} link[2];
	uint64_t branch[CALL_BRANCHES]; /* [0]: on the hop seen first */
	uint64_t caller; /* the caller's tag; hashes all, 0 = none */
	struct call_dialog dialog[CALL_DIALOGS]; /* those that are up */
	int64_t up_until_us;			 /* without a sign of life */
	int64_t over_us;  /* latest BYE of a dialog that is over */
	uint64_t pending; /* branch of the latest INVITE or UPDATE within */
	struct event ev;  /* as far as known */
	uint8_t dst[16];
	uint16_t src_port, dst_port;
	char digest[CALL_TEXT]; /* user that credentials claim, until they
				 * are accepted */
	char asserted[CALL_TEXT];
};

/* What is known of a Call-ID. */
struct call_id {
	uint8_t id[16];
	uint32_t calls;	 /* set up under it so far; 0 = unused */
	uint32_t latest; /* position of the last, may be another's by now */
	int64_t seen_us;
};

struct call_table;

struct call_table *call_table_new(uint32_t capacity);
void call_table_free(struct call_table *t); /* NULL ok */
uint32_t call_table_used(const struct call_table *t);

/* The call of this Call-ID whose caller's tag this is; NULL when none. */
struct call *call_find(struct call_table *t, const uint8_t id[16],
		       uint64_t tag);

/* A zeroed call in the index; NULL when the table is full. */
struct call *call_add(struct call_table *t, const uint8_t id[16], uint64_t tag);
void call_remove(struct call_table *t, struct call *c);
void call_retag(struct call_table *t, struct call *c, uint64_t tag);

/* Oldest call in one of the states TRYING (or RETRYING) and ENDED. */
struct call *call_oldest(struct call_table *t, enum call_state s);

/* Move to a state and its list. */
void call_set_state(struct call_table *t, struct call *c, enum call_state s);
void call_set_due(struct call_table *t, struct call *c, int64_t due_us);

/* Next call that is due at now, NULL when there is none; the caller gives it
 * a later time or removes it. */
struct call *call_due(struct call_table *t, int64_t now_us);

/* What is known of a Call-ID; NULL for a new one. */
struct call_id *call_id_find(struct call_table *t, const uint8_t id[16]);
/* The same, made when new.  *forgot: an older one had to go. */
struct call_id *call_id_get(struct call_table *t, const uint8_t id[16],
			    int64_t now_us, bool *forgot);

/* Between a call and its position (for struct call_id). */
uint32_t call_position(const struct call_table *t, const struct call *c);
struct call *call_at(struct call_table *t, uint32_t position);
/* No call is at this position or above. */
uint32_t call_table_high(const struct call_table *t);

#endif
