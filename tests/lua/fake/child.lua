-- SPDX-License-Identifier: GPL-2.0-or-later
-- Stands in for ipfi.c.child: the function is called here, with no limits but its own.
local child = {}

function child.run(run)
  local ok, value = pcall(run)
  if ok then
    return value
  end
  return nil, "error", tostring(value)
end

return child
