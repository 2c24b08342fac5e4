/* SPDX-License-Identifier: Apache-2.0 */
/* folder: common */
#include "common/conf.c"

#include <assert.h>
#include <stdint.h>

#include <jansson.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct item {
	const char *name;
	const struct conf_tree *at;
	int64_t keep;
	uint64_t room;
	int64_t money;
	int64_t day;
	uint32_t count;
	bool on;
	const char *secret;
	struct conf_array inner;
};

#define AT(m) offsetof(struct item, m)

/* clang-format off */
static const struct conf_node text_item = {.parse = conf_str};
static const struct conf_node item_nodes[] = {
	{.name = ".", .kind = CONF_TREE, .at = AT(at)},
	{.name = "name", .parse = conf_name, .at = AT(name), .max = 15},
	{.name = "keep", .parse = conf_duration, .at = AT(keep), .def = "5m"},
	{.name = "room", .parse = conf_bytes, .at = AT(room), .def = "1MiB"},
	{.name = "money", .parse = conf_money, .at = AT(money)},
	{.name = "day", .parse = conf_date, .at = AT(day)},
	{.name = "count", .parse = conf_u32, .at = AT(count), .max = 9},
	{.name = "on", .parse = conf_bool, .at = AT(on)},
	{.name = "secret", .parse = conf_str, .at = AT(secret),
	 .flags = CONF_SECRET},
	{.name = "inner", .kind = CONF_LIST, .child = &text_item,
	 .at = AT(inner), .item_size = sizeof(const char *)},
	{0},
};
static const struct conf_node map_item = {
	.kind = CONF_MAP, .child = item_nodes};

struct root {
	struct item one;
	struct conf_array list;
	struct conf_array dict;
};

static const struct conf_node schema[] = {
	{.name = "one", .kind = CONF_MAP, .child = item_nodes},
	{.name = "list", .kind = CONF_LIST, .child = &map_item,
	 .at = offsetof(struct root, list), .item_size = sizeof(struct item)},
	{.name = "dict", .kind = CONF_DICT, .child = &map_item,
	 .at = offsetof(struct root, dict), .item_size = sizeof(struct item)},
	{.name = "need", .kind = CONF_OTHER, .flags = CONF_REQUIRED},
	{0},
};
/* clang-format on */

/* Every node stands somewhere in its file, and the tree has a floor. */
static void check_tree(const struct conf_tree *t, unsigned depth)
{
	assert(depth <= CONF_DEPTH_MAX);
	assert(t->at.line >= 1 && t->at.col >= 1 && t->at.width >= 1);
	assert(t->at.line <= t->source->n_lines);
	assert(t->kind != TREE_SCALAR || t->text.p[t->text.n] == '\0');
	for (size_t i = 0; i < t->n; i++) {
		if (t->kind == TREE_MAP && !t->key[i]->bad)
			assert(t->key[i]->kind == TREE_SCALAR);
		check_tree(t->item[i], depth + 1);
	}
}

/* One valid JSON object a line, one line an error. */
static void check_report(const struct conf *c)
{
	size_t left = c->n_faults;
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	struct sv rest;

	conf_report(c, out, false, true);
	fclose(out);
	free(text);
	text = NULL;
	out = open_memstream(&text, &n);
	conf_report(c, out, true, false);
	fclose(out);
	rest = (struct sv){text, n};
	while (rest.n) {
		struct sv line = sv_cut(&rest, '\n');
		json_t *v = json_loadb(line.p, line.n, JSON_ALLOW_NUL, NULL);

		assert(v && json_object_size(v) == 7);
		json_decref(v);
		left--;
	}
	assert(left == 0);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf *c = xcalloc(1, sizeof(*c));
	struct root root = {0};
	bool ok;

	crypto_hash_sha256_init(&c->hash);
	c->dir = "/nonexistent"; /* ${file:} finds nothing */
	c->root = read_yaml(c, SV("fuzz.yaml"),
			    (struct sv){(const char *)data, size});
	check_tree(c->root, 0);
	ok = conf_walk(c, c->root, schema, &root);
	assert(ok || conf_errors(c) > 0);
	check_report(c);
	conf_free(c);
	return 0;
}
