/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>

#include "common/attr.h"
#include "common/number.h"
#include "common/sv.h"

/*
 * One line per event on stderr: "2026-01-17T02:24:05.123Z name level module:
 * what: detail".  Warn = someone may have to act; error = the program lost
 * something.  Data-plane trouble is a counter plus one rate-limited line.
 * Control bytes and bytes >= 0x7f that are not UTF-8 are escaped as \xNN in
 * the finished line, so no foreign text can forge one.
 */
enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* Program name put into each line; lowest level written.  stderr is line
 * based; time is the wall clock. */
void log_open(const char *program, enum log_level lowest);

void log_debug(const char *fmt, ...) PRINTF(1, 2);
void log_info(const char *fmt, ...) PRINTF(1, 2);
void log_warn(const char *fmt, ...) PRINTF(1, 2);
void log_error(const char *fmt, ...) PRINTF(1, 2);

/* Before the loop starts, from main.c only: log and exit with code. */
void log_fatal(int code, const char *fmt, ...) PRINTF(2, 3) NORETURN;

/* A masked number for a log line, in one of four rotating buffers. */
const char *log_number(struct number n);

/* At most one line per interval from one place:
 *   static struct log_limit limit;
 *   if (log_allow(&limit, 10)) log_warn(...);
 * suppressed counts what was not said since the last line. */
struct log_limit {
	long long next_ms;
	unsigned long suppressed;
	bool said; /* the last answer was true: begin to count anew */
};
bool log_allow(struct log_limit *l, unsigned seconds);

#endif
