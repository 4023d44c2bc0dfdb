/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture: the library ipfi.c.capture: the IP packets of a pcap or pcapng file, one after the other.
 *
 *     open(path) -> capture, or nil and a message
 *     capture:next() -> data, time, device, outgoing, ethertype; nil at the end; nil and a message of a
 *         file that is damaged. data is the packet from its IP header on, as much of it as was
 *         captured, or false for a frame that holds none (then ethertype tells what, if anything
 *         does); time in seconds since the epoch; device the name of the interface where the file
 *         (pcapng) says it, else nil; outgoing true or false where the link layer says so, else nil
 *     capture:link() -> name of the link type
 *     capture:close()
 */
#ifndef IPFI_SHELL_CAPTURE_H
#define IPFI_SHELL_CAPTURE_H

#include <lua.h>

/* The library ipfi.c.capture. */
int capture_open(lua_State *L);

#endif
