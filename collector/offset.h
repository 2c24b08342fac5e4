/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COLLECTOR_OFFSET_H
#define COLLECTOR_OFFSET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/sv.h"

/*
 * How far each file has been read.  A mark moves with the events of its file:
 *
 *   batch in the spool = events + cursor (the marks they moved)
 *   file of offsets    = all marks as of one position of the spool
 *   after a restart    = that file, then the cursors behind its position
 *
 * So events and offsets are one write: no event is lost or spooled twice.
 */
struct source_mark {
	char source[16];
	uint64_t dev; /* which file: renaming does not change it */
	uint64_t ino;
	uint64_t head_hash; /* of its first head_n bytes: an inode is used
			     * again after a file is deleted */
	uint32_t head_n;
	uint32_t flags;	 /* enum mark_flag */
	uint64_t offset; /* CDR: bytes; pcap: events it gave so far */
	uint64_t line;
	int64_t last_end; /* of struct cdr_clock */
};
_Static_assert(sizeof(struct source_mark) == 72, "marks are stored");

enum mark_flag { MARK_SECOND = 1, MARK_UTC = 2 };
enum { MARKS_MAX = 1024 }; /* a cursor of all of them fits in a batch */

struct offsets;

struct offsets *offsets_new(void);
void offsets_free(struct offsets *o); /* NULL ok */

/* The slot of a file, made when needed; -1: MARKS_MAX are in use.  When there
 * is no free one, that of a file which nobody holds is taken, but only once
 * every source has said which files are there: settled. */
int offsets_slot(struct offsets *o, const char *source, uint64_t dev,
		 uint64_t ino);
void offsets_hold(struct offsets *o, int slot, bool held);
void offsets_settled(struct offsets *o, bool settled);
const struct source_mark *offsets_get(const struct offsets *o, int slot);
void offsets_set(struct offsets *o, int slot, const struct source_mark *m);

/* The marks set since the last call, valid until the next. */
struct sv offsets_cursor(struct offsets *o);
/* The cursor could not be written: hand its marks out again. */
void offsets_again(struct offsets *o, struct sv cursor);
/* Marks out of a batch; false: not a cursor. */
bool offsets_apply(struct offsets *o, struct sv cursor);

/* boot and pos (of the spool) are kept beside the marks.  An absent file is
 * no error: zeros. */
MUST_USE bool offsets_load(struct offsets *o, const char *path, uint32_t *boot,
			   uint64_t *pos, struct err *e);
MUST_USE bool offsets_save(const struct offsets *o, const char *path,
			   uint32_t boot, uint64_t pos, struct err *e);

#endif
