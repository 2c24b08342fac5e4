/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/sip/hangup.h"

#include "collector/sip/uri.h"
#include "common/clock.h"

enum { SESSION_MIN_S = 90 }; /* RFC 4028 5 */

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

enum dialog_rc hangup_bye(struct dialog_table *t, const struct dialog_input *in)
{
	struct call *c = dialog_find(t, in);
	int which;

	if (c && c->state == CALL_ENDED)
		return DIALOG_REPEAT;
	if (!c || c->state != CALL_ANSWERED || !dialog_has(c, in, &which))
		return DIALOG_UNKNOWN;
	c->dialog[which] = c->dialog[--c->dialogs];
	if (c->dialogs) /* one of a forked call's; another is up */
		return DIALOG_OK;
	c->ev.q850 = (uint8_t)sip_q850(sip_header(in->m, SIP_REASON));
	hangup_end(t, c, in->t_us, 200, 0);
	return DIALOG_OK;
}

/* RFC 4028: both sides agreed on a lifetime, or (no header) on none. */
void hangup_session(struct dialog_table *t, struct call *c,
		    const struct dialog_input *in)
{
	struct sv text = sip_header(in->m, SIP_SESSION_EXPIRES);
	uint32_t s;

	if (!sv_u32(sv_trim(sv_cut(&text, ';')), &s)) {
		call_set_due(t->calls, c, 0);
		return;
	}
	if (s < SESSION_MIN_S)
		s = SESSION_MIN_S;
	call_set_due(t->calls, c, in->t_us + (int64_t)s * SEC_US);
}

/* ---- time ---- */

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
	case CALL_RETRYING:
	case CALL_ANSWERED:
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
