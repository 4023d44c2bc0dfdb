-- SPDX-License-Identifier: GPL-2.0-or-later
-- Puts the stand-ins of this directory in the place of the program's C libraries. Inside the program itself
-- (build/ipfi) the real ones stay.
local fake = {}

package.path = "lua/?.lua;tests/lua/?.lua;" .. package.path
for _, name in ipairs { "sys", "child", "codec", "lint", "netlink", "repl", "pager", "transfer" } do
  local library = "ipfi.c." .. name
  package.preload[library] = package.preload[library] or function()
    return dofile("tests/lua/fake/" .. name .. ".lua")
  end
end

return fake
