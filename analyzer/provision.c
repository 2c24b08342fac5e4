/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/config_inside.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/table.h"
#include "common/clock.h"
#include "common/mem.h"

/* accounts.csv: the half that the analyzer needs.  What names an account on
 * the wire (users, ranges) is the collector's. */
enum {
	COL_ACCOUNT,
	COL_NAME,
	COL_SEGMENT,
	COL_CALENDAR,
	COL_DIVISION,
	COL_CHANNELS,
	COL_TRUNKS,
	COL_NETWORKS,
	COL_FROM,
	COL_ENDED,
};

static const char *const columns[] = {"account",  "name",     "segment",
				      "calendar", "division", "channels",
				      "trunks",	  "networks", "from",
				      "ended",	  NULL};

const char *const segment_names[7] = {"office",		"retail",
				      "hospitality",	"always-open",
				      "contact-centre", "school",
				      "trader"};

/* An IPv4 network of the file, for the overlap warning. */
struct net {
	uint32_t first;
	uint32_t last;
	unsigned line;
	char text[24];
};

struct load {
	struct table t;
	struct conf *c;
	struct analyzer_conf *a;
	unsigned *line; /* of each account, same order */
	size_t cap;
	struct net *net;
	size_t n_net;
	size_t net_cap;
};

static bool name_ok(struct sv s, size_t max)
{
	for (size_t i = 0; i < s.n; i++) {
		char ch = s.p[i];

		if (!((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') ||
		      ch == '-' || ch == '_' || ch == '.'))
			return false;
	}
	return s.n > 0 && s.n <= max;
}

static void read_text(struct table *t, unsigned column, char *out, size_t size)
{
	struct sv s = table_get(t, column);

	if (s.n == 0)
		table_error(t, column, "empty-value", NULL, "is missing");
	else if (!sv_put(out, size - 1, s))
		table_error(t, column, "too-long", NULL,
			    "longer than %zu bytes", size - 1);
}

static void read_account(struct table *t, struct account_conf *a)
{
	struct sv s = table_get(t, COL_ACCOUNT);

	if (name_ok(s, sizeof(a->name) - 1))
		sv_put(a->name, sizeof(a->name), s);
	else
		table_error(t, COL_ACCOUNT, "bad-name",
			    "a-z, 0-9, '-', '_' and '.', 27 bytes at most",
			    "'%.*s' is no account name", SV_ARG(s));
}

static void read_segment(struct table *t, struct account_conf *a)
{
	struct sv s = table_get(t, COL_SEGMENT);
	char hint[96];

	for (size_t i = 0; i < ARRAY_LEN(segment_names); i++)
		if (sv_eq(s, sv_of(segment_names[i]))) {
			sv_put(a->segment, sizeof(a->segment), s);
			return;
		}
	table_error(t, COL_SEGMENT, "unknown-segment",
		    config_hint(s, segment_names, ARRAY_LEN(segment_names),
				hint),
		    "no such segment '%.*s'", SV_ARG(s));
}

static void read_calendar(struct load *l, struct account_conf *a)
{
	struct table *t = &l->t;
	struct sv name = table_get(t, COL_CALENDAR);
	struct sv division = table_get(t, COL_DIVISION);
	const char *near;
	char hint[96];
	bool known;

	if (division.n && !hours_division(l->a->hours, division)) {
		table_error(t, COL_DIVISION, "unknown-division",
			    "england-and-wales, scotland, northern-ireland",
			    "no holidays for '%.*s'", SV_ARG(division));
		division.n = 0;
	}
	a->calendar = hours_find(l->a->hours, name, division, &known, &near);
	if (known)
		return;
	snprintf(hint, sizeof(hint), "did you mean '%s'?", near ? near : "");
	table_error(t, COL_CALENDAR, "unknown-calendar", near ? hint : NULL,
		    "no such calendar '%.*s'", SV_ARG(name));
}

static void read_rest(struct load *l, struct account_conf *a)
{
	struct table *t = &l->t;
	struct sv trunks = table_get(t, COL_TRUNKS);
	struct sv channels = table_get(t, COL_CHANNELS);

	if (channels.n &&
	    (!sv_u32(channels, &a->channels) || a->channels > 1000000))
		table_error(t, COL_CHANNELS, "bad-value", NULL,
			    "'%.*s' is no number of channels",
			    SV_ARG(channels));
	sv_put(a->trunk, sizeof(a->trunk) - 1, sv_trim(sv_cut(&trunks, ';')));
	if (table_date(t, COL_FROM, &a->from_us) && a->from_us)
		a->from_us = config_midnight(l->a, a->from_us / DAY_US);
	if (table_date(t, COL_ENDED, &a->ended_us) && a->ended_us)
		a->ended_us = config_midnight(l->a, a->ended_us / DAY_US);
	if (a->ended_us && a->ended_us <= a->from_us)
		table_error(t, COL_ENDED, "bad-dates", NULL,
			    "ends before it begins");
}

/* Faulty networks are the collector's to report; here they are skipped. */
static void read_networks(struct load *l)
{
	struct sv rest = table_get(&l->t, COL_NETWORKS);

	while (rest.n) {
		struct sv text = sv_trim(sv_cut(&rest, ';'));
		struct sv bits = text;
		struct sv addr = sv_cut(&bits, '/');
		struct net n = {.line = l->t.line};
		struct in_addr in;
		uint32_t len = 32;
		uint32_t host;
		char dotted[20];

		snprintf(dotted, sizeof(dotted), "%.*s",
			 addr.n < 20 ? (int)addr.n : 19, addr.p);
		if (inet_pton(AF_INET, dotted, &in) != 1 ||
		    (bits.n && !sv_u32(bits, &len)) || len > 32)
			continue;
		host = len == 0 ? UINT32_MAX : (1u << (32 - len)) - 1;
		n.first = ntohl(in.s_addr) & ~host;
		n.last = n.first | host;
		sv_put(n.text, sizeof(n.text) - 1, text);
		if (l->n_net == l->net_cap) {
			l->net_cap = l->net_cap ? 2 * l->net_cap : 256;
			l->net = xrealloc(l->net, l->net_cap, sizeof(n));
		}
		l->net[l->n_net++] = n;
	}
}

static int by_first(const void *a, const void *b)
{
	const struct net *x = a;
	const struct net *y = b;

	return x->first != y->first
		       ? (x->first > y->first) - (x->first < y->first)
		       : (x->line > y->line) - (x->line < y->line);
}

static void lint_networks(struct load *l, const struct conf_tree *at)
{
	const struct net *widest = l->net;

	if (l->n_net)
		qsort(l->net, l->n_net, sizeof(*l->net), by_first);
	for (size_t i = 1; i < l->n_net; i++) {
		const struct net *n = &l->net[i];

		if (n->first <= widest->last && n->line != widest->line)
			conf_warn(l->c, at, "network-overlap",
				  "the longer prefix wins",
				  "%s line %u: %s overlaps %s of line %u",
				  l->t.file, n->line, n->text, widest->text,
				  widest->line);
		if (n->last > widest->last)
			widest = n;
	}
}

static void read_row(struct load *l)
{
	struct analyzer_conf *a = l->a;
	struct account_conf acc = {0};

	read_account(&l->t, &acc);
	read_text(&l->t, COL_NAME, acc.display, sizeof(acc.display));
	read_segment(&l->t, &acc);
	read_calendar(l, &acc);
	read_rest(l, &acc);
	read_networks(l);
	if (a->n_accounts == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 256;
		a->account = xrealloc(a->account, l->cap, sizeof(acc));
		l->line = xrealloc(l->line, l->cap, sizeof(*l->line));
	}
	l->line[a->n_accounts] = l->t.line;
	a->account[a->n_accounts++] = acc;
}

/* ---- sorted, without doubles ---- */

struct ordered {
	struct account_conf account;
	unsigned line;
};

static int by_name(const void *a, const void *b)
{
	const struct ordered *x = a;
	const struct ordered *y = b;
	int d = strcmp(x->account.name, y->account.name);

	return d ? d : (x->line > y->line) - (x->line < y->line);
}

static void sort_accounts(struct load *l)
{
	struct analyzer_conf *a = l->a;
	struct ordered *o = xcalloc(a->n_accounts + 1, sizeof(*o));

	for (size_t i = 0; i < a->n_accounts; i++)
		o[i] = (struct ordered){a->account[i], l->line[i]};
	qsort(o, a->n_accounts, sizeof(*o), by_name);
	for (size_t i = 0; i < a->n_accounts; i++) {
		const char *name = o[i].account.name;

		a->account[i] = o[i].account;
		if (i && name[0] && strcmp(name, o[i - 1].account.name) == 0)
			conf_error_at(l->c, l->t.file, o[i].line, 1,
				      sv_of(name), "duplicate-account", NULL,
				      "account '%s' is already in line %u",
				      name, o[i - 1].line);
	}
	free(o);
}

void accounts_load(struct conf *c, struct analyzer_conf *a,
		   const struct conf_tree *at, struct sv path)
{
	struct load *l = xcalloc(1, sizeof(*l));

	l->c = c;
	l->a = a;
	if (table_open(&l->t, c, at, path, columns, COL_CALENDAR + 1)) {
		while (table_next(&l->t))
			read_row(l);
		sort_accounts(l);
		lint_networks(l, at);
	}
	if (a->accounts_max && a->n_accounts > a->accounts_max)
		conf_error(c, at, "too-many", "raise analyzer.accounts_max",
			   "%zu accounts, but accounts_max is %u",
			   a->n_accounts, a->accounts_max);
	free(l->line);
	free(l->net);
	free(l);
}
