/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_NUMBERING_H
#define ANALYZER_NUMBERING_H

#include <stdbool.h>
#include <stdint.h>

#include "common/conf.h"
#include "common/number.h"

/* What kind of number a callee is: numbering.csv in a prefix table.  Short
 * codes stand in the file without '+', the rest with country code. */
enum number_class {
	CLASS_UNKNOWN = 0,
	CLASS_GEOGRAPHIC,
	CLASS_UK_WIDE,
	CLASS_MOBILE,
	CLASS_PERSONAL,
	CLASS_PAGER,
	CLASS_FREEPHONE,
	CLASS_REVENUE_SHARE,
	CLASS_PREMIUM,
	CLASS_DIRECTORY,
	CLASS_EMERGENCY,
	CLASS_SHORT,
	CLASS_INTERNATIONAL,
	CLASS_SATELLITE,
	CLASS_NETWORK,
	CLASS_COUNT,
};

const char *class_name(enum number_class c);
bool class_parse(struct sv name, enum number_class *out);

struct number_info {
	enum number_class class;
	char country[4]; /* ISO 3166 alpha-2, "" unknown; "001" for networks */
	char tier;	 /* 'A', 'B', 'C' hot lists; 0 none */
	bool length_ok;	 /* digits fit `lengths` of the row (R27) */
};

struct numbering;

/* Read the CSV; errors go to c. */
struct numbering *numbering_load(struct conf *c, const struct conf_tree *at,
				 struct sv path);
void numbering_free(struct numbering *n);

/* Never fails: an unmatched number has CLASS_UNKNOWN. */
struct number_info numbering_find(const struct numbering *n,
				  struct number callee);

#endif
