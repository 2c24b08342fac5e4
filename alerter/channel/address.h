/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALERTER_CHANNEL_ADDRESS_H
#define ALERTER_CHANNEL_ADDRESS_H

#include <stdbool.h>

#include <sys/socket.h>

/*
 * Whether a webhook without private_network may connect to an address: not to
 * this machine, its networks, or whatever is not a host of the Internet
 * (special-purpose registries of RFC 6890).  An IPv4 address inside an IPv6
 * one is judged as the IPv4 address.  Unknown families are refused.
 */
bool address_is_public(const struct sockaddr *sa, socklen_t n);

#endif
