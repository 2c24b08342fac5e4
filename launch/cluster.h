/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAUNCH_CLUSTER_H
#define LAUNCH_CLUSTER_H

#include <stdbool.h>

#include <event2/event.h>

#include "common/err.h"

/*
 * The private PostgreSQL of a site: a cluster of its own, reached by a unix
 * socket in a private folder and by nothing else.
 *
 *   <state>/pg/           data/ and postgresql.log (or a link, see below)
 *   <state>/pg.socket     link to the folder of the socket, while it runs
 *
 * PostgreSQL refuses to run as root: started by root it runs as the account
 * `postgres`, which must be able to reach the data.  The state folder is
 * opened for passing through (0711); when a folder above it forbids that, the
 * data are kept in /var/lib/tollwatch/pg-<hash of the state> instead.
 *
 * Who may connect is decided by the kernel (peer): the launcher's own account
 * as the alerter's role, the NOC's, or the superuser who migrates.
 */
struct cluster;

enum { CLUSTER_PATH = 512, CLUSTER_DSN = 256 };

#define CLUSTER_SUPERUSER "postgres"
#define CLUSTER_DATABASE  "tollwatch"

/* Make the data folder if there is none (blocks a second or two), stop what an
 * earlier run left.  `state` exists and is locked by the caller.  on_end comes
 * after cluster_stop, or when PostgreSQL is not worth another try. */
MUST_USE bool cluster_new(struct cluster **out, struct event_base *base,
			  const char *state,
			  void (*on_end)(void *arg, int code), void *arg,
			  struct err *e);
void cluster_free(struct cluster *c); /* it has ended; NULL ok */

void cluster_start(struct cluster *c);

/* Takes connections now. */
bool cluster_ready(const struct cluster *c);

/* Once ready: make the site's database if it is not there; fresh: throw away
 * what it holds, first.  Then db_migrate(cluster_dsn(c, CLUSTER_SUPERUSER)). */
MUST_USE bool cluster_database(struct cluster *c, bool fresh, struct err *e);

/* Connect as role; valid until the next call. */
const char *cluster_dsn(struct cluster *c, const char *role);

/* Fast shutdown; ten seconds later an immediate one, then SIGKILL. */
void cluster_stop(struct cluster *c);
bool cluster_alive(const struct cluster *c);
unsigned cluster_restarts(const struct cluster *c);

/* The DSN of the cluster that runs on a state folder. */
MUST_USE bool cluster_find_dsn(const char *state, const char *role,
			       char out[CLUSTER_DSN], struct err *e);

#endif
