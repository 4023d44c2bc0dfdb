// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * capture_link: the headers below IP. See capture_link.h.
 *
 * The link types are those of https://www.tcpdump.org/linktypes.html, by libpcap's own numbers
 * (DLT_*), which is what it tells.
 */
#include "capture_link.h"

#include <pcap/pcap.h>

#define TYPE_IPV4 0x0800
#define TYPE_IPV6 0x86dd
#define TYPE_VLAN 0x8100    /* IEEE 802.1Q */
#define TYPE_QINQ 0x88a8    /* IEEE 802.1ad */
#define TYPE_QINQ_OLD 0x9100
#define TYPE_PPPOE 0x8864   /* RFC 2516, session stage */
#define TYPES_LEAST 0x0600  /* smaller numbers are lengths (IEEE 802.3) */

#define ETHERNET_LEN 14
#define VLAN_LEN 4
#define VLANS_MOST 4
#define SNAP_LEN 8
#define PPPOE_LEN 8
#define PPP_IPV4 0x0021
#define PPP_IPV6 0x0057

/* Linux "cooked" captures, of all interfaces or such as have no header that libpcap knows. */
#define SLL_LEN 16
#define SLL2_LEN 20
#define SLL_OUTGOING 4

#define NULL_LEN 4

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* What stands behind a link layer's header, by its type; tags and PPPoE are stepped over. */
static void read_type(uint16_t type, const uint8_t *data, size_t len, struct capture_frame *frame)
{
	for (int i = 0; i < VLANS_MOST && len >= VLAN_LEN &&
			(type == TYPE_VLAN || type == TYPE_QINQ || type == TYPE_QINQ_OLD);
	     i++) {
		type = get16(data + 2);
		data += VLAN_LEN;
		len -= VLAN_LEN;
	}
	if (type == TYPE_PPPOE && len >= PPPOE_LEN) {
		uint16_t ppp = get16(data + 6);

		if (ppp == PPP_IPV4 || ppp == PPP_IPV6) {
			type = ppp == PPP_IPV4 ? TYPE_IPV4 : TYPE_IPV6;
			data += PPPOE_LEN;
			len -= PPPOE_LEN;
		}
	}
	frame->ethertype = type;
	if (type == TYPE_IPV4 || type == TYPE_IPV6) {
		frame->ip = data;
		frame->len = len;
	}
}

static void read_ethernet(const uint8_t *data, size_t len, struct capture_frame *frame)
{
	static const uint8_t snap[] = { 0xaa, 0xaa, 0x03, 0x00, 0x00, 0x00 };
	uint16_t type;

	if (len < ETHERNET_LEN)
		return;
	type = get16(data + 12);
	data += ETHERNET_LEN;
	len -= ETHERNET_LEN;
	if (type >= TYPES_LEAST) {
		read_type(type, data, len, frame);
		return;
	}
	/* A length: behind LLC and SNAP headers (RFC 1042) stands a type after all. */
	if (len < SNAP_LEN)
		return;
	for (size_t i = 0; i < sizeof(snap); i++) {
		if (data[i] != snap[i])
			return;
	}
	read_type(get16(data + 6), data + SNAP_LEN, len - SNAP_LEN, frame);
}

static void read_raw(const uint8_t *data, size_t len, struct capture_frame *frame)
{
	uint8_t version = len ? data[0] >> 4 : 0;

	if (version == 4 || version == 6)
		read_type(version == 4 ? TYPE_IPV4 : TYPE_IPV6, data, len, frame);
}

/*
 * A protocol family of the machine that captured, in its byte order: BSDs and others number IPv6
 * differently, and none has a number that another uses for something else.
 */
static void read_null(const uint8_t *data, size_t len, struct capture_frame *frame)
{
	uint32_t family;

	if (len < NULL_LEN)
		return;
	family = get32(data);
	if (family > UINT16_MAX)
		family = __builtin_bswap32(family);
	switch (family) {
	case 2:
		read_type(TYPE_IPV4, data + NULL_LEN, len - NULL_LEN, frame);
		break;
	case 10: /* Linux */
	case 24: /* NetBSD, OpenBSD */
	case 28: /* FreeBSD */
	case 30: /* macOS */
		read_type(TYPE_IPV6, data + NULL_LEN, len - NULL_LEN, frame);
		break;
	}
}

bool capture_link_known(int link)
{
	switch (link) {
	case DLT_EN10MB:
	case DLT_LINUX_SLL:
	case DLT_LINUX_SLL2:
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
	case DLT_NULL:
	case DLT_LOOP:
		return true;
	default:
		return false;
	}
}

void capture_link_read(int link, const uint8_t *data, size_t len, struct capture_frame *frame)
{
	*frame = (struct capture_frame){ .outgoing = -1 };
	switch (link) {
	case DLT_EN10MB:
		read_ethernet(data, len, frame);
		break;
	case DLT_LINUX_SLL:
		if (len < SLL_LEN)
			break;
		frame->outgoing = get16(data) == SLL_OUTGOING;
		read_type(get16(data + 14), data + SLL_LEN, len - SLL_LEN, frame);
		break;
	case DLT_LINUX_SLL2:
		if (len < SLL2_LEN)
			break;
		frame->outgoing = data[10] == SLL_OUTGOING;
		read_type(get16(data), data + SLL2_LEN, len - SLL2_LEN, frame);
		break;
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
		read_raw(data, len, frame);
		break;
	case DLT_NULL:
	case DLT_LOOP:
		read_null(data, len, frame);
		break;
	}
}
