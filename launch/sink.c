/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/sink.h"

#include <string.h>

#include <sys/socket.h>

#include "common/hash.h"

static bool parse_slow(struct sink_fail *f, struct sv *rest)
{
	struct sv time = sv_cut(rest, ':');
	uint32_t s;

	if (time.n < 2 || time.p[time.n - 1] != 's' ||
	    !sv_u32((struct sv){time.p, time.n - 1}, &s) || s > 3600)
		return false;
	f->how = SINK_SLOW;
	f->slow_ms = s * 1000;
	return true;
}

static bool parse_code(struct sink_fail *f, struct sv how)
{
	uint32_t code;

	f->how = SINK_CODE;
	if (sv_eq(how, SV("4xx")) || sv_eq(how, SV("5xx"))) {
		f->code = (unsigned)(how.p[0] - '0');
		return true;
	}
	if (!sv_u32(how, &code) || code < 300 || code > 599)
		return false;
	f->code = code;
	return true;
}

bool sink_fail_parse(struct sink_fail *f, struct sv text, struct err *e)
{
	struct sv rest = text;
	struct sv how = sv_cut(&rest, ':');
	bool ok = true;

	*f = (struct sink_fail){.left = UINT32_MAX};
	if (sv_eq(how, SV("reset")))
		f->how = SINK_RESET;
	else if (sv_eq(how, SV("close")))
		f->how = SINK_CLOSE;
	else if (sv_eq(how, SV("slow")))
		ok = parse_slow(f, &rest);
	else
		ok = parse_code(f, how);
	if (!ok || (rest.n > 0 && !sv_u32(rest, &f->left)))
		return err_set(e,
			       "want 4xx, 5xx, a code, reset, close or "
			       "slow:SECONDSs, and :TIMES, got '%.*s'",
			       SV_ARG(text));
	return true;
}

enum sink_how sink_fail_next(struct sink_fail *f)
{
	if (f->how == SINK_WELL || f->left == 0)
		return SINK_WELL;
	if (f->left != UINT32_MAX)
		f->left--;
	return f->how;
}

bool sink_seen_add(struct sink_seen *s, struct sv id)
{
	uint64_t held = s->n < SINK_SEEN ? s->n : SINK_SEEN;
	uint8_t h[16];

	hash128(&hash_public_key, id.p, id.n, h);
	for (uint64_t i = 0; i < held; i++)
		if (memcmp(s->id[i], h, sizeof(h)) == 0)
			return false;
	memcpy(s->id[s->n++ % SINK_SEEN], h, sizeof(h));
	return true;
}

/* Linux: to dissolve a TCP connection is to reset it.  The owner of fd finds
 * it broken and cleans up as ever. */
void sink_reset(int fd)
{
	const struct sockaddr none = {.sa_family = AF_UNSPEC};

	(void)connect(fd, &none, sizeof(none));
}
