/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A packet, parsed once: all that rules and state machines look at. */
#ifndef IPFI_CORE_PACKET_H
#define IPFI_CORE_PACKET_H

#include "module/core/platform.h"
#include "module/core/tuple.h"

/* TCP flags as in the header's fourteenth byte. */
#define IPFI_TCP_FIN 0x01
#define IPFI_TCP_SYN 0x02
#define IPFI_TCP_RST 0x04
#define IPFI_TCP_PSH 0x08
#define IPFI_TCP_ACK 0x10
#define IPFI_TCP_URG 0x20

#define IPFI_PROTO_ICMP 1
#define IPFI_PROTO_TCP 6
#define IPFI_PROTO_UDP 17
#define IPFI_PROTO_DCCP 33
#define IPFI_PROTO_ICMPV6 58
#define IPFI_PROTO_SCTP 132
#define IPFI_PROTO_UDPLITE 136

/* Do its headers begin with a source and a destination port (RFC 9293, 768, 3828, 9260, 4340)? */
static inline bool ipfi_proto_has_ports(u8 proto)
{
	return proto == IPFI_PROTO_TCP || proto == IPFI_PROTO_UDP || proto == IPFI_PROTO_UDPLITE ||
	       proto == IPFI_PROTO_SCTP || proto == IPFI_PROTO_DCCP;
}

/* What kind of ICMP or ICMPv6 message it is to the state table. */
enum ipfi_icmp_kind {
	IPFI_ICMP_NONE,   /* not ICMP */
	IPFI_ICMP_QUERY,  /* opens a state: echo request and the like */
	IPFI_ICMP_REPLY,  /* answers a query */
	IPFI_ICMP_ERROR,  /* speaks about another packet, found in inner */
	IPFI_ICMP_SIGNAL, /* anything else: redirect, neighbour discovery, listener messages … */
};

struct ipfi_packet {
	struct ipfi_tuple tuple; /* ICMP queries: the asker's port is the identifier, the other's the type of
				  * the query (also in the reply), so that only its own reply has its key */
	u32 length;              /* of the whole IP packet, bytes */
	u16 transport;           /* offset of the transport header */
	u16 icmp;                /* type << 8 | code; 0 when not ICMP */
	u8 icmp_kind;            /* enum ipfi_icmp_kind */
	u8 hop_limit;
	u8 dscp;
	u8 has_ports;            /* tuple.sport and dport are TCP, UDP, UDP-Lite, SCTP or DCCP ports */

	/* TCP only */
	u8 tcp_flags;
	u8 tcp_options_length;
	u16 window;              /* as in the header, unscaled */
	u32 seq;
	u32 ack;
	u32 payload;             /* bytes of data */
	const u8 *tcp_options;   /* inside the packet's data, 20 bytes behind transport; valid while that is */

	/* icmp_kind == IPFI_ICMP_ERROR only: the packet the error is about, as it was sent */
	struct ipfi_tuple inner;
	u32 inner_seq;           /* TCP */
	u16 inner_at;            /* offset of its IP header */
	u16 inner_transport;     /* offset of its transport header; eight bytes of that are there */
	u8 inner_icmp_kind;      /* enum ipfi_icmp_kind: NONE, QUERY or REPLY */
	u8 unrelated;            /* about nothing that is known: a rule must name it to let it pass; 0 until that is found */

	/* Filled in by the caller, not by the parser. */
	u8 list;                 /* enum ipfi_list */
	u8 loopback;             /* it leaves or enters by a loopback device, which then is both iif and oif */
	u8 has_user;
	u8 came_by_ipsec;        /* only for rules, set when they are asked */
	u8 leaves_by_ipsec;
	u32 user;                /* owner of the sending socket, list out */
	u32 mark;
	u32 iif;                 /* device indexes, 0 for none */
	u32 oif;
	const char *iif_name;    /* NULL for none */
	const char *oif_name;
	const char *iif_vrf;     /* names of the VRFs that these belong to; NULL for none */
	const char *oif_vrf;
	u32 unknown;             /* IPFI_FIELD_BIT()s that are not known: a state judged again remembers
				  * neither its first packet's length nor its DSCP */
};

/*
 * Parses an IPv4 or IPv6 packet (RFC 791, 8200; 9293, 768, 792, 4443) from its first byte.
 * @avail bytes stand at @data, of a packet that has @total bytes. @unsized: the IP length field may be 0
 * because the packet is an aggregate too long for it (segmentation offload).
 * Everything in *packet but the caller's part is set; tuples are those of no VRF. Reads nothing beyond @avail.
 * Returns 0, or a number of bytes greater than @avail that must be readable for another try (never more than
 * @total), or -(enum ipfi_reason) for a packet that must be dropped: TRUNCATED, BAD_HEADER, FRAGMENT (of a
 * fragment other than the first; a first fragment is parsed), TCP_FLAGS (a combination without meaning).
 */
int ipfi_packet_parse(struct ipfi_packet *packet, const u8 *data, u32 avail, u32 total, bool unsized);

/* What kind of message of a family's ICMP has this type. */
enum ipfi_icmp_kind ipfi_icmp_kind(u8 family, u8 type);

/* Neighbour discovery or multicast listener message with the hop limit its RFC demands (4861: 255; 2710,
 * 3810: 1), which no firewall may drop by default if IPv6 is to live. */
bool ipfi_packet_is_neighbour(const struct ipfi_packet *packet);

#endif /* IPFI_CORE_PACKET_H */
