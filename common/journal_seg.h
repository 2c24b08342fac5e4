/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_JOURNAL_SEG_H
#define COMMON_JOURNAL_SEG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/sv.h"

/*
 * Segment files of a journal: what its writer (journal.c) and its reader
 * (journal_read.c) both need to know, and nobody else.
 */
enum {
	SEG_MAGIC = 0x314a5754, /* "TWJ1" */
	SEG_VERSION = 1,
	SEG_HEADER = 16, /* magic u32, version u32, base u64 */
	SEG_NAME = 21,	 /* 16 hex digits, ".seg", NUL */
	ENTRY_HEADER = 8,
	ENTRY_MAX = 1 << 19,  /* payload bytes: two batches of the wire */
	SEG_WINDOW = 1 << 20, /* read at once; holds more than one entry */
};

/* Positions of the first entries of the segments present, rising. */
struct seg_list {
	uint64_t *base;
	size_t n;
};

MUST_USE bool seg_list_read(struct seg_list *l, const char *dir, struct err *e);
void seg_list_add(struct seg_list *l, uint64_t base);
void seg_list_drop(struct seg_list *l, size_t n); /* the oldest n */
void seg_list_free(struct seg_list *l);

void seg_name(uint64_t base, char out[SEG_NAME]);
void seg_header(uint64_t base, uint8_t out[SEG_HEADER]);

/* Bytes of entries of a segment, by its size. */
MUST_USE bool seg_size(const char *dir, uint64_t base, uint64_t *size,
		       struct err *e);

/* Bytes an entry with this payload takes. */
static inline size_t entry_size(size_t payload)
{
	return ENTRY_HEADER + ((payload + 7) & ~(size_t)7);
}

/* CRC of an entry covers the length too: a changed length never passes. */
uint32_t entry_crc_begin(uint32_t len);

/* Walks the entries of one segment. */
struct seg_walk {
	int fd; /* -1: closed */
	uint64_t base;
	uint64_t off; /* of the next entry from the first */
	uint8_t *buf; /* unread bytes from off on are buf[at..n) */
	size_t at;
	size_t n;
};

enum seg_rc {
	SEG_OK = 0,
	SEG_END,     /* exactly at the end of the file */
	SEG_TAIL,    /* what an interrupted append leaves, to the end */
	SEG_CORRUPT, /* *e names file and offset */
};

MUST_USE bool seg_walk_open(struct seg_walk *w, const char *dir, uint64_t base,
			    struct err *e);
void seg_walk_close(struct seg_walk *w); /* keeps the buffer */
void seg_walk_free(struct seg_walk *w);

/* *payload is 8-byte aligned and valid until the next call. */
enum seg_rc seg_next(struct seg_walk *w, const char *dir, struct sv *payload,
		     struct err *e);

#endif
