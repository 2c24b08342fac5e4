/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALERTER_GSM_H
#define ALERTER_GSM_H

#include "common/sv.h"

/*
 * Text that every phone shows: the characters that the 7-bit alphabet of
 * 3GPP TS 23.038 and ASCII share, and the pound sign.  Each counts one of
 * the 160 of a text message.
 *
 * Accents go, typographic marks become plain ones, what is left (Hebrew,
 * emoji) becomes one '?' a run.  Controls, line ends and the marks that turn
 * the direction of text become nothing or one space.
 */
void gsm_fold(struct sv text, char *out, size_t size);

/* Characters of folded text. */
size_t gsm_count(const char *text);

/* At most max characters, cut in the middle: "Bartholo..mited". */
void gsm_cut(const char *text, size_t max, char *out, size_t size);

/* UTF-8 for a line of text: without controls and without the marks that turn
 * the direction of what follows; bytes that are not UTF-8 become U+FFFD. */
void gsm_clean(struct sv text, char *out, size_t size);

#endif
