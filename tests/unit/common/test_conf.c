/* SPDX-License-Identifier: Apache-2.0 */
#include "common/conf.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/money.h"

struct window {
	const char *name;
	const char *open;
};

struct source {
	const struct conf_tree *at;
	const char *name;
	const char *kind;
	const char *password;
	const char *note;
	int64_t keep;
};

struct sample {
	const char *name;
	const char *zone;
	const char *secret;
	int64_t hold;
	int64_t budget;
	int64_t begin;
	uint64_t room;
	uint32_t retries;
	bool dry;
	struct conf_array sources;
	struct conf_array windows;
	struct conf_array tags;
	const struct conf_tree *limits;
	const char *deep;
};

#define AT(m) offsetof(struct sample, m)

/* clang-format off */
static const struct conf_node site_nodes[] = {
	{.name = "name", .parse = conf_name, .at = AT(name), .max = 20,
	 .flags = CONF_REQUIRED, .doc = "what to call it"},
	{.name = "timezone", .parse = conf_str, .at = AT(zone),
	 .def = "Europe/London"},
	{.name = "secret", .parse = conf_str, .at = AT(secret),
	 .flags = CONF_SECRET},
	{.name = "hold", .parse = conf_duration, .at = AT(hold), .def = "5m",
	 .min = SEC_US, .max = 10 * HOUR_US},
	{.name = "budget", .parse = conf_money, .at = AT(budget),
	 .min = 0, .max = 1000 * POUND},
	{.name = "begin", .parse = conf_date, .at = AT(begin)},
	{.name = "room", .parse = conf_bytes, .at = AT(room), .def = "64MiB",
	 .min = 1 << 20, .max = INT64_C(1) << 40},
	{.name = "retries", .parse = conf_u32, .at = AT(retries), .def = "3",
	 .min = 1, .max = 10},
	{.name = "dry", .parse = conf_bool, .at = AT(dry)},
	{0},
};
static const struct conf_node deep_nodes[] = {
	{.name = "secret", .parse = conf_str, .at = AT(deep),
	 .flags = CONF_SECRET},
	{0},
};
static const struct conf_node source_nodes[] = {
	{.name = ".", .kind = CONF_TREE, .at = offsetof(struct source, at)},
	{.name = "name", .parse = conf_name,
	 .at = offsetof(struct source, name), .flags = CONF_REQUIRED},
	{.name = "kind", .parse = conf_name,
	 .at = offsetof(struct source, kind), .def = "file"},
	{.name = "password", .parse = conf_str,
	 .at = offsetof(struct source, password), .flags = CONF_SECRET},
	{.name = "note", .parse = conf_str,
	 .at = offsetof(struct source, note), .flags = CONF_ENV},
	{.name = "keep", .parse = conf_duration,
	 .at = offsetof(struct source, keep), .flags = CONF_REQUIRED},
	{0},
};
static const struct conf_node window_nodes[] = {
	{.name = "open", .parse = conf_str,
	 .at = offsetof(struct window, open), .flags = CONF_REQUIRED},
	{0},
};
static const struct conf_node source_item = {
	.kind = CONF_MAP, .child = source_nodes};
static const struct conf_node window_item = {
	.kind = CONF_MAP, .child = window_nodes};
static const struct conf_node tag_item = {.parse = conf_str};
static const struct conf_node schema[] = {
	{.name = "site", .kind = CONF_MAP, .child = site_nodes,
	 .flags = CONF_REQUIRED},
	{.name = "sources", .kind = CONF_LIST, .at = AT(sources),
	 .child = &source_item, .item_size = sizeof(struct source)},
	{.name = "windows", .kind = CONF_DICT, .at = AT(windows),
	 .child = &window_item, .item_size = sizeof(struct window)},
	{.name = "tags", .kind = CONF_LIST, .at = AT(tags),
	 .child = &tag_item, .item_size = sizeof(const char *)},
	{.name = "limits", .kind = CONF_TREE, .at = AT(limits)},
	{.name = "deep", .kind = CONF_MAP, .child = deep_nodes},
	{.name = "other", .kind = CONF_OTHER},
	{0},
};
/* clang-format on */

/* ---- a folder of files for one test ---- */

struct folder {
	char dir[64];
};

static void make_folder(struct folder *f)
{
	snprintf(f->dir, sizeof(f->dir), "/tmp/tollwatch-conf-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
}

static void put_file(const struct folder *f, const char *name, const char *text,
		     size_t n, mode_t mode)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, n), n);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void remove_folder(const struct folder *f, const char *const *names)
{
	char path[128];

	for (; *names; names++) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, *names);
		unlink(path);
	}
	assert_int_equal(rmdir(f->dir), 0);
}

static struct conf *load_text(const char *text, size_t n)
{
	static const char *const names[] = {"tollwatch.yaml", NULL};
	struct folder f;
	struct conf *c;
	struct err e;

	make_folder(&f);
	put_file(&f, names[0], text, n, 0644);
	if (!conf_load(&c, f.dir, &e))
		fail_msg("%s", e.text);
	remove_folder(&f, names);
	return c;
}

static char *report_of(const struct conf *c, bool as_json)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	conf_report(c, out, as_json, false);
	fclose(out);
	return text;
}

/* ---- tests ---- */

static const char good_text[] =
	"site: {name: example, hold: 1h30m, budget: \xc2\xa3"
	"0.25, begin: 2026-03-31, room: 2GiB, dry: true}\n"
	"sources:\n"
	"  - {name: a, keep: 35d}\n"
	"  - name: b\n"
	"    keep: 250ms\n"
	"    kind: pcap\n"
	"windows: {night: {open: 22:00-06:00}, day: {open: \"08:00-18:00\"}}\n"
	"tags: [x, y]\n"
	"limits: {spend: [1, {a: b}]}\n"
	"other: 12\n";

static void a_good_config(void **state)
{
	struct conf *c = load_text(good_text, strlen(good_text));
	struct sample s = {0};
	struct source *src;
	struct window *w;

	(void)state;
	assert_true(conf_walk(c, conf_root(c), schema, &s));
	assert_int_equal(conf_errors(c), 0);
	assert_string_equal(s.name, "example");
	assert_string_equal(s.zone, "Europe/London");
	assert_int_equal(s.hold, 90 * MIN_US);
	assert_int_equal(s.budget, 25 * PENNY);
	assert_int_equal(s.begin, days_from_civil(2026, 3, 31));
	assert_int_equal(s.room, UINT64_C(2) << 30);
	assert_int_equal(s.retries, 3);
	assert_true(s.dry);
	assert_int_equal(s.sources.n, 2);
	src = s.sources.item;
	assert_string_equal(src[0].kind, "file");
	assert_int_equal(src[0].keep, 35 * DAY_US);
	assert_int_equal(src[1].keep, 250000);
	assert_string_equal(src[1].kind, "pcap");
	assert_int_equal(conf_line(src[1].at), 4);
	assert_string_equal(conf_filename(src[1].at), "tollwatch.yaml");
	assert_int_equal(s.windows.n, 2);
	w = s.windows.item;
	assert_string_equal(w[0].name, "night");
	assert_string_equal(w[0].open, "22:00-06:00");
	assert_string_equal(w[1].open, "08:00-18:00");
	assert_string_equal(((const char **)s.tags.item)[1], "y");
	assert_int_equal(conf_kind(s.limits), TREE_MAP);
	assert_true(sv_eq(conf_text(conf_key(s.limits, 0)), SV("spend")));
	assert_int_equal(conf_len(conf_get(s.limits, "spend")), 2);
	assert_null(conf_item(s.limits, 1));
	assert_null(conf_get(s.limits, "gone"));
	conf_free(c);
}

static void defaults_of_absent_maps(void **state)
{
	struct conf *c = load_text("tags: []\n", 9);
	struct sample s = {0};
	char *report;

	(void)state;
	assert_false(conf_walk(c, conf_root(c), schema, &s));
	report = report_of(c, true);
	assert_string_equal(report,
			    "{\"file\":\"tollwatch.yaml\",\"line\":1,"
			    "\"col\":1,\"severity\":\"error\","
			    "\"code\":\"missing-key\",\"message\":"
			    "\"key 'site' is missing\",\"hint\":null}\n");
	free(report);
	conf_free(c);
}

/* After a wanted change: TOLLWATCH_GOLDEN_WRITE=1 make unit, then read the
 * difference. */
static void write_golden(const char *path, const char *text)
{
	char full[128];
	FILE *out;

	snprintf(full, sizeof(full), "tests/golden/conf/%s", path);
	out = fopen(full, "w");
	assert_non_null(out);
	fputs(text, out);
	assert_int_equal(fclose(out), 0);
}

/* Each folder of bad files gives exactly its report. */
static void golden(void **state)
{
	static const char *const names[] = {"many",   "tabs",	 "yaml",
					    "broken", "include", "secret",
					    "bounds"};

	(void)state;
	assert_int_equal(chmod("tests/golden/conf/secret/open.key", 0644), 0);
	unsetenv("TOLLWATCH_TEST_UNSET");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct conf root = {.dir = "tests/golden/conf"};
		struct sample s = {0};
		char path[96];
		struct conf *c;
		struct err e;
		char *want;
		char *got;
		size_t n;

		snprintf(path, sizeof(path), "tests/golden/conf/%s", names[i]);
		assert_true(conf_load(&c, path, &e));
		assert_false(conf_walk(c, conf_root(c), schema, &s));
		got = report_of(c, false);
		assert_null(strstr(got, "hunter"));
		snprintf(path, sizeof(path), "%s/expected.txt", names[i]);
		if (getenv("TOLLWATCH_GOLDEN_WRITE"))
			write_golden(path, got);
		want = conf_read(&root, path, CONF_YAML_MAX, &n, NULL, &e);
		if (!want || strcmp(got, want) != 0)
			fail_msg("%s: the report is\n%s", path, got);
		free(got);
		free(want);
		conf_free(c);
	}
}

static void secrets_come_in(void **state)
{
	static const char *const names[] = {"tollwatch.yaml", "site.key", NULL};
	static const char text[] =
		"site: {name: example, secret: \"${file:site.key}\"}\n"
		"sources: [{name: a, keep: 5m, password: "
		"\"${env:TOLLWATCH_TEST_SET}\", note: "
		"\"${env:TOLLWATCH_TEST_SET}\"}]\n";
	struct sample s = {0};
	struct folder f;
	struct conf *c;
	struct err e;

	(void)state;
	make_folder(&f);
	put_file(&f, names[0], text, strlen(text), 0644);
	put_file(&f, names[1], "hunter2\n", 8, 0600);
	setenv("TOLLWATCH_TEST_SET", "value", 1);
	assert_true(conf_load(&c, f.dir, &e));
	assert_string_equal(conf_dir(c), f.dir);
	assert_true(conf_walk(c, conf_root(c), schema, &s));
	setenv("TOLLWATCH_TEST_SET", "changed", 1);
	assert_string_equal(s.secret, "hunter2");
	assert_string_equal(((struct source *)s.sources.item)->password,
			    "value");
	assert_string_equal(((struct source *)s.sources.item)->note, "value");
	conf_free(c);
	remove_folder(&f, names);
}

/* What no schema comes to see is hidden by its name. */
static void secrets_stay_in(void **state)
{
	static const char *const names[] = {"tollwatch.yaml", NULL};
	static const char *const text[] = {
		"password: hunter2\n",
		"site: {name: a, secret: hunter2, secret: hunter2}\n",
		"site: {secret: !x hunter2, hold: &a 5}\n",
		"token: [hunter2, {a: hunter2}, *b]\n",
		"x-key:\thunter2\n",
		"secret: hunter2: hunter2\n",
		"site:\n  secret: \"hunter2\n",
		"site:\n  secret: |\n    hunter2\n   hunter2: [\n",
		"site: {secret: hunter2, \n",
		"---\na: 1\n--- {secret: hunter2}\n",
		"secret: hunter2\x01\n",
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[{secret: hunter2}\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(text); i++) {
		struct sample s = {0};
		struct folder f;
		struct conf *c;
		struct err e;
		char *got;

		make_folder(&f);
		put_file(&f, names[0], text[i], strlen(text[i]), 0644);
		assert_true(conf_load(&c, f.dir, &e));
		(void)conf_walk(c, conf_root(c), schema, &s);
		assert_true(conf_errors(c) > 0);
		got = report_of(c, false);
		if (!*got || strstr(got, "hunter"))
			fail_msg("case %zu: %s", i, got);
		free(got);
		conf_free(c);
		remove_folder(&f, names);
	}
}

static void count_file(void *arg, const char *name, struct sv content)
{
	char *all = arg;

	snprintf(all + strlen(all), 64, "%s=%zu ", name, content.n);
}

static void side_files_and_hash(void **state)
{
	static const char *const names[] = {"main.yaml", "a.csv", NULL};
	char hash[3][SHA256_HEX];
	char all[128] = "";
	struct folder f;
	const char *name;
	char path[96];
	struct conf *c;
	struct err e;
	char *csv;
	size_t n;

	(void)state;
	make_folder(&f);
	put_file(&f, names[0], "files: a.csv\n", 13, 0644);
	put_file(&f, names[1], "x,y\n", 4, 0644);
	snprintf(path, sizeof(path), "%s/main.yaml", f.dir);
	assert_true(conf_load(&c, path, &e));
	assert_string_equal(conf_dir(c), f.dir);
	conf_hash(c, hash[0]);
	csv = conf_file(c, conf_root(c), SV("a.csv"), &n, &name);
	assert_string_equal(csv, "x,y\n");
	assert_string_equal(name, "a.csv");
	assert_int_equal(n, 4);
	csv[0] = 'z'; /* the reader's copy: the kept one stays */
	conf_hash(c, hash[1]);
	conf_hash(c, hash[2]);
	assert_string_not_equal(hash[0], hash[1]);
	assert_string_equal(hash[1], hash[2]);
	conf_each_file(c, count_file, all);
	assert_string_equal(all, "main.yaml=13 a.csv=4 ");
	assert_null(conf_file(c, conf_root(c), SV("gone.csv"), &n, &name));
	assert_null(conf_file(c, conf_root(c), SV("."), &n, &name));
	assert_int_equal(conf_errors(c), 2);
	conf_free(c);
	snprintf(path, sizeof(path), "%s/gone.yaml", f.dir);
	assert_false(conf_load(&c, path, &e));
	assert_null(c);
	assert_non_null(strstr(e.text, "gone.yaml: No such file"));
	remove_folder(&f, names);
}

static void places_in_side_files(void **state)
{
	struct conf *c = load_text("a: b\n", 5);
	char *report;

	(void)state;
	for (int i = 0; i < 2; i++) /* told twice, shown once */
		conf_error_at(c, "rates.csv", 7, 4, SV("\xc2\xa3,\tx\x1b,z"),
			      "bad-prefix", "digits", "no prefix");
	conf_warn(c, NULL, "old", NULL, "expired");
	assert_int_equal(conf_errors(c), 1);
	assert_int_equal(conf_warnings(c), 1);
	report = report_of(c, false);
	assert_string_equal(report,
			    "rates.csv:7:4: error: no prefix (bad-prefix)\n"
			    "\xc2\xa3, x?,z\n"
			    "   ^\n"
			    "  hint: digits\n"
			    "tollwatch.yaml:1:1: warning: expired (old)\n"
			    "a: b\n"
			    "^\n");
	free(report);
	conf_free(c);
}

static void limits_hold(void **state)
{
	size_t n = CONF_YAML_MAX + 1;
	char *text = xmalloc(n);
	struct folder f;
	static const char *const names[] = {"tollwatch.yaml", NULL};
	struct conf *c;
	struct err e;
	char *report;

	(void)state;
	memset(text, '[', n);
	c = load_text(text, 2000);
	report = report_of(c, false);
	assert_non_null(strstr(report, "nested deeper than 32 levels"));
	free(report);
	conf_free(c);

	memset(text, '\n', n);
	make_folder(&f);
	put_file(&f, names[0], text, n, 0644);
	assert_false(conf_load(&c, f.dir, &e));
	assert_non_null(strstr(e.text, "larger than 4 MiB"));
	remove_folder(&f, names);

	for (size_t i = 0; i < n; i++)
		text[i] = i % 2 ? 'a' : i ? ',' : '[';
	c = load_text(text, n - 1);
	report = report_of(c, false);
	assert_non_null(strstr(report, "more than 200000 values"));
	free(report);
	conf_free(c);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_config),
		cmocka_unit_test(defaults_of_absent_maps),
		cmocka_unit_test(golden),
		cmocka_unit_test(secrets_come_in),
		cmocka_unit_test(secrets_stay_in),
		cmocka_unit_test(side_files_and_hash),
		cmocka_unit_test(places_in_side_files),
		cmocka_unit_test(limits_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
