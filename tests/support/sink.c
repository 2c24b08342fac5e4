/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sink [--smtp] [--webhook --secret S] [--fail HOW] [--for SECONDS]: the
 * receivers of the sample night by themselves.  The first line says where
 * they are, then one JSON line comes for every message.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <jansson.h>

#include "common/clock.h"
#include "launch/sink_smtp.h"
#include "launch/sink_webhook.h"

static void print(json_t *o)
{
	char at[TIME_TEXT];

	time_text(clock_wall().us, at);
	json_object_set_new(o, "received", json_string(at));
	json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(o);
}

/* The first member of that name, however deep. */
static json_t *find(json_t *o, const char *name)
{
	json_t *v = json_object_get(o, name);
	const char *key;
	json_t *child;

	if (v != NULL)
		return v;
	json_object_foreach(o, key, child)
	{
		(void)key;
		v = find(child, name);
		if (v != NULL)
			return v;
	}
	return NULL;
}

static void copy(json_t *to, json_t *from, const char *name)
{
	json_t *v = find(from, name);

	json_object_set(to, name, v != NULL ? v : json_null());
}

static void on_mail(void *arg, const struct sink_mail *m)
{
	(void)arg;
	print(json_pack("{s:s s:s s:s s:s s:s s:s}", "channel", "email", "to",
			m->to, "id", m->id, "thread", m->thread, "subject",
			m->subject, "text", m->text));
}

static void on_post(void *arg, const char *id, const char *body, bool verified)
{
	json_t *b = json_loads(body, 0, NULL);
	json_t *o = json_pack("{s:s s:s s:b}", "channel", "webhook", "id", id,
			      "verified", verified);

	(void)arg;
	copy(o, b, "type");
	copy(o, b, "ref");
	copy(o, b, "person");
	copy(o, b, "subject");
	json_object_set_new(o, "body", b != NULL ? b : json_null());
	print(o);
}

static void on_end(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(arg);
}

struct opts {
	bool smtp, webhook;
	const char *secret;
	struct sink_fail fail;
	long seconds;
};

static bool parse(int argc, char **argv, struct opts *o, struct err *e)
{
	static const struct option known[] = {
		{"smtp", no_argument, NULL, 's'},
		{"webhook", no_argument, NULL, 'w'},
		{"secret", required_argument, NULL, 'k'},
		{"fail", required_argument, NULL, 'f'},
		{"for", required_argument, NULL, 't'},
		{NULL, 0, NULL, 0}};
	int c;

	*o = (struct opts){.secret = "", .seconds = 300};
	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 's')
			o->smtp = true;
		else if (c == 'w')
			o->webhook = true;
		else if (c == 'k')
			o->secret = optarg;
		else if (c == 't')
			o->seconds = strtol(optarg, NULL, 10);
		else if (c != 'f')
			return err_set(e, "unknown option");
		else if (!sink_fail_parse(&o->fail, sv_of(optarg), e))
			return false;
	}
	return (o->smtp || o->webhook) || err_set(e, "--smtp or --webhook");
}

int main(int argc, char **argv)
{
	struct event_base *base = event_base_new();
	struct sink_smtp *smtp = NULL;
	struct sink_webhook *hook = NULL;
	struct opts o;
	struct err e;
	struct timeval tv;

	if (!parse(argc, argv, &o, &e) ||
	    (o.smtp && !sink_smtp_new(&smtp, base, on_mail, NULL, &e)) ||
	    (o.webhook &&
	     !sink_webhook_new(&hook, base, o.secret, on_post, NULL, &e))) {
		fprintf(stderr, "sink: %s\n", e.text);
		return 2;
	}
	if (smtp != NULL)
		sink_smtp_fail(smtp, &o.fail);
	if (hook != NULL)
		sink_webhook_fail(hook, &o.fail);
	printf("{\"smtp\":\"%s\",\"webhook\":\"%s\"}\n",
	       smtp != NULL ? sink_smtp_url(smtp) : "",
	       hook != NULL ? sink_webhook_url(hook) : "");
	fflush(stdout);
	tv = (struct timeval){o.seconds, 0};
	event_base_loopexit(base, &tv);
	struct event *term = evsignal_new(base, SIGTERM, on_end, base);
	event_add(term, NULL);
	event_base_dispatch(base);
	event_free(term);
	sink_smtp_free(smtp);
	sink_webhook_free(hook);
	event_base_free(base);
	return 0;
}
