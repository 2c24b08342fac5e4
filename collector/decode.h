/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COLLECTOR_DECODE_H
#define COLLECTOR_DECODE_H

#include "collector/config.h"

/* "decode": any file to events on stdout.  Needs no config; the end of the
 * file ends no call. */
struct decode_opts {
	const struct collector_conf *conf; /* NULL ok; not owned */
	const char *as;	    /* pcap, asterisk, csv, jsonl, a profile; or NULL */
	const char *source; /* for all files; or NULL */
	bool calls;
	bool json;
	bool wire;
	bool stats;
	bool live;
	char *const *files; /* "FILE" or "SOURCE=FILE"; "-" is stdin */
	int n_files;
};

/* False: *e says why; what was read before it is out. */
MUST_USE bool decode(const struct decode_opts *o, struct err *e);

#endif
