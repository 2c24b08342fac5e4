/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_ALERTER_SITE_H
#define TEST_ALERTER_SITE_H

/* A config folder of one test: files written by name (which must outlive
 * it), errors read back. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/attr.h"
#include "common/conf.h"

struct site {
	char dir[64];
	const char *file[24]; /* names */
	unsigned n;
	struct conf *c;
	char *report;
};

static inline void site_begin(struct site *s)
{
	memset(s, 0, sizeof(*s));
	snprintf(s->dir, sizeof(s->dir), "/tmp/tollwatch-site.XXXXXX");
	assert_non_null(mkdtemp(s->dir));
}

static inline void site_write(struct site *s, const char *name,
			      const char *text)
{
	char path[128];
	FILE *f;

	assert_true(s->n < ARRAY_LEN(s->file));
	s->file[s->n++] = name;
	snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* Load dir/tollwatch.yaml, written before. */
static inline void site_load(struct site *s)
{
	struct err e;

	if (!conf_load(&s->c, s->dir, &e))
		fail_msg("%s", e.text);
}

/* All errors and warnings so far as JSON Lines. */
static inline const char *site_report(struct site *s)
{
	size_t n;
	FILE *f = open_memstream(&s->report, &n);

	conf_report(s->c, f, true, false);
	fclose(f);
	return s->report;
}

static inline void site_want(struct site *s, const char *part)
{
	free(s->report);
	if (!strstr(site_report(s), part))
		fail_msg("no '%s' in:\n%s", part, s->report);
}

static inline void site_end(struct site *s)
{
	char path[128];

	conf_free(s->c);
	free(s->report);
	while (s->n) {
		snprintf(path, sizeof(path), "%s/%s", s->dir, s->file[--s->n]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/holidays", s->dir);
	rmdir(path);
	rmdir(s->dir);
}

#endif
