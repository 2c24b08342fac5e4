/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <dirent.h>
#include <unistd.h>
#include <cmocka.h>

#include "collector/spool.c"

static char dir[64];

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/tollwatch-test-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static void empty(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *f;
	char name[512];

	while (d && (f = readdir(d))) {
		snprintf(name, sizeof(name), "%s/%s", path, f->d_name);
		unlink(name);
	}
	if (d)
		closedir(d);
	rmdir(path);
}

static int drop_dir(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/spool", dir);
	empty(path);
	empty(dir);
	return 0;
}

static struct spool *open_spool(struct offsets *o, uint64_t cap, uint32_t fresh)
{
	struct spool_opts opts = {.dir = dir,
				  .stream = "site",
				  .cap = cap,
				  .fresh_boot = fresh,
				  .offsets = o};
	struct spool *s;
	struct err e;

	if (!spool_open(&s, &opts, &e))
		fail_msg("%s", e.text);
	return s;
}

static void put(struct spool *s, struct offsets *o, uint64_t offset)
{
	int slot = offsets_slot(o, "src", 1, 2);
	struct source_mark m = *offsets_get(o, slot);
	struct event ev;
	struct err e;

	if (spool_batch_full(s))
		assert_true(spool_append(s, &e));
	event_init(&ev);
	ev.kind = EVENT_CALL;
	ev.phase = PHASE_END;
	m.offset = offset;
	assert_true(spool_event(s, &ev, false));
	offsets_set(o, slot, &m);
}

/* A crash loses what was held, together with its marks. */
static void marks_follow_the_events(void **state)
{
	struct offsets *o = offsets_new();
	struct spool *s = open_spool(o, 1 << 20, 1000);
	struct err e;
	uint64_t end;

	(void)state;
	assert_int_equal(spool_stats(s).boot, 1000);
	for (uint64_t i = 1; i <= 700; i++)
		put(s, o, i * 10);
	/* 512 are in the journal, 188 in memory only */
	assert_int_equal(spool_stats(s).spooled, WIRE_EVENTS_MAX);
	assert_int_equal(spool_stats(s).seq, WIRE_EVENTS_MAX);
	journal_close(s->journal); /* as a kill leaves it */
	s->journal = NULL;
	spool_close(s);
	offsets_free(o);

	o = offsets_new();
	s = open_spool(o, 1 << 20, 2000); /* not fresh */
	assert_int_equal(spool_stats(s).boot, 1001);
	assert_int_equal(spool_stats(s).spooled, WIRE_EVENTS_MAX);
	assert_int_equal(offsets_get(o, offsets_slot(o, "src", 1, 2))->offset,
			 WIRE_EVENTS_MAX * 10);
	assert_false(spool_is_empty(s));
	end = journal_end(spool_journal(s));
	spool_safe(s, end);
	assert_true(spool_is_empty(s));
	assert_int_equal(spool_stats(s).acked, WIRE_EVENTS_MAX);
	put(s, o, 9999);
	assert_true(spool_sync(s, &e));
	spool_close(s);
	offsets_free(o);

	/* the file of offsets is enough without the journal's batches */
	o = offsets_new();
	s = open_spool(o, 1 << 20, 0);
	assert_int_equal(spool_stats(s).boot, 1002);
	assert_int_equal(offsets_get(o, 0)->offset, 9999);
	spool_close(s);
	offsets_free(o);
}

static void a_filling_spool_refuses_the_cheap(void **state)
{
	/* clang-format off */
	static const struct { unsigned percent; uint8_t kind, phase; const char *callee; bool ok; } c[] = {
		{79, EVENT_REGISTER, 0, "", true},
		{81, EVENT_REGISTER, 0, "", false},
		{81, EVENT_CALL, PHASE_PROGRESS, "", true},
		{88, EVENT_CALL, PHASE_PROGRESS, "", false},
		{88, EVENT_CALL, PHASE_SETUP, "+442079460123", true},
		{95, EVENT_CALL, PHASE_SETUP, "+442079460123", false},
		{95, EVENT_CALL, PHASE_SETUP, "+443069990123", false},
		{95, EVENT_CALL, PHASE_SETUP, "+447700900123", true},
		{95, EVENT_CALL, PHASE_SETUP, "+252991234567", true},
		{99, EVENT_CALL, PHASE_ANSWER, "+442079460123", true},
		{99, EVENT_CALL, PHASE_END, "+442079460123", true},
	};
	/* clang-format on */
	struct offsets *o = offsets_new();
	struct spool *s = open_spool(o, 1 << 20, 2000);
	uint64_t seq = 0;

	(void)state;
	put(s, o, 1);
	assert_true(spool_sync(s, &(struct err){""}));
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		struct event ev;

		/* bytes that wait, as a share of the cap */
		s->cap = (journal_end(s->journal) - s->safe) * 100 /
			 c[i].percent;
		event_init(&ev);
		ev.kind = c[i].kind;
		ev.phase = c[i].phase;
		number_parse(sv_of(c[i].callee), &ev.callee);
		if (spool_event(s, &ev, true) != c[i].ok)
			fail_msg("%zu at %u %%: %llu", i, c[i].percent,
				 (unsigned long long)fill_percent(s));
		if (c[i].ok) {
			if (seq) /* refusals leave no gap */
				assert_int_equal(ev.seq, seq + 1);
			seq = ev.seq;
		}
		assert_false(spool_is_full(s));
	}
	assert_int_equal(spool_stats(s).refused, 4);
	s->cap = 10;
	assert_true(spool_is_full(s));
	spool_close(s);
	offsets_free(o);
}

static void a_damaged_file_of_offsets_is_said(void **state)
{
	struct offsets *o = offsets_new();
	char path[128];
	struct err e;
	uint32_t boot;
	uint64_t pos;
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/o", dir);
	offsets_slot(o, "abcdefghijklmno", 3, 4);
	assert_true(offsets_save(o, path, 7, 99, &e));
	assert_true(offsets_load(o, path, &boot, &pos, &e));
	assert_int_equal(boot, 7);
	assert_int_equal(pos, 99);
	f = fopen(path, "r+");
	assert_non_null(f);
	fseek(f, 40, SEEK_SET);
	fputc('x', f);
	fclose(f);
	assert_false(offsets_load(o, path, &boot, &pos, &e));
	assert_non_null(strstr(e.text, "damaged"));
	offsets_free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(marks_follow_the_events,
						make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(
			a_filling_spool_refuses_the_cheap, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(
			a_damaged_file_of_offsets_is_said, make_dir, drop_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
