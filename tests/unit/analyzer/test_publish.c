/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/publish.c"

struct folder {
	char path[64];
};

static int make_folder(void **state)
{
	struct folder *d = test_malloc(sizeof(*d));

	snprintf(d->path, sizeof(d->path), "/tmp/tw-publish-XXXXXX");
	assert_non_null(mkdtemp(d->path));
	*state = d;
	return 0;
}

static int remove_folder(void **state)
{
	struct folder *d = *state;
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", d->path);
	assert_int_equal(system(cmd), 0);
	test_free(d);
	return 0;
}

static unsigned journalled(const char *dir, uint32_t *boots, uint64_t *seqs,
			   unsigned max)
{
	struct journal_reader *r;
	struct wire_view v;
	struct sv entry;
	uint64_t end;
	struct err e;
	unsigned n = 0;

	assert_true(journal_read_open(&r, dir, 0, &e));
	while (journal_next(r, &entry, &end, &e) == JOURNAL_OK) {
		assert_int_equal(wire_check(entry, &v), WIRE_OK);
		assert_int_equal(v.h->kind, WIRE_FINDINGS);
		assert_int_equal(v.h->count, 1);
		assert_true(n < max);
		boots[n] = v.h->boot;
		seqs[n++] = v.h->seq;
	}
	journal_read_close(r);
	return n;
}

/* Each life of the program comes by some places again: only what is beyond
 * the newest journalled place is said. */
static void a_place_speaks_once(void **state)
{
	const struct folder *d = *state;
	/* clang-format off */
	static const struct {
		unsigned life;
		struct apply_place at;
		unsigned said; /* in all, after it */
	} step[] = {
		{1, {100, 1}, 1},
		{1, {100, 2}, 2},
		{1, {356, 1}, 3},
		{2, {100, 1}, 3}, /* killed after 356/1, recovered from 0 */
		{2, {100, 2}, 3},
		{2, {356, 1}, 3},
		{2, {356, 2}, 4}, /* the kill came between two of one entry */
		{3, {356, 2}, 4},
		{3, {612, 1}, 5},
	};
	/* clang-format on */
	struct finding f = {.rule = "R01", .severity = SEVERITY_CRITICAL};
	struct publish *p = NULL;
	uint32_t boot[8];
	uint64_t seq[8];
	unsigned life = 0;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(step); i++) {
		if (step[i].life != life) {
			publish_close(p);
			assert_true(publish_open(&p, NULL, d->path, NULL, &e));
			life = step[i].life;
		}
		f.id[0] = (uint8_t)i;
		assert_true(publish_finding(p, &f, &step[i].at, &e));
		assert_true(publish_flush(p, &e));
		assert_int_equal(journalled(d->path, boot, seq, 8),
				 step[i].said);
	}
	publish_close(p);
	assert_int_equal(seq[0], 1);
	assert_int_equal(seq[2], 3);
	assert_int_equal(seq[3], 1); /* numbers begin again in a new boot */
	assert_true(boot[3] > boot[2]);
	assert_true(boot[4] > boot[3]);
}

/* An id that was journalled is not said at a later place, in this life or the
 * next; one that lies as far back as the ring is long is. */
static void an_id_speaks_once(void **state)
{
	const struct folder *d = *state;
	struct finding f = {.rule = "R09", .id = {7}};
	struct apply_place at = {100, 1};
	struct publish *p = NULL;
	struct err e;

	assert_true(publish_open(&p, NULL, d->path, NULL, &e));
	assert_true(publish_finding(p, &f, &at, &e));
	at.pos = 200;
	assert_true(publish_finding(p, &f, &at, &e));
	assert_true(publish_flush(p, &e));
	assert_int_equal(publish_stats(p).journalled, 1);
	assert_int_equal(publish_stats(p).repeated, 1);
	publish_close(p);

	assert_true(publish_open(&p, NULL, d->path, NULL, &e));
	at.pos = 300;
	assert_true(publish_finding(p, &f, &at, &e));
	assert_int_equal(publish_stats(p).journalled, 0);
	for (unsigned i = 0; i < 2 * IDS_MAX; i++, at.pos++) {
		struct finding other = {
			.id = {1, (uint8_t)i, (uint8_t)(i >> 8)}};

		assert_true(publish_finding(p, &other, &at, &e));
	}
	assert_true(publish_finding(p, &f, &at, &e));
	assert_int_equal(publish_stats(p).journalled, 2 * IDS_MAX + 1);
	publish_close(p);
}

/* All is acknowledged and the journal's segments are gone: the places that
 * were said are still known. */
static void an_empty_journal_says_nothing_again(void **state)
{
	const struct folder *d = *state;
	struct finding f = {.rule = "R01", .id = {1}};
	struct apply_place at = {500, 2};
	struct publish *p = NULL;
	uint32_t boot;
	char cmd[128];
	struct err e;

	assert_true(publish_open(&p, NULL, d->path, NULL, &e));
	assert_true(publish_finding(p, &f, &at, &e));
	assert_true(publish_flush(p, &e));
	boot = p->boot;
	publish_close(p);
	snprintf(cmd, sizeof(cmd), "rm '%s'/*.seg", d->path);
	assert_int_equal(system(cmd), 0);

	assert_true(publish_open(&p, NULL, d->path, NULL, &e));
	assert_int_equal(p->boot, boot + 1);
	f.id[0] = 2;
	at.nth = 1;
	assert_true(publish_finding(p, &f, &at, &e));
	assert_int_equal(publish_stats(p).repeated, 1);
	at.nth = 3;
	assert_true(publish_finding(p, &f, &at, &e));
	assert_int_equal(publish_stats(p).journalled, 1);

	/* the archive is gone too */
	publish_archive_ends(p, 500);
	f.id[0] = 3;
	at = (struct apply_place){300, 1};
	assert_true(publish_finding(p, &f, &at, &e));
	assert_int_equal(publish_stats(p).journalled, 1);
	publish_archive_ends(p, 0);
	assert_true(publish_finding(p, &f, &at, &e));
	assert_int_equal(publish_stats(p).journalled, 2);
	publish_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_place_speaks_once,
						make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(an_id_speaks_once, make_folder,
						remove_folder),
		cmocka_unit_test_setup_teardown(
			an_empty_journal_says_nothing_again, make_folder,
			remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
