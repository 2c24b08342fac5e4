/* SPDX-License-Identifier: Apache-2.0 */
/* tollwatch reload: check first, then tell the launcher, which tells the
 * programs; each keeps its old config when it does not like the new one. */
#include "launch/command.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "launch/place.h"
#include "launch/program.h"

int reload_main(int argc, char **argv)
{
	static const struct option opts[] = {
		{"config", required_argument, NULL, 'c'},
		{"state", required_argument, NULL, 's'},
		{0},
	};
	const char *config = "config", *state = NULL;
	struct place p;
	struct err e;
	int c, pid, code;

	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		if (c == 'c')
			config = optarg;
		else if (c == 's')
			state = optarg;
		else
			return EXIT_USAGE;
	}
	if (optind != argc) {
		fputs("usage: tollwatch reload [--config DIR] [--state DIR]\n",
		      stderr);
		return EXIT_USAGE;
	}
	code = check_config(config, false);
	if (code != 0) {
		fputs("tollwatch: reload: the old config stays\n", stderr);
		return code;
	}
	if (!place_find(&p, state, &e)) {
		fprintf(stderr, "tollwatch: %s\n", e.text);
		return 1;
	}
	pid = place_holder(&p);
	if (pid <= 1) {
		fprintf(stderr, "tollwatch: nothing runs on %s\n", p.state);
		return EXIT_AWAY;
	}
	if (kill(pid, SIGHUP) != 0) {
		fprintf(stderr, "tollwatch: reload: %s\n", strerror(errno));
		return 1;
	}
	printf("reload asked for; each program says in its log what came of "
	       "it\n");
	return 0;
}
