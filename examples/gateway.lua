#!/usr/sbin/ipfi -f
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- A gateway with one outer IPv4 address, for a network of private addresses behind it. Its machines go out by
-- that address, and servers among them are published under it. In IPv6 every machine has an address of its
-- own, so that nothing is translated: the same rules let the same things pass.
--
--     ipfi -f gateway.lua wan=eth0 lan=eth1 net=10.0.0.0/24
--     ipfi -f gateway.lua www=10.0.0.10 www6=2001:db8::10    publishes a web server, in one family or both
--     ipfi -f gateway.lua ftp=10.0.0.20 ftp6=2001:db8::20    and an FTP server
--     ipfi -f gateway.lua outside=203.0.113.1                publishes under this address only
--     ipfi -f gateway.lua ftp_hours=yes                      FTP outward for members of a set only, see
--                                                            jobs/ftp-window.lua

local wan = args.wan or "wan0"
local lan = args.lan or "lan0"

-- Who is inside. The sources that leave by the outer device are translated.
local inside = set { args.net or "10.0.0.0/24" }

-- Under which addresses servers are published. "me" is any address of the gateway: it needs no change when
-- the provider gives the outer device another one, but programs of the gateway itself mean themselves by it.
local outside, device = args.outside or "me", not args.outside and "!lo" or nil

-- Addresses that have no business on the outer side: nobody there can be reached by them.
local bogus = set {
  "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4",
  "::1", "ff00::/8",
}

-- Who may use FTP outward: everybody, or the members of a set that somebody else keeps.
local ftp_hosts = args.ftp_hours == "yes" and set { name = "ftp_hosts", dynamic = true } or nil

-- What may be published: name, ports, the server's addresses, what its rule says more.
local servers = {}
for _, server in ipairs {
  { "web", { "http", "https" }, { args.www or false, args.www6 or false }, { per_source = 100 } },
  { "ftp", "ftp", { args.ftp or false, args.ftp6 or false }, { helper = "ftp" } },
} do
  local addresses = {}
  for _, address in ipairs(server[3]) do
    addresses[#addresses + 1] = address or nil
  end
  if #addresses > 0 then
    servers[#servers + 1] = { name = server[1], ports = server[2], addresses = addresses, v4 = server[3][1],
      more = server[4] }
  end
end

-- The outer address leads to the server, from whichever side somebody comes.
local function published()
  local rules = {}
  for _, server in ipairs(servers) do
    rules[#rules + 1] = server.v4 and dnat {
      server.name .. " published",
      iif = device or nil,
      dst = outside,
      proto = "tcp",
      dport = server.ports,
      to = server.v4,
    }
  end
  return rules
end

-- Rules see the real end points: the server itself, not the address that it is published under.
local function reachable()
  local rules = {}
  for _, server in ipairs(servers) do
    local rule = {
      server.name .. " server",
      oif = lan,
      dst = server.addresses,
      proto = "tcp",
      dport = server.ports,
    }
    for field, value in pairs(server.more) do
      rule[field] = value
    end
    rules[#rules + 1] = allow(rule)
  end
  return rules
end

-- What must hold, whatever the arguments are: tried when the policy is checked, planned or committed.
if not args.net then
  test { "a page from inside", devices = { [wan] = "203.0.113.1/24", [lan] = "10.0.0.1/24" },
    { dir = "forward", iif = lan, oif = wan, src = "10.0.0.5", dst = "198.51.100.80", proto = "tcp",
      dport = "https", expect = "allow",
      rule = "tcp out", state = "SYN_SENT", nat = { src = "203.0.113.1" } },
    { reply = true, expect = "allow", state = "SYN_RECV", nat = { dst = "10.0.0.5" } },
    { reply = true, expect = "allow", state = "ESTABLISHED" },
  }
  test { "our own addresses from outside", dir = "forward", iif = wan, oif = lan, src = "10.0.0.5",
    proto = "udp", expect = "deny", rule = "not from there" }
end
test { "mail goes by the mail server", dir = "forward", iif = lan, oif = wan, proto = "tcp", dport = "smtp",
  expect = "reject", rule = "smtp out" }
test { "ssh from outside", iif = wan, proto = "tcp", dport = "ssh", expect = "deny" }
test { "ssh from inside", iif = lan, src = "10.0.0.5", proto = "tcp", dport = "ssh", expect = "allow",
  rule = "gateway ssh", state = "SYN_SENT" }
test { "what nobody asked for", dir = "forward", iif = wan, oif = lan, proto = "tcp", flags = "A",
  dport = 40000, expect = "deny" }
if args.www and args.outside then
  test { "the published web server", devices = { [wan] = args.outside .. "/24" },
    { dir = "forward", iif = wan, oif = lan, dst = args.outside, proto = "tcp", dport = "http",
      expect = "allow", rule = "web server", nat = { dst = args.www } },
    { reply = true, expect = "allow", nat = { src = args.outside } },
  }
end

return policy {
  name = "gateway",
  default = { ["in"] = "deny", out = "deny", forward = "deny" },
  stateful = true,

  nat = {
    published(),
    -- All that one program inside sends from a port comes from one port outside, so that others can answer it
    -- whomever it asked before (games, telephony).
    masquerade { "lan out", family = 4, oif = wan, src = inside, persistent = true },
    -- Somebody inside who asks for the outer address reaches a server next door. The server must answer the
    -- gateway and not its neighbour directly, who has never heard of it under that address.
    masquerade { "hairpin", family = 4, iif = lan, oif = lan, src = inside },
  },

  rules = {
    allow { "loopback", iif = "lo", state = false },
    deny { "bogus", iif = wan, src = bogus, log = "bogus" },
    deny { "not from there", iif = wan, src = inside, log = "spoofed" },

    -- What passes through. Segments are kept to what the path bears: behind PPPoE or a tunnel it bears less
    -- than the machines inside believe, and those who filter ICMP will never be told.
    group { "passing", dir = "forward", mss = "pmtu" } {
      -- FTP announces its data connections in the control connection. The helper reads that, lets in exactly
      -- the connections that were announced, and translates the addresses in the text.
      group { "ftp outward", iif = lan, oif = wan, proto = "tcp", dport = "ftp" } {
        allow { "ftp out", src = ftp_hosts or nil, helper = "ftp" },
        ftp_hosts and reject { "ftp at other hours" },
      },
      reject { "smtp out", iif = lan, oif = wan, proto = "tcp", dport = "smtp", log = "smtp-out" },
      allow { "tcp out", iif = lan, oif = wan, proto = "tcp" },
      allow { "udp out", iif = lan, oif = wan, proto = "udp" },
      allow { "ping out", iif = lan, oif = wan, icmp = "echo-request" },
      reachable(),
      -- Without states, so that every request is counted.
      allow {
        "ping in", family = 6, iif = wan, oif = lan, icmp = "echo-request", state = false,
        limit = "50/second",
      },
      allow { "pong out", family = 6, iif = lan, oif = wan, icmp = "echo-reply", state = false },
    },

    -- The gateway itself: a name server and ssh for the inner side, ping for everybody.
    group { "to the gateway", dir = "in" } {
      allow { "gateway dns", iif = lan, proto = { "udp", "tcp" }, dport = "domain" },
      allow { "gateway dhcp", iif = lan, proto = "udp", dport = { 67, 547 }, state = false },
      allow { "gateway ssh", iif = lan, proto = "tcp", dport = "ssh" },
      allow { "gateway ping", icmp = "echo-request", state = false, limit = "20/second" },
    },
    allow { "gateway pong", dir = "out", icmp = "echo-reply", state = false },
    allow { "from the gateway", dir = "out" },

    -- A sample of the rest for the log; the default denies all of it.
    deny { "rest", limit = "10/minute", log = "denied" },
  },
}
