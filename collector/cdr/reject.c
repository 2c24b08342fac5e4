/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/cdr/reject.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum {
	LIST_MAX = 16 << 20,
	STDERR_MAX = 2048, /* a broken file must not flood a terminal */
};

bool rejects_open(struct rejects *r, const char *dir, const char *source,
		  struct err *e)
{
	char path[512];
	int n;

	*r = (struct rejects){.out = stderr, .room = STDERR_MAX};
	if (!dir)
		return true;
	n = snprintf(path, sizeof(path), "%s/%s.txt", dir, source);
	if (n < 0 || (size_t)n >= sizeof(path))
		return err_set(e, "%s: path is too long", dir);
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return err_set(e, "%s: %s", dir, strerror(errno));
	r->out = fopen(path, "ae");
	if (!r->out)
		return err_set(e, "%s: %s", path, strerror(errno));
	r->room = LIST_MAX;
	if (fseek(r->out, 0, SEEK_END) == 0 && ftell(r->out) > 0) {
		uint64_t held = (uint64_t)ftell(r->out);

		r->room = held < r->room ? r->room - held : 0;
	}
	return true;
}

void rejects_close(struct rejects *r)
{
	if (r->out && r->out != stderr)
		fclose(r->out);
	r->out = NULL;
}

void rejects_add(struct rejects *r, const char *file, uint64_t line,
		 enum cdr_rc rc)
{
	int n;

	r->n[rc]++;
	r->total++;
	if (!r->out || r->room == 0)
		return;
	n = fprintf(r->out, "%s:%llu: %s\n", file, (unsigned long long)line,
		    cdr_rc_text(rc));
	if (n < 0 || (uint64_t)n >= r->room)
		r->room = 0;
	else
		r->room -= (uint64_t)n;
	if (r->out != stderr)
		fflush(r->out);
}
