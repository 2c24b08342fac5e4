/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verification: everything that was signed must be in the log as it was, and
 * the log must be whole.
 *
 *   1  the checkpoints, from 1 to the last in every place: signatures, order
 *   2  one snapshot of the database, taken after they were read: whatever a
 *      checkpoint we have seen was made of is in it
 *   3  the chain, link by link; where a checkpoint said what a stream ended
 *      with, it must say the same
 *   4  heads, catalogue
 *
 * What a checkpoint covers is proven.  What came after the last is consistent
 * at best: who owns the database could have made all of it anew.
 */
#include "launch/audit.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/mem.h"
#include "launch/audit_report.h"
#include "launch/audit_source.h"
#include "launch/checkpoint_folder.h"

/* What a checkpoint said of a stream, once for each new length. */
struct mark {
	char stream[AUDIT_STREAM];
	int64_t seq;
	uint64_t n; /* the checkpoint */
	uint8_t hash[AUDIT_HASH];
};

struct verify {
	const struct audit_opts *o;
	struct audit_report r;
	struct minisign_public key;
	struct checkpoint_folder place[AUDIT_PLACES];
	size_t places;
	struct checkpoint_file last; /* .c.n 0 = none */
	char (*sha256)[SHA256_HEX];  /* of number i + 1; "" = not there */
	uint64_t known;		     /* of sha256 */
	bool unfinished; /* the last is not in all places: perhaps not yet */
	struct mark *mark;
	size_t marks, marks_cap, next_mark;
	int64_t now_us;
	char catalogue[SHA256_HEX], makers[SHA256_HEX];
};

/* ---- 1: checkpoints ---- */

static void add_marks(struct verify *v, const struct checkpoint *c)
{
	for (size_t i = 0; i < c->streams; i++) {
		const struct checkpoint_head *h = &c->head[i], *b;
		struct mark *m;

		b = v->last.c.n > 0 ? checkpoint_find(&v->last.c, h->stream)
				    : NULL;
		if (h->seq == 0 ||
		    (b && b->seq == h->seq && strcmp(b->hash, h->hash) == 0))
			continue;
		if (v->marks == v->marks_cap) {
			v->marks_cap = v->marks_cap ? 2 * v->marks_cap : 256;
			v->mark = xrealloc(v->mark, v->marks_cap,
					   sizeof(*v->mark));
		}
		m = &v->mark[v->marks++];
		*m = (struct mark){.seq = h->seq, .n = c->n};
		memcpy(m->stream, h->stream, sizeof(m->stream));
		(void)hex_parse(sv_of(h->hash), m->hash, sizeof(m->hash));
	}
}

static void check_order(struct verify *v, const struct checkpoint_file *f)
{
	const struct checkpoint *b = v->last.c.n > 0 ? &v->last.c : NULL;
	char was[CHECKPOINT_TIME], is[CHECKPOINT_TIME];
	struct err e;

	checkpoint_time(f->c.at_s, is);
	if (!checkpoint_follows(b, v->last.sha256, &f->c, &e))
		audit_fault(&v->r, "checkpoint %" PRIu64 " %s", f->c.n, e.text);
	if (!b) {
		snprintf(v->r.first_at, sizeof(v->r.first_at), "%s", is);
		return;
	}
	checkpoint_time(b->at_s, was);
	if (f->c.at_s - b->at_s > CHECKPOINT_GAP_S)
		audit_fault(&v->r,
			    "no checkpoint was made between number %" PRIu64
			    " at %s and number %" PRIu64 " at %s",
			    b->n, was, f->c.n, is);
	if (strcmp(b->catalogue, f->c.catalogue) != 0 ||
	    strcmp(b->makers, f->c.makers) != 0)
		audit_note(&v->r,
			   "roles, rights or definitions in the database "
			   "changed between %s and %s (checkpoints %" PRIu64
			   " and %" PRIu64 ")",
			   was, is, b->n, f->c.n);
}

static void take_checkpoint(struct verify *v, const struct checkpoint_file *f)
{
	check_order(v, f);
	add_marks(v, &f->c);
	v->last = *f;
	v->r.checkpoints++;
	checkpoint_time(f->c.at_s, v->r.last_at);
	memcpy(v->sha256[f->c.n - 1], f->sha256, SHA256_HEX);
}

/* Number n out of every place; `perhaps`: it may be being written. */
static void read_checkpoint(struct verify *v, uint64_t n, bool perhaps)
{
	struct checkpoint_file f, good;
	bool have = false;
	struct err e;

	for (size_t i = 0; i < v->places; i++) {
		const struct checkpoint_folder *p = &v->place[i];

		if (perhaps && !checkpoint_folder_has(p, n)) {
			v->unfinished = true;
			continue;
		}
		if (!checkpoint_folder_load(p, n, &v->key, &f, &e)) {
			audit_fault(&v->r, "%s", e.text);
			continue;
		}
		if (have && strcmp(f.sha256, good.sha256) != 0)
			audit_fault(&v->r,
				    "%s: checkpoint %" PRIu64
				    " is another than in %s",
				    p->path, n, v->place[0].path);
		if (!have)
			good = f;
		have = true;
	}
	if (have)
		take_checkpoint(v, &good);
}

static void know(struct verify *v, uint64_t n)
{
	v->sha256 = xrealloc(v->sha256, n + 1, sizeof(*v->sha256));
	for (; v->known < n; v->known++)
		v->sha256[v->known][0] = '\0';
}

/* A number far from the others is a file that was put there: one gap is told
 * and not each number in it. */
static bool too_many_missing(struct verify *v, uint64_t last)
{
	for (size_t i = 0; i < v->places; i++)
		if (last - v->place[i].count > 1000) {
			audit_fault(
				&v->r,
				"%s: checkpoint %" PRIu64
				" and more than a thousand others are "
				"missing",
				v->place[i].path,
				checkpoint_folder_hole(&v->place[i]) > 0
					? checkpoint_folder_hole(&v->place[i])
					: checkpoint_folder_last(&v->place[i]) +
						  1);
			return true;
		}
	return false;
}

static bool read_checkpoints(struct verify *v, struct err *e)
{
	uint64_t last = 0;

	for (size_t i = 0; i < v->o->folders; i++) {
		struct checkpoint_folder *p = &v->place[v->places++];

		if (!checkpoint_folder_open(p, v->o->checkpoints[i], false, e))
			return false;
		if (checkpoint_folder_last(p) > last)
			last = checkpoint_folder_last(p);
	}
	v->r.places = v->places;
	if (last == 0)
		audit_fault(&v->r, "there is no checkpoint");
	if (too_many_missing(v, last))
		return true;
	know(v, last);
	for (uint64_t n = 1; n <= last; n++)
		read_checkpoint(v, n, n == last);
	return true;
}

/* ---- 2: what the database knows ---- */

/* Also so that a file of rows prints nothing but what it is. */
static bool is_hex_text(const char *s, size_t n)
{
	return strlen(s) == n && strspn(s, "0123456789abcdef-") == n;
}

static bool column_text(struct sv col, char *out, size_t size)
{
	if (!col.p || col.n >= size || memchr(col.p, '\0', col.n))
		return false;
	snprintf(out, size, "%.*s", SV_ARG(col));
	return true;
}

static bool read_site(struct verify *v, struct audit_source *s, struct err *e)
{
	struct sv col[4];
	enum audit_next next;

	if (!audit_source_section(s, AUDIT_SITE_ROW, e))
		return false;
	next = audit_source_next(s, col, e);
	if (next == AUDIT_FAILED)
		return false;
	if (next == AUDIT_DONE)
		return err_set(e, "the log does not say which site it is of");
	if (!column_text(col[0], v->r.site, sizeof(v->r.site)) ||
	    !audit_int(col[1], &v->now_us) ||
	    !column_text(col[2], v->catalogue, sizeof(v->catalogue)) ||
	    !column_text(col[3], v->makers, sizeof(v->makers)) ||
	    !is_hex_text(v->r.site, sizeof(v->r.site) - 1))
		return err_set(e, "not a site");
	next = audit_source_next(s, col, e);
	return next == AUDIT_DONE ||
	       (next == AUDIT_ROW && err_set(e, "more than one site"));
}

static bool read_heads(struct verify *v, struct audit_source *s, struct err *e)
{
	struct sv col[3];
	enum audit_next next;

	if (!audit_source_section(s, AUDIT_HEADS, e))
		return false;
	while ((next = audit_source_next(s, col, e)) == AUDIT_ROW) {
		char name[AUDIT_STREAM];
		struct audit_stream *t;
		int64_t seq;

		if (!audit_is_stream(col[0]) ||
		    !column_text(col[0], name, sizeof(name)) ||
		    !audit_int(col[1], &seq) || !col[2].p ||
		    col[2].n != AUDIT_HASH ||
		    !(t = audit_report_stream(&v->r, name)) || t->has_head) {
			audit_fault(&v->r, "a row of the heads is none");
			continue;
		}
		t->has_head = true;
		t->seq = seq;
		memcpy(t->hash, col[2].p, AUDIT_HASH);
	}
	return next == AUDIT_DONE;
}

/* The folders were read before: one that was made since is read now. */
static void was_made(struct verify *v, uint64_t n, struct sv sha256)
{
	if (n > v->known && n <= v->known + 1000) {
		uint64_t from = v->known;

		know(v, n);
		for (uint64_t i = from + 1; i <= n; i++)
			read_checkpoint(v, i, false);
	}
	if (n > v->known) {
		audit_fault(&v->r,
			    "checkpoint %" PRIu64 " was made and is not there",
			    n);
		return;
	}
	if (v->unfinished && n == v->last.c.n) {
		struct checkpoint_file f;
		struct err e;

		v->unfinished = false;
		for (size_t i = 0; i < v->places; i++)
			if (!checkpoint_folder_load(&v->place[i], n, &v->key,
						    &f, &e))
				audit_fault(&v->r, "%s", e.text);
	}
	if (v->sha256[n - 1][0] && !sv_eq(sha256, sv_of(v->sha256[n - 1])))
		audit_fault(&v->r,
			    "checkpoint %" PRIu64
			    " is another than the database was told of",
			    n);
}

static bool read_made(struct verify *v, struct audit_source *s, struct err *e)
{
	struct sv col[2];
	enum audit_next next;
	int64_t n;

	if (!audit_source_section(s, AUDIT_CHECKPOINTS, e))
		return false;
	while ((next = audit_source_next(s, col, e)) == AUDIT_ROW) {
		if (!audit_int(col[0], &n) || n <= 0 || !col[1].p)
			audit_fault(&v->r, "a row of the checkpoints is none");
		else
			was_made(v, (uint64_t)n, col[1]);
	}
	if (v->unfinished)
		audit_note(&v->r,
			   "checkpoint %" PRIu64 " is not in all places yet",
			   v->last.c.n);
	return next == AUDIT_DONE;
}

/* ---- 3: the chain ---- */

static int by_place(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;
	int way = strcmp(x->stream, y->stream);

	if (way != 0)
		return way;
	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	return x->n < y->n ? -1 : x->n > y->n;
}

static void unmet(struct verify *v, const struct mark *m)
{
	struct audit_stream *t = audit_report_stream(&v->r, m->stream);

	audit_fault(&v->r,
		    "stream %s: event %" PRId64 " was there at checkpoint "
		    "%" PRIu64 " and is gone",
		    m->stream, m->seq, m->n);
	if (t)
		t->broken = true;
}

/* All that the checkpoints said of places up to this one. */
static void meet_marks(struct verify *v, const struct audit_chain *c,
		       struct audit_stream *t)
{
	while (v->next_mark < v->marks) {
		const struct mark *m = &v->mark[v->next_mark];
		int way = strcmp(m->stream, c->stream);

		if (way > 0 || (way == 0 && m->seq > c->seq))
			return;
		v->next_mark++;
		if (way < 0 || m->seq < c->seq) {
			unmet(v, m);
		} else if (memcmp(m->hash, c->hash, AUDIT_HASH) != 0) {
			audit_fault(&v->r,
				    "stream %s: event %" PRId64
				    " is not the one of checkpoint %" PRIu64,
				    m->stream, m->seq, m->n);
			t->broken = true;
		} else if (!t->broken) {
			t->proven = m->seq;
		}
	}
}

static void row_fault(struct verify *v, const struct audit_chain *c,
		      const struct sv *col, enum chain_rc rc)
{
	int64_t id = 0;

	(void)audit_int(col[EVENT_ID], &id);
	if (rc == CHAIN_NO_LINK)
		audit_fault(&v->r, "event %" PRId64 " %s", id,
			    chain_rc_text(rc));
	else
		audit_fault(&v->r,
			    "stream %s: link %" PRId64 " (event %" PRId64
			    ") %s",
			    c->stream, c->seq, id, chain_rc_text(rc));
}

static void check_head(struct verify *v, struct audit_stream *t,
		       const struct audit_chain *end)
{
	bool linked = end && t->events > 0;

	if (!t->has_head && linked)
		audit_fault(&v->r, "stream %s has links and no head", t->name);
	else if (t->has_head && !linked && t->seq > 0)
		audit_fault(&v->r, "stream %s has a head and no links",
			    t->name);
	else if (t->has_head && linked && t->seq != end->seq)
		audit_fault(&v->r,
			    "stream %s: its head is at %" PRId64
			    ", its last link at %" PRId64,
			    t->name, t->seq, end->seq);
	else if (t->has_head && linked &&
		 memcmp(t->hash, end->hash, AUDIT_HASH) != 0)
		audit_fault(&v->r, "stream %s: its head is not its last link",
			    t->name);
	else
		return;
	t->broken = true;
}

static void add_row(struct verify *v, struct audit_chain *c,
		    const struct sv *col, struct audit_stream **t)
{
	struct audit_chain before = *c;
	enum chain_rc rc = audit_chain_add(c, col);

	if (strcmp(before.stream, c->stream) != 0) {
		if (*t)
			check_head(v, *t, &before);
		*t = audit_report_stream(&v->r, c->stream);
		if (!*t)
			audit_fault(&v->r, "more streams than there can be");
	}
	if (rc != CHAIN_OK) {
		row_fault(v, c, col, rc);
		if (*t)
			(*t)->broken = true;
	}
	if (!*t || rc == CHAIN_NO_LINK || rc == CHAIN_MALFORMED)
		return;
	(*t)->events += col[EVENT_ID].p != NULL;
	meet_marks(v, c, *t);
}

static bool read_chain(struct verify *v, struct audit_source *s, struct err *e)
{
	struct audit_chain c;
	struct audit_stream *t = NULL;
	struct sv col[AUDIT_COLS];
	enum audit_next next;

	if (v->marks > 0)
		qsort(v->mark, v->marks, sizeof(*v->mark), by_place);
	audit_chain_begin(&c, v->r.site);
	if (!audit_source_section(s, AUDIT_ROWS, e))
		return false;
	while ((next = audit_source_next(s, col, e)) == AUDIT_ROW)
		add_row(v, &c, col, &t);
	if (t)
		check_head(v, t, &c);
	while (v->next_mark < v->marks)
		unmet(v, &v->mark[v->next_mark++]);
	for (size_t i = 0; i < v->r.streams; i++)
		if (v->r.stream[i].events == 0)
			check_head(v, &v->r.stream[i], NULL);
	return next == AUDIT_DONE;
}

/* ---- 4: the end ---- */

static void compare_last(struct verify *v)
{
	const struct checkpoint *c = &v->last.c;
	int64_t age_s;

	if (c->n == 0)
		return;
	age_s = v->now_us / SEC_US - c->at_s;
	if (strcmp(c->origin, v->r.site) != 0)
		audit_fault(&v->r, "the checkpoints are of site %s", c->origin);
	if (age_s > CHECKPOINT_GAP_S)
		audit_fault(&v->r,
			    "no checkpoint was made since number %" PRIu64
			    ", %" PRId64 " minutes ago",
			    c->n, age_s / 60);
	if (strcmp(c->makers, v->makers) != 0)
		audit_fault(&v->r, "the functions that make the fingerprint "
				   "changed since the last checkpoint");
	else if (strcmp(c->catalogue, v->catalogue) != 0)
		audit_fault(&v->r,
			    "roles, rights or definitions in the database "
			    "changed since checkpoint %" PRIu64,
			    c->n);
}

static bool run(struct verify *v, struct err *e)
{
	struct audit_source *s = NULL;
	char *dsn = NULL;
	bool ok;

	if (!minisign_load_public(&v->key, v->o->pub, e) ||
	    !read_checkpoints(v, e))
		return false;
	minisign_id_text(&v->key, v->r.key);
	if (!v->o->rows && !(dsn = audit_dsn(v->o, "tollwatch_checkpoint", e)))
		return false;
	ok = audit_source_open(&s, dsn, v->o->rows, v->o->save, e) &&
	     read_site(v, s, e) && read_heads(v, s, e) && read_made(v, s, e) &&
	     read_chain(v, s, e);
	if (ok)
		compare_last(v);
	audit_source_free(s);
	free(dsn);
	return ok;
}

int audit_verify(const struct audit_opts *o)
{
	struct verify v = {.o = o};
	struct err e;
	int code = 1;

	audit_report_begin(&v.r, o->as_json);
	if (run(&v, &e))
		code = audit_report_say(&v.r);
	else
		fprintf(stderr, "tollwatch: audit: %s\n", e.text);
	for (size_t i = 0; i < v.places; i++)
		checkpoint_folder_close(&v.place[i]);
	free(v.sha256);
	free(v.mark);
	audit_report_end(&v.r);
	return code;
}
