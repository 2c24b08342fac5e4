/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/run.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <event2/event.h>

#include "collector/packet/pcap_file.h"
#include "collector/source/source.h"
#include "collector/spool.h"
#include "common/bus.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/metrics.h"

enum {
	EXIT_CONFIG = 78,
	TURN_EVENTS = 4096, /* then the loop has its turn: some 10 ms */
	SHARE_EVENTS = 512, /* of one source, before the next one */
	POLL_MS = 250,
	SYNC_MS = 200,
	HEARTBEAT_MS = 5000,
	PATH_BYTES = 512,
};

struct runner {
	const struct run_opts *o;
	struct collector_conf *conf;
	struct source_conf given; /* --calls: the only source */
	struct offsets *offsets;
	struct spool *spool;
	struct source **source;
	struct event **watch; /* of each source; armed between turns */
	size_t n_sources;
	struct event_base *base;
	struct bus *bus;
	struct bus_sender *sender;
	struct metrics *metrics;
	struct event *turn, *poll, *sync, *beat, *sig[3];
	char dir[PATH_BYTES], rejects[PATH_BYTES];
	char base_dir[PATH_MAX];
	bool ended; /* all finite sources are read */
	bool failed;
	uint64_t stuck;		  /* times the spool could not be written */
	uint64_t rejected_before; /* by sources that a reload closed */
	uint64_t clamped;	  /* events that were ahead of the clock */
	int64_t clock_us;	  /* latest event time */
};

static bool is_feed(const struct runner *r)
{
	return r->conf->site.feed_clock;
}

static bool is_finite(const struct runner *r)
{
	return is_feed(r) || r->o->until_end;
}

static void close_sources(struct runner *r)
{
	if (r->offsets)
		offsets_settled(r->offsets, false);
	for (size_t i = 0; i < r->n_sources; i++) {
		r->rejected_before += source_rejected(r->source[i]);
		event_free(r->watch[i]); /* before its descriptor is closed */
		source_free(r->source[i]);
	}
	free(r->source);
	free(r->watch);
	r->source = NULL;
	r->watch = NULL;
	r->n_sources = 0;
}

/* ms 0: it is not yet waited for. */
static struct event *timer(struct runner *r, event_callback_fn fn, int ms)
{
	struct timeval tv = {ms / 1000, ms % 1000 * 1000};
	struct event *ev = event_new(r->base, -1, EV_PERSIST, fn, r);

	if (!ev || (ms > 0 && event_add(ev, &tv) != 0))
		abort();
	return ev;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct runner *r = arg;

	(void)fd;
	(void)what;
	event_active(r->turn, EV_TIMEOUT, 0);
}

/* Not while the spool is full: what cannot be read stays readable. */
static void watch_sources(struct runner *r)
{
	for (size_t i = 0; i < r->n_sources && !spool_is_full(r->spool); i++) {
		int fd = source_fd(r->source[i]);

		if (fd < 0)
			continue;
		event_assign(r->watch[i], r->base, fd, EV_READ, on_readable, r);
		event_add(r->watch[i], NULL);
	}
}

/* A turn may close a descriptor and open another with its number. */
static void unwatch_sources(struct runner *r)
{
	for (size_t i = 0; i < r->n_sources; i++)
		event_del(r->watch[i]);
}

static bool open_source(struct runner *r, const struct source_conf *c,
			struct err *e)
{
	struct source_opts o = {
		.conf = c,
		.site = r->conf,
		.offsets = r->offsets,
		.base = r->base_dir,
		.rejects = r->rejects,
		.finite = is_finite(r),
	};

	if (c == &r->given)
		o.base = "."; /* as the person at the shell means it */
	if (!source_new(&r->source[r->n_sources], &o, e))
		return false;
	r->watch[r->n_sources++] = timer(r, on_readable, 0);
	return true;
}

static bool looks_like_pcap(const char *path)
{
	struct pcap_file *f;
	struct err e;

	if (!pcap_file_open(&f, path, &e))
		return false;
	pcap_file_close(f);
	return true;
}

/* --calls FILE: the first source of its kind, with this path. */
static bool give_calls(struct runner *r, struct err *e)
{
	const char *as = r->o->as;
	bool pcap = as ? strcmp(as, "pcap") == 0 : looks_like_pcap(r->o->calls);
	const struct source_conf *c =
		collector_conf_find(r->conf, NULL,
				    pcap ? SOURCE_PCAP : SOURCE_FILE);

	if (!c)
		return err_set(e,
			       "--calls: the config has no source of kind %s",
			       pcap ? "pcap" : "file");
	/* Under a name of its own: the configured source may be a witness,
	 * and would wait for a primary that is not there. */
	r->given = *c;
	r->given.name = "calls";
	r->given.path = r->o->calls;
	if (pcap || !as)
		return true;
	r->given.profile = strcmp(as, "csv") == 0 ? &profile_csv : NULL;
	for (size_t i = 0; i < r->conf->n_profiles; i++)
		if (strcmp(r->conf->profile[i].name, as) == 0)
			r->given.profile = &r->conf->profile[i];
	return r->given.profile || strcmp(as, "asterisk") == 0 ||
	       err_set(e, "--as %s: no such format or profile", as);
}

static bool open_sources(struct runner *r, struct err *e)
{
	size_t n = r->conf->sources.n;

	r->source = xcalloc(n + 1, sizeof(struct source *));
	r->watch = xcalloc(n + 1, sizeof(struct event *));
	r->n_sources = 0;
	r->ended = false;
	if (r->o->calls) /* the others' files are not looked at */
		return give_calls(r, e) && open_source(r, &r->given, e);
	for (size_t i = 0; i < n; i++)
		if (!open_source(r, collector_conf_source(r->conf, i), e))
			return false;
	offsets_settled(r->offsets, true);
	return true;
}

/* ---- intake ---- */

static bool append(struct runner *r)
{
	static struct log_limit limit;
	struct err e;

	if (spool_append(r->spool, &e))
		return true;
	r->stuck++;
	if (log_allow(&limit, 10))
		log_error("spool: %s", e.text);
	return false;
}

static void as_of_now(struct runner *r, struct event *ev, bool pcap)
{
	int64_t now_us = clock_wall().us;

	if (!pcap)
		ev->observed_us = now_us;
	r->clamped += event_clamp(ev, now_us + EVENT_AHEAD_S * SEC_US);
}

/* False: the spool cannot take it now. */
static bool take(struct runner *r, struct source *s, struct event *ev)
{
	bool live = !is_finite(r) && source_is_pcap(s);

	if (spool_batch_full(r->spool) && !append(r))
		return false;
	if (!is_finite(r))
		as_of_now(r, ev, source_is_pcap(s));
	if (event_time(ev) > r->clock_us)
		r->clock_us = event_time(ev);
	spool_event(r->spool, ev, live);
	source_take(s);
	return true;
}

/* How many events were taken; *more: there are others. */
static unsigned intake_feed(struct runner *r, bool *more)
{
	struct event *ev;
	unsigned n = 0;

	for (; n < TURN_EVENTS && !spool_is_full(r->spool); n++) {
		struct source *s = merge_next(r->source, r->n_sources, &ev);

		if (!s) {
			r->ended = true;
			return n;
		}
		if (!take(r, s, ev))
			return n;
	}
	*more = n == TURN_EVENTS;
	return n;
}

static unsigned intake_wall(struct runner *r, bool *more)
{
	size_t ended = 0;
	unsigned total = 0;

	for (size_t i = 0; i < r->n_sources; i++) {
		enum source_rc rc = SOURCE_EVENT;
		struct event *ev;
		unsigned n = 0;

		for (; n < SHARE_EVENTS && !spool_is_full(r->spool); n++) {
			rc = source_peek(r->source[i], &ev);
			if (rc != SOURCE_EVENT)
				break;
			if (!take(r, r->source[i], ev))
				return total;
		}
		*more |= n == SHARE_EVENTS;
		ended += rc == SOURCE_END;
		total += n;
	}
	r->ended = r->n_sources > 0 && ended == r->n_sources;
	return total;
}

static void stop_when_done(struct runner *r)
{
	struct err e;

	if (!r->o->until_end || !r->ended || !spool_is_empty(r->spool))
		return;
	if (!spool_sync(r->spool, &e))
		log_error("spool: %s", e.text);
	log_info("collector: all is read and acknowledged");
	event_base_loopbreak(r->base);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct runner *r = arg;
	bool more = false;
	unsigned n;

	(void)fd;
	(void)what;
	unwatch_sources(r);
	n = is_feed(r) ? intake_feed(r, &more) : intake_wall(r, &more);
	if (append(r)) {
		watch_sources(r);
		if (n > 0)
			bus_sender_kick(r->sender);
	}
	if (more)
		event_active(r->turn, EV_TIMEOUT, 0);
	else
		stop_when_done(r);
}

static void on_poll(evutil_socket_t fd, short what, void *arg)
{
	struct runner *r = arg;

	(void)fd;
	(void)what;
	if (!is_finite(r))
		for (size_t i = 0; i < r->n_sources; i++)
			source_scan(r->source[i]);
	event_active(r->turn, EV_TIMEOUT, 0);
}

static void on_sync(evutil_socket_t fd, short what, void *arg)
{
	static struct log_limit limit;
	struct runner *r = arg;
	struct err e;

	(void)fd;
	(void)what;
	if (!spool_sync(r->spool, &e) && log_allow(&limit, 10))
		log_error("spool: %s", e.text);
}

/* One a source, so that the analyzer knows an idle feed from a dead one;
 * talk_s is how many events were refused since the start. */
static void on_beat(evutil_socket_t fd, short what, void *arg)
{
	struct runner *r = arg;
	uint64_t refused = spool_stats(r->spool).refused;

	(void)fd;
	(void)what;
	for (size_t i = 0; i < r->n_sources; i++) {
		struct event ev;

		if (spool_batch_full(r->spool) && !append(r))
			return;
		event_init(&ev);
		ev.kind = EVENT_HEARTBEAT;
		ev.observed_us = clock_wall().us;
		ev.talk_s = refused < INT32_MAX ? (int32_t)refused : INT32_MAX;
		EVENT_PUT(&ev, source, sv_of(source_name(r->source[i])));
		spool_event(r->spool, &ev, false);
	}
	event_active(r->turn, EV_TIMEOUT, 0);
}

static void on_safe(void *arg, uint64_t pos)
{
	struct runner *r = arg;

	spool_safe(r->spool, pos);
	event_active(r->turn, EV_TIMEOUT, 0);
}

/* ---- reload and stop ---- */

static void warn_restart(const struct collector_conf *a,
			 const struct collector_conf *b)
{
	if (a->dialogs_max != b->dialogs_max ||
	    a->max_call_us != b->max_call_us)
		log_info("config: dialogs_max and max_call are new for new "
			 "sources");
	if (a->spool.cap != b->spool.cap ||
	    a->site.feed_clock != b->site.feed_clock)
		log_warn("config: spool and site.clock change at a restart "
			 "only");
}

/* New sources from the marks, as after a restart, but the spool goes on. */
static void reload(struct runner *r)
{
	struct collector_conf *fresh = r->o->load(r->o->config);
	struct collector_conf *old = r->conf;
	struct err e;

	if (!fresh) {
		log_warn("config: has errors: the old one stays");
		return;
	}
	warn_restart(old, fresh);
	fresh->site.feed_clock = old->site.feed_clock;
	close_sources(r);
	r->conf = fresh;
	if (open_sources(r, &e)) {
		collector_conf_free(old);
		log_info("config: reloaded");
		return;
	}
	log_warn("config: %s: the old one stays", e.text);
	close_sources(r);
	r->conf = old;
	if (!open_sources(r, &e)) {
		log_error("config: %s", e.text);
		r->failed = true;
		event_base_loopbreak(r->base);
	}
	collector_conf_free(fresh);
}

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct runner *r = arg;

	(void)what;
	if (sig == SIGHUP) {
		reload(r);
		return;
	}
	log_info("collector: stopping");
	event_base_loopbreak(r->base);
}

/* ---- metrics ---- */

static uint64_t rejected(const struct runner *r)
{
	uint64_t n = r->rejected_before;

	for (size_t i = 0; i < r->n_sources; i++)
		n += source_rejected(r->source[i]);
	return n;
}

static int64_t lag_s(const struct runner *r)
{
	int64_t lag = clock_wall().us - r->clock_us;

	return is_feed(r) || r->clock_us == 0 || lag < 0 ? 0 : lag / SEC_US;
}

static void put_count(struct json *j, const char *key, uint64_t v)
{
	json_key(j, key);
	json_int(j, (int64_t)v);
}

static void on_status(void *arg, struct json *j)
{
	struct runner *r = arg;
	struct spool_stats s = spool_stats(r->spool);
	struct bus_stats b = bus_sender_stats(r->sender);
	uint64_t lost = 0;

	for (size_t i = 0; i < r->n_sources; i++)
		lost += source_broken(r->source[i]);
	json_open(j, '{');
	json_key(j, "process");
	json_str(j, SV("collector"));
	put_count(j, "received", s.received);
	put_count(j, "spooled", s.spooled);
	put_count(j, "sent", s.acked + spool_events_in(r->spool, b.in_flight));
	put_count(j, "acked", s.acked);
	put_count(j, "refused", s.refused);
	put_count(j, "lost", lost);
	put_count(j, "rejected", rejected(r));
	json_key(j, "clock");
	json_time(j, r->clock_us);
	put_count(j, "lag_s", (uint64_t)lag_s(r));
	json_close(j, '}');
}

static void capture_metrics(const struct runner *r, struct metrics_out *o)
{
	struct dialog_stats sum = {.calls = 0};
	uint64_t jumps = 0, dropped = 0;

	for (size_t i = 0; i < r->n_sources; i++) {
		struct pcap_source_stats s;

		if (!source_capture(r->source[i], &s))
			continue;
		jumps += s.time_jumps;
		dropped += s.dropped;
		sum.calls += s.dialog.calls;
		sum.given_up += s.dialog.given_up;
		sum.rc[DIALOG_FULL] += s.dialog.rc[DIALOG_FULL];
	}
	metrics_gauge(o, "collector_dialogs", "SIP calls in the table.", NULL,
		      sum.calls);
	metrics_counter(o, "collector_untracked_total",
			"SIP calls not followed: the table was full.", NULL,
			sum.rc[DIALOG_FULL]);
	metrics_counter(o, "collector_given_up_total",
			"SIP calls longer than max_call, taken for over.", NULL,
			sum.given_up);
	metrics_counter(o, "collector_dropped_total",
			"Frames of an interface that came too fast.", NULL,
			dropped);
	metrics_counter(o, "collector_time_jumps_total",
			"Captured frames whose time the next one belied.", NULL,
			jumps);
}

static void on_metrics(void *arg, struct metrics_out *o)
{
	struct runner *r = arg;
	struct spool_stats s = spool_stats(r->spool);
	struct bus_stats b = bus_sender_stats(r->sender);
	static const char refused[] = "Events refused by a filling spool.";

	metrics_counter(o, "collector_received_total", "Events from sources.",
			NULL, s.received);
	metrics_counter(o, "collector_spooled_total", "Events in the spool.",
			NULL, s.spooled);
	metrics_counter(o, "collector_acked_total",
			"Events that the analyzer has.", NULL, s.acked);
	metrics_counter(o, "collector_refused_total", refused,
			"kind=\"register\"", s.refused_register);
	metrics_counter(o, "collector_refused_total", refused,
			"kind=\"progress\"", s.refused_progress);
	metrics_counter(o, "collector_refused_total", refused, "kind=\"setup\"",
			s.refused_setup);
	metrics_counter(o, "collector_rejected_total",
			"Lines that could not be read.", NULL, rejected(r));
	metrics_counter(o, "collector_clamped_total",
			"Events whose time was ahead of the clock.", NULL,
			r->clamped);
	metrics_counter(o, "collector_resent_total", "Batches sent again.",
			NULL, b.resent);
	metrics_counter(o, "collector_spool_errors_total",
			"Times the spool could not be written.", NULL,
			r->stuck);
	capture_metrics(r, o);
	metrics_gauge(o, "collector_spool_bytes", "Bytes that wait.", NULL,
		      (double)s.bytes);
	metrics_gauge(o, "collector_connected",
		      "The analyzer was heard within 5 s.", NULL, b.connected);
}

static bool is_ready(void *arg)
{
	const struct runner *r = arg;

	return bus_sender_stats(r->sender).connected;
}

/* ---- start ---- */

static bool make_dir(const char *path, struct err *e)
{
	return mkdir(path, 0700) == 0 || errno == EEXIST ||
	       err_set(e, "%s: %s", path, strerror(errno));
}

static bool make_dirs(struct runner *r, struct err *e)
{
	const char *own = r->conf->spool.dir;

	if (!make_dir(r->o->state, e))
		return false;
	if (!realpath(r->o->state, r->base_dir))
		return err_set(e, "%s: %s", r->o->state, strerror(errno));
	if ((size_t)snprintf(r->dir, sizeof(r->dir), "%s%s%s",
			     own && own[0] == '/' ? "" : r->base_dir,
			     own && own[0] == '/' ? "" : "/",
			     own ? own : "collector") >= sizeof(r->dir) ||
	    (size_t)snprintf(r->rejects, sizeof(r->rejects), "%s/rejects",
			     r->base_dir) >= sizeof(r->rejects))
		return err_set(e, "%s: path is too long", r->base_dir);
	return make_dir(r->dir, e) && make_dir(r->rejects, e);
}

static bool open_spool(struct runner *r, struct err *e)
{
	const char *name = r->conf->site.name;
	struct spool_opts o = {
		.dir = r->dir,
		.stream = name ? name : "collector",
		.cap = r->conf->spool.cap,
		.fresh_boot = wire_fresh_boot(),
	};

	r->offsets = offsets_new();
	o.offsets = r->offsets;
	if (!spool_open(&r->spool, &o, e))
		return false;
	if (spool_stats(r->spool).torn > 0)
		log_warn("spool: a torn tail of %llu bytes was cut",
			 (unsigned long long)spool_stats(r->spool).torn);
	return true;
}

static bool open_bus(struct runner *r, struct err *e)
{
	const char *name = r->conf->site.name;
	struct bus_sender_opts o = {
		.endpoint = r->o->connect ? r->o->connect : r->conf->connect,
		.stream = name ? name : "collector",
		.journal = spool_journal(r->spool),
		.journal_dir = spool_journal_dir(r->spool),
		.on_safe = on_safe,
		.arg = r,
	};

	if (!o.endpoint)
		return err_set(e, "no endpoint: collector.connect or "
				  "--connect ipc:///path");
	r->bus = bus_new(r->base);
	return bus_sender_new(&r->sender, r->bus, &o, e);
}

static bool open_metrics(struct runner *r, struct err *e)
{
	struct metrics_opts o = {
		.listen = r->o->metrics ? r->o->metrics : r->conf->metrics,
		.on_metrics = on_metrics,
		.on_status = on_status,
		.is_ready = is_ready,
		.arg = r,
	};

	return !o.listen || metrics_new(&r->metrics, r->base, &o, e);
}

static void start_events(struct runner *r)
{
	static const int sig[] = {SIGTERM, SIGINT, SIGHUP};

	r->turn = timer(r, on_turn, 0);
	r->poll = timer(r, on_poll, POLL_MS);
	r->sync = timer(r, on_sync, SYNC_MS);
	if (!is_finite(r))
		r->beat = timer(r, on_beat, HEARTBEAT_MS);
	for (size_t i = 0; i < ARRAY_LEN(sig); i++) {
		r->sig[i] = evsignal_new(r->base, sig[i], on_signal, r);
		if (!r->sig[i] || event_add(r->sig[i], NULL) != 0)
			abort();
	}
	event_active(r->turn, EV_TIMEOUT, 0);
}

static void free_event(struct event *ev)
{
	if (ev)
		event_free(ev);
}

static void stop(struct runner *r)
{
	struct err e;

	if (r->spool && !spool_sync(r->spool, &e)) {
		log_error("spool: %s", e.text);
		r->failed = true;
	}
	for (size_t i = 0; i < ARRAY_LEN(r->sig); i++)
		free_event(r->sig[i]);
	free_event(r->turn);
	free_event(r->poll);
	free_event(r->sync);
	free_event(r->beat);
	metrics_free(r->metrics);
	bus_sender_free(r->sender);
	bus_free(r->bus);
	close_sources(r);
	spool_close(r->spool);
	offsets_free(r->offsets);
	collector_conf_free(r->conf);
	event_base_free(r->base);
}

int run(const struct run_opts *o)
{
	struct runner r = {.o = o};
	struct err e;

	r.conf = o->load(o->config);
	if (!r.conf)
		return EXIT_CONFIG;
	r.base = event_base_new();
	if (!r.base)
		abort();
	if (make_dirs(&r, &e) && open_spool(&r, &e) && open_sources(&r, &e) &&
	    open_bus(&r, &e) && open_metrics(&r, &e)) {
		start_events(&r);
		event_base_dispatch(r.base);
	} else {
		log_error("collector: %s", e.text);
		r.failed = true;
	}
	stop(&r);
	return r.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
