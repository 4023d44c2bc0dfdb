-- SPDX-License-Identifier: GPL-2.0-or-later
std = "lua54"
max_line_length = 110

-- The words of the policy language; scripts have them too, and fw.
local policy = {
  "allow", "deny", "reject", "dnat", "redirect", "snat", "masquerade", "group", "set", "policy", "test",
  "args",
}

files["examples/*.lua"] = { read_globals = policy }
files["packaging/boot/closed.lua"] = { read_globals = policy }
files["examples/knock.lua"] = { read_globals = { "fw", "args", "arg" } }
files["examples/blocked-sites.lua"] = { read_globals = { "fw", "args", "arg" } }
files["tests/lua/golden/*.lua"] = { read_globals = policy }
files["tests/lua/legacy/*/policy.lua"] = { read_globals = policy }
files["examples/jobs/*.lua"] = { read_globals = { "fw", "args", "arg" } }
files["tests/lua/*_spec.lua"] = { std = "lua54+busted" }
files["tests/lua/classbench_lint.lua"] = { read_globals = { "fw", "args" } }
-- Leaving a dump after its first row is what is tried there.
files["tests/unit/netlink_cases.lua"] = { ignore = { "512" } }
-- Scripts that the program runs in guests.
files["tests/net/**/*.lua"] = { max_line_length = 120, read_globals = { "fw", "args", "arg" } }
