/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/why.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/apply.h"
#include "common/clock.h"
#include "common/journal.h"
#include "common/log.h"
#include "common/mem.h"

enum { WHY_PATH = 4096, ID_MIN = 4 };

/* Sums may differ by what rounding to a micropenny does in each call. */
enum { ROUNDING_MICROPENCE = 1000 };

enum { HEX = 33 };

/* A warning that was passed: it may be one half of a COMBI to come. */
struct passed {
	char id[HEX];
	char account[28];
};

/*
 * A finding of a rule is recounted where the replay comes to it, and there it
 * ends.  A COMBI has no rule: two warnings made it, the last two of its
 * account.  They lie behind, so a second replay recounts each in its place.
 */
struct why {
	struct apply *apply;
	const char *config;
	const char *state;
	const char *wanted; /* hex */
	bool as_json;
	bool found;
	bool agrees;
	struct passed *passed;
	size_t n_passed;
	char half[2][HEX]; /* "" = none, or recounted already */
	bool again;	   /* the second replay */
	struct json json;
};

/* One term of the finding, being recounted. */
struct recount {
	struct why *why;
	const struct finding *f;
	const struct finding_term *term;
	const struct rule *rule;
	const struct calendar *calendar;
	int64_t from_us; /* window, half-open at the front */
	int64_t sum;
	unsigned calls;
};

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static bool counts_at(const struct recount *r, int64_t t_us)
{
	return t_us >= r->from_us && t_us <= r->f->time_us &&
	       (r->term->window_us == 0 ||
		calendar_regime(r->calendar, t_us) == r->f->regime);
}

/* Microseconds of [a, b) that lie in the window and in the regime. */
static int64_t overlap(const struct recount *r, int64_t a, int64_t b)
{
	int64_t closed;

	if (a < r->from_us)
		a = r->from_us;
	if (b > r->f->time_us)
		b = r->f->time_us;
	if (a >= b)
		return 0;
	closed = calendar_closed(r->calendar, a, b);
	return r->f->regime == REGIME_OUTSIDE ? closed : b - a - closed;
}

/* Money as design section 6 charges it: set-up and the first increment at
 * the answer, then linear, then at the end what is missing to the exact
 * charge. */
static int64_t spend_of(const struct recount *r, const struct engine_call *c)
{
	__int128 sum = 0; /* micropence x 60e6 */
	const int64_t unit = 60 * SEC_US;
	int64_t first = rate_first_s(&c->rate) * SEC_US;
	int64_t linear = c->answer_us + first - c->rate.step_s * SEC_US;
	int64_t end = c->end_us ? c->end_us : INT64_MAX;
	__int128 at_once = (__int128)c->rate.setup * unit +
			   (__int128)c->rate.cost_per_min * first;

	if (counts_at(r, c->answer_us))
		sum += at_once;
	sum += (__int128)c->rate.cost_per_min * overlap(r, linear, end);
	if (c->end_us && counts_at(r, c->end_us)) {
		int64_t ran = c->end_us > linear ? c->end_us - linear : 0;

		sum += (__int128)rate_charge(&c->rate, c->rate.cost_per_min,
					     c->end_us - c->answer_us) *
			       unit -
		       at_once - (__int128)c->rate.cost_per_min * ran;
	}
	return (int64_t)(sum / unit);
}

static int64_t part_of(const struct recount *r, const struct engine_call *c)
{
	int64_t now = r->f->time_us;
	bool up = c->answer_us && c->answer_us <= now &&
		  (!c->end_us || c->end_us > now);

	switch (r->term->measure) {
	case MEASURE_CALLS:
		return c->setup_us && counts_at(r, c->setup_us);
	case MEASURE_ANSWERED:
		return c->answer_us && counts_at(r, c->answer_us);
	case MEASURE_FAILED:
		return !c->answer_us && c->end_us && counts_at(r, c->end_us);
	case MEASURE_SPEND:
		return c->answer_us ? spend_of(r, c) : 0;
	case MEASURE_MINUTES:
		return c->answer_us ? overlap(r, c->answer_us,
					      c->end_us ? c->end_us : now)
				    : 0;
	case MEASURE_CONCURRENT:
		return up && calendar_regime(r->calendar, c->answer_us) ==
				     r->f->regime;
	case MEASURE_LONGEST:
		return up ? now - later(c->answer_us, r->from_us) : 0;
	default:
		return 0;
	}
}

static void say_call(struct recount *r, const struct engine_call *c,
		     int64_t part)
{
	char callee[NUMBER_TEXT], when[TIME_TEXT], text[32], hex[33];
	int64_t end = c->end_us ? c->end_us : r->f->time_us;
	int64_t talk = c->answer_us ? (end - c->answer_us) / SEC_US : 0;
	struct json *j = &r->why->json;

	number_mask(c->callee, callee);
	measure_text(r->term->measure, part, text);
	if (!r->why->as_json) {
		time_text(c->setup_us ? c->setup_us : c->answer_us, when);
		printf("    %.19sZ  %-17s %-3.4s %6llds%s  %s\n", when, callee,
		       c->info.country, (long long)talk,
		       c->end_us ? "  " : " +", text);
		return;
	}
	hex_text(c->key.b, sizeof(c->key.b), hex);
	json_open(j, '{');
	json_key(j, "measure");
	json_str(j, sv_of(measure_name(r->term->measure)));
	json_key(j, "call_key");
	json_str(j, sv_of(hex));
	json_key(j, "callee");
	json_str(j, sv_of(callee));
	json_key(j, "setup");
	json_time(j, c->setup_us);
	json_key(j, "talk_s");
	json_int(j, talk);
	json_key(j, "part");
	json_str(j, sv_of(text));
	json_close(j, '}');
	json_line(j, stdout);
}

static void recount_call(void *arg, const struct engine_call *c)
{
	struct recount *r = arg;
	int64_t part;

	if (!match_call(&r->rule->match, c->direction, &c->info,
			c->rate.cost_per_min) ||
	    c->info.class == CLASS_EMERGENCY)
		return;
	if (r->rule->per == PER_CALL &&
	    memcmp(c->key.b, r->f->evidence[0].key.b, sizeof(c->key.b)) != 0)
		return;
	part = part_of(r, c);
	if (part == 0)
		return;
	r->calls++;
	r->sum += part;
	say_call(r, c, part);
}

static void say_sum(struct recount *r)
{
	int64_t off = r->sum - r->term->observed;
	bool agrees =
		llabs(off) <=
		(r->term->measure == MEASURE_SPEND ? ROUNDING_MICROPENCE : 0);
	char sum[32], seen[32];
	struct json *j = &r->why->json;

	r->why->agrees = r->why->agrees && agrees;
	measure_text(r->term->measure, r->sum, sum);
	measure_text(r->term->measure, r->term->observed, seen);
	if (!r->why->as_json) {
		printf("  %u call%s, %s in all; the finding says %s: %s\n",
		       r->calls, r->calls == 1 ? "" : "s", sum, seen,
		       agrees ? "they agree" : "THEY DIFFER");
		return;
	}
	json_open(j, '{');
	json_key(j, "measure");
	json_str(j, sv_of(measure_name(r->term->measure)));
	json_key(j, "calls");
	json_int(j, r->calls);
	json_key(j, "recounted");
	json_str(j, sv_of(sum));
	json_key(j, "observed");
	json_str(j, sv_of(seen));
	json_key(j, "agrees");
	json_bool(j, agrees);
	json_close(j, '}');
	json_line(j, stdout);
}

static void recount(struct why *w, const struct finding *f,
		    const struct finding_term *t, const struct rule *rule)
{
	const struct analyzer_conf *conf = apply_conf(w->apply);
	struct recount r = {
		.why = w,
		.f = f,
		.term = t,
		.rule = rule,
		.calendar = conf->provider,
		.from_us = t->session || rule->per == PER_CALL
				   ? f->closed_since_us
			   : t->window_us ? f->window_start_us
					  : INT64_MIN,
	};

	for (size_t i = 0; i < conf->n_accounts; i++)
		if (sv_eq(EVENT_SV(conf->account[i].name),
			  EVENT_SV(f->account)))
			r.calendar = conf->account[i].calendar;
	if (!w->as_json)
		printf("  recount of %s, newest call first (+ = still up):\n",
		       measure_name(t->measure));
	engine_calls(apply_engine(w->apply), EVENT_SV(f->account), recount_call,
		     &r);
	say_sum(&r);
}

static const struct rule *rule_of(const struct analyzer_conf *conf,
				  const struct finding *f)
{
	for (unsigned i = 0; i < conf->n_rules; i++)
		if (sv_eq(EVENT_SV(conf->rule[i].id), EVENT_SV(f->rule)))
			return &conf->rule[i];
	return NULL;
}

static void say_finding(struct why *w, const struct finding *f, const char *hex)
{
	const struct analyzer_conf *conf = apply_conf(w->apply);
	const struct rule *rule = rule_of(conf, f);

	if (w->as_json) {
		finding_json(f, &w->json);
		json_line(&w->json, stdout);
	} else {
		printf("%s\n", hex);
		finding_text(f, conf->site.timezone, stdout);
	}
	for (unsigned i = 0; rule && i < f->n_terms; i++)
		recount(w, f, &f->term[i], rule);
}

static void pass(struct why *w, const struct finding *f, const char *hex)
{
	struct passed *p;

	if (f->severity != SEVERITY_WARNING ||
	    !sv_eq(EVENT_SV(f->family), SV("toll")))
		return;
	if ((w->n_passed & (w->n_passed + 1)) == 0)
		w->passed = xrealloc(w->passed, 2 * w->n_passed + 2,
				     sizeof(*w->passed));
	p = &w->passed[w->n_passed++];
	memcpy(p->id, hex, sizeof(p->id));
	memcpy(p->account, f->account, sizeof(p->account));
}

static void find_halves(struct why *w, const struct finding *f)
{
	unsigned n = 0;

	for (size_t i = w->n_passed; i-- > 0 && n < 2;)
		if (memcmp(w->passed[i].account, f->account,
			   sizeof(f->account)) == 0)
			memcpy(w->half[n++], w->passed[i].id, HEX);
	if (!w->as_json)
		printf("  two warnings within an hour make a critical; "
		       "each recounted:\n");
}

static void on_finding(void *arg, const struct finding *f,
		       const struct apply_place *at)
{
	struct why *w = arg;
	char hex[HEX];

	(void)at;
	hex_text(f->id, sizeof(f->id), hex);
	for (unsigned i = 0; w->again && i < 2; i++)
		if (strcmp(hex, w->half[i]) == 0) {
			say_finding(w, f, hex);
			w->half[i][0] = '\0';
		}
	if (w->found)
		return;
	if (strncmp(hex, w->wanted, strlen(w->wanted)) != 0) {
		pass(w, f, hex);
		return;
	}
	w->found = true;
	w->agrees = true;
	say_finding(w, f, hex);
	if (sv_eq(EVENT_SV(f->rule), SV("COMBI")))
		find_halves(w, f);
}

static bool done(const struct why *w)
{
	return w->again ? !w->half[0][0] && !w->half[1][0] : w->found;
}

static bool replay(struct why *w, struct err *e)
{
	char dir[WHY_PATH];
	struct journal_reader *r;
	struct sv entry;
	uint64_t end;
	enum journal_rc rc;

	if (snprintf(dir, sizeof(dir), "%s/archive", w->state) >= WHY_PATH)
		return err_set(e, "%s: path too long", w->state);
	if (!journal_read_open(&r, dir, 0, e))
		return false;
	do {
		rc = journal_next(r, &entry, &end, e);
		if (rc == JOURNAL_OK)
			apply_entry(w->apply, entry, end);
	} while (rc == JOURNAL_OK && !done(w));
	journal_read_close(r);
	return rc != JOURNAL_CORRUPT;
}

/* One replay of the archive.  The exit code, after a message unless 0. */
static int go(struct why *w)
{
	char store[WHY_PATH];
	/* Calls of a whole bank-holiday weekend can lie in a session. */
	struct apply_opts ao = {.finding = on_finding,
				.arg = w,
				.store = store,
				.retain_us = 7 * DAY_US};
	struct conf *c = NULL;
	struct err e = {0};
	struct analyzer_conf *conf = analyzer_conf_load(w->config, &c, &e);
	bool ok;

	if (!conf) {
		if (c)
			conf_report(c, stderr, false, false);
		else
			fprintf(stderr, "tollwatch: %s\n", e.text);
		conf_free(c);
		return 78;
	}
	snprintf(store, sizeof(store), "%s/configs", w->state);
	w->apply = apply_new(&conf, &ao);
	ok = replay(w, &e);
	apply_free(w->apply);
	if (!ok)
		fprintf(stderr, "tollwatch: why: %s\n", e.text);
	else if (!w->found)
		fprintf(stderr,
			"tollwatch: why: no finding %s in the archive of %s\n",
			w->wanted, w->state);
	else if (!done(w))
		fprintf(stderr,
			"tollwatch: why: the warnings behind %s are "
			"not in the archive\n",
			w->wanted);
	return ok && done(w) ? 0 : 1;
}

static int why(struct why *w)
{
	int code = go(w);

	if (code == 0 && w->half[0][0]) {
		w->again = true;
		code = go(w);
	}
	json_free(&w->json);
	free(w->passed);
	return code ? code : w->agrees ? 0 : 3;
}

static int usage(void)
{
	fputs("usage: tollwatch-analyzer why --config DIR --state DIR "
	      "[--json] FINDING\n",
	      stderr);
	return 2;
}

int why_main(int argc, char **argv)
{
	static const struct option opts[] = {
		{"config", required_argument, NULL, 'c'},
		{"state", required_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{0},
	};
	struct why w = {0};
	int c;

	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		switch (c) {
		case 'c':
			w.config = optarg;
			break;
		case 's':
			w.state = optarg;
			break;
		case 'j':
			w.as_json = true;
			break;
		default:
			return usage();
		}
	}
	if (argc - optind != 1 || !w.config || !w.state ||
	    strlen(argv[optind]) < ID_MIN)
		return usage();
	w.wanted = argv[optind];
	return why(&w);
}
