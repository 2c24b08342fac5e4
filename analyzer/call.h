/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_CALL_H
#define ANALYZER_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/config.h"
#include "analyzer/timer.h"
#include "common/event.h"

/*
 * The call table: one entry for each call key, from its first event until
 * nobody can have a question about it.  A witness's call has an entry of its
 * own, that waits for its primary, points at it, or counts alone.
 *
 * Every entry is in exactly one list, in order of arrival there:
 *
 *   CALL_RINGING  attempted, neither answered nor ended
 *   CALL_UP       answered: money runs
 *   CALL_WAITING  a witness that waits for its primary
 *   CALL_DONE     over; kept for pairing, evidence and repeated events
 *
 * When the table is full the oldest of DONE goes, then of WAITING (it counts
 * alone first), then of RINGING; an answered call up goes only when there is
 * nothing else.
 */
#define CALL_NONE UINT32_MAX

enum call_list {
	CALL_FREE,
	CALL_RINGING,
	CALL_UP,
	CALL_WAITING,
	CALL_DONE,
	CALL_LISTS
};

enum call_role { CALL_PRIMARY, CALL_WITNESS, CALL_PAIRED };

/* What a source said of a call: 0 = not (yet). */
struct facts {
	int64_t setup_us;
	int64_t answer_us;
	int64_t end_us;
};

/* Parts of a call that have been counted. */
enum { PART_SETUP = 1, PART_ANSWER = 2, PART_END = 4 };

struct call {
	struct call_key key;
	uint64_t serial;      /* order of creation */
	struct timer timer;   /* the next instant at which it changes */
	struct facts said;    /* by its own source */
	struct facts witness; /* by its witness */
	struct facts counted; /* as counted: what both amount to */
	int64_t stop_us;      /* no end came: accrual stops here, 0 = not */
	int64_t done_us;      /* clock when it became DONE */
	struct rate rate;     /* at set-up; name is not kept */
	int64_t rated_us;     /* instant the rate was looked up for */
	struct number callee;
	uint32_t match;	      /* plan matches it counts toward */
	uint32_t account;     /* index */
	uint32_t fired[2];    /* rules about one call that fired, by severity */
	uint32_t pair;	      /* CALL_PAIRED: the primary ... */
	uint64_t pair_serial; /* ... if it still is that call */
	uint32_t prev, next;  /* in its list */
	uint32_t older, newer; /* of its account */
	uint32_t chain;	       /* next in its pairing bucket ... */
	uint32_t slot;	       /* ... which is this one */
	uint32_t hash_next;    /* next in its key bucket */
	uint32_t paired;       /* 1 << witness source that has paired */
	struct number_info info;
	char trunk[16];
	uint8_t source;		/* index + 1, 0 = not configured */
	uint8_t witness_source; /* index + 1 of the one in `witness` */
	uint8_t lane;
	uint8_t list;  /* enum call_list */
	uint8_t role;  /* enum call_role */
	uint8_t parts; /* counted */
	uint8_t direction;
	uint8_t regime; /* enum regime of the answer that is counted */
	bool linear;	/* answered and past its first increment */
	bool indexed;	/* in a pairing bucket */
	bool attempted; /* counted in stats.calls */
};

struct calls {
	struct call *call;
	uint32_t max;
	uint32_t fresh; /* entries ever used */
	uint64_t serial;
	struct {
		uint32_t first, last, n;
	} list[CALL_LISTS];
	uint32_t *bucket; /* by key */
	uint32_t *pairs;  /* by account, callee and time */
	uint32_t mask;
	struct hash_key key;
	int64_t pair_width; /* microseconds of a pairing bucket */
};

void calls_init(struct calls *t, const struct analyzer_conf *conf);
void calls_release(struct calls *t);

static inline struct call *call_at(const struct calls *t, uint32_t i)
{
	return &t->call[i];
}

static inline uint32_t call_index(const struct calls *t, const struct call *c)
{
	return (uint32_t)(c - t->call);
}

/* Say in the timer whose it is. */
static inline void call_timer(const struct calls *t, struct call *c)
{
	c->timer.kind = TIMER_CALL;
	c->timer.owner = call_index(t, c);
	c->timer.order = c->serial;
}

struct call *call_find(const struct calls *t, const struct call_key *key);

/* A zeroed entry in no list but with its key; NULL when the table is full
 * (see call_victim). */
struct call *call_add(struct calls *t, const struct call_key *key);

/* Which entry must go when the table is full. */
struct call *call_victim(const struct calls *t);

/* Forget an entry; it must be unlinked from account and pairing first. */
void call_remove(struct calls *t, struct call *c);

/* Move to the end of a list. */
void call_move(struct calls *t, struct call *c, enum call_list list);

/* Pairing buckets: calls of one account and callee that begin close to each
 * other.  Entries of bucket(begin) and its neighbours hold all within
 * pair_width. */
int64_t call_begin(const struct facts *f);
void call_index_pair(struct calls *t, struct call *c);
void call_unindex_pair(struct calls *t, struct call *c);
uint32_t call_pairs(const struct calls *t, const struct call *like,
		    int64_t begin_us);

#endif
