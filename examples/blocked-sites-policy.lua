#!/usr/sbin/ipfi -f
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- Denies sites both ways, by name: the dynamic set "blocked" holds their addresses, and blocked-sites.lua,
-- run by cron, keeps it. A policy of one's own needs no more than the line with the set and the two rules
-- that use it.
--
--     ipfi -f blocked-sites-policy.lua
--     ipfi blocked-sites.lua www.example.com ads.example.net

local blocked = set { name = "blocked", dynamic = true }

return policy {
  name = "blocked sites",
  stateful = true,

  rules = {
    allow { "loopback", iif = "lo" },

    -- Without dir they stand in all three lists: this machine's own traffic, and what it forwards. Who asks
    -- for such a site is told at once; who comes from there hears nothing. Live connections end too, at their
    -- next packet, when their other side is blocked.
    reject { "to a blocked site", dst = blocked, limit = "100/second", log = "blocked-to" },
    deny { "to a blocked site, many", dst = blocked },
    deny { "from a blocked site", src = blocked },

    -- A limit counts the first packets of connections; of pings, which have no state here, all.
    allow { "pong", dir = "out", icmp = "echo-reply", state = false },
    allow { "from here", dir = "out" },
    allow { "through here", dir = "forward" },
    allow { "ssh", dir = "in", proto = "tcp", dport = "ssh", flags = "S/SA", limit = "30/minute" },
    allow { "ping", dir = "in", icmp = "echo-request", state = false, limit = "20/second" },
  },
}
