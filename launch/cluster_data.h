/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAUNCH_CLUSTER_DATA_H
#define LAUNCH_CLUSTER_DATA_H

#include <stdbool.h>
#include <sys/types.h>

#include "launch/cluster.h"
#include "launch/program.h"

/* The folders of the private cluster, and whose they are. */
enum { CLUSTER_SOCKETS = 80 }; /* "/.s.PGSQL.5432" follows; limit 107 */

struct cluster_data {
	char base[CLUSTER_PATH]; /* the owner's folder: */
	char data[CLUSTER_PATH]; /*   data */
	char log[CLUSTER_PATH];	 /*   postgresql.log */
	char bin[CLUSTER_PATH];	 /* folder of PostgreSQL's programs */
	char postgres[CLUSTER_PATH];
	char socket_link[CLUSTER_PATH];
	char sockets[CLUSTER_SOCKETS]; /* "" = not made */
	bool drop;		       /* we are root: run as .owner */
	struct program_owner owner;
	char user[64]; /* our own account */
};

MUST_USE bool cluster_data_prepare(struct cluster_data *d, const char *state,
				   struct err *e);
/* Remove the folder of the socket. */
void cluster_data_close(struct cluster_data *d);

/* Where the socket of the cluster that runs on state is. */
MUST_USE bool cluster_data_sockets(const char *state, char out[CLUSTER_SOCKETS],
				   struct err *e);

#endif
