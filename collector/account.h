/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COLLECTOR_ACCOUNT_H
#define COLLECTOR_ACCOUNT_H

#include <stdint.h>

#include "common/conf.h"
#include "common/number.h"

/*
 * Whose call it is: accounts.csv by everything that names an account.  Lists
 * in the file are separated by ';'.
 *
 *   account,...,trunks,users,networks,ranges,...
 *   acme,...,acme-trunk,"101;102",198.51.100.16/28,+441632960100-199,...
 *
 * A range is "+441632960100-+441632960199", the same with only the last
 * digits repeated, or a prefix.  What names two accounts is an error.
 */
struct accounts;

/* Read the file; errors go to c.  NULL when it had any. */
struct accounts *accounts_load(struct conf *c, const struct conf_tree *at,
			       struct sv path);
void accounts_free(struct accounts *a); /* NULL ok */

enum account_by {
	BY_NAME = 1, /* the account itself */
	BY_USER,     /* digest user name, phone */
	BY_TRUNK,
};

/* The account's name, owned by a; NULL = none.  a may be NULL. */
const char *account_by(const struct accounts *a, enum account_by by,
		       struct sv name);
const char *account_by_network(const struct accounts *a,
			       const uint8_t addr[16]);
const char *account_by_number(const struct accounts *a, struct number n);

#endif
