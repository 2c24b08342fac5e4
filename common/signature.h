/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_SIGNATURE_H
#define COMMON_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/hash.h"
#include "common/sv.h"

/*
 * How a webhook is signed: Standard Webhooks 1.0.0, symmetric.  The signature
 * is HMAC-SHA256 over "id.timestamp.body"; the header lists one for each key,
 * so that a secret can be changed without a gap.
 */
enum {
	SIGNATURE_KEYS = 4,
	SIGNATURE_KEY_MIN = 24,
	SIGNATURE_KEY_MAX = 64,
	SIGNATURE_TEXT = 256,
	SIGNATURE_TOLERANCE_S = 300, /* how far the clocks may differ */
};

struct signature_keys {
	uint8_t key[SIGNATURE_KEYS][SIGNATURE_KEY_MAX];
	size_t size[SIGNATURE_KEYS];
	size_t n;
};

/* "whsec_BASE64" (the prefix may be missing), or several with spaces between
 * them, the newest first.  The sentence of *e does not repeat the secret. */
MUST_USE bool signature_keys_parse(struct signature_keys *k, struct sv secret,
				   struct err *e);
void signature_keys_wipe(struct signature_keys *k);

struct signed_text {
	struct sv id;
	int64_t at_s; /* seconds since 1970 */
	struct sv body;
};

/* The value of webhook-signature. */
void signature_text(const struct signature_keys *k, const struct signed_text *t,
		    char out[SIGNATURE_TEXT]);

/* One of the signatures in the header is by one of our keys.  Takes the same
 * time wherever the difference is; the timestamp is the caller's to check. */
bool signature_ok(const struct signature_keys *k, const struct signed_text *t,
		  struct sv header);

/* HMAC-SHA256 as lower-case hex, for X-Hub-Signature-256. */
void signature_hub(struct sv key, struct sv body, char out[SHA256_HEX]);

#endif
