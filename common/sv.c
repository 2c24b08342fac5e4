/* SPDX-License-Identifier: Apache-2.0 */
#include "common/sv.h"

#include "common/mem.h"

static unsigned char lower(char c)
{
	unsigned char u = (unsigned char)c;

	return u >= 'A' && u <= 'Z' ? (unsigned char)(u | 0x20) : u;
}

bool sv_starts_nocase(struct sv s, struct sv prefix)
{
	if (s.n < prefix.n)
		return false;
	for (size_t i = 0; i < prefix.n; i++)
		if (lower(s.p[i]) != lower(prefix.p[i]))
			return false;
	return true;
}

bool sv_eq_nocase(struct sv a, struct sv b)
{
	return a.n == b.n && sv_starts_nocase(a, b);
}

bool sv_starts(struct sv s, struct sv prefix)
{
	return s.n >= prefix.n && sv_eq((struct sv){s.p, prefix.n}, prefix);
}

struct sv sv_cut(struct sv *rest, char c)
{
	struct sv head = *rest;
	const char *at = rest->n ? memchr(rest->p, c, rest->n) : NULL;

	if (!at) {
		*rest = (struct sv){rest->p + rest->n, 0};
		return head;
	}
	head.n = (size_t)(at - rest->p);
	*rest = (struct sv){at + 1, rest->n - head.n - 1};
	return head;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct sv sv_trim(struct sv s)
{
	while (s.n && is_space(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool sv_u64(struct sv s, uint64_t *out)
{
	uint64_t v = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned d = (unsigned)((unsigned char)s.p[i] - '0');

		if (d > 9 || v > (UINT64_MAX - d) / 10)
			return false;
		v = v * 10 + d;
	}
	*out = v;
	return true;
}

bool sv_u32(struct sv s, uint32_t *out)
{
	uint64_t v;

	if (!sv_u64(s, &v) || v > UINT32_MAX)
		return false;
	*out = (uint32_t)v;
	return true;
}

char *sv_dup(struct sv s)
{
	char *copy = xmalloc(s.n + 1);

	if (s.n)
		memcpy(copy, s.p, s.n);
	copy[s.n] = '\0';
	return copy;
}

bool sv_put(char *field, size_t size, struct sv s)
{
	size_t n = s.n < size ? s.n : size;

	if (n)
		memcpy(field, s.p, n);
	memset(field + n, 0, size - n);
	return s.n <= size;
}
