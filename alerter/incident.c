/* SPDX-License-Identifier: Apache-2.0 */
#include "alerter/incident.h"

#include <stdlib.h>
#include <string.h>

#include "common/hash.h"
#include "common/mem.h"

enum { TEST_PAGES_KEPT = 64 };

const char *incident_state_name(enum incident_state s)
{
	static const char *const name[] = {"open", "acknowledged", "resolved"};

	return name[s];
}

/* ---- finding them ---- */

struct incident *book_find(const struct book *b, uint32_t ref)
{
	size_t lo = 0, hi = b->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (b->incident[mid]->ref < ref)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < b->n && b->incident[lo]->ref == ref ? b->incident[lo]
							: NULL;
}

struct incident *book_open(const struct book *b, const char *subject,
			   const char *family)
{
	for (size_t i = b->n; i-- > 0;) {
		struct incident *x = b->incident[i];

		if (x->state != INCIDENT_RESOLVED &&
		    strcmp(x->subject, subject) == 0 &&
		    strcmp(x->family, family) == 0)
			return x;
	}
	return NULL;
}

static struct page *page_in(struct page *page, size_t n, uint32_t no)
{
	for (size_t i = n; i-- > 0;)
		if (page[i].no == no)
			return &page[i];
	return NULL;
}

struct page *book_page(const struct book *b, uint32_t no, struct incident **in)
{
	struct page *p = page_in(b->test, b->n_test, no);

	if (in)
		*in = NULL;
	for (size_t i = b->n; !p && i-- > 0;) {
		p = page_in(b->incident[i]->page, b->incident[i]->n_pages, no);
		if (p && in)
			*in = b->incident[i];
	}
	return p;
}

bool page_waits(const struct page *p)
{
	return p->state == PAGE_QUEUED || p->state == PAGE_FAILED_TEMPORARY;
}

/* ---- applying facts ---- */

static void opened(struct book *b, const struct fact *f)
{
	struct incident *i;

	if (f->ref <= b->last_ref)
		return;
	i = xcalloc(1, sizeof(*i));
	i->ref = f->ref;
	i->severity = f->severity;
	i->opened_us = f->at_us;
	i->step = -1;
	memcpy(i->id, f->id, sizeof(i->id));
	memcpy(i->family, f->family, sizeof(i->family));
	memcpy(i->subject, f->subject, sizeof(i->subject));
	memcpy(i->account, f->account, sizeof(i->account));
	memcpy(i->account_name, f->account_name, sizeof(i->account_name));
	if (b->n == b->cap) {
		b->cap = b->cap ? 2 * b->cap : 16;
		b->incident =
			xrealloc(b->incident, b->cap, sizeof(*b->incident));
	}
	b->incident[b->n++] = i;
	b->last_ref = f->ref;
}

/* A rule that knows no country does not make us forget it. */
static void worst(struct incident *i, const struct fact_finding *f)
{
	struct fact_finding before = i->worst;

	i->worst = *f;
	if (f->country[0])
		return;
	memcpy(i->worst.country, before.country, sizeof(before.country));
	i->worst.country_calls = before.country_calls;
}

static void joined(struct incident *i, const struct fact_finding *f)
{
	i->seen = xrealloc(i->seen, i->findings + 1, sizeof(*i->seen));
	memcpy(i->seen[i->findings++], f->id, sizeof(*i->seen));
	if (f->severity > i->severity)
		i->severity = f->severity;
	if (f->severity >= i->worst.severity)
		worst(i, f);
	if (f->first_call_us &&
	    (!i->first_call_us || f->first_call_us < i->first_call_us))
		i->first_call_us = f->first_call_us;
	if (f->exposure >= i->now.exposure)
		i->now = (struct fact_exposure){
			.exposure = f->exposure,
			.exposure_retail = f->exposure_retail,
			.burn_per_min = f->burn_per_min,
			.projection = f->projection,
			.calls = f->calls,
			.live_calls = f->live_calls,
		};
}

static struct page *page_new(struct page **page, size_t *n, size_t *cap)
{
	if (*n == *cap) {
		*cap = *cap ? 2 * *cap : 8;
		*page = xrealloc(*page, *cap, sizeof(**page));
	}
	return &(*page)[(*n)++];
}

static void queued(struct book *b, struct incident *i, const struct fact *f)
{
	struct page *p;

	if (f->page > b->last_page)
		b->last_page = f->page;
	if (!i && b->n_test == TEST_PAGES_KEPT) {
		b->n_test--;
		memmove(b->test, b->test + 1, b->n_test * sizeof(*b->test));
	}
	p = i ? page_new(&i->page, &i->n_pages, &i->cap_pages)
	      : page_new(&b->test, &b->n_test, &b->cap_test);
	*p = (struct page){
		.no = f->page,
		.run = f->run,
		.step = f->step,
		.reason = f->reason,
		.channel = f->channel,
		.queued_us = f->at_us,
		.due_us = f->due_us,
		.exposure_at_page = f->exposure_at_page,
	};
	memcpy(p->person, f->person, sizeof(p->person));
	memcpy(p->target, f->target, sizeof(p->target));
	if (!i)
		return;
	i->exposure_at_page = f->exposure_at_page;
	if (i->n_pages == 1)
		i->exposure_at_first_page = f->exposure_at_page;
}

static void attempted(struct page *p, const struct fact *f)
{
	p->state = f->state;
	p->attempts = f->attempt;
	p->due_us = f->due_us;
	memcpy(p->error, f->error, sizeof(p->error));
	if (f->state == PAGE_SENT && !p->sent_us)
		p->sent_us = f->at_us;
	if (f->state == PAGE_DELIVERED)
		p->delivered_us = f->at_us;
}

static void stepped(struct incident *i, const struct fact *f)
{
	if (f->run != i->run) {
		i->run = f->run;
		i->run_us = f->at_us;
		i->nobody = false;
	}
	i->step = (int32_t)f->step;
	i->step_us = f->at_us;
}

static void acked(struct incident *i, const struct fact *f)
{
	i->state = INCIDENT_ACKED;
	i->acked_us = f->at_us;
	i->ack_until_us = f->until_us;
	memcpy(i->acked_by, f->person, sizeof(i->acked_by));
}

static void resolved(struct incident *i, const struct fact *f)
{
	i->state = INCIDENT_RESOLVED;
	i->resolved_us = f->at_us;
	i->verdict = f->verdict;
	i->ack_until_us = 0;
	memcpy(i->resolved_by, f->person, sizeof(i->resolved_by));
}

static void remember(struct incident *i, const struct fact *f)
{
	struct json j = {0};
	char *text;

	fact_json(f, &j);
	text = sv_dup((struct sv){j.p, j.n});
	json_free(&j);
	if (f->kind == FACT_EXPOSURE) {
		free(i->cost);
		i->cost = text;
		return;
	}
	if (i->n_timeline == i->cap_timeline) {
		i->cap_timeline = i->cap_timeline ? 2 * i->cap_timeline : 16;
		i->timeline = xrealloc(i->timeline, i->cap_timeline,
				       sizeof(*i->timeline));
	}
	i->timeline[i->n_timeline++] = text;
}

static void apply_to(struct book *b, struct incident *i, const struct fact *f)
{
	struct page *p;

	switch (f->kind) {
	case FACT_FINDING:
		joined(i, &f->finding);
		break;
	case FACT_EXPOSURE:
		i->now = f->exposure;
		break;
	case FACT_QUEUED:
		queued(b, i, f);
		break;
	case FACT_ATTEMPT:
		p = page_in(i->page, i->n_pages, f->page);
		if (p)
			attempted(p, f);
		break;
	case FACT_STEP:
		stepped(i, f);
		break;
	case FACT_ACKED:
		acked(i, f);
		break;
	case FACT_ACK_EXPIRED:
		i->state = INCIDENT_OPEN;
		i->ack_until_us = 0;
		break;
	case FACT_ESCALATED: /* whoever asks for help has not got it in hand */
		i->state = INCIDENT_OPEN;
		i->ack_until_us = 0;
		break;
	case FACT_NOBODY:
		i->nobody = true;
		break;
	case FACT_RESOLVED:
		resolved(i, f);
		break;
	default:
		break;
	}
	remember(i, f);
}

void book_apply(struct book *b, const struct fact *f)
{
	struct incident *i;
	struct page *p;

	b->changes++;
	if (f->kind == FACT_OPENED)
		opened(b, f);
	i = book_find(b, f->ref);
	if (i) {
		apply_to(b, i, f);
	} else if (f->ref == 0 && f->kind == FACT_QUEUED) {
		queued(b, NULL, f);
	} else if (f->ref == 0 && f->kind == FACT_ATTEMPT) {
		p = page_in(b->test, b->n_test, f->page);
		if (p)
			attempted(p, f);
	}
}

/* ---- the book as a whole ---- */

static void incident_free(struct incident *i)
{
	for (size_t k = 0; k < i->n_timeline; k++)
		free(i->timeline[k]);
	free(i->timeline);
	free(i->cost);
	free(i->seen);
	free(i->page);
	free(i);
}

void book_clear(struct book *b)
{
	for (size_t i = 0; i < b->n; i++)
		incident_free(b->incident[i]);
	free(b->incident);
	free(b->test);
	*b = (struct book){0};
}

void book_forget(struct book *b, int64_t t_us)
{
	size_t kept = 0;

	for (size_t i = 0; i < b->n; i++) {
		struct incident *x = b->incident[i];

		if (x->state == INCIDENT_RESOLVED && x->resolved_us < t_us)
			incident_free(x);
		else
			b->incident[kept++] = x;
	}
	b->n = kept;
}

void book_each(const struct book *b, void (*each)(void *arg, const char *fact),
	       void *arg)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct incident *x = b->incident[i];

		for (size_t k = 0; k < x->n_timeline; k++)
			each(arg, x->timeline[k]);
		if (x->cost)
			each(arg, x->cost);
	}
}

/* ---- JSON ---- */

void page_json(const struct page *p, struct json *j)
{
	/* clang-format off */
	json_open(j, '{');
	json_key(j, "page");      json_int(j, p->no);
	json_key(j, "person");    json_str(j, EVENT_SV(p->person));
	json_key(j, "channel");   json_str(j, sv_of(channel_name(p->channel)));
	json_key(j, "reason");    json_str(j, sv_of(page_reason_name(p->reason)));
	json_key(j, "state");     json_str(j, sv_of(page_state_name(p->state)));
	json_key(j, "queued");    json_time(j, p->queued_us);
	json_key(j, "sent");      json_time(j, p->sent_us);
	json_key(j, "delivered"); json_time(j, p->delivered_us);
	json_key(j, "attempts");  json_int(j, p->attempts);
	json_key(j, "error");     json_str_or_null(j, EVENT_SV(p->error));
	json_key(j, "exposure_gbp"); json_money(j, p->exposure_at_page);
	json_close(j, '}');
	/* clang-format on */
}

/* The findings as they came, cut out of the facts. */
static void findings_json(const struct incident *i, struct json *j)
{
	json_key(j, "findings");
	json_open(j, '[');
	for (size_t k = 0; k < i->n_timeline; k++) {
		json_t *fact = json_loads(i->timeline[k], 0, NULL);
		json_t *found = json_object_get(fact, "finding");
		char *text = found ? json_dumps(found, JSON_COMPACT) : NULL;

		if (text)
			json_raw(j, sv_of(text));
		free(text);
		json_decref(fact);
	}
	json_close(j, ']');
}

static void cost_json(const struct incident *i, struct json *j)
{
	json_key(j, "exposure_gbp");
	json_money(j, i->now.exposure);
	json_key(j, "exposure_gbp_at_page");
	if (i->n_pages > 0)
		json_money(j, i->exposure_at_first_page);
	else
		json_none(j);
	json_key(j, "exposure_retail_gbp");
	json_money(j, i->now.exposure_retail);
	json_key(j, "burn_gbp_min");
	json_money(j, i->now.burn_per_min);
	json_key(j, "projection_gbp");
	json_money(j, i->now.projection);
	json_key(j, "calls");
	json_int(j, i->now.calls);
	json_key(j, "live_calls");
	json_int(j, i->now.live_calls);
}

static void outcome_json(const struct incident *i, struct json *j)
{
	/* clang-format off */
	json_key(j, "acked_by");    json_str_or_null(j, EVENT_SV(i->acked_by));
	json_key(j, "acked_at");    json_time(j, i->acked_us);
	json_key(j, "acked_until"); json_time(j, i->ack_until_us);
	json_key(j, "resolved_by"); json_str_or_null(j, EVENT_SV(i->resolved_by));
	json_key(j, "resolved_at"); json_time(j, i->resolved_us);
	json_key(j, "verdict");     json_str_or_null(j, sv_of(verdict_name(i->verdict)));
	json_key(j, "nobody_told"); json_bool(j, i->nobody);
	/* clang-format on */
}

void incident_json(const struct incident *i, bool whole, struct json *j)
{
	char id[33];

	hex_text(i->id, sizeof(i->id), id);
	/* clang-format off */
	json_open(j, '{');
	json_key(j, "id");           json_str(j, sv_of(id));
	json_key(j, "ref");          json_int(j, i->ref);
	json_key(j, "account");      json_str_or_null(j, EVENT_SV(i->account));
	json_key(j, "account_name"); json_str_or_null(j, EVENT_SV(i->account_name));
	json_key(j, "subject");      json_str(j, EVENT_SV(i->subject));
	json_key(j, "family");       json_str(j, EVENT_SV(i->family));
	json_key(j, "state");        json_str(j, sv_of(incident_state_name(i->state)));
	json_key(j, "severity");     json_str(j, sv_of(fact_severity_name(i->severity)));
	json_key(j, "opened");       json_time(j, i->opened_us);
	json_key(j, "trunk");        json_str_or_null(j, EVENT_SV(i->worst.trunk));
	json_key(j, "country");      json_str_or_null(j, EVENT_SV(i->worst.country));
	json_key(j, "first_call");   json_time(j, i->first_call_us);
	/* clang-format on */
	cost_json(i, j);
	findings_json(i, j);
	json_key(j, "pages");
	json_open(j, '[');
	for (size_t k = 0; k < i->n_pages; k++)
		page_json(&i->page[k], j);
	json_close(j, ']');
	outcome_json(i, j);
	if (whole) {
		json_key(j, "timeline");
		json_open(j, '[');
		for (size_t k = 0; k < i->n_timeline; k++)
			json_raw(j, sv_of(i->timeline[k]));
		json_close(j, ']');
	}
	json_close(j, '}');
}
