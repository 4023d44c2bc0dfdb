/* SPDX-License-Identifier: GPL-2.0-or-later */
/* capture_link: the headers below IP, of the link types that captures of IP have. */
#ifndef IPFI_SHELL_CAPTURE_LINK_H
#define IPFI_SHELL_CAPTURE_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A frame without what stands before the IP header. */
struct capture_frame {
	const uint8_t *ip;  /* in the frame's bytes; NULL when it holds no IP packet */
	size_t len;
	uint16_t ethertype; /* what it holds, 0 where nothing says */
	int outgoing;       /* 1 sent, 0 received, -1 where nothing says */
};

/* Can frames of this link type (DLT_*) be read? */
bool capture_link_known(int link);

/* Reads the len bytes of a frame of a known link type. */
void capture_link_read(int link, const uint8_t *data, size_t len, struct capture_frame *frame);

#endif
