#!/usr/sbin/ipfi
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- ipfi listen.lua group=state|log|ruleset seconds=N: prints "ready", then every event of the group as a JSON
-- line, until the time is up or somebody ends it.
local netlink = require "ipfi.c.netlink"
local sys = require "ipfi.c.sys"

io.stdout:setvbuf("line")
local conn = assert(netlink.open())
assert(conn:subscribe(args.group))
local finish = sys.monotonic() + tonumber(args.seconds)
print("ready")
repeat
  for _, message in ipairs(conn:events(1) or {}) do
    print(fw.json(message))
  end
until sys.monotonic() >= finish
