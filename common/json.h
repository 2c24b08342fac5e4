/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/sv.h"

/*
 * Writes JSON (RFC 8259) into one growing buffer that is used again and
 * again.  Commas are put by the writer; bytes that are not UTF-8 come out as
 * U+FFFD.  Reading JSON is jansson's work, where it is needed.
 */
struct json {
	char *p; /* not NUL-terminated; valid until the next call */
	size_t n;
	size_t cap;
	bool comma; /* a value was written: the next one needs a comma */
};

void json_reset(struct json *j);
void json_free(struct json *j);

void json_open(struct json *j, char bracket);  /* '{' or '[' */
void json_close(struct json *j, char bracket); /* '}' or ']' */
void json_key(struct json *j, const char *key);

void json_str(struct json *j, struct sv s);
void json_str_or_null(struct json *j, struct sv s); /* empty = null */
void json_int(struct json *j, int64_t v);
void json_bool(struct json *j, bool v);
void json_none(struct json *j); /* null; "json_null" is jansson's */
void json_raw(struct json *j, struct sv already_json);

/* RFC 3339 string, or null when us is 0. */
void json_time(struct json *j, int64_t us);

/* Decimal string of micropence as pounds: "25.00"; see money_text. */
void json_money(struct json *j, int64_t micropence);

/* Write the buffer and a line feed to out, and reset. */
void json_line(struct json *j, FILE *out);

#endif
