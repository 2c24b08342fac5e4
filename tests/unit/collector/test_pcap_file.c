/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "collector/packet/pcap_file.c"

#include "collector/packet/decode.h"

/* clang-format off */
/* microseconds little-endian, nanoseconds big-endian, pcapng: one frame each,
 * of four bytes, captured at 1,000,000,000.000007 s */
static const char usec[] =
	"\xd4\xc3\xb2\xa1" "\2\0\4\0" "\0\0\0\0" "\0\0\0\0" "\0\0\1\0" "\x65\0\0\0"
	"\0\xca\x9a\x3b" "\7\0\0\0" "\4\0\0\0" "\x20\0\0\0" "abcd";
static const char nsec[] =
	"\xa1\xb2\x3c\x4d" "\0\2\0\4" "\0\0\0\0" "\0\0\0\0" "\0\1\0\0" "\0\0\0\x01"
	"\x3b\x9a\xca\0" "\0\0\x1b\xbc" "\0\0\0\4" "\0\0\0\x20" "abcd";
static const char ng[] =
	"\x0a\x0d\x0d\x0a" "\x1c\0\0\0" "\x4d\x3c\x2b\x1a" "\1\0\0\0"
	"\xff\xff\xff\xff\xff\xff\xff\xff" "\x1c\0\0\0"
	"\1\0\0\0" "\x14\0\0\0" "\x71\0\0\0" "\0\0\1\0" "\x14\0\0\0"
	"\6\0\0\0" "\x24\0\0\0" "\0\0\0\0" "\x7e\x8d\3\0" "\7\x80\xc6\xa4"
	"\4\0\0\0" "\x20\0\0\0" "abcd" "\x24\0\0\0";
/* clang-format on */

static const char *write_file(const char *bytes, size_t n)
{
	static char path[] = "/tmp/test_pcap_file.XXXXXX";
	int fd;

	memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	close(fd);
	return path;
}

static void reads_one(const char *bytes, size_t n, int linktype)
{
	const char *path = write_file(bytes, n);
	struct pcap_frame frame;
	struct pcap_file *f;
	struct err e;

	if (!pcap_file_open(&f, path, &e))
		fail_msg("%s", e.text);
	assert_int_equal(pcap_file_next(f, &frame, &e), PCAP_FILE_OK);
	assert_int_equal(frame.t_us, INT64_C(1000000000000007));
	assert_int_equal(frame.caplen, 4);
	assert_int_equal(frame.len, 32);
	assert_memory_equal(frame.p, "abcd", 4);
	assert_int_equal(frame.linktype, linktype);
	assert_int_equal(pcap_file_next(f, &frame, &e), PCAP_FILE_END);
	pcap_file_close(f);
	unlink(path);
}

static void reads_every_form(void **state)
{
	(void)state;
	reads_one(usec, sizeof(usec) - 1, LINK_RAW_BSD);
	reads_one(nsec, sizeof(nsec) - 1, LINK_ETHERNET);
	reads_one(ng, sizeof(ng) - 1, LINK_COOKED);
}

static void a_torn_file_is_an_error(void **state)
{
	const char *path = write_file(usec, sizeof(usec) - 3);
	struct pcap_frame frame;
	struct pcap_file *f;
	struct err e;

	(void)state;
	assert_true(pcap_file_open(&f, path, &e));
	assert_int_equal(pcap_file_next(f, &frame, &e), PCAP_FILE_BROKEN);
	assert_true(strncmp(e.text, path, strlen(path)) == 0);
	pcap_file_close(f);
	unlink(path);
}

static void what_is_no_capture_is_an_error(void **state)
{
	const char *path = write_file("not a capture file at all", 25);
	struct pcap_file *f;
	struct err e;

	(void)state;
	assert_false(pcap_file_open(&f, path, &e));
	assert_true(strncmp(e.text, path, strlen(path)) == 0);
	unlink(path);
	assert_false(pcap_file_open(&f, path, &e));
	assert_non_null(strstr(e.text, "No such file"));
	pcap_file_close(NULL);
}

static void no_interface_is_an_error(void **state)
{
	struct pcap_file *f;
	struct err e;

	(void)state;
	assert_false(pcap_file_listen(&f, "nosuch0", NULL, &e));
	assert_true(strncmp(e.text, "nosuch0: ", 9) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_form),
		cmocka_unit_test(a_torn_file_is_an_error),
		cmocka_unit_test(what_is_no_capture_is_an_error),
		cmocka_unit_test(no_interface_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
