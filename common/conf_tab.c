/* SPDX-License-Identifier: Apache-2.0 */
#include "common/conf_inside.h"

#include "common/mem.h"
#include "common/utf8.h"

/*
 * YAML forbids tabs in indentation, and libyaml stops at the first.  To show
 * the other errors too, tabs are found before parsing and replaced.  One tab
 * says nothing about depth, so the repair guesses what was meant from the
 * line above:
 *
 *   rules:               line above ends in ':'  -> a level deeper
 *   ⇥- id: R01           line above is an item   -> beside its first key
 *   ⇥  name: x
 *   ⇥- id: R02           same width as before    -> same depth as then
 *
 * A wrong guess costs a follow-on error, never a missed one: the config is
 * refused in any case.
 */
enum {
	REPAIRS_MAX = 200, /* lines; then a tab is one space */
	INDENT_MAX = 200,  /* deepest indentation given to a repaired line */
	LEVELS_MAX = 32,
};

struct level {
	size_t nominal; /* width with tabs to multiples of 8 */
	size_t actual;
};

struct untab {
	struct conf *c;
	struct conf_source *s;
	char *out;
	size_t n;
	char quote;    /* of the scalar we are inside of; 0 = none */
	size_t indent; /* of the last line with content, as repaired */
	bool after_dash;
	bool after_colon;
	struct level level[LEVELS_MAX];
	unsigned n_levels;
	unsigned repairs;
};

static void complain(struct untab *u, unsigned line, unsigned col)
{
	conf_fault_at(u->c, CONF_ERROR, u->s, (struct conf_place){line, col, 1},
		      "tab", "use spaces", "tab character");
}

static size_t nominal_width(struct sv indent)
{
	size_t w = 0;

	for (size_t i = 0; i < indent.n; i++)
		w = indent.p[i] == '\t' ? (w / 8 + 1) * 8 : w + 1;
	return w;
}

static size_t guess(struct untab *u, size_t nominal)
{
	size_t w = u->indent;

	for (unsigned i = u->n_levels; i-- > 0;)
		if (u->level[i].nominal == nominal)
			return u->level[i].actual;
	w += u->after_dash ? 2 : 0;
	w += u->after_colon ? 2 : 0;
	w = w < INDENT_MAX ? w : INDENT_MAX;
	if (u->n_levels < LEVELS_MAX)
		u->level[u->n_levels++] = (struct level){nominal, w};
	return w;
}

/* Write the indentation of a line; returns its width as written. */
static size_t put_indent(struct untab *u, struct sv indent)
{
	bool tab = memchr(indent.p, '\t', indent.n) != NULL;
	size_t w = indent.n;

	if (tab && u->repairs++ < REPAIRS_MAX)
		w = guess(u, nominal_width(indent));
	memset(u->out + u->n, ' ', w);
	u->n += w;
	return w;
}

/* A quote opens a scalar only where a scalar may begin. */
static bool opens_quote(struct sv line, size_t i)
{
	if (line.p[i] != '"' && line.p[i] != '\'')
		return false;
	return i == 0 || strchr(" \t[{,:-", line.p[i - 1]);
}

static bool opens_comment(struct sv line, size_t i)
{
	return line.p[i] == '#' &&
	       (i == 0 || line.p[i - 1] == ' ' || line.p[i - 1] == '\t');
}

/* Inside quotes: one character, or two of an escape; returns how many. */
static size_t step_quoted(struct untab *u, struct sv line, size_t i)
{
	bool pair = i + 1 < line.n;

	if (u->quote == '"' && line.p[i] == '\\' && pair)
		return 2;
	if (line.p[i] != u->quote)
		return 1;
	if (u->quote == '\'' && pair && line.p[i + 1] == '\'')
		return 2;
	u->quote = 0;
	return 1;
}

/* Copy the line from i on, tabs outside quotes as spaces.  Returns where its
 * content ends: at a comment, or the line's end.  *tab: first tab, if any. */
static size_t put_rest(struct untab *u, struct sv line, size_t i, size_t *tab)
{
	while (i < line.n) {
		size_t step = 1;
		char *to = u->out + u->n;

		if (!u->quote && opens_comment(line, i))
			break;
		if (u->quote)
			step = step_quoted(u, line, i);
		else if (opens_quote(line, i))
			u->quote = line.p[i];
		memcpy(to, line.p + i, step);
		if (step == 1 && *to == '\t' && !u->quote) {
			*to = ' ';
			*tab = *tab < line.n ? *tab : i;
		}
		u->n += step;
		i += step;
	}
	memcpy(u->out + u->n, line.p + i, line.n - i);
	u->n += line.n - i;
	return i;
}

static void remember(struct untab *u, struct sv content, size_t width)
{
	content = sv_trim(content);
	if (content.n == 0)
		return;
	while (u->n_levels && u->level[u->n_levels - 1].actual > width)
		u->n_levels--;
	u->indent = width;
	u->after_dash =
		content.p[0] == '-' && (content.n == 1 || content.p[1] == ' ');
	u->after_colon = content.p[content.n - 1] == ':';
}

static void one_line(struct untab *u, unsigned number)
{
	struct sv line = u->s->line[number - 1];
	struct sv indent = {line.p, 0};
	size_t tab = line.n;
	size_t width;
	size_t end;

	if (u->quote) { /* goes on from the line above */
		put_rest(u, line, 0, &tab);
	} else {
		while (indent.n < line.n && strchr(" \t", line.p[indent.n]) &&
		       line.p[indent.n])
			indent.n++;
		if (indent.n == line.n)
			return; /* nothing but space: left out */
		width = put_indent(u, indent);
		u->s->shift[number - 1] = (int)width - (int)indent.n;
		if (memchr(indent.p, '\t', indent.n))
			tab = (size_t)((char *)memchr(indent.p, '\t',
						      indent.n) -
				       indent.p);
		end = put_rest(u, line, indent.n, &tab);
		remember(u,
			 (struct sv){line.p + indent.n,
				     end > indent.n ? end - indent.n : 0},
			 width);
	}
	if (tab < line.n)
		complain(u, number,
			 (unsigned)utf8_count((struct sv){line.p, tab}) + 1);
}

char *conf_untab(struct conf *c, struct conf_source *s, size_t *n)
{
	struct untab u = {.c = c, .s = s};

	u.out = xmalloc(s->text.n + s->n_lines +
			(size_t)REPAIRS_MAX * (INDENT_MAX + 1) + 1);
	s->shift = conf_alloc(c, (s->n_lines + 1) * sizeof(*s->shift));
	for (unsigned i = 1; i <= s->n_lines; i++) {
		one_line(&u, i);
		u.out[u.n++] = '\n';
	}
	*n = u.n;
	return u.out;
}
