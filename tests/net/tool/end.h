/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One end of a path under test: a packet socket on a device of a network namespace, and the hardware address
 * of the device across the wire. It is written SPACE/DEVICE@SPACE/DEVICE, the second being the neighbour that
 * frames are sent to, as in client/eth0@router/lan0.
 */
#ifndef TOOL_END_H
#define TOOL_END_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define END_FRAME_MAX 9216 /* where the devices take so much */
#define END_ETHERNET 14

struct end {
	int fd;
	uint8_t own[6], peer[6];
};

/* Opens @text's end; every failure is printed and ends the program. */
void end_open(struct end *end, const char *text);

/* Sends the IP packet of @length bytes at @frame + END_ETHERNET; the Ethernet header is filled in. */
void end_send(const struct end *end, uint8_t *frame, size_t length);

/*
 * Waits @milliseconds at most for the next IP packet; returns its length and leaves it at
 * @frame + END_ETHERNET, or 0 when none came. Frames of other protocols are passed over.
 */
size_t end_receive(const struct end *end, uint8_t *frame, int milliseconds);

/* Says what went wrong, as printf does, and ends the program with status 2. */
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Keeps the calling thread on one CPU, so that what it sends stays in order. */
void stay_on_cpu(unsigned int cpu);

/* Milliseconds since some point in the past. */
int64_t now_ms(void);

#endif /* TOOL_END_H */
