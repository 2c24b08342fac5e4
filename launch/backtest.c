/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/command.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "common/err.h"
#include "common/mem.h"
#include "launch/program.h"

/*
 * backtest = `collector decode --wire FILE...` | `analyzer backtest -`: the
 * rules see the same batches as they do live.  An archive folder holds
 * batches already and goes to the analyzer alone.
 */
struct backtest {
	const char *config;
	const char *against;
	const char *as;
	const char *summary;
	bool live;
	bool as_json;
	char **file; /* ends with NULL */
	size_t n_files;
};

static bool is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

struct args {
	char **v;
	size_t n;
};

static void arg(struct args *a, const char *text)
{
	a->v = xrealloc(a->v, a->n + 2, sizeof(*a->v));
	a->v[a->n++] = (char *)text;
	a->v[a->n] = NULL;
}

static void arg_value(struct args *a, const char *option, const char *value)
{
	if (!value)
		return;
	arg(a, option);
	arg(a, value);
}

static struct args decode_args(const struct backtest *b, const char *config)
{
	struct args a = {0};

	arg(&a, "decode");
	arg(&a, "--wire");
	arg_value(&a, "--config", config);
	arg_value(&a, "--as", b->as);
	if (b->live)
		arg(&a, "--live");
	arg(&a, "--");
	for (size_t i = 0; i < b->n_files; i++)
		arg(&a, b->file[i]);
	return a;
}

static struct args judge_args(const struct backtest *b, const char *config,
			      bool as_json, const char *source)
{
	struct args a = {0};

	arg(&a, "backtest");
	arg_value(&a, "--config", config);
	if (as_json)
		arg(&a, "--json");
	arg_value(&a, "--summary", config == b->config ? b->summary : NULL);
	arg(&a, source);
	return a;
}

/* Start a program with these pipe ends, which are closed here. */
static bool start(enum program p, struct args a, int in, int out, pid_t *pid,
		  struct err *e)
{
	const struct program_pipes io = {.in = in, .out = out};
	bool ok = program_spawn(p, a.v, &io, pid, e);

	free(a.v);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return ok;
}

/* A decoder that is killed by the pipe's end has done nothing wrong: the
 * analyzer's own code says why it stopped reading. */
static int both(int decoder, int judge)
{
	return judge != 0 ? judge : decoder;
}

/* Replay under one config; out: where findings go, -1 = stdout. */
static bool replay(const struct backtest *b, const char *config, bool as_json,
		   int out, int *code, struct err *e)
{
	bool archive = b->n_files == 1 && is_dir(b->file[0]);
	pid_t decoder = 0, judge = 0;
	int fd[2] = {-1, -1};
	bool ok = true;

	if (!archive) {
		if (pipe2(fd, O_CLOEXEC) != 0)
			return err_set(e, "pipe: %s", strerror(errno));
		ok = start(PROGRAM_COLLECTOR, decode_args(b, config), -1, fd[1],
			   &decoder, e);
	}
	if (ok)
		ok = start(PROGRAM_ANALYZER,
			   judge_args(b, config, as_json,
				      archive ? b->file[0] : "-"),
			   fd[0], out, &judge, e);
	else if (fd[0] >= 0)
		close(fd[0]);
	*code = both(decoder > 0 ? program_wait(decoder) : 0,
		     judge > 0 ? program_wait(judge) : 0);
	return ok;
}

/* ---- --against ---- */

struct found {
	char **line; /* sorted */
	size_t n;
};

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "-";
}

/* What a finding is, without its numbers: those move with any limit. */
static char *name_of(const char *json)
{
	json_t *o = json_loads(json, 0, NULL);
	char *name = NULL;

	if (asprintf(&name, "%s %s %s %s %s", text_of(o, "time"),
		     text_of(o, "severity"), text_of(o, "rule"),
		     text_of(o, "name"), text_of(o, "key")) < 0)
		abort();
	json_decref(o);
	return name;
}

static int by_text(const void *x, const void *y)
{
	return strcmp(*(char *const *)x, *(char *const *)y);
}

static void read_found(struct found *f, FILE *in)
{
	char *line = NULL;
	size_t cap = 0;

	rewind(in);
	while (getline(&line, &cap, in) > 0) {
		f->line = xrealloc(f->line, f->n + 1, sizeof(*f->line));
		f->line[f->n++] = name_of(line);
	}
	free(line);
	if (f->n > 1)
		qsort(f->line, f->n, sizeof(*f->line), by_text);
}

/* "-" only with the first config, "+" only with the second. */
static void print_difference(const struct found *a, const struct found *b)
{
	size_t i = 0, k = 0, same = 0, gone = 0, added = 0;

	while (i < a->n || k < b->n) {
		int by = i == a->n   ? 1
			 : k == b->n ? -1
				     : strcmp(a->line[i], b->line[k]);

		if (by == 0) {
			same++;
			i++;
			k++;
		} else if (by < 0) {
			gone++;
			printf("- %s\n", a->line[i++]);
		} else {
			added++;
			printf("+ %s\n", b->line[k++]);
		}
	}
	fprintf(stderr, "%zu the same, %zu gone, %zu new\n", same, gone, added);
}

static void free_found(struct found *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->line[i]);
	free(f->line);
}

static int compare(const struct backtest *b, struct err *e)
{
	const char *config[] = {b->config, b->against};
	struct found found[2] = {{0}, {0}};
	int code = 0;

	for (int i = 0; i < 2 && code == 0; i++) {
		FILE *f = tmpfile();
		int out = f ? fcntl(fileno(f), F_DUPFD_CLOEXEC, 3) : -1;

		if (!f || out < 0) {
			err_set(e, "temporary file: %s", strerror(errno));
			code = 1;
		} else if (!replay(b, config[i], true, out, &code, e)) {
			code = EXIT_AWAY;
		} else {
			read_found(&found[i], f);
		}
		if (f)
			fclose(f);
	}
	if (code == 0)
		print_difference(&found[0], &found[1]);
	free_found(&found[0]);
	free_found(&found[1]);
	return code;
}

static bool parse(int argc, char **argv, struct backtest *b)
{
	static const struct option opts[] = {
		{"config", required_argument, NULL, 'c'},
		{"against", required_argument, NULL, 'a'},
		{"as", required_argument, NULL, 'f'},
		{"summary", required_argument, NULL, 's'},
		{"live", no_argument, NULL, 'l'},
		{"json", no_argument, NULL, 'j'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		switch (c) {
		case 'c':
			b->config = optarg;
			break;
		case 'a':
			b->against = optarg;
			break;
		case 'f':
			b->as = optarg;
			break;
		case 's':
			b->summary = optarg;
			break;
		case 'l':
			b->live = true;
			break;
		case 'j':
			b->as_json = true;
			break;
		default:
			return false;
		}
	}
	b->file = argv + optind;
	b->n_files = (size_t)(argc - optind);
	return b->n_files > 0;
}

int backtest_main(int argc, char **argv)
{
	struct backtest b = {.config = "config"};
	struct err e = {0};
	int code = 0;

	if (!parse(argc, argv, &b)) {
		fputs("usage: tollwatch backtest [--config DIR] "
		      "[--against DIR] [--as FORMAT] [--live] "
		      "[--summary FILE] [--json] FILE...\n",
		      stderr);
		return EXIT_USAGE;
	}
	if (b.against)
		code = compare(&b, &e);
	else if (!replay(&b, b.config, b.as_json, -1, &code, &e))
		code = EXIT_AWAY;
	if (e.text[0])
		fprintf(stderr, "tollwatch: backtest: %s\n", e.text);
	return code;
}
