// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What translation writes into packets (module/rewrite.c): nothing behind the end, nothing of another kind of packet,
 * nothing when it says so. Each packet stands in memory that ends where it does.
 */
#include "samples.h"
#include "rewriting.h"

/* An ICMP error that quotes the first @quoted bytes of @inner. */
static struct wire error_quoting(u8 family, const struct wire *inner, u32 quoted)
{
	struct wire wire = icmp_wire(family, family == 4 ? 3 : 1, 0, 0);
	u32 i;

	for (i = 0; i < quoted; i++)
		put8(&wire, inner->at[i]);
	put_ip_end(&wire, 0);
	return wire;
}

static const u8 protos[] = { IPFI_PROTO_TCP,  IPFI_PROTO_UDP,  IPFI_PROTO_UDPLITE, IPFI_PROTO_SCTP,
			     IPFI_PROTO_DCCP, IPFI_PROTO_ICMP, IPFI_PROTO_ICMPV6,  47 };

/* Tuples of every family and protocol, and the zero one. */
static void try_all(const struct wire *wire, bool inner, u8 family, u8 proto)
{
	size_t i, f, summed;

	for (i = 0; i <= COUNT(protos); i++) {
		for (f = 0; f < 3; f++) {
			struct ipfi_tuple to = { .sport = 4711, .dport = 815 };
			bool fits;

			to.family = f == 0 ? 0 : f == 1 ? 4 : 6;
			to.proto = i < COUNT(protos) ? protos[i] : 0;
			ipfi_addr_set(&to.src, 0xcb007107, f == 2, f == 2, f == 2);
			ipfi_addr_set(&to.dst, 0xcb007108, f == 2, f == 2, f == 2);
			fits = to.family == family && to.proto == proto;
			for (summed = CHECKSUM_NONE; summed < CHECKSUM_PARTIAL; summed++) {
				bool done;
				const char *problem = rewriting_try(wire->at, wire->length, (u8)summed, inner, &to,
								    &done);

				if (problem)
					fail_msg("family %u, protocol %u to %u, %u: %s", family, proto, to.family,
						 to.proto, problem);
				assert_int_equal(done, fits);
			}
		}
	}
}

static struct wire packet_of(u8 family, u8 proto)
{
	struct wire wire = { .length = 0 };

	if (proto == IPFI_PROTO_TCP)
		return tcp_wire(family, 40000, 80, IPFI_TCP_ACK, 10);
	if (proto == IPFI_PROTO_UDP)
		return udp_wire(family, 40000, 53, 10);
	if (proto == IPFI_PROTO_ICMP || proto == IPFI_PROTO_ICMPV6)
		return icmp_wire(family, family == 4 ? 8 : 128, 0, 0x12340001);
	put_ip(&wire, family, proto);
	put_udp(&wire, 40000, 80, 20);
	put_ip_end(&wire, 0);
	return wire;
}

static bool goes_together(u8 family, u8 proto)
{
	return proto != (family == 4 ? IPFI_PROTO_ICMPV6 : IPFI_PROTO_ICMP);
}

static void writes_only_what_is_there(void **state)
{
	u8 family;
	size_t i;

	(void)state;
	for (family = 4; family <= 6; family += 2) {
		for (i = 0; i < COUNT(protos); i++) {
			struct wire wire = packet_of(family, protos[i]);

			if (goes_together(family, protos[i]))
				try_all(&wire, false, family, protos[i]);
		}
	}
}

/* Quotes are cut: the eight bytes behind the network header are all that is sure (RFC 792). */
static void writes_only_what_is_quoted(void **state)
{
	u8 family;
	size_t i;
	u32 cut;

	(void)state;
	for (family = 4; family <= 6; family += 2) {
		for (i = 0; i < COUNT(protos); i++) {
			struct wire inner = packet_of(family, protos[i]);

			if (!goes_together(family, protos[i]))
				continue;
			for (cut = (family == 4 ? 20 : 40) + 8; cut <= inner.length; cut++) {
				struct wire wire = error_quoting(family, &inner, cut);

				try_all(&wire, true, family, protos[i]);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_only_what_is_there),
		cmocka_unit_test(writes_only_what_is_quoted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
