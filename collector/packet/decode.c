/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/packet/decode.h"

#include <string.h>

/* What is left of the frame; every step takes its header off the front. */
struct cursor {
	const uint8_t *p;
	size_t n;
	bool more_fragments;
	bool snapped; /* the frame had more bytes than were captured */
};

enum {
	TYPE_IPV4 = 0x0800,
	TYPE_IPV6 = 0x86dd,
	TYPE_VLAN = 0x8100,
	TYPE_QINQ = 0x88a8,
	TYPE_QINQ_OLD = 0x9100,
	TYPE_PPPOE = 0x8864, /* session stage, RFC 2516 */
	PPP_IPV4 = 0x0021,
	PPP_IPV6 = 0x0057,
};

enum {
	PROTO_HOP_OPTIONS = 0,
	PROTO_IPV4 = 4,
	PROTO_UDP = 17,
	PROTO_IPV6 = 41,
	PROTO_ROUTING = 43,
	PROTO_FRAGMENT = 44,
	PROTO_AUTH = 51,
	PROTO_DESTINATION = 60,
	PROTO_MOBILITY = 135,
};

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)be16(p) << 16 | be16(p + 2);
}

static void advance(struct cursor *c, size_t n)
{
	c->p += n;
	c->n -= n;
}

/* Ethertype after any VLAN tags; c stands at the first byte after type. */
static enum packet_rc skip_tags(struct cursor *c, uint16_t *type)
{
	for (int tags = 0;
	     *type == TYPE_VLAN || *type == TYPE_QINQ || *type == TYPE_QINQ_OLD;
	     tags++) {
		if (tags == PACKET_TAGS_MAX)
			return PACKET_NESTED;
		if (c->n < 4)
			return PACKET_SHORT;
		*type = be16(c->p + 2);
		advance(c, 4);
	}
	return PACKET_OK;
}

/* Version, code, session, length, then the protocol of PPP. */
static enum packet_rc pppoe(struct cursor *c, uint16_t *type)
{
	uint16_t protocol;

	if (c->n < 8)
		return PACKET_SHORT;
	protocol = be16(c->p + 6);
	if (protocol == PPP_IPV4)
		*type = TYPE_IPV4;
	else if (protocol == PPP_IPV6)
		*type = TYPE_IPV6;
	advance(c, 8);
	return PACKET_OK;
}

static enum packet_rc typed(struct cursor *c, size_t header, size_t type_at)
{
	enum packet_rc rc;
	uint16_t type;

	if (c->n < header)
		return PACKET_SHORT;
	type = be16(c->p + type_at);
	advance(c, header);
	rc = skip_tags(c, &type);
	if (rc == PACKET_OK && type == TYPE_PPPOE)
		rc = pppoe(c, &type);
	if (rc)
		return rc;
	return type == TYPE_IPV4 || type == TYPE_IPV6 ? PACKET_OK
						      : PACKET_NOT_IP;
}

/* BSD loopback: the address family in the byte order of whoever captured. */
static enum packet_rc loopback(struct cursor *c)
{
	uint32_t family;

	if (c->n < 4)
		return PACKET_SHORT;
	family = be32(c->p);
	if (family > 0xffff)
		family = __builtin_bswap32(family);
	advance(c, 4);
	switch (family) {
	case 2:	 /* AF_INET everywhere */
	case 10: /* AF_INET6 of Linux, NetBSD, FreeBSD, macOS */
	case 24:
	case 28:
	case 30:
		return PACKET_OK;
	default:
		return PACKET_NOT_IP;
	}
}

static enum packet_rc strip_link(int linktype, struct cursor *c)
{
	switch (linktype) {
	case LINK_ETHERNET:
		return typed(c, 14, 12);
	case LINK_COOKED:
		return typed(c, 16, 14);
	case LINK_COOKED2:
		return typed(c, 20, 0);
	case LINK_NULL:
	case LINK_LOOP:
		return loopback(c);
	case LINK_RAW:
	case LINK_RAW_BSD:
	case LINK_RAW_OPENBSD:
	case LINK_IPV4:
	case LINK_IPV6:
		return PACKET_OK;
	default:
		return PACKET_LINK;
	}
}

static void map_ipv4(uint8_t out[16], const uint8_t *ip)
{
	memset(out, 0, 10);
	out[10] = out[11] = 0xff;
	memcpy(out + 12, ip, 4);
}

/* Cut the cursor to what IP says the datagram is; what lies behind it is
 * link padding. */
static void bound(struct cursor *c, size_t len)
{
	if (len > c->n)
		c->snapped = true;
	else
		c->n = len;
}

static enum packet_rc ipv4(struct cursor *c, struct packet *out, uint8_t *proto)
{
	size_t header, total;
	uint16_t fragment;

	if (c->n < 20)
		return PACKET_SHORT;
	header = (size_t)(c->p[0] & 0x0f) * 4;
	total = be16(c->p + 2);
	if (total == 0) /* segmentation offload: the card fills it in later */
		total = c->n;
	if (header < 20 || header > total)
		return PACKET_BAD_IP;
	bound(c, total);
	if (header > c->n)
		return PACKET_SHORT;
	fragment = be16(c->p + 6);
	if (fragment & 0x1fff)
		return PACKET_FRAGMENT;
	c->more_fragments |= (fragment & 0x2000) != 0;
	*proto = c->p[9];
	map_ipv4(out->src, c->p + 12);
	map_ipv4(out->dst, c->p + 16);
	advance(c, header);
	return PACKET_OK;
}

/* One IPv6 extension header; *proto becomes what follows it. */
static enum packet_rc extension(struct cursor *c, uint8_t *proto)
{
	size_t len;

	if (c->n < 8)
		return PACKET_SHORT;
	if (*proto == PROTO_FRAGMENT) {
		uint16_t offset = be16(c->p + 2);

		if (offset & 0xfff8)
			return PACKET_FRAGMENT;
		c->more_fragments |= offset & 1;
		len = 8;
	} else if (*proto == PROTO_AUTH) {
		len = ((size_t)c->p[1] + 2) * 4;
	} else {
		len = ((size_t)c->p[1] + 1) * 8;
	}
	if (len > c->n)
		return c->snapped ? PACKET_SHORT : PACKET_BAD_IP;
	*proto = c->p[0];
	advance(c, len);
	return PACKET_OK;
}

static bool is_extension(uint8_t proto)
{
	switch (proto) {
	case PROTO_HOP_OPTIONS:
	case PROTO_ROUTING:
	case PROTO_FRAGMENT:
	case PROTO_AUTH:
	case PROTO_DESTINATION:
	case PROTO_MOBILITY:
		return true;
	default:
		return false;
	}
}

static enum packet_rc ipv6(struct cursor *c, struct packet *out, uint8_t *proto)
{
	enum packet_rc rc;
	size_t len;

	if (c->n < 40)
		return PACKET_SHORT;
	len = be16(c->p + 4);
	*proto = c->p[6];
	memcpy(out->src, c->p + 8, 16);
	memcpy(out->dst, c->p + 24, 16);
	advance(c, 40);
	if (len) /* 0: jumbogram or offload */
		bound(c, len);
	for (int i = 0; is_extension(*proto); i++) {
		if (i == PACKET_EXTENSIONS_MAX)
			return PACKET_NESTED;
		rc = extension(c, proto);
		if (rc)
			return rc;
	}
	return PACKET_OK;
}

/* IP headers down to the innermost; *proto is what it carries. */
static enum packet_rc strip_ip(struct cursor *c, struct packet *out,
			       uint8_t *proto)
{
	for (int depth = 0; depth < PACKET_TUNNELS_MAX; depth++) {
		enum packet_rc rc;

		if (c->n < 1)
			return PACKET_SHORT;
		if (c->p[0] >> 4 == 4)
			rc = ipv4(c, out, proto);
		else if (c->p[0] >> 4 == 6)
			rc = ipv6(c, out, proto);
		else
			rc = PACKET_BAD_IP;
		if (rc)
			return rc;
		if (*proto != PROTO_IPV4 && *proto != PROTO_IPV6)
			return PACKET_OK;
	}
	return PACKET_NESTED;
}

static enum packet_rc udp(struct cursor *c, struct packet *out)
{
	size_t len;

	if (c->n < 8)
		return c->snapped ? PACKET_SHORT : PACKET_BAD_UDP;
	len = be16(c->p + 4);
	if (len < 8)
		return PACKET_BAD_UDP;
	if (len > c->n && !c->more_fragments && !c->snapped)
		return PACKET_BAD_UDP;
	out->truncated = len > c->n;
	if (len > c->n)
		len = c->n;
	out->src_port = be16(c->p);
	out->dst_port = be16(c->p + 2);
	out->payload = (struct sv){(const char *)c->p + 8, len - 8};
	return PACKET_OK;
}

enum packet_rc packet_udp(int linktype, const uint8_t *p, size_t caplen,
			  struct packet *out)
{
	struct cursor c = {.p = p, .n = caplen};
	enum packet_rc rc;
	uint8_t proto;

	rc = strip_link(linktype, &c);
	if (rc)
		return rc;
	rc = strip_ip(&c, out, &proto);
	if (rc)
		return rc;
	if (proto != PROTO_UDP)
		return PACKET_NOT_UDP;
	return udp(&c, out);
}

const char *packet_rc_name(enum packet_rc rc)
{
	static const char *const name[PACKET_RCS] = {
		[PACKET_OK] = "ok",
		[PACKET_LINK] = "link_type",
		[PACKET_SHORT] = "short",
		[PACKET_NOT_IP] = "not_ip",
		[PACKET_NESTED] = "nested",
		[PACKET_BAD_IP] = "bad_ip",
		[PACKET_FRAGMENT] = "fragment",
		[PACKET_NOT_UDP] = "not_udp",
		[PACKET_BAD_UDP] = "bad_udp",
	};

	return name[rc];
}
