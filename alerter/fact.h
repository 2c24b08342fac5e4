/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALERTER_FACT_H
#define ALERTER_FACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/err.h"
#include "common/finding.h"
#include "common/wire.h"

/*
 * What happened.  The alerter decides by appending facts; its state is the
 * sum of them; a journal of them (outbox.h) is what survives a crash and what
 * PostgreSQL is told, in the same words and order:
 *
 *   finding ─▶ decide ─▶ facts ─▶ outbox ─fdatasync─▶ incident state ─▶ pages
 *                                    └──────────────▶ sql (each entry once)
 *
 * Times are the site's (site.clock): wall, or the feed's.  Unknown is zero or
 * an empty text; JSON shows null.
 */
enum fact_kind {
	FACT_OPENED = 1,  /* an incident begins */
	FACT_FINDING,	  /* a finding joins it */
	FACT_EXPOSURE,	  /* what it has cost until now; replaces the last */
	FACT_QUEUED,	  /* a page to one contact of one person */
	FACT_ATTEMPT,	  /* one try to deliver a page, and what came of it */
	FACT_STEP,	  /* an escalation step was reached */
	FACT_ACKED,	  /* somebody took it: paging stops until .until_us */
	FACT_ACK_EXPIRED, /* ...and nothing more was heard */
	FACT_ESCALATED,	  /* somebody asked for the next step */
	FACT_NOBODY,	  /* nobody could be told */
	FACT_RESOLVED,
	FACT_KINDS,
};

/* Why somebody is paged. */
enum page_reason {
	REASON_NONE = 0,
	REASON_OPENED,
	REASON_STEP,	 /* not acknowledged: the next step */
	REASON_REPEAT,	 /* the last step again */
	REASON_SEVERITY, /* warning became critical */
	REASON_DOUBLED,	 /* twice the pounds of the last page */
	REASON_EXPIRED,	 /* an acknowledgement ran out */
	REASON_ESCALATED,
	REASON_LAST_RESORT,
	REASON_TEST, /* "page-test": no incident */
	PAGE_REASONS,
};

/* Design section 7. */
enum page_state {
	PAGE_QUEUED = 0,
	PAGE_SENDING,
	PAGE_SENT,	/* accepted by the relay */
	PAGE_DELIVERED, /* receipt */
	PAGE_FAILED_TEMPORARY,
	PAGE_FAILED_PERMANENT,
	PAGE_CANCELLED, /* acknowledged or resolved before it was sent */
	PAGE_STATES,
};

enum channel_kind { CHANNEL_EMAIL = 1, CHANNEL_WEBHOOK, CHANNEL_KINDS };

const char *fact_kind_name(enum fact_kind k);
const char *page_reason_name(enum page_reason r); /* "doubled" */
const char *page_state_name(enum page_state s);	  /* "failed-temporary" */
const char *channel_name(enum channel_kind c);	  /* "email" */
const char *fact_severity_name(enum severity s);  /* "critical" */
const char *verdict_name(enum verdict v);	  /* "wrong-rate" */
bool verdict_parse(struct sv name, enum verdict *out);

/* What of a finding a page and a list have to say; no full number. */
struct fact_finding {
	uint8_t id[16];
	int64_t time_us;
	int64_t first_call_us;
	int64_t exposure;
	int64_t exposure_retail;
	int64_t burn_per_min;
	int64_t projection;
	uint32_t calls;
	uint32_t live_calls;
	uint32_t country_calls;
	enum severity severity;
	char rule[16];
	char name[32];
	char key[48];
	char trunk[16];
	char country[4];
	char callee[NUMBER_TEXT]; /* masked, of the dearest call */
	char first_action[96];
};

struct fact_exposure {
	int64_t exposure;
	int64_t exposure_retail;
	int64_t burn_per_min;
	int64_t projection;
	uint32_t calls;
	uint32_t live_calls;
};

struct fact {
	enum fact_kind kind;
	int64_t at_us;
	uint32_t ref; /* of the incident, from 1; 0 with REASON_TEST */

	/* FACT_OPENED */
	uint8_t id[16]; /* of the first finding */
	char family[12];
	char subject[48]; /* "account:acme" */
	char account[28];
	char account_name[48];

	/* FACT_QUEUED, FACT_ATTEMPT */
	uint32_t page; /* from 1, unique in the site */
	enum page_reason reason;
	enum channel_kind channel;
	char target[64]; /* e-mail address or name of the webhook */
	int64_t exposure_at_page;
	int64_t due_us; /* QUEUED: when to send; ATTEMPT: of the next one */
	enum page_state state;
	uint32_t attempt; /* from 1 */
	char error[160];  /* a sentence */

	/* FACT_QUEUED, FACT_STEP, FACT_NOBODY */
	uint32_t run;  /* how often paging began anew in this incident */
	uint32_t step; /* from 0 */

	/* who: QUEUED the paged, ACKED ESCALATED RESOLVED the actor */
	char person[32];
	char via[16]; /* "shell", "link" */

	int64_t until_us; /* FACT_ACKED */
	enum verdict verdict;
	char note[200];
	enum severity severity; /* OPENED */

	union {
		struct fact_finding finding;
		struct fact_exposure exposure;
	};
	/* FACT_FINDING, when new: the whole, for the database.  A copy, freed
	 * with the entry. */
	struct finding *whole;
	/* What it was parsed from, borrowed; NULL when it is new. */
	json_t *source;
};

/* One journal entry: facts that hold together, and how far the analyzer's
 * findings have been taken with them (mark.boot 0 = not moved). */
struct fact_entry {
	struct fact *fact;
	size_t n;
	size_t cap;
	char stream[24];
	struct wire_mark mark;
};

/* A zeroed fact at the end; valid until the next call. */
struct fact *fact_add(struct fact_entry *x, enum fact_kind kind, uint32_t ref,
		      int64_t at_us);
void fact_clear(struct fact_entry *x); /* keeps the memory */
void fact_free(struct fact_entry *x);

/* Fill .finding and .whole from the analyzer's record, .exposure from its
 * other one.  Money is rounded to the penny here, so that what was recovered
 * from text equals what was not. */
void fact_from_finding(struct fact *f, const struct finding *whole);
void fact_from_exposure(struct fact *f, const struct exposure *x);

/*
 * {"v":1,"stream":"findings","boot":..,"seq":..,"facts":[{..}]}: what the
 * journal holds and what alerter.apply(position, entry) of sql/ reads.
 * Times are RFC 3339, money decimal strings, ids 32 hex digits.  FACT_FINDING
 * carries "finding" (finding_json) and "calls", the evidence with whole
 * numbers: this text is personal data.
 */
void fact_entry_json(const struct fact_entry *x, struct json *out);

/* One fact for people: without the whole numbers. */
void fact_json(const struct fact *f, struct json *out);

/* The reverse.  *doc holds what the facts borrow: json_decref it after them.
 * NULL out of *doc on failure. */
MUST_USE bool fact_entry_parse(struct sv text, struct fact_entry *out,
			       json_t **doc, struct err *e);
/* One fact; borrows o. */
MUST_USE bool fact_parse(json_t *o, struct fact *out, struct err *e);

#endif
