/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_PLAN_H
#define ANALYZER_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/config.h"
#include "analyzer/ring.h"

/*
 * The rules turned inside out: which counters an account needs.  A counter
 * is defined by what it matches, measures and spans; rules that differ only
 * in their limits share one.
 *
 *   R01 spend 60m of outbound ─┐
 *   R10 calls 60s of outbound ─┤  match 0: definitions 0, 1
 *   R05 minutes 60m of intl   ─── match 1: definition 2
 *
 * A session's window grows without end and its calls are forgotten after an
 * hour, so every match that has one also counts the session's calls, spend
 * and retail: a finding must be able to say them.
 */
enum {
	PLAN_DEFS = 160,
	PLAN_FAMILIES = 8,
	MEASURE_RETAIL = 64, /* beside enum measure: spend at retail price */
	USUAL_DAYS = 28,
};

enum definition_kind { DEF_RING, DEF_SESSION, DEF_GAUGE };

struct definition {
	uint8_t id[16]; /* hash of what defines it, for the snapshot */
	int64_t within;
	struct ring_shape shape; /* DEF_RING */
	uint32_t rules;		 /* 1 << rule that has a limit on it */
	uint8_t match;		 /* index in plan.match */
	uint8_t measure;
	uint8_t kind;
	uint8_t usual_days; /* 0: nobody asks for its usual */
};

struct plan {
	const struct match *match[RULES_MAX];
	uint8_t match_id[RULES_MAX][16]; /* hash of what it says */
	uint32_t match_rules[RULES_MAX]; /* account rules with this match */
	uint32_t match_calls[RULES_MAX]; /* the same, rules about one call */
	unsigned n_match;
	struct definition def[PLAN_DEFS]; /* in order of match */
	unsigned n_defs;
	unsigned first[RULES_MAX + 1]; /* definitions of a match: first[m].. */
	struct plan_rule {
		uint8_t match;
		uint8_t family;
		bool per_call;
		bool session; /* has a term since the regime began */
		uint8_t def[2][2][LIMIT_ALTS][LIMIT_TERMS];
	} rule[RULES_MAX];
	const char *family[PLAN_FAMILIES];
	unsigned n_families;
};

void plan_build(struct plan *p, const struct analyzer_conf *conf);

/* Index of a definition, -1 when no rule needs it. */
int plan_find(const struct plan *p, unsigned match, unsigned measure,
	      int64_t within);

/* Masks over plan.match of what a call counts toward. */
uint32_t plan_match(const struct plan *p, enum direction d,
		    const struct number_info *info, int64_t cost_per_min);

#endif
