/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/audit_report.h"

#include <stdarg.h>
#include <stdio.h>

#include "launch/audit.h"

void audit_report_begin(struct audit_report *r, bool as_json)
{
	memset(r, 0, sizeof(*r));
	r->as_json = as_json;
	r->fault = json_array();
	r->note = json_array();
}

void audit_report_end(struct audit_report *r)
{
	json_decref(r->fault);
	json_decref(r->note);
}

void audit_fault(struct audit_report *r, const char *fmt, ...)
{
	struct err text;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text.text, sizeof(text.text), fmt, ap);
	va_end(ap);
	if (r->faults++ >= AUDIT_FAULTS_SHOWN)
		return;
	json_array_append_new(r->fault, json_string(text.text));
	if (!r->as_json)
		printf("broken: %s\n", text.text);
}

void audit_note(struct audit_report *r, const char *fmt, ...)
{
	struct err text;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text.text, sizeof(text.text), fmt, ap);
	va_end(ap);
	json_array_append_new(r->note, json_string(text.text));
	if (!r->as_json)
		printf("note: %s\n", text.text);
}

struct audit_stream *audit_report_stream(struct audit_report *r,
					 const char *name)
{
	for (size_t i = 0; i < r->streams; i++)
		if (strcmp(r->stream[i].name, name) == 0)
			return &r->stream[i];
	if (r->streams == CHECKPOINT_STREAMS)
		return NULL;
	snprintf(r->stream[r->streams].name, AUDIT_STREAM, "%s", name);
	return &r->stream[r->streams++];
}

static void sum(const struct audit_report *r, int64_t *events, int64_t *proven)
{
	*events = *proven = 0;
	for (size_t i = 0; i < r->streams; i++) {
		*events += r->stream[i].events;
		*proven += r->stream[i].proven;
	}
}

static void say_json(const struct audit_report *r)
{
	int64_t events, proven;
	json_t *streams = json_array(), *o;

	sum(r, &events, &proven);
	for (size_t i = 0; i < r->streams; i++) {
		const struct audit_stream *s = &r->stream[i];

		json_array_append_new(
			streams,
			json_pack("{ss sI sI sI}", "stream", s->name, "events",
				  (json_int_t)s->events, "proven",
				  (json_int_t)s->proven, "unproven",
				  (json_int_t)(s->events - s->proven)));
	}
	o = json_pack("{sb ss ss sI si ss ss so sI sI sI sI sO sO}", "ok",
		      r->faults == 0, "site", r->site, "key", r->key,
		      "checkpoints", (json_int_t)r->checkpoints, "places",
		      (int)r->places, "first_at", r->first_at, "last_at",
		      r->last_at, "streams", streams, "events",
		      (json_int_t)events, "proven", (json_int_t)proven,
		      "unproven", (json_int_t)(events - proven), "faults",
		      (json_int_t)r->faults, "fault", r->fault, "note",
		      r->note);
	json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(o);
}

static void say_text(const struct audit_report *r)
{
	int64_t events, proven;

	sum(r, &events, &proven);
	if (r->faults > AUDIT_FAULTS_SHOWN)
		printf("broken: and %" PRIu64 " more\n",
		       r->faults - AUDIT_FAULTS_SHOWN);
	printf("site %s\nkey %s\n", r->site, r->key);
	printf("%" PRIu64 " checkpoints in %zu place%s, %s to %s\n",
	       r->checkpoints, r->places, r->places == 1 ? "" : "s",
	       *r->first_at ? r->first_at : "-",
	       *r->last_at ? r->last_at : "-");
	for (size_t i = 0; i < r->streams; i++) {
		const struct audit_stream *s = &r->stream[i];

		printf("%-12s %9" PRId64 " events %9" PRId64 " proven %9" PRId64
		       " unproven%s\n",
		       s->name, s->events, s->proven, s->events - s->proven,
		       s->broken ? "  BROKEN" : "");
	}
	if (r->faults > 0)
		printf("BROKEN: %" PRIu64 " faults; %" PRId64
		       " events are proven, %" PRId64 " are not\n",
		       r->faults, proven, events - proven);
	else if (proven == events)
		printf("all right: %" PRId64 " events proven\n", proven);
	else
		printf("all right: %" PRId64 " events proven; %" PRId64
		       " after the last checkpoint are unproven\n",
		       proven, events - proven);
}

int audit_report_say(const struct audit_report *r)
{
	if (r->as_json)
		say_json(r);
	else
		say_text(r);
	return r->faults == 0 ? 0 : EXIT_BROKEN;
}
