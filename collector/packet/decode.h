/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COLLECTOR_PACKET_DECODE_H
#define COLLECTOR_PACKET_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/sv.h"

/*
 * From a captured frame to the UDP payload inside it, without a copy.
 *
 *   link layer ─▶ VLAN tags, PPPoE ─▶ IPv4 | IPv6 (─▶ IP in IP) ─▶ UDP ─▶ payload
 *
 * Link types: Ethernet, Linux cooked v1 and v2, raw IP, BSD loopback.
 * Checksums are not verified: a tap on the sending host sees them unset.
 */
enum {
	PACKET_TAGS_MAX = 4,	   /* stacked VLAN tags */
	PACKET_TUNNELS_MAX = 4,	   /* IP headers inside one another */
	PACKET_EXTENSIONS_MAX = 8, /* IPv6 extension headers */
};

/* Link types by their number in a file (tcpdump.org/linktypes.html). */
enum packet_link {
	LINK_NULL = 0,
	LINK_ETHERNET = 1,
	LINK_RAW_BSD = 12, /* DLT_RAW: what libpcap calls LINK_RAW */
	LINK_RAW_OPENBSD = 14,
	LINK_RAW = 101,
	LINK_LOOP = 108,
	LINK_COOKED = 113,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_COOKED2 = 276,
};

enum packet_rc {
	PACKET_OK = 0,
	PACKET_LINK,	 /* a link type that is not decoded */
	PACKET_SHORT,	 /* the capture ends inside a header */
	PACKET_NOT_IP,	 /* ARP, LLDP, ... */
	PACKET_NESTED,	 /* more tags, tunnels, extensions than the limits */
	PACKET_BAD_IP,	 /* version or lengths contradict */
	PACKET_FRAGMENT, /* not the first fragment of a datagram */
	PACKET_NOT_UDP,	 /* TCP, ICMP, ... */
	PACKET_BAD_UDP,	 /* UDP length contradicts */
	PACKET_RCS,	 /* how many there are */
};

struct packet {
	uint8_t src[16]; /* IPv6, or IPv4 as ::ffff:a.b.c.d */
	uint8_t dst[16];
	uint16_t src_port;
	uint16_t dst_port;
	struct sv payload;
	bool truncated; /* payload is only the beginning of what was sent:
			 * short snapshot length or first fragment */
};

/* out is undefined unless PACKET_OK; its payload points into p. */
enum packet_rc packet_udp(int linktype, const uint8_t *p, size_t caplen,
			  struct packet *out);

/* Name of a reason for counters: "short". */
const char *packet_rc_name(enum packet_rc rc);

#endif
