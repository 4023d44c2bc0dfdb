-- SPDX-License-Identifier: GPL-2.0-or-later
-- Would a policy shut out who commits it? The connection that the program is used over is made anew in a
-- simulation of the policy: its first packet and the answer to that.
local log = require "ipfi.base.log"
local states = require "ipfi.live.states"
local sys = require "ipfi.c.sys"
local text = require "ipfi.base.text"

local login = {}

local SSH = 22

-- The live state of the connection knows the device, and what the login did not note. Without the module, or
-- without rules, there is none.
local function live_state(known)
  local found
  local ok = pcall(function()
    local filter = { proto = "tcp", src = known.client, sport = known.client_port,
      dport = known.server_port or SSH }
    for row in states.query(filter):each() do
      if row.iif and (not known.server or row.dst == known.server) then
        found = row
      end
    end
  end)
  return ok and found or nil
end

-- The device that has an address.
local function device_of(address)
  for _, device in ipairs(sys.devices()) do
    for _, own in ipairs(device.addresses or {}) do
      if own:match("^[^/]*") == address then
        return device.name
      end
    end
  end
  return nil
end

--- The connection that the program is used over.
-- @return { src =, sport =, dst =, dport =, iif = name or nil }; nil at the machine itself, or when it cannot
--   be told
function login.connection()
  local known = sys.login()
  if not known then
    return nil
  end
  local state = live_state(known)
  local dst = known.server or (state and state.dst)
  if not dst then
    return nil
  end
  return {
    src = known.client, sport = known.client_port or (state and state.sport), dst = dst,
    dport = known.server_port or SSH, iif = (state and state.iif) or device_of(dst),
  }
end

-- The first judgement that is not to allow, of a connection's first packet and its answer.
local function refusal(p, c)
  local simulate = require "ipfi.simulate.simulate"
  local devices = {}
  for _, device in ipairs(sys.devices()) do
    devices[device.name] = device.addresses
  end
  local simulation = simulate.new(p, { devices = devices })
  local _ <close> = setmetatable({}, { __close = function()
    simulation:close()
  end })
  local asked = simulation:pass {
    dir = "in", iif = c.iif, proto = "tcp", src = c.src, sport = c.sport, dst = c.dst, dport = c.dport,
    flags = "S",
  }
  if asked.verdict ~= "allow" then
    return asked, "it"
  end
  local answered = simulation:pass(simulate.library.reply(asked, { flags = "SA" }))
  if answered.verdict ~= "allow" then
    return answered, "the answer to it"
  end
  return nil
end

local function end_of(address, port)
  return (address:find(":", 1, true) and "[%s]:%s" or "%s:%s"):format(address, port or "?")
end

--- Warns when the connection that the program is used over would be refused if made anew under a policy.
-- @param p a checked policy
-- @return the judgement that refuses it, or nil
function login.warn(p)
  local c = login.connection()
  if not c then
    return nil
  end
  local judged, what = refusal(p, c)
  if judged then
    log.write("warning", ("the connection that you use, %s > %s, could not be made anew: %s would meet "
      .. "%s '%s'%s")
      :format(end_of(c.src, c.sport), end_of(c.dst, c.dport), what, judged.verdict,
        text.escape(judged.rule), judged.at and (" (%s)"):format(text.escape(judged.at)) or ""))
  end
  return judged
end

return login
