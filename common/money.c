/* SPDX-License-Identifier: Apache-2.0 */
#include "common/money.h"

#include <stdio.h>

static uint64_t magnitude(int64_t v)
{
	return v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
}

void money_text(int64_t micropence, char out[MONEY_TEXT])
{
	uint64_t pence =
		(magnitude(micropence) + (uint64_t)PENNY / 2) / (uint64_t)PENNY;
	const char *sign = micropence < 0 && pence ? "-" : "";

	snprintf(out, MONEY_TEXT, "%s%llu.%02u", sign,
		 (unsigned long long)(pence / 100), (unsigned)(pence % 100));
}

void money_text_exact(int64_t micropence, char out[MONEY_TEXT])
{
	uint64_t v = magnitude(micropence);
	size_t n;

	n = (size_t)snprintf(out, MONEY_TEXT, "%s%llu.%08llu",
			     micropence < 0 ? "-" : "",
			     (unsigned long long)(v / (uint64_t)POUND),
			     (unsigned long long)(v % (uint64_t)POUND));
	for (int drop = 6; drop > 0 && out[n - 1] == '0'; drop--)
		out[--n] = '\0';
}

/* digits [ "." digits ] times unit, a power of ten: exact or false. */
static bool decimal(struct sv s, int64_t unit, int64_t *out)
{
	struct sv whole = sv_cut(&s, '.');
	bool point = s.p > whole.p + whole.n;
	uint64_t v;

	if (!sv_u64(whole, &v) || v > (uint64_t)(INT64_MAX / unit) - 1)
		return false;
	*out = (int64_t)v * unit;
	if (point && s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || unit == 1)
			return false;
		unit /= 10;
		*out += (s.p[i] - '0') * unit;
	}
	return true;
}

bool money_parse(struct sv text, int64_t *micropence)
{
	static const struct sv pound = {"\xc2\xa3", 2};

	if (sv_starts(text, pound))
		return decimal((struct sv){text.p + 2, text.n - 2}, POUND,
			       micropence);
	if (text.n && text.p[text.n - 1] == 'p')
		return decimal((struct sv){text.p, text.n - 1}, PENNY,
			       micropence);
	return false;
}

bool money_parse_pence(struct sv text, int64_t *micropence)
{
	return decimal(text, PENNY, micropence);
}
