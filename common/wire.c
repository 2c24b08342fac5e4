/* SPDX-License-Identifier: Apache-2.0 */
#include "common/wire.h"

#include <string.h>

#include <sodium.h>

#include "common/finding.h"

uint32_t wire_record_size(enum wire_kind kind)
{
	switch (kind) {
	case WIRE_EVENTS:
		return EVENT_SIZE;
	case WIRE_FINDINGS:
		return sizeof(struct finding);
	case WIRE_EXPOSURE:
		return sizeof(struct exposure);
	case WIRE_CONTROL:
		return sizeof(struct control);
	case WIRE_CONFIG:
		return WIRE_CONFIG_HASH;
	default:
		return 0;
	}
}

/* 0: not a kind that we know. */
uint16_t wire_record_version(enum wire_kind kind)
{
	switch (kind) {
	case WIRE_EVENTS:
		return EVENT_VERSION;
	case WIRE_FINDINGS:
		return FINDING_VERSION;
	case WIRE_EXPOSURE:
		return EXPOSURE_VERSION;
	case WIRE_CONTROL:
		return CONTROL_VERSION;
	case WIRE_TICK:
	case WIRE_CONFIG:
	case WIRE_HELLO:
	case WIRE_ACK:
	case WIRE_NACK:
		return 1;
	default:
		return 0;
	}
}

/* Numbers that would wrap, or more records than a batch may hold.  Kinds
 * without records use count as they like (credit). */
static bool numbers_fit(const struct wire_header *h)
{
	if (h->record_size == 0)
		return true;
	if (h->kind == WIRE_EVENTS && h->count > WIRE_EVENTS_MAX)
		return false;
	return h->count <= WIRE_BATCH_MAX / h->record_size &&
	       h->seq <= UINT64_MAX - h->count;
}

enum wire_rc wire_check(struct sv buf, struct wire_view *out)
{
	const struct wire_header *h = (const void *)buf.p;
	uint16_t version;
	size_t records;

	if (buf.n < WIRE_HEADER)
		return WIRE_SHORT;
	if (h->magic != WIRE_MAGIC)
		return WIRE_BAD_MAGIC;
	version = wire_record_version(h->kind);
	if (version == 0)
		return WIRE_BAD_KIND;
	if (h->version != version)
		return WIRE_BAD_VERSION;
	if (h->record_size != wire_record_size(h->kind) || !numbers_fit(h))
		return WIRE_BAD_SIZE;
	records = (size_t)h->count * h->record_size;
	if (records > WIRE_BATCH_MAX - WIRE_HEADER ||
	    h->cursor_len > WIRE_BATCH_MAX - WIRE_HEADER - records)
		return WIRE_BAD_SIZE;
	if (WIRE_HEADER + records + h->cursor_len > buf.n)
		return WIRE_SHORT;

	out->h = h;
	out->records = (const uint8_t *)buf.p + WIRE_HEADER;
	out->cursor = (struct sv){buf.p + WIRE_HEADER + records, h->cursor_len};
	out->size = WIRE_HEADER + records + h->cursor_len;
	return WIRE_OK;
}

void wire_header(struct wire_header *h, enum wire_kind kind, struct sv stream,
		 uint32_t boot, uint64_t seq, uint32_t count)
{
	*h = (struct wire_header){
		.magic = WIRE_MAGIC,
		.version = wire_record_version(kind),
		.kind = (uint16_t)kind,
		.count = count,
		.record_size = wire_record_size(kind),
		.seq = seq,
		.boot = boot,
	};
	sv_put(h->stream, sizeof(h->stream), stream);
}

static bool is_none(const struct wire_mark *m)
{
	return m->boot == 0 && m->seq == 0;
}

/* Make the boot's mark seen->now; false: it was not heard of. */
static bool recall(struct wire_seen *seen, uint32_t boot)
{
	struct wire_mark m;
	size_t i = 0;

	if (!is_none(&seen->now) && seen->now.boot == boot)
		return true;
	while (i < WIRE_BOOTS &&
	       (seen->before[i].boot != boot || is_none(&seen->before[i])))
		i++;
	if (i == WIRE_BOOTS)
		return false;
	m = seen->before[i];
	memmove(seen->before + 1, seen->before, i * sizeof(m));
	seen->before[0] = seen->now;
	seen->now = m;
	return true;
}

/* A batch without records (only a cursor moved) stands where its next record
 * would: it is next directly after the mark and a duplicate before it. */
enum wire_order wire_order(struct wire_seen *seen, const struct wire_header *h,
			   uint32_t *skip)
{
	const struct wire_mark *m = &seen->now;
	uint64_t known;

	*skip = 0;
	if (is_none(m))
		return WIRE_NEXT;
	if (!recall(seen, h->boot))
		return h->seq <= 1 ? WIRE_NEXT : WIRE_GAP;
	if (h->seq > m->seq)
		return h->seq - m->seq == 1 ? WIRE_NEXT : WIRE_GAP;
	known = m->seq - h->seq + 1;
	if (known >= h->count)
		return WIRE_DUPLICATE;
	*skip = (uint32_t)known;
	return WIRE_NEXT;
}

struct wire_mark wire_last(const struct wire_header *h)
{
	uint64_t next = h->seq + h->count;

	return (struct wire_mark){h->boot, next ? next - 1 : 0};
}

void wire_advance(struct wire_seen *seen, const struct wire_header *h)
{
	if (!recall(seen, h->boot) && !is_none(&seen->now)) {
		memmove(seen->before + 1, seen->before,
			(WIRE_BOOTS - 1) * sizeof(seen->now));
		seen->before[0] = seen->now;
	}
	seen->now = wire_last(h);
}

/* It rises by one a start: half the numbers are left for that. */
uint32_t wire_fresh_boot(void)
{
	return 1 + randombytes_uniform(INT32_MAX);
}
