/* SPDX-License-Identifier: Apache-2.0 */
/* A night, cut off anywhere: what is read back is what was. */
#include "alerter/outbox.c"

#include <dirent.h>
#include <ftw.h>

#include "world.h"

static struct world w;
static char dir[] = "/tmp/tollwatch-outbox.XXXXXX";

static int drop(const char *path, const struct stat *st, int kind,
		struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static int setup(void **state)
{
	(void)state;
	world_init(&w);
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	assert_non_null(mkdtemp(dir));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_free(&w);
	nftw(dir, drop, 8, FTW_DEPTH | FTW_PHYS);
	return 0;
}

static char *picture(const struct book *b)
{
	struct json j = {0};
	char *text;

	for (size_t k = 0; k < b->n; k++)
		incident_json(b->incident[k], true, &j);
	text = sv_dup((struct sv){j.p ? j.p : "", j.n});
	json_free(&j);
	return text;
}

static void append(struct outbox *o)
{
	struct err e;

	if (!outbox_append(o, &w.entry, &e))
		fail_msg("%s", e.text);
	fact_clear(&w.entry);
}

/* The k-th thing that happens. */
static void happen(unsigned k)
{
	const struct act a = {.ref = 1,
			      .person = "alex",
			      .via = "shell",
			      .note = "on it: \"£\"",
			      .verdict = VERDICT_FRAUD};
	struct exposure x;
	struct finding f;
	struct err e;

	w.d.now_us += MIN_US;
	switch (k) {
	case 0:
	case 1:
		world_finding(&f, k + 1,
			      k ? SEVERITY_CRITICAL : SEVERITY_WARNING,
			      1234567890 * (int64_t)(k + 1));
		join_finding(&w.d, &f);
		sv_put(w.entry.stream, sizeof(w.entry.stream), SV("findings"));
		w.entry.mark = (struct wire_mark){77, k + 1};
		break;
	case 2:
		world_exposure(&x, 98765432109);
		join_exposure(&w.d, &x);
		break;
	case 3:
		world_deliver(&w);
		break;
	case 4:
		escalate_due(&w.d, w.book.incident[0]);
		break;
	case 5:
		assert_true(act_ack(&w.d, &a, &e));
		break;
	case 6:
		w.d.now_us += HOUR_US;
		escalate_due(&w.d, w.book.incident[0]);
		break;
	case 7:
		assert_true(act_resolve(&w.d, &a, &e));
		break;
	}
}

static void check_reopened(const char *want, unsigned k)
{
	struct book again = {0};
	struct outbox *o;
	struct err e;
	char *got;

	if (!outbox_open(&o, dir, &again, &e))
		fail_msg("after %u: %s", k, e.text);
	got = picture(&again);
	assert_string_equal(got, want);
	assert_int_equal(again.last_ref, w.book.last_ref);
	assert_int_equal(again.last_page, w.book.last_page);
	assert_int_equal(outbox_seen(o, SV("findings")).now.seq,
			 k >= 1 ? 2 : 1);
	free(got);
	book_clear(&again);
	outbox_close(o);
}

static void night(bool save)
{
	struct book none = {0};
	struct outbox *o;
	struct err e;

	for (unsigned k = 0; k < 8; k++) {
		char *want;

		assert_true(outbox_open(&o, dir, &none, &e));
		book_clear(&none);
		happen(k);
		append(o);
		if (save)
			assert_true(
				outbox_save(o, &w.book, true, UINT64_MAX, &e));
		outbox_close(o);
		want = picture(&w.book);
		check_reopened(want, k);
		free(want);
	}
}

static void test_from_the_journal(void **state)
{
	(void)state;
	night(false);
}

static void test_from_the_state_file(void **state)
{
	(void)state;
	night(true);
}

static void test_no_whole_number_outside_the_journal(void **state)
{
	char *text;

	(void)state;
	happen(0);
	text = picture(&w.book);
	assert_null(strstr(text, "252611234567"));
	assert_non_null(strstr(text, "+2526"));
	free(text);
}

static void test_a_lost_journal_gives_no_position_twice(void **state)
{
	struct book b = {0};
	struct outbox *o;
	char first[33];
	char path[64];
	struct err e;

	(void)state;
	assert_true(outbox_open(&o, dir, &b, &e));
	snprintf(first, sizeof(first), "%s", outbox_stream(o));
	happen(0);
	append(o);
	assert_true(outbox_save(o, &w.book, true, 0, &e));
	outbox_close(o);
	snprintf(path, sizeof(path), "%s/outbox", dir);
	nftw(path, drop, 8, FTW_DEPTH | FTW_PHYS);
	assert_true(outbox_open(&o, dir, &b, &e));
	assert_string_not_equal(outbox_stream(o), first);
	assert_int_equal(b.n, 1);
	outbox_close(o);
	book_clear(&b);
}

static void test_a_foreign_state_file_is_refused(void **state)
{
	struct book b = {0};
	struct outbox *o;
	char path[64];
	struct err e;
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/alerter.state", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("{\"v\":9}\n", f);
	fclose(f);
	assert_false(outbox_open(&o, dir, &b, &e));
	assert_non_null(strstr(e.text, "alerter.state:1"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_from_the_journal),
		T(test_from_the_state_file),
		T(test_no_whole_number_outside_the_journal),
		T(test_a_lost_journal_gives_no_position_twice),
		T(test_a_foreign_state_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
