/* SPDX-License-Identifier: Apache-2.0 */
/* tollwatch: what people type.  A command is done here, or handed to the
 * program that knows. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/attr.h"
#include "common/conf.h"
#include "launch/command.h"
#include "launch/night.h"
#include "launch/program.h"

static const char version[] = "0.1.0";

static int version_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	printf("tollwatch %s\n", version);
	return 0;
}

static int decode_main(int argc, char **argv)
{
	(void)argc;
	return program_exec(PROGRAM_COLLECTOR, argv);
}

static int analyzer_main(int argc, char **argv)
{
	(void)argc;
	return program_exec(PROGRAM_ANALYZER, argv);
}

static int alerter_main(int argc, char **argv)
{
	(void)argc;
	return program_exec(PROGRAM_ALERTER, argv);
}

static int help_main(int argc, char **argv);

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
	const char *doc;
} command[] = {
	/* clang-format off */
	{"run", run_main, "start a site here; the example plays a sample night"},
	{"decode", decode_main, "capture or call records to events"},
	{"check-config", check_main, "find every fault of a config folder"},
	{"explain", analyzer_main, "why an account counts as open or closed at an instant"},
	{"why", why_main, "recount a finding from the archive"},
	{"backtest", backtest_main, "what would have been found in old calls"},
	{"incidents", incidents_main, "what is open now, and what it costs"},
	{"show", show_main, "one incident: findings, pages, who did what"},
	{"ack", ack_main, "I have it: stop paging"},
	{"escalate", escalate_main, "tell the next person now"},
	{"resolve", resolve_main, "close an incident with a verdict"},
	{"page-test", page_test_main, "send a test page to a person"},
	{"reload", reload_main, "take the config folder into use"},
	{"status", status_main, "counters of a running site"},
	{"db", db_main, "bring the database's schema up to date, or say whether it is"},
	{"audit", audit_main, "sign and verify the log of who saw what, or read it"},
	{"oncall", alerter_main, "who is on call, until when, and who is told next"},
	{"night", night_main, "write the sample night's files"},
	{"version", version_main, "print the version"},
	{"help", help_main, "this"},
	/* clang-format on */
};

static int help_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	printf("usage: tollwatch COMMAND ...\n\n");
	for (size_t i = 0; i < ARRAY_LEN(command); i++)
		printf("  %-13s %s\n", command[i].name, command[i].doc);
	return 0;
}

int night_main(int argc, char **argv)
{
	static const struct option opts[] = {
		{"out", required_argument, NULL, 'o'},
		{"config", required_argument, NULL, 'c'},
		{"seed", required_argument, NULL, 's'},
		{0},
	};
	struct night_opts o = {.config = "config", .seed = NIGHT_SEED};
	struct night_summary sum;
	struct err e;
	bool ok = true;
	int c;

	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		if (c == 'o')
			o.out = optarg;
		else if (c == 'c')
			o.config = optarg;
		else if (c == 's')
			ok = ok && sv_u64(sv_of(optarg), &o.seed);
		else
			ok = false;
	}
	if (!ok || optind != argc || !o.out) {
		fputs("usage: tollwatch night --out DIR [--config DIR] "
		      "[--seed N]\n",
		      stderr);
		return EXIT_USAGE;
	}
	if (!night_write(&o, &sum, &e)) {
		fprintf(stderr, "tollwatch: night: %s\n", e.text);
		return 1;
	}
	printf("history.csv %zu calls, night.csv and night.pcap %zu calls: "
	       "burst %zu on %s, drip %zu on %s\n",
	       sum.history, sum.night, sum.burst, sum.burst_account, sum.drip,
	       sum.drip_account);
	return 0;
}

static int unknown(const char *name)
{
	const char *names[ARRAY_LEN(command)];
	const char *near;

	for (size_t i = 0; i < ARRAY_LEN(command); i++)
		names[i] = command[i].name;
	near = conf_nearest(sv_of(name), names, ARRAY_LEN(names));
	if (near)
		fprintf(stderr,
			"tollwatch: no command '%s'; did you mean '%s'?\n",
			name, near);
	else
		fprintf(stderr, "tollwatch: no command '%s'; try help\n", name);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	const char *name = argc >= 2 ? argv[1] : "";

	if (argc < 2) {
		help_main(0, NULL);
		return EXIT_USAGE;
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		name = "help";
	if (strcmp(name, "--version") == 0)
		name = "version";
	for (size_t i = 0; i < ARRAY_LEN(command); i++)
		if (strcmp(name, command[i].name) == 0)
			return command[i].main(argc - 1, argv + 1);
	return unknown(name);
}
