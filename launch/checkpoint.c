/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/checkpoint.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/clock.h"

const char checkpoint_no_previous[SHA256_HEX] =
	"00000000000000000000000000000000"
	"00000000000000000000000000000000";

void checkpoint_time(int64_t at_s, char out[CHECKPOINT_TIME])
{
	char text[TIME_TEXT];

	time_text(at_s * SEC_US, text);
	snprintf(out, CHECKPOINT_TIME, "%.19sZ", text);
}

bool checkpoint_add(struct checkpoint *c, struct sv stream, int64_t seq,
		    const uint8_t hash[AUDIT_HASH], struct err *e)
{
	struct checkpoint_head *h = &c->head[c->streams];

	if (!audit_is_stream(stream) || seq < 0)
		return err_set(e, "not a stream: '%.*s' of %" PRId64,
			       SV_ARG(stream), seq);
	if (c->streams == CHECKPOINT_STREAMS)
		return err_set(e, "more than %d streams", CHECKPOINT_STREAMS);
	snprintf(h->stream, sizeof(h->stream), "%.*s", SV_ARG(stream));
	if (c->streams > 0 && strcmp(h[-1].stream, h->stream) >= 0)
		return err_set(e, "streams are not in order: %s", h->stream);
	h->seq = seq;
	hex_text(hash, AUDIT_HASH, h->hash);
	c->streams++;
	return true;
}

size_t checkpoint_text(const struct checkpoint *c, char out[CHECKPOINT_TEXT])
{
	char at[CHECKPOINT_TIME];
	size_t n;

	checkpoint_time(c->at_s, at);
	n = (size_t)snprintf(out, CHECKPOINT_TEXT,
			     "tollwatch checkpoint 1\n"
			     "origin %s\nn %" PRIu64 "\nat %s\nprevious %s\n"
			     "catalogue %s\nmakers %s\n",
			     c->origin, c->n, at, c->previous, c->catalogue,
			     c->makers);
	for (size_t i = 0; i < c->streams; i++)
		n += (size_t)snprintf(out + n, CHECKPOINT_TEXT - n,
				      "stream %s %" PRId64 " %s\n",
				      c->head[i].stream, c->head[i].seq,
				      c->head[i].hash);
	return n;
}

void checkpoint_comment(const struct checkpoint *c,
			char out[CHECKPOINT_COMMENT])
{
	char at[CHECKPOINT_TIME];

	checkpoint_time(c->at_s, at);
	snprintf(out, CHECKPOINT_COMMENT,
		 "tollwatch checkpoint %" PRIu64 " of %s at %s", c->n,
		 c->origin, at);
}

/* ---- parse ---- */

static bool value(struct sv *rest, struct sv name, struct sv *out)
{
	struct sv line = sv_cut(rest, '\n');

	if (!sv_eq(sv_cut(&line, ' '), name))
		return false;
	*out = line;
	return line.n > 0;
}

static bool hex_value(struct sv *rest, struct sv name, char out[SHA256_HEX])
{
	uint8_t raw[32];
	struct sv v;

	if (!value(rest, name, &v) || !hex_parse(v, raw, sizeof(raw)))
		return false;
	hex_text(raw, sizeof(raw), out);
	return true;
}

static bool parse_top(struct checkpoint *c, struct sv *rest)
{
	struct sv v;
	int64_t us;

	if (!sv_eq(sv_cut(rest, '\n'), SV("tollwatch checkpoint 1")))
		return false;
	if (!value(rest, SV("origin"), &v) || v.n != AUDIT_SITE - 1)
		return false;
	snprintf(c->origin, sizeof(c->origin), "%.*s", SV_ARG(v));
	if (!value(rest, SV("n"), &v) || !sv_u64(v, &c->n) || c->n == 0)
		return false;
	if (!value(rest, SV("at"), &v) || !time_parse(v, &us))
		return false;
	c->at_s = us / SEC_US;
	return hex_value(rest, SV("previous"), c->previous) &&
	       hex_value(rest, SV("catalogue"), c->catalogue) &&
	       hex_value(rest, SV("makers"), c->makers);
}

static bool parse_stream(struct checkpoint *c, struct sv *rest)
{
	uint8_t hash[AUDIT_HASH];
	struct sv v, name, seq;
	struct err why;
	uint64_t n;

	if (!value(rest, SV("stream"), &v))
		return false;
	name = sv_cut(&v, ' ');
	seq = sv_cut(&v, ' ');
	return sv_u64(seq, &n) && n <= INT64_MAX &&
	       hex_parse(v, hash, sizeof(hash)) &&
	       checkpoint_add(c, name, (int64_t)n, hash, &why);
}

bool checkpoint_parse(struct checkpoint *c, struct sv text, struct err *e)
{
	char again[CHECKPOINT_TEXT];
	struct sv rest = text;
	bool ok;

	memset(c, 0, sizeof(*c));
	ok = parse_top(c, &rest);
	while (ok && rest.n > 0)
		ok = parse_stream(c, &rest);
	if (!ok || !sv_eq(text, (struct sv){again, checkpoint_text(c, again)}))
		return err_set(e, "not a checkpoint");
	return true;
}

/* ---- order ---- */

const struct checkpoint_head *checkpoint_find(const struct checkpoint *c,
					      const char *stream)
{
	for (size_t i = 0; i < c->streams; i++)
		if (strcmp(c->head[i].stream, stream) == 0)
			return &c->head[i];
	return NULL;
}

static bool streams_grow(const struct checkpoint *before,
			 const struct checkpoint *c, struct err *e)
{
	for (size_t i = 0; i < before->streams; i++) {
		const struct checkpoint_head *b = &before->head[i];
		const struct checkpoint_head *h = checkpoint_find(c, b->stream);

		if (!h)
			return err_set(e,
				       "stream %s had %" PRId64
				       " events and is gone",
				       b->stream, b->seq);
		if (h->seq < b->seq)
			return err_set(e,
				       "stream %s went back from %" PRId64
				       " to %" PRId64,
				       b->stream, b->seq, h->seq);
		if (h->seq == b->seq && strcmp(h->hash, b->hash) != 0)
			return err_set(e,
				       "stream %s: event %" PRId64
				       " is another than it was",
				       b->stream, b->seq);
	}
	return true;
}

bool checkpoint_follows(const struct checkpoint *before, const char *sha256,
			const struct checkpoint *c, struct err *e)
{
	char was[CHECKPOINT_TIME], is[CHECKPOINT_TIME];

	if (!before)
		return (c->n == 1 &&
			strcmp(c->previous, checkpoint_no_previous) == 0) ||
		       err_set(e, "is not the first");
	if (strcmp(before->origin, c->origin) != 0)
		return err_set(e, "is of another deployment (%s, not %s)",
			       c->origin, before->origin);
	if (c->n != before->n + 1)
		return err_set(e, "is number %" PRIu64 " after number %" PRIu64,
			       c->n, before->n);
	if (strcmp(c->previous, sha256) != 0)
		return err_set(e,
			       "does not follow number %" PRIu64
			       ", whose text has another hash",
			       before->n);
	if (c->at_s < before->at_s) {
		checkpoint_time(before->at_s, was);
		checkpoint_time(c->at_s, is);
		return err_set(e, "time went back from %s to %s", was, is);
	}
	return streams_grow(before, c, e);
}
