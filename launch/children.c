/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/children.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"

enum { PAUSE_MIN_MS = 250, PAUSE_MAX_MS = 10000, LIFE_MS = 2000, KILL_S = 10 };

enum child_state {
	CHILD_IDLE = 0, /* not started, or ended: no pid, no timer */
	CHILD_UP,	/* pid */
	CHILD_PAUSE,	/* timer: start again */
	CHILD_STOPPING, /* pid; timer: SIGKILL */
};

struct child {
	struct child_opts o;
	enum child_state state;
	pid_t pid;
	struct mono_ms born;
	unsigned tries; /* short lives in a row */
	unsigned restarts;
	int pause_ms;
	bool hurried; /* .hurry_signal was sent */
	struct event *timer;
	struct event *sigchld;
};

static void set_timer(struct child *c, int ms)
{
	struct timeval tv = {ms / 1000, ms % 1000 * 1000};

	evtimer_add(c->timer, &tv);
}

static const char *name_of(const struct child *c)
{
	return c->o.other ? c->o.other->name : program_name(c->o.program);
}

static void end(struct child *c, int code)
{
	c->state = CHILD_IDLE;
	evtimer_del(c->timer);
	c->o.on_end(c->o.arg, c->o.program, code);
}

void child_start(struct child *c)
{
	const struct program_pipes io = {.in = -1, .out = -1, .group = true};
	struct err e;
	bool ok = c->o.other ? program_spawn_other(c->o.other, c->o.argv,
						   &c->pid, &e)
			     : program_spawn(c->o.program, c->o.argv, &io,
					     &c->pid, &e);

	if (!ok) {
		log_error("run: %s: %s", name_of(c), e.text);
		end(c, EXIT_AWAY);
		return;
	}
	c->state = CHILD_UP;
	c->born = clock_mono();
	log_info("run: %s: pid %d", name_of(c), (int)c->pid);
}

/* Died unasked. */
static void died(struct child *c, int code)
{
	const char *name = name_of(c);

	if (clock_mono().ms - c->born.ms >= LIFE_MS) {
		c->tries = 0;
		c->pause_ms = PAUSE_MIN_MS;
	}
	if (code == EXIT_CONFIG || code == EXIT_USAGE ||
	    ++c->tries > CHILD_TRIES) {
		log_error("run: %s: ended with %d, given up", name, code);
		end(c, code);
		return;
	}
	log_warn("run: %s: ended with %d, again in %d ms", name, code,
		 c->pause_ms);
	c->state = CHILD_PAUSE;
	set_timer(c, c->pause_ms);
	c->pause_ms *= 2;
	if (c->pause_ms > PAUSE_MAX_MS)
		c->pause_ms = PAUSE_MAX_MS;
}

static void on_sigchld(evutil_socket_t sig, short what, void *arg)
{
	struct child *c = arg;
	int status, code;

	(void)sig;
	(void)what;
	if (c->pid <= 0 || waitpid(c->pid, &status, WNOHANG) != c->pid)
		return;
	c->pid = 0;
	code = program_code(status);
	if (c->state == CHILD_STOPPING || (code == 0 && c->o.may_end))
		end(c, code);
	else
		died(c, code);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct child *c = arg;

	(void)fd;
	(void)what;
	if (c->state == CHILD_PAUSE) {
		c->restarts++;
		child_start(c);
	} else if (c->state == CHILD_STOPPING) {
		bool hurry = c->o.hurry_signal != 0 && !c->hurried;

		log_warn("run: %s: does not stop, %s", name_of(c),
			 hurry ? "asked to hurry" : "killed");
		c->hurried = true;
		kill(c->pid, hurry ? c->o.hurry_signal : SIGKILL);
		if (hurry)
			set_timer(c, KILL_S * 1000);
	}
}

struct child *child_new(struct event_base *base, const struct child_opts *o)
{
	struct child *c = xcalloc(1, sizeof(*c));

	c->o = *o;
	c->pause_ms = PAUSE_MIN_MS;
	c->timer = evtimer_new(base, on_timer, c);
	c->sigchld = evsignal_new(base, SIGCHLD, on_sigchld, c);
	if (!c->timer || !c->sigchld || event_add(c->sigchld, NULL) != 0)
		abort();
	return c;
}

void child_free(struct child *c)
{
	if (!c)
		return;
	event_free(c->timer);
	event_free(c->sigchld);
	free(c);
}

void child_stop(struct child *c)
{
	if (c->state == CHILD_PAUSE) {
		end(c, 0);
	} else if (c->state == CHILD_UP) {
		c->state = CHILD_STOPPING;
		set_timer(c, KILL_S * 1000);
		kill(c->pid, c->o.stop_signal ? c->o.stop_signal : SIGTERM);
	}
}

void child_signal(const struct child *c, int sig)
{
	if (c->pid > 0)
		kill(c->pid, sig);
}

bool child_alive(const struct child *c)
{
	return c->state != CHILD_IDLE;
}

unsigned child_restarts(const struct child *c)
{
	return c->restarts;
}
