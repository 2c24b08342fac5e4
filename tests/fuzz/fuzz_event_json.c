/* SPDX-License-Identifier: Apache-2.0 */
/* folder: common */
#include "common/event.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include <jansson.h>

#include "common/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void trip(const struct event *ev, struct event *back)
{
	struct json j = {0};
	struct err e = {""};

	event_json(ev, &j);
	assert(event_from_json((struct sv){j.p, j.n}, back, &e));
	assert(event_check(back) == EVENT_OK);
	json_free(&j);
}

/* A record that passes the check comes back as it was when its text is
 * UTF-8, and settles after one trip when it is not. */
static void settles(const struct event *ev)
{
	struct event once;
	struct event twice;

	trip(ev, &once);
	trip(&once, &twice);
	assert(memcmp(&once, &twice, sizeof(once)) == 0);
	if (utf8_valid(EVENT_SV(ev->user)) &&
	    utf8_valid(EVENT_SV(ev->caller_raw)) &&
	    utf8_valid(EVENT_SV(ev->callee_raw)))
		assert(memcmp(ev, &once, sizeof(once)) == 0);
}

/* Any bytes at all make valid JSON. */
static void always_json(const struct event *ev)
{
	struct json j = {0};
	json_error_t je;
	json_t *v;

	event_json(ev, &j);
	v = json_loadb(j.p, j.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &je);
	assert(v && json_object_size(v) == 27);
	json_decref(v);
	json_free(&j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct event ev;
	struct err e;

	if (size == sizeof(ev)) {
		memcpy(&ev, data, sizeof(ev));
		always_json(&ev);
		if (event_check(&ev) == EVENT_OK)
			settles(&ev);
	}
	if (event_from_json((struct sv){(const char *)data, size}, &ev, &e))
		settles(&ev);
	return 0;
}
