#!/usr/sbin/ipfi -f
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- A machine whose ssh is there only for those who have knocked. knock.lua hears the knocks, in the "log"
-- group, and puts who knows them into the dynamic set "knockers".
--
--     ipfi -f knock-policy.lua                                        then: ipfi knock.lua
--     ipfi -f knock-policy.lua range=20000-29999 door=2222

local knockers = set { name = "knockers", dynamic = true }

return policy {
  name = "knock",

  rules = {
    allow { "loopback", iif = "lo" },
    allow { "knocked", dir = "in", proto = "tcp", dport = args.door or "ssh", src = knockers, state = true },

    -- All ports of the range are heard, not only those of the sequence: who tries one after the other is out
    -- of step at once. Nothing tells a knock from any other packet that is denied.
    group { "knocks", dir = "in", dport = args.range or "7000-9999" } {
      deny { "knock", flags = "S/SAFR", log = "knock" },
      deny { "knock by udp", proto = "udp", log = "knock" },
    },

    -- Without a state, so that every request is counted.
    allow { "ping", dir = "in", icmp = "echo-request", limit = "20/second" },
    allow { "pong", dir = "out", icmp = "echo-reply" },
    allow { "from here", dir = "out", state = true },
  },
}
