/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALERTER_STORE_H
#define ALERTER_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include "common/err.h"
#include "common/sv.h"

/*
 * Ships the outbox to PostgreSQL, each entry once and in order:
 *
 *   outbox (journal) ─reader─▶ up to 64 entries ─pipeline─▶ alerter.apply()
 *
 * The database knows how far it is (alerter.position) and moves that mark in
 * the transaction that applies the entries, so a connection that breaks at
 * any moment is answered by asking again.  A batch is one transaction; when it
 * fails, entries go one by one until one lands.  An entry the database refuses
 * is tried for ever, with a line in the log, never passed over.
 *
 * Nothing here blocks: the loop pages and listens while the database is away.
 * Back-off from 0.25 s doubles to 10 s.
 */
struct store;

struct store_opts {
	struct event_base *base;
	const char *dsn;     /* copied; a socket's folder or an address, a
			      * name would be looked up while all wait */
	const char *stream;  /* copied; the outbox's own random id */
	const char *journal; /* copied; its folder */
	/* Everything up to pos is in the database for good; NULL ok. */
	void (*on_safe)(void *arg, uint64_t pos);
	void *arg;
};

struct store_stats {
	uint64_t applied;  /* entries this process brought in */
	uint64_t repeated; /* sent, but they were there */
	uint64_t failures; /* of connections and entries */
	uint64_t connects;
	uint64_t bytes_behind; /* of the journal, when last looked */
};

/* Connects after the first store_kick. */
void store_new(struct store **out, const struct store_opts *o);
void store_free(struct store *s); /* NULL ok; not inside its callback */

/* The journal is safe on disk (journal_sync) up to `end`: nothing behind it is
 * shipped.  Call it once after opening, then after every sync. */
void store_kick(struct store *s, uint64_t end);

bool store_connected(const struct store *s);
uint64_t store_position(const struct store *s); /* 0: none, or not known */
struct store_stats store_stats(const struct store *s);

/* Make these the current people (alerter.people in sql/), now or once
 * connected; JSON, copied; a later one replaces it. */
void store_people(struct store *s, struct sv json);

#endif
