/* SPDX-License-Identifier: Apache-2.0 */
#include "alerter/decide.h"

#include <stdio.h>

#include "common/money.h"

struct fact *decide_add(struct decide *d, enum fact_kind kind, uint32_t ref)
{
	return fact_add(d->entry, kind, ref, d->now_us);
}

void decide_done(struct decide *d)
{
	book_apply(d->book, &d->entry->fact[d->entry->n - 1]);
}

/* Design section 7: account, platform or feed. */
static void subject_of(const struct finding *f, char *out, size_t size)
{
	if (f->account[0])
		snprintf(out, size, "account:%.*s",
			 SV_ARG(EVENT_SV(f->account)));
	else
		snprintf(out, size, "%.*s", SV_ARG(EVENT_SV(f->key)));
}

static bool known(const struct book *b, const char *subject,
		  const uint8_t id[16])
{
	for (size_t i = 0; i < b->n; i++) {
		const struct incident *x = b->incident[i];

		if (strcmp(x->subject, subject) != 0)
			continue;
		for (size_t k = 0; k < x->findings; k++)
			if (memcmp(x->seen[k], id, 16) == 0)
				return true;
	}
	return false;
}

static struct incident *open_for(struct decide *d, const char *subject,
				 const struct finding *f)
{
	char family[sizeof(((struct fact *)0)->family)] = "";
	struct incident *i;
	struct fact *x;

	sv_put(family, sizeof(family) - 1, EVENT_SV(f->family));
	i = book_open(d->book, subject, family);
	if (i)
		return i;
	x = decide_add(d, FACT_OPENED, d->book->last_ref + 1);
	memcpy(x->id, f->id, sizeof(x->id));
	snprintf(x->subject, sizeof(x->subject), "%s", subject);
	memcpy(x->family, family, sizeof(x->family));
	sv_put(x->account, sizeof(x->account) - 1, EVENT_SV(f->account));
	sv_put(x->account_name, sizeof(x->account_name) - 1,
	       EVENT_SV(f->account_name));
	x->severity = f->severity == SEVERITY_CRITICAL ? SEVERITY_CRITICAL
						       : SEVERITY_WARNING;
	decide_done(d);
	return book_find(d->book, d->book->last_ref);
}

void join_finding(struct decide *d, const struct finding *f)
{
	char subject[sizeof(((struct fact *)0)->subject)];
	struct incident *i;
	enum severity before;
	bool first;
	struct fact *x;

	subject_of(f, subject, sizeof(subject));
	if (known(d->book, subject, f->id))
		return;
	i = open_for(d, subject, f);
	before = i->severity;
	first = i->findings == 0;
	x = decide_add(d, FACT_FINDING, i->ref);
	fact_from_finding(x, f);
	decide_done(d);
	if (i->state == INCIDENT_ACKED)
		return;
	if (first)
		escalate_begin(d, i, REASON_OPENED);
	else if (i->severity > before)
		escalate_begin(d, i, REASON_SEVERITY);
}

/* Twice what the last page said; below a pound every ring would double it. */
static bool doubled(const struct incident *i)
{
	int64_t told = i->exposure_at_page;

	if (told < POUND)
		told = POUND;
	return i->n_pages > 0 && i->now.exposure / 2 >= told;
}

void join_exposure(struct decide *d, const struct exposure *x)
{
	char subject[sizeof(((struct fact *)0)->subject)];
	char family[sizeof(((struct fact *)0)->family)] = "";
	struct incident *i;
	struct fact *f;

	snprintf(subject, sizeof(subject), "account:%.*s",
		 SV_ARG(EVENT_SV(x->account)));
	sv_put(family, sizeof(family) - 1, EVENT_SV(x->family));
	i = book_open(d->book, subject, family);
	if (!i)
		return;
	f = decide_add(d, FACT_EXPOSURE, i->ref);
	fact_from_exposure(f, x);
	if (memcmp(&f->exposure, &i->now, sizeof(i->now)) == 0) {
		d->entry->n--; /* nothing new */
		return;
	}
	decide_done(d);
	if (i->state == INCIDENT_OPEN && doubled(i))
		escalate_again(d, i, REASON_DOUBLED);
}
