/* SPDX-License-Identifier: Apache-2.0 */
#include "launch/night.c"
#include "launch/night_site.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "common/money.h"

static struct night_account account_of(const char *segment)
{
	struct night_account a = {
		.name = "acme",
		.trunk = "acme-t",
		.user = {"201", "202"},
		.n_users = 2,
		.pbx = 0xc6336412,
		.number = 441632960100,
		.numbers = 20,
		.channels = 12,
	};

	snprintf(a.segment, sizeof(a.segment), "%s", segment);
	return a;
}

static struct night_rate deck[] = {{"48", PENNY},
				   {"4870", 52 * PENNY},
				   {"252", 92 * PENNY}};
static const struct night_site site = {.rate = deck, .n_rates = 3};

/* Answered calls of the list that are up just after `at`. */
static unsigned up_at(const struct night_calls *c, int64_t at)
{
	unsigned n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += c->call[i].answer_us > 0 && c->call[i].setup_us <= at &&
		     c->call[i].end_us > at;
	return n;
}

static void rate_is_the_longest_prefix(void **state)
{
	(void)state;
	assert_int_equal(night_rate_of(&site, "+48704660123"), 52 * PENNY);
	assert_int_equal(night_rate_of(&site, "+48224660123"), PENNY);
	assert_int_equal(night_rate_of(&site, "+4"), 0);
}

/* The last numbers of a range are its own, the one behind it is not. */
static void ranges_are_read_in_three_forms(void **state)
{
	/* clang-format off */
	static const struct { const char *text; uint64_t first; uint32_t n; } t[] = {
		{"+441632960100-+441632960119", 441632960100, 20},
		{"+441632960100-119;+441632960500-509", 441632960100, 20},
		{"+44163296010", 441632960100, 10},
		{"+441632960100", 441632960100, 1},
		{"", 0, 0},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct night_account a = {0};
		struct night_site s = {.account = &a, .n_accounts = 1};
		char last[24];

		range_of(&a, sv_of(t[i].text));
		assert_int_equal(a.number, t[i].first);
		assert_int_equal(a.numbers, t[i].n);
		if (a.numbers == 0)
			continue;
		snprintf(last, sizeof(last), "+%llu",
			 (unsigned long long)(a.number + a.numbers - 1));
		assert_true(night_owned(&s, last));
		snprintf(last, sizeof(last), "+%llu",
			 (unsigned long long)(a.number + a.numbers));
		assert_false(night_owned(&s, last));
	}
}

static void burst_keeps_the_published_shape(void **state)
{
	struct night_account a = account_of("office");
	struct night_calls c = {0};
	int64_t spent = 0, minutes;
	unsigned peak = 0, same = 0;

	(void)state;
	night_burst(&c, &a, &site, NIGHT_SEED);
	qsort(c.call, c.n, sizeof(*c.call), by_setup);
	/* Saturday 17 January 2026 02:24 */
	assert_int_equal(c.call[0].setup_us, INT64_C(1768616640) * SEC_US);
	minutes = (NIGHT_END_US - c.call[0].setup_us) / MIN_US;
	for (size_t i = 0; i < c.n; i++) {
		unsigned up = up_at(&c, c.call[i].setup_us);

		peak = up > peak ? up : peak;
		assert_true(c.call[i].end_us < NIGHT_END_US);
		same += strcmp(c.call[i].outside, "+48704660123") == 0;
		if (c.call[i].answer_us > 0)
			spent += (c.call[i].end_us - c.call[i].answer_us) * 52 /
				 60; /* micropence */
	}
	assert_int_equal(peak, 167);
	assert_in_range(c.n * 10 / (size_t)minutes, 26, 29);
	assert_in_range(spent / minutes, 15 * POUND / 2, 17 * POUND / 2);
	assert_in_range(same * 100 / c.n, 80, 95);
	free(c.call);
}

static void drip_is_fifteen_pounds_four_times_an_hour(void **state)
{
	struct night_account a = account_of("retail");
	struct night_calls c = {0};

	(void)state;
	night_drip(&c, &a, &site, NIGHT_SEED);
	for (size_t i = 0; i + 2 < c.n; i++) {
		const struct night_call *n = &c.call[i];

		assert_in_range((n->end_us - n->answer_us) * 92 / 60,
				14 * POUND, 16 * POUND);
	}
	for (size_t i = 4; i + 1 < c.n; i++)
		assert_in_range(c.call[i].setup_us - c.call[i - 4].setup_us,
				58 * MIN_US, 62 * MIN_US);
	assert_in_range(c.n, 130, 136);
	free(c.call);
}

static bool abroad(const struct night_call *c)
{
	return strncmp(c->outside, "+44", 3) != 0;
}

/* What keeps an honest account below every limit by construction. */
static void honest_accounts_stay_modest(void **state)
{
	static const char *const segment[] = {"office",		"retail",
					      "hospitality",	"always-open",
					      "contact-centre", "school",
					      "trader",		"no-such"};

	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(segment); s++) {
		struct night_account a = account_of(segment[s]);
		struct night_calls c = {0};

		night_honest(&c, &a, &site, NIGHT_SEED);
		assert_true(c.n > 100);
		for (size_t i = 0; i < c.n; i++) {
			const struct night_call *n = &c.call[i];
			unsigned far = 0;

			assert_true(n->setup_us >= NIGHT_HISTORY_US);
			assert_true(n->end_us < NIGHT_END_US);
			assert_true(n->end_us - n->setup_us < 29 * MIN_US);
			assert_int_equal(n->answer_us > 0,
					 n->fate == FATE_ANSWERED);
			if (i >= 7)
				assert_true(n->setup_us - n[-7].setup_us >
					    50 * SEC_US);
			for (size_t k = i >= 200 ? i - 200 : 0; k <= i; k++)
				far += abroad(&c.call[k]) &&
				       c.call[k].end_us > n->setup_us;
			assert_true(far <= 2);
			assert_true(up_at(&c, n->setup_us) <= a.channels);
		}
		free(c.call);
	}
}

static void a_cdr_row_is_asterisks(void **state)
{
	struct night_account a = account_of("office");
	struct night_call call[] = {
		{.account = &a,
		 .serial = 9,
		 .setup_us = NIGHT_START_US + 1900000,
		 .answer_us = NIGHT_START_US + 5800000,
		 .end_us = NIGHT_START_US + 65700000,
		 .own = "+441632960100",
		 .outside = "+48704660123"},
		{.account = &a,
		 .serial = 10,
		 .fate = FATE_BUSY,
		 .user = 1,
		 .inbound = true,
		 .setup_us = NIGHT_START_US,
		 .end_us = NIGHT_START_US + 2 * SEC_US,
		 .own = "+441632960101",
		 .outside = "+447700900123"},
	};
	const struct night_calls c = {call, 2, 2};
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	(void)state;
	night_cdr_write(&c, f);
	fclose(f);
	assert_string_equal(
		text,
		"\"acme\",\"07700900123\",\"01632960101\",\"from-trunk\","
		"\"07700900123\",\"PJSIP/acme-t-00000014\","
		"\"PJSIP/202-00000015\",\"Dial\",\"PJSIP/202,60\","
		"\"2026-01-16 18:00:00\",,\"2026-01-16 18:00:02\",2,0,"
		"\"BUSY\",\"DOCUMENTATION\",\"1768586400.10\",\"\"\n"
		"\"acme\",\"01632960100\",\"90048704660123\","
		"\"from-internal\",\"\"\"201\"\" <01632960100>\","
		"\"PJSIP/201-00000012\",\"PJSIP/acme-t-00000013\",\"Dial\","
		"\"PJSIP/0048704660123@acme-t,60\",\"2026-01-16 18:00:01\","
		"\"2026-01-16 18:00:05\",\"2026-01-16 18:01:05\",63,59,"
		"\"ANSWERED\",\"DOCUMENTATION\",\"1768586401.9\",\"\"\n");
	free(text);
}

static uint32_t word(const char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Sum of the 16-bit words of an IP header: 0xffff when its checksum holds. */
static unsigned header_sum(const char *ip)
{
	unsigned sum = 0;

	for (int i = 0; i < 20; i += 2)
		sum += (unsigned)((uint8_t)ip[i] << 8 | (uint8_t)ip[i + 1]);
	return (sum & 0xffff) + (sum >> 16);
}

static void packets_are_whole_and_in_order(void **state)
{
	struct night_account a = account_of("trader");
	struct night_calls c = {0};
	size_t n = 0, invites = 0, answered = 0, challenged = 0, lost = 0;
	size_t byes = 0, wanted = 0;
	int64_t last = 0;
	char *p = NULL;
	FILE *f = open_memstream(&p, &n);

	(void)state;
	night_honest(&c, &a, &site, 1);
	night_pcap_write(&c, f);
	fclose(f);
	for (size_t i = 0; i < c.n; i++) {
		const struct night_call *k = &c.call[i];

		answered += k->answer_us > 0;
		challenged += k->challenged;
		lost += k->retransmitted &&
			k->end_us - k->setup_us > 2 * SEC_US;
	}
	wanted = c.n + challenged + lost;
	for (size_t at = 24; at < n;) {
		int64_t us = word(p + at) * SEC_US + word(p + at + 4);
		size_t len = word(p + at + 8);
		const char *ip = p + at + 16 + 14;
		struct sv sip = {ip + 28, len - 42};
		const char *body = memmem(sip.p, sip.n, "\r\n\r\n", 4);
		const char *clen = memmem(sip.p, sip.n, "Content-Length: ", 16);

		assert_true(us >= last);
		last = us;
		assert_int_equal(header_sum(ip), 0xffff);
		assert_int_equal((uint8_t)ip[2] << 8 | (uint8_t)ip[3],
				 len - 14);
		assert_non_null(body);
		assert_non_null(clen);
		assert_int_equal(atol(clen + 16), sip.p + sip.n - (body + 4));
		invites += sv_starts(sip, SV("INVITE "));
		byes += sv_starts(sip, SV("BYE "));
		at += 16 + len;
	}
	assert_int_equal(invites, wanted);
	assert_int_equal(byes, answered);
	free(p);
	free(c.call);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rate_is_the_longest_prefix),
		cmocka_unit_test(ranges_are_read_in_three_forms),
		cmocka_unit_test(burst_keeps_the_published_shape),
		cmocka_unit_test(drip_is_fifteen_pounds_four_times_an_hour),
		cmocka_unit_test(honest_accounts_stay_modest),
		cmocka_unit_test(a_cdr_row_is_asterisks),
		cmocka_unit_test(packets_are_whole_and_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
