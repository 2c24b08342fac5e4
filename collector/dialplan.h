/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COLLECTOR_DIALPLAN_H
#define COLLECTOR_DIALPLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/number.h"
#include "common/sv.h"

/*
 * From what was dialled to a number that means the same everywhere:
 *
 *   9 1470 0044 (0)20 7946 0123   ──▶  +442079460123
 *
 *   outside line, CLI prefix   stripped, but only before something that can
 *                              be dialled ("999" keeps its first 9)
 *   + 00 011                   international
 *   0                          national: +country
 *   999 101 118118 2034 *97    a short code or an extension: as it is
 *
 * In a country whose national numbers have a fixed length, an international
 * prefix that also begins national numbers ("011" and 0113 for Leeds) only
 * counts in front of more digits than a national number has.
 */
struct dialplan {
	const char *name;
	const char *const *outside_line; /* NULL-ended lists; NULL = none */
	const char *const *cli_prefix;
	const char *const *international;
	const char *national; /* "0"; NULL or "" = none */
	const char *country;  /* "44" */
};

/* Separators " -.()" are dropped, "%2B" is decoded, what follows ';', ',' or
 * '@' is not part of the number.  plan NULL: only a number with '+' and short
 * codes are understood.  False: *out is unknown. */
bool dialplan_normalise(const struct dialplan *plan, struct sv raw,
			struct number *out);

#endif
