/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/feed.h"

#include <stdio.h>
#include <stdlib.h>

#include "analyzer/config_store.h"
#include "common/clock.h"
#include "common/journal.h"
#include "common/log.h"
#include "common/mem.h"

enum {
	FEED_CREDIT = 32,      /* batches a collector may have under way */
	FEED_GAP_PATIENCE = 3, /* NACKs for one gap before it counts as lost */
	FEED_PATH = 4096,
};

/* What came in from one stream in this life of the program.  The mark is of
 * what the archive holds; the applied one (apply_stream) follows it. */
struct inlet {
	char name[24];
	struct wire_seen seen;
	struct bus_peer *peer; /* to be acknowledged; NULL: nothing new */
	uint64_t gap_seq;
	unsigned gap_tries;
};

struct feed {
	struct feed_opts o;
	struct apply *apply;
	struct publish *publish;
	struct journal *archive;
	struct journal_reader *reader;
	struct bus_receiver *receiver;
	struct inlet inlet[APPLY_STREAMS];
	unsigned n_inlets;
	bool failed;
	bool dirty;	       /* the archive holds what is not synced */
	int64_t last_event_us; /* wall time of the last batch */
	int64_t next_snapshot_us;
	int64_t next_expire_us;
	uint64_t snapshot_pos; /* archive position of the last snapshot */
	char path_archive[FEED_PATH];
	char path_configs[FEED_PATH];
	char path_findings[FEED_PATH];
	char path_snapshot[FEED_PATH];
	struct feed_stats stats;
};

static void fail(struct feed *f, const struct err *e)
{
	log_error("feed: %s", e->text);
	f->failed = true;
}

/* ---- out ---- */

static void on_finding(void *arg, const struct finding *fi,
		       const struct apply_place *at)
{
	struct feed *f = arg;
	struct err e;

	if (!publish_finding(f->publish, fi, at, &e))
		fail(f, &e);
}

static void on_exposure(void *arg, const struct exposure *x)
{
	struct feed *f = arg;

	publish_exposure(f->publish, x);
}

/* The alerter of a site on a feed's clock has no other. */
static void tell_time(struct feed *f)
{
	if (apply_conf(f->apply)->site.feed_clock)
		publish_time(f->publish, engine_clock(apply_engine(f->apply)));
}

/* ---- archive to engine ---- */

/* Apply whatever the archive holds beyond the engine's position. */
static bool drain(struct feed *f, struct err *e)
{
	static struct log_limit limit;
	struct sv entry;
	uint64_t end;
	enum journal_rc rc;

	while ((rc = journal_next(f->reader, &entry, &end, e)) == JOURNAL_OK)
		if (apply_entry(f->apply, entry, end) == APPLY_BAD_BATCH &&
		    log_allow(&limit, 10))
			log_warn("feed: archive: entry ending at %llu is not "
				 "a batch",
				 (unsigned long long)end);
	if (rc != JOURNAL_END || !publish_flush(f->publish, e))
		return false;
	tell_time(f);
	return true;
}

/* Sync, then apply: in this order, see feed.h. */
static bool settle(struct feed *f, struct err *e)
{
	if (f->dirty && !journal_sync(f->archive, e))
		return false;
	f->dirty = false;
	return drain(f, e);
}

static bool append(struct feed *f, const void *batch, size_t size,
		   struct err *e)
{
	struct iovec iov = {(void *)(uintptr_t)batch, size};

	if (!journal_append(f->archive, &iov, 1, NULL, e))
		return false;
	f->dirty = true;
	return true;
}

static bool append_config(struct feed *f, const struct analyzer_conf *conf,
			  struct err *e)
{
	struct {
		struct wire_header h;
		char hash[64];
	} m = {0};

	wire_header(&m.h, WIRE_CONFIG, SV("config"), 0, 0, 1);
	m.h.record_size = sizeof(m.hash);
	memcpy(m.hash, conf->hash, sizeof(conf->hash));
	return append(f, &m, sizeof(m), e);
}

/* ---- in ---- */

static struct inlet *find_inlet(struct feed *f, struct sv name)
{
	struct inlet *in = f->inlet;
	struct apply_stream *known;

	for (unsigned i = 0; i < f->n_inlets; i++, in++)
		if (sv_eq(name, EVENT_SV(in->name)))
			return in;
	known = apply_stream(f->apply, name);
	if (!known || f->n_inlets == APPLY_STREAMS)
		return NULL;
	f->n_inlets++;
	memcpy(in->name, known->name, sizeof(in->name));
	in->seen = known->seen;
	return in;
}

/* True when the batch is to be taken in spite of the gap before it: the
 * sender was asked often enough and has no more. */
static bool give_up_gap(struct feed *f, struct inlet *in,
			const struct wire_header *h)
{
	if (in->gap_seq != h->seq) {
		in->gap_seq = h->seq;
		in->gap_tries = 0;
	}
	if (++in->gap_tries <= FEED_GAP_PATIENCE)
		return false;
	if (h->boot == in->seen.now.boot)
		f->stats.lost += h->seq - in->seen.now.seq - 1;
	log_error("feed: %.*s: records before %u/%llu are lost",
		  SV_ARG(EVENT_SV(in->name)), h->boot,
		  (unsigned long long)h->seq);
	return true;
}

static void on_batch(void *arg, struct bus_peer *p, const struct wire_view *v)
{
	struct feed *f = arg;
	struct inlet *in = find_inlet(f, EVENT_SV(v->h->stream));
	uint32_t skip;
	enum wire_order order;
	struct err e;

	if (f->failed || !in ||
	    (v->h->kind != WIRE_EVENTS && v->h->kind != WIRE_CONTROL))
		return;
	if (v->h->kind == WIRE_EVENTS) {
		f->last_event_us = clock_wall().us;
		f->stats.received += v->h->count;
	}
	order = wire_order(&in->seen, v->h, &skip);
	if (order == WIRE_GAP && !give_up_gap(f, in, v->h)) {
		f->stats.gaps++;
		bus_ack(p, &in->seen.now, FEED_CREDIT, true);
		return;
	}
	in->peer = p;
	if (order == WIRE_DUPLICATE) {
		f->stats.repeated += v->h->count;
		return;
	}
	f->stats.repeated += skip;
	if (!append(f, v->h, v->size, &e)) {
		fail(f, &e);
		return;
	}
	if (v->h->kind == WIRE_EVENTS)
		f->stats.archived += v->h->count - skip;
	wire_advance(&in->seen, v->h);
}

static void on_hello(void *arg, struct bus_peer *p, struct sv stream)
{
	struct feed *f = arg;
	struct inlet *in = find_inlet(f, stream);
	struct wire_mark none = {0};

	if (!f->failed)
		bus_ack(p, in ? &in->seen.now : &none, FEED_CREDIT, false);
}

static void on_idle(void *arg)
{
	struct feed *f = arg;
	struct err e;

	if (f->failed)
		return;
	if (f->dirty && !journal_sync(f->archive, &e)) {
		fail(f, &e);
		return;
	}
	f->dirty = false;
	for (unsigned i = 0; i < f->n_inlets; i++) {
		struct inlet *in = &f->inlet[i];

		if (in->peer)
			bus_ack(in->peer, &in->seen.now, FEED_CREDIT, false);
		in->peer = NULL;
	}
	if (!drain(f, &e))
		fail(f, &e);
}

/* ---- recovery ---- */

/* The marks of the archive are those of the engine once it is drained. */
static void adopt_marks(struct feed *f)
{
	for (unsigned i = 0; i < f->n_inlets; i++) {
		struct inlet *in = &f->inlet[i];
		struct apply_stream *s =
			apply_stream(f->apply, EVENT_SV(in->name));

		if (s)
			in->seen = s->seen;
	}
}

static struct apply *new_apply(struct feed *f, struct analyzer_conf **conf)
{
	struct apply_opts ao = {
		.finding = on_finding,
		.exposure = on_exposure,
		.arg = f,
		.store = f->path_configs,
	};

	return apply_new(conf, &ao);
}

/* A snapshot judges on under the config it was taken with; the one that is
 * on disk now comes into force after what the archive still holds. */
static void load_snapshot(struct feed *f, struct analyzer_conf **now)
{
	struct analyzer_conf *then = NULL;
	char hash[17];
	bool missing;
	struct err e;

	apply_snapshot_config(f->path_snapshot, hash);
	if (hash[0] && memcmp(hash, (*now)->hash, 16) != 0) {
		then = config_store_load(f->path_configs, hash, &e);
		if (!then)
			log_warn("feed: %s; judging by the present config",
				 e.text);
	}
	f->apply = new_apply(f, then ? &then : now);
	if (!apply_load(f->apply, f->path_snapshot, &missing, &e) && !missing)
		log_warn("feed: %s; recounting from the whole archive", e.text);
}

static bool recover(struct feed *f, struct analyzer_conf **now, struct err *e)
{
	uint64_t from;

	load_snapshot(f, now);
	from = apply_position(f->apply);
	if (from < journal_begin(f->archive))
		from = journal_begin(f->archive);
	f->snapshot_pos = from;
	if (!journal_read_open(&f->reader, f->path_archive, from, e) ||
	    !drain(f, e))
		return false;
	adopt_marks(f);
	if (*now && !apply_config(f->apply, now, e))
		return false;
	if (!config_store_save(f->path_configs, apply_conf(f->apply), e) ||
	    !append_config(f, apply_conf(f->apply), e))
		return false;
	return settle(f, e);
}

/* ---- life ---- */

static bool join(char out[FEED_PATH], const char *dir, const char *name,
		 struct err *e)
{
	if (snprintf(out, FEED_PATH, "%s/%s", dir, name) < FEED_PATH)
		return true;
	return err_set(e, "%s: path too long", dir);
}

static bool open_paths(struct feed *f, struct err *e)
{
	return join(f->path_archive, f->o.state, "archive", e) &&
	       join(f->path_configs, f->o.state, "configs", e) &&
	       join(f->path_findings, f->o.state, "findings", e) &&
	       join(f->path_snapshot, f->o.state, "snapshot", e);
}

bool feed_open(struct feed **out, struct event_base *base, struct bus *bus,
	       struct analyzer_conf **conf, const struct feed_opts *o,
	       struct err *e)
{
	struct feed *f = xcalloc(1, sizeof(*f));
	struct journal_opts jo = {0};
	struct bus_receiver_opts ro = {
		.endpoint = o->bind,
		.on_batch = on_batch,
		.on_hello = on_hello,
		.on_idle = on_idle,
		.arg = f,
	};

	(void)base;
	f->o = *o;
	if (!open_paths(f, e) ||
	    !journal_open(&f->archive, f->path_archive, &jo, e) ||
	    !publish_open(&f->publish, bus, f->path_findings, o->findings, e)) {
		feed_close(f);
		return false;
	}
	publish_archive_ends(f->publish, journal_end(f->archive));
	if (!recover(f, conf, e) ||
	    !bus_receiver_new(&f->receiver, bus, &ro, e)) {
		feed_close(f);
		return false;
	}
	if (journal_torn(f->archive))
		log_warn("feed: archive: cut %llu bytes of a torn tail",
			 (unsigned long long)journal_torn(f->archive));
	*out = f;
	return true;
}

static void snapshot(struct feed *f)
{
	struct err e;

	if (!f->apply || f->failed ||
	    apply_position(f->apply) == f->snapshot_pos)
		return;
	if (!apply_save(f->apply, f->path_snapshot, &e)) {
		log_error("feed: %s", e.text);
		return;
	}
	f->snapshot_pos = apply_position(f->apply);
	f->stats.snapshots++;
}

void feed_close(struct feed *f)
{
	if (!f)
		return;
	bus_receiver_free(f->receiver);
	if (f->receiver)
		snapshot(f);
	publish_close(f->publish);
	journal_read_close(f->reader);
	journal_close(f->archive);
	apply_free(f->apply);
	free(f);
}

void feed_reload(struct feed *f)
{
	struct conf *c = NULL;
	struct err e = {0};
	struct analyzer_conf *next = analyzer_conf_load(f->o.config, &c, &e);

	if (!next) {
		log_error("config: kept the old one: %s",
			  c ? "the new one has errors" : e.text);
		if (c)
			conf_report(c, stderr, false, false);
		conf_free(c);
		return;
	}
	if (memcmp(next->hash, apply_conf(f->apply)->hash,
		   sizeof(next->hash)) == 0) {
		log_info("config: unchanged");
		analyzer_conf_free(next);
		return;
	}
	if (!settle(f, &e) || !config_store_save(f->path_configs, next, &e) ||
	    !append_config(f, next, &e) || !settle(f, &e))
		fail(f, &e);
	else
		log_info("config: %.16s is in force",
			 apply_conf(f->apply)->hash);
	analyzer_conf_free(next);
}

/* Live sources that are idle still move on: by a tick a second, which is an
 * archive entry like any other input. */
static void tick(struct feed *f, int64_t now_us)
{
	struct wire_header h;
	struct err e;

	if (apply_conf(f->apply)->site.feed_clock ||
	    now_us - f->last_event_us < SEC_US)
		return;
	wire_header(&h, WIRE_TICK, SV("tick"), 0, (uint64_t)now_us, 0);
	if (!append(f, &h, sizeof(h), &e) || !settle(f, &e))
		fail(f, &e);
}

void feed_second(struct feed *f)
{
	int64_t now = clock_wall().us;
	const struct analyzer_conf *conf = apply_conf(f->apply);
	struct err e;

	if (f->failed)
		return;
	tick(f, now);
	tell_time(f);
	if (now >= f->next_snapshot_us) {
		snapshot(f);
		f->next_snapshot_us = now + conf->snapshot_every_us;
	}
	if (now >= f->next_expire_us) {
		if (!journal_expire(f->archive, now - conf->archive_keep_us,
				    &e))
			log_warn("feed: %s", e.text);
		f->next_expire_us = now + HOUR_US;
	}
}

bool feed_failed(const struct feed *f)
{
	return f->failed;
}

const char *feed_config_hash(const struct feed *f)
{
	return apply_conf(f->apply)->hash;
}

struct feed_stats feed_stats(const struct feed *f)
{
	struct feed_stats s = f->stats;

	s.archive_bytes = journal_bytes(f->archive);
	s.engine = engine_stats(apply_engine(f->apply));
	s.clock_us = engine_clock(apply_engine(f->apply));
	s.publish = publish_stats(f->publish);
	s.bus = bus_receiver_stats(f->receiver);
	return s;
}
