/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_STATE_H
#define ANALYZER_STATE_H

#include "analyzer/account.h"
#include "analyzer/call.h"
#include "analyzer/counter.h"
#include "analyzer/engine.h"
#include "analyzer/plan.h"
#include "analyzer/slab.h"
#include "analyzer/timer.h"

/*
 * Everything the engine holds.  Time is per lane: all live primary sources
 * and the ticks drive lane 0, each batch source drives one of its own, so
 * that the timers of an account that is fed an hour late run on the time it
 * is fed, and not on the time of a feed that knows nothing of it.
 */
enum { LANES_MAX = 32, LANE_LIVE = 0 };

struct lane {
	int64_t clock; /* latest event time of its sources */
	struct timers timers;
};

struct engine {
	const struct analyzer_conf *conf;
	struct engine_sink sink;
	struct plan plan;
	struct slab blocks;  /* the counters of an account */
	struct slab chunks;  /* struct ring_chunk */
	struct slab days;    /* struct usual */
	struct slab watches; /* struct watch */
	struct lane lane[LANES_MAX];
	int64_t clock;	     /* the latest of all lanes */
	int64_t retain_us;   /* how long calls that are over are kept */
	int64_t max_call_us; /* accrual of a call without an end stops */
	unsigned n_sources;  /* configured, at most LANES_MAX - 1 */
	uint8_t source_lane[LANES_MAX]; /* lane that its events belong to */
	uint8_t source_of[LANES_MAX];	/* witness of source i + 1; 0 primary */
	uint32_t witnesses[LANES_MAX];	/* of source i: 1 << witness source */
	struct accounts accounts;
	struct calls calls;
	struct engine_stats stats;
};

#endif
