/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/sip/dialog.h"

#include <stdlib.h>
#include <string.h>

#include "collector/sip/hangup.h"
#include "collector/sip/party.h"
#include "collector/sip/uri.h"
#include "common/clock.h"
#include "common/mem.h"

/*
 * A call is found by the Call-ID and the caller's tag (RFC 3261 12; the
 * callee's requests carry it in To); a second one on the same two, which only
 * shows when its 200 has a new tag, by the tags of both.
 *
 *             401 407 3xx 422 491
 *   TRYING ◀──────────────────────▶ RETRYING     (INVITE again: same call)
 *     │  └──── other final, time ───────┐ │
 *     │ 2xx                             ▼ ▼ time
 *     └─────▶ ANSWERED ── BYE, time ──▶ ENDED ── 32 s ──▶ forgotten
 *                         (hangup.c)
 *
 * A tap may stand where an INVITE passes several times: caller to proxy,
 * proxy to callee, one branch each.  The hop seen first is the caller's side,
 * and only its final failure ends the attempt; a 2xx counts on any.
 *
 * Every trick that would make this lose sight of a call that still costs
 * money is answered here: a BYE with tags of no dialog (the far end says 481
 * and goes on), one Call-ID for many calls, at once or one after another, a
 * CANCEL that comes too late, a session timer of a second.
 */
enum {
	NO_REPLY_S = 32,      /* RFC 3261 Timer B: 64 * T1 */
	RINGING_S = 180 + 15, /* Timer C, and a margin for the 487 */
	RETRY_S = 64, /* people type passwords: 51 s in a sample capture */
	LINGER_S = 32,
	MAX_CALL_S = 24 * 3600,
};

#define YEAR_2100_US (INT64_C(4102444800) * SEC_US)

struct dialog_table *dialog_new(const struct dialog_opts *o)
{
	struct dialog_table *t = xcalloc(1, sizeof(*t));

	t->o = *o;
	if (!t->o.no_reply_us)
		t->o.no_reply_us = NO_REPLY_S * SEC_US;
	if (!t->o.ringing_us)
		t->o.ringing_us = RINGING_S * SEC_US;
	if (!t->o.retry_us)
		t->o.retry_us = RETRY_S * SEC_US;
	if (!t->o.linger_us)
		t->o.linger_us = LINGER_S * SEC_US;
	if (!t->o.max_call_us)
		t->o.max_call_us = MAX_CALL_S * SEC_US;
	t->calls = call_table_new(o->capacity ? o->capacity : 1);
	return t;
}

void dialog_free(struct dialog_table *t)
{
	if (!t)
		return;
	call_table_free(t->calls);
	free(t);
}

struct dialog_stats dialog_stats(const struct dialog_table *t)
{
	struct dialog_stats s = t->stats;

	s.calls = call_table_used(t->calls);
	return s;
}

/* ---- what a message says ---- */

static uint64_t hash_text(const struct dialog_table *t, struct sv s)
{
	return s.n ? hash64(&t->o.key, s.p, s.n) : 0;
}

/* Without a branch (RFC 2543) a transaction is told by its CSeq. */
static uint64_t branch_of(const struct dialog_table *t,
			  const struct dialog_input *in)
{
	struct sv branch = sip_branch(sip_header(in->m, SIP_VIA));

	if (branch.n)
		return hash_text(t, branch);
	return hash64(&t->o.key, &in->m->cseq, sizeof(in->m->cseq));
}

static void read_input(const struct dialog_table *t, struct dialog_input *in)
{
	struct sv id = sip_header(in->m, SIP_CALL_ID);

	hash128(&t->o.key, id.p, id.n, in->id);
	in->from = hash_text(t, sip_tag(sip_header(in->m, SIP_FROM)));
	in->to = hash_text(t, sip_tag(sip_header(in->m, SIP_TO)));
	if (in->m->method == SIP_INVITE || in->m->method == SIP_UPDATE)
		in->branch = branch_of(t, in);
}

/* Is the message one of the dialogs that this call has up? */
bool dialog_has(const struct call *c, const struct dialog_input *in, int *which)
{
	uint64_t callee = c->caller == in->from ? in->to : in->from;

	for (int i = 0; i < c->dialogs; i++)
		if (c->dialog[i].callee == callee) {
			*which = i;
			return true;
		}
	return false;
}

/* What a second call of one caller's tag is found by: both tags. */
static uint64_t both_tags(uint64_t caller, uint64_t callee)
{
	return caller + callee * UINT64_C(0x9e3779b97f4a7c15);
}

struct call *dialog_find(struct dialog_table *t, const struct dialog_input *in)
{
	struct call *c = call_find(t->calls, in->id, in->from), *other;
	int which;

	if (!in->to)
		return c;
	if (!c)
		c = call_find(t->calls, in->id, in->to);
	if (c && (!c->siblings || dialog_has(c, in, &which)))
		return c;
	other = call_find(t->calls, in->id, both_tags(in->from, in->to));
	if (!other)
		other = call_find(t->calls, in->id,
				  both_tags(in->to, in->from));
	return other ? other : c;
}

static bool has_branch(const struct call *c, uint64_t branch)
{
	for (int i = 0; i < c->branches; i++)
		if (c->branch[i] == branch)
			return true;
	return false;
}

/* Remember another hop or try; [0], the caller's latest, stays. */
static void add_branch(struct call *c, uint64_t branch)
{
	if (c->branches < CALL_BRANCHES)
		c->branch[c->branches++] = branch;
	else
		c->branch[CALL_BRANCHES - 1] = branch;
}

/* ---- events ---- */

void dialog_emit(struct dialog_table *t, const struct event *known,
		 enum event_phase phase, int64_t observed_us)
{
	struct event ev = *known;

	ev.phase = (uint8_t)phase;
	ev.observed_us = observed_us;
	switch (phase) {
	case PHASE_SETUP:
		t->stats.setups++;
		break;
	case PHASE_ANSWER:
		t->stats.answers++;
		break;
	case PHASE_END:
		t->stats.ends++;
		t->stats.estimated += (ev.flags & EVENT_ESTIMATED) != 0;
		break;
	case PHASE_PROGRESS:
	case PHASE_NONE:
		break;
	}
	t->o.emit(t->o.emit_arg, &ev);
}

/* ---- a new call ---- */

static struct call *make_room(struct dialog_table *t,
			      const struct dialog_input *in, uint64_t tag)
{
	struct call *c = call_add(t->calls, in->id, tag);

	if (c)
		return c;
	c = call_oldest(t->calls, CALL_ENDED);
	if (c) {
		t->stats.evicted++;
	} else {
		c = call_oldest(t->calls, CALL_TRYING);
		if (!c)
			return NULL;
		t->stats.shed++;
		hangup_end(t, c, t->now_us, STATUS_TIMEOUT, EVENT_ESTIMATED);
	}
	call_remove(t->calls, c);
	return call_add(t->calls, in->id, tag);
}

/*
 * The key of call number n (from 0) on a Call-ID.  The first has the hash of
 * the Call-ID itself, which a CDR may carry too; the others must not pass
 * for it, or one Call-ID would hide many calls.
 */
static void set_key(const struct dialog_table *t, const struct dialog_input *in,
		    uint32_t n, struct event *ev)
{
	uint8_t text[20];

	memcpy(text, in->id, 16);
	memcpy(text + 16, &n, 4);
	if (n == 0)
		memcpy(ev->key.b, in->id, 16);
	else
		hash128(&t->o.key, text, sizeof(text), ev->key.b);
	if (n)
		ev->flags |= EVENT_REKEYED;
}

/* No place: say that it happened, without following it. */
static enum dialog_rc untracked(struct dialog_table *t,
				const struct dialog_input *in, struct event *ev,
				enum event_phase phase)
{
	const struct call_id *known = call_id_find(t->calls, in->id);
	struct sip_identity id = party_read(in->m, in->p);

	/* the same key again when it is retransmitted */
	set_key(t, in, known ? known->calls : 0, ev);
	party_resolve(&t->o, &id, ev);
	if (phase == PHASE_ANSWER)
		ev->answer_us = in->t_us;
	dialog_emit(t, ev, phase, in->t_us);
	return DIALOG_FULL;
}

/* A call in the table with key and identity; NULL when there is no place. */
static struct call *open_call(struct dialog_table *t,
			      const struct dialog_input *in, uint64_t tag,
			      const struct event *known)
{
	struct call *c = make_room(t, in, tag);
	struct sip_identity id = party_read(in->m, in->p);
	struct call_id *calls;
	bool forgot;

	if (!c)
		return NULL;
	calls = call_id_get(t->calls, in->id, in->t_us, &forgot);
	t->stats.forgotten += forgot;
	c->siblings = calls->calls > 0;
	t->stats.rekeyed += c->siblings;
	c->ev = *known;
	set_key(t, in, calls->calls++, &c->ev);
	calls->latest = call_position(t->calls, c);
	c->caller = in->from;
	c->cseq = in->m->cseq;
	c->branch[0] = in->branch;
	c->branches = 1;
	party_resolve(&t->o, &id, &c->ev);
	party_keep(c, &id);
	return c;
}

static enum dialog_rc set_up(struct dialog_table *t,
			     const struct dialog_input *in)
{
	struct event ev = {.setup_us = in->t_us,
			   .flags = party_flags(in->m, in->p)};
	struct call *c = open_call(t, in, in->from, &ev);

	if (!c)
		return untracked(t, in, &ev, PHASE_SETUP);
	call_set_state(t->calls, c, CALL_TRYING);
	call_set_due(t->calls, c, t->now_us + t->o.no_reply_us);
	dialog_emit(t, &c->ev, PHASE_SETUP, in->t_us);
	return DIALOG_OK;
}

/* ---- requests ---- */

/* INVITE again, after a refusal or while none has come: it is the latest one
 * that says with which credentials, and (after 302) where to. */
static enum dialog_rc try_again(struct dialog_table *t, struct call *c,
				const struct dialog_input *in)
{
	struct sip_identity id = party_read(in->m, in->p);

	c->cseq = in->m->cseq;
	add_branch(c, c->branch[0]);
	c->branch[0] = in->branch;
	c->hop_status = 0;
	c->ev.flags |= party_flags(in->m, in->p);
	c->ev.status = 0;
	party_resolve(&t->o, &id, &c->ev);
	party_keep(c, &id);
	call_set_state(t->calls, c, CALL_TRYING);
	call_set_due(t->calls, c, t->now_us + t->o.no_reply_us);
	return DIALOG_OK;
}

static enum dialog_rc invite_trying(struct dialog_table *t, struct call *c,
				    const struct dialog_input *in)
{
	bool known = has_branch(c, in->branch);

	if (in->m->cseq > c->cseq)
		return try_again(t, c, in);
	if (in->m->cseq < c->cseq)
		return DIALOG_REPEAT;
	/* a redirecting proxy keeps the CSeq, and so do some old agents */
	if (c->state == CALL_RETRYING &&
	    (!known || in->m->header[SIP_AUTHORIZATION].n))
		return try_again(t, c, in);
	if (!known)
		add_branch(c, in->branch);
	return DIALOG_REPEAT;
}

/* No tag in To: it wants to begin a call. */
static enum dialog_rc initial_invite(struct dialog_table *t,
				     const struct dialog_input *in)
{
	struct call *c = call_find(t->calls, in->id, in->from);
	const struct call_id *known;

	if (!c) {
		/* some agents take a new tag to answer a challenge */
		known = call_id_find(t->calls, in->id);
		c = known ? call_at(t->calls, known->latest) : NULL;
		if (!c || c->state != CALL_RETRYING ||
		    memcmp(c->id, in->id, 16) != 0)
			return set_up(t, in);
		call_retag(t->calls, c, in->from);
		c->caller = in->from;
		return try_again(t, c, in);
	}
	if (c->state == CALL_TRYING || c->state == CALL_RETRYING)
		return invite_trying(t, c, in);
	if (c->state == CALL_ANSWERED)
		return DIALOG_REPEAT;
	if (in->m->cseq <= c->cseq && has_branch(c, in->branch))
		return DIALOG_REPEAT;
	call_remove(t->calls, c); /* ended; this is another one */
	return set_up(t, in);
}

/* A re-INVITE or UPDATE: its answer may refresh the session, or end it. */
static enum dialog_rc within(struct dialog_table *t,
			     const struct dialog_input *in)
{
	struct call *c = dialog_find(t, in);
	int which;

	if (!c || c->state != CALL_ANSWERED || !dialog_has(c, in, &which))
		return DIALOG_UNKNOWN;
	c->pending = in->branch;
	return DIALOG_REPEAT;
}

static enum dialog_rc request(struct dialog_table *t, struct dialog_input *in)
{
	switch (in->m->method) {
	case SIP_INVITE:
		read_input(t, in);
		if (in->to)
			return within(t, in);
		return initial_invite(t, in);
	case SIP_BYE:
		read_input(t, in);
		return hangup_bye(t, in);
	case SIP_CANCEL: /* ends nothing: the 487 does, or a 200 wins */
		read_input(t, in);
		return dialog_find(t, in) ? DIALOG_OK : DIALOG_UNKNOWN;
	case SIP_UPDATE:
		read_input(t, in);
		return within(t, in);
	case SIP_REGISTER:
		t->stats.registers++;
		return DIALOG_OTHER;
	default:
		return DIALOG_OTHER;
	}
}

/* ---- responses ---- */

static enum dialog_rc answer(struct dialog_table *t, struct call *c,
			     const struct dialog_input *in)
{
	party_accept(&t->o, c, in->m);
	c->ev.answer_us = in->t_us;
	c->ev.status = in->m->status;
	c->dialog[0].callee = in->to;
	c->dialogs = 1;
	call_set_state(t->calls, c, CALL_ANSWERED);
	hangup_session(t, c, in);
	dialog_emit(t, &c->ev, PHASE_ANSWER, in->t_us);
	return DIALOG_OK;
}

/* A 2xx to an INVITE that was not seen: capture began late, or loses. */
static enum dialog_rc lone_answer(struct dialog_table *t,
				  const struct dialog_input *in, uint64_t tag)
{
	struct event ev = {.flags = party_flags(in->m, in->p),
			   .status = in->m->status};
	struct call *c = open_call(t, in, tag, &ev);

	t->stats.lone++;
	if (!c)
		return untracked(t, in, &ev, PHASE_ANSWER);
	return answer(t, c, in);
}

/* 2xx while the call is up: again, a re-INVITE's, or from another fork. */
static enum dialog_rc answered_again(struct dialog_table *t, struct call *c,
				     const struct dialog_input *in)
{
	int which;

	if (dialog_has(c, in, &which)) {
		if (in->branch == c->pending)
			hangup_session(t, c, in);
		return DIALOG_REPEAT;
	}
	if (c->caller != in->from || !in->to)
		return DIALOG_REPEAT;
	if (!has_branch(c, in->branch)) {
		/* of a later INVITE with the same Call-ID and tag, and not
		 * in this dialog: another call */
		c->siblings = true;
		return lone_answer(t, in, both_tags(in->from, in->to));
	}
	if (c->dialogs < CALL_DIALOGS)
		c->dialog[c->dialogs++] =
			(struct call_dialog){.callee = in->to};
	return DIALOG_REPEAT;
}

static enum dialog_rc success(struct dialog_table *t, struct call *c,
			      const struct dialog_input *in)
{
	if (!c)
		return lone_answer(t, in, in->from);
	switch ((enum call_state)c->state) {
	case CALL_TRYING:
	case CALL_RETRYING:
		return answer(t, c, in);
	case CALL_ANSWERED:
		return answered_again(t, c, in);
	case CALL_ENDED:
		if (c->ev.answer_us)
			return DIALOG_REPEAT;
		/* given up too early, yet it is up and costs money */
		call_remove(t->calls, c);
		return lone_answer(t, in, in->from);
	case CALL_FREE:
		break;
	}
	return DIALOG_UNKNOWN;
}

static enum dialog_rc provisional(struct dialog_table *t, struct call *c,
				  const struct dialog_input *in)
{
	if (!c)
		return DIALOG_UNKNOWN;
	if (c->state != CALL_TRYING)
		return DIALOG_REPEAT;
	call_set_due(t->calls, c, t->now_us + t->o.ringing_us);
	if (in->m->status < 180 || in->m->status > 189 || c->rung)
		return DIALOG_REPEAT;
	party_accept(&t->o, c, in->m);
	c->rung = true;
	c->ev.status = in->m->status;
	dialog_emit(t, &c->ev, PHASE_PROGRESS, in->t_us);
	return DIALOG_OK;
}

/* After these the same caller is expected to try again. */
static bool may_retry(unsigned status)
{
	return status < 400 || status == 401 || status == 407 ||
	       status == 422 || status == 491;
}

/* Final failure of the INVITE that c is trying. */
static enum dialog_rc refuse(struct dialog_table *t, struct call *c,
			     const struct dialog_input *in)
{
	unsigned status = in->m->status;

	if (in->m->cseq != c->cseq)
		return DIALOG_REPEAT;
	if (in->branch != c->branch[0]) {
		c->hop_status = (uint16_t)status; /* not the caller's side */
		return DIALOG_REPEAT;
	}
	c->ev.q850 = (uint8_t)sip_q850(sip_header(in->m, SIP_REASON));
	if (!may_retry(status)) {
		hangup_end(t, c, in->t_us, status, 0);
		return DIALOG_OK;
	}
	if (status == 401 || status == 407)
		c->ev.flags |= EVENT_CHALLENGED;
	c->digest_n = 0; /* were not accepted */
	c->ev.status = (uint16_t)status;
	call_set_state(t->calls, c, CALL_RETRYING);
	call_set_due(t->calls, c, t->now_us + t->o.retry_us);
	return DIALOG_OK;
}

static enum dialog_rc failure(struct dialog_table *t, struct call *c,
			      const struct dialog_input *in)
{
	unsigned status = in->m->status;
	int which;

	if (!c)
		return DIALOG_UNKNOWN;
	if (c->state == CALL_TRYING)
		return refuse(t, c, in);
	if (c->state != CALL_ANSWERED)
		return DIALOG_REPEAT;
	/* the other end of a dialog has lost it (RFC 5057 5.1) */
	if ((status == 408 || status == 481) && in->branch == c->pending &&
	    dialog_has(c, in, &which)) {
		hangup_end(t, c, in->t_us, status, 0);
		return DIALOG_OK;
	}
	return DIALOG_REPEAT;
}

static enum dialog_rc response(struct dialog_table *t, struct dialog_input *in)
{
	unsigned status = in->m->status;
	struct call *c;
	int which;

	if (in->m->method != SIP_INVITE && in->m->method != SIP_UPDATE &&
	    in->m->method != SIP_BYE)
		return DIALOG_OTHER;
	read_input(t, in);
	if (in->m->method == SIP_BYE)
		return hangup_reply(t, in);
	c = dialog_find(t, in);
	if (in->m->method == SIP_UPDATE &&
	    (!c || c->state != CALL_ANSWERED || !dialog_has(c, in, &which)))
		return DIALOG_UNKNOWN; /* before the answer it says nothing */
	if (status < 200)
		return provisional(t, c, in);
	if (status < 300)
		return success(t, c, in);
	return failure(t, c, in);
}

enum dialog_rc dialog_message(struct dialog_table *t, const struct sip_msg *m,
			      const struct packet *p, int64_t t_us)
{
	struct dialog_input in = {.m = m, .p = p, .t_us = t_us};
	enum dialog_rc rc;

	if (t_us <= 0 || t_us >= YEAR_2100_US) {
		t->stats.rc[DIALOG_BAD_TIME]++;
		return DIALOG_BAD_TIME;
	}
	dialog_expire(t, t_us);
	rc = m->status ? response(t, &in) : request(t, &in);
	t->stats.rc[rc]++;
	return rc;
}

const char *dialog_rc_name(enum dialog_rc rc)
{
	static const char *const name[DIALOG_RCS] = {
		[DIALOG_OK] = "ok",	    [DIALOG_OTHER] = "other",
		[DIALOG_REPEAT] = "repeat", [DIALOG_UNKNOWN] = "unknown",
		[DIALOG_FULL] = "full",	    [DIALOG_BAD_TIME] = "bad_time",
	};

	return name[rc];
}
