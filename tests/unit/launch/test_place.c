/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/place.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* A state folder of the test's own. */
static void scratch(char out[64])
{
	snprintf(out, 64, "/tmp/tollwatch-place.XXXXXX");
	assert_non_null(mkdtemp(out));
	unsetenv("TOLLWATCH_STATE");
}

static bool exists(const char *dir, const char *name)
{
	char path[PLACE_PATH];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return access(path, F_OK) == 0;
}

static void names_are_made_and_found_again(void **state)
{
	struct place p, q;
	struct stat st;
	struct err e;
	char dir[64];

	(void)state;
	scratch(dir);
	assert_true(place_find(&p, dir, &e));
	assert_false(place_running(&p, &e));
	assert_true(place_lock(&p, &e));
	assert_true(place_make(&p, &e));
	/* "ipc://" + 107 bytes is what a unix socket takes */
	assert_true(strlen(p.findings) < 6 + 107);
	assert_int_equal(stat(p.sockets, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);

	assert_true(place_find(&q, dir, &e));
	assert_true(place_running(&q, &e));
	assert_string_equal(q.metrics[PROGRAM_ANALYZER],
			    p.metrics[PROGRAM_ANALYZER]);
	assert_false(place_lock(&q, &e)); /* p has it */
	assert_non_null(strstr(e.text, "runs here already"));
	if (q.lock >= 0)
		close(q.lock);

	snprintf(q.sockets, sizeof(q.sockets), "%s", p.sockets);
	place_close(&p);
	assert_int_not_equal(access(q.sockets, F_OK), 0);
	assert_false(exists(dir, "run"));
	assert_true(remove_tree(dir, &e));
}

static void folders_of_a_killed_site_go(void **state)
{
	struct place p, q;
	struct err e;
	char dir[64], theirs[64], link[PLACE_PATH];

	(void)state;
	scratch(dir);
	scratch(theirs);
	assert_true(place_find(&p, dir, &e));
	assert_true(place_lock(&p, &e));
	assert_true(place_make(&p, &e));
	close(p.lock); /* as the kernel does */
	assert_true(place_find(&q, dir, &e));
	assert_true(place_lock(&q, &e));
	assert_true(place_make(&q, &e));
	assert_int_not_equal(access(p.sockets, F_OK), 0);
	assert_int_equal(access(q.sockets, F_OK), 0);

	/* a link put in its place is not followed */
	assert_int_equal(rmdir(q.sockets), 0);
	assert_int_equal(symlink(theirs, q.sockets), 0);
	snprintf(link, sizeof(link), "%s/command", theirs);
	assert_int_equal(close(creat(link, 0600)), 0);
	snprintf(link, sizeof(link), "%s", q.sockets);
	place_close(&q);
	assert_true(exists(theirs, "command"));
	assert_int_equal(unlink(link), 0);
	assert_true(remove_tree(theirs, &e));
	assert_true(remove_tree(dir, &e));
}

static void only_a_sample_is_cleared(void **state)
{
	struct place p;
	struct err e;
	char dir[64];

	(void)state;
	scratch(dir);
	assert_true(place_find(&p, dir, &e));
	assert_true(place_make(&p, &e));
	assert_true(place_clear_sample(&p, &e));
	assert_true(exists(dir, "analyzer")); /* no mark: kept */
	assert_true(place_mark_sample(&p, &e));
	assert_true(place_clear_sample(&p, &e));
	assert_false(exists(dir, "analyzer"));
	assert_false(exists(dir, "spool"));
	place_close(&p);
	assert_true(remove_tree(dir, &e));
}

static void the_environment_chooses_the_state(void **state)
{
	struct place p;
	struct err e;

	(void)state;
	setenv("TOLLWATCH_STATE", "/tmp/a/b", 1);
	assert_true(place_find(&p, NULL, &e));
	assert_string_equal(p.state, "/tmp/a/b");
	assert_string_equal(p.spool, "/tmp/a/b/spool");
	assert_true(place_find(&p, "/tmp/c", &e)); /* said outright */
	assert_string_equal(p.state, "/tmp/c");
	unsetenv("TOLLWATCH_STATE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_made_and_found_again),
		cmocka_unit_test(folders_of_a_killed_site_go),
		cmocka_unit_test(only_a_sample_is_cleared),
		cmocka_unit_test(the_environment_chooses_the_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
