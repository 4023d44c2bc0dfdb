/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IP packets made by hand. */
#ifndef TOOL_CRAFT_H
#define TOOL_CRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* TCP flags, as in the header. */
enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32, ECE = 64, CWR = 128 };

struct address {
	int family; /* 4 or 6 */
	uint8_t bytes[16];
};

struct craft {
	int proto; /* IPPROTO_*; ICMP for ICMPv6 too */
	struct address src, dst;
	uint16_t sport, dport;
	uint8_t flags; /* TCP */
	uint32_t seq, ack;
	uint16_t window;
	uint8_t options[40];  /* TCP options, and how many bytes: a multiple of 4 */
	unsigned int options_length;
	uint8_t type, code;   /* ICMP */
	uint16_t id;          /* ICMP query: identifier */
	uint32_t mtu;         /* ICMP "too big" */
	const struct craft *about; /* ICMP error: the packet it speaks of */
	unsigned int length;  /* bytes of payload */
	const uint8_t *data;  /* these; 0, 1, 2, ... when NULL */
	uint8_t ttl;          /* 64 when 0 */
	bool bad_checksum;    /* of the transport header */
};

/* Reads "10.0.0.1" or "fd00::1"; false when it is neither. */
bool address_parse(struct address *address, const char *text);

/* @number further on, in the last four bytes. */
void address_add(struct address *address, uint32_t number);

/* The largest packet, the longest payload. */
#define CRAFT_PACKET_MAX 9000
#define CRAFT_PAYLOAD_MAX 8800

/* Writes @craft's packet, IP header first, to @packet (at least CRAFT_PACKET_MAX bytes); returns its length. */
size_t craft_packet(const struct craft *craft, uint8_t *packet);

/* Where the transport header of the IP packet begins, its protocol (ICMP for ICMPv6 too); 0 if it has none. */
size_t transport_of(const uint8_t *packet, size_t length, int *proto);

/* Is the TCP checksum of the IP packet right? */
bool tcp_checksum_right(const uint8_t *packet, size_t length);

#endif /* TOOL_CRAFT_H */
