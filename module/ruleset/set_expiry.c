// SPDX-License-Identifier: GPL-2.0-or-later
#include "module/net.h"
#include "module/ruleset/ruleset.h"
#include "module/ruleset/set.h"
#include "module/ruleset/set_expiry.h"

/* Between two looks for members whose time is over, while any has a deadline. */
#define EXPIRY_PERIOD (HZ / 2)

/* Members that are removed before others get in->mutex and the CPU. */
#define EXPIRY_BATCH 512

/*
 * Ends the members of @set whose time is over, in->mutex held but not throughout. Returns whether others will
 * follow them.
 */
static bool expire_set(struct ipfi_net *in, struct ipfi_set *set)
{
	u32 removed;

	while ((removed = ipfi_set_expire(set, EXPIRY_BATCH))) {
		ipfi_generations_renew(in, set);
		if (removed < EXPIRY_BATCH)
			break;
		mutex_unlock(&in->mutex);
		cond_resched();
		mutex_lock(&in->mutex);
	}
	return !RB_EMPTY_ROOT(&set->due.rb_root);
}

static void expire(struct work_struct *work)
{
	struct ipfi_net *in = container_of(to_delayed_work(work), struct ipfi_net, sets.expiry);
	struct ipfi_set *set, *next;
	bool more = false;

	mutex_lock(&in->mutex);
	for (set = ipfi_set_next(in, ""); set; set = next) {
		more |= expire_set(in, set);
		next = ipfi_set_next(in, set->name);
		ipfi_set_put(set);
	}
	mutex_unlock(&in->mutex);
	if (more)
		ipfi_set_expiry_watch(in);
}

void ipfi_set_expiry_watch(struct ipfi_net *in)
{
	queue_delayed_work(ipfi_workqueue, &in->sets.expiry, EXPIRY_PERIOD);
}

void ipfi_set_expiry_init(struct ipfi_net *in)
{
	INIT_DELAYED_WORK(&in->sets.expiry, expire);
}

void ipfi_set_expiry_exit(struct ipfi_net *in)
{
	cancel_delayed_work_sync(&in->sets.expiry);
}
