// SPDX-License-Identifier: GPL-2.0-or-later
#include "module/core/nat.h"

#define PRIVILEGED 1024 /* ports below are a class of their own */

static u32 hash(const struct ipfi_addr *addr, u32 a, u32 b, u32 secret)
{
	return jhash_3words(ipfi_addr_hash(addr, secret), a, b, secret);
}

/* A number below @most from @value, which is spread over 32 bits. */
static u32 scale(u32 value, u32 most)
{
	return (u32)((u64)value * most >> 32);
}

bool ipfi_nat_has_port(const struct ipfi_tuple *tuple, bool icmp_query, enum ipfi_nat_end end)
{
	return ipfi_proto_has_ports(tuple->proto) || (icmp_query && end == IPFI_NAT_SOURCE);
}

/* How many addresses a range has, 2^32 - 1 at most: nobody needs more of an IPv6 prefix. */
static u32 range_size(const struct ipfi_addr_range *range, u8 family)
{
	u64 low;

	if (family == 4)
		low = (u64)range->to.w[0] - range->from.w[0] + 1;
	else if (range->from.w[0] != range->to.w[0] || range->from.w[1] != range->to.w[1] ||
		 range->from.w[2] != range->to.w[2])
		low = ~0U;
	else
		low = (u64)range->to.w[3] - range->from.w[3] + 1;
	return low > ~0U ? ~0U : (u32)low;
}

static void add_to_addr(struct ipfi_addr *addr, u8 family, u32 offset)
{
	u64 sum = offset;
	int i;

	if (family == 4) {
		addr->w[0] += offset;
		return;
	}
	for (i = 3; i >= 0 && sum; i--) {
		sum += addr->w[i];
		addr->w[i] = (u32)sum;
		sum >>= 32;
	}
}

static const struct ipfi_addr_range *ranges_of(const struct ipfi_addrs *addrs, u8 family, u32 *count)
{
	*count = family == 4 ? addrs->v4_count : addrs->v6_count;
	return family == 4 ? addrs->v4 : addrs->v6;
}

bool ipfi_nat_target_has(const struct ipfi_nat_target *target, u8 family, const struct ipfi_addr *addr)
{
	const struct ipfi_addr_range *ranges;
	u32 count, i;

	ranges = ranges_of(&target->addrs, family, &count);
	for (i = 0; i < count; i++)
		if (ipfi_addr_compare(addr, &ranges[i].from) >= 0 && ipfi_addr_compare(addr, &ranges[i].to) <= 0)
			return true;
	return false;
}

static u32 count_addrs(const struct ipfi_addrs *addrs, u8 family)
{
	const struct ipfi_addr_range *ranges;
	u32 count, total = 0, i;

	ranges = ranges_of(addrs, family, &count);
	for (i = 0; i < count; i++) {
		u32 size = range_size(&ranges[i], family);

		total = total + size < total ? ~0U : total + size;
	}
	return total;
}

/* The address at place @index of all. */
static void pick_addr(const struct ipfi_addrs *addrs, u8 family, u32 index, struct ipfi_addr *addr)
{
	const struct ipfi_addr_range *ranges;
	u32 count, i;

	ranges = ranges_of(addrs, family, &count);
	for (i = 0; i + 1 < count; i++) {
		u32 size = range_size(&ranges[i], family);

		if (index < size)
			break;
		index -= size;
	}
	*addr = ranges[i].from;
	add_to_addr(addr, family, index);
}

/* Which ports may be tried: those of the target, else those of the class that the port is of. */
static void bound_ports(struct ipfi_nat_search *search, enum ipfi_nat_end end, const struct ipfi_tuple *tuple,
			const struct ipfi_nat_target *target)
{
	u32 to;

	search->step = 1;
	if (target && target->port_from) {
		search->from = target->port_from;
		to = target->port_to;
	} else if (end == IPFI_NAT_DESTINATION) {
		search->from = search->wanted;
		to = search->wanted;
	} else if (!ipfi_proto_has_ports(tuple->proto)) {
		search->from = 0;
		to = 0xffff;
	} else {
		search->from = search->wanted < PRIVILEGED ? 1 : PRIVILEGED;
		to = search->wanted < PRIVILEGED ? PRIVILEGED - 1 : 0xffff;
		if (tuple->proto == IPFI_PROTO_UDP || tuple->proto == IPFI_PROTO_UDPLITE) {
			search->step = 2;
			search->from += (search->from ^ search->wanted) & 1;
		}
	}
	search->ports = (to - search->from) / search->step + 1;
	search->ask_wanted = search->wanted >= search->from && search->wanted <= to;
}

/*
 * A linear congruential generator whose modulus is a power of two has its full period, and so meets every place
 * once, whatever the start, if the increment is odd and the factor 1 modulo 4 (Hull and Dobell, "Random number
 * generators", SIAM Review 4, 1962). Places beyond the ports are passed over: half of them at most.
 */
static void order_ports(struct ipfi_nat_search *search, u32 random, u32 other_random)
{
	search->mask = search->ports - 1;
	search->mask |= search->mask >> 1;
	search->mask |= search->mask >> 2;
	search->mask |= search->mask >> 4;
	search->mask |= search->mask >> 8;
	search->place = random & search->mask;
	search->factor = (other_random << 2) | 1;
	search->increment = (random >> 15) | 1;
}

static u32 next_place(struct ipfi_nat_search *search)
{
	do {
		search->place = (search->place * search->factor + search->increment) & search->mask;
	} while (search->place >= search->ports);
	return search->place;
}

void ipfi_nat_search_limit(struct ipfi_nat_search *search, u32 most)
{
	const u32 addrs = search->addr_count < IPFI_NAT_ADDR_TRIES ? search->addr_count : IPFI_NAT_ADDR_TRIES;

	search->share = most / addrs;
	search->left = search->share;
}

bool ipfi_nat_search_begin(struct ipfi_nat_search *search, enum ipfi_nat_end end, const struct ipfi_tuple *tuple,
			   bool icmp_query, const struct ipfi_nat_target *target, const struct ipfi_addr *addr,
			   bool persistent, u32 secret)
{
	const u32 ports = (u32)tuple->sport << 16 | tuple->dport;
	const u32 of_source = hash(&tuple->src, 0, 0, secret);
	u32 spread;

	memset(search, 0, sizeof(*search));
	search->family = tuple->family;
	search->has_port = ipfi_nat_has_port(tuple, icmp_query, end);
	search->wanted = end == IPFI_NAT_SOURCE ? tuple->sport : tuple->dport;
	if (addr) {
		search->addr = *addr;
		search->addr_count = 1;
	} else {
		search->addrs = &target->addrs;
		search->addr_count = count_addrs(search->addrs, search->family);
		if (!search->addr_count)
			return false;
		/* The load of a published service goes to all of its servers. */
		spread = end == IPFI_NAT_SOURCE || persistent ? of_source :
								hash(&tuple->src, ports, tuple->proto, secret);
		search->addr_index = scale(spread, search->addr_count);
		pick_addr(search->addrs, search->family, search->addr_index, &search->addr);
	}
	ipfi_nat_search_limit(search, IPFI_NAT_TRIES);
	if (!search->has_port) {
		search->ports = 1;
		search->ask_wanted = true;
		return true;
	}
	bound_ports(search, end, tuple, target);
	spread = hash(&tuple->dst, of_source, ports ^ tuple->proto, secret);
	order_ports(search, spread, hash(&tuple->dst, spread, 1, secret));
	return true;
}

/* Goes on to the next address, where there is another. */
static bool next_addr(struct ipfi_nat_search *search)
{
	if (++search->addr_tries >= search->addr_count || search->addr_tries >= IPFI_NAT_ADDR_TRIES)
		return false;
	if (++search->addr_index == search->addr_count)
		search->addr_index = 0;
	pick_addr(search->addrs, search->family, search->addr_index, &search->addr);
	search->tries = 0;
	search->left = search->share;
	return true;
}

/* The port of try number search->tries: the wanted one, then the others; false when there is none left. */
static bool next_port(struct ipfi_nat_search *search, u16 *port)
{
	while (search->tries <= search->ports && search->left) {
		u32 try = search->tries++;

		if (!try) {
			if (!search->ask_wanted)
				continue;
			*port = search->wanted;
			return true;
		}
		if (!search->has_port)
			break;
		*port = (u16)(search->from + next_place(search) * search->step);
		if (*port != search->wanted || !search->ask_wanted)
			return true;
	}
	return false;
}

bool ipfi_nat_search_next(struct ipfi_nat_search *search, struct ipfi_addr *addr, u16 *port)
{
	do {
		if (next_port(search, port)) {
			search->left--;
			search->used++;
			*addr = search->addr;
			return true;
		}
	} while (next_addr(search));
	return false;
}
