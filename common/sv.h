/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_SV_H
#define COMMON_SV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/attr.h"

/*
 * A string view: bytes owned by someone else.  Not NUL-terminated, never
 * freed, dead with the buffer it was cut from; sv_dup() what must outlive it.
 */
struct sv {
	const char *p;
	size_t n;
};

/* View of a string literal. */
#define SV(lit) ((struct sv){(lit), sizeof(lit) - 1})

static inline struct sv sv_of(const char *nul_terminated)
{
	return (struct sv){nul_terminated, strlen(nul_terminated)};
}

/* View of a fixed field: NUL-padded, and without a NUL when it is full. */
static inline struct sv sv_field(const char *field, size_t size)
{
	return (struct sv){field, strnlen(field, size)};
}

static inline bool sv_eq(struct sv a, struct sv b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* ASCII case-insensitive, as RFC 3261 header names and tokens are. */
bool sv_eq_nocase(struct sv a, struct sv b);
bool sv_starts(struct sv s, struct sv prefix);
bool sv_starts_nocase(struct sv s, struct sv prefix);

/* Split *rest at the first c: return what is before it, leave what is after.
 * Without c the whole of *rest is returned and *rest becomes empty. */
struct sv sv_cut(struct sv *rest, char c);

/* Without leading and trailing space, tab, CR and LF. */
struct sv sv_trim(struct sv s);

/* Whole view as decimal.  False on empty, on any non-digit, on overflow. */
bool sv_u32(struct sv s, uint32_t *out);
bool sv_u64(struct sv s, uint64_t *out);

/* NUL-terminated copy; the caller frees it. */
char *sv_dup(struct sv s);

/* Copy into a fixed NUL-padded field (full length allowed, then without NUL).
 * False when it did not fit; the field then holds the beginning. */
bool sv_put(char *field, size_t size, struct sv s);

#endif
