/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_CONF_H
#define COMMON_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/err.h"
#include "common/hash.h"
#include "common/sv.h"

/*
 * Configuration: strict YAML (libyaml) under a schema tree.
 *
 *   files ──libyaml──▶ struct conf_tree ──conf_walk(schema)──▶ your struct
 *                      (every node knows file, line, column)
 *
 * All errors of all files come out in one run, each with file:line:column,
 * the line, a caret under the fault and, for a misspelt key or name, "did you
 * mean".  Tabs, aliases, anchors, tags, duplicate and unknown keys are
 * errors.  "${file:path}" (relative to the config's folder; mode must not be
 * readable by others) and "${env:NAME}" stand for a whole scalar and are
 * accepted only where the schema says CONF_SECRET or CONF_ENV.
 *
 * Two readers use it: a table of struct conf_node for what is regular, and
 * the tree itself (CONF_TREE, conf_get...) for what is not, e.g. limits.
 */
struct conf;	  /* loaded files, their trees, the errors found so far */
struct conf_tree; /* one YAML node */

/* Load dir/tollwatch.yaml (or the named file) and the files of its top-level
 * "include" list, which are merged into one map (a key in two files is an
 * error).  False only when the first file cannot be read; everything else is
 * an error inside *out. */
MUST_USE bool conf_load(struct conf **out, const char *path, struct err *e);
void conf_free(struct conf *c); /* NULL ok */

/* From here on an unset ${env:} leaves its field as it was, for a check on a
 * machine where the program will not run. */
void conf_env_optional(struct conf *c);

/* Folder of the first file, without a final slash; "." at least. */
const char *conf_dir(const struct conf *c);

/* SHA-256 over names and contents of all files read through c so far (CSV
 * files included, see conf_file; secrets not), in order of reading. */
void conf_hash(const struct conf *c, char out[SHA256_HEX]);

/* Read a side file (CSV) named in the config: path relative to conf_dir.
 * The text is NUL-terminated, owned by c, writable (csv_next).  NULL: the
 * error is recorded at `at`. */
char *conf_file(struct conf *c, const struct conf_tree *at, struct sv path,
		size_t *n, const char **name);

/* Every file read through c so far: its name relative to conf_dir and what
 * was in it. */
void conf_each_file(const struct conf *c,
		    void (*each)(void *arg, const char *name,
				 struct sv content),
		    void *arg);

/* ---- errors ---- */
enum conf_severity { CONF_ERROR, CONF_WARNING };

/* Record an error at a node.  code is a short stable word ("unknown-key");
 * hint is NULL or what to do ("did you mean 'within'?"). */
void conf_error(struct conf *c, const struct conf_tree *at, const char *code,
		const char *hint, const char *fmt, ...) PRINTF(5, 6);
void conf_warn(struct conf *c, const struct conf_tree *at, const char *code,
	       const char *hint, const char *fmt, ...) PRINTF(5, 6);

/* The same at a place in a side file: line and col from 1; text is the line
 * that is shown. */
void conf_error_at(struct conf *c, const char *file, unsigned line,
		   unsigned col, struct sv text, const char *code,
		   const char *hint, const char *fmt, ...) PRINTF(8, 9);

/* Show nothing of this scalar in any report: it holds a secret. */
void conf_hide(struct conf *c, const struct conf_tree *t);

size_t conf_errors(const struct conf *c); /* warnings not counted */
size_t conf_warnings(const struct conf *c);

/* Sorted by file and line; JSON Lines `file line col severity code message
 * hint`, or text with the line and a caret. */
void conf_report(const struct conf *c, FILE *out, bool as_json, bool colour);

/* Nearest of names[0..n) to text within edit distance 2 (or a third of its
 * length), NULL when none is near. */
const char *conf_nearest(struct sv text, const char *const *names, size_t n);

/* ---- the tree ---- */
enum conf_tree_kind { TREE_SCALAR, TREE_LIST, TREE_MAP };

const struct conf_tree *conf_root(const struct conf *c);
enum conf_tree_kind conf_kind(const struct conf_tree *t);
struct sv conf_text(const struct conf_tree *t); /* scalar; else empty */
size_t conf_len(const struct conf_tree *t);	/* items of list or map */
const struct conf_tree *conf_item(const struct conf_tree *t, size_t i);
const struct conf_tree *conf_key(const struct conf_tree *t, size_t i);
/* Value of a key in a map; NULL when absent. */
const struct conf_tree *conf_get(const struct conf_tree *t, const char *key);
const char *conf_filename(const struct conf_tree *t);
unsigned conf_line(const struct conf_tree *t); /* from 1 */

/* ---- the schema ---- */
enum conf_kind {
	CONF_SCALAR,
	CONF_MAP,   /* child: table of nodes ended by {0}, in the same struct */
	CONF_LIST,  /* child: one node (name NULL) for each item */
	CONF_DICT,  /* map with free keys; child: one node for each value; the
		     * item's first member must be `const char *name` */
	CONF_TREE,  /* field is const struct conf_tree *: you walk it */
	CONF_OTHER, /* another program's section: accepted, not looked at */
};

enum conf_flag {
	CONF_REQUIRED = 1 << 0,
	CONF_SECRET = 1 << 1,	/* ${file:} ${env:}; never shown */
	CONF_ENV = 1 << 2,	/* ${env:} and ${file:} allowed, not secret */
	CONF_RESTART = 1 << 3,	/* a reload cannot change it */
	CONF_KEY_TEXT = 1 << 4, /* CONF_DICT: keys are any text, not names */
};

struct conf_node;

/* Turn a scalar into *field, or say why not.  text is NUL-terminated too. */
typedef bool conf_parse_fn(const struct conf_node *n, struct sv text,
			   void *field, struct err *e);

/* Array made by CONF_LIST and CONF_DICT: n items of item_size bytes. */
struct conf_array {
	void *item;
	size_t n;
};

struct conf_node {
	const char *name;
	enum conf_kind kind;
	conf_parse_fn *parse;	       /* CONF_SCALAR */
	size_t at;		       /* offsetof the field */
	const struct conf_node *child; /* CONF_MAP, CONF_LIST, CONF_DICT */
	size_t item_size;	       /* CONF_LIST, CONF_DICT */
	const char *def;	       /* default text; NULL = leave zero */
	int64_t min, max; /* for the number parsers; both 0 = any */
	unsigned flags;
	const char *doc; /* one line; "make check" wants it in docs */
};

/* Validate the whole tree against schema and fill *out (zeroed first).
 * Strings and arrays live as long as c.  Errors go to c; true when this walk
 * added none.  When a CONF_MAP/list item struct wants to know where it stood
 * (for file:line in findings), give it a CONF_TREE node named "." . */
bool conf_walk(struct conf *c, const struct conf_tree *t,
	       const struct conf_node *schema, void *out);

/* Ready-made parsers.  Field types in brackets. */
conf_parse_fn conf_str;	     /* [const char *] non-empty */
conf_parse_fn conf_name;     /* [const char *] a-z 0-9 - _ . , at most max */
conf_parse_fn conf_bool;     /* [bool] true | false */
conf_parse_fn conf_u32;	     /* [uint32_t] bare count, min..max */
conf_parse_fn conf_duration; /* [int64_t us] "90s" "30m" "2h" "35d" "4w";
			      * "250ms"; several parts add up: "1h30m" */
conf_parse_fn conf_money;    /* [int64_t micropence] "£50" "25p" */
conf_parse_fn conf_bytes;    /* [uint64_t] "64MiB" "2GiB" */
conf_parse_fn conf_date;     /* [int64_t days since 1970] "2026-03-31" */

/* Dump every option with its doc for docs/configuration.md. */
void conf_document(const struct conf_node *schema, FILE *out);

#endif
