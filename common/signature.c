/* SPDX-License-Identifier: Apache-2.0 */
#include "common/signature.h"

#include <inttypes.h>
#include <stdio.h>

#include <sodium.h>

enum { MAC = crypto_auth_hmacsha256_BYTES };

static bool parse_key(struct signature_keys *k, struct sv text, struct err *e)
{
	static const int variant[] = {
		sodium_base64_VARIANT_ORIGINAL,
		sodium_base64_VARIANT_ORIGINAL_NO_PADDING};

	if (k->n == SIGNATURE_KEYS)
		return err_set(e, "more than %d secrets", SIGNATURE_KEYS);
	if (sv_starts(text, SV("whsec_")))
		text = (struct sv){text.p + 6, text.n - 6};
	for (size_t i = 0; i < ARRAY_LEN(variant); i++) {
		size_t n;

		if (sodium_base642bin(k->key[k->n], SIGNATURE_KEY_MAX, text.p,
				      text.n, NULL, &n, NULL, variant[i]) != 0)
			continue;
		if (n < SIGNATURE_KEY_MIN)
			break;
		k->size[k->n++] = n;
		return true;
	}
	return err_set(e, "want whsec_ and the base64 of %d to %d bytes",
		       SIGNATURE_KEY_MIN, SIGNATURE_KEY_MAX);
}

bool signature_keys_parse(struct signature_keys *k, struct sv secret,
			  struct err *e)
{
	*k = (struct signature_keys){0};
	secret = sv_trim(secret);
	while (secret.n > 0) {
		struct sv one = sv_cut(&secret, ' ');

		if (one.n > 0 && !parse_key(k, one, e)) {
			signature_keys_wipe(k);
			return false;
		}
	}
	return k->n > 0 || err_set(e, "no secret");
}

void signature_keys_wipe(struct signature_keys *k)
{
	sodium_memzero(k, sizeof(*k));
}

static void add(crypto_auth_hmacsha256_state *s, struct sv v)
{
	crypto_auth_hmacsha256_update(s, (const uint8_t *)v.p, v.n);
}

static void mac(const uint8_t *key, size_t size, const struct signed_text *t,
		uint8_t out[MAC])
{
	crypto_auth_hmacsha256_state s;
	char middle[32];

	snprintf(middle, sizeof(middle), ".%" PRId64 ".", t->at_s);
	crypto_auth_hmacsha256_init(&s, key, size);
	add(&s, t->id);
	add(&s, sv_of(middle));
	add(&s, t->body);
	crypto_auth_hmacsha256_final(&s, out);
	sodium_memzero(&s, sizeof(s));
}

void signature_text(const struct signature_keys *k, const struct signed_text *t,
		    char out[SIGNATURE_TEXT])
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < k->n; i++) {
		uint8_t m[MAC];
		char text[sodium_base64_ENCODED_LEN(
			MAC, sodium_base64_VARIANT_ORIGINAL)];

		mac(k->key[i], k->size[i], t, m);
		sodium_bin2base64(text, sizeof(text), m, sizeof(m),
				  sodium_base64_VARIANT_ORIGINAL);
		at += (size_t)snprintf(out + at, SIGNATURE_TEXT - at, "%sv1,%s",
				       i > 0 ? " " : "", text);
	}
}

bool signature_ok(const struct signature_keys *k, const struct signed_text *t,
		  struct sv header)
{
	unsigned good = 0;

	while (header.n > 0) {
		struct sv one = sv_cut(&header, ' ');
		uint8_t got[MAC];
		size_t n;

		if (!sv_starts(one, SV("v1,")) ||
		    sodium_base642bin(got, sizeof(got), one.p + 3, one.n - 3,
				      NULL, &n, NULL,
				      sodium_base64_VARIANT_ORIGINAL) != 0 ||
		    n != sizeof(got))
			continue;
		for (size_t i = 0; i < k->n; i++) {
			uint8_t want[MAC];

			mac(k->key[i], k->size[i], t, want);
			good |= sodium_memcmp(got, want, MAC) == 0;
		}
	}
	return good != 0;
}

void signature_hub(struct sv key, struct sv body, char out[SHA256_HEX])
{
	crypto_auth_hmacsha256_state s;
	uint8_t m[MAC];

	crypto_auth_hmacsha256_init(&s, (const uint8_t *)key.p, key.n);
	add(&s, body);
	crypto_auth_hmacsha256_final(&s, m);
	hex_text(m, sizeof(m), out);
	sodium_memzero(&s, sizeof(s));
}
