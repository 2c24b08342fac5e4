/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COLLECTOR_SOURCE_PCAP_H
#define COLLECTOR_SOURCE_PCAP_H

#include "collector/packet/decode.h"
#include "collector/packet/pcap_file.h"
#include "collector/resolve.h"
#include "collector/sip/dialog.h"

/*
 * Capture files of one source, one after the other, as call events: frames
 * are pushed through packet, scan and dialog, what comes out is pulled one
 * by one.  Calls go on from file to file; one whose BYE was seen does not.  The same files in the same order
 * always give the same events.
 */
struct pcap_source;

struct pcap_source_opts {
	const char *source;
	struct hash_key key;
	const struct resolver *resolver;
	uint32_t dialogs_max;
	int64_t max_call_us; /* 0 = the default of dialog.h */
};

struct pcap_source *pcap_source_new(const struct pcap_source_opts *o);
void pcap_source_free(struct pcap_source *s); /* NULL ok */

/* path "-" is standard input.  The file before it is left where it is. */
MUST_USE bool pcap_source_open(struct pcap_source *s, const char *path,
			       struct err *e);

/* Instead of files: what passes an interface, filter NULL = all of it. */
MUST_USE bool pcap_source_listen(struct pcap_source *s, const char *interface,
				 const char *filter, struct err *e);
/* Readable when there may be events; -1 when it does not listen. */
int pcap_source_fd(const struct pcap_source *s);
/* Listening, and it is now_us without a frame: end the calls that are due. */
void pcap_source_quiet(struct pcap_source *s, int64_t now_us);

enum pcap_source_rc {
	PCAP_SOURCE_EVENT,
	PCAP_SOURCE_IDLE,   /* of an interface: nothing for now */
	PCAP_SOURCE_END,    /* of this file: no call is ended by it */
	PCAP_SOURCE_BROKEN, /* *e: the rest of the file cannot be read */
};
enum pcap_source_rc pcap_source_next(struct pcap_source *s, struct event *ev,
				     struct err *e);

struct pcap_source_stats {
	uint64_t frames;
	uint64_t dropped;    /* by the kernel: they came too fast */
	uint64_t time_jumps; /* frames whose time the next one belied */
	uint64_t packet[PACKET_RCS];
	uint64_t sip[SIP_RCS];
	struct dialog_stats dialog;
};
struct pcap_source_stats pcap_source_stats(const struct pcap_source *s);

#endif
