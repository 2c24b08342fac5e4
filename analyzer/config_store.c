/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/config_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { STORE_PATH = 4096 };

struct saving {
	const char *dir;
	struct err *e;
	bool ok;
};

/* mkdir -p of the folders of path, not of its last part. */
static bool make_folders(char *path, struct err *e)
{
	for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = '\0';
		if (mkdir(path, 0700) != 0 && errno != EEXIST) {
			err_set(e, "%s: %s", path, strerror(errno));
			*at = '/';
			return false;
		}
		*at = '/';
	}
	return true;
}

static void save_file(void *arg, const char *name, struct sv content)
{
	struct saving *s = arg;
	char path[STORE_PATH];
	FILE *f;

	if (!s->ok)
		return;
	if (name[0] == '/' || strstr(name, "..")) {
		s->ok = err_set(s->e,
				"%s: a file outside the config's folder "
				"cannot be kept for later replays",
				name);
		return;
	}
	if (snprintf(path, sizeof(path), "%s/%s", s->dir, name) >= STORE_PATH ||
	    !make_folders(path, s->e)) {
		s->ok = false;
		return;
	}
	f = fopen(path, "wbe");
	s->ok = f && fwrite(content.p, 1, content.n, f) == content.n;
	if (f && fclose(f) != 0)
		s->ok = false;
	if (!s->ok)
		err_set(s->e, "%s: %s", path, strerror(errno));
}

bool config_store_save(const char *store, const struct analyzer_conf *conf,
		       struct err *e)
{
	char dir[STORE_PATH / 2];
	char tmp[STORE_PATH / 2 + 8];
	struct saving s = {.dir = tmp, .e = e, .ok = true};
	struct stat st;

	if (snprintf(dir, sizeof(dir), "%s/%.16s", store, conf->hash) >=
	    (int)sizeof(dir))
		return err_set(e, "%s: path too long", store);
	if (stat(dir, &st) == 0)
		return true;
	snprintf(tmp, sizeof(tmp), "%s.tmp/", dir);
	if (!make_folders(tmp, e))
		return false;
	tmp[strlen(tmp) - 1] = '\0';
	conf_each_file(conf->conf, save_file, &s);
	if (s.ok && rename(tmp, dir) != 0)
		s.ok = err_set(e, "%s: %s", dir, strerror(errno));
	return s.ok;
}

struct analyzer_conf *config_store_load(const char *store, const char *hash,
					struct err *e)
{
	char dir[STORE_PATH];
	struct conf *c = NULL;
	struct analyzer_conf *conf;

	if (snprintf(dir, sizeof(dir), "%s/%.16s", store, hash) >= STORE_PATH) {
		err_set(e, "%s: path too long", store);
		return NULL;
	}
	conf = analyzer_conf_load(dir, &c, e);
	if (!conf && c) {
		err_set(e, "%s: the kept config does not load any more", dir);
		conf_free(c);
	}
	return conf;
}
