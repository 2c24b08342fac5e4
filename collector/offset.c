/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/offset.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "common/mem.h"

enum { OFFSETS_MAGIC = 0x31465754 /* "TWF1" */ };

struct offsets {
	struct source_mark mark[MARKS_MAX];
	bool dirty[MARKS_MAX];
	bool held[MARKS_MAX]; /* a source has the file in its list */
	bool settled;	      /* all sources have looked */
	int n;
	struct source_mark cursor[MARKS_MAX];
};

/* Stored as it is, marks behind it; crc is over marks, boot and pos. */
struct stored {
	uint32_t magic;
	uint32_t n;
	uint32_t boot;
	uint32_t crc;
	uint64_t pos;
};

struct offsets *offsets_new(void)
{
	return xcalloc(1, sizeof(struct offsets));
}

void offsets_free(struct offsets *o)
{
	free(o);
}

/* The mark of a file that is gone; -1: none. */
static int spare(const struct offsets *o)
{
	for (int i = 0; o->settled && i < o->n; i++)
		if (!o->held[i])
			return i;
	return -1;
}

int offsets_slot(struct offsets *o, const char *source, uint64_t dev,
		 uint64_t ino)
{
	struct source_mark *m = o->mark;
	struct sv name = sv_of(source);
	int i;

	for (i = 0; i < o->n; i++, m++)
		if (m->dev == dev && m->ino == ino &&
		    sv_eq(sv_field(m->source, sizeof(m->source)), name))
			return i;
	i = o->n < MARKS_MAX ? o->n++ : spare(o);
	if (i < 0)
		return -1;
	m = &o->mark[i];
	*m = (struct source_mark){.dev = dev, .ino = ino};
	sv_put(m->source, sizeof(m->source), name);
	o->dirty[i] = false;
	return i;
}

void offsets_hold(struct offsets *o, int slot, bool held)
{
	o->held[slot] = held;
}

void offsets_settled(struct offsets *o, bool settled)
{
	o->settled = settled;
}

const struct source_mark *offsets_get(const struct offsets *o, int slot)
{
	return &o->mark[slot];
}

void offsets_set(struct offsets *o, int slot, const struct source_mark *m)
{
	o->mark[slot] = *m;
	o->dirty[slot] = true;
}

struct sv offsets_cursor(struct offsets *o)
{
	size_t n = 0;

	for (int i = 0; i < o->n; i++) {
		if (o->dirty[i])
			o->cursor[n++] = o->mark[i];
		o->dirty[i] = false;
	}
	return (struct sv){(const char *)o->cursor, n * sizeof(o->cursor[0])};
}

bool offsets_apply(struct offsets *o, struct sv cursor)
{
	struct source_mark m;

	if (cursor.n % sizeof(m) != 0)
		return false;
	for (size_t at = 0; at < cursor.n; at += sizeof(m)) {
		char name[sizeof(m.source) + 1] = "";
		int slot;

		memcpy(&m, cursor.p + at, sizeof(m));
		memcpy(name, m.source, sizeof(m.source));
		slot = offsets_slot(o, name, m.dev, m.ino);
		if (slot >= 0)
			o->mark[slot] = m;
	}
	return true;
}

void offsets_again(struct offsets *o, struct sv cursor)
{
	size_t n = cursor.n / sizeof(o->cursor[0]);

	for (size_t k = 0; k < n; k++)
		for (int i = 0; i < o->n; i++)
			if (memcmp(&o->mark[i], &o->cursor[k],
				   sizeof(o->mark[i])) == 0)
				o->dirty[i] = true;
}

static uint32_t sum(const struct stored *h, const struct source_mark *m)
{
	uLong crc = crc32(0, (const Bytef *)&h->pos, sizeof(h->pos));

	crc = crc32(crc, (const Bytef *)&h->boot, sizeof(h->boot));
	return (uint32_t)crc32(crc, (const Bytef *)m,
			       (uInt)(h->n * sizeof(*m)));
}

bool offsets_load(struct offsets *o, const char *path, uint32_t *boot,
		  uint64_t *pos, struct err *e)
{
	struct stored h;
	FILE *f = fopen(path, "re");
	bool ok;

	*boot = 0;
	*pos = 0;
	if (!f && errno == ENOENT)
		return true;
	if (!f)
		return err_set(e, "%s: %s", path, strerror(errno));
	ok = fread(&h, sizeof(h), 1, f) == 1 && h.magic == OFFSETS_MAGIC &&
	     h.n <= MARKS_MAX &&
	     fread(o->mark, sizeof(o->mark[0]), h.n, f) == h.n &&
	     sum(&h, o->mark) == h.crc;
	fclose(f);
	if (!ok)
		return err_set(e, "%s: is damaged", path);
	o->n = (int)h.n;
	*boot = h.boot;
	*pos = h.pos;
	return true;
}

bool offsets_save(const struct offsets *o, const char *path, uint32_t boot,
		  uint64_t pos, struct err *e)
{
	struct stored h = {OFFSETS_MAGIC, (uint32_t)o->n, boot, 0, pos};
	char temp[512];
	FILE *f;
	bool ok;

	if ((size_t)snprintf(temp, sizeof(temp), "%s.new", path) >=
	    sizeof(temp))
		return err_set(e, "%s: path is too long", path);
	f = fopen(temp, "we");
	if (!f)
		return err_set(e, "%s: %s", temp, strerror(errno));
	h.crc = sum(&h, o->mark);
	ok = fwrite(&h, sizeof(h), 1, f) == 1 &&
	     fwrite(o->mark, sizeof(o->mark[0]), h.n, f) == h.n &&
	     fflush(f) == 0 && fdatasync(fileno(f)) == 0;
	ok = fclose(f) == 0 && ok && rename(temp, path) == 0;
	return ok || err_set(e, "%s: %s", path, strerror(errno));
}
