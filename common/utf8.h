/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

#include "common/sv.h"

/* Bytes of the UTF-8 character at the front of s, 1..4; 0 when there is none
 * (RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF). */
unsigned utf8_size(struct sv s);

/* The whole view is UTF-8. */
bool utf8_valid(struct sv s);

/* Characters, each byte that is not UTF-8 counted as one. */
size_t utf8_count(struct sv s);

/* The longest beginning of s of at most max bytes that cuts no character. */
struct sv utf8_cut(struct sv s, size_t max);

#endif
