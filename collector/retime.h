/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COLLECTOR_RETIME_H
#define COLLECTOR_RETIME_H

#include "common/event.h"

/*
 * "decode --live": what a live source would have seen of the calls in a CDR
 * file.  Each record becomes set-up, answer and end, each with the time at
 * which it happened, and all of the file are sorted by that time.
 */
struct retime;

struct retime *retime_new(void);
void retime_free(struct retime *r); /* NULL ok */
void retime_add(struct retime *r, const struct event *ev);

/* Hand out all in order and begin anew. */
void retime_flush(struct retime *r,
		  void (*put)(void *arg, const struct event *ev), void *arg);

#endif
