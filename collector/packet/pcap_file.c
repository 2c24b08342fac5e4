/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/packet/pcap_file.h"

#include <stdlib.h>

#include <pcap/pcap.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/sv.h"

struct pcap_file {
	pcap_t *pcap;
	int linktype;
	char *path;
};

bool pcap_file_open(struct pcap_file **out, const char *path, struct err *e)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	struct pcap_file *f;
	pcap_t *pcap;

	/* libpcap turns nanosecond files and any if_tsresol into this */
	pcap = pcap_open_offline_with_tstamp_precision(
		path, PCAP_TSTAMP_PRECISION_MICRO, why);
	if (!pcap) {
		/* for a file it cannot open, libpcap's text has the path */
		if (sv_starts(sv_of(why), sv_of(path)))
			return err_set(e, "%s", why);
		return err_set(e, "%s: %s", path, why);
	}
	f = xcalloc(1, sizeof(*f));
	f->pcap = pcap;
	f->linktype = pcap_datalink(pcap);
	f->path = xstrdup(path);
	*out = f;
	return true;
}

void pcap_file_close(struct pcap_file *f)
{
	if (!f)
		return;
	pcap_close(f->pcap);
	free(f->path);
	free(f);
}

enum pcap_file_rc pcap_file_next(struct pcap_file *f, struct pcap_frame *out,
				 struct err *e)
{
	struct pcap_pkthdr *h;
	const u_char *p;

	switch (pcap_next_ex(f->pcap, &h, &p)) {
	case 1:
		break;
	case PCAP_ERROR_BREAK:
		return PCAP_FILE_END;
	default:
		err_set(e, "%s: %s", f->path, pcap_geterr(f->pcap));
		return PCAP_FILE_BROKEN;
	}
	out->p = p;
	out->caplen = h->caplen;
	out->len = h->len;
	out->t_us = (int64_t)h->ts.tv_sec * SEC_US + h->ts.tv_usec;
	out->linktype = f->linktype;
	return PCAP_FILE_OK;
}
