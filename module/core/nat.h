/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Address translation: what the end of a connection may be translated to, most wanted first.
 *
 * A connection has three views, each a tuple in its original direction. Each side of the firewall knows one of
 * them; in between, where the filter looks, stand the real end points.
 *
 *	                      dnat                  snat
 *	   ARRIVING  ------------------>  REAL  ------------------>  LEAVING
 *	   client -> published            client -> server           translated -> server
 *
 * Its replies go the same way back: they arrive as LEAVING reversed and leave as ARRIVING reversed.
 */
#ifndef IPFI_CORE_NAT_H
#define IPFI_CORE_NAT_H

#include "module/core/rule.h"

enum ipfi_view {
	IPFI_VIEW_ARRIVING,
	IPFI_VIEW_REAL,
	IPFI_VIEW_LEAVING,
};

/* Which end of a connection is translated. */
enum ipfi_nat_end {
	IPFI_NAT_SOURCE,
	IPFI_NAT_DESTINATION,
};

/*
 * End points that are tried before a connection is refused, and of how many addresses. Each is a look-up, with a lock
 * held. Where 19 of 20 ports are taken, one of 700 connections finds none.
 */
#define IPFI_NAT_TRIES 128
#define IPFI_NAT_ADDR_TRIES 4

/*
 * A search: of the end points in @target for the end @end of a connection. Ports (TCP, UDP,
 * UDP-Lite, SCTP, DCCP) and the identifiers of ICMP queries are translated; of other protocols the address alone.
 */
struct ipfi_nat_search {
	const struct ipfi_addrs *addrs; /* NULL: only addr */
	struct ipfi_addr addr;  /* being tried */
	u32 addr_count, addr_index, addr_tries;
	u8 family;
	bool has_port;
	bool ask_wanted;        /* the wanted port comes first */
	u16 wanted;
	u16 from, step;         /* the ports are from, from + step ... */
	u32 ports, tries;       /* of this address */
	u32 share, left, used;  /* tries for each address, left for this one, and made of all */
	u32 place, factor, increment, mask; /* the order of the ports: see order_ports() */
};

/* Is the port (or the identifier) of this end of such a connection translated? */
bool ipfi_nat_has_port(const struct ipfi_tuple *tuple, bool icmp_query, enum ipfi_nat_end end);

/*
 * Begins a search for the end @end of a connection with the tuple @tuple. @target: addresses of its family, or
 * none and @addr the only one; its ports, 0 for those of the class that the port has now: below 1024 or not
 * (RFC 4787 REQ-3, RFC 5382 REQ-7), for UDP and UDP-Lite of the same parity (RFC 4787 REQ-4). @secret is random.
 *
 * The port that the end has is tried first where the target allows it. Others follow from a start that only
 * who knows the secret can tell, and is another one for each pair of end points (RFC 6056 section 3.3.3,
 * algorithm 3), each once, in an order that is as secret. That they do not follow upon each other, or by a
 * step that is always the same, matters where many are taken: taken ones stand in rows.
 * A source has always the same address of several (RFC 4787 REQ-2: paired), and so has, if @persistent, the
 * destination of all that a source opens.
 * Returns false when the target has no address of this family.
 */
bool ipfi_nat_search_begin(struct ipfi_nat_search *search, enum ipfi_nat_end end, const struct ipfi_tuple *tuple,
			   bool icmp_query, const struct ipfi_nat_target *target, const struct ipfi_addr *addr,
			   bool persistent, u32 secret);

/* Lets a search that has just begun try @most end points in all, less than IPFI_NAT_TRIES. */
void ipfi_nat_search_limit(struct ipfi_nat_search *search, u32 most);

/* The next end point to try; false when all that may be tried have been. */
bool ipfi_nat_search_next(struct ipfi_nat_search *search, struct ipfi_addr *addr, u16 *port);

/* Is @addr one of the target's? */
bool ipfi_nat_target_has(const struct ipfi_nat_target *target, u8 family, const struct ipfi_addr *addr);

#endif /* IPFI_CORE_NAT_H */
