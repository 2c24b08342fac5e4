/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/program.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

const char *program_name(enum program p)
{
	static const char *const name[PROGRAMS] = {"collector", "analyzer",
						   "alerter"};

	return name[p];
}

bool program_path(enum program p, char out[PROGRAM_PATH], struct err *e)
{
	char self[PROGRAM_PATH];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self));
	char *slash;

	if (n < 0 || (size_t)n == sizeof(self))
		return err_set(e, "/proc/self/exe: %s",
			       n < 0 ? strerror(errno) : "name too long");
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	if (snprintf(out, PROGRAM_PATH, "%s/tollwatch-%s", self,
		     program_name(p)) >= PROGRAM_PATH)
		return err_set(e, "%s: name too long", self);
	return access(out, X_OK) == 0 ||
	       err_set(e, "%s: %s", out, strerror(errno));
}

/* argv with the program's path before it; the caller frees the array. */
static char **with_path(char *path, char *const *argv)
{
	size_t n = 0;
	char **all;

	while (argv[n])
		n++;
	all = calloc(n + 2, sizeof(*all));
	if (!all)
		abort();
	all[0] = path;
	memcpy(all + 1, argv, n * sizeof(*all));
	return all;
}

int program_exec(enum program p, char *const *argv)
{
	char path[PROGRAM_PATH];
	struct err e;

	if (program_path(p, path, &e)) {
		char **all = with_path(path, argv);

		fflush(NULL);
		execv(path, all);
		err_set(&e, "%s: %s", path, strerror(errno));
		free(all);
	}
	fprintf(stderr, "tollwatch: %s\n", e.text);
	return EXIT_AWAY;
}

/* A signal between fork and exec would be taken by the parent's handlers, of
 * which the child has a copy, and be lost: it waits until they are gone. */
static pid_t fork_quiet(sigset_t *before)
{
	sigset_t all;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, before);
	fflush(NULL);
	pid = fork();
	if (pid != 0)
		sigprocmask(SIG_SETMASK, before, NULL);
	return pid;
}

static void default_signals(void)
{
	const struct sigaction plain = {.sa_handler = SIG_DFL};
	struct sigaction now;
	sigset_t none;

	/* what is ignored stays so over exec, as with nohup */
	for (int sig = 1; sig < NSIG; sig++)
		if (sigaction(sig, NULL, &now) == 0 &&
		    now.sa_handler != SIG_IGN)
			(void)sigaction(sig, &plain, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Nothing may outlive the launcher, however it dies. */
static void die_with(pid_t parent, int sig)
{
	prctl(PR_SET_PDEATHSIG, sig);
	if (getppid() != parent)
		_exit(1); /* it died before the line above */
}

static void in_child(const struct program_pipes *io, pid_t parent)
{
	die_with(parent, SIGTERM);
	if (io->group)
		setpgid(0, 0);
	default_signals();
	if (io->in >= 0)
		dup2(io->in, STDIN_FILENO);
	if (io->out >= 0)
		dup2(io->out, STDOUT_FILENO);
}

bool program_spawn(enum program p, char *const *argv,
		   const struct program_pipes *io, pid_t *pid, struct err *e)
{
	char path[PROGRAM_PATH];
	pid_t parent = getpid();
	sigset_t before;
	char **all;

	if (!program_path(p, path, e))
		return false;
	all = with_path(path, argv);
	*pid = fork_quiet(&before);
	if (*pid == 0) {
		in_child(io, parent);
		execv(path, all);
		_exit(127);
	}
	free(all);
	return *pid > 0 || err_set(e, "fork: %s", strerror(errno));
}

bool program_become(const struct program_owner *o)
{
	return initgroups(o->name, o->gid) == 0 && setgid(o->gid) == 0 &&
	       setuid(o->uid) == 0 && setuid(0) != 0;
}

static void write_to_log(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);

	if (fd < 0)
		return; /* better on our stderr than nowhere */
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
}

bool program_spawn_other(const struct program_other *x, char *const *argv,
			 pid_t *pid, struct err *e)
{
	const struct program_pipes io = {.in = -1, .out = -1, .group = true};
	pid_t parent = getpid();
	char **all = with_path((char *)x->path, argv);
	sigset_t before;

	*pid = fork_quiet(&before);
	if (*pid == 0) {
		in_child(&io, parent);
		if (x->owner && !program_become(x->owner))
			_exit(126);
		/* Anew: the kernel forgets it when the account changes. */
		die_with(parent, x->parent_died);
		if (x->log)
			write_to_log(x->log);
		if (chdir("/") == 0)
			execv(x->path, all);
		_exit(127);
	}
	free(all);
	return *pid > 0 || err_set(e, "fork: %s", strerror(errno));
}

int program_code(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status)
					: WEXITSTATUS(wait_status);
}

int program_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	return program_code(status);
}
