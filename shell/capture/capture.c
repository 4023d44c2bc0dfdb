// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * capture: the library ipfi.c.capture. See capture.h. A file is read as it is asked for, never as a
 * whole.
 */
#include "shell/capture/capture.h"

#include <errno.h>
#include <string.h>

#include <lauxlib.h>
#include <pcap/pcap.h>

#include "shell/capture/link.h"
#include "shell/capture/names.h"

#define CAPTURE_TYPE "ipfi.capture"

struct capture {
	pcap_t *pcap; /* NULL when closed */
	struct capture_names *names;
	int link;
};

static struct capture *check_capture(lua_State *L)
{
	struct capture *capture = luaL_checkudata(L, 1, CAPTURE_TYPE);

	luaL_argcheck(L, capture->pcap, 1, "the capture is closed");
	return capture;
}

static int method_close(lua_State *L)
{
	struct capture *capture = luaL_checkudata(L, 1, CAPTURE_TYPE);

	if (capture->pcap)
		pcap_close(capture->pcap);
	capture_names_close(capture->names);
	capture->pcap = NULL;
	capture->names = NULL;
	return 0;
}

static int method_next(lua_State *L)
{
	struct capture *capture = check_capture(L);
	struct pcap_pkthdr *header;
	struct capture_frame frame;
	const u_char *data;
	const char *name;
	int found = pcap_next_ex(capture->pcap, &header, &data);

	lua_settop(L, 0);
	if (found != 1) {
		lua_pushnil(L);
		if (found != PCAP_ERROR)
			return 1;
		lua_pushstring(L, pcap_geterr(capture->pcap));
		return 2;
	}
	name = capture->names ? capture_names_next(capture->names) : NULL;
	capture_link_read(capture->link, data, header->caplen, &frame);
	if (frame.ip)
		lua_pushlstring(L, (const char *)frame.ip, frame.len);
	else
		lua_pushboolean(L, false);
	/* Nanoseconds stand where microseconds did: so it was opened. */
	lua_pushnumber(L, (lua_Number)header->ts.tv_sec + (lua_Number)header->ts.tv_usec / 1e9);
	lua_pushstring(L, name);
	if (frame.outgoing < 0)
		lua_pushnil(L);
	else
		lua_pushboolean(L, frame.outgoing);
	if (frame.ethertype)
		lua_pushinteger(L, frame.ethertype);
	else
		lua_pushnil(L);
	/* What the wire had behind what was captured. */
	lua_pushinteger(
		L, header->len > header->caplen ? (lua_Integer)(header->len - header->caplen) : 0);
	return 6;
}

static int method_link(lua_State *L)
{
	struct capture *capture = check_capture(L);
	const char *name = pcap_datalink_val_to_name(capture->link);

	if (name)
		lua_pushstring(L, name);
	else
		lua_pushfstring(L, "%d", capture->link);
	return 1;
}

static int lib_open(lua_State *L)
{
	const char *path = luaL_checkstring(L, 1);
	struct capture *capture = lua_newuserdatauv(L, sizeof(*capture), 0);
	char problem[PCAP_ERRBUF_SIZE] = "";

	*capture = (struct capture){ 0 };
	luaL_setmetatable(L, CAPTURE_TYPE);
	capture->pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO,
								problem);
	if (!capture->pcap) {
		lua_pushnil(L);
		lua_pushstring(L, problem);
		return 2;
	}
	capture->link = pcap_datalink(capture->pcap);
	if (!capture_link_known(capture->link)) {
		const char *name = pcap_datalink_val_to_name(capture->link);

		lua_pushnil(L);
		lua_pushfstring(L, "its link type %s (%d) is none that holds IP in a way known here",
				name ? name : "without a name", capture->link);
		return 2;
	}
	capture->names = capture_names_open(path);
	return 1;
}

int capture_open(lua_State *L)
{
	static const luaL_Reg methods[] = {
		{ "next", method_next },
		{ "link", method_link },
		{ "close", method_close },
		{ NULL, NULL },
	};
	static const luaL_Reg library[] = {
		{ "open", lib_open },
		{ NULL, NULL },
	};

	luaL_newmetatable(L, CAPTURE_TYPE);
	lua_newtable(L);
	luaL_setfuncs(L, methods, 0);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, method_close);
	lua_setfield(L, -2, "__gc");
	lua_pushcfunction(L, method_close);
	lua_setfield(L, -2, "__close");
	lua_pop(L, 1);
	luaL_newlib(L, library);
	return 1;
}
