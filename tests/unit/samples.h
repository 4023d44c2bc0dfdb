/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Good packets of every kind that the parser knows. */
#ifndef IPFI_TESTS_SAMPLES_H
#define IPFI_TESTS_SAMPLES_H

#include "support.h"

#define HOP_BY_HOP 0
#define ROUTING 43
#define FRAGMENT 44
#define ESP 50
#define AUTHENTICATION 51
#define NO_NEXT 59
#define DESTINATION 60

/* An extension header of 8 * @eights bytes (AH too, which counts its length in its own way). */
static inline void put_extension(struct wire *wire, u8 type, u8 next, u8 eights)
{
	put8(wire, next);
	put8(wire, type == AUTHENTICATION ? eights * 2U - 2 : type == FRAGMENT ? 0 : eights - 1U);
	put_fill(wire, eights * 8U - 2, 0);
}

/* One extension header of each kind, with an atomic fragment, before a TCP header at offset 112. */
static inline struct wire long_chain(void)
{
	struct wire wire = { .length = 0 };

	put_ip(&wire, 6, HOP_BY_HOP);
	put_extension(&wire, HOP_BY_HOP, DESTINATION, 1);
	put_extension(&wire, DESTINATION, ROUTING, 1);
	put_extension(&wire, ROUTING, FRAGMENT, 3);
	put_extension(&wire, FRAGMENT, AUTHENTICATION, 1);
	put_extension(&wire, AUTHENTICATION, DESTINATION, 2);
	put_extension(&wire, DESTINATION, IPFI_PROTO_TCP, 1);
	put_tcp(&wire, 40000, 443, IPFI_TCP_SYN);
	put_ip_end(&wire, 0);
	return wire;
}

/* IPv4 with 12 bytes of options, TCP with 8, and 5 bytes of data. */
static inline struct wire with_options(void)
{
	struct wire wire = { .length = 0 };

	put_ip(&wire, 4, IPFI_PROTO_TCP);
	put_fill(&wire, 12, 1);
	wire.at[0] = 0x48;
	put_tcp(&wire, 40000, 80, IPFI_TCP_ACK | IPFI_TCP_PSH);
	wire.at[32 + 12] = 0x70;
	put_fill(&wire, 8, 1);
	put_fill(&wire, 5, 0xda);
	put_ip_end(&wire, 0);
	return wire;
}

static inline struct wire tcp4(void)
{
	return tcp_wire(4, 40000, 80, IPFI_TCP_ACK, 10);
}

static inline struct wire tcp6(void)
{
	return tcp_wire(6, 40000, 80, IPFI_TCP_ACK, 10);
}

static inline struct wire udp4(void)
{
	return udp_wire(4, 40000, 53, 10);
}

static inline struct wire udp6(void)
{
	return udp_wire(6, 40000, 53, 10);
}

static inline struct wire echo4(void)
{
	return icmp_wire(4, 8, 0, 0xabcd0001);
}

static inline struct wire echo6(void)
{
	return icmp_wire(6, 128, 0, 0xabcd0001);
}

/* A protocol of which only the ports are read. */
static inline struct wire ported(u8 family, u8 proto)
{
	struct wire wire = { .length = 0 };

	put_ip(&wire, family, proto);
	put_udp(&wire, 40000, 5060, 4);
	put_ip_end(&wire, 0);
	return wire;
}

static inline struct wire sctp4(void)
{
	return ported(4, IPFI_PROTO_SCTP);
}

static inline struct wire dccp6(void)
{
	return ported(6, IPFI_PROTO_DCCP);
}

static inline struct wire udplite6(void)
{
	return ported(6, IPFI_PROTO_UDPLITE);
}

static inline struct wire gre4(void)
{
	return ported(4, 47);
}

/* An ICMP error about a packet that host 1 had sent. */
static inline struct wire error_about(u8 family, const struct wire *inner)
{
	struct wire wire = icmp_wire(family, family == 4 ? 3 : 1, 1, 0);
	u32 i;

	for (i = 0; i < inner->length; i++)
		put8(&wire, inner->at[i]);
	put_ip_end(&wire, 0);
	return wire;
}

static inline struct wire error4(void)
{
	struct wire inner = with_options();

	return error_about(4, &inner);
}

static inline struct wire error6(void)
{
	struct wire inner = long_chain();

	return error_about(6, &inner);
}

static inline struct wire error_echo6(void)
{
	struct wire inner = echo6();

	return error_about(6, &inner);
}

/* @headers: bytes that the parser must have; the rest may be anywhere. */
static const struct sample {
	const char *name;
	struct wire (*make)(void);
	u32 headers;
} samples[] = {
	{ "tcp4", tcp4, 40 },
	{ "tcp6", tcp6, 60 },
	{ "udp4", udp4, 28 },
	{ "udp6", udp6, 48 },
	{ "echo4", echo4, 28 },
	{ "echo6", echo6, 48 },
	{ "options", with_options, 60 },
	{ "long chain", long_chain, 132 },
	{ "sctp4", sctp4, 32 },
	{ "dccp6", dccp6, 52 },
	{ "udplite6", udplite6, 48 },
	{ "gre4", gre4, 20 },
	{ "error4", error4, 68 },
	{ "error6", error6, 168 },
	{ "error echo6", error_echo6, 96 },
};

#endif /* IPFI_TESTS_SAMPLES_H */
