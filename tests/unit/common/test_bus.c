/* SPDX-License-Identifier: Apache-2.0 */
#include "common/bus.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/finding.h"
#include "common/log.h"

/*
 * A spool on one side and a feed on the other, with real ZeroMQ over ipc in
 * one loop.  Each side has a context of its own, as in two processes: so it
 * can go away wholly and come back.
 */
enum { PER_BATCH = 100, LIMIT_S = 60, BOOT = 1000 };

struct world {
	char root[64];
	char endpoint[96];
	char dir[96];
	struct event_base *base;
	struct event *work; /* runs step() on a turn of its own */
	bool late;

	/* sender side */
	struct bus *sbus;
	struct journal *journal;
	struct bus_sender *sender;
	uint64_t written; /* records */
	uint64_t total;
	uint64_t safe_pos;
	uint64_t from_peer; /* batches that came back */

	/* receiver side: seen and delivered outlive a receiver */
	struct bus *rbus;
	struct bus_receiver *receiver;
	struct wire_seen seen;
	uint64_t delivered;
	uint64_t batches;
	uint64_t duplicates;
	uint64_t gaps;
	uint64_t offers;
	uint64_t hellos;
	uint64_t lose_batch; /* number of the batch that is dropped once */
	uint32_t credit;
	bool hold_acks;
	struct bus_peer *peer;
	bool dirty;

	void (*step)(struct world *w); /* after every burst and time-out */
};

static void wake(struct world *w)
{
	evtimer_add(w->work, &now_tv);
}

static void stop(struct world *w)
{
	event_base_loopbreak(w->base);
}

/* ---- the feed ---- */

static void take_events(struct world *w, const struct wire_view *v,
			uint32_t skip)
{
	for (uint32_t i = skip; i < v->h->count; i++) {
		const struct event *ev = wire_event(v, i);

		w->delivered++;
		assert_int_equal(ev->seq, v->h->seq + i);
		assert_int_equal(ev->observed_us, w->delivered);
	}
	wire_advance(&w->seen, v->h);
}

static void on_batch(void *arg, struct bus_peer *p, const struct wire_view *v)
{
	struct world *w = arg;
	uint32_t skip;

	if (v->h->kind == WIRE_EXPOSURE) {
		w->offers++;
		return;
	}
	assert_int_equal(v->h->kind, WIRE_EVENTS);
	assert_int_equal((uintptr_t)v->h % 8, 0);
	if (++w->batches == w->lose_batch)
		return;
	w->peer = p;
	w->dirty = true;
	switch (wire_order(&w->seen, v->h, &skip)) {
	case WIRE_NEXT:
		take_events(w, v, skip);
		break;
	case WIRE_DUPLICATE:
		w->duplicates++;
		break;
	case WIRE_GAP:
		w->gaps++;
		bus_ack(p, &w->seen.now, w->credit, true);
		break;
	}
}

static void on_hello(void *arg, struct bus_peer *p, struct sv stream)
{
	struct world *w = arg;

	assert_true(sv_eq(stream, SV("spool-1")));
	w->hellos++;
	bus_ack(p, &w->seen.now, w->credit, false);
}

static void on_idle(void *arg)
{
	struct world *w = arg;

	if (w->dirty && !w->hold_acks) {
		bus_ack(w->peer, &w->seen.now, w->credit, false);
		w->dirty = false;
	}
	wake(w);
}

static void start_receiver(struct world *w)
{
	const struct bus_receiver_opts o = {
		.endpoint = w->endpoint,
		.on_batch = on_batch,
		.on_hello = on_hello,
		.on_idle = on_idle,
		.arg = w,
	};
	struct err e = {0};

	w->rbus = bus_new(w->base);
	if (!bus_receiver_new(&w->receiver, w->rbus, &o, &e))
		fail_msg("%s", e.text);
}

static void stop_receiver(struct world *w)
{
	bus_receiver_free(w->receiver);
	bus_free(w->rbus);
	w->receiver = NULL;
	w->rbus = NULL;
	w->dirty = false;
}

/* ---- the spool ---- */

static void append_batch(struct world *w, uint32_t boot, uint64_t seq,
			 uint32_t count)
{
	static struct event ev[PER_BATCH];
	struct wire_header h;
	struct iovec iov[2] = {{&h, sizeof(h)}, {ev, count * sizeof(*ev)}};
	struct err e;

	wire_header(&h, WIRE_EVENTS, SV("spool-1"), boot, seq, count);
	for (uint32_t i = 0; i < count; i++) {
		ev[i].seq = seq + i;
		ev[i].observed_us = (int64_t)++w->written;
	}
	assert_true(journal_append(w->journal, iov, 2, NULL, &e));
}

/* Batches of 1 to PER_BATCH records until so many bytes wait. */
static void fill(struct world *w)
{
	while (w->written < w->total &&
	       journal_bytes(w->journal) < ((uint64_t)4 << 20)) {
		uint64_t left = w->total - w->written;
		uint32_t n = 1 + (uint32_t)(w->written * 7 % PER_BATCH);

		append_batch(w, BOOT, w->written + 1,
			     n < left ? n : (uint32_t)left);
	}
	if (w->sender)
		bus_sender_kick(w->sender);
}

static void on_safe(void *arg, uint64_t pos)
{
	struct world *w = arg;

	assert_true(pos > w->safe_pos);
	w->safe_pos = pos;
	fill(w); /* kicks the sender from inside its callback */
	wake(w);
}

static void on_control(void *arg, const struct wire_view *v)
{
	struct world *w = arg;

	assert_int_equal(v->h->kind, WIRE_CONTROL);
	w->from_peer++;
	wake(w);
}

static void start_sender(struct world *w)
{
	const struct journal_opts jo = {.segment_bytes = 1 << 20};
	struct bus_sender_opts o = {
		.endpoint = w->endpoint,
		.stream = "spool-1",
		.journal_dir = w->dir,
		.on_safe = on_safe,
		.on_batch = on_control,
		.arg = w,
	};
	struct err e = {0};

	if (!journal_open(&w->journal, w->dir, &jo, &e))
		fail_msg("%s", e.text);
	o.journal = w->journal;
	w->safe_pos = 0;
	w->sbus = bus_new(w->base);
	if (!bus_sender_new(&w->sender, w->sbus, &o, &e))
		fail_msg("%s", e.text);
}

static void stop_sender(struct world *w)
{
	bus_sender_free(w->sender);
	bus_free(w->sbus);
	journal_close(w->journal);
	w->sender = NULL;
	w->sbus = NULL;
	w->journal = NULL;
}

/* ---- the world ---- */

static void work(evutil_socket_t fd, short what, void *arg)
{
	struct world *w = arg;

	(void)fd;
	(void)what;
	w->step(w);
}

static void too_late(evutil_socket_t fd, short what, void *arg)
{
	struct world *w = arg;

	(void)fd;
	(void)what;
	w->late = true;
	stop(w);
}

static int setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	*state = w;
	snprintf(w->root, sizeof(w->root), "/tmp/tw-bus-XXXXXX");
	if (!mkdtemp(w->root))
		return -1;
	snprintf(w->endpoint, sizeof(w->endpoint), "ipc://%s/bus", w->root);
	snprintf(w->dir, sizeof(w->dir), "%s/spool", w->root);
	w->base = event_base_new();
	w->work = evtimer_new(w->base, work, w);
	w->credit = 16;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	char command[128];

	if (w->sender)
		stop_sender(w);
	if (w->receiver)
		stop_receiver(w);
	event_free(w->work);
	event_base_free(w->base);
	snprintf(command, sizeof(command), "rm -rf '%s'", w->root);
	free(w);
	return system(command);
}

static void run(struct world *w, void (*step)(struct world *w))
{
	const struct timeval limit = {LIMIT_S, 0};
	struct event *alarm = evtimer_new(w->base, too_late, w);

	w->step = step;
	event_add(alarm, &limit);
	wake(w);
	event_base_dispatch(w->base);
	event_free(alarm);
	event_del(w->work);
	assert_false(w->late);
}

static bool all_safe(const struct world *w)
{
	return w->written == w->total && w->journal &&
	       w->safe_pos == journal_end(w->journal);
}

static void until_safe(struct world *w)
{
	if (all_safe(w))
		stop(w);
}

/* ---- tests ---- */

static void all_arrive_in_order(void **state)
{
	struct world *w = *state;
	struct bus_stats s;

	w->total = 200000;
	start_receiver(w);
	start_sender(w);
	fill(w);
	run(w, until_safe);
	assert_int_equal(w->delivered, 200000);
	assert_int_equal(w->duplicates, 0);
	assert_int_equal(w->gaps, 0);
	assert_true(journal_bytes(w->journal) <= 2 << 20); /* retired */
	s = bus_sender_stats(w->sender);
	assert_int_equal(s.batches, w->batches);
	assert_int_equal(s.resent, 0);
	assert_int_equal(s.in_flight, 0);
	assert_true(s.connected);
	assert_true(bus_receiver_stats(w->receiver).connected);
	assert_int_equal(bus_receiver_stats(w->receiver).bad, 0);
}

/* The sender is there long before the receiver. */
static void sender_waits_for_a_receiver(void **state)
{
	struct world *w = *state;

	w->total = 5000;
	start_sender(w);
	fill(w);
	event_base_loop(w->base, EVLOOP_NONBLOCK);
	assert_false(bus_sender_stats(w->sender).connected);
	assert_int_equal(bus_sender_stats(w->sender).batches, 0);
	start_receiver(w);
	run(w, until_safe);
	assert_int_equal(w->delivered, 5000);
}

static void restart_receiver_at_thirds(struct world *w)
{
	static const uint64_t at[] = {7000, 14000, UINT64_MAX};

	if (w->delivered >= at[w->offers]) {
		w->offers++; /* counts the restarts here */
		stop_receiver(w);
		start_receiver(w);
	}
	until_safe(w);
}

/* What was on its way is sent again; the mark sorts out what came twice. */
static void receiver_comes_back(void **state)
{
	struct world *w = *state;

	w->total = 20000;
	start_receiver(w);
	start_sender(w);
	fill(w);
	run(w, restart_receiver_at_thirds);
	assert_int_equal(w->offers, 2);
	assert_int_equal(w->delivered, 20000);
}

static void restart_sender_at_half(struct world *w)
{
	if (w->offers == 0 && w->delivered >= w->total / 2) {
		w->offers = 1;
		stop_sender(w);
		start_sender(w);
		fill(w);
	}
	until_safe(w);
}

static void sender_comes_back(void **state)
{
	struct world *w = *state;

	w->total = 20000;
	start_receiver(w);
	start_sender(w);
	fill(w);
	run(w, restart_sender_at_half);
	assert_int_equal(w->offers, 1);
	assert_int_equal(w->delivered, 20000);
	assert_true(w->duplicates <= BUS_CREDIT_MAX);
}

/* A lost batch is noticed by the next, and sent again with what follows:
 * once, although all that was under way is refused. */
static void gap_is_sent_again(void **state)
{
	struct world *w = *state;
	struct bus_stats s;

	w->total = 20000;
	w->lose_batch = 50;
	start_receiver(w);
	start_sender(w);
	fill(w);
	run(w, until_safe);
	assert_int_equal(w->delivered, 20000);
	assert_true(w->gaps > 0);
	s = bus_sender_stats(w->sender);
	assert_true(s.resent > 0);
	assert_true(s.resent <= 2 * w->credit);
}

/* Nothing comes after the lost batch, so nobody complains: the time-out. */
static void silence_is_sent_again(void **state)
{
	struct world *w = *state;

	start_receiver(w);
	start_sender(w);
	w->lose_batch = 3;
	for (w->total = 0; w->total < 30; w->total += 10)
		append_batch(w, BOOT, w->written + 1, 10);
	bus_sender_kick(w->sender);
	run(w, until_safe);
	assert_int_equal(w->delivered, 30);
	assert_int_equal(w->gaps, 0);
	assert_int_equal(bus_sender_stats(w->sender).resent, 1);
}

/* Acknowledge only when a while went by in which nothing more came. */
static void ack_when_quiet(struct world *w)
{
	const struct timeval quiet = {0, 20000};

	assert_true(bus_sender_stats(w->sender).in_flight <= w->credit);
	if (w->dirty && w->offers == w->batches) {
		uint64_t left = (w->total - w->delivered) / 10;

		assert_true(w->batches % w->credit == 0 || left == 0);
		bus_ack(w->peer, &w->seen.now, w->credit, false);
		w->dirty = false;
	}
	w->offers = w->batches; /* seen at the last look */
	until_safe(w);
	evtimer_add(w->work, &quiet);
}

static void credit_is_kept(void **state)
{
	struct world *w = *state;

	w->credit = 5;
	w->hold_acks = true;
	start_receiver(w);
	start_sender(w);
	for (w->total = 0; w->total < 400; w->total += 10)
		append_batch(w, BOOT, w->written + 1, 10);
	bus_sender_kick(w->sender);
	run(w, ack_when_quiet);
	assert_int_equal(w->delivered, 400);
	assert_int_equal(bus_sender_stats(w->sender).resent, 0);
}

/* An empty batch (only a cursor moved) and a later boot are in order too. */
static void empty_batches_and_a_new_boot(void **state)
{
	struct world *w = *state;

	start_receiver(w);
	start_sender(w);
	append_batch(w, BOOT, 1, 10);
	append_batch(w, BOOT, 11, 0);
	append_batch(w, BOOT, 11, 5);
	append_batch(w, BOOT + 1, 1, 0);
	append_batch(w, BOOT + 1, 1, 7);
	w->total = w->written;
	bus_sender_kick(w->sender);
	run(w, until_safe);
	assert_int_equal(w->delivered, 22);
	assert_int_equal(w->seen.now.boot, BOOT + 1);
	assert_int_equal(w->seen.now.seq, 7);
}

static void until_hello(struct world *w)
{
	if (w->hellos && bus_sender_stats(w->sender).connected)
		stop(w);
	wake(w);
}

static void start_over(struct world *w, const char *acked)
{
	char path[128];
	FILE *f;

	stop_sender(w);
	snprintf(path, sizeof(path), "%s/acked", w->dir);
	unlink(path);
	if (acked) {
		f = fopen(path, "w");
		assert_non_null(f);
		fputs(acked, f);
		fclose(f);
	}
	w->hellos = 0;
	start_sender(w);
}

/* After a restart nothing is sent that the receiver has: by the file, and by
 * what the receiver says when the file is lost, old or rubbish. */
static void acknowledged_is_remembered(void **state)
{
	static const char *const acked[] = {"0\n", "99999999999\n", "rubbish",
					    "", NULL};
	struct world *w = *state;
	uint64_t before;

	start_receiver(w);
	start_sender(w);
	for (w->total = 0; w->total < 300; w->total += 10)
		append_batch(w, BOOT, w->written + 1, 10);
	bus_sender_kick(w->sender);
	run(w, until_safe);

	stop_sender(w);
	w->hellos = 0;
	start_sender(w);
	run(w, until_hello);
	assert_int_equal(bus_sender_stats(w->sender).batches, 0);
	assert_int_equal(w->safe_pos, 0); /* nothing new to say */
	for (size_t i = 0; i < ARRAY_LEN(acked); i++) {
		start_over(w, acked[i]);
		run(w, until_safe);
		assert_int_equal(bus_sender_stats(w->sender).batches, 0);
		/* and what is new still comes */
		before = w->delivered;
		append_batch(w, BOOT, w->written + 1, 10);
		w->total = w->written;
		bus_sender_kick(w->sender);
		run(w, until_safe);
		assert_int_equal(w->delivered, before + 10);
	}
}

static void send_batch(struct world *w, uint32_t boot, uint64_t seq,
		       uint32_t count)
{
	append_batch(w, boot, seq, count);
	w->total = w->written;
	bus_sender_kick(w->sender);
	run(w, until_safe);
	assert_int_equal(w->delivered, w->written);
}

/* A sender whose folder was lost, under a clock that was set back or by
 * chance, has a lower boot than the receiver knows: its records are new.  Those
 * of boots heard before are still known when all is sent again. */
static void a_boot_is_a_name(void **state)
{
	struct world *w = *state;
	char command[128];

	start_receiver(w);
	start_sender(w);
	send_batch(w, BOOT, 1, 20);
	stop_sender(w);
	snprintf(command, sizeof(command), "rm -rf '%s'", w->dir);
	assert_int_equal(system(command), 0);
	start_sender(w);
	send_batch(w, BOOT - 7, 1, 10);
	send_batch(w, BOOT - 7, 11, 5);
	send_batch(w, BOOT - 6, 1, 4);
	assert_int_equal(w->duplicates, 0);

	start_over(w, NULL);
	run(w, until_safe);
	assert_int_equal(w->delivered, w->written);
	assert_int_equal(w->duplicates, 2); /* of the boot before */
	send_batch(w, BOOT - 6, 5, 3);
}

/* A journal entry that is no batch does not stop the stream. */
static void rubbish_in_the_journal_is_passed(void **state)
{
	struct world *w = *state;
	char text[] = "not a batch";
	struct iovec iov = {text, sizeof(text)};
	struct err e;

	log_open("test", LOG_ERROR);
	start_receiver(w);
	start_sender(w);
	assert_true(journal_append(w->journal, &iov, 1, NULL, &e));
	append_batch(w, BOOT, 1, 10);
	assert_true(journal_append(w->journal, &iov, 1, NULL, &e));
	append_batch(w, BOOT, 11, 10);
	assert_true(journal_append(w->journal, &iov, 1, NULL, &e));
	w->total = w->written;
	bus_sender_kick(w->sender);
	run(w, until_safe);
	assert_int_equal(w->delivered, 20);
	assert_int_equal(bus_sender_stats(w->sender).bad, 3);
	assert_int_equal(bus_receiver_stats(w->receiver).bad, 0);
}

/* ---- both ways, unreliably ---- */

static void offer_and_answer(struct world *w)
{
	struct {
		struct wire_header h;
		struct exposure x;
	} up = {0};
	struct {
		struct wire_header h;
		struct control c;
	} down = {0};

	wire_header(&up.h, WIRE_EXPOSURE, SV("spool-1"), BOOT, 0, 1);
	wire_header(&down.h, WIRE_CONTROL, SV("control"), BOOT, 1, 1);
	if (all_safe(w) && w->offers == 0)
		bus_sender_offer(w->sender, &up, sizeof(up));
	if (w->offers && w->from_peer == 0)
		bus_peer_send(w->peer, &down, sizeof(down));
	if (w->from_peer)
		stop(w);
}

static void offers_and_control_pass(void **state)
{
	struct world *w = *state;

	start_sender(w);
	/* dropped: nobody is there */
	bus_sender_offer(w->sender, "x", 1);
	start_receiver(w);
	append_batch(w, BOOT, 1, 10);
	w->total = w->written;
	bus_sender_kick(w->sender);
	run(w, offer_and_answer);
	assert_int_equal(w->offers, 1);
	assert_int_equal(w->from_peer, 1);
	assert_int_equal(bus_receiver_stats(w->receiver).bad, 0);
}

/* ---- strangers ---- */

static void stranger_sends(void *sock, const void *p, size_t n, int flags)
{
	assert_int_equal(zmq_send(sock, p, n, flags), n);
}

static void *stranger(void *zmq, const struct world *w, const char *id)
{
	void *sock = zmq_socket(zmq, ZMQ_DEALER);

	assert_non_null(sock);
	set_int(sock, ZMQ_LINGER, 0);
	if (id)
		zmq_setsockopt(sock, ZMQ_ROUTING_ID, id, strlen(id));
	assert_int_equal(zmq_connect(sock, w->endpoint), 0);
	return sock;
}

static void raw_stranger(const struct world *w)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/bus", w->root);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_true(write(fd, "GET / HTTP/1.0\r\n\r\n", 18) == 18);
	close(fd);
}

static void until_strangers_counted(struct world *w)
{
	struct bus_stats s = bus_receiver_stats(w->receiver);

	if (s.bad >= 8 && s.oversize >= 1)
		stop(w);
}

static void strangers_are_counted(void **state)
{
	static uint8_t big[WIRE_BATCH_MAX + 1];
	struct world *w = *state;
	void *zmq = zmq_ctx_new();
	void *named;
	void *nameless;
	struct wire_header h;

	start_receiver(w);
	named = stranger(zmq, w, "mallory");
	nameless = stranger(zmq, w, NULL);
	wire_header(&h, WIRE_HELLO, SV("spool-1"), 0, 0, 0);
	stranger_sends(nameless, &h, sizeof(h), 0); /* no name */
	stranger_sends(named, "", 0, 0);	    /* nothing */
	stranger_sends(named, "x", 1, 0);	    /* too short */
	stranger_sends(named, big, sizeof(h), 0);   /* no magic */
	stranger_sends(named, &h, sizeof(h), ZMQ_SNDMORE);
	stranger_sends(named, "x", 1, 0); /* too many frames */
	h.kind = WIRE_NACK;
	stranger_sends(named, &h, sizeof(h), 0); /* wrong way */
	h.kind = WIRE_EVENTS;
	stranger_sends(named, &h, sizeof(h), 0); /* wrong size */
	h.kind = 99;
	stranger_sends(named, &h, sizeof(h), 0);    /* no such kind */
	stranger_sends(named, big, sizeof(big), 0); /* oversize */
	raw_stranger(w);
	run(w, until_strangers_counted);
	assert_int_equal(bus_receiver_stats(w->receiver).bad, 8);
	assert_int_equal(bus_receiver_stats(w->receiver).oversize, 1);
	assert_int_equal(w->hellos, 0);

	/* and the good ones are served as ever */
	start_sender(w);
	w->total = 1000;
	fill(w);
	run(w, until_safe);
	assert_int_equal(w->delivered, 1000);
	zmq_close(named);
	zmq_close(nameless);
	zmq_ctx_term(zmq);
}

static void bad_endpoints_are_sentences(void **state)
{
	struct world *w = *state;
	char endpoint[200];
	struct bus_receiver_opts ro = {.endpoint = endpoint};
	struct bus_sender_opts so = {.stream = "a-name-of-24-bytes-in-all"};
	struct bus_receiver *r = NULL;
	struct bus_sender *s = NULL;
	struct bus *b = bus_new(w->base);
	struct err e = {0};

	memset(endpoint, 'x', sizeof(endpoint));
	memcpy(endpoint, "ipc:///tmp/", 11);
	endpoint[6 + 108] = '\0';
	assert_false(bus_receiver_new(&r, b, &ro, &e));
	assert_non_null(strstr(e.text, "107"));
	assert_non_null(strstr(e.text, "ipc:///tmp/xxx"));
	ro.endpoint = "nonsense";
	assert_false(bus_receiver_new(&r, b, &ro, &e));
	assert_non_null(strstr(e.text, "nonsense"));
	assert_false(bus_sender_new(&s, b, &so, &e));
	assert_non_null(strstr(e.text, "a-name-of-24-bytes-in-all"));
	bus_free(b);
	bus_free(NULL);
}

/* Without encryption TCP does not leave the machine. */
static void tcp_is_of_this_machine(void **state)
{
	static const char *const bad[] = {
		"tcp://*:5555",
		"tcp://0.0.0.0:5555",
		"tcp://192.0.2.1:5555",
		"tcp://127.0.0.1.example.com:5555",
		"tcp://127.0.0.1:0;192.0.2.1:5555",
		"tcp://[::]:5555",
		"tcp://eth0:5555",
		"tcp:192.0.2.1:5555",
	};
	struct world *w = *state;
	struct bus_receiver_opts ro = {.endpoint = "tcp://127.0.0.1:*"};
	struct bus_receiver *r = NULL;
	struct bus *b = bus_new(w->base);
	struct err e = {0};

	start_sender(w); /* has a journal now */
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct bus_receiver_opts o = {.endpoint = bad[i]};
		struct bus_sender_opts so = {.endpoint = bad[i],
					     .stream = "spool-1",
					     .journal = w->journal,
					     .journal_dir = w->root};
		struct bus_sender *s = NULL;

		assert_false(bus_receiver_new(&r, b, &o, &e));
		assert_non_null(strstr(e.text, "not yet encrypted"));
		e.text[0] = '\0';
		assert_false(bus_sender_new(&s, b, &so, &e));
		assert_non_null(strstr(e.text, "not yet encrypted"));
	}
	assert_true(bus_receiver_new(&r, b, &ro, &e));
	bus_receiver_free(r);
	bus_free(b);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(all_arrive_in_order),
		T(sender_waits_for_a_receiver),
		T(receiver_comes_back),
		T(sender_comes_back),
		T(gap_is_sent_again),
		T(silence_is_sent_again),
		T(credit_is_kept),
		T(empty_batches_and_a_new_boot),
		T(a_boot_is_a_name),
		T(acknowledged_is_remembered),
		T(rubbish_in_the_journal_is_passed),
		T(offers_and_control_pass),
		T(strangers_are_counted),
		T(bad_endpoints_are_sentences),
		T(tcp_is_of_this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
