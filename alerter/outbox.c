/* SPDX-License-Identifier: Apache-2.0 */
#include "alerter/outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "common/hash.h"
#include "common/journal.h"
#include "common/log.h"
#include "common/mem.h"

enum {
	OUTBOX_STREAMS = 16, /* analyzers of a site */
	OUTBOX_PATH = 480,
	SAVE_EVERY = 512, /* entries */
};

struct taken {
	char stream[24];
	struct wire_seen seen;
};

struct outbox {
	char dir[OUTBOX_PATH];
	char journal_dir[OUTBOX_PATH + 8];
	char state[OUTBOX_PATH + 16];
	char stream[33];
	struct journal *journal;
	struct json json;
	struct taken taken[OUTBOX_STREAMS];
	size_t n_taken;
	uint64_t saved; /* position the state file stands for */
	unsigned since; /* entries appended since */
	int64_t clock_us;
};

/* ---- marks ---- */

static void take(struct outbox *o, struct sv stream,
		 const struct wire_mark *mark)
{
	const struct wire_header h = {.boot = mark->boot,
				      .seq = mark->seq,
				      .count = 1};
	struct taken *t = NULL;

	if (stream.n == 0 || mark->boot == 0)
		return;
	for (size_t i = 0; i < o->n_taken && !t; i++)
		if (sv_eq(EVENT_SV(o->taken[i].stream), stream))
			t = &o->taken[i];
	if (!t) {
		if (o->n_taken == OUTBOX_STREAMS)
			return;
		t = &o->taken[o->n_taken++];
		sv_put(t->stream, sizeof(t->stream), stream);
	}
	wire_advance(&t->seen, &h);
}

struct wire_seen outbox_seen(const struct outbox *o, struct sv stream)
{
	for (size_t i = 0; i < o->n_taken; i++)
		if (sv_eq(EVENT_SV(o->taken[i].stream), stream))
			return o->taken[i].seen;
	return (struct wire_seen){0};
}

int64_t outbox_clock(const struct outbox *o)
{
	return o->clock_us;
}

static void tick(struct outbox *o, const struct fact *f)
{
	if (f->at_us > o->clock_us)
		o->clock_us = f->at_us;
}

/* ---- the state file: a header, then one fact a line ---- */

static bool read_header(struct outbox *o, struct book *b, const char *line,
			struct err *e)
{
	json_error_t at;
	json_t *h = json_loads(line, 0, &at), *mark;
	const char *stream = json_string_value(json_object_get(h, "stream"));
	size_t i;

	if (!stream || strlen(stream) != 32 ||
	    json_integer_value(json_object_get(h, "v")) != 1) {
		json_decref(h);
		return err_set(e, "not a state file of this version");
	}
	memcpy(o->stream, stream, sizeof(o->stream));
	o->saved = (uint64_t)json_integer_value(json_object_get(h, "position"));
	b->last_ref =
		(uint32_t)json_integer_value(json_object_get(h, "last_ref"));
	b->last_page =
		(uint32_t)json_integer_value(json_object_get(h, "last_page"));
	o->clock_us = json_integer_value(json_object_get(h, "clock_us"));
	json_array_foreach(json_object_get(h, "taken"), i, mark)
	{
		const char *name =
			json_string_value(json_object_get(mark, "stream"));
		const struct wire_mark m = {
			.boot = (uint32_t)json_integer_value(
				json_object_get(mark, "boot")),
			.seq = (uint64_t)json_integer_value(
				json_object_get(mark, "seq")),
		};

		if (name)
			take(o, sv_of(name), &m);
	}
	json_decref(h);
	return true;
}

static bool read_fact(struct book *b, const char *line, struct err *e)
{
	json_error_t at;
	json_t *doc = json_loads(line, 0, &at);
	struct fact f;
	bool ok;

	if (!doc)
		return err_set(e, "not JSON: %s", at.text);
	ok = fact_parse(doc, &f, e);
	if (ok)
		book_apply(b, &f);
	json_decref(doc);
	return ok;
}

/* The header's counters are put back after the facts, which only know what
 * is still kept. */
static bool read_state(struct outbox *o, struct book *b, FILE *in,
		       struct err *e)
{
	struct book counters = {0};
	char *line = NULL;
	size_t cap = 0;
	unsigned n = 0;
	bool ok = true;

	while (ok && getline(&line, &cap, in) > 0) {
		ok = n++ == 0 ? read_header(o, &counters, line, e)
			      : read_fact(b, line, e);
		if (!ok)
			err_prefix(e, "%s:%u", o->state, n);
	}
	free(line);
	if (ok && n == 0)
		ok = err_set(e, "%s: empty", o->state);
	if (b->last_ref < counters.last_ref)
		b->last_ref = counters.last_ref;
	if (b->last_page < counters.last_page)
		b->last_page = counters.last_page;
	return ok;
}

static bool load_state(struct outbox *o, struct book *b, struct err *e)
{
	FILE *in = fopen(o->state, "re");
	bool ok;

	if (!in && errno == ENOENT)
		return true;
	if (!in)
		return err_set(e, "%s: %s", o->state, strerror(errno));
	ok = read_state(o, b, in, e);
	fclose(in);
	return ok;
}

static void write_mark(const struct taken *t, const struct wire_mark *m,
		       struct json *j)
{
	if (m->boot == 0)
		return;
	json_open(j, '{');
	json_key(j, "stream");
	json_str(j, EVENT_SV(t->stream));
	json_key(j, "boot");
	json_int(j, m->boot);
	json_key(j, "seq");
	json_int(j, (int64_t)m->seq);
	json_close(j, '}');
}

/* Oldest first: reading them in order makes the same again. */
static void write_taken(const struct taken *t, struct json *j)
{
	for (size_t i = WIRE_BOOTS; i-- > 0;)
		write_mark(t, &t->seen.before[i], j);
	write_mark(t, &t->seen.now, j);
}

static void write_header(struct outbox *o, const struct book *b, FILE *out)
{
	struct json *j = &o->json;

	json_reset(j);
	/* clang-format off */
	json_open(j, '{');
	json_key(j, "v");         json_int(j, 1);
	json_key(j, "stream");    json_str(j, sv_of(o->stream));
	json_key(j, "position");  json_int(j, (int64_t)journal_end(o->journal));
	json_key(j, "last_ref");  json_int(j, b->last_ref);
	json_key(j, "last_page"); json_int(j, b->last_page);
	json_key(j, "clock_us");  json_int(j, o->clock_us);
	json_key(j, "taken");     json_open(j, '[');
	for (size_t i = 0; i < o->n_taken; i++)
		write_taken(&o->taken[i], j);
	json_close(j, ']');
	json_close(j, '}');
	/* clang-format on */
	json_line(j, out);
}

static void write_line(void *arg, const char *fact)
{
	fprintf(arg, "%s\n", fact);
}

static bool sync_dir(const char *dir, struct err *e)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (!ok)
		err_set(e, "%s: %s", dir, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool write_state(struct outbox *o, const struct book *b, struct err *e)
{
	char next[sizeof(o->state) + 8];
	int fd;
	FILE *out;
	bool ok;

	snprintf(next, sizeof(next), "%s.next", o->state);
	fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!out) {
		if (fd >= 0)
			close(fd);
		return err_set(e, "%s: %s", next, strerror(errno));
	}
	write_header(o, b, out);
	book_each(b, write_line, out);
	ok = fflush(out) == 0 && !ferror(out) && fsync(fd) == 0;
	if (!ok)
		err_set(e, "%s: %s", next, strerror(errno));
	fclose(out);
	if (ok && rename(next, o->state) != 0)
		ok = err_set(e, "%s: %s", o->state, strerror(errno));
	return ok && sync_dir(o->dir, e);
}

/* ---- the journal ---- */

static bool replay_entry(struct outbox *o, struct book *b, struct sv text,
			 struct err *e)
{
	struct fact_entry x = {0};
	json_t *doc;
	bool ok = fact_entry_parse(text, &x, &doc, e);

	for (size_t i = 0; ok && i < x.n; i++) {
		book_apply(b, &x.fact[i]);
		tick(o, &x.fact[i]);
	}
	if (ok)
		take(o, EVENT_SV(x.stream), &x.mark);
	fact_free(&x);
	json_decref(doc);
	return ok;
}

/* Payloads are padded with zeros by the caller, never inside the text. */
static struct sv entry_text(struct sv payload)
{
	while (payload.n > 0 && payload.p[payload.n - 1] == '\0')
		payload.n--;
	return payload;
}

static bool replay(struct outbox *o, struct book *b, struct err *e)
{
	struct journal_reader *r;
	struct sv payload;
	uint64_t end;
	enum journal_rc rc;

	if (!journal_read_open(&r, o->journal_dir, o->saved, e))
		return false;
	while ((rc = journal_next(r, &payload, &end, e)) == JOURNAL_OK) {
		o->since++;
		if (!replay_entry(o, b, entry_text(payload), e)) {
			err_prefix(e, "%s at %llu", o->journal_dir,
				   (unsigned long long)end);
			break;
		}
	}
	journal_read_close(r);
	return rc == JOURNAL_END;
}

static void new_stream(struct outbox *o)
{
	uint8_t id[16];

	randombytes_buf(id, sizeof(id));
	hex_text(id, sizeof(id), o->stream);
}

bool outbox_open(struct outbox **out, const char *dir, struct book *book,
		 struct err *e)
{
	const struct journal_opts jo = {.segment_bytes = 8 << 20};
	struct outbox *o = xcalloc(1, sizeof(*o));
	bool fresh;

	snprintf(o->dir, sizeof(o->dir), "%s", dir);
	snprintf(o->journal_dir, sizeof(o->journal_dir), "%s/outbox", o->dir);
	snprintf(o->state, sizeof(o->state), "%s/alerter.state", o->dir);
	if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
		err_set(e, "%s: %s", dir, strerror(errno));
		goto bad;
	}
	if (!journal_open(&o->journal, o->journal_dir, &jo, e) ||
	    !load_state(o, book, e))
		goto bad;
	fresh = !o->stream[0];
	if (!fresh && journal_end(o->journal) < o->saved) {
		/* Positions would be given a second time. */
		log_error("outbox: journal ends before the state file; what "
			  "lay between may be missing in the database");
		o->saved = journal_begin(o->journal);
		fresh = true;
	} else if (!replay(o, book, e)) {
		goto bad;
	}
	if (fresh) {
		new_stream(o);
		if (!outbox_save(o, book, true, 0, e))
			goto bad;
	}
	*out = o;
	return true;
bad:
	outbox_close(o);
	return false;
}

void outbox_close(struct outbox *o)
{
	if (!o)
		return;
	journal_close(o->journal);
	json_free(&o->json);
	free(o);
}

const char *outbox_stream(const struct outbox *o)
{
	return o->stream;
}

const char *outbox_dir(const struct outbox *o)
{
	return o->journal_dir;
}

bool outbox_append(struct outbox *o, const struct fact_entry *x, struct err *e)
{
	struct iovec v;

	json_reset(&o->json);
	fact_entry_json(x, &o->json);
	v = (struct iovec){o->json.p, o->json.n};
	if (!journal_append(o->journal, &v, 1, NULL, e))
		return false;
	take(o, EVENT_SV(x->stream), &x->mark);
	for (size_t i = 0; i < x->n; i++)
		tick(o, &x->fact[i]);
	o->since++;
	return true;
}

bool outbox_sync(struct outbox *o, struct err *e)
{
	return journal_sync(o->journal, e);
}

bool outbox_save(struct outbox *o, const struct book *book, bool now,
		 uint64_t stored, struct err *e)
{
	if (now ? o->since > 0 || o->saved == 0 : o->since >= SAVE_EVERY) {
		uint64_t end = journal_end(o->journal);

		if (!journal_sync(o->journal, e) || !write_state(o, book, e))
			return false;
		o->saved = end;
		o->since = 0;
	}
	return journal_retire(o->journal, stored < o->saved ? stored : o->saved,
			      e);
}

uint64_t outbox_end(const struct outbox *o)
{
	return journal_end(o->journal);
}

uint64_t outbox_bytes(const struct outbox *o)
{
	return journal_bytes(o->journal);
}
