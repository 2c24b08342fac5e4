/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/command.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "common/attr.h"
#include "common/err.h"
#include "common/mem.h"
#include "launch/program.h"

/*
 * Each program knows its own section of the config; a fault in a shared one
 * is found by all and shown once.
 */
struct verdicts {
	json_t **item;
	size_t n;
	bool refused; /* by one at least, if only for a file it cannot read */
};

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static long number_of(const json_t *o, const char *key)
{
	return (long)json_integer_value(json_object_get(o, key));
}

static int compare(const void *x, const void *y)
{
	const json_t *a = *(json_t *const *)x;
	const json_t *b = *(json_t *const *)y;
	int by = strcmp(text_of(a, "file"), text_of(b, "file"));
	long line = number_of(a, "line") - number_of(b, "line");
	long col = number_of(a, "col") - number_of(b, "col");

	if (by != 0)
		return by;
	if (line != 0)
		return line < 0 ? -1 : 1;
	if (col != 0)
		return col < 0 ? -1 : 1;
	return strcmp(text_of(a, "message"), text_of(b, "message"));
}

static void sort_once(struct verdicts *v)
{
	size_t kept = 0;

	if (v->n > 1)
		qsort(v->item, v->n, sizeof(json_t *), compare);
	for (size_t i = 0; i < v->n; i++) {
		if (kept > 0 && compare(&v->item[kept - 1], &v->item[i]) == 0)
			json_decref(v->item[i]);
		else
			v->item[kept++] = v->item[i];
	}
	v->n = kept;
}

/* JSON Lines until the program closes its end. */
static bool read_verdicts(struct verdicts *v, int fd, struct err *e)
{
	FILE *f = fdopen(fd, "r");
	char *line = NULL;
	size_t cap = 0;
	bool ok = true;

	if (!f) {
		close(fd);
		return err_set(e, "pipe: %s", strerror(errno));
	}
	while (ok && getline(&line, &cap, f) > 0) {
		json_t *o = json_loads(line, 0, NULL);

		if (!json_is_object(o)) {
			json_decref(o);
			ok = err_set(e, "not JSON: %.80s", line);
			break;
		}
		v->item = xrealloc(v->item, v->n + 1, sizeof(json_t *));
		v->item[v->n++] = o;
	}
	free(line);
	fclose(f);
	return ok;
}

/* Ask one program; its exit code must be one of a verdict. */
static bool ask(struct verdicts *v, enum program p, const char *dir,
		struct err *e)
{
	char *const argv[] = {"check-config", "--json", (char *)dir, NULL};
	struct program_pipes io = {.in = -1, .out = -1};
	int fd[2], code;
	pid_t pid;
	bool ok;

	if (pipe2(fd, O_CLOEXEC) != 0)
		return err_set(e, "pipe: %s", strerror(errno));
	io.out = fd[1];
	ok = program_spawn(p, argv, &io, &pid, e);
	close(fd[1]);
	if (!ok) {
		close(fd[0]);
		return false;
	}
	ok = read_verdicts(v, fd[0], e);
	code = program_wait(pid);
	if (ok && code == EXIT_CONFIG)
		v->refused = true;
	else if (ok && code != 0)
		ok = err_set(e, "ended with %d", code);
	return ok || err_prefix(e, "%s", program_name(p));
}

/* The line of a file, NULL when it cannot be read; the caller frees it. */
static char *source_line(const char *dir, const char *file, long line)
{
	char path[1024];
	char *text = NULL;
	size_t cap = 0;
	FILE *f = fopen(file, "re");

	if (!f) {
		snprintf(path, sizeof(path), "%s/%s", dir, file);
		f = fopen(path, "re");
	}
	if (!f)
		return NULL;
	while (line > 0 && getline(&text, &cap, f) > 0)
		line--;
	fclose(f);
	if (line == 0 && text) {
		text[strcspn(text, "\r\n")] = '\0';
		return text;
	}
	free(text);
	return NULL;
}

/* Columns count characters; a caret stands under the first byte of one.  Tabs
 * are kept so that the caret lines up. */
static void print_caret(const char *line, long col)
{
	fputs("    ", stderr);
	for (const char *p = line; *p && col > 1; p++) {
		if (((unsigned char)*p & 0xc0) == 0x80)
			continue;
		fputc(*p == '\t' ? '\t' : ' ', stderr);
		col--;
	}
	fputs("^\n", stderr);
}

/* What follows a key that may hold a secret is not shown. */
static void hide_secret(char *line)
{
	static const char *const key[] = {"secret", "password", "token", "dsn"};

	for (size_t i = 0; i < ARRAY_LEN(key); i++) {
		char *at = strcasestr(line, key[i]);
		char *value = at ? strchr(at, ':') : NULL;

		for (char *p = value; p && *++p;)
			if (*p != ' ')
				*p = '*';
	}
}

static void print_text(const char *dir, const json_t *o)
{
	const char *severity = text_of(o, "severity");
	char *line = source_line(dir, text_of(o, "file"), number_of(o, "line"));

	fprintf(stderr, "%s:%ld:%ld: %s: %s\n", text_of(o, "file"),
		number_of(o, "line"), number_of(o, "col"),
		*severity ? severity : "error", text_of(o, "message"));
	if (line) {
		hide_secret(line);
		fprintf(stderr, "    %s\n", line);
		print_caret(line, number_of(o, "col"));
	}
	if (*text_of(o, "hint"))
		fprintf(stderr, "    hint: %s\n", text_of(o, "hint"));
	free(line);
}

static bool is_error(const json_t *o)
{
	return strcmp(text_of(o, "severity"), "warning") != 0;
}

int check_config(const char *dir, bool as_json)
{
	struct verdicts v = {0};
	struct err e;
	size_t errors = 0;
	int code = 0;

	for (int p = 0; p < PROGRAMS && code == 0; p++) {
		if (ask(&v, (enum program)p, dir, &e))
			continue;
		fprintf(stderr, "tollwatch: check-config: %s\n", e.text);
		code = EXIT_AWAY;
	}
	sort_once(&v);
	for (size_t i = 0; i < v.n; i++) {
		errors += is_error(v.item[i]);
		if (as_json) {
			json_dumpf(v.item[i], stdout, JSON_COMPACT);
			putchar('\n');
		} else {
			print_text(dir, v.item[i]);
		}
		json_decref(v.item[i]);
	}
	free(v.item);
	if (errors > 0 || (v.refused && code == 0))
		code = EXIT_CONFIG;
	return code;
}

int check_main(int argc, char **argv)
{
	static const struct option opts[] = {
		{"json", no_argument, NULL, 'j'},
		{"config", required_argument, NULL, 'c'},
		{0},
	};
	const char *dir = "config";
	bool as_json = false;
	int c, code;

	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		if (c == 'j')
			as_json = true;
		else if (c == 'c')
			dir = optarg;
		else
			return EXIT_USAGE;
	}
	if (optind + 1 == argc)
		dir = argv[optind++];
	if (optind != argc) {
		fputs("usage: tollwatch check-config [--json] [DIR]\n", stderr);
		return EXIT_USAGE;
	}
	code = check_config(dir, as_json);
	if (code == 0 && !as_json)
		printf("%s: ok\n", dir);
	return code;
}
