/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAUNCH_CHILDREN_H
#define LAUNCH_CHILDREN_H

#include <stdbool.h>

#include <event2/event.h>

#include "launch/program.h"

/*
 * One supervised program.  A child that dies unasked is started again after
 * a pause that doubles from 0.25 s to 10 s and is forgotten once a life
 * lasted two seconds; CHILD_TRIES short lives in a row, or an exit for a bad
 * config, are the end of it.
 */
struct child;

enum { CHILD_TRIES = 8 };

struct child_opts {
	enum program program;
	/* Not one of ours: started instead of .program, kept by the caller. */
	const struct program_other *other;
	int stop_signal;   /* child_stop; 0 = SIGTERM */
	int hurry_signal;  /* ten seconds after it, before SIGKILL; 0 = none */
	char *const *argv; /* kept by the caller, ends with NULL */
	bool may_end; /* code 0 is its work done, else a death like others */
	/* It has ended: its work done, asked to stop, or not worth another
	 * try. */
	void (*on_end)(void *arg, enum program p, int code);
	void *arg;
};

/* Not started yet; free only when it has ended. */
struct child *child_new(struct event_base *base, const struct child_opts *o);
void child_free(struct child *c); /* NULL ok */

void child_start(struct child *c);

/* Ask it to stop; SIGKILL ten seconds later; on_end follows. */
void child_stop(struct child *c);

void child_signal(const struct child *c, int sig);
bool child_alive(const struct child *c);
unsigned child_restarts(const struct child *c);

#endif
