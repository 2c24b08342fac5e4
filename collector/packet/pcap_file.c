/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/packet/pcap_file.h"

#include <stdlib.h>

#include <pcap/pcap.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/sv.h"

/*
 * Of a live capture.  Frames come in blocks of the ring, when one is full or
 * BLOCK_MS old: few wake-ups under load, little delay without.  A longer
 * message than SNAP is read as far as it goes, and flagged.
 */
enum { SNAP = 65535, RING_BYTES = 32 << 20, BLOCK_MS = 10 };

struct pcap_file {
	pcap_t *pcap;
	int linktype;
	bool live;
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

/* A warning (> 0) is no reason to stop: an interface may lack promiscuity. */
static bool start(pcap_t *p, const char *filter, struct err *e)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	struct bpf_program prog;
	int rc;

	if (pcap_set_snaplen(p, SNAP) || pcap_set_promisc(p, 1) ||
	    pcap_set_timeout(p, BLOCK_MS) ||
	    pcap_set_buffer_size(p, RING_BYTES))
		return err_set(e, "cannot be set up");
	rc = pcap_activate(p);
	if (rc < 0)
		return err_set(e, "%s%s%s", pcap_statustostr(rc),
			       pcap_geterr(p)[0] ? ": " : "", pcap_geterr(p));
	if (pcap_setnonblock(p, 1, why))
		return err_set(e, "%s", why);
	if (!filter)
		return true;
	if (pcap_compile(p, &prog, filter, 1, PCAP_NETMASK_UNKNOWN))
		return err_set(e, "filter: %s", pcap_geterr(p));
	rc = pcap_setfilter(p, &prog);
	pcap_freecode(&prog);
	return rc == 0 || err_set(e, "filter: %s", pcap_geterr(p));
}

bool pcap_file_listen(struct pcap_file **out, const char *interface,
		      const char *filter, struct err *e)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	pcap_t *pcap = pcap_create(interface, why);
	struct pcap_file *f;
	struct err cause;

	if (!pcap)
		return err_set(e, "%s: %s", interface, why);
	if (!start(pcap, filter, &cause)) {
		pcap_close(pcap);
		return err_set(e, "%s: %s", interface, cause.text);
	}
	f = xcalloc(1, sizeof(*f));
	f->pcap = pcap;
	f->linktype = pcap_datalink(pcap);
	f->live = true;
	f->path = xstrdup(interface);
	*out = f;
	return true;
}

int pcap_file_fd(const struct pcap_file *f)
{
	return f->live ? pcap_get_selectable_fd(f->pcap) : -1;
}

uint64_t pcap_file_dropped(const struct pcap_file *f)
{
	struct pcap_stat st;

	if (!f->live || pcap_stats(f->pcap, &st) != 0)
		return 0;
	return (uint64_t)st.ps_drop + st.ps_ifdrop;
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
	case 0:
		return PCAP_FILE_IDLE;
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
