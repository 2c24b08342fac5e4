/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAUNCH_SINKS_H
#define LAUNCH_SINKS_H

#include <stdio.h>

#include <event2/event.h>

#include "common/err.h"

/*
 * Where pages go when nobody said where: a mail server and a webhook receiver
 * in this terminal, which prints what it gets.  Each takes the place of one
 * that is not set in the environment (TOLLWATCH_SMTP, TOLLWATCH_WEBHOOK with
 * TOLLWATCH_WEBHOOK_SECRET) and puts itself there for the programs to find.
 */
struct sinks;

MUST_USE bool sinks_open(struct sinks **out, struct event_base *base, FILE *say,
			 struct err *e);
void sinks_close(struct sinks *s); /* NULL ok */

#endif
