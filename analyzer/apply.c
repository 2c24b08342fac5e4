/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/apply.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <zlib.h>

#include "analyzer/config_store.h"
#include "common/log.h"
#include "common/mem.h"

enum { SNAPSHOT_VERSION = 2, CONFIG_HASH = 16 };

static const char snapshot_magic[8] = {'T', 'W', 'S', 'N', 'A', 'P', '0', '1'};

struct apply {
	struct analyzer_conf *conf;
	struct engine *engine;
	struct apply_opts o;
	struct apply_place place; /* of the last finding */
	uint64_t pos;		  /* applied so far */
	uint64_t bad_events;
	struct apply_stream stream[APPLY_STREAMS];
	unsigned n_streams;
};

/* What stands before the engine's bytes in a snapshot file. */
struct snapshot_header {
	char magic[8];
	uint32_t version;
	uint32_t crc; /* of the engine's bytes */
	uint64_t size;
	uint64_t pos;
	uint64_t place_pos;
	uint32_t place_nth;
	uint32_t n_streams;
	char config[CONFIG_HASH];
	struct apply_stream stream[APPLY_STREAMS];
};

static void on_finding(void *arg, const struct finding *f)
{
	struct apply *a = arg;

	if (a->place.pos != a->pos)
		a->place = (struct apply_place){a->pos, 0};
	a->place.nth++;
	if (a->o.finding)
		a->o.finding(a->o.arg, f, &a->place);
}

static void on_exposure(void *arg, const struct exposure *x)
{
	struct apply *a = arg;

	if (a->o.exposure)
		a->o.exposure(a->o.arg, x);
}

static struct engine *new_engine(struct apply *a,
				 const struct analyzer_conf *conf)
{
	struct engine_sink sink = {on_finding, on_exposure, a};
	struct engine *g = engine_new(conf, &sink);

	if (a->o.retain_us)
		engine_retain(g, a->o.retain_us);
	return g;
}

struct apply *apply_new(struct analyzer_conf **conf, const struct apply_opts *o)
{
	struct apply *a = xcalloc(1, sizeof(*a));

	a->conf = *conf;
	*conf = NULL;
	a->o = *o;
	a->engine = new_engine(a, a->conf);
	return a;
}

void apply_free(struct apply *a)
{
	if (!a)
		return;
	engine_free(a->engine);
	analyzer_conf_free(a->conf);
	free(a);
}

struct engine *apply_engine(struct apply *a)
{
	return a->engine;
}

const struct analyzer_conf *apply_conf(const struct apply *a)
{
	return a->conf;
}

uint64_t apply_position(const struct apply *a)
{
	return a->pos;
}

uint64_t apply_bad_events(const struct apply *a)
{
	return a->bad_events;
}

struct apply_stream *apply_stream(struct apply *a, struct sv name)
{
	struct apply_stream *s = a->stream;

	for (unsigned i = 0; i < a->n_streams; i++, s++)
		if (sv_eq(name, sv_field(s->name, sizeof(s->name))))
			return s;
	if (a->n_streams == APPLY_STREAMS ||
	    !sv_put(s->name, sizeof(s->name), name))
		return NULL;
	s->seen = (struct wire_seen){0};
	a->n_streams++;
	return s;
}

/* The counts go over by way of a snapshot in memory: one mechanism for
 * reload, restart and replay. */
bool apply_config(struct apply *a, struct analyzer_conf **conf, struct err *e)
{
	struct engine *next;
	char *bytes = NULL;
	size_t size = 0;
	FILE *mem = open_memstream(&bytes, &size);
	bool ok;

	if (!mem)
		return err_set(e, "open_memstream: %s", strerror(errno));
	ok = engine_save(a->engine, mem, e);
	if (fclose(mem) != 0 && ok)
		ok = err_set(e, "snapshot: %s", strerror(errno));
	next = new_engine(a, *conf);
	if (ok && size > 0) {
		mem = fmemopen(bytes, size, "rb");
		ok = mem ? engine_load(next, mem, e)
			 : err_set(e, "fmemopen: %s", strerror(errno));
		if (mem)
			fclose(mem);
	}
	free(bytes);
	if (!ok) {
		engine_free(next);
		return false;
	}
	engine_free(a->engine);
	analyzer_conf_free(a->conf);
	a->engine = next;
	a->conf = *conf;
	*conf = NULL;
	return true;
}

static void apply_events(struct apply *a, const struct wire_view *v)
{
	struct apply_stream *s = apply_stream(a, EVENT_SV(v->h->stream));
	uint32_t skip = 0;

	if (s && wire_order(&s->seen, v->h, &skip) == WIRE_DUPLICATE)
		return;
	for (uint32_t i = skip; i < v->h->count; i++) {
		const struct event *ev = wire_event(v, i);

		if (event_check(ev) != EVENT_OK)
			a->bad_events++;
		else
			engine_event(a->engine, ev);
	}
	if (s)
		wire_advance(&s->seen, v->h);
}

static void apply_control(struct apply *a, const struct wire_view *v)
{
	struct apply_stream *s = apply_stream(a, EVENT_SV(v->h->stream));
	uint32_t skip = 0;

	if (s && wire_order(&s->seen, v->h, &skip) == WIRE_DUPLICATE)
		return;
	for (uint32_t i = skip; i < v->h->count; i++)
		engine_control(a->engine,
			       (const struct control *)v->records + i);
	if (s)
		wire_advance(&s->seen, v->h);
}

static enum apply_rc apply_stored(struct apply *a, const struct wire_view *v)
{
	struct analyzer_conf *conf;
	struct err e;

	if (!a->o.store || v->h->record_size < CONFIG_HASH || v->h->count != 1)
		return APPLY_OK;
	if (memcmp(v->records, a->conf->hash, CONFIG_HASH) == 0)
		return APPLY_OK;
	conf = config_store_load(a->o.store, (const char *)v->records, &e);
	if (!conf || !apply_config(a, &conf, &e)) {
		log_warn("apply: %s", e.text);
		analyzer_conf_free(conf);
		return APPLY_NO_CONFIG;
	}
	return APPLY_OK;
}

enum apply_rc apply_entry(struct apply *a, struct sv entry, uint64_t end)
{
	struct wire_view v;

	a->pos = end;
	if (wire_check(entry, &v) != WIRE_OK)
		return APPLY_BAD_BATCH;
	switch (v.h->kind) {
	case WIRE_EVENTS:
		apply_events(a, &v);
		return APPLY_OK;
	case WIRE_TICK:
		engine_tick(a->engine, (int64_t)v.h->seq);
		return APPLY_OK;
	case WIRE_CONTROL:
		apply_control(a, &v);
		return APPLY_OK;
	case WIRE_CONFIG:
		return apply_stored(a, &v);
	default:
		return APPLY_BAD_BATCH;
	}
}

static void fill_header(const struct apply *a, const char *bytes, size_t size,
			struct snapshot_header *h)
{
	memset(h, 0, sizeof(*h));
	memcpy(h->magic, snapshot_magic, sizeof(h->magic));
	h->version = SNAPSHOT_VERSION;
	h->crc = (uint32_t)crc32_z(0, (const Bytef *)bytes, size);
	h->size = size;
	h->pos = a->pos;
	h->place_pos = a->place.pos;
	h->place_nth = a->place.nth;
	h->n_streams = a->n_streams;
	memcpy(h->config, a->conf->hash, CONFIG_HASH);
	memcpy(h->stream, a->stream, sizeof(h->stream));
}

/* Written beside, synced, renamed: a crash leaves the old or the new. */
static bool swap_file(const char *path, const struct snapshot_header *h,
		      const char *bytes, struct err *e)
{
	char tmp[4096];
	FILE *f;
	bool ok;

	if ((size_t)snprintf(tmp, sizeof(tmp), "%s.tmp", path) >= sizeof(tmp))
		return err_set(e, "%s: path too long", path);
	f = fopen(tmp, "wbe");
	if (!f)
		return err_set(e, "%s: %s", tmp, strerror(errno));
	ok = fwrite(h, sizeof(*h), 1, f) == 1 &&
	     fwrite(bytes, 1, h->size, f) == h->size && fflush(f) == 0 &&
	     fdatasync(fileno(f)) == 0;
	if (fclose(f) != 0 || !ok || rename(tmp, path) != 0)
		return err_set(e, "%s: %s", tmp, strerror(errno));
	return true;
}

bool apply_save(struct apply *a, const char *path, struct err *e)
{
	struct snapshot_header h;
	char *bytes = NULL;
	size_t size = 0;
	FILE *mem = open_memstream(&bytes, &size);
	bool ok;

	if (!mem)
		return err_set(e, "open_memstream: %s", strerror(errno));
	ok = engine_save(a->engine, mem, e);
	if (fclose(mem) != 0 && ok)
		ok = err_set(e, "snapshot: %s", strerror(errno));
	if (ok) {
		fill_header(a, bytes, size, &h);
		ok = swap_file(path, &h, bytes, e);
	}
	free(bytes);
	return ok;
}

static bool read_header(FILE *f, const char *path, struct snapshot_header *h,
			struct err *e)
{
	if (fread(h, sizeof(*h), 1, f) != 1 ||
	    memcmp(h->magic, snapshot_magic, sizeof(h->magic)) != 0)
		return err_set(e, "%s: not a snapshot", path);
	if (h->version != SNAPSHOT_VERSION)
		return err_set(e, "%s: snapshot version %u, want %d", path,
			       h->version, SNAPSHOT_VERSION);
	if (h->n_streams > APPLY_STREAMS || h->size > (UINT64_C(1) << 36))
		return err_set(e, "%s: damaged header", path);
	return true;
}

static bool load_engine(struct apply *a, FILE *f, const char *path,
			const struct snapshot_header *h, struct err *e)
{
	char *bytes = xmalloc(h->size ? h->size : 1);
	FILE *mem = NULL;
	bool ok;

	if (fread(bytes, 1, h->size, f) != h->size ||
	    crc32_z(0, (const Bytef *)bytes, h->size) != h->crc) {
		free(bytes);
		return err_set(e, "%s: damaged", path);
	}
	mem = fmemopen(bytes, h->size, "rb");
	ok = mem ? engine_load(a->engine, mem, e)
		 : err_set(e, "fmemopen: %s", strerror(errno));
	if (mem)
		fclose(mem);
	free(bytes);
	return ok;
}

bool apply_load(struct apply *a, const char *path, bool *missing, struct err *e)
{
	struct snapshot_header h;
	FILE *f = fopen(path, "rbe");
	bool ok;

	*missing = !f && errno == ENOENT;
	if (!f)
		return err_set(e, "%s: %s", path, strerror(errno));
	ok = read_header(f, path, &h, e) && load_engine(a, f, path, &h, e);
	fclose(f);
	if (!ok) { /* half a snapshot is none */
		engine_free(a->engine);
		a->engine = new_engine(a, a->conf);
		return false;
	}
	a->pos = h.pos;
	a->place = (struct apply_place){h.place_pos, h.place_nth};
	a->n_streams = h.n_streams;
	memcpy(a->stream, h.stream, sizeof(a->stream));
	return true;
}

void apply_snapshot_config(const char *path, char out[17])
{
	struct snapshot_header h;
	struct err e;
	FILE *f = fopen(path, "rbe");

	out[0] = '\0';
	if (!f)
		return;
	if (read_header(f, path, &h, &e))
		snprintf(out, 17, "%.16s", h.config);
	fclose(f);
}
