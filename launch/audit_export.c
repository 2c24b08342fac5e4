/* SPDX-License-Identifier: Apache-2.0 */
/* What an auditor reads.  Asking is an event of the log itself, committed
 * before anything is shown. */
#include "launch/audit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/attr.h"
#include "common/clock.h"
#include "launch/pg.h"
#include "launch/program.h"
#include "launch/session.h"

enum { TOKEN_TEXT = SESSION_HEX + 2 };

struct column {
	const char *name;
	enum { TEXT, NUMBER, FLAG } kind;
};

/* As the query gives them, after the code. */
static const struct column column[] = {
	{"event", NUMBER},	{"at", TEXT},	     {"stream", TEXT},
	{"seq", NUMBER},	{"actor", TEXT},     {"login", TEXT},
	{"action", TEXT},	{"result", TEXT},    {"incident", NUMBER},
	{"ticket", NUMBER},	{"authority", TEXT}, {"subject", TEXT},
	{"purpose", TEXT},	{"fields", TEXT},    {"words", TEXT},
	{"words_intact", FLAG}, {"detail", TEXT},    {"row_hash", TEXT},
};

#define PAGE "5000"

static const char read_sql[] =
	"select r.code, r.event, to_char(r.at at time zone 'UTC', "
	"'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), r.stream, r.seq, r.actor, "
	"r.login, r.action, r.result, r.incident, r.ticket, r.authority, "
	"r.subject, r.purpose, r.fields, r.words, r.words_intact, r.detail, "
	"encode(r.row_hash, 'hex') "
	"from audit.read($1::bytea, $2, null, $3, " PAGE ") r";

/* A spreadsheet takes what begins so for a formula (OWASP ASVS 1.2.10). */
static bool is_formula(const char *s)
{
	return *s && strchr("=+-@\t\r\n", *s);
}

static void csv_field(const char *s, FILE *f)
{
	fputc('"', f);
	if (is_formula(s))
		fputc('\'', f);
	for (; *s; s++) {
		if (*s == '"')
			fputc('"', f);
		fputc(*s, f);
	}
	fputc('"', f);
}

static void csv_head(FILE *f)
{
	for (size_t i = 0; i < ARRAY_LEN(column); i++)
		fprintf(f, "%s%s", i ? "," : "", column[i].name);
	fputs("\r\n", f);
}

static void csv_row(const PGresult *r, int row, FILE *f)
{
	for (size_t i = 0; i < ARRAY_LEN(column); i++) {
		if (i)
			fputc(',', f);
		if (!PQgetisnull(r, row, (int)i + 1))
			csv_field(PQgetvalue(r, row, (int)i + 1), f);
	}
	fputs("\r\n", f);
}

static json_t *json_value(const PGresult *r, int row, size_t i)
{
	const char *s = PQgetvalue(r, row, (int)i + 1);

	if (PQgetisnull(r, row, (int)i + 1))
		return json_null();
	if (column[i].kind == NUMBER)
		return json_integer(strtoll(s, NULL, 10));
	if (column[i].kind == FLAG)
		return json_boolean(*s == 't');
	return json_string(s);
}

static void json_row(const PGresult *r, int row, FILE *f)
{
	json_t *o = json_object();

	for (size_t i = 0; i < ARRAY_LEN(column); i++)
		json_object_set_new(o, column[i].name, json_value(r, row, i));
	json_dumpf(o, f, JSON_COMPACT);
	fputc('\n', f);
	json_decref(o);
}

/* A terminal obeys control characters: those of ASCII, and U+0080 to U+009F
 * in UTF-8. */
static void plain_field(const char *s, FILE *f)
{
	for (; *s; s++) {
		uint8_t c = (uint8_t)*s, next = (uint8_t)s[1];

		if (c == 0xc2 && next >= 0x80 && next < 0xa0) {
			fputc('?', f);
			s++;
		} else {
			fputc(c < 0x20 || c == 0x7f ? '?' : c, f);
		}
	}
}

static void plain_row(const PGresult *r, int row, FILE *f)
{
	static const int shown[] = {2, 5, 7, 8, 9, 11, 13, 14, 15, 17};

	for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
		if (i)
			fputs("  ", f);
		plain_field(PQgetisnull(r, row, shown[i])
				    ? "-"
				    : PQgetvalue(r, row, shown[i]),
			    f);
	}
	fputc('\n', f);
}

/* A day stands for its beginning. */
static bool time_of(const char *text, char out[TIME_TEXT], struct err *e)
{
	char whole[TIME_TEXT];
	int64_t us;

	if (strlen(text) == 10) {
		snprintf(whole, sizeof(whole), "%sT00:00:00Z", text);
		text = whole;
	}
	if (!time_parse(sv_of(text), &us))
		return err_set(e,
			       "%s: not a time; write 2026-01-17 or "
			       "2026-01-17T02:24:00Z",
			       text);
	time_text(us, out);
	return true;
}

static bool refused(const char *code, struct err *e)
{
	return err_set(e, "refused: %s", code);
}

static bool request(PGconn *pg, const struct audit_opts *o, const char *token,
		    char ticket[24], struct err *e)
{
	char from[TIME_TEXT], to[TIME_TEXT];
	const char *const value[] = {token, from, to, o->reason};
	PGresult *r;
	bool ok;

	if (!time_of(o->from, from, e) || !time_of(o->to[0], to, e))
		return false;
	r = pg_ask(pg,
		   "select r.code, r.ticket from audit.read_request("
		   "$1::bytea, $2, $3, $4) r",
		   ARRAY_LEN(value), value, e);
	if (!r)
		return false;
	ok = strcmp(PQgetvalue(r, 0, 0), "ok") == 0 ||
	     refused(PQgetvalue(r, 0, 0), e);
	snprintf(ticket, 24, "%s", PQgetvalue(r, 0, 1));
	PQclear(r);
	return ok;
}

static bool show(PGresult *r, const struct audit_opts *o, char after[24],
		 struct err *e)
{
	int rows = PQntuples(r);

	for (int i = 0; i < rows; i++) {
		if (strcmp(PQgetvalue(r, i, 0), "ok") != 0)
			return refused(PQgetvalue(r, i, 0), e);
		if (o->as_csv)
			csv_row(r, i, stdout);
		else if (o->as_json)
			json_row(r, i, stdout);
		else
			plain_row(r, i, stdout);
		snprintf(after, 24, "%s", PQgetvalue(r, i, 1));
	}
	return true;
}

static bool export(PGconn *pg, const struct audit_opts *o, const char *token,
		   struct err *e)
{
	char ticket[24], after[24] = "0";
	const char *const value[] = {token, ticket, after};
	int rows = 1;

	if (!request(pg, o, token, ticket, e))
		return false;
	if (o->as_csv)
		csv_head(stdout);
	while (rows > 0) {
		PGresult *r = pg_ask(pg, read_sql, ARRAY_LEN(value), value, e);
		bool ok = r && show(r, o, after, e);

		rows = PQntuples(r);
		PQclear(r);
		if (!ok)
			return false;
	}
	return (fflush(stdout) == 0 && !ferror(stdout)) ||
	       err_set(e, "output: %s", strerror(errno));
}

int audit_export(const struct audit_opts *o)
{
	char token[TOKEN_TEXT] = "\\x";
	PGconn *pg = NULL;
	char *dsn = NULL;
	struct err e;
	bool ok = session_token(token + 2, &e) &&
		  (dsn = audit_dsn(o, "tollwatch_auditor", &e)) &&
		  pg_open(&pg, dsn, &e) && export(pg, o, token, &e);

	if (!ok)
		fprintf(stderr, "tollwatch: audit: %s\n", e.text);
	PQfinish(pg);
	free(dsn);
	explicit_bzero(token, sizeof(token));
	return ok ? 0 : 1;
}
