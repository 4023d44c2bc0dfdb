-- SPDX-License-Identifier: GPL-2.0-or-later
-- The names of the lists of rules. "in" is a word of Lua, and other firewalls have chains of other names:
-- "input" and "output" mean the same lists.
local lists = {}

--- The names, in the order in which they are shown.
lists.names = { "in", "out", "forward" }

local BY_NAME = { ["in"] = "in", out = "out", forward = "forward", input = "in", output = "out" }

--- The name of a list as the firewall has it.
-- @param name "in", "input", "out", "output" or "forward"
-- @return "in", "out" or "forward"; nil for anything else
function lists.named(name)
  return BY_NAME[name]
end

return lists
