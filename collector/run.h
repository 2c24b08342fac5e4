/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COLLECTOR_RUN_H
#define COLLECTOR_RUN_H

#include "collector/config.h"

/* "run": sources into the spool, the spool to the analyzer, until SIGTERM, or
 * with until_end until all is read and acknowledged. */
struct run_opts {
	const char *config;  /* folder, for reload too */
	const char *state;   /* folder of spool, offsets, rejects */
	const char *connect; /* NULL: as configured */
	const char *metrics; /* NULL: as configured */
	const char *calls;   /* this file instead of the sources; NULL ok */
	const char *as;	     /* its format; NULL: pcap, or as configured */
	bool until_end;
	/* Load a folder, saying its errors; also for the reload. */
	struct collector_conf *(*load)(const char *dir);
};

/* Exit code of the process. */
int run(const struct run_opts *o);

#endif
