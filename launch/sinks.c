/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/sinks.h"

#include <stdlib.h>

#include <jansson.h>
#include <sodium.h>

#include "common/mem.h"
#include "launch/sink_smtp.h"
#include "launch/sink_webhook.h"

enum { SECRET_BYTES = 32 };

struct sinks {
	FILE *say;
	struct sink_smtp *smtp;
	struct sink_webhook *webhook;
};

static void on_mail(void *arg, const struct sink_mail *m)
{
	struct sinks *s = arg;

	fprintf(s->say, "mail for %s: %s\n", m->to, m->subject);
	fflush(s->say);
}

static void on_post(void *arg, const char *id, const char *text, bool verified)
{
	struct sinks *s = arg;
	json_t *o = json_loads(text, 0, NULL);
	const json_t *data = json_object_get(o, "data");
	const char *type = json_string_value(json_object_get(o, "type"));
	const char *who = json_string_value(json_object_get(data, "person"));

	fprintf(s->say, "webhook %s for %s: %s, incident %lld, %s\n", id,
		who ? who : "?", type ? type : "?",
		(long long)json_integer_value(json_object_get(data, "ref")),
		verified ? "signature good" : "SIGNATURE WRONG");
	fflush(s->say);
	json_decref(o);
}

static bool unset(const char *name)
{
	const char *v = getenv(name);

	return !v || !*v;
}

/* A fresh one for each run: nobody else can sign. */
static void make_secret(char *out, size_t size)
{
	unsigned char key[SECRET_BYTES];
	char text[sodium_base64_ENCODED_LEN(SECRET_BYTES,
					    sodium_base64_VARIANT_ORIGINAL)];

	randombytes_buf(key, sizeof(key));
	sodium_bin2base64(text, sizeof(text), key, sizeof(key),
			  sodium_base64_VARIANT_ORIGINAL);
	snprintf(out, size, "whsec_%s", text);
}

static bool open_mail(struct sinks *s, struct event_base *base, struct err *e)
{
	if (!unset("TOLLWATCH_SMTP"))
		return true;
	if (!sink_smtp_new(&s->smtp, base, on_mail, s, e))
		return false;
	setenv("TOLLWATCH_SMTP", sink_smtp_url(s->smtp), 1);
	fprintf(s->say,
		"e-mail comes out here: TOLLWATCH_SMTP names no relay\n");
	return true;
}

static bool open_webhook(struct sinks *s, struct event_base *base,
			 struct err *e)
{
	char secret[80];

	if (!unset("TOLLWATCH_WEBHOOK"))
		return true;
	make_secret(secret, sizeof(secret));
	if (!sink_webhook_new(&s->webhook, base, secret, on_post, s, e))
		return false;
	setenv("TOLLWATCH_WEBHOOK", sink_webhook_url(s->webhook), 1);
	setenv("TOLLWATCH_WEBHOOK_SECRET", secret, 1);
	fprintf(s->say, "webhooks come out here: TOLLWATCH_WEBHOOK names no "
			"receiver\n");
	return true;
}

bool sinks_open(struct sinks **out, struct event_base *base, FILE *say,
		struct err *e)
{
	struct sinks *s = xcalloc(1, sizeof(*s));

	s->say = say;
	*out = s;
	return open_mail(s, base, e) && open_webhook(s, base, e);
}

void sinks_close(struct sinks *s)
{
	if (!s)
		return;
	sink_smtp_free(s->smtp);
	sink_webhook_free(s->webhook);
	free(s);
}
