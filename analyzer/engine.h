/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_ENGINE_H
#define ANALYZER_ENGINE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "analyzer/config.h"
#include "common/event.h"
#include "common/finding.h"

/*
 * Events in, findings and exposure out.  A pure function of the order of
 * what is applied: it reads no clock, opens no file, and gives the same
 * findings for the same input on any machine.
 */
struct engine;

struct engine_sink {
	void (*finding)(void *arg, const struct finding *f);
	void (*exposure)(void *arg, const struct exposure *x);
	void *arg;
};

/* conf must outlive the engine; not owned. */
struct engine *engine_new(const struct analyzer_conf *conf,
			  const struct engine_sink *sink);
void engine_free(struct engine *g); /* NULL ok */

void engine_event(struct engine *g, const struct event *ev);

/* Time of the live sources moves on without an event (archived as a tick). */
void engine_tick(struct engine *g, int64_t t_us);

void engine_control(struct engine *g, const struct control *c);

/* The feed ends here (backtest): witnesses that wait for their primary count
 * on their own now, and no call is ended. */
void engine_finish(struct engine *g);

/* Latest event time applied from sources that drive the clock. */
int64_t engine_clock(const struct engine *g);

struct engine_stats {
	uint64_t applied;   /* events that changed something */
	uint64_t duplicate; /* phase of a call already known */
	uint64_t late;	    /* older than the ring of its account */
	uint64_t unpaired;  /* witness without a primary, counted by itself */
	uint64_t paired;
	uint64_t untracked; /* account table full */
	uint64_t unrated;
	uint64_t ahead; /* later than they were observed: clamped */
	uint64_t findings;
	uint64_t calls;	     /* distinct call keys that had an attempt */
	uint64_t evicted;    /* calls dropped from a full call table */
	uint32_t live_calls; /* answered and up */
	uint32_t tracked_calls;
	uint32_t accounts;
	uint32_t timers;
	uint64_t ring_bytes;
};
struct engine_stats engine_stats(const struct engine *g);

/* Serialise everything that decides, independent of the configuration: rows
 * are found again by account name and counter definition, so that a snapshot
 * loads under a changed config and unchanged definitions keep their counts.
 * Saving and loading changes no later finding. */
MUST_USE bool engine_save(const struct engine *g, FILE *out, struct err *e);
MUST_USE bool engine_load(struct engine *g, FILE *in, struct err *e);

/* Effective limits of one account at t for "explain": one call per rule,
 * regime of t, severity and term. */
struct engine_limit {
	const struct rule *rule;
	enum severity severity;
	enum regime regime;
	struct finding_term term; /* observed is the counter now */
	const char *file;
	unsigned line;
	const char *override_text; /* or NULL */
};
void engine_limits(struct engine *g, struct sv account, int64_t t_us,
		   void (*each)(void *arg, const struct engine_limit *l),
		   void *arg);

/* A call as it is counted: what its source and its witness amount to. */
struct engine_call {
	struct call_key key;
	int64_t setup_us;  /* 0 = unknown, as in events */
	int64_t answer_us; /* 0 = not answered */
	int64_t end_us;	   /* 0 = still up */
	struct number callee;
	struct number_info info;
	struct rate rate; /* name is NULL */
	enum direction direction;
};

/* The calls of an account that are still known, newest first. */
void engine_calls(const struct engine *g, struct sv account,
		  void (*each)(void *arg, const struct engine_call *c),
		  void *arg);

/* Keep calls that are over for at least this long. */
void engine_retain(struct engine *g, int64_t us);

#endif
