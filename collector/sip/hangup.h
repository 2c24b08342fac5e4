/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COLLECTOR_SIP_HANGUP_H
#define COLLECTOR_SIP_HANGUP_H

#include "collector/sip/call_table.h"
#include "collector/sip/dialog.h"

/*
 * How calls end.  What dialog.c and hangup.c share, and nobody else includes.
 */
enum { STATUS_TIMEOUT = 408 };

struct dialog_table {
	struct dialog_opts o;
	struct call_table *calls;
	struct dialog_stats stats;
	int64_t now_us; /* never goes back */
};

/* A message and what is computed from it once. */
struct dialog_input {
	const struct sip_msg *m;
	const struct packet *p;
	int64_t t_us;
	uint8_t id[16];
	uint64_t from; /* hashes of the tags, 0 = none */
	uint64_t to;
	uint64_t branch;
};

/* ---- dialog.c ---- */

struct call *dialog_find(struct dialog_table *t, const struct dialog_input *in);

/* Is the message one of the dialogs that this call has up? */
bool dialog_has(const struct call *c, const struct dialog_input *in,
		int *which);

void dialog_emit(struct dialog_table *t, const struct event *known,
		 enum event_phase phase, int64_t observed_us);

/* ---- hangup.c ---- */

enum dialog_rc hangup_bye(struct dialog_table *t,
			  const struct dialog_input *in);
/* The response to a BYE. */
enum dialog_rc hangup_reply(struct dialog_table *t,
			    const struct dialog_input *in);

/* A call was answered or its session refreshed: until when is it up? */
void hangup_session(struct dialog_table *t, struct call *c,
		    const struct dialog_input *in);

/* It ended at t_us; emits. */
void hangup_end(struct dialog_table *t, struct call *c, int64_t t_us,
		unsigned status, uint32_t flags);

#endif
