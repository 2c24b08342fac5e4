/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/hash.h"

bool session_path(char out[SESSION_PATH], struct err *e)
{
	const char *run = getenv("XDG_RUNTIME_DIR");
	const char *home = getenv("HOME");
	int n;

	if (run && *run == '/')
		n = snprintf(out, SESSION_PATH, "%s/tollwatch/session", run);
	else if (home && *home == '/')
		n = snprintf(out, SESSION_PATH, "%s/.tollwatch/session", home);
	else
		return err_set(e, "neither XDG_RUNTIME_DIR nor HOME is set");
	return n < SESSION_PATH || err_set(e, "the home folder's name is too "
					      "long");
}

static bool is_ours(int fd, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_set(e, "%s: %s", path, strerror(errno));
	return (S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
		(st.st_mode & 077) == 0) ||
	       err_set(e, "%s: not a file that only you can read; log in again",
		       path);
}

bool session_token(char hex[SESSION_HEX], struct err *e)
{
	char path[SESSION_PATH];
	uint8_t raw[32];
	struct sv text;
	ssize_t n;
	int fd;
	bool ok;

	if (!session_path(path, e))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT
			       ? err_set(e, "nobody is logged in: tollwatch "
					    "login")
			       : err_set(e, "%s: %s", path, strerror(errno));
	ok = is_ours(fd, path, e);
	n = ok ? read(fd, hex, SESSION_HEX) : 0;
	close(fd);
	if (!ok)
		return false;
	text = sv_trim((struct sv){hex, n > 0 ? (size_t)n : 0});
	if (text.p != hex || !hex_parse(text, raw, sizeof(raw)))
		return err_set(e, "%s: not a session; log in again", path);
	hex[SESSION_HEX - 1] = '\0';
	return true;
}
