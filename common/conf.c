/* SPDX-License-Identifier: Apache-2.0 */
#include "common/conf_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"

enum { BLOCK_SIZE = 64 << 10 };

/* Everything a config is made of dies together: one chain of blocks. */
struct conf_block {
	struct conf_block *next;
	size_t used;
	size_t size;
	_Alignas(max_align_t) char data[];
};

void *conf_alloc(struct conf *c, size_t size)
{
	struct conf_block *b = c->block;
	void *p;

	size = (size + _Alignof(max_align_t) - 1) &
	       ~(_Alignof(max_align_t) - 1);
	if (!b || size > b->size - b->used) {
		size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;

		b = xcalloc(1, sizeof(*b) + room);
		b->size = room;
		b->next = c->block;
		c->block = b;
	}
	p = b->data + b->used;
	b->used += size;
	return p;
}

char *conf_keep(struct conf *c, struct sv text)
{
	char *copy = conf_alloc(c, text.n + 1);

	if (text.n)
		memcpy(copy, text.p, text.n);
	return copy;
}

void conf_free(struct conf *c)
{
	if (!c)
		return;
	while (c->block) {
		struct conf_block *next = c->block->next;

		free(c->block);
		c->block = next;
	}
	free(c);
}

const char *conf_dir(const struct conf *c)
{
	return c->dir;
}

const struct conf_tree *conf_root(const struct conf *c)
{
	return c->root;
}

/* ---- files ---- */

/* The whole of fd, of size bytes when it was opened: a file that grows or
 * shrinks meanwhile is an error. */
static char *read_fd(int fd, size_t size, struct err *e)
{
	char *text = xmalloc(size + 1);
	size_t n = 0;

	while (n <= size) {
		ssize_t got = read(fd, text + n, size + 1 - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			err_set(e, "%s", strerror(errno));
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	if (n == size) {
		text[n] = '\0';
		return text;
	}
	if (e->text[0] == '\0')
		err_set(e, "changed while it was read");
	free(text);
	return NULL;
}

char *conf_read(const struct conf *c, const char *path, size_t max, size_t *n,
		unsigned *mode, struct err *e)
{
	int dir = open(c->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = dir < 0 ? -1
			 : openat(dir, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	char *text = NULL;

	e->text[0] = '\0';
	if (fd < 0 || fstat(fd, &st) != 0) {
		err_set(e, "%s", strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		err_set(e, "not a regular file");
	} else if ((uint64_t)st.st_size > max) {
		err_set(e, "larger than %zu MiB", max >> 20);
	} else {
		*n = (size_t)st.st_size;
		text = read_fd(fd, *n, e);
		if (mode)
			*mode = st.st_mode & 07777;
	}
	if (fd >= 0)
		close(fd);
	if (dir >= 0)
		close(dir);
	return text;
}

/* Bytes of the line end at the front (those libyaml counts); 0 = none. */
static size_t line_break(struct sv s)
{
	if (s.n >= 2 && s.p[0] == '\r' && s.p[1] == '\n')
		return 2;
	if (s.n >= 1 && (s.p[0] == '\r' || s.p[0] == '\n'))
		return 1;
	if (sv_starts(s, SV("\xc2\x85"))) /* NEL */
		return 2;
	if (sv_starts(s, SV("\xe2\x80\xa8")) || /* LS, PS */
	    sv_starts(s, SV("\xe2\x80\xa9")))
		return 3;
	return 0;
}

static unsigned cut_lines(struct sv text, struct sv *line)
{
	unsigned n = 0;
	size_t from = 0;
	size_t i = 0;

	while (i <= text.n) {
		size_t brk = line_break((struct sv){text.p + i, text.n - i});

		if (brk == 0 && i < text.n) {
			i++;
			continue;
		}
		if (line)
			line[n] = (struct sv){text.p + from, i - from};
		n++;
		if (i == text.n)
			break;
		i += brk;
		from = i;
	}
	return n;
}

static void hash_file(struct conf *c, const struct conf_source *s)
{
	uint64_t n = s->text.n; /* little-endian, see event.h */

	crypto_hash_sha256_update(&c->hash, (const unsigned char *)s->name,
				  strlen(s->name) + 1);
	crypto_hash_sha256_update(&c->hash, (const unsigned char *)&n,
				  sizeof(n));
	crypto_hash_sha256_update(&c->hash, (const unsigned char *)s->text.p,
				  n);
}

static struct conf_source *add_source(struct conf *c, struct sv name,
				      struct sv text)
{
	struct conf_source *s = conf_alloc(c, sizeof(*s));

	s->name = conf_keep(c, name);
	s->text = (struct sv){conf_keep(c, text), text.n};
	hash_file(c, s);
	if (c->last)
		c->last->next = s;
	else
		c->first = s;
	c->last = s;
	return s;
}

static struct conf_tree *read_yaml(struct conf *c, struct sv name,
				   struct sv text)
{
	struct conf_source *s = add_source(c, name, text);
	struct conf_tree *t;

	if (sv_starts(s->text, SV("\xef\xbb\xbf")))
		s->text = (struct sv){s->text.p + 3, s->text.n - 3};
	s->n_lines = cut_lines(s->text, NULL);
	s->line = conf_alloc(c, s->n_lines * sizeof(*s->line));
	cut_lines(s->text, s->line);
	t = conf_parse_yaml(c, s);
	if (t->kind == TREE_MAP)
		return t;
	if (t->kind == TREE_LIST || t->text.n || t->quoted)
		conf_error(c, t, "not-a-map", NULL,
			   "expected `key: value` lines");
	t->kind = TREE_MAP; /* of nothing */
	t->n = 0;
	t->partial = t->text.n > 0;
	return t;
}

char *conf_file(struct conf *c, const struct conf_tree *at, struct sv path,
		size_t *n, const char **name)
{
	char *keep = conf_keep(c, path);
	struct conf_source *s;
	struct err e;
	char *text = conf_read(c, keep, CONF_SIDE_MAX, n, NULL, &e);

	if (!text) {
		conf_error(c, at, "unreadable", NULL, "%s: %s", keep, e.text);
		return NULL;
	}
	s = add_source(c, path, (struct sv){text, *n});
	free(text);
	*name = s->name;
	return conf_keep(c, s->text);
}

void conf_each_file(const struct conf *c,
		    void (*each)(void *arg, const char *name,
				 struct sv content),
		    void *arg)
{
	for (const struct conf_source *s = c->first; s; s = s->next)
		each(arg, s->name, s->text);
}

void conf_hash(const struct conf *c, char out[SHA256_HEX])
{
	crypto_hash_sha256_state st = c->hash;
	unsigned char digest[crypto_hash_sha256_BYTES];

	crypto_hash_sha256_final(&st, digest);
	hex_text(digest, sizeof(digest), out);
}

/* ---- the main file and what it includes ---- */

static void merge_key(struct conf *c, struct conf_tree *key,
		      struct conf_tree *item)
{
	for (size_t i = 0; i < c->root->n; i++) {
		const struct conf_tree *k = c->root->key[i];

		if (k->source == key->source || k->bad || key->bad ||
		    !sv_eq(k->text, key->text))
			continue;
		conf_error(c, key, "duplicate-key", NULL,
			   "key '%.*s' is already in %s line %u",
			   SV_ARG(key->text), k->source->name, k->at.line);
		return;
	}
	conf_append(c, c->root, key, item);
}

static bool already_read(const struct conf *c, struct sv name)
{
	for (const struct conf_source *s = c->first; s; s = s->next)
		if (sv_eq(sv_of(s->name), name))
			return true;
	return false;
}

static void include_one(struct conf *c, const struct conf_tree *at)
{
	struct conf_tree *t;
	struct err e;
	char *text;
	size_t n;

	if (at->kind != TREE_SCALAR || at->text.n == 0 || at->bad) {
		conf_error(c, at, "bad-value", NULL, "expected a file name");
		return;
	}
	if (already_read(c, at->text)) {
		conf_error(c, at, "included-twice", NULL,
			   "%.*s was read already", SV_ARG(at->text));
		return;
	}
	text = conf_read(c, at->text.p, CONF_YAML_MAX, &n, NULL, &e);
	if (!text) {
		conf_error(c, at, "unreadable", NULL, "%.*s: %s",
			   SV_ARG(at->text), e.text);
		c->root->partial = true;
		return;
	}
	t = read_yaml(c, at->text, (struct sv){text, n});
	free(text);
	c->root->partial |= t->partial;
	for (size_t i = 0; i < t->n; i++) {
		if (sv_eq(t->key[i]->text, SV("include")))
			conf_error(c, t->key[i], "nested-include", NULL,
				   "only %s may include files", c->first->name);
		else
			merge_key(c, t->key[i], t->item[i]);
	}
}

/* Take the key out of the root: schemas do not list it. */
static struct conf_tree *take(struct conf_tree *root, struct sv name)
{
	struct conf_tree *found = NULL;
	size_t to = 0;

	for (size_t i = 0; i < root->n; i++) {
		if (sv_eq(root->key[i]->text, name)) {
			found = found ? found : root->item[i];
			continue;
		}
		root->key[to] = root->key[i];
		root->item[to++] = root->item[i];
	}
	root->n = to;
	return found;
}

static void include_all(struct conf *c)
{
	struct conf_tree *list = take(c->root, SV("include"));

	if (!list || list->bad)
		return;
	if (list->kind != TREE_LIST) {
		conf_error(c, list, "not-a-list", NULL,
			   "expected a list of files: [rules.yaml]");
		c->root->partial = true;
		return;
	}
	if (list->n > CONF_FILES_MAX) {
		conf_error(c, list, "too-many", NULL,
			   "more than %d files to include", CONF_FILES_MAX);
		return;
	}
	for (size_t i = 0; i < list->n; i++)
		include_one(c, list->item[i]);
}

/* A folder stands for the tollwatch.yaml in it. */
static void split_path(struct conf *c, const char *path, struct sv *name)
{
	struct sv p = sv_of(path);
	const char *slash;
	struct stat st;

	*name = SV("tollwatch.yaml");
	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
		slash = strrchr(path, '/');
		*name = sv_of(slash ? slash + 1 : path);
		p = slash ? (struct sv){path, (size_t)(slash - path) + 1}
			  : SV(".");
	}
	while (p.n > 1 && p.p[p.n - 1] == '/')
		p.n--;
	c->dir = conf_keep(c, p);
}

bool conf_load(struct conf **out, const char *path, struct err *e)
{
	struct conf *c = xcalloc(1, sizeof(*c));
	struct err why;
	struct sv name;
	char *keep;
	char *text;
	size_t n;

	*out = NULL;
	crypto_hash_sha256_init(&c->hash);
	split_path(c, path, &name);
	keep = conf_keep(c, name);
	text = conf_read(c, keep, CONF_YAML_MAX, &n, NULL, &why);
	if (!text) {
		err_set(e, "%s/%s: %s", c->dir, keep, why.text);
		conf_free(c);
		return false;
	}
	c->root = read_yaml(c, name, (struct sv){text, n});
	free(text);
	include_all(c);
	*out = c;
	return true;
}
