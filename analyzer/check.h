/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_CHECK_H
#define ANALYZER_CHECK_H

/*
 * tollwatch-analyzer check-config [--json] [DIR]
 *
 * Every fault and warning of a site's configuration, DIR "config" unless
 * said.  Exit 0 without errors (warnings may be), 78 with.
 */
int check_config_main(int argc, char **argv);

/* Hidden: the tables of docs/configuration.md. */
int document_config_main(int argc, char **argv);

#endif
