/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/audit_source.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "common/mem.h"
#include "launch/audit_chain.h"
#include "launch/audit_copy.h"
#include "launch/pg.h"

enum { PIECE = 1 << 16, ROW_MAX = 4 << 20 };

#define MAKERS                                                                 \
	"select encode(sha256(convert_to(string_agg("                          \
	"pg_get_functiondef(p.oid), '' order by p.oid::regprocedure::text "    \
	"collate \"C\"), 'UTF8')), 'hex') from pg_proc p "                     \
	"join pg_namespace n on n.oid = p.pronamespace "                       \
	"where n.nspname = 'audit' and p.proname in "                          \
	"('fingerprint', 'catalogue', 'acl', 'sorted', 'heads')"

const char audit_makers_sql[] = MAKERS;

/* Read from the tables: what a view or a function makes of them would be the
 * database's own opinion. */
static const struct {
	size_t columns;
	const char *sql;
} section_of[AUDIT_SECTIONS] = {
	/* clang-format off */
	[AUDIT_SITE_ROW] = {4, "select s.id::text, "
		"(extract(epoch from clock_timestamp()) * 1000000)::bigint, "
		"audit.fingerprint(), (" MAKERS ") from audit.site s"},
	[AUDIT_HEADS] = {3, "select h.stream, h.seq, h.hash "
		"from audit.head h order by h.stream collate \"C\""},
	[AUDIT_CHECKPOINTS] = {2, "select c.n, c.sha256 "
		"from audit.checkpoint c order by c.n"},
	[AUDIT_ROWS] = {AUDIT_COLS, "select l.stream, l.seq, l.event, "
		"l.prev_hash, l.row_hash, e.id, e.stream, e.at, e.actor, "
		"e.login, e.action, e.code, e.incident, e.ticket, "
		"e.authority, e.subject, e.purpose, e.fields, e.words_hash, "
		"e.detail from audit.link l "
		"full join audit.event e on e.id = l.event "
		"order by coalesce(l.stream, e.stream) collate \"C\", l.seq, "
		"e.id"},
	/* clang-format on */
};

struct audit_source {
	PGconn *pg; /* NULL: from fd */
	int fd;
	int keep; /* -1: nowhere */
	size_t columns;
	bool ended; /* the section's last row was given */
	char *buf;
	size_t from, to, cap; /* what is in buf and not used yet */
};

/* ---- bytes ---- */

static bool kept(struct audit_source *s, const char *p, size_t n, struct err *e)
{
	while (s->keep >= 0 && n > 0) {
		ssize_t w = write(s->keep, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return err_set(e, "--save: %s", strerror(errno));
		p += w;
		n -= (size_t)w;
	}
	return true;
}

static bool make_room(struct audit_source *s, size_t n, struct err *e)
{
	if (s->from > 0) {
		memmove(s->buf, s->buf + s->from, s->to - s->from);
		s->to -= s->from;
		s->from = 0;
	}
	if (n > ROW_MAX - s->to)
		return err_set(e, "a row is longer than a row may be");
	if (s->to + n > s->cap) {
		s->cap = s->to + n;
		s->buf = xrealloc(s->buf, s->cap, 1);
	}
	return true;
}

static enum audit_next more_of_file(struct audit_source *s, struct err *e)
{
	ssize_t n;

	if (!make_room(s, PIECE, e))
		return AUDIT_FAILED;
	do
		n = read(s->fd, s->buf + s->to, PIECE);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		err_set(e, "the rows: %s", strerror(errno));
	else if (n == 0)
		err_set(e, "the rows end too early");
	if (n <= 0)
		return AUDIT_FAILED;
	s->to += (size_t)n;
	return AUDIT_ROW;
}

static enum audit_next more_of_copy(struct audit_source *s, struct err *e)
{
	char *piece = NULL;
	int n = PQgetCopyData(s->pg, &piece, 0);
	bool ok;

	if (n <= 0) {
		pg_err(e, "reading the log", s->pg);
		return AUDIT_FAILED;
	}
	ok = make_room(s, (size_t)n, e) && kept(s, piece, (size_t)n, e);
	if (ok) {
		memcpy(s->buf + s->to, piece, (size_t)n);
		s->to += (size_t)n;
	}
	PQfreemem(piece);
	return ok ? AUDIT_ROW : AUDIT_FAILED;
}

static enum audit_next more(struct audit_source *s, struct err *e)
{
	return s->pg ? more_of_copy(s, e) : more_of_file(s, e);
}

/* ---- rows ---- */

static bool copy_fault(enum copy_rc rc, struct err *e)
{
	return err_set(e, "%s",
		       rc == COPY_BAD_START	? "not a file of rows"
		       : rc == COPY_BAD_COLUMNS ? "a row of another kind"
						: "a field that is too long");
}

static struct sv unread(const struct audit_source *s)
{
	return (struct sv){s->buf + s->from, s->to - s->from};
}

static bool read_header(struct audit_source *s, struct err *e)
{
	enum copy_rc rc = COPY_MORE;
	size_t took = 0;

	while (s->to == s->from ||
	       (rc = copy_header(unread(s), &took)) == COPY_MORE)
		if (more(s, e) != AUDIT_ROW)
			return false;
	s->from += took;
	return rc == COPY_OK || copy_fault(rc, e);
}

/* COPY's last word, after its last row: whether it went well. */
static bool finish_copy(struct audit_source *s, struct err *e)
{
	char *piece = NULL;
	PGresult *r;
	bool ok;

	if (PQgetCopyData(s->pg, &piece, 0) != -1) {
		PQfreemem(piece);
		return err_set(e, "reading the log: more than was announced");
	}
	r = PQgetResult(s->pg);
	ok = PQresultStatus(r) == PGRES_COMMAND_OK ||
	     pg_err(e, "reading the log", s->pg);
	PQclear(r);
	while ((r = PQgetResult(s->pg)))
		PQclear(r);
	return ok;
}

enum audit_next audit_source_next(struct audit_source *s, struct sv *col,
				  struct err *e)
{
	enum copy_rc rc;
	size_t took = 0;

	assert(!s->ended);
	while ((rc = copy_row(unread(s), col, s->columns, &took)) == COPY_MORE)
		if (more(s, e) != AUDIT_ROW)
			return AUDIT_FAILED;
	s->from += took;
	if (rc == COPY_OK)
		return AUDIT_ROW;
	if (rc != COPY_END) {
		copy_fault(rc, e);
		return AUDIT_FAILED;
	}
	s->ended = true;
	return s->pg && !finish_copy(s, e) ? AUDIT_FAILED : AUDIT_DONE;
}

bool audit_source_section(struct audit_source *s, enum audit_section section,
			  struct err *e)
{
	char sql[2048];
	PGresult *r;
	bool ok;

	s->columns = section_of[section].columns;
	s->ended = false;
	if (!s->pg)
		return read_header(s, e);
	snprintf(sql, sizeof(sql), "copy (%s) to stdout (format binary)",
		 section_of[section].sql);
	r = PQexec(s->pg, sql);
	ok = PQresultStatus(r) == PGRES_COPY_OUT ||
	     pg_err(e, "reading the log", s->pg);
	PQclear(r);
	return ok && read_header(s, e);
}

/* ---- open ---- */

bool audit_source_open(struct audit_source **out, const char *dsn,
		       const char *file, const char *keep, struct err *e)
{
	struct audit_source *s = xcalloc(1, sizeof(*s));

	*out = s;
	s->fd = s->keep = -1;
	s->buf = xmalloc(1); /* so that it is never NULL */
	if (keep) {
		s->keep = open(keep, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			       0600);
		if (s->keep < 0)
			return err_set(e, "%s: %s", keep, strerror(errno));
	}
	if (file) {
		s->fd = open(file, O_RDONLY | O_CLOEXEC);
		return s->fd >= 0 ||
		       err_set(e, "%s: %s", file, strerror(errno));
	}
	return pg_open(&s->pg, dsn, e) &&
	       pg_run(s->pg,
		      "begin isolation level repeatable read read only; "
		      "set local search_path = pg_catalog, pg_temp; "
		      "set local statement_timeout = 0; "
		      "set local quote_all_identifiers = off; "
		      "set local work_mem = '64MB'",
		      e);
}

void audit_source_free(struct audit_source *s)
{
	if (!s)
		return;
	PQfinish(s->pg);
	if (s->fd >= 0)
		close(s->fd);
	if (s->keep >= 0)
		close(s->keep);
	free(s->buf);
	free(s);
}
