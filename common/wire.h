/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_WIRE_H
#define COMMON_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/event.h"
#include "common/sv.h"

/*
 * What crosses a bus, lies in a journal entry and flows through the pipe of
 * "decode --wire": a batch = one 64-byte header, count records of
 * record_size bytes, then cursor_len bytes that only the sender understands
 * (a file source's offset; receivers skip it).
 *
 *   +--------+----------+----------+ ... +--------+
 *   | header | record 0 | record 1 |     | cursor |
 *   +--------+----------+----------+ ... +--------+
 *
 * A batch comes from one stream (a collector's spool, an analyzer's
 * findings).  Records are numbered from 1 in each boot of the stream: record
 * i has number seq + i.  (stream, boot, number) is unique for ever.  A boot is
 * a name and not a time: it begins at random in a fresh state folder and rises
 * there, so neither a clock set back nor a lost folder makes old of new.
 */
enum {
	WIRE_MAGIC = 0x31425754, /* "TWB1" */
	WIRE_HEADER = 64,
	WIRE_BATCH_MAX = 1 << 18, /* bytes of a whole batch */
	WIRE_EVENTS_MAX = 512,	  /* events in one batch */
	WIRE_CONFIG_HASH = 64,	  /* SHA-256 in hex, without a NUL */
};

enum wire_kind {
	WIRE_EVENTS = 1,
	WIRE_FINDINGS = 2,
	WIRE_EXPOSURE = 3, /* not journalled, last value wins */
	WIRE_CONTROL = 4,
	WIRE_TICK = 5,	 /* archive only: seq is the time in us; no records */
	WIRE_CONFIG = 6, /* archive only: records are the config hash */
	/* bus protocol, no records: */
	WIRE_HELLO = 16, /* sender: here I am, tell me what you have */
	WIRE_ACK = 17,	 /* receiver: (boot, seq) and all before is safe;
			  * count = batches that may be unacknowledged */
	WIRE_NACK = 18,	 /* the same, and: send again what follows */
};

struct wire_header {
	uint32_t magic;
	uint16_t version; /* of the record kind */
	uint16_t kind;
	uint32_t count;
	uint32_t record_size;
	uint64_t seq; /* number of the first record */
	uint32_t boot;
	uint32_t cursor_len;
	char stream[24]; /* NUL-padded name of the stream */
	uint8_t reserved[8];
};

_Static_assert(sizeof(struct wire_header) == WIRE_HEADER, "header is 64");

/* A checked batch: views into the buffer it was cut from. */
struct wire_view {
	const struct wire_header *h; /* 8-byte aligned copy or view */
	const uint8_t *records;
	struct sv cursor;
	size_t size; /* whole batch in bytes */
};

enum wire_rc {
	WIRE_OK = 0,
	WIRE_SHORT, /* fewer bytes than the header says: read more */
	WIRE_BAD_MAGIC,
	WIRE_BAD_KIND,	  /* unknown kind */
	WIRE_BAD_VERSION, /* known kind in a version we do not speak */
	WIRE_BAD_SIZE,	  /* lengths contradict, or over WIRE_BATCH_MAX */
};

/* Check the batch at the front of buf (8-byte aligned).  Records keep their
 * own check (event_check) for the reader. */
enum wire_rc wire_check(struct sv buf, struct wire_view *out);

/* Fill a header. */
void wire_header(struct wire_header *h, enum wire_kind kind, struct sv stream,
		 uint32_t boot, uint64_t seq, uint32_t count);

/* Bytes of one record of this kind, 0 for kinds without; and its version, 0
 * for an unknown kind. */
uint32_t wire_record_size(enum wire_kind kind);
uint16_t wire_record_version(enum wire_kind kind);

static inline const struct event *wire_event(const struct wire_view *v,
					     uint32_t i)
{
	return (const struct event *)(v->records + (size_t)i * EVENT_SIZE);
}

/* How far one boot of a stream has come. */
struct wire_mark {
	uint32_t boot;
	uint64_t seq; /* last record that is safe */
};

/*
 * How far a receiver has come in one stream.  All zero is "nothing yet": the
 * first batch is accepted whatever its number (what came before was
 * acknowledged in an earlier life of the receiver).  Boots that were heard
 * lately are remembered, for a sender that goes back sends their last batches
 * again.
 */
enum { WIRE_BOOTS = 15 };

struct wire_seen {
	struct wire_mark now; /* the boot that spoke last: what to answer */
	struct wire_mark before[WIRE_BOOTS]; /* newest first; zero = none */
};

enum wire_order {
	WIRE_NEXT = 0,	/* exactly what follows; *skip records are known */
	WIRE_DUPLICATE, /* all of it is known: acknowledge again */
	WIRE_GAP,	/* something before it is missing: NACK */
};

/* Where a batch stands against what was seen.  An overlap gives WIRE_NEXT and
 * the number of leading records to skip.  A new boot is next only when it
 * starts at record 1; one that was seen before becomes seen->now. */
enum wire_order wire_order(struct wire_seen *seen, const struct wire_header *h,
			   uint32_t *skip);
void wire_advance(struct wire_seen *seen, const struct wire_header *h);

/* Where a receiver stands that has this batch and all before it. */
struct wire_mark wire_last(const struct wire_header *h);

/* A number for the first boot of a fresh state folder. */
uint32_t wire_fresh_boot(void);

#endif
