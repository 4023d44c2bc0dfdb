/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lint_scene: the packets that rules can meet, cut into scenes in which each rule is a few boxes.
 *
 * A scene is a list, a way through the machine (which devices such packets have), a family, and a
 * kind of protocol (which fields they have). In it a rule matches what lies in its boxes and
 * nothing else: a box is a set of values for each field and a few facts. What a rule asks and no
 * field tells is a fact: the bits of the mark, whether an address is this machine's own or in a
 * dynamic set. Facts are free of each other and of the fields here, though a real packet's may not
 * be: what is proven for all of them holds for those that exist.
 *
 * Packets that no parser lets through are in no scene (core/packet.c). In a scene of live
 * connections that are judged again (core/decide.h) the fields that are not remembered match the
 * rules that allow and no others.
 */
#ifndef IPFI_SHELL_LINT_SCENE_H
#define IPFI_SHELL_LINT_SCENE_H

#include "shell/lint/rules.h"
#include "shell/lint/scale.h"
#include "shell/lint/ranges.h"

/* The fields that are numbers, those first that tell most rules apart. */
enum lint_field {
	LINT_SRC,
	LINT_DST,
	LINT_DPORT,
	LINT_SPORT,
	LINT_PROTO,
	LINT_ICMP,
	LINT_FLAGS,
	LINT_IIF, /* of a loopback device, which is both: the one device */
	LINT_OIF,
	LINT_LENGTH,
	LINT_DSCP,
	LINT_USER, /* LINT_NOBODY: without an owner */
	__LINT_FIELDS,
};

#define LINT_NOBODY UINT32_MAX

/* Facts: bits that must be as in value where mask has them. */
#define LINT_FACT_WORDS 2
#define LINT_ME_SRC 0 /* bits of word 0 */
#define LINT_ME_DST 1
#define LINT_IN_SET(number, side) (2 + 2 * (number) + (side)) /* side 0: source, 1: destination */
#define LINT_SETS_MOST 31
#define LINT_MARK 1 /* the word that is the mark */
#define LINT_IPSEC 32 /* the bit of that word above it: by IPsec */

struct lint_facts {
	u64 mask[LINT_FACT_WORDS], value[LINT_FACT_WORDS];
};

struct lint_box {
	u32 rule;   /* its place among lint_rules */
	u32 narrow; /* mask of the columns in which it is less than the scene */
	bool sure;  /* what lies in it matches; not so when the rule has a limit */
	struct lint_facts facts;
	struct lint_set in[]; /* by column */
};

/* Kinds of protocols, by what their packets have; those up to LINT_PORTS have ports. */
enum lint_kind {
	LINT_TCP,
	LINT_UDP,
	LINT_LITE,    /* UDP-Lite */
	LINT_PORTS,   /* SCTP and DCCP */
	LINT_MESSAGE, /* ICMP and ICMPv6: queries, replies, signals */
	LINT_ERROR,   /* ICMP and ICMPv6: what speaks of another packet */
	LINT_OTHER,
	__LINT_KINDS,
};

struct lint_index;

struct lint_scene {
	u8 list; /* enum ipfi_list */
	u8 family, kind;
	bool iif, oif;	 /* what devices its packets have */
	bool loopback;	 /* one that is both */
	bool again;	 /* live connections, judged again */
	bool neighbours; /* what IPv6 needs to live is among its packets, and passes by the defaults
			  */
	struct lint_set base[__LINT_FIELDS]; /* all there is */
	u8 columns, field[__LINT_FIELDS];    /* the fields that rules of the list ask */
	u32 count;			     /* of boxes */
	size_t stride;
	unsigned char *boxes;	     /* in the order of the rules; see lint_scene_box() */
	struct lint_index *index[2]; /* see lint_index.h */
	u8 indexes;
	u32 *first; /* [rule] the first box of it or of those behind it; [rules] is count */
};

struct lint_world {
	struct lint_rules rules;
	struct lint_addr_scale addrs;
	struct lint_name_scale names;
	bool *vague; /* [rule]: asks more dynamic sets than there are facts for; nothing can be said
		      */
	bool any_vague;
	struct lint_scene *scenes;
	u32 scene_count;
};

static inline struct lint_box *lint_scene_box(const struct lint_scene *scene, u32 i)
{
	return (struct lint_box *)(scene->boxes + i * scene->stride);
}

/* Reads the rules of the messages in @bytes and makes their scenes, all in @arena. See
 * lint_rules_read(). */
bool lint_world_read(struct lint_arena *arena, const void *bytes, size_t len,
		     struct lint_world *world, struct wire_error *error);

/* Is there a packet for which @rule's @fields, some of those it has, all hold? */
bool lint_world_has_packets(struct lint_arena *arena, const struct lint_world *world,
			    const struct ipfi_rule *rule, u32 fields);

#endif
