/* SPDX-License-Identifier: Apache-2.0 */
#include "common/prefix.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

/* A child is the index of a node in the array; 0 is none, as the root (node
 * 0) is nobody's child. */
struct node {
	uint32_t child[10];
	int32_t value;
};

struct prefix_table {
	struct node *node;
	size_t n;
	size_t cap;
};

static uint32_t new_node(struct prefix_table *t)
{
	if (t->n == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 64;
		t->node = xrealloc(t->node, t->cap, sizeof(*t->node));
	}
	memset(&t->node[t->n], 0, sizeof(*t->node));
	t->node[t->n].value = -1;
	return (uint32_t)t->n++;
}

struct prefix_table *prefix_new(void)
{
	struct prefix_table *t = xcalloc(1, sizeof(*t));

	new_node(t);
	return t;
}

void prefix_free(struct prefix_table *t)
{
	if (!t)
		return;
	free(t->node);
	free(t);
}

int32_t prefix_add(struct prefix_table *t, const uint8_t *digits, unsigned n,
		   int32_t value)
{
	uint32_t at = 0;
	int32_t old;

	assert(n >= 1 && n <= 15 && value >= 0);
	for (unsigned i = 0; i < n; i++) {
		assert(digits[i] <= 9);
		if (t->node[at].child[digits[i]] == 0) {
			uint32_t fresh = new_node(t); /* may move node[] */

			t->node[at].child[digits[i]] = fresh;
		}
		at = t->node[at].child[digits[i]];
	}
	old = t->node[at].value;
	t->node[at].value = value;
	return old;
}

int32_t prefix_find(const struct prefix_table *t, const uint8_t *digits,
		    unsigned n, unsigned *len)
{
	int32_t best = -1;
	unsigned best_len = 0;
	uint32_t at = 0;

	for (unsigned i = 0; i < n && digits[i] <= 9; i++) {
		at = t->node[at].child[digits[i]];
		if (at == 0)
			break;
		if (t->node[at].value >= 0) {
			best = t->node[at].value;
			best_len = i + 1;
		}
	}
	if (len)
		*len = best_len;
	return best;
}
