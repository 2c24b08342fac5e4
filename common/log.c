/* SPDX-License-Identifier: Apache-2.0 */
#include "common/log.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/utf8.h"

enum {
	LOG_TEXT = 2048,	       /* of one message before escaping */
	LOG_LINE = 4 * LOG_TEXT + 128, /* \xNN is four bytes for one */
	LOG_NUMBERS = 4,
};

/* The one state a process has about itself: who it is and how much it says. */
static struct {
	char program[32];
	enum log_level lowest;
} self = {"tollwatch", LOG_INFO};

void log_open(const char *program, enum log_level lowest)
{
	snprintf(self.program, sizeof(self.program), "%s", program);
	self.lowest = lowest;
}

/* C0 and C1 controls, DEL, and what is not UTF-8: a terminal may act on the
 * first three. */
static bool must_escape(struct sv s, unsigned size)
{
	unsigned char c = (unsigned char)s.p[0];

	return size == 0 || c < 0x20 || c == 0x7f ||
	       (c == 0xc2 && (unsigned char)s.p[1] < 0xa0);
}

/* out holds 4 bytes for each of s. */
static size_t escape(struct sv s, char *out)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	while (s.n) {
		unsigned size = utf8_size(s);
		bool esc = must_escape(s, size);

		size += size == 0;
		for (unsigned i = 0; i < size; i++) {
			unsigned char c = (unsigned char)s.p[i];

			if (esc) {
				out[n++] = '\\';
				out[n++] = 'x';
				out[n++] = hex[c >> 4];
				out[n++] = hex[c & 15];
			} else {
				out[n++] = (char)c;
			}
		}
		s = (struct sv){s.p + size, s.n - size};
	}
	return n;
}

/* A whole line in one write, so that lines of several programs on one
 * terminal do not mix. */
static void write_all(const char *p, size_t n)
{
	while (n) {
		ssize_t done = write(STDERR_FILENO, p, n);

		if (done <= 0)
			return; /* nobody to tell */
		p += done;
		n -= (size_t)done;
	}
}

static void say(enum log_level level, const char *fmt, va_list ap)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};
	char stamp[TIME_TEXT];
	char text[LOG_TEXT];
	char line[LOG_LINE];
	size_t n;
	int len;

	if (level < self.lowest)
		return;
	time_text(clock_wall().us, stamp);
	stamp[23] = '\0'; /* to the millisecond */
	len = vsnprintf(text, sizeof(text), fmt, ap);
	if (len < 0)
		len = 0;
	if ((size_t)len >= sizeof(text)) {
		len = sizeof(text) - 1;
		memcpy(text + len - 3, "...", 3);
	}
	n = (size_t)snprintf(line, sizeof(line), "%sZ %s %s ", stamp,
			     self.program, names[level]);
	n += escape((struct sv){text, (size_t)len}, line + n);
	line[n++] = '\n';
	write_all(line, n);
}

void log_debug(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(LOG_DEBUG, fmt, ap);
	va_end(ap);
}

void log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(LOG_INFO, fmt, ap);
	va_end(ap);
}

void log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(LOG_WARN, fmt, ap);
	va_end(ap);
}

void log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(LOG_ERROR, fmt, ap);
	va_end(ap);
}

void log_fatal(int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(LOG_ERROR, fmt, ap);
	va_end(ap);
	exit(code);
}

const char *log_number(struct number n)
{
	static char text[LOG_NUMBERS][NUMBER_TEXT];
	static unsigned next;
	char *out = text[next++ % LOG_NUMBERS];

	number_mask(n, out);
	return out;
}

static bool allow_at(struct log_limit *l, unsigned seconds, int64_t now_ms)
{
	if (now_ms < l->next_ms) {
		if (l->said)
			l->suppressed = 0;
		l->said = false;
		l->suppressed++;
		return false;
	}
	if (l->said)
		l->suppressed = 0;
	l->said = true;
	l->next_ms = now_ms + (int64_t)seconds * 1000;
	return true;
}

bool log_allow(struct log_limit *l, unsigned seconds)
{
	return allow_at(l, seconds, clock_mono().ms);
}
