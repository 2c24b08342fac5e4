/* SPDX-License-Identifier: Apache-2.0 */
#include "common/number.h"

#include <stdio.h>

static const char symbol[16] = {0,   '0', '1', '2', '3', '4', '5', '6',
				'7', '8', '9', '+', '*', '#', 0,   0};

static unsigned nibble_of(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0') + 1;
	return c == '+' ? 11 : c == '*' ? 12 : c == '#' ? 13 : 0;
}

bool number_parse(struct sv text, struct number *out)
{
	uint64_t v = 0;

	if (text.n == 0 || text.n > NUMBER_DIGITS)
		return false;
	if (text.n == 1 && text.p[0] == '+')
		return false;
	for (size_t i = 0; i < text.n; i++) {
		unsigned nibble = nibble_of(text.p[i]);

		if (nibble == 0 || (nibble == 11 && i > 0))
			return false;
		v |= (uint64_t)nibble << (60 - 4 * i);
	}
	out->v = v;
	return true;
}

size_t number_text(struct number n, char out[NUMBER_TEXT])
{
	size_t len = 0;

	for (uint64_t v = n.v; v; v <<= 4)
		out[len++] = symbol[v >> 60];
	out[len] = '\0';
	return len;
}

unsigned number_digits(struct number n, uint8_t out[NUMBER_DIGITS])
{
	unsigned len = 0;
	uint64_t v = n.v;

	if (v >> 60 == 11)
		v <<= 4;
	for (; v; v <<= 4) {
		unsigned nibble = (unsigned)(v >> 60);

		if (nibble > 10)
			return 0;
		out[len++] = (uint8_t)(nibble - 1);
	}
	return len;
}

void number_mask(struct number n, char out[NUMBER_TEXT])
{
	char text[NUMBER_TEXT];
	size_t len = number_text(n, text);

	number_mask_raw((struct sv){text, len}, out, NUMBER_TEXT);
}

/* At least three characters stay hidden, so that a number of seven to nine
 * shows less of its beginning. */
void number_mask_raw(struct sv raw, char *out, size_t size)
{
	size_t keep = raw.n > 0 && raw.p[0] == '+' ? 5 : 4;

	if (raw.n <= 6) {
		snprintf(out, size, "%.*s", SV_ARG(raw));
		return;
	}
	if (keep > raw.n - 5)
		keep = raw.n - 5;
	snprintf(out, size, "%.*s****%.*s", (int)keep, raw.p, 2,
		 raw.p + raw.n - 2);
}
