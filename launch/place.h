/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAUNCH_PLACE_H
#define LAUNCH_PLACE_H

#include <stdbool.h>

#include "common/err.h"
#include "launch/program.h"

/*
 * Where a running site keeps its things:
 *
 *   state   $TOLLWATCH_STATE, or as root /var/lib/tollwatch/<hash of the
 *           working directory>, else ./var
 *     spool/       what the sources read: relative paths of the config start
 *                  in the state folder
 *     collector/   its journal and offsets; rejects/ beside it
 *     analyzer/    archive, findings, snapshot
 *     alerter/     outbox, open incidents
 *     pg/          the private PostgreSQL (launch/cluster.h)
 *     run -> the private folder of sockets (0700), whose path is short
 *            because a unix socket's may have 107 bytes at most
 */
enum { PLACE_PATH = 400, SOCKET_PATH = 104 };

struct place {
	char state[PLACE_PATH];
	char spool[PLACE_PATH];
	char analyzer[PLACE_PATH];
	char alerter[PLACE_PATH];
	char sockets[SOCKET_PATH - 24];
	char events[SOCKET_PATH]; /* endpoints: "ipc:///..." */
	char findings[SOCKET_PATH];
	char command[SOCKET_PATH];	     /* path of the alerter's socket */
	char metrics[PROGRAMS][SOCKET_PATH]; /* "unix:/...", by enum program */
	int lock;			     /* -1: not held */
};

/* The names only; state NULL = choose.  Nothing is made. */
MUST_USE bool place_find(struct place *p, const char *state, struct err *e);

/* The state is ours until place_close: two sites in one folder would destroy
 * each other's journals. */
MUST_USE bool place_lock(struct place *p, struct err *e);

/* Make the folders, and a fresh one for the sockets. */
MUST_USE bool place_make(struct place *p, struct err *e);

/* Process id of who holds the lock; 0: nobody. */
int place_holder(const struct place *p);

/* Fill in the sockets of a site that runs; false when none does. */
MUST_USE bool place_running(struct place *p, struct err *e);

/* Remove what an earlier sample night left.  A state folder without the mark
 * of one is not touched. */
MUST_USE bool place_clear_sample(const struct place *p, struct err *e);
MUST_USE bool place_mark_sample(const struct place *p, struct err *e);

/* Remove the folder of sockets, let go of the state. */
void place_close(struct place *p);

#endif
