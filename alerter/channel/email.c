/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include <sys/socket.h>

#include "alerter/channel/mime.h"
#include "alerter/channel/transfer.h"
#include "common/clock.h"
#include "common/mem.h"
#include "common/sv.h"

enum { TIMEOUT_S = 30 };

/* Every line of every reply until we are logged in. */
static size_t on_reply(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;

	t->answered += size * n;
	if (t->answered > ANSWER_MAX)
		return 0;
	smtp_reply(&t->smtp, sv_trim((struct sv){p, size * n}));
	return size * n;
}

/*
 * libcurl says QUIT when the log-in fails and waits for the answer without
 * going back to the loop, up to two minutes.  A relay that dawdles would stop
 * every page.  So nothing more is read once QUIT is out, of which only this
 * hook tells; what it sees (passwords too) goes nowhere.
 */
static int on_debug(CURL *easy, curl_infotype type, char *p, size_t n,
		    void *arg)
{
	const struct transfer *t = arg;

	(void)easy;
	if (type == CURLINFO_HEADER_OUT && n >= 4 && memcmp(p, "QUIT", 4) == 0)
		shutdown(t->fd, SHUT_RD);
	return 0;
}

/*
 * required  an encrypted relay with a valid certificate, or none
 * try       encrypted when the relay offers it.  Who can stand in the middle
 *           can also hide the offer, so the certificate is worth a look only
 *           when there is a password to lose
 * none      as it is, for a relay on this machine
 */
static void set_tls(CURL *easy, const struct smtp_conf *s)
{
	bool try = strcmp(s->tls, "try") == 0;
	long use = strcmp(s->tls, "none") == 0 ? CURLUSESSL_NONE
		   : try		       ? CURLUSESSL_TRY
					       : CURLUSESSL_ALL;

	curl_easy_setopt(easy, CURLOPT_USE_SSL, use);
	if (try && s->user[0] == '\0') {
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

static void write_mail(struct transfer *t, const struct smtp_conf *s)
{
	const struct mail mail = {
		.from = s->from,
		.to = t->m.target,
		.id = t->m.id,
		.thread = t->m.thread,
		.subject = t->m.subject,
		.text = t->m.text,
		.date_us = t->m.time_us != 0 ? t->m.time_us : clock_wall().us,
	};

	t->body = mail_build(&mail, &t->body_n);
	t->from = xstrdup(s->from);
}

bool email_start(struct transfer *t, const struct smtp_conf *s,
		 struct send_outcome *out)
{
	if (s->relay[0] == '\0')
		return outcome_set(out, SEND_PERMANENT, "no smtp relay is set");
	if (!mail_address_ok(s->from))
		return outcome_set(out, SEND_PERMANENT,
				   "smtp.from is not a plain e-mail address");
	if (!mail_address_ok(t->m.target))
		return outcome_set(out, SEND_PERMANENT,
				   "not a plain e-mail address");

	write_mail(t, s);
	transfer_open(t, "smtp,smtps",
		      s->timeout_us > 0 ? s->timeout_us : TIMEOUT_S * SEC_US);
	set_tls(t->easy, s);
	curl_easy_setopt(t->easy, CURLOPT_URL, s->relay);
	if (s->user[0] != '\0') {
		curl_easy_setopt(t->easy, CURLOPT_USERNAME, s->user);
		curl_easy_setopt(t->easy, CURLOPT_PASSWORD, s->password);
	}
	curl_easy_setopt(t->easy, CURLOPT_SASL_IR, 1L); /* RFC 4954 4 */
	curl_easy_setopt(t->easy, CURLOPT_CONNECT_ONLY, 1L);
	/* It is ours now; libcurl gives such a connection to nobody else. */
	curl_easy_setopt(t->easy, CURLOPT_FORBID_REUSE, 0L);
	curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_reply);
	curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(t->easy, CURLOPT_DEBUGFUNCTION, on_debug);
	curl_easy_setopt(t->easy, CURLOPT_DEBUGDATA, t);
	curl_easy_setopt(t->easy, CURLOPT_VERBOSE, 1L);
	return true;
}

void email_connected(struct transfer *t, CURLcode rc)
{
	struct smtp *s = &t->smtp;
	struct send_outcome out = {0};

	if (rc == CURLE_OK) {
		smtp_talk(t);
		return;
	}
	if (rc == CURLE_LOGIN_DENIED)
		/* Not the relay's words: they may repeat the user's name. */
		outcome_set(&out,
			    s->code >= 500 ? SEND_PERMANENT : SEND_TEMPORARY,
			    "%d the relay refused our log-in", s->code);
	else if (s->code >= 400 && rc != CURLE_OPERATION_TIMEDOUT)
		smtp_refused(s, &out);
	else
		transfer_failed(t, rc, &out);
	transfer_finish(t, &out);
}
