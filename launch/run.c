/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/run.h"

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
#include "launch/cluster.h"
#include "launch/command.h"
#include "launch/db.h"
#include "launch/night.h"
#include "launch/place.h"
#include "launch/sinks.h"

/*
 * A whole site in one terminal.  What is started waits for what it needs:
 *
 *   RUN_DATABASE  PostgreSQL is coming up (not with a TOLLWATCH_DSN)
 *   RUN_STARTING  alerter and analyzer are up, not both ready yet
 *   RUN_FEEDING   collector is up too, not ready yet
 *   RUN_UP        "site up" was said
 *   RUN_DRAIN     the collector has read everything and left; findings and
 *                 pages may still be on their way (clock: feed only)
 *   RUN_REST      the feed is over and the site stays up, to be looked at
 *   RUN_STOPPING  each is asked to stop, in the order of the calls' way
 */
enum run_state {
	RUN_DATABASE = 0,
	RUN_STARTING,
	RUN_FEEDING,
	RUN_UP,
	RUN_DRAIN,
	RUN_REST,
	RUN_STOPPING,
};

enum { TICK_MS = 100, FETCH_MS = 200, QUIET_TICKS = 3 };

struct run {
	const struct run_opts *o;
	FILE *say; /* what a person reads: stdout, with --json stderr */
	struct place place;
	bool feed;	    /* site.clock */
	char *first_person; /* of the config; NULL: none */
	enum run_state state;
	int code;
	unsigned quiet; /* ticks in a row without an unsent finding */
	struct mono_ms up_at;
	struct event_base *base;
	struct sinks *sinks;
	struct cluster *cluster; /* NULL: the DSN is somebody else's */
	struct child *child[PROGRAMS];
	char *argv[PROGRAMS][PROGRAM_ARGS];
	struct event *tick;
	struct event *on_signal[3]; /* INT, TERM, HUP */
};

/* ---- stop ---- */

/* The next that is still there; collector, analyzer, alerter, database. */
static void stop_next(struct run *r)
{
	for (int i = 0; i < PROGRAMS; i++) {
		if (!r->child[i] || !child_alive(r->child[i]))
			continue;
		child_stop(r->child[i]);
		return;
	}
	if (r->cluster && cluster_alive(r->cluster))
		cluster_stop(r->cluster);
	else
		event_base_loopbreak(r->base);
}

static void stop(struct run *r, int code)
{
	if (r->state == RUN_STOPPING)
		return;
	r->state = RUN_STOPPING;
	r->code = code;
	stop_next(r);
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
		stop_next(r);
		return;
	}
	if (p == PROGRAM_COLLECTOR && code == 0) {
		if (r->state == RUN_FEEDING)
			say_up(r);
		r->state = RUN_DRAIN;
		r->quiet = 0;
		return;
	}
	stop(r, code != 0 ? code : 1);
}

/* Pages do not need it: the site goes on while it is away, but a private one
 * that cannot be started at all is a fault to be told. */
static void on_cluster_end(void *arg, int code)
{
	struct run *r = arg;

	if (r->state == RUN_STOPPING)
		stop_next(r);
	else if (r->state == RUN_DATABASE)
		stop(r, code != 0 ? code : 1);
	else
		log_error("run: the database is gone for good; pages go on, "
			  "records wait in the outbox");
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

/* A program's counters, NULL when it does not answer. */
static json_t *counters(const struct run *r, enum program p)
{
	struct err e;
	char *body = NULL;
	json_t *o;

	if (!metrics_fetch(r->place.metrics[p], "/status", FETCH_MS, &body, &e))
		return NULL;
	o = json_loads(body, 0, NULL);
	free(body);
	return o;
}

static bool zero(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return json_is_integer(v) && json_integer_value(v) == 0;
}

static void say_over(struct run *r, const json_t *analyzer,
		     const json_t *alerter)
{
	fprintf(r->say,
		"the night is over: %lld events received, %lld late, %lld "
		"lost; %lld incidents\n",
		json_integer_value(json_object_get(analyzer, "received")),
		json_integer_value(json_object_get(analyzer, "late")),
		json_integer_value(json_object_get(analyzer, "lost")),
		json_integer_value(json_object_get(alerter, "incidents_open")) +
			json_integer_value(
				json_object_get(alerter,
						"incidents_acknowledged")));
	if (!r->o->until_end)
		fprintf(r->say,
			"the site stays up: ./tollwatch incidents, show 1, "
			"ack 1; Ctrl-C ends it\n");
	fflush(r->say);
}

/* Over when every finding was handed over, every page has come to an end, the
 * database has it all, and it stayed so for some ticks. */
static void drain(struct run *r)
{
	json_t *analyzer = counters(r, PROGRAM_ANALYZER);
	json_t *alerter = counters(r, PROGRAM_ALERTER);
	bool quiet = zero(analyzer, "findings_unsent_bytes") &&
		     zero(alerter, "waiting") &&
		     zero(alerter, "pages_sending") &&
		     zero(alerter, "outbox_unstored_bytes");

	r->quiet = quiet ? r->quiet + 1 : 0;
	if (r->quiet == QUIET_TICKS) {
		say_over(r, analyzer, alerter);
		r->state = RUN_REST;
		if (r->o->until_end)
			stop(r, 0);
	}
	json_decref(analyzer);
	json_decref(alerter);
}

static bool migrate(struct run *r, struct err *e)
{
	char *lines = NULL;
	size_t n = 0, files = 0;
	FILE *out = open_memstream(&lines, &n);
	bool ok;

	if (!out)
		abort();
	/* A sample begins with nothing, like its other folders. */
	ok = cluster_database(r->cluster, r->feed, e) &&
	     db_migrate(cluster_dsn(r->cluster, CLUSTER_SUPERUSER), NULL, out,
			e);
	fclose(out);
	for (size_t i = 0; i < n; i++)
		files += lines[i] == '\n';
	if (ok)
		fprintf(r->say, "database up, %zu migrations applied\n", files);
	free(lines);
	return ok;
}

static void start_programs(struct run *r)
{
	r->state = RUN_STARTING;
	child_start(r->child[PROGRAM_ALERTER]);
	child_start(r->child[PROGRAM_ANALYZER]);
}

static void database_up(struct run *r)
{
	struct err e;

	if (!migrate(r, &e)) {
		log_error("run: database: %s", e.text);
		stop(r, 1);
		return;
	}
	setenv("TOLLWATCH_DSN", cluster_dsn(r->cluster, "tollwatch_alerter"),
	       1);
	start_programs(r);
}

static void look(struct run *r)
{
	switch (r->state) {
	case RUN_DATABASE:
		if (cluster_ready(r->cluster))
			database_up(r);
		break;
	case RUN_STARTING:
		if (!is_ready(r, PROGRAM_ALERTER) ||
		    !is_ready(r, PROGRAM_ANALYZER))
			break;
		r->state = RUN_FEEDING;
		child_start(r->child[PROGRAM_COLLECTOR]);
		break;
	case RUN_FEEDING:
		if (is_ready(r, PROGRAM_COLLECTOR))
			say_up(r);
		break;
	case RUN_DRAIN:
		drain(r);
		break;
	default:
		break;
	}
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct run *r = arg;

	(void)fd;
	(void)what;
	look(r);
	if (r->state >= RUN_UP && r->o->run_for_us > 0 &&
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
	for (int i = 0; i < PROGRAMS; i++)
		if (child_alive(r->child[i]))
			child_signal(r->child[i], SIGHUP);
}

/* ---- start ---- */

/* What the launcher itself wants to know; the programs have checked the
 * rest. */
static bool read_site(struct run *r, struct err *e)
{
	const struct conf_tree *site, *people;
	struct conf *c;
	char path[PLACE_PATH];

	snprintf(path, sizeof(path), "%s/tollwatch.yaml", r->o->config);
	if (!conf_load(&c, path, e))
		return false;
	site = conf_get(conf_root(c), "site");
	if (site && conf_get(site, "clock"))
		r->feed = sv_eq(conf_text(conf_get(site, "clock")), SV("feed"));
	people = conf_get(conf_root(c), "people");
	if (people && conf_kind(people) == TREE_MAP && conf_len(people) > 0)
		r->first_person = sv_dup(conf_text(conf_key(people, 0)));
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

/* The people of the sample are invented: whoever runs it is one of them. */
static void fill_alerter(struct run *r, char **v)
{
	if (r->o->as_json)
		*v++ = "--json";
	if (r->feed && r->first_person) {
		*v++ = "--stand-in";
		*v++ = r->first_person;
	}
	*v = NULL;
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
	char *const alerter[] = {"run",
				 "--config",
				 config,
				 "--state",
				 p->alerter,
				 "--bind",
				 p->findings,
				 "--events",
				 p->events,
				 "--command",
				 p->command,
				 "--metrics",
				 p->metrics[PROGRAM_ALERTER],
				 NULL};
	char *const collector[] = {
		"run",	   "--config",	config,
		"--state", p->state,	"--connect",
		p->events, "--metrics", p->metrics[PROGRAM_COLLECTOR],
		NULL};
	char **v = r->argv[PROGRAM_COLLECTOR];

	memcpy(r->argv[PROGRAM_ANALYZER], analyzer, sizeof(analyzer));
	memcpy(r->argv[PROGRAM_ALERTER], alerter, sizeof(alerter));
	fill_alerter(r, r->argv[PROGRAM_ALERTER] +
				sizeof(alerter) / sizeof(*alerter) - 1);
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

static void make_children(struct run *r)
{
	fill_argv(r);
	for (int i = 0; i < PROGRAMS; i++) {
		const struct child_opts o = {
			.program = (enum program)i,
			.argv = r->argv[i],
			.may_end = i == PROGRAM_COLLECTOR && r->feed,
			.on_end = on_end,
			.arg = r,
		};

		r->child[i] = child_new(r->base, &o);
	}
}

/* TOLLWATCH_DSN names an existing PostgreSQL; without it we bring our own. */
static bool start_database(struct run *r, struct err *e)
{
	const char *dsn = getenv("TOLLWATCH_DSN");

	if (dsn && *dsn) {
		start_programs(r);
		return true;
	}
	if (!cluster_new(&r->cluster, r->base, r->place.state, on_cluster_end,
			 r, e))
		return false;
	cluster_start(r->cluster);
	return true;
}

static bool start(struct run *r, struct err *e)
{
	const struct timeval tick = {0, TICK_MS * 1000};

	r->base = event_base_new();
	if (!r->base)
		return err_set(e, "libevent: no event base");
	if (!sinks_open(&r->sinks, r->base, r->say, e))
		return false;
	make_children(r);
	watch_signals(r);
	r->tick = event_new(r->base, -1, EV_PERSIST, on_tick, r);
	if (!r->tick || event_add(r->tick, &tick) != 0)
		return err_set(e, "timer: cannot add");
	return start_database(r, e);
}

static void finish(struct run *r)
{
	sinks_close(r->sinks);
	for (int i = 0; i < PROGRAMS; i++)
		child_free(r->child[i]);
	cluster_free(r->cluster);
	for (int i = 0; i < 3; i++)
		if (r->on_signal[i])
			event_free(r->on_signal[i]);
	if (r->tick)
		event_free(r->tick);
	if (r->base)
		event_base_free(r->base);
	place_close(&r->place);
	free(r->first_person);
}

int run_site(const struct run_opts *o)
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
