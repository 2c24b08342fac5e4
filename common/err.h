/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_ERR_H
#define COMMON_ERR_H

#include <stdbool.h>

#include "common/attr.h"

/* Why an action failed, as a sentence for a person.  The callee describes,
 * the caller that can act logs it, once. */
struct err {
	char text[512];
};

/* Set the sentence (cut at the size of text) and return false, so that
 * "return err_set(e, ...)" reads well. */
bool err_set(struct err *e, const char *fmt, ...) PRINTF(2, 3);

/* Put "prefix: " before the sentence; returns false. */
bool err_prefix(struct err *e, const char *fmt, ...) PRINTF(2, 3);

#endif
