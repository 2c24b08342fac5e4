/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COLLECTOR_PACKET_PCAP_FILE_H
#define COLLECTOR_PACKET_PCAP_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/*
 * A capture file of any age and byte order, pcap or pcapng, or an interface,
 * through libpcap, one frame at a time.
 */
struct pcap_file;

struct pcap_frame {
	const uint8_t *p; /* dead at the next pcap_file_next() */
	size_t caplen;	  /* bytes at p */
	size_t len;	  /* bytes the frame had on the wire */
	int64_t t_us;	  /* when it was captured, UTC */
	int linktype;	  /* for packet_udp() */
};

enum pcap_file_rc {
	PCAP_FILE_OK = 0,
	PCAP_FILE_END,
	PCAP_FILE_IDLE,	  /* of an interface: nothing for now */
	PCAP_FILE_BROKEN, /* no way to go on: *e says why */
};

/* path "-" is standard input. */
MUST_USE bool pcap_file_open(struct pcap_file **out, const char *path,
			     struct err *e);
/* What passes an interface from now on; filter NULL = everything.  Wants the
 * right to capture (CAP_NET_RAW). */
MUST_USE bool pcap_file_listen(struct pcap_file **out, const char *interface,
			       const char *filter, struct err *e);
/* Readable when there may be frames; -1 for a file. */
int pcap_file_fd(const struct pcap_file *f);
/* Frames that came faster than they were read, until now. */
uint64_t pcap_file_dropped(const struct pcap_file *f);
void pcap_file_close(struct pcap_file *f); /* NULL ok */

enum pcap_file_rc pcap_file_next(struct pcap_file *f, struct pcap_frame *out,
				 struct err *e);

#endif
