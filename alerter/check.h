/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALERTER_CHECK_H
#define ALERTER_CHECK_H

/* check-config [--json] [DIR]: 0, or 78 with every error. */
int check_config_main(int argc, char **argv);

/* The options as a table for docs/configuration.md. */
int document_config_main(int argc, char **argv);

#endif
