/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <pcap/pcap.h>

#include "collector/source/pcap.c"

/* Times are seconds after this.  What is later than 2038 in a file of this
 * format, libpcap takes for before 1970. */
enum { T0 = 1700000000, IN_2036 = 400000000 };
#define IN_2099 INT64_C(2300000000)

/* One frame: a message of a call. */
struct shot {
	int64_t t;
	const char *start;
	const char *call;
};

static size_t datagram(uint8_t *out, const struct shot *s)
{
	char text[512];
	const char *method = strrchr(s->start, ' ');
	bool request = strncmp(s->start, "SIP", 3) != 0;
	char line[128];
	int n;

	if (request)
		snprintf(line, sizeof(line), "%s sip:b@example.com SIP/2.0",
			 s->start);
	else
		snprintf(line, sizeof(line), "%.11s x", s->start);
	n = snprintf(text, sizeof(text),
		     "%s\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK%s\r\n"
		     "From: <sip:a@h>;tag=f\r\nTo: <sip:b@h>%s\r\n"
		     "Call-ID: %s\r\nCSeq: 1 %s\r\n\r\n",
		     line, s->call,
		     strcmp(s->start, "INVITE") == 0 ? "" : ";tag=t", s->call,
		     request ? s->start : method + 1);
	memset(out, 0, 28);
	out[0] = 0x45;
	out[2] = (uint8_t)((n + 28) >> 8);
	out[3] = (uint8_t)(n + 28);
	out[8] = 64;
	out[9] = 17;
	out[12] = out[16] = 192;
	out[15] = request ? 1 : 2;
	out[19] = request ? 2 : 1;
	out[20] = out[22] = 5060 >> 8;
	out[21] = out[23] = 5060 & 0xff;
	out[24] = (uint8_t)((n + 8) >> 8);
	out[25] = (uint8_t)(n + 8);
	memcpy(out + 28, text, (size_t)n);
	return 28 + (size_t)n;
}

static void write_capture(const char *path, const struct shot *s)
{
	pcap_t *p = pcap_open_dead(DLT_RAW, 65535);
	pcap_dumper_t *d = pcap_dump_open(p, path);

	assert_non_null(d);
	for (; s->start; s++) {
		uint8_t frame[1024];
		struct pcap_pkthdr h = {.ts = {.tv_sec = T0 + s->t}};

		h.caplen = h.len = (bpf_u_int32)datagram(frame, s);
		pcap_dump((u_char *)d, &h, frame);
	}
	pcap_dump_close(d);
	pcap_close(p);
}

/* Phase and time of the events of a capture. */
static void read_capture(struct pcap_source *s, const char *path, char *out,
			 size_t size)
{
	struct event ev;
	struct err e;
	size_t n = 0;

	out[0] = '\0';
	assert_true(pcap_source_open(s, path, &e));
	while (pcap_source_next(s, &ev, &e) == PCAP_SOURCE_EVENT) {
		n += (size_t)snprintf(
			out + n, size - n, "%s %lld%s\n", phase_name(ev.phase),
			(long long)(event_time(&ev) / SEC_US - T0),
			ev.flags & EVENT_ESTIMATED ? " estimated" : "");
		assert_true(n < size);
	}
}

/* clang-format off */
static const struct {
	const char *name;
	struct shot shot[8];
	const char *out;
	uint64_t jumps;
} cases[] = {
	{"a time of no use in the middle",
	 {{0, "INVITE", "x"}, {1, "SIP/2.0 200 INVITE", "x"}, {IN_2099, "BYE", "x"},
	  {9, "BYE", "x"}, {9, "SIP/2.0 200 BYE", "x"}},
	 "setup 0\nanswer 1\nend 1\n", 1},
	{"a damaged time in the middle",
	 {{0, "INVITE", "x"}, {1, "SIP/2.0 200 INVITE", "x"}, {IN_2036, "INVITE", "y"},
	  {9, "BYE", "x"}, {9, "SIP/2.0 200 BYE", "x"}},
	 "setup 0\nanswer 1\nsetup 1\nend 9\n", 1},
	{"a damaged time first",
	 {{IN_2036, "INVITE", "x"}, {0, "INVITE", "y"}, {1, "SIP/2.0 200 INVITE", "x"}},
	 "setup 0\nsetup 0\nanswer 1\n", 1},
	{"a damaged time last",
	 {{0, "INVITE", "x"}, {1, "SIP/2.0 200 INVITE", "x"}, {IN_2036, "BYE", "x"}},
	 "setup 0\nanswer 1\nend 1\n", 1},
	{"two in a row are a quiet time",
	 {{0, "INVITE", "x"}, {1, "SIP/2.0 200 INVITE", "x"}, {20000, "BYE", "x"},
	  {20001, "SIP/2.0 200 BYE", "x"}},
	 "setup 0\nanswer 1\nend 20000\n", 0},
	{"every frame hours after the other",
	 {{0, "INVITE", "x"}, {4000, "INVITE", "y"}, {8000, "INVITE", "z"}},
	 "setup 0\nend 32 estimated\nsetup 4000\nend 4032 estimated\nsetup 8000\n", 0},
	{"one way only: the BYE is the last frame",
	 {{0, "INVITE", "x"}, {1, "SIP/2.0 200 INVITE", "x"}, {9000, "BYE", "x"}},
	 "setup 0\nanswer 1\nend 9000\n", 0},
	{"a single frame", {{0, "INVITE", "x"}}, "setup 0\n", 0},
};
/* clang-format on */

static struct pcap_source *new_source(void)
{
	static const struct resolver resolver = {.source = "tap"};

	return pcap_source_new(&(struct pcap_source_opts){
		.source = "tap",
		.key = hash_public_key,
		.resolver = &resolver,
		.dialogs_max = 100,
	});
}

static void one_damaged_time_moves_no_clock(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char path[] = "/tmp/tollwatch-pcap-XXXXXX", out[1024];
		struct pcap_source *s = new_source();
		int fd = mkstemp(path);

		assert_true(fd >= 0);
		close(fd);
		write_capture(path, cases[i].shot);
		read_capture(s, path, out, sizeof(out));
		if (strcmp(out, cases[i].out) != 0)
			fail_msg("%s: got\n%swant\n%s", cases[i].name, out,
				 cases[i].out);
		assert_int_equal(pcap_source_stats(s).time_jumps,
				 cases[i].jumps);
		pcap_source_free(s);
		unlink(path);
	}
}

/* The end of a file stands for the answer to a BYE, not for a BYE. */
static void calls_go_on_in_the_next_file(void **state)
{
	static const struct shot first[] = {{0, "INVITE", "x"},
					    {1, "SIP/2.0 200 INVITE", "x"},
					    {2, "INVITE", "y"},
					    {3, "SIP/2.0 200 INVITE", "y"},
					    {4, "BYE", "y"},
					    {0, NULL, NULL}};
	static const struct shot second[] = {{9000, "SIP/2.0 200 BYE", "y"},
					     {9001, "BYE", "x"},
					     {9002, "SIP/2.0 200 BYE", "x"},
					     {0, NULL, NULL}};
	char path[] = "/tmp/tollwatch-pcap-XXXXXX", out[1024];
	struct pcap_source *s = new_source();
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	write_capture(path, first);
	read_capture(s, path, out, sizeof(out));
	assert_string_equal(out, "setup 0\nanswer 1\nsetup 2\nanswer 3\n"
				 "end 4\n");
	write_capture(path, second);
	read_capture(s, path, out, sizeof(out));
	assert_string_equal(out, "end 9001\n");
	pcap_source_free(s);
	unlink(path);
}

/* Of an interface: the unanswered call ends, though nothing more comes. */
static void quiet_ends_what_is_due(void **state)
{
	static const struct shot shots[] = {{0, "INVITE", "x"},
					    {0, NULL, NULL}};
	char path[] = "/tmp/tollwatch-pcap-XXXXXX", out[1024];
	struct pcap_source *s = new_source();
	int fd = mkstemp(path);
	struct event ev;
	struct err e;

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	write_capture(path, shots);
	read_capture(s, path, out, sizeof(out));
	assert_int_equal(pcap_source_fd(s), -1);
	pcap_source_quiet(s, (T0 + 31) * SEC_US);
	assert_int_equal(pcap_source_next(s, &ev, &e), PCAP_SOURCE_END);
	pcap_source_quiet(s, (T0 + 33) * SEC_US);
	assert_int_equal(pcap_source_next(s, &ev, &e), PCAP_SOURCE_EVENT);
	assert_int_equal(ev.phase, PHASE_END);
	pcap_source_free(s);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_damaged_time_moves_no_clock),
		cmocka_unit_test(calls_go_on_in_the_next_file),
		cmocka_unit_test(quiet_ends_what_is_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
