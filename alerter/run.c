/* SPDX-License-Identifier: Apache-2.0 */
#include "alerter/run.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "alerter/command.h"
#include "alerter/control.h"
#include "alerter/intake.h"
#include "alerter/roster.h"
#include "alerter/turn.h"
#include "common/log.h"
#include "common/metrics.h"

enum { KEEP_RESOLVED_DAYS = 2 };

struct options {
	const char *config;
	const char *state;
	const char *bind;   /* findings come here */
	const char *events; /* the analyzer's own endpoint, for control */
	const char *metrics;
	const char *stand_in;
	struct command_opts command;
	bool as_json;
};

struct program {
	const struct options *o;
	struct alerter_conf *conf;
	struct turn turn;
	struct event_base *base;
	struct bus *bus;
	struct intake *intake;
	struct control_out *control;
	struct command *command;
	struct metrics *metrics;
	struct event *on_signal[3]; /* TERM, INT, HUP */
	struct event *due;
};

/* ---- what can be asked ---- */

static void key_u64(struct json *j, const char *key, uint64_t v)
{
	json_key(j, key);
	json_int(j, (int64_t)v);
}

struct counts {
	uint64_t open, acked, unsent, sending, failed;
};

static struct counts count(const struct book *b)
{
	struct counts c = {0};

	for (size_t i = 0; i < b->n; i++) {
		const struct incident *x = b->incident[i];

		c.open += x->state == INCIDENT_OPEN;
		c.acked += x->state == INCIDENT_ACKED;
		for (size_t k = 0; k < x->n_pages; k++) {
			c.unsent += page_waits(&x->page[k]) ||
				    x->page[k].state == PAGE_SENDING;
			c.sending += x->page[k].state == PAGE_SENDING;
			c.failed += x->page[k].state == PAGE_FAILED_PERMANENT;
		}
	}
	return c;
}

static uint64_t unstored(const struct program *p)
{
	const struct turn *t = &p->turn;
	uint64_t end = outbox_end(t->outbox);
	uint64_t have = t->store ? store_position(t->store) : end;

	return end > have ? end - have : 0;
}

static void on_status(void *arg, struct json *j)
{
	struct program *p = arg;
	struct intake_stats s = intake_stats(p->intake);
	struct counts c = count(&p->turn.book);

	json_open(j, '{');
	json_key(j, "process");
	json_str(j, SV("alerter"));
	key_u64(j, "received", s.findings + s.repeated);
	key_u64(j, "applied", s.findings);
	key_u64(j, "duplicate", s.repeated);
	key_u64(j, "refused", s.refused + s.bus.bad + s.bus.oversize);
	key_u64(j, "incidents_open", c.open);
	key_u64(j, "incidents_acknowledged", c.acked);
	key_u64(j, "pages_unsent", c.unsent);
	key_u64(j, "pages_sending", c.sending);
	key_u64(j, "pages_failed", c.failed);
	key_u64(j, "waiting", s.waiting);
	key_u64(j, "outbox_unstored_bytes", unstored(p));
	json_key(j, "database");
	json_str(j, !p->turn.store		     ? SV("none")
		    : store_connected(p->turn.store) ? SV("connected")
						     : SV("away"));
	json_key(j, "clock");
	json_time(j, turn_now(&p->turn));
	json_close(j, '}');
}

static void on_metrics(void *arg, struct metrics_out *o)
{
	struct program *p = arg;
	struct intake_stats s = intake_stats(p->intake);
	struct counts c = count(&p->turn.book);
	/* clang-format off */
	metrics_counter(o, "findings_received_total", "Findings taken from the analyzer.", NULL, s.findings);
	metrics_counter(o, "findings_repeated_total", "Findings that came again.", NULL, s.repeated);
	metrics_counter(o, "exposures_received_total", "Exposure records.", NULL, s.exposures);
	metrics_gauge(o, "incidents_open", "Incidents nobody has acknowledged.", NULL, (double)c.open);
	metrics_gauge(o, "incidents_acknowledged", "Incidents somebody is on.", NULL, (double)c.acked);
	metrics_gauge(o, "pages_unsent", "Pages not yet accepted by a relay.", NULL, (double)c.unsent);
	metrics_gauge(o, "pages_failed", "Pages given up, of incidents kept here.", NULL, (double)c.failed);
	metrics_gauge(o, "outbox_bytes", "Size of the outbox.", NULL, (double)outbox_bytes(p->turn.outbox));
	metrics_gauge(o, "outbox_unstored_bytes", "Outbox the database does not have yet.", NULL, (double)unstored(p));
	metrics_gauge(o, "database_connected", "1 when PostgreSQL answers.", NULL,
		      p->turn.store && store_connected(p->turn.store));
	/* clang-format on */
}

static bool is_ready(void *arg)
{
	struct program *p = arg;

	return p->intake && !p->turn.failed;
}

/* ---- events ---- */

/* Look again when something is due; a feed's time comes with its batches. */
static void arm(struct program *p)
{
	int64_t wait = 1000;

	if (!p->conf->feed) {
		int64_t next = turn_next(&p->turn);
		int64_t now = turn_now(&p->turn);

		if (next < now + SEC_US)
			wait = next > now ? (next - now) / 1000 + 1 : 0;
	}
	if (event_add(p->due,
		      &(struct timeval){wait / 1000, wait % 1000 * 1000}) != 0)
		log_error("timer: cannot add");
}

/* After anything happened. */
static void afterwards(struct program *p)
{
	if (p->turn.failed)
		event_base_loopbreak(p->base);
	else
		arm(p);
}

static void on_due(evutil_socket_t fd, short what, void *arg)
{
	struct program *p = arg;
	int64_t now = turn_now(&p->turn);

	(void)fd;
	(void)what;
	(void)turn_due(&p->turn, now);
	intake_pump(p->intake);
	control_follow(p->control, &p->turn.book);
	book_forget(&p->turn.book, now - KEEP_RESOLVED_DAYS * DAY_US);
	afterwards(p);
}

static void on_sent(void *arg, uint32_t page, const struct send_outcome *o)
{
	struct program *p = arg;

	turn_sent(&p->turn, page, o);
	intake_pump(p->intake);
	afterwards(p);
}

static void on_stored(void *arg, uint64_t pos)
{
	struct program *p = arg;
	struct err e;

	if (!outbox_save(p->turn.outbox, &p->turn.book, false, pos, &e))
		log_warn("outbox: %s", e.text);
}

static void on_stop(evutil_socket_t sig, short what, void *arg)
{
	struct program *p = arg;

	(void)sig;
	(void)what;
	event_base_loopbreak(p->base);
}

/* The database names people as the config does. */
static void tell_people(struct program *p)
{
	struct json j = {0};

	if (!p->turn.store)
		return;
	roster_json(p->conf, &j);
	store_people(p->turn.store, (struct sv){j.p, j.n});
	json_free(&j);
}

static void on_reload(evutil_socket_t sig, short what, void *arg)
{
	struct program *p = arg;
	struct alerter_conf *next;
	struct conf *c = NULL;
	struct err e = {0};

	(void)sig;
	(void)what;
	next = alerter_conf_load(p->o->config, true, &c, &e);
	if (!next) {
		if (c)
			conf_report(c, stderr, false, false);
		log_error("reload: %s; the old config stays",
			  c ? "the config has errors" : e.text);
		conf_free(c);
		return;
	}
	if (next->feed != p->conf->feed) {
		log_error("reload: site.clock needs a restart; the old config "
			  "stays");
		alerter_conf_free(next);
		return;
	}
	turn_conf(&p->turn, next);
	say_conf(p->turn.say, next);
	alerter_conf_free(p->conf);
	p->conf = next;
	tell_people(p);
	log_info("reload: done");
	afterwards(p);
}

/* ---- start and stop ---- */

static bool add_events(struct program *p, struct err *e)
{
	static const int sig[] = {SIGTERM, SIGINT, SIGHUP};

	for (size_t i = 0; i < ARRAY_LEN(sig); i++) {
		p->on_signal[i] =
			evsignal_new(p->base, sig[i],
				     sig[i] == SIGHUP ? on_reload : on_stop, p);
		if (!p->on_signal[i] || event_add(p->on_signal[i], NULL) != 0)
			return err_set(e, "signal %d: cannot watch", sig[i]);
	}
	p->due = event_new(p->base, -1, 0, on_due, p);
	if (!p->due)
		return err_set(e, "timer: cannot add");
	arm(p);
	return true;
}

static void open_store(struct program *p)
{
	const struct store_opts o = {
		.base = p->base,
		.dsn = p->conf->dsn,
		.stream = outbox_stream(p->turn.outbox),
		.journal = outbox_dir(p->turn.outbox),
		.on_safe = on_stored,
		.arg = p,
	};

	if (p->conf->dsn[0])
		store_new(&p->turn.store, &o);
	else
		log_warn("database: no dsn; incidents are kept here alone");
	tell_people(p);
}

static bool start(struct program *p, struct err *e)
{
	const struct options *o = p->o;
	const struct metrics_opts mo = {
		.listen = o->metrics,
		.on_metrics = on_metrics,
		.on_status = on_status,
		.is_ready = is_ready,
		.arg = p,
	};
	struct turn *t = &p->turn;

	turn_init(t, p->conf);
	p->base = event_base_new();
	if (!p->base)
		return err_set(e, "libevent: no event base");
	p->bus = bus_new(p->base);
	t->say = say_new(o->as_json ? stderr : stdout,
			 o->as_json ? stdout : NULL, p->conf);
	if (!outbox_open(&t->outbox, o->state, &t->book, e) ||
	    !channels_new(&t->channels, p->base, p->conf, on_sent, p, e) ||
	    !control_open(&p->control, p->bus, o->state, o->events, e))
		return false;
	open_store(p);
	turn_recover(t);
	if (o->metrics && !metrics_new(&p->metrics, p->base, &mo, e))
		return false;
	return command_open(&p->command, p->base, &o->command, t, e) &&
	       intake_open(&p->intake, p->bus, o->bind, t, e) &&
	       add_events(p, e);
}

static void stop(struct program *p)
{
	struct turn *t = &p->turn;
	struct err e;

	metrics_free(p->metrics);
	command_close(p->command);
	intake_close(p->intake);
	control_close(p->control);
	channels_free(t->channels);
	if (t->outbox && !t->failed &&
	    !outbox_save(t->outbox, &t->book, true,
			 t->store ? store_position(t->store)
				  : outbox_end(t->outbox),
			 &e))
		log_warn("outbox: %s", e.text);
	store_free(t->store);
	outbox_close(t->outbox);
	bus_free(p->bus);
	for (size_t i = 0; i < ARRAY_LEN(p->on_signal); i++)
		if (p->on_signal[i])
			event_free(p->on_signal[i]);
	if (p->due)
		event_free(p->due);
	if (p->base)
		event_base_free(p->base);
	say_free(t->say);
	turn_free(t);
}

/* ---- command line ---- */

static int usage(void)
{
	fputs("usage: tollwatch-alerter run --config DIR --state DIR "
	      "--bind ENDPOINT --command SOCKET\n"
	      "       [--events ENDPOINT] [--metrics LISTEN] [--json]\n"
	      "       [--stand-in PERSON]\n",
	      stderr);
	return 2;
}

static bool parse(int argc, char **argv, struct options *o)
{
	static const struct option opts[] = {
		{"config", required_argument, NULL, 'c'},
		{"state", required_argument, NULL, 's'},
		{"bind", required_argument, NULL, 'b'},
		{"events", required_argument, NULL, 'e'},
		{"command", required_argument, NULL, 'k'},
		{"metrics", required_argument, NULL, 'm'},
		{"stand-in", required_argument, NULL, 'p'},
		{"json", no_argument, NULL, 'j'},
		{0},
	};
	const char **text[] = {
		&o->config,	     &o->state,	       &o->bind,
		&o->events,	     &o->command.path, &o->metrics,
		&o->command.stand_in};
	int c, at;

	while ((c = getopt_long(argc, argv, "", opts, &at)) != -1) {
		if (c == '?')
			return false;
		if (c == 'j')
			o->as_json = true;
		else
			*text[at] = optarg;
	}
	o->command.stand_in_uid = (unsigned)getuid();
	return optind == argc && o->config && o->state && o->bind &&
	       o->command.path;
}

int run_main(int argc, char **argv)
{
	struct options o = {0};
	struct program p = {.o = &o};
	struct conf *c = NULL;
	struct err e = {0};
	bool ok;

	if (!parse(argc, argv, &o))
		return usage();
	log_open("alerter", LOG_INFO);
	signal(SIGPIPE, SIG_IGN);
	p.conf = alerter_conf_load(o.config, true, &c, &e);
	if (!p.conf) {
		if (c)
			conf_report(c, stderr, false, false);
		log_error("config: %s", c ? "it has errors" : e.text);
		conf_free(c);
		return 78;
	}
	ok = start(&p, &e);
	if (ok) {
		log_info("run: ready");
		event_base_dispatch(p.base);
		ok = !p.turn.failed;
	} else {
		log_error("run: %s", e.text);
	}
	stop(&p);
	alerter_conf_free(p.conf);
	return ok ? 0 : 1;
}
