/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_HASH_H
#define COMMON_HASH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/sv.h"

/* Keyed hashes (SipHash-2-4, Aumasson and Bernstein 2012) for tables that
 * strangers can fill and for call keys; SHA-256 (FIPS 180-4) for content.
 * Thin over libsodium. */

struct hash_key {
	uint8_t k[16];
};

/* The public key used where there is no site, e.g. "decode" without a
 * config: every run and machine gives the same call keys. */
extern const struct hash_key hash_public_key;

/* 64 bits, for hash tables. */
uint64_t hash64(const struct hash_key *k, const void *p, size_t n);

/* 128 bits, for identities (call keys, finding ids). */
void hash128(const struct hash_key *k, const void *p, size_t n,
	     uint8_t out[16]);

/* A key for one purpose out of the site secret of any length. */
void hash_derive(struct sv secret, const char *purpose, struct hash_key *out);

enum { SHA256_HEX = 65 };

/* SHA-256 as 64 lower-case hex digits and a NUL. */
void sha256_hex(const void *p, size_t n, char out[SHA256_HEX]);

/* Lower-case hex of n bytes and a NUL: out holds 2n+1; and back (false
 * unless text is exactly 2n hex digits). */
void hex_text(const uint8_t *p, size_t n, char *out);
bool hex_parse(struct sv text, uint8_t *out, size_t n);

#endif
