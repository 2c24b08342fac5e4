/* SPDX-License-Identifier: Apache-2.0 */
/* tollwatch run: the command line. */
#include "launch/command.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "launch/program.h"
#include "launch/run.h"

/* "60s", "2m", "1h". */
static bool parse_span(const char *text, int64_t *us)
{
	struct sv s = sv_of(text);
	uint32_t n;
	int64_t unit;

	if (s.n < 2)
		return false;
	switch (s.p[s.n - 1]) {
	case 's':
		unit = SEC_US;
		break;
	case 'm':
		unit = MIN_US;
		break;
	case 'h':
		unit = HOUR_US;
		break;
	default:
		return false;
	}
	s.n--;
	if (!sv_u32(s, &n) || n == 0)
		return false;
	*us = n * unit;
	return true;
}

static bool parse(int argc, char **argv, struct run_opts *o)
{
	static const struct option opts[] = {
		{"config", required_argument, NULL, 'c'},
		{"state", required_argument, NULL, 's'},
		{"calls", required_argument, NULL, 'f'},
		{"as", required_argument, NULL, 'a'},
		{"json", no_argument, NULL, 'j'},
		{"until-end", no_argument, NULL, 'u'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case 's':
			o->state = optarg;
			break;
		case 'f':
			o->calls = optarg;
			break;
		case 'a':
			o->as = optarg;
			break;
		case 'j':
			o->as_json = true;
			break;
		case 'u':
			o->until_end = true;
			break;
		default:
			return false;
		}
	}
	return optind == argc && (!o->as || o->calls);
}

int run_main(int argc, char **argv)
{
	struct run_opts o = {.config = "config"};
	const char *span = getenv("TOLLWATCH_RUN_FOR");

	if (!parse(argc, argv, &o)) {
		fputs("usage: tollwatch run [--config DIR] [--state DIR] "
		      "[--calls FILE [--as FORMAT]]\n"
		      "       [--until-end] [--json]\n",
		      stderr);
		return EXIT_USAGE;
	}
	if (span && *span && !parse_span(span, &o.run_for_us)) {
		fprintf(stderr,
			"tollwatch: TOLLWATCH_RUN_FOR: want 60s, 2m "
			"or 1h, got '%s'\n",
			span);
		return EXIT_USAGE;
	}
	log_open("tollwatch", LOG_INFO);
	return run_site(&o);
}
