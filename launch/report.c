/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/report.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/hash.h"
#include "common/mem.h"
#include "common/money.h"
#include "common/zone.h"

enum { STREAMS_MAX = 4, CREDIT = 64, RULES_SHOWN = 12 };

/* What is known of one account. */
struct victim {
	char account[28];
	char name[48];
	uint64_t warnings;
	uint64_t criticals;
	int64_t since_us; /* first call of the first finding */
	int64_t page_us;  /* first critical */
	int64_t page_exposure;
	int64_t exposure; /* the last that was heard of */
	int64_t said_us;  /* feed time of the last exposure line */
	char rules[RULES_SHOWN][16];
	unsigned n_rules;
};

/* How far one stream of findings has come. */
struct stream {
	char name[24];
	struct wire_seen seen;
	struct bus_peer *peer;
	bool due; /* an acknowledgement */
};

struct report {
	struct bus_receiver *receiver;
	FILE *to;
	FILE *json_to; /* NULL: in words */
	struct json json;
	const char *zone;
	struct stream stream[STREAMS_MAX];
	size_t n_streams;
	struct victim *victim;
	size_t n_victims;
	struct report_counts counts;
};

/* NULL: a fifth stream; there is one analyzer. */
static struct stream *stream_get(struct report *r, struct sv name)
{
	struct stream *s = r->stream;

	for (; s < r->stream + r->n_streams; s++)
		if (sv_eq(EVENT_SV(s->name), name))
			return s;
	if (r->n_streams == STREAMS_MAX)
		return NULL;
	r->n_streams++;
	sv_put(s->name, sizeof(s->name), name);
	return s;
}

static struct victim *victim_get(struct report *r, const char account[28])
{
	struct victim *v = r->victim;

	for (; v < r->victim + r->n_victims; v++)
		if (memcmp(v->account, account, sizeof(v->account)) == 0)
			return v;
	r->victim = xrealloc(r->victim, r->n_victims + 1, sizeof(*v));
	v = &r->victim[r->n_victims++];
	memset(v, 0, sizeof(*v));
	memcpy(v->account, account, sizeof(v->account));
	return v;
}

/* "Sat 17 Jan 02:24:00" on the site's wall. */
static void local_text(const struct report *r, int64_t us, char out[32])
{
	zone_text(r->zone, us, "%a %e %b %H:%M:%S", out);
}

static void note(struct victim *v, const struct finding *f)
{
	bool known = false;

	sv_put(v->name, sizeof(v->name), EVENT_SV(f->account_name));
	if (v->since_us == 0 || f->first_call_us < v->since_us)
		v->since_us = f->first_call_us;
	if (f->exposure > v->exposure)
		v->exposure = f->exposure;
	if (f->severity == SEVERITY_CRITICAL && v->criticals++ == 0) {
		v->page_us = f->time_us;
		v->page_exposure = f->exposure;
	}
	v->warnings += f->severity == SEVERITY_WARNING;
	for (unsigned i = 0; i < v->n_rules; i++)
		known |= memcmp(v->rules[i], f->rule, 16) == 0;
	if (!known && v->n_rules < RULES_SHOWN)
		memcpy(v->rules[v->n_rules++], f->rule, 16);
}

static void print_finding(struct report *r, const struct finding *f)
{
	const struct finding_term *t = &f->term[0];
	char spent[MONEY_TEXT], burn[MONEY_TEXT];
	char limit[32] = "-", since[32], id[2 * sizeof(f->id) + 1];

	money_text(f->exposure, spent);
	money_text(f->burn_per_min, burn);
	local_text(r, f->first_call_us, since);
	if (f->n_terms > 0)
		measure_text((enum measure)t->measure, t->limit, limit);
	hex_text(f->id, sizeof(f->id), id);
	fprintf(r->to,
		"finding %s %.*s %.*s %.*s: £%s so far, £%s/min, since %s, "
		"limit %s, id %s\n",
		f->severity == SEVERITY_CRITICAL ? "critical" : "warning",
		SV_ARG(EVENT_SV(f->rule)), SV_ARG(EVENT_SV(f->name)),
		SV_ARG(EVENT_SV(f->account)), spent, burn, since, limit, id);
	finding_text(f, r->zone, r->to);
	fflush(r->to);
}

static void json_finding(struct report *r, const struct finding *f)
{
	finding_json(f, &r->json);
	json_line(&r->json, r->json_to);
	fflush(r->json_to);
}

static void take_findings(struct report *r, const struct wire_view *v,
			  uint32_t skip)
{
	for (uint32_t i = skip; i < v->h->count; i++) {
		struct finding f;

		memcpy(&f, v->records + (size_t)i * sizeof(f), sizeof(f));
		if (f.severity == SEVERITY_CRITICAL)
			r->counts.criticals++;
		else
			r->counts.warnings++;
		note(victim_get(r, f.account), &f);
		if (r->json_to)
			json_finding(r, &f);
		else
			print_finding(r, &f);
	}
}

static void take_exposure(struct report *r, const struct wire_view *v)
{
	for (uint32_t i = 0; i < v->h->count; i++) {
		char spent[MONEY_TEXT], burn[MONEY_TEXT], at[32];
		struct exposure x;
		struct victim *k;

		memcpy(&x, v->records + (size_t)i * sizeof(x), sizeof(x));
		k = victim_get(r, x.account);
		if (x.exposure > k->exposure)
			k->exposure = x.exposure;
		if (x.open && x.time_us < k->said_us + HOUR_US)
			continue;
		k->said_us = x.time_us;
		money_text(x.exposure, spent);
		money_text(x.burn_per_min, burn);
		local_text(r, x.time_us, at);
		fprintf(r->to,
			"exposure %.*s %s: £%s, £%s/min, %u calls up%s\n",
			SV_ARG(EVENT_SV(x.account)), at, spent, burn,
			x.live_calls, x.open ? "" : ", over");
	}
}

static void on_batch(void *arg, struct bus_peer *p, const struct wire_view *v)
{
	struct report *r = arg;
	struct stream *s;
	uint32_t skip = 0;

	if (v->h->kind == WIRE_EXPOSURE)
		take_exposure(r, v);
	if (v->h->kind != WIRE_FINDINGS)
		return;
	s = stream_get(r, EVENT_SV(v->h->stream));
	if (!s)
		return;
	s->peer = p;
	switch (wire_order(&s->seen, v->h, &skip)) {
	case WIRE_NEXT:
		take_findings(r, v, skip);
		r->counts.repeated += skip;
		wire_advance(&s->seen, v->h);
		break;
	case WIRE_DUPLICATE:
		r->counts.repeated += v->h->count;
		break;
	case WIRE_GAP:
		bus_ack(p, &s->seen.now, CREDIT, true);
		return;
	}
	s->due = true;
}

static void on_hello(void *arg, struct bus_peer *p, struct sv name)
{
	struct report *r = arg;
	struct stream *s = stream_get(r, name);

	if (s)
		bus_ack(p, &s->seen.now, CREDIT, false);
}

/* Printed is as safe as it gets here: the alerter will have a journal. */
static void on_idle(void *arg)
{
	struct report *r = arg;

	for (size_t i = 0; i < r->n_streams; i++) {
		struct stream *s = &r->stream[i];

		if (s->due)
			bus_ack(s->peer, &s->seen.now, CREDIT, false);
		s->due = false;
	}
}

bool report_open(struct report **out, struct bus *b, const char *endpoint,
		 const char *zone, FILE *to, struct err *e)
{
	struct report *r = xcalloc(1, sizeof(*r));
	const struct bus_receiver_opts o = {
		.endpoint = endpoint,
		.on_batch = on_batch,
		.on_hello = on_hello,
		.on_idle = on_idle,
		.arg = r,
	};

	r->to = to;
	r->zone = zone;
	if (!bus_receiver_new(&r->receiver, b, &o, e)) {
		free(r);
		return false;
	}
	*out = r;
	return true;
}

void report_close(struct report *r)
{
	if (!r)
		return;
	bus_receiver_free(r->receiver);
	free(r->victim);
	json_free(&r->json);
	free(r);
}

struct report_counts report_counts(const struct report *r)
{
	return r->counts;
}

static void print_victim(const struct report *r, const struct victim *v)
{
	char total[MONEY_TEXT], page[MONEY_TEXT], since[32], paged[32] = "-";

	money_text(v->exposure, total);
	money_text(v->page_exposure, page);
	local_text(r, v->since_us, since);
	if (v->page_us > 0)
		local_text(r, v->page_us, paged);
	fprintf(r->to, "%-16.*s %8llu %8llu %-19s %-19s %10s %10s ",
		SV_ARG(EVENT_SV(v->account)), (unsigned long long)v->criticals,
		(unsigned long long)v->warnings, since, paged, page, total);
	for (unsigned i = 0; i < v->n_rules; i++)
		fprintf(r->to, " %.*s", SV_ARG(EVENT_SV(v->rules[i])));
	fputc('\n', r->to);
}

void report_json(struct report *r, FILE *out)
{
	r->json_to = out;
}

void report_table(const struct report *r)
{
	fprintf(r->to, "\n%-16s %8s %8s %-19s %-19s %11s %11s  %s\n", "account",
		"critical", "warning", "since", "critical at", "£ by then",
		"£ in all", "rules");
	for (size_t i = 0; i < r->n_victims; i++)
		if (r->victim[i].warnings + r->victim[i].criticals > 0)
			print_victim(r, &r->victim[i]);
	fprintf(r->to, "%llu critical, %llu warning\n",
		(unsigned long long)r->counts.criticals,
		(unsigned long long)r->counts.warnings);
	fflush(r->to);
}
