// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * wire: see wire.h. The format is that of linux/netlink.h: messages and attributes start at
 * multiples of 4 bytes, lengths count the header and not the padding. Bytes may lie anywhere in
 * memory, so every header is copied before it is read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shell/netlink/wire.h"

static bool malformed(struct wire_error *error, size_t offset, const char *why)
{
	error->offset = offset;
	error->why = why;
	return false;
}

int wire_next(const void *data, size_t len, size_t *offset, struct wire_message *message,
	      struct wire_error *error)
{
	const uint8_t *bytes = data;
	size_t left, padded;

	if (*offset >= len)
		return 0;
	left = len - *offset;
	message->offset = *offset;
	if (left < sizeof(message->header)) {
		malformed(error, *offset, "too short for a message header");
		return -1;
	}
	memcpy(&message->header, bytes + *offset, sizeof(message->header));
	if (message->header.nlmsg_len < NLMSG_HDRLEN) {
		malformed(error, *offset, "a message length below that of its header");
		return -1;
	}
	if (message->header.nlmsg_len > left) {
		malformed(error, *offset, "a message longer than the bytes there are");
		return -1;
	}
	message->payload = bytes + *offset + NLMSG_HDRLEN;
	message->payload_len = message->header.nlmsg_len - NLMSG_HDRLEN;
	/* The padding of the last message may be missing. */
	padded = NLMSG_ALIGN((size_t)message->header.nlmsg_len);
	*offset += padded < left ? padded : left;
	return 1;
}

bool wire_command(const struct wire_message *message, struct genlmsghdr *command,
		  const uint8_t **attrs, size_t *attrs_len, struct wire_error *error)
{
	if (message->payload_len < GENL_HDRLEN)
		return malformed(error, message->offset, "too short for a generic netlink header");
	memcpy(command, message->payload, sizeof(*command));
	*attrs = message->payload + GENL_HDRLEN;
	*attrs_len = message->payload_len - GENL_HDRLEN;
	return true;
}

/* One attribute of a run of them. */
struct attribute {
	unsigned int number;
	const uint8_t *data;
	size_t len;
	size_t offset; /* of its header, from the start of the run */
};

/* The attribute at *offset; moves *offset behind it. Returns 1, 0 at the end, or -1 and why. */
static int next_attribute(const uint8_t *data, size_t len, size_t *offset,
			  struct attribute *attribute, struct wire_error *error)
{
	struct nlattr header;
	size_t left, padded;

	if (*offset >= len)
		return 0;
	left = len - *offset;
	if (left < NLA_HDRLEN) {
		malformed(error, *offset, "too short for an attribute header");
		return -1;
	}
	memcpy(&header, data + *offset, sizeof(header));
	if (header.nla_len < NLA_HDRLEN) {
		malformed(error, *offset, "an attribute length below that of its header");
		return -1;
	}
	if (header.nla_len > left) {
		malformed(error, *offset, "an attribute longer than what holds it");
		return -1;
	}
	attribute->number = header.nla_type & NLA_TYPE_MASK;
	attribute->data = data + *offset + NLA_HDRLEN;
	attribute->len = header.nla_len - NLA_HDRLEN;
	attribute->offset = *offset;
	padded = NLA_ALIGN((size_t)header.nla_len);
	*offset += padded < left ? padded : left;
	return 1;
}

static uint64_t read_number(const uint8_t *data, size_t width)
{
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;

	switch (width) {
	case 1:
		return data[0];
	case 2:
		memcpy(&u16, data, sizeof(u16));
		return u16;
	case 4:
		memcpy(&u32, data, sizeof(u32));
		return u32;
	default:
		memcpy(&u64, data, sizeof(u64));
		return u64;
	}
}

/* The value of an attribute that is no nest, or why it is none. */
static const char *read_value(const struct schema_attr *attr, const struct attribute *attribute,
			      struct wire_value *value)
{
	size_t width = schema_width(attr->type);
	const uint8_t *nul;

	value->data = attribute->data;
	value->len = attribute->len;
	if (width) {
		if (attribute->len != width)
			return "a number of the wrong size";
		value->number = read_number(attribute->data, width);
		return NULL;
	}
	switch (attr->type) {
	case SCHEMA_ADDRESS:
		if (attribute->len != 4 && attribute->len != 16)
			return "an address that has neither 4 nor 16 bytes";
		return NULL;
	case SCHEMA_STRING:
		nul = attribute->len ? memchr(attribute->data, '\0', attribute->len) : NULL;
		if (!nul)
			return "a string without its end";
		value->len = (size_t)(nul - attribute->data);
		return NULL;
	case SCHEMA_FLAG:
		return attribute->len ? "a flag with a value" : NULL;
	default:
		return NULL;
	}
}

/* How many attributes there are before the first that is malformed. */
static size_t count_attributes(const struct attribute *nest)
{
	struct wire_error error;
	struct attribute attribute;
	size_t offset = 0, count = 0;

	while (next_attribute(nest->data, nest->len, &offset, &attribute, &error) > 0)
		count++;
	return count;
}

static bool walk(const struct schema_nest *nest, const uint8_t *data, size_t len, size_t base,
		 unsigned int depth, const struct wire_visitor *visitor, void *context,
		 struct wire_error *error)
{
	struct attribute attribute;
	struct wire_value value;
	size_t offset = 0;
	int got;

	while ((got = next_attribute(data, len, &offset, &attribute, error)) > 0) {
		const struct schema_attr *attr = schema_attr(nest, attribute.number);
		size_t at = base + attribute.offset;
		const char *why;

		if (!attr)
			continue;
		if (attr->type == SCHEMA_NEST) {
			if (depth == SCHEMA_DEPTH)
				return malformed(error, at, "nests too deep");
			visitor->open(context, attr, count_attributes(&attribute));
			if (!walk(attr->nest, attribute.data, attribute.len, at + NLA_HDRLEN,
				  depth + 1, visitor, context, error))
				return false;
			visitor->close(context, attr);
			continue;
		}
		why = read_value(attr, &attribute, &value);
		if (why)
			return malformed(error, at, why);
		visitor->value(context, attr, &value);
	}
	if (got < 0)
		error->offset += base;
	return got == 0;
}

bool wire_walk(const struct schema_nest *nest, const uint8_t *data, size_t len, size_t offset,
	       const struct wire_visitor *visitor, void *context, struct wire_error *error)
{
	return walk(nest, data, len, offset, 1, visitor, context, error);
}

/* Acknowledgements */

/*
 * Where the attributes of an acknowledgement start: behind the error and the header or copy of the
 * request.
 */
static bool ack_attributes(const struct wire_message *message, size_t *start,
			   struct wire_error *error)
{
	struct nlmsgerr copy;

	if (message->header.nlmsg_type == NLMSG_DONE) {
		*start = NLMSG_ALIGN(sizeof(int));
		return true;
	}
	if (message->payload_len < sizeof(copy))
		return malformed(error, message->offset, "too short for an acknowledgement");
	*start = sizeof(copy);
	if (message->header.nlmsg_flags & NLM_F_CAPPED)
		return true;
	memcpy(&copy, message->payload, sizeof(copy));
	if (copy.msg.nlmsg_len < NLMSG_HDRLEN || copy.msg.nlmsg_len > message->payload_len)
		return malformed(error, message->offset,
				 "an acknowledgement of a message longer than itself");
	*start += NLMSG_ALIGN((size_t)copy.msg.nlmsg_len) - NLMSG_HDRLEN;
	return true;
}

static bool read_u32(const struct attribute *attribute, uint32_t *value)
{
	if (attribute->len != sizeof(*value))
		return false;
	*value = (uint32_t)read_number(attribute->data, sizeof(*value));
	return true;
}

bool wire_ack(const struct wire_message *message, struct wire_ack *ack, struct wire_error *error)
{
	struct attribute attribute;
	const uint8_t *nul;
	size_t start, len, offset = 0;
	int got;

	memset(ack, 0, sizeof(*ack));
	if (message->payload_len < sizeof(ack->error)) {
		/* The end of a dump may be bare. */
		if (message->header.nlmsg_type == NLMSG_DONE)
			return true;
		return malformed(error, message->offset, "too short for an acknowledgement");
	}
	memcpy(&ack->error, message->payload, sizeof(ack->error));
	if (!(message->header.nlmsg_flags & NLM_F_ACK_TLVS))
		return true;
	if (!ack_attributes(message, &start, error))
		return false;
	if (start >= message->payload_len)
		return true;
	len = message->payload_len - start;
	while ((got = next_attribute(message->payload + start, len, &offset, &attribute, error)) >
	       0) {
		switch (attribute.number) {
		case NLMSGERR_ATTR_MSG:
			ack->text = (const char *)attribute.data;
			nul = attribute.len ? memchr(attribute.data, '\0', attribute.len) : NULL;
			ack->text_len = nul ? (size_t)(nul - attribute.data) : attribute.len;
			break;
		case NLMSGERR_ATTR_OFFS:
			ack->has_offset = read_u32(&attribute, &ack->offset);
			break;
		case NLMSGERR_ATTR_MISS_TYPE:
			ack->has_missing = read_u32(&attribute, &ack->missing);
			break;
		case NLMSGERR_ATTR_MISS_NEST:
			read_u32(&attribute, &ack->missing_nest);
			break;
		}
	}
	if (got < 0)
		error->offset += message->offset + NLMSG_HDRLEN + start;
	return got == 0;
}

/*
 * Appends a name, and for one of an array its place (from 1), to a path of len bytes; returns the
 * new length.
 */
static size_t path_add(char path[WIRE_PATH_LEN], size_t len, const struct schema_nest *nest,
		       const struct schema_attr *attr, unsigned int place)
{
	int n;

	if (nest->shape != SCHEMA_STRUCT)
		n = snprintf(path + len, WIRE_PATH_LEN - len, "[%u]", place);
	else if (attr->repeated)
		n = snprintf(path + len, WIRE_PATH_LEN - len, "%s%s[%u]", len ? "." : "",
			     attr->name, place);
	else
		n = snprintf(path + len, WIRE_PATH_LEN - len, "%s%s", len ? "." : "", attr->name);
	if (n < 0 || (size_t)n >= WIRE_PATH_LEN - len)
		return WIRE_PATH_LEN - 1;
	return len + (size_t)n;
}

/*
 * Goes down to the attribute whose bytes include target, an offset from data. Writes the path;
 * *found becomes the nest reached, when it is one. Returns false when no known attribute is there.
 */
static bool find_path(const struct schema_nest *nest, const uint8_t *data, size_t len,
		      size_t target, char path[WIRE_PATH_LEN], size_t *path_len,
		      const struct schema_nest **found)
{
	struct wire_error error;
	struct attribute attribute;
	size_t offset = 0;
	unsigned int place = 0;

	while (next_attribute(data, len, &offset, &attribute, &error) > 0) {
		const struct schema_attr *attr = schema_attr(nest, attribute.number);

		if (attr && (attr->repeated || nest->shape == SCHEMA_INDEXED))
			place++;
		if (target >= offset)
			continue;
		if (!attr)
			return false;
		*path_len = path_add(path, *path_len, nest, attr, place);
		*found = attr->type == SCHEMA_NEST ? attr->nest : NULL;
		if (attr->type == SCHEMA_NEST && target >= attribute.offset + NLA_HDRLEN)
			find_path(attr->nest, attribute.data, attribute.len,
				  target - attribute.offset - NLA_HDRLEN, path, path_len, found);
		return true;
	}
	return false;
}

bool wire_ack_path(const struct schema_family *family, const void *request, size_t len,
		   const struct wire_ack *ack, char path[WIRE_PATH_LEN])
{
	const size_t start = NLMSG_HDRLEN + GENL_HDRLEN;
	const struct schema_nest *nest = family->top;
	const struct schema_attr *attr;
	uint32_t target = ack->has_missing ? ack->missing_nest : ack->offset;
	size_t path_len = 0;

	path[0] = '\0';
	if ((!ack->has_offset && !ack->has_missing) || len < start)
		return false;
	if (target != 0 || !ack->has_missing) {
		if (target < start ||
		    !find_path(nest, (const uint8_t *)request + start, len - start, target - start,
			       path, &path_len, &nest))
			return false;
	}
	if (!ack->has_missing)
		return true;
	attr = nest ? schema_attr(nest, ack->missing) : NULL;
	if (!attr)
		return path_len > 0;
	path_add(path, path_len, nest, attr, 1);
	return true;
}

/* Writing */

void wire_free(struct wire_buffer *buffer)
{
	free(buffer->data);
	memset(buffer, 0, sizeof(*buffer));
}

/* Room for len more bytes, zeroed, or NULL. */
static uint8_t *append(struct wire_buffer *buffer, size_t len)
{
	uint8_t *at;

	if (buffer->failed)
		return NULL;
	if (len > buffer->size - buffer->len) {
		size_t size = buffer->size ? buffer->size : 512;
		uint8_t *data;

		while (size - buffer->len < len) {
			if (size > SIZE_MAX / 2) {
				buffer->failed = true;
				return NULL;
			}
			size *= 2;
		}
		data = realloc(buffer->data, size);
		if (!data) {
			buffer->failed = true;
			return NULL;
		}
		buffer->data = data;
		buffer->size = size;
	}
	at = buffer->data + buffer->len;
	memset(at, 0, len);
	buffer->len += len;
	return at;
}

size_t wire_begin(struct wire_buffer *buffer, uint16_t type, uint16_t flags, uint8_t command,
		  uint8_t version)
{
	const struct nlmsghdr header = { .nlmsg_type = type, .nlmsg_flags = flags | NLM_F_REQUEST };
	const struct genlmsghdr generic = { .cmd = command, .version = version };
	size_t offset = buffer->len;
	uint8_t *at = append(buffer, NLMSG_HDRLEN + GENL_HDRLEN);

	if (at) {
		memcpy(at, &header, sizeof(header));
		memcpy(at + NLMSG_HDRLEN, &generic, sizeof(generic));
	}
	return offset;
}

void wire_end(struct wire_buffer *buffer, size_t offset)
{
	uint32_t len = (uint32_t)(buffer->len - offset);

	if (!buffer->failed)
		memcpy(buffer->data + offset + offsetof(struct nlmsghdr, nlmsg_len), &len,
		       sizeof(len));
}

void wire_address(struct wire_buffer *buffer, size_t offset, uint16_t type, uint16_t flags,
		  uint32_t seq)
{
	struct nlmsghdr header;

	if (buffer->failed)
		return;
	memcpy(&header, buffer->data + offset, sizeof(header));
	header.nlmsg_type = type;
	header.nlmsg_flags |= flags;
	header.nlmsg_seq = seq;
	header.nlmsg_pid = 0;
	memcpy(buffer->data + offset, &header, sizeof(header));
}

size_t wire_copy(struct wire_buffer *buffer, const struct wire_message *message)
{
	size_t offset = buffer->len;
	uint8_t *at = append(buffer, NLMSG_HDRLEN + NLMSG_ALIGN(message->payload_len));

	if (at) {
		memcpy(at, &message->header, sizeof(message->header));
		if (message->payload_len)
			memcpy(at + NLMSG_HDRLEN, message->payload, message->payload_len);
	}
	return offset;
}

void wire_put(struct wire_buffer *buffer, uint16_t number, const void *data, size_t len)
{
	const struct nlattr header = { .nla_len = (uint16_t)(NLA_HDRLEN + len),
				       .nla_type = number };
	uint8_t *at = append(buffer, NLA_HDRLEN + NLA_ALIGN(len));

	if (at) {
		memcpy(at, &header, sizeof(header));
		if (len)
			memcpy(at + NLA_HDRLEN, data, len);
	}
}

void wire_put_number(struct wire_buffer *buffer, uint16_t number, uint64_t value, size_t width)
{
	const uint8_t u8 = (uint8_t)value;
	const uint16_t u16 = (uint16_t)value;
	const uint32_t u32 = (uint32_t)value;

	switch (width) {
	case 1:
		wire_put(buffer, number, &u8, width);
		break;
	case 2:
		wire_put(buffer, number, &u16, width);
		break;
	case 4:
		wire_put(buffer, number, &u32, width);
		break;
	default:
		wire_put(buffer, number, &value, sizeof(value));
		break;
	}
}

size_t wire_open(struct wire_buffer *buffer, uint16_t number)
{
	size_t offset = buffer->len;

	wire_put(buffer, number | NLA_F_NESTED, NULL, 0);
	return offset;
}

bool wire_close(struct wire_buffer *buffer, size_t offset)
{
	size_t len = buffer->len - offset;
	uint16_t nla_len = (uint16_t)len;

	if (buffer->failed)
		return true;
	if (len > UINT16_MAX)
		return false;
	memcpy(buffer->data + offset, &nla_len, sizeof(nla_len));
	return true;
}
