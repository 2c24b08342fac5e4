/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_APPLY_H
#define ANALYZER_APPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/config.h"
#include "analyzer/engine.h"
#include "common/wire.h"

/*
 * The one way into the engine: archive entries in order.  The live feed, the
 * recovery after a crash, "why" and "backtest" of an archive all come
 * through here, so they cannot differ.
 *
 *   entry = batch of events | tick | control | "from here on, config H"
 */
enum { APPLY_STREAMS = 64 };

struct apply_stream {
	char name[24];
	struct wire_seen seen;
};

/* Where in the archive a finding arose: the end of the entry that led to it,
 * and the how manieth finding of that entry.  Rises strictly, so that a
 * recovery knows which findings were already journalled. */
struct apply_place {
	uint64_t pos;
	uint32_t nth;
};

struct apply_opts {
	void (*finding)(void *arg, const struct finding *f,
			const struct apply_place *at);
	void (*exposure)(void *arg, const struct exposure *x);
	void *arg;
	/* Folder with configs by hash, see config_store.h; NULL: a config
	 * entry changes nothing (the given config judges everything). */
	const char *store;
	/* Keep calls that are over at least this long (for "why"); 0 = as long
	 * as pairing and evidence need them. */
	int64_t retain_us;
};

struct apply;

/* Takes *conf over and nulls it. */
struct apply *apply_new(struct analyzer_conf **conf,
			const struct apply_opts *o);
void apply_free(struct apply *a); /* NULL ok */

enum apply_rc {
	APPLY_OK = 0,
	APPLY_BAD_BATCH, /* not a batch, or records that fail their check */
	APPLY_NO_CONFIG, /* the config an entry names is not in the store */
};

/* Apply one entry that ends at position end. */
enum apply_rc apply_entry(struct apply *a, struct sv entry, uint64_t end);

/* Judge by another config from here on; counts go with it.  Takes *conf. */
MUST_USE bool apply_config(struct apply *a, struct analyzer_conf **conf,
			   struct err *e);

struct engine *apply_engine(struct apply *a);
const struct analyzer_conf *apply_conf(const struct apply *a);
uint64_t apply_position(const struct apply *a);
uint64_t apply_bad_events(const struct apply *a);

/* The mark of a stream by name; made when new.  NULL when the table of
 * streams is full. */
struct apply_stream *apply_stream(struct apply *a, struct sv name);

/* Position, marks, place of the last finding and the engine, in one file
 * that is swapped whole. */
MUST_USE bool apply_save(struct apply *a, const char *path, struct err *e);

/* False with *missing when there is no such file (a first start).  A file of
 * another version or a damaged one is an error: the caller starts from the
 * beginning of the archive. */
MUST_USE bool apply_load(struct apply *a, const char *path, bool *missing,
			 struct err *e);

/* The hash of the config a snapshot was taken under, "" when there is none;
 * out holds 17. */
void apply_snapshot_config(const char *path, char out[17]);

#endif
