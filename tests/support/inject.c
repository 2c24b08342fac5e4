/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inject ENDPOINT DIR: stands in for the analyzer, for tests of the alerter
 * alone.  Lines on stdin:
 *
 *   finding N ACCOUNT warning|critical PENCE   at the wall's time
 *   exposure ACCOUNT PENCE
 *   sleep MS
 *
 * Findings are journalled in DIR and sent over the real bus; ends when all of
 * them are acknowledged (exit 0) or after 60 s without progress (exit 1).
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/bus.h"
#include "common/clock.h"
#include "common/finding.h"
#include "common/log.h"
#include "common/money.h"

enum { TICK_MS = 20, PATIENCE_MS = 60000 };

struct inject {
	struct event_base *base;
	struct journal *journal;
	struct bus_sender *sender;
	struct mono_ms until; /* asleep */
	struct mono_ms progress;
	uint64_t safe;
	uint32_t boot;
	uint64_t seq;
	bool eof;
	int code;
};

static void die(const struct err *e)
{
	fprintf(stderr, "inject: %s\n", e->text);
	exit(2);
}

static void finding(struct inject *in, unsigned n, const char *account,
		    const char *severity, long pence)
{
	struct finding f = {0};
	struct wire_header h;
	const struct iovec iov[2] = {{&h, sizeof(h)}, {&f, sizeof(f)}};
	struct err e;

	memcpy(f.id, &n, sizeof(n));
	f.time_us = clock_wall().us;
	f.first_call_us = f.time_us - MIN_US;
	f.severity = *severity == 'c' ? SEVERITY_CRITICAL : SEVERITY_WARNING;
	f.exposure = pence * PENNY;
	f.calls = 3;
	f.n_terms = 1;
	f.term[0].measure = MEASURE_SPEND;
	f.term[0].usual = -1;
	f.term[0].override_milli = 1000;
	f.n_evidence = 1;
	(void)number_parse(SV("+252611234567"), &f.evidence[0].callee);
	snprintf(f.evidence[0].country, sizeof(f.evidence[0].country), "SO");
	snprintf(f.rule, sizeof(f.rule), "R01");
	snprintf(f.name, sizeof(f.name), "spend-60m");
	snprintf(f.family, sizeof(f.family), "toll");
	snprintf(f.account, sizeof(f.account), "%s", account);
	snprintf(f.account_name, sizeof(f.account_name), "%s Ltd", account);
	snprintf(f.trunk, sizeof(f.trunk), "trunk-7");
	snprintf(f.key, sizeof(f.key), "account:%s", account);
	snprintf(f.file, sizeof(f.file), "rules.yaml");
	snprintf(f.first_action, sizeof(f.first_action),
		 "Bar international on trunk-7.");
	snprintf(f.top_country[0], sizeof(f.top_country[0]), "SO");
	f.top_calls[0] = 3;
	wire_header(&h, WIRE_FINDINGS, SV("inject"), in->boot, ++in->seq, 1);
	if (!journal_append(in->journal, iov, 2, NULL, &e) ||
	    !journal_sync(in->journal, &e))
		die(&e);
	bus_sender_kick(in->sender);
}

static void exposure(struct inject *in, const char *account, long pence)
{
	struct {
		struct wire_header h;
		struct exposure x;
	} m = {0};

	m.x.time_us = clock_wall().us;
	m.x.exposure = pence * PENNY;
	m.x.burn_per_min = 2 * POUND;
	m.x.calls = 9;
	m.x.open = 1;
	snprintf(m.x.family, sizeof(m.x.family), "toll");
	snprintf(m.x.account, sizeof(m.x.account), "%s", account);
	snprintf(m.x.key, sizeof(m.x.key), "account:%s", account);
	wire_header(&m.h, WIRE_EXPOSURE, SV("inject"), in->boot, 0, 1);
	bus_sender_offer(in->sender, &m, sizeof(m));
}

static void line(struct inject *in, const char *text)
{
	char account[28], severity[16];
	unsigned n;
	long v;

	if (sscanf(text, "finding %u %27s %15s %ld", &n, account, severity,
		   &v) == 4)
		finding(in, n, account, severity, v);
	else if (sscanf(text, "exposure %27s %ld", account, &v) == 2)
		exposure(in, account, v);
	else if (sscanf(text, "sleep %ld", &v) == 1)
		in->until.ms = clock_mono().ms + v;
	else
		fprintf(stderr, "inject: what is '%s'?\n", text);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct inject *in = arg;
	struct mono_ms now = clock_mono();
	struct bus_stats s = bus_sender_stats(in->sender);
	char text[256];

	(void)fd;
	(void)what;
	if (s.safe != in->safe || !in->eof)
		in->progress = now;
	in->safe = s.safe;
	while (!in->eof && now.ms >= in->until.ms && s.connected) {
		if (!fgets(text, sizeof(text), stdin))
			in->eof = true;
		else
			line(in, text);
	}
	if (in->eof && s.safe == journal_end(in->journal))
		event_base_loopbreak(in->base);
	else if (now.ms - in->progress.ms > PATIENCE_MS) {
		in->code = 1;
		event_base_loopbreak(in->base);
	}
}

int main(int argc, char **argv)
{
	const struct timeval tick = {0, TICK_MS * 1000};
	const struct journal_opts jo = {0};
	struct inject in = {.boot = wire_fresh_boot()};
	struct bus_sender_opts o = {.stream = "inject"};
	struct event *ev;
	struct bus *bus;
	struct err e;

	if (argc != 3) {
		fputs("usage: inject ENDPOINT DIR\n", stderr);
		return 2;
	}
	log_open("inject", LOG_WARN);
	in.base = event_base_new();
	bus = bus_new(in.base);
	in.progress = clock_mono();
	o.endpoint = argv[1];
	o.journal_dir = argv[2];
	if (!journal_open(&in.journal, argv[2], &jo, &e))
		die(&e);
	o.journal = in.journal;
	if (!bus_sender_new(&in.sender, bus, &o, &e))
		die(&e);
	ev = event_new(in.base, -1, EV_PERSIST, on_tick, &in);
	event_add(ev, &tick);
	event_base_dispatch(in.base);
	bus_sender_free(in.sender);
	bus_free(bus);
	journal_close(in.journal);
	event_free(ev);
	event_base_free(in.base);
	return in.code;
}
