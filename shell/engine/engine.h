/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine: the kernel module, built into the program.
 *
 * The sources of module/ are compiled once more, over a small stand-in for the kernel's interfaces (include/ and
 * the files beside this one), and answer here as they answer there: netlink requests, packets, timers. What is
 * simulated is therefore decided by the very code that decides in the kernel.
 *
 * A world is a network namespace with devices, a clock and a generator of random numbers of its own. Its clock
 * stands still until it is moved, so a simulation repeats. There may be many; one thread uses them all.
 *
 * This header is all that others see: it knows nothing of the kernel's names.
 */
#ifndef IPFI_SHELL_ENGINE_H
#define IPFI_SHELL_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine_world;
struct engine_socket;

struct engine_settings {
	uint64_t seed; /* of all that is random in it */
	uint64_t time; /* ns since the epoch when it begins */
	bool without_ipv6; /* as a kernel that was started with ipv6.disable=1 */
	struct engine_world *inside; /* whose namespace is the machine's first, and which lives longer; NULL: this one's is */
};

/* A world with the device lo. Returns 0 or -ENOMEM. */
int engine_world_new(const struct engine_settings *settings, struct engine_world **world);

/* Ends it, with all that it has. Sockets of it that are still open answer -ENODEV from then on. NULL is allowed. */
void engine_world_free(struct engine_world *world);

/* Moves the clock, and lets happen what is due meanwhile, each at its time. */
void engine_advance(struct engine_world *world, uint64_t ns);

/* ns since the world began. */
uint64_t engine_now(const struct engine_world *world);

/* The next line of the kernel's log that was not yet asked for, or NULL. Valid until the world is used again. */
const char *engine_said(struct engine_world *world);

/* How often, in all worlds of this process, the module met what it warns of: what must not be. */
unsigned long engine_warnings(void);

/* Devices */

struct engine_address {
	uint8_t family; /* 4 or 6 */
	uint8_t length; /* bits of the prefix */
	uint8_t bytes[16];
};

struct engine_device {
	const char *name;
	const struct engine_address *addresses;
	size_t address_count;
	uint32_t mtu; /* 0: 1500, or 65536 for a loopback device */
	bool loopback;
	bool down;
	bool is_vrf;     /* it is the layer 3 master device of others */
	const char *vrf; /* the one that it belongs to, which is there already; NULL for none */
	bool standard; /* the way to all that is in no device's network; else the first device that is no loopback is */
};

/* Makes a device or changes the one of that name. Returns its index, or -EINVAL, -ENODEV (its VRF is none) or -ENOMEM. */
int engine_set_device(struct engine_world *world, const struct engine_device *device);

/* The index of the device of that name, 0 for none; and the name by index, NULL for none. */
int engine_device_index(struct engine_world *world, const char *name);
const char *engine_device_name(struct engine_world *world, int index);

/* Packets */

enum engine_list { ENGINE_IN, ENGINE_OUT, ENGINE_FORWARD };

/* Where a packet waits in user space before it goes on, if its sender wants that. */
enum engine_queue { ENGINE_BEFORE_INPUT, ENGINE_BEFORE_FORWARD, ENGINE_BEFORE_LEAVING };

/* It waits: the world may be used meanwhile. Returns whether it goes on, or is lost. */
typedef bool engine_wait(void *context, enum engine_queue queue);

struct engine_packet {
	enum engine_list list;
	const void *data; /* the IP packet */
	size_t len;
	const char *iif, *oif; /* NULL: as the addresses say. One that the world lacks is made, with addresses of its own */
	uint32_t mark;
	bool checked; /* its checksums count as right, as those that a device has looked at, or will make */
	bool ipsec;   /* it came by IPsec, or, list out, will leave by it */
	bool has_user;
	uint32_t user; /* with has_user: the owner of the socket that sends it, list out */
	engine_wait *wait; /* NULL: it waits nowhere */
	void *context;
};

/* What became of a packet. All of it stays valid until the world is used again. */
struct engine_outcome {
	bool accepted;
	enum engine_list list; /* the last that it came by: a translation may lead from "in" to "forward" and back */
	const uint8_t *data;   /* as it left or arrived, translated */
	size_t len;
	const char *iif, *oif; /* NULL for none */
};

/*
 * Lets a packet pass. What is given as "in" is for this machine whatever its address, what is given as "out" is
 * from it; that address counts as one of the machine's while the packet passes. What leaves by a loopback device
 * comes in by it.
 * Returns 0, or -EINVAL for what is no IP packet or a device that cannot be, or -ENOMEM.
 */
int engine_pass(struct engine_world *world, const struct engine_packet *packet, struct engine_outcome *outcome);

struct engine_answer {
	const uint8_t *data;
	size_t len;
	const char *oif;
};

/* The next packet that the firewall itself sent because of the last one, or false. Valid as the outcome is. */
bool engine_next_answer(struct engine_world *world, struct engine_answer *answer);

/* Sockets of generic netlink */

/* NULL without memory. */
struct engine_socket *engine_socket_open(struct engine_world *world);
void engine_socket_close(struct engine_socket *socket);

/* Another one of the same world. */
struct engine_socket *engine_socket_again(const struct engine_socket *socket);

/* Sends netlink messages, which are worked on at once. Returns 0, -ENODEV or -ENOMEM. */
int engine_socket_send(struct engine_socket *socket, const void *data, size_t len);

/*
 * Takes what comes next. Returns its length, 0 when there is nothing (and nothing will come by waiting), -ENODEV, or
 * -ENOBUFS when events were lost, -EMSGSIZE when it is longer than size.
 */
int engine_socket_receive(struct engine_socket *socket, void *data, size_t size);

/* Joins a multicast group by its number. Returns 0, -ENODEV or -EINVAL. */
int engine_socket_join(struct engine_socket *socket, uint32_t group);

#endif
