/* SPDX-License-Identifier: Apache-2.0 */
#include "common/metrics.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <signal.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "common/clock.h"

static char root[64];
static char listen_at[96];

static int make_root(void **state)
{
	(void)state;
	snprintf(root, sizeof(root), "/tmp/tw-metrics-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	snprintf(listen_at, sizeof(listen_at), "unix:%s/m", root);
	return 0;
}

static int remove_root(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	return system(command);
}

static void fill(void *arg, struct metrics_out *o)
{
	char label[64];

	(void)arg;
	metrics_counter(o, "events_total", "Events\nseen \\ counted.",
			"source=\"sbc-1\"", 18446744073709551615u);
	assert_true(metrics_label(label, sizeof(label), "source",
				  SV("a\"b\\c\nd")));
	metrics_counter(o, "events_total", "Events\nseen \\ counted.", label,
			2);
	metrics_gauge(o, "lag_seconds", "Behind.", NULL, 0.25);
	metrics_gauge(o, "third", "x", "", 1.0 / 3.0);
	metrics_gauge(o, "none", "x", NULL, (double)NAN);
	metrics_gauge(o, "least", "x", NULL, -(double)INFINITY);
}

static const char exposition[] =
	"# HELP tollwatch_events_total Events\\nseen \\\\ counted.\n"
	"# TYPE tollwatch_events_total counter\n"
	"tollwatch_events_total{source=\"sbc-1\"} 18446744073709551615\n"
	"tollwatch_events_total{source=\"a\\\"b\\\\c\\nd\"} 2\n"
	"# HELP tollwatch_lag_seconds Behind.\n"
	"# TYPE tollwatch_lag_seconds gauge\n"
	"tollwatch_lag_seconds 0.25\n"
	"# HELP tollwatch_third x\n# TYPE tollwatch_third gauge\n"
	"tollwatch_third 0.33333333333333331\n"
	"# HELP tollwatch_none x\n# TYPE tollwatch_none gauge\n"
	"tollwatch_none NaN\n"
	"# HELP tollwatch_least x\n# TYPE tollwatch_least gauge\n"
	"tollwatch_least -Inf\n";

static void status(void *arg, struct json *j)
{
	(void)arg;
	json_open(j, '{');
	json_key(j, "received");
	json_int(j, 7);
	json_close(j, '}');
}

static bool ready(void *arg)
{
	bool *now = arg;
	bool was = *now;

	*now = !was;
	return was;
}

/* metrics_fetch blocks, so the server is a child: it tells its port through
 * a pipe and is ended by its id. */
static pid_t serve_in_child(const char *at, uint16_t *port)
{
	bool now = false;
	struct metrics_opts o = {at, fill, status, ready, &now};
	int tell[2];
	pid_t child;

	assert_int_equal(pipe(tell), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct event_base *base = event_base_new();
		struct metrics *m = NULL;
		struct err e;

		alarm(30); /* never stays behind */
		if (!metrics_new(&m, base, &o, &e)) {
			print_error("%s\n", e.text);
			_exit(1);
		}
		*port = metrics_port(m);
		if (write(tell[1], port, sizeof(*port)) != sizeof(*port))
			_exit(2);
		event_base_dispatch(base);
		_exit(3);
	}
	close(tell[1]);
	assert_int_equal(read(tell[0], port, sizeof(*port)), sizeof(*port));
	close(tell[0]);
	return child;
}

static void end_child(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void expect(const char *at, const char *path, const char *want)
{
	char *body = NULL;
	struct err e = {0};

	if (!metrics_fetch(at, path, 10000, &body, &e))
		fail_msg("%s", e.text);
	assert_string_equal(body, want);
	free(body);
}

static void expect_error(const char *at, const char *path, const char *want)
{
	char *body = NULL;
	struct err e = {0};

	assert_false(metrics_fetch(at, path, 10000, &body, &e));
	assert_null(body);
	assert_non_null(strstr(e.text, at));
	if (!strstr(e.text, want))
		fail_msg("no '%s' in: %s", want, e.text);
}

static void ask_everything(const char *at)
{
	expect(at, "/metrics", exposition);
	expect(at, "/status", "{\"received\":7}\n");
	expect(at, "/status", "{\"received\":7}\n");
	expect(at, "/-/healthy", "healthy\n");
	expect_error(at, "/-/ready", "503");
	expect(at, "/-/ready", "ready\n");
	expect_error(at, "/nothing", "404");
}

static void over_a_unix_socket(void **state)
{
	struct stat st;
	uint16_t port = 1;
	pid_t child = serve_in_child(listen_at, &port);

	(void)state;
	assert_int_equal(port, 0);
	assert_int_equal(stat(listen_at + 5, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	ask_everything(listen_at);
	end_child(child);
	expect_error(listen_at, "/metrics", "refused");
	/* what the killed one left does not stop the next */
	child = serve_in_child(listen_at, &port);
	expect(listen_at, "/-/healthy", "healthy\n");
	end_child(child);
}

static void over_loopback_any_port(void **state)
{
	char at[32];
	uint16_t port = 0;
	pid_t child = serve_in_child("127.0.0.1:0", &port);

	(void)state;
	assert_true(port > 0);
	snprintf(at, sizeof(at), "127.0.0.1:%u", port);
	ask_everything(at);
	end_child(child);
}

static void one_listens_and_cleans_up(void **state)
{
	struct event_base *base = event_base_new();
	struct metrics_opts o = {.listen = listen_at};
	struct metrics *m = NULL;
	struct metrics *second = NULL;
	struct err e = {0};

	(void)state;
	assert_true(metrics_new(&m, base, &o, &e));
	assert_false(metrics_new(&second, base, &o, &e));
	assert_non_null(strstr(e.text, "in use"));
	assert_int_equal(access(listen_at + 5, F_OK), 0);
	metrics_free(m);
	assert_int_equal(access(listen_at + 5, F_OK), -1);
	metrics_free(NULL);

	/* a file that is no socket is not ours to remove */
	fclose(fopen(listen_at + 5, "w"));
	assert_false(metrics_new(&m, base, &o, &e));
	assert_int_equal(access(listen_at + 5, F_OK), 0);
	event_base_free(base);
}

static void only_local_addresses(void **state)
{
	/* clang-format off */
	static const struct { const char *text; bool ok; } row[] = {
		{"unix:/run/x", true},
		{"127.0.0.1:9400", true},
		{"[::1]:9400", true},
		{"0.0.0.0:9400", false},
		{"192.0.2.1:9400", false},
		{"[::]:9400", false},
		{"localhost:9400", false},
		{"127.0.0.1:99999", false},
		{"unix:", false},
		{"", false},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct metrics_addr a;
		struct err e;

		assert_int_equal(metrics_addr_parse(&a, row[i].text, &e),
				 row[i].ok);
	}
}

/* A listener that accepts and says nothing does not hold us. */
static void fetch_gives_up(void **state)
{
	struct metrics_addr a;
	char *body = NULL;
	struct err e = {0};
	int64_t begin;
	int fd;

	(void)state;
	assert_true(metrics_addr_parse(&a, listen_at, &e));
	fd = listen_on(&a, listen_at, &e);
	assert_true(fd >= 0);
	begin = clock_mono().ms;
	assert_false(metrics_fetch(listen_at, "/metrics", 50, &body, &e));
	assert_non_null(strstr(e.text, "in time"));
	assert_true(clock_mono().ms - begin >= 45);
	close(fd);
}

static void labels_fit_or_not(void **state)
{
	char out[12];

	(void)state;
	assert_true(metrics_label(out, sizeof(out), "key", SV("abc")));
	assert_string_equal(out, "key=\"abc\"");
	assert_false(metrics_label(out, sizeof(out), "key", SV("abcdefg")));
	assert_false(metrics_label(out, 4, "key", SV("")));
	assert_false(metrics_label(out, 6, "key", SV("")));
	assert_true(metrics_label(out, 7, "key", SV("")));
}

#define T(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(over_a_unix_socket),
		T(over_loopback_any_port),
		T(one_listens_and_cleans_up),
		T(only_local_addresses),
		T(fetch_gives_up),
		T(labels_fit_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
