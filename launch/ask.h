/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAUNCH_ASK_H
#define LAUNCH_ASK_H

#include <jansson.h>

#include "common/err.h"

/*
 * One question to the alerter's command socket (alerter/command.h).  request
 * is stolen.  *answer is its object, also when it refused; the result is the
 * exit code: 0, what the refusal says, or 69 when nobody is there (*answer is
 * NULL then).
 */
MUST_USE int ask(const char *socket, json_t *request, json_t **answer,
		 struct err *e);

#endif
