/* SPDX-License-Identifier: Apache-2.0 */
/* folder: collector */
#include <assert.h>

#include "collector/dialplan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What comes out is a number; in international form it stays as it is when
 * it is normalised again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const nine[] = {"9", NULL};
	static const char *const cli[] = {"141", "1470", NULL};
	static const char *const out_of[] = {"00", "011", NULL};
	static const struct dialplan uk = {.outside_line = nine,
					   .cli_prefix = cli,
					   .international = out_of,
					   .national = "0",
					   .country = "44"};
	struct sv raw = {(const char *)data, size};
	struct number n, again;
	char text[NUMBER_TEXT];
	size_t len;

	if (!dialplan_normalise(&uk, raw, &n)) {
		assert(!number_known(n));
		return 0;
	}
	len = number_text(n, text);
	assert(len > 0 && len < NUMBER_TEXT);
	if (number_is_e164(n)) {
		assert(dialplan_normalise(&uk, (struct sv){text, len}, &again));
		assert(again.v == n.v);
	}
	dialplan_normalise(NULL, raw, &again);
	return 0;
}
