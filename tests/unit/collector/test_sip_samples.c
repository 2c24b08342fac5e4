/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Captures and messages that others wrote, against what is said to be in
 * them: shared/samples/expected.tsv and INDEX.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "collector/packet/decode.h"
#include "collector/packet/pcap_file.h"
#include "collector/sip/dialog.h"
#include "common/clock.h"

enum { CALLS_MAX = 64, T0 = 1000000000 };

/* What the events of one capture add up to. */
struct tally {
	struct call_key key[CALLS_MAX];
	bool set_up[CALLS_MAX], answered[CALLS_MAX], ended[CALLS_MAX];
	uint32_t flags[CALLS_MAX];
	size_t n;
	uint64_t packet[PACKET_RCS], sip[SIP_RCS];
	struct dialog_table *dialogs;
};

static void on_event(void *arg, struct event *ev)
{
	struct tally *t = arg;
	size_t i = 0;

	assert_int_equal(event_check(ev), EVENT_OK);
	while (i < t->n && memcmp(&t->key[i], &ev->key, sizeof(ev->key)) != 0)
		i++;
	assert_true(i < CALLS_MAX);
	if (i == t->n)
		t->key[t->n++] = ev->key;
	t->set_up[i] |= ev->setup_us != 0;
	t->answered[i] |= ev->answer_us != 0;
	t->ended[i] |=
		ev->phase == PHASE_END && (ev->flags & EVENT_ESTIMATED) == 0;
	t->flags[i] |= ev->flags;
}

static void start(struct tally *t)
{
	struct dialog_opts o = {
		.capacity = 1000,
		.key = hash_public_key,
		.source = "sample",
		.emit = on_event,
		.emit_arg = t,
	};

	memset(t, 0, sizeof(*t));
	t->dialogs = dialog_new(&o);
}

static void feed(struct tally *t, const struct packet *p, int64_t t_us)
{
	struct sip_msg m;
	enum sip_rc rc = sip_scan(p->payload, p->truncated, &m);

	t->sip[rc]++;
	if (rc == SIP_OK)
		dialog_message(t->dialogs, &m, p, t_us);
}

static void feed_capture(struct tally *t, const char *path)
{
	struct pcap_frame frame;
	struct pcap_file *f;
	struct packet p;
	struct err e;

	if (!pcap_file_open(&f, path, &e))
		fail_msg("%s", e.text);
	while (pcap_file_next(f, &frame, &e) == PCAP_FILE_OK) {
		enum packet_rc rc =
			packet_udp(frame.linktype, frame.p, frame.caplen, &p);

		t->packet[rc]++;
		if (rc == PACKET_OK)
			feed(t, &p, frame.t_us);
	}
	pcap_file_close(f);
}

static char *read_all(const char *path, size_t *n)
{
	static char buf[SIP_MESSAGE_MAX];
	FILE *f = fopen(path, "rb");

	if (!f)
		fail_msg("%s: cannot read", path);
	*n = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	return buf;
}

static void feed_message(struct tally *t, const char *path, int64_t t_us)
{
	struct packet p = {.src_port = 5060, .dst_port = 5060};

	p.payload.p = read_all(path, &p.payload.n);
	feed(t, &p, t_us);
}

static int not_hidden(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

/* One message a file, in the order of their names, 10 ms apart. */
static void feed_flow(struct tally *t, const char *dir)
{
	struct dirent **names;
	int n = scandir(dir, &names, not_hidden, alphasort);

	if (n <= 0)
		fail_msg("%s: nothing there", dir);
	for (int i = 0; i < n; i++) {
		char path[2048];

		snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name);
		feed_message(t, path, T0 * SEC_US + i * 10000);
		free(names[i]);
	}
	free(names);
}

static const char *shared(void)
{
	const char *dir = getenv("TOLLWATCH_SHARED");

	return dir ? dir : "../shared";
}

static FILE *open_shared(const char *name)
{
	char path[1024];
	FILE *f;

	snprintf(path, sizeof(path), "%s/samples/%s", shared(), name);
	f = fopen(path, "r");
	if (!f) {
		print_message("%s is not there: skipped\n", path);
		skip();
	}
	return f;
}

/* What is not read yet, and why. */
static const char *unread(const char *name)
{
	static const struct {
		const char *name, *why;
	} table[] = {
		{"sip_pcap/sipnab/sip-over-tcp.pcap", "TCP"},
		{"sip_pcap/sngrep/ipip.pcap", "TCP"},
		{"sip_pcap/suricata-verify/sip-body-large__sip-body-large.pcap",
		 "TCP"},
		{"sip_pcap/sipnab/rtsp-packets.cap",
		 "a NetMon file, libpcap does not know it"},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (strcmp(name, table[i].name) == 0)
			return table[i].why;
	return NULL;
}

static bool check_row(const char *name, int attempts, int answered, int open)
{
	int got_attempts = 0, got_answered = 0, got_open = 0;
	char path[1024];
	struct tally t;

	if (unread(name)) {
		print_message("%s: skipped: %s\n", name, unread(name));
		return true;
	}
	start(&t);
	snprintf(path, sizeof(path), "%s/samples/%s", shared(), name);
	if (strncmp(name, "sip_flows/", 10) == 0)
		feed_flow(&t, path);
	else
		feed_capture(&t, path);
	dialog_settle(t.dialogs);
	for (size_t i = 0; i < t.n; i++) {
		got_attempts += t.set_up[i];
		got_answered += t.answered[i];
		got_open += t.answered[i] && !t.ended[i];
	}
	dialog_free(t.dialogs);
	if (got_attempts == attempts && got_answered == answered &&
	    (open < 0 || got_open == open))
		return true;
	print_error("%s: attempts %d answered %d open %d, want %d %d %d\n",
		    name, got_attempts, got_answered, got_open, attempts,
		    answered, open);
	return false;
}

static void captures_and_flows_give_their_calls(void **state)
{
	FILE *f = open_shared("expected.tsv");
	char line[1024], name[512];
	int rows = 0, wrong = 0;

	(void)state;
	assert_non_null(fgets(line, sizeof(line), f));
	while (fgets(line, sizeof(line), f)) {
		int attempts, answered, open = -1;

		assert_true(sscanf(line, "%511s %d %d %d", name, &attempts,
				   &answered, &open) >= 3);
		wrong += !check_row(name, attempts, answered, open);
		rows++;
	}
	fclose(f);
	assert_true(rows >= 40);
	assert_int_equal(wrong, 0);
}

static void keepalives_are_not_broken_sip(void **state)
{
	char path[1024];
	struct tally t;

	(void)state;
	fclose(open_shared("expected.tsv"));
	start(&t);
	snprintf(path, sizeof(path), "%s/samples/sip_pcap/ndpi/%s", shared(),
		 "sip_hello.pcapng");
	feed_capture(&t, path);
	assert_int_equal(t.sip[SIP_KEEPALIVE], 22);
	assert_int_equal(t.sip[SIP_OK], 8);
	dialog_free(t.dialogs);
}

/* RFC 4475: what is an attempt, with which flags; what is none, and why. */
static void torture_messages(void **state)
{
	/* clang-format off */
	static const struct {
		const char *file;
		enum sip_rc rc;
		int attempts;
		uint32_t flags;
	} c[] = {
		{"badaspec", SIP_OK, 0, 0},
		{"badbranch", SIP_OK, 0, 0},
		{"baddate", SIP_OK, 1, 0}, /* Date is not looked at */
		{"baddn", SIP_OK, 0, 0},
		{"badinv01", SIP_OK, 1, EVENT_MALFORMED},
		{"badvers", SIP_VERSION, 0, 0},
		{"bcast", SIP_OK, 0, 0}, /* 200 to INVITE: a lone answer */
		{"bext01", SIP_OK, 0, 0},
		{"bigcode", SIP_BAD_STATUS, 0, 0},
		{"clerr", SIP_OK, 1, EVENT_MALFORMED},
		{"cparam01", SIP_OK, 0, 0},
		{"cparam02", SIP_OK, 0, 0},
		{"dblreq", SIP_OK, 0, 0},
		{"esc01", SIP_OK, 1, 0},
		{"esc02", SIP_OK, 0, 0},
		{"escnull", SIP_OK, 0, 0},
		{"escruri", SIP_OK, 1, 0},
		{"insuf", SIP_NO_CALL_ID, 0, 0},
		{"intmeth", SIP_OK, 0, 0},
		{"inv2543", SIP_OK, 1, 0},
		{"invut", SIP_OK, 1, 0},
		{"longreq", SIP_OK, 1, 0},
		{"ltgtruri", SIP_OK, 1, EVENT_MALFORMED},
		{"lwsdisp", SIP_OK, 0, 0},
		/* have a tag in To: of calls that began before */
		{"lwsruri", SIP_OK, 0, 0},
		{"wsinv", SIP_OK, 0, 0},
		{"lwsstart", SIP_OK, 1, EVENT_MALFORMED},
		{"mcl01", SIP_OK, 0, 0},
		{"mismatch01", SIP_CSEQ_MISMATCH, 0, 0},
		{"mismatch02", SIP_CSEQ_MISMATCH, 0, 0},
		{"mpart01", SIP_OK, 0, 0},
		{"multi01", SIP_OK, 1, EVENT_AMBIGUOUS},
		{"ncl", SIP_OK, 1, EVENT_MALFORMED},
		{"noreason", SIP_OK, 0, 0},
		{"novelsc", SIP_OK, 0, 0},
		{"quotbal", SIP_OK, 1, EVENT_MALFORMED},
		{"regaut01", SIP_OK, 0, 0},
		{"regbadct", SIP_OK, 0, 0},
		{"regescrt", SIP_OK, 0, 0},
		{"scalar02", SIP_BAD_CSEQ, 0, 0},
		{"scalarlg", SIP_BAD_CSEQ, 0, 0},
		{"sdp01", SIP_OK, 1, 0},
		{"semiuri", SIP_OK, 0, 0},
		{"test", SIP_NOT_SIP, 0, 0},
		{"transports", SIP_OK, 0, 0},
		{"trws", SIP_OK, 0, 0},
		{"unkscm", SIP_OK, 0, 0},
		{"unksm2", SIP_OK, 0, 0},
		{"unreason", SIP_OK, 0, 0},
		{"zeromf", SIP_OK, 0, 0},
	};
	/* clang-format on */
	int wrong = 0;

	(void)state;
	fclose(open_shared("expected.tsv"));
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		int attempts = 0;
		uint32_t flags = 0;
		char path[2048];
		struct tally t;

		start(&t);
		snprintf(path, sizeof(path),
			 "%s/samples/sip_torture/rfc4475/%s.dat", shared(),
			 c[i].file);
		feed_message(&t, path, T0 * SEC_US);
		for (size_t k = 0; k < t.n; k++) {
			attempts += t.set_up[k];
			if (t.set_up[k])
				flags |= t.flags[k];
		}
		if (!t.sip[c[i].rc] || attempts != c[i].attempts ||
		    flags != c[i].flags) {
			print_error("%s: %d attempts, flags %x\n", c[i].file,
				    attempts, flags);
			wrong++;
		}
		dialog_free(t.dialogs);
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(captures_and_flows_give_their_calls),
		cmocka_unit_test(keepalives_are_not_broken_sip),
		cmocka_unit_test(torture_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
