/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alerter/channel/transfer.h"
#include "common/clock.h"
#include "common/mem.h"
#include "common/signature.h"

enum { TIMEOUT_S = 15, ID_MAX = 128, HEADER_MAX = 320 };

/* The status line and headers say all; the body is counted and dropped. */
static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;

	(void)p;
	t->answered += size * n;
	return t->answered > ANSWER_MAX ? 0 : size * n;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;

	(void)p;
	t->answer_body = true;
	t->answered += size * n;
	return t->answered > ANSWER_MAX ? 0 : size * n;
}

static void add_header(struct transfer *t, const char *name, const char *value)
{
	char line[HEADER_MAX];
	struct curl_slist *l;

	snprintf(line, sizeof(line), "%s: %s", name, value);
	l = curl_slist_append(t->list, line);
	if (l != NULL)
		t->list = l;
}

/* An id holds no space, line end or dot: it is a header, and a part of what
 * is signed, in which dots separate. */
static void copy_id(const char *id, char out[ID_MAX])
{
	size_t n = 0;

	for (; id[n] != '\0' && n < ID_MAX - 1; n++)
		out[n] = id[n] > ' ' && id[n] <= '~' && id[n] != '.' ? id[n]
								     : '-';
	out[n] = '\0';
}

/* The time is the wall clock's at this attempt, not the page's: receivers
 * refuse what is older than some minutes. */
static bool sign(struct transfer *t, const char *secret, struct err *e)
{
	struct signature_keys keys;
	char id[ID_MAX], at[24], text[SIGNATURE_TEXT];
	char hub[SHA256_HEX + 7] = "sha256=";
	struct signed_text s = {
		.at_s = clock_wall().us / SEC_US,
		.body = {t->body, t->body_n},
	};
	struct sv rest = sv_trim(sv_of(secret));

	if (!signature_keys_parse(&keys, rest, e))
		return false;
	copy_id(t->m.id, id);
	s.id = sv_of(id);
	signature_text(&keys, &s, text);
	signature_keys_wipe(&keys);
	/* GitHub's way: the key is the text of the (newest) secret. */
	signature_hub(sv_cut(&rest, ' '), s.body, hub + 7);

	snprintf(at, sizeof(at), "%" PRId64, s.at_s);
	add_header(t, "webhook-id", id);
	add_header(t, "webhook-timestamp", at);
	add_header(t, "webhook-signature", text);
	add_header(t, "X-Hub-Signature-256", hub);
	return true;
}

bool webhook_start(struct transfer *t, const struct webhook_conf *w,
		   struct send_outcome *out)
{
	struct err e;

	if (w == NULL)
		return outcome_set(out, SEND_PERMANENT,
				   "no webhook of that name");
	t->body = xstrdup(t->m.json);
	t->body_n = strlen(t->body);
	if (!sign(t, w->secret, &e))
		return outcome_set(out, SEND_PERMANENT,
				   "the webhook's secret: %s", e.text);
	add_header(t, "Content-Type", "application/json");
	add_header(t, "Expect", ""); /* or libcurl may wait for a 100 */

	t->public_only = !w->private_network;
	transfer_open(t, "http,https",
		      w->timeout_us > 0 ? w->timeout_us : TIMEOUT_S * SEC_US);
	curl_easy_setopt(t->easy, CURLOPT_URL, w->url);
	curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
	curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, t->body);
	curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE,
			 (curl_off_t)t->body_n);
	curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->list);
	curl_easy_setopt(t->easy, CURLOPT_USERAGENT, "tollwatch");
	curl_easy_setopt(t->easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(t->easy, CURLOPT_HTTP09_ALLOWED, 0L);
	curl_easy_setopt(t->easy, CURLOPT_HTTP_VERSION,
			 (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
	return true;
}

static void judge(const struct transfer *t, long code, struct send_outcome *out)
{
	curl_off_t after = 0;

	if (code / 100 == 2) {
		out->result = SEND_OK;
	} else if (code / 100 == 3) {
		outcome_set(out, SEND_PERMANENT,
			    "HTTP %ld: redirects are not followed", code);
	} else if (code == 408 || code == 425 || code == 429 ||
		   code / 100 == 5) {
		outcome_set(out, SEND_TEMPORARY, "HTTP %ld", code);
		curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &after);
		if (after > 0)
			out->retry_after_s = after < UINT32_MAX
						     ? (uint32_t)after
						     : UINT32_MAX;
	} else {
		outcome_set(out, SEND_PERMANENT, "HTTP %ld%s", code,
			    code == 410 ? ": gone, it wants no more" : "");
	}
}

void webhook_end(struct transfer *t, CURLcode rc, struct send_outcome *out)
{
	long code = 0;

	/* A body that does not end, or is cut, takes nothing from the status
	 * before it. */
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &code);
	if ((rc == CURLE_OK || t->answer_body) && code > 0)
		judge(t, code, out);
	else
		transfer_failed(t, rc, out);
}
