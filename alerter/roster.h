/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALERTER_ROSTER_H
#define ALERTER_ROSTER_H

#include "alerter/config.h"
#include "common/json.h"

/* The config's people and their contacts, for store_people:
 *   [{"id":"alex","name":"Alex Example","login":"alex",
 *     "contacts":[{"channel":"email","target":"...","after_s":0}]}] */
void roster_json(const struct alerter_conf *a, struct json *j);

#endif
