/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_CONFIG_INSIDE_H
#define ANALYZER_CONFIG_INSIDE_H

#include "analyzer/config.h"

/* Between the parts that compile the analyzer's config; nobody else's. */

/* Words of a fixed list: the index, or -1 with an error that suggests. */
int config_word(struct conf *c, const struct conf_tree *t,
		const char *const *words, size_t n, const char *what);

/* "did you mean 'x'?" into hint, or NULL when nothing is near. */
const char *config_hint(struct sv text, const char *const *words, size_t n,
			char hint[96]);

/* A decimal factor, "2" or "0.5", in thousandths: 1..1000000. */
bool config_factor(struct conf *c, const struct conf_tree *t, uint32_t *milli);

/* Midnight of a date (days since 1970) in the site's zone. */
int64_t config_midnight(const struct analyzer_conf *a, int64_t day);

/* ---- hours.c: calendars and holidays ---- */
struct hours;

/* Read `calendars`; holiday files are read from folder when first needed. */
struct hours *hours_load(struct conf *c, const struct analyzer_conf *a,
			 const struct conf_tree *calendars,
			 const struct conf_tree *at, const char *folder);
void hours_free(struct hours *h); /* NULL ok */

/* Compiled calendar of a name with the holidays of a division (NULL: the
 * site's).  NULL: there is no such calendar, or it was faulty; *near is then
 * the nearest name, or NULL; *known whether the name is defined. */
const struct calendar *hours_find(struct hours *h, struct sv name,
				  struct sv division, bool *known,
				  const char **near);

/* Is there a list for the division?  Reads it; an error was recorded if it
 * is faulty. */
bool hours_division(struct hours *h, struct sv division);

/* A warning for each holiday list in use that ends within 90 days of now. */
void hours_lint(const struct hours *h, int64_t now_us);

/* What is read from trees, for analyzer_conf_document(). */
void hours_document(FILE *out);
void rules_document(FILE *out);
void overrides_document(FILE *out);

/* ---- the rest ---- */
extern const char *const segment_names[7];

void accounts_load(struct conf *c, struct analyzer_conf *a,
		   const struct conf_tree *at, struct sv path);
void overrides_load(struct conf *c, struct analyzer_conf *a,
		    const struct conf_tree *list);
void overrides_free(struct analyzer_conf *a);

bool match_load(struct conf *c, const struct conf_tree *t, struct match *out);

/* within: of the rule or regime, in microseconds or WITHIN_SESSION; 0 = not
 * said. */
bool limit_load(struct conf *c, const struct conf_tree *t, enum rule_key per,
		int64_t within, struct limit *out);
bool within_load(struct conf *c, const struct conf_tree *t, int64_t *within);

#endif
