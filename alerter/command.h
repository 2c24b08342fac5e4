/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALERTER_COMMAND_H
#define ALERTER_COMMAND_H

#include <event2/event.h>

#include "alerter/turn.h"

/*
 * The command socket: one JSON object a line in, one a line out.
 *
 *   {"command":"ack","incident":7,"note":"..."}   {"ok":true,"text":"..."}
 *   {"command":"incidents"}                       {"ok":true,"incidents":[..]}
 *                                 {"ok":false,"code":75,"error":"a sentence"}
 *
 * Commands: incidents show ack escalate resolve page-test oncall.
 * The actor is the account at the other end (SO_PEERCRED) by people.*.login;
 * who is nobody's login may look, masked, and do nothing.  code is the exit
 * code of design section 10.
 */
struct command;

struct command_opts {
	const char *path; /* of the unix socket */
	/* This account acts as that person, besides the logins ("": none):
	 * for the sample site, whose people are invented. */
	const char *stand_in;
	unsigned stand_in_uid;
};

MUST_USE bool command_open(struct command **out, struct event_base *base,
			   const struct command_opts *o, struct turn *t,
			   struct err *e);
void command_close(struct command *c); /* removes the socket; NULL ok */

#endif
