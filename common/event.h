/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_EVENT_H
#define COMMON_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/json.h"
#include "common/number.h"
#include "common/sv.h"

/*
 * The call event: one fixed record of 256 bytes, little-endian, the same in
 * memory, on the wire and on disk.  Unknown is zero in every field, except
 * talk_s where it is EVENT_NO_TALK; JSON shows unknown as null.
 *
 * Text fields are NUL-padded and may be full (no NUL): read them with
 * EVENT_SV.  What did not fit sets EVENT_TRUNCATED.
 */

enum {
	EVENT_VERSION = 1,
	EVENT_SIZE = 256,
	EVENT_NO_TALK = -1,
};

enum event_kind { EVENT_CALL = 1, EVENT_REGISTER = 2, EVENT_HEARTBEAT = 3 };

enum event_phase {
	PHASE_NONE = 0,
	PHASE_SETUP = 1,    /* INVITE seen: setup is set */
	PHASE_PROGRESS = 2, /* first 18x: status is set */
	PHASE_ANSWER = 3,   /* first 2xx to the INVITE: answer is set */
	PHASE_END = 4,	    /* BYE, failure, expiry, or a CDR (knows all) */
};

enum direction {
	DIRECTION_NONE = 0,
	DIRECTION_OUTBOUND = 1,
	DIRECTION_INBOUND = 2,
	DIRECTION_INTERNAL = 3,
	DIRECTION_DIVERTED = 4, /* inbound and sent out again: the diverting
				 * party's account pays */
};

enum ua_class { UA_NONE = 0, UA_OTHER = 1, UA_SCANNER = 2 };

enum reg_outcome {
	REG_NONE = 0,
	REG_ACCEPTED = 1,
	REG_CHALLENGED = 2, /* 401/407 to a request without credentials */
	REG_REJECTED = 3,   /* refused although it carried credentials */
};

enum event_flag {
	EVENT_TRUNCATED = 1 << 0,  /* a text was cut */
	EVENT_ESTIMATED = 1 << 1,  /* end by time-out: no BYE was seen */
	EVENT_MALFORMED = 1 << 2,  /* broken message that still had identity */
	EVENT_AMBIGUOUS = 1 << 3,  /* duplicate Call-ID/From/To/CSeq header */
	EVENT_TRAILING = 1 << 4,   /* octets after Content-Length */
	EVENT_CLAMPED = 1 << 5,	   /* ahead of the clock; time was clamped */
	EVENT_LOCAL_TIME = 1 << 6, /* local time in a clock-change hour */
	EVENT_UNNORMAL = 1 << 7,   /* callee could not be normalised */
	EVENT_INCONSISTENT = 1 << 8, /* the record contradicts itself */
	EVENT_REKEYED = 1 << 9,	    /* Call-ID was used again: key is derived */
	EVENT_CHALLENGED = 1 << 10, /* set-up went through 401 or 407 */
};

/* Identity of a call: keyed hash, see design section 4. */
struct call_key {
	uint8_t b[16];
};

struct event {
	struct call_key key;
	int64_t setup_us;
	int64_t answer_us;
	int64_t end_us;
	int64_t observed_us; /* when the collector saw it */
	uint64_t seq;	     /* within (source's collector, boot) */
	struct number caller;
	struct number callee;
	struct number diverting;
	uint8_t src_addr[16]; /* IPv6, or IPv4 as ::ffff:a.b.c.d */
	uint32_t boot;	      /* collector start: rises in one folder */
	uint32_t flags;	      /* enum event_flag */
	int32_t talk_s;	      /* as billed by the source; EVENT_NO_TALK */
	uint16_t status;      /* SIP status of the final or 18x response */
	uint8_t q850;	      /* release cause */
	uint8_t leg;	      /* CDR leg number, 0 = the only one */
	uint8_t kind;	      /* enum event_kind */
	uint8_t phase;	      /* enum event_phase */
	uint8_t direction;    /* enum direction */
	uint8_t ua_class;     /* enum ua_class */
	uint8_t reg_outcome;  /* enum reg_outcome */
	uint8_t reserved[3];  /* zero */
	char source[16];
	char account[28];
	char user[24];
	char trunk[16];
	char caller_raw[20];
	char callee_raw[32];
};

_Static_assert(sizeof(struct event) == EVENT_SIZE, "event is 256 bytes");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "records are little-endian in memory");

/* View of a text field of an event. */
#define EVENT_SV(field) sv_field((field), sizeof(field))

/* Zero, with talk unknown. */
void event_init(struct event *ev);

/* Put text into a field; a cut sets EVENT_TRUNCATED in *flags. */
void event_put(char *field, size_t size, struct sv text, uint32_t *flags);
#define EVENT_PUT(ev, field, text)                                             \
	event_put((ev)->field, sizeof((ev)->field), (text), &(ev)->flags)

/* The instant this event belongs to: end, answer or setup by phase; else
 * observed. */
int64_t event_time(const struct event *ev);

/* Clocks are wrong and records lie: one event of the year 2099 would move a
 * clock there and empty every window.  Times after limit_us are brought back
 * to it and EVENT_CLAMPED is set; false: there were none. */
bool event_clamp(struct event *ev, int64_t limit_us);
enum { EVENT_AHEAD_S = 5 }; /* what a live event may be ahead */

/* One JSON object without a line end; all keys of design section 4, always,
 * in that order: numbers in full (the operator's own tool prints them). */
void event_json(const struct event *ev, struct json *out);

/* Back from one JSON object; unknown keys are an error, missing keys are
 * null.  event_from_json(event_json(e)) == e. */
MUST_USE bool event_from_json(struct sv line, struct event *out, struct err *e);

/* Names used in JSON and in config ("outbound"), NULL for none/unknown. */
const char *direction_name(enum direction d);
bool direction_parse(struct sv name, enum direction *out);
const char *phase_name(enum event_phase p);
/* Name of flag 1 << bit, NULL past the last. */
const char *event_flag_name(unsigned bit);

/* 0 unless every enum, time and text of a record from outside is in range. */
enum event_rc {
	EVENT_OK = 0,
	EVENT_BAD_KIND,
	EVENT_BAD_PHASE,
	EVENT_BAD_DIRECTION,
	EVENT_BAD_TIME, /* negative or after the year 2100 */
	EVENT_BAD_OTHER,
};
enum event_rc event_check(const struct event *ev);

#endif
