/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAUNCH_PROGRAM_H
#define LAUNCH_PROGRAM_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/err.h"

/*
 * The other programs, found beside this one: a build tree, /usr/local and a
 * package all hold them in one folder.
 */
enum program {
	PROGRAM_COLLECTOR,
	PROGRAM_ANALYZER,
	PROGRAM_ALERTER,
	PROGRAMS,
};

enum {
	PROGRAM_ARGS = 64, /* without the files a user names */
	PROGRAM_PATH = 512,
	EXIT_USAGE = 2,
	EXIT_AWAY = 69,
	EXIT_CONFIG = 78,
};

const char *program_name(enum program p); /* "collector" */

MUST_USE bool program_path(enum program p, char out[PROGRAM_PATH],
			   struct err *e);

/* Become `tollwatch-<p> argv[0] argv[1] ...`; argv ends with NULL.  Returns
 * only on failure: the exit code, after a message. */
int program_exec(enum program p, char *const *argv);

struct program_pipes {
	int in;	    /* becomes stdin; -1 = leave */
	int out;    /* becomes stdout; -1 = leave */
	bool group; /* own process group: ^C reaches only the launcher */
};

/* Start it as a child that gets SIGTERM when this process dies. */
MUST_USE bool program_spawn(enum program p, char *const *argv,
			    const struct program_pipes *io, pid_t *pid,
			    struct err *e);

/* An account to become. */
struct program_owner {
	uid_t uid;
	gid_t gid;
	char name[64];
};

/* A program that is not one of ours. */
struct program_other {
	const char *name; /* for people: "postgresql" */
	const char *path;
	const char *log; /* stdout and stderr are added to it; NULL = ours */
	const struct program_owner *owner; /* NULL = stay who we are */
	int parent_died; /* the signal it gets when this process dies */
};

/* For a child of root between fork and exec: become the account for good. */
MUST_USE bool program_become(const struct program_owner *o);

MUST_USE bool program_spawn_other(const struct program_other *x,
				  char *const *argv, pid_t *pid, struct err *e);

/* Its exit code, 128 + signal as a shell has it. */
int program_wait(pid_t pid);
int program_code(int wait_status);

#endif
