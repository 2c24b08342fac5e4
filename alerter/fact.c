/* SPDX-License-Identifier: Apache-2.0 */
#include "alerter/fact.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/hash.h"
#include "common/mem.h"
#include "common/money.h"

/* ---- names ---- */

static const char *const kind_names[FACT_KINDS] = {
	[FACT_OPENED] = "opened",	[FACT_FINDING] = "finding",
	[FACT_EXPOSURE] = "exposure",	[FACT_QUEUED] = "queued",
	[FACT_ATTEMPT] = "attempt",	[FACT_STEP] = "step",
	[FACT_ACKED] = "acked",		[FACT_ACK_EXPIRED] = "ack-expired",
	[FACT_ESCALATED] = "escalated", [FACT_NOBODY] = "nobody",
	[FACT_RESOLVED] = "resolved",
};

static const char *const reason_names[PAGE_REASONS] = {
	[REASON_OPENED] = "opened",	  [REASON_STEP] = "step",
	[REASON_REPEAT] = "repeat",	  [REASON_SEVERITY] = "severity",
	[REASON_DOUBLED] = "doubled",	  [REASON_EXPIRED] = "ack-expired",
	[REASON_ESCALATED] = "escalated", [REASON_LAST_RESORT] = "last-resort",
	[REASON_TEST] = "test",
};

static const char *const state_names[PAGE_STATES] = {
	[PAGE_QUEUED] = "queued",
	[PAGE_SENDING] = "sending",
	[PAGE_SENT] = "sent",
	[PAGE_DELIVERED] = "delivered",
	[PAGE_FAILED_TEMPORARY] = "failed-temporary",
	[PAGE_FAILED_PERMANENT] = "failed-permanent",
	[PAGE_CANCELLED] = "cancelled",
};

static const char *const channel_names[CHANNEL_KINDS] = {
	[CHANNEL_EMAIL] = "email",
	[CHANNEL_WEBHOOK] = "webhook",
};

static const char *const severity_names[] = {
	[SEVERITY_WARNING] = "warning",
	[SEVERITY_CRITICAL] = "critical",
};

static const char *const verdict_names[] = {
	[VERDICT_FRAUD] = "fraud",	     [VERDICT_EXPECTED] = "expected",
	[VERDICT_WRONG_RATE] = "wrong-rate", [VERDICT_TEST] = "test",
	[VERDICT_OTHER] = "other",
};

struct names {
	const char *const *name;
	unsigned n;
};

static const char *name_of(struct names t, unsigned v)
{
	return v < t.n && t.name[v] ? t.name[v] : "";
}

static bool name_parse(struct names t, struct sv text, unsigned *v)
{
	for (unsigned i = 0; i < t.n; i++) {
		if (!t.name[i] || !sv_eq(text, sv_of(t.name[i])))
			continue;
		*v = i;
		return true;
	}
	return false;
}

#define NAMES(a) ((struct names){(a), ARRAY_LEN(a)})

const char *fact_kind_name(enum fact_kind k)
{
	return name_of(NAMES(kind_names), k);
}

const char *page_reason_name(enum page_reason r)
{
	return name_of(NAMES(reason_names), r);
}

const char *page_state_name(enum page_state s)
{
	return name_of(NAMES(state_names), s);
}

const char *channel_name(enum channel_kind c)
{
	return name_of(NAMES(channel_names), c);
}

const char *fact_severity_name(enum severity s)
{
	return name_of(NAMES(severity_names), s);
}

const char *verdict_name(enum verdict v)
{
	return name_of(NAMES(verdict_names), v);
}

bool verdict_parse(struct sv name, enum verdict *out)
{
	unsigned v;

	if (!name_parse(NAMES(verdict_names), name, &v))
		return false;
	*out = (enum verdict)v;
	return true;
}

/* ---- the fields, written and read by one table ---- */

enum field_type {
	FIELD_TIME,
	FIELD_MONEY,
	FIELD_U32,
	FIELD_TEXT,
	FIELD_ID,
	FIELD_NAME, /* an enum by its names */
};

struct field {
	const char *key;
	enum field_type type;
	size_t at;
	size_t size;
	unsigned kinds;
	struct names names;
};

#define AT(m)	offsetof(struct fact, m), sizeof(((struct fact *)0)->m)
#define IN(k)	(1u << FACT_##k)
#define PAGED	(IN(QUEUED) | IN(ATTEMPT))
#define ACTED	(IN(ACKED) | IN(ESCALATED) | IN(RESOLVED))
#define RAN	(IN(QUEUED) | IN(STEP) | IN(NOBODY))
#define COST(m) exposure.m

static const struct field fields[] = {
	/* clang-format off */
	{"id",           FIELD_ID,   AT(id),           IN(OPENED), {0}},
	{"family",       FIELD_TEXT, AT(family),       IN(OPENED), {0}},
	{"subject",      FIELD_TEXT, AT(subject),      IN(OPENED), {0}},
	{"account",      FIELD_TEXT, AT(account),      IN(OPENED), {0}},
	{"account_name", FIELD_TEXT, AT(account_name), IN(OPENED), {0}},
	{"severity",     FIELD_NAME, AT(severity),     IN(OPENED), {severity_names, ARRAY_LEN(severity_names)}},
	{"page",         FIELD_U32,  AT(page),         PAGED, {0}},
	{"person",       FIELD_TEXT, AT(person),       PAGED | ACTED | IN(STEP), {0}},
	{"channel",      FIELD_NAME, AT(channel),      PAGED, {channel_names, ARRAY_LEN(channel_names)}},
	{"target",       FIELD_TEXT, AT(target),       IN(QUEUED), {0}},
	{"reason",       FIELD_NAME, AT(reason),       IN(QUEUED), {reason_names, ARRAY_LEN(reason_names)}},
	{"exposure_at_page", FIELD_MONEY, AT(exposure_at_page), IN(QUEUED), {0}},
	{"state",        FIELD_NAME, AT(state),        IN(ATTEMPT), {state_names, ARRAY_LEN(state_names)}},
	{"attempt",      FIELD_U32,  AT(attempt),      IN(ATTEMPT), {0}},
	{"error",        FIELD_TEXT, AT(error),        IN(ATTEMPT) | IN(NOBODY), {0}},
	{"due",          FIELD_TIME, AT(due_us),       PAGED | IN(STEP), {0}},
	{"run",          FIELD_U32,  AT(run),          RAN, {0}},
	{"step",         FIELD_U32,  AT(step),         RAN, {0}},
	{"via",          FIELD_TEXT, AT(via),          ACTED, {0}},
	{"until",        FIELD_TIME, AT(until_us),     IN(ACKED), {0}},
	{"verdict",      FIELD_NAME, AT(verdict),      IN(RESOLVED), {verdict_names, ARRAY_LEN(verdict_names)}},
	{"note",         FIELD_TEXT, AT(note),         ACTED, {0}},
	{"exposure_gbp",        FIELD_MONEY, AT(COST(exposure)),        IN(EXPOSURE), {0}},
	{"exposure_retail_gbp", FIELD_MONEY, AT(COST(exposure_retail)), IN(EXPOSURE), {0}},
	{"burn_gbp_min",        FIELD_MONEY, AT(COST(burn_per_min)),    IN(EXPOSURE), {0}},
	{"projection_gbp",      FIELD_MONEY, AT(COST(projection)),      IN(EXPOSURE), {0}},
	{"calls",               FIELD_U32,   AT(COST(calls)),           IN(EXPOSURE), {0}},
	{"live_calls",          FIELD_U32,   AT(COST(live_calls)),      IN(EXPOSURE), {0}},
	/* clang-format on */
};

static void json_id(struct json *j, const uint8_t id[16])
{
	char hex[33];

	hex_text(id, 16, hex);
	json_str(j, (struct sv){hex, 32});
}

static void field_write(const struct field *d, const struct fact *f,
			struct json *j)
{
	const void *p = (const char *)f + d->at;

	json_key(j, d->key);
	switch (d->type) {
	case FIELD_TIME:
		json_time(j, *(const int64_t *)p);
		break;
	case FIELD_MONEY:
		json_money(j, *(const int64_t *)p);
		break;
	case FIELD_U32:
		json_int(j, *(const uint32_t *)p);
		break;
	case FIELD_TEXT:
		json_str_or_null(j, sv_field(p, d->size));
		break;
	case FIELD_ID:
		json_id(j, p);
		break;
	case FIELD_NAME:
		json_str_or_null(j, sv_of(name_of(d->names,
						  *(const unsigned *)p)));
		break;
	}
}

/* A decimal of pounds, perhaps negative, as json_money writes it. */
static bool pounds_parse(struct sv text, int64_t *out)
{
	bool minus = text.n > 0 && text.p[0] == '-';
	char with_unit[48];

	if (minus) {
		text.p++;
		text.n--;
	}
	if (text.n > 32)
		return false;
	snprintf(with_unit, sizeof(with_unit), "£%.*s", SV_ARG(text));
	if (!money_parse(sv_of(with_unit), out))
		return false;
	if (minus)
		*out = -*out;
	return true;
}

static struct sv text_at(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return json_is_string(v) ? (struct sv){json_string_value(v),
					       json_string_length(v)}
				 : SV("");
}

static bool u32_at(const json_t *o, const char *key, uint32_t *out)
{
	json_int_t v = json_integer_value(json_object_get(o, key));

	if (v < 0 || v > UINT32_MAX)
		return false;
	*out = (uint32_t)v;
	return true;
}

static bool field_read(const struct field *d, const json_t *o, struct fact *f)
{
	void *p = (char *)f + d->at;
	struct sv text = text_at(o, d->key);

	if (d->type == FIELD_U32)
		return u32_at(o, d->key, p);
	if (text.n == 0)
		return true;
	switch (d->type) {
	case FIELD_TIME:
		return time_parse(text, p);
	case FIELD_MONEY:
		return pounds_parse(text, p);
	case FIELD_ID:
		return hex_parse(text, p, 16);
	case FIELD_NAME:
		return name_parse(d->names, text, p);
	default:
		return sv_put(p, d->size - 1, text);
	}
}

/* ---- findings ---- */

static int64_t to_penny(int64_t micropence)
{
	int64_t half = micropence < 0 ? -PENNY / 2 : PENNY / 2;

	return (micropence + half) / PENNY * PENNY;
}

void fact_from_finding(struct fact *f, const struct finding *w)
{
	struct fact_finding *s = &f->finding;

	f->whole = xmalloc(sizeof(*w));
	*f->whole = *w;
	memcpy(s->id, w->id, sizeof(s->id));
	s->time_us = w->time_us;
	s->first_call_us = w->first_call_us;
	s->exposure = to_penny(w->exposure);
	s->exposure_retail = to_penny(w->exposure_retail);
	s->burn_per_min = to_penny(w->burn_per_min);
	s->projection = to_penny(w->projection);
	s->calls = w->calls;
	s->live_calls = w->live_calls;
	s->country_calls = w->top_calls[0];
	s->severity = w->severity == SEVERITY_CRITICAL ? SEVERITY_CRITICAL
						       : SEVERITY_WARNING;
	sv_put(s->rule, sizeof(s->rule) - 1, EVENT_SV(w->rule));
	sv_put(s->name, sizeof(s->name) - 1, EVENT_SV(w->name));
	sv_put(s->key, sizeof(s->key) - 1, EVENT_SV(w->key));
	sv_put(s->trunk, sizeof(s->trunk) - 1, EVENT_SV(w->trunk));
	sv_put(s->country, sizeof(s->country) - 1, EVENT_SV(w->top_country[0]));
	sv_put(s->first_action, sizeof(s->first_action) - 1,
	       EVENT_SV(w->first_action));
	if (w->n_evidence > 0)
		number_mask(w->evidence[0].callee, s->callee);
}

void fact_from_exposure(struct fact *f, const struct exposure *x)
{
	f->exposure = (struct fact_exposure){
		.exposure = to_penny(x->exposure),
		.exposure_retail = to_penny(x->exposure_retail),
		.burn_per_min = to_penny(x->burn_per_min),
		.projection = to_penny(x->projection),
		.calls = x->calls,
		.live_calls = x->live_calls,
	};
}

static void json_whole_call(struct json *j, const struct finding_call *c)
{
	char number[NUMBER_TEXT];
	size_t n = number_text(c->callee, number);

	/* clang-format off */
	json_open(j, '{');
	json_key(j, "key");      json_id(j, c->key.b);
	json_key(j, "callee");   json_str_or_null(j, (struct sv){number, n});
	json_key(j, "country");  json_str_or_null(j, EVENT_SV(c->country));
	json_key(j, "setup");    json_time(j, c->setup_us);
	json_key(j, "answer");   json_time(j, c->answer_us);
	json_key(j, "end");      json_time(j, c->end_us);
	json_key(j, "cost_gbp"); json_money(j, c->cost);
	json_key(j, "live");     json_bool(j, c->live);
	json_close(j, '}');
	/* clang-format on */
}

static void json_whole_calls(struct json *j, const struct finding *w)
{
	json_key(j, "calls");
	json_open(j, '[');
	for (unsigned i = 0; i < w->n_evidence && i < FINDING_EVIDENCE; i++)
		json_whole_call(j, &w->evidence[i]);
	json_close(j, ']');
}

static bool finding_read(const json_t *o, struct fact_finding *s)
{
	const json_t *country, *call;
	struct sv severity = text_at(o, "severity");
	unsigned v;

	country = json_array_get(json_object_get(o, "countries"), 0);
	call = json_array_get(json_object_get(o, "evidence"), 0);
	if (!hex_parse(text_at(o, "id"), s->id, 16) ||
	    !time_parse(text_at(o, "time"), &s->time_us) ||
	    !name_parse(NAMES(severity_names), severity, &v))
		return false;
	s->severity = (enum severity)v;
	(void)time_parse(text_at(o, "first_call"), &s->first_call_us);
	sv_put(s->rule, sizeof(s->rule) - 1, text_at(o, "rule"));
	sv_put(s->name, sizeof(s->name) - 1, text_at(o, "name"));
	sv_put(s->key, sizeof(s->key) - 1, text_at(o, "key"));
	sv_put(s->trunk, sizeof(s->trunk) - 1, text_at(o, "trunk"));
	sv_put(s->first_action, sizeof(s->first_action) - 1,
	       text_at(o, "first_action"));
	sv_put(s->country, sizeof(s->country) - 1, text_at(country, "country"));
	sv_put(s->callee, sizeof(s->callee) - 1, text_at(call, "callee"));
	return pounds_parse(text_at(o, "exposure_gbp"), &s->exposure) &&
	       pounds_parse(text_at(o, "exposure_retail_gbp"),
			    &s->exposure_retail) &&
	       pounds_parse(text_at(o, "burn_gbp_min"), &s->burn_per_min) &&
	       pounds_parse(text_at(o, "projection_gbp"), &s->projection) &&
	       u32_at(o, "calls", &s->calls) &&
	       u32_at(o, "live_calls", &s->live_calls) &&
	       u32_at(country, "calls", &s->country_calls);
}

/* ---- facts ---- */

static void write(const struct fact *f, bool numbers, struct json *j)
{
	json_open(j, '{');
	json_key(j, "kind");
	json_str(j, sv_of(fact_kind_name(f->kind)));
	json_key(j, "at");
	json_time(j, f->at_us);
	json_key(j, "ref");
	json_int(j, f->ref);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (fields[i].kinds >> f->kind & 1)
			field_write(&fields[i], f, j);
	if (f->kind == FACT_FINDING && f->whole) {
		json_key(j, "finding");
		finding_json(f->whole, j);
		if (numbers)
			json_whole_calls(j, f->whole);
	}
	json_close(j, '}');
}

/* What was parsed is told again as it was, so that nothing a later version
 * put into it is lost. */
static void write_source(const struct fact *f, struct json *j)
{
	json_t *o = json_copy(f->source);
	char *text;

	json_object_del(o, f->kind == FACT_FINDING ? "calls" : "");
	text = json_dumps(o, JSON_COMPACT);
	json_raw(j, sv_of(text ? text : "{}"));
	free(text);
	json_decref(o);
}

void fact_json(const struct fact *f, struct json *j)
{
	if (f->source)
		write_source(f, j);
	else
		write(f, false, j);
}

void fact_entry_json(const struct fact_entry *x, struct json *j)
{
	json_open(j, '{');
	json_key(j, "v");
	json_int(j, 1);
	json_key(j, "stream");
	json_str_or_null(j, EVENT_SV(x->stream));
	json_key(j, "boot");
	json_int(j, x->mark.boot);
	json_key(j, "seq");
	json_int(j, (int64_t)x->mark.seq);
	json_key(j, "facts");
	json_open(j, '[');
	for (size_t i = 0; i < x->n; i++)
		write(&x->fact[i], true, j);
	json_close(j, ']');
	json_close(j, '}');
}

bool fact_parse(json_t *o, struct fact *f, struct err *e)
{
	struct sv kind = text_at(o, "kind");
	unsigned k;

	*f = (struct fact){.source = o};
	if (!name_parse(NAMES(kind_names), kind, &k))
		return err_set(e, "unknown kind '%.*s'", SV_ARG(kind));
	f->kind = (enum fact_kind)k;
	if (!time_parse(text_at(o, "at"), &f->at_us))
		return err_set(e, "%s: no time", kind_names[k]);
	if (!u32_at(o, "ref", &f->ref))
		return err_set(e, "%s: bad 'ref'", kind_names[k]);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if ((fields[i].kinds >> k & 1) && !field_read(&fields[i], o, f))
			return err_set(e, "%s: bad '%s'", kind_names[k],
				       fields[i].key);
	if (k == FACT_FINDING &&
	    !finding_read(json_object_get(o, "finding"), &f->finding))
		return err_set(e, "finding: cannot be read");
	return true;
}

bool fact_entry_parse(struct sv text, struct fact_entry *x, json_t **doc,
		      struct err *e)
{
	json_error_t at;
	json_t *item;
	size_t i;

	fact_clear(x);
	*doc = json_loadb(text.p, text.n, 0, &at);
	if (!*doc)
		return err_set(e, "not JSON: %s", at.text);
	sv_put(x->stream, sizeof(x->stream) - 1, text_at(*doc, "stream"));
	x->mark.seq =
		(uint64_t)json_integer_value(json_object_get(*doc, "seq"));
	if (!u32_at(*doc, "boot", &x->mark.boot))
		goto bad;
	json_array_foreach(json_object_get(*doc, "facts"), i, item)
	{
		struct fact *f = fact_add(x, FACT_OPENED, 0, 0);

		if (!fact_parse(item, f, e))
			goto bad;
	}
	return true;
bad:
	json_decref(*doc);
	*doc = NULL;
	return false;
}

struct fact *fact_add(struct fact_entry *x, enum fact_kind kind, uint32_t ref,
		      int64_t at_us)
{
	struct fact *f;

	if (x->n == x->cap) {
		x->cap = x->cap ? 2 * x->cap : 8;
		x->fact = xrealloc(x->fact, x->cap, sizeof(*x->fact));
	}
	f = &x->fact[x->n++];
	*f = (struct fact){.kind = kind, .ref = ref, .at_us = at_us};
	return f;
}

void fact_clear(struct fact_entry *x)
{
	for (size_t i = 0; i < x->n; i++)
		free(x->fact[i].whole);
	x->n = 0;
	x->mark = (struct wire_mark){0};
	memset(x->stream, 0, sizeof(x->stream));
}

void fact_free(struct fact_entry *x)
{
	fact_clear(x);
	free(x->fact);
	*x = (struct fact_entry){0};
}
