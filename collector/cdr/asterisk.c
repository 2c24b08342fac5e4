/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/cdr/asterisk.h"

enum {
	ACCOUNTCODE,
	SRC,
	DST,
	DCONTEXT,
	CLID,
	CHANNEL,
	DSTCHANNEL,
	LASTAPP,
	LASTDATA,
	START,
	ANSWER,
	END,
	DURATION,
	BILLSEC,
	DISPOSITION,
	AMAFLAGS,
	FIRST_OPTIONAL,
};

enum {
	NEW_COLUMNS = 3,    /* peeraccount, linkedid, sequence: all or none */
	OUTSIDE_DIGITS = 7, /* an outside number has at least as many */
	EXTENSION_MAX = 6,
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t count_digits(struct sv s)
{
	size_t n = 0;

	while (n < s.n && is_digit(s.p[n]))
		n++;
	return n;
}

/*
 * "^(.*-)?[0-9]{9,10}\.[0-9]+$": [systemname-]epoch.sequence.  Tells the
 * uniqueid from a userfield when only one of them is written.
 */
static bool uniqueid_shape(struct sv s, int64_t *epoch)
{
	size_t dash = s.n, n;
	uint64_t v;

	while (dash > 0 && s.p[dash - 1] != '-')
		dash--;
	s = (struct sv){s.p + dash, s.n - dash};
	n = count_digits(s);
	if (n < 9 || n > 10 || s.n <= n + 1 || s.p[n] != '.' ||
	    !sv_u64((struct sv){s.p, n}, &v))
		return false;
	*epoch = (int64_t)v;
	s = (struct sv){s.p + n + 1, s.n - n - 1};
	return count_digits(s) == s.n;
}

static struct sv uniqueid(const struct csv_row *in, int64_t *epoch)
{
	size_t extra = in->n - FIRST_OPTIONAL;

	*epoch = 0;
	if (extra > 0 && extra != NEW_COLUMNS &&
	    uniqueid_shape(in->field[FIRST_OPTIONAL], epoch))
		return in->field[FIRST_OPTIONAL];
	if (extra == 2 || extra == 2 + NEW_COLUMNS) /* a shape we don't know */
		return in->field[FIRST_OPTIONAL];
	return (struct sv){NULL, 0};
}

/*
 * The peer in a channel name: TECH/peer-suffix, or TECH/user@peer-suffix.
 * Local channels only lead to others and name no peer.
 */
static struct sv channel_peer(struct sv channel)
{
	struct sv rest = channel;
	struct sv tech = sv_cut(&rest, '/');
	struct sv peer = rest;
	size_t dash;

	if (rest.n == 0 || sv_eq(tech, SV("Local")))
		return (struct sv){NULL, 0};
	sv_cut(&rest, '@');
	if (rest.n > 0)
		peer = rest;
	peer = sv_cut(&peer, '/');
	for (dash = peer.n; dash > 0 && peer.p[dash - 1] != '-'; dash--)
		continue;
	return dash > 1 ? (struct sv){peer.p, dash - 1} : peer;
}

/* "s", "~~s~~", "h", an extension: not what was dialled outside. */
static bool is_inside(struct sv dst)
{
	return dst.n == 0 || !(is_digit(dst.p[0]) || dst.p[0] == '+') ||
	       (dst.n <= EXTENSION_MAX && count_digits(dst) == dst.n);
}

static bool outside_number(struct sv s)
{
	if (s.n > 0 && s.p[0] == '+')
		s = (struct sv){s.p + 1, s.n - 1};
	return s.n >= OUTSIDE_DIGITS && count_digits(s) == s.n;
}

/* The number in one Dial destination: TECH/number@trunk,
 * TECH/trunk/number, TECH/trunk/sip:number@host. */
static struct sv dial_number(struct sv to)
{
	struct sv part, number = {NULL, 0};

	sv_cut(&to, '/');
	while (to.n > 0) {
		part = sv_cut(&to, '/');
		if (sv_starts_nocase(part, SV("sip:")))
			part = (struct sv){part.p + 4, part.n - 4};
		part = sv_cut(&part, '@');
		if (outside_number(part))
			number = part;
	}
	return number;
}

/* The first outside number that Dial was given: "A&B,60,options". */
static struct sv dialled(const struct csv_row *in)
{
	struct sv data = in->field[LASTDATA];
	struct sv list = sv_cut(&data, ',');

	if (!sv_eq_nocase(in->field[LASTAPP], SV("Dial")))
		return (struct sv){NULL, 0};
	while (list.n > 0) {
		struct sv number = dial_number(sv_cut(&list, '&'));

		if (number.n > 0)
			return number;
	}
	return (struct sv){NULL, 0};
}

static struct sv callee(const struct csv_row *in)
{
	struct sv number;

	if (!is_inside(in->field[DST]))
		return in->field[DST];
	number = dialled(in);
	return number.n > 0 ? number : in->field[DST];
}

static void identity(const struct csv_row *in, struct sv id,
		     struct cdr_row *out)
{
	out->identity[0] = id;
	out->identity[1] = in->field[CHANNEL];
	out->identity[2] = in->field[DSTCHANNEL];
	out->identity[3] = in->field[DST];
	out->identity[4] = in->field[START];
	out->n_identity = 5;
}

/* Whole seconds, or "12.345" as newer versions can write; empty = none. */
static bool seconds(struct sv text, int64_t *out)
{
	struct sv whole = sv_cut(&text, '.');
	uint32_t v;

	*out = CDR_NO_SECONDS;
	if (whole.n == 0)
		return text.n == 0;
	if (!sv_u32(whole, &v) || v > INT32_MAX || count_digits(text) != text.n)
		return false;
	*out = v;
	return true;
}

static enum cdr_rc times(struct cdr_clock *c, const struct csv_row *in,
			 struct cdr_local *t)
{
	const struct sv *f = in->field;

	if (!cdr_local_time(c, f[START], &t->start))
		return CDR_START;
	if (f[ANSWER].n > 0 && !cdr_local_time(c, f[ANSWER], &t->answer))
		return CDR_ANSWER;
	if (f[END].n > 0 && !cdr_local_time(c, f[END], &t->end))
		return CDR_END;
	if (!seconds(f[DURATION], &t->duration_s) ||
	    !seconds(f[BILLSEC], &t->talk_s))
		return CDR_SECONDS;
	return CDR_OK;
}

enum cdr_rc asterisk_row(struct cdr_clock *clock, const struct csv_row *in,
			 struct cdr_row *out)
{
	struct cdr_local t = {0};
	struct sv id;
	enum cdr_rc rc;

	if (in->n < ASTERISK_COLUMNS_MIN || in->n > ASTERISK_COLUMNS_MAX)
		return CDR_COLUMNS;
	rc = times(clock, in, &t);
	if (rc != CDR_OK)
		return rc;
	*out = (struct cdr_row){.talk_s = EVENT_NO_TALK};
	id = uniqueid(in, &t.epoch_s);
	out->account = in->field[ACCOUNTCODE];
	out->src_peer = channel_peer(in->field[CHANNEL]);
	out->dst_peer = channel_peer(in->field[DSTCHANNEL]);
	out->user = out->src_peer;
	out->caller = in->field[SRC];
	out->callee = callee(in);
	identity(in, id, out);
	rc = cdr_times(clock, &t, out);
	if (rc != CDR_OK)
		return rc;
	cdr_status(in->field[DISPOSITION], &out->status);
	cdr_check(out, t.duration_s, t.talk_s);
	if (t.talk_s > 0 || out->answer_us > 0)
		out->talk_s = t.talk_s < 0 ? EVENT_NO_TALK : (int32_t)t.talk_s;
	return CDR_OK;
}

bool asterisk_looks_like(const struct csv_row *row)
{
	struct cdr_clock c = {0};
	int64_t t;

	return row->n >= ASTERISK_COLUMNS_MIN &&
	       row->n <= ASTERISK_COLUMNS_MAX &&
	       cdr_local_time(&c, row->field[START], &t) &&
	       cdr_local_time(&c, row->field[END], &t) &&
	       seconds(row->field[DURATION], &t) &&
	       seconds(row->field[BILLSEC], &t);
}
