/* SPDX-License-Identifier: Apache-2.0 */
#include "common/utf8.h"

/* Lowest and highest second byte by first byte: this is where overlong
 * forms, surrogates and the end of Unicode are decided (RFC 3629 4). */
static bool second_fits(unsigned first, unsigned second)
{
	unsigned low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
	unsigned high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;

	return second >= low && second <= high;
}

unsigned utf8_size(struct sv s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	unsigned size;

	if (s.n == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	size = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (s.n < size || !second_fits(p[0], p[1]))
		return 0;
	for (unsigned i = 2; i < size; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return size;
}

bool utf8_valid(struct sv s)
{
	while (s.n) {
		unsigned size = utf8_size(s);

		if (size == 0)
			return false;
		s = (struct sv){s.p + size, s.n - size};
	}
	return true;
}

size_t utf8_count(struct sv s)
{
	size_t count = 0;

	while (s.n) {
		unsigned size = utf8_size(s);

		size += size == 0;
		s = (struct sv){s.p + size, s.n - size};
		count++;
	}
	return count;
}

struct sv utf8_cut(struct sv s, size_t max)
{
	if (s.n <= max)
		return s;
	/* Go back to a character that straddles max, if one does. */
	for (size_t back = 1; back <= 3 && back <= max; back++) {
		size_t at = max - back;

		if (utf8_size((struct sv){s.p + at, s.n - at}) > back)
			return (struct sv){s.p, at};
	}
	return (struct sv){s.p, max};
}
