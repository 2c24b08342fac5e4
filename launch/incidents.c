/* SPDX-License-Identifier: Apache-2.0 */
/* incidents, show, ack, escalate, resolve, page-test: what on-call staff type
 * at 3 am.  All of it is asked of the alerter, so it works with the database
 * away. */
#include "launch/command.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "launch/ask.h"
#include "launch/place.h"
#include "launch/program.h"

struct request {
	const char *state;
	const char *note;
	const char *verdict;
	const char *operand; /* incident or person */
	bool as_json;
	bool all;
};

static int usage(const char *text)
{
	fprintf(stderr, "usage: tollwatch %s\n", text);
	return EXIT_USAGE;
}

static bool parse(int argc, char **argv, bool operand, struct request *r)
{
	static const struct option opts[] = {
		{"json", no_argument, NULL, 'j'},
		{"all", no_argument, NULL, 'a'},
		{"state", required_argument, NULL, 's'},
		{"note", required_argument, NULL, 'n'},
		{"verdict", required_argument, NULL, 'v'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		switch (c) {
		case 'j':
			r->as_json = true;
			break;
		case 'a':
			r->all = true;
			break;
		case 's':
			r->state = optarg;
			break;
		case 'n':
			r->note = optarg;
			break;
		case 'v':
			r->verdict = optarg;
			break;
		default:
			return false;
		}
	}
	if (operand && optind < argc)
		r->operand = argv[optind++];
	return optind == argc && (!operand || r->operand);
}

/* The answer, or an exit code after a message. */
static int put(const struct request *r, json_t *q, json_t **answer)
{
	struct place p;
	struct err e;
	int code = EXIT_AWAY;

	*answer = NULL;
	if (!place_find(&p, r->state, &e) || !place_running(&p, &e))
		json_decref(q);
	else
		code = ask(p.command, q, answer, &e);
	if (code != 0) {
		fprintf(stderr, "tollwatch: %s\n", e.text);
		json_decref(*answer);
		*answer = NULL;
	}
	return code;
}

/* ---- words ---- */

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "-";
}

static long long int_of(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

/* "Sat 17 Jan 02:25:18" on the site's wall. */
static const char *local(const json_t *o, const char *key, char out[32])
{
	struct tm tm;
	int64_t us;
	time_t s;

	snprintf(out, 32, "-");
	if (!time_parse(sv_of(text_of(o, key)), &us))
		return out;
	s = (time_t)(us / SEC_US);
	localtime_r(&s, &tm);
	if (strftime(out, 32, "%a %e %b %H:%M:%S", &tm) == 0)
		out[0] = '\0';
	return out;
}

static void site_zone(const json_t *answer)
{
	setenv("TZ", text_of(answer, "timezone"), 1);
	tzset();
}

static const char *severity_colour(const json_t *i, bool colour)
{
	if (!colour || strcmp(text_of(i, "state"), "resolved") == 0)
		return "";
	return strcmp(text_of(i, "severity"), "critical") == 0 ? "\033[1;31m"
							       : "\033[33m";
}

static bool colour_wanted(void)
{
	const char *no = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no && *no) &&
	       !(term && strcmp(term, "dumb") == 0);
}

static void print_row(const json_t *i, bool colour)
{
	const char *on = severity_colour(i, colour);
	char opened[32];

	printf("%4lld  %s%-8s%s  %-12s  %-20.20s  %s  %9s  %8s  %5lld  %5zu  "
	       "%s\n",
	       int_of(i, "ref"), on, text_of(i, "severity"),
	       *on ? "\033[0m" : "", text_of(i, "state"), text_of(i, "account"),
	       local(i, "opened", opened), text_of(i, "exposure_gbp"),
	       text_of(i, "burn_gbp_min"), int_of(i, "live_calls"),
	       json_array_size(json_object_get(i, "pages")),
	       text_of(i, "acked_by"));
}

int incidents_main(int argc, char **argv)
{
	struct request r = {0};
	json_t *answer, *item;
	size_t k;
	int code;

	if (!parse(argc, argv, false, &r))
		return usage("incidents [--all] [--json] [--state DIR]");
	code = put(&r,
		   json_pack("{s:s,s:b}", "command", "incidents", "all", r.all),
		   &answer);
	if (code != 0)
		return code;
	site_zone(answer);
	if (!r.as_json &&
	    json_array_size(json_object_get(answer, "incidents")) > 0)
		printf(" ref  severity  state         account               "
		       "opened                  £ so far   £/min  up     "
		       "pages  by\n");
	json_array_foreach(json_object_get(answer, "incidents"), k, item)
	{
		if (r.as_json) {
			json_dumpf(item, stdout, JSON_COMPACT);
			putchar('\n');
		} else {
			print_row(item, colour_wanted());
		}
	}
	if (!r.as_json && k == 0)
		fprintf(stderr,
			"no incident is open%s; those resolved more than two "
			"days ago are in the database alone (README, Who sees "
			"what)\n",
			r.all ? " or was resolved lately" : "");
	json_decref(answer);
	return 0;
}

/* ---- show ---- */

static void print_facts(const json_t *i)
{
	char at[32];

	printf("incident %lld  %s %s  %s\n", int_of(i, "ref"),
	       text_of(i, "severity"), text_of(i, "state"),
	       text_of(i, "family"));
	printf("  account      %s (%s), trunk %s\n", text_of(i, "account_name"),
	       text_of(i, "account"), text_of(i, "trunk"));
	printf("  since        %s\n", local(i, "first_call", at));
	printf("  opened       %s\n", local(i, "opened", at));
	printf("  so far       £%s, £%s/min, %lld calls, %lld up\n",
	       text_of(i, "exposure_gbp"), text_of(i, "burn_gbp_min"),
	       int_of(i, "calls"), int_of(i, "live_calls"));
	printf("  at 1st page  £%s\n", text_of(i, "exposure_gbp_at_page"));
	if (json_is_string(json_object_get(i, "acked_by")))
		printf("  acknowledged by %s, %s\n", text_of(i, "acked_by"),
		       local(i, "acked_at", at));
	if (json_is_string(json_object_get(i, "resolved_by")))
		printf("  resolved     by %s, %s: %s\n",
		       text_of(i, "resolved_by"), local(i, "resolved_at", at),
		       text_of(i, "verdict"));
}

static void print_findings(const json_t *i)
{
	json_t *f;
	size_t k;
	char at[32];

	printf("findings\n");
	json_array_foreach(json_object_get(i, "findings"), k, f)
		printf("  %s  %-8s %s %s, limit at %s:%lld  (why %s)\n",
		       local(f, "time", at), text_of(f, "severity"),
		       text_of(f, "rule"), text_of(f, "name"),
		       text_of(json_object_get(f, "limit_cause"), "file"),
		       int_of(json_object_get(f, "limit_cause"), "line"),
		       text_of(f, "id"));
}

static void print_pages(const json_t *i)
{
	json_t *p;
	size_t k;
	char at[32];

	printf("pages\n");
	json_array_foreach(json_object_get(i, "pages"), k, p)
	{
		printf("  %s  %-4lld %-12s %-8s %-11s %-16s £%s",
		       local(p, "queued", at), int_of(p, "page"),
		       text_of(p, "person"), text_of(p, "channel"),
		       text_of(p, "reason"), text_of(p, "state"),
		       text_of(p, "exposure_gbp"));
		if (json_is_string(json_object_get(p, "error")))
			printf("  try %lld: %s", int_of(p, "attempts"),
			       text_of(p, "error"));
		putchar('\n');
	}
}

static void print_timeline(const json_t *i)
{
	json_t *f;
	size_t k;
	char at[32];

	printf("what happened\n");
	json_array_foreach(json_object_get(i, "timeline"), k, f)
	{
		const char *kind = text_of(f, "kind");

		if (strcmp(kind, "finding") == 0 || strcmp(kind, "queued") == 0)
			continue;
		printf("  %s  %s", local(f, "at", at), kind);
		if (json_object_get(f, "page"))
			printf(" page %lld", int_of(f, "page"));
		if (json_is_string(json_object_get(f, "state")))
			printf(" %s", text_of(f, "state"));
		if (json_is_string(json_object_get(f, "person")))
			printf(" %s", text_of(f, "person"));
		if (json_is_string(json_object_get(f, "note")))
			printf(": %s", text_of(f, "note"));
		if (json_is_string(json_object_get(f, "error")))
			printf(": %s", text_of(f, "error"));
		putchar('\n');
	}
}

static int incident_number(const char *text, json_int_t *out)
{
	uint32_t n;

	if (!sv_u32(sv_of(text), &n) || n == 0) {
		fprintf(stderr,
			"tollwatch: want the number of an incident, got "
			"'%s'\n",
			text);
		return EXIT_USAGE;
	}
	*out = n;
	return 0;
}

int show_main(int argc, char **argv)
{
	struct request r = {0};
	json_t *answer;
	json_int_t ref;
	int code;

	if (!parse(argc, argv, true, &r))
		return usage("show INCIDENT [--json] [--state DIR]");
	code = incident_number(r.operand, &ref);
	if (code != 0)
		return code;
	code = put(&r,
		   json_pack("{s:s,s:I}", "command", "show", "incident", ref),
		   &answer);
	if (code != 0)
		return code;
	site_zone(answer);
	if (r.as_json) {
		json_dumpf(json_object_get(answer, "incident"), stdout,
			   JSON_COMPACT);
		putchar('\n');
	} else {
		const json_t *i = json_object_get(answer, "incident");

		print_facts(i);
		print_findings(i);
		print_pages(i);
		print_timeline(i);
	}
	json_decref(answer);
	return 0;
}

/* ---- acting ---- */

static int act(const struct request *r, json_t *q)
{
	json_t *answer;
	int code;

	/* What JSON cannot hold would be left out without a word. */
	if ((r->note &&
	     json_object_set_new(q, "note", json_string(r->note)) != 0) ||
	    (r->verdict &&
	     json_object_set_new(q, "verdict", json_string(r->verdict)) != 0)) {
		fputs("tollwatch: --note and --verdict: want UTF-8\n", stderr);
		json_decref(q);
		return EXIT_USAGE;
	}
	code = put(r, q, &answer);
	if (code != 0)
		return code;
	if (r->as_json) {
		json_dumpf(answer, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		printf("%s\n", text_of(answer, "text"));
	}
	json_decref(answer);
	return 0;
}

static int act_on_incident(int argc, char **argv, const char *doc)
{
	struct request r = {0};
	json_int_t ref;
	int code;

	if (!parse(argc, argv, true, &r) ||
	    (r.verdict && strcmp(argv[0], "resolve") != 0))
		return usage(doc);
	code = incident_number(r.operand, &ref);
	if (code != 0)
		return code;
	return act(&r,
		   json_pack("{s:s,s:I}", "command", argv[0], "incident", ref));
}

int ack_main(int argc, char **argv)
{
	return act_on_incident(argc, argv,
			       "ack INCIDENT [--note TEXT] [--state DIR]");
}

int escalate_main(int argc, char **argv)
{
	return act_on_incident(argc, argv,
			       "escalate INCIDENT [--note TEXT] [--state DIR]");
}

int resolve_main(int argc, char **argv)
{
	return act_on_incident(
		argc, argv,
		"resolve INCIDENT --verdict fraud|expected|wrong-rate|test|"
		"other [--note TEXT] [--state DIR]");
}

/* Until every page has come to an end, or a minute. */
static int watch_pages(const struct request *r, const json_t *pages)
{
	json_t *no;
	size_t k;
	int worst = 0;

	json_array_foreach(pages, k, no)
	{
		const char *state = "queued";
		json_t *answer = NULL;

		for (int i = 0; i < 300; i++) {
			json_decref(answer);
			if (put(r,
				json_pack("{s:s,s:I}", "command", "page",
					  "page", json_integer_value(no)),
				&answer) != 0)
				return EXIT_AWAY;
			state = text_of(json_object_get(answer, "page"),
					"state");
			if (strcmp(state, "sent") == 0 ||
			    strcmp(state, "delivered") == 0 ||
			    strncmp(state, "failed", 6) == 0)
				break;
			usleep(200 * 1000);
		}
		printf("page %lld by %s: %s%s%s\n",
		       (long long)json_integer_value(no),
		       text_of(json_object_get(answer, "page"), "channel"),
		       state, strncmp(state, "failed", 6) == 0 ? ": " : "",
		       strncmp(state, "failed", 6) == 0
			       ? text_of(json_object_get(answer, "page"),
					 "error")
			       : "");
		if (strcmp(state, "sent") != 0 &&
		    strcmp(state, "delivered") != 0)
			worst = 1;
		json_decref(answer);
	}
	return worst;
}

int page_test_main(int argc, char **argv)
{
	struct request r = {0};
	json_t *answer;
	int code;

	if (!parse(argc, argv, true, &r))
		return usage("page-test PERSON [--json] [--state DIR]");
	code = put(&r,
		   json_pack("{s:s,s:s}", "command", "page-test", "person",
			     r.operand),
		   &answer);
	if (code != 0)
		return code;
	if (!r.as_json)
		printf("%s\n", text_of(answer, "text"));
	code = watch_pages(&r, json_object_get(answer, "pages"));
	json_decref(answer);
	return code;
}
