/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ANALYZER_PAGES_H
#define ANALYZER_PAGES_H

#include <stddef.h>

/*
 * Memory for the big tables: zeroed, not touched before it is used, and in
 * huge pages where the kernel offers them.  Events go to accounts at random,
 * and with small pages most of an event's time is spent finding the page.
 */
void *pages_new(size_t bytes);
void pages_free(void *p, size_t bytes); /* NULL ok */

#endif
