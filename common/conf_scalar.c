/* SPDX-License-Identifier: Apache-2.0 */
#include "common/conf.h"

#include "common/clock.h"
#include "common/money.h"

static bool bounded(const struct conf_node *n)
{
	return n->min != 0 || n->max != 0;
}

static bool bare_number(struct sv s)
{
	bool digit = false;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '.' && (s.p[i] < '0' || s.p[i] > '9'))
			return false;
		digit |= s.p[i] != '.';
	}
	return digit;
}

/* The digits at the front of *s. */
static bool digits_of(struct sv *s, uint64_t *v)
{
	size_t n = 0;

	while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9')
		n++;
	if (!sv_u64((struct sv){s->p, n}, v))
		return false;
	*s = (struct sv){s->p + n, s->n - n};
	return true;
}

bool conf_str(const struct conf_node *n, struct sv text, void *field,
	      struct err *e)
{
	if (text.n == 0)
		return err_set(e, "empty text");
	if (n->max && text.n > (size_t)n->max)
		return err_set(e, "longer than %lld bytes", (long long)n->max);
	*(const char **)field = text.p;
	return true;
}

bool conf_name(const struct conf_node *n, struct sv text, void *field,
	       struct err *e)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		    c == '-' || c == '_' || c == '.')
			continue;
		return err_set(e,
			       "'%.*s' is no name: a-z, 0-9, '-', '_' and '.' "
			       "are allowed",
			       SV_ARG(text));
	}
	return conf_str(n, text, field, e);
}

bool conf_bool(const struct conf_node *n, struct sv text, void *field,
	       struct err *e)
{
	bool yes = sv_eq(text, SV("true"));

	(void)n;
	if (!yes && !sv_eq(text, SV("false")))
		return err_set(e, "want true or false, got '%.*s'",
			       SV_ARG(text));
	*(bool *)field = yes;
	return true;
}

bool conf_u32(const struct conf_node *n, struct sv text, void *field,
	      struct err *e)
{
	int64_t min = bounded(n) ? n->min : 0;
	int64_t max = bounded(n) ? n->max : UINT32_MAX;
	uint32_t v;

	if (!sv_u32(text, &v) || v < min || v > max)
		return err_set(e, "want a whole number %lld..%lld, got '%.*s'",
			       (long long)min, (long long)max, SV_ARG(text));
	*(uint32_t *)field = v;
	return true;
}

/* ---- with units ---- */

struct unit {
	struct sv name;
	int64_t size;
};

/* Dearest first: parts of a duration go down, so "30m30m" is a typing error.
 */
static const struct unit time_units[] = {
	{{"w", 1}, 7 * DAY_US}, {{"d", 1}, DAY_US}, {{"h", 1}, HOUR_US},
	{{"m", 1}, MIN_US},	{{"s", 1}, SEC_US}, {{"ms", 2}, 1000},
};

static const struct unit byte_units[] = {
	{{"TiB", 3}, INT64_C(1) << 40},
	{{"GiB", 3}, INT64_C(1) << 30},
	{{"MiB", 3}, INT64_C(1) << 20},
	{{"KiB", 3}, INT64_C(1) << 10},
	{{"B", 1}, 1},
};

/* The longest unit at the front of *s, from index *next on. */
static bool unit_of(struct sv *s, const struct unit *units, size_t n,
		    size_t *next, int64_t *size)
{
	size_t found = n;

	for (size_t i = *next; i < n; i++)
		if (sv_starts(*s, units[i].name) &&
		    (found == n || units[i].name.n > units[found].name.n))
			found = i;
	if (found == n)
		return false;
	*size = units[found].size;
	*s = (struct sv){s->p + units[found].name.n,
			 s->n - units[found].name.n};
	*next = found + 1;
	return true;
}

static bool sum_of_parts(struct sv s, const struct unit *units, size_t n,
			 int64_t *out)
{
	size_t next = 0;

	*out = 0;
	if (s.n == 0)
		return false;
	while (s.n) {
		uint64_t v;
		int64_t size;

		if (!digits_of(&s, &v) || !unit_of(&s, units, n, &next, &size))
			return false;
		if (v > (uint64_t)((INT64_MAX - *out) / size))
			return false;
		*out += (int64_t)v * size;
	}
	return true;
}

/* "1h30m" of microseconds, "64MiB" of bytes. */
static void parts_text(int64_t v, const struct unit *units, size_t n,
		       char out[96])
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < n && at < 80; i++) {
		long long count = v / units[i].size;

		if (count == 0 && !(i == n - 1 && at == 0))
			continue;
		at += (size_t)snprintf(out + at, 96 - at, "%lld%.*s", count,
				       SV_ARG(units[i].name));
		v %= units[i].size;
	}
}

static bool in_bounds(const struct conf_node *n, int64_t v,
		      const struct unit *units, size_t n_units, struct sv text,
		      struct err *e)
{
	char min[96];
	char max[96];

	if (!bounded(n) || (v >= n->min && v <= n->max))
		return true;
	parts_text(n->min, units, n_units, min);
	parts_text(n->max, units, n_units, max);
	return err_set(e, "want %s to %s, got '%.*s'", min, max, SV_ARG(text));
}

bool conf_duration(const struct conf_node *n, struct sv text, void *field,
		   struct err *e)
{
	int64_t v;

	if (bare_number(text))
		return err_set(e, "%.*s needs a unit, e.g. %.*sm or %.*ss",
			       SV_ARG(text), SV_ARG(text), SV_ARG(text));
	if (!sum_of_parts(text, time_units, ARRAY_LEN(time_units), &v))
		return err_set(e,
			       "want a duration like 90s, 30m, 2h, 35d or "
			       "1h30m, got '%.*s'",
			       SV_ARG(text));
	if (!in_bounds(n, v, time_units, ARRAY_LEN(time_units), text, e))
		return false;
	*(int64_t *)field = v;
	return true;
}

bool conf_bytes(const struct conf_node *n, struct sv text, void *field,
		struct err *e)
{
	int64_t v;

	if (bare_number(text))
		return err_set(e, "%.*s needs a unit, e.g. %.*sMiB",
			       SV_ARG(text), SV_ARG(text));
	if (!sum_of_parts(text, byte_units, ARRAY_LEN(byte_units), &v))
		return err_set(e, "want a size like 64MiB or 2GiB, got '%.*s'",
			       SV_ARG(text));
	if (!in_bounds(n, v, byte_units, ARRAY_LEN(byte_units), text, e))
		return false;
	*(uint64_t *)field = (uint64_t)v;
	return true;
}

bool conf_money(const struct conf_node *n, struct sv text, void *field,
		struct err *e)
{
	char min[MONEY_TEXT];
	char max[MONEY_TEXT];
	int64_t v;

	if (bare_number(text))
		return err_set(e,
			       "%.*s needs a unit, e.g. \xc2\xa3%.*s or %.*sp",
			       SV_ARG(text), SV_ARG(text), SV_ARG(text));
	if (!money_parse(text, &v))
		return err_set(e,
			       "want an amount like \xc2\xa3"
			       "50, \xc2\xa3"
			       "0.25 or 25p, got '%.*s'",
			       SV_ARG(text));
	if (bounded(n) && (v < n->min || v > n->max)) {
		money_text_exact(n->min, min);
		money_text_exact(n->max, max);
		return err_set(e, "want \xc2\xa3%s to \xc2\xa3%s, got '%.*s'",
			       min, max, SV_ARG(text));
	}
	*(int64_t *)field = v;
	return true;
}

bool conf_date(const struct conf_node *n, struct sv text, void *field,
	       struct err *e)
{
	char stamp[sizeof("2026-03-31T00:00Z")];
	int64_t us;

	(void)n;
	if (text.n == 10) {
		snprintf(stamp, sizeof(stamp), "%.10sT00:00Z", text.p);
		if (time_parse(sv_of(stamp), &us)) {
			*(int64_t *)field = us / DAY_US; /* exact */
			return true;
		}
	}
	return err_set(e, "want a date like 2026-03-31, got '%.*s'",
		       SV_ARG(text));
}
