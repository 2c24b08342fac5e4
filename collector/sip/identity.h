/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COLLECTOR_SIP_IDENTITY_H
#define COLLECTOR_SIP_IDENTITY_H

#include <stdint.h>

#include "common/event.h"
#include "common/sv.h"

/*
 * Who calls whom, as an INVITE says it: views into the packet (dead with it)
 * of what each header names, percent-decoded nowhere yet.  Empty = absent.
 * How far each is to be trusted is decided by account.c.
 */
struct sip_identity {
	uint8_t src[16]; /* IPv6, or IPv4 as ::ffff:a.b.c.d */
	uint8_t dst[16];
	uint16_t src_port;
	uint16_t dst_port;
	struct sv digest_user; /* username of (Proxy-)Authorization */
	bool digest_accepted;  /* and the server went on with it */
	struct sv asserted;    /* user part of P-Asserted-Identity, first */
	struct sv from_user;
	struct sv to_user;
	struct sv request_user; /* user part of the Request-URI */
	struct sv diversion;	/* last Diversion = original diverting party */
	struct sv contact_user;
	struct sv user_agent;
};

/*
 * Fills account, user, trunk, caller, callee, their raw forms, diverting,
 * direction and ua_class of *ev.  Called at the first INVITE, and again when
 * credentials were accepted.  Without a config it leaves account, trunk and
 * direction unknown and normalises numbers only where they carry a '+'.
 */
typedef void sip_resolve_fn(void *arg, const struct sip_identity *id,
			    struct event *ev);

/* Takes a finished event (phase set, times set); ev dies on return. */
typedef void event_fn(void *arg, struct event *ev);

#endif
