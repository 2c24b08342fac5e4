/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAUNCH_AUDIT_H
#define LAUNCH_AUDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

/* tollwatch audit VERB: what is typed, and the verbs; a verb's result is the
 * exit code. */
enum {
	AUDIT_PLACES = 8,
	EXIT_BROKEN = 3,
	EXIT_AGAIN = 75,
};

struct audit_opts {
	const char *dsn;
	const char *config;
	const char *state;
	const char *key;
	const char *pub;
	const char *out;
	const char *from;
	const char *reason;
	const char *rows;
	const char *save;
	const char *to[AUDIT_PLACES]; /* export: to[0] is a time */
	size_t places;
	const char *checkpoints[AUDIT_PLACES];
	size_t folders;
	bool one_place;
	bool as_json;
	bool as_csv;
};

int audit_key(const struct audit_opts *o);
int audit_checkpoint(const struct audit_opts *o);
int audit_verify(const struct audit_opts *o);
int audit_export(const struct audit_opts *o);

/* The caller frees it; NULL after an error. */
char *audit_dsn(const struct audit_opts *o, const char *role, struct err *e);

#endif
