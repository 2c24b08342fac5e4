/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_ACCOUNT_H
#define ANALYZER_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/counter.h"
#include "analyzer/plan.h"

/*
 * Accounts and their blocks of counters.  Provisioned accounts are there from
 * the start, in the order of the config, and stay; "unknown:<net>" and other
 * names that nobody provisioned come and go behind them.  The block of
 * counters is made with an account's first call.
 */
enum { ACCOUNT_NONE = UINT32_MAX, ACCOUNT_PROBE = 8 };

struct watch;

/* What an account keeps for each rule. */
struct account_rule {
	uint32_t override_milli; /* valid before override_until */
	/* End of its last episode: no older window is judged again, whatever
	 * a late record changes in it.  It only rises, and no episode starts
	 * before it: no two of them share a start, which is in their ids. */
	int64_t over_us;
};

struct account {
	const struct account_conf *conf;
	const struct calendar *calendar;
	uint32_t index;
	uint8_t lane; /* of the source that spoke of it last */
	bool provisioned;
	bool taught_wrong;	 /* a critical today, or one that goes on */
	struct period period;	 /* the one asked for last */
	struct counter *counter; /* [plan.n_defs] of slab `blocks`, NULL before
				  * its first call */
	struct account_rule *rule; /* [n_rules], NULL before its first call */
	int64_t override_at;	   /* when they were looked up */
	int64_t override_until;
	uint32_t newest;       /* call, or CALL_NONE */
	uint32_t up;	       /* answered calls up */
	int64_t since_us;      /* first event */
	uint32_t watch;	       /* open episodes, 0 = none */
	int64_t combi_us;      /* start of the last COMBI */
	uint32_t learnt;       /* bit i: day today-1-i was learnt */
	int64_t day;	       /* local date of `today` maxima, 0 = none */
	int64_t day_until;     /* when it ends */
	int64_t hold_day;      /* from this day on nothing is learnt, 0 = no */
	uint32_t suppressed;   /* rules that must not fire ... */
	int64_t suppress_from; /* ... from here */
	int64_t suppress_until;
	uint32_t late;	 /* late events ... */
	int64_t late_us; /* ... the latest of them */
};

struct accounts {
	struct account *account;
	uint32_t n;
	uint32_t n_provisioned;
	uint32_t max;
	uint32_t *slot; /* hash of name -> index + 1 */
	uint32_t mask;
	uint32_t hand; /* where the search for one to evict goes on */
	struct hash_key key;
	struct account_conf *unknown; /* names of those not provisioned */
};

void accounts_init(struct accounts *t, const struct analyzer_conf *conf);
void accounts_release(struct accounts *t);

/* NULL: not there. */
struct account *account_find(const struct accounts *t, struct sv name);

/* A new one that nobody provisioned; NULL when the table is full. */
struct account *account_add(struct accounts *t,
			    const struct analyzer_conf *conf, struct sv name);

/* Give the place of an account that is not provisioned to another name.  Its
 * counters must have been cleared. */
void account_rename(struct accounts *t, struct account *a, struct sv name);

/* Say in a counter's timer whose it is. */
static inline void counter_timer(struct counter *c, const struct account *a,
				 unsigned d)
{
	c->timer.kind = TIMER_COUNTER;
	c->timer.owner = a->index;
	c->timer.sub = (uint16_t)d;
	c->timer.order = (uint64_t)a->index << 16 | d;
}

/* The period of the account's opening hours that t lies in. */
struct period account_period(struct account *a, int64_t t_us);

#endif
