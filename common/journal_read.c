/* SPDX-License-Identifier: Apache-2.0 */
#include "common/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/journal_seg.h"
#include "common/mem.h"

struct journal_reader {
	char *dir;
	uint64_t pos; /* of the next entry */
	struct seg_walk walk;
};

/* Open the segment that holds pos; when it was retired, the oldest there is.
 * JOURNAL_END: there is none yet. */
static enum journal_rc find(struct journal_reader *r, struct err *e)
{
	struct seg_list l;
	uint64_t size;
	uint64_t base;
	size_t i;

	if (!seg_list_read(&l, r->dir, e))
		return JOURNAL_CORRUPT;
	if (l.n == 0) {
		seg_list_free(&l);
		return JOURNAL_END;
	}
	for (i = 0; i + 1 < l.n && l.base[i + 1] <= r->pos; i++)
		;
	base = l.base[i];
	seg_list_free(&l);

	if (r->pos < base)
		r->pos = base;
	if (!seg_walk_open(&r->walk, r->dir, base, e) ||
	    !seg_size(r->dir, base, &size, e))
		goto fail;
	if (r->pos - base > size) {
		err_set(e, "%s: position %llu is past the end", r->dir,
			(unsigned long long)r->pos);
		goto fail;
	}
	r->walk.off = r->pos - base;
	return JOURNAL_OK;
fail:
	seg_walk_close(&r->walk);
	return JOURNAL_CORRUPT;
}

/* Was a later segment begun?  Then this one grows no more. */
static bool is_closed(struct journal_reader *r)
{
	struct seg_list l;
	struct err ignored;
	bool later;

	if (!seg_list_read(&l, r->dir, &ignored))
		return false;
	later = l.n && l.base[l.n - 1] > r->walk.base;
	seg_list_free(&l);
	return later;
}

bool journal_read_open(struct journal_reader **out, const char *dir,
		       uint64_t pos, struct err *e)
{
	struct journal_reader *r = xcalloc(1, sizeof(*r));

	r->dir = xstrdup(dir);
	r->pos = pos;
	r->walk.fd = -1;
	if (find(r, e) == JOURNAL_CORRUPT) {
		journal_read_close(r);
		return false;
	}
	*out = r;
	return true;
}

void journal_read_close(struct journal_reader *r)
{
	if (!r)
		return;
	seg_walk_free(&r->walk);
	free(r->dir);
	free(r);
}

/* The end of what is written, or of a segment that others follow: then
 * whatever the writer still added to it before is read first. */
static enum seg_rc next_closed(struct journal_reader *r, struct sv *payload,
			       enum seg_rc rc, struct err *e)
{
	if ((rc != SEG_END && rc != SEG_TAIL) || !is_closed(r))
		return rc;
	rc = seg_next(&r->walk, r->dir, payload, e);
	if (rc == SEG_END)
		seg_walk_close(&r->walk);
	if (rc == SEG_TAIL) {
		err_set(e, "%s: position %llu: entry is cut short", r->dir,
			(unsigned long long)r->pos);
		rc = SEG_CORRUPT;
	}
	return rc;
}

enum journal_rc journal_next(struct journal_reader *r, struct sv *payload,
			     uint64_t *end, struct err *e)
{
	for (;;) {
		enum journal_rc found =
			r->walk.fd < 0 ? find(r, e) : JOURNAL_OK;
		enum seg_rc rc;

		if (found != JOURNAL_OK)
			return found;
		rc = seg_next(&r->walk, r->dir, payload, e);
		rc = next_closed(r, payload, rc, e);
		if (rc == SEG_CORRUPT)
			return JOURNAL_CORRUPT;
		if (rc == SEG_OK) {
			r->pos = r->walk.base + r->walk.off;
			*end = r->pos;
			return JOURNAL_OK;
		}
		if (r->walk.fd >= 0)
			return JOURNAL_END;
	}
}
