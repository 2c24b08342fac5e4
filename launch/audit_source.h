/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAUNCH_AUDIT_SOURCE_H
#define LAUNCH_AUDIT_SOURCE_H

#include "common/err.h"
#include "common/sv.h"

/*
 * What is verified, read once from front to back: the log as one snapshot of
 * the database sees it, or a file that such a reading was kept in.  The file
 * is the sections one after another, each as COPY's binary format.
 */
enum audit_section {
	AUDIT_SITE_ROW,	   /* site, now in us (int8), fingerprint, its makers */
	AUDIT_HEADS,	   /* stream, seq, hash; by stream */
	AUDIT_CHECKPOINTS, /* n, sha256; by n */
	AUDIT_ROWS,	   /* enum audit_col */
	AUDIT_SECTIONS,
};

enum audit_next { AUDIT_ROW, AUDIT_DONE, AUDIT_FAILED };

struct audit_source;

/* The makers: SHA-256 of the definition of every function that the fingerprint
 * and the heads come from.  As text, for queries of one's own. */
extern const char audit_makers_sql[];

/* dsn or file; keep: a file to write what is read to, or NULL. */
MUST_USE bool audit_source_open(struct audit_source **out, const char *dsn,
				const char *file, const char *keep,
				struct err *e);
void audit_source_free(struct audit_source *s); /* NULL ok */

/* Sections in their order, each read to its end. */
MUST_USE bool audit_source_section(struct audit_source *s,
				   enum audit_section section, struct err *e);
/* Columns are valid until the next call. */
enum audit_next audit_source_next(struct audit_source *s, struct sv *col,
				  struct err *e);

#endif
