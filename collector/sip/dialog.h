/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COLLECTOR_SIP_DIALOG_H
#define COLLECTOR_SIP_DIALOG_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/packet/decode.h"
#include "collector/sip/identity.h"
#include "collector/sip/scan.h"
#include "common/hash.h"

/*
 * SIP messages in, call events out.
 *
 *   INVITE ──▶ setup     18x ──▶ progress     200 ──▶ answer     BYE ──▶ end
 *
 * One call is one call: retransmitted, seen on several hops, challenged and
 * sent again, re-INVITEd.  Two are two, though they use one Call-ID.  Only
 * packet time is used, and a packet costs no allocation.
 */
struct dialog_table;

struct dialog_opts {
	uint32_t capacity; /* calls at once, at least 1 */
	struct hash_key key;
	const char *source;	 /* for event.source */
	sip_resolve_fn *resolve; /* NULL ok: identity stays unknown */
	void *resolve_arg;
	event_fn *emit;
	void *emit_arg;
	/* Times, 0 = the default in brackets. */
	int64_t no_reply_us; /* INVITE without even a 100 [32 s] */
	int64_t ringing_us;  /* after the last provisional [195 s] */
	int64_t retry_us;    /* 401, 302... and nothing follows [64 s] */
	int64_t linger_us;   /* retransmissions after the end [32 s] */
	int64_t max_call_us; /* answered and no sign of life [24 h] */
};

enum dialog_rc {
	DIALOG_OK = 0,	 /* moved a call on */
	DIALOG_OTHER,	 /* a method that is not about calls */
	DIALOG_REPEAT,	 /* a retransmission, or the same on another hop */
	DIALOG_UNKNOWN,	 /* BYE, CANCEL, failure of a call that is not known,
			  * or is not up, or has other tags */
	DIALOG_FULL,	 /* every place holds an answered call: the event is
			  * out but the call is not followed */
	DIALOG_BAD_TIME, /* packet time before 1970 or after 2100 */
	DIALOG_RCS,	 /* how many there are */
};

struct dialog_stats {
	uint64_t rc[DIALOG_RCS];
	uint64_t setups;
	uint64_t answers;
	uint64_t ends;
	uint64_t estimated; /* ends by time-out */
	uint64_t lone;	    /* answers without an INVITE */
	uint64_t rekeyed;   /* calls on a Call-ID that had one already */
	uint64_t given_up;  /* ends for want of a sign of life */
	uint64_t refused;   /* BYEs that were refused */
	uint64_t registers; /* REGISTER requests */
	uint64_t evicted;   /* ended calls that had to go early */
	uint64_t shed;	    /* unanswered calls that had to go */
	uint64_t forgotten; /* Call-IDs whose history had to go */
	uint32_t calls;	    /* places in use now */
};

struct dialog_table *dialog_new(const struct dialog_opts *o);
void dialog_free(struct dialog_table *t); /* NULL ok */

/* One message that sip_scan() said SIP_OK to, captured at t_us.  First ends
 * what is due by then. */
enum dialog_rc dialog_message(struct dialog_table *t, const struct sip_msg *m,
			      const struct packet *p, int64_t t_us);

/* Time has passed without a packet: end what is due. */
void dialog_expire(struct dialog_table *t, int64_t now_us);

/* The capture is over and may go on in another file: a BYE that has not been
 * refused by now has ended its call. */
void dialog_settle(struct dialog_table *t);

struct dialog_stats dialog_stats(const struct dialog_table *t);
const char *dialog_rc_name(enum dialog_rc rc);

#endif
