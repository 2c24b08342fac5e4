/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COLLECTOR_SIP_PARTY_H
#define COLLECTOR_SIP_PARTY_H

#include <stdint.h>

#include "collector/packet/decode.h"
#include "collector/sip/call_table.h"
#include "collector/sip/dialog.h"
#include "collector/sip/identity.h"
#include "collector/sip/scan.h"

/* Who takes part in a call: from the headers, through dialog_opts.resolve,
 * into the event. */

/* Identity as the initial INVITE gives it, or as far as a response does,
 * which travels the other way.  Views into the message. */
struct sip_identity party_read(const struct sip_msg *m, const struct packet *p);

/* What is wrong with the message, as enum event_flag. */
uint32_t party_flags(const struct sip_msg *m, const struct packet *p);

/* Fill who calls whom; key, set-up, status and flags of *ev stay. */
void party_resolve(const struct dialog_opts *o, const struct sip_identity *id,
		   struct event *ev);

/* The views die with the packet: copy what party_accept() needs. */
void party_keep(struct call *c, const struct sip_identity *id);

/* The far end went on with the credentials of the INVITE, if it had any:
 * account, user, trunk and direction are theirs now.  m is the response. */
void party_accept(const struct dialog_opts *o, struct call *c,
		  const struct sip_msg *m);

#endif
