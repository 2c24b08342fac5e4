/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COLLECTOR_CALLS_H
#define COLLECTOR_CALLS_H

#include <stdio.h>

#include "common/event.h"

/* "decode --calls": the events of each call made one, in the order in which
 * the calls first appeared.  Holds all calls of the input in memory. */
struct calls;

struct calls *calls_new(void);
void calls_free(struct calls *c); /* NULL ok */
void calls_add(struct calls *c, const struct event *ev);
size_t calls_count(const struct calls *c);
void calls_print(const struct calls *c, FILE *out, bool as_json);

/* One event as a line of a table; header: the line of names. */
void event_table_header(FILE *out);
void event_table_line(const struct event *ev, FILE *out);

#endif
