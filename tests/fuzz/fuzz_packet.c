/* SPDX-License-Identifier: Apache-2.0 */
/* folder: collector */
#include <assert.h>
#include <stdlib.h>

#include "collector/packet/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* First byte: which link type; the rest: a frame. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int links[] = {
		LINK_NULL,   LINK_ETHERNET, LINK_RAW,  LINK_LOOP,
		LINK_COOKED, LINK_COOKED2,  LINK_IPV6, 9999,
	};
	const char *end = (const char *)data + size;
	struct packet out;
	enum packet_rc rc;

	if (size == 0)
		return 0;
	rc = packet_udp(links[data[0] % ARRAY_LEN(links)], data + 1, size - 1,
			&out);
	assert(rc < PACKET_RCS && packet_rc_name(rc));
	if (rc)
		return 0;
	/* a payload never leaves the frame, nor overlaps the UDP header */
	assert(out.payload.p >= (const char *)data + 1 + 28);
	assert(out.payload.p <= end);
	assert(out.payload.n <= (size_t)(end - out.payload.p));
	return 0;
}
