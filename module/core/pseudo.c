// SPDX-License-Identifier: GPL-2.0-or-later
#include "module/core/pseudo.h"

#define IPV6_HEADER 40
#define IPV6_SOURCE 8
#define IPV6_DESTINATION 24
#define IPV6_ADDRESS 16

/* IPv6 extension headers, by their protocol numbers. */
#define HOP_BY_HOP 0
#define ROUTING 43
#define FRAGMENT 44
#define AUTHENTICATION 51
#define DESTINATION 60

#define OPTION_PAD1 0
#define OPTION_HOME_ADDRESS 201

/* Options looked at in a header: no sender has so many, padding among them. */
#define OPTIONS_MAX 32

/* The offset of the final destination in the routing header of @length bytes at @at; 0 if that is not known. */
static u32 final_destination(const u8 *packet, u32 at, u32 length)
{
	const u32 addresses = (length - 8) / IPV6_ADDRESS, left = packet[at + 3];

	switch (packet[at + 2]) {
	case 0:
		return left <= addresses && addresses ? at + 8 + (addresses - 1) * IPV6_ADDRESS : 0;
	case 2:
		return left == 1 && addresses == 1 ? at + 8 : 0;
	case 4:
		return addresses ? at + 8 : 0;
	default:
		return 0;
	}
}

/* The offset of the home address in the destination options of @length bytes at @at; 0 for none. */
static u32 home_address(const u8 *packet, u32 at, u32 length)
{
	const u32 end = at + length;
	unsigned int count;
	u32 option = at + 2;

	for (count = 0; count < OPTIONS_MAX && option + 2 <= end; count++) {
		if (packet[option] == OPTION_PAD1) {
			option++;
			continue;
		}
		if (packet[option] == OPTION_HOME_ADDRESS && packet[option + 1] == IPV6_ADDRESS &&
		    option + 2 + IPV6_ADDRESS <= end)
			return option + 2;
		option += 2U + packet[option + 1];
	}
	return 0;
}

bool ipfi_pseudo_addresses(const u8 *packet, u32 transport, u32 *src, u32 *dst)
{
	u32 at = IPV6_HEADER, length, found;
	u8 header = packet[6];

	*src = IPV6_SOURCE;
	*dst = IPV6_DESTINATION;
	while (at + 8 <= transport) {
		length = (packet[at + 1] + 1) * 8U;
		if (header == FRAGMENT)
			length = 8;
		else if (header == AUTHENTICATION)
			length = (packet[at + 1] + 2) * 4U;
		if (length < 8 || length > transport - at)
			return true;
		switch (header) {
		case ROUTING:
			/* At its end the header's own destination is the final one. */
			if (!packet[at + 3])
				break;
			found = final_destination(packet, at, length);
			if (!found)
				return false;
			*dst = found;
			break;
		case DESTINATION:
			found = home_address(packet, at, length);
			if (found)
				*src = found;
			break;
		case HOP_BY_HOP:
		case FRAGMENT:
		case AUTHENTICATION:
			break;
		default:
			return true;
		}
		header = packet[at];
		at += length;
	}
	return true;
}
