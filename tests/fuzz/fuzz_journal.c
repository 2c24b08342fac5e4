/* SPDX-License-Identifier: Apache-2.0 */
/* folder: common */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/journal.h"
#include "common/journal_seg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Entries up to what is not one; ends rise, payloads are not empty. */
static unsigned count_entries(const char *dir, uint64_t *end)
{
	struct journal_reader *r;
	struct sv payload;
	struct err e;
	uint64_t at;
	unsigned n = 0;

	*end = 0;
	if (!journal_read_open(&r, dir, 0, &e))
		return 0;
	for (; journal_next(r, &payload, &at, &e) == JOURNAL_OK; n++) {
		assert(payload.n > 0 && payload.n <= ENTRY_MAX);
		assert(at == *end + entry_size(payload.n));
		*end = at;
	}
	journal_read_close(r);
	return n;
}

/* A good entry in front of the bytes: without it all could be a tail. */
static void begin(const char *dir)
{
	const struct journal_opts o = {0};
	char text[] = "first";
	struct iovec iov = {text, sizeof(text)};
	struct journal *j;
	struct err e;
	bool ok = journal_open(&j, dir, &o, &e);

	assert(ok);
	ok = journal_append(j, &iov, 1, NULL, &e);
	assert(ok);
	journal_close(j);
}

/* A journal that opens holds exactly what its reader can read, and goes on
 * from there; one that does not open is left as it was. */
static void reopen(const char *dir, unsigned n, uint64_t end, uint64_t whole)
{
	const struct journal_opts o = {0};
	char text[] = "last";
	struct iovec iov = {text, sizeof(text)};
	struct journal *j;
	uint64_t then;
	uint64_t size;
	struct err e;
	bool ok = journal_open(&j, dir, &o, &e);

	if (!ok) {
		ok = seg_size(dir, 0, &size, &e);
		assert(ok && size == whole);
		return;
	}
	assert(journal_end(j) == end);
	assert(journal_torn(j) == whole - end);
	ok = journal_append(j, &iov, 1, &then, &e);
	assert(ok);
	journal_close(j);
	assert(count_entries(dir, &end) == n + 1 && end == then);
}

/* The bytes stand behind a good entry, as a crash or a bad disk may leave
 * them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char root[] = "/tmp/tw-fuzz-XXXXXX";
	char path[64];
	char segment[96];
	uint64_t end;
	unsigned n;
	int fd;

	if (!mkdtemp(root))
		return 0;
	snprintf(path, sizeof(path), "%s/j", root);
	snprintf(segment, sizeof(segment), "%s/%016x.seg", path, 0);
	begin(path);
	fd = open(segment, O_WRONLY | O_APPEND);
	assert(fd >= 0);
	if (size == 0 || write(fd, data, size) == (ssize_t)size) {
		n = count_entries(path, &end);
		assert(n >= 1);
		reopen(path, n, end, entry_size(6) + size);
	}
	close(fd);
	unlink(segment);
	rmdir(path);
	rmdir(root);
	return 0;
}
