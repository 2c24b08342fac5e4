/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/audit_chain.h"

#include <stdio.h>

#include <sodium.h>

/* 2000-01-01 in microseconds since 1970. */
static const int64_t epoch_2000_us = INT64_C(946684800000000);

bool audit_int(struct sv col, int64_t *out)
{
	uint64_t v = 0;

	if (!col.p || col.n != 8)
		return false;
	for (size_t i = 0; i < 8; i++)
		v = v << 8 | (uint8_t)col.p[i];
	*out = (int64_t)v;
	return true;
}

bool audit_is_stream(struct sv name)
{
	if (!name.p || name.n == 0 || name.n >= AUDIT_STREAM)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (!((name.p[i] >= 'a' && name.p[i] <= 'z') ||
		      name.p[i] == '_'))
			return false;
	return true;
}

static void put32(uint32_t v, uint8_t out[4])
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void put64(uint64_t v, uint8_t out[8])
{
	put32((uint32_t)(v >> 32), out);
	put32((uint32_t)v, out + 4);
}

static void add_field(crypto_hash_sha256_state *h, struct sv f)
{
	uint8_t length[4];

	put32(f.p ? (uint32_t)f.n : UINT32_MAX, length);
	crypto_hash_sha256_update(h, length, sizeof(length));
	if (f.p)
		crypto_hash_sha256_update(h, (const uint8_t *)f.p, f.n);
}

/* audit.encode, hashed. */
static bool seal(const struct sv col[AUDIT_COLS], uint8_t out[AUDIT_HASH])
{
	static const uint8_t magic[] = {0, 'T', 'W', 'A', 'U', 'D', '1'};
	crypto_hash_sha256_state h;
	uint8_t at[8];
	int64_t us;

	if (!audit_int(col[EVENT_AT], &us) || us > INT64_MAX - epoch_2000_us)
		return false;
	put64((uint64_t)(us + epoch_2000_us), at);
	crypto_hash_sha256_init(&h);
	crypto_hash_sha256_update(&h, magic, sizeof(magic));
	add_field(&h, col[LINK_PREV]);
	add_field(&h, col[EVENT_STREAM]);
	add_field(&h, col[LINK_SEQ]);
	add_field(&h, col[EVENT_ID]);
	add_field(&h, (struct sv){(const char *)at, sizeof(at)});
	for (int i = EVENT_ACTOR; i < AUDIT_COLS; i++)
		add_field(&h, col[i]);
	crypto_hash_sha256_final(&h, out);
	return true;
}

static void genesis(const char *site, struct sv stream, uint8_t out[AUDIT_HASH])
{
	char text[AUDIT_SITE + AUDIT_STREAM + 16];
	int n = snprintf(text, sizeof(text), "TWAUD1:%s:%.*s", site,
			 (int)stream.n, stream.p);

	crypto_hash_sha256(out, (const uint8_t *)text, (size_t)n);
}

void audit_chain_begin(struct audit_chain *c, const char *site)
{
	memset(c, 0, sizeof(*c));
	snprintf(c->site, sizeof(c->site), "%s", site);
}

static bool is_hash(struct sv s)
{
	return s.p && s.n == AUDIT_HASH;
}

static bool well_formed(const struct sv col[AUDIT_COLS], int64_t *seq)
{
	return audit_is_stream(col[LINK_STREAM]) &&
	       audit_int(col[LINK_SEQ], seq) && *seq > 0 &&
	       is_hash(col[LINK_PREV]) && is_hash(col[LINK_HASH]);
}

/* Where the row stands; the state moves there whatever is wrong. */
static enum chain_rc step(struct audit_chain *c, struct sv stream, int64_t seq)
{
	struct sv now = sv_of(c->stream);
	size_t both = stream.n < now.n ? stream.n : now.n;
	int way = memcmp(stream.p, now.p, both);
	enum chain_rc rc = CHAIN_OK;

	if (way < 0 || (way == 0 && stream.n < now.n))
		return CHAIN_ORDER;
	if (!sv_eq(stream, now)) {
		genesis(c->site, stream, c->said);
		snprintf(c->stream, sizeof(c->stream), "%.*s", (int)stream.n,
			 stream.p);
		c->seq = 0;
	}
	if (seq <= c->seq)
		return CHAIN_ORDER;
	if (seq != c->seq + 1)
		rc = CHAIN_GAP;
	c->seq = seq;
	return rc;
}

enum chain_rc audit_chain_add(struct audit_chain *c,
			      const struct sv col[AUDIT_COLS])
{
	enum chain_rc rc;
	int64_t seq;
	bool follows;

	if (!col[LINK_STREAM].p && col[EVENT_ID].p)
		return CHAIN_NO_LINK;
	if (!well_formed(col, &seq))
		return CHAIN_MALFORMED;
	rc = step(c, col[LINK_STREAM], seq);
	if (rc == CHAIN_ORDER)
		return rc;
	follows = memcmp(col[LINK_PREV].p, c->said, AUDIT_HASH) == 0;
	memcpy(c->said, col[LINK_HASH].p, AUDIT_HASH);
	memset(c->hash, 0, sizeof(c->hash));
	if (!col[EVENT_ID].p)
		return CHAIN_NO_EVENT;
	if (!seal(col, c->hash))
		return CHAIN_MALFORMED;
	if (rc != CHAIN_OK)
		return rc;
	if (!col[LINK_EVENT].p || !sv_eq(col[LINK_EVENT], col[EVENT_ID]))
		return CHAIN_OTHER_EVENT;
	if (!col[EVENT_STREAM].p || !sv_eq(col[LINK_STREAM], col[EVENT_STREAM]))
		return CHAIN_OTHER_STREAM;
	if (!follows)
		return CHAIN_PREV;
	if (memcmp(c->hash, c->said, AUDIT_HASH) != 0)
		return CHAIN_HASH;
	return CHAIN_OK;
}

const char *chain_rc_text(enum chain_rc rc)
{
	static const char *const text[CHAIN_RCS] = {
		[CHAIN_OK] = "is as it was sealed",
		[CHAIN_MALFORMED] = "is not a row of the log",
		[CHAIN_NO_LINK] = "is in no chain",
		[CHAIN_NO_EVENT] = "is without its event",
		[CHAIN_OTHER_EVENT] = "has the event of another link",
		[CHAIN_OTHER_STREAM] = "has an event of another stream",
		[CHAIN_ORDER] = "stands where another stands",
		[CHAIN_GAP] = "comes after a gap",
		[CHAIN_PREV] = "does not follow the one before",
		[CHAIN_HASH] = "was changed after it was sealed",
	};

	return rc < CHAIN_RCS ? text[rc] : "?";
}
