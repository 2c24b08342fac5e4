/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAUNCH_MINISIGN_H
#define LAUNCH_MINISIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/sv.h"

/*
 * Signatures as minisign makes and checks them (jedisct1.github.io/minisign,
 * "Signature format"), so that nobody has to trust our program to check one:
 *
 *   minisign -V -m FILE -p KEY.pub
 *
 * Only prehashed signatures ("ED") are made or taken, only keys without a
 * password: a job that runs every five minutes has nobody to type one.
 */
enum {
	MINISIGN_ID = 8,
	MINISIGN_COMMENT = 256, /* trusted comment and NUL */
	MINISIGN_TEXT = 1024,	/* a signature file and NUL */
};

struct minisign_public {
	uint8_t id[MINISIGN_ID];
	uint8_t key[32];
};

struct minisign_secret {
	struct minisign_public public;
	uint8_t key[64];
};

/* Make a pair: path.key (0600) and path.pub.  Never overwrites. */
MUST_USE bool minisign_make(const char *path, struct err *e);

/* A secret key that anybody but its owner can read is refused: who has it can
 * sign another past.  Wipe it in every case. */
MUST_USE bool minisign_load_secret(struct minisign_secret *s, const char *path,
				   struct err *e);
void minisign_wipe(struct minisign_secret *s);
MUST_USE bool minisign_load_public(struct minisign_public *p, const char *path,
				   struct err *e);

/* The signature file of message.  comment: one line, shown by minisign -V. */
MUST_USE bool minisign_sign(const struct minisign_secret *s, struct sv message,
			    const char *comment, char out[MINISIGN_TEXT],
			    struct err *e);

/* signature is message's, by this key, and so is its trusted comment. */
MUST_USE bool minisign_verify(const struct minisign_public *p,
			      struct sv message, struct sv signature,
			      char comment[MINISIGN_COMMENT], struct err *e);

/* The id as minisign prints it, 16 digits. */
void minisign_id_text(const struct minisign_public *p, char out[17]);

#endif
