-- SPDX-License-Identifier: GPL-2.0-or-later
-- Every form of a NAT rule.
return policy {
  name = "translation",
  stateful = true,
  nat = {
    dnat { "one server", iif = "wan0", proto = "tcp", dport = { 80, 443 }, to = "10.0.0.10" },
    dnat { "another port", iif = "wan0", proto = "tcp", dport = 8443, to = "10.0.0.10:443" },
    dnat { "both families", dst = "me", proto = "tcp", dport = 25, to = { "10.0.0.25", "fd00::25" },
      to_port = 2525 },
    dnat { "a range of servers", proto = "udp", dport = 53, to = "10.0.0.10-10.0.0.13", persistent = true },
    dnat { "a network", dst = "198.51.100.0/24", to = "10.1.0.0/24" },
    redirect { "proxy", iif = "lan0", proto = "tcp", dport = 80, to = 3128 },
    redirect { "here", dst = "192.0.2.99" },
    snat { "fixed", oif = "wan0", src = "10.0.0.0/24", to = "192.0.2.1" },
    snat { "fixed ports", oif = "wan0", src = "10.0.1.0/24", proto = { "tcp", "udp" },
      to = "192.0.2.2:40000-50000" },
    snat { "IPv6", oif = "wan0", src = "fd00::/8", to = "[2001:db8::1]:1024-65535" },
    group { "lan", oif = "wan0", src = "10.0.2.0/24" } {
      masquerade { "some", proto = "tcp", limit = "100/second" },
      masquerade { "the others", persistent = true, log = "lan" },
    },
  },
  rules = { allow { "out", dir = "forward", iif = "lan0" }, allow { "loopback", iif = "lo", state = false } },
}
