/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COLLECTOR_SIP_URI_H
#define COLLECTOR_SIP_URI_H

#include <stdbool.h>
#include <stddef.h>

#include "common/sv.h"

/*
 * The parts of header values that say who: views into the value, nothing is
 * decoded until sip_user_text().
 *
 *   "Doe, J" <sip:+441632960123;npdi@example.com;user=phone>;tag=7, <...>
 *            |    `----user----'                           |`params'
 *            `------------------addr-----------------------'
 */

/* Take the first value off a comma list; commas in quotes and <> do not
 * count.  Trimmed; empty at the end. */
struct sv sip_next_value(struct sv *list);

struct sip_addr {
	struct sv uri;	  /* what is between <>, or the addr-spec */
	struct sv params; /* header parameters: begins with ';', or empty */
};

/* One name-addr or addr-spec.  False: a quote or '<' is not closed; then uri
 * and params hold the best guess. */
bool sip_addr(struct sv value, struct sip_addr *out);

/* User part of a sip:, sips: or tel: URI, raw, up to its parameters or
 * password.  Empty when there is none, or it is another scheme. */
struct sv sip_uri_user(struct sv uri);

/* sip_uri_user of the first value of a header; empty for an absent one. */
struct sv sip_header_user(struct sv header);

/* Value of ";name=value" (case-insensitive; quotes taken off).  False when
 * absent; a parameter without '=' is there and empty. */
bool sip_param(struct sv params, struct sv name, struct sv *value);

/* The tag of From or To, the branch of the topmost Via, username of Digest
 * credentials (inside its quotes, escapes kept), cause of a Reason: Q.850
 * (0 = none).  Empty when absent. */
struct sv sip_tag(struct sv header);
struct sv sip_branch(struct sv via);
struct sv sip_digest_user(struct sv authorization);
unsigned sip_q850(struct sv reason);

enum { SIP_USER_MAX = 128 };

/*
 * A user part as text: %-decoded once, and without the visual separators
 * "-.() " when all the rest is a telephone number (digits, '+', '*', '#';
 * RFC 3966 5.1.1).  Bytes that are no printable ASCII become '?', so that it
 * can be logged.  Returns a view of out; *cut when it did not fit.
 */
struct sv sip_user_text(struct sv user, char out[SIP_USER_MAX], bool *cut);

#endif
