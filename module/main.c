// SPDX-License-Identifier: GPL-2.0-or-later
/* ipfi: a stateful firewall. This file only orders the inits and unwinds them in reverse. */
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/workqueue.h>
#include <net/genetlink.h>
#include "module/memory.h"
#include "module/nat/masquerade.h"
#include "module/net.h"
#include "module/netlink/family.h"
#include "module/packet/vrf.h"
#include "module/pernet.h"
#include "module/ruleset/interface.h"
#include "module/table/state.h"

static int __init ipfi_init(void)
{
	int err = -ENOMEM;

	/* Unbound: turning a full wheel is long work that need not stay on the CPU that asked for it. */
	ipfi_workqueue = alloc_workqueue("ipfi", WQ_UNBOUND, 0);
	if (!ipfi_workqueue)
		return -ENOMEM;
	err = ipfi_memory_init();
	if (err)
		goto destroy_workqueue;
	err = ipfi_state_caches_init();
	if (err)
		goto exit_memory;
	err = ipfi_pernet_init();
	if (err)
		goto exit_cache;
	err = ipfi_masquerade_init();
	if (err)
		goto exit_net;
	err = ipfi_vrf_init();
	if (err)
		goto exit_masquerade;
	err = ipfi_interface_init();
	if (err)
		goto exit_vrf;
	err = ipfi_genl_init();
	if (err)
		goto exit_interface;
	return 0;

exit_interface:
	ipfi_interface_exit();
exit_vrf:
	ipfi_vrf_exit();
exit_masquerade:
	ipfi_masquerade_exit();
exit_net:
	ipfi_pernet_exit();
exit_cache:
	rcu_barrier();
	flush_workqueue(ipfi_workqueue);
	ipfi_state_caches_exit();
exit_memory:
	ipfi_memory_exit();
destroy_workqueue:
	destroy_workqueue(ipfi_workqueue);
	return err;
}

static void __exit ipfi_exit(void)
{
	ipfi_genl_exit();
	ipfi_interface_exit();
	ipfi_vrf_exit();
	ipfi_masquerade_exit();
	ipfi_pernet_exit();
	/* Rule sets wait for their grace period, then for the workqueue; the rest for their grace period. */
	rcu_barrier();
	destroy_workqueue(ipfi_workqueue);
	ipfi_state_caches_exit();
	ipfi_memory_exit();
}

module_init(ipfi_init);
module_exit(ipfi_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The IPFire-Wall developers");
MODULE_DESCRIPTION("Stateful firewall controlled over generic netlink");
MODULE_VERSION(IPFI_VERSION);
MODULE_ALIAS_GENL_FAMILY(IPFI_GENL_NAME);
