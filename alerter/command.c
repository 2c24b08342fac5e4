/* SPDX-License-Identifier: Apache-2.0 */
#include "alerter/command.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>

#include "alerter/store.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/utf8.h"

enum {
	CLIENTS_MAX = 64,
	LINE_MAX_BYTES = 8192,
	IDLE_S = 30,
	/* exit codes of design section 10 */
	CODE_FAILED = 1,
	CODE_USAGE = 2,
	CODE_AGAIN = 75,
};

struct client {
	struct client *next;
	struct command *of;
	struct bufferevent *be;
	char person[32]; /* "" = nobody */
	char login[33];
};

struct command {
	struct event_base *base;
	struct evconnlistener *listener;
	struct turn *turn;
	struct command_opts o;
	char path[108];
	struct client *client;
	unsigned n_clients;
	struct json json;
};

/* One request and its answer under way. */
struct request {
	struct command *of;
	const struct client *from;
	const json_t *in;
	struct json *out; /* one object is open */
};

/* ---- answers ---- */

static void refuse(struct request *r, int code, const char *why)
{
	json_key(r->out, "ok");
	json_bool(r->out, false);
	json_key(r->out, "code");
	json_int(r->out, code);
	json_key(r->out, "error");
	json_str(r->out, sv_of(why));
}

static void agree(struct request *r, const char *text)
{
	json_key(r->out, "ok");
	json_bool(r->out, true);
	json_key(r->out, "text");
	json_str_or_null(r->out, sv_of(text));
}

static const char *text_in(const struct request *r, const char *key)
{
	const char *s = json_string_value(json_object_get(r->in, key));

	return s ? s : "";
}

/* ---- looking ---- */

/* Times are UTC; who asks shows them on the site's wall. */
static void zone(struct request *r)
{
	json_key(r->out, "timezone");
	json_str(r->out, sv_of(r->of->turn->conf->timezone));
}

static void do_incidents(struct request *r)
{
	const struct book *b = &r->of->turn->book;
	bool all = json_is_true(json_object_get(r->in, "all"));

	agree(r, "");
	zone(r);
	json_key(r->out, "incidents");
	json_open(r->out, '[');
	for (size_t k = 0; k < b->n; k++)
		if (all || b->incident[k]->state != INCIDENT_RESOLVED)
			incident_json(b->incident[k], false, r->out);
	json_close(r->out, ']');
}

static struct incident *incident_in(struct request *r)
{
	json_int_t ref = json_integer_value(json_object_get(r->in, "incident"));
	struct incident *i = NULL;
	struct err e;

	if (ref > 0 && ref <= UINT32_MAX)
		i = book_find(&r->of->turn->book, (uint32_t)ref);
	if (!i) {
		err_set(&e,
			"there is no incident %lld here; `tollwatch "
			"incidents --all` lists them",
			(long long)ref);
		refuse(r, CODE_FAILED, e.text);
	}
	return i;
}

static void do_show(struct request *r)
{
	const struct incident *i = incident_in(r);

	if (!i)
		return;
	agree(r, "");
	zone(r);
	json_key(r->out, "incident");
	incident_json(i, true, r->out);
}

/* ---- acting ---- */

static bool may_act(struct request *r)
{
	struct err e;

	if (r->from->person[0])
		return true;
	err_set(&e,
		"'%s' is nobody's login: put `login: %s` to a person of "
		"oncall.yaml, then `tollwatch reload`",
		r->from->login, r->from->login);
	refuse(r, CODE_FAILED, e.text);
	return false;
}

/* Notes are shown to others: text, not control bytes. */
static bool note_ok(struct request *r, const char *note)
{
	struct sv s = sv_of(note);
	bool ok = utf8_valid(s) && s.n < 200;

	for (size_t i = 0; ok && i < s.n; i++)
		ok = (unsigned char)s.p[i] >= ' ' && s.p[i] != 0x7f;
	if (!ok)
		refuse(r, CODE_USAGE,
		       "note: want one line of text, at most 199 bytes");
	return ok;
}

typedef bool act_fn(struct decide *d, const struct act *a, struct err *e);

static void act_on(struct request *r, act_fn *act, enum verdict verdict,
		   const char *done)
{
	struct turn *t = r->of->turn;
	const struct incident *i;
	struct act a = {
		.person = r->from->person,
		.via = "shell",
		.note = text_in(r, "note"),
		.verdict = verdict,
	};
	struct err e;

	if (!may_act(r) || !note_ok(r, a.note))
		return;
	i = incident_in(r);
	if (!i)
		return;
	a.ref = i->ref;
	if (!act(turn_at(t, turn_now(t)), &a, &e)) {
		refuse(r, CODE_FAILED, e.text);
		return;
	}
	turn_commit(t);
	if (t->failed) {
		refuse(r, CODE_AGAIN, "it could not be written down");
		return;
	}
	err_set(&e, "incident %u %s by %s", a.ref, done, a.person);
	agree(r, e.text);
}

static void do_ack(struct request *r)
{
	act_on(r, act_ack, VERDICT_NONE, "acknowledged");
}

static void do_escalate(struct request *r)
{
	act_on(r, act_escalate, VERDICT_NONE, "escalated");
}

/* A verdict is a decision: it is the database's (design section 7). */
static void do_resolve(struct request *r)
{
	const struct turn *t = r->of->turn;
	const char *name = text_in(r, "verdict");
	enum verdict v;

	if (!verdict_parse(sv_of(name), &v))
		refuse(r, CODE_USAGE,
		       "verdict: want fraud, expected, wrong-rate, test or "
		       "other");
	else if (t->store && !store_connected(t->store))
		refuse(r, CODE_AGAIN,
		       "the database is away, and a verdict is kept there: "
		       "acknowledge now, resolve later");
	else
		act_on(r, act_resolve, v, "resolved");
}

static void do_page_test(struct request *r)
{
	struct turn *t = r->of->turn;
	const struct person *p =
		person_find(t->conf, sv_of(text_in(r, "person")));
	uint32_t first;
	struct err e;

	if (!may_act(r))
		return;
	if (!p) {
		refuse(r, CODE_FAILED,
		       "there is no such person in oncall.yaml");
		return;
	}
	if (p->n_contacts == 0) {
		refuse(r, CODE_FAILED, "this person has no contact");
		return;
	}
	turn_at(t, turn_now(t));
	act_page_test(&t->decide, p, &first);
	turn_commit(t);
	err_set(&e, "test pages %u to %u queued for %s", first,
		first + (uint32_t)p->n_contacts - 1, p->id);
	agree(r, e.text);
	json_key(r->out, "pages");
	json_open(r->out, '[');
	for (uint32_t k = 0; k < p->n_contacts; k++)
		json_int(r->out, first + k);
	json_close(r->out, ']');
}

/* State of one page, for who waits for a test page. */
static void do_page(struct request *r)
{
	json_int_t no = json_integer_value(json_object_get(r->in, "page"));
	const struct page *p = NULL;

	if (no > 0 && no <= UINT32_MAX)
		p = book_page(&r->of->turn->book, (uint32_t)no, NULL);
	if (!p) {
		refuse(r, CODE_FAILED, "there is no such page");
		return;
	}
	agree(r, "");
	json_key(r->out, "page");
	page_json(p, r->out);
}

static const struct {
	const char *name;
	void (*run)(struct request *r);
} commands[] = {
	{"incidents", do_incidents},
	{"show", do_show},
	{"ack", do_ack},
	{"escalate", do_escalate},
	{"resolve", do_resolve},
	{"page-test", do_page_test},
	{"page", do_page},
};

static void answer(struct request *r)
{
	const char *name = text_in(r, "command");

	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(commands[i].name, name) != 0)
			continue;
		commands[i].run(r);
		return;
	}
	refuse(r, CODE_USAGE, "no such command");
}

/* ---- connections ---- */

static void client_free(struct client *k)
{
	struct client **at = &k->of->client;

	while (*at != k)
		at = &(*at)->next;
	*at = k->next;
	k->of->n_clients--;
	bufferevent_free(k->be);
	free(k);
}

static void serve(struct client *k, const char *line)
{
	struct command *c = k->of;
	json_t *in = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	struct request r = {.of = c, .from = k, .in = in, .out = &c->json};

	json_reset(&c->json);
	json_open(&c->json, '{');
	if (json_is_object(in))
		answer(&r);
	else
		refuse(&r, CODE_USAGE, "want one JSON object a line");
	json_close(&c->json, '}');
	json_decref(in);
	bufferevent_write(k->be, c->json.p, c->json.n);
	bufferevent_write(k->be, "\n", 1);
}

static void on_read(struct bufferevent *be, void *arg)
{
	struct client *k = arg;
	struct evbuffer *in = bufferevent_get_input(be);
	char *line;

	while ((line = evbuffer_readln(in, NULL, EVBUFFER_EOL_LF))) {
		serve(k, line);
		free(line);
	}
	if (evbuffer_get_length(in) > LINE_MAX_BYTES)
		client_free(k);
}

static void on_event(struct bufferevent *be, short what, void *arg)
{
	(void)be;
	(void)what;
	client_free(arg);
}

/* Who is there: the kernel's word, not the client's. */
static bool identify(struct client *k, int fd)
{
	struct ucred who;
	socklen_t n = sizeof(who);
	const struct person *p = NULL;
	const struct command_opts *o = &k->of->o;
	const struct passwd *pw;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) != 0)
		return false;
	pw = getpwuid(who.uid);
	snprintf(k->login, sizeof(k->login), "%s", pw ? pw->pw_name : "?");
	if (pw)
		p = person_of_login(k->of->turn->conf, pw->pw_name);
	if (!p && o->stand_in && who.uid == o->stand_in_uid)
		p = person_find(k->of->turn->conf, sv_of(o->stand_in));
	if (p)
		snprintf(k->person, sizeof(k->person), "%s", p->id);
	return true;
}

static void on_accept(struct evconnlistener *l, evutil_socket_t fd,
		      struct sockaddr *sa, int len, void *arg)
{
	const struct timeval idle = {IDLE_S, 0};
	struct command *c = arg;
	struct client *k;

	(void)l;
	(void)sa;
	(void)len;
	if (c->n_clients == CLIENTS_MAX) {
		close(fd);
		return;
	}
	k = xcalloc(1, sizeof(*k));
	k->of = c;
	k->be = bufferevent_socket_new(c->base, fd, BEV_OPT_CLOSE_ON_FREE);
	k->next = c->client;
	c->client = k;
	c->n_clients++;
	if (!identify(k, fd)) {
		client_free(k);
		return;
	}
	bufferevent_setcb(k->be, on_read, NULL, on_event, k);
	bufferevent_set_timeouts(k->be, &idle, &idle);
	bufferevent_enable(k->be, EV_READ | EV_WRITE);
}

bool command_open(struct command **out, struct event_base *base,
		  const struct command_opts *o, struct turn *t, struct err *e)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct command *c;

	if (strlen(o->path) >= sizeof(sa.sun_path))
		return err_set(e, "%s: longer than a socket's path may be",
			       o->path);
	c = xcalloc(1, sizeof(*c));
	c->base = base;
	c->turn = t;
	c->o = *o;
	snprintf(c->path, sizeof(c->path), "%s", o->path);
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", o->path);
	unlink(c->path);
	c->listener =
		evconnlistener_new_bind(base, on_accept, c,
					LEV_OPT_CLOSE_ON_FREE |
						LEV_OPT_CLOSE_ON_EXEC,
					-1, (struct sockaddr *)&sa, sizeof(sa));
	if (!c->listener) {
		err_set(e, "%s: %s", c->path, strerror(errno));
		free(c);
		return false;
	}
	*out = c;
	return true;
}

void command_close(struct command *c)
{
	if (!c)
		return;
	while (c->client)
		client_free(c->client);
	evconnlistener_free(c->listener);
	unlink(c->path);
	json_free(&c->json);
	free(c);
}
