/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAUNCH_RUN_H
#define LAUNCH_RUN_H

#include <stdbool.h>
#include <stdint.h>

/* A whole site in one terminal; see run.c. */
struct run_opts {
	const char *config;
	const char *state;
	bool as_json;	/* findings as JSON Lines on stdout, the rest to
			  * stderr */
	bool until_end; /* leave when a feed is over */
	const char *calls;
	const char *as;
	int64_t run_for_us; /* 0 = no end */
};

/* Until it is stopped; the exit code. */
int run_site(const struct run_opts *o);

#endif
