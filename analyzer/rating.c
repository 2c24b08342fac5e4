/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/rating.h"

#include <stdlib.h>

#include "analyzer/table.h"
#include "common/clock.h"
#include "common/mem.h"
#include "common/money.h"
#include "common/prefix.h"

/*
 * The table finds the newest-read row of a prefix; `next` leads to the other
 * rows of the same prefix, whose validity does not overlap.
 */
struct entry {
	struct rate rate;
	int32_t next; /* -1 ends */
	unsigned line;
};

struct rating {
	struct prefix_table *prefix;
	struct entry *entry;
	size_t n;
	size_t cap;
	char hash[17];
};

/* What no deck has is rated high on purpose and has its own rule (R28). */
static const struct rate default_rate = {
	.cost_per_min = 150 * PENNY,
	.retail_per_min = 150 * PENNY,
	.min_s = 60,
	.step_s = 60,
	.name = "default",
	.is_default = true,
};

enum {
	STEP_MAX_S = 3600,
	SHORT_DIGITS = 6, /* longest short code that the deck rates */
};

/* Dearer than any call: the column is surely not in pence. */
#define PRICE_MAX (1000 * POUND)

enum {
	COL_PREFIX,
	COL_NAME,
	COL_COST,
	COL_RETAIL,
	COL_SETUP,
	COL_MIN,
	COL_STEP,
	COL_FROM,
	COL_UNTIL,
};

static const char *const columns[] = {"prefix",	    "name",    "cost_ppm",
				      "retail_ppm", "setup_p", "min_s",
				      "step_s",	    "from",    "until",
				      NULL};

static void read_price(struct table *t, unsigned column, int64_t *out)
{
	struct sv s = table_get(t, column);

	if (!money_parse_pence(s, out))
		table_error(t, column, "bad-price",
			    "pence with decimals and no unit: 12.75",
			    "'%.*s' is no price", SV_ARG(s));
	else if (*out > PRICE_MAX)
		table_error(t, column, "bad-price", "prices are in pence",
			    "'%.*s' is more than £1,000", SV_ARG(s));
}

static void read_seconds(struct table *t, unsigned column, uint32_t min,
			 uint32_t *out)
{
	struct sv s = table_get(t, column);

	if (sv_u32(s, out) && *out >= min && *out <= STEP_MAX_S)
		return;
	table_error(t, column, "bad-seconds", NULL,
		    "want whole seconds %u..%d, got '%.*s'", min, STEP_MAX_S,
		    SV_ARG(s));
	*out = min;
}

static unsigned read_prefix(struct table *t, uint8_t digits[NUMBER_DIGITS])
{
	struct sv text = table_get(t, COL_PREFIX);
	struct number prefix;
	unsigned n = 0;

	if (number_parse(text, &prefix))
		n = number_digits(prefix, digits);
	if (n >= 1 && n <= 15)
		return n;
	table_error(t, COL_PREFIX, "bad-prefix",
		    "digits with country code: 44161", "'%.*s' is no prefix",
		    SV_ARG(text));
	return 0;
}

static bool overlap(const struct rate *a, const struct rate *b)
{
	return (a->until_us == 0 || a->until_us > b->from_us) &&
	       (b->until_us == 0 || b->until_us > a->from_us);
}

static void add_entry(struct table *t, struct rating *r, struct rate rate)
{
	struct entry e = {.rate = rate, .next = -1, .line = t->line};
	uint8_t digits[NUMBER_DIGITS];
	unsigned n = read_prefix(t, digits);

	if (n == 0)
		return;
	if (r->n == r->cap) {
		r->cap = r->cap ? 2 * r->cap : 1024;
		r->entry = xrealloc(r->entry, r->cap, sizeof(*r->entry));
	}
	e.next = prefix_add(r->prefix, digits, n, (int32_t)r->n);
	for (int32_t i = e.next; i >= 0; i = r->entry[i].next) {
		if (!overlap(&rate, &r->entry[i].rate))
			continue;
		table_error(t, COL_PREFIX, "duplicate-prefix",
			    "end the older price with `until`",
			    "'%.*s' has a price at the same time in line %u",
			    SV_ARG(table_get(t, COL_PREFIX)), r->entry[i].line);
		break;
	}
	r->entry[r->n++] = e;
}

static void read_row(struct table *t, struct rating *r)
{
	struct rate rate = {0};
	struct sv name = table_get(t, COL_NAME);

	read_price(t, COL_COST, &rate.cost_per_min);
	read_price(t, COL_RETAIL, &rate.retail_per_min);
	read_price(t, COL_SETUP, &rate.setup);
	read_seconds(t, COL_MIN, 0, &rate.min_s);
	read_seconds(t, COL_STEP, 1, &rate.step_s);
	table_date(t, COL_FROM, &rate.from_us);
	table_date(t, COL_UNTIL, &rate.until_us);
	if (rate.until_us && rate.until_us <= rate.from_us)
		table_error(t, COL_UNTIL, "bad-dates", NULL,
			    "ends before it begins");
	rate.name = sv_dup(name);
	add_entry(t, r, rate);
	if (r->n == 0 || r->entry[r->n - 1].rate.name != rate.name)
		free((char *)rate.name); /* it was not taken */
}

struct hash_of {
	const char *file;
	char *out;
};

/* Over the file as it was read: the reader unquotes fields in its copy. */
static void hash_deck(void *arg, const char *name, struct sv content)
{
	const struct hash_of *h = arg;
	char hex[SHA256_HEX];

	if (strcmp(name, h->file) != 0)
		return;
	sha256_hex(content.p, content.n, hex);
	memcpy(h->out, hex, 16);
}

struct rating *rating_load(struct conf *c, const struct conf_tree *at,
			   struct sv path)
{
	struct rating *r = xcalloc(1, sizeof(*r));
	struct table *t = xmalloc(sizeof(*t));

	r->prefix = prefix_new();
	if (table_open(t, c, at, path, columns, COL_STEP + 1)) {
		struct hash_of h = {t->file, r->hash};

		conf_each_file(c, hash_deck, &h);
		while (table_next(t))
			read_row(t, r);
	}
	free(t);
	return r;
}

void rating_free(struct rating *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++)
		free((char *)r->entry[i].rate.name);
	prefix_free(r->prefix);
	free(r->entry);
	free(r);
}

static bool valid_at(const struct rate *r, int64_t t_us)
{
	return t_us >= r->from_us && (r->until_us == 0 || t_us < r->until_us);
}

const struct rate *rating_find(const struct rating *r, struct number callee,
			       int64_t at_us)
{
	uint8_t digits[NUMBER_DIGITS];
	unsigned n = number_digits(callee, digits);

	/* What could not be normalised is no short code: 1600555... is not
	 * a cheap call to +1600. */
	if (!number_is_e164(callee) && n > SHORT_DIGITS)
		return &default_rate;
	while (n > 0) {
		unsigned len;
		int32_t i = prefix_find(r->prefix, digits, n, &len);

		for (; i >= 0; i = r->entry[i].next)
			if (valid_at(&r->entry[i].rate, at_us))
				return &r->entry[i].rate;
		n = len ? len - 1 : 0; /* no price now: a shorter prefix */
	}
	return &default_rate;
}

const char *rating_hash(const struct rating *r)
{
	return r->hash;
}

int64_t rate_charge(const struct rate *r, int64_t per_min, int64_t talk_us)
{
	int64_t step_us = r->step_s * SEC_US;
	int64_t talk = talk_us > 0 ? talk_us : 0;
	int64_t billed_s = (talk / step_us + (talk % step_us > 0)) * r->step_s;
	__int128 charge;

	if (billed_s < r->min_s)
		billed_s = r->min_s;
	charge = ((__int128)per_min * billed_s + 59) / 60 + r->setup;
	return charge > INT64_MAX ? INT64_MAX : (int64_t)charge;
}
