/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One page on its way:
 *
 *   queued ─▶ sending ─▶ sent ─▶ delivered
 *     ▲          ├─▶ failed-temporary ─(back-off)─▶ sending
 *     │          └─▶ failed-permanent ─▶ escalate_failed
 *     └ cancelled: somebody acknowledged before it was sent
 *
 * Every change is a fact, so each try is on the record.
 */
#include "alerter/channel/channel.h"
#include "alerter/decide.h"

#include <stdio.h>

#include "common/clock.h"
#include "common/hash.h"

static struct fact *attempt(struct decide *d, const struct incident *i,
			    const struct page *p, enum page_state state)
{
	struct fact *f = decide_add(d, FACT_ATTEMPT, i ? i->ref : 0);

	f->page = p->no;
	f->channel = p->channel;
	f->attempt = p->attempts;
	f->state = state;
	memcpy(f->person, p->person, sizeof(f->person));
	return f;
}

void delivery_begin(struct decide *d, struct incident *i, struct page *p)
{
	attempt(d, i, p, PAGE_SENDING)->attempt = p->attempts + 1;
	decide_done(d);
}

/* 5 s, 15 s, 30 s, 1 m, 2 m and up to a quarter more: what failed together
 * must not come back together. */
static int64_t back_off(const struct page *p, uint32_t wish_s)
{
	static const int64_t pause[] = {5, 15, 30, 60, 120};
	const uint32_t seed[] = {p->no, p->attempts};
	unsigned k = p->attempts > 0 ? p->attempts - 1 : 0;
	int64_t us, jitter;

	if (k >= ARRAY_LEN(pause))
		k = ARRAY_LEN(pause) - 1;
	us = pause[k] * SEC_US;
	jitter = (int64_t)(hash64(&hash_public_key, seed, sizeof(seed)) %
			   (uint64_t)(us / 4));
	if (wish_s > 0 && wish_s <= 600 && (int64_t)wish_s * SEC_US > us)
		us = (int64_t)wish_s * SEC_US;
	return us + jitter;
}

static void ended(struct decide *d, struct incident *i, struct page *p,
		  const struct send_outcome *o)
{
	bool again =
		o->result == SEND_TEMPORARY && p->attempts < DELIVERY_TRIES;
	struct fact *f;

	if (o->result == SEND_OK) {
		(void)attempt(d, i, p, PAGE_SENT);
		decide_done(d);
		return;
	}
	/* Acknowledged while it was under way: no second try. */
	if (again && i && i->state != INCIDENT_OPEN) {
		f = attempt(d, i, p, PAGE_CANCELLED);
		snprintf(f->error, sizeof(f->error), "%s", o->error);
		decide_done(d);
		return;
	}
	f = attempt(d, i, p,
		    again ? PAGE_FAILED_TEMPORARY : PAGE_FAILED_PERMANENT);
	snprintf(f->error, sizeof(f->error), "%s", o->error);
	if (again)
		f->due_us = d->now_us + back_off(p, o->retry_after_s);
	decide_done(d);
	if (!again && i)
		escalate_failed(d, i, p->no);
}

void delivery_end(struct decide *d, uint32_t page, const struct send_outcome *o)
{
	struct incident *i;
	struct page *p = book_page(d->book, page, &i);

	if (p && p->state == PAGE_SENDING)
		ended(d, i, p, o);
}

void delivery_cancel(struct decide *d, struct incident *i)
{
	for (size_t k = 0; k < i->n_pages; k++) {
		if (!page_waits(&i->page[k]))
			continue;
		(void)attempt(d, i, &i->page[k], PAGE_CANCELLED);
		decide_done(d);
	}
}

static void recover(struct decide *d, const struct incident *i,
		    const struct page *p)
{
	bool again = !i || i->state == INCIDENT_OPEN;
	struct fact *f =
		attempt(d, i, p,
			again ? PAGE_FAILED_TEMPORARY : PAGE_CANCELLED);

	if (again)
		f->due_us = d->now_us;
	snprintf(f->error, sizeof(f->error), "interrupted by a restart");
	decide_done(d);
}

void delivery_recover(struct decide *d, struct incident *i)
{
	const struct page *page = i ? i->page : d->book->test;
	size_t n = i ? i->n_pages : d->book->n_test;

	for (size_t k = 0; k < n; k++)
		if (page[k].state == PAGE_SENDING)
			recover(d, i, &page[k]);
}
