/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/sip/hangup.h"

#include <string.h>

#include "collector/sip/uri.h"
#include "common/clock.h"

/*
 * A BYE ends its dialog when it is accepted, when the other end knows of no
 * such dialog (481), or when nobody answers (RFC 3261 15.1.1); and the call
 * was over when the BYE was sent.
 *
 *   BYE ──┬── 2xx, 481, 408, 32 s ──▶ over, at the time of the BYE
 *         └── 401, 407, 500... ─────▶ goes on, until BYE comes again
 */
enum { SESSION_MIN_S = 90 }; /* RFC 4028 5 */

#define NO_REPLY_US (32 * SEC_US) /* Timer F: 64 * T1 */

void hangup_end(struct dialog_table *t, struct call *c, int64_t t_us,
		unsigned status, uint32_t flags)
{
	struct event *ev = &c->ev;
	int64_t talk_us = t_us - ev->answer_us;

	ev->end_us = t_us;
	ev->status = (uint16_t)status;
	ev->flags |= flags;
	if (ev->answer_us) {
		if (talk_us < 0)
			talk_us = 0;
		ev->talk_s = (int32_t)(talk_us / SEC_US);
	}
	dialog_emit(t, ev, PHASE_END, t->now_us);
	call_set_state(t->calls, c, CALL_ENDED);
	call_set_due(t->calls, c, t->now_us + t->o.linger_us);
}

/* ---- BYE ---- */

static uint32_t address(const struct dialog_table *t, const uint8_t ip[16],
			uint16_t port)
{
	uint8_t text[18];

	memcpy(text, ip, 16);
	memcpy(text + 16, &port, 2);
	return (uint32_t)hash64(&t->o.key, text, sizeof(text));
}

/* May this BYE have ended the dialog? */
static bool is_leaving(const struct call_dialog *d)
{
	return d->bye_us && !d->refused;
}

/* A BYE first, then the session timer. */
static int64_t due_of(const struct call *c)
{
	int64_t due_us = 0;

	for (int i = 0; i < c->dialogs; i++) {
		int64_t us = c->dialog[i].bye_us + NO_REPLY_US;

		if (is_leaving(&c->dialog[i]) && (!due_us || us < due_us))
			due_us = us;
	}
	return due_us ? due_us : c->up_until_us;
}

/* One dialog is over.  A forked call is when its last one is. */
static void leave(struct dialog_table *t, struct call *c, int which)
{
	const struct call_dialog *d = &c->dialog[which];

	if (d->bye_us > c->over_us) {
		c->over_us = d->bye_us;
		c->ev.q850 = d->q850;
	}
	c->dialog[which] = c->dialog[--c->dialogs];
	if (c->dialogs)
		call_set_due(t->calls, c, due_of(c));
	else
		hangup_end(t, c, c->over_us, 200, 0);
}

/* Those whose BYE was sent by then. */
static void leave_all(struct dialog_table *t, struct call *c, int64_t sent_us)
{
	for (int i = c->dialogs; i-- > 0;)
		if (is_leaving(&c->dialog[i]) && c->dialog[i].bye_us <= sent_us)
			leave(t, c, i);
}

/* Sent again, seen on another hop, or overtaken by a later one.  An old agent
 * answers a challenge under the same CSeq. */
static bool is_repeat(const struct call_dialog *d,
		      const struct dialog_input *in, bool from_caller)
{
	if (!d->bye_us || d->from_caller != from_caller ||
	    in->m->cseq > d->bye_cseq)
		return false;
	return !d->refused || in->m->cseq < d->bye_cseq ||
	       !in->m->header[SIP_AUTHORIZATION].n;
}

enum dialog_rc hangup_bye(struct dialog_table *t, const struct dialog_input *in)
{
	struct call *c = dialog_find(t, in);
	bool from_caller;
	int which;

	if (c && c->state == CALL_ENDED)
		return DIALOG_REPEAT;
	if (!c || c->state != CALL_ANSWERED || !dialog_has(c, in, &which))
		return DIALOG_UNKNOWN;
	from_caller = in->from == c->caller;
	if (is_repeat(&c->dialog[which], in, from_caller))
		return DIALOG_REPEAT;
	c->dialog[which] = (struct call_dialog){
		.callee = c->dialog[which].callee,
		.bye_us = in->t_us,
		.bye_cseq = in->m->cseq,
		.bye_to = address(t, in->p->dst, in->p->dst_port),
		.from_caller = from_caller,
		.q850 = (uint8_t)sip_q850(sip_header(in->m, SIP_REASON)),
	};
	call_set_due(t->calls, c, due_of(c));
	return DIALOG_OK;
}

/*
 * Only he who was sent the BYE can accept it: its sender could, to hide a
 * call, forge a 200 faster than the 401 comes.  Anybody on the way may refuse;
 * a proxy may then have tried elsewhere, so a 200 still counts.
 */
enum dialog_rc hangup_reply(struct dialog_table *t,
			    const struct dialog_input *in)
{
	unsigned status = in->m->status;
	struct call *c = dialog_find(t, in);
	struct call_dialog *d;
	int which;

	if (!c || c->state != CALL_ANSWERED || !dialog_has(c, in, &which))
		return DIALOG_OTHER;
	d = &c->dialog[which];
	if (status < 200 || !d->bye_us || d->bye_cseq != in->m->cseq ||
	    d->from_caller != (in->from == c->caller))
		return DIALOG_REPEAT;
	if (status >= 300 && status != STATUS_TIMEOUT && status != 481) {
		t->stats.refused += !d->refused;
		d->refused = true;
		call_set_due(t->calls, c, due_of(c));
		return DIALOG_OK;
	}
	if (d->bye_to != address(t, in->p->src, in->p->src_port))
		return DIALOG_REPEAT;
	leave(t, c, which);
	return DIALOG_OK;
}

void dialog_settle(struct dialog_table *t)
{
	for (uint32_t i = 1; i < call_table_high(t->calls); i++) {
		struct call *c = call_at(t->calls, i);

		if (c->state == CALL_ANSWERED)
			leave_all(t, c, INT64_MAX);
	}
}

/* ---- time ---- */

/* RFC 4028: both sides agreed on a lifetime, or (no header) on none.  Then
 * too, and if it is absurd, the call does not stay in the table for ever. */
void hangup_session(struct dialog_table *t, struct call *c,
		    const struct dialog_input *in)
{
	struct sv text = sip_header(in->m, SIP_SESSION_EXPIRES);
	int64_t life_us = t->o.max_call_us;
	uint32_t s;

	c->timed =
		sv_u32(sv_trim(sv_cut(&text, ';')), &s) && s * SEC_US < life_us;
	if (c->timed)
		life_us = (s < SESSION_MIN_S ? SESSION_MIN_S : s) * SEC_US;
	c->up_until_us = in->t_us + life_us;
	call_set_due(t->calls, c, due_of(c));
}

static void time_out(struct dialog_table *t, struct call *c)
{
	leave_all(t, c, t->now_us - NO_REPLY_US);
	if (c->state != CALL_ANSWERED) {
		/* after a quiet time its Call-ID may be back already */
		if (c->over_us + NO_REPLY_US + t->o.linger_us <= t->now_us)
			call_remove(t->calls, c);
		return;
	}
	if (due_of(c) > t->now_us) {
		call_set_due(t->calls, c, due_of(c));
		return;
	}
	t->stats.given_up += !c->timed;
	hangup_end(t, c, c->up_until_us, c->ev.status, EVENT_ESTIMATED);
}

static void give_up(struct dialog_table *t, struct call *c)
{
	unsigned status = c->ev.status;

	switch ((enum call_state)c->state) {
	case CALL_TRYING:
		status = c->hop_status ? c->hop_status : STATUS_TIMEOUT;
		break;
	case CALL_ENDED:
		call_remove(t->calls, c);
		return;
	case CALL_ANSWERED:
		time_out(t, c);
		return;
	case CALL_RETRYING:
	case CALL_FREE:
		break;
	}
	hangup_end(t, c, c->due_us, status, EVENT_ESTIMATED);
}

void dialog_expire(struct dialog_table *t, int64_t now_us)
{
	struct call *c;

	if (now_us > t->now_us)
		t->now_us = now_us;
	while ((c = call_due(t->calls, t->now_us)))
		give_up(t, c);
}
