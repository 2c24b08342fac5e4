/* SPDX-License-Identifier: Apache-2.0 */
/* folder: collector */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "collector/sip/dialog.h"
#include "collector/sip/uri.h"
#include "common/clock.h"

enum { SEPARATOR = 0x1e, T0 = 1000000000, PLACES = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A view is empty, or inside what it was cut from. */
static void inside(struct sv view, struct sv whole)
{
	assert(view.n == 0 ||
	       (view.p >= whole.p && view.p + view.n <= whole.p + whole.n));
}

static void check_parts(struct sv value)
{
	struct sv list = value, one;
	char text[SIP_USER_MAX];
	struct sip_addr addr;
	bool cut;

	sip_addr(value, &addr);
	inside(addr.uri, value);
	inside(addr.params, value);
	inside(sip_tag(value), value);
	inside(sip_branch(value), value);
	inside(sip_digest_user(value), value);
	assert(sip_q850(value) <= 127);
	for (one = sip_next_value(&list); one.n; one = sip_next_value(&list)) {
		inside(one, value);
		inside(sip_uri_user(one), one);
	}
	assert(sip_user_text(sip_header_user(value), text, &cut).n <=
	       SIP_USER_MAX);
}

static void check_message(const struct sip_msg *m, struct sv datagram)
{
	inside(m->request_uri, datagram);
	inside(m->body, datagram);
	for (int h = 0; h < SIP_HEADERS; h++) {
		inside(m->header[h], datagram);
		check_parts(sip_header(m, (enum sip_header)h));
	}
	assert(m->method < SIP_METHODS);
	assert(m->header[SIP_CALL_ID].n && m->header[SIP_FROM].n);
}

static void on_event(void *arg, struct event *ev)
{
	(void)arg;
	assert(event_check(ev) == EVENT_OK);
	assert(ev->phase == PHASE_SETUP || ev->phase == PHASE_PROGRESS ||
	       ev->phase == PHASE_ANSWER || ev->phase == PHASE_END);
	assert(ev->setup_us || ev->answer_us);
}

static void on_resolve(void *arg, const struct sip_identity *id,
		       struct event *ev)
{
	(void)arg;
	EVENT_PUT(ev, user, id->digest_user);
	EVENT_PUT(ev, caller_raw, id->from_user);
	EVENT_PUT(ev, callee_raw, id->request_user);
}

/* Datagrams, a separator between them, each 7 s after the one before. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv rest = {(const char *)data, size};
	struct dialog_opts o = {
		.capacity = PLACES,
		.key = hash_public_key,
		.source = "fuzz",
		.resolve = on_resolve,
		.emit = on_event,
	};
	struct dialog_table *t = dialog_new(&o);
	int64_t t_us = T0 * SEC_US;
	struct dialog_stats s;

	while (rest.n) {
		struct sv datagram = sv_cut(&rest, SEPARATOR);
		struct packet p = {.src_port = 5060};
		struct sip_msg m;
		enum sip_rc rc = sip_scan(datagram, datagram.n & 1, &m);

		assert(rc < SIP_RCS && sip_rc_name(rc));
		if (rc == SIP_OK) {
			check_message(&m, datagram);
			dialog_message(t, &m, &p, t_us);
		}
		t_us += 7 * SEC_US;
	}
	/* in the end only answered calls are left, and none ended twice */
	dialog_expire(t, t_us + DAY_US);
	dialog_expire(t, t_us + 2 * DAY_US);
	s = dialog_stats(t);
	assert(s.calls <= PLACES && s.calls <= s.answers);
	assert(s.ends <= s.setups + s.lone);
	dialog_free(t);
	return 0;
}
