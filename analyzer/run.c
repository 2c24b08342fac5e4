/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/run.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "analyzer/feed.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/metrics.h"

struct options {
	struct feed_opts feed;
	const char *metrics;
};

struct program {
	struct event_base *base;
	struct bus *bus;
	struct feed *feed;
	struct metrics *metrics;
	struct event *on_signal[3]; /* TERM, INT, HUP */
	struct event *second;
};

static void key_u64(struct json *j, const char *key, uint64_t v)
{
	json_key(j, key);
	json_int(j, (int64_t)v);
}

static void on_status(void *arg, struct json *j)
{
	struct program *p = arg;
	struct feed_stats s = feed_stats(p->feed);
	int64_t lag = s.clock_us ? clock_wall().us - s.clock_us : 0;

	json_open(j, '{');
	json_key(j, "process");
	json_str(j, SV("analyzer"));
	key_u64(j, "received", s.received);
	key_u64(j, "spooled", s.archived);
	key_u64(j, "sent", s.publish.bus.batches);
	key_u64(j, "acked", s.publish.bus.acks);
	key_u64(j, "applied", s.engine.applied);
	key_u64(j, "duplicate", s.repeated + s.engine.duplicate);
	key_u64(j, "late", s.engine.late);
	key_u64(j, "lost", s.lost);
	key_u64(j, "refused", s.bus.bad + s.bus.oversize);
	json_key(j, "clock");
	json_time(j, s.clock_us);
	json_key(j, "lag_s");
	json_int(j, lag > 0 ? lag / SEC_US : 0);
	key_u64(j, "findings", s.publish.journalled);
	key_u64(j, "findings_unsent_bytes", s.publish.unsent);
	key_u64(j, "unpaired", s.engine.unpaired);
	key_u64(j, "live_calls", s.engine.live_calls);
	key_u64(j, "tracked_calls", s.engine.tracked_calls);
	json_close(j, '}');
}

static void on_metrics(void *arg, struct metrics_out *o)
{
	struct program *p = arg;
	struct feed_stats s = feed_stats(p->feed);
	const struct engine_stats *g = &s.engine;
	/* clang-format off */
	const struct { const char *name, *help; uint64_t v; } counter[] = {
		{"events_received_total", "Events in batches that came in.", s.received},
		{"events_archived_total", "Events written to the archive.", s.archived},
		{"events_applied_total", "Events that changed something.", g->applied},
		{"events_duplicate_total", "Events known already.", s.repeated + g->duplicate},
		{"events_late_total", "Events older than the window of their account.", g->late},
		{"events_ahead_total", "Events later than they were seen: clamped.", g->ahead},
		{"events_lost_total", "Events a sender could not give any more.", s.lost},
		{"batches_refused_total", "Batches that were malformed.", s.bus.bad + s.bus.oversize},
		{"calls_total", "Distinct calls with an attempt.", g->calls},
		{"calls_paired_total", "Calls seen by two witnesses.", g->paired},
		{"unpaired_total", "Witness records without a primary call.", g->unpaired},
		{"calls_evicted_total", "Calls dropped from a full call table.", g->evicted},
		{"untracked_total", "Events of accounts that found no room.", g->untracked},
		{"unrated_total", "Calls without a rate.", g->unrated},
		{"findings_total", "Findings that fired.", g->findings},
		{"snapshots_total", "Snapshots written.", s.snapshots},
	}, gauge[] = {
		{"live_calls", "Answered calls up.", g->live_calls},
		{"tracked_calls", "Calls in the call table.", g->tracked_calls},
		{"accounts", "Accounts with a block of counters.", g->accounts},
		{"timers", "Armed timers.", g->timers},
		{"ring_bytes", "Memory of counter rings.", g->ring_bytes},
		{"archive_bytes", "Size of the archive.", s.archive_bytes},
		{"findings_unsent_bytes", "Journal of findings not yet acknowledged.", s.publish.unsent},
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_LEN(counter); i++)
		metrics_counter(o, counter[i].name, counter[i].help, NULL,
				counter[i].v);
	for (size_t i = 0; i < ARRAY_LEN(gauge); i++)
		metrics_gauge(o, gauge[i].name, gauge[i].help, NULL,
			      (double)gauge[i].v);
	metrics_gauge(o, "clock_seconds", "Event time of the engine.", NULL,
		      (double)s.clock_us / 1e6);
}

static bool is_ready(void *arg)
{
	struct program *p = arg;

	return p->feed && !feed_failed(p->feed);
}

static void on_stop(evutil_socket_t sig, short what, void *arg)
{
	struct program *p = arg;

	(void)sig;
	(void)what;
	event_base_loopbreak(p->base);
}

static void on_reload(evutil_socket_t sig, short what, void *arg)
{
	struct program *p = arg;

	(void)sig;
	(void)what;
	feed_reload(p->feed);
}

static void on_second(evutil_socket_t fd, short what, void *arg)
{
	struct program *p = arg;

	(void)fd;
	(void)what;
	feed_second(p->feed);
	if (feed_failed(p->feed))
		event_base_loopbreak(p->base);
}

static bool add_events(struct program *p, struct err *e)
{
	struct timeval second = {1, 0};
	event_callback_fn call[] = {on_stop, on_stop, on_reload};
	int sig[] = {SIGTERM, SIGINT, SIGHUP};

	for (size_t i = 0; i < ARRAY_LEN(sig); i++) {
		p->on_signal[i] = evsignal_new(p->base, sig[i], call[i], p);
		if (!p->on_signal[i] || event_add(p->on_signal[i], NULL) != 0)
			return err_set(e, "signal %d: cannot watch", sig[i]);
	}
	p->second = event_new(p->base, -1, EV_PERSIST, on_second, p);
	if (!p->second || event_add(p->second, &second) != 0)
		return err_set(e, "timer: cannot add");
	return true;
}

static bool start(struct program *p, const struct options *o,
		  struct analyzer_conf **conf, struct err *e)
{
	struct metrics_opts mo = {
		.listen = o->metrics,
		.on_metrics = on_metrics,
		.on_status = on_status,
		.is_ready = is_ready,
		.arg = p,
	};

	p->base = event_base_new();
	if (!p->base)
		return err_set(e, "libevent: no event base");
	p->bus = bus_new(p->base);
	if (mkdir(o->feed.state, 0700) != 0 && errno != EEXIST)
		return err_set(e, "%s: %s", o->feed.state, strerror(errno));
	if (!feed_open(&p->feed, p->base, p->bus, conf, &o->feed, e) ||
	    !add_events(p, e))
		return false;
	return !o->metrics || metrics_new(&p->metrics, p->base, &mo, e);
}

static void stop(struct program *p)
{
	metrics_free(p->metrics);
	feed_close(p->feed);
	bus_free(p->bus);
	for (size_t i = 0; i < ARRAY_LEN(p->on_signal); i++)
		if (p->on_signal[i])
			event_free(p->on_signal[i]);
	if (p->second)
		event_free(p->second);
	if (p->base)
		event_base_free(p->base);
}

static int usage(void)
{
	fputs("usage: tollwatch-analyzer run --config DIR --state DIR "
	      "--bind ENDPOINT [--findings ENDPOINT] [--metrics LISTEN]\n",
	      stderr);
	return 2;
}

static bool parse(int argc, char **argv, struct options *o)
{
	static const struct option opts[] = {
		{"config", required_argument, NULL, 'c'},
		{"state", required_argument, NULL, 's'},
		{"bind", required_argument, NULL, 'b'},
		{"findings", required_argument, NULL, 'f'},
		{"metrics", required_argument, NULL, 'm'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->feed.config = optarg;
			break;
		case 's':
			o->feed.state = optarg;
			break;
		case 'b':
			o->feed.bind = optarg;
			break;
		case 'f':
			o->feed.findings = optarg;
			break;
		case 'm':
			o->metrics = optarg;
			break;
		default:
			return false;
		}
	}
	return optind == argc && o->feed.config && o->feed.state &&
	       o->feed.bind;
}

int run_main(int argc, char **argv)
{
	struct options o = {0};
	struct program p = {0};
	struct conf *c = NULL;
	struct err e = {0};
	struct analyzer_conf *conf;
	bool ok;

	if (!parse(argc, argv, &o))
		return usage();
	log_open("analyzer", LOG_INFO);
	signal(SIGPIPE, SIG_IGN);
	conf = analyzer_conf_load(o.feed.config, &c, &e);
	if (!conf) {
		if (c)
			conf_report(c, stderr, false, false);
		log_error("config: %s", c ? "it has errors" : e.text);
		conf_free(c);
		return 78;
	}
	ok = start(&p, &o, &conf, &e);
	if (ok) {
		log_info("run: ready, config %.16s", feed_config_hash(p.feed));
		event_base_dispatch(p.base);
		ok = !feed_failed(p.feed);
	} else {
		log_error("run: %s", e.text);
	}
	stop(&p);
	analyzer_conf_free(conf);
	return ok ? 0 : 1;
}
