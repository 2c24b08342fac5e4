/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALERTER_INCIDENT_H
#define ALERTER_INCIDENT_H

#include "alerter/fact.h"

/*
 * The incidents and pages as the facts have made them.  Nothing here decides
 * or does anything: book_apply() is the one way to change them, live and in
 * recovery alike.
 */
enum incident_state { INCIDENT_OPEN = 0, INCIDENT_ACKED, INCIDENT_RESOLVED };
const char *incident_state_name(enum incident_state s);

struct page {
	uint32_t no;
	uint32_t run, step;
	enum page_reason reason;
	enum channel_kind channel;
	enum page_state state;
	uint32_t attempts;
	int64_t queued_us;
	int64_t due_us; /* of the next attempt */
	int64_t sent_us;
	int64_t delivered_us;
	int64_t exposure_at_page;
	char person[32];
	char target[64];
	char error[160];
};

struct incident {
	uint32_t ref;
	uint8_t id[16];
	enum incident_state state;
	enum severity severity;
	char family[12];
	char subject[48];
	char account[28];
	char account_name[48];
	int64_t opened_us;
	struct fact_exposure now;  /* latest known cost */
	struct fact_finding worst; /* the latest of the highest severity */
	uint32_t findings;
	uint8_t (*seen)[16]; /* their ids */
	int64_t first_call_us;

	/* paging */
	uint32_t run;	 /* 0: nobody was paged yet */
	int64_t run_us;	 /* when this run of paging began */
	int32_t step;	 /* last step reached, -1 none */
	int64_t step_us; /* when (again, if it repeats) */
	bool nobody;	 /* FACT_NOBODY in this run */
	int64_t exposure_at_first_page;
	int64_t exposure_at_page; /* of the last one; 0 none */
	struct page *page;
	size_t n_pages, cap_pages;

	char acked_by[32];
	int64_t acked_us;
	int64_t ack_until_us; /* 0 when it expired */
	char resolved_by[32];
	int64_t resolved_us;
	enum verdict verdict;

	/* What happened, as the JSON of its facts (malloc'd, one each), without
	 * whole numbers; of exposure only the last. */
	char **timeline;
	size_t n_timeline, cap_timeline;
	char *cost; /* the last FACT_EXPOSURE */
};

struct book {
	struct incident **incident; /* by ref, rising */
	size_t n, cap;
	uint32_t last_ref;
	uint32_t last_page;
	struct page *test; /* pages without an incident, by no */
	size_t n_test, cap_test;
	uint64_t changes; /* facts applied */
};

/* Add one fact.  A fact about an unknown incident or page is ignored. */
void book_apply(struct book *b, const struct fact *f);
void book_clear(struct book *b);

/* The facts that make this book again, one JSON text at a time. */
void book_each(const struct book *b, void (*each)(void *arg, const char *fact),
	       void *arg);

struct incident *book_find(const struct book *b, uint32_t ref);
/* The open (or acknowledged) one of a subject and family; NULL. */
struct incident *book_open(const struct book *b, const char *subject,
			   const char *family);
/* Page by number; *in (NULL ok) its incident, NULL for a test page. */
struct page *book_page(const struct book *b, uint32_t no, struct incident **in);

/* A page that waits to be sent, first or again. */
bool page_waits(const struct page *p);

/* Forget incidents resolved before t. */
void book_forget(struct book *b, int64_t t_us);

void page_json(const struct page *p, struct json *out);

/* Design section 10; timeline[] only when whole. */
void incident_json(const struct incident *i, bool whole, struct json *out);

#endif
