/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALERTER_CHANNEL_MIME_H
#define ALERTER_CHANNEL_MIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A page as an Internet message (RFC 5322, MIME).  Whatever the texts hold,
 * no header but these comes out: line ends become spaces, ids keep only
 * letters, digits and "._-", and addresses are checked before.
 */
struct mail {
	const char *from; /* checked addresses */
	const char *to;
	const char *id;
	const char *thread; /* "" = alone */
	const char *subject;
	const char *text;
	int64_t date_us;
};

/*
 * The message as DATA of SMTP wants it: CRLF line ends and a dot alone in the
 * last line.  NUL-terminated; the caller frees it.  No other line begins with
 * a dot, so that nothing is stuffed, or is longer than 78 bytes, except for
 * long addresses and ids.
 */
char *mail_build(const struct mail *m, size_t *n);

/* One plain ASCII address, "local@domain": no name, no quotes, no comment. */
bool mail_address_ok(const char *address);

/* Hide the local part of everything in text that looks like an address, and
 * put '?' for what is not printable ASCII: "550 <a***@example.com> unknown". */
void mail_mask(char *text);

#endif
