#!/usr/sbin/ipfi -f
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- A router between an inner and an outer network, for IPv4 and IPv6 alike: each rule is about both
-- unless it names addresses. (It forwards; it does not translate addresses.)
--
--     ipfi -f router.lua lan=eth1 wan=eth0
--     ipfi -f router.lua server=192.0.2.80 server6=2001:db8::80    publishes a web server inside

local lan = args.lan or "lan0"
local wan = args.wan or "wan0"

-- Addresses that have no business on the outer side: nobody there can be reached by them.
local bogus = set {
  "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4",
  "::1", "ff00::/8",
}

-- What machines of the inner network may ask for outside.
local services = {
  { "dns", { "udp", "tcp" }, "domain" },
  { "web", "tcp", { "http", "https" } },
  { "quic", "udp", "https" },
  { "time", "udp", "ntp" },
  { "mail", "tcp", { "submission", "imaps" } },
  { "ssh", "tcp", "ssh" },
  { "speed", { "tcp", "udp" }, 5201 }, -- iperf3
}

-- A policy is a program: one rule for each line of the list above.
local function outward()
  local rules = {}
  for _, service in ipairs(services) do
    local name, proto, port = table.unpack(service)
    rules[#rules + 1] = allow { "out " .. name, proto = proto, dport = port }
  end
  return rules
end

-- The published server, if there is one, in whichever families it was given.
local function published()
  local addresses = {}
  for _, address in ipairs { args.server or false, args.server6 or false } do
    addresses[#addresses + 1] = address or nil
  end
  if #addresses == 0 then
    return {}
  end
  return allow {
    "web server",
    dst = addresses,
    proto = "tcp",
    dport = { "http", "https" },
    per_source = 100,
    comment = "at most 100 connections from one address",
  }
end

-- What must hold, whatever the arguments are: tried when the policy is checked, planned or committed.
test { "a page from inside", dir = "forward", src = "192.0.2.10", iif = lan, oif = wan,
  { proto = "tcp", dport = "https", expect = "allow", rule = "out web", state = "SYN_SENT" },
  { reply = true, expect = "allow", state = "SYN_RECV" },
  { reply = true, expect = "allow", state = "ESTABLISHED" },
}
test { "an answer that nobody asked for", dir = "forward", iif = wan, oif = lan, proto = "udp", sport = 53,
  dport = 40000, expect = "deny" }
test { "telnet is refused at once", dir = "forward", iif = lan, oif = wan, src = "192.0.2.10", proto = "tcp",
  dport = 23, expect = "reject", rule = "out else" }
test { "ssh from outside", iif = wan, proto = "tcp", dport = "ssh", expect = "deny" }
test { "what cannot come from there", dir = "forward", iif = wan, oif = lan, src = "127.0.0.1", proto = "udp",
  expect = "deny", rule = "bogus" }
test { "ping in IPv6 only", dir = "forward", iif = wan, oif = lan,
  { icmp = "echo-request", family = 6, expect = "allow", rule = "in ping" },
  { icmp = "echo-request", family = 4, expect = "deny" },
}

return policy {
  name = "router",
  default = { ["in"] = "deny", out = "deny", forward = "deny" },
  stateful = true,
  limits = { tcp_established = 7200 },

  rules = {
    allow { "loopback", iif = "lo", state = false },
    deny { "bogus", iif = wan, src = bogus, log = "bogus" },

    -- From inside to outside. Replies come back by the states that these rules make, and so do the ICMP
    -- errors about them.
    group { "outward", dir = "forward", iif = lan, oif = wan } {
      outward(),
      allow { "out ping", icmp = "echo-request" },
      allow { "out pong", family = 6, icmp = "echo-reply", state = false },
      reject { "out else", comment = "say so at once: programs of our own users should not wait" },
    },

    -- From outside to inside: what is published, and ping in IPv6, where every machine has its own address.
    group { "inward", dir = "forward", iif = wan, oif = lan } {
      published(),
      -- Without states, so that every request is counted.
      allow { "in ping", family = 6, icmp = "echo-request", state = false, limit = "50/second" },
    },

    -- The router itself: a name server and ssh for the inner side, ping for everybody.
    group { "to the router", dir = "in" } {
      allow { "router dns", iif = lan, proto = { "udp", "tcp" }, dport = "domain" },
      allow { "router dhcp", iif = lan, proto = "udp", dport = { 67, 547 }, state = false },
      allow { "router ssh", iif = lan, proto = "tcp", dport = "ssh" },
      allow { "router ping", icmp = "echo-request", state = false, limit = "20/second" },
    },
    allow { "router pong", dir = "out", icmp = "echo-reply", state = false },
    allow { "from the router", dir = "out" },

    -- A sample of the rest for the log; the default denies all of it.
    deny { "rest", limit = "10/minute", log = "denied" },
  },
}
