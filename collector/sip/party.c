/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/sip/party.h"

#include "collector/sip/uri.h"

/* RFC 4475 3.1.2.1: separators with nothing between them. */
static bool has_gap(struct sv s)
{
	return memmem(s.p, s.n, ";;", 2) != NULL;
}

uint32_t party_flags(const struct sip_msg *m, const struct packet *p)
{
	struct sip_addr a;
	uint32_t flags = 0;
	bool broken = m->flags & SIP_MALFORMED;

	if (m->flags & SIP_BODY_SHORT && !p->truncated)
		broken = true;
	if (m->request_uri.n && m->request_uri.p[0] == '<')
		broken = true;
	if (has_gap(sip_header(m, SIP_VIA)) || has_gap(sip_header(m, SIP_FROM)))
		broken = true;
	if (!sip_addr(sip_header(m, SIP_FROM), &a) ||
	    !sip_addr(sip_header(m, SIP_TO), &a))
		broken = true;
	if (broken)
		flags |= EVENT_MALFORMED;
	if (m->flags & SIP_AMBIGUOUS)
		flags |= EVENT_AMBIGUOUS;
	if (m->flags & SIP_TRAILING)
		flags |= EVENT_TRAILING;
	return flags;
}

/* The last value: each diversion puts its header before the older ones
 * (RFC 5806 4). */
static struct sv last_user(struct sv list)
{
	struct sv last = SV(""), one = sip_next_value(&list);

	for (; one.n; one = sip_next_value(&list))
		last = one;
	return sip_header_user(last);
}

struct sip_identity party_read(const struct sip_msg *m, const struct packet *p)
{
	struct sip_identity id = {0};
	bool request = m->status == 0;

	memcpy(id.src, request ? p->src : p->dst, 16);
	memcpy(id.dst, request ? p->dst : p->src, 16);
	id.src_port = request ? p->src_port : p->dst_port;
	id.dst_port = request ? p->dst_port : p->src_port;
	id.from_user = sip_header_user(sip_header(m, SIP_FROM));
	id.to_user = sip_header_user(sip_header(m, SIP_TO));
	if (!request)
		return id;
	id.request_user = sip_uri_user(m->request_uri);
	id.digest_user = sip_digest_user(sip_header(m, SIP_AUTHORIZATION));
	id.asserted = sip_header_user(sip_header(m, SIP_ASSERTED));
	id.diversion = last_user(sip_header(m, SIP_DIVERSION));
	id.contact_user = sip_header_user(sip_header(m, SIP_CONTACT));
	id.user_agent = sip_header(m, SIP_USER_AGENT);
	return id;
}

void party_resolve(const struct dialog_opts *o, const struct sip_identity *id,
		   struct event *ev)
{
	struct event fresh;

	event_init(&fresh);
	fresh.kind = EVENT_CALL;
	fresh.key = ev->key;
	fresh.setup_us = ev->setup_us;
	fresh.flags = ev->flags;
	fresh.status = ev->status;
	memcpy(fresh.src_addr, id->src, 16);
	EVENT_PUT(&fresh, source, sv_of(o->source));
	if (o->resolve)
		o->resolve(o->resolve_arg, id, &fresh);
	*ev = fresh;
}

static uint8_t keep_text(char field[CALL_TEXT], struct sv s)
{
	/* half a user name is another user: rather none */
	return sv_put(field, CALL_TEXT, s) ? (uint8_t)s.n : 0;
}

void party_keep(struct call *c, const struct sip_identity *id)
{
	memcpy(c->dst, id->dst, 16);
	c->src_port = id->src_port;
	c->dst_port = id->dst_port;
	c->digest_n = keep_text(c->digest, id->digest_user);
	c->asserted_n = keep_text(c->asserted, id->asserted);
}

void party_accept(const struct dialog_opts *o, struct call *c,
		  const struct sip_msg *m)
{
	struct sip_identity id = {0};
	struct event again = c->ev;
	char diverting[NUMBER_TEXT];

	if (!c->digest_n)
		return;
	memcpy(id.src, c->ev.src_addr, 16);
	memcpy(id.dst, c->dst, 16);
	id.src_port = c->src_port;
	id.dst_port = c->dst_port;
	id.digest_user = (struct sv){c->digest, c->digest_n};
	id.digest_accepted = true;
	id.asserted = (struct sv){c->asserted, c->asserted_n};
	id.from_user = sip_header_user(sip_header(m, SIP_FROM));
	id.to_user = sip_header_user(sip_header(m, SIP_TO));
	id.request_user = EVENT_SV(c->ev.callee_raw);
	id.diversion =
		(struct sv){diverting, number_text(c->ev.diverting, diverting)};
	id.contact_user = id.user_agent = SV("");
	c->digest_n = 0;
	if (!o->resolve)
		return;
	o->resolve(o->resolve_arg, &id, &again);
	/* numbers are known better from the INVITE itself */
	memcpy(c->ev.account, again.account, sizeof(again.account));
	memcpy(c->ev.user, again.user, sizeof(again.user));
	memcpy(c->ev.trunk, again.trunk, sizeof(again.trunk));
	c->ev.direction = again.direction;
}
