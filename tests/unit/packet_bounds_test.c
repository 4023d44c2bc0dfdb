// SPDX-License-Identifier: GPL-2.0-or-later
/* The packet parser: it reads no byte that is not there, and refuses what lies. */
#include "samples.h"

/* Whatever can be read at first: the parser asks for more, but not for ever, and ends the same. */
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
			while ((answer = parse_part(&packet, &wire, avail, wire.length, false)) >
			       0) {
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
		for (end = wire.at[0] >> 4 == 4 ? (wire.at[0] & 15) * 4U : 40;
		     end < samples[i].headers; end++) {
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_for_more),
		cmocka_unit_test(refuses_cut_packets),
		cmocka_unit_test(refuses_cut_headers),
		cmocka_unit_test(refuses_lies),
	};

	return cmocka_run_group_tests_name("packet bounds", tests, NULL, NULL);
}
