/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/command.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "common/clock.h"
#include "common/conf.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/metrics.h"
#include "launch/children.h"
#include "launch/night.h"
#include "launch/place.h"
#include "launch/report.h"

/*
 * A whole site in one terminal:
 *
 *   RUN_STARTING  analyzer is up, not ready yet
 *   RUN_FEEDING   collector is up too, not ready yet
 *   RUN_UP        "site up" was said
 *   RUN_DRAIN     the collector has read everything and left; the analyzer
 *                 may still have findings on their way (clock: feed only)
 *   RUN_STOPPING  collector, then analyzer are asked to stop
 */
enum run_state {
	RUN_STARTING = 0,
	RUN_FEEDING,
	RUN_UP,
	RUN_DRAIN,
	RUN_STOPPING,
};

enum { TICK_MS = 100, FETCH_MS = 200, QUIET_TICKS = 3 };

struct run_opts {
	const char *config;
	const char *state;
	bool as_json; /* findings as JSON Lines on stdout, the rest to stderr */
	const char *calls;
	const char *as;
	int64_t run_for_us; /* 0 = no end */
};

struct run {
	const struct run_opts *o;
	FILE *say; /* what a person reads: stdout, with --json stderr */
	struct place place;
	char *zone;
	bool feed; /* site.clock */
	enum run_state state;
	int code;
	unsigned quiet; /* ticks in a row without an unsent finding */
	struct mono_ms up_at;
	struct event_base *base;
	struct bus *bus;
	struct report *report;
	struct child *child[2]; /* by enum program */
	char *argv[2][PROGRAM_ARGS];
	struct event *tick;
	struct event *on_signal[3]; /* INT, TERM, HUP */
};

/* ---- stop ---- */

static void stop(struct run *r, int code)
{
	if (r->state == RUN_STOPPING)
		return;
	r->state = RUN_STOPPING;
	r->code = code;
	if (child_alive(r->child[PROGRAM_COLLECTOR]))
		child_stop(r->child[PROGRAM_COLLECTOR]);
	else if (child_alive(r->child[PROGRAM_ANALYZER]))
		child_stop(r->child[PROGRAM_ANALYZER]);
	else
		event_base_loopbreak(r->base);
}

static void say_up(struct run *r)
{
	fprintf(r->say, "site up\n");
	fflush(r->say);
	r->state = RUN_UP;
	r->up_at = clock_mono();
}

static void on_end(void *arg, enum program p, int code)
{
	struct run *r = arg;

	if (r->state == RUN_STOPPING) {
		if (p == PROGRAM_COLLECTOR &&
		    child_alive(r->child[PROGRAM_ANALYZER]))
			child_stop(r->child[PROGRAM_ANALYZER]);
		else
			event_base_loopbreak(r->base);
		return;
	}
	if (p == PROGRAM_COLLECTOR && code == 0 && r->feed) {
		if (r->state == RUN_FEEDING)
			say_up(r);
		r->state = RUN_DRAIN;
		r->quiet = 0;
		return;
	}
	stop(r, code != 0 ? code : 1);
}

/* ---- the tick ---- */

static bool is_ready(const struct run *r, enum program p)
{
	struct err e;
	char *body = NULL;
	bool ok = metrics_fetch(r->place.metrics[p], "/-/ready", FETCH_MS,
				&body, &e);

	free(body);
	return ok;
}

/* The analyzer's counters, NULL when it does not answer. */
static json_t *ask_analyzer(const struct run *r)
{
	struct err e;
	char *body = NULL;
	json_t *o;

	if (!metrics_fetch(r->place.metrics[PROGRAM_ANALYZER], "/status",
			   FETCH_MS, &body, &e))
		return NULL;
	o = json_loads(body, 0, NULL);
	free(body);
	return o;
}

/* Over when every finding was handed over and stayed so for some ticks. */
static void drain(struct run *r)
{
	json_t *o = ask_analyzer(r);
	const json_t *unsent = json_object_get(o, "findings_unsent_bytes");
	bool quiet = json_is_integer(unsent) && json_integer_value(unsent) == 0;

	r->quiet = quiet ? r->quiet + 1 : 0;
	if (r->quiet == QUIET_TICKS) {
		fprintf(r->say,
			"the night is over: %lld events received, %lld late, "
			"%lld lost\n",
			json_integer_value(json_object_get(o, "received")),
			json_integer_value(json_object_get(o, "late")),
			json_integer_value(json_object_get(o, "lost")));
		stop(r, 0);
	}
	json_decref(o);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct run *r = arg;

	(void)fd;
	(void)what;
	if (r->state == RUN_STARTING && is_ready(r, PROGRAM_ANALYZER)) {
		r->state = RUN_FEEDING;
		child_start(r->child[PROGRAM_COLLECTOR]);
	} else if (r->state == RUN_FEEDING && is_ready(r, PROGRAM_COLLECTOR) &&
		   is_ready(r, PROGRAM_ANALYZER)) {
		say_up(r);
	} else if (r->state == RUN_DRAIN) {
		drain(r);
	}
	if ((r->state == RUN_UP || r->state == RUN_DRAIN) &&
	    r->o->run_for_us > 0 &&
	    clock_mono().ms - r->up_at.ms >= r->o->run_for_us / 1000)
		stop(r, 0);
}

static void on_stop(evutil_socket_t sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	stop(arg, 0);
}

static void on_reload(evutil_socket_t sig, short what, void *arg)
{
	struct run *r = arg;

	(void)sig;
	(void)what;
	child_signal(r->child[PROGRAM_COLLECTOR], SIGHUP);
	child_signal(r->child[PROGRAM_ANALYZER], SIGHUP);
}

/* ---- start ---- */

/* What the launcher itself wants to know; both programs have checked the
 * rest. */
static bool read_site(struct run *r, struct err *e)
{
	const struct conf_tree *site;
	struct conf *c;
	char path[PLACE_PATH];

	snprintf(path, sizeof(path), "%s/tollwatch.yaml", r->o->config);
	if (!conf_load(&c, path, e))
		return false;
	site = conf_get(conf_root(c), "site");
	if (site && conf_get(site, "clock"))
		r->feed = sv_eq(conf_text(conf_get(site, "clock")), SV("feed"));
	if (site && conf_get(site, "timezone"))
		r->zone = sv_dup(conf_text(conf_get(site, "timezone")));
	conf_free(c);
	return true;
}

static bool write_sample(struct run *r, struct err *e)
{
	const struct night_opts o = {
		.config = r->o->config,
		.out = r->place.spool,
		.seed = NIGHT_SEED,
	};
	struct night_summary s;

	if (!night_write(&o, &s, e))
		return false;
	fprintf(r->say,
		"sample: %zu calls of four weeks, %zu of the night; "
		"%s is robbed in a burst (%zu calls), %s by a drip (%zu)\n",
		s.history, s.night, s.burst_account, s.burst, s.drip_account,
		s.drip);
	return true;
}

/* A feed is played from its beginning, so what the last one left goes; a site
 * on the wall's clock goes on where it was. */
static bool prepare(struct run *r, struct err *e)
{
	if (!place_find(&r->place, r->o->state, e) || !place_lock(&r->place, e))
		return false;
	if (r->feed && !place_clear_sample(&r->place, e))
		return false;
	if (!place_make(&r->place, e))
		return false;
	if (!r->feed)
		return true;
	return place_mark_sample(&r->place, e) &&
	       (r->o->calls || write_sample(r, e));
}

static void fill_argv(struct run *r)
{
	struct place *p = &r->place;
	char *config = (char *)r->o->config;
	char *const analyzer[] = {"run",
				  "--config",
				  config,
				  "--state",
				  p->analyzer,
				  "--bind",
				  p->events,
				  "--findings",
				  p->findings,
				  "--metrics",
				  p->metrics[PROGRAM_ANALYZER],
				  NULL};
	char *const collector[] = {
		"run",	   "--config",	config,
		"--state", p->state,	"--connect",
		p->events, "--metrics", p->metrics[PROGRAM_COLLECTOR],
		NULL};
	char **v = r->argv[PROGRAM_COLLECTOR];

	memcpy(r->argv[PROGRAM_ANALYZER], analyzer, sizeof(analyzer));
	memcpy(v, collector, sizeof(collector));
	v += sizeof(collector) / sizeof(*collector) - 1;
	if (r->feed)
		*v++ = "--until-end";
	if (r->o->calls) {
		*v++ = "--calls";
		*v++ = (char *)r->o->calls;
	}
	if (r->o->as) {
		*v++ = "--as";
		*v++ = (char *)r->o->as;
	}
	*v = NULL;
}

static void watch_signals(struct run *r)
{
	static const int sig[] = {SIGINT, SIGTERM, SIGHUP};

	for (int i = 0; i < 3; i++) {
		r->on_signal[i] =
			evsignal_new(r->base, sig[i],
				     sig[i] == SIGHUP ? on_reload : on_stop, r);
		if (!r->on_signal[i] || event_add(r->on_signal[i], NULL) != 0)
			abort();
	}
}

static bool start(struct run *r, struct err *e)
{
	const struct timeval tick = {0, TICK_MS * 1000};

	r->base = event_base_new();
	if (!r->base)
		return err_set(e, "libevent: no event base");
	r->bus = bus_new(r->base);
	if (!report_open(&r->report, r->bus, r->place.findings, r->zone, r->say,
			 e))
		return false;
	if (r->o->as_json)
		report_json(r->report, stdout);
	fill_argv(r);
	for (int i = PROGRAM_COLLECTOR; i <= PROGRAM_ANALYZER; i++) {
		const struct child_opts o = {
			.program = (enum program)i,
			.argv = r->argv[i],
			.on_end = on_end,
			.arg = r,
		};

		r->child[i] = child_new(r->base, &o);
	}
	watch_signals(r);
	r->tick = event_new(r->base, -1, EV_PERSIST, on_tick, r);
	if (!r->tick || event_add(r->tick, &tick) != 0)
		return err_set(e, "timer: cannot add");
	child_start(r->child[PROGRAM_ANALYZER]);
	return true;
}

static void finish(struct run *r)
{
	if (r->report)
		report_table(r->report);
	report_close(r->report);
	bus_free(r->bus);
	child_free(r->child[PROGRAM_COLLECTOR]);
	child_free(r->child[PROGRAM_ANALYZER]);
	for (int i = 0; i < 3; i++)
		if (r->on_signal[i])
			event_free(r->on_signal[i]);
	if (r->tick)
		event_free(r->tick);
	if (r->base)
		event_base_free(r->base);
	place_close(&r->place);
	free(r->zone);
}

static int run(const struct run_opts *o)
{
	struct run r = {.o = o, .say = o->as_json ? stderr : stdout};
	struct err e;
	int code = check_config(o->config, false);

	if (code != 0)
		return code;
	r.place.lock = -1;
	if (read_site(&r, &e) && prepare(&r, &e) && start(&r, &e)) {
		event_base_dispatch(r.base);
		code = r.code;
	} else {
		log_error("run: %s", e.text);
		code = 1;
	}
	finish(&r);
	return code;
}

/* ---- command line ---- */

/* "60s", "2m", "1h". */
static bool parse_span(const char *text, int64_t *us)
{
	struct sv s = sv_of(text);
	uint32_t n;
	int64_t unit;

	if (s.n < 2)
		return false;
	switch (s.p[s.n - 1]) {
	case 's':
		unit = SEC_US;
		break;
	case 'm':
		unit = MIN_US;
		break;
	case 'h':
		unit = HOUR_US;
		break;
	default:
		return false;
	}
	s.n--;
	if (!sv_u32(s, &n) || n == 0)
		return false;
	*us = n * unit;
	return true;
}

static bool parse(int argc, char **argv, struct run_opts *o)
{
	static const struct option opts[] = {
		{"config", required_argument, NULL, 'c'},
		{"state", required_argument, NULL, 's'},
		{"calls", required_argument, NULL, 'f'},
		{"as", required_argument, NULL, 'a'},
		{"json", no_argument, NULL, 'j'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case 's':
			o->state = optarg;
			break;
		case 'f':
			o->calls = optarg;
			break;
		case 'a':
			o->as = optarg;
			break;
		case 'j':
			o->as_json = true;
			break;
		default:
			return false;
		}
	}
	return optind == argc && (!o->as || o->calls);
}

int run_main(int argc, char **argv)
{
	struct run_opts o = {.config = "config"};
	const char *span = getenv("TOLLWATCH_RUN_FOR");

	if (!parse(argc, argv, &o)) {
		fputs("usage: tollwatch run [--config DIR] [--state DIR] "
		      "[--calls FILE [--as FORMAT]] [--json]\n",
		      stderr);
		return EXIT_USAGE;
	}
	if (span && *span && !parse_span(span, &o.run_for_us)) {
		fprintf(stderr,
			"tollwatch: TOLLWATCH_RUN_FOR: want 60s, 2m "
			"or 1h, got '%s'\n",
			span);
		return EXIT_USAGE;
	}
	log_open("tollwatch", LOG_INFO);
	return run(&o);
}
