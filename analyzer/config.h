/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_CONFIG_H
#define ANALYZER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "analyzer/calendar.h"
#include "analyzer/numbering.h"
#include "analyzer/rating.h"
#include "common/conf.h"
#include "common/finding.h"

/*
 * The analyzer's whole configuration: one immutable snapshot, compiled from
 * the YAML and CSV files of a site and swapped as a whole on reload.
 */

enum { RULES_MAX = 32, LIMIT_ALTS = 4, LIMIT_TERMS = 4, MATCH_ALTS = 4 };

enum rule_key { PER_ACCOUNT = 1, PER_CALL = 2 };

/* Window of a term. */
#define WITHIN_NOW     INT64_C(0)  /* concurrent, longest, spend of a call */
#define WITHIN_SESSION INT64_C(-1) /* since the regime began */

/* `measure: value` inside a limit. */
struct term {
	enum measure measure;
	int64_t value;	/* in the unit of the measure, see finding.h */
	int64_t within; /* microseconds, or WITHIN_... */
};

/* A limit: any of its alternatives, each of which wants all of its terms.
 * n_alt = 0: not set. */
struct limit {
	struct {
		struct term term[LIMIT_TERMS];
		unsigned n;
	} alt[LIMIT_ALTS];
	unsigned n_alt;
	const char *file;
	unsigned line;
};

/* Which calls count.  Zero in a field = any.  Masks are 1 << enum. */
struct match_cond {
	uint32_t directions; /* enum direction */
	uint32_t classes;    /* enum number_class */
	uint32_t tiers;	     /* 1 << (tier - 'A') */
	int64_t rate_min;    /* cost price micropence a minute, at least */
	char country[8][4];  /* any of these; "" ends */
};

struct match {
	struct match_cond all;		   /* must hold */
	struct match_cond any[MATCH_ALTS]; /* and one of these, if there are */
	unsigned n_any;
};

struct rule {
	char id[16];
	char name[32];
	char family[12];
	char first_action[96]; /* {trunk} {account} {country} are filled in */
	enum rule_key per;
	struct match match;
	struct limit limit[2][2]; /* [enum regime][severity - 1] */
	bool usual;
	uint32_t usual_factor_milli; /* 2 = 2000 */
	uint32_t usual_days;	     /* history, 1..28 */
	bool shadow;
	const struct conf_tree *tests;
};

/* Scales a rule's floors for some accounts. */
struct override {
	uint64_t rules; /* 1 << index of rule */
	uint32_t factor_milli;
	int64_t until_us; /* local midnight; exclusive; 0 = no end */
	const char *text; /* "owner alex until 2027-03-31: agreed profile" */
	const char *const *accounts; /* names, NULL-ended; or NULL */
	const char *const *segments;
};

struct account_conf {
	char name[28];
	char display[48];
	char segment[20];
	char trunk[16]; /* the first of `trunks`, for texts */
	const struct calendar *calendar;
	uint32_t channels;
	int64_t from_us; /* contract, half-open; 0 = open-ended */
	int64_t ended_us;
};

enum source_clock { CLOCK_LIVE, CLOCK_BATCH };

struct source_conf {
	char name[16];
	enum source_clock clock; /* pcap: live; file: batch unless said */
	int64_t lateness_us;	 /* live 120 s; batch 2 h unless said */
	char of[16];		 /* witness of this source; "" = primary */
	int64_t within_us;	 /* witness: 5 s */
};

struct analyzer_conf {
	struct conf *conf; /* owns the strings */
	char hash[17];	   /* 16 hex digits of everything read, and a NUL */
	struct {
		const char *name;
		const char *timezone;
		const char *division;
		struct hash_key key; /* derived from site.secret for tables */
		bool feed_clock;     /* clock: feed */
	} site;
	struct hours *hours;	 /* owns the calendars of accounts */
	struct calendar *closed; /* never open */
	const struct calendar
		*provider; /* calendar of keys without an account, and
				    * of unknown accounts */
	struct numbering *numbering;
	struct rating *rating;
	struct rule rule[RULES_MAX];
	unsigned n_rules;
	struct override *override;
	size_t n_overrides;
	struct account_conf *account; /* sorted by name */
	size_t n_accounts;
	struct source_conf *source;
	size_t n_sources;
	uint32_t accounts_max; /* provisioned and unknown:<net> together */
	uint32_t calls_max;    /* calls up and kept for pairing */
	int64_t archive_keep_us;
	int64_t max_call_us; /* a call without end stops accruing: 12 h */
	int64_t snapshot_every_us;
	struct {
		const char *events;   /* endpoint the collectors connect to */
		const char *findings; /* endpoint of the alerter */
		const char *metrics;  /* listen address */
		const char *state; /* directory: archive, findings, snapshot */
	} path;
};

/* NULL when the config has errors: they are in *c (which is always set when
 * the first file could be read, and is owned by the returned config else). */
struct analyzer_conf *analyzer_conf_load(const char *path, struct conf **c,
					 struct err *e);
void analyzer_conf_free(struct analyzer_conf *a); /* NULL ok */

/* Warnings that depend on today: holiday lists about to end. */
void analyzer_conf_lint(const struct analyzer_conf *a, int64_t now_us);

/* Every option with its doc, see conf_document(). */
void analyzer_conf_document(FILE *out);

/* The effective override of a rule for an account at t: 1000 when none;
 * *text (may be NULL) its words. */
uint32_t override_milli(const struct analyzer_conf *a, unsigned rule,
			const struct account_conf *acc, int64_t t_us,
			const char **text);

/* Compile rules.yaml's trees; analyzer/rule.c. */
bool rules_load(struct conf *c, struct analyzer_conf *a);

bool match_call(const struct match *m, enum direction d,
		const struct number_info *info, int64_t cost_per_min);

#endif
