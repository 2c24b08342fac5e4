/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { HUGE = 1 << 21 };

static size_t rounded(size_t bytes)
{
	return (bytes + HUGE - 1) / HUGE * HUGE;
}

void *pages_new(size_t bytes)
{
	void *p = mmap(NULL, rounded(bytes), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		fprintf(stderr, "out of memory: %zu bytes\n", bytes);
		abort();
	}
	/* a wish: it may be refused without harm */
	(void)madvise(p, rounded(bytes), MADV_HUGEPAGE);
	return p;
}

void pages_free(void *p, size_t bytes)
{
	if (p)
		munmap(p, rounded(bytes));
}
