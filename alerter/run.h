/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALERTER_RUN_H
#define ALERTER_RUN_H

/* tollwatch-alerter run ...: the loop; the result is the exit code. */
int run_main(int argc, char **argv);

#endif
