/* SPDX-License-Identifier: Apache-2.0 */
#include "common/conf_inside.h"

#include <stdlib.h>

#include "common/mem.h"

enum { SECRET_MAX = 64 << 10, KEYS_MAX = 64 };

static void walk(struct conf *c, struct conf_tree *t, const struct conf_node *n,
		 void *base);
static void walk_default(struct conf *c, struct conf_tree *parent,
			 const struct conf_node *n, void *base);

static const char *const kind_words[] = {"a value", "a list", "a map"};

static void wrong_kind(struct conf *c, const struct conf_tree *t,
		       enum conf_tree_kind want)
{
	conf_error(c, t, "wrong-kind",
		   want == TREE_LIST  ? "write [a, b] or `- a` lines"
		   : want == TREE_MAP ? "write {key: value} or `key: value` "
					"lines"
				      : NULL,
		   "expected %s, found %s", kind_words[want],
		   kind_words[t->kind]);
}

/* `key:` with nothing after it. */
static bool is_blank(const struct conf_tree *t)
{
	return t->kind == TREE_SCALAR && t->text.n == 0 && !t->quoted;
}

/* ---- ${env:NAME} and ${file:path} ---- */

static bool is_reference(struct sv s, struct sv prefix, struct sv *inner)
{
	if (!sv_starts(s, prefix) || s.p[s.n - 1] != '}')
		return false;
	*inner = (struct sv){s.p + prefix.n, s.n - prefix.n - 1};
	return true;
}

void conf_env_optional(struct conf *c)
{
	c->env_optional = true;
}

static bool from_env(struct conf *c, const struct conf_tree *t, struct sv inner,
		     struct sv *out)
{
	char *name = conf_keep(c, inner);
	const char *value = getenv(name);

	if (c->env_optional && !value)
		return false;
	if (!value || !*value) {
		conf_error(c, t, "missing-env", NULL,
			   "environment variable %s is %s", name,
			   value ? "empty" : "not set");
		return false;
	}
	/* A copy: a later setenv must not change a config. */
	*out = (struct sv){conf_keep(c, sv_of(value)), strlen(value)};
	return true;
}

static bool from_file(struct conf *c, const struct conf_tree *t,
		      struct sv inner, struct sv *out)
{
	char *path = conf_keep(c, inner);
	unsigned mode = 0;
	struct err e;
	size_t n = 0;
	char *text = conf_read(c, path, SECRET_MAX, &n, &mode, &e);

	if (!text) {
		conf_error(c, t, "unreadable", NULL, "%s: %s", path, e.text);
		return false;
	}
	while (n && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		n--;
	if (mode & 077)
		conf_error(c, t, "file-mode", "chmod 600",
			   "%s may be read by others (mode %04o)", path, mode);
	else if (n == 0 || memchr(text, '\0', n))
		conf_error(c, t, "bad-file", NULL, "%s %s", path,
			   n ? "holds a NUL byte" : "is empty");
	else
		*out = (struct sv){conf_keep(c, (struct sv){text, n}), n};
	free(text);
	return out->p != NULL;
}

/* What the scalar stands for.  False: an error was recorded. */
static bool resolve(struct conf *c, const struct conf_tree *t,
		    const struct conf_node *n, struct sv *out)
{
	bool secret = n->flags & CONF_SECRET;
	struct sv inner;
	bool env = is_reference(t->text, SV("${env:"), &inner);
	bool file = !env && is_reference(t->text, SV("${file:"), &inner);

	*out = (struct sv){NULL, 0};
	if (!env && !file && secret) {
		conf_hide(c, t);
		conf_error(c, t, "inline-secret",
			   "${file:secrets/name} or ${env:NAME}",
			   "a secret must not stand in the config");
		return false;
	}
	if (!env && !file) {
		*out = t->text;
		return true;
	}
	if (!(n->flags & (CONF_SECRET | CONF_ENV))) {
		conf_error(c, t, "no-reference", "write the value itself",
			   "${env:} and ${file:} are not accepted here");
		return false;
	}
	return env ? from_env(c, t, inner, out) : from_file(c, t, inner, out);
}

/* ---- the walk ---- */

static void walk_scalar(struct conf *c, struct conf_tree *t,
			const struct conf_node *n, void *base)
{
	struct err e = {""};
	struct sv text;

	if (t->kind != TREE_SCALAR) {
		wrong_kind(c, t, TREE_SCALAR);
		return;
	}
	if (is_blank(t)) {
		conf_error(c, t, "empty-value", NULL, "the value is missing");
		return;
	}
	if (!resolve(c, t, n, &text))
		return;
	if (n->parse(n, text, (char *)base + n->at, &e))
		return;
	if (n->flags & CONF_SECRET)
		conf_error(c, t, "bad-value", NULL,
			   "what it stands for is not usable");
	else
		conf_error(c, t, "bad-value", NULL, "%s", e.text);
}

static void *new_array(struct conf *c, const struct conf_tree *t,
		       const struct conf_node *n, void *base)
{
	struct conf_array *a = (void *)((char *)base + n->at);

	a->n = t->n;
	a->item = conf_alloc(c, t->n * n->item_size + 1);
	return a->item;
}

static void walk_list(struct conf *c, struct conf_tree *t,
		      const struct conf_node *n, void *base)
{
	char *item;

	if (t->kind != TREE_LIST) {
		wrong_kind(c, t, TREE_LIST);
		return;
	}
	item = new_array(c, t, n, base);
	for (size_t i = 0; i < t->n; i++)
		walk(c, t->item[i], n->child, item + i * n->item_size);
}

static void check_free_key(struct conf *c, const struct conf_tree *key,
			   const struct conf_node *n)
{
	static const struct conf_node name = {.max = KEYS_MAX};
	const char *unused;
	struct err e;

	if (n->flags & CONF_KEY_TEXT) {
		if (key->text.n == 0)
			conf_error(c, key, "bad-key", NULL, "empty key");
		return;
	}
	if (!conf_name(&name, key->text, &unused, &e))
		conf_error(c, key, "bad-key", NULL, "%s", e.text);
}

static void walk_dict(struct conf *c, struct conf_tree *t,
		      const struct conf_node *n, void *base)
{
	char *item;

	if (t->kind != TREE_MAP) {
		wrong_kind(c, t, TREE_MAP);
		return;
	}
	item = new_array(c, t, n, base);
	for (size_t i = 0; i < t->n; i++, item += n->item_size) {
		if (t->key[i]->bad) {
			*(const char **)item = "";
			continue;
		}
		check_free_key(c, t->key[i], n);
		*(const char **)item = t->key[i]->text.p;
		walk(c, t->item[i], n->child, item);
	}
}

static bool is_self(const struct conf_node *n)
{
	return n->kind == CONF_TREE && strcmp(n->name, ".") == 0;
}

static const struct conf_node *find(const struct conf_node *table,
				    struct sv key)
{
	for (const struct conf_node *n = table; n->name; n++)
		if (!is_self(n) && sv_eq(sv_of(n->name), key))
			return n;
	return NULL;
}

static void unknown_key(struct conf *c, const struct conf_tree *key,
			const struct conf_tree *item,
			const struct conf_node *table)
{
	const char *names[KEYS_MAX];
	const struct conf_node *meant;
	const char *near;
	char hint[128];
	size_t n = 0;

	for (const struct conf_node *s = table; s->name && n < KEYS_MAX; s++)
		if (!is_self(s))
			names[n++] = s->name;
	near = conf_nearest(key->text, names, n);
	meant = near ? find(table, sv_of(near)) : NULL;
	if (meant && meant->flags & CONF_SECRET)
		conf_hide(c, item);
	if (near)
		snprintf(hint, sizeof(hint), "did you mean '%s'?", near);
	conf_error(c, key, "unknown-key", near ? hint : NULL,
		   "unknown key '%.*s'", SV_ARG(key->text));
}

static void walk_absent(struct conf *c, struct conf_tree *t,
			const struct conf_node *table, void *base)
{
	for (const struct conf_node *n = table; n->name; n++) {
		if (is_self(n) || conf_get(t, n->name))
			continue;
		if (!(n->flags & CONF_REQUIRED))
			walk_default(c, t, n, base);
		else if (!t->partial)
			conf_error(c, t, "missing-key", n->doc,
				   "key '%s' is missing", n->name);
	}
}

static void walk_map(struct conf *c, struct conf_tree *t,
		     const struct conf_node *table, void *base)
{
	if (t->kind != TREE_MAP) {
		wrong_kind(c, t, TREE_MAP);
		return;
	}
	for (const struct conf_node *n = table; n->name; n++)
		if (is_self(n))
			*(const struct conf_tree **)((char *)base + n->at) = t;
	for (size_t i = 0; i < t->n; i++) {
		const struct conf_node *n;

		if (t->key[i]->bad)
			continue;
		n = find(table, t->key[i]->text);
		if (n)
			walk(c, t->item[i], n, base);
		else
			unknown_key(c, t->key[i], t->item[i], table);
	}
	walk_absent(c, t, table, base);
}

static void walk(struct conf *c, struct conf_tree *t, const struct conf_node *n,
		 void *base)
{
	if (t->bad)
		return;
	switch (n->kind) {
	case CONF_SCALAR:
		walk_scalar(c, t, n, base);
		break;
	case CONF_MAP:
		walk_map(c, t, n->child, base);
		break;
	case CONF_LIST:
		walk_list(c, t, n, base);
		break;
	case CONF_DICT:
		walk_dict(c, t, n, base);
		break;
	case CONF_TREE:
		*(const struct conf_tree **)((char *)base + n->at) = t;
		break;
	case CONF_OTHER:
		break;
	}
}

/* A key that is not there: its default, and those of the keys in it. */
static void walk_default(struct conf *c, struct conf_tree *parent,
			 const struct conf_node *n, void *base)
{
	struct err e = {""};

	if (n->kind == CONF_MAP) {
		for (const struct conf_node *k = n->child; k->name; k++)
			walk_default(c, parent, k, base);
		return;
	}
	if (n->kind != CONF_SCALAR || !n->def)
		return;
	if (!n->parse(n, sv_of(n->def), (char *)base + n->at, &e))
		conf_error(c, parent, "bad-default", NULL,
			   "default of '%s': %s", n->name, e.text);
}

bool conf_walk(struct conf *c, const struct conf_tree *t,
	       const struct conf_node *schema, void *out)
{
	size_t before = conf_errors(c);

	/* The tree is c's own: only callers see it as const. */
	walk_map(c, (struct conf_tree *)t, schema, out);
	return conf_errors(c) == before;
}

/* ---- documentation ---- */

static const char *type_of(const struct conf_node *n)
{
	/* clang-format off */
	static const struct { conf_parse_fn *parse; const char *name; } known[] = {
		{conf_str, "text"}, {conf_name, "name"}, {conf_bool, "true, false"},
		{conf_u32, "count"}, {conf_duration, "duration"}, {conf_money, "amount"},
		{conf_bytes, "size"}, {conf_date, "date"},
	};
	/* clang-format on */

	if (n->kind == CONF_LIST)
		return "list";
	if (n->kind == CONF_TREE)
		return "see above";
	if (n->kind != CONF_SCALAR)
		return "map";
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (known[i].parse == n->parse)
			return known[i].name;
	return "value";
}

static void document(const char *path, const struct conf_node *n, FILE *out);

static void document_table(const char *prefix, const struct conf_node *table,
			   FILE *out)
{
	for (const struct conf_node *n = table; n->name; n++) {
		char path[256];

		if (is_self(n) || n->kind == CONF_OTHER)
			continue;
		snprintf(path, sizeof(path), "%s%s%s", prefix,
			 *prefix ? "." : "", n->name);
		document(path, n, out);
	}
}

static void document(const char *path, const struct conf_node *n, FILE *out)
{
	bool lists =
		n->kind == CONF_DICT && n->child && n->child->kind == CONF_LIST;
	const char *suffix = n->kind == CONF_LIST   ? "[]"
			     : lists		    ? ".NAME[]"
			     : n->kind == CONF_DICT ? ".NAME"
						    : "";
	char inner[264];

	fprintf(out, "| `%s` | %s | %s%s%s | %s%s%s |\n", path, type_of(n),
		n->def ? "`" : "", n->def ? n->def : "", n->def ? "`" : "",
		n->doc ? n->doc : "",
		n->flags & CONF_REQUIRED ? "; required" : "",
		n->flags & CONF_RESTART ? "; restart to change" : "");
	snprintf(inner, sizeof(inner), "%s%s", path, suffix);
	if (lists)
		n = n->child;
	/* a tree's child is there for the document only */
	if (n->kind == CONF_MAP || (n->kind == CONF_TREE && n->child))
		document_table(inner, n->child, out);
	else if ((n->kind == CONF_LIST || n->kind == CONF_DICT) && n->child &&
		 n->child->kind == CONF_MAP)
		document_table(inner, n->child->child, out);
}

void conf_document(const struct conf_node *schema, FILE *out)
{
	fputs("| key | kind | default | meaning |\n|---|---|---|---|\n", out);
	document_table("", schema, out);
}
