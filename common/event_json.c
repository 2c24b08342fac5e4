/* SPDX-License-Identifier: Apache-2.0 */
#include "common/event.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <stddef.h>

#include "common/clock.h"
#include "common/hash.h"

static const char *const kinds[] = {NULL, "call", "register", "heartbeat"};
static const char *const phases[] = {NULL, "setup", "progress", "answer",
				     "end"};
static const char *const directions[] = {NULL, "outbound", "inbound",
					 "internal", "diverted"};
static const char *const ua_classes[] = {NULL, "other", "scanner"};
static const char *const reg_outcomes[] = {NULL, "accepted", "challenged",
					   "rejected"};
/* By bit, as enum event_flag. */
static const char *const flag_names[] = {"truncated",	 "estimated",
					 "malformed",	 "ambiguous",
					 "trailing",	 "clamped",
					 "local_time",	 "unnormal",
					 "inconsistent", "rekeyed",
					 "challenged"};

enum field_type {
	F_NAME, /* uint8_t, one of names */
	F_TEXT, /* NUL-padded, of foreign origin: what is too long is cut */
	F_ID,	/* NUL-padded name of ours: a cut would be another name */
	F_UINT, /* 1, 2, 4 or 8 bytes, zero = unknown */
	F_TALK,
	F_KEY,
	F_NUMBER,
	F_ADDR,
	F_TIME,
	F_FLAGS,
};

/* One row a key, in the order of design section 4: the writer walks it, the
 * reader looks keys up in it. */
struct field {
	const char *key;
	enum field_type type;
	size_t at;
	size_t size;
	const char *const *names;
	size_t n_names;
};

#define AT(m)	 offsetof(struct event, m), sizeof(((struct event *)0)->m)
#define NAMES(a) (a), ARRAY_LEN(a)

static const struct field fields[] = {
	/* clang-format off */
	{"kind",        F_NAME,   AT(kind),       NAMES(kinds)},
	{"phase",       F_NAME,   AT(phase),      NAMES(phases)},
	{"source",      F_ID,     AT(source),     NULL, 0},
	{"boot",        F_UINT,   AT(boot),       NULL, 0},
	{"seq",         F_UINT,   AT(seq),        NULL, 0},
	{"call_key",    F_KEY,    AT(key),        NULL, 0},
	{"leg",         F_UINT,   AT(leg),        NULL, 0},
	{"account",     F_ID,     AT(account),    NULL, 0},
	{"user",        F_TEXT,   AT(user),       NULL, 0},
	{"trunk",       F_ID,     AT(trunk),      NULL, 0},
	{"caller",      F_NUMBER, AT(caller),     NULL, 0},
	{"caller_raw",  F_TEXT,   AT(caller_raw), NULL, 0},
	{"callee",      F_NUMBER, AT(callee),     NULL, 0},
	{"callee_raw",  F_TEXT,   AT(callee_raw), NULL, 0},
	{"diverting",   F_NUMBER, AT(diverting),  NULL, 0},
	{"direction",   F_NAME,   AT(direction),  NAMES(directions)},
	{"src_addr",    F_ADDR,   AT(src_addr),   NULL, 0},
	{"ua_class",    F_NAME,   AT(ua_class),   NAMES(ua_classes)},
	{"setup",       F_TIME,   AT(setup_us),   NULL, 0},
	{"answer",      F_TIME,   AT(answer_us),  NULL, 0},
	{"end",         F_TIME,   AT(end_us),     NULL, 0},
	{"observed",    F_TIME,   AT(observed_us), NULL, 0},
	{"talk_s",      F_TALK,   AT(talk_s),     NULL, 0},
	{"status",      F_UINT,   AT(status),     NULL, 0},
	{"q850",        F_UINT,   AT(q850),       NULL, 0},
	{"reg_outcome", F_NAME,   AT(reg_outcome), NAMES(reg_outcomes)},
	{"flags",       F_FLAGS,  AT(flags),      NULL, 0},
	/* clang-format on */
};

static bool find_name(const char *const *names, size_t n, struct sv s,
		      unsigned *out)
{
	for (unsigned i = 0; i < n; i++) {
		if (!names[i] || !sv_eq(s, sv_of(names[i])))
			continue;
		*out = i;
		return true;
	}
	return false;
}

const char *direction_name(enum direction d)
{
	return (size_t)d < ARRAY_LEN(directions) ? directions[d] : NULL;
}

bool direction_parse(struct sv name, enum direction *out)
{
	unsigned v;

	if (!find_name(directions, ARRAY_LEN(directions), name, &v))
		return false;
	*out = (enum direction)v;
	return true;
}

const char *phase_name(enum event_phase p)
{
	return (size_t)p < ARRAY_LEN(phases) ? phases[p] : NULL;
}

/* ---- out ---- */

static uint64_t get_uint(const void *p, size_t size)
{
	uint64_t v = 0;

	memcpy(&v, p, size); /* little-endian, see event.h */
	return v;
}

static bool all_zero(const uint8_t *p, size_t n)
{
	uint8_t any = 0;

	for (size_t i = 0; i < n; i++)
		any |= p[i];
	return any == 0;
}

static void out_name(const struct field *f, uint8_t v, struct json *out)
{
	if (v < f->n_names && f->names[v])
		json_str(out, sv_of(f->names[v]));
	else
		json_none(out);
}

static void out_uint(uint64_t v, struct json *out)
{
	if (v)
		json_int(out, (int64_t)v);
	else
		json_none(out);
}

static void out_key(const struct event *ev, struct json *out)
{
	char hex[2 * sizeof(ev->key.b) + 1];

	if (all_zero(ev->key.b, sizeof(ev->key.b))) {
		json_none(out);
		return;
	}
	hex_text(ev->key.b, sizeof(ev->key.b), hex);
	json_str(out, sv_of(hex));
}

static void out_number(const void *p, struct json *out)
{
	char text[NUMBER_TEXT];
	struct number n;

	memcpy(&n, p, sizeof(n));
	json_str_or_null(out, (struct sv){text, number_text(n, text)});
}

static const uint8_t v4_mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* inet_ntop is sprintf inside, and this runs for every event. */
static struct sv v4_text(const uint8_t addr[4], char *out)
{
	size_t n = 0;

	for (int i = 0; i < 4; i++) {
		unsigned v = addr[i];

		if (i)
			out[n++] = '.';
		if (v >= 100)
			out[n++] = (char)('0' + v / 100);
		if (v >= 10)
			out[n++] = (char)('0' + v / 10 % 10);
		out[n++] = (char)('0' + v % 10);
	}
	return (struct sv){out, n};
}

static void out_addr(const uint8_t addr[16], struct json *out)
{
	char text[INET6_ADDRSTRLEN];

	if (all_zero(addr, 16)) {
		json_none(out);
		return;
	}
	if (memcmp(addr, v4_mapped, sizeof(v4_mapped)) == 0) {
		json_str(out, v4_text(addr + 12, text));
		return;
	}
	inet_ntop(AF_INET6, addr, text, sizeof(text));
	json_str(out, sv_of(text));
}

const char *event_flag_name(unsigned bit)
{
	return bit < ARRAY_LEN(flag_names) ? flag_names[bit] : NULL;
}

static void out_flags(uint32_t flags, struct json *out)
{
	json_open(out, '[');
	for (unsigned i = 0; i < ARRAY_LEN(flag_names); i++)
		if (flags >> i & 1)
			json_str(out, sv_of(flag_names[i]));
	json_close(out, ']');
}

static void out_talk(int32_t talk_s, struct json *out)
{
	if (talk_s == EVENT_NO_TALK)
		json_none(out);
	else
		json_int(out, talk_s);
}

static void out_field(const struct field *f, const struct event *ev,
		      struct json *out)
{
	const void *p = (const char *)ev + f->at;

	switch (f->type) {
	case F_NAME:
		out_name(f, *(const uint8_t *)p, out);
		break;
	case F_TEXT:
	case F_ID:
		json_str_or_null(out, sv_field(p, f->size));
		break;
	case F_UINT:
		out_uint(get_uint(p, f->size), out);
		break;
	case F_TALK:
		out_talk(ev->talk_s, out);
		break;
	case F_KEY:
		out_key(ev, out);
		break;
	case F_NUMBER:
		out_number(p, out);
		break;
	case F_ADDR:
		out_addr(ev->src_addr, out);
		break;
	case F_TIME:
		json_time(out, (int64_t)get_uint(p, f->size));
		break;
	case F_FLAGS:
		out_flags(ev->flags, out);
		break;
	}
}

void event_json(const struct event *ev, struct json *out)
{
	json_open(out, '{');
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		json_key(out, fields[i].key);
		out_field(&fields[i], ev, out);
	}
	json_close(out, '}');
}

/* ---- and back ---- */

static struct sv text_of(const json_t *v)
{
	if (!json_is_string(v))
		return (struct sv){"", 0};
	return (struct sv){json_string_value(v), json_string_length(v)};
}

static bool in_text(const struct field *f, struct sv s, struct event *ev)
{
	char *p = (char *)ev + f->at;

	if (f->type == F_ID && s.n > f->size)
		return false;
	event_put(p, f->size, s, &ev->flags);
	return s.n > 0;
}

static bool in_name(const struct field *f, struct sv s, uint8_t *out)
{
	unsigned v;

	if (!find_name(f->names, f->n_names, s, &v))
		return false;
	*out = (uint8_t)v;
	return true;
}

static bool in_uint(const json_t *v, void *p, size_t size)
{
	json_int_t i = json_integer_value(v);

	if (!json_is_integer(v) || i < 0)
		return false;
	if (size < sizeof(i) && i >> (8 * size))
		return false;
	memcpy(p, &i, size);
	return true;
}

static bool in_talk(const json_t *v, struct event *ev)
{
	json_int_t i = json_integer_value(v);

	if (!json_is_integer(v) || i < 0 || i > INT32_MAX)
		return false;
	ev->talk_s = (int32_t)i;
	return true;
}

static bool in_addr(struct sv s, uint8_t addr[16])
{
	char text[INET6_ADDRSTRLEN];

	if (s.n == 0 || s.n >= sizeof(text))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (inet_pton(AF_INET6, text, addr) == 1)
		return true;
	memcpy(addr, v4_mapped, sizeof(v4_mapped));
	return inet_pton(AF_INET, text, addr + 12) == 1;
}

static bool in_flags(const json_t *v, struct event *ev)
{
	size_t n = json_array_size(v);

	if (!json_is_array(v))
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned bit;

		if (!find_name(flag_names, ARRAY_LEN(flag_names),
			       text_of(json_array_get(v, i)), &bit))
			return false;
		ev->flags |= 1U << bit;
	}
	return true;
}

static bool in_field(const struct field *f, const json_t *v, struct event *ev)
{
	void *p = (char *)ev + f->at;

	if (json_is_null(v))
		return true;
	switch (f->type) {
	case F_NAME:
		return in_name(f, text_of(v), p);
	case F_TEXT:
	case F_ID:
		return in_text(f, text_of(v), ev);
	case F_UINT:
		return in_uint(v, p, f->size);
	case F_TALK:
		return in_talk(v, ev);
	case F_KEY:
		return hex_parse(text_of(v), p, f->size);
	case F_NUMBER:
		return number_parse(text_of(v), p);
	case F_ADDR:
		return in_addr(text_of(v), p);
	case F_TIME:
		return time_parse(text_of(v), p);
	case F_FLAGS:
		return in_flags(v, ev);
	}
	return false;
}

static const struct field *find_field(const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (strcmp(key, fields[i].key) == 0)
			return &fields[i];
	return NULL;
}

static bool in_object(json_t *root, struct event *out, struct err *e)
{
	const char *key;
	json_t *v;

	if (!json_is_object(root))
		return err_set(e, "not a JSON object");
	json_object_foreach(root, key, v)
	{
		const struct field *f = find_field(key);

		if (!f)
			return err_set(e, "unknown key \"%.40s\"", key);
		if (!in_field(f, v, out))
			return err_set(e, "bad value of \"%s\"", key);
	}
	return true;
}

static const char *const rc_text[] = {
	[EVENT_OK] = "",
	[EVENT_BAD_KIND] = "no kind",
	[EVENT_BAD_PHASE] = "phase does not fit the kind",
	[EVENT_BAD_DIRECTION] = "bad direction",
	[EVENT_BAD_TIME] = "a time before 1970 or after 2100",
	[EVENT_BAD_OTHER] = "a value out of range",
};

bool event_from_json(struct sv line, struct event *out, struct err *e)
{
	json_error_t je;
	json_t *root = json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES, &je);
	enum event_rc rc;
	bool ok;

	event_init(out);
	if (!root)
		return err_set(e, "not JSON: %s", je.text);
	ok = in_object(root, out, e);
	json_decref(root);
	if (!ok)
		return false;
	rc = event_check(out);
	return rc == EVENT_OK || err_set(e, "%s", rc_text[rc]);
}
