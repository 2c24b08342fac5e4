/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COLLECTOR_RESOLVE_H
#define COLLECTOR_RESOLVE_H

#include "collector/account.h"
#include "collector/cdr/cdr.h"
#include "collector/dialplan.h"
#include "collector/sip/identity.h"

/*
 * From what a message or a row says to account, trunk, numbers and direction
 * (design section 4).  Direction follows from the sides of the two ends:
 *
 *   from \ to   customer   carrier    internal   unknown
 *   customer    internal   outbound   by callee  by callee
 *   carrier     inbound    none       none       inbound
 *   internal    inbound    none       internal   none
 *   unknown     inbound    outbound   by callee  by callee
 *
 * "by callee": to a number of our own it is internal (inbound from unknown),
 * else outbound.  "none" is a leg inside of the provider or in transit: the
 * call is counted on its customer side.  A Diversion turns a call that leaves
 * for somebody else's number into "diverted".
 */
enum side { SIDE_UNKNOWN = 0, SIDE_CUSTOMER, SIDE_CARRIER, SIDE_INTERNAL };
enum { SIDES = 4 };

struct peers;

struct peers *peers_new(void);
void peers_free(struct peers *p); /* NULL ok */
MUST_USE bool peers_add(struct peers *p, const char *name, enum side side,
			const char *const *networks, size_t n, struct err *e);

/* Of one source; nothing in it is owned.  Without a config (accounts and
 * peers NULL) account, trunk and direction stay unknown. */
struct resolver {
	bool configured;
	const struct accounts *accounts; /* may be NULL: no accounts.csv */
	const struct peers *peers;
	const struct dialplan *plan; /* may be NULL */
	const char *source;
};

/* A sip_resolve_fn; arg is a const struct resolver. */
void resolve_sip(void *arg, const struct sip_identity *id, struct event *ev);

void resolve_cdr(const struct resolver *r, const struct cdr_row *row,
		 struct event *ev);

#endif
