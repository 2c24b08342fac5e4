/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAUNCH_NIGHT_H
#define LAUNCH_NIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/err.h"
#include "launch/rng.h"

/*
 * The sample night: four weeks of honest calls of the accounts of a site, and
 * a Friday night to Sunday morning in which two of them are robbed.
 *
 *   Fri 19 Dec 18:00 ........ Fri 16 Jan 18:00 ........... Sun 18 Jan 08:00
 *   |------ history.csv ------|---- night.csv = night.pcap ----|
 *                             22:10 drip   Sat 02:24 burst
 *
 * The same seed and site give the same bytes on every machine.  All of it
 * lies in winter, so London's local time is UTC.
 */
enum {
	NIGHT_USERS = 8,
	NIGHT_SEED = 20260117,
	NIGHT_PEAK = 167,  /* calls up at once in the burst */
	NIGHT_NUMBER = 18, /* "+" and 15 digits, NUL */
};

/* 2025-12-19, 2026-01-16 and 2026-01-18 in days since 1970. */
#define NIGHT_FIRST_DAY	 INT64_C(20441)
#define NIGHT_HISTORY_US (NIGHT_FIRST_DAY * DAY_US + 18 * HOUR_US)
#define NIGHT_START_US	 ((NIGHT_FIRST_DAY + 28) * DAY_US + 18 * HOUR_US)
#define NIGHT_END_US	 ((NIGHT_FIRST_DAY + 30) * DAY_US + 8 * HOUR_US)

struct night_account {
	char name[28];
	char display[48];
	char segment[20];
	char trunk[16];
	char user[NIGHT_USERS][24];
	unsigned n_users;
	uint32_t pbx;	  /* its address, host order */
	uint64_t number;  /* first number of its range, E.164 digits */
	uint32_t numbers; /* how many of the range are used */
	uint32_t channels;
};

struct night_rate {
	char prefix[16]; /* digits */
	int64_t per_min; /* cost, micropence */
};

struct night_site {
	struct night_account *account;
	size_t n_accounts;
	struct night_rate *rate;
	size_t n_rates;
};

/* Read accounts.csv and rates.csv of a config folder. */
MUST_USE bool night_site_load(struct night_site *s, const char *config,
			      struct err *e);
void night_site_free(struct night_site *s);

/* Cost price of a number ("+48704…"), micropence a minute; 0: not in the
 * deck. */
int64_t night_rate_of(const struct night_site *s, const char *number);

/* Does a number belong to one of the accounts? */
bool night_owned(const struct night_site *s, const char *number);

enum night_fate {
	FATE_ANSWERED = 0,
	FATE_CANCELLED,	 /* the caller gives up: 487 */
	FATE_BUSY,	 /* 486 */
	FATE_UNANSWERED, /* rings out: 480 */
};

struct night_call {
	int64_t setup_us;
	int64_t answer_us; /* 0: never */
	int64_t end_us;
	const struct night_account *account;
	uint64_t serial; /* unique, also after sorting */
	enum night_fate fate;
	unsigned user; /* index into account->user */
	bool inbound;
	bool challenged;    /* 407 first */
	bool retransmitted; /* first answer to it was lost */
	bool attack;
	char own[NIGHT_NUMBER];	    /* the account's number, "+44…" */
	char outside[NIGHT_NUMBER]; /* the other party */
};

struct night_calls {
	struct night_call *call;
	size_t n;
	size_t cap;
};

/* A new call at the end of the list, zeroed but for its serial. */
struct night_call *night_add(struct night_calls *c);

/* The calls of one honest account, in order of set-up. */
void night_honest(struct night_calls *c, const struct night_account *a,
		  const struct night_site *s, uint64_t seed);

/* Like Frip Finishing: mostly one number, 2.8 calls a minute, at most
 * NIGHT_PEAK up, £8 a minute in sum; from Saturday 02:24. */
void night_burst(struct night_calls *c, const struct night_account *a,
		 const struct night_site *s, uint64_t seed);

/* Four calls an hour at £15 each; Friday 22:10. */
void night_drip(struct night_calls *c, const struct night_account *a,
		const struct night_site *s, uint64_t seed);

/* Asterisk cdr_csv, 18 columns, London time, ordered by end. */
void night_cdr_write(const struct night_calls *c, FILE *out);

/* Ethernet pcap of the SIP of these calls, ordered by time. */
void night_pcap_write(const struct night_calls *c, FILE *out);

struct night_opts {
	const char *config; /* folder with accounts.csv and rates.csv */
	const char *out;    /* folder, made when absent */
	uint64_t seed;
};

struct night_summary {
	size_t history; /* calls in each file */
	size_t night;
	size_t burst;
	size_t drip;
	char burst_account[28];
	char drip_account[28];
};

/* Write history.csv, night.csv and night.pcap; each appears whole or not at
 * all. */
MUST_USE bool night_write(const struct night_opts *o, struct night_summary *sum,
			  struct err *e);

#endif
