-- SPDX-License-Identifier: GPL-2.0-or-later
-- What tests/stress commits again and again: n rules that nothing matches (default 20), then those that do.
-- deny=1 takes away what the flows live by, so that states die at their next packet.
-- luacheck: read globals allow deny reject policy args
local idle = {}
for i = 1, math.tointeger(tonumber(args.n or 20)) do
  idle[i] = allow { "idle " .. i, proto = "tcp", dport = 20000 + i, src = "192.0.2.0/24" }
end

return policy {
  name = "stress",
  stateful = true,
  rules = {
    idle,
    allow { "loopback", iif = "lo" },
    args.deny and deny { "flows", dir = "forward", proto = "udp", dport = "5000-5100" }
      or allow { "flows", dir = "forward", proto = "udp", dport = "5000-5100", limit = "1000000/second" },
    allow { "web", dir = "forward", proto = "tcp", dport = 80, per_source = 1000 },
    reject { "mail", dir = "forward", proto = "tcp", dport = 25 },
    allow { "ping", icmp = "echo-request" },
    allow { "out", dir = "out" },
  },
}
