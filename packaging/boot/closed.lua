-- SPDX-License-Identifier: GPL-2.0-or-later
-- What is in force after a boot that could apply no other policy: loopback, and ssh from the management
-- addresses.
-- Arguments: management = addresses and prefixes with commas between them, port = that of ssh.
local management, port = {}, tonumber(args.port or 22)
for address in (args.management or ""):gmatch "[^,]+" do
  management[#management + 1] = address
end

local rules = { allow { "loopback", iif = "lo" } }
if #management > 0 then
  rules[2] = allow { "ssh from management", dir = "in", src = management, proto = "tcp", dport = port,
    state = true }
end

return policy { name = "closed at boot", rules = rules }
