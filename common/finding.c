/* SPDX-License-Identifier: Apache-2.0 */
#include "common/finding.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/hash.h"
#include "common/money.h"
#include "common/zone.h"

static const char *const measure_names[] = {
	[MEASURE_CALLS] = "calls",     [MEASURE_ANSWERED] = "answered",
	[MEASURE_FAILED] = "failed",   [MEASURE_SPEND] = "spend",
	[MEASURE_MINUTES] = "minutes", [MEASURE_CONCURRENT] = "concurrent",
	[MEASURE_LONGEST] = "longest",
};

const char *measure_name(enum measure m)
{
	return m > 0 && m < ARRAY_LEN(measure_names) ? measure_names[m] : NULL;
}

bool measure_parse(struct sv name, enum measure *out)
{
	for (unsigned m = MEASURE_CALLS; m < ARRAY_LEN(measure_names); m++) {
		if (!sv_eq(name, sv_of(measure_names[m])))
			continue;
		*out = (enum measure)m;
		return true;
	}
	return false;
}

/* "120m", "2m30s", "45s": whole seconds, rounded down. */
static void duration_text(int64_t us, char *out, size_t size)
{
	long long s = us / SEC_US;

	if (s % 60 == 0)
		snprintf(out, size, "%lldm", s / 60);
	else if (s < 60)
		snprintf(out, size, "%llds", s);
	else
		snprintf(out, size, "%lldm%llds", s / 60, s % 60);
}

void measure_text(enum measure m, int64_t value, char out[32])
{
	char money[MONEY_TEXT];

	switch (m) {
	case MEASURE_SPEND:
		money_text(value, money);
		snprintf(out, 32, "£%.28s", money);
		break;
	case MEASURE_MINUTES:
	case MEASURE_LONGEST:
		duration_text(value, out, 32);
		break;
	default:
		snprintf(out, 32, "%lld call%s", (long long)value,
			 value == 1 ? "" : "s");
	}
}

/* A value in JSON: money is a decimal string, a duration whole seconds in
 * minutes with two decimals, a count an integer. */
static void json_value(struct json *j, enum measure m, int64_t value)
{
	char text[32];
	int n;

	switch (m) {
	case MEASURE_SPEND:
		json_money(j, value);
		break;
	case MEASURE_MINUTES:
	case MEASURE_LONGEST:
		n = snprintf(text, sizeof(text), "%lld.%02lld",
			     (long long)(value / MIN_US),
			     (long long)(value % MIN_US * 100 / MIN_US));
		json_raw(j, (struct sv){text, (size_t)n});
		break;
	default:
		json_int(j, value);
	}
}

static void json_milli(struct json *j, uint32_t milli)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%u.%03u", milli / 1000,
			 milli % 1000);

	while (text[n - 1] == '0')
		n--;
	if (text[n - 1] == '.')
		n--;
	json_raw(j, (struct sv){text, (size_t)n});
}

static void json_window(struct json *j, const struct finding_term *t)
{
	char text[32];

	if (t->session) {
		json_str(j, SV("session"));
	} else if (t->window_us == 0) {
		json_none(j);
	} else {
		duration_text(t->window_us, text, sizeof(text));
		json_str(j, sv_of(text));
	}
}

static void json_cause(struct json *j, const struct finding *f,
		       const struct finding_term *t)
{
	json_open(j, '{');
	json_key(j, "floor");
	json_value(j, t->measure, t->floor);
	json_key(j, "factor");
	if (t->usual < 0)
		json_none(j);
	else
		json_milli(j, t->usual_factor_milli);
	json_key(j, "usual");
	if (t->usual < 0)
		json_none(j);
	else
		json_value(j, t->measure, t->usual);
	json_key(j, "override");
	if (t->override_milli == 1000) {
		json_none(j);
	} else {
		json_open(j, '{');
		json_key(j, "factor");
		json_milli(j, t->override_milli);
		json_key(j, "text");
		json_str_or_null(j, EVENT_SV(f->override));
		json_close(j, '}');
	}
	json_key(j, "file");
	json_str_or_null(j, EVENT_SV(f->file));
	json_key(j, "line");
	json_int(j, f->line);
	json_close(j, '}');
}

static void json_term(struct json *j, const struct finding *f,
		      const struct finding_term *t)
{
	const char *name = measure_name(t->measure);

	json_key(j, "measure");
	json_str_or_null(j, name ? sv_of(name) : SV(""));
	json_key(j, "observed");
	json_value(j, t->measure, t->observed);
	json_key(j, "limit");
	json_value(j, t->measure, t->limit);
	json_key(j, "limit_cause");
	json_cause(j, f, t);
	json_key(j, "window");
	json_window(j, t);
}

static void json_hex(struct json *j, const uint8_t id[16])
{
	char hex[33];

	hex_text(id, 16, hex);
	json_str(j, (struct sv){hex, 32});
}

static void json_call(struct json *j, const struct finding_call *c)
{
	char masked[NUMBER_TEXT];

	number_mask(c->callee, masked);
	json_open(j, '{');
	json_key(j, "call_key");
	json_hex(j, c->key.b);
	json_key(j, "callee");
	json_str_or_null(j, sv_of(masked));
	json_key(j, "country");
	json_str_or_null(j, EVENT_SV(c->country));
	json_key(j, "setup");
	json_time(j, c->setup_us);
	json_key(j, "answer");
	json_time(j, c->answer_us);
	json_key(j, "end");
	json_time(j, c->end_us);
	json_key(j, "cost_gbp");
	json_money(j, c->cost);
	json_key(j, "live");
	json_bool(j, c->live);
	json_close(j, '}');
}

static void json_evidence(struct json *j, const struct finding *f)
{
	json_key(j, "evidence");
	json_open(j, '[');
	for (unsigned i = 0; i < f->n_evidence && i < FINDING_EVIDENCE; i++)
		json_call(j, &f->evidence[i]);
	json_close(j, ']');
}

static void json_countries(struct json *j, const struct finding *f)
{
	json_key(j, "countries");
	json_open(j, '[');
	for (unsigned i = 0; i < ARRAY_LEN(f->top_calls); i++) {
		if (f->top_calls[i] == 0)
			continue;
		json_open(j, '{');
		json_key(j, "country");
		json_str_or_null(j, EVENT_SV(f->top_country[i]));
		json_key(j, "calls");
		json_int(j, f->top_calls[i]);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static const char *severity_name(uint8_t s)
{
	return s == SEVERITY_CRITICAL ? "critical" : "warning";
}

static void json_identity(struct json *j, const struct finding *f)
{
	json_key(j, "id");
	json_hex(j, f->id);
	json_key(j, "time");
	json_time(j, f->time_us);
	json_key(j, "rule");
	json_str(j, EVENT_SV(f->rule));
	json_key(j, "name");
	json_str(j, EVENT_SV(f->name));
	json_key(j, "family");
	json_str(j, EVENT_SV(f->family));
	json_key(j, "severity");
	json_str(j, sv_of(severity_name(f->severity)));
	json_key(j, "account");
	json_str_or_null(j, EVENT_SV(f->account));
	json_key(j, "accounts");
	json_int(j, f->accounts);
	json_key(j, "key");
	json_str(j, EVENT_SV(f->key));
	json_key(j, "regime");
	json_str(j, f->regime == REGIME_INSIDE ? SV("inside") : SV("outside"));
}

static void json_sums(struct json *j, const struct finding *f)
{
	/* clang-format off */
	json_key(j, "spend_gbp");           json_money(j, f->spend);
	json_key(j, "exposure_gbp");        json_money(j, f->exposure);
	json_key(j, "exposure_retail_gbp"); json_money(j, f->exposure_retail);
	json_key(j, "burn_gbp_min");        json_money(j, f->burn_per_min);
	json_key(j, "projection_gbp");      json_money(j, f->projection);
	json_key(j, "calls");               json_int(j, f->calls);
	json_key(j, "live_calls");          json_int(j, f->live_calls);
	json_key(j, "first_call");          json_time(j, f->first_call_us);
	json_key(j, "last_call");           json_time(j, f->last_call_us);
	/* clang-format on */
}

static void json_baseline(struct json *j, const struct finding_term *t)
{
	json_key(j, "baseline");
	if (t->usual < 0) {
		json_none(j);
		return;
	}
	json_open(j, '{');
	json_key(j, "maximum");
	json_value(j, t->measure, t->usual);
	json_key(j, "days");
	json_int(j, t->usual_days);
	json_close(j, '}');
}

void finding_json(const struct finding *f, struct json *j)
{
	unsigned terms =
		f->n_terms < FINDING_TERMS ? f->n_terms : FINDING_TERMS;

	json_open(j, '{');
	json_identity(j, f);
	json_term(j, f, &f->term[0]);
	json_sums(j, f);
	json_evidence(j, f);
	json_key(j, "late");
	json_int(j, f->late);
	json_key(j, "config");
	json_str_or_null(j, EVENT_SV(f->config));
	json_key(j, "rates");
	json_str_or_null(j, EVENT_SV(f->rates));
	json_baseline(j, &f->term[0]);
	json_key(j, "account_name");
	json_str_or_null(j, EVENT_SV(f->account_name));
	json_key(j, "trunk");
	json_str_or_null(j, EVENT_SV(f->trunk));
	json_key(j, "first_action");
	json_str_or_null(j, EVENT_SV(f->first_action));
	json_key(j, "regime_since");
	json_time(j, f->closed_since_us);
	json_key(j, "regime_until");
	json_time(j, f->regime_until_us);
	json_countries(j, f);
	json_key(j, "also");
	json_open(j, '[');
	for (unsigned i = 1; i < terms; i++) {
		json_open(j, '{');
		json_term(j, f, &f->term[i]);
		json_close(j, '}');
	}
	json_close(j, ']');
	json_close(j, '}');
}

void exposure_json(const struct exposure *x, struct json *j)
{
	/* clang-format off */
	json_open(j, '{');
	json_key(j, "time");                json_time(j, x->time_us);
	json_key(j, "key");                 json_str(j, EVENT_SV(x->key));
	json_key(j, "account");             json_str_or_null(j, EVENT_SV(x->account));
	json_key(j, "family");              json_str_or_null(j, EVENT_SV(x->family));
	json_key(j, "open");                json_bool(j, x->open);
	json_key(j, "exposure_gbp");        json_money(j, x->exposure);
	json_key(j, "exposure_retail_gbp"); json_money(j, x->exposure_retail);
	json_key(j, "burn_gbp_min");        json_money(j, x->burn_per_min);
	json_key(j, "projection_gbp");      json_money(j, x->projection);
	json_key(j, "calls");               json_int(j, x->calls);
	json_key(j, "live_calls");          json_int(j, x->live_calls);
	json_key(j, "first_call");          json_time(j, x->first_call_us);
	json_key(j, "last_call");           json_time(j, x->last_call_us);
	json_close(j, '}');
	/* clang-format on */
}

static void print_limit(const struct finding *f, const struct finding_term *t,
			FILE *out)
{
	char seen[32], limit[32], floor[32], usual[32], window[32];

	measure_text(t->measure, t->observed, seen);
	measure_text(t->measure, t->limit, limit);
	measure_text(t->measure, t->floor, floor);
	duration_text(t->window_us, window, sizeof(window));
	fprintf(out, "  %s%s%s, limit %s (floor %s", seen,
		t->session     ? " since the period began"
		: t->window_us ? " in "
			       : " now",
		t->window_us && !t->session ? window : "", limit, floor);
	if (t->override_milli != 1000)
		fprintf(out, " x %.3g by override: %.*s",
			t->override_milli / 1000.0,
			SV_ARG(EVENT_SV(f->override)));
	if (t->usual >= 0) {
		measure_text(t->measure, t->usual, usual);
		fprintf(out, "; %.3g x own maximum of %u days %s",
			t->usual_factor_milli / 1000.0, t->usual_days, usual);
	}
	fprintf(out, "; %.*s:%u)\n", SV_ARG(EVENT_SV(f->file)), f->line);
}

static void print_money(const struct finding *f, const char *tz, FILE *out)
{
	char so_far[32], burn[32], more[32], first[32], until[32];

	measure_text(MEASURE_SPEND, f->exposure, so_far);
	measure_text(MEASURE_SPEND, f->burn_per_min, burn);
	measure_text(MEASURE_SPEND, f->projection, more);
	zone_text(tz, f->first_call_us, "%H:%M:%S", first);
	fprintf(out, "  %s so far since %s, %s/min, %u call%s up", so_far,
		first, burn, f->live_calls, f->live_calls == 1 ? "" : "s");
	if (f->regime_until_us > f->time_us && f->regime_until_us < INT64_MAX &&
	    f->projection > 0) {
		zone_text(tz, f->regime_until_us, "%a %H:%M", until);
		fprintf(out, "; %s by %s if nobody acts", more, until);
	}
	fputc('\n', out);
}

static void print_where(const struct finding *f, FILE *out)
{
	bool any = false;

	for (unsigned i = 0; i < ARRAY_LEN(f->top_calls); i++) {
		if (f->top_calls[i] == 0)
			continue;
		fprintf(out, "%s%.*s x%u", any ? ", " : "  to ",
			SV_ARG(EVENT_SV(f->top_country[i])), f->top_calls[i]);
		any = true;
	}
	if (any)
		fputc('\n', out);
	if (f->first_action[0])
		fprintf(out, "  do first: %.*s\n",
			SV_ARG(EVENT_SV(f->first_action)));
}

void finding_text(const struct finding *f, const char *tz, FILE *out)
{
	char when[32];

	zone_text(tz, f->time_us, "%a %e %b %H:%M:%S", when);
	fprintf(out, "%s %.*s %.*s: %.*s (%.*s), %s, %s",
		f->severity == SEVERITY_CRITICAL ? "CRITICAL" : "WARNING",
		SV_ARG(EVENT_SV(f->rule)), SV_ARG(EVENT_SV(f->name)),
		SV_ARG(EVENT_SV(f->account_name)), SV_ARG(EVENT_SV(f->account)),
		when, f->regime == REGIME_INSIDE ? "open" : "closed");
	if (f->closed_since_us > 0) {
		zone_text(tz, f->closed_since_us, "%a %H:%M", when);
		fprintf(out, " since %s", when);
	}
	fputc('\n', out);
	for (unsigned i = 0; i < f->n_terms && i < FINDING_TERMS; i++)
		print_limit(f, &f->term[i], out);
	print_money(f, tz, out);
	print_where(f, out);
}
