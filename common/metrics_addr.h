/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_METRICS_ADDR_H
#define COMMON_METRICS_ADDR_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <netinet/in.h>

#include "common/err.h"

/* A listen address of metrics.h as a socket address: for its server and its
 * client only. */
struct metrics_addr {
	union {
		struct sockaddr sa;
		struct sockaddr_un un;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
	socklen_t len;
};

MUST_USE bool metrics_addr_parse(struct metrics_addr *a, const char *listen,
				 struct err *e);

#endif
