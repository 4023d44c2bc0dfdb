// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * capture_link: the headers below IP. See capture_link.h.
 *
 * The link types are those of https://www.tcpdump.org/linktypes.html, by libpcap's own numbers
 * (DLT_*), which is what it tells.
 */
#include "shell/capture/link.h"

#include <pcap/pcap.h>

#define TYPE_IPV4 0x0800
#define TYPE_IPV6 0x86dd
#define TYPE_VLAN 0x8100 /* IEEE 802.1Q */
#define TYPE_QINQ 0x88a8 /* IEEE 802.1ad */
#define TYPE_QINQ_OLD 0x9100
#define TYPE_MPLS 0x8847   /* RFC 3032 */
#define TYPE_PPPOE 0x8864  /* RFC 2516, session stage */
#define TYPES_LEAST 0x0600 /* smaller numbers are lengths (IEEE 802.3) */

#define ETHERNET_LEN 14
#define VLAN_LEN 4
#define VLANS_MOST 4
#define SNAP_LEN 8
#define LABEL_LEN 4
#define LABELS_MOST 16
#define PPPOE_LEN 6
#define PPP_ADDRESS 0xff /* RFC 1662: all stations, and unnumbered information */
#define PPP_CONTROL 0x03
#define PPP_IPV4 0x0021
#define PPP_IPV6 0x0057
#define HDLC_UNICAST 0x0f /* Cisco's framing: a type as Ethernet's behind two bytes */
#define HDLC_MULTICAST 0x8f
#define HDLC_LEN 4

/* Records of nflog: family, version, resource, then attributes as netlink has them. */
#define NFLOG_LEN 4
#define NFLOG_ATTRIBUTE_LEN 4
#define NFLOG_PACKET_HEADER 1 /* NFULA_PACKET_HDR: ethertype, hook */
#define NFLOG_PAYLOAD 9	      /* NFULA_PAYLOAD */
#define NFLOG_TYPES_MOST 64
#define NFLOG_IN 1 /* NF_INET_LOCAL_IN, NF_INET_LOCAL_OUT */
#define NFLOG_OUT 3

/* Linux "cooked" captures, of all interfaces or such as have no header that libpcap knows. */
#define SLL_LEN 16
#define SLL2_LEN 20
#define SLL_OUTGOING 4

#define NULL_LEN 4

/* libpcap's DLT_RAW where it is written by OpenBSD. */
#define RAW_OF_OTHERS 14

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void read_raw(const uint8_t *data, size_t len, struct capture_frame *frame)
{
	uint8_t version = len ? data[0] >> 4 : 0;

	if (version != 4 && version != 6)
		return;
	frame->ethertype = version == 4 ? TYPE_IPV4 : TYPE_IPV6;
	frame->ip = data;
	frame->len = len;
}

/* The protocol number of PPP, of one byte where it may be (RFC 1661, 2 and 6.5). */
static void read_ppp(const uint8_t *data, size_t len, struct capture_frame *frame)
{
	uint16_t type;
	size_t skipped;

	if (len >= 2 && data[0] == PPP_ADDRESS && data[1] == PPP_CONTROL) {
		data += 2;
		len -= 2;
	}
	if (!len)
		return;
	skipped = data[0] & 1 ? 1 : 2;
	if (len < skipped)
		return;
	type = skipped == 1 ? data[0] : get16(data);
	frame->ethertype = type;
	if (type != PPP_IPV4 && type != PPP_IPV6)
		return;
	frame->ethertype = type == PPP_IPV4 ? TYPE_IPV4 : TYPE_IPV6;
	frame->ip = data + skipped;
	frame->len = len - skipped;
}

/* Labels up to the last of the stack, behind which IP tells itself. */
static void read_mpls(const uint8_t *data, size_t len, struct capture_frame *frame)
{
	for (int i = 0; i < LABELS_MOST && len >= LABEL_LEN; i++) {
		bool last = data[2] & 1;

		data += LABEL_LEN;
		len -= LABEL_LEN;
		if (last) {
			read_raw(data, len, frame);
			return;
		}
	}
}

/* What stands behind a link layer's header, by its type; tags, labels and PPPoE are stepped over.
 */
static void read_type(uint16_t type, const uint8_t *data, size_t len, struct capture_frame *frame)
{
	for (int i = 0; i < VLANS_MOST && len >= VLAN_LEN &&
			(type == TYPE_VLAN || type == TYPE_QINQ || type == TYPE_QINQ_OLD);
	     i++) {
		type = get16(data + 2);
		data += VLAN_LEN;
		len -= VLAN_LEN;
	}
	/* Of a frame that was cut within its tags it is not known what it holds. */
	frame->ethertype =
		type == TYPE_VLAN || type == TYPE_QINQ || type == TYPE_QINQ_OLD ? 0 : type;
	if (type == TYPE_PPPOE && len >= PPPOE_LEN)
		read_ppp(data + PPPOE_LEN, len - PPPOE_LEN, frame);
	else if (type == TYPE_MPLS)
		read_mpls(data, len, frame);
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

/* PPP over a serial line, or what Cisco has there. */
static void read_serial(const uint8_t *data, size_t len, struct capture_frame *frame)
{
	if (len >= HDLC_LEN && (data[0] == HDLC_UNICAST || data[0] == HDLC_MULTICAST))
		read_type(get16(data + 2), data + HDLC_LEN, len - HDLC_LEN, frame);
	else
		read_ppp(data, len, frame);
}

/* A number of 16 bits in the order of the machine that captured. */
static uint16_t get_native(const uint8_t *p, bool big)
{
	return big ? get16(p) : (uint16_t)(p[1] << 8 | p[0]);
}

/* Reads the attributes of an nflog record in one byte order. False when they make no sense in it.
 */
static bool read_attributes(const uint8_t *data, size_t len, bool big, struct capture_frame *frame)
{
	while (len >= NFLOG_ATTRIBUTE_LEN) {
		const size_t size = get_native(data, big);
		size_t padded = (size + 3) & ~(size_t)3;
		const uint16_t type = get_native(data + 2, big) & 0x7fff;
		const uint8_t *value = data + NFLOG_ATTRIBUTE_LEN;

		if (size < NFLOG_ATTRIBUTE_LEN || type > NFLOG_TYPES_MOST)
			return false;
		/* Of the payload the rest may not have been captured. */
		if (type == NFLOG_PAYLOAD) {
			const size_t most = len < size ? len : size;

			read_raw(value, most - NFLOG_ATTRIBUTE_LEN, frame);
			return true;
		}
		if (size > len)
			return false;
		if (padded > len)
			padded = len;
		if (type == NFLOG_PACKET_HEADER && size >= NFLOG_ATTRIBUTE_LEN + 3) {
			frame->ethertype = get16(value);
			if (value[2] == NFLOG_IN || value[2] == NFLOG_OUT)
				frame->outgoing = value[2] == NFLOG_OUT;
		}
		data += padded;
		len -= padded;
	}
	return true;
}

static void read_nflog(const uint8_t *data, size_t len, struct capture_frame *frame)
{
	struct capture_frame other = *frame;

	if (len < NFLOG_LEN)
		return;
	if (!read_attributes(data + NFLOG_LEN, len - NFLOG_LEN, false, frame) &&
	    read_attributes(data + NFLOG_LEN, len - NFLOG_LEN, true, &other))
		*frame = other;
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
	case RAW_OF_OTHERS:
	case DLT_IPV4:
	case DLT_IPV6:
	case DLT_NULL:
	case DLT_LOOP:
	case DLT_NFLOG:
	case DLT_PPP:
	case DLT_PPP_SERIAL:
	case DLT_PPP_ETHER:
	case DLT_PPP_WITH_DIRECTION:
	case DLT_C_HDLC:
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
	case RAW_OF_OTHERS:
	case DLT_IPV4:
	case DLT_IPV6:
		read_raw(data, len, frame);
		break;
	case DLT_NFLOG:
		read_nflog(data, len, frame);
		break;
	case DLT_PPP:
	case DLT_PPP_SERIAL:
	case DLT_C_HDLC:
		read_serial(data, len, frame);
		break;
	case DLT_PPP_ETHER:
		if (len >= PPPOE_LEN)
			read_ppp(data + PPPOE_LEN, len - PPPOE_LEN, frame);
		break;
	case DLT_PPP_WITH_DIRECTION:
		if (!len)
			break;
		frame->outgoing = data[0] == 1;
		read_ppp(data + 1, len - 1, frame);
		break;
	case DLT_NULL:
	case DLT_LOOP:
		read_null(data, len, frame);
		break;
	}
}
