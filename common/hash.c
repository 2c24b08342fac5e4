/* SPDX-License-Identifier: Apache-2.0 */
#include "common/hash.h"

#include <sodium.h>

const struct hash_key hash_public_key = {{'t', 'o', 'l', 'l', 'w', 'a', 't',
					  'c', 'h', '-', 'p', 'u', 'b', 'l',
					  'i', 'c'}};

uint64_t hash64(const struct hash_key *k, const void *p, size_t n)
{
	uint64_t out;

	crypto_shorthash_siphash24((unsigned char *)&out, p, n, k->k);
	return out;
}

void hash128(const struct hash_key *k, const void *p, size_t n, uint8_t out[16])
{
	crypto_shorthash_siphashx24(out, p, n, k->k);
}

void hash_derive(struct sv secret, const char *purpose, struct hash_key *out)
{
	crypto_generichash_state st;

	crypto_generichash_init(&st, NULL, 0, sizeof(out->k));
	crypto_generichash_update(&st, (const unsigned char *)purpose,
				  strlen(purpose) + 1);
	crypto_generichash_update(&st, (const unsigned char *)secret.p,
				  secret.n);
	crypto_generichash_final(&st, out->k, sizeof(out->k));
}

void sha256_hex(const void *p, size_t n, char out[SHA256_HEX])
{
	unsigned char digest[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(digest, p, n);
	hex_text(digest, sizeof(digest), out);
}

void hex_text(const uint8_t *p, size_t n, char *out)
{
	sodium_bin2hex(out, 2 * n + 1, p, n);
}

bool hex_parse(struct sv text, uint8_t *out, size_t n)
{
	size_t len;

	return text.n == 2 * n &&
	       sodium_hex2bin(out, n, text.p, text.n, NULL, &len, NULL) == 0 &&
	       len == n;
}
