/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_EXPLAIN_H
#define ANALYZER_EXPLAIN_H

/*
 * tollwatch-analyzer explain [--config DIR] --account A --at T [--json]
 *
 * Was the account open at T, since and until when, why, and which limits
 * held?  T is RFC 3339; without an offset it is local time of the site.
 * Limits are those of the configuration with overrides; what the account
 * usually does is known only to a running analyzer.
 */
int explain_main(int argc, char **argv);

#endif
