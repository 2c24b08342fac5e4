/* SPDX-License-Identifier: Apache-2.0 */
#include "alerter/control.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/journal.h"
#include "common/log.h"
#include "common/mem.h"

enum told { TOLD_NOTHING, TOLD_OPEN, TOLD_VERDICT };

struct known {
	uint32_t ref;
	enum told told;
};

struct control_out {
	struct journal *journal;
	struct bus_sender *sender;
	char dir[500];
	uint32_t boot;
	uint64_t seq;
	uint64_t changes; /* of the book when it was last looked at */
	struct known *known;
	size_t n, cap;
};

static const char stream_name[] = "control";

/* Each life of the program is the next boot of the journal. */
static bool recall(struct control_out *c, struct err *e)
{
	struct journal_reader *r;
	struct sv entry;
	struct wire_view v;
	uint64_t end;
	enum journal_rc rc;

	if (!journal_read_open(&r, c->dir, journal_begin(c->journal), e))
		return false;
	while ((rc = journal_next(r, &entry, &end, e)) == JOURNAL_OK)
		if (wire_check(entry, &v) == WIRE_OK)
			c->boot = v.h->boot;
	journal_read_close(r);
	c->boot = c->boot ? c->boot + 1 : wire_fresh_boot();
	return rc == JOURNAL_END;
}

bool control_open(struct control_out **out, struct bus *bus,
		  const char *state_dir, const char *events, struct err *e)
{
	const struct journal_opts jo = {.segment_bytes = 1 << 20};
	struct control_out *c;
	struct bus_sender_opts so = {
		.endpoint = events,
		.stream = stream_name,
	};

	*out = NULL;
	if (!events)
		return true;
	c = xcalloc(1, sizeof(*c));
	snprintf(c->dir, sizeof(c->dir), "%.480s/control", state_dir);
	so.journal_dir = c->dir;
	if (!journal_open(&c->journal, c->dir, &jo, e) || !recall(c, e))
		goto fail;
	so.journal = c->journal;
	if (!bus_sender_new(&c->sender, bus, &so, e))
		goto fail;
	*out = c;
	return true;
fail:
	control_close(c);
	return false;
}

void control_close(struct control_out *c)
{
	if (!c)
		return;
	bus_sender_free(c->sender);
	journal_close(c->journal);
	free(c->known);
	free(c);
}

static struct known *known_of(struct control_out *c, uint32_t ref)
{
	for (size_t i = c->n; i-- > 0;)
		if (c->known[i].ref == ref)
			return &c->known[i];
	if (c->n == c->cap) {
		c->cap = c->cap ? 2 * c->cap : 32;
		c->known = xrealloc(c->known, c->cap, sizeof(*c->known));
	}
	c->known[c->n] = (struct known){.ref = ref};
	return &c->known[c->n++];
}

static bool tell(struct control_out *c, const struct incident *i,
		 enum control_kind kind)
{
	struct control r = {
		.time_us =
			kind == CONTROL_VERDICT ? i->resolved_us : i->opened_us,
		.from_us = i->first_call_us ? i->first_call_us : i->opened_us,
		.until_us = kind == CONTROL_VERDICT ? i->resolved_us : 0,
		.incident = i->ref,
		.kind = (uint8_t)kind,
		.verdict = (uint8_t)i->verdict,
	};
	struct wire_header h;
	const struct iovec iov[2] = {{&h, sizeof(h)}, {&r, sizeof(r)}};
	struct err e;

	memcpy(r.account, i->account, sizeof(r.account));
	sv_put(r.rule, sizeof(r.rule), EVENT_SV(i->worst.rule));
	sv_put(r.actor, sizeof(r.actor), EVENT_SV(i->resolved_by));
	wire_header(&h, WIRE_CONTROL, sv_of(stream_name), c->boot, c->seq + 1,
		    1);
	if (!journal_append(c->journal, iov, 2, NULL, &e)) {
		log_warn("control: %s; the analyzer is told later", e.text);
		return false;
	}
	c->seq++;
	return true;
}

static void tell_new(struct control_out *c, const struct incident *i)
{
	struct known *k = known_of(c, i->ref);

	if (k->told == TOLD_NOTHING && tell(c, i, CONTROL_INCIDENT_OPEN))
		k->told = TOLD_OPEN;
	if (k->told == TOLD_OPEN && i->state == INCIDENT_RESOLVED &&
	    tell(c, i, CONTROL_VERDICT))
		k->told = TOLD_VERDICT;
}

/* What the book has forgotten need not be remembered either. */
static void forget(struct control_out *c, const struct book *b)
{
	uint32_t oldest = b->n > 0 ? b->incident[0]->ref : UINT32_MAX;
	size_t kept = 0;

	for (size_t i = 0; i < c->n; i++)
		if (c->known[i].ref >= oldest)
			c->known[kept++] = c->known[i];
	c->n = kept;
}

void control_follow(struct control_out *c, const struct book *b)
{
	uint64_t before;
	struct err e;

	if (!c || c->changes == b->changes)
		return;
	c->changes = b->changes;
	before = c->seq;
	forget(c, b);
	for (size_t i = 0; i < b->n; i++)
		if (b->incident[i]->account[0])
			tell_new(c, b->incident[i]);
	if (c->seq == before)
		return;
	if (!journal_sync(c->journal, &e))
		log_warn("control: %s", e.text);
	bus_sender_kick(c->sender);
}
