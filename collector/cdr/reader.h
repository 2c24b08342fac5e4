/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COLLECTOR_CDR_READER_H
#define COLLECTOR_CDR_READER_H

#include <stdio.h>

#include "collector/cdr/profile.h"
#include "collector/cdr/reject.h"
#include "collector/resolve.h"

/*
 * Call records of one file, one event a row.  Only whole lines are taken: the
 * offset always stands after a line end.  An Asterisk row is one line, so a
 * torn row with an open quote costs itself and not the next one.
 */
struct cdr_reader;

struct cdr_reader_opts {
	const char *path; /* for messages */
	const char *source;
	bool detect; /* Asterisk or, with its header, profile_csv */
	const struct profile *profile;	 /* NULL = Asterisk */
	const struct hash_key *key;	 /* of call keys */
	const struct resolver *resolver; /* never NULL */
	struct cdr_clock *clock;	 /* lives as long as the source */
	struct rejects *rejects;
	uint64_t offset; /* begin here: a place that the offset was at */
	uint64_t line;	 /* lines before it */
	bool finite;	 /* the end of the file is the end of its last line */
};

enum reader_rc {
	READER_EVENT,
	READER_IDLE,   /* no whole line for now */
	READER_END,    /* finite only */
	READER_FAILED, /* *e: unreadable, or not the header it should have */
};

/* Takes the stream on success (closes it in the end). */
MUST_USE bool cdr_reader_new(struct cdr_reader **out, FILE *in,
			     const struct cdr_reader_opts *o, struct err *e);
void cdr_reader_free(struct cdr_reader *r); /* NULL ok */

enum reader_rc cdr_reader_next(struct cdr_reader *r, struct event *ev,
			       struct err *e);

uint64_t cdr_reader_offset(const struct cdr_reader *r);
uint64_t cdr_reader_line(const struct cdr_reader *r);
int cdr_reader_fd(const struct cdr_reader *r);

#endif
