/* SPDX-License-Identifier: Apache-2.0 */
#include "common/journal_seg.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "common/mem.h"

void seg_name(uint64_t base, char out[SEG_NAME])
{
	snprintf(out, SEG_NAME, "%016llx.seg", (unsigned long long)base);
}

static bool seg_path(const char *dir, uint64_t base, char out[PATH_MAX],
		     struct err *e)
{
	char name[SEG_NAME];

	seg_name(base, name);
	if (snprintf(out, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
		return err_set(e, "%s: path is too long", dir);
	return true;
}

/* Only names that seg_name() would write. */
static bool name_parse(const char *name, uint64_t *base)
{
	char again[SEG_NAME];

	if (strlen(name) != SEG_NAME - 1)
		return false;
	*base = strtoull(name, NULL, 16);
	seg_name(*base, again);
	return strcmp(name, again) == 0;
}

static int base_order(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

void seg_list_add(struct seg_list *l, uint64_t base)
{
	l->base = xrealloc(l->base, l->n + 1, sizeof(*l->base));
	l->base[l->n++] = base;
}

void seg_list_drop(struct seg_list *l, size_t n)
{
	l->n -= n;
	memmove(l->base, l->base + n, l->n * sizeof(*l->base));
}

void seg_list_free(struct seg_list *l)
{
	free(l->base);
	*l = (struct seg_list){0};
}

bool seg_list_read(struct seg_list *l, const char *dir, struct err *e)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	uint64_t base;

	*l = (struct seg_list){0};
	if (!d)
		return err_set(e, "%s: %s", dir, strerror(errno));
	while ((entry = readdir(d)))
		if (name_parse(entry->d_name, &base))
			seg_list_add(l, base);
	closedir(d);
	if (l->n)
		qsort(l->base, l->n, sizeof(*l->base), base_order);
	return true;
}

void seg_header(uint64_t base, uint8_t out[SEG_HEADER])
{
	const uint32_t magic = SEG_MAGIC;
	const uint32_t version = SEG_VERSION;

	memcpy(out, &magic, 4);
	memcpy(out + 4, &version, 4);
	memcpy(out + 8, &base, 8);
}

bool seg_size(const char *dir, uint64_t base, uint64_t *size, struct err *e)
{
	char path[PATH_MAX];
	struct stat st;

	if (!seg_path(dir, base, path, e))
		return false;
	if (stat(path, &st))
		return err_set(e, "%s: %s", path, strerror(errno));
	if (st.st_size < SEG_HEADER)
		return err_set(e, "%s: offset 0: header is cut short", path);
	*size = (uint64_t)st.st_size - SEG_HEADER;
	return true;
}

/* ---- entries ---- */

enum entry_rc {
	ENTRY_OK = 0,
	ENTRY_SHORT,   /* it claims more than there is */
	ENTRY_BAD_LEN, /* empty, or longer than any entry */
	ENTRY_BAD_CRC,
};

uint32_t entry_crc_begin(uint32_t len)
{
	return (uint32_t)crc32(0, (const uint8_t *)&len, sizeof(len));
}

static uint32_t le32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static enum entry_rc entry_check(const uint8_t *p, size_t left, size_t *need)
{
	static const uint8_t zero[8];
	uint32_t len;
	uint32_t crc;

	*need = ENTRY_HEADER;
	if (*need > left)
		return ENTRY_SHORT;
	len = le32(p);
	if (len == 0 || len > ENTRY_MAX)
		return ENTRY_BAD_LEN;
	*need = entry_size(len);
	if (*need > left)
		return ENTRY_SHORT;
	crc = (uint32_t)crc32(entry_crc_begin(len), p + ENTRY_HEADER, len);
	if (crc != le32(p + 4) ||
	    memcmp(p + ENTRY_HEADER + len, zero, *need - ENTRY_HEADER - len))
		return ENTRY_BAD_CRC;
	return ENTRY_OK;
}

static bool all_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

/*
 * Is there a whole entry further on?  Then the damage before it is not the
 * end of an interrupted append, and cutting there would lose what is good.
 * The work is bounded; when the bound is reached nothing is cut.
 */
static bool entry_follows(const uint8_t *p, size_t left)
{
	size_t work = (size_t)64 << 20;

	for (size_t off = 8; off + ENTRY_HEADER < left; off += 8) {
		size_t need;
		enum entry_rc rc = entry_check(p + off, left - off, &need);

		if (rc == ENTRY_OK)
			return true;
		if (rc != ENTRY_BAD_CRC)
			continue;
		if (need > work)
			return true;
		work -= need;
	}
	return false;
}

/* The rest of the file begins with something that is no entry. */
static bool is_tail(const uint8_t *p, size_t left)
{
	size_t need;
	enum entry_rc rc = entry_check(p, left, &need);

	if (left > entry_size(ENTRY_MAX))
		return false;
	if (rc == ENTRY_BAD_CRC)
		return need == left;
	/* a power cut can leave the new size without the bytes */
	return all_zero(p, left) || !entry_follows(p, left);
}

/* ---- walking ---- */

bool seg_walk_open(struct seg_walk *w, const char *dir, uint64_t base,
		   struct err *e)
{
	uint8_t want[SEG_HEADER];
	uint8_t have[SEG_HEADER];
	char path[PATH_MAX];
	ssize_t n;

	if (!seg_path(dir, base, path, e))
		return false;
	seg_walk_close(w);
	w->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (w->fd < 0)
		return err_set(e, "%s: %s", path, strerror(errno));
	seg_header(base, want);
	n = pread(w->fd, have, sizeof(have), 0);
	if (n != SEG_HEADER || memcmp(want, have, SEG_HEADER)) {
		seg_walk_close(w);
		return err_set(e, "%s: offset 0: bad header", path);
	}
	w->base = base;
	if (!w->buf)
		w->buf = xmalloc(SEG_WINDOW);
	return true;
}

void seg_walk_close(struct seg_walk *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
	w->off = 0;
	w->at = 0;
	w->n = 0;
}

void seg_walk_free(struct seg_walk *w)
{
	seg_walk_close(w);
	free(w->buf);
	w->buf = NULL;
}

/* Read again from the next entry on, as much as there is. */
static bool refill(struct seg_walk *w)
{
	w->at = 0;
	w->n = 0;
	while (w->n < SEG_WINDOW) {
		off_t from = (off_t)(SEG_HEADER + w->off + w->n);
		ssize_t got =
			pread(w->fd, w->buf + w->n, SEG_WINDOW - w->n, from);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return false;
		if (got == 0)
			return true;
		w->n += (size_t)got;
	}
	return true;
}

static bool take(struct seg_walk *w, struct sv *payload)
{
	const uint8_t *p = w->buf + w->at;
	size_t need;

	if (entry_check(p, w->n - w->at, &need) != ENTRY_OK)
		return false;
	*payload = (struct sv){(const char *)p + ENTRY_HEADER, le32(p)};
	w->at += need;
	w->off += need;
	return true;
}

enum seg_rc seg_next(struct seg_walk *w, const char *dir, struct sv *payload,
		     struct err *e)
{
	char name[SEG_NAME];
	const char *why = "bad entry";
	size_t left;

	if (take(w, payload))
		return SEG_OK;
	/* only what was read just now says anything: the writer goes on */
	if (!refill(w)) {
		why = strerror(errno);
	} else {
		if (take(w, payload))
			return SEG_OK;
		left = w->n;
		w->n = 0;
		if (left == 0)
			return SEG_END;
		if (left < SEG_WINDOW && is_tail(w->buf, left))
			return SEG_TAIL;
	}
	seg_name(w->base, name);
	err_set(e, "%s/%s: offset %llu: %s", dir, name,
		(unsigned long long)(SEG_HEADER + w->off), why);
	return SEG_CORRUPT;
}
