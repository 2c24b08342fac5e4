/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALERTER_PAGE_TEXT_H
#define ALERTER_PAGE_TEXT_H

#include "alerter/config.h"
#include "alerter/incident.h"

/*
 * What a page says, for somebody who was asleep a moment ago: who, what,
 * since when, £ so far and £ a minute, what to do first, how to take it.
 * No full number, no raw control character, times of the site's wall.
 *
 *   Tollwatch CRITICAL 7: ACME Ltd, 47 calls to Somalia since 02:24, £412 so
 *   far, +£23/min. Bar international on PBX-ACME-01. tollwatch ack 7
 */
struct page_text {
	char *subject; /* one line, at most 160 characters of GSM 03.38 */
	char *body;    /* UTF-8, lines end with \n */
	char *json;    /* Standard Webhooks: {"type","timestamp","data"} */
};

/* in NULL: a test page.  p is one of in's pages.  page_text_free() frees what
 * out then holds. */
void page_text(struct page_text *out, const struct alerter_conf *a,
	       const struct incident *in, const struct page *p, int64_t now_us);
void page_text_free(struct page_text *t);

#endif
