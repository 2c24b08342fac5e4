/* SPDX-License-Identifier: Apache-2.0 */
#include "alerter/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "common/journal.h"
#include "common/log.h"
#include "common/mem.h"

enum {
	BATCH_MAX = 64,
	BATCH_BYTES = 1 << 20,
	PAUSE_MIN_MS = 250,
	PAUSE_MAX_MS = 10000,
	CONNECT_MS = 10000,
	REPLY_MS = 30000, /* above the role's statement_timeout */
};

enum store_state {
	STORE_WAITING = 0, /* nothing to ship yet: no connection, no timer */
	STORE_PAUSE,	   /* no connection; timer: connect */
	STORE_CONNECTING,  /* io, timer: give up */
	STORE_READY,	   /* connected, nothing asked; io */
	STORE_ASKED,	   /* .work is under way; io, timer: give up */
};

enum work { WORK_POSITION, WORK_PEOPLE, WORK_ENTRIES };

struct store {
	struct store_opts o;
	char *dsn, *stream, *journal;
	enum store_state state;
	PGconn *pg;
	struct event *io, *timer;
	int pause_ms;

	struct journal_reader *reader; /* NULL: the position is not known */
	uint64_t position;	       /* in the database for good */
	uint64_t end;		       /* of the journal */
	char *people;		       /* to be told; NULL: nothing */
	char *telling;		       /* being told */

	/* What was asked: one transaction, answers in order. */
	enum work work;
	unsigned limit;	  /* entries in the next batch */
	unsigned sent;	  /* statements */
	unsigned answers; /* of them */
	uint64_t ends[BATCH_MAX];
	bool repeated[BATCH_MAX];
	int failed; /* index of the one that failed, -1 none */
	bool synced;
	bool passes; /* not the fault of what was sent */
	unsigned nulls;
	char why[256];

	struct store_stats stats;
};

static void on_io(evutil_socket_t fd, short what, void *arg);
static void next_work(struct store *s);

static void set_timer(struct store *s, int ms)
{
	struct timeval tv = {ms / 1000, ms % 1000 * 1000};

	evtimer_add(s->timer, &tv);
}

/* ---- the connection ---- */

static void told(struct store *s, bool again)
{
	if (again && !s->people)
		s->people = s->telling;
	else
		free(s->telling);
	s->telling = NULL;
}

static void drop(struct store *s)
{
	told(s, true);
	if (s->io)
		event_free(s->io);
	s->io = NULL;
	PQfinish(s->pg);
	s->pg = NULL;
	journal_read_close(s->reader);
	s->reader = NULL;
	evtimer_del(s->timer);
}

/* Whatever it was: leave, wait, come back and ask how far things are. */
static void fail(struct store *s, const char *why)
{
	struct sv text = sv_trim(sv_of(why));

	s->stats.failures++;
	log_warn("store: %.*s: again in %d ms", SV_ARG(text), s->pause_ms);
	drop(s);
	s->state = STORE_PAUSE;
	set_timer(s, s->pause_ms);
	s->pause_ms *= 2;
	if (s->pause_ms > PAUSE_MAX_MS)
		s->pause_ms = PAUSE_MAX_MS;
}

/* The socket can be another after each step of PQconnectPoll. */
static bool watch(struct store *s, short what)
{
	if (s->io)
		event_free(s->io);
	s->io = event_new(s->o.base, PQsocket(s->pg), what, on_io, s);
	return s->io && event_add(s->io, NULL) == 0;
}

static void no_notice(void *arg, const char *message)
{
	(void)arg;
	(void)message;
}

static void connected(struct store *s)
{
	if (PQsetnonblocking(s->pg, 1) != 0 ||
	    PQenterPipelineMode(s->pg) != 1 ||
	    !watch(s, EV_READ | EV_PERSIST)) {
		fail(s, "connection: no pipeline");
		return;
	}
	PQsetNoticeProcessor(s->pg, no_notice, NULL);
	evtimer_del(s->timer);
	s->stats.connects++;
	s->state = STORE_READY;
	next_work(s);
}

static void poll_connection(struct store *s)
{
	PostgresPollingStatusType p = PQconnectPoll(s->pg);

	if (p == PGRES_POLLING_OK)
		connected(s);
	else if (p == PGRES_POLLING_FAILED ||
		 !watch(s, p == PGRES_POLLING_READING ? EV_READ : EV_WRITE))
		fail(s, PQerrorMessage(s->pg));
}

static void connect_now(struct store *s)
{
	s->state = STORE_CONNECTING;
	s->pg = PQconnectStart(s->dsn);
	if (!s->pg)
		abort();
	if (PQstatus(s->pg) == CONNECTION_BAD || !watch(s, EV_WRITE)) {
		fail(s, PQerrorMessage(s->pg));
		return;
	}
	set_timer(s, CONNECT_MS);
}

/* ---- asking ---- */

/* One statement of a batch; all parameters are text. */
static bool ask(struct store *s, const char *sql, int n,
		const char *const *value)
{
	if (PQsendQueryParams(s->pg, sql, n, NULL, value, NULL, NULL, 0) != 1)
		return false;
	s->sent++;
	return true;
}

static void flush(struct store *s)
{
	int left = PQflush(s->pg);

	if (left < 0)
		fail(s, PQerrorMessage(s->pg));
	else if (!watch(s, (left ? EV_READ | EV_WRITE : EV_READ) | EV_PERSIST))
		fail(s, "connection: no event");
}

/* The end of a batch, which is the end of its transaction. */
static void asked(struct store *s, bool ok)
{
	if (!ok || PQpipelineSync(s->pg) != 1) {
		fail(s, PQerrorMessage(s->pg));
		return;
	}
	s->state = STORE_ASKED;
	set_timer(s, REPLY_MS);
	flush(s);
}

static void begin(struct store *s, enum work w)
{
	s->work = w;
	s->sent = s->answers = 0;
	s->failed = -1;
	s->synced = s->passes = false;
	s->nulls = 0;
	s->why[0] = '\0';
}

static void ask_position(struct store *s)
{
	const char *const value[] = {s->stream};

	begin(s, WORK_POSITION);
	asked(s, ask(s, "select alerter.position($1)", 1, value));
}

static void ask_people(struct store *s)
{
	const char *const value[] = {s->people};

	s->telling = s->people;
	s->people = NULL;
	begin(s, WORK_PEOPLE);
	asked(s, ask(s, "select alerter.people($1)", 1, value));
}

static bool ask_entry(struct store *s, struct sv entry, uint64_t end)
{
	char pos[24];
	char *text = sv_dup(entry);
	const char *const value[] = {s->stream, pos, text};
	bool ok;

	snprintf(pos, sizeof(pos), "%llu", (unsigned long long)end);
	s->ends[s->sent] = end;
	ok = ask(s, "select alerter.apply($1,$2,$3)", 3, value);
	free(text);
	return ok;
}

/* Only what the journal's writer has made safe: behind s->end there may be
 * an entry that a power cut takes back. */
static void ask_entries(struct store *s)
{
	uint64_t at = s->position;
	size_t bytes = 0;
	struct sv entry;
	struct err e;
	bool ok = true;

	begin(s, WORK_ENTRIES);
	while (ok && s->sent < s->limit && bytes < BATCH_BYTES && at < s->end) {
		enum journal_rc rc = journal_next(s->reader, &entry, &at, &e);

		if (rc == JOURNAL_END)
			break;
		if (rc != JOURNAL_OK) {
			log_error("store: %s", e.text);
			fail(s, "outbox cannot be read");
			return;
		}
		ok = ask_entry(s, entry, at);
		bytes += entry.n;
	}
	if (s->sent > 0 || !ok)
		asked(s, ok);
}

static void next_work(struct store *s)
{
	if (s->state != STORE_READY)
		return;
	if (!s->reader)
		ask_position(s);
	else if (s->people)
		ask_people(s);
	else if (s->position < s->end)
		ask_entries(s);
}

/* ---- answers ---- */

/* A database that was put back to an older state may want what the outbox has
 * forgotten: it cannot be had, and that must be known. */
static bool tell_gap(const struct store *s, uint64_t pos, struct err *e)
{
	const struct journal_opts o = {.read_only = true};
	struct journal *j;

	if (!journal_open(&j, s->journal, &o, e))
		return false;
	if (journal_begin(j) > pos)
		log_error("store: the database has this outbox up to %llu, it "
			  "begins at %llu: what is between is lost to the "
			  "database",
			  (unsigned long long)pos,
			  (unsigned long long)journal_begin(j));
	journal_close(j);
	return true;
}

static void open_reader(struct store *s, uint64_t pos)
{
	struct err e;

	if (pos > s->end) {
		log_error("store: the database has this outbox up to %llu, it "
			  "ends at %llu: it was put back to an older state; "
			  "nothing is written",
			  (unsigned long long)pos, (unsigned long long)s->end);
		fail(s, "outbox is behind the database");
		return;
	}
	if (!tell_gap(s, pos, &e) ||
	    !journal_read_open(&s->reader, s->journal, pos, &e)) {
		log_error("store: %s", e.text);
		fail(s, "outbox cannot be read");
		return;
	}
	s->position = pos;
	if (pos > 0 && s->o.on_safe)
		s->o.on_safe(s->o.arg, pos);
}

static void entries_done(struct store *s)
{
	for (unsigned i = 0; i < s->sent; i++) {
		s->stats.applied += !s->repeated[i];
		s->stats.repeated += s->repeated[i];
	}
	s->position = s->ends[s->sent - 1];
	s->pause_ms = PAUSE_MIN_MS;
	s->limit = s->limit * 2 < BATCH_MAX ? s->limit * 2 : BATCH_MAX;
	if (s->o.on_safe)
		s->o.on_safe(s->o.arg, s->position);
}

static void work_failed(struct store *s)
{
	char why[sizeof(s->why) + 64];

	if (s->work == WORK_PEOPLE && !s->passes) {
		log_error("store: people not taken: %s", s->why);
		told(s, false);
		return;
	}
	if (s->work == WORK_ENTRIES)
		snprintf(why, sizeof(why), "entry %llu: %s",
			 (unsigned long long)s->ends[s->failed], s->why);
	else
		snprintf(why, sizeof(why), "%s", s->why);
	if (s->work == WORK_ENTRIES && s->sent == 1 && !s->passes)
		log_error("store: %s: the database refuses it, everything "
			  "after it waits",
			  why);
	s->limit = 1;
	fail(s, why);
}

/* Position waits in .ends[0]. */
static void work_done(struct store *s)
{
	switch (s->work) {
	case WORK_POSITION:
		open_reader(s, s->ends[0]);
		break;
	case WORK_PEOPLE:
		told(s, false);
		break;
	case WORK_ENTRIES:
		entries_done(s);
		break;
	}
}

/* Classes of trouble that is not the entry's fault: connection, rollback,
 * resources, operator, lock time-out. */
static bool passes(const char *sqlstate)
{
	static const char *const class[] = {"08", "40", "53", "55", "57"};

	for (size_t i = 0; i < ARRAY_LEN(class); i++)
		if (sqlstate && strncmp(sqlstate, class[i], 2) == 0)
			return true;
	return false;
}

static void note_error(struct store *s, const PGresult *r)
{
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);

	if (s->failed >= 0)
		return;
	s->failed = (int)s->answers;
	s->passes = passes(state);
	snprintf(s->why, sizeof(s->why), "%s %s", state ? state : "-----",
		 text ? text : PQerrorMessage(s->pg));
}

static void take_answer(struct store *s, const PGresult *r)
{
	const char *text;
	uint64_t pos;

	switch (PQresultStatus(r)) {
	case PGRES_PIPELINE_SYNC:
		s->synced = true;
		return;
	case PGRES_TUPLES_OK:
		break;
	default: /* PGRES_PIPELINE_ABORTED comes only after the first */
		note_error(s, r);
		s->answers++;
		return;
	}
	if (s->answers >= s->sent)
		return;
	text = PQntuples(r) == 1 ? PQgetvalue(r, 0, 0) : "";
	if (s->work == WORK_POSITION && sv_u64(sv_of(text), &pos))
		s->ends[0] = pos;
	else if (s->work == WORK_ENTRIES)
		s->repeated[s->answers] = *text == 'f';
	s->answers++;
}

static void read_answers(struct store *s)
{
	while (!s->synced && !PQisBusy(s->pg)) {
		PGresult *r = PQgetResult(s->pg);

		/* NULL parts the statements; more of them means that the two
		 * ends have lost each other. */
		if (!r && s->nulls++ > s->sent)
			break;
		if (r)
			take_answer(s, r);
		PQclear(r);
	}
	if (PQstatus(s->pg) == CONNECTION_BAD || s->nulls > s->sent + 1) {
		fail(s, s->why[0] ? s->why : PQerrorMessage(s->pg));
		return;
	}
	if (!s->synced)
		return;
	evtimer_del(s->timer);
	s->state = STORE_READY;
	if (s->failed >= 0)
		work_failed(s);
	else if (s->answers != s->sent)
		fail(s, "not every statement was answered");
	else
		work_done(s);
	next_work(s);
}

/* ---- events ---- */

static void on_io(evutil_socket_t fd, short what, void *arg)
{
	struct store *s = arg;

	(void)fd;
	if (s->state == STORE_CONNECTING) {
		poll_connection(s);
		return;
	}
	if (what & EV_READ && PQconsumeInput(s->pg) != 1) {
		fail(s, PQerrorMessage(s->pg));
		return;
	}
	if (what & EV_WRITE)
		flush(s);
	if (s->state == STORE_ASKED)
		read_answers(s);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct store *s = arg;

	(void)fd;
	(void)what;
	if (s->state == STORE_PAUSE)
		connect_now(s);
	else
		fail(s, "database does not answer");
}

/* ---- interface ---- */

void store_new(struct store **out, const struct store_opts *o)
{
	struct store *s = xcalloc(1, sizeof(*s));

	s->o = *o;
	s->dsn = xstrdup(o->dsn);
	s->stream = xstrdup(o->stream);
	s->journal = xstrdup(o->journal);
	s->limit = BATCH_MAX;
	s->pause_ms = PAUSE_MIN_MS;
	s->timer = evtimer_new(o->base, on_timer, s);
	if (!s->timer)
		abort();
	*out = s;
}

void store_free(struct store *s)
{
	if (!s)
		return;
	drop(s);
	event_free(s->timer);
	free(s->dsn);
	free(s->stream);
	free(s->journal);
	free(s->people);
	free(s);
}

void store_kick(struct store *s, uint64_t end)
{
	s->end = end;
	if (s->state == STORE_WAITING) {
		s->state = STORE_PAUSE;
		set_timer(s, 0);
	} else {
		next_work(s);
	}
}

bool store_connected(const struct store *s)
{
	return s->reader != NULL;
}

uint64_t store_position(const struct store *s)
{
	return s->position;
}

struct store_stats store_stats(const struct store *s)
{
	struct store_stats x = s->stats;

	x.bytes_behind = s->end > s->position ? s->end - s->position : 0;
	return x;
}

void store_people(struct store *s, struct sv json)
{
	free(s->people);
	s->people = sv_dup(json);
	if (s->reader)
		next_work(s);
}
