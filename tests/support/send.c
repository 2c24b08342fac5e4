/* SPDX-License-Identifier: Apache-2.0 */
/*
 * send [OPTION VALUE]... : one message through the alerter's channels, then
 * one JSON line of what became of it.  --relay URL sends an e-mail, --url URL
 * a webhook.
 */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "alerter/channel/channel.h"
#include "common/clock.h"

enum {
	RELAY,
	FROM,
	USER,
	PASSWORD,
	TLS,
	URL,
	SECRET,
	PRIVATE,
	TIMEOUT,
	TO,
	ID,
	THREAD,
	SUBJECT,
	TEXT,
	JSON,
	OPTS,
};

static void on_done(void *arg, uint32_t page, const struct send_outcome *o)
{
	static const char *const name[] = {"ok", "temporary", "permanent"};
	json_t *j = json_pack("{s:s s:i s:s}", "result", name[o->result],
			      "retry_after", (int)o->retry_after_s, "error",
			      o->error);

	(void)page;
	json_dumpf(j, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(j);
	event_base_loopbreak(arg);
}

static void configure(struct alerter_conf *a, struct webhook_conf *w,
		      const char *const *v)
{
	uint32_t s = 0;

	sv_u32(sv_of(v[TIMEOUT]), &s);
	a->smtp = (struct smtp_conf){.relay = v[RELAY],
				     .from = v[FROM],
				     .user = v[USER],
				     .password = v[PASSWORD],
				     .tls = v[TLS],
				     .timeout_us = s * SEC_US};
	*w = (struct webhook_conf){.name = "hook",
				   .url = v[URL],
				   .secret = v[SECRET],
				   .private_network =
					   strcmp(v[PRIVATE], "yes") == 0,
				   .timeout_us = s * SEC_US};
	a->webhook = w;
	a->n_webhooks = 1;
}

int main(int argc, char **argv)
{
	static const char *const option[OPTS] = {
		"relay", "from",   "user",    "password", "tls",
		"url",	 "secret", "private", "timeout",  "to",
		"id",	 "thread", "subject", "text",	  "json"};
	const char *v[OPTS] = {
		[RELAY] = "",	 [FROM] = "tollwatch@example.com",
		[USER] = "",	 [PASSWORD] = "",
		[TLS] = "none",	 [URL] = "",
		[SECRET] = "",	 [PRIVATE] = "yes",
		[TIMEOUT] = "5", [TO] = "alex@example.com",
		[ID] = "test-1", [THREAD] = "",
		[SUBJECT] = "",	 [TEXT] = "",
		[JSON] = "{}"};
	struct event_base *base = event_base_new();
	struct alerter_conf conf = {0};
	struct webhook_conf hook;
	struct channels *c;
	struct err e;

	for (int i = 1; i + 1 < argc; i += 2)
		for (size_t k = 0; k < OPTS; k++)
			if (strncmp(argv[i], "--", 2) == 0 &&
			    strcmp(argv[i] + 2, option[k]) == 0)
				v[k] = argv[i + 1];
	configure(&conf, &hook, v);
	if (!channels_new(&c, base, &conf, on_done, base, &e)) {
		fprintf(stderr, "send: %s\n", e.text);
		return 1;
	}
	const struct message m = {
		.page = 1,
		.channel = v[URL][0] != '\0' ? CHANNEL_WEBHOOK : CHANNEL_EMAIL,
		.target = v[URL][0] != '\0' ? "hook" : v[TO],
		.id = v[ID],
		.thread = v[THREAD],
		.subject = v[SUBJECT],
		.text = v[TEXT],
		.json = v[JSON],
		.time_us = clock_wall().us,
	};
	channels_send(c, &m);
	event_base_dispatch(base);
	channels_free(c);
	event_base_free(base);
	return 0;
}
