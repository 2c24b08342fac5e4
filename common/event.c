/* SPDX-License-Identifier: Apache-2.0 */
#include "common/event.h"

#include "common/clock.h"
#include "common/utf8.h"

/* 2101-01-01: later than any call this program will see. */
#define TIME_LIMIT (INT64_C(4133980800) * SEC_US)

enum { FLAGS_KNOWN = 2 * EVENT_CHALLENGED - 1 };

void event_init(struct event *ev)
{
	*ev = (struct event){.talk_s = EVENT_NO_TALK};
}

void event_put(char *field, size_t size, struct sv text, uint32_t *flags)
{
	struct sv fits = utf8_cut(text, size);

	if (fits.n < text.n)
		*flags |= EVENT_TRUNCATED;
	sv_put(field, size, fits);
	/* a NUL inside would hide what follows it, and event_check() refuses
	 * such a record: a call could be hidden behind one */
	for (size_t i = 0; i < fits.n; i++)
		if (field[i] == '\0')
			field[i] = '?';
}

int64_t event_time(const struct event *ev)
{
	int64_t t = 0;

	if (ev->phase == PHASE_END)
		t = ev->end_us;
	else if (ev->phase == PHASE_ANSWER)
		t = ev->answer_us;
	else if (ev->phase == PHASE_SETUP)
		t = ev->setup_us;
	return t ? t : ev->observed_us;
}

static bool all_zero(const uint8_t *p, size_t n)
{
	uint8_t any = 0;

	for (size_t i = 0; i < n; i++)
		any |= p[i];
	return any == 0;
}

/* A call that is ahead as a whole keeps its length, and so its price. */
bool event_clamp(struct event *ev, int64_t limit_us)
{
	int64_t *t[] = {&ev->setup_us, &ev->answer_us, &ev->end_us};
	int64_t first = INT64_MAX, last = 0, by = 0;

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		if (*t[i] > last)
			last = *t[i];
		if (*t[i] && *t[i] < first)
			first = *t[i];
	}
	if (last <= limit_us && ev->observed_us <= limit_us)
		return false;
	if (last && first > limit_us && last - first < limit_us)
		by = last - limit_us;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		if (*t[i])
			*t[i] = *t[i] - by < limit_us ? *t[i] - by : limit_us;
	if (ev->observed_us > limit_us)
		ev->observed_us = limit_us;
	ev->flags |= EVENT_CLAMPED;
	return true;
}

static bool time_fits(int64_t us)
{
	return us >= 0 && us < TIME_LIMIT;
}

/* Zeros after the text, so that equal texts are equal bytes. */
static bool padded(const char *field, size_t size)
{
	size_t n = strnlen(field, size);

	return all_zero((const uint8_t *)field + n, size - n);
}

/* Names of ours reach logs, keys and pages: no control bytes. */
static bool id_fits(const char *field, size_t size)
{
	struct sv s = sv_field(field, size);

	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	return padded(field, size) && utf8_valid(s);
}

static bool number_fits(struct number n)
{
	char text[NUMBER_TEXT];
	struct number again;
	size_t len = number_text(n, text);

	return len == 0 ||
	       (number_parse((struct sv){text, len}, &again) && again.v == n.v);
}

static bool others_fit(const struct event *ev)
{
	return ev->ua_class <= UA_SCANNER && ev->reg_outcome <= REG_REJECTED &&
	       ev->talk_s >= EVENT_NO_TALK && ev->seq <= INT64_MAX &&
	       (ev->flags & ~(uint32_t)FLAGS_KNOWN) == 0 &&
	       number_fits(ev->caller) &&
	       all_zero(ev->reserved, sizeof(ev->reserved)) &&
	       number_fits(ev->callee) && number_fits(ev->diverting) &&
	       id_fits(ev->source, sizeof(ev->source)) &&
	       id_fits(ev->account, sizeof(ev->account)) &&
	       id_fits(ev->trunk, sizeof(ev->trunk)) &&
	       padded(ev->user, sizeof(ev->user)) &&
	       padded(ev->caller_raw, sizeof(ev->caller_raw)) &&
	       padded(ev->callee_raw, sizeof(ev->callee_raw));
}

enum event_rc event_check(const struct event *ev)
{
	bool call = ev->kind == EVENT_CALL;

	if (ev->kind == 0 || ev->kind > EVENT_HEARTBEAT)
		return EVENT_BAD_KIND;
	if (ev->phase > PHASE_END || call != (ev->phase != PHASE_NONE))
		return EVENT_BAD_PHASE;
	if (ev->direction > DIRECTION_DIVERTED)
		return EVENT_BAD_DIRECTION;
	if (!time_fits(ev->setup_us) || !time_fits(ev->answer_us) ||
	    !time_fits(ev->end_us) || !time_fits(ev->observed_us))
		return EVENT_BAD_TIME;
	return others_fit(ev) ? EVENT_OK : EVENT_BAD_OTHER;
}
