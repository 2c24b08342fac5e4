/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/checkpoint_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/mem.h"

enum { NAME = 64 };

#define PREFIX "checkpoint-"
#define SUFFIX ".txt"

static void name_of(uint64_t n, char out[NAME])
{
	snprintf(out, NAME, PREFIX "%010" PRIu64 SUFFIX, n);
}

/* 0: not the name of one. */
static uint64_t number_of(const char *name)
{
	struct sv s = sv_of(name);
	char again[NAME];
	uint64_t n;

	if (!sv_starts(s, SV(PREFIX)))
		return 0;
	s.p += sizeof(PREFIX) - 1;
	s.n -= sizeof(PREFIX) - 1;
	if (!sv_u64(sv_cut(&s, '.'), &n))
		return 0;
	name_of(n, again);
	return strcmp(name, again) == 0 ? n : 0;
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Before it is listed, so that the list stays true. */
static bool take(struct checkpoint_folder *f, struct err *e)
{
	if (flock(f->fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	f->busy = errno == EWOULDBLOCK;
	return err_set(e, "%s: %s", f->path,
		       f->busy ? "another checkpoint is being made"
			       : strerror(errno));
}

bool checkpoint_folder_open(struct checkpoint_folder *f, const char *path,
			    bool lock, struct err *e)
{
	const struct dirent *at;
	size_t cap = 0;
	int list;
	DIR *d;

	*f = (struct checkpoint_folder){.path = path};
	f->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->fd < 0)
		return err_set(e, "%s: %s", path, strerror(errno));
	if (lock && !take(f, e))
		return false;
	list = openat(f->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = list < 0 ? NULL : fdopendir(list);
	if (!d)
		return err_set(e, "%s: %s", path, strerror(errno));
	while ((at = readdir(d))) {
		uint64_t n = number_of(at->d_name);

		if (n == 0)
			continue;
		if (f->count == cap) {
			cap = cap ? 2 * cap : 1024;
			f->n = xrealloc(f->n, cap, sizeof(*f->n));
		}
		f->n[f->count++] = n;
	}
	closedir(d);
	if (f->count > 0)
		qsort(f->n, f->count, sizeof(*f->n), by_number);
	return true;
}

void checkpoint_folder_close(struct checkpoint_folder *f)
{
	if (f->fd >= 0)
		close(f->fd);
	free(f->n);
	*f = (struct checkpoint_folder){.fd = -1};
}

uint64_t checkpoint_folder_last(const struct checkpoint_folder *f)
{
	return f->count > 0 ? f->n[f->count - 1] : 0;
}

uint64_t checkpoint_folder_hole(const struct checkpoint_folder *f)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->n[i] != i + 1)
			return i + 1;
	return 0;
}

bool checkpoint_folder_has(const struct checkpoint_folder *f, uint64_t n)
{
	return f->count > 0 &&
	       bsearch(&n, f->n, f->count, sizeof(*f->n), by_number) != NULL;
}

/* ---- read ---- */

static bool read_file(const struct checkpoint_folder *f, const char *name,
		      char *out, size_t size, size_t *n, struct err *e)
{
	int fd = openat(f->fd, name,
			O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t got;

	if (fd < 0)
		return err_set(e, "%s/%s: %s", f->path, name,
			       errno == ENOENT ? "is not there"
					       : strerror(errno));
	got = read(fd, out, size);
	close(fd);
	if (got < 0)
		return err_set(e, "%s/%s: %s", f->path, name, strerror(errno));
	if ((size_t)got == size)
		return err_set(e, "%s/%s: too long", f->path, name);
	*n = (size_t)got;
	return true;
}

/* The trusted comment says the same as the text, for those who see only it. */
static bool check_comment(const struct checkpoint *c, const char *comment,
			  struct err *e)
{
	char want[CHECKPOINT_COMMENT];

	checkpoint_comment(c, want);
	return strcmp(comment, want) == 0 ||
	       err_set(e, "the trusted comment is of another text");
}

bool checkpoint_folder_load(const struct checkpoint_folder *f, uint64_t n,
			    const struct minisign_public *key,
			    struct checkpoint_file *out, struct err *e)
{
	char name[NAME], signed_by[NAME + 16], comment[MINISIGN_COMMENT];
	size_t size = 0;

	name_of(n, name);
	snprintf(signed_by, sizeof(signed_by), "%s.minisig", name);
	if (!read_file(f, name, out->text, sizeof(out->text), &out->size, e) ||
	    !read_file(f, signed_by, out->signature, sizeof(out->signature) - 1,
		       &size, e))
		return false;
	out->signature[size] = '\0';
	sha256_hex(out->text, out->size, out->sha256);
	if (!minisign_verify(key, (struct sv){out->text, out->size},
			     (struct sv){out->signature, size}, comment, e) ||
	    !checkpoint_parse(&out->c, (struct sv){out->text, out->size}, e) ||
	    !check_comment(&out->c, comment, e))
		return err_prefix(e, "%s/%s", f->path, name);
	return out->c.n == n ||
	       err_set(e, "%s/%s: is number %" PRIu64, f->path, name, out->c.n);
}

/* ---- write ---- */

static bool write_whole(const struct checkpoint_folder *f, const char *name,
			const char *text, size_t n, struct err *e)
{
	int fd = openat(f->fd, name,
			O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
			0644);
	bool ok = fd >= 0 && write(fd, text, n) == (ssize_t)n && fsync(fd) == 0;
	int error = errno;

	if (fd >= 0 && close(fd) != 0 && ok) {
		ok = false;
		error = errno;
	}
	return ok || err_set(e, "%s/%s: %s", f->path, name, strerror(error));
}

static bool failed(const struct checkpoint_folder *f, const char *name,
		   struct err *e)
{
	return err_set(e, "%s/%s: %s", f->path, name, strerror(errno));
}

bool checkpoint_folder_store(const struct checkpoint_folder *f,
			     const struct checkpoint_file *file, struct err *e)
{
	char name[NAME], fresh[NAME + 16], signature[NAME + 16];
	bool ok;

	name_of(file->c.n, name);
	snprintf(fresh, sizeof(fresh), ".%s.new", name);
	snprintf(signature, sizeof(signature), "%s.minisig", name);
	if (faccessat(f->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(e, "%s/%s: is there already", f->path, name);
	if (!write_whole(f, fresh, file->signature, strlen(file->signature), e))
		return false;
	/* One that a crash left without its text may be replaced. */
	if (renameat(f->fd, fresh, f->fd, signature) != 0 || fsync(f->fd) != 0)
		return failed(f, signature, e);
	if (!write_whole(f, fresh, file->text, file->size, e))
		return false;
	/* link and not rename: it does not replace */
	ok = (linkat(f->fd, fresh, f->fd, name, 0) == 0 && fsync(f->fd) == 0) ||
	     failed(f, name, e);
	(void)unlinkat(f->fd, fresh, 0);
	return ok;
}
