/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's buffer of a packet or of netlink messages: always in one piece, never shared (../../skb.c). */
#ifndef IPFI_ENGINE_LINUX_SKBUFF_H
#define IPFI_ENGINE_LINUX_SKBUFF_H

#include <linux/if_packet.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/random.h>
#include <linux/ratelimit.h>
#include <linux/rcupdate.h>
#include <linux/netdevice.h>
#include <linux/slab.h>
#include <linux/types.h>
#include <net/checksum.h>
#include <net/dst.h>

struct sock;

#define CHECKSUM_NONE 0
#define CHECKSUM_UNNECESSARY 1
#define CHECKSUM_COMPLETE 2
#define CHECKSUM_PARTIAL 3

struct skb_shared_info {
	unsigned short gso_size, gso_segs;
	unsigned int gso_type;
};

struct netlink_skb_parms {
	u32 portid;
};

/* What IP notes of a packet on its way. */
struct inet_skb_parm {
	int iif;
	u16 flags;
};

#define IPSKB_FORWARDED 1
#define IPSKB_XFRM_TRANSFORMED 4
#define IPSKB_L3SLAVE 128
#define IP6SKB_FORWARDED IPSKB_FORWARDED
#define IP6SKB_XFRM_TRANSFORMED IPSKB_XFRM_TRANSFORMED

struct sk_buff {
	unsigned char *head, *data; /* of the buffer; of what is in it */
	unsigned int len, room;     /* bytes from data on; of the buffer from head on */
	unsigned int network, transport; /* headers, from head on */
	u32 mark;
	u8 ip_summed;
	u8 pkt_type; /* PACKET_* */
	bool ipsec;  /* it came by IPsec */
	u16 csum_start, csum_offset; /* of a partial checksum: what it covers, from head on, and its place in that */
	__be16 protocol;
	struct sock *sk;
	struct net_device *dev;
	int skb_iif;
	struct dst_entry *dst;
	struct netlink_skb_parms cb;
	struct inet_skb_parm ip; /* IPv6 has the same */
	struct skb_shared_info shared;
	struct sk_buff *next; /* in a socket's queue */
};

#define NETLINK_CB(skb) ((skb)->cb)
#define IPCB(skb) (&(skb)->ip)
#define IP6CB(skb) IPCB(skb)
#define skb_shinfo(skb) (&(skb)->shared)
#define SKB_WITH_OVERHEAD(size) ((size) - 320UL) /* as much as a kernel of 64 bits needs */

/* An empty one with @size bytes of room, and @head of them before its data. NULL without memory. */
struct sk_buff *skb_make(unsigned int size, unsigned int head);
void kfree_skb(struct sk_buff *skb);

static inline struct sk_buff *alloc_skb(unsigned int size, gfp_t flags)
{
	(void)flags;
	return skb_make(size, 0);
}

/* Moves the packet to memory of its own, so that pointers into the old lead nowhere. 0 or -ENOMEM. */
int skb_move(struct sk_buff *skb);

/* Room for @tail bytes more at the end; its address may change. 0 or -ENOMEM. */
int pskb_expand_head(struct sk_buff *skb, int head, int tail, gfp_t flags);

static inline bool skb_is_gso(const struct sk_buff *skb)
{
	return skb->shared.gso_size;
}

static inline unsigned int skb_headlen(const struct sk_buff *skb)
{
	return skb->len;
}

static inline bool pskb_may_pull(const struct sk_buff *skb, unsigned int length)
{
	return length <= skb->len;
}

static inline int skb_ensure_writable(const struct sk_buff *skb, unsigned int length)
{
	return length <= skb->len ? 0 : -ENOMEM;
}

static inline unsigned char *skb_tail_pointer(const struct sk_buff *skb)
{
	return skb->data + skb->len;
}

static inline unsigned int skb_tailroom(const struct sk_buff *skb)
{
	return skb->room - (unsigned int)(skb->data - skb->head) - skb->len;
}

static inline void *skb_put(struct sk_buff *skb, unsigned int length)
{
	void *tail = skb_tail_pointer(skb);

	BUG_ON(length > skb_tailroom(skb));
	skb->len += length;
	return tail;
}

static inline void skb_trim(struct sk_buff *skb, unsigned int length)
{
	if (length < skb->len)
		skb->len = length;
}

static inline unsigned char *skb_network_header(const struct sk_buff *skb)
{
	return skb->head + skb->network;
}

static inline int skb_network_offset(const struct sk_buff *skb)
{
	return (int)(skb_network_header(skb) - skb->data);
}

static inline void skb_reset_network_header(struct sk_buff *skb)
{
	skb->network = (unsigned int)(skb->data - skb->head);
}

static inline int skb_checksum_start_offset(const struct sk_buff *skb)
{
	return (int)(skb->head + skb->csum_start - skb->data);
}

/* Nobody counts who holds a socket. */
static inline void skb_orphan(struct sk_buff *skb)
{
	skb->sk = NULL;
}

static inline struct dst_entry *skb_dst(const struct sk_buff *skb)
{
	return skb->dst;
}

static inline void skb_dst_set(struct sk_buff *skb, struct dst_entry *dst)
{
	skb->dst = dst;
}

static inline void skb_dst_drop(struct sk_buff *skb)
{
	skb->dst = NULL;
}

#endif
