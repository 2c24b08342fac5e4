/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/config.h"
#include "collector/decode.h"
#include "collector/run.h"
#include "common/log.h"

enum { EXIT_USAGE = 2, EXIT_CONFIG = 78 };

static const char usage[] =
	"usage: tollwatch-collector run --config DIR --state DIR\n"
	"           [--connect ENDPOINT] [--metrics LISTEN] [--until-end]\n"
	"           [--calls FILE [--as FORMAT]]\n"
	"       tollwatch-collector check-config [--json] DIR\n"
	"       tollwatch-collector decode [--config DIR] [--as FORMAT]\n"
	"           [--source NAME] [--calls] [--json] [--wire] [--live]\n"
	"           [--stats] [SOURCE=]FILE...\n";

/* DIR/tollwatch.yaml, or DIR itself when it is a file. */
static void config_path(const char *dir, char *out, size_t size)
{
	snprintf(out, size, "%s/tollwatch.yaml", dir);
	if (access(out, F_OK) != 0 && access(dir, R_OK) == 0 &&
	    strstr(dir, ".yaml"))
		snprintf(out, size, "%s", dir);
}

/* NULL: the errors were said. */
static struct collector_conf *load(const char *dir)
{
	struct collector_conf *k;
	struct conf *c;
	struct err e;
	char path[512];

	config_path(dir, path, sizeof(path));
	k = collector_conf_load(path, &c, &e);
	if (k)
		return k;
	if (c)
		conf_report(c, stderr, false, isatty(STDERR_FILENO));
	else
		fprintf(stderr, "%s\n", e.text);
	conf_free(c);
	return NULL;
}

static int check_config(int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL,
						 'j'},
						{0}};
	struct collector_conf *k;
	struct conf *c;
	struct err e;
	char path[512];
	bool json = false;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt != 'j')
			return EXIT_USAGE;
		json = true;
	}
	if (argc - optind != 1) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	config_path(argv[optind], path, sizeof(path));
	k = collector_conf_load(path, &c, &e);
	if (!c) {
		fprintf(stderr, "%s\n", e.text);
		return EXIT_CONFIG;
	}
	conf_report(c, json ? stdout : stderr, json, isatty(STDERR_FILENO));
	if (!k) {
		conf_free(c);
		return EXIT_CONFIG;
	}
	collector_conf_free(k);
	return EXIT_SUCCESS;
}

/* Hidden: the table of docs/configuration.md. */
static int document_config(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	collector_conf_document(stdout);
	return EXIT_SUCCESS;
}

enum {
	OPT_CONFIG = 1,
	OPT_AS,
	OPT_SOURCE,
	OPT_CALLS,
	OPT_JSON,
	OPT_WIRE,
	OPT_LIVE,
	OPT_STATS,
	OPT_STATE,
	OPT_CONNECT,
	OPT_METRICS,
	OPT_UNTIL,
	OPT_FILE
};

static bool decode_options(int argc, char **argv, struct decode_opts *o,
			   const char **config)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, OPT_CONFIG},
		{"as", required_argument, NULL, OPT_AS},
		{"source", required_argument, NULL, OPT_SOURCE},
		{"calls", no_argument, NULL, OPT_CALLS},
		{"json", no_argument, NULL, OPT_JSON},
		{"wire", no_argument, NULL, OPT_WIRE},
		{"live", no_argument, NULL, OPT_LIVE},
		{"stats", no_argument, NULL, OPT_STATS},
		{0}};
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == OPT_CONFIG)
			*config = optarg;
		else if (opt == OPT_AS)
			o->as = optarg;
		else if (opt == OPT_SOURCE)
			o->source = optarg;
		else if (opt == OPT_CALLS)
			o->calls = true;
		else if (opt == OPT_JSON)
			o->json = true;
		else if (opt == OPT_WIRE)
			o->wire = true;
		else if (opt == OPT_LIVE)
			o->live = true;
		else if (opt == OPT_STATS)
			o->stats = true;
		else
			return false;
	}
	o->files = argv + optind;
	o->n_files = argc - optind;
	return o->n_files > 0;
}

static int decode_files(int argc, char **argv)
{
	struct decode_opts o = {0};
	struct collector_conf *k = NULL;
	const char *config = NULL;
	struct err e;
	bool ok;

	if (!decode_options(argc, argv, &o, &config)) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (config) {
		k = load(config);
		if (!k)
			return EXIT_CONFIG;
		o.conf = k;
	}
	ok = decode(&o, &e);
	if (!ok)
		fprintf(stderr, "decode: %s\n", e.text);
	collector_conf_free(k);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run_collector(int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, OPT_CONFIG},
		{"state", required_argument, NULL, OPT_STATE},
		{"connect", required_argument, NULL, OPT_CONNECT},
		{"metrics", required_argument, NULL, OPT_METRICS},
		{"until-end", no_argument, NULL, OPT_UNTIL},
		{"calls", required_argument, NULL, OPT_FILE},
		{"as", required_argument, NULL, OPT_AS},
		{0}};
	struct run_opts o = {.load = load};
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == OPT_CONFIG)
			o.config = optarg;
		else if (opt == OPT_STATE)
			o.state = optarg;
		else if (opt == OPT_CONNECT)
			o.connect = optarg;
		else if (opt == OPT_METRICS)
			o.metrics = optarg;
		else if (opt == OPT_FILE)
			o.calls = optarg;
		else if (opt == OPT_AS)
			o.as = optarg;
		else if (opt == OPT_UNTIL)
			o.until_end = true;
		else
			return EXIT_USAGE;
	}
	if (!o.config || !o.state || optind != argc) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	return run(&o);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*fn)(int argc, char **argv);
	} command[] = {{"run", run_collector},
		       {"check-config", check_config},
		       {"document-config", document_config},
		       {"decode", decode_files}};

	log_open("collector", LOG_INFO);
	for (size_t i = 0; argc > 1 && i < ARRAY_LEN(command); i++)
		if (strcmp(argv[1], command[i].name) == 0)
			return command[i].fn(argc - 1, argv + 1);
	fputs(usage, stderr);
	return EXIT_USAGE;
}
