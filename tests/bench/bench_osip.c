/* SPDX-License-Identifier: Apache-2.0 */
/* libosip2's parser, in a file of its own: its headers define SIP_OK and
 * other names of ours as macros. */
#include <stdbool.h>

#include <osipparser2/osip_parser.h>

bool osip_parses(const char *p, size_t n);

bool osip_parses(const char *p, size_t n)
{
	static bool ready;
	osip_message_t *m;
	bool ok;

	if (!ready)
		ready = parser_init() == 0;
	if (!ready || osip_message_init(&m) != 0)
		return false;
	ok = osip_message_parse(m, p, n) == 0;
	osip_message_free(m);
	return ok;
}
