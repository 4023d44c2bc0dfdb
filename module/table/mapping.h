/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mappings: the translation that the source end of several connections has in common, whatever their
 * destinations are (endpoint-independent mapping, RFC 4787 REQ-1, RFC 5382 REQ-1). One exists while a state uses
 * it, and its outer end is that of no other mapping.
 */
#ifndef IPFI_MAPPING_H
#define IPFI_MAPPING_H

#include <linux/rhashtable-types.h>
#include "module/core/tuple.h"

struct ipfi_net;

/* An end of a connection, as a key of all defined bytes. */
struct ipfi_end {
	struct ipfi_addr addr;
	u16 port;
	u8 proto;
	u8 family;
	u8 outer; /* 1: the translated end */
	u8 vrf;
	u8 zero[2]; /* so that all bytes are defined */
};

struct ipfi_mapping_node {
	struct rhash_head node;
	struct ipfi_end end;
};

struct ipfi_mapping {
	struct ipfi_mapping_node inner, outer;
	u32 users; /* under the mappings' lock */
	bool entered; /* likewise: it can be found */
	struct rcu_head rcu;
};

int ipfi_mappings_init(struct ipfi_net *in);
void ipfi_mappings_exit(struct ipfi_net *in);

/* Bytes that they take now. */
u64 ipfi_mappings_memory(const struct ipfi_net *in);

/* The mapping of the source of @tuple with one more user, or NULL. BHs off. */
struct ipfi_mapping *ipfi_mapping_get(struct ipfi_net *in, const struct ipfi_tuple *tuple);

/* One that is not entered, with one user; NULL without memory. */
struct ipfi_mapping *ipfi_mapping_alloc(void);

/*
 * Makes the source of @leaving the mapping of the source of @real: @mapping, which is not entered. -EEXIST: that source
 * has one meanwhile, get it; -EADDRINUSE: the outer end is another's; -ENOMEM. BHs off.
 */
int ipfi_mapping_enter(struct ipfi_net *in, struct ipfi_mapping *mapping, const struct ipfi_tuple *real,
		       const struct ipfi_tuple *leaving);

/* Takes @mapping out again, to be entered with another end; false if it has more than one user. BHs off. */
bool ipfi_mapping_withdraw(struct ipfi_net *in, struct ipfi_mapping *mapping);

/*
 * For who asks what would happen: the outer end of the mapping of the source of @tuple, false for none; and is the
 * source of @leaving the outer end of no mapping? BHs off.
 */
bool ipfi_mapping_look(struct ipfi_net *in, const struct ipfi_tuple *tuple, struct ipfi_end *outer);
bool ipfi_mapping_is_free(struct ipfi_net *in, const struct ipfi_tuple *leaving);

/* One user less; @mapping may be NULL. BHs off. */
void ipfi_mapping_put(struct ipfi_net *in, struct ipfi_mapping *mapping);

#endif /* IPFI_MAPPING_H */
