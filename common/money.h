/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_MONEY_H
#define COMMON_MONEY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/sv.h"

/* Money is an integer of micropence (1 pound = 10^8), ex VAT. */

#define PENNY INT64_C(1000000)
#define POUND (100 * PENNY)

enum { MONEY_TEXT = 32 };

/* "25.00": pounds with two decimals, rounded half away from zero; "-0.50". */
void money_text(int64_t micropence, char out[MONEY_TEXT]);

/* Exact: "0.36" or as many decimals as needed up to 8: "0.00012345". */
void money_text_exact(int64_t micropence, char out[MONEY_TEXT]);

/* "£50", "£0.25", "25p": the unit is required.  False on anything else, on
 * more than eight decimals of a pound, on negative and on overflow. */
bool money_parse(struct sv text, int64_t *micropence);

/* A bare decimal of pence as rate decks have it ("1.25"): to micropence. */
bool money_parse_pence(struct sv text, int64_t *micropence);

#endif
