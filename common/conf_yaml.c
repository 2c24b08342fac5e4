/* SPDX-License-Identifier: Apache-2.0 */
#include "common/conf_inside.h"

#include <assert.h>
#include <stdlib.h>
#include <yaml.h>

#include "common/mem.h"
#include "common/utf8.h"

/*
 * libyaml's events rather than its documents: only events tell duplicate
 * keys, anchors and quotes, and a file that breaks off in the middle still
 * gives the tree of what stands before.
 */
struct frame {
	struct conf_tree *t;
	struct conf_tree *key; /* waits for its value */
	bool secret;	       /* by the name of a key above */
};

struct build {
	struct conf *c;
	struct conf_source *s;
	struct frame frame[CONF_DEPTH_MAX];
	unsigned depth;
	struct conf_tree *root;
	size_t nodes;
	bool stop;
};

static struct conf_place place_of(const struct conf_source *s, yaml_mark_t from,
				  yaml_mark_t to)
{
	unsigned line = (unsigned)from.line + 1;
	long col = (long)from.column + 1;
	unsigned width = 1;

	if (line > s->n_lines) { /* libyaml ends a file with one line more */
		line = s->n_lines;
		col = (long)utf8_count(s->line[line - 1]) + 1;
	} else if (s->shift) {
		col -= s->shift[line - 1];
	}
	if (to.line == from.line && to.column > from.column)
		width = (unsigned)(to.column - from.column);
	return (struct conf_place){line, col > 0 ? (unsigned)col : 1, width};
}

static struct conf_tree *new_node(struct build *b, enum conf_tree_kind kind,
				  const yaml_event_t *ev)
{
	struct conf_tree *t = conf_alloc(b->c, sizeof(*t));

	t->kind = kind;
	t->source = b->s;
	t->at = place_of(b->s, ev->start_mark, ev->end_mark);
	t->end_line = (unsigned)ev->end_mark.line + 1;
	if (++b->nodes > CONF_NODES_MAX && !b->stop) {
		conf_error(b->c, t, "too-big", NULL,
			   "more than %d values in one file", CONF_NODES_MAX);
		b->stop = true;
	}
	return t;
}

static void check_key(struct build *b, struct conf_tree *key)
{
	if (key->kind != TREE_SCALAR) {
		conf_error(b->c, key, "bad-key", NULL,
			   "a list or a map cannot be a key");
		key->bad = true;
	} else if (sv_eq(key->text, SV("<<")) && !key->quoted) {
		conf_error(b->c, key, "merge-key", "write the keys out",
			   "merge keys are not accepted");
		key->bad = true;
	}
}

/* By name too: the value of an unknown or a second key, say, meets no schema
 * that would hide it. */
static bool is_secret(const struct build *b)
{
	const struct frame *f = b->depth ? &b->frame[b->depth - 1] : NULL;

	return f && (f->secret || (f->key && conf_names_secret(f->key->text)));
}

static void add(struct build *b, struct conf_tree *t)
{
	struct frame *f = b->depth ? &b->frame[b->depth - 1] : NULL;

	if (!f) {
		b->root = t;
	} else if (f->t->kind == TREE_LIST) {
		conf_append(b->c, f->t, NULL, t);
	} else if (!f->key) {
		check_key(b, t);
		f->key = t;
	} else {
		conf_append(b->c, f->t, f->key, t);
		f->key = NULL;
	}
}

static void open_frame(struct build *b, struct conf_tree *t, bool secret)
{
	if (b->depth == CONF_DEPTH_MAX) {
		conf_error(b->c, t, "too-deep", NULL,
			   "nested deeper than %d levels", CONF_DEPTH_MAX);
		b->stop = true;
		return;
	}
	b->frame[b->depth++] = (struct frame){t, NULL, secret};
}

static int by_text(const void *a, const void *b)
{
	const struct conf_tree *x = *(struct conf_tree *const *)a;
	const struct conf_tree *y = *(struct conf_tree *const *)b;
	size_t n = x->text.n < y->text.n ? x->text.n : y->text.n;
	int d = n ? memcmp(x->text.p, y->text.p, n) : 0;

	if (d)
		return d;
	if (x->text.n != y->text.n)
		return x->text.n < y->text.n ? -1 : 1;
	if (x->at.line != y->at.line)
		return x->at.line < y->at.line ? -1 : 1;
	return x->at.col < y->at.col ? -1 : x->at.col > y->at.col;
}

static void find_duplicates(struct build *b, const struct conf_tree *t)
{
	struct conf_tree **sorted =
		xcalloc(t->n + 1, sizeof(struct conf_tree *));
	struct conf_tree *first = NULL;

	if (t->n)
		memcpy(sorted, t->key, t->n * sizeof(struct conf_tree *));
	qsort(sorted, t->n, sizeof(struct conf_tree *), by_text);
	for (size_t i = 0; i < t->n; i++) {
		if (sorted[i]->bad)
			continue;
		if (!first || !sv_eq(first->text, sorted[i]->text)) {
			first = sorted[i];
			continue;
		}
		conf_error(b->c, sorted[i], "duplicate-key", NULL,
			   "key '%.*s' is already in line %u",
			   SV_ARG(first->text), first->at.line);
	}
	free(sorted);
}

static void close_frame(struct build *b)
{
	struct conf_tree *t;

	assert(b->depth > 0); /* libyaml ends only what it began */
	t = b->frame[--b->depth].t;
	if (t->kind == TREE_MAP)
		find_duplicates(b, t);
}

static void check_extras(struct build *b, struct conf_tree *t,
			 const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor)
		conf_error(b->c, t, "anchor", "write the value out",
			   "anchors are not accepted");
	if (tag)
		conf_error(b->c, t, "tag", "leave it out",
			   "tags are not accepted");
}

static void on_scalar(struct build *b, const yaml_event_t *ev)
{
	struct conf_tree *t = new_node(b, TREE_SCALAR, ev);

	t->quoted = ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	t->text = (struct sv){(const char *)ev->data.scalar.value,
			      ev->data.scalar.length};
	t->text.p = conf_keep(b->c, t->text);
	check_extras(b, t, ev->data.scalar.anchor, ev->data.scalar.tag);
	if (memchr(t->text.p, '\0', t->text.n)) {
		conf_error(b->c, t, "nul", NULL, "a NUL character");
		t->bad = true;
	}
	if (is_secret(b) && !conf_is_reference(t->text))
		conf_hide(b->c, t);
	add(b, t);
}

static void on_alias(struct build *b, const yaml_event_t *ev)
{
	struct conf_tree *t = new_node(b, TREE_SCALAR, ev);

	t->text = (struct sv){"", 0};
	t->bad = true;
	conf_error(b->c, t, "alias", "write the value out",
		   "aliases are not accepted");
	add(b, t);
}

static void on_document(struct build *b, const yaml_event_t *ev)
{
	struct conf_place at = place_of(b->s, ev->start_mark, ev->end_mark);

	if (b->root) {
		conf_fault_at(b->c, CONF_ERROR, b->s, at, "document", NULL,
			      "a second document in one file");
		b->stop = true;
	} else if (ev->data.document_start.version_directive ||
		   ev->data.document_start.tag_directives.start !=
			   ev->data.document_start.tag_directives.end) {
		conf_fault_at(b->c, CONF_ERROR, b->s, at, "directive",
			      "leave it out", "directives are not accepted");
	}
}

static void on_event(struct build *b, const yaml_event_t *ev)
{
	struct conf_tree *t;
	bool secret;

	switch (ev->type) {
	case YAML_DOCUMENT_START_EVENT:
		on_document(b, ev);
		break;
	case YAML_ALIAS_EVENT:
		on_alias(b, ev);
		break;
	case YAML_SCALAR_EVENT:
		on_scalar(b, ev);
		break;
	case YAML_SEQUENCE_START_EVENT:
		t = new_node(b, TREE_LIST, ev);
		check_extras(b, t, ev->data.sequence_start.anchor,
			     ev->data.sequence_start.tag);
		secret = is_secret(b);
		add(b, t);
		open_frame(b, t, secret);
		break;
	case YAML_MAPPING_START_EVENT:
		t = new_node(b, TREE_MAP, ev);
		check_extras(b, t, ev->data.mapping_start.anchor,
			     ev->data.mapping_start.tag);
		secret = is_secret(b);
		add(b, t);
		open_frame(b, t, secret);
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		close_frame(b);
		break;
	case YAML_STREAM_END_EVENT:
		b->s->broken = false;
		b->stop = true;
		break;
	default:
		break;
	}
}

/* Where a byte offset of the text that libyaml read lies. */
static struct conf_place place_of_offset(struct sv text, size_t offset)
{
	struct conf_place at = {1, 1, 1};
	size_t from = 0;

	offset = offset < text.n ? offset : text.n;
	for (size_t i = 0; i < offset; i++) {
		if (text.p[i] != '\n')
			continue;
		at.line++;
		from = i + 1;
	}
	at.col +=
		(unsigned)utf8_count((struct sv){text.p + from, offset - from});
	return at;
}

static void scanner_error(struct build *b, const yaml_parser_t *p,
			  struct sv text)
{
	char began[48] = "";
	struct conf_place at = place_of(b->s, p->problem_mark, p->problem_mark);
	if (p->error == YAML_READER_ERROR) {
		at = place_of_offset(text, p->problem_offset);
		if (b->s->shift && at.line <= b->s->n_lines &&
		    (int)at.col > b->s->shift[at.line - 1])
			at.col -= (unsigned)b->s->shift[at.line - 1];
	}
	if (p->context && p->context_mark.line < p->problem_mark.line)
		snprintf(began, sizeof(began), " that began in line %zu",
			 p->context_mark.line + 1);
	conf_fault_at(b->c, CONF_ERROR, b->s, at, "yaml", NULL, "%s%s%s%s",
		      p->problem ? p->problem : "not YAML",
		      p->context ? " " : "", p->context ? p->context : "",
		      began);
}

static void run(struct build *b, struct sv text)
{
	yaml_parser_t parser;
	yaml_event_t ev;

	if (!yaml_parser_initialize(&parser))
		abort(); /* out of memory, as in xmalloc */
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text.p,
				     text.n);
	while (!b->stop) {
		if (!yaml_parser_parse(&parser, &ev)) {
			scanner_error(b, &parser, text);
			break;
		}
		on_event(b, &ev);
		yaml_event_delete(&ev);
	}
	yaml_parser_delete(&parser);
	while (b->depth) {
		b->frame[b->depth - 1].t->partial = true;
		close_frame(b);
	}
}

struct conf_tree *conf_parse_yaml(struct conf *c, struct conf_source *s)
{
	struct build b = {.c = c, .s = s};
	struct sv text = s->text;
	char *clean = NULL;
	size_t before = conf_errors(c);

	if (text.n && memchr(text.p, '\t', text.n))
		text.p = clean = conf_untab(c, s, &text.n);
	s->broken = true; /* until its end is seen */
	run(&b, text);
	free(clean);
	if (!b.root) {
		b.root = conf_alloc(c, sizeof(*b.root));
		b.root->kind = TREE_MAP;
		b.root->source = s;
		b.root->at = (struct conf_place){1, 1, 1};
		b.root->partial = conf_errors(c) > before;
	}
	return b.root;
}
