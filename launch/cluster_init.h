/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAUNCH_CLUSTER_INIT_H
#define LAUNCH_CLUSTER_INIT_H

#include "launch/cluster_data.h"

/* Where PostgreSQL's programs are: of the version that made the data, else
 * the newest. */
MUST_USE bool cluster_find_programs(struct cluster_data *d, struct err *e);

/* As the owner of the data: make them if there are none, stop or forget a
 * postmaster of an earlier run, say who may connect. */
MUST_USE bool cluster_init(const struct cluster_data *d, struct err *e);

#endif
