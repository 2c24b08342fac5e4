/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/cluster_init.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/sv.h"

enum { LOG_KEPT = 4 << 20, OLD_STOP_S = 10 };

/* ---- programs ---- */

/* First line of a small file; false when there is none. */
static bool first_line(const char *path, char *out, int size)
{
	FILE *f = fopen(path, "re");
	bool ok;

	if (!f)
		return false;
	ok = fgets(out, size, f) != NULL;
	fclose(f);
	if (ok)
		out[strcspn(out, "\n")] = '\0';
	return ok;
}

static unsigned version_of(const char *bin)
{
	struct sv s = sv_of(bin + strlen("/usr/lib/postgresql/"));
	uint32_t v;

	return sv_u32(sv_cut(&s, '/'), &v) ? v : 0;
}

static bool usable(struct cluster_data *d, const char *bin)
{
	char initdb[CLUSTER_PATH];

	if ((size_t)snprintf(d->bin, sizeof(d->bin), "%s", bin) >=
		    sizeof(d->bin) ||
	    (size_t)snprintf(d->postgres, sizeof(d->postgres), "%s/postgres",
			     bin) >= sizeof(d->postgres) ||
	    (size_t)snprintf(initdb, sizeof(initdb), "%s/initdb", bin) >=
		    sizeof(initdb))
		return false;
	return access(d->postgres, X_OK) == 0 && access(initdb, X_OK) == 0;
}

static bool ask_pg_config(char *out, int size)
{
	FILE *f = popen("pg_config --bindir 2>/dev/null", "re");
	bool ok;

	if (!f)
		return false;
	ok = fgets(out, size, f) != NULL;
	pclose(f);
	if (ok)
		out[strcspn(out, "\n")] = '\0';
	return ok;
}

bool cluster_find_programs(struct cluster_data *d, struct err *e)
{
	char path[CLUSTER_PATH], made[16] = "";
	const char *best = NULL;
	glob_t g = {0};
	unsigned want, top = 0;
	bool ok;

	/* Root may read it, and there is nothing in it but a number. */
	if (snprintf(path, sizeof(path), "%s/PG_VERSION", d->data) <
		    (int)sizeof(path) &&
	    !first_line(path, made, sizeof(made)))
		made[0] = '\0';
	want = (unsigned)strtoul(made, NULL, 10);
	(void)glob("/usr/lib/postgresql/*/bin", 0, NULL, &g);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		unsigned v = version_of(g.gl_pathv[i]);

		if (v > top && (want == 0 || v == want)) {
			top = v;
			best = g.gl_pathv[i];
		}
	}
	ok = (best && usable(d, best)) ||
	     (ask_pg_config(path, sizeof(path)) && usable(d, path));
	globfree(&g);
	if (ok)
		return true;
	return want ? err_set(e,
			      "version %u made the data and is not "
			      "installed",
			      want)
		    : err_set(e, "not installed");
}

/* ---- the data ---- */

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static bool run_initdb(const struct cluster_data *d, const char *to,
		       struct err *e)
{
	char initdb[CLUSTER_PATH + 8];
	const struct program_other x = {
		.name = "initdb",
		.path = initdb,
		.log = d->log,
		.parent_died = SIGTERM,
	};
	char *const argv[] = {"-D",
			      (char *)to,
			      "-U",
			      CLUSTER_SUPERUSER,
			      "--encoding=UTF8",
			      "--locale=C",
			      "--data-checksums",
			      "--auth-local=peer",
			      "--auth-host=reject",
			      "--no-instructions",
			      NULL};
	pid_t pid;

	snprintf(initdb, sizeof(initdb), "%s/initdb", d->bin);
	if (!program_spawn_other(&x, argv, &pid, e))
		return false;
	return program_wait(pid) == 0 ||
	       err_set(e, "initdb failed: see %s", d->log);
}

/* Made beside and moved, so that an interrupted one is not taken for data. */
static bool make_data(const struct cluster_data *d, struct err *e)
{
	char fresh[CLUSTER_PATH];

	if (access(d->data, F_OK) == 0)
		return true;
	if ((size_t)snprintf(fresh, sizeof(fresh), "%s/new", d->base) >=
	    sizeof(fresh))
		return err_set(e, "%s: name too long", d->base);
	(void)nftw(fresh, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	if (!run_initdb(d, fresh, e))
		return false;
	return rename(fresh, d->data) == 0 ||
	       err_set(e, "%s: %s", d->data, strerror(errno));
}

/* ---- a postmaster of an earlier run ---- */

/* A postmaster works inside its data folder. */
static bool serves(pid_t pid, const char *data)
{
	char link[64], real[PATH_MAX], cwd[PATH_MAX]; /* as realpath wants */
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/cwd", (int)pid);
	n = readlink(link, cwd, sizeof(cwd) - 1);
	if (n < 0)
		return false;
	cwd[n] = '\0';
	if (!realpath(data, real))
		return false;
	return strcmp(cwd, real) == 0;
}

static bool gone_within(pid_t pid, const char *data, int seconds)
{
	const struct timespec nap = {0, 50 * 1000 * 1000};

	for (int i = 0; i < seconds * 20; i++) {
		if (!serves(pid, data))
			return true;
		nanosleep(&nap, NULL);
	}
	return !serves(pid, data);
}

/* Any process that works in the data folder: a child of a dead postmaster. */
static bool in_use(const char *data)
{
	glob_t g = {0};
	bool found = false;
	uint32_t pid;

	(void)glob("/proc/[0-9]*", GLOB_NOSORT, NULL, &g);
	for (size_t i = 0; i < g.gl_pathc && !found; i++)
		found = sv_u32(sv_of(g.gl_pathv[i] + strlen("/proc/")), &pid) &&
			serves((pid_t)pid, data);
	globfree(&g);
	return found;
}

/* The file guards more than a number, so it goes only when nobody is left. */
static bool forget_old(const struct cluster_data *d, const char *path,
		       struct err *e)
{
	if (in_use(d->data))
		return err_set(e, "%s: in use by children of a dead one",
			       d->data);
	log_info("run: postgresql: %s is of a dead one, removed", path);
	return unlink(path) == 0 || errno == ENOENT ||
	       err_set(e, "%s: %s", path, strerror(errno));
}

/* PostgreSQL looks only whether some process has the number in the file: after
 * a restart of the machine that may be anybody. */
static bool end_old(const struct cluster_data *d, struct err *e)
{
	static const int harder[] = {SIGINT, SIGQUIT, SIGKILL};
	char path[CLUSTER_PATH + 16], line[32];
	uint32_t pid;

	snprintf(path, sizeof(path), "%s/postmaster.pid", d->data);
	if (!first_line(path, line, sizeof(line)))
		return true;
	if (!sv_u32(sv_of(line), &pid) || pid < 2 || pid > INT32_MAX)
		return err_set(e, "%s: no number in it", path);
	/* Dead: PostgreSQL itself finds that out, and waits for its children. */
	if (kill((pid_t)pid, 0) != 0 && errno == ESRCH)
		return true;
	if (!serves((pid_t)pid, d->data))
		return forget_old(d, path, e);
	log_warn("run: postgresql: pid %u of an earlier run is stopped", pid);
	for (size_t i = 0; i < ARRAY_LEN(harder); i++) {
		kill((pid_t)pid, harder[i]);
		if (gone_within((pid_t)pid, d->data, OLD_STOP_S))
			return true;
	}
	return err_set(e, "pid %u of an earlier run does not stop", pid);
}

/* ---- who may connect ---- */

static bool write_file(const struct cluster_data *d, const char *name,
		       const char *text, struct err *e)
{
	char path[CLUSTER_PATH + 32], fresh[CLUSTER_PATH + 40];
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), "%s/%s", d->data, name);
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	f = fopen(fresh, "we");
	if (!f)
		return err_set(e, "%s: %s", fresh, strerror(errno));
	ok = fputs(text, f) >= 0;
	ok = fclose(f) == 0 && ok;
	ok = ok && rename(fresh, path) == 0;
	return ok || err_set(e, "%s: %s", path, strerror(errno));
}

static bool write_access(const struct cluster_data *d, struct err *e)
{
	static const char *const role[] = {
		"tollwatch_alerter",	"tollwatch_noc",  "tollwatch_console",
		"tollwatch_auditor",	"tollwatch_dpo",  "tollwatch_engineer",
		"tollwatch_checkpoint", CLUSTER_SUPERUSER};
	char map[2048] = "";
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(role); i++)
		n += (size_t)snprintf(map + n, sizeof(map) - n,
				      "site \"%s\" %s\n", d->user, role[i]);
	return write_file(d, "pg_hba.conf", "local all all peer map=site\n",
			  e) &&
	       write_file(d, "pg_ident.conf", map, e);
}

static void cut_log(const struct cluster_data *d)
{
	struct stat st;

	if (stat(d->log, &st) == 0 && st.st_size > LOG_KEPT)
		(void)unlink(d->log);
}

bool cluster_init(const struct cluster_data *d, struct err *e)
{
	cut_log(d);
	return make_data(d, e) && end_old(d, e) && write_access(d, e);
}
