-- SPDX-License-Identifier: GPL-2.0-or-later
-- Worlds of the built-in engine, made like this machine.
local engine = require "ipfi.c.engine"
local sys = require "ipfi.c.sys"

local world = {}

-- The device of the machine's default way, nil for none: the first of /proc/net/route that leads to
-- 0.0.0.0/0.
local function standard_device()
  local file = io.open("/proc/net/route")
  if not file then
    return nil
  end
  local found
  for line in file:lines() do
    found = found or line:match("^(%S+)%s+00000000%s+%x+%s+%x+%s+%d+%s+%d+%s+%d+%s+00000000%s")
  end
  file:close()
  return found
end

--- A world with the devices and addresses that this machine has, in the same order.
-- @param settings as engine.new takes them; may be nil
function world.here(settings)
  local one = engine.new(settings)
  local standard = standard_device()
  for _, device in ipairs(sys.devices()) do
    device.standard = device.name == standard
    one:device(device.name, device)
  end
  return one
end

return world
