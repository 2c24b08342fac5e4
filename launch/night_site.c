/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/night.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "common/csv.h"
#include "common/mem.h"
#include "common/money.h"

/* One CSV file of the site with its columns found by name. */
struct table {
	char *text;
	size_t n;
	size_t at;
	struct csv_row head;
	struct csv_row row;
};

static bool table_read(struct table *t, const char *dir, const char *file,
		       struct err *e)
{
	enum { SITE_FILE_MAX = 16 << 20 };
	char path[512];
	FILE *f;

	memset(t, 0, sizeof(*t));
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, file) >=
	    sizeof(path))
		return err_set(e, "%s: name too long", dir);
	f = fopen(path, "re");
	if (f == NULL)
		return err_set(e, "%s: %s", path, strerror(errno));
	t->text = xmalloc(SITE_FILE_MAX);
	t->n = fread(t->text, 1, SITE_FILE_MAX, f);
	fclose(f);
	if (t->n == SITE_FILE_MAX)
		return err_set(e, "%s: more than 16 MiB", path);
	if (csv_next(t->text, t->n, ',', true, &t->head) != CSV_OK)
		return err_set(e, "%s: no header line", path);
	t->at = t->head.used;
	return true;
}

static bool table_next(struct table *t)
{
	while (csv_next(t->text + t->at, t->n - t->at, ',', true, &t->row) ==
	       CSV_OK) {
		t->at += t->row.used;
		if (sv_trim(t->row.raw).n > 0)
			return true;
	}
	return false;
}

static struct sv table_get(const struct table *t, const char *column)
{
	for (size_t i = 0; i < t->head.n && i < t->row.n; i++)
		if (sv_eq(sv_trim(t->head.field[i]), sv_of(column)))
			return sv_trim(t->row.field[i]);
	return (struct sv){"", 0};
}

/* Text into a C string; what does not fit is cut. */
static void put(char *out, size_t size, struct sv s)
{
	snprintf(out, size, "%.*s", SV_ARG(s));
}

/* "198.51.100.16/29": the PBX is the second host of the network, or the only
 * one. */
static uint32_t pbx_of(struct sv networks)
{
	struct sv net = sv_trim(sv_cut(&networks, ';'));
	struct sv addr = sv_cut(&net, '/');
	struct in_addr in;
	char text[20];
	uint32_t bits = 32;

	put(text, sizeof(text), addr);
	if (inet_pton(AF_INET, text, &in) != 1)
		return 0;
	if (!sv_u32(net, &bits) || bits > 30)
		return ntohl(in.s_addr);
	return ntohl(in.s_addr) + 2;
}

/* Digits of a number that may be written "+44 1632 960-" and the like. */
static unsigned digits_of(struct sv s, char out[16])
{
	unsigned n = 0;

	for (size_t i = 0; i < s.n && n < 15; i++)
		if (isdigit((unsigned char)s.p[i]))
			out[n++] = s.p[i];
	out[n] = '\0';
	return n;
}

/*
 * The first range of a list: "+441632960100-+441632960149", the same with
 * only the last digits again ("+441632960100-149"), or a prefix
 * ("+44163296010") that is filled up to twelve digits, the length of a UK
 * number.
 */
static void range_of(struct night_account *a, struct sv ranges)
{
	struct sv last = sv_trim(sv_cut(&ranges, ';'));
	struct sv first = sv_cut(&last, '-');
	char low[16], high[16];
	unsigned n = digits_of(first, low);
	unsigned m = digits_of(last, high);

	if (n == 0)
		return;
	a->number = strtoull(low, NULL, 10);
	a->numbers = 1;
	for (; m == 0 && n < 12; n++) {
		a->number *= 10;
		a->numbers *= 10;
	}
	if (m == 0 || m > n)
		return;
	memcpy(low + n - m, high, m + 1);
	if (strtoull(low, NULL, 10) > a->number)
		a->numbers =
			(uint32_t)(strtoull(low, NULL, 10) - a->number) + 1;
}

static void users_of(struct night_account *a, struct sv users)
{
	while (users.n > 0 && a->n_users < NIGHT_USERS) {
		struct sv u = sv_trim(sv_cut(&users, ';'));

		if (u.n > 0)
			put(a->user[a->n_users++], sizeof(a->user[0]), u);
	}
	if (a->n_users == 0)
		put(a->user[a->n_users++], sizeof(a->user[0]), SV("200"));
}

/* Under contract during the four weeks and the night? */
static bool account_active(const struct table *t)
{
	static const char first[] = "2025-12-19";
	char from[12];

	put(from, sizeof(from), table_get(t, "from"));
	return table_get(t, "ended").n == 0 && strcmp(from, first) <= 0;
}

static bool load_accounts(struct night_site *s, const char *config,
			  struct err *e)
{
	struct table *t = xmalloc(sizeof(*t));
	bool ok = table_read(t, config, "accounts.csv", e);

	while (ok && table_next(t)) {
		struct night_account a = {0};
		struct sv trunks = table_get(t, "trunks");

		put(a.name, sizeof(a.name), table_get(t, "account"));
		put(a.display, sizeof(a.display), table_get(t, "name"));
		put(a.segment, sizeof(a.segment), table_get(t, "segment"));
		put(a.trunk, sizeof(a.trunk), sv_trim(sv_cut(&trunks, ';')));
		users_of(&a, table_get(t, "users"));
		a.pbx = pbx_of(table_get(t, "networks"));
		range_of(&a, table_get(t, "ranges"));
		if (!sv_u32(table_get(t, "channels"), &a.channels))
			a.channels = 4;
		if (a.pbx == 0 || a.number == 0 || !account_active(t))
			continue;
		s->account = xrealloc(s->account, s->n_accounts + 1, sizeof(a));
		s->account[s->n_accounts++] = a;
	}
	if (ok && s->n_accounts < 3)
		ok = err_set(e,
			     "%s/accounts.csv: want at least three accounts "
			     "with a network and a number range",
			     config);
	free(t->text);
	free(t);
	return ok;
}

static bool load_rates(struct night_site *s, const char *config, struct err *e)
{
	struct table *t = xmalloc(sizeof(*t));
	bool ok = table_read(t, config, "rates.csv", e);

	while (ok && table_next(t)) {
		struct night_rate r = {0};

		if (digits_of(table_get(t, "prefix"), r.prefix) == 0 ||
		    !money_parse_pence(table_get(t, "cost_ppm"), &r.per_min))
			continue;
		s->rate = xrealloc(s->rate, s->n_rates + 1, sizeof(r));
		s->rate[s->n_rates++] = r;
	}
	free(t->text);
	free(t);
	return ok;
}

bool night_site_load(struct night_site *s, const char *config, struct err *e)
{
	memset(s, 0, sizeof(*s));
	if (load_accounts(s, config, e) && load_rates(s, config, e))
		return true;
	night_site_free(s);
	return false;
}

void night_site_free(struct night_site *s)
{
	free(s->account);
	free(s->rate);
	memset(s, 0, sizeof(*s));
}

int64_t night_rate_of(const struct night_site *s, const char *number)
{
	struct sv digits = sv_of(number + (number[0] == '+'));
	size_t best = 0;
	int64_t per_min = 0;

	for (size_t i = 0; i < s->n_rates; i++) {
		struct sv p = sv_of(s->rate[i].prefix);

		if (p.n > best && sv_starts(digits, p)) {
			best = p.n;
			per_min = s->rate[i].per_min;
		}
	}
	return per_min;
}

bool night_owned(const struct night_site *s, const char *number)
{
	uint64_t n = strtoull(number + (number[0] == '+'), NULL, 10);

	for (size_t i = 0; i < s->n_accounts; i++)
		if (n >= s->account[i].number &&
		    n - s->account[i].number < s->account[i].numbers)
			return true;
	return false;
}
