/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_ALERTER_WORLD_H
#define TESTS_UNIT_ALERTER_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "alerter/decide.h"
#include "alerter/channel/channel.h"
#include "common/clock.h"
#include "common/money.h"

/* A small site without a config file: alex (e-mail, then webhook after two
 * minutes), sam (e-mail), priya (e-mail); toll: alex at once, sam after 5 min,
 * priya after 10 and every 15. */

enum { WORLD_T0 = 1768616718 }; /* 2026-01-17 02:25:18 UTC, in seconds */

struct world {
	struct contact contact[4];
	struct person person[3];
	struct step step[3];
	struct escalation escalation[1];
	struct alerter_conf conf;
	struct book book;
	struct fact_entry entry;
	struct decide d;
};

static inline void world_init(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->contact[0] = (struct contact){CHANNEL_EMAIL, "alex@example.com", 0};
	w->contact[1] = (struct contact){CHANNEL_WEBHOOK, "team", 2 * MIN_US};
	w->contact[2] = (struct contact){CHANNEL_EMAIL, "sam@example.com", 0};
	w->contact[3] = (struct contact){CHANNEL_EMAIL, "priya@example.com", 0};
	w->person[0] = (struct person){.id = "alex",
				       .name = "Alex Example",
				       .login = "alex",
				       .email = "",
				       .sms = "",
				       .contact = &w->contact[0],
				       .n_contacts = 2};
	w->person[1] = (struct person){.id = "sam",
				       .name = "Sam Sample",
				       .login = "sam",
				       .email = "",
				       .sms = "",
				       .contact = &w->contact[2],
				       .n_contacts = 1};
	w->person[2] = (struct person){.id = "priya",
				       .name = "Priya Pattern",
				       .login = "priya",
				       .email = "",
				       .sms = "",
				       .contact = &w->contact[3],
				       .n_contacts = 1};
	w->step[0] = (struct step){.person = &w->person[0]};
	w->step[1] =
		(struct step){.person = &w->person[1], .after_us = 5 * MIN_US};
	w->step[2] = (struct step){.person = &w->person[2],
				   .after_us = 10 * MIN_US,
				   .repeat_us = 15 * MIN_US};
	w->escalation[0] = (struct escalation){"toll", w->step, 3};
	w->conf = (struct alerter_conf){
		.site = "test",
		.timezone = "Europe/London",
		.feed = true,
		.acknowledge_us = 30 * MIN_US,
		.dsn = "",
		.person = w->person,
		.n_people = 3,
		.escalation = w->escalation,
		.n_escalations = 1,
	};
	w->d = (struct decide){&w->conf, &w->book, &w->entry,
			       WORLD_T0 * SEC_US};
}

static inline void world_free(struct world *w)
{
	book_clear(&w->book);
	fact_free(&w->entry);
}

static inline void world_finding(struct finding *f, unsigned id,
				 enum severity severity, int64_t exposure)
{
	memset(f, 0, sizeof(*f));
	f->id[0] = (uint8_t)id;
	f->id[1] = (uint8_t)(id >> 8);
	f->time_us = WORLD_T0 * SEC_US;
	f->first_call_us = f->time_us - 30 * SEC_US;
	f->severity = (uint8_t)severity;
	f->exposure = exposure;
	f->calls = 3;
	f->n_terms = 1;
	f->term[0].measure = MEASURE_SPEND;
	f->term[0].usual = -1;
	f->term[0].override_milli = 1000;
	f->n_evidence = 1;
	number_parse(SV("+252611234567"), &f->evidence[0].callee);
	snprintf(f->rule, sizeof(f->rule), "R01");
	snprintf(f->name, sizeof(f->name), "spend-60m");
	snprintf(f->family, sizeof(f->family), "toll");
	snprintf(f->account, sizeof(f->account), "acme");
	snprintf(f->account_name, sizeof(f->account_name), "Acme Ltd");
	snprintf(f->trunk, sizeof(f->trunk), "trunk-7");
	snprintf(f->key, sizeof(f->key), "account:acme");
	snprintf(f->top_country[0], sizeof(f->top_country[0]), "SO");
	f->top_calls[0] = 3;
	snprintf(f->first_action, sizeof(f->first_action),
		 "Bar international on trunk-7.");
}

static inline void world_exposure(struct exposure *x, int64_t exposure)
{
	memset(x, 0, sizeof(*x));
	x->exposure = exposure;
	x->burn_per_min = 2 * POUND;
	x->calls = 9;
	x->open = 1;
	snprintf(x->family, sizeof(x->family), "toll");
	snprintf(x->account, sizeof(x->account), "acme");
	snprintf(x->key, sizeof(x->key), "account:acme");
}

/* Everything due at now is handed over and accepted. */
static inline void world_deliver(struct world *w)
{
	const struct send_outcome ok = {.result = SEND_OK};

	for (size_t k = 0; k < w->book.n; k++) {
		struct incident *i = w->book.incident[k];

		for (size_t m = 0; m < i->n_pages; m++) {
			if (!page_waits(&i->page[m]) ||
			    i->page[m].due_us > w->d.now_us)
				continue;
			delivery_begin(&w->d, i, &i->page[m]);
			delivery_end(&w->d, i->page[m].no, &ok);
		}
	}
}

#endif
