/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/dialplan.h"

#include <stdint.h>

enum {
	DIALLED_MAX = 40, /* CLI prefixes and a whole E.164 number fit */
	SHORT_MAX = 6,	  /* 118xxx and 116xxx are the longest short codes */
	E164_MIN = 7,
	E164_MAX = 15,
	NATIONAL_MIN = 7,
};

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Next character, percent-decoded once (RFC 3261 25.1 "escaped"). */
static char next_char(struct sv *s)
{
	char c = s->p[0];
	size_t used = 1;

	if (c == '%' && s->n >= 3 && hex_digit(s->p[1]) >= 0 &&
	    hex_digit(s->p[2]) >= 0) {
		c = (char)(hex_digit(s->p[1]) * 16 + hex_digit(s->p[2]));
		used = 3;
	}
	*s = (struct sv){s->p + used, s->n - used};
	return c;
}

/* The dialled characters of raw in buf; empty when it is not a number. */
static struct sv clean(struct sv raw, char buf[DIALLED_MAX])
{
	static const struct sv none = {NULL, 0};
	size_t n = 0;

	while (raw.n > 0) {
		char c = next_char(&raw);

		if (c == ';' || c == ',' || c == '@')
			break;
		if (c == ' ' || c == '-' || c == '.' || c == '(' || c == ')')
			continue;
		if (!(c >= '0' && c <= '9') && c != '*' && c != '#' &&
		    !(c == '+' && n == 0))
			return none;
		if (n == DIALLED_MAX)
			return none;
		buf[n++] = c;
	}
	return (struct sv){buf, n};
}

static struct sv after(struct sv s, size_t n)
{
	return (struct sv){s.p + n, s.n - n};
}

/* Length of the first listed prefix that s begins with, s going on. */
static size_t prefix_of(const char *const *list, struct sv s)
{
	for (; list && *list; list++) {
		struct sv prefix = sv_of(*list);

		if (prefix.n > 0 && prefix.n < s.n && sv_starts(s, prefix))
			return prefix.n;
	}
	return 0;
}

static bool is_country(const struct dialplan *plan, const char *code)
{
	return plan->country && sv_eq(sv_of(plan->country), sv_of(code));
}

/* Digits of the longest national number without its prefix; 0 = unknown. */
static size_t national_digits(const struct dialplan *plan)
{
	return is_country(plan, "44") || is_country(plan, "1") ? 10 : 0;
}

/* Short codes of the public network: they win over an outside line. */
static bool public_short(const struct dialplan *plan, struct sv s)
{
	if (sv_eq(s, SV("112")))
		return true;
	if (!is_country(plan, "44"))
		return is_country(plan, "1") && s.n == 3 &&
		       sv_eq(after(s, 1), SV("11"));
	if (s.n == SHORT_MAX)
		return sv_starts(s, SV("116")) || sv_starts(s, SV("118"));
	return sv_eq(s, SV("999")) || (s.n == 3 && s.p[0] == '1');
}

static size_t international_of(const struct dialplan *plan, struct sv s)
{
	size_t n = prefix_of(plan->international, s);
	struct sv national = sv_of(plan->national ? plan->national : "");
	size_t most = national_digits(plan);

	if (n == 0 || national.n == 0 || most == 0)
		return n;
	/* "00" cannot begin a national number: none has a 0 there */
	if (s.n > national.n && s.p[national.n] == '0')
		return n;
	if (sv_starts(s, national) && s.n <= national.n + most)
		return 0;
	return n;
}

static bool starts_national(const struct dialplan *plan, struct sv s)
{
	struct sv national = sv_of(plan->national ? plan->national : "");

	return national.n > 0 && s.n >= national.n + NATIONAL_MIN &&
	       sv_starts(s, national);
}

static bool dialable(const struct dialplan *plan, struct sv s)
{
	return s.n > 0 &&
	       (s.p[0] == '+' || starts_national(plan, s) ||
		international_of(plan, s) > 0 || public_short(plan, s));
}

/* Without outside line and CLI prefix, in any order, each once. */
static struct sv strip(const struct dialplan *plan, struct sv s)
{
	bool outside = false, cli = false;

	while (!public_short(plan, s)) {
		size_t line = outside ? 0 : prefix_of(plan->outside_line, s);
		size_t id = cli ? 0 : prefix_of(plan->cli_prefix, s);

		if (id > 0 && (dialable(plan, after(s, id)) ||
			       prefix_of(plan->outside_line, after(s, id)))) {
			s = after(s, id);
			cli = true;
		} else if (line > 0 &&
			   (dialable(plan, after(s, line)) ||
			    prefix_of(plan->cli_prefix, after(s, line)))) {
			s = after(s, line);
			outside = true;
		} else {
			break;
		}
	}
	return s;
}

static bool all_digits(struct sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return true;
}

/* '+', country and digits as a number; country may be empty. */
static bool e164(struct sv country, struct sv digits, struct number *out)
{
	char text[E164_MAX + 1] = "+";
	size_t n = country.n + digits.n;

	if (n < E164_MIN || n > E164_MAX || !all_digits(digits) ||
	    !all_digits(country))
		return false;
	if (country.n > 0)
		memcpy(text + 1, country.p, country.n);
	memcpy(text + 1 + country.n, digits.p, digits.n);
	if (text[1] == '0')
		return false;
	return number_parse((struct sv){text, n + 1}, out);
}

/* International digits, without a national prefix left in: +44 (0)20. */
static bool international(const struct dialplan *plan, struct sv digits,
			  struct number *out)
{
	struct sv country = sv_of(plan && plan->country ? plan->country : "");
	struct sv national =
		sv_of(plan && plan->national ? plan->national : "");

	if (country.n > 0 && national.n > 0 && sv_starts(digits, country) &&
	    digits.n > country.n + national.n + NATIONAL_MIN &&
	    national.p[0] == '0' &&
	    sv_starts(after(digits, country.n), national)) {
		struct sv rest = after(digits, country.n + national.n);

		/* one prefix may be left in; two are no number */
		return rest.p[0] != '0' && e164(country, rest, out);
	}
	return e164((struct sv){NULL, 0}, digits, out);
}

static bool plain(const struct dialplan *plan, struct sv s, struct number *out)
{
	struct sv country = sv_of(plan->country ? plan->country : "");
	size_t prefix = international_of(plan, s);

	if (prefix > 0)
		return international(plan, after(s, prefix), out);
	if (starts_national(plan, s)) {
		struct sv rest = after(s, strlen(plan->national));

		return country.n > 0 && rest.p[0] != '0' &&
		       e164(country, rest, out);
	}
	/* trunks that leave the '+' out: 442079460123 */
	if (country.n > 0 && s.n >= country.n + 9 && sv_starts(s, country))
		return international(plan, s, out);
	return false;
}

bool dialplan_normalise(const struct dialplan *plan, struct sv raw,
			struct number *out)
{
	char buf[DIALLED_MAX];
	struct sv s = clean(raw, buf);

	out->v = 0;
	if (s.n > 0 && plan)
		s = strip(plan, s);
	if (s.n == 0)
		return false;
	if (s.p[0] == '+')
		return international(plan, after(s, 1), out);
	if (!all_digits(s)) /* feature codes: *97, **1, #31# */
		return s.n <= NUMBER_DIGITS && number_parse(s, out);
	if (plan && plain(plan, s, out))
		return true;
	return s.n <= SHORT_MAX && number_parse(s, out);
}
