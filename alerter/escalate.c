/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is told when.  A run of paging goes down the steps of the family:
 *
 *   begin ─▶ step 0 ──after──▶ step 1 ──▶ ... ──▶ last ─▶ repeat
 *                └─ all its pages failed: the next step at once ─▶ nobody
 *
 * An acknowledgement stops it; when that expires a new run begins.  A warning
 * tells the first step and leaves it there: it wakes no second person.
 */
#include "alerter/decide.h"

#include <stdio.h>

#include "alerter/rota.h"

static const struct escalation *steps_of(const struct decide *d,
					 const struct incident *i)
{
	return escalation_of(d->conf, i->family);
}

static void queue(struct decide *d, const struct incident *i,
		  const struct person *p, const struct contact *c,
		  enum page_reason reason)
{
	struct fact *f = decide_add(d, FACT_QUEUED, i ? i->ref : 0);

	f->page = d->book->last_page + 1;
	f->reason = reason;
	f->channel = c->channel;
	f->due_us = d->now_us + (i ? c->after_us : 0);
	snprintf(f->person, sizeof(f->person), "%s", p->id);
	snprintf(f->target, sizeof(f->target), "%s", c->target);
	if (i) {
		f->exposure_at_page = i->now.exposure;
		f->run = i->run;
		f->step = (uint32_t)i->step;
	}
	decide_done(d);
}

static void page_person(struct decide *d, const struct incident *i,
			const struct person *p, enum page_reason reason)
{
	for (size_t k = 0; k < p->n_contacts; k++)
		queue(d, i, p, &p->contact[k], reason);
}

static void nobody(struct decide *d, struct incident *i, const char *why)
{
	struct fact *f;

	if (i->nobody)
		return;
	f = decide_add(d, FACT_NOBODY, i->ref);
	f->run = i->run;
	f->step = i->step < 0 ? 0 : (uint32_t)i->step;
	snprintf(f->error, sizeof(f->error), "%s", why);
	decide_done(d);
}

/* Reach a step; false when it has nobody. */
static bool reach(struct decide *d, struct incident *i, uint32_t run,
		  uint32_t step, enum page_reason reason)
{
	const struct step *s = &steps_of(d, i)->step[step];
	const struct person *p = step_person(d->conf, s, d->now_us);
	struct fact *f = decide_add(d, FACT_STEP, i->ref);

	f->run = run;
	f->step = step;
	f->due_us = d->now_us;
	if (p)
		snprintf(f->person, sizeof(f->person), "%s", p->id);
	decide_done(d);
	if (!p || p->n_contacts == 0)
		return false;
	page_person(d, i, p, s->last_resort ? REASON_LAST_RESORT : reason);
	return true;
}

/* From this step on, the first that has somebody. */
static void reach_from(struct decide *d, struct incident *i, uint32_t run,
		       uint32_t step, enum page_reason reason)
{
	size_t n = steps_of(d, i)->n_steps;

	for (; step < n; step++)
		if (reach(d, i, run, step, reason))
			return;
	nobody(d, i,
	       n ? "no step has anybody who can be reached"
		 : "no escalation is configured");
}

void escalate_begin(struct decide *d, struct incident *i,
		    enum page_reason reason)
{
	delivery_cancel(d, i);
	reach_from(d, i, i->run + 1, 0, reason);
}

void escalate_next(struct decide *d, struct incident *i,
		   enum page_reason reason)
{
	uint32_t n = (uint32_t)steps_of(d, i)->n_steps;
	uint32_t next = (uint32_t)(i->step + 1);

	if (n > 0 && next >= n)
		next = n - 1;
	reach_from(d, i, i->run ? i->run : 1, next, reason);
}

void escalate_again(struct decide *d, struct incident *i,
		    enum page_reason reason)
{
	size_t n = i->n_pages;

	for (size_t k = 0; k < n; k++) {
		const struct person *p;
		bool told = false;

		if (i->page[k].run != i->run)
			continue;
		for (size_t m = 0; m < k && !told; m++)
			told = i->page[m].run == i->run &&
			       strcmp(i->page[m].person, i->page[k].person) ==
				       0;
		p = person_find(d->conf, EVENT_SV(i->page[k].person));
		if (!told && p)
			page_person(d, i, p, reason);
	}
}

/* The next contact of the same person, brought forward. */
static bool bring_forward(struct decide *d, struct incident *i,
			  const struct page *failed)
{
	struct page *next = NULL;
	struct fact *f;

	for (size_t k = 0; k < i->n_pages; k++) {
		struct page *p = &i->page[k];

		if (p->state == PAGE_QUEUED && p->due_us > d->now_us &&
		    p->run == failed->run && p->step == failed->step &&
		    strcmp(p->person, failed->person) == 0 &&
		    (!next || p->due_us < next->due_us))
			next = p;
	}
	if (!next)
		return false;
	f = decide_add(d, FACT_ATTEMPT, i->ref);
	f->page = next->no;
	f->channel = next->channel;
	snprintf(f->person, sizeof(f->person), "%s", next->person);
	f->state = PAGE_QUEUED;
	f->due_us = d->now_us;
	decide_done(d);
	return true;
}

/* A page of this step still stands a chance, or has arrived. */
static bool step_alive(const struct incident *i)
{
	for (size_t k = 0; k < i->n_pages; k++)
		if (i->page[k].run == i->run &&
		    i->page[k].step == (uint32_t)i->step &&
		    i->page[k].state != PAGE_FAILED_PERMANENT)
			return true;
	return false;
}

static bool run_reached_anybody(const struct incident *i)
{
	for (size_t k = 0; k < i->n_pages; k++)
		if (i->page[k].run == i->run &&
		    i->page[k].state != PAGE_FAILED_PERMANENT)
			return true;
	return false;
}

void escalate_failed(struct decide *d, struct incident *i, uint32_t page)
{
	struct page p = *book_page(d->book, page, NULL);
	size_t n = steps_of(d, i)->n_steps;

	if (i->state != INCIDENT_OPEN || p.run != i->run ||
	    p.step != (uint32_t)i->step)
		return;
	if (bring_forward(d, i, &p) || step_alive(i))
		return;
	if ((size_t)i->step + 1 < n)
		reach_from(d, i, i->run, (uint32_t)i->step + 1, REASON_STEP);
	else if (!run_reached_anybody(i))
		nobody(d, i, "every contact of every step failed");
}

/* When paging goes on by itself. */
static int64_t step_when(const struct decide *d, const struct incident *i)
{
	const struct escalation *e = steps_of(d, i);
	size_t next = (size_t)(i->step + 1);

	if (i->state != INCIDENT_OPEN || i->run == 0 || i->step < 0 ||
	    i->severity < SEVERITY_CRITICAL)
		return INT64_MAX;
	if (next < e->n_steps)
		return i->run_us + e->step[next].after_us;
	if (e->n_steps > 0 && e->step[e->n_steps - 1].repeat_us > 0)
		return i->step_us + e->step[e->n_steps - 1].repeat_us;
	return INT64_MAX;
}

int64_t escalate_when(const struct decide *d, const struct incident *i)
{
	if (i->state == INCIDENT_ACKED)
		return i->ack_until_us;
	return step_when(d, i);
}

void escalate_due(struct decide *d, struct incident *i)
{
	bool last;

	if (i->state == INCIDENT_ACKED && i->ack_until_us <= d->now_us) {
		(void)decide_add(d, FACT_ACK_EXPIRED, i->ref);
		decide_done(d);
		escalate_begin(d, i, REASON_EXPIRED);
		return;
	}
	if (step_when(d, i) > d->now_us)
		return;
	last = (size_t)i->step + 1 >= steps_of(d, i)->n_steps;
	escalate_next(d, i, last ? REASON_REPEAT : REASON_STEP);
}

/* ---- what people do ---- */

static struct incident *incident_of(struct decide *d, const struct act *a,
				    struct err *e)
{
	struct incident *i = book_find(d->book, a->ref);

	if (!i) {
		err_set(e, "there is no incident %u", a->ref);
		return NULL;
	}
	if (i->state == INCIDENT_RESOLVED) {
		err_set(e, "incident %u was resolved by %s", a->ref,
			i->resolved_by);
		return NULL;
	}
	return i;
}

static struct fact *act_fact(struct decide *d, const struct act *a,
			     enum fact_kind kind)
{
	struct fact *f = decide_add(d, kind, a->ref);

	snprintf(f->person, sizeof(f->person), "%s", a->person);
	snprintf(f->via, sizeof(f->via), "%s", a->via);
	snprintf(f->note, sizeof(f->note), "%s", a->note ? a->note : "");
	return f;
}

bool act_ack(struct decide *d, const struct act *a, struct err *e)
{
	struct incident *i = incident_of(d, a, e);

	if (!i)
		return false;
	act_fact(d, a, FACT_ACKED)->until_us =
		d->now_us + d->conf->acknowledge_us;
	decide_done(d);
	delivery_cancel(d, i);
	return true;
}

bool act_escalate(struct decide *d, const struct act *a, struct err *e)
{
	struct incident *i = incident_of(d, a, e);

	if (!i)
		return false;
	(void)act_fact(d, a, FACT_ESCALATED);
	decide_done(d);
	escalate_next(d, i, REASON_ESCALATED);
	return true;
}

bool act_resolve(struct decide *d, const struct act *a, struct err *e)
{
	struct incident *i = incident_of(d, a, e);

	if (!i)
		return false;
	act_fact(d, a, FACT_RESOLVED)->verdict = a->verdict;
	decide_done(d);
	delivery_cancel(d, i);
	return true;
}

void act_page_test(struct decide *d, const struct person *p, uint32_t *first)
{
	*first = d->book->last_page + 1;
	page_person(d, NULL, p, REASON_TEST);
}
