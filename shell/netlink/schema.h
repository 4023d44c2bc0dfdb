/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * schema: what the messages of a generic netlink family look like, as tables.
 *
 * One row describes one attribute: its name in Lua, its type on the wire, the names of its values.
 * The encoder, the decoder, the path in an error ("rule.dport[2].from") and the help all read these
 * rows and nothing else, so a new attribute is one new row. The rows stand in schema.c, made from
 * include/uapi/linux/ipfi.h; a unit test walks the header's *_MAX to prove that none is missing.
 */
#ifndef IPFI_SHELL_SCHEMA_H
#define IPFI_SHELL_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Deepest nesting of any message: rule, dport, range, from; and one to spare. */
#define SCHEMA_DEPTH 5

enum schema_type {
	SCHEMA_NONE, /* no such attribute, or padding: skipped when read */
	SCHEMA_U8,
	SCHEMA_U16,
	SCHEMA_U32,
	SCHEMA_U64,
	SCHEMA_ADDRESS, /* 4 or 16 bytes; text in Lua */
	SCHEMA_STRING,	/* ends in NUL */
	SCHEMA_BINARY,
	SCHEMA_FLAG, /* no payload; true in Lua */
	SCHEMA_NEST,
};

/* Names of the values of an enum, by value; NULL where a value has none. */
struct schema_names {
	const char *name; /* of the enum */
	const char *const *names;
	unsigned int count; /* length of names */
};

enum schema_shape {
	SCHEMA_STRUCT,	/* one value by attribute: { name = value, ... } */
	SCHEMA_LIST,	/* attribute 1, repeated: { value, ... } */
	SCHEMA_INDEXED, /* the attribute's number is only its place (nlctrl does this): { value, ...
			   } */
};

struct schema_attr {
	const char *name;
	enum schema_type type;
	bool repeated;	   /* may come often: an array under its name */
	unsigned int most; /* longest string without its NUL, or binary; 0: what a nest holds */
	const struct schema_names *names; /* the number is one of these */
	const struct schema_names *bits;  /* the number is a mask of 1 << these */
	const struct schema_nest *nest;
};

struct schema_nest {
	const char *name;
	enum schema_shape shape;
	const struct schema_attr *attrs; /* by attribute number */
	unsigned int max;		 /* highest attribute number */
};

struct schema_family {
	const char *name;
	uint8_t version;
	const struct schema_names *commands;
	const struct schema_nest *top;
};

struct schema_limit {
	const char *name;
	uint32_t least, most, standard;
};

struct schema_reason {
	const char *name;
	bool accepted;
	const char *help;
};

extern const struct schema_family schema_ipfi;
extern const struct schema_family schema_nlctrl; /* the kernel's own family that knows the others */

/* Every enum of the family ipfi, ended by NULL; for help and tests. */
extern const struct schema_names *const schema_enums[];

extern const struct schema_limit schema_limits[];
extern const size_t schema_limits_count;
extern const struct schema_reason schema_reasons[];
extern const size_t schema_reasons_count;
extern const struct schema_names schema_states;
extern const struct schema_names schema_helpers;

/* The attribute of this number in a nest, or NULL where the schema knows none. */
const struct schema_attr *schema_attr(const struct schema_nest *nest, unsigned int number);

/* The number of the attribute of this name, or 0. */
unsigned int schema_find(const struct schema_nest *nest, const char *name);

/* The name of a value, or NULL. */
const char *schema_value_name(const struct schema_names *names, uint64_t value);

/* The value of a name, or -1. */
int schema_name_value(const struct schema_names *names, const char *name);

/* Bytes of a number on the wire, or 0 for a type that is no number. */
size_t schema_width(enum schema_type type);

/* "u32", "string", ...: as the kernel's netlink specifications call them. */
const char *schema_type_name(enum schema_type type);

/* The family of this name that the schema describes, or NULL. */
const struct schema_family *schema_family(const char *name);

#endif
