/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire: generic netlink messages as bytes, read and written by a schema. Knows nothing of Lua or
 * sockets.
 *
 * Reading is done by a walk that checks every length before it hands a value to a visitor, so that
 * a visitor sees only whole values of the right size. Attributes that the schema does not know are
 * skipped: a newer module may send more than this program knows. Writing appends to a buffer that
 * grows. Neither side keeps a pointer into the other's memory.
 */
#ifndef IPFI_SHELL_WIRE_H
#define IPFI_SHELL_WIRE_H

#include <linux/genetlink.h>
#include <linux/netlink.h>

#include "shell/netlink/schema.h"

/* Most bytes that a nest can hold: nla_len is 16 bits wide and counts the header. */
#define WIRE_NEST_MOST (UINT16_MAX - NLA_HDRLEN)

/* Longest path in an error, as "rule.dport[2].from". */
#define WIRE_PATH_LEN 128

/* Where and why bytes are no message. */
struct wire_error {
	size_t offset; /* from the start of the buffer */
	const char *why;
};

/* One message in a buffer. */
struct wire_message {
	size_t offset; /* of its header in the buffer */
	struct nlmsghdr header;
	const uint8_t *payload; /* what follows the header */
	size_t payload_len;
};

/* The value of an attribute. */
struct wire_value {
	uint64_t number;     /* of a type with a width */
	const uint8_t *data; /* of the others; a string is without its NUL */
	size_t len;
};

/*
 * What a walk calls, in the order of the bytes. open and close frame a nest of count attributes. A
 * visitor may leave by longjmp, as Lua's errors do: the walk holds nothing.
 */
struct wire_visitor {
	void (*open)(void *context, const struct schema_attr *attr, size_t count);
	void (*close)(void *context, const struct schema_attr *attr);
	void (*value)(void *context, const struct schema_attr *attr,
		      const struct wire_value *value);
};

/* What the kernel says to a request: 0 or -errno, and with extended acknowledgements why and where.
 */
struct wire_ack {
	int error;
	const char *text; /* NULL without; not ended by NUL */
	size_t text_len;
	bool has_offset, has_missing;
	uint32_t offset;       /* of the attribute at fault in the request */
	uint32_t missing;      /* number of an attribute that the request lacks ... */
	uint32_t missing_nest; /* ... in the nest at this offset; 0: at the top level */
};

/*
 * The message at *offset of a buffer; moves *offset behind it.
 * Returns 1, or 0 at the end, or -1 and why in error.
 */
int wire_next(const void *data, size_t len, size_t *offset, struct wire_message *message,
	      struct wire_error *error);

/*
 * The generic netlink command of a message and its attributes. False and why in error when it is
 * too short.
 */
bool wire_command(const struct wire_message *message, struct genlmsghdr *command,
		  const uint8_t **attrs, size_t *attrs_len, struct wire_error *error);

/*
 * Walks the attributes in data, the schema's nest; offset is where data stands in the whole buffer
 * and counts in error->offset. Returns false and why in error when the bytes are not what the
 * schema says.
 */
bool wire_walk(const struct schema_nest *nest, const uint8_t *data, size_t len, size_t offset,
	       const struct wire_visitor *visitor, void *context, struct wire_error *error);

/* Reads NLMSG_ERROR, or NLMSG_DONE of a dump. False and why in error when it is malformed. */
bool wire_ack(const struct wire_message *message, struct wire_ack *ack, struct wire_error *error);

/*
 * The path of the attribute that an acknowledgement means ("rule.dport[2].from") in the request it
 * answers. Returns false when it names none that the schema knows.
 */
bool wire_ack_path(const struct schema_family *family, const void *request, size_t len,
		   const struct wire_ack *ack, char path[WIRE_PATH_LEN]);

/*
 * A buffer that grows; all zero is an empty one. failed is set when memory ran out, and later calls
 * do nothing.
 */
struct wire_buffer {
	uint8_t *data;
	size_t len, size;
	bool failed;
};

void wire_free(struct wire_buffer *buffer);

/* Starts a message; returns its offset. NLM_F_REQUEST is added to flags. */
size_t wire_begin(struct wire_buffer *buffer, uint16_t type, uint16_t flags, uint8_t command,
		  uint8_t version);

/* Ends the message that began at offset. */
void wire_end(struct wire_buffer *buffer, size_t offset);

/* Gives the message at offset its type, flags (beside those it has) and sequence number. */
void wire_address(struct wire_buffer *buffer, size_t offset, uint16_t type, uint16_t flags,
		  uint32_t seq);

/* Appends a copy of a message, padded; returns its offset. */
size_t wire_copy(struct wire_buffer *buffer, const struct wire_message *message);

/* Appends an attribute of at most WIRE_NEST_MOST bytes. */
void wire_put(struct wire_buffer *buffer, uint16_t number, const void *data, size_t len);

/* Appends a number of 1, 2, 4 or 8 bytes. */
void wire_put_number(struct wire_buffer *buffer, uint16_t number, uint64_t value, size_t width);

/* Opens a nest; returns its offset. */
size_t wire_open(struct wire_buffer *buffer, uint16_t number);

/* Closes the nest opened at offset. Returns false when it holds more than WIRE_NEST_MOST bytes. */
bool wire_close(struct wire_buffer *buffer, size_t offset);

#endif
