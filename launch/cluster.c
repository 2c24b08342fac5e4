/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/cluster.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "common/attr.h"
#include "common/mem.h"
#include "common/sv.h"
#include "launch/children.h"
#include "launch/cluster_data.h"

struct cluster {
	struct cluster_data data;
	struct program_other postgres;
	struct child *child;
	char dsn[CLUSTER_DSN];
	char *argv[48];
	void (*on_end)(void *arg, int code);
	void *arg;
};

static void ended(void *arg, enum program p, int code)
{
	struct cluster *c = arg;

	(void)p;
	c->on_end(c->arg, code);
}

/* Settings no file of the cluster can change.  Errors are logged without
 * DETAIL and statement: both may hold a number that was called. */
static char *const settings[] = {
	"listen_addresses=",
	"port=5432",
	"unix_socket_permissions=0700",
	"max_prepared_transactions=0",
	"max_connections=24",
	"shared_buffers=32MB",
	"fsync=on",
	"full_page_writes=on",
	"synchronous_commit=on",
	"timezone=UTC",
	"log_timezone=UTC",
	"log_destination=stderr",
	"logging_collector=off",
	"log_line_prefix=%m [%p] %q%u ",
	"log_checkpoints=off",
	"log_error_verbosity=terse",
	"log_min_error_statement=panic",
	"log_parameter_max_length_on_error=0",
};

static void fill_argv(struct cluster *c)
{
	char **v = c->argv;

	*v++ = "-D";
	*v++ = c->data.data;
	*v++ = "-k";
	*v++ = c->data.sockets;
	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		*v++ = "-c";
		*v++ = settings[i];
	}
	*v = NULL;
}

bool cluster_new(struct cluster **out, struct event_base *base,
		 const char *state, void (*on_end)(void *arg, int code),
		 void *arg, struct err *e)
{
	struct cluster *c = xcalloc(1, sizeof(*c));
	struct child_opts o = {.on_end = ended, .arg = c};

	*out = NULL;
	c->on_end = on_end;
	c->arg = arg;
	if (!cluster_data_prepare(&c->data, state, e)) {
		cluster_data_close(&c->data);
		free(c);
		return err_prefix(e, "postgresql: ");
	}
	c->postgres = (struct program_other){
		.name = "postgresql",
		.path = c->data.postgres,
		.log = c->data.log,
		.owner = c->data.drop ? &c->data.owner : NULL,
		.parent_died = SIGINT,
	};
	fill_argv(c);
	o.argv = c->argv;
	o.other = &c->postgres;
	o.stop_signal = SIGINT;
	o.hurry_signal = SIGQUIT;
	c->child = child_new(base, &o);
	*out = c;
	return true;
}

void cluster_free(struct cluster *c)
{
	if (!c)
		return;
	child_free(c->child);
	cluster_data_close(&c->data);
	free(c);
}

void cluster_start(struct cluster *c)
{
	child_start(c->child);
}

void cluster_stop(struct cluster *c)
{
	child_stop(c->child);
}

bool cluster_alive(const struct cluster *c)
{
	return child_alive(c->child);
}

unsigned cluster_restarts(const struct cluster *c)
{
	return child_restarts(c->child);
}

/* ---- connections ---- */

/* Quoted as libpq wants it: the folder is ours, but XDG_RUNTIME_DIR is not. */
static bool make_dsn(const char *sockets, const char *database,
		     const char *role, char out[CLUSTER_DSN])
{
	return strpbrk(sockets, "'\\") == NULL &&
	       snprintf(out, CLUSTER_DSN,
			"host='%s' port=5432 dbname=%s user=%s "
			"connect_timeout=5",
			sockets, database, role) < CLUSTER_DSN;
}

const char *cluster_dsn(struct cluster *c, const char *role)
{
	if (!make_dsn(c->data.sockets, CLUSTER_DATABASE, role, c->dsn))
		abort(); /* both are ours and short */
	return c->dsn;
}

bool cluster_find_dsn(const char *state, const char *role,
		      char out[CLUSTER_DSN], struct err *e)
{
	char sockets[CLUSTER_SOCKETS];

	if (!cluster_data_sockets(state, sockets, e))
		return false;
	return make_dsn(sockets, CLUSTER_DATABASE, role, out) ||
	       err_set(e, "%s: not a name for a socket", sockets);
}

bool cluster_ready(const struct cluster *c)
{
	char dsn[CLUSTER_DSN];

	return make_dsn(c->data.sockets, "postgres", CLUSTER_SUPERUSER, dsn) &&
	       PQping(dsn) == PQPING_OK;
}

static bool run_sql(PGconn *pg, const char *text, struct err *e)
{
	PGresult *r = PQexec(pg, text);
	ExecStatusType s = PQresultStatus(r);
	struct sv why = sv_trim(sv_of(PQerrorMessage(pg)));

	PQclear(r);
	return s == PGRES_COMMAND_OK || s == PGRES_TUPLES_OK ||
	       err_set(e, "postgresql: %.*s", SV_ARG(why));
}

/* -1: could not be asked. */
static int has_database(PGconn *pg, struct err *e)
{
	PGresult *r = PQexec(pg, "select from pg_database where datname = "
				 "'" CLUSTER_DATABASE "'");
	int n = PQresultStatus(r) == PGRES_TUPLES_OK ? PQntuples(r) : -1;

	PQclear(r);
	if (n < 0)
		err_set(e, "postgresql: %s", PQerrorMessage(pg));
	return n;
}

static bool make_database(PGconn *pg, bool fresh, struct err *e)
{
	int there;

	/* Nobody but the superuser in the two that initdb made. */
	if (!run_sql(pg, "set client_min_messages = warning", e) ||
	    !run_sql(pg,
		     "revoke all on database postgres, template1 from public",
		     e))
		return false;
	if (fresh && !run_sql(pg,
			      "drop database if exists " CLUSTER_DATABASE
			      " with (force)",
			      e))
		return false;
	there = has_database(pg, e);
	return there > 0 ||
	       (there == 0 &&
		run_sql(pg,
			"create database " CLUSTER_DATABASE
			" template template0 encoding 'UTF8' locale 'C'",
			e));
}

bool cluster_database(struct cluster *c, bool fresh, struct err *e)
{
	char dsn[CLUSTER_DSN];
	PGconn *pg;
	bool ok;

	if (!make_dsn(c->data.sockets, "postgres", CLUSTER_SUPERUSER, dsn))
		return err_set(e, "postgresql: socket's name");
	pg = PQconnectdb(dsn);
	ok = PQstatus(pg) == CONNECTION_OK ||
	     err_set(e, "postgresql: %s", PQerrorMessage(pg));
	ok = ok && make_database(pg, fresh, e);
	PQfinish(pg);
	return ok;
}
