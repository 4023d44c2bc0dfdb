// SPDX-License-Identifier: GPL-2.0-or-later
/* lint_rules: from messages to rules. See lint_rules.h. */
#include "shell/lint/rules.h"

/* How deep the walk is. */
#define DEPTH_RULE 1
#define DEPTH_FIELD 2
#define DEPTH_RANGE 3

/* Fields that are ranges of numbers, and those that are addresses: X(ATTR = FIELD, member). */
#define RANGE_FIELDS(X)   \
	X(PROTO, proto)   \
	X(SPORT, sport)   \
	X(DPORT, dport)   \
	X(ICMP, icmp)     \
	X(LENGTH, length) \
	X(DSCP, dscp)     \
	X(USER, user)
#define ADDRESS_FIELDS(X) \
	X(SRC, src)       \
	X(DST, dst)
/* The others that select packets, by the attribute that says that they are there: X(ATTR, FIELD).
 */
#define OTHER_FIELDS(X)        \
	X(FAMILY, FAMILY)      \
	X(IIF, IIF)            \
	X(OIF, OIF)            \
	X(TCP_MASK, TCP_FLAGS) \
	X(MARK_VALUE, MARK)    \
	X(LIMIT_COUNT, LIMIT)  \
	X(PER_SOURCE, PER_SOURCE) \
	X(IPSEC, IPSEC)

struct reader {
	struct lint_arena *arena;
	struct lint_rules *rules;
	const struct schema_nest *nest; /* of a rule */
	struct ipfi_rule *rule;
	unsigned int depth;

	/* The nest that is open at DEPTH_FIELD, and what it has so far. */
	unsigned int attr; /* enum ipfi_rule_attr */
	struct ipfi_ranges *ranges;
	struct ipfi_addrs *addrs;
	struct ipfi_range *range;
	struct ipfi_addr_range *v4, *v6;
	const void **sets;

	/* The range of addresses that is open at DEPTH_RANGE. */
	struct ipfi_addr_range addr;
	bool is_v6, has_to;
};

static const char *copy_text(struct reader *r, const struct wire_value *value)
{
	char *text = lint_alloc(r->arena, value->len + 1);

	memcpy(text, value->data, value->len);
	text[value->len] = '\0';
	return text;
}

/* The dynamic set of that name. */
static const struct lint_dynamic *dynamic(struct reader *r, const struct wire_value *value)
{
	struct lint_rules *rules = r->rules;
	const char *name = copy_text(r, value);
	struct lint_dynamic *one;

	for (u32 i = 0; i < rules->set_count; i++)
		if (strcmp(rules->sets[i]->name, name) == 0)
			return rules->sets[i];
	one = lint_alloc(r->arena, sizeof(*one));
	*one = (struct lint_dynamic){ .name = name, .number = rules->set_count };
	/* The list doubles whenever its length is a power of two. */
	if ((rules->set_count & (rules->set_count - 1)) == 0) {
		const struct lint_dynamic **more =
			lint_alloc(r->arena, (2 * rules->set_count + 1) * sizeof(*more));

		if (rules->set_count)
			memcpy(more, rules->sets, rules->set_count * sizeof(*more));
		rules->sets = more;
	}
	rules->sets[rules->set_count++] = one;
	return one;
}

/* What the nest of a field is read into; NULLs for one that selects nothing. */
static void find_field(struct reader *r)
{
	r->ranges = NULL;
	r->addrs = NULL;
	switch (r->attr) {
#define X(id, member)                                               \
	case IPFI_RULE_A_##id:                                      \
		r->ranges = &r->rule->member;                       \
		r->rule->fields |= IPFI_FIELD_BIT(IPFI_FIELD_##id); \
		break;
		RANGE_FIELDS(X)
#undef X
#define X(id, member)                                               \
	case IPFI_RULE_A_##id:                                      \
		r->addrs = &r->rule->member;                        \
		r->rule->fields |= IPFI_FIELD_BIT(IPFI_FIELD_##id); \
		break;
		ADDRESS_FIELDS(X)
#undef X
	}
}

static void open_nest(void *context, const struct schema_attr *attr, size_t count)
{
	struct reader *r = context;

	r->depth++;
	if (r->depth == DEPTH_FIELD) {
		r->attr = (unsigned int)(attr - r->nest->attrs);
		find_field(r);
		if (r->ranges) {
			r->range = lint_zalloc(r->arena, count, sizeof(*r->range));
		} else if (r->addrs) {
			r->v4 = lint_zalloc(r->arena, count, sizeof(*r->v4));
			r->v6 = lint_zalloc(r->arena, count, sizeof(*r->v6));
			r->sets = lint_zalloc(r->arena, count, sizeof(*r->sets));
		}
	} else if (r->depth == DEPTH_RANGE) {
		r->has_to = false;
	}
}

static void close_range(struct reader *r)
{
	if (r->ranges) {
		struct ipfi_range *range = &r->range[r->ranges->count++];

		if (!r->has_to)
			range->to = range->from;
	} else if (r->addrs) {
		if (!r->has_to)
			r->addr.to = r->addr.from;
		if (r->is_v6)
			r->v6[r->addrs->v6_count++] = r->addr;
		else
			r->v4[r->addrs->v4_count++] = r->addr;
	}
}

static void close_nest(void *context, const struct schema_attr *attr)
{
	struct reader *r = context;

	(void)attr;
	if (r->depth == DEPTH_RANGE) {
		close_range(r);
	} else if (r->depth == DEPTH_FIELD && r->ranges) {
		r->ranges->at = r->range;
	} else if (r->depth == DEPTH_FIELD && r->addrs) {
		r->addrs->v4 = r->v4;
		r->addrs->v6 = r->v6;
		r->addrs->sets = r->sets;
	}
	r->depth--;
}

static void take_device(char name[IPFI_DEVICE_LEN], const struct wire_value *value)
{
	size_t len = value->len < IPFI_DEVICE_LEN - 1 ? value->len : IPFI_DEVICE_LEN - 1;

	memcpy(name, value->data, len);
}

static void take_attr(struct reader *r, unsigned int attr, const struct wire_value *value)
{
	struct ipfi_rule *rule = r->rule;

	switch (attr) {
#define X(id, field)                                                \
	case IPFI_RULE_A_##id:                                      \
		rule->fields |= IPFI_FIELD_BIT(IPFI_FIELD_##field); \
		break;
		OTHER_FIELDS(X)
#undef X
	}
	switch (attr) {
	case IPFI_RULE_A_NAME:
		rule->name = copy_text(r, value);
		break;
	case IPFI_RULE_A_LISTS:
		rule->lists = (u8)value->number;
		break;
	case IPFI_RULE_A_VERDICT:
		rule->verdict = (u8)value->number;
		break;
	case IPFI_RULE_A_NEGATED:
		rule->negated = (u32)value->number;
		break;
	case IPFI_RULE_A_FAMILY:
		rule->family = (u8)value->number;
		break;
	case IPFI_RULE_A_IPSEC:
		rule->ipsec = (u8)value->number;
		break;
	case IPFI_RULE_A_IIF:
		take_device(rule->iif, value);
		break;
	case IPFI_RULE_A_OIF:
		take_device(rule->oif, value);
		break;
	case IPFI_RULE_A_TCP_MASK:
		rule->tcp_mask = (u8)value->number;
		break;
	case IPFI_RULE_A_TCP_VALUE:
		rule->tcp_value = (u8)value->number;
		break;
	case IPFI_RULE_A_MARK_VALUE:
		rule->mark_value = (u32)value->number;
		break;
	case IPFI_RULE_A_MARK_MASK:
		rule->mark_mask = (u32)value->number;
		break;
	case IPFI_RULE_A_PER_SOURCE:
		rule->per_source = (u32)value->number;
		break;
	}
}

static void take_addr(struct reader *r, const struct wire_value *value, struct ipfi_addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	for (size_t i = 0; i < value->len / 4; i++)
		addr->w[i] = ipfi_get32(value->data + 4 * i);
	r->is_v6 = value->len == 16;
}

static void take_range(struct reader *r, const struct schema_attr *attr,
		       const struct wire_value *value)
{
	bool to = strcmp(attr->name, "to") == 0;

	r->has_to |= to;
	if (r->ranges) {
		struct ipfi_range *range = &r->range[r->ranges->count];

		*(to ? &range->to : &range->from) = (u32)value->number;
	} else if (r->addrs) {
		take_addr(r, value, to ? &r->addr.to : &r->addr.from);
	}
}

static void take_value(void *context, const struct schema_attr *attr,
		       const struct wire_value *value)
{
	struct reader *r = context;

	if (r->depth == DEPTH_RULE) {
		take_attr(r, (unsigned int)(attr - r->nest->attrs), value);
	} else if (r->depth == DEPTH_RANGE) {
		take_range(r, attr, value);
	} else if (r->depth == DEPTH_FIELD && r->addrs) {
		if (attr->type == SCHEMA_FLAG)
			r->addrs->me = true;
		else
			r->sets[r->addrs->set_count++] = dynamic(r, value);
	}
}

static bool is_rule(const struct wire_message *message, const uint8_t **attrs, size_t *len,
		    struct wire_error *error)
{
	struct genlmsghdr command;

	return wire_command(message, &command, attrs, len, error) &&
	       command.cmd == IPFI_CMD_RULE_ADD;
}

static bool count_rules(const void *bytes, size_t len, u32 *count, struct wire_error *error)
{
	struct wire_message message;
	const uint8_t *attrs;
	size_t offset = 0, attrs_len;
	int got;

	*count = 0;
	while ((got = wire_next(bytes, len, &offset, &message, error)) > 0)
		if (is_rule(&message, &attrs, &attrs_len, error))
			++*count;
	return got == 0;
}

bool lint_rules_read(struct lint_arena *arena, const void *bytes, size_t len,
		     struct lint_rules *rules, struct wire_error *error)
{
	static const struct wire_visitor visitor = { open_nest, close_nest, take_value };
	const struct schema_nest *top = schema_ipfi.top;
	struct reader r = {
		.arena = arena,
		.rules = rules,
		.nest = schema_attr(top, IPFI_A_RULE)->nest,
	};
	struct wire_message message;
	const uint8_t *attrs;
	size_t offset = 0, attrs_len;
	u32 count;

	memset(rules, 0, sizeof(*rules));
	if (!count_rules(bytes, len, &count, error))
		return false;
	rules->at = lint_zalloc(arena, count, sizeof(*rules->at));
	while (wire_next(bytes, len, &offset, &message, error) > 0) {
		if (!is_rule(&message, &attrs, &attrs_len, error))
			continue;
		r.rule = &rules->at[rules->count];
		r.rule->name = "";
		r.rule->mark_mask = UINT32_MAX;
		r.rule->index = rules->count++;
		if (!wire_walk(top, attrs, attrs_len, message.offset, &visitor, &r, error))
			return false;
		r.rule->id = ipfi_rule_id(r.rule->name, strlen(r.rule->name));
	}
	return true;
}
