// SPDX-License-Identifier: GPL-2.0-or-later
#define pr_fmt(fmt) "ipfi: " fmt

#include <linux/jiffies.h>
#include <linux/ratelimit.h>
#include "module/commit/commit.h"
#include "module/commit/commit_confirm.h"
#include "module/commit/limits.h"
#include "module/net.h"
#include "module/notify.h"
#include "module/ruleset/ruleset.h"

/* Nothing can fail here: what comes back has been in force, and kept all that it needs for that. */
static void roll_back(struct ipfi_net *in, enum ipfi_change change)
{
	struct ipfi_commit_confirm *confirmation = &in->confirmation;
	const struct ipfi_ruleset *running = ipfi_ruleset_running(in);
	struct ipfi_ruleset *before = confirmation->before;

	if (ipfi_log_allowed(in) && __ratelimit(&confirmation->said))
		pr_warn("rule set '%s' %s: %s%s%s\n", running->name,
			change == IPFI_CHANGE_TIMED_OUT ? "was not confirmed in time" : "is rolled back",
			before ? "'" : "", before ? before->name : "every packet passes",
			before ? "' is in force again" : " again");
	WRITE_ONCE(confirmation->waits, false);
	confirmation->before = NULL;
	ipfi_commit_restore(in, before);
	ipfi_net_set_limits(in, &confirmation->limits, confirmation->limits_set);
	confirmation->change = change;
	ipfi_notify_ruleset(in, change);
}

static void time_out(struct work_struct *work)
{
	struct ipfi_net *in = container_of(to_delayed_work(work), struct ipfi_net, confirmation.work);

	mutex_lock(&in->mutex);
	/* While this waited for the mutex it may have been decided, and another one have begun to wait. */
	if (in->confirmation.waits && time_after_eq(jiffies, in->confirmation.deadline))
		roll_back(in, IPFI_CHANGE_TIMED_OUT);
	mutex_unlock(&in->mutex);
}

int ipfi_commit_confirm_publish(struct ipfi_net *in, struct ipfi_ruleset *rs, enum ipfi_commit_states states, u32 seconds)
{
	struct ipfi_commit_confirm *confirmation = &in->confirmation;
	struct ipfi_ruleset *before = ipfi_ruleset_get(in);
	int err;

	lockdep_assert_held(&in->mutex);
	confirmation->limits = in->limits;
	confirmation->limits_set = rs->limits_set;
	err = ipfi_commit(in, rs, states);
	if (err) {
		ipfi_ruleset_put(before);
		return err;
	}
	confirmation->before = before;
	WRITE_ONCE(confirmation->deadline, jiffies + seconds * HZ);
	WRITE_ONCE(confirmation->waits, true);
	mod_delayed_work(ipfi_workqueue, &confirmation->work, seconds * HZ);
	return 0;
}

void ipfi_commit_confirm_accept(struct ipfi_net *in)
{
	struct ipfi_commit_confirm *confirmation = &in->confirmation;

	lockdep_assert_held(&in->mutex);
	WRITE_ONCE(confirmation->waits, false);
	ipfi_ruleset_put(confirmation->before);
	confirmation->before = NULL;
	confirmation->change = IPFI_CHANGE_CONFIRMED;
	cancel_delayed_work(&confirmation->work);
	ipfi_notify_ruleset(in, IPFI_CHANGE_CONFIRMED);
}

void ipfi_commit_confirm_roll_back(struct ipfi_net *in)
{
	lockdep_assert_held(&in->mutex);
	cancel_delayed_work(&in->confirmation.work);
	roll_back(in, IPFI_CHANGE_ROLLED_BACK);
}

bool ipfi_commit_confirm_left(const struct ipfi_net *in, u32 *milliseconds)
{
	long left = READ_ONCE(in->confirmation.deadline) - jiffies;

	if (!READ_ONCE(in->confirmation.waits))
		return false;
	*milliseconds = jiffies_to_msecs(max(left, 0L));
	return true;
}

void ipfi_commit_confirm_init(struct ipfi_net *in)
{
	INIT_DELAYED_WORK(&in->confirmation.work, time_out);
	ratelimit_state_init(&in->confirmation.said, 5 * HZ, 10);
	ratelimit_set_flags(&in->confirmation.said, RATELIMIT_MSG_ON_RELEASE);
}

void ipfi_commit_confirm_exit(struct ipfi_net *in)
{
	cancel_delayed_work_sync(&in->confirmation.work);
	ipfi_ruleset_put(in->confirmation.before);
}
