/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_ATTR_H
#define COMMON_ATTR_H

/* Compiler attributes and the two macros that no function can replace. */

#define MUST_USE       __attribute__((warn_unused_result))
#define PRINTF(fmt, a) __attribute__((format(printf, fmt, a)))
#define NORETURN       __attribute__((noreturn))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* For "%.*s" with a struct sv. */
#define SV_ARG(s) (int)(s).n, (s).p

#endif
