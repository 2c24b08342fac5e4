/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast SIP in a capture becomes call events, beside what bounds it: a
 * bare walk over the same mapped file, libpcap's walk, and a general parser
 * (libosip2).  Each measure runs in a process of its own, so that peak memory
 * is its own too (the mapped file counts, where it is mapped).
 *
 *   bench_sip --generate CALLS FILE    write calls of 7 messages
 *   bench_sip FILE [RUNS]              measure, median of 5 runs; a
 *                                      little-endian pcap file of Ethernet
 *                                      frames
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "collector/packet/decode.h"
#include "collector/packet/pcap_file.h"
#include "collector/sip/dialog.h"
#include "common/clock.h"

bool osip_parses(const char *p, size_t n); /* bench_osip.c */

enum {
	RUNS = 5,
	RUNS_MAX = 99,
	CAPACITY = 1 << 17,
	FILE_HEADER = 24,
	RECORD_HEADER = 16
};

/* ---- writing the file ---- */

enum { MESSAGES = 7, CALLERS = 5000, START = 1700000000, FRAME_MAX = 2048 };

static const struct {
	const char *start, *method;
	int64_t at_us; /* after the INVITE */
	int cseq;
	int transaction;
	bool answer; /* travels from the callee */
	bool sdp;
} flow[MESSAGES] = {
	{NULL, "INVITE", 0, 1, 1, false, true},
	{"100 Trying", "INVITE", 8000, 1, 1, true, false},
	{"180 Ringing", "INVITE", 150000, 1, 1, true, false},
	{"200 OK", "INVITE", 4000000, 1, 1, true, true},
	{NULL, "ACK", 4020000, 1, 2, false, false},
	{NULL, "BYE", 14000000, 2, 3, false, false},
	{"200 OK", "BYE", 14015000, 2, 3, true, false},
};

static size_t sdp_text(char *out, size_t size, unsigned call, bool answer)
{
	return (size_t)snprintf(
		out, size,
		"v=0\r\no=user %u 2353687637 IN IP4 192.0.2.%u\r\ns=-\r\n"
		"c=IN IP4 192.0.2.%u\r\nt=0 0\r\nm=audio %u RTP/AVP 8 101\r\n"
		"a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n",
		call, call % 250, call % 250,
		10000 + (call * 2 + answer) % 40000);
}

static size_t message_text(char *out, size_t size, unsigned call, int step)
{
	unsigned caller = call % CALLERS, host = caller % 250;
	char start[128], to[80], body[512] = "";
	size_t n = 0;

	snprintf(to, sizeof(to), "sip:+4420794600%02u@198.51.100.%u:5060",
		 call % 100, call % 200 + 1);
	if (flow[step].sdp)
		n = sdp_text(body, sizeof(body), call, flow[step].answer);
	if (flow[step].start)
		snprintf(start, sizeof(start), "SIP/2.0 %s", flow[step].start);
	else
		snprintf(start, sizeof(start), "%s %s SIP/2.0",
			 flow[step].method, to);
	return (size_t)snprintf(
		out, size,
		"%s\r\n"
		"Via: SIP/2.0/UDP 192.0.2.%u:5060;branch=z9hG4bK-%u-%u-%d\r\n"
		"From: \"Caller %u\" <sip:0163296%04u@192.0.2.%u:5060>;"
		"tag=%uSIPpTag00%u\r\n"
		"To: <%s>%s\r\n"
		"Call-ID: %u-%u@192.0.2.%u\r\n"
		"CSeq: %d %s\r\n"
		"Contact: <sip:0163296%04u@192.0.2.%u:5060;transport=UDP>\r\n"
		"Max-Forwards: 70\r\n"
		"Subject: Performance Test\r\n"
		"%s"
		"Content-Length: %zu\r\n\r\n%s",
		start, host, call, caller, flow[step].transaction, caller,
		caller, host, call, caller, to,
		step >= 2 ? ";tag=01SIPpTag01" : "", call, caller * 7919 + 13,
		host, flow[step].cseq, flow[step].method, caller, host,
		flow[step].sdp ? "Content-Type: application/sdp\r\n" : "", n,
		body);
}

static void put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* Ethernet, IPv4, UDP around the text that is at f + 42. */
static size_t frame_headers(uint8_t *f, size_t text, unsigned call, bool answer)
{
	const uint8_t a[4] = {192, 0, 2, (uint8_t)(call % CALLERS % 250)};
	const uint8_t b[4] = {198, 51, 100, (uint8_t)(call % 200 + 1)};

	memset(f, 0, 42);
	f[12] = 0x08;
	f[14] = 0x45;
	put16(f + 16, text + 28);
	f[22] = 64;
	f[23] = 17;
	memcpy(f + 26, answer ? b : a, 4);
	memcpy(f + 30, answer ? a : b, 4);
	put16(f + 34, 5060);
	put16(f + 36, 5060);
	put16(f + 38, text + 8);
	return text + 42;
}

static void write_frame(FILE *out, unsigned call, int step, int64_t t_us)
{
	uint8_t f[FRAME_MAX];
	uint32_t h[4];
	size_t n = message_text((char *)f + 42, sizeof(f) - 42, call, step);

	n = frame_headers(f, n, call, flow[step].answer);
	h[0] = (uint32_t)(t_us / SEC_US);
	h[1] = (uint32_t)(t_us % SEC_US);
	h[2] = h[3] = (uint32_t)n;
	fwrite(h, sizeof(h), 1, out);
	fwrite(f, n, 1, out);
}

/* A call each millisecond; messages of all calls in the order of time. */
static int generate(unsigned calls, const char *path)
{
	static const uint32_t header[6] = {0xa1b2c3d4, 0x00040002, 0,
					   0,	       65535,	   1};
	unsigned next[MESSAGES] = {0};
	FILE *out = fopen(path, "wb");

	if (!out) {
		perror(path);
		return 1;
	}
	fwrite(header, sizeof(header), 1, out);
	for (uint64_t left = (uint64_t)calls * MESSAGES; left; left--) {
		int64_t first = INT64_MAX;
		int step = 0;

		for (int i = 0; i < MESSAGES; i++) {
			int64_t t = next[i] * INT64_C(1000) + flow[i].at_us;

			if (next[i] < calls && t < first) {
				first = t;
				step = i;
			}
		}
		write_frame(out, next[step]++, step, START * SEC_US + first);
	}
	if (fclose(out) != 0) {
		perror(path);
		return 1;
	}
	return 0;
}

/* ---- reading it ---- */

struct capture {
	const char *path;
	const uint8_t *p;
	size_t n;
	size_t runs; /* of each measure */
};

/* What a measure counted, so that nothing is optimised away. */
struct counts {
	uint64_t packets, good, events;
};

typedef void packet_fn(void *arg, const struct packet *p, int64_t t_us);
typedef void walk_fn(const struct capture *c, struct counts *n, packet_fn *each,
		     void *arg);

static void walk_map(const struct capture *c, struct counts *n, packet_fn *each,
		     void *arg)
{
	size_t at = FILE_HEADER;
	struct packet p;
	uint32_t h[4];

	while (at < c->n && c->n - at >= RECORD_HEADER) {
		memcpy(h, c->p + at, sizeof(h));
		at += RECORD_HEADER;
		if (h[2] > c->n - at)
			return;
		if (packet_udp(LINK_ETHERNET, c->p + at, h[2], &p) == 0) {
			n->packets++;
			each(arg, &p, h[0] * SEC_US + h[1]);
		}
		at += h[2];
	}
}

static void walk_pcap(const struct capture *c, struct counts *n,
		      packet_fn *each, void *arg)
{
	struct pcap_frame frame;
	struct pcap_file *f;
	struct packet p;
	struct err e;

	if (!pcap_file_open(&f, c->path, &e)) {
		fprintf(stderr, "%s\n", e.text);
		exit(1);
	}
	while (pcap_file_next(f, &frame, &e) == PCAP_FILE_OK)
		if (packet_udp(frame.linktype, frame.p, frame.caplen, &p) ==
		    0) {
			n->packets++;
			each(arg, &p, frame.t_us);
		}
	pcap_file_close(f);
}

struct work {
	struct counts *n;
	struct dialog_table *dialogs;
};

static void do_nothing(void *arg, const struct packet *p, int64_t t_us)
{
	struct work *w = arg;

	(void)t_us;
	w->n->good += p->payload.n > 0;
}

static void do_scan(void *arg, const struct packet *p, int64_t t_us)
{
	struct work *w = arg;
	struct sip_msg m;

	(void)t_us;
	w->n->good += sip_scan(p->payload, p->truncated, &m) == SIP_OK;
}

static void do_dialog(void *arg, const struct packet *p, int64_t t_us)
{
	struct work *w = arg;
	struct sip_msg m;

	if (sip_scan(p->payload, p->truncated, &m) != SIP_OK)
		return;
	w->n->good++;
	dialog_message(w->dialogs, &m, p, t_us);
}

static void do_osip(void *arg, const struct packet *p, int64_t t_us)
{
	struct work *w = arg;

	(void)t_us;
	w->n->good += osip_parses(p->payload.p, p->payload.n);
}

static void count_event(void *arg, struct event *ev)
{
	struct counts *n = arg;

	n->events += ev->kind == EVENT_CALL;
}

struct result {
	struct counts n;
	double seconds;
	long peak_kb;
};

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void measure_here(const struct capture *c, walk_fn *walk,
			 packet_fn *each, struct result *r)
{
	struct dialog_opts o = {
		.capacity = CAPACITY,
		.key = hash_public_key,
		.source = "bench",
		.emit = count_event,
		.emit_arg = &r->n,
	};
	struct work w = {.n = &r->n, .dialogs = dialog_new(&o)};
	struct rusage used;
	double from = now_s();

	walk(c, &r->n, each, &w);
	r->seconds = now_s() - from;
	dialog_free(w.dialogs);
	getrusage(RUSAGE_SELF, &used);
	r->peak_kb = used.ru_maxrss;
}

/* In a child, for a peak of its own. */
static struct result measure(const struct capture *c, walk_fn *walk,
			     packet_fn *each)
{
	struct result r = {0};
	int fd[2];

	if (pipe(fd) != 0)
		exit(1);
	if (fork() == 0) {
		measure_here(c, walk, each, &r);
		_exit(write(fd[1], &r, sizeof(r)) == sizeof(r) ? 0 : 1);
	}
	close(fd[1]);
	if (read(fd[0], &r, sizeof(r)) != sizeof(r)) {
		fprintf(stderr, "a measure died\n");
		exit(1);
	}
	close(fd[0]);
	wait(NULL);
	return r;
}

static int by_seconds(const void *a, const void *b)
{
	const struct result *x = a, *y = b;

	return (x->seconds > y->seconds) - (x->seconds < y->seconds);
}

static double print_row(const struct capture *c, const char *name,
			walk_fn *walk, packet_fn *each, double base)
{
	struct result r[RUNS_MAX], *m = &r[c->runs / 2];
	double rate;

	for (size_t i = 0; i < c->runs; i++)
		r[i] = measure(c, walk, each);
	qsort(r, c->runs, sizeof(r[0]), by_seconds);
	rate = m->seconds > 0 ? (double)m->n.packets / m->seconds : 0;
	printf("%-24s %8.3f %10.0f %6.3f %8.1f %9" PRIu64 " %9" PRIu64 "\n",
	       name, m->seconds, rate, base > 0 ? rate / base : 1.0,
	       (double)m->peak_kb / 1024, m->n.good, m->n.events);
	fflush(stdout);
	return rate;
}

static void print_table(const struct capture *c)
{
	char title[32];
	double base;

	snprintf(title, sizeof(title), "median of %zu", c->runs);
	printf("%-24s %8s %10s %6s %8s %9s %9s\n", title, "seconds", "msg/s",
	       "ratio", "peak MB", "messages", "events");
	fflush(stdout);
	base = print_row(c, "mmap walk", walk_map, do_nothing, 0);
	print_row(c, "libpcap walk", walk_pcap, do_nothing, base);
	print_row(c, "mmap, scan", walk_map, do_scan, base);
	print_row(c, "mmap, scan, dialog", walk_map, do_dialog, base);
	print_row(c, "libpcap, scan, dialog", walk_pcap, do_dialog, base);
	print_row(c, "mmap, libosip2 parse", walk_map, do_osip, base);
}

static int bench(const char *path, size_t runs)
{
	struct capture c = {.path = path, .runs = runs};
	int fd = open(path, O_RDONLY);
	struct stat st;
	void *map;

	if (fd < 0 || fstat(fd, &st) != 0 || st.st_size < FILE_HEADER) {
		perror(path);
		return 1;
	}
	c.n = (size_t)st.st_size;
	map = mmap(NULL, c.n, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED) {
		perror(path);
		return 1;
	}
	c.p = map;
	print_table(&c);
	return 0;
}

int main(int argc, char **argv)
{
	uint32_t runs = RUNS;

	if (argc == 4 && strcmp(argv[1], "--generate") == 0)
		return generate((unsigned)strtoul(argv[2], NULL, 10), argv[3]);
	if (argc == 3 &&
	    (!sv_u32(sv_of(argv[2]), &runs) || runs < 1 || runs > RUNS_MAX))
		argc = 0;
	if (argc == 2 || argc == 3)
		return bench(argv[1], runs);
	fprintf(stderr, "usage: bench_sip --generate CALLS FILE\n"
			"       bench_sip FILE [RUNS]\n");
	return 2;
}
