/* SPDX-License-Identifier: Apache-2.0 */
#include "alerter/oncall.h"

#include <getopt.h>
#include <stdlib.h>

#include "alerter/config.h"
#include "alerter/rota.h"
#include "common/clock.h"
#include "common/json.h"

enum { EXIT_USAGE = 2, EXIT_CONFIG = 78, WHEN = 32 };

struct view {
	const struct alerter_conf *conf;
	int64_t at_us;
};

/* "Sat 17 Jan 02:25", or the time alone on the day that is asked about. */
static const char *when(const struct view *v, int64_t t_us, char out[WHEN])
{
	local_text(v->conf, t_us, v->at_us, out, WHEN);
	return out;
}

/* "15m", "1h30m". */
static const char *span(int64_t us, char out[WHEN])
{
	long long h = us / HOUR_US, m = us % HOUR_US / MIN_US;
	long long s = us % MIN_US / SEC_US;
	char hours[16] = "", minutes[16] = "", seconds[16] = "";

	if (h)
		snprintf(hours, sizeof(hours), "%lldh", h);
	if (m || (!h && !s))
		snprintf(minutes, sizeof(minutes), "%lldm", m);
	if (s)
		snprintf(seconds, sizeof(seconds), "%llds", s);
	snprintf(out, WHEN, "%s%s%s", hours, minutes, seconds);
	return out;
}

/* ---- for a person ---- */

static void print_schedule(const struct view *v, const struct schedule *s)
{
	const struct person *p = rota_at(v->conf, s, v->at_us);
	int64_t next_us = rota_next(v->conf, s, v->at_us);
	const struct person *next =
		next_us == INT64_MAX ? NULL : rota_at(v->conf, s, next_us);
	char t[WHEN];

	printf("%s: %s", s->id, p ? p->name : "NOBODY: a gap");
	if (next)
		printf(" until %s, then %s", when(v, next_us, t), next->name);
	putchar('\n');
}

static void print_contacts(const struct person *p)
{
	char t[WHEN];

	for (size_t i = 0; i < p->n_contacts; i++) {
		printf("%s%s", i ? ", " : " by ",
		       p->contact[i].channel == CHANNEL_EMAIL ? "e-mail"
							      : "webhook");
		if (p->contact[i].after_us)
			printf(" %s later", span(p->contact[i].after_us, t));
	}
}

static void print_step(const struct view *v, const struct step *s)
{
	int64_t t_us = v->at_us + s->after_us;
	const struct person *p = step_person(v->conf, s, t_us);
	char t[WHEN], after[WHEN];

	printf("  %-16s +%-5s ", when(v, t_us, t), span(s->after_us, after));
	if (s->schedule)
		printf("%s: ", s->schedule->id);
	if (s->last_resort)
		printf("last resort: ");
	if (!p) {
		printf("NOBODY: a gap\n");
		return;
	}
	printf("%s", p->name);
	print_contacts(p);
	if (s->repeat_us)
		printf(", again every %s", span(s->repeat_us, t));
	putchar('\n');
}

static void print_family(const struct view *v, const char *title,
			 const struct escalation *x)
{
	printf("\n%s\n", title);
	for (size_t i = 0; i < x->n_steps; i++)
		print_step(v, &x->step[i]);
	if (x->n_steps == 0)
		printf("  NOBODY: no step and no last resort\n");
}

static void print_all(const struct view *v)
{
	const struct alerter_conf *a = v->conf;
	bool rest = true;
	char t[WHEN];

	/* with the date: a day that no instant of the view lies in */
	local_text(a, v->at_us, v->at_us + 2 * DAY_US, t, sizeof(t));
	printf("%s, %s\n", t, a->timezone);
	for (size_t i = 0; i < a->n_schedules; i++)
		print_schedule(v, &a->schedule[i]);
	for (size_t i = 0; i < a->n_escalations; i++) {
		bool other = strcmp(a->escalation[i].family, "default") == 0;

		rest = rest && !other;
		print_family(v,
			     other ? "all other families"
				   : a->escalation[i].family,
			     &a->escalation[i]);
	}
	if (rest)
		print_family(v, "all other families", &a->others);
}

/* ---- for a program ---- */

static void person_json(struct json *j, const char *key, const struct person *p)
{
	json_key(j, key);
	json_str_or_null(j, sv_of(p ? p->id : ""));
}

static void schedule_json(struct json *j, const struct view *v,
			  const struct schedule *s)
{
	int64_t next_us = rota_next(v->conf, s, v->at_us);
	bool ends = next_us != INT64_MAX;

	json_open(j, '{');
	json_key(j, "schedule");
	json_str(j, sv_of(s->id));
	person_json(j, "person", rota_at(v->conf, s, v->at_us));
	json_key(j, "until");
	json_time(j, ends ? next_us : 0);
	person_json(j, "next", ends ? rota_at(v->conf, s, next_us) : NULL);
	json_close(j, '}');
}

static void step_json(struct json *j, const struct view *v,
		      const struct step *s)
{
	int64_t t_us = v->at_us + s->after_us;

	json_open(j, '{');
	json_key(j, "at");
	json_time(j, t_us);
	json_key(j, "after_s");
	json_int(j, s->after_us / SEC_US);
	json_key(j, "schedule");
	json_str_or_null(j, sv_of(s->schedule ? s->schedule->id : ""));
	person_json(j, "person", step_person(v->conf, s, t_us));
	json_key(j, "repeat_s");
	json_int(j, s->repeat_us / SEC_US);
	json_key(j, "last_resort");
	json_bool(j, s->last_resort);
	json_close(j, '}');
}

static void family_json(struct json *j, const struct view *v,
			const struct escalation *x)
{
	json_open(j, '{');
	json_key(j, "family");
	json_str(j, sv_of(x->family));
	json_key(j, "steps");
	json_open(j, '[');
	for (size_t i = 0; i < x->n_steps; i++)
		step_json(j, v, &x->step[i]);
	json_close(j, ']');
	json_close(j, '}');
}

static void all_json(const struct view *v)
{
	const struct alerter_conf *a = v->conf;
	struct json j = {0};

	json_open(&j, '{');
	json_key(&j, "at");
	json_time(&j, v->at_us);
	json_key(&j, "timezone");
	json_str(&j, sv_of(a->timezone));
	json_key(&j, "schedules");
	json_open(&j, '[');
	for (size_t i = 0; i < a->n_schedules; i++)
		schedule_json(&j, v, &a->schedule[i]);
	json_close(&j, ']');
	json_key(&j, "escalation");
	json_open(&j, '[');
	for (size_t i = 0; i < a->n_escalations; i++)
		family_json(&j, v, &a->escalation[i]);
	if (escalation_of(a, "default") == &a->others)
		family_json(&j, v, &a->others);
	json_close(&j, ']');
	person_json(&j, "last_resort", a->last_resort);
	json_close(&j, '}');
	json_line(&j, stdout);
	json_free(&j);
}

/* ---- the command ---- */

/* Ends in Z or has an offset behind the time of day. */
static bool has_offset(struct sv t)
{
	return t.n > 0 && (t.p[t.n - 1] == 'Z' || t.p[t.n - 1] == 'z' ||
			   memchr(t.p, '+', t.n) ||
			   (t.n > 10 && memchr(t.p + 10, '-', t.n - 10)));
}

/* A text without an offset is the site's local time. */
static bool parse_at(const struct alerter_conf *a, const char *text,
		     int64_t *us)
{
	struct sv t = sv_of(text);
	int64_t utc[2];

	if (!time_parse(t, us))
		return false;
	if (has_offset(t))
		return true;
	zone_utc(a->zone, *us / SEC_US, utc);
	*us = utc[0] * SEC_US + *us % SEC_US;
	return true;
}

static int oncall(const char *dir, const char *at, bool as_json)
{
	struct view v = {.at_us = clock_wall().us};
	struct alerter_conf *a;
	struct conf *c;
	struct err e;
	int code = 0;

	a = alerter_conf_load(dir, false, &c, &e);
	if (!a) {
		if (c)
			conf_report(c, stderr, false, false);
		else
			fprintf(stderr, "oncall: %s\n", e.text);
		conf_free(c);
		return EXIT_CONFIG;
	}
	v.conf = a;
	if (at && !parse_at(a, at, &v.at_us)) {
		fprintf(stderr,
			"oncall: --at: want a time like \"2026-01-17 02:24\", "
			"got '%s'\n",
			at);
		code = EXIT_USAGE;
	} else if (as_json) {
		all_json(&v);
	} else {
		print_all(&v);
	}
	alerter_conf_free(a);
	return code;
}

int oncall_main(int argc, char **argv)
{
	static const struct option opts[] = {{"config", required_argument, NULL,
					      'c'},
					     {"at", required_argument, NULL,
					      'a'},
					     {"json", no_argument, NULL, 'j'},
					     {0}};
	const char *dir = "config", *at = NULL;
	bool as_json = false;
	int o;

	while ((o = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		if (o == 'c')
			dir = optarg;
		else if (o == 'a')
			at = optarg;
		else if (o == 'j')
			as_json = true;
		else
			return EXIT_USAGE;
	}
	if (optind != argc) {
		fputs("usage: oncall [--config DIR] [--at T] [--json]\n",
		      stderr);
		return EXIT_USAGE;
	}
	return oncall(dir, at, as_json);
}
