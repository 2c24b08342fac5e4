/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COLLECTOR_NETWORK_H
#define COLLECTOR_NETWORK_H

#include <stdint.h>

#include "common/err.h"
#include "common/sv.h"

/* IP networks to values, longest prefix first.  An IPv4 address is held as
 * ::ffff:a.b.c.d, its prefix length then counts from 96. */
struct network {
	uint8_t addr[16];
	uint8_t bits; /* 0..128 */
};

/* "192.0.2.0/28", "2001:db8::/32" or one address; bits after the prefix must
 * be zero. */
MUST_USE bool network_parse(struct sv text, struct network *out, struct err *e);

struct network_table;

struct network_table *network_new(void);
void network_free(struct network_table *t); /* NULL ok */

/* False: this very network is in the table already. */
bool network_add(struct network_table *t, const struct network *n,
		 int32_t value);

/* Value of the longest network that holds addr; -1 = none. */
int32_t network_find(const struct network_table *t, const uint8_t addr[16]);

#endif
