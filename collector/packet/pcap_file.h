/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COLLECTOR_PACKET_PCAP_FILE_H
#define COLLECTOR_PACKET_PCAP_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/*
 * A capture file of any age and byte order, pcap or pcapng, through libpcap,
 * one frame at a time.
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
	PCAP_FILE_BROKEN, /* no way to go on: *e says why */
};

/* path "-" is standard input. */
MUST_USE bool pcap_file_open(struct pcap_file **out, const char *path,
			     struct err *e);
void pcap_file_close(struct pcap_file *f); /* NULL ok */

enum pcap_file_rc pcap_file_next(struct pcap_file *f, struct pcap_frame *out,
				 struct err *e);

#endif
