/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/night.h"

#include <stdlib.h>

#include "common/attr.h"
#include "common/mem.h"

/*
 * Asterisk's cdr_csv with uniqueid and userfield, 18 columns: strings in
 * quotes, whole seconds, a time that did not happen is empty and unquoted.
 */

/* "2026-01-17 02:24:05"; London is UTC all through the sample. */
static void local_text(int64_t us, char out[24])
{
	int64_t s = us / SEC_US;
	int64_t in_day = s % 86400;
	int year;
	unsigned month, day;

	civil_from_days(s / 86400, &year, &month, &day);
	snprintf(out, 24, "%04d-%02u-%02u %02d:%02d:%02d", year, month, day,
		 (int)(in_day / 3600), (int)(in_day / 60 % 60),
		 (int)(in_day % 60));
}

/* As a phone behind the PBX dials it: 9 for a line, 00 for abroad. */
static void dialled(const char *number, char out[24])
{
	if (strncmp(number, "+44", 3) == 0)
		snprintf(out, 24, "90%s", number + 3);
	else
		snprintf(out, 24, "900%s", number + 1);
}

/* As caller ID shows it: 0… at home, +… from abroad. */
static void shown(const char *number, char out[24])
{
	if (strncmp(number, "+44", 3) == 0)
		snprintf(out, 24, "0%s", number + 3);
	else
		snprintf(out, 24, "%s", number);
}

static const char *disposition(enum night_fate fate)
{
	switch (fate) {
	case FATE_ANSWERED:
		return "ANSWERED";
	case FATE_BUSY:
		return "BUSY";
	case FATE_CANCELLED:
	case FATE_UNANSWERED:
		break;
	}
	return "NO ANSWER";
}

static void parties(FILE *out, const struct night_call *c)
{
	const struct night_account *a = c->account;
	const char *user = a->user[c->user];
	unsigned leg = (unsigned)(c->serial * 2);
	char src[24], dst[24];

	if (c->inbound) {
		shown(c->outside, src);
		shown(c->own, dst);
		fprintf(out,
			"\"%s\",\"%s\",\"%s\",\"from-trunk\",\"%s\","
			"\"PJSIP/%s-%08x\",\"PJSIP/%s-%08x\","
			"\"Dial\",\"PJSIP/%s,60\",",
			a->name, src, dst, src, a->trunk, leg, user, leg + 1,
			user);
		return;
	}
	shown(c->own, src);
	dialled(c->outside, dst);
	fprintf(out,
		"\"%s\",\"%s\",\"%s\",\"from-internal\","
		"\"\"\"%s\"\" <%s>\",\"PJSIP/%s-%08x\","
		"\"PJSIP/%s-%08x\",\"Dial\",\"PJSIP/%s@%s,60\",",
		a->name, src, dst, user, src, user, leg, a->trunk, leg + 1,
		dst + 1, a->trunk);
}

static void row(FILE *out, const struct night_call *c)
{
	char start[24], answer[24], end[24];
	int64_t talk = c->answer_us > 0 ? c->end_us - c->answer_us : 0;

	parties(out, c);
	local_text(c->setup_us, start);
	local_text(c->end_us, end);
	fprintf(out, "\"%s\",", start);
	if (c->answer_us > 0) {
		local_text(c->answer_us, answer);
		fprintf(out, "\"%s\",", answer);
	} else {
		fputc(',', out);
	}
	fprintf(out,
		"\"%s\",%lld,%lld,\"%s\",\"DOCUMENTATION\","
		"\"%lld.%llu\",\"\"\n",
		end, (long long)((c->end_us - c->setup_us) / SEC_US),
		(long long)(talk / SEC_US), disposition(c->fate),
		(long long)(c->setup_us / SEC_US),
		(unsigned long long)c->serial);
}

/* Asterisk writes a record when the call is over. */
static int by_end(const void *x, const void *y)
{
	const struct night_call *a = *(const struct night_call *const *)x;
	const struct night_call *b = *(const struct night_call *const *)y;

	if (a->end_us != b->end_us)
		return a->end_us < b->end_us ? -1 : 1;
	return a->serial < b->serial ? -1 : a->serial > b->serial;
}

void night_cdr_write(const struct night_calls *c, FILE *out)
{
	const struct night_call **order = xmalloc((c->n + 1) * sizeof(*order));

	for (size_t i = 0; i < c->n; i++)
		order[i] = &c->call[i];
	qsort(order, c->n, sizeof(*order), by_end);
	for (size_t i = 0; i < c->n; i++)
		row(out, order[i]);
	free(order);
}
