/* SPDX-License-Identifier: Apache-2.0 */
#include "common/conf_inside.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "common/utf8.h"

/*
 * A file with a syntax error has no whole tree that a schema could say the
 * secrets of.  There only names tell, line by line, and too much is hidden
 * rather than too little:
 *
 *   site: {name: x, secret: hunter2, zone: [}   all behind "secret:"
 *   secret: |                                   and what is indented below
 *     hunter2
 *   secret: "${file:site.key}"                  is no secret
 */

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-';
}

bool conf_names_secret(struct sv name)
{
	static const char *const word[] = {"secret", "password", "token",
					   "key"};

	for (size_t w = 0; w < ARRAY_LEN(word); w++) {
		size_t n = strlen(word[w]);

		for (size_t i = 0; i + n <= name.n; i++)
			if (strncasecmp(name.p + i, word[w], n) == 0)
				return true;
	}
	return false;
}

static size_t skip(struct sv s, size_t i, const char *any)
{
	while (i < s.n && s.p[i] && strchr(any, s.p[i]))
		i++;
	return i;
}

/* Where "${file:...}" or "${env:...}" at i ends; i when it is not there or
 * something stands behind it. */
static size_t skip_reference(struct sv s, size_t i)
{
	size_t at = skip(s, i, "\"'");
	struct sv rest = {s.p + at, s.n - at};
	const char *end = rest.n ? memchr(rest.p, '}', rest.n) : NULL;

	if (!end ||
	    !(sv_starts(rest, SV("${file:")) || sv_starts(rest, SV("${env:"))))
		return i;
	at = skip(s, (size_t)(end - s.p) + 1, "\"'");
	return at == s.n || strchr(" \t,}]", s.p[at]) ? at : i;
}

bool conf_is_reference(struct sv text)
{
	return text.n && skip_reference(text, 0) == text.n;
}

/* Where the content begins, the dashes of a list before it. */
static size_t content(struct sv line)
{
	return skip(line, 0, " \t-");
}

/* First byte of a value that may be secret; line.n when there is none. */
static size_t value_at(struct sv line)
{
	size_t first = skip(line, content(line), "\"'");
	size_t i = 0;

	while (i < line.n) {
		size_t from = i;
		size_t value;

		while (i < line.n && is_name(line.p[i]))
			i++;
		if (i == from) {
			i++;
			continue;
		}
		if (!conf_names_secret((struct sv){line.p + from, i - from}))
			continue;
		value = skip(line, skip(line, i, "\"'"), " \t");
		if (value < line.n && strchr(":=", line.p[value]))
			value = skip(line, value + 1, " \t");
		else if (from != first || value == i)
			continue; /* a word in some text */
		i = skip_reference(line, value);
		if (i == value)
			return value;
	}
	return line.n;
}

static bool holds_secret(struct sv line)
{
	size_t end = line.n;

	while (end && strchr(" \t", line.p[end - 1]))
		end--;
	if (end && line.p[end - 1] == ':') { /* its value is below */
		size_t from = --end;

		while (from && (is_name(line.p[from - 1]) ||
				strchr("\"' \t", line.p[from - 1])))
			from--;
		return conf_names_secret(
			(struct sv){line.p + from, end - from});
	}
	return value_at(line) < line.n;
}

/* Whether a line above that this one is indented under names a secret. */
static bool below_secret(const struct conf_source *s, unsigned line)
{
	size_t indent = content(s->line[line - 1]);

	for (unsigned i = line - 1; i > 0 && indent > 0; i--) {
		struct sv above = s->line[i - 1];
		size_t at = content(above);

		if (at == above.n || at >= indent)
			continue;
		if (holds_secret(above))
			return true;
		indent = at;
	}
	return false;
}

size_t conf_secret_col(const struct conf_source *s, unsigned line)
{
	struct sv text = s->line[line - 1];
	size_t at;

	if (below_secret(s, line))
		return content(text) + 1; /* spaces and dashes: bytes */
	at = value_at(text);
	if (at == text.n)
		return SIZE_MAX;
	return utf8_count((struct sv){text.p, at}) + 1;
}
