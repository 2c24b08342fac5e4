/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/explain.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/engine.h"
#include "common/clock.h"
#include "common/mem.h"

enum { EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_CONFIG = 78 };

struct options {
	const char *config;
	const char *account;
	const char *at;
	bool json;
};

struct question {
	const struct analyzer_conf *conf;
	const struct account_conf *account;
	int64_t at_us;
	struct json *json; /* NULL: text */
};

/* ---- time ---- */

/* Local time with its offset: "Sat 2026-01-17 02:24:00 +00:00". */
static void local_text(const struct calendar *c, int64_t us, char out[48])
{
	static const char *const day_name[7] = {"Thu", "Fri", "Sat", "Sun",
						"Mon", "Tue", "Wed"};
	int32_t off = calendar_offset(c, us);
	int64_t day = calendar_day(c, us);
	char utc[TIME_TEXT];

	time_text(us + off * SEC_US, utc);
	snprintf(out, 48, "%s %.10s %.8s %c%02d:%02d",
		 day_name[(day % 7 + 7) % 7], utc, utc + 11,
		 off < 0 ? '-' : '+', abs(off) / 3600, abs(off) / 60 % 60);
}

static bool has_offset(struct sv s)
{
	for (size_t i = 10; i < s.n; i++)
		if (strchr("Zz+-", s.p[i]))
			return true;
	return false;
}

/* The first guess may stand on the wrong side of a clock change, the second
 * does not; of a doubled hour it takes the earlier. */
static bool parse_at(const struct calendar *c, const char *text, int64_t *us)
{
	int64_t local;
	int64_t guess;

	if (!time_parse(sv_of(text), us))
		return false;
	if (has_offset(sv_of(text)))
		return true;
	local = *us;
	guess = local - calendar_offset(c, local - DAY_US) * SEC_US;
	if (guess + calendar_offset(c, guess) * SEC_US != local)
		guess = local - calendar_offset(c, guess) * SEC_US;
	*us = guess;
	return true;
}

/* ---- limits ---- */

static void json_value(struct json *j, enum measure m, int64_t value)
{
	char text[32];
	int n;

	if (m == MEASURE_SPEND) {
		json_money(j, value);
	} else if (m == MEASURE_MINUTES || m == MEASURE_LONGEST) {
		n = snprintf(text, sizeof(text), "%lld.%02d",
			     (long long)(value / MIN_US),
			     (int)(value % MIN_US * 100 / MIN_US));
		json_raw(j, (struct sv){text, (size_t)n});
	} else {
		json_int(j, value);
	}
}

static void window_text(const struct finding_term *t, char out[32])
{
	if (t->session)
		snprintf(out, 32, "session");
	else
		measure_text(MEASURE_MINUTES, t->window_us, out);
}

static void limit_json(struct json *j, const struct engine_limit *l)
{
	const struct finding_term *t = &l->term;
	char window[32];

	window_text(t, window);
	json_open(j, '{');
	json_key(j, "rule");
	json_str(j, sv_of(l->rule->id));
	json_key(j, "name");
	json_str(j, sv_of(l->rule->name));
	json_key(j, "severity");
	json_str(j, l->severity == SEVERITY_CRITICAL ? SV("critical")
						     : SV("warning"));
	json_key(j, "measure");
	json_str(j, sv_of(measure_name(t->measure)));
	json_key(j, "window");
	json_str_or_null(j,
			 t->session || t->window_us ? sv_of(window) : SV(""));
	json_key(j, "limit");
	json_value(j, t->measure, t->limit);
	json_key(j, "floor");
	json_value(j, t->measure, t->floor);
	json_key(j, "override");
	json_str_or_null(j, sv_of(l->override_text ? l->override_text : ""));
	json_key(j, "file");
	json_str(j, sv_of(l->file));
	json_key(j, "line");
	json_int(j, l->line);
	json_close(j, '}');
}

static void limit_text(const struct engine_limit *l)
{
	const struct finding_term *t = &l->term;
	char limit[32];
	char floor[32];
	char window[32];

	window_text(t, window);
	measure_text(t->measure, t->limit, limit);
	printf("  %-4s %-24s %-8s %-10s %12s", l->rule->id, l->rule->name,
	       l->severity == SEVERITY_CRITICAL ? "critical" : "warning",
	       measure_name(t->measure), limit);
	if (t->session || t->window_us)
		printf(" within %s", window);
	printf("  (%s:%u", l->file, l->line);
	if (l->override_text) {
		measure_text(t->measure, t->floor, floor);
		printf("; %s by rule, override: %s", floor, l->override_text);
	}
	puts(")");
}

static void each_limit(void *arg, const struct engine_limit *l)
{
	struct json *j = arg;

	if (j)
		limit_json(j, l);
	else
		limit_text(l);
}

/* ---- the answer ---- */

static void print_limits(const struct question *v)
{
	static const struct engine_sink nowhere = {0};
	struct engine *g = engine_new(v->conf, &nowhere);

	engine_limits(g, sv_of(v->account->name), v->at_us, each_limit,
		      v->json);
	engine_free(g);
}

static int64_t known_time(int64_t us)
{
	return us == INT64_MIN || us == INT64_MAX ? 0 : us;
}

static void answer_json(const struct question *v)
{
	const struct calendar *c = v->account->calendar;
	bool open = calendar_regime(c, v->at_us) == REGIME_INSIDE;
	struct json *j = v->json;
	char reason[128];

	calendar_reason(c, v->at_us, reason, sizeof(reason));
	json_open(j, '{');
	json_key(j, "account");
	json_str(j, sv_of(v->account->name));
	json_key(j, "at");
	json_time(j, v->at_us);
	json_key(j, "regime");
	json_str(j, open ? SV("inside") : SV("outside"));
	json_key(j, "from");
	json_time(j, known_time(calendar_since(c, v->at_us)));
	json_key(j, "until");
	json_time(j, known_time(calendar_next(c, v->at_us)));
	json_key(j, "reason");
	json_str(j, sv_of(reason));
	json_key(j, "limits");
	json_open(j, '[');
	print_limits(v);
	json_close(j, ']');
	json_close(j, '}');
	json_line(j, stdout);
}

static void answer_text(const struct question *v)
{
	const struct calendar *c = v->account->calendar;
	bool open = calendar_regime(c, v->at_us) == REGIME_INSIDE;
	int64_t from = calendar_since(c, v->at_us);
	int64_t until = calendar_next(c, v->at_us);
	char reason[128];
	char when[48];

	calendar_reason(c, v->at_us, reason, sizeof(reason));
	local_text(c, v->at_us, when);
	printf("%s (%s) at %s\n", v->account->name, v->account->display, when);
	printf("  %s opening hours: %s\n", open ? "inside" : "outside", reason);
	if (known_time(from)) {
		local_text(c, from, when);
		printf("  since %s\n", when);
	}
	if (known_time(until)) {
		local_text(c, until, when);
		printf("  until %s\n", when);
	}
	puts("Limits:");
	print_limits(v);
}

static const struct account_conf *find_account(const struct analyzer_conf *a,
					       const char *name)
{
	const char **names;
	const char *near;

	for (size_t i = 0; i < a->n_accounts; i++)
		if (strcmp(a->account[i].name, name) == 0)
			return &a->account[i];
	names = xcalloc(a->n_accounts + 1, sizeof(*names));
	for (size_t i = 0; i < a->n_accounts; i++)
		names[i] = a->account[i].name;
	near = conf_nearest(sv_of(name), names, a->n_accounts);
	fprintf(stderr, "explain: no account '%s'%s%s%s\n", name,
		near ? "; did you mean '" : "", near ? near : "",
		near ? "'?" : "");
	free(names);
	return NULL;
}

static int explain(const struct analyzer_conf *a, const struct options *o)
{
	struct json j = {0};
	struct question v = {.conf = a,
			     .account = find_account(a, o->account),
			     .json = o->json ? &j : NULL};

	if (!v.account)
		return EXIT_FAILED;
	if (!parse_at(v.account->calendar, o->at, &v.at_us)) {
		fprintf(stderr,
			"explain: '%s' is no time; write 2026-01-17 02:24 or "
			"2026-01-17T02:24:00Z\n",
			o->at);
		return EXIT_USAGE;
	}
	if (o->json)
		answer_json(&v);
	else
		answer_text(&v);
	json_free(&j);
	return 0;
}

static bool parse(int argc, char **argv, struct options *o)
{
	static const struct option opts[] = {
		{"config", required_argument, NULL, 'c'},
		{"account", required_argument, NULL, 'a'},
		{"at", required_argument, NULL, 't'},
		{"json", no_argument, NULL, 'j'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case 'a':
			o->account = optarg;
			break;
		case 't':
			o->at = optarg;
			break;
		case 'j':
			o->json = true;
			break;
		default:
			return false;
		}
	}
	return optind == argc && o->account && o->at;
}

int explain_main(int argc, char **argv)
{
	struct options o = {.config = "config"};
	struct err e = {""};
	struct conf *c = NULL;
	struct analyzer_conf *a;
	int code;

	if (!parse(argc, argv, &o)) {
		fputs("usage: explain [--config DIR] --account A --at T "
		      "[--json]\n",
		      stderr);
		return EXIT_USAGE;
	}
	a = analyzer_conf_load(o.config, &c, &e);
	if (!a) {
		if (c)
			conf_report(c, stderr, false, false);
		fprintf(stderr, "explain: %s\n", e.text);
		conf_free(c);
		return EXIT_CONFIG;
	}
	code = explain(a, &o);
	analyzer_conf_free(a);
	return code;
}
