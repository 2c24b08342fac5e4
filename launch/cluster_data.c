/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/cluster_data.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/hash.h"
#include "common/sv.h"
#include "launch/cluster_init.h"

static const char shared_state[] = "/var/lib/tollwatch";
static const char socket_prefix[] = "/twpg-";

static bool join(char *out, size_t size, const char *a, const char *b,
		 struct err *e)
{
	return (size_t)snprintf(out, size, "%s/%s", a, b) < size ||
	       err_set(e, "%s/%s: name too long", a, b);
}

/* ---- accounts ---- */

static bool find_accounts(struct cluster_data *d, struct err *e)
{
	const struct passwd *pw = getpwuid(geteuid());

	if (!pw || strlen(pw->pw_name) >= sizeof(d->user) ||
	    strpbrk(pw->pw_name, "\"\n"))
		return err_set(e, "uid %d has no account with a usable name",
			       (int)geteuid());
	snprintf(d->user, sizeof(d->user), "%s", pw->pw_name);
	if (geteuid() != 0)
		return true;
	pw = getpwnam("postgres");
	if (!pw || pw->pw_uid == 0)
		return err_set(e, "it does not run as root, and there is no "
				  "account postgres");
	d->drop = true;
	d->owner.uid = pw->pw_uid;
	d->owner.gid = pw->pw_gid;
	snprintf(d->owner.name, sizeof(d->owner.name), "%s", pw->pw_name);
	return true;
}

/* Run work in a child that has become the owner of the data; its sentence
 * comes back through a pipe. */
static bool as_owner(const struct cluster_data *d,
		     bool (*work)(const struct cluster_data *d, struct err *e),
		     struct err *e)
{
	int fd[2], status = -1;
	size_t n = 0;
	ssize_t got;
	pid_t pid;

	if (pipe2(fd, O_CLOEXEC) != 0)
		return err_set(e, "pipe: %s", strerror(errno));
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		struct err why = {{0}};
		bool ok = !d->drop || program_become(&d->owner) ||
			  err_set(&why, "cannot become %s", d->owner.name);

		ok = ok && work(d, &why);
		if (!ok)
			n = (size_t)write(fd[1], why.text, strlen(why.text));
		_exit(ok ? 0 : 1);
	}
	close(fd[1]);
	memset(e->text, 0, sizeof(e->text));
	while (pid > 0 && n < sizeof(e->text) - 1) {
		got = read(fd[0], e->text + n, sizeof(e->text) - 1 - n);
		if (got == 0 || (got < 0 && errno != EINTR))
			break;
		n += got > 0 ? (size_t)got : 0;
	}
	close(fd[0]);
	if (pid < 0)
		return err_set(e, "fork: %s", strerror(errno));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (status == 0)
		return true;
	return e->text[0] ? false : err_set(e, "ended unexpectedly");
}

/* ---- where the data are ---- */

static bool can_pass(const struct cluster_data *d, struct err *e)
{
	return access(d->base, X_OK) == 0 ||
	       err_set(e, "%s: %s", d->base, strerror(errno));
}

/* A folder of the owner's alone. */
static bool make_base(const struct cluster_data *d, struct err *e)
{
	int fd;
	bool ok;

	if (mkdir(d->base, 0700) != 0 && errno != EEXIST)
		return err_set(e, "%s: %s", d->base, strerror(errno));
	fd = open(d->base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, "%s: %s", d->base, strerror(errno));
	ok = !d->drop || fchown(fd, d->owner.uid, d->owner.gid) == 0;
	ok = ok && fchmod(fd, 0700) == 0;
	close(fd);
	return ok || err_set(e, "%s: %s", d->base, strerror(errno));
}

/* Somewhere the account can reach, for a state folder that it cannot. */
static bool use_elsewhere(struct cluster_data *d, const char *state,
			  struct err *e)
{
	char hash[SHA256_HEX], link[CLUSTER_PATH];
	struct err first = *e;

	sha256_hex(state, strlen(state), hash);
	snprintf(d->base, sizeof(d->base), "%s/pg-%.12s", shared_state, hash);
	if ((mkdir(shared_state, 0711) != 0 && errno != EEXIST) ||
	    chmod(shared_state, 0711) != 0)
		return err_set(e, "%s: %s", shared_state, strerror(errno));
	if (!make_base(d, e) || !as_owner(d, can_pass, e))
		return err_prefix(e, "%s; ", first.text);
	if (!join(link, sizeof(link), state, "pg", e))
		return false;
	(void)rmdir(link); /* the empty one that could not be reached */
	(void)unlink(link);
	return symlink(d->base, link) == 0 ||
	       err_set(e, "%s: %s", link, strerror(errno));
}

static bool is_link(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

static bool find_base(struct cluster_data *d, const char *state, struct err *e)
{
	if (!join(d->base, sizeof(d->base), state, "pg", e))
		return false;
	if (!d->drop)
		return make_base(d, e);
	/* Only passing through: what is inside keeps its own modes. */
	if (chmod(state, 0711) != 0)
		return err_set(e, "%s: %s", state, strerror(errno));
	if (strncmp(state, shared_state, strlen(shared_state)) == 0)
		(void)chmod(shared_state, 0711);
	if (!is_link(d->base)) {
		if (!make_base(d, e))
			return false;
		if (as_owner(d, can_pass, e))
			return true;
	}
	return use_elsewhere(d, state, e);
}

/* ---- the socket ---- */

/* Ours to remove: the link is in a private folder, the name is of our make. */
static void remove_sockets(const char *dir)
{
	static const char *const made[] = {".s.PGSQL.5432",
					   ".s.PGSQL.5432.lock"};
	char path[CLUSTER_SOCKETS + 32];

	if (!strstr(dir, socket_prefix))
		return;
	for (size_t i = 0; i < ARRAY_LEN(made); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, made[i]);
		unlink(path);
	}
	rmdir(dir);
}

static bool read_link(const char *link, char out[CLUSTER_SOCKETS])
{
	ssize_t n = readlink(link, out, CLUSTER_SOCKETS - 1);

	if (n < 0 || n == CLUSTER_SOCKETS - 1)
		return false;
	out[n] = '\0';
	return true;
}

static bool make_sockets(struct cluster_data *d, const char *state,
			 struct err *e)
{
	const char *base = getenv("XDG_RUNTIME_DIR");
	char old[CLUSTER_SOCKETS];

	if (!join(d->socket_link, sizeof(d->socket_link), state, "pg.socket",
		  e))
		return false;
	if (read_link(d->socket_link, old))
		remove_sockets(old);
	unlink(d->socket_link);
	/* A comma would part it in two, a quote end it. */
	if (d->drop || !base || *base != '/' || strlen(base) > 40 ||
	    strpbrk(base, ",'\"\\ ") || access(base, W_OK) != 0)
		base = "/tmp";
	snprintf(d->sockets, sizeof(d->sockets), "%s%sXXXXXX", base,
		 socket_prefix);
	if (!mkdtemp(d->sockets)) {
		err_set(e, "%s: %s", d->sockets, strerror(errno));
		d->sockets[0] = '\0';
		return false;
	}
	if (d->drop && lchown(d->sockets, d->owner.uid, d->owner.gid) != 0)
		return err_set(e, "%s: %s", d->sockets, strerror(errno));
	return symlink(d->sockets, d->socket_link) == 0 ||
	       err_set(e, "%s: %s", d->socket_link, strerror(errno));
}

bool cluster_data_sockets(const char *state, char out[CLUSTER_SOCKETS],
			  struct err *e)
{
	char link[CLUSTER_PATH];

	if (!join(link, sizeof(link), state, "pg.socket", e))
		return false;
	return read_link(link, out) ||
	       err_set(e, "no database: give --dsn, or start the site of %s",
		       state);
}

/* ---- all of it ---- */

bool cluster_data_prepare(struct cluster_data *d, const char *state,
			  struct err *e)
{
	memset(d, 0, sizeof(*d));
	return find_accounts(d, e) && find_base(d, state, e) &&
	       join(d->data, sizeof(d->data), d->base, "data", e) &&
	       join(d->log, sizeof(d->log), d->base, "postgresql.log", e) &&
	       cluster_find_programs(d, e) && as_owner(d, cluster_init, e) &&
	       make_sockets(d, state, e);
}

void cluster_data_close(struct cluster_data *d)
{
	if (!d->sockets[0])
		return;
	remove_sockets(d->sockets);
	unlink(d->socket_link);
	d->sockets[0] = '\0';
}
