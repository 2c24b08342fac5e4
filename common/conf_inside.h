/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_CONF_INSIDE_H
#define COMMON_CONF_INSIDE_H

#include <sodium.h>

#include "common/conf.h"

/* What the files of conf share; nobody else includes this.
 *
 *   conf.c         files in, includes merged, hash
 *   conf_tab.c     tabs found and replaced, so that the parser can go on
 *   conf_yaml.c    libyaml's events to struct conf_tree
 *   conf_tree.c    looking at the tree
 *   conf_schema.c  tree to struct under a schema, secrets
 *   conf_scalar.c  the ready-made parsers
 *   conf_secret.c  what may be a secret by its name
 *   conf_report.c  errors kept, sorted and shown
 */

enum {
	CONF_YAML_MAX = 4 << 20,   /* bytes of one YAML file */
	CONF_SIDE_MAX = 256 << 20, /* bytes of one side file */
	CONF_DEPTH_MAX = 32,
	CONF_NODES_MAX = 200000, /* of one file */
	CONF_FILES_MAX = 64,	 /* include list */
	CONF_FAULTS_MAX = 1000,	 /* shown; all are counted */
};

/* Line and column count from 1; columns are characters, not bytes. */
struct conf_place {
	unsigned line;
	unsigned col;
	unsigned width;
};

/* Characters that no report may show. */
struct conf_hidden {
	struct conf_place at;
	struct conf_hidden *next;
};

struct conf_source {
	const char *name; /* relative to the config's folder */
	struct sv text;	  /* as it was read, without a BOM */
	struct sv *line;  /* without line ends */
	unsigned n_lines;
	int *shift;  /* by line: columns that the tab repair added; or NULL */
	bool broken; /* not read to its end: no schema tells its secrets */
	struct conf_hidden *hidden;
	struct conf_source *next;
};

struct conf_tree {
	enum conf_tree_kind kind;
	bool quoted;  /* scalar in quotes or a block */
	bool bad;     /* an error was recorded: say no more about it */
	bool partial; /* the file broke off inside: keys may be missing */
	struct conf_source *source;
	struct conf_place at;
	unsigned end_line;	/* of the last character */
	struct sv text;		/* scalar; NUL-terminated */
	struct conf_tree **key; /* map */
	struct conf_tree **item;
	size_t n;
	size_t cap;
};

struct conf_fault {
	enum conf_severity severity;
	struct conf_source *source; /* NULL: a side file, text is its line */
	const char *file;
	struct conf_place at;
	struct sv text;
	const char *code;
	const char *message;
	const char *hint;
};

struct conf_block;

struct conf {
	const char *dir;
	struct conf_source *first; /* in order of reading */
	struct conf_source *last;
	struct conf_tree *root;
	struct conf_fault fault[CONF_FAULTS_MAX];
	size_t n_faults;
	size_t n_errors;
	size_t n_warnings;
	crypto_hash_sha256_state hash;
	struct conf_block *block;
	bool env_optional;
};

/* Zeroed memory that lives as long as c. */
void *conf_alloc(struct conf *c, size_t size);
char *conf_keep(struct conf *c, struct sv text); /* NUL-terminated copy */

/* Read a regular file of at most max bytes, path relative to conf_dir; NUL
 * after it; the caller frees.  mode may be NULL. */
char *conf_read(const struct conf *c, const char *path, size_t max, size_t *n,
		unsigned *mode, struct err *e);

/* Tree of one file; never NULL, a map unless the file says otherwise. */
struct conf_tree *conf_parse_yaml(struct conf *c, struct conf_source *s);
void conf_append(struct conf *c, struct conf_tree *t, struct conf_tree *key,
		 struct conf_tree *item);

/* The text without tabs outside quotes; each line that has one is an error.
 * Sets s->shift.  The caller frees. */
char *conf_untab(struct conf *c, struct conf_source *s, size_t *n);

void conf_fault_at(struct conf *c, enum conf_severity severity,
		   struct conf_source *s, struct conf_place at,
		   const char *code, const char *hint, const char *fmt, ...)
	PRINTF(7, 8);

/* What may be a secret by its name, where no schema has told. */
bool conf_names_secret(struct sv key);
bool conf_is_reference(struct sv text); /* "${file:x}": not the secret */
/* Column, from 1, from which a line of a broken file is not to be shown;
 * SIZE_MAX: all of it may. */
size_t conf_secret_col(const struct conf_source *s, unsigned line);

#endif
