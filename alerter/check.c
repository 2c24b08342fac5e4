/* SPDX-License-Identifier: Apache-2.0 */
#include "alerter/check.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "alerter/config.h"

enum { EXIT_USAGE = 2, EXIT_CONFIG = 78 };

static bool use_colour(void)
{
	return isatty(STDERR_FILENO) && !getenv("NO_COLOR");
}

static int check(const char *dir, bool json)
{
	struct err e = {""};
	struct conf *c = NULL;
	struct alerter_conf *a = alerter_conf_load(dir, false, &c, &e);
	int code = a ? 0 : EXIT_CONFIG;

	if (!c) {
		fprintf(stderr, "check-config: %s\n", e.text);
		return EXIT_CONFIG;
	}
	conf_report(c, json ? stdout : stderr, json, !json && use_colour());
	if (a)
		alerter_conf_free(a); /* and c, which it owns */
	else
		conf_free(c);
	return code;
}

int document_config_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	alerter_document(stdout);
	return EXIT_SUCCESS;
}

int check_config_main(int argc, char **argv)
{
	static const struct option opts[] = {{"json", no_argument, NULL, 'j'},
					     {0}};
	bool json = false;
	int o;

	while ((o = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		if (o != 'j') {
			fputs("usage: check-config [--json] [DIR]\n", stderr);
			return EXIT_USAGE;
		}
		json = true;
	}
	if (argc - optind > 1) {
		fputs("usage: check-config [--json] [DIR]\n", stderr);
		return EXIT_USAGE;
	}
	return check(optind < argc ? argv[optind] : "config", json);
}
