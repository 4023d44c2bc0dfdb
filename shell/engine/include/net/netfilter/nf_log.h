/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's loggers: there is one, and nobody listens to it. */
#ifndef IPFI_ENGINE_NET_NETFILTER_NF_LOG_H
#define IPFI_ENGINE_NET_NETFILTER_NF_LOG_H

#include <linux/netfilter.h>

enum nf_log_type { NF_LOG_TYPE_LOG, NF_LOG_TYPE_ULOG };

struct nf_loginfo {
	u8 type;
	union {
		struct {
			u16 group;
		} ulog;
	} u;
};

/* net.netfilter.nf_log_all_netns, as a kernel has it at first. */
extern int sysctl_nf_log_all_netns;

#define nf_log_packet(net, pf, hook, skb, in, out, info, ...) ((void)(info))
#define nf_logger_find_get(pf, type) 0
#define nf_logger_put(pf, type) ((void)0)

#endif
