/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/minisign.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

/*
 * public key   "Ed" id[8] key[32]
 * secret key   "Ed" 00 00 "B2" salt[32] limits[16] id[8] key[64] check[32]
 *              (00 00: no password; salt, limits and check are then zeros)
 * signature    "ED" id[8] ed25519(blake2b-512(message))[64]
 *              ed25519(signature[64] trusted comment)[64] on the fourth line
 */
enum {
	PUBLIC_SIZE = 42,
	SECRET_SIZE = 158,
	SECRET_ID = 54,
	SECRET_KEY = 62,
	SIGNED_SIZE = 74,
	SIGNATURE = crypto_sign_BYTES,
	PREHASH = 64,
	FILE_MAX = 4096,
};

#define UNTRUSTED "untrusted comment: "
#define TRUSTED	  "trusted comment: "

static bool ready(struct err *e)
{
	return sodium_init() >= 0 || err_set(e, "libsodium does not start");
}

/* ---- base64 lines ---- */

static bool decode(struct sv line, uint8_t *out, size_t n)
{
	size_t got = 0;
	const char *end = NULL;

	/* libsodium 1.0.18 takes '+' with its eighth bit set for '+' */
	for (size_t i = 0; i < line.n; i++)
		if ((uint8_t)line.p[i] >= 0x80)
			return false;
	return sodium_base642bin(out, n, line.p, line.n, NULL, &got, &end,
				 sodium_base64_VARIANT_ORIGINAL) == 0 &&
	       got == n && end == line.p + line.n;
}

/* The next line without its end; a CR before it is not ours. */
static bool next_line(struct sv *rest, struct sv *line)
{
	if (rest->n == 0)
		return false;
	*line = sv_cut(rest, '\n');
	if (line->n > 0 && line->p[line->n - 1] == '\r')
		line->n--;
	return true;
}

/* A key file: a comment and a line of n bytes. */
static bool decode_key(struct sv text, uint8_t *out, size_t n)
{
	struct sv comment, line;

	return next_line(&text, &comment) && next_line(&text, &line) &&
	       text.n == 0 && sv_starts(comment, SV(UNTRUSTED)) &&
	       decode(line, out, n);
}

/* ---- files ---- */

static bool private_file(int fd, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_set(e, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(e, "%s: not a file", path);
	if (st.st_uid != geteuid())
		return err_set(e,
			       "%s: belongs to another user, who can sign "
			       "with it",
			       path);
	if (st.st_mode & 077)
		return err_set(e,
			       "%s: others can read it (mode %04o); use "
			       "chmod 600, and a new key if they may have",
			       path, (unsigned)(st.st_mode & 07777));
	return true;
}

static bool read_small(const char *path, bool is_private, char out[FILE_MAX],
		       size_t *n, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t got;
	bool ok;

	if (fd < 0)
		return err_set(e, "%s: %s", path, strerror(errno));
	ok = !is_private || private_file(fd, path, e);
	got = ok ? read(fd, out, FILE_MAX) : 0;
	if (ok && (got <= 0 || got == FILE_MAX))
		ok = err_set(e, "%s: %s", path,
			     got < 0 ? strerror(errno) : "not a key");
	*n = ok ? (size_t)got : 0;
	close(fd);
	return ok;
}

static bool write_new(const char *path, mode_t mode, const char *text,
		      struct err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	size_t n = strlen(text);
	bool ok;

	if (fd < 0)
		return err_set(e, "%s: %s", path, strerror(errno));
	ok = write(fd, text, n) == (ssize_t)n && fsync(fd) == 0;
	ok = close(fd) == 0 && ok;
	return ok || err_set(e, "%s: %s", path, strerror(errno));
}

/* ---- keys ---- */

void minisign_id_text(const struct minisign_public *p, char out[17])
{
	for (int i = 0; i < MINISIGN_ID; i++)
		snprintf(out + 2 * i, 3, "%02X", p->id[MINISIGN_ID - 1 - i]);
}

static void public_text(const struct minisign_public *p, char *out, size_t size)
{
	uint8_t raw[PUBLIC_SIZE] = "Ed";
	char base[128], id[17];

	memcpy(raw + 2, p->id, MINISIGN_ID);
	memcpy(raw + 2 + MINISIGN_ID, p->key, sizeof(p->key));
	sodium_bin2base64(base, sizeof(base), raw, sizeof(raw),
			  sodium_base64_VARIANT_ORIGINAL);
	minisign_id_text(p, id);
	snprintf(out, size, UNTRUSTED "minisign public key %s\n%s\n", id, base);
}

static void secret_text(const struct minisign_secret *s, char *out, size_t size)
{
	uint8_t raw[SECRET_SIZE] = {'E', 'd', 0, 0, 'B', '2'};
	char base[256];

	memcpy(raw + SECRET_ID, s->public.id, MINISIGN_ID);
	memcpy(raw + SECRET_KEY, s->key, sizeof(s->key));
	sodium_bin2base64(base, sizeof(base), raw, sizeof(raw),
			  sodium_base64_VARIANT_ORIGINAL);
	snprintf(out, size, UNTRUSTED "minisign secret key\n%s\n", base);
	sodium_memzero(raw, sizeof(raw));
	sodium_memzero(base, sizeof(base));
}

bool minisign_make(const char *path, struct err *e)
{
	struct minisign_secret s;
	char name[FILE_MAX], text[MINISIGN_TEXT];
	bool ok;

	if (!ready(e))
		return false;
	crypto_sign_keypair(s.public.key, s.key);
	randombytes_buf(s.public.id, sizeof(s.public.id));
	secret_text(&s, text, sizeof(text));
	ok = (size_t)snprintf(name, sizeof(name), "%s.key", path) <
		     sizeof(name) ||
	     err_set(e, "%s: name too long", path);
	ok = ok && write_new(name, 0600, text, e);
	sodium_memzero(text, sizeof(text));
	if (ok) {
		public_text(&s.public, text, sizeof(text));
		snprintf(name, sizeof(name), "%s.pub", path);
		ok = write_new(name, 0644, text, e);
	}
	minisign_wipe(&s);
	return ok;
}

/* The second half of the key is its public key: kept honest by making it
 * anew, for the file has no check of its own. */
static bool parse_secret(struct minisign_secret *s, const uint8_t *raw)
{
	uint8_t key[64];
	bool ok = memcmp(raw, "Ed\0\0B2", 6) == 0;

	memcpy(s->public.id, raw + SECRET_ID, MINISIGN_ID);
	memcpy(s->key, raw + SECRET_KEY, sizeof(s->key));
	crypto_sign_seed_keypair(s->public.key, key, s->key);
	ok = ok && sodium_memcmp(key, s->key, sizeof(key)) == 0;
	sodium_memzero(key, sizeof(key));
	return ok;
}

bool minisign_load_secret(struct minisign_secret *s, const char *path,
			  struct err *e)
{
	char text[FILE_MAX];
	uint8_t raw[SECRET_SIZE] = {0};
	size_t n = 0;
	bool ok;

	memset(s, 0, sizeof(*s));
	(void)sodium_mlock(s, sizeof(*s)); /* as far as the limits allow */
	if (!ready(e) || !read_small(path, true, text, &n, e))
		return false;
	ok = decode_key((struct sv){text, n}, raw, sizeof(raw)) ||
	     err_set(e, "%s: not a secret key", path);
	if (ok && (raw[2] || raw[3]))
		ok = err_set(e, "%s: has a password; make one without", path);
	ok = ok && (parse_secret(s, raw) ||
		    err_set(e, "%s: a damaged secret key", path));
	sodium_memzero(raw, sizeof(raw));
	sodium_memzero(text, sizeof(text));
	return ok;
}

void minisign_wipe(struct minisign_secret *s)
{
	(void)sodium_munlock(s, sizeof(*s)); /* zeroes it */
	sodium_memzero(s, sizeof(*s));
}

bool minisign_load_public(struct minisign_public *p, const char *path,
			  struct err *e)
{
	char text[FILE_MAX];
	uint8_t raw[PUBLIC_SIZE];
	size_t n = 0;

	if (!ready(e) || !read_small(path, false, text, &n, e))
		return false;
	if (!decode_key((struct sv){text, n}, raw, sizeof(raw)) ||
	    memcmp(raw, "Ed", 2) != 0)
		return err_set(e, "%s: not a public key", path);
	memcpy(p->id, raw + 2, MINISIGN_ID);
	memcpy(p->key, raw + 2 + MINISIGN_ID, sizeof(p->key));
	return true;
}

/* ---- signatures ---- */

static void prehash(struct sv message, uint8_t out[PREHASH])
{
	crypto_generichash(out, PREHASH, (const uint8_t *)message.p, message.n,
			   NULL, 0);
}

/* What the last line signs. */
static size_t join(const uint8_t signature[SIGNATURE], struct sv comment,
		   uint8_t out[SIGNATURE + MINISIGN_COMMENT])
{
	memcpy(out, signature, SIGNATURE);
	memcpy(out + SIGNATURE, comment.p, comment.n);
	return SIGNATURE + comment.n;
}

static bool is_line(struct sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((uint8_t)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	return true;
}

bool minisign_sign(const struct minisign_secret *s, struct sv message,
		   const char *comment, char out[MINISIGN_TEXT], struct err *e)
{
	uint8_t raw[SIGNED_SIZE] = "ED", hash[PREHASH], global[SIGNATURE];
	uint8_t whole[SIGNATURE + MINISIGN_COMMENT];
	char first[128], last[128];
	struct sv c = sv_of(comment);

	if (!ready(e))
		return false;
	if (c.n >= MINISIGN_COMMENT || !is_line(c))
		return err_set(e, "the comment is not one short line");
	prehash(message, hash);
	memcpy(raw + 2, s->public.id, MINISIGN_ID);
	crypto_sign_detached(raw + 10, NULL, hash, sizeof(hash), s->key);
	crypto_sign_detached(global, NULL, whole, join(raw + 10, c, whole),
			     s->key);
	sodium_bin2base64(first, sizeof(first), raw, sizeof(raw),
			  sodium_base64_VARIANT_ORIGINAL);
	sodium_bin2base64(last, sizeof(last), global, sizeof(global),
			  sodium_base64_VARIANT_ORIGINAL);
	snprintf(out, MINISIGN_TEXT,
		 UNTRUSTED "signature from tollwatch\n%s\n" TRUSTED "%s\n%s\n",
		 first, comment, last);
	return true;
}

struct parsed {
	uint8_t raw[SIGNED_SIZE];
	uint8_t global[SIGNATURE];
	struct sv comment;
};

static bool parse_signature(struct sv text, struct parsed *s)
{
	struct sv untrusted, first, trusted, last;

	if (text.n == 0 || !next_line(&text, &untrusted) ||
	    !next_line(&text, &first) || !next_line(&text, &trusted) ||
	    !next_line(&text, &last) || text.n > 0)
		return false;
	if (!sv_starts(untrusted, SV(UNTRUSTED)) ||
	    !sv_starts(trusted, SV(TRUSTED)))
		return false;
	s->comment = (struct sv){trusted.p + sizeof(TRUSTED) - 1,
				 trusted.n - (sizeof(TRUSTED) - 1)};
	return s->comment.n < MINISIGN_COMMENT && is_line(s->comment) &&
	       decode(first, s->raw, sizeof(s->raw)) &&
	       decode(last, s->global, sizeof(s->global));
}

bool minisign_verify(const struct minisign_public *p, struct sv message,
		     struct sv signature, char comment[MINISIGN_COMMENT],
		     struct err *e)
{
	struct parsed s;
	struct minisign_public by;
	uint8_t hash[PREHASH], whole[SIGNATURE + MINISIGN_COMMENT];
	char id[17], want[17];

	if (!ready(e))
		return false;
	if (!parse_signature(signature, &s))
		return err_set(e, "not a signature");
	if (memcmp(s.raw, "ED", 2) != 0)
		return err_set(e, "not a prehashed signature");
	memcpy(by.id, s.raw + 2, MINISIGN_ID);
	if (memcmp(by.id, p->id, MINISIGN_ID) != 0) {
		minisign_id_text(&by, id);
		minisign_id_text(p, want);
		return err_set(e, "signed by key %s, not by %s", id, want);
	}
	prehash(message, hash);
	if (crypto_sign_verify_detached(s.raw + 10, hash, sizeof(hash),
					p->key) != 0)
		return err_set(e, "the signature is not of this text");
	if (crypto_sign_verify_detached(s.global, whole,
					join(s.raw + 10, s.comment, whole),
					p->key) != 0)
		return err_set(e, "the trusted comment was changed");
	snprintf(comment, MINISIGN_COMMENT, "%.*s", (int)s.comment.n,
		 s.comment.p);
	return true;
}
