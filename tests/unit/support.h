/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets made by hand for the unit tests: bytes for the parser, parsed packets for the rest. */
#ifndef IPFI_TESTS_SUPPORT_H
#define IPFI_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "module/core/flow.h"
#include "module/core/packet.h"
#include "module/core/tcp_window.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Bytes of a packet, put one after the other. */
struct wire {
	u8 at[4096];
	u32 length;
};

static inline void put8(struct wire *wire, u32 value)
{
	assert_true(wire->length < sizeof(wire->at));
	wire->at[wire->length++] = (u8)value;
}

static inline void put16(struct wire *wire, u32 value)
{
	put8(wire, value >> 8);
	put8(wire, value);
}

static inline void put32(struct wire *wire, u32 value)
{
	put16(wire, value >> 16);
	put16(wire, value);
}

static inline void put_fill(struct wire *wire, u32 count, u8 value)
{
	while (count--)
		put8(wire, value);
}

static inline void put_addr(struct wire *wire, u8 family, const struct ipfi_addr *addr)
{
	int i;

	for (i = 0; i < (family == 4 ? 1 : 4); i++)
		put32(wire, addr->w[i]);
}

/* Writes over 16 bits at @offset. */
static inline void set16(struct wire *wire, u32 offset, u32 value)
{
	assert_true(offset + 2 <= sizeof(wire->at));
	wire->at[offset] = (u8)(value >> 8);
	wire->at[offset + 1] = (u8)value;
}

/* 192.0.2.1 is ip4(192, 0, 2, 1). */
static inline struct ipfi_addr ip4(u8 a, u8 b, u8 c, u8 d)
{
	return (struct ipfi_addr){ { (u32)a << 24 | (u32)b << 16 | (u32)c << 8 | d, 0, 0, 0 } };
}

/* 2001:db8::1 is ip6(0x20010db8, 0, 0, 1). */
static inline struct ipfi_addr ip6(u32 a, u32 b, u32 c, u32 d)
{
	return (struct ipfi_addr){ { a, b, c, d } };
}

/* The hosts that packets are between when it does not matter (RFC 5737, RFC 3849). */
static inline struct ipfi_addr host(u8 family, u8 number)
{
	return family == 4 ? ip4(192, 0, 2, number)
			   : ip6(0x20010db8, 0x01234567, 0x89abcdef, number);
}

/* An IP header from host 1 to host 2, hop limit 64, DSCP 46; put_ip_end() gives it its length. */
static inline void put_ip(struct wire *wire, u8 family, u8 proto)
{
	struct ipfi_addr src = host(family, 1), dst = host(family, 2);

	if (family == 4) {
		put16(wire, 0x45b8);
		put16(wire, 0);
		put32(wire, 0x12344000);
		put8(wire, 64);
		put8(wire, proto);
		put16(wire, 0);
	} else {
		put32(wire, 0x6b812345);
		put16(wire, 0);
		put8(wire, proto);
		put8(wire, 64);
	}
	put_addr(wire, family, &src);
	put_addr(wire, family, &dst);
}

/* The length of the IP packet that begins at @start and ends here. */
static inline void put_ip_end(struct wire *wire, u32 start)
{
	if (wire->at[start] >> 4 == 4)
		set16(wire, start + 2, wire->length - start);
	else
		set16(wire, start + 4, wire->length - start - 40);
}

/* A TCP header without options: sequence 0x01020304, acknowledged 0x05060708, window 0x1234. */
static inline void put_tcp(struct wire *wire, u16 sport, u16 dport, u8 flags)
{
	put16(wire, sport);
	put16(wire, dport);
	put32(wire, 0x01020304);
	put32(wire, 0x05060708);
	put8(wire, 0x50);
	put8(wire, flags);
	put16(wire, 0x1234);
	put32(wire, 0);
}

/* A UDP datagram with @payload bytes. */
static inline void put_udp(struct wire *wire, u16 sport, u16 dport, u16 payload)
{
	put16(wire, sport);
	put16(wire, dport);
	put16(wire, 8U + payload);
	put16(wire, 0);
	put_fill(wire, payload, 0xda);
}

/* An ICMP or ICMPv6 header with the second word @rest. */
static inline void put_icmp(struct wire *wire, u8 type, u8 code, u32 rest)
{
	put8(wire, type);
	put8(wire, code);
	put16(wire, 0);
	put32(wire, rest);
}

static inline u8 icmp_proto(u8 family)
{
	return family == 4 ? IPFI_PROTO_ICMP : IPFI_PROTO_ICMPV6;
}

/* Whole packets from host 1 to host 2. */
static inline struct wire tcp_wire(u8 family, u16 sport, u16 dport, u8 flags, u16 payload)
{
	struct wire wire = { .length = 0 };

	put_ip(&wire, family, IPFI_PROTO_TCP);
	put_tcp(&wire, sport, dport, flags);
	put_fill(&wire, payload, 0xda);
	put_ip_end(&wire, 0);
	return wire;
}

static inline struct wire udp_wire(u8 family, u16 sport, u16 dport, u16 payload)
{
	struct wire wire = { .length = 0 };

	put_ip(&wire, family, IPFI_PROTO_UDP);
	put_udp(&wire, sport, dport, payload);
	put_ip_end(&wire, 0);
	return wire;
}

static inline struct wire icmp_wire(u8 family, u8 type, u8 code, u32 rest)
{
	struct wire wire = { .length = 0 };

	put_ip(&wire, family, icmp_proto(family));
	put_icmp(&wire, type, code, rest);
	put_ip_end(&wire, 0);
	return wire;
}

/*
 * Parses the first @avail of the packet's bytes from a piece of memory that has no more, so that
 * the address sanitizer sees the first byte read too much. packet->tcp_options does not outlive the
 * call: it is made to point into @wire.
 */
static inline int parse_part(struct ipfi_packet *packet, const struct wire *wire, u32 avail,
			     u32 total, bool unsized)
{
	u8 *exact = malloc(avail ? avail : 1);
	int answer;

	assert_non_null(exact);
	memcpy(exact, wire->at, avail);
	answer = ipfi_packet_parse(packet, avail ? exact : exact + 1, avail, total, unsized);
	if (answer == 0 && packet->tcp_options)
		packet->tcp_options = wire->at + (packet->tcp_options - exact);
	free(exact);
	return answer;
}

static inline int parse(struct ipfi_packet *packet, const struct wire *wire)
{
	return parse_part(packet, wire, wire->length, wire->length, false);
}

/* A parsed packet of @family from host 1 to host 2, in list in from device eth0, length 100. */
static inline struct ipfi_packet parsed_packet(u8 family, u8 proto)
{
	return (struct ipfi_packet){
		.tuple = { .src = host(family, 1),
			   .dst = host(family, 2),
			   .proto = proto,
			   .family = family },
		.length = 100,
		.transport = family == 4 ? 20 : 40,
		.hop_limit = 64,
		.list = IPFI_LIST_IN,
		.iif = 2,
		.iif_name = "eth0",
	};
}

static inline struct ipfi_packet parsed_tcp(u8 family, u16 sport, u16 dport, u8 flags)
{
	struct ipfi_packet packet = parsed_packet(family, IPFI_PROTO_TCP);

	packet.tuple.sport = sport;
	packet.tuple.dport = dport;
	packet.has_ports = 1;
	packet.tcp_flags = flags;
	packet.window = 0xffff;
	return packet;
}

static inline struct ipfi_packet parsed_udp(u8 family, u16 sport, u16 dport)
{
	struct ipfi_packet packet = parsed_packet(family, IPFI_PROTO_UDP);

	packet.tuple.sport = sport;
	packet.tuple.dport = dport;
	packet.has_ports = 1;
	return packet;
}

static inline struct ipfi_packet parsed_icmp(u8 family, u8 type, u8 code, enum ipfi_icmp_kind kind)
{
	struct ipfi_packet packet = parsed_packet(family, icmp_proto(family));

	packet.icmp = (u16)(type << 8 | code);
	packet.icmp_kind = (u8)kind;
	return packet;
}

/* @flow without the SYN that it keeps, which passed without effect: nothing else may be taken note
 * of then. */
static inline struct ipfi_flow without_kept(struct ipfi_flow flow)
{
	flow.tcp.ends[0].flags &= ~IPFI_TCP_END_KEPT;
	flow.tcp.ends[1].flags &= ~IPFI_TCP_END_KEPT;
	memset(&flow.tcp.kept, 0, sizeof(flow.tcp.kept));
	return flow;
}

#endif /* IPFI_TESTS_SUPPORT_H */
