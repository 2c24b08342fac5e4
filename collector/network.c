/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/network.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "common/mem.h"

/* Sorted by (bits descending, address), so that each prefix length is one
 * run for a binary search. */
struct entry {
	struct network net;
	int32_t value;
};

struct network_table {
	struct entry *entry;
	size_t n, cap;
	size_t run[130]; /* run[128 - bits]: where that length begins */
};

static void mask(uint8_t addr[16], unsigned bits)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned keep = bits > i * 8 ? bits - i * 8 : 0;

		if (keep < 8)
			addr[i] &= (uint8_t)(0xff00u >> keep);
	}
}

bool network_parse(struct sv text, struct network *out, struct err *e)
{
	struct sv rest = text, host = sv_cut(&rest, '/');
	bool slash = host.n < text.n;
	uint8_t masked[16];
	char name[48];
	uint32_t bits, most, base = 0;

	*out = (struct network){0};
	if (host.n == 0 || host.n >= sizeof(name))
		return err_set(e, "'%.*s' is not an address", SV_ARG(text));
	memcpy(name, host.p, host.n);
	name[host.n] = '\0';
	if (inet_pton(AF_INET, name, out->addr + 12) == 1) {
		out->addr[10] = out->addr[11] = 0xff;
		base = 96;
	} else if (inet_pton(AF_INET6, name, out->addr) != 1) {
		return err_set(e, "'%.*s' is not an address", SV_ARG(text));
	}
	most = 128 - base;
	bits = most;
	if (slash && (!sv_u32(rest, &bits) || bits > most))
		return err_set(e, "'%.*s': prefix length is 0..%u",
			       SV_ARG(text), most);
	out->bits = (uint8_t)(base + bits);
	memcpy(masked, out->addr, sizeof(masked));
	mask(masked, out->bits);
	if (memcmp(masked, out->addr, sizeof(masked)) != 0)
		return err_set(e, "'%.*s' has bits set after its prefix",
			       SV_ARG(text));
	return true;
}

struct network_table *network_new(void)
{
	return xcalloc(1, sizeof(struct network_table));
}

void network_free(struct network_table *t)
{
	if (!t)
		return;
	free(t->entry);
	free(t);
}

/* First entry at or after addr in the run of a prefix length. */
static size_t lower_bound(const struct network_table *t, unsigned bits,
			  const uint8_t addr[16])
{
	size_t lo = t->run[128 - bits], hi = t->run[129 - bits];

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (memcmp(t->entry[mid].net.addr, addr, 16) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool is_at(const struct network_table *t, size_t i, unsigned bits,
		  const uint8_t addr[16])
{
	return i < t->run[129 - bits] &&
	       memcmp(t->entry[i].net.addr, addr, 16) == 0;
}

bool network_add(struct network_table *t, const struct network *n,
		 int32_t value)
{
	size_t i = lower_bound(t, n->bits, n->addr);

	if (is_at(t, i, n->bits, n->addr))
		return false;
	if (t->n == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 64;
		t->entry = xrealloc(t->entry, t->cap, sizeof(*t->entry));
	}
	memmove(t->entry + i + 1, t->entry + i, (t->n - i) * sizeof(*t->entry));
	t->entry[i] = (struct entry){*n, value};
	t->n++;
	for (unsigned k = 129u - n->bits; k < ARRAY_LEN(t->run); k++)
		t->run[k]++;
	return true;
}

int32_t network_find(const struct network_table *t, const uint8_t addr[16])
{
	uint8_t masked[16];

	for (unsigned k = 0; k <= 128; k++) {
		unsigned bits = 128 - k;
		size_t i;

		if (t->run[k] == t->run[k + 1])
			continue;
		memcpy(masked, addr, sizeof(masked));
		mask(masked, bits);
		i = lower_bound(t, bits, masked);
		if (is_at(t, i, bits, masked))
			return t->entry[i].value;
	}
	return -1;
}
