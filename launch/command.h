/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAUNCH_COMMAND_H
#define LAUNCH_COMMAND_H

#include <stdbool.h>

/* The commands of `tollwatch`: argv[0] is the command's name; the result is
 * the exit code. */
int run_main(int argc, char **argv);
int check_main(int argc, char **argv);
int backtest_main(int argc, char **argv);
int status_main(int argc, char **argv);
int why_main(int argc, char **argv);
int night_main(int argc, char **argv);
int incidents_main(int argc, char **argv);
int show_main(int argc, char **argv);
int ack_main(int argc, char **argv);
int escalate_main(int argc, char **argv);
int resolve_main(int argc, char **argv);
int page_test_main(int argc, char **argv);
int reload_main(int argc, char **argv);
int db_main(int argc, char **argv);
int audit_main(int argc, char **argv);

/* Both programs' verdicts on a config folder, merged: on stderr as text, or
 * on stdout as JSON Lines.  0, 78, or 69 when a program cannot be run. */
int check_config(const char *dir, bool as_json);

#endif
