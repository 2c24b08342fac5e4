/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "collector/cdr/asterisk.c"
#include "common/clock.h"

#define AT(text) at(text)

static int64_t at(const char *text)
{
	int64_t us = 0;

	if (*text)
		assert_true(time_parse(sv_of(text), &us));
	return us;
}

static struct zone *london(void)
{
	struct zone *z;
	struct err e;

	assert_true(zone_new(&z, "Europe/London", &e));
	return z;
}

/* Parse one line; the text must outlive the row. */
static enum cdr_rc parse(struct cdr_clock *c, char *line, struct cdr_row *out)
{
	struct csv_row row;

	assert_int_equal(csv_next(line, strlen(line), ',', true, &row), CSV_OK);
	return asterisk_row(c, &row, out);
}

#define HEAD  "\"acme\",\"101\",\"00252991234567\",\"out\",\"\"\"A\"\" <101>\","
#define CHANS "\"PJSIP/101-0001\",\"PJSIP/carrier-a-0002\",\"Dial\",\"x\","
#define TIMES                                                                  \
	"\"2026-01-17 02:24:05\",\"2026-01-17 02:24:10\","                     \
	"\"2026-01-17 02:25:10\",65,60,\"ANSWERED\",\"DOCUMENTATION\""

static void columns_by_shape(void **state)
{
	/* clang-format off */
	static const struct { const char *tail; enum cdr_rc rc; const char *id; } c[] = {
		{"", CDR_OK, ""},
		{",\"1768616645.7\"", CDR_OK, "1768616645.7"},
		{",\"pbx-1-1768616645.7\"", CDR_OK, "pbx-1-1768616645.7"},
		{",\"note 12.5\"", CDR_OK, ""}, /* 17th is the userfield */
		{",\"1768616645.7\",\"note\"", CDR_OK, "1768616645.7"},
		{",\"\",\"1768616645.7\",3", CDR_OK, ""}, /* new columns only */
		{",\"1768616645.7\",\"\",\"1768616645.7\",3", CDR_OK, "1768616645.7"},
		{",\"1768616645.7\",\"u\",\"\",\"1768616645.7\",3", CDR_OK, "1768616645.7"},
		{",1,2,3,4,5,6", CDR_COLUMNS, ""},
	};
	/* clang-format on */
	struct cdr_clock clock = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		char line[1024];
		struct cdr_row row;

		snprintf(line, sizeof(line), "%s%s", HEAD CHANS TIMES,
			 c[i].tail);
		assert_int_equal(parse(&clock, line, &row), c[i].rc);
		if (c[i].rc != CDR_OK)
			continue;
		assert_true(sv_eq(row.identity[0], sv_of(c[i].id)));
		assert_int_equal(row.setup_us, AT("2026-01-17T02:24:05Z"));
		assert_int_equal(row.answer_us, AT("2026-01-17T02:24:10Z"));
		assert_int_equal(row.end_us, AT("2026-01-17T02:25:10Z"));
		assert_int_equal(row.talk_s, 60);
		assert_int_equal(row.status, 200);
		assert_int_equal(row.flags, 0);
		assert_true(sv_eq(row.src_peer, SV("101")));
		assert_true(sv_eq(row.dst_peer, SV("carrier-a")));
		assert_true(sv_eq(row.account, SV("acme")));
		assert_true(sv_eq(row.callee, SV("00252991234567")));
	}
}

static void refusals(void **state)
{
	/* clang-format off */
	static const struct { const char *times; enum cdr_rc rc; } c[] = {
		{"\"\",,\"2026-01-17 02:25:10\",1,1,\"X\",\"\"", CDR_START},
		{"\"2026-02-30 02:24:05\",,\"2026-02-28 02:25:10\",1,1,\"X\",\"\"", CDR_START},
		{"\"2026-01-17 02:24:05\",\"x\",\"2026-01-17 02:25:10\",1,1,\"X\",\"\"", CDR_ANSWER},
		{"\"2026-01-17 02:24:05\",,,,0,\"X\",\"\"", CDR_END},
		{"\"2026-01-17 02:24:05\",,\"2026-01-17 25:25:10\",1,1,\"X\",\"\"", CDR_END},
		{"\"2026-01-17 02:24:05\",,\"2026-01-17 02:25:10\",-1,1,\"X\",\"\"", CDR_SECONDS},
		{"\"2026-01-17 02:24:05\",,\"2026-01-17 02:25:10\",1,99999999999,\"X\",\"\"", CDR_SECONDS},
		{"\"2026-01-17 02:24:05\",,,65,0,\"X\",\"\"", CDR_OK},
	};
	/* clang-format on */
	struct cdr_clock clock = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		char line[1024];
		struct cdr_row row;

		snprintf(line, sizeof(line), "%s%s", HEAD CHANS, c[i].times);
		assert_int_equal(parse(&clock, line, &row), c[i].rc);
	}
}

static void outside_number_in_lastdata(void **state)
{
	/* clang-format off */
	static const struct { const char *dst, *app, *data, *want; } c[] = {
		{"s", "Dial", "PJSIP/00252991234567@carrier-a,60,T", "00252991234567"},
		{"~~s~~", "Dial", "SIP/carrier-a/00252991234567,60", "00252991234567"},
		{"200", "Dial", "PJSIP/07700900123@carrier-a", "07700900123"},
		{"200", "Dial", "PJSIP/200,20", "200"},
		{"s", "Dial", "PJSIP/2001&PJSIP/07700900123@a,20", "07700900123"},
		{"s", "Dial", "PJSIP/carrier/sip:+442079460123@192.0.2.1", "+442079460123"},
		{"s", "Playback", "SIP/a/00252991234567", "s"},
		{"01632960123", "Dial", "PJSIP/07700900123@a", "01632960123"},
		{"s", "Dial", "", "s"},
		{"s", "Dial", "&&//", "s"},
	};
	/* clang-format on */
	struct cdr_clock clock = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		char line[1024];
		struct cdr_row row;

		snprintf(line, sizeof(line),
			 "\"\",\"101\",\"%s\",\"c\",\"\",\"PJSIP/101-1\","
			 "\"\",\"%s\",\"%s\"," TIMES,
			 c[i].dst, c[i].app, c[i].data);
		assert_int_equal(parse(&clock, line, &row), CDR_OK);
		if (!sv_eq(row.callee, sv_of(c[i].want)))
			fail_msg("%zu: callee '%.*s'", i, SV_ARG(row.callee));
	}
}

static void peers_of_channels(void **state)
{
	/* clang-format off */
	static const struct { const char *channel, *peer; } c[] = {
		{"PJSIP/thinQ-000001fe", "thinQ"},
		{"SIP/user@trunk-a-000001fe", "trunk-a"},
		{"Local/200@from-queue-0001;1", ""},
		{"DAHDI/i1/01632960123-1", "i1"},
		{"Console/dsp", "dsp"},
		{"PJSIP/-", "-"},
		{"", ""}, {"x", ""}, {"/", ""},
	};
	/* clang-format on */
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		struct sv got = channel_peer(sv_of(c[i].channel));

		if (!sv_eq(got, sv_of(c[i].peer)))
			fail_msg("%s: '%.*s'", c[i].channel, SV_ARG(got));
	}
}

/* Europe/London: 2026-03-29 01:00 does not exist, 2026-10-25 01:00-02:00
 * occurs twice. */
static void changing_clocks(void **state)
{
	/* clang-format off */
	static const struct {
		const char *start, *answer, *end, *id;
		int duration;
		const char *setup_utc, *end_utc;
		uint32_t flags;
	} c[] = {
		{"2026-07-01 12:00:00", "", "2026-07-01 12:00:10", "", 10,
		 "2026-07-01T11:00:00Z", "2026-07-01T11:00:10Z", 0},
		/* left out: shifted forward, and said so */
		{"2026-03-29 01:30:00", "", "2026-03-29 02:30:10", "", 10,
		 "2026-03-29T01:30:00Z", "2026-03-29T01:30:10Z", EVENT_LOCAL_TIME},
		/* twice: first, then by the step back in the file */
		{"2026-10-25 01:40:00", "", "2026-10-25 01:40:10", "", 10,
		 "2026-10-25T00:40:00Z", "2026-10-25T00:40:10Z", EVENT_LOCAL_TIME},
		{"2026-10-25 01:50:00", "", "2026-10-25 01:55:00", "", 300,
		 "2026-10-25T00:50:00Z", "2026-10-25T00:55:00Z", EVENT_LOCAL_TIME},
		{"2026-10-25 01:10:00", "2026-10-25 01:10:05", "2026-10-25 01:10:30", "", 30,
		 "2026-10-25T01:10:00Z", "2026-10-25T01:10:30Z", EVENT_LOCAL_TIME},
		{"2026-10-25 01:50:00", "", "2026-10-25 02:00:00", "", 600,
		 "2026-10-25T01:50:00Z", "2026-10-25T02:00:00Z", EVENT_LOCAL_TIME},
		/* over the change: only both readings fit the duration */
		{"2026-10-25 01:50:00", "", "2026-10-25 01:10:00", "", 1200,
		 "2026-10-25T00:50:00Z", "2026-10-25T01:10:00Z", EVENT_LOCAL_TIME},
		/* the id knows */
		{"2026-10-25 01:20:00", "", "2026-10-25 01:21:00", "1792891200.1", 60,
		 "2026-10-25T01:20:00Z", "2026-10-25T01:21:00Z", EVENT_LOCAL_TIME},
		{"2026-10-25 01:20:00", "", "2026-10-25 01:21:00", "1792887600.1", 60,
		 "2026-10-25T00:20:00Z", "2026-10-25T00:21:00Z", EVENT_LOCAL_TIME},
		/* the id proves that the file is in UTC */
		{"2026-07-02 12:00:00", "", "2026-07-02 12:00:10", "1782993600.1", 10,
		 "2026-07-02T12:00:00Z", "2026-07-02T12:00:10Z", 0},
	};
	/* clang-format on */
	struct cdr_clock clock = {.zone = london()};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		char line[1024];
		struct cdr_row row;

		snprintf(line, sizeof(line),
			 HEAD CHANS "\"%s\",%s,\"%s\",%d,%d,\"X\",\"\",\"%s\"",
			 c[i].start, c[i].answer, c[i].end, c[i].duration,
			 *c[i].answer ? c[i].duration - 5 : 0, c[i].id);
		assert_int_equal(parse(&clock, line, &row), CDR_OK);
		if (row.setup_us != AT(c[i].setup_utc) ||
		    row.end_us != AT(c[i].end_utc))
			fail_msg("%zu: %lld..%lld", i, (long long)row.setup_us,
				 (long long)row.end_us);
		assert_int_equal(row.flags, c[i].flags);
		if (*c[i].answer)
			assert_int_equal(row.answer_us,
					 row.setup_us + 5 * SEC_US);
	}
	assert_int_equal(clock.in_utc, 1);
	zone_free((struct zone *)clock.zone);
}

static void contradictions(void **state)
{
	/* clang-format off */
	static const struct { const char *answer, *end; int duration, billsec;
		const char *disposition; bool bad; } c[] = {
		{"\"2026-01-17 02:00:05\"", "02:00:15", 15, 10, "ANSWERED", false},
		{"\"2026-01-17 02:00:05\"", "02:00:15", 15, 11, "ANSWERED", false},
		{"\"2026-01-17 02:00:05\"", "02:00:15", 15, 20, "ANSWERED", true},
		{"\"2026-01-17 02:00:20\"", "02:00:15", 15, 0, "ANSWERED", true},
		{"", "02:00:15", 15, 0, "NO ANSWER", false},
		{"", "02:00:15", 15, 0, "ANSWERED", true},
		{"", "02:00:15", 15, 9, "NO ANSWER", true},
		{"", "01:59:00", 0, 0, "FAILED", true},
	};
	/* clang-format on */
	struct cdr_clock clock = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		char line[1024];
		struct cdr_row row;

		snprintf(line, sizeof(line),
			 HEAD CHANS "\"2026-01-17 02:00:00\",%s,"
				    "\"2026-01-17 %s\",%d,%d,\"%s\",\"\"",
			 c[i].answer, c[i].end, c[i].duration, c[i].billsec,
			 c[i].disposition);
		assert_int_equal(parse(&clock, line, &row), CDR_OK);
		if (c[i].bad != !!(row.flags & EVENT_INCONSISTENT))
			fail_msg("%zu: flags %x", i, row.flags);
	}
}

static size_t read_sample(const char *name, char *text, size_t size)
{
	const char *shared = getenv("TOLLWATCH_SHARED");
	char path[512];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "%s/samples/cdr/asterisk_csv/%s",
		 shared ? shared : "../shared", name);
	f = fopen(path, "r");
	if (!f) {
		print_message("%s is absent: skipped\n", path);
		skip();
	}
	n = fread(text, 1, size, f);
	fclose(f);
	return n;
}

/* The real files: a row each, contradictions flagged, ids prove UTC. */
static void samples(void **state)
{
	static const uint16_t status[] = {200, 200, 503, 480, 486};
	static const bool bad[] = {false, true, true, true, true};
	char text[4096], *p = text;
	size_t n = read_sample("testsuite_good.csv", text, sizeof(text));
	struct cdr_clock clock = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(status); i++) {
		struct csv_row row;
		struct cdr_row out;

		assert_int_equal(csv_next(p, n, ',', true, &row), CSV_OK);
		assert_true(asterisk_looks_like(&row));
		assert_int_equal(asterisk_row(&clock, &row, &out), CDR_OK);
		assert_int_equal(out.setup_us, AT("2009-01-14T23:51:15Z"));
		assert_int_equal(out.status, status[i]);
		assert_int_equal(!!(out.flags & EVENT_INCONSISTENT), bad[i]);
		p += row.used;
		n -= row.used;
	}
	assert_int_equal(n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_by_shape),
		cmocka_unit_test(refusals),
		cmocka_unit_test(outside_number_in_lastdata),
		cmocka_unit_test(peers_of_channels),
		cmocka_unit_test(changing_clocks),
		cmocka_unit_test(contradictions),
		cmocka_unit_test(samples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
