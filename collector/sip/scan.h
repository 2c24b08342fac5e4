/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COLLECTOR_SIP_SCAN_H
#define COLLECTOR_SIP_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/sv.h"

/*
 * One SIP message out of one datagram (RFC 3261 7, 25): the start line and
 * views of the few headers that a call is told by.  Nothing is copied or
 * allocated; every view points into the datagram and dies with it.
 *
 *   INVITE sip:bob@example.com SIP/2.0      method, request_uri
 *   f: <sip:alice@example.com>;tag=1        header[SIP_FROM]
 *   Call-ID : 7@192.0.2.1                   header[SIP_CALL_ID]
 *   CSeq: 1                                 cseq, cseq_method
 *    INVITE                                 (folded lines stay folded)
 *
 * Attackers are not RFC-clean, so it bends where servers bend: an INVITE
 * that still says who calls whom under which Call-ID is SIP_OK with
 * SIP_MALFORMED.  What no server would act on has its own reason.
 */
enum {
	SIP_MESSAGE_MAX = 65536, /* octets of one message */
	SIP_HEADERS_MAX = 256,	 /* what comes after is not looked at */
};

enum sip_rc {
	SIP_OK = 0,
	SIP_KEEPALIVE,	/* CR LF NUL only, "hello", "jaK" */
	SIP_STUN,	/* RFC 5389 on the same port */
	SIP_TOO_LONG,	/* over SIP_MESSAGE_MAX */
	SIP_NOT_SIP,	/* start line of something else */
	SIP_VERSION,	/* SIP, but not 2.0 */
	SIP_BAD_START,	/* request without URI */
	SIP_BAD_STATUS, /* not three digits, 100 to 699 */
	SIP_NO_CALL_ID,
	SIP_NO_FROM,
	SIP_BAD_CSEQ,	   /* missing, over 32 bits, no method */
	SIP_CSEQ_MISMATCH, /* its method is not the request's */
	SIP_RCS,	   /* how many there are */
};

enum sip_method {
	SIP_METHOD_OTHER = 0,
	SIP_INVITE,
	SIP_ACK,
	SIP_BYE,
	SIP_CANCEL,
	SIP_REGISTER,
	SIP_OPTIONS,
	SIP_UPDATE,
	SIP_PRACK,
	SIP_INFO,
	SIP_REFER,
	SIP_NOTIFY,
	SIP_SUBSCRIBE,
	SIP_MESSAGE,
	SIP_PUBLISH,
	SIP_METHODS, /* how many there are */
};

enum sip_header {
	SIP_VIA = 0,
	SIP_FROM,
	SIP_TO,
	SIP_CALL_ID,
	SIP_CSEQ,
	SIP_CONTACT,
	SIP_AUTHORIZATION, /* or Proxy-Authorization, the first of either */
	SIP_ASSERTED,	   /* P-Asserted-Identity */
	SIP_DIVERSION,	   /* the last one: the original diverting party */
	SIP_USER_AGENT,
	SIP_SESSION_EXPIRES,
	SIP_CONTENT_LENGTH,
	SIP_REASON,
	SIP_HEADERS, /* how many there are */
};

enum sip_flag {
	SIP_MALFORMED = 1 << 0,	 /* breaks the grammar where we look */
	SIP_AMBIGUOUS = 1 << 1,	 /* second Call-ID, From, To or CSeq */
	SIP_TRAILING = 1 << 2,	 /* octets after Content-Length */
	SIP_BODY_SHORT = 1 << 3, /* Content-Length is more than is there */
};

struct sip_msg {
	uint16_t status;	/* 0: a request */
	uint16_t flags;		/* enum sip_flag */
	enum sip_method method; /* of a response: CSeq's */
	uint32_t cseq;
	struct sv request_uri;	       /* empty in a response */
	struct sv header[SIP_HEADERS]; /* trimmed values; p NULL: absent */
	struct sv body;
};

/* truncated: the datagram was longer than what is here, so its last line may
 * be cut and is not believed.  *m is complete only for SIP_OK. */
enum sip_rc sip_scan(struct sv datagram, bool truncated, struct sip_msg *m);

/* A header's value, empty when absent. */
static inline struct sv sip_header(const struct sip_msg *m, enum sip_header h)
{
	return m->header[h].p ? m->header[h] : SV("");
}

const char *sip_rc_name(enum sip_rc rc);

#endif
