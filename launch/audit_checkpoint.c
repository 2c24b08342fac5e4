/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One checkpoint: what was signed last must still be there and be true of the
 * database, else nothing is written.
 *
 *   places   1..17 in each, by this key, the same in all   \
 *   17       is of this site, not of the future, and its    > else exit 3
 *            heads are links of the database               /
 *   18       heads and fingerprint of one snapshot, follows 17
 *            to each place, synced; then the database is told
 *
 * A run that died between two places leaves one a number behind, and the
 * database does not know the number: the next run finishes it.
 */
#include "launch/audit.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "launch/audit_source.h"
#include "launch/checkpoint_folder.h"
#include "launch/pg.h"
#include "launch/program.h"

struct maker {
	const struct audit_opts *o;
	struct minisign_secret key;
	struct checkpoint_folder place[AUDIT_PLACES];
	size_t places;
	PGconn *pg;
	uint64_t told; /* the last number the database knows; 0 = none */
	char told_sha256[SHA256_HEX];
	struct checkpoint_file last; /* .c.n 0 = none yet */
	struct checkpoint_file next;
	int code; /* of the error */
};

PRINTF(3, 4)
static bool misfit(struct maker *m, struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	m->code = EXIT_BROKEN;
	return false;
}

/* ---- places ---- */

static bool open_place(struct maker *m, const char *path, struct err *e)
{
	struct checkpoint_folder *f = &m->place[m->places++];
	struct stat st, other;

	for (size_t i = 0; stat(path, &st) == 0 && i + 1 < m->places; i++)
		if (fstat(m->place[i].fd, &other) == 0 &&
		    other.st_dev == st.st_dev && other.st_ino == st.st_ino) {
			f->fd = -1;
			m->code = EXIT_USAGE;
			return err_set(e, "%s and %s are one place",
				       m->place[i].path, path);
		}
	if (!checkpoint_folder_open(f, path, true, e)) {
		if (f->busy)
			m->code = EXIT_AGAIN;
		return false;
	}
	return true;
}

static uint64_t last_anywhere(const struct maker *m)
{
	uint64_t last = 0;

	for (size_t i = 0; i < m->places; i++)
		if (checkpoint_folder_last(&m->place[i]) > last)
			last = checkpoint_folder_last(&m->place[i]);
	return last;
}

static bool same_everywhere(struct maker *m, uint64_t last, struct err *e)
{
	struct checkpoint_file f;

	for (size_t i = 0; i < m->places; i++) {
		if (checkpoint_folder_last(&m->place[i]) != last)
			continue;
		if (!checkpoint_folder_load(&m->place[i], last, &m->key.public,
					    &f, e)) {
			m->code = EXIT_BROKEN;
			return false;
		}
		if (m->last.c.n == 0)
			m->last = f;
		if (strcmp(f.sha256, m->last.sha256) != 0)
			return misfit(m, e,
				      "%s: checkpoint %" PRIu64
				      " is another than elsewhere",
				      m->place[i].path, last);
	}
	return true;
}

static bool whole(struct maker *m, const struct checkpoint_folder *f,
		  uint64_t last, struct err *e)
{
	uint64_t hole = checkpoint_folder_hole(f);
	uint64_t has = checkpoint_folder_last(f);

	if (hole > 0)
		return misfit(m, e, "%s: checkpoint %" PRIu64 " is missing",
			      f->path, hole);
	if (has == last)
		return true;
	if (has + 1 < last || m->told >= last)
		return misfit(m, e,
			      "%s: checkpoint %" PRIu64
			      " is missing; a new place is begun with a copy "
			      "of another",
			      f->path, has + 1);
	return true;
}

/* What is there, is it all, and is it ours? */
static bool read_places(struct maker *m, struct err *e)
{
	uint64_t last = last_anywhere(m);

	if (m->told > last)
		return misfit(m, e,
			      "checkpoint %" PRIu64
			      " was made and is in no place; the last there "
			      "is %" PRIu64,
			      m->told, last);
	for (size_t i = 0; i < m->places; i++)
		if (!whole(m, &m->place[i], last, e))
			return false;
	if (last > 0 && !same_everywhere(m, last, e))
		return false;
	if (last > 0 && m->told == last &&
	    strcmp(m->told_sha256, m->last.sha256) != 0)
		return misfit(m, e,
			      "checkpoint %" PRIu64
			      " is another than the database was told of",
			      last);
	return true;
}

/* What a run that died had no time for. */
static bool finish_last(struct maker *m, struct err *e)
{
	for (size_t i = 0; i < m->places; i++)
		if (checkpoint_folder_last(&m->place[i]) < m->last.c.n) {
			fprintf(stderr,
				"tollwatch: audit: %s: checkpoint %" PRIu64
				" was not finished; done now\n",
				m->place[i].path, m->last.c.n);
			if (!checkpoint_folder_store(&m->place[i], &m->last, e))
				return false;
		}
	return true;
}

/* ---- the database ---- */

static bool read_site(struct maker *m, struct err *e)
{
	struct checkpoint *c = &m->next.c;
	char sql[2048];
	PGresult *r;
	uint64_t n = 0;
	bool ok;

	snprintf(sql, sizeof(sql),
		 "select s.id::text, audit.fingerprint(), (%s), "
		 "coalesce(k.n, 0), coalesce(k.sha256, '') from audit.site s "
		 "left join (select n, sha256 from audit.checkpoint "
		 "order by n desc limit 1) k on true",
		 audit_makers_sql);
	r = pg_ask(m->pg, sql, 0, NULL, e);
	if (!r)
		return false;
	ok = PQntuples(r) == 1 && sv_u64(sv_of(PQgetvalue(r, 0, 3)), &n);
	if (ok) {
		snprintf(c->origin, sizeof(c->origin), "%s",
			 PQgetvalue(r, 0, 0));
		snprintf(c->catalogue, sizeof(c->catalogue), "%s",
			 PQgetvalue(r, 0, 1));
		snprintf(c->makers, sizeof(c->makers), "%s",
			 PQgetvalue(r, 0, 2));
		snprintf(m->told_sha256, sizeof(m->told_sha256), "%s",
			 PQgetvalue(r, 0, 4));
		m->told = n;
	}
	PQclear(r);
	return ok || err_set(e, "the database does not say which site it is");
}

static bool read_heads(struct maker *m, struct err *e)
{
	PGresult *r = pg_ask(m->pg,
			     "select h.stream, h.seq, encode(h.hash, 'hex') "
			     "from audit.head h order by h.stream "
			     "collate \"C\"",
			     0, NULL, e);
	uint8_t hash[AUDIT_HASH];
	bool ok = r != NULL;
	uint64_t seq;

	for (int i = 0; ok && i < PQntuples(r); i++)
		ok = (sv_u64(sv_of(PQgetvalue(r, i, 1)), &seq) &&
		      seq <= INT64_MAX &&
		      hex_parse(sv_of(PQgetvalue(r, i, 2)), hash, sizeof(hash)))
			     ? checkpoint_add(&m->next.c,
					      sv_of(PQgetvalue(r, i, 0)),
					      (int64_t)seq, hash, e)
			     : err_set(e, "stream %s: not a head",
				       PQgetvalue(r, i, 0));
	PQclear(r);
	return ok;
}

static bool read_database(struct maker *m, struct err *e)
{
	return pg_run(m->pg,
		      "begin isolation level repeatable read read only; "
		      "set local search_path = pg_catalog, pg_temp; "
		      "set local quote_all_identifiers = off",
		      e) &&
	       read_site(m, e) && read_heads(m, e);
}

/* Is what was signed still so?  A database that was set back is seen here,
 * and not signed. */
static bool still_there(struct maker *m, const struct checkpoint_head *h,
			struct err *e)
{
	char seq[24];
	const char *const value[] = {h->stream, seq};
	PGresult *r;
	bool same;

	snprintf(seq, sizeof(seq), "%" PRId64, h->seq);
	r = pg_ask(m->pg,
		   "select encode(l.row_hash, 'hex') from audit.link l "
		   "where l.stream = $1 and l.seq = $2",
		   2, value, e);
	if (!r)
		return false;
	same = PQntuples(r) == 1 && strcmp(PQgetvalue(r, 0, 0), h->hash) == 0;
	PQclear(r);
	return same || misfit(m, e,
			      "stream %s: event %s of checkpoint %" PRIu64
			      " is no longer in the database",
			      h->stream, seq, m->last.c.n);
}

/* ---- make one ---- */

static bool compose(struct maker *m, struct err *e)
{
	struct checkpoint *c = &m->next.c;
	const struct checkpoint *before = m->last.c.n > 0 ? &m->last.c : NULL;
	char comment[CHECKPOINT_COMMENT];

	c->n = m->last.c.n + 1;
	c->at_s = clock_wall().us / SEC_US;
	snprintf(c->previous, sizeof(c->previous), "%s",
		 before ? m->last.sha256 : checkpoint_no_previous);
	if (!checkpoint_follows(before, m->last.sha256, c, e)) {
		m->code = EXIT_BROKEN;
		return err_prefix(e, "checkpoint %" PRIu64, c->n);
	}
	for (size_t i = 0; before && i < before->streams; i++)
		if (!still_there(m, &before->head[i], e))
			return false;
	m->next.size = checkpoint_text(c, m->next.text);
	sha256_hex(m->next.text, m->next.size, m->next.sha256);
	checkpoint_comment(c, comment);
	return minisign_sign(&m->key, (struct sv){m->next.text, m->next.size},
			     comment, m->next.signature, e);
}

static bool tell(struct maker *m, struct err *e)
{
	char n[24];
	const char *const value[] = {n, m->next.sha256};
	PGresult *r;
	bool ok;

	snprintf(n, sizeof(n), "%" PRIu64, m->next.c.n);
	r = pg_ask(m->pg, "select audit.checkpoint_made($1, $2)", 2, value, e);
	if (!r)
		return false;
	ok = strcmp(PQgetvalue(r, 0, 0), "ok") == 0 ||
	     err_set(e, "the database takes no checkpoint %s: %s", n,
		     PQgetvalue(r, 0, 0));
	PQclear(r);
	return ok;
}

static bool make(struct maker *m, const char *dsn, struct err *e)
{
	for (size_t i = 0; i < m->o->places; i++)
		if (!open_place(m, m->o->to[i], e))
			return false;
	if (!pg_open(&m->pg, dsn, e) || !read_database(m, e) ||
	    !read_places(m, e) || !compose(m, e) ||
	    !pg_run(m->pg, "commit", e) || !finish_last(m, e))
		return false;
	for (size_t i = 0; i < m->places; i++)
		if (!checkpoint_folder_store(&m->place[i], &m->next, e))
			return false;
	return tell(m, e);
}

static void say(const struct maker *m)
{
	int64_t events = 0;

	for (size_t i = 0; i < m->next.c.streams; i++)
		events += m->next.c.head[i].seq;
	printf("checkpoint %" PRIu64 ": %" PRId64
	       " events in %zu streams, in %zu places\n",
	       m->next.c.n, events, m->next.c.streams, m->places);
}

int audit_checkpoint(const struct audit_opts *o)
{
	struct maker m = {.o = o, .code = 1};
	struct err e;
	char *dsn = NULL;
	bool ok;

	/* no core file of ours holds the key */
	(void)prctl(PR_SET_DUMPABLE, 0);
	ok = minisign_load_secret(&m.key, o->key, &e);
	if (ok)
		dsn = audit_dsn(o, "tollwatch_checkpoint", &e);
	ok = ok && dsn && make(&m, dsn, &e);
	if (ok)
		say(&m);
	else
		fprintf(stderr, "tollwatch: audit: %s\n", e.text);
	PQfinish(m.pg);
	for (size_t i = 0; i < m.places; i++)
		checkpoint_folder_close(&m.place[i]);
	minisign_wipe(&m.key);
	free(dsn);
	return ok ? 0 : m.code;
}
