// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/skbuff.h>

struct sk_buff *skb_make(unsigned int size, unsigned int head)
{
	struct sk_buff *skb = calloc(1, sizeof(*skb));

	if (!skb)
		return NULL;
	skb->room = head + size;
	skb->head = malloc(skb->room ? skb->room : 1);
	if (!skb->head) {
		free(skb);
		return NULL;
	}
	skb->data = skb->head + head;
	return skb;
}

void kfree_skb(struct sk_buff *skb)
{
	if (!skb)
		return;
	free(skb->head);
	free(skb);
}

int skb_move(struct sk_buff *skb)
{
	const size_t before = (size_t)(skb->data - skb->head);
	unsigned char *moved = malloc(skb->room ? skb->room : 1);

	if (!moved)
		return -ENOMEM;
	memcpy(moved, skb->head, skb->room);
	free(skb->head);
	skb->head = moved;
	skb->data = moved + before;
	return 0;
}

int pskb_expand_head(struct sk_buff *skb, int head, int tail, gfp_t flags)
{
	const size_t before = (size_t)(skb->data - skb->head);
	unsigned char *moved;

	(void)flags;
	BUG_ON(head || tail < 0);
	moved = realloc(skb->head, skb->room + (size_t)tail);
	if (!moved)
		return -ENOMEM;
	skb->head = moved;
	skb->data = moved + before;
	skb->room += (unsigned int)tail;
	return 0;
}
