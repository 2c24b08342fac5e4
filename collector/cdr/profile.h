/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COLLECTOR_CDR_PROFILE_H
#define COLLECTOR_CDR_PROFILE_H

#include "collector/cdr/cdr.h"
#include "common/csv.h"

/*
 * Any CSV file with a header, through a table of which column is what:
 *
 *   profiles:
 *     wholesale:
 *       separator: ";"
 *       columns: {setup: Start, talk: Seconds, caller: CLI, callee: Dialled}
 *       time: "%d/%m/%Y %H:%M:%S"   # or epoch, epoch-ms, rfc3339
 *       duration: s                 # or ms, hms
 *       identity: [RecordID]
 *
 * The built-in profile "csv" has the field names themselves for columns.
 */
enum profile_field {
	FIELD_SETUP,
	FIELD_ANSWER,
	FIELD_END,
	FIELD_DURATION,
	FIELD_TALK,
	FIELD_CALLER,
	FIELD_CALLEE,
	FIELD_ACCOUNT,
	FIELD_USER,
	FIELD_TRUNK,
	FIELD_CALL_ID,
	FIELD_STATUS,
	FIELD_DIRECTION,
	PROFILE_FIELDS,
};

enum profile_duration { DURATION_S = 0, DURATION_MS, DURATION_HMS };

struct profile {
	const char *name;
	char separator;
	const char *column[PROFILE_FIELDS]; /* NULL = the file has none */
	const char *time;		    /* format, see above */
	enum profile_duration duration;
	const char *identity[CDR_IDENTITY_MAX]; /* NULL-ended unless full */
};

/* Names of fields in the order of the enum: "setup", "answer", ... */
extern const char *const profile_field_name[PROFILE_FIELDS];

/* "csv"; times are RFC 3339 or local with a space. */
extern const struct profile profile_csv;

/* A profile bound to the header of one file; -1 = no such column. */
struct profile_map {
	const struct profile *profile;
	int16_t field[PROFILE_FIELDS];
	int16_t identity[CDR_IDENTITY_MAX];
	unsigned n_identity;
};

/* False: *e names the missing column and what to do. */
MUST_USE bool profile_bind(const struct profile *p,
			   const struct csv_row *header,
			   struct profile_map *out, struct err *e);

enum cdr_rc profile_row(const struct profile_map *m, struct cdr_clock *clock,
			const struct csv_row *in, struct cdr_row *out);

/* A time by a format of %Y %m %d %H %M %S %y %b %p %I %f %% and literals, in
 * microseconds of the clock it was written by. */
bool profile_time(const char *format, struct sv text, int64_t *local_us);

/* False with *e: a format that profile_time would not understand. */
MUST_USE bool profile_time_check(const char *format, struct err *e);

#endif
