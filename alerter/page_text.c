/* SPDX-License-Identifier: Apache-2.0 */
#include "alerter/page_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "alerter/country.h"
#include "alerter/gsm.h"
#include "alerter/rota.h"
#include "common/clock.h"
#include "common/hash.h"
#include "common/mem.h"
#include "common/money.h"

enum {
	SUBJECT_MAX = 160,
	SUBJECT_SIZE = 512, /* bytes, before it was fitted */
	NAME_MIN = 12,	    /* characters that still tell who it is */
	NAME_LEAST = 4,
	FIELD = 256,
	TOLD_MAX = 8,
};

struct view {
	const struct alerter_conf *conf;
	const struct incident *in;
	const struct page *page;
	int64_t now_us;
};

/* ---- small words ---- */

/* "£412", "£12,400"; below ten pounds the pence count: "£4.50". */
static void pounds(int64_t micropence, char out[MONEY_TEXT])
{
	char digits[MONEY_TEXT];
	int64_t whole = (micropence + POUND / 2) / POUND;
	int n, at = 0;

	if (micropence < 10 * POUND) {
		money_text(micropence, digits);
		n = snprintf(out, MONEY_TEXT, "\xc2\xa3%s", digits);
		if (n > 3 && strcmp(out + n - 3, ".00") == 0)
			out[n - 3] = '\0';
		return;
	}
	n = snprintf(digits, sizeof(digits), "%" PRId64, whole);
	out[at++] = '\xc2';
	out[at++] = '\xa3';
	for (int i = 0; i < n && at < MONEY_TEXT - 2; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = '\0';
}

static const char *severity_word(const struct incident *in)
{
	return in->severity == SEVERITY_CRITICAL ? "CRITICAL" : "WARNING";
}

static bool has_letter(const char *s)
{
	for (; *s; s++)
		if ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
		    (*s >= '0' && *s <= '9'))
			return true;
	return false;
}

/* Name of the account as a phone can show it, else its id, else the subject:
 * "platform", "feed:sbc-1". */
static void who(const struct incident *in, char out[FIELD])
{
	gsm_fold(EVENT_SV(in->account_name), out, FIELD);
	if (!has_letter(out))
		gsm_fold(EVENT_SV(in->account), out, FIELD);
	if (!has_letter(out))
		gsm_fold(EVENT_SV(in->subject), out, FIELD);
}

static const char *country(const struct incident *in)
{
	const struct fact_finding *f = &in->worst;
	char code[sizeof(f->country) + 1];

	/* named when most of the calls went there */
	if ((uint64_t)f->country_calls * 2 <= f->calls)
		return "";
	snprintf(code, sizeof(code), "%.*s", SV_ARG(EVENT_SV(f->country)));
	return country_name(code);
}

static const char *name_of(const struct view *v, const char *id)
{
	const struct person *p = person_find(v->conf, sv_of(id));

	return p ? p->name : id;
}

/* ---- the subject ---- */

/* What is left out when the line would be too long, in this order. */
enum leave_out { OUT_COUNTRY = 1, OUT_SINCE = 2, OUT_CALLS = 4, OUT_ACK = 8 };

struct subject {
	char name[FIELD];
	char calls[32];
	char to[FIELD];
	char since[48];
	char cost[2 * MONEY_TEXT + 32];
	char action[FIELD];
	const struct incident *in;
};

static void subject_parts(const struct view *v, struct subject *s)
{
	const struct incident *in = v->in;
	char spent[MONEY_TEXT], burn[MONEY_TEXT], at[32];
	uint32_t calls = in->now.calls ? in->now.calls : in->worst.calls;

	*s = (struct subject){.in = in};
	who(in, s->name);
	if (calls)
		snprintf(s->calls, sizeof(s->calls), ", %" PRIu32 " call%s",
			 calls, calls == 1 ? "" : "s");
	if (calls && *country(in))
		snprintf(s->to, sizeof(s->to), " %sto %s",
			 in->worst.country_calls < in->worst.calls ? "mostly "
								   : "",
			 country(in));
	if (in->first_call_us) {
		local_text(v->conf, in->first_call_us, v->now_us, at,
			   sizeof(at));
		snprintf(s->since, sizeof(s->since), " since %s", at);
	}
	pounds(in->now.exposure, spent);
	pounds(in->now.burn_per_min, burn);
	if (!calls && !in->now.exposure) /* a feed that went quiet */
		snprintf(s->cost, sizeof(s->cost), ".");
	else if (in->now.burn_per_min > 0)
		snprintf(s->cost, sizeof(s->cost), ", %s so far, +%s/min.",
			 spent, burn);
	else
		snprintf(s->cost, sizeof(s->cost), ", %s so far.", spent);
	gsm_fold(EVENT_SV(in->worst.first_action), s->action,
		 sizeof(s->action));
	if (!*s->action)
		snprintf(s->action, sizeof(s->action),
			 "Look at its calls now.");
}

static void subject_line(const struct subject *s, unsigned leave_out,
			 const char *name, const char *action, char *out)
{
	char ack[40] = "";

	if (!(leave_out & OUT_ACK))
		snprintf(ack, sizeof(ack), " tollwatch ack %" PRIu32,
			 s->in->ref);
	snprintf(out, SUBJECT_SIZE, "Tollwatch %s %" PRIu32 ": %s%s%s%s%s %s%s",
		 severity_word(s->in), s->in->ref, name,
		 leave_out & OUT_CALLS ? "" : s->calls,
		 leave_out & (OUT_COUNTRY | OUT_CALLS) ? "" : s->to,
		 leave_out & OUT_SINCE ? "" : s->since, s->cost, action, ack);
}

/* The line with a name cut to what room there is; false: fewer than least
 * characters of it fit. */
static bool subject_fits(const struct subject *s, unsigned leave_out,
			 size_t least, char *out)
{
	char cut[FIELD];
	size_t used;

	subject_line(s, leave_out, "", s->action, out);
	used = gsm_count(out);
	if (gsm_count(s->name) < least)
		least = gsm_count(s->name);
	if (used + least > SUBJECT_MAX)
		return false;
	gsm_cut(s->name, SUBJECT_MAX - used, cut, sizeof(cut));
	subject_line(s, leave_out, cut, s->action, out);
	return true;
}

static char *subject(const struct view *v)
{
	static const struct {
		unsigned leave_out;
		size_t least;
	} try[] = {
		{0, NAME_MIN},
		{OUT_COUNTRY, NAME_MIN},
		{OUT_COUNTRY | OUT_SINCE, NAME_MIN},
		{OUT_COUNTRY | OUT_SINCE | OUT_CALLS, NAME_MIN},
		{OUT_COUNTRY | OUT_SINCE | OUT_CALLS | OUT_ACK, NAME_LEAST},
	};
	const unsigned all = OUT_COUNTRY | OUT_SINCE | OUT_CALLS | OUT_ACK;
	char out[SUBJECT_SIZE], name[FIELD], action[FIELD];
	struct subject s;
	size_t used;

	subject_parts(v, &s);
	for (size_t i = 0; i < ARRAY_LEN(try); i++)
		if (subject_fits(&s, try[i].leave_out, try[i].least, out))
			return xstrdup(out);
	/* milliards of pounds and the longest of actions: its own names */
	gsm_cut(s.name, NAME_LEAST, name, sizeof(name));
	subject_line(&s, all, name, "", out);
	used = gsm_count(out);
	gsm_cut(s.action, SUBJECT_MAX - used, action, sizeof(action));
	subject_line(&s, all, name, action, out);
	return xstrdup(out);
}

/* ---- the body ---- */

static void row(FILE *f, const char *label, const char *text)
{
	if (*text)
		fprintf(f, "%-16s%s\n", label, text);
}

static void why(const struct view *v, char out[FIELD])
{
	const struct page *p = v->page;
	char at[32];

	switch (p->reason) {
	case REASON_OPENED:
		snprintf(out, FIELD, "it has just begun");
		return;
	case REASON_STEP:
		snprintf(out, FIELD,
			 "nobody has acknowledged it: you are the next");
		return;
	case REASON_REPEAT:
		snprintf(out, FIELD, "still nobody has acknowledged it");
		return;
	case REASON_SEVERITY:
		snprintf(out, FIELD, "the warning has become critical");
		return;
	case REASON_DOUBLED:
		snprintf(out, FIELD,
			 "it has cost twice what the last page said");
		return;
	case REASON_EXPIRED:
		local_text(v->conf, v->in->acked_us, v->now_us, at, sizeof(at));
		snprintf(out, FIELD,
			 "%.80s took it at %s; nothing was heard since",
			 name_of(v, v->in->acked_by), at);
		return;
	case REASON_ESCALATED:
		snprintf(out, FIELD, "somebody asked for you");
		return;
	case REASON_LAST_RESORT:
		snprintf(out, FIELD,
			 "nobody before you could be reached: you "
			 "are the last resort");
		return;
	case REASON_TEST:
		snprintf(out, FIELD, "a test");
		return;
	case REASON_NONE:
	case PAGE_REASONS:
		break;
	}
	out[0] = '\0';
}

static void rows_of_calls(const struct view *v, FILE *f)
{
	const struct incident *in = v->in;
	char text[FIELD], number[NUMBER_TEXT + 1], at[32];

	snprintf(text, sizeof(text), "%" PRIu32 ", %" PRIu32 " of them up now",
		 in->now.calls, in->now.live_calls);
	row(f, "Calls", text);
	row(f, "Most to", country(in));
	gsm_fold(EVENT_SV(in->worst.callee), number, sizeof(number));
	row(f, "Dearest to", number);
	if (!in->first_call_us)
		return;
	local_text(v->conf, in->first_call_us, v->now_us, at, sizeof(at));
	row(f, "Since", at);
}

static void rows_of_money(const struct view *v, FILE *f)
{
	const struct fact_exposure *x = &v->in->now;
	char spent[MONEY_TEXT], burn[MONEY_TEXT], text[FIELD];

	pounds(x->exposure, spent);
	pounds(x->burn_per_min, burn);
	row(f, "Cost so far", spent);
	snprintf(text, sizeof(text), "%s a minute", burn);
	row(f, "Now", text);
	if (x->projection <= x->exposure)
		return;
	pounds(x->projection, spent);
	snprintf(text, sizeof(text), "%s by the next change of hours", spent);
	row(f, "If left alone", text);
}

/* Who has been told, each once, this page's person not. */
static void rows_of_told(const struct view *v, FILE *f)
{
	const struct incident *in = v->in;
	const char *label = "Also told";
	unsigned n = 0;

	for (size_t i = 0; i < in->n_pages && n < TOLD_MAX; i++) {
		const struct page *p = &in->page[i];
		char text[FIELD], name[FIELD], at[32];
		bool known = strcmp(p->person, v->page->person) == 0;

		for (size_t k = 0; k < i && !known; k++)
			known = in->page[k].sent_us &&
				strcmp(in->page[k].person, p->person) == 0;
		if (known || !p->sent_us)
			continue;
		local_text(v->conf, p->sent_us, v->now_us, at, sizeof(at));
		gsm_clean(sv_of(name_of(v, p->person)), name, sizeof(name));
		snprintf(text, sizeof(text), "%.180s, %s", name, at);
		row(f, label, text);
		label = "";
		n++;
	}
}

static void rows_of_account(const struct view *v, FILE *f)
{
	const struct incident *in = v->in;
	char text[FIELD], name[FIELD], id[FIELD];

	gsm_clean(EVENT_SV(in->account_name), name, sizeof(name));
	gsm_clean(EVENT_SV(in->account), id, sizeof(id));
	if (*name && *id)
		snprintf(text, sizeof(text), "%.150s (%.90s)", name, id);
	else
		gsm_clean(EVENT_SV(in->subject), text, sizeof(text));
	row(f, "Account", text);
	gsm_clean(EVENT_SV(in->worst.trunk), text, sizeof(text));
	row(f, "Trunk", text);
}

static void body_of_incident(const struct view *v, FILE *f)
{
	const struct incident *in = v->in;
	char text[FIELD], rule[FIELD], action[FIELD];

	gsm_clean(EVENT_SV(in->worst.first_action), action, sizeof(action));
	fprintf(f, "%s, incident %" PRIu32 "\n\n", severity_word(in), in->ref);
	row(f, "Do first", *action ? action : "Look at its calls now.");
	snprintf(text, sizeof(text),
		 "tollwatch ack %" PRIu32 " (no more pages for %" PRId64
		 " min)",
		 in->ref, v->conf->acknowledge_us / MIN_US);
	row(f, "Take it", text);
	fputc('\n', f);
	rows_of_account(v, f);
	rows_of_money(v, f);
	rows_of_calls(v, f);
	gsm_clean(EVENT_SV(in->worst.rule), rule, sizeof(rule));
	gsm_clean(EVENT_SV(in->worst.name), action, sizeof(action));
	snprintf(text, sizeof(text), "%.60s %.120s", rule, action);
	row(f, "Rule", *rule ? text : "");
	fputc('\n', f);
	why(v, text);
	gsm_clean(sv_of(text), rule, sizeof(rule));
	row(f, "Why this page", rule);
	rows_of_told(v, f);
	fprintf(f,
		"\nAll of it: tollwatch show %" PRIu32 "\n"
		"Pass it on: tollwatch escalate %" PRIu32 "\n",
		in->ref, in->ref);
}

static void body_of_test(const struct view *v, FILE *f)
{
	char name[FIELD], at[32];

	gsm_clean(sv_of(name_of(v, v->page->person)), name, sizeof(name));
	local_text(v->conf, v->page->queued_us, v->now_us, at, sizeof(at));
	fprintf(f,
		"This is a test of the way to %s.\n"
		"Nothing is wrong, and nothing has to be done.\n\n",
		name);
	row(f, "Site", v->conf->site);
	row(f, "Asked for", at);
}

static char *body(const struct view *v)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	if (!f)
		abort();
	if (v->in)
		body_of_incident(v, f);
	else
		body_of_test(v, f);
	if (fclose(f) != 0)
		abort(); /* no memory */
	return text;
}

/* ---- JSON ---- */

static const char *type_of(enum page_reason r)
{
	switch (r) {
	case REASON_OPENED:
		return "incident.opened";
	case REASON_TEST:
		return "page.test";
	case REASON_STEP:
	case REASON_REPEAT:
	case REASON_ESCALATED:
	case REASON_LAST_RESORT:
		return "incident.escalated";
	default:
		return "incident.updated";
	}
}

static void put_text(struct json *j, const char *key, struct sv s)
{
	char text[FIELD];

	gsm_clean(s, text, sizeof(text));
	json_key(j, key);
	json_str_or_null(j, sv_of(text));
}

static void put_money(struct json *j, const char *key, int64_t micropence)
{
	json_key(j, key);
	json_money(j, micropence);
}

static void put_int(struct json *j, const char *key, int64_t v)
{
	json_key(j, key);
	json_int(j, v);
}

static void put_time(struct json *j, const char *key, int64_t us)
{
	json_key(j, key);
	json_time(j, us);
}

static void incident_data(const struct incident *in, struct json *j)
{
	const struct fact_finding *f = &in->worst;
	char id[2 * sizeof(in->id) + 1];

	hex_text(in->id, sizeof(in->id), id);
	put_text(j, "id", sv_of(id));
	put_int(j, "ref", in->ref);
	put_text(j, "account", EVENT_SV(in->account));
	put_text(j, "account_name", EVENT_SV(in->account_name));
	put_text(j, "subject", EVENT_SV(in->subject));
	put_text(j, "family", EVENT_SV(in->family));
	put_text(j, "state", sv_of(incident_state_name(in->state)));
	put_text(j, "severity",
		 in->severity == SEVERITY_CRITICAL ? SV("critical")
						   : SV("warning"));
	put_time(j, "opened", in->opened_us);
	put_time(j, "first_call", in->first_call_us);
	put_money(j, "exposure_gbp", in->now.exposure);
	put_money(j, "burn_gbp_min", in->now.burn_per_min);
	put_money(j, "projection_gbp", in->now.projection);
	put_int(j, "calls", in->now.calls);
	put_int(j, "live_calls", in->now.live_calls);
	put_text(j, "trunk", EVENT_SV(f->trunk));
	put_text(j, "country", EVENT_SV(f->country));
	put_text(j, "country_name", sv_of(country(in)));
	put_text(j, "callee", EVENT_SV(f->callee));
	put_text(j, "rule", EVENT_SV(f->rule));
	put_text(j, "rule_name", EVENT_SV(f->name));
	put_text(j, "first_action", EVENT_SV(f->first_action));
	put_text(j, "acked_by", EVENT_SV(in->acked_by));
	put_time(j, "acked_at", in->acked_us);
}

static char *json_body(const struct view *v, const char *line)
{
	const struct page *p = v->page;
	struct json j = {0};
	char *out;

	json_open(&j, '{');
	put_text(&j, "type", sv_of(type_of(p->reason)));
	/* not of this try: a repeated message is the same message */
	put_time(&j, "timestamp", p->queued_us);
	json_key(&j, "data");
	json_open(&j, '{');
	put_text(&j, "site", sv_of(v->conf->site));
	put_int(&j, "page", p->no);
	put_text(&j, "reason", sv_of(page_reason_name(p->reason)));
	put_text(&j, "person", EVENT_SV(p->person));
	put_text(&j, "person_name", sv_of(name_of(v, p->person)));
	if (v->in) {
		put_money(&j, "exposure_gbp_at_page", p->exposure_at_page);
		incident_data(v->in, &j);
	}
	put_text(&j, "text", sv_of(line));
	json_close(&j, '}');
	json_close(&j, '}');
	out = sv_dup((struct sv){j.p, j.n});
	json_free(&j);
	return out;
}

static char *test_subject(const struct view *v)
{
	char name[FIELD], cut[FIELD], out[SUBJECT_SIZE];

	gsm_fold(sv_of(name_of(v, v->page->person)), name, sizeof(name));
	gsm_cut(has_letter(name) ? name : v->page->person, 60, cut,
		sizeof(cut));
	snprintf(out, sizeof(out),
		 "Tollwatch TEST for %s: pages reach you. Nothing is wrong.",
		 cut);
	return xstrdup(out);
}

void page_text(struct page_text *out, const struct alerter_conf *a,
	       const struct incident *in, const struct page *p, int64_t now_us)
{
	struct view v = {.conf = a, .in = in, .page = p, .now_us = now_us};

	out->subject = in ? subject(&v) : test_subject(&v);
	out->body = body(&v);
	out->json = json_body(&v, out->subject);
}

void page_text_free(struct page_text *t)
{
	free(t->subject);
	free(t->body);
	free(t->json);
	*t = (struct page_text){0};
}
