/* SPDX-License-Identifier: Apache-2.0 */
#include "common/journal.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cmocka.h>

static char root[64];
static const struct journal_opts small = {.segment_bytes = 256};

static int make_root(void **state)
{
	(void)state;
	snprintf(root, sizeof(root), "/tmp/tw-journal-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	return system(command);
}

/* root/name, in one buffer. */
static const char *in_root(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	return path;
}

static const char *dir(void)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/j", root);
	return path;
}

static struct journal *opened(const struct journal_opts *o)
{
	struct journal *j = NULL;
	struct err e = {0};

	if (!journal_open(&j, dir(), o, &e))
		fail_msg("%s", e.text);
	return j;
}

/* Entry k has 1 + k % 40 bytes of value k. */
static size_t entry_text(unsigned k, char out[64])
{
	size_t n = 1 + k % 40;

	memset(out, (int)('a' + k % 26), n);
	return n;
}

static uint64_t add(struct journal *j, unsigned k)
{
	char text[64];
	struct iovec iov[2];
	size_t n = entry_text(k, text);
	uint64_t end = 0;
	struct err e = {0};

	/* in two parts, to cross their border in the CRC */
	iov[0] = (struct iovec){text, n / 2};
	iov[1] = (struct iovec){text + n / 2, n - n / 2};
	if (!journal_append(j, iov, 2, &end, &e))
		fail_msg("%s", e.text);
	return end;
}

static void expect_entry(struct journal_reader *r, unsigned k)
{
	char text[64];
	struct sv payload = {0};
	uint64_t end;
	struct err e = {0};
	size_t n = entry_text(k, text);

	if (journal_next(r, &payload, &end, &e) != JOURNAL_OK)
		fail_msg("entry %u: %s", k, e.text);
	assert_int_equal((uintptr_t)payload.p % 8, 0);
	assert_true(sv_eq(payload, (struct sv){text, n}));
}

static void expect_rc(struct journal_reader *r, enum journal_rc rc)
{
	struct sv payload;
	uint64_t end;
	struct err e = {0};

	assert_int_equal(journal_next(r, &payload, &end, &e), rc);
}

static struct journal_reader *reader(uint64_t pos)
{
	struct journal_reader *r = NULL;
	struct err e = {0};

	if (!journal_read_open(&r, dir(), pos, &e))
		fail_msg("%s", e.text);
	return r;
}

static size_t segments(void)
{
	struct seg_list l;
	struct err e;
	size_t n;

	assert_true(seg_list_read(&l, dir(), &e));
	n = l.n;
	seg_list_free(&l);
	return n;
}

static void entries_come_back_across_segments(void **state)
{
	struct journal *j = opened(&small);
	struct journal_reader *r;
	uint64_t ends[100];
	struct err e;

	(void)state;
	for (unsigned k = 0; k < 100; k++)
		ends[k] = add(j, k);
	assert_true(journal_sync(j, &e));
	assert_true(segments() > 5);
	assert_int_equal(journal_begin(j), 0);
	assert_int_equal(journal_end(j), ends[99]);
	assert_int_equal(journal_bytes(j), ends[99]);

	for (unsigned from = 0; from < 100; from += 7) {
		r = reader(from ? ends[from - 1] : 0);
		for (unsigned k = from; k < 100; k++)
			expect_entry(r, k);
		expect_rc(r, JOURNAL_END);
		journal_read_close(r);
	}
	journal_close(j);

	j = opened(&small);
	assert_int_equal(journal_end(j), ends[99]);
	assert_int_equal(journal_torn(j), 0);
	add(j, 100);
	r = reader(ends[99]);
	expect_entry(r, 100);
	journal_read_close(r);
	journal_close(j);
}

static void reader_follows_the_writer(void **state)
{
	struct journal *j = opened(&small);
	struct journal_reader *r = reader(0);

	(void)state;
	expect_rc(r, JOURNAL_END);
	for (unsigned k = 0; k < 200; k++) {
		add(j, k);
		if (k % 3)
			continue; /* sometimes several, across a border */
		for (unsigned i = k ? k - 2 : 0; i <= k; i++)
			expect_entry(r, i);
		expect_rc(r, JOURNAL_END);
		expect_rc(r, JOURNAL_END);
	}
	journal_read_close(r);
	journal_close(j);
}

static void only_one_writes_any_read(void **state)
{
	struct journal *j = opened(&small);
	struct journal *second = NULL;
	const struct journal_opts look = {.read_only = true};
	struct err e = {0};

	(void)state;
	add(j, 1);
	assert_false(journal_open(&second, dir(), &small, &e));
	assert_non_null(strstr(e.text, dir()));
	assert_non_null(strstr(e.text, "already in use by another process"));
	second = opened(&look);
	assert_int_equal(journal_end(second), journal_end(j));
	journal_close(second);
	journal_close(j);
	journal_close(opened(&small));
	journal_close(NULL);
}

static void nothing_there_to_read(void **state)
{
	const struct journal_opts look = {.read_only = true};
	struct journal *j = NULL;
	struct journal_reader *r = NULL;
	struct err e = {0};

	(void)state;
	assert_false(journal_open(&j, dir(), &look, &e));
	assert_non_null(strstr(e.text, dir()));
	assert_false(journal_read_open(&r, dir(), 0, &e));
	journal_close(opened(&small));
	assert_false(journal_read_open(&r, dir(), 8, &e));
	assert_non_null(strstr(e.text, "past the end"));
}

/* ---- damage ---- */

static void set_bytes(const char *path, off_t at, const void *p, size_t n)
{
	int fd = open(path, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, p, n, at), n);
	close(fd);
}

static uint8_t get_byte(const char *path, off_t at)
{
	uint8_t b = 0;
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &b, 1, at), 1);
	close(fd);
	return b;
}

static const char *seg_file(uint64_t base)
{
	char name[32];

	snprintf(name, sizeof(name), "j/%016llx.seg", (unsigned long long)base);
	return in_root(name);
}

/* An append that was cut short anywhere costs this entry alone. */
static void torn_tail_is_cut_at_every_byte(void **state)
{
	struct journal *j = opened(&small);
	uint64_t keep;
	uint64_t whole;

	(void)state;
	add(j, 10);
	keep = add(j, 11);
	whole = add(j, 39);
	journal_close(j);

	for (uint64_t cut = keep; cut < whole; cut++) {
		struct journal_reader *r;

		assert_int_equal(truncate(seg_file(0),
					  (off_t)(SEG_HEADER + cut)),
				 0);
		r = reader(keep); /* a reader waits for the rest */
		expect_rc(r, JOURNAL_END);
		journal_read_close(r);
		j = opened(&small);
		assert_int_equal(journal_torn(j), cut - keep);
		assert_int_equal(journal_end(j), keep);
		assert_int_equal(add(j, 39), whole);
		journal_close(j);
	}
	j = opened(&small);
	assert_int_equal(journal_torn(j), 0);
	assert_int_equal(journal_end(j), whole);
	journal_close(j);
}

/* Any flipped bit is found: in the last entry it is a torn tail, before it
 * an error with file and offset, and the file stays as it is. */
static void flipped_bits_are_found(void **state)
{
	const struct journal_opts big = {0};
	struct journal *j = opened(&big);
	uint64_t ends[3];

	(void)state;
	for (unsigned k = 0; k < 3; k++)
		ends[k] = add(j, 10 + k);
	journal_close(j);

	for (uint64_t at = 0; at < ends[2]; at++) {
		off_t off = (off_t)(SEG_HEADER + at);
		uint8_t was = get_byte(seg_file(0), off);
		uint8_t bad = was ^ (uint8_t)(1 << at % 8);
		struct err e = {0};

		set_bytes(seg_file(0), off, &bad, 1);
		if (at < ends[1]) {
			assert_false(journal_open(&j, dir(), &big, &e));
			assert_non_null(strstr(e.text, ".seg: offset "));
			set_bytes(seg_file(0), off, &was, 1);
			continue;
		}
		j = opened(&big);
		assert_int_equal(journal_torn(j), ends[2] - ends[1]);
		assert_int_equal(journal_end(j), ends[1]);
		add(j, 12);
		journal_close(j);
	}
}

/* After a power cut the size may be new and the bytes not. */
static void tail_of_zeros_is_cut(void **state)
{
	struct journal *j = opened(&small);
	uint64_t end = add(j, 5);

	(void)state;
	journal_close(j);
	assert_int_equal(truncate(seg_file(0), (off_t)(SEG_HEADER + end + 999)),
			 0);
	j = opened(&small);
	assert_int_equal(journal_torn(j), 999);
	assert_int_equal(journal_end(j), end);
	journal_close(j);
}

static void damage_before_the_last_segment(void **state)
{
	struct journal *j = opened(&small);
	struct journal_reader *r;
	struct seg_list l;
	struct err e = {0};
	uint8_t bad = 0xff;

	(void)state;
	for (unsigned k = 0; k < 60; k++)
		add(j, k);
	journal_close(j);
	assert_true(seg_list_read(&l, dir(), &e));
	assert_true(l.n > 3);

	/* an entry: its reader says so */
	set_bytes(seg_file(l.base[1]), SEG_HEADER + 9, &bad, 1);
	r = reader(l.base[1]);
	expect_rc(r, JOURNAL_CORRUPT);
	journal_read_close(r);

	/* a header */
	set_bytes(seg_file(l.base[2]), 0, &bad, 1);
	assert_false(journal_read_open(&r, dir(), l.base[2], &e));
	assert_non_null(strstr(e.text, "offset 0"));

	/* an end: neither its reader nor the writer goes over the hole */
	assert_int_equal(truncate(seg_file(l.base[0]), SEG_HEADER + 20), 0);
	r = reader(0);
	expect_entry(r, 0);
	expect_rc(r, JOURNAL_CORRUPT);
	journal_read_close(r);
	assert_false(journal_open(&j, dir(), &small, &e));
	assert_non_null(strstr(e.text, "0000000000000000.seg: offset "));
	seg_list_free(&l);
}

static void a_header_cut_short_is_named(void **state)
{
	struct journal *j = opened(&small);
	struct err e = {0};

	(void)state;
	journal_close(j);
	/* a rename that never came leaves its file: it is used again */
	close(open(in_root("j/new.tmp"), O_CREAT | O_WRONLY, 0600));
	j = opened(&small);
	for (unsigned k = 0; k < 40; k++)
		add(j, k);
	journal_close(j);
	assert_int_equal(truncate(seg_file(0), 3), 0);
	assert_false(journal_open(&j, dir(), &small, &e));
	assert_non_null(strstr(e.text, "offset 0"));
}

/* ---- retiring ---- */

static void retired_segments_go_and_positions_stay(void **state)
{
	struct journal *j = opened(&small);
	struct journal_reader *r = reader(0);
	uint64_t ends[60];
	size_t before;
	struct err e;

	(void)state;
	for (unsigned k = 0; k < 60; k++)
		ends[k] = add(j, k);
	before = segments();

	/* what is not wholly behind pos stays */
	assert_true(journal_retire(j, ends[30], &e));
	assert_true(segments() < before);
	assert_true(journal_begin(j) <= ends[30]);
	assert_int_equal(journal_begin(j) + journal_bytes(j), ends[59]);

	/* a reader from the old days starts at what there is: the segment it
	 * holds open, then the oldest held */
	for (unsigned k = 0; k == 0 || ends[k - 1] < small.segment_bytes; k++)
		expect_entry(r, k);
	journal_read_close(r);
	r = reader(8);
	for (unsigned k = 0; k < 60; k++)
		if (k && ends[k - 1] >= journal_begin(j))
			expect_entry(r, k);
	expect_rc(r, JOURNAL_END);
	journal_read_close(r);

	/* all of it: an empty segment carries the position on */
	assert_true(journal_retire(j, ends[59], &e));
	assert_true(journal_retire(j, ends[59], &e));
	assert_int_equal(segments(), 1);
	journal_close(j);
	j = opened(&small);
	assert_int_equal(journal_end(j), ends[59]);
	r = reader(ends[59]);
	expect_rc(r, JOURNAL_END);
	assert_true(add(j, 60) > ends[59]);
	expect_entry(r, 60);
	journal_read_close(r);
	journal_close(j);
}

static void full_last_segment_is_retired_too(void **state)
{
	struct journal *j = opened(&small);
	uint64_t end = 0;
	struct err e;

	(void)state;
	while (end < small.segment_bytes)
		end = add(j, 39);
	assert_int_equal(segments(), 1);
	assert_true(journal_retire(j, end - 8, &e));
	assert_int_equal(journal_begin(j), 0);
	assert_true(journal_retire(j, end, &e));
	assert_int_equal(journal_begin(j), end);
	assert_int_equal(journal_bytes(j), 0);
	assert_int_equal(segments(), 1);
	journal_close(j);
}

/* A reader stands at the end of a segment while the next one is begun, left
 * and retired: it must find the one after. */
static void reader_crosses_a_hole_of_retired(void **state)
{
	struct journal *j = opened(&small);
	struct journal_reader *r = reader(0);
	struct err e;
	struct sv payload;
	unsigned k = 0;
	uint64_t end = 0;
	uint64_t at = 0;

	(void)state;
	for (; end < small.segment_bytes; k++) {
		end = add(j, k);
		expect_entry(r, k);
	}
	expect_rc(r, JOURNAL_END);
	for (; end < 5 * small.segment_bytes; k++)
		end = add(j, k);
	assert_true(journal_retire(j, end, &e));
	assert_true(journal_begin(j) > 3 * small.segment_bytes);
	while (journal_next(r, &payload, &at, &e) == JOURNAL_OK)
		assert_true(at > journal_begin(j) && at <= end);
	assert_int_equal(at, end);
	add(j, k);
	expect_entry(r, k);
	journal_read_close(r);
	journal_close(j);
}

static void expired_by_their_last_write(void **state)
{
	struct journal *j = opened(&small);
	struct timespec old[2] = {{1000, 0}, {1000, 0}};
	struct seg_list l;
	struct err e;

	(void)state;
	for (unsigned k = 0; k < 60; k++)
		add(j, k);
	assert_true(seg_list_read(&l, dir(), &e));
	assert_true(l.n > 4);
	assert_int_equal(utimensat(-1, seg_file(l.base[0]), old, 0), 0);
	assert_int_equal(utimensat(-1, seg_file(l.base[1]), old, 0), 0);
	assert_int_equal(utimensat(-1, seg_file(l.base[3]), old, 0), 0);
	assert_true(journal_expire(j, INT64_C(1000) * 1000000, &e));
	assert_int_equal(journal_begin(j), 0);
	assert_true(journal_expire(j, INT64_C(1001) * 1000000, &e));
	assert_int_equal(journal_begin(j), l.base[2]);
	assert_true(journal_expire(j, INT64_MAX, &e));
	assert_int_equal(segments(), 1);
	assert_int_equal(journal_begin(j), l.base[l.n - 1]);
	seg_list_free(&l);
	journal_close(j);
}

/* ---- no room ---- */

/* In a child, for the limit is the process's: files may grow to 600 bytes.
 * The append that does not fit fails and leaves nothing; a smaller one still
 * fits behind what was there. */
static int fill_up(void)
{
	const struct rlimit limit = {600, RLIM_INFINITY};
	const struct journal_opts big = {0};
	char text[200];
	struct iovec iov = {text, sizeof(text)};
	struct iovec less = {text, 100};
	struct journal *j;
	struct stat st;
	uint64_t end = 0;
	struct err e = {0};

	memset(text, 'x', sizeof(text));
	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) ||
	    !journal_open(&j, dir(), &big, &e))
		return 1;
	if (!journal_append(j, &iov, 1, &end, &e) ||
	    !journal_append(j, &iov, 1, &end, &e))
		return 2;
	for (int i = 0; i < 3; i++)
		if (journal_append(j, &iov, 1, &end, &e) ||
		    !strstr(e.text, dir()) || journal_end(j) != 416)
			return 3;
	if (stat(seg_file(0), &st) || st.st_size != SEG_HEADER + 416)
		return 4;
	if (!journal_append(j, &less, 1, &end, &e) || end != 416 + 112)
		return 5;
	journal_close(j);
	return 0;
}

static void full_disk_leaves_nothing_behind(void **state)
{
	struct journal_reader *r;
	struct journal *j;
	struct sv payload;
	uint64_t end;
	struct err e;
	int status = 0;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0)
		_exit(fill_up());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);

	j = opened(&small);
	assert_int_equal(journal_torn(j), 0);
	assert_int_equal(journal_end(j), 528);
	r = reader(0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(journal_next(r, &payload, &end, &e),
				 JOURNAL_OK);
	assert_int_equal(payload.n, 100);
	expect_rc(r, JOURNAL_END);
	journal_read_close(r);
	journal_close(j);
}

/* A segment that cannot be begun fails the append, and nothing else. */
static void no_room_for_a_segment(void **state)
{
	struct journal *j = opened(&small);
	char text[8] = "x";
	struct iovec iov = {text, sizeof(text)};
	uint64_t end = 0;
	struct err e;

	(void)state;
	while (end < small.segment_bytes)
		end = add(j, 39);
	/* the place of the new file is taken by a directory */
	assert_int_equal(mkdir(in_root("j/new.tmp"), 0700), 0);
	assert_false(journal_append(j, &iov, 1, NULL, &e));
	assert_int_equal(journal_end(j), end);
	assert_int_equal(rmdir(in_root("j/new.tmp")), 0);
	assert_true(journal_append(j, &iov, 1, NULL, &e));
	assert_int_equal(segments(), 2);
	journal_close(j);
}

static void entry_too_long_is_refused(void **state)
{
	struct journal *j = opened(&small);
	char *text = xcalloc(1, ENTRY_MAX + 1);
	struct iovec iov[2] = {{text, ENTRY_MAX}, {text, 1}};
	struct journal_reader *r = reader(0);
	struct sv payload;
	uint64_t end;
	struct err e;

	(void)state;
	assert_false(journal_append(j, iov, 2, NULL, &e));
	assert_int_equal(journal_end(j), 0);
	assert_true(journal_append(j, iov, 1, NULL, &e));
	assert_int_equal(journal_next(r, &payload, &end, &e), JOURNAL_OK);
	assert_int_equal(payload.n, ENTRY_MAX);
	assert_int_equal(end, journal_end(j));
	journal_read_close(r);
	journal_close(j);
	free(text);
}

#define T(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(entries_come_back_across_segments),
		T(reader_follows_the_writer),
		T(only_one_writes_any_read),
		T(nothing_there_to_read),
		T(torn_tail_is_cut_at_every_byte),
		T(flipped_bits_are_found),
		T(tail_of_zeros_is_cut),
		T(damage_before_the_last_segment),
		T(a_header_cut_short_is_named),
		T(retired_segments_go_and_positions_stay),
		T(full_last_segment_is_retired_too),
		T(reader_crosses_a_hole_of_retired),
		T(expired_by_their_last_write),
		T(full_disk_leaves_nothing_behind),
		T(no_room_for_a_segment),
		T(entry_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
