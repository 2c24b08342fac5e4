/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/account.h"

#include <stdlib.h>

#include "collector/network.h"
#include "common/csv.h"
#include "common/hash.h"
#include "common/mem.h"
#include "common/prefix.h"
#include "common/utf8.h"

enum { COL_ACCOUNT, COL_TRUNKS, COL_USERS, COL_NETWORKS, COL_RANGES, COLS };

static const char *const column_name[COLS] = {"account", "trunks", "users",
					      "networks", "ranges"};

struct name {
	char *text; /* owned */
	uint32_t hash;
	int32_t account;
	uint8_t by; /* enum account_by; 0 = free slot */
};

/* Names in an open-addressing table that is never more than half full; the
 * accounts themselves are the list of their own names. */
struct accounts {
	struct name *slot;
	size_t n, cap; /* cap is a power of two */
	char **account;
	size_t n_accounts, cap_accounts;
	struct network_table *networks;
	struct prefix_table *ranges;
};

static uint32_t name_hash(enum account_by by, struct sv name)
{
	return (uint32_t)hash64(&hash_public_key, name.p, name.n) +
	       (uint32_t)by;
}

static struct name *find_slot(const struct accounts *a, enum account_by by,
			      struct sv name)
{
	uint32_t h = name_hash(by, name);

	for (size_t i = h;; i++) {
		struct name *s = &a->slot[i & (a->cap - 1)];

		if (s->by == 0 || (s->hash == h && s->by == by &&
				   sv_eq(sv_of(s->text), name)))
			return s;
	}
}

static void grow(struct accounts *a)
{
	struct name *old = a->slot;
	size_t n = a->cap;

	a->cap = n ? 2 * n : 256;
	a->slot = xcalloc(a->cap, sizeof(*a->slot));
	for (size_t i = 0; i < n; i++)
		if (old[i].by)
			*find_slot(a, old[i].by, sv_of(old[i].text)) = old[i];
	free(old);
}

/* False: the name is another account's. */
static bool add_name(struct accounts *a, enum account_by by, struct sv name,
		     int32_t account)
{
	struct name *s;

	if (2 * (a->n + 1) > a->cap)
		grow(a);
	s = find_slot(a, by, name);
	if (s->by)
		return s->account == account;
	*s = (struct name){sv_dup(name), name_hash(by, name), account,
			   (uint8_t)by};
	a->n++;
	return true;
}

static int32_t add_account(struct accounts *a, struct sv name)
{
	if (a->n_accounts == a->cap_accounts) {
		a->cap_accounts = a->cap_accounts ? 2 * a->cap_accounts : 64;
		a->account = xrealloc(a->account, a->cap_accounts,
				      sizeof(*a->account));
	}
	a->account[a->n_accounts] = sv_dup(name);
	return (int32_t)a->n_accounts++;
}

static bool add_network(struct accounts *a, struct sv text, int32_t account,
			struct err *e)
{
	struct network net;

	if (!network_parse(text, &net, e))
		return false;
	return network_add(a->networks, &net, account) ||
	       err_set(e, "network %.*s is another account's", SV_ARG(text));
}

static bool add_prefix(struct accounts *a, uint64_t value, unsigned n,
		       int32_t account, struct err *e)
{
	uint8_t digits[NUMBER_DIGITS];
	int32_t old;

	for (unsigned i = n; i > 0; i--, value /= 10)
		digits[i - 1] = (uint8_t)(value % 10);
	old = prefix_add(a->ranges, digits, n, account);
	return old < 0 || old == account ||
	       err_set(e, "overlaps the range of account %s", a->account[old]);
}

/* All numbers from a to b, n digits each, as the fewest prefixes. */
static bool add_span(struct accounts *a, uint64_t from, uint64_t to, unsigned n,
		     int32_t account, struct err *e)
{
	while (from <= to) {
		uint64_t size = 1;
		unsigned len = n;

		while (len > 1 && from % (size * 10) == 0 &&
		       from + size * 10 - 1 <= to) {
			size *= 10;
			len--;
		}
		if (!add_prefix(a, from / size, len, account, e))
			return false;
		from += size;
	}
	return true;
}

static bool add_range(struct accounts *a, struct sv text, int32_t account,
		      struct err *e)
{
	struct sv to = text, from = sv_cut(&to, '-');
	uint64_t first, last;
	unsigned scale = 0;
	uint64_t ten = 1;

	if (from.n < 2 || from.p[0] != '+' || from.n > NUMBER_DIGITS)
		return err_set(e, "range '%.*s': want '+' and digits",
			       SV_ARG(text));
	from = (struct sv){from.p + 1, from.n - 1};
	if (to.n > 0 && to.p[0] == '+')
		to = (struct sv){to.p + 1, to.n - 1};
	if (!sv_u64(from, &first) || to.n > from.n ||
	    (to.n > 0 && !sv_u64(to, &last)))
		return err_set(e, "range '%.*s': want +A, +A-+B or +A-B",
			       SV_ARG(text));
	if (to.n == 0)
		return add_span(a, first, first, (unsigned)from.n, account, e);
	for (; scale < to.n; scale++)
		ten *= 10;
	last += first / ten * ten;
	if (last < first)
		return err_set(e, "range '%.*s' ends before it begins",
			       SV_ARG(text));
	return add_span(a, first, last, (unsigned)from.n, account, e);
}

static bool add_item(struct accounts *a, int column, struct sv item,
		     int32_t account, struct err *e)
{
	switch (column) {
	case COL_TRUNKS:
		return add_name(a, BY_TRUNK, item, account) ||
		       err_set(e, "trunk '%.*s' is another account's",
			       SV_ARG(item));
	case COL_USERS:
		return add_name(a, BY_USER, item, account) ||
		       err_set(e, "user '%.*s' is another account's",
			       SV_ARG(item));
	case COL_NETWORKS:
		return add_network(a, item, account, e);
	default:
		return add_range(a, item, account, e);
	}
}

struct load {
	struct conf *c;
	struct accounts *a;
	const char *file;
	unsigned line;
	size_t column[COLS];
};

static void row_error(const struct load *l, const struct csv_row *row,
		      size_t field, const char *code, const char *text)
{
	size_t col = field < row->n
			     ? (size_t)(row->field[field].p - row->raw.p) + 1
			     : 1;

	conf_error_at(l->c, l->file, l->line, (unsigned)col, row->raw, code,
		      NULL, "%s", text);
}

static bool header(struct load *l, const struct csv_row *row)
{
	bool ok = true;

	for (int i = 0; i < COLS; i++) {
		size_t k = 0;

		while (k < row->n &&
		       !sv_eq(sv_trim(row->field[k]), sv_of(column_name[i])))
			k++;
		l->column[i] = k;
		if (k < row->n)
			continue;
		ok = false;
		conf_error_at(l->c, l->file, l->line, 1, row->raw,
			      "missing-column", "add it to the header",
			      "no column '%s'", column_name[i]);
	}
	return ok;
}

/* Or every event of the account would be refused by event_check(). */
static bool is_clean(struct sv name)
{
	for (size_t i = 0; i < name.n; i++)
		if ((unsigned char)name.p[i] < ' ' || name.p[i] == 0x7f)
			return false;
	return utf8_valid(name);
}

static void account_row(struct load *l, const struct csv_row *row)
{
	struct sv name = {NULL, 0};
	int32_t account;

	if (l->column[COL_ACCOUNT] < row->n)
		name = sv_trim(row->field[l->column[COL_ACCOUNT]]);
	if (name.n == 0) {
		row_error(l, row, 0, "empty", "a row without an account");
		return;
	}
	if (!is_clean(name)) {
		row_error(l, row, l->column[COL_ACCOUNT], "text",
			  "an account is UTF-8 without control characters");
		return;
	}
	account = add_account(l->a, name);
	if (!add_name(l->a, BY_NAME, name, account))
		row_error(l, row, l->column[COL_ACCOUNT], "duplicate",
			  "this account stands in the file twice");
	for (int i = COL_TRUNKS; i < COLS; i++) {
		struct sv list = {NULL, 0};
		struct err e;

		if (l->column[i] < row->n)
			list = row->field[l->column[i]];
		while (list.n > 0) {
			struct sv item = sv_trim(sv_cut(&list, ';'));

			if (item.n > 0 && !add_item(l->a, i, item, account, &e))
				row_error(l, row, l->column[i], "account",
					  e.text);
		}
	}
}

static void load_rows(struct load *l, char *text, size_t n)
{
	static const char *const rc_text[] = {"", "unclosed quote", "",
					      "too many columns",
					      "unclosed quote"};
	struct csv_row row;
	bool first = true;

	for (l->line = 1; n > 0; l->line += row.lines) {
		enum csv_rc rc = csv_next(text, n, ',', true, &row);

		if (rc == CSV_END)
			break;
		if (rc != CSV_OK) {
			conf_error_at(l->c, l->file, l->line, 1,
				      (struct sv){NULL, 0}, "csv", NULL, "%s",
				      rc_text[rc]);
			return;
		}
		text += row.used;
		n -= row.used;
		if (sv_trim(row.raw).n == 0 || row.raw.p[0] == '#')
			continue;
		if (!first)
			account_row(l, &row);
		else if (!header(l, &row))
			return;
		first = false;
	}
}

struct accounts *accounts_load(struct conf *c, const struct conf_tree *at,
			       struct sv path)
{
	struct load l = {.c = c};
	size_t before = conf_errors(c), n = 0;
	char *text = conf_file(c, at, path, &n, &l.file);

	if (!text)
		return NULL;
	l.a = xcalloc(1, sizeof(*l.a));
	l.a->networks = network_new();
	l.a->ranges = prefix_new();
	grow(l.a);
	load_rows(&l, text, n);
	if (conf_errors(c) == before)
		return l.a;
	accounts_free(l.a);
	return NULL;
}

void accounts_free(struct accounts *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->cap; i++)
		free(a->slot[i].text);
	for (size_t i = 0; i < a->n_accounts; i++)
		free(a->account[i]);
	network_free(a->networks);
	prefix_free(a->ranges);
	free(a->account);
	free(a->slot);
	free(a);
}

const char *account_by(const struct accounts *a, enum account_by by,
		       struct sv name)
{
	const struct name *s;

	if (!a || name.n == 0)
		return NULL;
	s = find_slot(a, by, name);
	return s->by ? a->account[s->account] : NULL;
}

const char *account_by_network(const struct accounts *a, const uint8_t addr[16])
{
	int32_t i = a ? network_find(a->networks, addr) : -1;

	return i >= 0 ? a->account[i] : NULL;
}

const char *account_by_number(const struct accounts *a, struct number n)
{
	uint8_t digits[NUMBER_DIGITS];
	unsigned len = number_digits(n, digits);
	int32_t i = -1;

	if (a && number_is_e164(n) && len > 0)
		i = prefix_find(a->ranges, digits, len, NULL);
	return i >= 0 ? a->account[i] : NULL;
}
