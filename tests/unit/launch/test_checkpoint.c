/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "launch/checkpoint.c"
#include "launch/checkpoint_folder.c"

#include "common/attr.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define TOP                                                                    \
	"tollwatch checkpoint 1\n"                                             \
	"origin 02b76c27-ba7d-4bef-b6ff-2eb172996e8a\nn 2\n"                   \
	"at 2026-01-17T02:24:05Z\nprevious " A64 "\ncatalogue " B64            \
	"\nmakers " A64 "\n"

static const char good[] = TOP "stream access 812 " B64 "\n"
			       "stream alerter 3 " A64 "\n";

static struct checkpoint parsed(const char *text)
{
	struct checkpoint c;
	struct err e;

	if (!checkpoint_parse(&c, sv_of(text), &e))
		fail_msg("%s", text);
	return c;
}

static void text_and_back(void **state)
{
	struct checkpoint c = parsed(good);
	char text[CHECKPOINT_TEXT];
	struct err e;

	(void)state;
	assert_int_equal(c.n, 2);
	assert_int_equal(c.streams, 2);
	assert_int_equal(checkpoint_find(&c, "access")->seq, 812);
	assert_null(checkpoint_find(&c, "dpo"));
	assert_int_equal(checkpoint_text(&c, text), strlen(good));
	assert_string_equal(text, good);
	for (size_t n = 0; n < sizeof(good) - 1; n++)
		if (n != sizeof(TOP) - 1 &&
		    n != strlen(good) - strlen("stream alerter 3 " A64 "\n"))
			assert_false(
				checkpoint_parse(&c, (struct sv){good, n}, &e));
}

static void what_is_not_one(void **state)
{
	static const char *const row[] = {
		"",
		" " TOP,
		TOP "\n",
		TOP "stream b 1 " A64 "\nstream a 1 " A64 "\n",
		TOP "stream a 1 " A64 "\nstream a 2 " A64 "\n",
		TOP "stream a -1 " A64 "\n",
		TOP "stream a 01 " A64 "\n",
		TOP "stream a 9223372036854775808 " A64 "\n",
		TOP "stream A 1 " A64 "\n",
		TOP "stream a 1 " A64 " \n",
		TOP "stream abcdefghijklmnopqrstuvwxyzabcdef 1 " A64 "\n",
		TOP "note a 1 " A64 "\n",
		TOP "stream a 1 "
		    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		    "AAAAAAAA\n",
	};
	char many[CHECKPOINT_TEXT] = TOP;
	struct checkpoint c;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++)
		if (checkpoint_parse(&c, sv_of(row[i]), &e))
			fail_msg("%zu", i);
	for (int i = 0; i <= CHECKPOINT_STREAMS; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many),
			 "stream s%c 1 " A64 "\n", 'a' + i);
	assert_false(checkpoint_parse(&c, sv_of(many), &e));
}

static void one_follows_another(void **state)
{
	static const struct {
		const char *from, *to; /* replaced once in a good successor */
		const char *why;       /* NULL: it follows */
	} row[] = {
		{"n 3", "n 3", NULL},
		{"access 812", "access 813", NULL},
		{"stream alerter", "stream auditor", "is gone"},
		{"n 3", "n 4", "is number 4 after number 2"},
		{"n 3", "n 2", "is number 2 after number 2"},
		{"origin 0", "origin 1", "another deployment"},
		{"02:24:05", "02:24:04",
		 "time went back from "
		 "2026-01-17T02:24:05Z to "
		 "2026-01-17T02:24:04Z"},
		{"previous a", "previous c", "does not follow number 2"},
		{"access 812", "access 811", "went back from 812 to 811"},
		{"access 812 b", "access 812 c", "another than it was"},
	};
	struct checkpoint before = parsed(good), first = before;
	char text[CHECKPOINT_TEXT], made[CHECKPOINT_TEXT];
	struct checkpoint c;
	struct err e;

	(void)state;
	before.n = 3;
	checkpoint_text(&before, text);
	before.n = 2;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		const char *at = strstr(text, row[i].from);

		assert_non_null(at);
		snprintf(made, sizeof(made), "%.*s%s%s", (int)(at - text), text,
			 row[i].to, at + strlen(row[i].from));
		c = parsed(made);
		if (checkpoint_follows(&before, A64, &c, &e) != !row[i].why ||
		    (row[i].why && !strstr(e.text, row[i].why)))
			fail_msg("%zu: %s", i, e.text);
	}
	assert_false(checkpoint_follows(NULL, "", &first, &e));
	first.n = 1;
	assert_false(checkpoint_follows(NULL, "", &first, &e));
	snprintf(first.previous, sizeof(first.previous), "%s",
		 checkpoint_no_previous);
	assert_true(checkpoint_follows(NULL, "", &first, &e));
}

/* ---- a folder ---- */

static char dir[] = "/tmp/tollwatch-test.XXXXXX";

static void fill(struct checkpoint_file *f, uint64_t n,
		 const struct minisign_secret *key)
{
	char comment[CHECKPOINT_COMMENT];
	struct err e;

	f->c = parsed(good);
	f->c.n = n;
	f->size = checkpoint_text(&f->c, f->text);
	checkpoint_comment(&f->c, comment);
	assert_true(minisign_sign(key, (struct sv){f->text, f->size}, comment,
				  f->signature, &e));
}

static void a_folder_keeps_them(void **state)
{
	struct checkpoint_folder f, g;
	struct checkpoint_file made, got;
	struct minisign_secret key;
	char path[64];
	struct err e;

	(void)state;
	snprintf(path, sizeof(path), "%s/k", dir);
	assert_true(minisign_make(path, &e));
	snprintf(path, sizeof(path), "%s/k.key", dir);
	assert_true(minisign_load_secret(&key, path, &e));
	assert_true(checkpoint_folder_open(&f, dir, true, &e));
	assert_int_equal(f.count, 0);

	/* somebody else writes */
	assert_false(checkpoint_folder_open(&g, dir, true, &e));
	assert_true(g.busy);
	checkpoint_folder_close(&g);

	fill(&made, 1, &key);
	assert_true(checkpoint_folder_store(&f, &made, &e));
	assert_false(checkpoint_folder_store(&f, &made, &e));
	fill(&made, 3, &key);
	assert_true(checkpoint_folder_store(&f, &made, &e));
	checkpoint_folder_close(&f);

	assert_true(checkpoint_folder_open(&f, dir, false, &e));
	assert_int_equal(checkpoint_folder_last(&f), 3);
	assert_int_equal(checkpoint_folder_hole(&f), 2);
	assert_true(checkpoint_folder_has(&f, 1));
	assert_false(checkpoint_folder_has(&f, 2));
	assert_true(checkpoint_folder_load(&f, 3, &key.public, &got, &e));
	assert_int_equal(got.size, made.size);
	assert_memory_equal(got.text, made.text, made.size);
	assert_false(checkpoint_folder_load(&f, 2, &key.public, &got, &e));

	/* one signed as 3 does not pass for 2, nor without its signature */
	assert_int_equal(renameat(f.fd, "checkpoint-0000000003.txt", f.fd,
				  "checkpoint-0000000002.txt"),
			 0);
	assert_false(checkpoint_folder_load(&f, 2, &key.public, &got, &e));
	assert_int_equal(renameat(f.fd, "checkpoint-0000000003.txt.minisig",
				  f.fd, "checkpoint-0000000002.txt.minisig"),
			 0);
	assert_false(checkpoint_folder_load(&f, 2, &key.public, &got, &e));
	assert_non_null(strstr(e.text, "is number 3"));

	/* a signature that a crash left is replaced */
	assert_int_equal(unlinkat(f.fd, "checkpoint-0000000002.txt", 0), 0);
	fill(&made, 2, &key);
	assert_true(checkpoint_folder_store(&f, &made, &e));
	assert_true(checkpoint_folder_load(&f, 2, &key.public, &got, &e));

	/* another's comment on the right text */
	assert_true(minisign_sign(&key, (struct sv){made.text, made.size},
				  "tollwatch checkpoint 9", made.signature,
				  &e));
	assert_int_equal(unlinkat(f.fd, "checkpoint-0000000002.txt", 0), 0);
	assert_true(checkpoint_folder_store(&f, &made, &e));
	assert_false(checkpoint_folder_load(&f, 2, &key.public, &got, &e));
	checkpoint_folder_close(&f);
	minisign_wipe(&key);
}

static void numbers_of_names(void **state)
{
	static const struct {
		const char *name;
		uint64_t n;
	} row[] = {
		{"checkpoint-0000000017.txt", 17},
		{"checkpoint-12345678901.txt", 12345678901},
		{"checkpoint-0000000017.txt.minisig", 0},
		{"checkpoint-17.txt", 0},
		{"checkpoint-0000000000.txt", 0},
		{".checkpoint-0000000017.txt.new", 0},
		{"checkpoint-000000001x.txt", 0},
		{"checkpoint-", 0},
		{"", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++)
		assert_int_equal(number_of(row[i].name), row[i].n);
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	const struct dirent *at;
	DIR *d = opendir(dir);

	(void)state;
	while (d && (at = readdir(d)))
		(void)unlinkat(dirfd(d), at->d_name, 0);
	if (d)
		closedir(d);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_and_back),
		cmocka_unit_test(what_is_not_one),
		cmocka_unit_test(one_follows_another),
		cmocka_unit_test(a_folder_keeps_them),
		cmocka_unit_test(numbers_of_names),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
