/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/account.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/call.h"
#include "common/hash.h"
#include "common/mem.h"

static struct sv name_of(const struct account *a)
{
	return sv_field(a->conf->name, sizeof(a->conf->name));
}

static uint32_t home(const struct accounts *t, struct sv name)
{
	return (uint32_t)hash64(&t->key, name.p, name.n) & t->mask;
}

static void slot_put(struct accounts *t, const struct account *a)
{
	uint32_t i = home(t, name_of(a));

	while (t->slot[i])
		i = (i + 1) & t->mask;
	t->slot[i] = a->index + 1;
}

/* Linear probing without tombstones: what follows moves up when it may. */
static void slot_take(struct accounts *t, const struct account *a)
{
	uint32_t hole = home(t, name_of(a));

	while (t->slot[hole] != a->index + 1)
		hole = (hole + 1) & t->mask;
	for (uint32_t i = (hole + 1) & t->mask; t->slot[i];
	     i = (i + 1) & t->mask) {
		struct account *b = &t->account[t->slot[i] - 1];
		uint32_t want = home(t, name_of(b));

		if (((i - want) & t->mask) >= ((i - hole) & t->mask)) {
			t->slot[hole] = t->slot[i];
			hole = i;
		}
	}
	t->slot[hole] = 0;
}

static struct account *append(struct accounts *t, const struct account_conf *ac,
			      const struct calendar *calendar)
{
	struct account *a = &t->account[t->n];

	*a = (struct account){
		.conf = ac,
		.calendar = calendar,
		.index = t->n++,
		.newest = CALL_NONE,
	};
	slot_put(t, a);
	return a;
}

void accounts_init(struct accounts *t, const struct analyzer_conf *conf)
{
	uint32_t n = (uint32_t)conf->n_accounts;
	uint32_t slots = 256;

	*t = (struct accounts){.key = conf->site.key, .n_provisioned = n};
	/* however many are provisioned, strangers are watched too */
	t->max = conf->accounts_max > n + 256 ? conf->accounts_max : n + 256;
	while (slots < 2 * t->max)
		slots *= 2;
	t->mask = slots - 1;
	t->slot = xcalloc(slots, sizeof(*t->slot));
	t->account = xcalloc(t->max, sizeof(*t->account));
	t->unknown = xcalloc(t->max - n, sizeof(*t->unknown));
	for (uint32_t i = 0; i < n; i++) {
		const struct account_conf *ac = &conf->account[i];
		struct account *a =
			append(t, ac,
			       ac->calendar ? ac->calendar : conf->provider);

		a->provisioned = true;
	}
}

void accounts_release(struct accounts *t)
{
	for (uint32_t i = 0; i < t->n; i++)
		free(t->account[i].rule);
	free(t->account);
	free(t->unknown);
	free(t->slot);
}

struct account *account_find(const struct accounts *t, struct sv name)
{
	for (uint32_t i = home(t, name); t->slot[i]; i = (i + 1) & t->mask) {
		struct account *a = &t->account[t->slot[i] - 1];

		if (sv_eq(name_of(a), name))
			return a;
	}
	return NULL;
}

struct account *account_add(struct accounts *t,
			    const struct analyzer_conf *conf, struct sv name)
{
	struct account_conf *ac;

	if (t->n == t->max)
		return NULL;
	ac = &t->unknown[t->n - t->n_provisioned];
	sv_put(ac->name, sizeof(ac->name), name);
	ac->calendar = conf->provider;
	return append(t, ac, conf->provider);
}

void account_rename(struct accounts *t, struct account *a, struct sv name)
{
	struct account_conf *ac = &t->unknown[a->index - t->n_provisioned];
	struct account fresh = {
		.conf = a->conf,
		.calendar = a->calendar,
		.index = a->index,
		.newest = CALL_NONE,
		.counter = a->counter,
		.rule = a->rule,
	};

	assert(!a->provisioned && a->newest == CALL_NONE);
	slot_take(t, a);
	sv_put(ac->name, sizeof(ac->name), name);
	*a = fresh;
	slot_put(t, a);
}

struct period account_period(struct account *a, int64_t t_us)
{
	struct period *p = &a->period;

	if (t_us >= p->since_us && t_us < p->until_us)
		return *p;
	p->since_us = calendar_since(a->calendar, t_us);
	p->until_us = calendar_next(a->calendar, t_us);
	p->regime = calendar_regime(a->calendar, t_us);
	if (p->since_us < 0)
		p->since_us = 0; /* it always was: since time began */
	return *p;
}
