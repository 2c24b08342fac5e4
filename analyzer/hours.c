/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/config_inside.h"

#include <stdio.h>
#include <stdlib.h>

#include "analyzer/table.h"
#include "common/clock.h"
#include "common/mem.h"

/*
 * `calendars:` and holidays/<division>.csv.  One calendar of the config is
 * compiled once for each division that uses it, when the first account asks.
 */
enum { OPENINGS_MAX = 64, DIVISION_MAX = 31, LINT_DAYS = 90 };

struct division {
	char name[DIVISION_MAX + 1];
	struct holiday *holiday; /* sorted; names owned by c */
	size_t n;
};

struct plan {
	const char *name;
	struct opening opening[OPENINGS_MAX];
	size_t n_opening;
	const char *holidays; /* NULL: none; "division", or a division */
	bool ok;
};

struct made {
	const struct plan *plan;
	const struct division *division; /* NULL: without holidays */
	struct calendar *calendar;
};

struct hours {
	struct conf *c;
	const struct conf_tree *at; /* of files.holidays */
	const char *folder;
	const char *timezone;
	const char *site_division;
	struct plan *plan;
	size_t n_plans;
	struct division **division;
	size_t n_divisions;
	struct made *made;
	size_t n_made;
};

/* ---- holidays ---- */

static int by_day(const void *a, const void *b)
{
	const struct holiday *x = a;
	const struct holiday *y = b;

	return (x->day > y->day) - (x->day < y->day);
}

static void read_holidays(struct hours *h, struct division *d)
{
	static const char *const columns[] = {"date", "name", NULL};
	struct table *t = xmalloc(sizeof(*t));
	char path[512];

	snprintf(path, sizeof(path), "%s%s%s.csv", h->folder,
		 h->folder[strlen(h->folder) - 1] == '/' ? "" : "/", d->name);
	if (!table_open(t, h->c, h->at, sv_of(path), columns, 2))
		goto out;
	while (table_next(t)) {
		int64_t us;

		if (table_get(t, 0).n == 0)
			table_error(t, 0, "bad-date", "write 2026-03-31",
				    "a holiday needs a date");
		if (!table_date(t, 0, &us) || table_get(t, 0).n == 0)
			continue;
		d->holiday =
			xrealloc(d->holiday, d->n + 1, sizeof(*d->holiday));
		d->holiday[d->n].day = us / DAY_US;
		d->holiday[d->n++].name = sv_dup(table_get(t, 1));
	}
	qsort(d->holiday, d->n, sizeof(*d->holiday), by_day);
out:
	free(t);
}

static bool division_name(struct sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '-' && (s.p[i] < 'a' || s.p[i] > 'z'))
			return false;
	return s.n > 0 && s.n <= DIVISION_MAX;
}

/* The list, read at its first use; NULL: no name for one. */
static const struct division *find_division(struct hours *h, struct sv name)
{
	struct division *d;

	for (size_t i = 0; i < h->n_divisions; i++)
		if (sv_eq(sv_of(h->division[i]->name), name))
			return h->division[i];
	if (!division_name(name) || !h->folder)
		return NULL;
	d = xcalloc(1, sizeof(*d));
	sv_put(d->name, DIVISION_MAX, name);
	read_holidays(h, d);
	h->division = xrealloc(h->division, h->n_divisions + 1,
			       sizeof(struct division *));
	h->division[h->n_divisions++] = d;
	return d;
}

bool hours_division(struct hours *h, struct sv name)
{
	const struct division *d = find_division(h, name);

	return d && d->n > 0;
}

void hours_lint(const struct hours *h, int64_t now_us)
{
	for (size_t i = 0; i < h->n_divisions; i++) {
		const struct division *d = h->division[i];
		int64_t last = d->n ? d->holiday[d->n - 1].day : 0;

		if (last < now_us / DAY_US + LINT_DAYS)
			conf_warn(h->c, h->at, "holidays-end",
				  "add the coming years",
				  "the holidays of %s end within %d days",
				  d->name, LINT_DAYS);
	}
}

/* ---- opening hours ---- */

static const char *const day_names[7] = {"mon", "tue", "wed", "thu",
					 "fri", "sat", "sun"};

static int day_of(struct sv s)
{
	for (int d = 0; d < 7; d++)
		if (sv_eq(s, sv_of(day_names[d])))
			return d;
	return -1;
}

/* "mon", "mon-fri", "sat-tue", "mon,wed-fri" */
static bool parse_days(struct sv text, uint8_t *days)
{
	*days = 0;
	while (text.n) {
		struct sv last = sv_trim(sv_cut(&text, ','));
		bool range = last.n && memchr(last.p, '-', last.n);
		struct sv first = sv_cut(&last, '-');
		int a = day_of(first);
		int b = range ? day_of(last) : a;

		if (a < 0 || b < 0)
			return false;
		for (;; a = (a + 1) % 7) {
			*days |= (uint8_t)(1u << a);
			if (a == b)
				break;
		}
	}
	return *days != 0;
}

/* "08:00" to minutes; up to 24:00. */
static bool parse_minute(struct sv s, uint16_t *out)
{
	uint32_t h;
	uint32_t m;

	if (s.n != 5 || s.p[2] != ':' || !sv_u32((struct sv){s.p, 2}, &h) ||
	    !sv_u32((struct sv){s.p + 3, 2}, &m) || m > 59 || h > 24 ||
	    (h == 24 && m > 0))
		return false;
	*out = (uint16_t)(h * 60 + m);
	return true;
}

static bool read_opening(struct conf *c, const struct conf_tree *t,
			 uint8_t days, struct plan *p)
{
	struct sv until = conf_text(t);
	struct sv from = sv_trim(sv_cut(&until, '-'));
	struct opening o = {.days = days};

	if (p->n_opening == OPENINGS_MAX) {
		conf_error(c, t, "too-many", NULL, "more than %d openings",
			   OPENINGS_MAX);
		return false;
	}
	if (conf_kind(t) != TREE_SCALAR || !parse_minute(from, &o.from_min) ||
	    !parse_minute(sv_trim(until), &o.until_min) || o.from_min == 1440) {
		conf_error(c, t, "bad-hours",
			   "08:00-18:00, or 22:00-06:00 over midnight",
			   "'%.*s' are no hours", SV_ARG(conf_text(t)));
		return false;
	}
	p->opening[p->n_opening++] = o;
	return true;
}

static bool read_days(struct conf *c, const struct conf_tree *key,
		      const struct conf_tree *t, struct plan *p)
{
	bool ok = true;
	uint8_t days;

	if (!parse_days(conf_text(key), &days)) {
		conf_error(c, key, "bad-days", "mon, mon-fri, sat-tue",
			   "'%.*s' are no days", SV_ARG(conf_text(key)));
		return false;
	}
	if (conf_kind(t) != TREE_LIST)
		return read_opening(c, t, days, p);
	for (size_t i = 0; i < conf_len(t); i++)
		ok &= read_opening(c, conf_item(t, i), days, p);
	return ok;
}

struct raw_plan {
	const struct conf_tree *open;
	const char *holidays;
	const struct conf_tree *at;
};

static const struct conf_node plan_nodes[] = {
	{.name = ".", .kind = CONF_TREE, .at = offsetof(struct raw_plan, at)},
	{.name = "open",
	 .kind = CONF_TREE,
	 .at = offsetof(struct raw_plan, open),
	 .flags = CONF_REQUIRED,
	 .doc = "{mon-fri: \"08:00-18:00\"}"},
	{.name = "holidays",
	 .parse = conf_str,
	 .at = offsetof(struct raw_plan, holidays),
	 .def = "none",
	 .doc = "division (the account's own), none, or a named division"},
	{0}};

void hours_document(FILE *out)
{
	static const struct conf_node each = {.kind = CONF_MAP,
					      .child = plan_nodes};
	static const struct conf_node dict[] = {{.name = "calendars",
						 .kind = CONF_DICT,
						 .child = &each,
						 .doc = "opening hours"},
						{0}};

	conf_document(dict, out);
}

static void read_plan(struct hours *h, const struct conf_tree *t,
		      struct plan *p)
{
	struct raw_plan raw = {0};

	p->ok = conf_walk(h->c, t, plan_nodes, &raw);
	if (!p->ok)
		return;
	if (conf_kind(raw.open) != TREE_MAP) {
		conf_error(h->c, raw.open, "not-a-map", NULL,
			   "expected {mon-fri: \"08:00-18:00\"}");
		p->ok = false;
		return;
	}
	for (size_t i = 0; i < conf_len(raw.open); i++)
		p->ok &= read_days(h->c, conf_key(raw.open, i),
				   conf_item(raw.open, i), p);
	if (strcmp(raw.holidays, "none") == 0)
		return;
	p->holidays = raw.holidays;
	if (strcmp(raw.holidays, "division") != 0 &&
	    !hours_division(h, sv_of(raw.holidays))) {
		conf_error(h->c, conf_get(t, "holidays"), "bad-value",
			   "division, none, or england-and-wales",
			   "no holidays for '%s'", raw.holidays);
		p->ok = false;
	}
}

struct hours *hours_load(struct conf *c, const struct analyzer_conf *a,
			 const struct conf_tree *calendars,
			 const struct conf_tree *at, const char *folder)
{
	struct hours *h = xcalloc(1, sizeof(*h));

	h->c = c;
	h->at = at;
	h->folder = folder;
	h->timezone = a->site.timezone;
	h->site_division = a->site.division;
	if (!calendars)
		return h;
	if (conf_kind(calendars) != TREE_MAP) {
		conf_error(c, calendars, "not-a-map", NULL,
			   "expected calendars by name");
		return h;
	}
	h->plan = xcalloc(conf_len(calendars) + 1, sizeof(*h->plan));
	for (size_t i = 0; i < conf_len(calendars); i++) {
		struct plan *p = &h->plan[h->n_plans++];

		p->name = conf_text(conf_key(calendars, i)).p;
		read_plan(h, conf_item(calendars, i), p);
	}
	return h;
}

void hours_free(struct hours *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->n_made; i++)
		calendar_free(h->made[i].calendar);
	for (size_t i = 0; i < h->n_divisions; i++) {
		for (size_t k = 0; k < h->division[i]->n; k++)
			free((char *)h->division[i]->holiday[k].name);
		free(h->division[i]->holiday);
		free(h->division[i]);
	}
	free(h->division);
	free(h->made);
	free(h->plan);
	free(h);
}

/* ---- asking ---- */

static const struct calendar *compile(struct hours *h, const struct plan *p,
				      const struct division *d)
{
	struct calendar_spec spec = {
		.name = p->name,
		.timezone = h->timezone,
		.opening = p->opening,
		.n_opening = p->n_opening,
		.holiday = d ? d->holiday : NULL,
		.n_holiday = d ? d->n : 0,
		.division = d ? d->name : NULL,
	};
	struct calendar *c;
	struct err e; /* the zone was checked before */

	for (size_t i = 0; i < h->n_made; i++)
		if (h->made[i].plan == p && h->made[i].division == d)
			return h->made[i].calendar;
	if (!calendar_new(&c, &spec, &e))
		return NULL;
	h->made = xrealloc(h->made, h->n_made + 1, sizeof(*h->made));
	h->made[h->n_made++] = (struct made){p, d, c};
	return c;
}

static const struct plan *find_plan(const struct hours *h, struct sv name,
				    const char **near)
{
	const char **names;

	for (size_t i = 0; i < h->n_plans; i++)
		if (sv_eq(sv_of(h->plan[i].name), name))
			return &h->plan[i];
	names = xcalloc(h->n_plans + 1, sizeof(*names));
	for (size_t i = 0; i < h->n_plans; i++)
		names[i] = h->plan[i].name;
	*near = conf_nearest(name, names, h->n_plans);
	free(names);
	return NULL;
}

const struct calendar *hours_find(struct hours *h, struct sv name,
				  struct sv division, bool *known,
				  const char **near)
{
	const struct plan *p;
	const struct division *d = NULL;

	*near = NULL;
	p = find_plan(h, name, near);
	*known = p != NULL;
	if (!p || !p->ok)
		return NULL;
	if (p->holidays && strcmp(p->holidays, "division") != 0)
		division = sv_of(p->holidays);
	else if (division.n == 0 && h->site_division)
		division = sv_of(h->site_division);
	if (p->holidays)
		d = find_division(h, division);
	return compile(h, p, d);
}
