// SPDX-License-Identifier: GPL-2.0-or-later
/* lint_base: which packets there are in a scene. See lint_scene.h. */
#include "module/core/tcp.h"
#include "shell/lint/build.h"

/* Kinds: the least ports (RFC 768 lets a UDP source have none) and bytes behind the IP header. */
static const struct {
	u8 sport, dport, header;
} kinds[] = {
	[LINT_TCP] = { 1, 1, 20 },	  [LINT_UDP] = { 0, 1, 8 },
	[LINT_LITE] = { 0, 1, 8 },	  [LINT_PORTS] = { 1, 1, 12 },
	[LINT_MESSAGE] = { .header = 8 }, [LINT_ERROR] = { .header = 8 },
	[LINT_OTHER] = { .header = 0 },
};

#define IP_HEADER(family) ((family) == 4 ? 20U : 40U)

/* Asks the parser itself which kind each ICMP type is; one that needs a quoted packet is an error.
 */
void lint_learn_icmp(struct lint_builder *b)
{
	static const u8 ipv4[] = { 0x45, 0, 0, 28, 0, 0, 0, 0, 64, IPFI_PROTO_ICMP };
	static const u8 ipv6[] = { 0x60, 0, 0, 0, 0, 8, IPFI_PROTO_ICMPV6, 64 };
	struct ipfi_packet packet;
	u8 bytes[40 + 8];

	for (int six = 0; six < 2; six++) {
		u32 header = six ? 40 : 20;

		memset(bytes, 0, sizeof(bytes));
		memcpy(bytes, six ? ipv6 : ipv4, six ? sizeof(ipv6) : sizeof(ipv4));
		for (u32 type = 0; type < 256; type++) {
			bytes[header] = (u8)type;
			b->icmp_kind[six][type] =
				ipfi_packet_parse(&packet, bytes, header + 8, header + 8, false)
					? IPFI_ICMP_ERROR
					: packet.icmp_kind;
		}
	}
}

static bool icmp_is_here(const struct lint_builder *b, const struct lint_scene *scene, u32 type)
{
	u8 kind = b->icmp_kind[scene->family == 6][type];

	if (scene->kind == LINT_ERROR)
		return kind == IPFI_ICMP_ERROR;
	/* A destination is translated for what opens a connection, a source also for an answer. */
	if (scene->again || scene->list == IPFI_LIST_DSTNAT)
		return kind == IPFI_ICMP_QUERY;
	if (scene->list == IPFI_LIST_SRCNAT)
		return kind == IPFI_ICMP_QUERY || kind == IPFI_ICMP_REPLY;
	return kind != IPFI_ICMP_ERROR;
}

static bool flags_are_here(const struct lint_scene *scene, u8 flags)
{
	if (scene->again)
		return flags == IPFI_TCP_SYN || flags == IPFI_TCP_ACK;
	if (scene->list == IPFI_LIST_DSTNAT && flags & IPFI_TCP_RST)
		return false;
	return !ipfi_tcp_flags_bad(flags);
}

/* IPv6 extension headers: the parser goes on behind them. */
static bool is_extension(u32 proto)
{
	return proto == 0 || proto == 43 || proto == 44 || proto == 51 || proto == 60;
}

static enum lint_kind kind_of(u8 family, u32 proto)
{
	switch (proto) {
	case IPFI_PROTO_TCP:
		return LINT_TCP;
	case IPFI_PROTO_UDP:
		return LINT_UDP;
	case IPFI_PROTO_UDPLITE:
		return LINT_LITE;
	case IPFI_PROTO_SCTP:
	case IPFI_PROTO_DCCP:
		return LINT_PORTS;
	}
	return proto == (family == 4 ? IPFI_PROTO_ICMP : IPFI_PROTO_ICMPV6) ? LINT_MESSAGE
									    : LINT_OTHER;
}

static bool proto_is_here(const struct lint_scene *scene, u32 proto)
{
	enum lint_kind kind = kind_of(scene->family, proto);

	if (scene->family == 6 && is_extension(proto))
		return false;
	return kind == scene->kind || (kind == LINT_MESSAGE && scene->kind == LINT_ERROR);
}

static void set_small_bases(struct lint_builder *b, struct lint_scene *scene)
{
	struct lint_collection proto = lint_collection(b, 256), icmp = lint_collection(b, 256);
	struct lint_collection flags = lint_collection(b, 256);

	for (u32 i = 0; i < 256; i++) {
		if (proto_is_here(scene, i))
			lint_collect(&proto, i, i);
		if (lint_is_icmp(scene) && icmp_is_here(b, scene, i))
			/* A live connection remembers the type of what opened it. */
			lint_collect(&icmp, i << 8, i << 8 | (scene->again ? 0 : 255));
		if (scene->kind == LINT_TCP && flags_are_here(scene, (u8)i))
			lint_collect(&flags, i, i);
	}
	lint_finish(b, &scene->base[LINT_PROTO], &proto);
	lint_finish(b, &scene->base[LINT_ICMP], &icmp);
	lint_finish(b, &scene->base[LINT_FLAGS], &flags);
}

/* Nobody sends from a multicast address, or from the broadcast address (core/packet.c). */
static void set_source_base(struct lint_builder *b, struct lint_scene *scene)
{
	static const struct ipfi_addr multicast = { { 0xff000000, 0, 0, 0 } };
	struct lint_collection src = lint_collection(b, 2);

	if (scene->family == 4) {
		lint_collect(&src, 0, 0xdfffffff);
		lint_collect(&src, 0xf0000000, 0xfffffffe);
	} else {
		lint_collect(&src, 0, lint_addr_step(&b->world->addrs, &multicast) - 1);
	}
	lint_finish(b, &scene->base[LINT_SRC], &src);
}

void lint_set_bases(struct lint_builder *b, struct lint_scene *scene)
{
	const struct lint_world *world = b->world;
	u32 least = IP_HEADER(scene->family) + kinds[scene->kind].header;
	struct lint_set *base = scene->base;

	/* An error quotes an IP header at least. */
	if (scene->kind == LINT_ERROR)
		least += IP_HEADER(scene->family);
	set_small_bases(b, scene);
	set_source_base(b, scene);
	lint_set_range(b->arena, &base[LINT_DST], 0,
		       scene->family == 4 ? UINT32_MAX : world->addrs.count - 1);
	lint_set_range(b->arena, &base[LINT_SPORT], kinds[scene->kind].sport, UINT16_MAX);
	lint_set_range(b->arena, &base[LINT_DPORT], kinds[scene->kind].dport, UINT16_MAX);
	lint_set_range(b->arena, &base[LINT_IIF], 0, world->names.count - 1);
	lint_set_range(b->arena, &base[LINT_OIF], 0, world->names.count - 1);
	/* An aggregate may be longer than any packet of the wire. */
	lint_set_range(b->arena, &base[LINT_LENGTH], least, UINT32_MAX);
	lint_set_range(b->arena, &base[LINT_DSCP], 0, 63);
	lint_set_range(b->arena, &base[LINT_USER], 0, UINT32_MAX);
}
