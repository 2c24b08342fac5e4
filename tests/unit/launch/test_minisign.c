/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "launch/minisign.c"

#include "common/attr.h"

/* Made by minisign 0.11: -G -W, and -S of "hi\n" with -t "tc x". */
static const char their_key[] =
	"untrusted comment: minisign encrypted secret key\n"
	"RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	"AAAAGxiDxghhspVvt4XvYoDhcwvvN0pO5btWkqBDzk+d9vglq9AG+woitWBDfF8o3w4K"
	"l0wy7IKkvKoeShVicYFQ9bErRE/4Lcv5AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	"AAAAAAA=\n";
static const char their_pub[] =
	"untrusted comment: minisign public key 95B26108C683181B\n"
	"RWQbGIPGCGGylWBDfF8o3w4Kl0wy7IKkvKoeShVicYFQ9bErRE/4Lcv5\n";
static const char their_sig[] =
	"untrusted comment: signature from minisign secret key\n"
	"RUQbGIPGCGGylXUbUKa9JksV2q3s7XlLqB4dt9KuNUY9xeUe3SbVd7BUVXqF+IqtDGBs"
	"BEIg3JD9lLgKUf15YONWOk5zg0m0WQ8=\n"
	"trusted comment: tc x\n"
	"HrvRzg4CHDEj/YRY3ct2+6BZiWC/RhsF1hh65tuOGGyPNaucDJvplefKjG9KAtH0lCcw"
	"7kd+EGv8/J0UA1lVCQ==\n";

static char dir[] = "/tmp/tollwatch-test.XXXXXX";
static char path[256];

static const char *in_dir(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void put(const char *name, const char *text, mode_t mode)
{
	FILE *f = fopen(in_dir(name), "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void theirs_verify_and_ours_equal_theirs(void **state)
{
	struct minisign_secret s;
	struct minisign_public p;
	char comment[MINISIGN_COMMENT], ours[MINISIGN_TEXT];
	struct err e;

	(void)state;
	put("t.key", their_key, 0600);
	put("t.pub", their_pub, 0644);
	assert_true(minisign_load_public(&p, in_dir("t.pub"), &e));
	assert_true(
		minisign_verify(&p, SV("hi\n"), sv_of(their_sig), comment, &e));
	assert_string_equal(comment, "tc x");

	/* Ed25519 has no chance in it: the same key signs the same bytes. */
	assert_true(minisign_load_secret(&s, in_dir("t.key"), &e));
	assert_memory_equal(&s.public, &p, sizeof(p));
	assert_true(minisign_sign(&s, SV("hi\n"), "tc x", ours, &e));
	assert_string_equal(strchr(ours, '\n'), strchr(their_sig, '\n'));
	minisign_wipe(&s);
}

static void a_pair_is_made_once(void **state)
{
	struct minisign_secret s;
	struct minisign_public p;
	char comment[MINISIGN_COMMENT], sig[MINISIGN_TEXT];
	struct stat st;
	struct err e;

	(void)state;
	assert_true(minisign_make(in_dir("pair"), &e));
	assert_int_equal(stat(in_dir("pair.key"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_false(minisign_make(in_dir("pair"), &e));

	assert_true(minisign_load_secret(&s, in_dir("pair.key"), &e));
	assert_true(minisign_load_public(&p, in_dir("pair.pub"), &e));
	assert_true(minisign_sign(&s, SV("text"), "when", sig, &e));
	assert_true(minisign_verify(&p, SV("text"), sv_of(sig), comment, &e));
	assert_false(minisign_verify(&p, SV("texT"), sv_of(sig), comment, &e));
	assert_false(minisign_sign(&s, SV("text"), "two\nlines", sig, &e));
	minisign_wipe(&s);
}

static void another_key_always_fails(void **state)
{
	struct minisign_public p, q;
	char comment[MINISIGN_COMMENT];
	struct err e;

	(void)state;
	assert_true(minisign_load_public(&p, in_dir("t.pub"), &e));
	q = p;
	q.id[0] ^= 1;
	assert_false(
		minisign_verify(&q, SV("hi\n"), sv_of(their_sig), comment, &e));
	/* the id alone makes no key */
	assert_true(minisign_load_public(&q, in_dir("pair.pub"), &e));
	memcpy(q.id, p.id, sizeof(q.id));
	assert_false(
		minisign_verify(&q, SV("hi\n"), sv_of(their_sig), comment, &e));
}

/* Whatever byte of a signature changes, it is none; but the first comment,
 * which is nobody's, and the unused bits of base64 before '=', which the
 * decoder refuses as well. */
static void every_byte_of_a_signature_counts(void **state)
{
	char text[sizeof(their_sig)], comment[MINISIGN_COMMENT];
	size_t from = (size_t)(strchr(their_sig, '\n') - their_sig);
	struct minisign_public p;
	struct err e;

	(void)state;
	assert_true(minisign_load_public(&p, in_dir("t.pub"), &e));
	for (size_t i = from; i + 1 < sizeof(text); i++)
		for (int bit = 0; bit < 8; bit++) {
			memcpy(text, their_sig, sizeof(text));
			text[i] = (char)(text[i] ^ (1 << bit));
			if (minisign_verify(&p, SV("hi\n"),
					    (struct sv){text, sizeof(text) - 1},
					    comment, &e))
				fail_msg("byte %zu, bit %d", i, bit);
		}
	/* cut short; only the last line's end may go */
	for (size_t n = 0; n + 2 < sizeof(text); n++)
		assert_false(minisign_verify(&p, SV("hi\n"),
					     (struct sv){their_sig, n}, comment,
					     &e));
}

static void keys_that_are_refused(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
		const char *why;
	} row[] = {
		{their_key, 0640, "others can read"},
		{their_key, 0604, "others can read"},
		{their_key, 0620, "others can read"},
		{their_pub, 0600, "not a secret key"},
		{"", 0600, "not a key"},
		{"untrusted comment: x\nRWQ", 0600, "not a secret key"},
		{"untrusted comment: x\nRWRTY0IyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAGxiDxghhspVvt4XvYoDhcwvvN0p"
		 "O5btWkqBDzk+d9vglq9AG+woitWBDfF8o3w4Kl0wy7IKkvKoeShVicYFQ9bEr"
		 "RE/4Lcv5AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		 0600, "has a password"},
		{"untrusted comment: x\nRWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAGxiDxghhspVvt4XvYoDhcwvvN0p"
		 "O5btWkqBDzk+d9vglq9AG+woitWBDfF8o3w4Kl0wy7IKkvKoeShVicYFQ9bEr"
		 "RE/4Lcv6AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		 0600, "damaged"},
	};
	struct minisign_secret s;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		put("bad.key", row[i].text, row[i].mode);
		assert_false(minisign_load_secret(&s, in_dir("bad.key"), &e));
		if (!strstr(e.text, row[i].why))
			fail_msg("%zu: %s", i, e.text);
		minisign_wipe(&s);
	}
	assert_false(minisign_load_secret(&s, in_dir("none.key"), &e));
	minisign_wipe(&s);
	assert_int_equal(symlink("t.key", in_dir("link.key")), 0);
	assert_false(minisign_load_secret(&s, in_dir("link.key"), &e));
	minisign_wipe(&s);
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	static const char *const name[] = {"t.key",    "t.pub",	  "pair.key",
					   "pair.pub", "bad.key", "link.key"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(name); i++)
		(void)unlink(in_dir(name[i]));
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(theirs_verify_and_ours_equal_theirs),
		cmocka_unit_test(a_pair_is_made_once),
		cmocka_unit_test(another_key_always_fails),
		cmocka_unit_test(every_byte_of_a_signature_counts),
		cmocka_unit_test(keys_that_are_refused),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
