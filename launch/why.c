/* SPDX-License-Identifier: Apache-2.0 */
/* tollwatch why: the analyzer recounts; here is found which archive. */
#include "launch/command.h"

#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "launch/place.h"
#include "launch/program.h"

/* The folder of a site as `run` has it, or that of an analyzer alone. */
static bool archive_of(struct place *p, const char *state, struct err *e)
{
	char path[PLACE_PATH + 16];

	if (!place_find(p, state, e))
		return false;
	snprintf(path, sizeof(path), "%s/archive", p->state);
	if (access(path, F_OK) == 0)
		snprintf(p->analyzer, sizeof(p->analyzer), "%s", p->state);
	snprintf(path, sizeof(path), "%s/archive", p->analyzer);
	return access(path, F_OK) == 0 ||
	       err_set(e,
		       "%s: nothing has run there; name the folder with "
		       "--state",
		       p->state);
}

static int usage(void)
{
	fputs("usage: tollwatch why [--config DIR] [--state DIR] [--json] "
	      "FINDING\n",
	      stderr);
	return EXIT_USAGE;
}

int why_main(int argc, char **argv)
{
	static const struct option opts[] = {
		{"config", required_argument, NULL, 'c'},
		{"state", required_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{0},
	};
	char *args[] = {"why", "--config", "config", "--state", NULL,
			"--",  NULL,	   NULL,     NULL};
	const char *state = NULL;
	bool as_json = false;
	struct place p;
	struct err e;
	int c;

	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		if (c == 'c')
			args[2] = optarg;
		else if (c == 's')
			state = optarg;
		else if (c == 'j')
			as_json = true;
		else
			return usage();
	}
	if (argc - optind != 1)
		return usage();
	if (!archive_of(&p, state, &e)) {
		fprintf(stderr, "tollwatch: why: %s\n", e.text);
		return 1;
	}
	args[4] = p.analyzer;
	if (as_json) {
		args[5] = "--json";
		args[6] = "--";
	}
	args[as_json ? 7 : 6] = argv[optind];
	return program_exec(PROGRAM_ANALYZER, args);
}
