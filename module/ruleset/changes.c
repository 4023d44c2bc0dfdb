// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/mm.h>
#include <linux/slab.h>
#include "module/core/tuple.h"
#include "module/net.h"
#include "module/ruleset/changes.h"
#include "module/ruleset/network.h"

int ipfi_changes_start(struct ipfi_net *in)
{
	u32 *last;

	if (READ_ONCE(in->changes.last))
		return 0;
	last = kvcalloc(IPFI_CHANGES_PLACES, sizeof(*last), GFP_KERNEL_ACCOUNT);
	if (!last)
		return -ENOMEM;
	spin_lock(&in->sets.lock);
	if (!in->changes.last)
		swap(in->changes.last, last);
	spin_unlock(&in->sets.lock);
	kvfree(last);
	return 0;
}

void ipfi_changes_exit(struct ipfi_net *in)
{
	kvfree(in->changes.last);
}

/* Of the network of @addr that has so many steps of bits. */
static u32 place_of(u8 family, const struct ipfi_addr *addr, unsigned int level)
{
	struct ipfi_addr mask;
	unsigned int i;

	ipfi_prefix_mask(&mask, level * IPFI_CHANGES_STEP(family));
	for (i = 0; i < 4; i++)
		mask.w[i] &= addr->w[i];
	return ipfi_addr_hash(&mask, level << 8 | family) % IPFI_CHANGES_PLACES;
}

void ipfi_changes_note(struct ipfi_net *in, const struct ipfi_network *network)
{
	const unsigned int level = network->length / IPFI_CHANGES_STEP(network->family);
	u16 *levels = &in->changes.levels[network->family == 6];

	lockdep_assert_held(&in->mutex);
	WRITE_ONCE(in->changes.last[place_of(network->family, &network->addr, level)], in->evaluation + 1);
	WRITE_ONCE(*levels, *levels | 1U << level);
}

void ipfi_changes_note_all(struct ipfi_net *in)
{
	lockdep_assert_held(&in->mutex);
	WRITE_ONCE(in->changes.all, in->evaluation + 1);
}

bool ipfi_changes_touch(const struct ipfi_net *in, u8 family, const struct ipfi_addr *addr, u32 since)
{
	const u32 *last = READ_ONCE(in->changes.last);
	unsigned int level, levels = READ_ONCE(in->changes.levels[family == 6]);

	if ((s32)(READ_ONCE(in->changes.all) - since) > 0)
		return true;
	for (level = 0; levels; level++, levels >>= 1)
		if (levels & 1 && (s32)(READ_ONCE(last[place_of(family, addr, level)]) - since) > 0)
			return true;
	return false;
}
