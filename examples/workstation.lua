#!/usr/sbin/ipfi -f
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- A machine somebody works at: it may ask the whole world, and the world may not ask it.
--
--     ipfi -f workstation.lua                      ssh from the networks next door only
--     ipfi -f workstation.lua ssh=no               no ssh at all
--     ipfi -f workstation.lua home=10.3.0.0/16     another network next door

-- Networks that are near: private ones, and those that end at the next router. An address given as
-- home= takes their place.
local near = set {
  "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16",
  "fc00::/7", "fe80::/10",
}
if args.home then
  near = set { args.home }
end

return policy {
  name = "workstation",
  -- What nobody thought of is denied, in silence.
  default = { ["in"] = "deny", out = "deny", forward = "deny" },
  -- Every allow rule below remembers the connection, so that replies need no rule.
  stateful = true,

  rules = {
    -- Programs of this machine among themselves.
    allow { "loopback", iif = "lo", state = false },

    group { "out", dir = "out" } {
      -- Mail leaves by a mail program's submission port; a virus would use this one.
      reject { "no smtp", proto = "tcp", dport = "smtp", log = "smtp-out" },
      allow { "pong", icmp = "echo-reply", state = false },
      -- Whoever works here may ask anything, by any protocol.
      allow { "anything", log = args.log == "all" and "out" or nil },
    },

    group { "in", dir = "in" } {
      -- To be found when somebody looks for this machine, but not to be flooded: without a state every
      -- request is counted, and the replies have a rule of their own.
      allow { "ping", icmp = "echo-request", state = false, limit = "5/second burst 20" },

      -- Addresses from the network. DHCP for IPv4 mostly passes below the firewall; its renewals do not.
      allow { "dhcp", family = 4, proto = "udp", sport = 67, dport = 68 },
      allow { "dhcpv6", src = "fe80::/10", proto = "udp", sport = 547, dport = 546 },

      -- Names and printers next door (multicast DNS).
      allow { "mdns", src = near, proto = "udp", dport = 5353, state = false },

      -- The limit counts connections: only their first packets ask for it.
      args.ssh ~= "no" and allow {
        "ssh", src = near, proto = "tcp", dport = "ssh", flags = "S/SA", limit = "10/minute",
      },

      -- Neighbours get an answer, so that their programs need not wait; all others get none.
      reject { "closed", src = near, proto = { "tcp", "udp" }, limit = "20/second" },
    },
  },
}
