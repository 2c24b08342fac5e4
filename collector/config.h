/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COLLECTOR_CONFIG_H
#define COLLECTOR_CONFIG_H

#include "collector/cdr/profile.h"
#include "collector/resolve.h"
#include "common/conf.h"

/*
 * The collector's whole configuration: one immutable snapshot, swapped as a
 * whole on reload.  What belongs to other programs is accepted unseen.
 */
enum source_kind { SOURCE_PCAP = 0, SOURCE_FILE };

struct source_conf {
	const char *name; /* at most 15 bytes */
	enum source_kind kind;
	const char *path;      /* glob; NULL with interface */
	const char *interface; /* live capture */
	const char *filter;
	const char *dialplan_name;
	const char *as; /* "asterisk", "csv" or a profile */
	const char *zone_name;
	const struct conf_tree *where;
	/* found by name: */
	const struct dialplan *dialplan; /* NULL = none */
	const struct profile *profile;	 /* NULL = Asterisk */
	struct zone *zone;		 /* of kind file */
	struct resolver resolver;
};

struct collector_conf {
	struct conf *conf; /* owns the strings */
	struct {
		const char *name;
		const char *timezone;
		const char *secret;
		bool feed_clock; /* clock: feed */
	} site;
	struct hash_key key; /* of call keys, derived from the secret */
	struct conf_array sources;
	struct dialplan *dialplan;
	size_t n_dialplans;
	struct profile *profile;
	size_t n_profiles;
	struct peers *peers;
	struct accounts *accounts;
	const char *connect; /* endpoint of the analyzer */
	const char *metrics; /* listen address */
	uint32_t dialogs_max;
	int64_t max_call_us;
	struct {
		const char *dir; /* NULL: "spool" in the state folder */
		uint64_t cap;
	} spool;
};

/* NULL when the config has errors: they are in *c (which is always set when
 * the first file could be read, and is owned by the returned config else). */
struct collector_conf *collector_conf_load(const char *path, struct conf **c,
					   struct err *e);
void collector_conf_free(struct collector_conf *k); /* NULL ok */

/* For "docs/configuration.md". */
void collector_conf_document(FILE *out);

const struct source_conf *collector_conf_source(const struct collector_conf *k,
						size_t i);

/* First source of this name, or of this kind when name is NULL. */
const struct source_conf *collector_conf_find(const struct collector_conf *k,
					      const char *name,
					      enum source_kind kind);

#endif
