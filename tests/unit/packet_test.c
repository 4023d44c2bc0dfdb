// SPDX-License-Identifier: GPL-2.0-or-later
/* The packet parser: what it reads of good packets, and that bad ones are refused and never read past. */
#include "support.h"

#define HOP_BY_HOP 0
#define ROUTING 43
#define FRAGMENT 44
#define ESP 50
#define AUTHENTICATION 51
#define NO_NEXT 59
#define DESTINATION 60

/* An extension header of 8 * @eights bytes (AH too, which counts its length in its own way). */
static void put_extension(struct wire *wire, u8 type, u8 next, u8 eights)
{
	put8(wire, next);
	put8(wire, type == AUTHENTICATION ? eights * 2U - 2 : type == FRAGMENT ? 0 : eights - 1U);
	put_fill(wire, eights * 8U - 2, 0);
}

/* One extension header of each kind, with an atomic fragment, before a TCP header at offset 112. */
static struct wire long_chain(void)
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
static struct wire with_options(void)
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

static struct wire tcp4(void)
{
	return tcp_wire(4, 40000, 80, IPFI_TCP_ACK, 10);
}

static struct wire tcp6(void)
{
	return tcp_wire(6, 40000, 80, IPFI_TCP_ACK, 10);
}

static struct wire udp4(void)
{
	return udp_wire(4, 40000, 53, 10);
}

static struct wire udp6(void)
{
	return udp_wire(6, 40000, 53, 10);
}

static struct wire echo4(void)
{
	return icmp_wire(4, 8, 0, 0xabcd0001);
}

static struct wire echo6(void)
{
	return icmp_wire(6, 128, 0, 0xabcd0001);
}

/* A protocol of which only the ports are read. */
static struct wire ported(u8 family, u8 proto)
{
	struct wire wire = { .length = 0 };

	put_ip(&wire, family, proto);
	put_udp(&wire, 40000, 5060, 4);
	put_ip_end(&wire, 0);
	return wire;
}

static struct wire sctp4(void)
{
	return ported(4, IPFI_PROTO_SCTP);
}

static struct wire dccp6(void)
{
	return ported(6, IPFI_PROTO_DCCP);
}

static struct wire udplite6(void)
{
	return ported(6, IPFI_PROTO_UDPLITE);
}

static struct wire gre4(void)
{
	return ported(4, 47);
}

/* An ICMP error about a packet that host 1 had sent. */
static struct wire error_about(u8 family, const struct wire *inner)
{
	struct wire wire = icmp_wire(family, family == 4 ? 3 : 1, 1, 0);
	u32 i;

	for (i = 0; i < inner->length; i++)
		put8(&wire, inner->at[i]);
	put_ip_end(&wire, 0);
	return wire;
}

static struct wire error4(void)
{
	struct wire inner = with_options();

	return error_about(4, &inner);
}

static struct wire error6(void)
{
	struct wire inner = long_chain();

	return error_about(6, &inner);
}

static struct wire error_echo6(void)
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
	{ "tcp4", tcp4, 40 },         { "tcp6", tcp6, 60 },
	{ "udp4", udp4, 28 },         { "udp6", udp6, 48 },
	{ "echo4", echo4, 28 },       { "echo6", echo6, 48 },
	{ "options", with_options, 60 }, { "long chain", long_chain, 132 },
	{ "sctp4", sctp4, 32 },       { "dccp6", dccp6, 52 },
	{ "udplite6", udplite6, 48 }, { "gre4", gre4, 20 },
	{ "error4", error4, 68 },     { "error6", error6, 168 },
	{ "error echo6", error_echo6, 96 },
};

static void reads_tcp(void **state)
{
	static const u8 families[] = { 4, 6 };
	struct ipfi_packet packet;
	struct ipfi_addr src, dst;
	struct wire wire;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(families); i++) {
		wire = tcp_wire(families[i], 40000, 443, IPFI_TCP_SYN | 0xc0, 7);
		src = host(families[i], 1);
		dst = host(families[i], 2);
		assert_int_equal(parse(&packet, &wire), 0);
		assert_int_equal(packet.tuple.family, families[i]);
		assert_int_equal(packet.tuple.proto, IPFI_PROTO_TCP);
		assert_true(ipfi_addr_equal(&packet.tuple.src, &src));
		assert_true(ipfi_addr_equal(&packet.tuple.dst, &dst));
		assert_int_equal(packet.tuple.sport, 40000);
		assert_int_equal(packet.tuple.dport, 443);
		assert_int_equal(packet.has_ports, 1);
		assert_int_equal(packet.length, wire.length);
		assert_int_equal(packet.transport, families[i] == 4 ? 20 : 40);
		assert_int_equal(packet.hop_limit, 64);
		assert_int_equal(packet.dscp, 46);
		assert_int_equal(packet.tcp_flags, IPFI_TCP_SYN | 0xc0);
		assert_int_equal(packet.seq, 0x01020304);
		assert_int_equal(packet.ack, 0x05060708);
		assert_int_equal(packet.window, 0x1234);
		assert_int_equal(packet.payload, 7);
		assert_int_equal(packet.tcp_options_length, 0);
		assert_int_equal(packet.icmp_kind, IPFI_ICMP_NONE);
		assert_int_equal(packet.icmp, 0);
		assert_int_equal(packet.inner.family, 0);
	}
}

static void reads_options(void **state)
{
	struct wire wire = with_options();
	struct ipfi_packet packet;

	(void)state;
	assert_int_equal(parse(&packet, &wire), 0);
	assert_int_equal(packet.transport, 32);
	assert_int_equal(packet.tuple.dport, 80);
	assert_int_equal(packet.tcp_options_length, 8);
	assert_ptr_equal(packet.tcp_options, wire.at + 52);
	assert_int_equal(packet.payload, 5);
}

static void reads_extension_headers(void **state)
{
	struct wire wire = long_chain();
	struct ipfi_packet packet;

	(void)state;
	assert_int_equal(parse(&packet, &wire), 0);
	assert_int_equal(packet.transport, 112);
	assert_int_equal(packet.tuple.proto, IPFI_PROTO_TCP);
	assert_int_equal(packet.tuple.dport, 443);
	assert_int_equal(packet.payload, 0);
}

/* Nothing is known of what follows ESP or "no next header", even if it looks like more headers. */
static void ends_chain_at_unknown(void **state)
{
	static const u8 ends[] = { ESP, NO_NEXT, 47, 135 };
	struct ipfi_packet packet;
	struct wire wire;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(ends); i++) {
		wire = (struct wire){ .length = 0 };
		put_ip(&wire, 6, DESTINATION);
		put_extension(&wire, DESTINATION, ends[i], 2);
		put_udp(&wire, 1, 2, 4);
		put_ip_end(&wire, 0);
		assert_int_equal(parse(&packet, &wire), 0);
		assert_int_equal(packet.tuple.proto, ends[i]);
		assert_int_equal(packet.transport, 56);
		assert_int_equal(packet.has_ports, 0);
		assert_int_equal(packet.tuple.sport, 0);
		assert_int_equal(packet.tuple.dport, 0);
	}
	wire = (struct wire){ .length = 0 };
	put_ip(&wire, 6, NO_NEXT);
	assert_int_equal(parse(&packet, &wire), 0);
	assert_int_equal(packet.length, 40);
}

static void bounds_chain(void **state)
{
	struct ipfi_packet packet;
	struct wire wire;
	int count, i;

	(void)state;
	for (count = 1; count < 20; count++) {
		wire = (struct wire){ .length = 0 };
		put_ip(&wire, 6, DESTINATION);
		for (i = 1; i < count; i++)
			put_extension(&wire, DESTINATION, DESTINATION, 1);
		put_extension(&wire, DESTINATION, IPFI_PROTO_UDP, 1);
		put_udp(&wire, 1, 2, 4);
		put_ip_end(&wire, 0);
		assert_int_equal(parse(&packet, &wire), count <= 8 ? 0 : -IPFI_REASON_BAD_HEADER);
	}
}

static void reads_ports_of_all(void **state)
{
	static const u8 protos[] = { IPFI_PROTO_UDP, IPFI_PROTO_UDPLITE, IPFI_PROTO_SCTP, IPFI_PROTO_DCCP };
	struct ipfi_packet packet;
	struct wire wire;
	size_t i;
	int family;

	(void)state;
	for (family = 4; family <= 6; family += 2) {
		for (i = 0; i < COUNT(protos); i++) {
			wire = ported((u8)family, protos[i]);
			assert_int_equal(parse(&packet, &wire), 0);
			assert_int_equal(packet.tuple.proto, protos[i]);
			assert_int_equal(packet.has_ports, 1);
			assert_int_equal(packet.tuple.sport, 40000);
			assert_int_equal(packet.tuple.dport, 5060);
			assert_int_equal(packet.tcp_flags, 0);
			assert_int_equal(packet.payload, 0);
			assert_null(packet.tcp_options);
		}
	}
}

/* A field that a packet does not have must not keep a value from the packet before. */
static void forgets_last_packet(void **state)
{
	struct wire first = error4(), second = with_options(), third = gre4();
	struct ipfi_packet packet;

	(void)state;
	assert_int_equal(parse(&packet, &first), 0);
	assert_int_equal(packet.icmp, 0x0301);
	assert_int_equal(parse(&packet, &second), 0);
	assert_int_equal(packet.icmp, 0);
	assert_int_equal(packet.icmp_kind, IPFI_ICMP_NONE);
	assert_int_equal(packet.inner.family, 0);
	assert_int_equal(packet.inner_seq, 0);
	assert_int_equal(parse(&packet, &third), 0);
	assert_int_equal(packet.has_ports, 0);
	assert_int_equal(packet.tuple.sport, 0);
	assert_int_equal(packet.tuple.dport, 0);
	assert_int_equal(packet.tcp_flags, 0);
	assert_int_equal(packet.seq, 0);
	assert_int_equal(packet.payload, 0);
	assert_int_equal(packet.tcp_options_length, 0);
	assert_null(packet.tcp_options);
}

static void leaves_callers_part(void **state)
{
	struct ipfi_packet packet, before;
	const size_t part = offsetof(struct ipfi_packet, list);
	struct wire wire;
	size_t i;

	(void)state;
	memset(&before, 0xa5, sizeof(before));
	for (i = 0; i < COUNT(samples); i++) {
		wire = samples[i].make();
		packet = before;
		assert_int_equal(parse(&packet, &wire), 0);
		assert_memory_equal((u8 *)&packet + part, (u8 *)&before + part, sizeof(packet) - part);
	}
}

static void ignores_padding(void **state)
{
	struct ipfi_packet packet;
	struct wire wire;
	u32 length;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(samples); i++) {
		wire = samples[i].make();
		length = wire.length;
		put_fill(&wire, 13, 0xff);
		assert_int_equal(parse(&packet, &wire), 0);
		assert_int_equal(packet.length, length);
	}
	wire = tcp4();
	put_fill(&wire, 6, 0);
	assert_int_equal(parse(&packet, &wire), 0);
	assert_int_equal(packet.payload, 10);

	/* Padding is not taken for a header that is missing. */
	wire = tcp_wire(4, 1, 2, IPFI_TCP_ACK, 0);
	set16(&wire, 2, 39);
	assert_int_equal(parse(&packet, &wire), -IPFI_REASON_TRUNCATED);
}

/* An aggregate has no length of its own, or a jumbo option that repeats the caller's. */
static void takes_aggregates(void **state)
{
	struct ipfi_packet packet;
	struct wire wire = tcp4();

	(void)state;
	set16(&wire, 2, 0);
	assert_int_equal(parse_part(&packet, &wire, 40, 100000, false), -IPFI_REASON_BAD_HEADER);
	assert_int_equal(parse_part(&packet, &wire, 40, 100000, true), 0);
	assert_int_equal(packet.length, 100000);
	assert_int_equal(packet.payload, 100000 - 40);

	wire = long_chain();
	set16(&wire, 4, 0);
	assert_int_equal(parse_part(&packet, &wire, 132, 100000, false), -IPFI_REASON_TRUNCATED);
	assert_int_equal(parse_part(&packet, &wire, 132, 100000, true), 0);
	assert_int_equal(packet.length, 100000);
	assert_int_equal(packet.payload, 100000 - 132);

	/* Only a length that is missing is made good. */
	wire = tcp4();
	assert_int_equal(parse_part(&packet, &wire, 50, 60, true), 0);
	assert_int_equal(packet.length, 50);
	set16(&wire, 2, 61);
	assert_int_equal(parse_part(&packet, &wire, 50, 60, true), -IPFI_REASON_TRUNCATED);
}

/* Whatever can be read at first: the parser asks for more, never for all too often, and ends the same. */
static void asks_for_more(void **state)
{
	struct ipfi_packet whole, packet;
	u32 first, avail, tries;
	struct wire wire;
	int answer;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(samples); i++) {
		wire = samples[i].make();
		memset(&whole, 0, sizeof(whole));
		assert_int_equal(parse(&whole, &wire), 0);
		for (first = 0; first <= wire.length; first++) {
			memset(&packet, 0, sizeof(packet));
			avail = first;
			tries = 0;
			while ((answer = parse_part(&packet, &wire, avail, wire.length, false)) > 0) {
				assert_true((u32)answer > avail);
				assert_true((u32)answer <= samples[i].headers);
				avail = (u32)answer;
				assert_true(++tries < 24);
			}
			assert_int_equal(answer, 0);
			assert_memory_equal(&packet, &whole, sizeof(packet));
			/* It was content no sooner than it had the headers. */
			assert_true(avail >= samples[i].headers);
		}
	}
}

/* A packet that ends before its IP length does. */
static void refuses_cut_packets(void **state)
{
	struct ipfi_packet packet;
	struct wire wire;
	u32 total;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(samples); i++) {
		wire = samples[i].make();
		for (total = 0; total < wire.length; total++)
			assert_int_equal(parse_part(&packet, &wire, total, total, false),
					 -IPFI_REASON_TRUNCATED);
	}
}

/* An IP packet that ends, by its own account, before its headers do. */
static void refuses_cut_headers(void **state)
{
	struct ipfi_packet packet;
	struct wire wire;
	u32 end;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(samples); i++) {
		wire = samples[i].make();
		for (end = wire.at[0] >> 4 == 4 ? (wire.at[0] & 15) * 4U : 40; end < samples[i].headers; end++) {
			wire.length = end;
			put_ip_end(&wire, 0);
			assert_int_equal(parse(&packet, &wire), -IPFI_REASON_TRUNCATED);
		}
	}
}

/* One wrong value in a good packet: @width bytes at @offset become @value. */
static const struct lie {
	const char *name;
	struct wire (*make)(void);
	u32 offset, width, value;
	int reason;
} lies[] = {
	{ "version 0", tcp4, 0, 1, 0x05, IPFI_REASON_BAD_HEADER },
	{ "version 5", tcp4, 0, 1, 0x55, IPFI_REASON_BAD_HEADER },
	{ "version 15", tcp6, 0, 1, 0xf5, IPFI_REASON_BAD_HEADER },
	{ "ihl 0", tcp4, 0, 1, 0x40, IPFI_REASON_BAD_HEADER },
	{ "ihl 4", tcp4, 0, 1, 0x44, IPFI_REASON_BAD_HEADER },
	{ "ihl past the packet", udp4, 0, 1, 0x4f, IPFI_REASON_TRUNCATED },
	{ "total length 0", tcp4, 2, 2, 0, IPFI_REASON_BAD_HEADER },
	{ "total length 19", tcp4, 2, 2, 19, IPFI_REASON_BAD_HEADER },
	{ "total length less than options", with_options, 2, 2, 31, IPFI_REASON_BAD_HEADER },
	{ "total length past the packet", tcp4, 2, 2, 51, IPFI_REASON_TRUNCATED },
	{ "total length 65535", udp4, 2, 2, 0xffff, IPFI_REASON_TRUNCATED },
	{ "payload length past the packet", tcp6, 4, 2, 31, IPFI_REASON_TRUNCATED },
	{ "payload length 65535", udp6, 4, 2, 0xffff, IPFI_REASON_TRUNCATED },
	{ "payload length 0", udp6, 4, 2, 0, IPFI_REASON_TRUNCATED },
	{ "multicast source", udp4, 12, 4, 0xe0000001, IPFI_REASON_BAD_HEADER },
	{ "last multicast source", udp4, 12, 4, 0xefffffff, IPFI_REASON_BAD_HEADER },
	{ "broadcast source", udp4, 12, 4, 0xffffffff, IPFI_REASON_BAD_HEADER },
	{ "unspecified source (DHCP)", udp4, 12, 4, 0, 0 },
	{ "source before multicast", udp4, 12, 4, 0xdfffffff, 0 },
	{ "source after multicast", udp4, 12, 4, 0xf0000000, 0 },
	{ "multicast destination", udp4, 16, 4, 0xe00000fb, 0 },
	{ "broadcast destination", udp4, 16, 4, 0xffffffff, 0 },
	{ "multicast source", udp6, 8, 2, 0xff02, IPFI_REASON_BAD_HEADER },
	{ "source before multicast", udp6, 8, 2, 0xfeff, 0 },
	{ "multicast destination", udp6, 24, 2, 0xff02, 0 },
	{ "source is destination", udp4, 15, 1, 2, 0 },
	{ "not the first fragment", tcp4, 6, 2, 1, IPFI_REASON_FRAGMENT },
	{ "last fragment", tcp4, 6, 2, 0x1fff, IPFI_REASON_FRAGMENT },
	{ "middle fragment", tcp4, 6, 2, 0x2001, IPFI_REASON_FRAGMENT },
	{ "first fragment", tcp4, 6, 2, 0x2000, 0 },
	{ "not the first fragment", long_chain, 82, 2, 0x0008, IPFI_REASON_FRAGMENT },
	{ "middle fragment", long_chain, 82, 2, 0xfff9, IPFI_REASON_FRAGMENT },
	{ "first fragment", long_chain, 82, 2, 0x0001, 0 },
	{ "reserved bits of a fragment", long_chain, 82, 2, 0x0006, 0 },
	{ "hop-by-hop in second place", long_chain, 40, 1, HOP_BY_HOP, IPFI_REASON_BAD_HEADER },
	{ "hop-by-hop past the packet", long_chain, 41, 1, 11, IPFI_REASON_TRUNCATED },
	{ "routing past the packet", long_chain, 57, 1, 0xff, IPFI_REASON_TRUNCATED },
	{ "authentication without its fields", long_chain, 89, 1, 0, IPFI_REASON_BAD_HEADER },
	{ "authentication past the packet", long_chain, 89, 1, 0xff, IPFI_REASON_TRUNCATED },
	{ "data offset 0", tcp4, 32, 1, 0x00, IPFI_REASON_BAD_HEADER },
	{ "data offset 4", tcp6, 52, 1, 0x40, IPFI_REASON_BAD_HEADER },
	{ "data offset past the packet", tcp4, 32, 1, 0x80, IPFI_REASON_TRUNCATED },
	{ "data offset at the end", with_options, 44, 1, 0x80, 0 },
	{ "source port 0", tcp4, 20, 2, 0, IPFI_REASON_BAD_HEADER },
	{ "destination port 0", tcp6, 42, 2, 0, IPFI_REASON_BAD_HEADER },
	{ "no flags", tcp4, 33, 1, 0x00, IPFI_REASON_TCP_FLAGS },
	{ "SYN and FIN", tcp4, 33, 1, 0x03, IPFI_REASON_TCP_FLAGS },
	{ "SYN and RST", tcp6, 53, 1, 0x06, IPFI_REASON_TCP_FLAGS },
	{ "UDP source port 0", udp4, 20, 2, 0, 0 },
	{ "UDP destination port 0", udp4, 22, 2, 0, IPFI_REASON_BAD_HEADER },
	{ "UDP length 0", udp4, 24, 2, 0, IPFI_REASON_BAD_HEADER },
	{ "UDP length 7", udp6, 44, 2, 7, IPFI_REASON_BAD_HEADER },
	{ "UDP length 8", udp6, 44, 2, 8, 0 },
	{ "UDP length past the packet", udp4, 24, 2, 19, IPFI_REASON_TRUNCATED },
	{ "UDP-Lite covers all", udplite6, 44, 2, 0, 0 },
	{ "UDP-Lite covers half its header", udplite6, 44, 2, 4, IPFI_REASON_BAD_HEADER },
	{ "UDP-Lite covers what is not there", udplite6, 44, 2, 13, IPFI_REASON_TRUNCATED },
	{ "SCTP source port 0", sctp4, 20, 2, 0, IPFI_REASON_BAD_HEADER },
	{ "DCCP destination port 0", dccp6, 42, 2, 0, IPFI_REASON_BAD_HEADER },
};

static void refuses_lies(void **state)
{
	struct ipfi_packet packet;
	const struct lie *lie;
	struct wire wire;
	int answer;
	u32 i;

	(void)state;
	for (lie = lies; lie < lies + COUNT(lies); lie++) {
		wire = lie->make();
		for (i = 0; i < lie->width; i++)
			wire.at[lie->offset + i] = (u8)(lie->value >> (lie->width - 1 - i) * 8);
		answer = parse(&packet, &wire);
		if (answer != -lie->reason)
			fail_msg("%s: %d, expected %d", lie->name, answer, -lie->reason);
	}
}

/* Of a first fragment the transport header is read; the rest of its datagram is elsewhere. */
static void reads_first_fragment(void **state)
{
	struct wire wire = udp4();
	struct ipfi_packet packet;

	(void)state;
	set16(&wire, 24, 1000);
	assert_int_equal(parse(&packet, &wire), -IPFI_REASON_TRUNCATED);
	set16(&wire, 6, 0x2000);
	assert_int_equal(parse(&packet, &wire), 0);
	assert_int_equal(packet.tuple.dport, 53);

	wire = long_chain();
	set16(&wire, 82, 1);
	put_fill(&wire, 8, 0xda);
	put_ip_end(&wire, 0);
	assert_int_equal(parse(&packet, &wire), 0);
	assert_int_equal(packet.payload, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_tcp),
		cmocka_unit_test(reads_options),
		cmocka_unit_test(reads_extension_headers),
		cmocka_unit_test(ends_chain_at_unknown),
		cmocka_unit_test(bounds_chain),
		cmocka_unit_test(reads_ports_of_all),
		cmocka_unit_test(forgets_last_packet),
		cmocka_unit_test(leaves_callers_part),
		cmocka_unit_test(ignores_padding),
		cmocka_unit_test(takes_aggregates),
		cmocka_unit_test(asks_for_more),
		cmocka_unit_test(refuses_cut_packets),
		cmocka_unit_test(refuses_cut_headers),
		cmocka_unit_test(refuses_lies),
		cmocka_unit_test(reads_first_fragment),
	};

	return cmocka_run_group_tests_name("packet", tests, NULL, NULL);
}
