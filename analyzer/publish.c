/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/publish.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <zlib.h>

#include "common/clock.h"
#include "common/journal.h"
#include "common/log.h"
#include "common/mem.h"

enum { IDS_MAX = 4096, PATH_BYTES = 4096 };

/* As it lies in the file. */
struct newest {
	struct apply_place place;
	uint32_t boot;
	uint32_t check; /* of the fields before */
};

enum { UNSAID_MAX = 256 };

struct publish {
	struct journal *journal;
	struct bus_sender *sender;
	struct apply_place last; /* place of the newest journalled finding */
	uint32_t boot;
	uint64_t seq;
	bool dirty;
	struct exposure unsaid[UNSAID_MAX];
	size_t n_unsaid;
	uint64_t journalled;
	uint64_t repeated;
	char path[PATH_BYTES]; /* of struct newest */
	uint8_t id[IDS_MAX][16];
	unsigned n_ids; /* ever; the newest IDS_MAX are there */
};

static const char stream_name[] = "findings";

static bool after(const struct apply_place *a, const struct apply_place *b)
{
	return a->pos != b->pos ? a->pos > b->pos : a->nth > b->nth;
}

static bool said_before(const struct publish *p, const uint8_t id[16])
{
	unsigned n = p->n_ids < IDS_MAX ? p->n_ids : IDS_MAX;

	for (unsigned i = 0; i < n; i++)
		if (memcmp(p->id[i], id, sizeof(p->id[i])) == 0)
			return true;
	return false;
}

static void remember(struct publish *p, const uint8_t id[16])
{
	memcpy(p->id[p->n_ids % IDS_MAX], id, sizeof(p->id[0]));
	/* wraps to where the ring is as full as before */
	p->n_ids = p->n_ids + 1 < 2 * IDS_MAX ? p->n_ids + 1 : IDS_MAX;
}

static uint32_t checked(const struct newest *n)
{
	return (uint32_t)crc32(0, (const void *)n,
			       offsetof(struct newest, check));
}

/* Absent or damaged: the journal is asked alone. */
static void load_newest(struct publish *p)
{
	struct newest n;
	FILE *f = fopen(p->path, "rbe");

	if (!f)
		return;
	if (fread(&n, sizeof(n), 1, f) == 1 && n.check == checked(&n)) {
		p->last = n.place;
		p->boot = n.boot;
	}
	fclose(f);
}

static bool save_newest(const struct publish *p, struct err *e)
{
	struct newest n;
	char temp[PATH_BYTES + 8];
	bool ok;
	FILE *f;

	memset(&n, 0, sizeof(n)); /* padding goes to disk too */
	n.place.pos = p->last.pos;
	n.place.nth = p->last.nth;
	n.boot = p->boot;
	n.check = checked(&n);
	snprintf(temp, sizeof(temp), "%s.tmp", p->path);
	f = fopen(temp, "wbe");
	if (!f)
		return err_set(e, "%s: %s", temp, strerror(errno));
	ok = fwrite(&n, sizeof(n), 1, f) == 1;
	ok = fclose(f) == 0 && ok;
	return (ok && rename(temp, p->path) == 0) ||
	       err_set(e, "%s: %s", p->path, strerror(errno));
}

/* What earlier lives have said: the newest place and boot, and ids. */
static bool recall(struct publish *p, const char *dir, struct err *e)
{
	struct journal_reader *r;
	struct sv entry;
	struct wire_view v;
	uint64_t end;
	enum journal_rc rc;

	load_newest(p);
	if (!journal_read_open(&r, dir, journal_begin(p->journal), e))
		return false;
	while ((rc = journal_next(r, &entry, &end, e)) == JOURNAL_OK) {
		if (wire_check(entry, &v) != WIRE_OK ||
		    v.cursor.n != sizeof(p->last))
			continue;
		memcpy(&p->last, v.cursor.p, sizeof(p->last));
		p->boot = v.h->boot;
		for (uint32_t i = 0; i < v.h->count; i++)
			remember(p, ((const struct finding *)v.records)[i].id);
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

	if (snprintf(p->path, sizeof(p->path), "%s/newest", dir) >=
	    PATH_BYTES) {
		err_set(e, "%s: path too long", dir);
		goto fail;
	}
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

void publish_archive_ends(struct publish *p, uint64_t pos)
{
	if (p->last.pos <= pos)
		return;
	log_warn("publish: the archive ends at %llu, before findings that "
		 "came from it: it was lost, and is begun anew",
		 (unsigned long long)pos);
	p->last = (struct apply_place){0};
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

	if (!after(at, &p->last) || said_before(p, f->id)) {
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
	remember(p, f->id);
	p->journalled++;
	p->dirty = true;
	return true;
}

bool publish_flush(struct publish *p, struct err *e)
{
	if (!p->dirty)
		return true;
	if (!journal_sync(p->journal, e) || !save_newest(p, e))
		return false;
	p->dirty = false;
	if (p->sender)
		bus_sender_kick(p->sender);
	return true;
}

/* What was found earlier goes out earlier. */
static void before(struct publish *p)
{
	static struct log_limit limit;
	struct err e;

	if (!publish_flush(p, &e) && log_allow(&limit, 10))
		log_warn("publish: %s", e.text);
}

static bool offer(struct publish *p, const struct exposure *x)
{
	struct {
		struct wire_header h;
		struct exposure x;
	} m;

	before(p);
	wire_header(&m.h, WIRE_EXPOSURE, sv_of(stream_name), p->boot, 0, 1);
	m.x = *x;
	return bus_sender_offer(p->sender, &m, sizeof(m));
}

/* Those that found no room, the latest of each account and family. */
static void offer_again(struct publish *p)
{
	while (p->n_unsaid > 0 && offer(p, &p->unsaid[p->n_unsaid - 1]))
		p->n_unsaid--;
}

static void keep(struct publish *p, const struct exposure *x)
{
	for (size_t i = 0; i < p->n_unsaid; i++) {
		struct exposure *k = &p->unsaid[i];

		if (memcmp(k->account, x->account, sizeof(k->account)) != 0 ||
		    memcmp(k->family, x->family, sizeof(k->family)) != 0)
			continue;
		*k = *x;
		return;
	}
	if (p->n_unsaid < UNSAID_MAX)
		p->unsaid[p->n_unsaid++] = *x;
}

void publish_exposure(struct publish *p, const struct exposure *x)
{
	if (!p->sender)
		return;
	if (p->n_unsaid > 0)
		offer_again(p);
	if (p->n_unsaid > 0 || !offer(p, x))
		keep(p, x);
}

void publish_time(struct publish *p, int64_t feed_us)
{
	struct wire_header h;

	if (!p->sender || feed_us <= 0)
		return;
	before(p);
	offer_again(p);
	wire_header(&h, WIRE_TICK, sv_of(stream_name), p->boot,
		    (uint64_t)feed_us, 0);
	(void)bus_sender_offer(p->sender, &h, sizeof(h));
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
