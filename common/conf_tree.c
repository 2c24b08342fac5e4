/* SPDX-License-Identifier: Apache-2.0 */
#include "common/conf_inside.h"

enum conf_tree_kind conf_kind(const struct conf_tree *t)
{
	return t->kind;
}

struct sv conf_text(const struct conf_tree *t)
{
	return t->kind == TREE_SCALAR ? t->text : (struct sv){"", 0};
}

size_t conf_len(const struct conf_tree *t)
{
	return t->n;
}

const struct conf_tree *conf_item(const struct conf_tree *t, size_t i)
{
	return i < t->n ? t->item[i] : NULL;
}

const struct conf_tree *conf_key(const struct conf_tree *t, size_t i)
{
	return t->kind == TREE_MAP && i < t->n ? t->key[i] : NULL;
}

const struct conf_tree *conf_get(const struct conf_tree *t, const char *key)
{
	struct sv want = sv_of(key);

	if (!t || t->kind != TREE_MAP)
		return NULL;
	for (size_t i = 0; i < t->n; i++)
		if (!t->key[i]->bad && sv_eq(t->key[i]->text, want))
			return t->item[i];
	return NULL;
}

const char *conf_filename(const struct conf_tree *t)
{
	return t->source->name;
}

unsigned conf_line(const struct conf_tree *t)
{
	return t->at.line;
}

void conf_append(struct conf *c, struct conf_tree *t, struct conf_tree *key,
		 struct conf_tree *item)
{
	if (t->n == t->cap) {
		size_t cap = t->cap ? 2 * t->cap : 4;
		size_t old = t->n * sizeof(*t->item);
		struct conf_tree **both =
			conf_alloc(c, 2 * cap * sizeof(*both));

		if (old) {
			memcpy(both, t->item, old);
			memcpy(both + cap, t->key, old);
		}
		t->item = both;
		t->key = both + cap;
		t->cap = cap;
	}
	t->item[t->n] = item;
	t->key[t->n] = key;
	t->n++;
}
