/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/calls.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/hash.h"
#include "common/mem.h"

struct calls {
	struct event *call;
	size_t n, cap;
	uint32_t *slot; /* index + 1 by key; never more than half full */
	size_t slots;
};

struct calls *calls_new(void)
{
	return xcalloc(1, sizeof(struct calls));
}

void calls_free(struct calls *c)
{
	if (!c)
		return;
	free(c->call);
	free(c->slot);
	free(c);
}

size_t calls_count(const struct calls *c)
{
	return c->n;
}

/* Keys are keyed hashes already: their first bytes spread well. */
static uint32_t *find_slot(const struct calls *c, const struct call_key *key)
{
	uint64_t h;

	memcpy(&h, key->b, sizeof(h));
	for (;; h++) {
		uint32_t *s = &c->slot[h & (c->slots - 1)];

		if (*s == 0 ||
		    memcmp(c->call[*s - 1].key.b, key->b, sizeof(key->b)) == 0)
			return s;
	}
}

static void grow(struct calls *c)
{
	if (c->n == c->cap) {
		c->cap = c->cap ? 2 * c->cap : 1024;
		c->call = xrealloc(c->call, c->cap, sizeof(*c->call));
	}
	if (2 * (c->n + 1) <= c->slots)
		return;
	free(c->slot);
	c->slots = c->slots ? 2 * c->slots : 4096;
	c->slot = xcalloc(c->slots, sizeof(*c->slot));
	for (size_t i = 0; i < c->n; i++)
		*find_slot(c, &c->call[i].key) = (uint32_t)i + 1;
}

static void merge_text(char *field, const char *newer, size_t size)
{
	if (newer[0] != '\0')
		memcpy(field, newer, size);
}
#define MERGE_TEXT(c, ev, field)                                               \
	merge_text((c)->field, (ev)->field, sizeof((c)->field))

/* Later events know more: credentials accepted, the final status. */
static void merge(struct event *c, const struct event *ev)
{
	if (ev->setup_us)
		c->setup_us = ev->setup_us;
	if (ev->answer_us)
		c->answer_us = ev->answer_us;
	if (ev->end_us)
		c->end_us = ev->end_us;
	if (ev->talk_s != EVENT_NO_TALK)
		c->talk_s = ev->talk_s;
	if (ev->status && !(c->status >= 200 && c->status < 300))
		c->status = ev->status;
	if (number_known(ev->caller))
		c->caller = ev->caller;
	if (number_known(ev->callee))
		c->callee = ev->callee;
	if (ev->direction)
		c->direction = ev->direction;
	c->flags |= ev->flags;
	MERGE_TEXT(c, ev, account);
	MERGE_TEXT(c, ev, user);
	MERGE_TEXT(c, ev, trunk);
	MERGE_TEXT(c, ev, caller_raw);
	MERGE_TEXT(c, ev, callee_raw);
}

void calls_add(struct calls *c, const struct event *ev)
{
	uint32_t *slot;

	if (ev->kind != EVENT_CALL)
		return;
	grow(c);
	slot = find_slot(c, &ev->key);
	if (*slot) {
		merge(&c->call[*slot - 1], ev);
		return;
	}
	c->call[c->n++] = *ev;
	*slot = (uint32_t)c->n;
}

/* A number, or what was there instead of one. */
static struct sv who(struct number n, struct sv raw, char text[NUMBER_TEXT])
{
	size_t len = number_text(n, text);

	return len ? (struct sv){text, len} : raw;
}

static int64_t talk_of(const struct event *c)
{
	if (c->talk_s != EVENT_NO_TALK)
		return c->talk_s;
	if (c->answer_us && c->end_us >= c->answer_us)
		return (c->end_us - c->answer_us) / SEC_US;
	return EVENT_NO_TALK;
}

static void put_str(struct json *j, const char *key, struct sv s)
{
	json_key(j, key);
	json_str_or_null(j, s);
}

static void put_time(struct json *j, const char *key, int64_t us)
{
	json_key(j, key);
	json_time(j, us);
}

static void call_json(const struct event *c, struct json *j)
{
	char hex[2 * sizeof(c->key.b) + 1], text[NUMBER_TEXT];
	const char *d = direction_name(c->direction);

	json_open(j, '{');
	hex_text(c->key.b, sizeof(c->key.b), hex);
	put_str(j, "call_key", sv_of(hex));
	put_str(j, "account", EVENT_SV(c->account));
	put_str(j, "user", EVENT_SV(c->user));
	put_str(j, "trunk", EVENT_SV(c->trunk));
	put_str(j, "caller", who(c->caller, EVENT_SV(c->caller_raw), text));
	put_str(j, "callee", who(c->callee, EVENT_SV(c->callee_raw), text));
	put_str(j, "direction", sv_of(d ? d : ""));
	put_time(j, "setup", c->setup_us);
	put_time(j, "answer", c->answer_us);
	put_time(j, "end", c->end_us);
	json_key(j, "talk_s");
	if (talk_of(c) == EVENT_NO_TALK)
		json_none(j);
	else
		json_int(j, talk_of(c));
	json_key(j, "status");
	if (c->status)
		json_int(j, c->status);
	else
		json_none(j);
	json_key(j, "flags");
	json_open(j, '[');
	for (unsigned i = 0; event_flag_name(i); i++)
		if (c->flags >> i & 1)
			json_str(j, sv_of(event_flag_name(i)));
	json_close(j, ']');
	put_str(j, "source", EVENT_SV(c->source));
	json_close(j, '}');
}

void event_table_header(FILE *out)
{
	fprintf(out, "%-20s %-8s %-16s %-16s %-20s %-8s %4s %6s  %s\n",
		"time (UTC)", "phase", "caller", "callee", "account",
		"direction", "code", "talk", "source");
}

/* What became of a call, from all its events. */
static const char *state_of(const struct event *c)
{
	bool over = c->phase == PHASE_END || c->end_us;

	if (c->answer_us)
		return over ? "answered" : "up";
	return over ? "failed" : "setup";
}

static void table_line(const struct event *ev, const char *phase, FILE *out)
{
	char when[TIME_TEXT], from[NUMBER_TEXT], to[NUMBER_TEXT];
	struct sv caller = who(ev->caller, EVENT_SV(ev->caller_raw), from);
	struct sv callee = who(ev->callee, EVENT_SV(ev->callee_raw), to);
	const char *d = direction_name(ev->direction);
	int64_t talk = talk_of(ev);

	time_text(event_time(ev), when);
	when[19] = '\0'; /* whole seconds */
	fprintf(out,
		"%-20s %-8s %-16.*s %-16.*s %-20.*s %-8s %4u %6lld  %.*s\n",
		when, phase, SV_ARG(caller), SV_ARG(callee),
		SV_ARG(EVENT_SV(ev->account)), d ? d : "-", ev->status,
		(long long)(talk < 0 ? 0 : talk), SV_ARG(EVENT_SV(ev->source)));
}

void event_table_line(const struct event *ev, FILE *out)
{
	const char *phase = phase_name(ev->phase);

	if (!phase)
		phase = ev->kind == EVENT_REGISTER ? "register" : "-";
	table_line(ev, phase, out);
}

void calls_print(const struct calls *c, FILE *out, bool as_json)
{
	struct json j = {0};

	if (!as_json)
		event_table_header(out);
	for (size_t i = 0; i < c->n; i++) {
		if (!as_json) {
			table_line(&c->call[i], state_of(&c->call[i]), out);
			continue;
		}
		call_json(&c->call[i], &j);
		json_line(&j, out);
	}
	json_free(&j);
}
