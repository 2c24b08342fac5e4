/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/resolve.h"

#include <stdio.h>
#include <stdlib.h>

#include "collector/network.h"
#include "common/mem.h"

struct peer {
	char *name;
	enum side side;
};

struct peers {
	struct peer *peer;
	size_t n;
	struct network_table *networks;
};

struct peers *peers_new(void)
{
	struct peers *p = xcalloc(1, sizeof(*p));

	p->networks = network_new();
	return p;
}

void peers_free(struct peers *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++)
		free(p->peer[i].name);
	network_free(p->networks);
	free(p->peer);
	free(p);
}

bool peers_add(struct peers *p, const char *name, enum side side,
	       const char *const *networks, size_t n, struct err *e)
{
	struct network net;

	p->peer = xrealloc(p->peer, p->n + 1, sizeof(*p->peer));
	p->peer[p->n++] = (struct peer){xstrdup(name), side};
	for (size_t i = 0; i < n; i++) {
		if (!network_parse(sv_of(networks[i]), &net, e))
			return false;
		if (!network_add(p->networks, &net, (int32_t)p->n - 1))
			return err_set(e, "network %s stands twice in peers",
				       networks[i]);
	}
	return true;
}

static const struct peer *peer_at(const struct peers *p, const uint8_t addr[16])
{
	int32_t i = p ? network_find(p->networks, addr) : -1;

	return i >= 0 ? &p->peer[i] : NULL;
}

static const struct peer *peer_named(const struct peers *p, struct sv name)
{
	for (size_t i = 0; p && name.n > 0 && i < p->n; i++)
		if (sv_eq(sv_of(p->peer[i].name), name))
			return &p->peer[i];
	return NULL;
}

/* Marks in the table of directions: look at the callee. */
enum { OUT_OR_INTERNAL = 16, OUT_OR_INBOUND = 17 };

static enum direction direction_of(enum side from, enum side to, bool own)
{
	/* clang-format off */
	static const uint8_t table[SIDES][SIDES] = {
		[SIDE_UNKNOWN] = {
			OUT_OR_INBOUND, DIRECTION_INBOUND,
			DIRECTION_OUTBOUND, OUT_OR_INBOUND},
		[SIDE_CUSTOMER] = {
			OUT_OR_INTERNAL, DIRECTION_INTERNAL,
			DIRECTION_OUTBOUND, OUT_OR_INTERNAL},
		[SIDE_CARRIER] = {
			DIRECTION_INBOUND, DIRECTION_INBOUND,
			DIRECTION_NONE, DIRECTION_NONE},
		[SIDE_INTERNAL] = {
			DIRECTION_NONE, DIRECTION_INBOUND,
			DIRECTION_NONE, DIRECTION_INTERNAL},
	};
	/* clang-format on */
	uint8_t d = table[from][to];

	if (d == OUT_OR_INTERNAL)
		return own ? DIRECTION_INTERNAL : DIRECTION_OUTBOUND;
	if (d == OUT_OR_INBOUND)
		return own ? DIRECTION_INBOUND : DIRECTION_OUTBOUND;
	return d;
}

/* Foreign text into a field: bytes that are no printable ASCII become '?',
 * so that it can be logged and is UTF-8. */
static void put_text(char *field, size_t size, struct sv text, uint32_t *flags)
{
	char safe[64];
	size_t n = text.n < sizeof(safe) ? text.n : sizeof(safe);

	for (size_t i = 0; i < n; i++)
		safe[i] =
			text.p[i] >= ' ' && text.p[i] < 0x7f ? text.p[i] : '?';
	event_put(field, size, (struct sv){safe, n}, flags);
	if (n < text.n)
		*flags |= EVENT_TRUNCATED;
}
#define PUT(ev, field, text)                                                   \
	put_text((ev)->field, sizeof((ev)->field), (text), &(ev)->flags)

static void put_account(struct event *ev, const char *name)
{
	EVENT_PUT(ev, account, sv_of(name));
}

/* "unknown:192.0.2.0/24", "unknown:2001:db8:0:1": one for each network, so
 * that a scan from one place is one account. */
static void put_unknown(struct event *ev, const uint8_t a[16])
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0,    0,
					   0, 0, 0, 0, 0xff, 0xff};
	char text[sizeof(ev->account) + 1];

	if (memcmp(a, mapped, sizeof(mapped)) == 0)
		snprintf(text, sizeof(text), "unknown:%u.%u.%u.0/24", a[12],
			 a[13], a[14]);
	else
		snprintf(text, sizeof(text), "unknown:%x:%x:%x:%x",
			 a[0] << 8 | a[1], a[2] << 8 | a[3], a[4] << 8 | a[5],
			 a[6] << 8 | a[7]);
	put_account(ev, text);
}

static void put_callee(const struct resolver *r, struct sv raw,
		       struct event *ev)
{
	PUT(ev, callee_raw, raw);
	if (!dialplan_normalise(r->plan, raw, &ev->callee) && raw.n > 0)
		ev->flags |= EVENT_UNNORMAL;
}

static void put_caller(const struct resolver *r, struct sv raw,
		       struct event *ev)
{
	PUT(ev, caller_raw, raw);
	if (!dialplan_normalise(r->plan, raw, &ev->caller))
		ev->caller.v = 0;
}

static bool is_scanner(struct sv agent)
{
	/* what the common tools say of themselves when left as they are */
	static const char *const name[] = {
		"friendly-scanner", "sipvicious", "sipcli", "pplsip",
		"sip-scan",	    "sundayddr",  "vaxsip", "iwar",
		"sipsak",	    "smap",	  "sipptk", "eyebeam-scan",
	};

	for (size_t i = 0; i < ARRAY_LEN(name); i++)
		if (sv_starts_nocase(agent, sv_of(name[i])))
			return true;
	return false;
}

/* The account of who calls, by what can be trusted most. */
static const char *calling_account(const struct resolver *r,
				   const struct sip_identity *id, bool trusted,
				   const struct event *ev)
{
	const struct accounts *a = r->accounts;
	const char *name = NULL;
	struct number n;

	if (id->digest_accepted)
		name = account_by(a, BY_USER, id->digest_user);
	if (!name && trusted && id->asserted.n > 0) {
		name = account_by(a, BY_USER, id->asserted);
		if (!name && dialplan_normalise(r->plan, id->asserted, &n))
			name = account_by_number(a, n);
	}
	if (!name)
		name = account_by_network(a, id->src);
	if (!name)
		name = account_by_number(a, ev->caller);
	if (!name)
		name = account_by(a, BY_USER, id->from_user);
	return name;
}

/* A Diversion is believed from our own network and from carriers; of a
 * customer only when it names the customer's own number. */
static const char *diverting_account(const struct resolver *r, bool trusted,
				     const struct sip_identity *id,
				     const struct event *ev)
{
	const char *owner = account_by_number(r->accounts, ev->diverting);
	const char *sender;

	if (!owner || trusted)
		return owner;
	sender = account_by_network(r->accounts, id->src);
	if (!sender && id->digest_accepted)
		sender = account_by(r->accounts, BY_USER, id->digest_user);
	return sender == owner ? owner : NULL;
}

static void put_sides(const struct resolver *r, const struct sip_identity *id,
		      bool trusted, struct event *ev, enum side from,
		      enum side to)
{
	const char *own = account_by_number(r->accounts, ev->callee);
	enum direction d = direction_of(from, to, own != NULL);
	const char *name = NULL;
	const uint8_t *where = id->src;

	if (number_known(ev->diverting) && !own && to != SIDE_CUSTOMER)
		name = diverting_account(r, trusted, id, ev);
	if (name) {
		d = DIRECTION_DIVERTED;
	} else if (d == DIRECTION_INBOUND || from == SIDE_CARRIER) {
		name = own ? own : account_by_network(r->accounts, id->dst);
		where = id->dst;
	} else {
		name = calling_account(r, id, trusted, ev);
	}
	ev->direction = (uint8_t)d;
	if (name)
		put_account(ev, name);
	else
		put_unknown(ev, where);
}

void resolve_sip(void *arg, const struct sip_identity *id, struct event *ev)
{
	const struct resolver *r = arg;
	const struct peer *src = peer_at(r->peers, id->src);
	const struct peer *dst = peer_at(r->peers, id->dst);
	enum side from = src ? src->side : SIDE_UNKNOWN;
	enum side to = dst ? dst->side : SIDE_UNKNOWN;
	bool trusted = from == SIDE_CARRIER || from == SIDE_INTERNAL;
	bool asserted = trusted && id->asserted.n > 0;

	put_caller(r, asserted ? id->asserted : id->from_user, ev);
	put_callee(r, id->request_user.n ? id->request_user : id->to_user, ev);
	if (!dialplan_normalise(r->plan, id->diversion, &ev->diverting))
		ev->diverting.v = 0;
	PUT(ev, user, id->digest_user.n ? id->digest_user : id->from_user);
	if (id->user_agent.n > 0)
		ev->ua_class =
			is_scanner(id->user_agent) ? UA_SCANNER : UA_OTHER;
	if (!r->configured)
		return;
	put_sides(r, id, trusted, ev, from, to);
	if (dst && to == SIDE_CARRIER)
		PUT(ev, trunk, sv_of(dst->name));
	else if (src)
		PUT(ev, trunk, sv_of(src->name));
}

/* The side of a peer that a row names: a configured peer, or anything that
 * belongs to an account. */
static enum side side_named(const struct resolver *r, struct sv name)
{
	const struct peer *p = peer_named(r->peers, name);

	if (p)
		return p->side;
	if (account_by(r->accounts, BY_TRUNK, name) ||
	    account_by(r->accounts, BY_USER, name) ||
	    account_by(r->accounts, BY_NAME, name))
		return SIDE_CUSTOMER;
	return SIDE_UNKNOWN;
}

static const char *account_named(const struct resolver *r, struct sv name)
{
	const char *found = account_by(r->accounts, BY_NAME, name);

	if (!found)
		found = account_by(r->accounts, BY_USER, name);
	return found ? found : account_by(r->accounts, BY_TRUNK, name);
}

/* A row's own account code, though unknown to us, is what the switch bills:
 * it stays as it is. */
static void cdr_account(const struct resolver *r, const struct cdr_row *row,
			const char *own, struct event *ev)
{
	bool inbound = ev->direction == DIRECTION_INBOUND;
	const char *name = account_named(r, row->account);
	char text[sizeof(ev->account) + 1];

	if (!name && row->account.n > 0) {
		PUT(ev, account, row->account);
		return;
	}
	if (!name && inbound)
		name = own ? own : account_named(r, row->dst_peer);
	if (!name && !inbound) {
		name = account_named(r, row->user);
		if (!name)
			name = account_named(r, row->src_peer);
		if (!name)
			name = account_by_number(r->accounts, ev->caller);
	}
	if (!name) {
		snprintf(text, sizeof(text), "unknown:%s", r->source);
		name = text;
	}
	put_account(ev, name);
}

/* An extension or a feature code that went to a phone or into the switch. */
static bool is_phone(const struct cdr_row *row, const struct event *ev)
{
	return !number_is_e164(ev->callee) &&
	       (row->dst_peer.n == 0 || sv_eq(row->dst_peer, row->callee));
}

/*
 * A customer's trunk in a row is a line: of the PBX towards us when the other
 * end is a phone, of us towards the PBX when the other end is a carrier.
 */
static enum direction cdr_direction(const struct resolver *r,
				    const struct cdr_row *row, bool own,
				    const struct event *ev)
{
	enum side from = side_named(r, row->src_peer);
	enum side to = side_named(r, row->dst_peer);
	bool from_line = account_by(r->accounts, BY_TRUNK, row->src_peer);
	bool to_line = account_by(r->accounts, BY_TRUNK, row->dst_peer);
	bool phone = is_phone(row, ev);

	if (from_line && !to_line && to != SIDE_CARRIER)
		return own || phone ? DIRECTION_INBOUND : DIRECTION_OUTBOUND;
	if (to_line && !from_line && from != SIDE_CARRIER)
		return own ? DIRECTION_INTERNAL : DIRECTION_OUTBOUND;
	/* in from a carrier and out to one: somebody's line is diverted, and
	 * the account code says whose */
	if (from == SIDE_CARRIER && to == SIDE_CARRIER && row->account.n > 0)
		return DIRECTION_DIVERTED;
	return direction_of(from, phone ? SIDE_CUSTOMER : to, own);
}

void resolve_cdr(const struct resolver *r, const struct cdr_row *row,
		 struct event *ev)
{
	const char *own;

	put_caller(r, row->caller, ev);
	put_callee(r, row->callee, ev);
	PUT(ev, user, row->user);
	if (!r->configured) {
		ev->direction = DIRECTION_NONE;
		return;
	}
	own = account_by_number(r->accounts, ev->callee);
	if (ev->direction == DIRECTION_NONE)
		ev->direction = (uint8_t)cdr_direction(r, row, own, ev);
	cdr_account(r, row, own, ev);
	PUT(ev, trunk,
	    ev->direction == DIRECTION_INBOUND ? row->src_peer : row->dst_peer);
}
