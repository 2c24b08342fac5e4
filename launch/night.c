/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/night.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/attr.h"
#include "common/mem.h"
#include "common/sv.h"

struct night_call *night_add(struct night_calls *c)
{
	struct night_call *n;

	if (c->n == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 1024;
		c->call = xrealloc(c->call, c->cap, sizeof(*c->call));
	}
	n = &c->call[c->n];
	memset(n, 0, sizeof(*n));
	n->serial = ++c->n;
	return n;
}

static int by_setup(const void *x, const void *y)
{
	const struct night_call *a = x;
	const struct night_call *b = y;

	if (a->setup_us != b->setup_us)
		return a->setup_us < b->setup_us ? -1 : 1;
	return a->serial < b->serial ? -1 : a->serial > b->serial;
}

/* The account of this name, else the first of the segment, else any that is
 * not `other`: a site of one's own has other names. */
static const struct night_account *victim(const struct night_site *s,
					  const char *name, const char *segment,
					  const struct night_account *other)
{
	const struct night_account *a = s->account;

	for (size_t i = 0; i < s->n_accounts; i++)
		if (strcmp(a[i].name, name) == 0 && &a[i] != other)
			return &a[i];
	for (size_t i = 0; i < s->n_accounts; i++)
		if (strcmp(a[i].segment, segment) == 0 && &a[i] != other)
			return &a[i];
	return other == a ? a + 1 : a;
}

typedef void write_fn(const struct night_calls *c, FILE *out);

/* Write beside the file, then rename: a reader never meets half of it. */
static bool write_file(const char *dir, const char *name,
		       const struct night_calls *c, write_fn *fn, struct err *e)
{
	char path[512], temp[520];
	FILE *f;
	bool ok;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >=
	    sizeof(path))
		return err_set(e, "%s: name too long", dir);
	snprintf(temp, sizeof(temp), "%s.part", path);
	f = fopen(temp, "we");
	if (f == NULL)
		return err_set(e, "%s: %s", temp, strerror(errno));
	fn(c, f);
	ok = !ferror(f);
	if (fclose(f) != 0 || !ok || rename(temp, path) != 0) {
		err_set(e, "%s: %s", path, strerror(errno));
		unlink(temp);
		return false;
	}
	return true;
}

static bool write_all(const struct night_opts *o, struct night_calls *c,
		      struct night_summary *sum, struct err *e)
{
	struct night_calls history = *c;
	struct night_calls night;

	qsort(c->call, c->n, sizeof(*c->call), by_setup);
	history.n = 0;
	while (history.n < c->n && c->call[history.n].setup_us < NIGHT_START_US)
		history.n++;
	night.call = c->call + history.n;
	night.n = night.cap = c->n - history.n;
	sum->history = history.n;
	sum->night = night.n;
	if (mkdir(o->out, 0700) != 0 && errno != EEXIST)
		return err_set(e, "%s: %s", o->out, strerror(errno));
	return write_file(o->out, "history.csv", &history, night_cdr_write,
			  e) &&
	       write_file(o->out, "night.csv", &night, night_cdr_write, e) &&
	       write_file(o->out, "night.pcap", &night, night_pcap_write, e);
}

bool night_write(const struct night_opts *o, struct night_summary *sum,
		 struct err *e)
{
	const struct night_account *burst, *drip;
	struct night_calls c = {0};
	struct night_site s;
	bool ok;

	memset(sum, 0, sizeof(*sum));
	if (!night_site_load(&s, o->config, e))
		return false;
	burst = victim(&s, "oakfield-dental", "office", NULL);
	drip = victim(&s, "harbour-garage", "retail", burst);
	for (size_t i = 0; i < s.n_accounts; i++)
		night_honest(&c, &s.account[i], &s, o->seed);
	sum->burst = sum->drip = c.n;
	night_burst(&c, burst, &s, o->seed);
	sum->burst = c.n - sum->burst;
	sum->drip = c.n;
	night_drip(&c, drip, &s, o->seed);
	sum->drip = c.n - sum->drip;
	snprintf(sum->burst_account, sizeof(sum->burst_account), "%s",
		 burst->name);
	snprintf(sum->drip_account, sizeof(sum->drip_account), "%s",
		 drip->name);
	ok = write_all(o, &c, sum, e);
	free(c.call);
	night_site_free(&s);
	return ok;
}
