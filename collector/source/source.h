/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COLLECTOR_SOURCE_SOURCE_H
#define COLLECTOR_SOURCE_SOURCE_H

#include "collector/config.h"
#include "collector/offset.h"
#include "collector/source/pcap.h"

/*
 * The files, or the interface, of one configured source as one stream of
 * events that is pulled: peek as often as wanted, take moves the file's mark
 * on.  Files are read in the order of their names.
 *
 *   CDR   goes on at its byte offset.  A file that was renamed is read to its
 *         end under its new name; one that was cut is read from the start.
 *   pcap  is read from the start again, because calls live in memory; as many
 *         events as its mark says are left out, so each comes once.
 *   live  has no past: what passed while nobody listened is not seen, and of
 *         calls that were up then there is no end.
 */
struct source;

struct source_opts {
	const struct source_conf *conf;
	const struct collector_conf *site;
	struct offsets *offsets;
	const char *base;    /* folder of relative paths */
	const char *rejects; /* folder of reject lists */
	bool finite;	     /* the files are all there is */
};

MUST_USE bool source_new(struct source **out, const struct source_opts *o,
			 struct err *e);
void source_free(struct source *s); /* NULL ok */

/* Look for new, renamed and cut files, or for an interface that was gone.
 * Does nothing once it has ended. */
void source_scan(struct source *s);

enum source_rc {
	SOURCE_EVENT,
	SOURCE_IDLE, /* nothing for now */
	SOURCE_END,  /* finite, and all is read */
};

/* The next event, owned by s until source_take. */
enum source_rc source_peek(struct source *s, struct event **ev);
void source_take(struct source *s);

const char *source_name(const struct source *s);
/* Readable when there may be events; -1: look now and then. */
int source_fd(const struct source *s);
bool source_is_pcap(const struct source *s);
/* False: it is not of captures. */
bool source_capture(const struct source *s, struct pcap_source_stats *out);
uint64_t source_rejected(const struct source *s);
/* Files given up, and frames that the kernel dropped. */
uint64_t source_broken(const struct source *s);

/* Of several finite sources the one whose next event was observed first, in
 * order of the list when equal; NULL when all have ended. */
struct source *merge_next(struct source *const *list, size_t n,
			  struct event **ev);

#endif
