// SPDX-License-Identifier: GPL-2.0-or-later
#include "module/net.h"
#include "module/netlink/handlers.h"
#include "module/netlink/message.h"
#include "module/ruleset/ruleset.h"
#include "module/table/table.h"

/* Numbers, their nests and one counter for each reason. */
#define STATS_PAYLOAD (512 + IPFI_REASON_MAX * 64)

static void sum_counters(const struct ipfi_net *in, struct ipfi_counters *sum)
{
	const struct ipfi_counters *of_cpu;
	unsigned int cpu, i;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		of_cpu = per_cpu_ptr(in->counters, cpu);
		for (i = 0; i <= IPFI_REASON_MAX; i++)
			sum->reason[i] += READ_ONCE(of_cpu->reason[i]);
		sum->created += READ_ONCE(of_cpu->created);
		sum->evicted += READ_ONCE(of_cpu->evicted);
		sum->expired += READ_ONCE(of_cpu->expired);
	}
}

/* The size of a state is its share of a full table, the buckets included, rounded up. */
static int put_table(struct sk_buff *skb, struct ipfi_net *in)
{
	u32 most = ipfi_net_max_states(in);
	u64 at_limit = ipfi_table_memory_for(in, most);

	if (nla_put_u32(skb, IPFI_STATS_A_STATES, ipfi_table_live(&in->table)) ||
	    nla_put_u32(skb, IPFI_STATS_A_STATES_PEAK, atomic_read(&in->table.peak)) ||
	    nla_put_u32(skb, IPFI_STATS_A_MAX_STATES, most) ||
	    nla_put_u32(skb, IPFI_STATS_A_TRANSLATED, atomic_read(&in->table.translated)) ||
	    nla_put_u32(skb, IPFI_STATS_A_EXPECTATIONS, atomic_read(&in->expectations.count)) ||
	    nla_put_u32(skb, IPFI_STATS_A_STATE_SIZE, DIV64_U64_ROUND_UP(at_limit, most)) ||
	    nla_put_u64_64bit(skb, IPFI_STATS_A_MEMORY, ipfi_table_memory(in), IPFI_STATS_A_PAD) ||
	    nla_put_u64_64bit(skb, IPFI_STATS_A_MEMORY_AT_LIMIT, at_limit, IPFI_STATS_A_PAD))
		return -EMSGSIZE;
	return 0;
}

static int put_totals(struct sk_buff *skb, const struct ipfi_counters *sum)
{
	u64 packets = 0;
	unsigned int i;

	for (i = 0; i <= IPFI_REASON_MAX; i++)
		packets += sum->reason[i];
	if (nla_put_u64_64bit(skb, IPFI_STATS_A_PACKETS, packets, IPFI_STATS_A_PAD) ||
	    nla_put_u64_64bit(skb, IPFI_STATS_A_CREATED, sum->created, IPFI_STATS_A_PAD) ||
	    nla_put_u64_64bit(skb, IPFI_STATS_A_EVICTED, sum->evicted, IPFI_STATS_A_PAD) ||
	    nla_put_u64_64bit(skb, IPFI_STATS_A_EXPIRED, sum->expired, IPFI_STATS_A_PAD))
		return -EMSGSIZE;
	return 0;
}

static int put_counters(struct sk_buff *skb, const struct ipfi_counters *sum)
{
	struct nlattr *counters = nla_nest_start(skb, IPFI_STATS_A_COUNTERS), *nest;
	unsigned int i;

	if (!counters)
		return -EMSGSIZE;
	for (i = 1; i <= IPFI_REASON_MAX; i++) {
		nest = nla_nest_start(skb, IPFI_COUNTERS_A_COUNTER);
		if (!nest || nla_put_u8(skb, IPFI_COUNTER_A_REASON, i) ||
		    nla_put_u64_64bit(skb, IPFI_COUNTER_A_PACKETS, sum->reason[i],
				      IPFI_COUNTER_A_PAD))
			return -EMSGSIZE;
		nla_nest_end(skb, nest);
	}
	nla_nest_end(skb, counters);
	return 0;
}

static int put_stats(struct sk_buff *skb, struct ipfi_net *in)
{
	struct nlattr *nest = nla_nest_start(skb, IPFI_A_STATS);
	const struct ipfi_ruleset *rs;
	struct ipfi_counters sum;
	u32 generation;

	if (!nest)
		return -EMSGSIZE;
	rcu_read_lock();
	rs = rcu_dereference(in->ruleset);
	generation = rs ? rs->generation : 0;
	rcu_read_unlock();
	sum_counters(in, &sum);
	if (put_table(skb, in) || nla_put_u32(skb, IPFI_STATS_A_GENERATION, generation) ||
	    put_totals(skb, &sum) || put_counters(skb, &sum))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int ipfi_genl_stats(struct sk_buff *request, struct genl_info *info)
{
	struct sk_buff *skb;
	void *header;
	int err;

	skb = ipfi_genl_reply_start(info, STATS_PAYLOAD, &header);
	if (!skb)
		return -ENOMEM;
	err = put_stats(skb, ipfi_net(genl_info_net(info)));
	if (WARN_ON_ONCE(err)) {
		nlmsg_free(skb);
		return err;
	}
	ipfi_genl_reply_end(info, skb, header);
	return 0;
}
