/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_NUMBER_H
#define COMMON_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/sv.h"

/*
 * A telephone number as a value: up to 16 characters of "+0123456789*#",
 * packed four bits each, first character in the highest bits:
 *
 *   0 = end    1..10 = '0'..'9'    11 = '+'    12 = '*'    13 = '#'
 *
 * "+" and 15 digits is the longest E.164 number (ITU-T E.164 6.2.1).  An
 * international number starts with '+'; anything else is a short code or an
 * extension.  All-zero means "unknown" (JSON null).  Equal values are equal
 * numbers, so it serves as a hash key.
 */
struct number {
	uint64_t v;
};

enum {
	NUMBER_TEXT = 17, /* longest text and its NUL */
	NUMBER_DIGITS = 16,
};

/* Exact text form; no separators.  False: empty, too long, other characters,
 * or a '+' that is not first. */
bool number_parse(struct sv text, struct number *out);

/* Write the text; returns its length (0 for unknown). */
size_t number_text(struct number n, char out[NUMBER_TEXT]);

/* Write the digits 0..9 after the '+' (none for numbers with '*' or '#');
 * returns how many.  What the prefix table looks up. */
unsigned number_digits(struct number n, uint8_t out[NUMBER_DIGITS]);

static inline bool number_known(struct number n)
{
	return n.v != 0;
}

static inline bool number_is_e164(struct number n)
{
	return n.v >> 60 == 11;
}

/* For people who may not see it: "+4420****34".  Six characters or fewer
 * (short codes) stay as they are. */
void number_mask(struct number n, char out[NUMBER_TEXT]);

/* The same for raw text of any length, e.g. a dial string: keeps the first
 * four characters and the last two. */
void number_mask_raw(struct sv raw, char *out, size_t size);

#endif
