/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALERTER_SAY_H
#define ALERTER_SAY_H

#include <stdio.h>

#include "alerter/config.h"
#include "alerter/incident.h"

/*
 * What a person at the terminal of `tollwatch run` reads, in stable lines:
 * "finding critical R01 ...", "incident N opened ...", "page N sent ...".
 */
struct say;

/* to: the lines; json_to (NULL: none) each finding as one line of JSON
 * instead of in words. */
struct say *say_new(FILE *to, FILE *json_to, const struct alerter_conf *conf);
void say_conf(struct say *s, const struct alerter_conf *conf);
void say_free(struct say *s); /* NULL ok */

/* book: after the fact was applied. */
void say_fact(struct say *s, const struct book *book, const struct fact *f);

#endif
