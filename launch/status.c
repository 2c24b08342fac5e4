/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/command.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "common/attr.h"
#include "common/metrics.h"
#include "launch/place.h"
#include "launch/program.h"

static const char *const column[] = {"received", "spooled",   "sent", "acked",
				     "applied",	 "duplicate", "late", "lost",
				     "refused",	 "lag_s"};

/* NULL: it is not there, or speaks no JSON. */
static json_t *ask(const struct place *p, enum program program)
{
	struct err e;
	char *body = NULL;
	json_t *o;

	if (!metrics_fetch(p->metrics[program], "/status", 1000, &body, &e))
		return NULL;
	o = json_loads(body, 0, NULL);
	free(body);
	return o;
}

static void print_head(void)
{
	printf("%-10s", "process");
	for (size_t i = 0; i < ARRAY_LEN(column); i++)
		printf(" %9s", column[i]);
	printf("  clock\n");
}

static void print_row(const char *name, const json_t *o)
{
	const char *clock = json_string_value(json_object_get(o, "clock"));

	printf("%-10s", name);
	for (size_t i = 0; i < ARRAY_LEN(column); i++) {
		const json_t *v = json_object_get(o, column[i]);

		if (json_is_integer(v))
			printf(" %9lld", (long long)json_integer_value(v));
		else
			printf(" %9s", "-");
	}
	printf("  %s\n", clock ? clock : "-");
}

static int show(const struct place *p, bool as_json)
{
	int there = 0;

	for (int i = 0; i < PROGRAMS; i++) {
		json_t *o = ask(p, (enum program)i);

		if (as_json && o) {
			json_dumpf(o, stdout, JSON_COMPACT);
			putchar('\n');
		} else if (o) {
			if (there == 0)
				print_head();
			print_row(program_name((enum program)i), o);
		} else {
			fprintf(stderr, "tollwatch: %s: not running%s\n",
				program_name((enum program)i),
				i == PROGRAM_COLLECTOR
					? " (it leaves when a sample or "
					  "--calls is all read)"
					: "");
		}
		there += o != NULL;
		json_decref(o);
	}
	return there > 0 ? 0 : EXIT_AWAY;
}

int status_main(int argc, char **argv)
{
	static const struct option opts[] = {
		{"json", no_argument, NULL, 'j'},
		{"state", required_argument, NULL, 's'},
		{0},
	};
	const char *state = NULL;
	bool as_json = false;
	struct place p;
	struct err e;
	int c;

	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		if (c == 'j')
			as_json = true;
		else if (c == 's')
			state = optarg;
		else
			return EXIT_USAGE;
	}
	if (optind != argc) {
		fputs("usage: tollwatch status [--json] [--state DIR]\n",
		      stderr);
		return EXIT_USAGE;
	}
	if (!place_find(&p, state, &e) || !place_running(&p, &e)) {
		fprintf(stderr, "tollwatch: %s\n", e.text);
		return EXIT_AWAY;
	}
	return show(&p, as_json);
}
