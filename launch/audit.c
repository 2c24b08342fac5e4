/* SPDX-License-Identifier: Apache-2.0 */
/* tollwatch audit key|checkpoint|verify|export */
#include "launch/audit.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/attr.h"
#include "launch/command.h"
#include "launch/minisign.h"
#include "launch/pg.h"
#include "launch/place.h"
#include "launch/program.h"

char *audit_dsn(const struct audit_opts *o, const char *role, struct err *e)
{
	return pg_find_dsn(&(struct pg_where){.dsn = o->dsn,
					      .config = o->config,
					      .state = o->state,
					      .role = role,
					      .role_always = true},
			   e);
}

int audit_key(const struct audit_opts *o)
{
	char path[PLACE_PATH], id[17];
	struct minisign_public p;
	struct err e;
	bool ok = (size_t)snprintf(path, sizeof(path), "%s/checkpoint",
				   o->out) < sizeof(path) - 8 ||
		  err_set(&e, "%s: name too long", o->out);

	if (ok && mkdir(o->out, 0700) != 0 && errno != EEXIST)
		ok = err_set(&e, "%s: %s", o->out, strerror(errno));
	ok = ok && minisign_make(path, &e);
	if (ok) {
		snprintf(path, sizeof(path), "%s/checkpoint.pub", o->out);
		ok = minisign_load_public(&p, path, &e);
	}
	if (!ok) {
		fprintf(stderr, "tollwatch: audit: %s\n", e.text);
		return 1;
	}
	minisign_id_text(&p, id);
	printf("key %s: %s/checkpoint.key signs and stays here, "
	       "%s/checkpoint.pub goes to the auditor\n",
	       id, o->out, o->out);
	return 0;
}

static bool add(const char **list, size_t *n, const char *item)
{
	if (*n == AUDIT_PLACES)
		return false;
	list[(*n)++] = item;
	return true;
}

static bool set_option(struct audit_opts *o, int c, const char *value)
{
	switch (c) {
	case 'd':
		o->dsn = value;
		return true;
	case 'c':
		o->config = value;
		return true;
	case 's':
		o->state = value;
		return true;
	case 'k':
		o->key = value;
		return true;
	case 'p':
		o->pub = value;
		return true;
	case 'o':
		o->out = value;
		return true;
	case 'f':
		o->from = value;
		return true;
	case 'R':
		o->reason = value;
		return true;
	case 'r':
		o->rows = value;
		return true;
	case 'S':
		o->save = value;
		return true;
	case 't':
		return add(o->to, &o->places, value);
	case 'C':
		return add(o->checkpoints, &o->folders, value);
	case '1':
		return o->one_place = true;
	case 'j':
		return o->as_json = true;
	case 'v':
		return o->as_csv = true;
	default:
		return false;
	}
}

static bool parse(int argc, char **argv, struct audit_opts *o)
{
	static const struct option opts[] = {
		{"dsn", required_argument, NULL, 'd'},
		{"config", required_argument, NULL, 'c'},
		{"state", required_argument, NULL, 's'},
		{"key", required_argument, NULL, 'k'},
		{"pub", required_argument, NULL, 'p'},
		{"out", required_argument, NULL, 'o'},
		{"from", required_argument, NULL, 'f'},
		{"to", required_argument, NULL, 't'},
		{"reason", required_argument, NULL, 'R'},
		{"rows", required_argument, NULL, 'r'},
		{"save", required_argument, NULL, 'S'},
		{"checkpoints", required_argument, NULL, 'C'},
		{"one-place", no_argument, NULL, '1'},
		{"json", no_argument, NULL, 'j'},
		{"csv", no_argument, NULL, 'v'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1)
		if (!set_option(o, c, optarg))
			return false;
	return optind == argc;
}

static bool key_ready(const struct audit_opts *o)
{
	return o->out != NULL;
}

static bool checkpoint_ready(const struct audit_opts *o)
{
	return o->key && o->places >= 1 && (o->places >= 2 || o->one_place);
}

static bool verify_ready(const struct audit_opts *o)
{
	return o->pub && o->folders >= 1 && !(o->rows && (o->dsn || o->save));
}

static bool export_ready(const struct audit_opts *o)
{
	return o->from && o->places == 1 && o->reason &&
	       !(o->as_json && o->as_csv);
}

static const struct {
	const char *name;
	bool (*ready)(const struct audit_opts *o);
	int (*run)(const struct audit_opts *o);
	const char *usage;
} verb[] = {
	{"key", key_ready, audit_key, "--out DIR"},
	{"checkpoint", checkpoint_ready, audit_checkpoint,
	 "--key FILE --to DIR --to DIR [--one-place] [--dsn DSN]"},
	{"verify", verify_ready, audit_verify,
	 "--pub FILE --checkpoints DIR [--checkpoints DIR] [--dsn DSN] "
	 "[--save FILE | --rows FILE] [--json]"},
	{"export", export_ready, audit_export,
	 "--from TIME --to TIME --reason TEXT [--json|--csv] [--dsn DSN]"},
};

static int usage(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(verb); i++)
		if (!name || strcmp(name, verb[i].name) == 0)
			fprintf(stderr, "usage: tollwatch audit %s %s\n",
				verb[i].name, verb[i].usage);
	return EXIT_USAGE;
}

int audit_main(int argc, char **argv)
{
	struct audit_opts o = {.config = "config"};

	for (size_t i = 0; argc >= 2 && i < ARRAY_LEN(verb); i++) {
		if (strcmp(argv[1], verb[i].name) != 0)
			continue;
		if (!parse(argc - 1, argv + 1, &o) || !verb[i].ready(&o))
			return usage(verb[i].name);
		return verb[i].run(&o);
	}
	return usage(NULL);
}
