/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/place.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/attr.h"
#include "common/hash.h"
#include "launch/program.h"

static const char sample_mark[] = ".sample-night";
static const char socket_prefix[] = "/tollwatch-";

/* a/b into out; false when it does not fit. */
static bool join(char *out, size_t size, const char *a, const char *b,
		 struct err *e)
{
	return (size_t)snprintf(out, size, "%s/%s", a, b) < size ||
	       err_set(e, "%s/%s: name too long", a, b);
}

/* mkdir -p, all of it private. */
static bool make_dirs(const char *path, struct err *e)
{
	char part[PLACE_PATH];

	snprintf(part, sizeof(part), "%s", path);
	for (char *p = part + 1;; p++) {
		char c = *p;

		if (c != '/' && c != '\0')
			continue;
		*p = '\0';
		if (mkdir(part, 0700) != 0 && errno != EEXIST)
			return err_set(e, "%s: %s", part, strerror(errno));
		*p = c;
		if (c == '\0')
			return true;
	}
}

static bool choose_state(struct place *p, const char *state, struct err *e)
{
	char cwd[PLACE_PATH];
	char hash[SHA256_HEX];
	const char *env = getenv("TOLLWATCH_STATE");
	int n;

	if (!getcwd(cwd, sizeof(cwd)))
		return err_set(e, "working directory: %s", strerror(errno));
	if (!state && env && *env)
		state = env;
	if (state && *state == '/') {
		n = snprintf(p->state, sizeof(p->state), "%s", state);
	} else if (state || geteuid() != 0) {
		n = snprintf(p->state, sizeof(p->state), "%s/%s", cwd,
			     state ? state : "var");
	} else {
		sha256_hex(cwd, strlen(cwd), hash);
		n = snprintf(p->state, sizeof(p->state),
			     "/var/lib/tollwatch/%.12s", hash);
	}
	return (size_t)n < sizeof(p->state) ||
	       err_set(e, "%s: name too long", state ? state : cwd);
}

bool place_find(struct place *p, const char *state, struct err *e)
{
	memset(p, 0, sizeof(*p));
	p->lock = -1;
	return choose_state(p, state, e) &&
	       join(p->spool, sizeof(p->spool), p->state, "spool", e) &&
	       join(p->analyzer, sizeof(p->analyzer), p->state, "analyzer",
		    e) &&
	       join(p->alerter, sizeof(p->alerter), p->state, "alerter", e);
}

bool place_lock(struct place *p, struct err *e)
{
	char path[PLACE_PATH];

	if (!make_dirs(p->state, e) ||
	    !join(path, sizeof(path), p->state, "lock", e))
		return false;
	p->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (p->lock < 0)
		return err_set(e, "%s: %s", path, strerror(errno));
	if (flock(p->lock, LOCK_EX | LOCK_NB) != 0)
		return err_set(e, "%s: a site runs here already", p->state);
	if (ftruncate(p->lock, 0) != 0 ||
	    dprintf(p->lock, "%d\n", (int)getpid()) < 0)
		return err_set(e, "%s: %s", path, strerror(errno));
	return true;
}

int place_holder(const struct place *p)
{
	char path[PLACE_PATH], text[16] = "";
	struct err e;
	int fd, pid = 0;

	if (!join(path, sizeof(path), p->state, "lock", &e))
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (flock(fd, LOCK_SH | LOCK_NB) != 0 &&
	    read(fd, text, sizeof(text) - 1) > 0)
		pid = (int)strtol(text, NULL, 10);
	close(fd);
	return pid;
}

static void name_sockets(struct place *p)
{
	snprintf(p->events, sizeof(p->events), "ipc://%s/events", p->sockets);
	snprintf(p->findings, sizeof(p->findings), "ipc://%s/findings",
		 p->sockets);
	snprintf(p->command, sizeof(p->command), "%s/command", p->sockets);
	for (int i = 0; i < PROGRAMS; i++)
		snprintf(p->metrics[i], sizeof(p->metrics[i]), "unix:%s/%s",
			 p->sockets, program_name((enum program)i));
}

/* Under XDG_RUNTIME_DIR when that is short enough, else under /tmp. */
static bool make_sockets(struct place *p, struct err *e)
{
	const char *base = getenv("XDG_RUNTIME_DIR");

	if (!base || *base != '/' || strlen(base) > 40 ||
	    access(base, W_OK) != 0)
		base = "/tmp";
	snprintf(p->sockets, sizeof(p->sockets), "%s%sXXXXXX", base,
		 socket_prefix);
	if (!mkdtemp(p->sockets))
		return err_set(e, "%s: %s", p->sockets, strerror(errno));
	name_sockets(p);
	return true;
}

/* What a site that was killed has left.  The lock is ours, so nobody uses it;
 * but its name lies in a folder anybody may write to, so nothing is removed
 * but our own folder and names of our make in it. */
static void remove_sockets(const char *dir)
{
	static const char *const made[] = {"events",	"findings", "command",
					   "collector", "analyzer", "alerter"};
	struct stat st;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return;
	if (strstr(dir, socket_prefix) && fstat(fd, &st) == 0 &&
	    st.st_uid == geteuid()) {
		for (size_t i = 0; i < ARRAY_LEN(made); i++)
			(void)unlinkat(fd, made[i], 0);
		(void)rmdir(dir);
	}
	close(fd);
}

static void remove_old(const char *link)
{
	char old[PLACE_PATH];
	ssize_t n = readlink(link, old, sizeof(old) - 1);

	if (n > 0) {
		old[n] = '\0';
		remove_sockets(old);
	}
	unlink(link);
}

bool place_make(struct place *p, struct err *e)
{
	char link[PLACE_PATH];

	if (!make_dirs(p->spool, e) || !make_dirs(p->analyzer, e) ||
	    !join(link, sizeof(link), p->state, "run", e))
		return false;
	remove_old(link);
	if (!make_sockets(p, e))
		return false;
	return symlink(p->sockets, link) == 0 ||
	       err_set(e, "%s: %s", link, strerror(errno));
}

bool place_running(struct place *p, struct err *e)
{
	char link[PLACE_PATH];
	ssize_t n;

	if (!join(link, sizeof(link), p->state, "run", e))
		return false;
	n = readlink(link, p->sockets, sizeof(p->sockets) - 1);
	if (n < 0 || (size_t)n == sizeof(p->sockets) - 1)
		return err_set(e,
			       "nothing runs on %s: start it with `tollwatch "
			       "run`, or name the folder of a site that runs "
			       "with --state",
			       p->state);
	p->sockets[n] = '\0';
	name_sockets(p);
	return true;
}

bool place_mark_sample(const struct place *p, struct err *e)
{
	char path[PLACE_PATH];
	int fd;

	if (!join(path, sizeof(path), p->state, sample_mark, e))
		return false;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(e, "%s: %s", path, strerror(errno));
	close(fd);
	return true;
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static bool remove_tree(const char *path, struct err *e)
{
	if (access(path, F_OK) != 0)
		return true;
	return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0 ||
	       err_set(e, "%s: %s", path, strerror(errno));
}

bool place_clear_sample(const struct place *p, struct err *e)
{
	static const char *const made[] = {"spool", "collector", "rejects",
					   "analyzer", "alerter"};
	char path[PLACE_PATH];

	if (!join(path, sizeof(path), p->state, sample_mark, e))
		return false;
	if (access(path, F_OK) != 0)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(made); i++)
		if (!join(path, sizeof(path), p->state, made[i], e) ||
		    !remove_tree(path, e))
			return false;
	return true;
}

void place_close(struct place *p)
{
	char link[PLACE_PATH];
	struct err e;

	if (p->sockets[0]) {
		remove_sockets(p->sockets);
		if (join(link, sizeof(link), p->state, "run", &e))
			unlink(link);
	}
	p->sockets[0] = '\0';
	if (p->lock >= 0) /* last: the next site makes a link of its own */
		close(p->lock);
	p->lock = -1;
}
