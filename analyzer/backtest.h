/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_BACKTEST_H
#define ANALYZER_BACKTEST_H

/*
 * tollwatch-analyzer backtest --config DIR [--json] [--summary FILE]
 *                             [--split EVENTS] SOURCE
 *
 * SOURCE: "-" for the batches of "decode --wire" on standard input, or a
 * folder, an archive; either is judged by the config given, whatever was in
 * force then.  One finding a line on standard output, in order.
 * --split goes over a snapshot every so many events, which must change
 * nothing.  Returns the exit code.
 */
int backtest_main(int argc, char **argv);

#endif
