/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_FINDING_H
#define COMMON_FINDING_H

#include <stdbool.h>
#include <stdint.h>

#include "common/event.h"
#include "common/json.h"

/*
 * What the analyzer tells the alerter, as fixed records like the event:
 * little-endian, NUL-padded text, unknown = zero.  Once per rule, key,
 * severity and episode.  A finding holds no wall time, so a replay gives the
 * same bytes.
 */

enum {
	FINDING_VERSION = 1,
	FINDING_EVIDENCE = 12,
	FINDING_TERMS = 4,
	EXPOSURE_VERSION = 1,
	CONTROL_VERSION = 1,
};

enum severity { SEVERITY_WARNING = 1, SEVERITY_CRITICAL = 2 };
enum regime { REGIME_OUTSIDE = 0, REGIME_INSIDE = 1 }; /* of opening hours */

/* Measures: what a limit counts.  The unit of values is in brackets. */
enum measure {
	MEASURE_CALLS = 1,  /* attempts [calls] */
	MEASURE_ANSWERED,   /* [calls] */
	MEASURE_FAILED,	    /* [calls] */
	MEASURE_SPEND,	    /* cost price [micropence] */
	MEASURE_MINUTES,    /* talk, calls up included [microseconds] */
	MEASURE_CONCURRENT, /* answered calls up [calls] */
	MEASURE_LONGEST,    /* age of one call still up [microseconds] */
};

const char *measure_name(enum measure m); /* "spend" */
bool measure_parse(struct sv name, enum measure *out);
/* "£25.00", "120m", "12 calls"; out holds 32. */
void measure_text(enum measure m, int64_t value, char out[32]);

/* One measured term of the limit that was reached, and how its limit arose:
 * limit = max(floor x override factor, usual factor x own maximum). */
struct finding_term {
	int64_t observed;
	int64_t limit;
	int64_t floor;	     /* from the rule, before override */
	int64_t usual;	     /* largest of the account's own last days; -1 = not
			     * asked for */
	uint32_t usual_days; /* days learnt (0..history) */
	uint32_t usual_factor_milli;
	uint32_t override_milli; /* 1000 = none */
	uint8_t measure;	 /* enum measure */
	uint8_t session;	 /* 1: since the regime began */
	uint8_t reserved[2];
	int64_t window_us; /* 0 for concurrent and longest */
};

struct finding_call {
	struct call_key key;
	int64_t setup_us;
	int64_t answer_us;
	int64_t end_us; /* 0: still up */
	int64_t cost;	/* micropence at the time of the finding */
	struct number callee;
	char country[4];
	uint8_t live;
	uint8_t reserved[3];
};

struct finding {
	uint8_t id[16];
	int64_t time_us; /* the crossing, event time */
	int64_t episode_us;
	int64_t window_start_us;
	int64_t spend;	  /* of the account in the window [micropence] */
	int64_t exposure; /* cost, see design section 6 */
	int64_t exposure_retail;
	int64_t burn_per_min; /* micropence a minute now */
	int64_t projection;   /* at the end of the regime if nobody acts */
	int64_t first_call_us;
	int64_t last_call_us;
	int64_t baseline_max;	 /* same as term[0].usual */
	int64_t closed_since_us; /* start of the regime's period */
	int64_t regime_until_us;
	uint32_t calls; /* matched in the window */
	uint32_t live_calls;
	uint32_t late;	   /* late events counted in this window */
	uint32_t accounts; /* distinct accounts, 1 for account rules */
	uint32_t line;	   /* of the limit in file */
	uint8_t severity;
	uint8_t regime;
	uint8_t n_terms;
	uint8_t n_evidence;
	char rule[16];
	char name[32];
	char family[12];
	char account[28];
	char account_name[48];
	char trunk[16];
	char key[48]; /* "account:acme" */
	char file[32];
	char override[48]; /* "owner alex until 2027-03-31: agreed profile" */
	char first_action[96];
	char top_country[3][4];
	uint32_t top_calls[3];
	char config[16]; /* first 16 hex digits of the config's SHA-256 */
	char rates[16];	 /* the same of the rate deck */
	struct finding_term term[FINDING_TERMS];
	struct finding_call evidence[FINDING_EVIDENCE]; /* dearest first */
};

/* Names of design section 6; numbers are masked, money is a decimal string,
 * no line end. */
void finding_json(const struct finding *f, struct json *out);

/* Several lines for a terminal, as reference fraud 2.6 words it; times in
 * UTC unless tz is an IANA zone. */
void finding_text(const struct finding *f, const char *tz, FILE *out);

/* Exposure of one key in an open episode, every 10 s of feed time. */
struct exposure {
	int64_t time_us;
	int64_t exposure;
	int64_t exposure_retail;
	int64_t burn_per_min;
	int64_t projection;
	int64_t first_call_us;
	int64_t last_call_us;
	uint32_t calls;
	uint32_t live_calls;
	uint8_t open; /* 0: the last episode ended, this is the final value */
	uint8_t reserved[7];
	char family[12];
	char account[28];
	char key[48];
	uint8_t reserved2[8];
};
void exposure_json(const struct exposure *x, struct json *out);

/* From the alerter to the analyzer; archived before it is applied. */
enum control_kind {
	CONTROL_INCIDENT_OPEN = 1, /* days from `from_us` on teach nothing */
	CONTROL_VERDICT = 2,
	CONTROL_SUPPRESS = 3,
};
enum verdict {
	VERDICT_NONE = 0,
	VERDICT_FRAUD,
	VERDICT_EXPECTED,
	VERDICT_WRONG_RATE,
	VERDICT_TEST,
	VERDICT_OTHER,
};
struct control {
	int64_t time_us;
	int64_t from_us;
	int64_t until_us;
	uint64_t incident;
	uint8_t kind;
	uint8_t verdict;
	uint8_t reserved[6];
	char account[28];
	char rule[16];
	char actor[20];
};

_Static_assert(sizeof(struct finding_term) == 56, "finding_term is 56");
_Static_assert(sizeof(struct finding_call) == 64, "finding_call is 64");
_Static_assert(sizeof(struct finding) == 1568, "finding is 1568");
_Static_assert(sizeof(struct exposure) == 168, "exposure is 168");
_Static_assert(sizeof(struct control) == 104, "control is 104");

#endif
