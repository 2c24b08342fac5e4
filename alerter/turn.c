/* SPDX-License-Identifier: Apache-2.0 */
#include "alerter/turn.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "alerter/page_text.h"
#include "common/hash.h"
#include "common/log.h"

void turn_init(struct turn *t, const struct alerter_conf *conf)
{
	*t = (struct turn){.next_of = UINT64_MAX};
	t->decide.book = &t->book;
	t->decide.entry = &t->entry;
	turn_conf(t, conf);
}

void turn_conf(struct turn *t, const struct alerter_conf *conf)
{
	t->conf = conf;
	t->decide.conf = conf;
	t->next_of = UINT64_MAX;
	if (t->channels)
		channels_conf(t->channels, conf);
}

void turn_free(struct turn *t)
{
	book_clear(&t->book);
	fact_free(&t->entry);
}

/* ---- the clock ---- */

bool turn_held(const struct turn *t)
{
	return t->conf->feed && t->channels && channels_busy(t->channels) > 0;
}

int64_t turn_now(const struct turn *t)
{
	int64_t us;

	if (!t->conf->feed)
		us = clock_wall().us;
	else if (t->held.ms)
		us = t->feed_us + (clock_mono().ms - t->held.ms) * 1000;
	else
		us = t->feed_us;
	return us > t->decide.now_us ? us : t->decide.now_us;
}

static void hold(struct turn *t)
{
	bool held = turn_held(t);

	if (held && !t->held.ms) {
		t->held = clock_mono();
		t->feed_us = t->decide.now_us;
	} else if (!held && t->held.ms) {
		t->feed_us = turn_now(t);
		t->held.ms = 0;
	}
}

struct decide *turn_at(struct turn *t, int64_t us)
{
	if (us > t->decide.now_us)
		t->decide.now_us = us;
	if (t->conf->feed && !t->held.ms && us > t->feed_us)
		t->feed_us = us;
	return &t->decide;
}

/* ---- sending ---- */

static void hand_over(struct turn *t, uint32_t no)
{
	struct incident *i;
	const struct page *p = book_page(&t->book, no, &i);
	struct page_text text;
	char id[48], thread[40] = "", hex[33];
	struct message m = {
		.page = no,
		.channel = p->channel,
		.target = p->target,
		.id = id,
		.thread = thread,
		.time_us = p->queued_us,
	};

	if (i) {
		hex_text(i->id, sizeof(i->id), hex);
		snprintf(thread, sizeof(thread), "%s", hex);
	}
	snprintf(id, sizeof(id), "%.16s-%u", outbox_stream(t->outbox), no);
	page_text(&text, t->conf, i, p, turn_now(t));
	m.subject = text.subject;
	m.text = text.body;
	m.json = text.json;
	channels_send(t->channels, &m);
	page_text_free(&text);
}

static void begin_waiting(struct turn *t, struct incident *i, struct page *page,
			  size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (page_waits(&page[k]) && page[k].due_us <= t->decide.now_us)
			delivery_begin(&t->decide, i, &page[k]);
}

static void begin_due(struct turn *t)
{
	struct book *b = &t->book;

	for (size_t k = 0; k < b->n; k++)
		if (b->incident[k]->state == INCIDENT_OPEN)
			begin_waiting(t, b->incident[k], b->incident[k]->page,
				      b->incident[k]->n_pages);
	begin_waiting(t, NULL, b->test, b->n_test);
}

/* ---- commit ---- */

/* Only a cost that comes again anyway may be lost with the power. */
static bool must_sync(const struct fact_entry *x)
{
	for (size_t i = 0; i < x->n; i++)
		if (x->fact[i].kind != FACT_EXPOSURE)
			return true;
	return x->mark.boot != 0;
}

static bool journal(struct turn *t)
{
	if (outbox_append(t->outbox, &t->entry, &t->why) &&
	    (!must_sync(&t->entry) || outbox_sync(t->outbox, &t->why)))
		return true;
	log_error("outbox: %s; stopping, the analyzer keeps the findings",
		  t->why.text);
	t->failed = true;
	return false;
}

static void act(struct turn *t)
{
	for (size_t i = 0; i < t->entry.n; i++) {
		const struct fact *f = &t->entry.fact[i];

		say_fact(t->say, &t->book, f);
		if (f->kind == FACT_ATTEMPT && f->state == PAGE_SENDING)
			hand_over(t, f->page);
	}
}

void turn_commit(struct turn *t)
{
	uint64_t stored;

	if (t->failed)
		return;
	begin_due(t);
	if (t->entry.n == 0 && t->entry.mark.boot == 0)
		return;
	if (!journal(t))
		return;
	act(t);
	fact_clear(&t->entry);
	hold(t);
	stored = t->store ? store_position(t->store) : outbox_end(t->outbox);
	if (!outbox_save(t->outbox, &t->book, false, stored, &t->why))
		log_warn("outbox: %s", t->why.text);
	if (t->store)
		store_kick(t->store, outbox_end(t->outbox));
}

/* ---- what is due ---- */

static int64_t earliest(const struct page *page, size_t n, int64_t best)
{
	for (size_t k = 0; k < n; k++)
		if (page_waits(&page[k]) && page[k].due_us < best)
			best = page[k].due_us;
	return best;
}

int64_t turn_next(struct turn *t)
{
	const struct book *b = &t->book;
	int64_t best;

	if (t->next_of == b->changes)
		return t->next_us;
	best = earliest(b->test, b->n_test, INT64_MAX);
	for (size_t k = 0; k < b->n; k++) {
		const struct incident *i = b->incident[k];
		int64_t when = escalate_when(&t->decide, i);

		if (when < best)
			best = when;
		if (i->state == INCIDENT_OPEN)
			best = earliest(i->page, i->n_pages, best);
	}
	t->next_of = b->changes;
	t->next_us = best;
	return best;
}

bool turn_due(struct turn *t, int64_t us)
{
	int64_t when;

	while (!t->failed && (when = turn_next(t)) <= us) {
		uint64_t before = t->book.changes;

		if (turn_held(t))
			return false;
		turn_at(t, t->conf->feed ? when : us);
		for (size_t k = 0; k < t->book.n; k++)
			escalate_due(&t->decide, t->book.incident[k]);
		turn_commit(t);
		assert(t->book.changes != before); /* else it is due for ever */
	}
	return !turn_held(t);
}

void turn_sent(struct turn *t, uint32_t page, const struct send_outcome *o)
{
	turn_at(t, turn_now(t));
	delivery_end(&t->decide, page, o);
	turn_commit(t);
	hold(t);
}

void turn_recover(struct turn *t)
{
	turn_at(t, t->conf->feed ? outbox_clock(t->outbox) : turn_now(t));
	for (size_t k = 0; k < t->book.n; k++)
		delivery_recover(&t->decide, t->book.incident[k]);
	delivery_recover(&t->decide, NULL);
	turn_commit(t);
	/* What the database has not seen need not wait for news. */
	if (t->store && !t->failed)
		store_kick(t->store, outbox_end(t->outbox));
}
