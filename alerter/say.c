/* SPDX-License-Identifier: Apache-2.0 */
#include "alerter/say.h"

#include <stdlib.h>

#include "alerter/rota.h"
#include "common/hash.h"
#include "common/mem.h"
#include "common/money.h"

struct say {
	FILE *to;
	FILE *json_to;
	struct json json;
	const struct alerter_conf *conf;
};

struct say *say_new(FILE *to, FILE *json_to, const struct alerter_conf *conf)
{
	struct say *s = xcalloc(1, sizeof(*s));

	*s = (struct say){.to = to, .json_to = json_to, .conf = conf};
	return s;
}

void say_conf(struct say *s, const struct alerter_conf *conf)
{
	s->conf = conf;
}

void say_free(struct say *s)
{
	if (!s)
		return;
	json_free(&s->json);
	free(s);
}

static void say_finding(struct say *s, const struct finding *f)
{
	const struct finding_term *t = &f->term[0];
	char spent[MONEY_TEXT], burn[MONEY_TEXT];
	char limit[32] = "-", since[32], id[2 * sizeof(f->id) + 1];

	if (s->json_to) {
		finding_json(f, &s->json);
		json_line(&s->json, s->json_to);
		fflush(s->json_to);
		return;
	}
	money_text(f->exposure, spent);
	money_text(f->burn_per_min, burn);
	local_text(s->conf, f->first_call_us, 0, since, sizeof(since));
	if (f->n_terms > 0)
		measure_text((enum measure)t->measure, t->limit, limit);
	hex_text(f->id, sizeof(f->id), id);
	fprintf(s->to,
		"finding %s %.*s %.*s %.*s: £%s so far, £%s/min, since %s, "
		"limit %s, id %s\n",
		f->severity == SEVERITY_CRITICAL ? "critical" : "warning",
		SV_ARG(EVENT_SV(f->rule)), SV_ARG(EVENT_SV(f->name)),
		SV_ARG(EVENT_SV(f->account)), spent, burn, since, limit, id);
	finding_text(f, s->conf->timezone, s->to);
}

static void say_attempt(struct say *s, const struct book *b,
			const struct fact *f)
{
	struct incident *i;
	const struct page *p = book_page(b, f->page, &i);
	char money[MONEY_TEXT], at[32];

	if (!p || f->state == PAGE_SENDING || f->state == PAGE_QUEUED)
		return;
	local_text(s->conf, f->at_us, 0, at, sizeof(at));
	money_text(p->exposure_at_page, money);
	fprintf(s->to, "page %u %s to %s by %s, %s", p->no,
		page_state_name(f->state), p->person, channel_name(p->channel),
		at);
	if (i)
		fprintf(s->to, ": incident %u (%s) £%s", i->ref,
			page_reason_name(p->reason), money);
	if (f->error[0])
		fprintf(s->to, "; try %u: %s", f->attempt, f->error);
	fputc('\n', s->to);
}

static void say_opened(struct say *s, const struct fact *f, const char *at)
{
	fprintf(s->to, "incident %u opened %s %s %s, %s\n", f->ref,
		fact_severity_name(f->severity), f->family, f->subject, at);
}

void say_fact(struct say *s, const struct book *b, const struct fact *f)
{
	char at[32];

	local_text(s->conf, f->at_us, 0, at, sizeof(at));
	switch (f->kind) {
	case FACT_OPENED:
		say_opened(s, f, at);
		break;
	case FACT_FINDING:
		say_finding(s, f->whole);
		break;
	case FACT_ATTEMPT:
		say_attempt(s, b, f);
		break;
	case FACT_STEP:
		fprintf(s->to, "incident %u %s %s, %s\n", f->ref,
			f->step > 0 ? "escalated to" : "for",
			f->person[0] ? f->person : "nobody", at);
		break;
	case FACT_ACKED:
		fprintf(s->to, "incident %u acknowledged by %s, %s\n", f->ref,
			f->person, at);
		break;
	case FACT_ACK_EXPIRED:
		fprintf(s->to, "incident %u acknowledgement expired, %s\n",
			f->ref, at);
		break;
	case FACT_NOBODY:
		fprintf(s->to, "incident %u nobody could be told: %s, %s\n",
			f->ref, f->error, at);
		break;
	case FACT_RESOLVED:
		fprintf(s->to, "incident %u resolved by %s: %s, %s\n", f->ref,
			f->person, verdict_name(f->verdict), at);
		break;
	default:
		return;
	}
	fflush(s->to);
}
