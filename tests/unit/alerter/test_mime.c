/* SPDX-License-Identifier: Apache-2.0 */
#include "alerter/channel/mime.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct mail example(void)
{
	return (struct mail){
		.from = "tollwatch@example.com",
		.to = "alex@example.com",
		.id = "example-7.3",
		.thread = "example-7",
		.subject = "ACME: 47 calls, \xc2\xa3"
			   "412 and rising",
		.text = "ACME Ltd\nx = 1\n.\n..two\nFrom here\nend \n\ttab\t\n",
		.date_us = INT64_C(1768616645) * SEC_US,
	};
}

static void a_whole_message(void **state)
{
	struct mail m = example();
	size_t n;
	char *s = mail_build(&m, &n);

	(void)state;
	assert_int_equal(n, strlen(s));
	assert_string_equal(
		s,
		"Date: Sat, 17 Jan 2026 02:24:05 +0000\r\n"
		"From: <tollwatch@example.com>\r\n"
		"To: <alex@example.com>\r\n"
		"Subject: =?UTF-8?Q?ACME=3A_47_calls=2C_=C2=A3412_and_rising?="
		"\r\n"
		"Message-ID: <example-7.3@example.com>\r\n"
		"In-Reply-To: <example-7@example.com>\r\n"
		"References: <example-7@example.com>\r\n"
		"Auto-Submitted: auto-generated\r\n"
		"X-Priority: 1\r\n"
		"MIME-Version: 1.0\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Transfer-Encoding: quoted-printable\r\n"
		"\r\n"
		"ACME Ltd\r\n"
		"x =3D 1\r\n"
		"=2E\r\n"
		"=2E.two\r\n"
		"=46rom here\r\n"
		"end=20\r\n"
		"\ttab=09\r\n"
		".\r\n");
	free(s);
}

static unsigned count_headers(const char *s, const char *name)
{
	unsigned n = 0;
	const char *end = strstr(s, "\r\n\r\n");

	for (const char *p = s; p < end; p = strstr(p, "\r\n") + 2)
		n += strncmp(p, name, strlen(name)) == 0;
	return n;
}

static void nobody_adds_a_header(void **state)
{
	static const char *const evil[] = {
		"x\r\nBcc: eve@example.com",
		"x\nBcc: eve@example.com",
		"x\rBcc: eve@example.com",
		"\r\n\r\nbody",
		"x>\r\n <y@z",
		"\x85\x0b\x0c",
		"=?UTF-8?Q?=0D=0ABcc:_e?=",
		"..",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(evil); i++) {
		struct mail m = example();
		size_t n;
		char *s;

		m.id = m.thread = m.subject = evil[i];
		s = mail_build(&m, &n);
		assert_int_equal(count_headers(s, "Bcc"), 0);
		assert_int_equal(count_headers(s, "Subject: "), 1);
		assert_int_equal(count_headers(s, "Content-Type: "), 1);
		assert_null(strstr(s, "?Q?=0D=0ABcc"));
		assert_null(strstr(strstr(s, "Message-ID"), "<."));
		for (char *p = s; *p != '\0'; p++)
			assert_true((*p == '\n') == (p > s && p[-1] == '\r'));
		free(s);
	}
}

/* Decode the encoded words of the subject. */
static void decode_subject(const char *s, char *out)
{
	const char *p = strstr(s, "Subject: ") + 9;
	const char *end = strstr(p, "\r\nMessage-ID");

	while (p < end) {
		if (strncmp(p, "\r\n ", 3) == 0) {
			p += 3;
		} else if (strncmp(p, "=?UTF-8?Q?", 10) == 0) {
			p += 10;
		} else if (strncmp(p, "?=", 2) == 0) {
			p += 2;
		} else if (*p == '=') {
			unsigned v;

			assert_int_equal(sscanf(p + 1, "%2X", &v), 1);
			*out++ = (char)v;
			p += 3;
		} else {
			*out++ = *p == '_' ? ' ' : *p;
			p++;
		}
	}
	*out = '\0';
}

static void long_lines_are_folded(void **state)
{
	struct mail m = example();
	char subject[401] = "", text[4001] = "", back[1024];
	size_t n, line = 0;
	char *s;

	(void)state;
	for (size_t i = 0; i < 400; i += 4)
		memcpy(subject + i, "\xf0\x9f\x92\xb0", 4);
	memset(text, 'a', 4000);
	m.subject = subject;
	m.text = text;
	s = mail_build(&m, &n);
	for (size_t i = 0; i < n; i++) {
		line = s[i] == '\n' ? 0 : line + 1;
		assert_true(line <= 77);
	}
	decode_subject(s, back);
	assert_string_equal(back, subject);
	free(s);

	m.subject = "bad \xff\xc2 bytes";
	s = mail_build(&m, &n);
	decode_subject(s, back);
	assert_string_equal(back, "bad \xef\xbf\xbd\xef\xbf\xbd bytes");
	free(s);
}

static void without_a_thread(void **state)
{
	struct mail m = example();
	size_t n;
	char *s;

	(void)state;
	m.thread = "";
	s = mail_build(&m, &n);
	assert_int_equal(count_headers(s, "References"), 0);
	free(s);
	m.thread = m.id;
	s = mail_build(&m, &n);
	assert_int_equal(count_headers(s, "In-Reply-To"), 0);
	free(s);
}

static void addresses(void **state)
{
	/* clang-format off */
	static const struct { const char *text; bool want; } t[] = {
		{"alex@example.com", true}, {"a.b+c@mail.example.com", true},
		{"root@localhost", true}, {"o'brien@example.com", true},
		{"", false}, {"alex", false}, {"@example.com", false},
		{"alex@", false}, {"a@b@c", false}, {"a b@example.com", false},
		{"<a@example.com>", false}, {"a@example.com> SIZE=1", false},
		{"a@example.com\r\nRCPT TO:<b@example.com>", false},
		{"a@example.com\n", false}, {"\"a b\"@example.com", false},
		{"a@exa\xc2\xa3mple.com", false}, {"a@-x", false},
		{"a,b@example.com", false},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@example.com", false},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		if (mail_address_ok(t[i].text) != t[i].want)
			fail_msg("%s", t[i].text);
}

static void masks(void **state)
{
	/* clang-format off */
	static const struct { const char *in, *want; } t[] = {
		{"550 5.1.1 <alex@example.com>: unknown", "550 5.1.1 <a***@example.com>: unknown"},
		{"sam@example.com", "***@example.com"},
		{"x@y z@w", "*@y *@w"}, {"", ""}, {"@", "@"}, {"a@@b", "*@@b"},
		{"tab\tand \x1b[31m\xc2\xa3", "tab?and ?[31m??"},
		{"two.names@example.com priya@example.com", "t***@example.com p***@example.com"},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		char text[128];

		snprintf(text, sizeof(text), "%s", t[i].in);
		mail_mask(text);
		assert_string_equal(text, t[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_message),
		cmocka_unit_test(nobody_adds_a_header),
		cmocka_unit_test(long_lines_are_folded),
		cmocka_unit_test(without_a_thread),
		cmocka_unit_test(addresses),
		cmocka_unit_test(masks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
