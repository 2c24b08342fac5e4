/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COLLECTOR_CDR_ASTERISK_H
#define COLLECTOR_CDR_ASTERISK_H

#include "collector/cdr/cdr.h"
#include "common/csv.h"

/*
 * Asterisk's cdr_csv Master.csv: no header, 16 to 21 columns by what is
 * switched on in cdr.conf (cdr/cdr_csv.c, build_csv_record):
 *
 *   1 accountcode 2 src 3 dst 4 dcontext 5 clid 6 channel 7 dstchannel
 *   8 lastapp 9 lastdata 10 start 11 answer 12 end 13 duration 14 billsec
 *   15 disposition 16 amaflags [uniqueid] [userfield]
 *   [peeraccount linkedid sequence]
 *
 * Answered means that an answer time exists; the disposition is only a hint.
 */
enum { ASTERISK_COLUMNS_MIN = 16, ASTERISK_COLUMNS_MAX = 21 };

/* Views in *out point into the row. */
enum cdr_rc asterisk_row(struct cdr_clock *clock, const struct csv_row *in,
			 struct cdr_row *out);

/* Whether a row has the columns in the places above. */
bool asterisk_looks_like(const struct csv_row *row);

#endif
