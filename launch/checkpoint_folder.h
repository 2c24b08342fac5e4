/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAUNCH_CHECKPOINT_FOLDER_H
#define LAUNCH_CHECKPOINT_FOLDER_H

#include "launch/checkpoint.h"
#include "launch/minisign.h"

/*
 * A place where checkpoints are kept:
 *
 *   checkpoint-0000000017.txt           launch/checkpoint.h
 *   checkpoint-0000000017.txt.minisig   as minisign looks for it
 *
 * The signature is written first and the text appears whole, or not at all: a
 * text without a signature is never the trace of a crash.
 */
struct checkpoint_folder {
	const char *path; /* kept by the caller */
	int fd;
	uint64_t *n; /* those there, in order */
	size_t count;
	bool busy; /* not opened because somebody else has the lock */
};

struct checkpoint_file {
	struct checkpoint c;
	char sha256[SHA256_HEX];
	char text[CHECKPOINT_TEXT];
	size_t size;
	char signature[MINISIGN_TEXT];
};

/* List it; lock: nobody else writes until it is closed.  Close in every
 * case. */
MUST_USE bool checkpoint_folder_open(struct checkpoint_folder *f,
				     const char *path, bool lock,
				     struct err *e);
void checkpoint_folder_close(struct checkpoint_folder *f);

/* The highest number there; 0 = empty. */
uint64_t checkpoint_folder_last(const struct checkpoint_folder *f);

/* The first of 1..last that is not there; 0 = all are. */
uint64_t checkpoint_folder_hole(const struct checkpoint_folder *f);

bool checkpoint_folder_has(const struct checkpoint_folder *f, uint64_t n);

/* Read number n and check its signature; e begins with the file's name. */
MUST_USE bool checkpoint_folder_load(const struct checkpoint_folder *f,
				     uint64_t n,
				     const struct minisign_public *key,
				     struct checkpoint_file *out,
				     struct err *e);

/* On disk when true; a text that is there already is never replaced. */
MUST_USE bool checkpoint_folder_store(const struct checkpoint_folder *f,
				      const struct checkpoint_file *file,
				      struct err *e);

#endif
