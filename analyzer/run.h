/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_RUN_H
#define ANALYZER_RUN_H

/*
 * tollwatch-analyzer run --config DIR --state DIR --bind ENDPOINT
 *                        [--findings ENDPOINT] [--metrics LISTEN]
 *
 * The daemon.  SIGTERM and SIGINT end it in order, SIGHUP reads the config
 * again.  Returns the exit code.
 */
int run_main(int argc, char **argv);

#endif
