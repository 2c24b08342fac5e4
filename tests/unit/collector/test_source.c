/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "collector/source/file.c"

static char dir[64];
static const char *const made[] = {"a.csv", "b.csv", "a.old", "src.txt"};

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/tollwatch-test-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int drop_dir(void **state)
{
	char path[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(made); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, made[i]);
		unlink(path);
	}
	return rmdir(dir);
}

static void name_of(const char *name, char path[128])
{
	snprintf(path, 128, "%s/%s", dir, name);
}

/* A row that ended at 02:MM:00 on a call to number `to`. */
static void add_row(const char *name, unsigned minute, unsigned to)
{
	char path[128];
	FILE *f;

	name_of(name, path);
	f = fopen(path, "a");
	assert_non_null(f);
	fprintf(f,
		"\"\",\"101\",\"%u\",\"c\",\"\",\"PJSIP/101-1\",\"\",\"\","
		"\"\",\"2026-01-17 02:%02u:00\",,\"2026-01-17 02:%02u:00\","
		"0,0,\"NO ANSWER\",\"\"\n",
		to, minute, minute);
	fclose(f);
}

static void add_text(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	name_of(name, path);
	f = fopen(path, "a");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

struct bench {
	struct offsets *offsets;
	struct collector_conf site;
	struct source_conf conf;
};

static void bench_init(struct bench *b, const char *pattern)
{
	*b = (struct bench){.offsets = offsets_new()};
	b->conf.name = "src";
	b->conf.kind = SOURCE_FILE;
	b->conf.path = pattern;
	b->conf.resolver.source = "src";
}

static struct source *open_source(const struct bench *b, bool finite)
{
	struct source_opts o = {.conf = &b->conf,
				.site = &b->site,
				.offsets = b->offsets,
				.base = dir,
				.rejects = dir,
				.finite = finite};
	struct source *s;
	struct err e;

	if (!source_new(&s, &o, &e))
		fail_msg("%s", e.text);
	return s;
}

/* Callee of the next event; 0 = none. */
static unsigned next(struct source *s)
{
	struct event *ev;
	uint32_t to;

	if (source_peek(s, &ev) != SOURCE_EVENT)
		return 0;
	source_take(s);
	assert_true(sv_u32(EVENT_SV(ev->callee_raw), &to));
	return to;
}

static void a_growing_file(void **state)
{
	struct bench b;
	struct source *s;

	(void)state;
	bench_init(&b, "*.csv");
	add_row("a.csv", 1, 11);
	s = open_source(&b, false);
	assert_int_equal(next(s), 11);
	assert_int_equal(next(s), 0);
	add_text("a.csv", "\"\",\"101\",\"12\",\"c\",");
	assert_int_equal(next(s), 0); /* half a line waits */
	add_text("a.csv", "\"\",\"\",\"\",\"\",\"\",\"2026-01-17 02:02:00\",,"
			  "\"2026-01-17 02:02:00\",0,0,\"\",\"\"\n");
	assert_int_equal(next(s), 12);
	add_text("a.csv", "nonsense\n");
	add_row("a.csv", 3, 13);
	assert_int_equal(next(s), 13);
	assert_int_equal(source_rejected(s), 1);

	/* what was peeked and not taken comes again after a restart */
	add_row("a.csv", 4, 14);
	{
		struct event *ev;

		assert_int_equal(source_peek(s, &ev), SOURCE_EVENT);
	}
	source_free(s);
	s = open_source(&b, false);
	assert_int_equal(next(s), 14);
	assert_int_equal(next(s), 0);
	source_free(s);
	offsets_free(b.offsets);
}

static void rotation_and_truncation(void **state)
{
	struct bench b;
	struct source *s;
	char from[128], to[128];

	(void)state;
	bench_init(&b, "*.csv");
	add_row("a.csv", 1, 11);
	s = open_source(&b, false);
	assert_int_equal(next(s), 11);
	/* renamed, written to once more, and a new one begun */
	name_of("a.csv", from);
	name_of("a.old", to);
	assert_int_equal(rename(from, to), 0);
	add_row("a.old", 2, 12);
	add_row("a.csv", 3, 13);
	source_scan(s);
	assert_int_equal(next(s), 12);
	assert_int_equal(next(s), 13);
	assert_int_equal(next(s), 0);
	/* cut in place */
	add_row("a.csv", 4, 14);
	assert_int_equal(next(s), 14);
	assert_int_equal(truncate(from, 0), 0);
	add_row("a.csv", 5, 15);
	source_scan(s);
	assert_int_equal(next(s), 15);
	assert_int_equal(next(s), 0);
	source_free(s);
	offsets_free(b.offsets);
}

static void another_file_under_an_old_inode(void **state)
{
	struct bench b;
	struct source *s;
	char path[128];

	(void)state;
	bench_init(&b, "a.csv");
	add_row("a.csv", 1, 11);
	s = open_source(&b, false);
	assert_int_equal(next(s), 11);
	source_free(s);
	/* the same inode, other first bytes, longer than the mark */
	name_of("a.csv", path);
	assert_int_equal(truncate(path, 0), 0);
	add_row("a.csv", 2, 21);
	add_row("a.csv", 3, 22);
	s = open_source(&b, false);
	assert_int_equal(next(s), 21);
	assert_int_equal(next(s), 22);
	source_free(s);
	offsets_free(b.offsets);
}

/* A switch that deletes an old file and begins a new one gets the inode of
 * the old one at once; the same when a folder was away for a moment. */
static void a_file_that_comes_back(void **state)
{
	struct bench b;
	struct source *s;
	char path[128], away[128];

	(void)state;
	bench_init(&b, "*.csv");
	add_row("a.csv", 1, 11);
	s = open_source(&b, false);
	assert_int_equal(next(s), 11);
	name_of("a.csv", path);
	name_of("a.old", away);
	assert_int_equal(rename(path, away), 0);
	source_scan(s);
	assert_int_equal(next(s), 0);
	/* itself, with a row more */
	add_row("a.old", 2, 12);
	assert_int_equal(rename(away, path), 0);
	source_scan(s);
	assert_int_equal(next(s), 12);
	assert_int_equal(next(s), 0);
	/* another one under its inode */
	assert_int_equal(rename(path, away), 0);
	source_scan(s);
	assert_int_equal(next(s), 0);
	assert_int_equal(truncate(away, 0), 0);
	add_row("a.old", 3, 21);
	assert_int_equal(rename(away, path), 0);
	source_scan(s);
	assert_int_equal(next(s), 21);
	assert_int_equal(next(s), 0);
	/* deleted: its mark goes with it, and no list grows for ever */
	assert_int_equal(unlink(path), 0);
	source_scan(s);
	assert_int_equal(next(s), 0);
	assert_int_equal(offsets_get(b.offsets, 0)->offset, 0);
	source_scan(s);
	assert_int_equal(s->n, 0);
	source_free(s);
	offsets_free(b.offsets);
}

static void marks_of_files_that_are_gone(void **state)
{
	struct bench b;
	struct source *s;

	(void)state;
	bench_init(&b, "*.csv");
	for (unsigned i = 0; i < MARKS_MAX; i++)
		assert_int_equal(offsets_slot(b.offsets, "src", 0, i + 1), i);
	add_row("a.csv", 1, 11);
	s = open_source(&b, false);
	assert_int_equal(next(s), 0); /* others may not have looked yet */
	offsets_settled(b.offsets, true);
	source_scan(s);
	assert_int_equal(next(s), 11);
	for (unsigned i = 0; i < MARKS_MAX; i++)
		offsets_hold(b.offsets, (int)i, true);
	assert_int_equal(offsets_slot(b.offsets, "src", 0, 5000), -1);
	source_free(s);
	offsets_free(b.offsets);
}

/* Deleted before it was read: the next one is not held up. */
static void a_capture_that_is_gone(void **state)
{
	struct bench b;
	struct source *s;
	struct event *ev;
	char path[128];

	(void)state;
	bench_init(&b, "*.csv");
	b.conf.kind = SOURCE_PCAP;
	b.site.dialogs_max = 8;
	add_text("a.csv", "young");
	s = open_source(&b, false);
	assert_int_equal(source_peek(s, &ev), SOURCE_IDLE);
	name_of("a.csv", path);
	assert_int_equal(unlink(path), 0);
	source_scan(s);
	assert_int_equal(source_peek(s, &ev), SOURCE_IDLE);
	assert_true(s->file[0]->done);
	source_scan(s);
	assert_int_equal(s->n, 0);
	assert_int_equal(s->at, 0);
	source_free(s);
	offsets_free(b.offsets);
}

/* What event_check() would refuse at the other end is on the list here. */
static void times_nobody_takes(void **state)
{
	static const struct profile own = {
		.name = "own",
		.separator = ',',
		.column = {[FIELD_SETUP] = "at",
			   [FIELD_TALK] = "talk",
			   [FIELD_CALLEE] = "to"},
		.time = "epoch",
		.duration = DURATION_HMS,
	};
	struct bench b;
	struct source *s;

	(void)state;
	bench_init(&b, "a.csv");
	b.conf.profile = &own;
	add_text("a.csv", "at,talk,to\n"
			  "4000000000000,0:01:00,11\n"
			  "1768616645,999999:00:00,12\n"
			  "1768616645,0:01:00,13\n");
	s = open_source(&b, true);
	assert_int_equal(next(s), 13);
	assert_int_equal(next(s), 0);
	assert_int_equal(source_rejected(s), 2);
	source_free(s);
	offsets_free(b.offsets);
}

static void merged_as_it_was_lived(void **state)
{
	static const unsigned want[] = {11, 21, 12, 13, 22};
	struct bench a, b;
	struct source *list[2];

	(void)state;
	bench_init(&a, "a.csv");
	bench_init(&b, "b.csv");
	add_row("a.csv", 1, 11);
	add_row("a.csv", 2, 12);
	add_row("a.csv", 3, 13);
	add_row("b.csv", 1, 21); /* a tie: by order of the list */
	add_row("b.csv", 9, 22);
	list[0] = open_source(&a, true);
	list[1] = open_source(&b, true);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		struct event *ev;
		struct source *s = merge_next(list, 2, &ev);

		assert_non_null(s);
		assert_int_equal(next(s), want[i]);
	}
	{
		struct event *ev;

		assert_null(merge_next(list, 2, &ev));
		assert_int_equal(source_peek(list[0], &ev), SOURCE_END);
	}
	source_free(list[0]);
	source_free(list[1]);
	offsets_free(a.offsets);
	offsets_free(b.offsets);
}

static void a_torn_row_costs_itself(void **state)
{
	struct bench b;
	struct source *s;

	(void)state;
	bench_init(&b, "a.csv");
	add_row("a.csv", 1, 11);
	add_text("a.csv", "\"\",\"101\",\"12\",\"open\n");
	add_row("a.csv", 2, 12);
	s = open_source(&b, true);
	assert_int_equal(next(s), 11);
	assert_int_equal(next(s), 12);
	assert_int_equal(next(s), 0);
	assert_int_equal(source_rejected(s), 1);
	source_free(s);
	offsets_free(b.offsets);
}

/* However far the clock is to be moved, and by which of its times. */
static void a_row_of_the_future_is_listed(void **state)
{
	/* clang-format off */
	static const char rows[] =
		"setup,end,caller,callee\n"
		"2026-01-17T02:01:00Z,2026-01-17T02:02:00Z,101,11\n"
		"2098-01-17T02:01:00Z,2098-01-17T02:02:00Z,101,12\n"
		"2026-01-17T02:01:00Z,2098-01-17T02:02:00Z,101,13\n"
		"2026-01-17T02:03:00Z,2026-01-17T02:04:00Z,101,14\n";
	/* clang-format on */
	char path[128], text[512];
	struct bench b;
	struct source *s;
	size_t n;
	FILE *f;

	(void)state;
	bench_init(&b, "a.csv");
	b.conf.profile = &profile_csv;
	b.site.site.feed_clock = true;
	add_text("a.csv", rows);
	s = open_source(&b, true);
	assert_int_equal(next(s), 11);
	assert_int_equal(next(s), 14);
	assert_int_equal(next(s), 0);
	assert_int_equal(source_rejected(s), 2);
	source_free(s);
	offsets_free(b.offsets);
	name_of("src.txt", path);
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	assert_non_null(strstr(text, "a.csv:3: time in the future"));
	assert_non_null(strstr(text, "a.csv:4: time in the future"));
}

/* In a CSV of a profile a field may have several lines; a name that begins
 * with a quote must not take the rows after it along. */
static void an_open_quote_costs_its_line(void **state)
{
	/* clang-format off */
	static const char head[] = "setup,duration,caller,callee\n";
	static const char *const rows[] = {
		"2026-01-17T02:01:00Z,5,101,11\n",
		"2026-01-17T02:02:00Z,5,\"Al,12\n",
		"2026-01-17T02:03:00Z,5,101,13\n",
		"2026-01-17T02:04:00Z,5,\"Bo,14\n",
		"2026-01-17T02:05:00Z,5,\"1\n0\n1\",15\n",
		"2026-01-17T02:06:00Z,5,\"Cy,16\n",
	};
	/* clang-format on */
	static const unsigned want[] = {11, 13, 15};
	const unsigned plain = 3000; /* over 64 KiB: the quote never closes */
	char path[128], text[4096];
	struct bench b;
	struct source *s;
	size_t n;
	FILE *f;

	(void)state;
	bench_init(&b, "a.csv");
	b.conf.profile = &profile_csv;
	add_text("a.csv", head);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		add_text("a.csv", rows[i]);
	for (unsigned i = 0; i < plain; i++)
		add_text("a.csv", "2026-01-17T02:07:00Z,5,101,17\n");
	s = open_source(&b, false);
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		assert_int_equal(next(s), want[i]);
	for (unsigned i = 0; i < plain; i++)
		assert_int_equal(next(s), 17);
	assert_int_equal(next(s), 0);
	assert_int_equal(source_rejected(s), 3);
	source_free(s);
	offsets_free(b.offsets);

	name_of("src.txt", path);
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	assert_non_null(strstr(text, "a.csv:3: a quoted field is not closed"));
	assert_non_null(strstr(text, "a.csv:5: a quoted field is not closed"));
	assert_non_null(strstr(text, "a.csv:9: a quoted field is not closed"));
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, make_dir, drop_dir)
	const struct CMUnitTest tests[] = {
		CASE(a_growing_file),
		CASE(rotation_and_truncation),
		CASE(another_file_under_an_old_inode),
		CASE(a_file_that_comes_back),
		CASE(marks_of_files_that_are_gone),
		CASE(a_capture_that_is_gone),
		CASE(times_nobody_takes),
		CASE(merged_as_it_was_lived),
		CASE(a_torn_row_costs_itself),
		CASE(an_open_quote_costs_its_line),
		CASE(a_row_of_the_future_is_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
