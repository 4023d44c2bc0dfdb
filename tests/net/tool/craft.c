// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include "craft.h"

/* Bytes of an erroneous packet's transport header that an ICMP error carries (RFC 792). */
#define QUOTED 8

bool address_parse(struct address *address, const char *text)
{
	memset(address, 0, sizeof(*address));
	address->family = 4;
	if (inet_pton(AF_INET, text, address->bytes) == 1)
		return true;
	address->family = 6;
	return inet_pton(AF_INET6, text, address->bytes) == 1;
}

void address_add(struct address *address, uint32_t number)
{
	uint8_t *last = address->bytes + (address->family == 4 ? 0 : 12);
	uint32_t value;

	memcpy(&value, last, 4);
	value = htonl(ntohl(value) + number);
	memcpy(last, &value, 4);
}

static void put16(uint8_t *to, uint16_t value)
{
	value = htons(value);
	memcpy(to, &value, 2);
}

static void put32(uint8_t *to, uint32_t value)
{
	value = htonl(value);
	memcpy(to, &value, 4);
}

static uint32_t add_up(uint32_t sum, const uint8_t *bytes, size_t length)
{
	size_t i;

	for (i = 0; i + 1 < length; i += 2)
		sum += bytes[i] << 8 | bytes[i + 1];
	return i < length ? sum + (bytes[i] << 8) : sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static size_t address_length(const struct craft *craft)
{
	return craft->src.family == 4 ? 4 : 16;
}

static int wire_proto(const struct craft *craft)
{
	return craft->proto == IPPROTO_ICMP && craft->src.family == 6 ? IPPROTO_ICMPV6 : craft->proto;
}

static size_t put_ip(const struct craft *craft, uint8_t *to, size_t payload)
{
	uint8_t ttl = craft->ttl ? craft->ttl : 64;

	if (craft->src.family == 6) {
		put32(to, 6 << 28);
		put16(to + 4, payload);
		to[6] = wire_proto(craft);
		to[7] = ttl;
		memcpy(to + 8, craft->src.bytes, 16);
		memcpy(to + 24, craft->dst.bytes, 16);
		return 40;
	}
	memset(to, 0, 20);
	to[0] = 0x45;
	put16(to + 2, payload + 20);
	put16(to + 6, 0x4000); /* do not fragment */
	to[8] = ttl;
	to[9] = wire_proto(craft);
	memcpy(to + 12, craft->src.bytes, 4);
	memcpy(to + 16, craft->dst.bytes, 4);
	put16(to + 10, fold(add_up(0, to, 20)));
	return 20;
}

static size_t put_tcp(const struct craft *craft, uint8_t *to)
{
	size_t length = 20 + craft->options_length;

	memset(to, 0, 20);
	put16(to, craft->sport);
	put16(to + 2, craft->dport);
	put32(to + 4, craft->seq);
	put32(to + 8, craft->ack);
	to[12] = length / 4 << 4;
	to[13] = craft->flags;
	put16(to + 14, craft->window);
	memcpy(to + 20, craft->options, craft->options_length);
	return length;
}

static size_t put_icmp(const struct craft *craft, uint8_t *to)
{
	size_t length = 8;

	memset(to, 0, length);
	to[0] = craft->type;
	to[1] = craft->code;
	if (craft->about) {
		uint8_t whole[CRAFT_PACKET_MAX];
		size_t quoted = craft_packet(craft->about, whole);
		size_t most = (craft->src.family == 4 ? 20 : 40) + QUOTED;

		put32(to + 4, craft->mtu);
		quoted = quoted < most ? quoted : most;
		memcpy(to + length, whole, quoted);
		return length + quoted;
	}
	put16(to + 4, craft->id);
	put16(to + 6, craft->seq);
	return length;
}

static void put_checksum(const struct craft *craft, uint8_t *transport, size_t length)
{
	size_t where = craft->proto == IPPROTO_TCP ? 16 : craft->proto == IPPROTO_UDP ? 6 : 2;
	uint32_t sum = 0;
	uint16_t checksum;

	if (craft->proto != IPPROTO_ICMP || craft->src.family == 6) {
		sum = add_up(sum, craft->src.bytes, address_length(craft));
		sum = add_up(sum, craft->dst.bytes, address_length(craft));
		sum += wire_proto(craft) + length;
	}
	checksum = fold(add_up(sum, transport, length));
	if (craft->bad_checksum)
		checksum ^= 0x5555;
	put16(transport + where, checksum ? checksum : 0xffff);
}

size_t craft_packet(const struct craft *craft, uint8_t *packet)
{
	uint8_t *transport = packet + (craft->src.family == 4 ? 20 : 40);
	size_t length, i;

	switch (craft->proto) {
	case IPPROTO_TCP:
		length = put_tcp(craft, transport);
		break;
	case IPPROTO_UDP:
		put16(transport, craft->sport);
		put16(transport + 2, craft->dport);
		put32(transport + 4, (8 + craft->length) << 16);
		length = 8;
		break;
	case IPPROTO_ICMP:
		length = put_icmp(craft, transport);
		break;
	default:
		length = 0;
	}
	for (i = 0; i < craft->length; i++)
		transport[length++] = craft->data ? craft->data[i] : i;
	if (craft->proto == IPPROTO_TCP || craft->proto == IPPROTO_UDP || craft->proto == IPPROTO_ICMP)
		put_checksum(craft, transport, length);
	return put_ip(craft, packet, length) + length;
}

size_t transport_of(const uint8_t *packet, size_t length, int *proto)
{
	size_t header = packet[0] >> 4 == 4 ? (packet[0] & 15) * 4 : 40;

	if (length < header || length < 20)
		return 0;
	*proto = packet[0] >> 4 == 4 ? packet[9] : packet[6];
	if (*proto == IPPROTO_ICMPV6)
		*proto = IPPROTO_ICMP;
	return header;
}

bool tcp_checksum_right(const uint8_t *packet, size_t length)
{
	int proto;
	size_t at = transport_of(packet, length, &proto);
	size_t addresses = packet[0] >> 4 == 4 ? 12 : 8;
	uint32_t sum = add_up(0, packet + addresses, packet[0] >> 4 == 4 ? 8 : 32);

	return at && fold(add_up(sum + IPPROTO_TCP + length - at, packet + at, length - at)) == 0;
}
