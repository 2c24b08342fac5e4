/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_CONFIG_STORE_H
#define ANALYZER_CONFIG_STORE_H

#include "analyzer/config.h"

/*
 * Every config that ever judged an event lies beside the archive, under the
 * first 16 hex digits of its SHA-256, so that "why" and a recovery can judge
 * again by what was in force:  STORE/3f2a...9c/{tollwatch.yaml,rules.yaml,...}
 */

/* Keep a copy of all files conf was read from; nothing is done when it is
 * there already. */
MUST_USE bool config_store_save(const char *store,
				const struct analyzer_conf *conf,
				struct err *e);

/* hash: 16 hex digits.  NULL: not there or unreadable (see *e). */
struct analyzer_conf *config_store_load(const char *store, const char *hash,
					struct err *e);

#endif
