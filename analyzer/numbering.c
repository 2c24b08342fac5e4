/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/numbering.h"

#include <stdlib.h>

#include "analyzer/table.h"
#include "common/mem.h"
#include "common/prefix.h"

/*
 * Two tables, since 118 is directory enquiries and +44118 is Reading.  In the
 * one of short codes a number must have a length of its row: else 1125, an
 * extension or a made-up number, would be an emergency call, which nothing
 * counts.
 */
struct numbering {
	struct prefix_table *e164;
	struct prefix_table *shorts;
	struct row {
		struct number_info info;
		uint32_t lengths; /* 1 << digits, country code included */
		unsigned line;
	} * row;
	size_t n;
};

static const char *const class_names[CLASS_COUNT] = {
	"unknown",   "geographic", "uk-wide",	    "mobile",	 "personal",
	"pager",     "freephone",  "revenue-share", "premium",	 "directory",
	"emergency", "short",	   "international", "satellite", "network",
};

const char *class_name(enum number_class c)
{
	return class_names[c < CLASS_COUNT ? c : CLASS_UNKNOWN];
}

bool class_parse(struct sv name, enum number_class *out)
{
	for (unsigned i = 1; i < CLASS_COUNT; i++) {
		if (sv_eq(name, sv_of(class_names[i]))) {
			*out = (enum number_class)i;
			return true;
		}
	}
	return false;
}

enum { COL_PREFIX, COL_CLASS, COL_COUNTRY, COL_LENGTHS, COL_TIER, COL_EXPIRES };

static const char *const columns[] = {"prefix", "class",   "country", "lengths",
				      "tier",	"expires", NULL};

static void read_class(struct table *t, struct row *r)
{
	struct sv text = table_get(t, COL_CLASS);
	const char *near;
	char hint[64];

	if (class_parse(text, &r->info.class))
		return;
	near = conf_nearest(text, class_names + 1, CLASS_COUNT - 1);
	snprintf(hint, sizeof(hint), "did you mean '%s'?", near ? near : "");
	table_error(t, COL_CLASS, "unknown-class", near ? hint : NULL,
		    "no such class '%.*s'", SV_ARG(text));
}

/* Two capitals, or 001 for what belongs to no country. */
static void read_country(struct table *t, struct row *r)
{
	struct sv s = table_get(t, COL_COUNTRY);

	if (sv_eq(s, SV("001")) ||
	    (s.n == 2 && s.p[0] >= 'A' && s.p[0] <= 'Z' && s.p[1] >= 'A' &&
	     s.p[1] <= 'Z')) {
		sv_put(r->info.country, sizeof(r->info.country), s);
		return;
	}
	table_error(t, COL_COUNTRY, "bad-country", "ISO 3166 letters, or 001",
		    "'%.*s' is no country", SV_ARG(s));
}

static void read_tier(struct table *t, struct row *r)
{
	struct sv s = table_get(t, COL_TIER);

	if (s.n == 1 && s.p[0] >= 'A' && s.p[0] <= 'C')
		r->info.tier = s.p[0];
	else if (s.n)
		table_error(t, COL_TIER, "bad-tier", "A, B, C or nothing",
			    "no such tier '%.*s'", SV_ARG(s));
}

/* "12", "9;11;12", "8-12" */
static void read_lengths(struct table *t, struct row *r)
{
	struct sv rest = table_get(t, COL_LENGTHS);

	while (rest.n) {
		struct sv part = sv_trim(sv_cut(&rest, ';'));
		struct sv last = part;
		struct sv first = sv_cut(&last, '-');
		uint32_t a;
		uint32_t b;

		if (!sv_u32(first, &a) || !sv_u32(last.n ? last : first, &b) ||
		    a < 1 || b > 15 || a > b) {
			table_error(t, COL_LENGTHS, "bad-lengths",
				    "numbers of digits with country code: "
				    "11;12 or 8-12",
				    "'%.*s' is no length", SV_ARG(part));
			return;
		}
		for (; a <= b; a++)
			r->lengths |= 1u << a;
	}
}

static void add_row(struct table *t, struct numbering *n, struct row *r)
{
	struct sv text = table_get(t, COL_PREFIX);
	uint8_t digits[NUMBER_DIGITS];
	struct number prefix;
	unsigned len = 0;
	int32_t old;

	if (number_parse(text, &prefix))
		len = number_digits(prefix, digits);
	if (len == 0 || len > 15) {
		table_error(t, COL_PREFIX, "bad-prefix",
			    "+44161, or a short code without '+'",
			    "'%.*s' is no prefix", SV_ARG(text));
		return;
	}
	if (!number_is_e164(prefix) && r->lengths == 0)
		table_error(t, COL_LENGTHS, "missing-lengths",
			    "say how many digits it has",
			    "a short code needs its length");
	old = prefix_add(number_is_e164(prefix) ? n->e164 : n->shorts, digits,
			 len, (int32_t)n->n);
	if (old >= 0)
		table_error(t, COL_PREFIX, "duplicate-prefix",
			    "remove one of the two",
			    "'%.*s' is already in line %u", SV_ARG(text),
			    n->row[old].line);
	n->row = xrealloc(n->row, n->n + 1, sizeof(*n->row));
	n->row[n->n++] = *r;
}

struct numbering *numbering_load(struct conf *c, const struct conf_tree *at,
				 struct sv path)
{
	struct numbering *n = xcalloc(1, sizeof(*n));
	struct table *t = xmalloc(sizeof(*t));
	int64_t unused;

	n->e164 = prefix_new();
	n->shorts = prefix_new();
	if (table_open(t, c, at, path, columns, COL_COUNTRY + 1)) {
		while (table_next(t)) {
			struct row r = {.line = t->line};

			read_class(t, &r);
			read_country(t, &r);
			read_lengths(t, &r);
			read_tier(t, &r);
			table_date(t, COL_EXPIRES, &unused);
			add_row(t, n, &r);
		}
	}
	free(t);
	return n;
}

void numbering_free(struct numbering *n)
{
	if (!n)
		return;
	prefix_free(n->e164);
	prefix_free(n->shorts);
	free(n->row);
	free(n);
}

struct number_info numbering_find(const struct numbering *n,
				  struct number callee)
{
	static const struct number_info none;
	uint8_t digits[NUMBER_DIGITS];
	unsigned len = number_digits(callee, digits);
	bool e164 = number_is_e164(callee);
	int32_t i = prefix_find(e164 ? n->e164 : n->shorts, digits, len, NULL);
	struct number_info info;
	bool fits;

	if (i < 0)
		return none;
	fits = n->row[i].lengths == 0 || n->row[i].lengths >> len & 1;
	if (!fits && !e164)
		return none;
	info = n->row[i].info;
	info.length_ok = fits;
	return info;
}
