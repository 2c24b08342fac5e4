/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/source/source.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "collector/cdr/reader.h"
#include "collector/source/pcap.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"

enum {
	HEAD_BYTES = 256,
	PATH_BYTES = 512,
	LATE_US = 1000000, /* live: a frame is read so long after its time */
	QUIET_S = 5, /* a capture file is complete when left alone so long */
};

struct file {
	char *path;
	int slot;  /* of its mark */
	bool seen; /* in the last scan */
	bool done; /* broken, or a capture that was read */
	struct cdr_reader *reader;
	struct cdr_clock clock; /* of the order of its rows */
};

struct source {
	struct source_opts o;
	char pattern[PATH_BYTES];
	struct file **file; /* each stays where it is: readers point into it */
	size_t n, at;
	struct pcap_source *pcap;
	bool live;     /* pcap: of an interface and not of files */
	bool quiet;    /* live: all was read at the last look */
	bool open;     /* pcap: file[at] is being read, or the interface */
	uint64_t skip; /* pcap: events that were taken in an earlier life */
	bool has_head;
	struct event head;
	struct source_mark mark; /* once head is taken */
	int slot;
	struct rejects rejects;
	uint64_t broken;
};

/* A mark of an inode is for this file only if its first bytes are the same;
 * a file that was empty when it was first seen has none yet. */
static void check_head(FILE *f, struct source_mark *m)
{
	uint8_t head[HEAD_BYTES];
	size_t n;

	rewind(f);
	n = fread(head, 1, sizeof(head), f);
	rewind(f);
	if (m->head_n > 0) {
		if (m->head_n <= n &&
		    hash64(&hash_public_key, head, m->head_n) == m->head_hash)
			return;
		m->offset = m->line = 0;
		m->last_end = 0;
		m->flags = 0;
	}
	m->head_n = (uint32_t)n;
	m->head_hash = hash64(&hash_public_key, head, n);
}

/* Open a file and bring its mark in order. */
static FILE *open_file(struct source *s, struct file *f)
{
	struct source_mark m = *offsets_get(s->o.offsets, f->slot);
	FILE *in = fopen(f->path, "re");
	struct stat st;

	if (!in || fstat(fileno(in), &st) < 0) {
		static struct log_limit limit;

		if (log_allow(&limit, 10))
			log_warn("source: %s: %s: %s", s->o.conf->name, f->path,
				 strerror(errno));
		if (in)
			fclose(in);
		return NULL;
	}
	check_head(in, &m);
	if (s->o.conf->kind == SOURCE_FILE && m.offset > (uint64_t)st.st_size)
		m.offset = m.line = 0;
	offsets_set(s->o.offsets, f->slot, &m);
	return in;
}

static void give_up(struct source *s, struct file *f, const struct err *e)
{
	f->done = true;
	s->broken++;
	log_error("source: %s: %s", s->o.conf->name, e->text);
}

static void close_reader(struct file *f)
{
	cdr_reader_free(f->reader);
	f->reader = NULL;
}

static bool open_reader(struct source *s, struct file *f)
{
	const struct source_mark *m;
	FILE *in = open_file(s, f);
	struct cdr_reader_opts o = {
		.path = f->path,
		.source = s->o.conf->name,
		.profile = s->o.conf->profile,
		.key = &s->o.site->key,
		.resolver = &s->o.conf->resolver,
		.clock = &f->clock,
		.rejects = &s->rejects,
		.finite = s->o.finite,
	};
	struct err e;

	if (!in)
		return false;
	m = offsets_get(s->o.offsets, f->slot);
	o.offset = m->offset;
	o.line = m->line;
	f->clock = (struct cdr_clock){
		.zone = s->o.conf->zone,
		.last_end = m->last_end,
		.second = m->flags & MARK_SECOND,
		.utc = m->flags & MARK_UTC,
	};
	if (cdr_reader_new(&f->reader, in, &o, &e))
		return true;
	fclose(in);
	give_up(s, f, &e);
	return false;
}

static void mark_row(struct source *s, const struct file *f)
{
	s->slot = f->slot;
	s->mark = *offsets_get(s->o.offsets, f->slot);
	s->mark.offset = cdr_reader_offset(f->reader);
	s->mark.line = cdr_reader_line(f->reader);
	s->mark.last_end = f->clock.last_end;
	s->mark.flags = (f->clock.second ? MARK_SECOND : 0u) |
			(f->clock.utc ? MARK_UTC : 0u);
}

/* A file that is not to be seen any more was renamed, and may come back, or
 * deleted: then another may have its inode at once. */
static void leave(struct source *s, struct file *f)
{
	struct source_mark m = *offsets_get(s->o.offsets, f->slot);
	struct stat st;

	f->done = true;
	if (!f->reader)
		return;
	if (fstat(cdr_reader_fd(f->reader), &st) == 0 && st.st_nlink == 0) {
		m.offset = m.line = m.head_hash = 0;
		m.head_n = m.flags = 0;
		m.last_end = 0;
		offsets_set(s->o.offsets, f->slot, &m);
	}
	close_reader(f);
}

/* One file's next row.  False: it has none (now). */
static bool pull_row(struct source *s, struct file *f)
{
	struct err e;

	if (!f->seen && !f->reader)
		leave(s, f);
	if (f->done || (!f->reader && !open_reader(s, f)))
		return false;
	switch (cdr_reader_next(f->reader, &s->head, &e)) {
	case READER_EVENT:
		mark_row(s, f);
		return true;
	case READER_FAILED:
		give_up(s, f, &e);
		close_reader(f);
		return false;
	case READER_END:
		f->done = true;
		close_reader(f);
		return false;
	case READER_IDLE:
		break;
	}
	if (!f->seen)
		leave(s, f);
	return false;
}

static bool pull_cdr(struct source *s)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->at >= s->n)
			s->at = 0;
		if (pull_row(s, s->file[s->at]))
			return true;
		s->at++;
	}
	return false;
}

/* A capture is read once it is whole. */
static bool is_quiet(const struct source *s, const struct file *f)
{
	struct stat st;

	return s->o.finite ||
	       (stat(f->path, &st) == 0 && st.st_mtime + QUIET_S < time(NULL));
}

static bool open_capture(struct source *s, struct file *f)
{
	FILE *in;
	struct err e;

	f->done |= !f->seen; /* those behind it must not wait for ever */
	if (f->done || !is_quiet(s, f))
		return false;
	in = open_file(s, f);
	if (!in)
		return false;
	fclose(in);
	if (!pcap_source_open(s->pcap, f->path, &e)) {
		give_up(s, f, &e);
		return false;
	}
	s->skip = offsets_get(s->o.offsets, f->slot)->offset;
	s->mark = *offsets_get(s->o.offsets, f->slot);
	s->mark.offset = 0;
	s->slot = f->slot;
	s->open = true;
	return true;
}

static bool pull_capture(struct source *s, struct file *f)
{
	struct err e;

	while (s->open || open_capture(s, f)) {
		enum pcap_source_rc rc =
			pcap_source_next(s->pcap, &s->head, &e);

		if (rc == PCAP_SOURCE_EVENT) {
			s->mark.offset++;
			if (s->mark.offset > s->skip)
				return true;
			continue;
		}
		s->open = false;
		if (rc == PCAP_SOURCE_BROKEN)
			give_up(s, f, &e);
		f->done = true;
	}
	return false;
}

static bool pull_pcap(struct source *s)
{
	for (; s->at < s->n; s->at++) {
		struct file *f = s->file[s->at];

		if (pull_capture(s, f))
			return true;
		if (!f->done) /* those behind it come later */
			return false;
	}
	return false;
}

static bool pull_live(struct source *s)
{
	enum pcap_source_rc rc;
	struct err e;

	rc = pcap_source_next(s->pcap, &s->head, &e);
	s->quiet = rc != PCAP_SOURCE_EVENT;
	if (rc == PCAP_SOURCE_BROKEN && s->open) {
		s->open = false;
		s->broken++;
		log_error("source: %s: %s", s->o.conf->name, e.text);
	}
	return rc == PCAP_SOURCE_EVENT;
}

static bool pull(struct source *s)
{
	if (s->live)
		return pull_live(s);
	return s->pcap ? pull_pcap(s) : pull_cdr(s);
}

enum source_rc source_peek(struct source *s, struct event **ev)
{
	*ev = &s->head;
	if (!s->has_head)
		s->has_head = pull(s);
	if (s->has_head)
		return SOURCE_EVENT;
	return s->o.finite ? SOURCE_END : SOURCE_IDLE;
}

void source_take(struct source *s)
{
	if (!s->live)
		offsets_set(s->o.offsets, s->slot, &s->mark);
	s->has_head = false;
}

static struct file *find_file(struct source *s, int slot)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->file[i]->slot == slot)
			return s->file[i];
	return NULL;
}

static void add_file(struct source *s, const char *path, const struct stat *st)
{
	static struct log_limit limit;
	int slot = offsets_slot(s->o.offsets, s->o.conf->name, st->st_dev,
				st->st_ino);
	struct file *f;

	if (slot < 0) {
		if (log_allow(&limit, 60))
			log_error("source: %s: more than %d files: move old "
				  "ones away; not read: %s",
				  s->o.conf->name, MARKS_MAX, path);
		return;
	}
	f = find_file(s, slot);
	if (f) {
		f->seen = true;
		if (strcmp(f->path, path) != 0) {
			free(f->path);
			f->path = xstrdup(path);
		}
		/* cut while it is open (copytruncate) */
		if (f->reader && !s->o.finite &&
		    (uint64_t)st->st_size < cdr_reader_offset(f->reader))
			close_reader(f);
		return;
	}
	f = xcalloc(1, sizeof(*f));
	*f = (struct file){.path = xstrdup(path), .slot = slot, .seen = true};
	s->file = xrealloc(s->file, s->n + 1, sizeof(*s->file));
	s->file[s->n++] = f;
	offsets_hold(s->o.offsets, slot, true);
}

static void free_file(struct file *f)
{
	cdr_reader_free(f->reader);
	free(f->path);
	free(f);
}

/* Files that were done with and are gone.  One that has the same inode later
 * is a new one. */
static void drop_gone(struct source *s)
{
	size_t kept = 0, before = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct file *f = s->file[i];

		if (!f->done || f->seen) {
			s->file[kept++] = f;
			continue;
		}
		before += i < s->at;
		offsets_hold(s->o.offsets, f->slot, false);
		free_file(f);
	}
	s->n = kept;
	s->at -= before;
}

static bool listen_now(struct source *s, struct err *e)
{
	const struct source_conf *c = s->o.conf;

	s->open = pcap_source_listen(s->pcap, c->interface, c->filter, e);
	if (s->open)
		log_info("source: %s: listens on %s", c->name, c->interface);
	return s->open;
}

/* An interface may go and come back. */
static void scan_live(struct source *s)
{
	static struct log_limit limit;
	struct err e;

	if (s->quiet)
		pcap_source_quiet(s->pcap, clock_wall().us - LATE_US);
	if (!s->open && !listen_now(s, &e) && log_allow(&limit, 60))
		log_warn("source: %s: %s", s->o.conf->name, e.text);
}

void source_scan(struct source *s)
{
	glob_t g;

	if (s->live) {
		scan_live(s);
		return;
	}
	drop_gone(s);
	for (size_t i = 0; i < s->n; i++)
		s->file[i]->seen = false;
	if (glob(s->pattern, 0, NULL, &g) != 0)
		return;
	for (size_t i = 0; i < g.gl_pathc; i++) {
		struct stat st;

		if (stat(g.gl_pathv[i], &st) == 0 && S_ISREG(st.st_mode))
			add_file(s, g.gl_pathv[i], &st);
	}
	globfree(&g);
}

static bool set_pattern(struct source *s, struct err *e)
{
	const char *path = s->o.conf->path;
	int n = snprintf(s->pattern, sizeof(s->pattern), "%s%s%s",
			 path[0] == '/' ? "" : s->o.base,
			 path[0] == '/' ? "" : "/", path);

	return (n >= 0 && (size_t)n < sizeof(s->pattern)) ||
	       err_set(e, "%s: path is too long", path);
}

static struct pcap_source *new_pcap(const struct source_opts *o)
{
	return pcap_source_new(&(struct pcap_source_opts){
		.source = o->conf->name,
		.key = o->site->key,
		.resolver = &o->conf->resolver,
		.dialogs_max = o->site->dialogs_max,
		.max_call_us = o->site->max_call_us,
	});
}

static bool start(struct source *s, struct err *e)
{
	if (!s->live && !set_pattern(s, e))
		return false;
	if (s->live && s->o.finite)
		return err_set(e,
			       "source %s: an interface has no end: it "
			       "wants site.clock: wall and no --until-end",
			       s->o.conf->name);
	if (!rejects_open(&s->rejects, s->o.rejects, s->o.conf->name, e))
		return false;
	if (s->o.conf->kind == SOURCE_PCAP)
		s->pcap = new_pcap(&s->o);
	if (s->live)
		return listen_now(s, e);
	source_scan(s);
	return true;
}

bool source_new(struct source **out, const struct source_opts *o, struct err *e)
{
	struct source *s = xcalloc(1, sizeof(*s));

	*out = NULL;
	s->o = *o;
	s->live = o->conf->interface != NULL;
	if (!start(s, e)) {
		source_free(s);
		return false;
	}
	*out = s;
	return true;
}

void source_free(struct source *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++) {
		offsets_hold(s->o.offsets, s->file[i]->slot, false);
		free_file(s->file[i]);
	}
	pcap_source_free(s->pcap);
	rejects_close(&s->rejects);
	free(s->file);
	free(s);
}

const char *source_name(const struct source *s)
{
	return s->o.conf->name;
}

int source_fd(const struct source *s)
{
	return s->live ? pcap_source_fd(s->pcap) : -1;
}

bool source_is_pcap(const struct source *s)
{
	return s->pcap != NULL;
}

bool source_capture(const struct source *s, struct pcap_source_stats *out)
{
	if (s->pcap)
		*out = pcap_source_stats(s->pcap);
	return s->pcap != NULL;
}

uint64_t source_rejected(const struct source *s)
{
	return s->rejects.total;
}

uint64_t source_broken(const struct source *s)
{
	return s->broken + (s->live ? pcap_source_stats(s->pcap).dropped : 0);
}
