/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/publish.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/journal.h"
#include "common/log.h"
#include "common/mem.h"

struct publish {
	struct journal *journal;
	struct bus_sender *sender;
	struct apply_place last; /* place of the newest journalled finding */
	uint32_t boot;
	uint64_t seq;
	bool dirty;
	uint64_t journalled;
	uint64_t repeated;
};

static const char stream_name[] = "findings";

static bool after(const struct apply_place *a, const struct apply_place *b)
{
	return a->pos != b->pos ? a->pos > b->pos : a->nth > b->nth;
}

/* What earlier lives have journalled: the newest place and boot. */
static bool recall(struct publish *p, const char *dir, struct err *e)
{
	struct journal_reader *r;
	struct sv entry;
	struct wire_view v;
	uint64_t end;
	enum journal_rc rc;

	if (!journal_read_open(&r, dir, journal_begin(p->journal), e))
		return false;
	while ((rc = journal_next(r, &entry, &end, e)) == JOURNAL_OK) {
		if (wire_check(entry, &v) != WIRE_OK ||
		    v.cursor.n != sizeof(p->last))
			continue;
		memcpy(&p->last, v.cursor.p, sizeof(p->last));
		p->boot = v.h->boot;
	}
	journal_read_close(r);
	return rc == JOURNAL_END;
}

bool publish_open(struct publish **out, struct bus *bus, const char *dir,
		  const char *endpoint, struct err *e)
{
	struct journal_opts jo = {.segment_bytes = 4 << 20};
	struct publish *p = xcalloc(1, sizeof(*p));
	struct bus_sender_opts so = {
		.endpoint = endpoint,
		.stream = stream_name,
		.journal_dir = dir,
	};

	if (!journal_open(&p->journal, dir, &jo, e) || !recall(p, dir, e))
		goto fail;
	p->boot = p->boot ? p->boot + 1 : wire_fresh_boot();
	so.journal = p->journal;
	if (endpoint && !bus_sender_new(&p->sender, bus, &so, e))
		goto fail;
	*out = p;
	return true;
fail:
	publish_close(p);
	return false;
}

void publish_close(struct publish *p)
{
	if (!p)
		return;
	bus_sender_free(p->sender);
	journal_close(p->journal);
	free(p);
}

bool publish_finding(struct publish *p, const struct finding *f,
		     const struct apply_place *at, struct err *e)
{
	struct apply_place place;
	struct wire_header h;
	struct iovec iov[3] = {
		{&h, sizeof(h)},
		{(void *)(uintptr_t)f, sizeof(*f)},
		{&place, sizeof(place)},
	};

	if (!after(at, &p->last)) {
		p->repeated++;
		return true;
	}
	memset(&place, 0, sizeof(place)); /* padding goes to disk too */
	place.pos = at->pos;
	place.nth = at->nth;
	wire_header(&h, WIRE_FINDINGS, sv_of(stream_name), p->boot, p->seq + 1,
		    1);
	h.cursor_len = sizeof(place);
	if (!journal_append(p->journal, iov, 3, NULL, e))
		return false;
	p->seq++;
	p->last = place;
	p->journalled++;
	p->dirty = true;
	return true;
}

bool publish_flush(struct publish *p, struct err *e)
{
	if (!p->dirty)
		return true;
	if (!journal_sync(p->journal, e))
		return false;
	p->dirty = false;
	if (p->sender)
		bus_sender_kick(p->sender);
	return true;
}

void publish_exposure(struct publish *p, const struct exposure *x)
{
	struct {
		struct wire_header h;
		struct exposure x;
	} m;

	if (!p->sender)
		return;
	wire_header(&m.h, WIRE_EXPOSURE, sv_of(stream_name), p->boot, 0, 1);
	m.x = *x;
	bus_sender_offer(p->sender, &m, sizeof(m));
}

struct publish_stats publish_stats(const struct publish *p)
{
	uint64_t from = journal_begin(p->journal);
	struct publish_stats s = {
		.journalled = p->journalled,
		.repeated = p->repeated,
	};

	if (p->sender)
		s.bus = bus_sender_stats(p->sender);
	/* The journal frees whole segments: its size says too much. */
	if (s.bus.safe > from)
		from = s.bus.safe;
	s.unsent = journal_end(p->journal) - from;
	return s;
}
