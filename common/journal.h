/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_JOURNAL_H
#define COMMON_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "common/err.h"
#include "common/sv.h"

/*
 * An append-only log in segment files of one directory: the collector's
 * spool, the analyzer's archive and findings, the alerter's outbox.
 *
 *   dir/0000000000000000.seg   header, entry, entry, ...
 *   dir/0000000004000000.seg   named by the position of its first entry
 *
 * An entry is [length u32][crc32 u32][payload, padded with zeros to 8].  A
 * position is the offset of an entry in the endless concatenation of all
 * segments' entries; it only rises and survives restarts.  Opening for
 * writing cuts a torn tail (short or wrong CRC at the very end of the last
 * segment; the cut is reported); a bad entry anywhere else is corruption and
 * an error naming file and offset.  One writer (flock); any readers.
 */
struct journal;

struct journal_opts {
	uint64_t segment_bytes; /* a new segment begins past this; 0 = 64 MiB */
	bool read_only;		/* no lock, no repair: for "why", "backtest" */
};

/* Create the directory if needed (0700). */
MUST_USE bool journal_open(struct journal **out, const char *dir,
			   const struct journal_opts *o, struct err *e);
void journal_close(struct journal *j); /* syncs; NULL ok */

/* Append one entry in one write.  *end (may be NULL) = position after it.
 * On failure (disk full) nothing of it stays. */
MUST_USE bool journal_append(struct journal *j, const struct iovec *iov, int n,
			     uint64_t *end, struct err *e);

/* fdatasync what was appended since the last sync; cheap when nothing was. */
MUST_USE bool journal_sync(struct journal *j, struct err *e);

uint64_t journal_begin(const struct journal *j); /* oldest position held */
uint64_t journal_end(const struct journal *j);	 /* after the last entry */
uint64_t journal_bytes(const struct journal *j); /* end - begin */
uint64_t journal_torn(const struct journal *j);	 /* bytes cut at open */

/* Delete whole segments that end at or before pos, never the one being
 * written; if everything was retired and the last segment is past its size
 * a new one is begun first. */
MUST_USE bool journal_retire(struct journal *j, uint64_t pos, struct err *e);

/* Delete whole segments last written before wall_us (retention). */
MUST_USE bool journal_expire(struct journal *j, int64_t wall_us, struct err *e);

/* Reading: entries from a position on, while the writer goes on. */
struct journal_reader;

enum journal_rc {
	JOURNAL_OK = 0,
	JOURNAL_END,	 /* no more for now: call again later */
	JOURNAL_CORRUPT, /* *e says where */
};

MUST_USE bool journal_read_open(struct journal_reader **out, const char *dir,
				uint64_t pos, struct err *e);
void journal_read_close(struct journal_reader *r); /* NULL ok */

/* *payload is 8-byte aligned and valid until the next call; *end is the
 * position after the entry. */
enum journal_rc journal_next(struct journal_reader *r, struct sv *payload,
			     uint64_t *end, struct err *e);

#endif
