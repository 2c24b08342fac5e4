/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/backtest.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "analyzer/apply.h"
#include "common/clock.h"
#include "common/journal.h"
#include "common/log.h"
#include "common/mem.h"

enum { RULE_ROWS = RULES_MAX + 1 };

struct rule_row {
	char rule[16];
	uint64_t count[2]; /* by severity - 1 */
};

struct backtest {
	struct apply *apply;
	struct json json;
	bool as_json;
	const char *config;
	const char *summary;
	uint64_t split; /* go over a snapshot every so many events; 0 = no */
	uint64_t next_split;
	uint64_t events;
	uint64_t bad_batches;
	uint64_t findings[2]; /* by severity - 1 */
	struct rule_row row[RULE_ROWS];
	struct mono_ms next_note;
};

static void count(struct backtest *b, const struct finding *f)
{
	struct rule_row *r = b->row;

	b->findings[f->severity - 1]++;
	while (r < b->row + RULE_ROWS - 1 && r->rule[0] &&
	       memcmp(r->rule, f->rule, sizeof(r->rule)) != 0)
		r++;
	memcpy(r->rule, f->rule, sizeof(r->rule));
	r->count[f->severity - 1]++;
}

static void on_finding(void *arg, const struct finding *f,
		       const struct apply_place *at)
{
	struct backtest *b = arg;

	(void)at;
	count(b, f);
	if (b->as_json) {
		finding_json(f, &b->json);
		json_line(&b->json, stdout);
	} else {
		finding_text(f, apply_conf(b->apply)->site.timezone, stdout);
	}
}

/* "1,200,000 events, 2026-01-17 03:10" on a terminal, twice a second. */
static void progress(struct backtest *b)
{
	char at[TIME_TEXT];
	struct mono_ms now = clock_mono();

	if (now.ms < b->next_note.ms || !isatty(STDERR_FILENO))
		return;
	b->next_note.ms = now.ms + 500;
	time_text(engine_clock(apply_engine(b->apply)), at);
	fprintf(stderr, "\r%llu events, %.16s ", (unsigned long long)b->events,
		at);
}

/* Save the engine, load it into a fresh one under a config read again, and
 * go on: what follows must be the same (design section 6, identity b). */
static void split(struct backtest *b)
{
	struct conf *c = NULL;
	struct err e = {0};
	struct analyzer_conf *conf = analyzer_conf_load(b->config, &c, &e);

	if (!conf || !apply_config(b->apply, &conf, &e)) {
		fprintf(stderr, "tollwatch: backtest: split: %s\n",
			e.text[0] ? e.text : "the config has errors now");
		exit(1);
	}
	b->next_split = b->events + b->split;
}

static void take(struct backtest *b, struct sv entry, uint64_t end)
{
	struct wire_view v;

	if (wire_check(entry, &v) == WIRE_OK && v.h->kind == WIRE_EVENTS)
		b->events += v.h->count;
	if (apply_entry(b->apply, entry, end) == APPLY_BAD_BATCH)
		b->bad_batches++;
	if (b->split && b->events >= b->next_split)
		split(b);
	progress(b);
}

/* Batches one after the other from a pipe.  The buffer holds the largest. */
static bool read_pipe(struct backtest *b, int fd, struct err *e)
{
	size_t cap = 2 * (size_t)WIRE_BATCH_MAX;
	char *buf = xmalloc(cap);
	size_t have = 0;
	uint64_t pos = 0;
	struct wire_view v;
	enum wire_rc rc = WIRE_SHORT;
	bool ok = true;

	for (;;) {
		size_t at = 0;
		ssize_t n = read(fd, buf + have, cap - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			ok = n == 0 || err_set(e, "read: %s", strerror(errno));
			break;
		}
		have += (size_t)n;
		while ((rc = wire_check((struct sv){buf + at, have - at},
					&v)) == WIRE_OK) {
			pos += v.size;
			take(b, (struct sv){buf + at, v.size}, pos);
			at += v.size;
		}
		if (rc != WIRE_SHORT)
			break;
		memmove(buf, buf + at, have - at); /* keeps 8-alignment */
		have -= at;
	}
	if (ok && (rc != WIRE_SHORT || have > 0))
		ok = err_set(e,
			     "standard input: not a stream of batches "
			     "after byte %llu",
			     (unsigned long long)pos);
	free(buf);
	return ok;
}

static bool read_archive(struct backtest *b, const char *dir, struct err *e)
{
	struct journal_reader *r;
	struct sv entry;
	uint64_t end;
	enum journal_rc rc;

	if (!journal_read_open(&r, dir, 0, e))
		return false;
	while ((rc = journal_next(r, &entry, &end, e)) == JOURNAL_OK)
		take(b, entry, end);
	journal_read_close(r);
	return rc == JOURNAL_END;
}

static void key_u64(struct json *j, const char *key, uint64_t v)
{
	json_key(j, key);
	json_int(j, (int64_t)v);
}

static bool write_summary(struct backtest *b, struct err *e)
{
	struct engine_stats s = engine_stats(apply_engine(b->apply));
	struct json *j = &b->json;
	FILE *f;

	json_open(j, '{');
	key_u64(j, "events", b->events);
	key_u64(j, "calls", s.calls);
	key_u64(j, "duplicate", s.duplicate);
	key_u64(j, "late", s.late);
	key_u64(j, "paired", s.paired);
	key_u64(j, "unpaired", s.unpaired);
	key_u64(j, "unrated", s.unrated);
	key_u64(j, "untracked", s.untracked);
	key_u64(j, "live_calls", s.live_calls);
	key_u64(j, "bad", b->bad_batches + apply_bad_events(b->apply));
	key_u64(j, "warning", b->findings[SEVERITY_WARNING - 1]);
	key_u64(j, "critical", b->findings[SEVERITY_CRITICAL - 1]);
	json_key(j, "rules");
	json_open(j, '{');
	for (struct rule_row *r = b->row; r->rule[0]; r++) {
		char name[17];

		snprintf(name, sizeof(name), "%.16s", r->rule);
		json_key(j, name);
		json_open(j, '{');
		key_u64(j, "warning", r->count[SEVERITY_WARNING - 1]);
		key_u64(j, "critical", r->count[SEVERITY_CRITICAL - 1]);
		json_close(j, '}');
	}
	json_close(j, '}');
	json_close(j, '}');
	f = fopen(b->summary, "we");
	if (!f)
		return err_set(e, "%s: %s", b->summary, strerror(errno));
	json_line(j, f);
	return fclose(f) == 0 ||
	       err_set(e, "%s: %s", b->summary, strerror(errno));
}

static int usage(void)
{
	fputs("usage: tollwatch-analyzer backtest --config DIR [--json] "
	      "[--summary FILE] [--split EVENTS] -|ARCHIVE\n",
	      stderr);
	return 2;
}

static bool run(struct backtest *b, const char *source, struct err *e)
{
	bool ok;

	if (strcmp(source, "-") == 0)
		ok = read_pipe(b, STDIN_FILENO, e);
	else
		ok = read_archive(b, source, e);
	if (ok)
		engine_finish(apply_engine(b->apply));
	if (isatty(STDERR_FILENO))
		fputc('\n', stderr);
	if (fflush(stdout) != 0 && ok)
		ok = err_set(e, "standard output: %s", strerror(errno));
	return ok && (!b->summary || write_summary(b, e));
}

static int backtest(struct backtest *b, const char *source)
{
	struct apply_opts ao = {.finding = on_finding, .arg = b};
	struct conf *c = NULL;
	struct err e = {0};
	struct analyzer_conf *conf = analyzer_conf_load(b->config, &c, &e);
	bool ok;

	if (!conf) {
		if (c)
			conf_report(c, stderr, false, false);
		else
			fprintf(stderr, "tollwatch: %s\n", e.text);
		conf_free(c);
		return 78;
	}
	b->apply = apply_new(&conf, &ao);
	ok = run(b, source, &e);
	if (!ok)
		fprintf(stderr, "tollwatch: backtest: %s\n", e.text);
	apply_free(b->apply);
	json_free(&b->json);
	return ok ? 0 : 1;
}

int backtest_main(int argc, char **argv)
{
	static const struct option opts[] = {
		{"config", required_argument, NULL, 'c'},
		{"json", no_argument, NULL, 'j'},
		{"summary", required_argument, NULL, 's'},
		{"split", required_argument, NULL, 'n'},
		{0},
	};
	struct backtest b = {0};
	int c;

	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		switch (c) {
		case 'c':
			b.config = optarg;
			break;
		case 'j':
			b.as_json = true;
			break;
		case 's':
			b.summary = optarg;
			break;
		case 'n':
			if (!sv_u64(sv_of(optarg), &b.split) || b.split == 0)
				return usage();
			b.next_split = b.split;
			break;
		default:
			return usage();
		}
	}
	if (argc - optind != 1 || !b.config)
		return usage();
	return backtest(&b, argv[optind]);
}
