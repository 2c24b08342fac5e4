/* SPDX-License-Identifier: Apache-2.0 */
#include "common/journal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "common/journal_seg.h"
#include "common/mem.h"

enum { IOV_MAX_PARTS = 14, SEGMENT_BYTES = 64 << 20 };

/* A segment is written under this name and renamed when its header is on
 * disk: no reader ever meets half a header. */
static const char new_name[] = "new.tmp";

struct journal {
	char *dir;
	int dirfd; /* also holds the lock */
	int fd;	   /* last segment; -1 when read only */
	struct seg_list segs;
	uint64_t end;
	uint64_t torn;
	uint64_t segment_bytes;
	bool unsynced;
	bool dirty_tail; /* a failed append could not be taken back yet */
	bool lost;	 /* a sync failed: what is on disk is not known */
};

static bool fail(const struct journal *j, const char *what, struct err *e)
{
	return err_set(e, "%s: %s: %s", j->dir, what, strerror(errno));
}

static uint64_t last_base(const struct journal *j)
{
	return j->segs.base[j->segs.n - 1];
}

static off_t file_end(const struct journal *j)
{
	return (off_t)(SEG_HEADER + j->end - last_base(j));
}

/* ---- segments ---- */

static bool write_header(struct journal *j, int fd, struct err *e)
{
	uint8_t header[SEG_HEADER];
	char name[SEG_NAME];
	ssize_t n;

	seg_header(j->end, header);
	seg_name(j->end, name);
	n = pwrite(fd, header, sizeof(header), 0);
	if (n >= 0 && n != SEG_HEADER) {
		errno = ENOSPC;
		return fail(j, "new segment", e);
	}
	if (n < 0 || fsync(fd) || renameat(j->dirfd, new_name, j->dirfd, name))
		return fail(j, "new segment", e);
	if (fsync(j->dirfd) == 0)
		return true;
	fail(j, "new segment", e);
	unlinkat(j->dirfd, name, 0); /* the old one goes on growing */
	return false;
}

/* Begin a segment at the end; what came before is on disk first, so that
 * only the last segment can be torn. */
static bool begin_segment(struct journal *j, struct err *e)
{
	int fd;

	if (j->fd >= 0 && !journal_sync(j, e))
		return false;
	fd = openat(j->dirfd, new_name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return fail(j, "new segment", e);
	if (!write_header(j, fd, e)) {
		close(fd);
		unlinkat(j->dirfd, new_name, 0);
		return false;
	}
	if (j->fd >= 0)
		close(j->fd);
	j->fd = fd;
	seg_list_add(&j->segs, j->end);
	return true;
}

/* Every segment but the last must end where the next begins. */
static bool check_chain(struct journal *j, struct err *e)
{
	const struct seg_list *l = &j->segs;
	uint64_t size;

	for (size_t i = 0; i + 1 < l->n; i++) {
		char name[SEG_NAME];

		if (!seg_size(j->dir, l->base[i], &size, e))
			return false;
		if (l->base[i + 1] - l->base[i] == size)
			continue;
		seg_name(l->base[i], name);
		return err_set(e,
			       "%s/%s: offset %llu: does not end where the "
			       "next segment begins",
			       j->dir, name,
			       (unsigned long long)(SEG_HEADER + size));
	}
	return true;
}

/* Find the end: walk the last segment; *good: up to a torn tail. */
static bool walk_last(struct journal *j, uint64_t *torn, struct err *e)
{
	struct seg_walk w = {.fd = -1};
	enum seg_rc rc = SEG_CORRUPT;
	struct sv payload;
	uint64_t size;

	*torn = 0;
	if (seg_walk_open(&w, j->dir, last_base(j), e))
		while ((rc = seg_next(&w, j->dir, &payload, e)) == SEG_OK)
			;
	j->end = last_base(j) + w.off;
	if (rc == SEG_TAIL) {
		if (!seg_size(j->dir, last_base(j), &size, e))
			rc = SEG_CORRUPT;
		else if (size > w.off)
			*torn = size - w.off;
	}
	seg_walk_free(&w);
	return rc != SEG_CORRUPT;
}

static bool open_last(struct journal *j, uint64_t torn, struct err *e)
{
	char name[SEG_NAME];

	seg_name(last_base(j), name);
	j->fd = openat(j->dirfd, name, O_RDWR | O_CLOEXEC);
	if (j->fd < 0)
		return fail(j, name, e);
	if (torn && (ftruncate(j->fd, file_end(j)) || fdatasync(j->fd)))
		return fail(j, name, e);
	j->torn = torn;
	/* an earlier life may have written without a sync */
	j->unsynced = true;
	return true;
}

/* ---- open and close ---- */

static bool make_dir(struct journal *j, struct err *e)
{
	int parent;

	if (mkdir(j->dir, 0700))
		return errno == EEXIST || fail(j, "mkdir", e);
	j->dirfd = open(j->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (j->dirfd < 0)
		return fail(j, "open", e);
	/* not every file system can: then there is nothing better to do */
	parent = openat(j->dirfd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent >= 0) {
		fsync(parent);
		close(parent);
	}
	return true;
}

static bool open_dir(struct journal *j, bool read_only, struct err *e)
{
	if (!read_only && !make_dir(j, e))
		return false;
	if (j->dirfd < 0)
		j->dirfd = open(j->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (j->dirfd < 0)
		return err_set(e, "%s: %s", j->dir, strerror(errno));
	if (read_only || flock(j->dirfd, LOCK_EX | LOCK_NB) == 0)
		return true;
	if (errno == EWOULDBLOCK)
		return err_set(e, "%s: already in use by another process",
			       j->dir);
	return fail(j, "lock", e);
}

static bool load(struct journal *j, bool read_only, struct err *e)
{
	uint64_t torn;

	if (!open_dir(j, read_only, e) || !seg_list_read(&j->segs, j->dir, e))
		return false;
	if (j->segs.n == 0)
		return read_only || begin_segment(j, e);
	if (!check_chain(j, e) || !walk_last(j, &torn, e))
		return false;
	return read_only || open_last(j, torn, e);
}

static void release(struct journal *j)
{
	if (j->fd >= 0)
		close(j->fd);
	if (j->dirfd >= 0)
		close(j->dirfd);
	seg_list_free(&j->segs);
	free(j->dir);
	free(j);
}

bool journal_open(struct journal **out, const char *dir,
		  const struct journal_opts *o, struct err *e)
{
	struct journal *j = xcalloc(1, sizeof(*j));

	j->dir = xstrdup(dir);
	j->dirfd = -1;
	j->fd = -1;
	j->segment_bytes = o->segment_bytes ? o->segment_bytes : SEGMENT_BYTES;
	if (!load(j, o->read_only, e)) {
		release(j);
		return false;
	}
	*out = j;
	return true;
}

void journal_close(struct journal *j)
{
	struct err nobody_to_tell;

	if (!j)
		return;
	if (j->fd >= 0 && !journal_sync(j, &nobody_to_tell))
		j->lost = true;
	release(j);
}

/* ---- append ---- */

static bool take_back(struct journal *j)
{
	j->dirty_tail = ftruncate(j->fd, file_end(j)) != 0;
	return !j->dirty_tail;
}

static bool write_entry(struct journal *j, const struct iovec *iov, int n,
			size_t size, struct err *e)
{
	ssize_t got;

	do
		got = pwritev(j->fd, iov, n, file_end(j));
	while (got < 0 && errno == EINTR);
	if (got == (ssize_t)size)
		return true;
	if (got >= 0)
		errno = ENOSPC; /* a file takes part only when it is full */
	fail(j, "append", e);
	take_back(j);
	return false;
}

bool journal_append(struct journal *j, const struct iovec *iov, int n,
		    uint64_t *end, struct err *e)
{
	static const uint8_t zero[8];
	struct iovec part[IOV_MAX_PARTS + 2];
	uint32_t header[2];
	size_t len = 0;
	uLong crc;

	assert(j->fd >= 0 && n > 0 && n <= IOV_MAX_PARTS);
	for (int i = 0; i < n; i++) {
		if (iov[i].iov_len > ENTRY_MAX - len)
			return err_set(e, "%s: entry is too long", j->dir);
		len += iov[i].iov_len;
	}
	assert(len > 0);
	if (j->dirty_tail && !take_back(j))
		return fail(j, "append", e);
	if (j->end - last_base(j) >= j->segment_bytes && !begin_segment(j, e))
		return false;

	crc = entry_crc_begin((uint32_t)len);
	for (int i = 0; i < n; i++) {
		crc = crc32(crc, iov[i].iov_base, (uInt)iov[i].iov_len);
		part[i + 1] = iov[i];
	}
	header[0] = (uint32_t)len;
	header[1] = (uint32_t)crc;
	part[0] = (struct iovec){header, sizeof(header)};
	part[n + 1] = (struct iovec){(void *)zero,
				     entry_size(len) - ENTRY_HEADER - len};
	if (!write_entry(j, part, n + 2, entry_size(len), e))
		return false;
	j->end += entry_size(len);
	j->unsynced = true;
	if (end)
		*end = j->end;
	return true;
}

/* After a failed sync the kernel may have dropped the pages and marked them
 * clean: a second "success" would be a lie, so the failure stays. */
bool journal_sync(struct journal *j, struct err *e)
{
	if (j->lost)
		return err_set(e, "%s: an earlier sync failed: restart needed",
			       j->dir);
	if (!j->unsynced)
		return true;
	if (fdatasync(j->fd)) {
		j->lost = true;
		return fail(j, "sync", e);
	}
	j->unsynced = false;
	return true;
}

/* ---- ends ---- */

uint64_t journal_begin(const struct journal *j)
{
	return j->segs.n ? j->segs.base[0] : 0;
}

uint64_t journal_end(const struct journal *j)
{
	return j->end;
}

uint64_t journal_bytes(const struct journal *j)
{
	return j->end - journal_begin(j);
}

uint64_t journal_torn(const struct journal *j)
{
	return j->torn;
}

/* Delete the oldest n segments, oldest first, so that a crash in between
 * leaves no hole. */
static bool drop(struct journal *j, size_t n, struct err *e)
{
	size_t done;

	for (done = 0; done < n; done++) {
		char name[SEG_NAME];

		seg_name(j->segs.base[done], name);
		if (unlinkat(j->dirfd, name, 0) && errno != ENOENT) {
			fail(j, name, e);
			break;
		}
	}
	seg_list_drop(&j->segs, done);
	if (done < n)
		return false;
	if (n && fsync(j->dirfd))
		return fail(j, "sync", e);
	return true;
}

bool journal_retire(struct journal *j, uint64_t pos, struct err *e)
{
	size_t n = 0;

	assert(j->fd >= 0);
	if (pos >= j->end && j->end - last_base(j) >= j->segment_bytes &&
	    !begin_segment(j, e))
		return false;
	while (n + 1 < j->segs.n && j->segs.base[n + 1] <= pos)
		n++;
	return drop(j, n, e);
}

bool journal_expire(struct journal *j, int64_t wall_us, struct err *e)
{
	size_t n = 0;

	assert(j->fd >= 0);
	for (; n + 1 < j->segs.n; n++) {
		char name[SEG_NAME];
		struct stat st;

		seg_name(j->segs.base[n], name);
		if (fstatat(j->dirfd, name, &st, 0))
			return fail(j, name, e);
		if (st.st_mtim.tv_sec * INT64_C(1000000) +
			    st.st_mtim.tv_nsec / 1000 >=
		    wall_us)
			break;
	}
	return drop(j, n, e);
}
