#!/usr/sbin/ipfi -f
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- A server on the open net: some services for everybody, administration for a few, and limits that keep one
-- client from taking everything.
--
--     ipfi -f server.lua                                   web only
--     ipfi -f server.lua mail=yes admin=203.0.113.0/24     also mail; ssh from there

-- Who may administer.
local admin = args.admin and set { args.admin } or set { "10.0.0.0/8", "192.168.0.0/16", "fd00::/8" }

-- Name, ports, and how many connections one address may have open.
local published = {
  { "web", { "http", "https" }, 100 },
}
if args.mail == "yes" then
  published[#published + 1] = { "mail", { "smtp", "submission", "imaps" }, 20 }
end

local services = {}
for _, service in ipairs(published) do
  local name, ports, most = table.unpack(service)
  -- The first rule carries what is within bounds; what is beyond comes to the second.
  services[#services + 1] = allow { name, proto = "tcp", dport = ports, state = true, per_source = most }
  services[#services + 1] = reject {
    name .. " too many",
    proto = "tcp",
    dport = ports,
    limit = "10/second burst 50",
    log = name .. "-many",
    comment = ("more than %d connections from one address"):format(most),
  }
end

-- What must hold, whatever the arguments are: tried when the policy is checked, planned or committed.
test { "a visitor reads a page",
  { iif = "eth0", proto = "tcp", dport = "https", expect = "allow", rule = "web", state = "SYN_SENT" },
  { reply = true, expect = "allow", state = "SYN_RECV" },
  { reply = true, expect = "allow", state = "ESTABLISHED" },
  { reply = true, flags = "FA", expect = "allow", state = "FIN_WAIT" },
}
test { "nobody from outside gets at ssh", iif = "eth0", proto = "tcp", dport = "ssh", expect = "deny" }
test { "odd flags", iif = "eth0", dport = "https", flags = "SF", expect = "deny" }
test { "the web server opens nothing", dir = "out", oif = "eth0", user = 33, proto = "tcp", dport = "https",
  expect = "deny", rule = "web server quiet" }
test { "names are asked for", dir = "out", oif = "eth0", user = 0, proto = "udp", dport = "domain",
  expect = "allow", state = "UDP_NEW" }
test { "it is no router", dir = "forward", iif = "eth0", oif = "eth1", proto = "tcp", expect = "deny",
  rule = "default" }

return policy {
  name = "server",
  default = { ["in"] = "deny", out = "deny", forward = "deny" },
  limits = {
    max_states = 262144,
    max_states_per_source = 2000,
    -- Half-open connections are what a flood makes: give them less time than usual.
    tcp_syn_recv = 30,
  },

  rules = {
    allow { "loopback", iif = "lo" },

    group { "published", dir = "in" } {
      services,
      allow { "quic", proto = "udp", dport = "https", state = true, per_source = 50 },
      -- Without a state, so that every request is counted.
      allow { "ping", icmp = "echo-request", limit = "20/second burst 100" },
    },
    allow { "pong", dir = "out", icmp = "echo-reply" },

    group { "administration", dir = "in", proto = "tcp", dport = "ssh" } {
      -- Thirty new connections a minute are plenty for people. All others are denied, whether the second
      -- rule matches or not; three a minute of them reach the log.
      allow { "ssh", src = admin, state = true, flags = "S/SA", limit = "30/minute" },
      deny { "ssh guessing", src = ~admin, limit = "3/minute", log = "ssh-other" },
    },

    -- The server itself asks for names, time, and updates of its software; its web server asks for nothing.
    group { "from here", dir = "out", state = true } {
      deny { "web server quiet", user = "www-data", log = "www-data-out" },
      allow { "dns", proto = { "udp", "tcp" }, dport = "domain" },
      allow { "ntp", proto = "udp", dport = "ntp" },
      allow { "updates", proto = "tcp", dport = { "http", "https" }, user = { "root", "_apt" } },
      args.mail == "yes" and allow { "mail out", proto = "tcp", dport = "smtp" },
      allow { "ping out", icmp = "echo-request" },
    },

    deny { "rest", dir = "in", limit = "30/minute", log = "in-deny" },
  },
}
