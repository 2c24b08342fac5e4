/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALERTER_COUNTRY_H
#define ALERTER_COUNTRY_H

/* English name of an ISO 3166-1 alpha-2 code, in ASCII; "" for any other
 * text, such as the 001 of international networks. */
const char *country_name(const char *code);

#endif
