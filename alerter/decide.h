/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALERTER_DECIDE_H
#define ALERTER_DECIDE_H

#include "alerter/config.h"
#include "alerter/incident.h"

/*
 * One turn of the alerter: something comes in, facts come out.  Each decision
 * is a function of the book, the config and the time alone, so a night can be
 * played in a test.  decide() puts a fact into the entry and into the book;
 * the caller journals the entry before anything of it is acted upon.
 */
struct decide {
	const struct alerter_conf *conf;
	struct book *book;
	struct fact_entry *entry;
	int64_t now_us; /* the site's clock */
};

/* decide_add gives a fact to fill in, decide_done applies it. */
struct fact *decide_add(struct decide *d, enum fact_kind kind, uint32_t ref);
void decide_done(struct decide *d);

/* ---- incident.c has the state; joining.c: findings and their cost ---- */

/* A finding joins the open incident of its subject and family, or opens one;
 * a finding that is known already changes nothing. */
void join_finding(struct decide *d, const struct finding *f);
void join_exposure(struct decide *d, const struct exposure *x);

/* ---- escalate.c: who is told when ---- */

/* Paging begins, or begins anew: the first step, now. */
void escalate_begin(struct decide *d, struct incident *i,
		    enum page_reason reason);

/* The next step, now; the last one again when there is none. */
void escalate_next(struct decide *d, struct incident *i,
		   enum page_reason reason);

/* Everybody told in this run is told again: pounds doubled. */
void escalate_again(struct decide *d, struct incident *i,
		    enum page_reason reason);

/* A page of this incident failed for good: its next contact, or when the
 * whole step has failed the next step, or nobody can be told. */
void escalate_failed(struct decide *d, struct incident *i, uint32_t page);

/* What is due at d->now_us: steps, repeats, expired acknowledgements. */
void escalate_due(struct decide *d, struct incident *i);

/* When that will be; INT64_MAX never. */
int64_t escalate_when(const struct decide *d, const struct incident *i);

/* ---- what people do; false and a sentence when it cannot be ---- */
struct act {
	uint32_t ref;
	const char *person;
	const char *via;
	const char *note;
	enum verdict verdict;
};
MUST_USE bool act_ack(struct decide *d, const struct act *a, struct err *e);
MUST_USE bool act_escalate(struct decide *d, const struct act *a,
			   struct err *e);
MUST_USE bool act_resolve(struct decide *d, const struct act *a, struct err *e);
/* A test page to every contact of a person; *first: number of the first. */
void act_page_test(struct decide *d, const struct person *p, uint32_t *first);

/* ---- delivery.c: one page on its way ---- */
enum { DELIVERY_TRIES = 6 };

/* The page is handed to its channel now. */
void delivery_begin(struct decide *d, struct incident *i, struct page *p);

struct send_outcome;
void delivery_end(struct decide *d, uint32_t page,
		  const struct send_outcome *o);

/* Pages that waited are not sent any more. */
void delivery_cancel(struct decide *d, struct incident *i);

/* After a restart: whatever was under way is sent again, under the same id,
 * because nobody knows how far it came; not when somebody acknowledged
 * meanwhile.  NULL: the test pages. */
void delivery_recover(struct decide *d, struct incident *i);

#endif
