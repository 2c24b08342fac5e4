/* SPDX-License-Identifier: Apache-2.0 */
/* folder: collector */
#include <assert.h>
#include <stdlib.h>

#include "collector/cdr/asterisk.h"
#include "common/csv.h"
#include "common/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct sv s, const char *text, size_t n)
{
	assert(s.n == 0 || (s.p >= text && s.p + s.n <= text + n));
}

/* Views stay in the text; what is accepted makes an event that the analyzer
 * accepts too, and the same bytes make the same event. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xmalloc(size + 1);
	struct cdr_clock clock = {0};
	struct csv_row row;
	size_t at = 0;

	memcpy(text, data, size);
	while (at < size &&
	       csv_next(text + at, size - at, ',', true, &row) == CSV_OK) {
		struct cdr_clock before = clock;
		struct cdr_row out, again;
		struct event a, b;

		at += row.used;
		if (asterisk_row(&clock, &row, &out) != CDR_OK)
			continue;
		inside(out.caller, text, size);
		inside(out.callee, text, size);
		inside(out.src_peer, text, size);
		inside(out.dst_peer, text, size);
		cdr_event(&hash_public_key, SV("fuzz"), &out, &a);
		assert(event_check(&a) == EVENT_OK);
		assert(asterisk_row(&before, &row, &again) == CDR_OK);
		cdr_event(&hash_public_key, SV("fuzz"), &again, &b);
		assert(memcmp(&a, &b, sizeof(a)) == 0);
	}
	free(text);
	return 0;
}
