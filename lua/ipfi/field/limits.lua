-- SPDX-License-Identifier: GPL-2.0-or-later
-- The limits: how many states, and how long each kind lives. Their names, ranges and defaults come from
-- the uapi header through the codec.
local codec = require "ipfi.c.codec"
local log = require "ipfi.base.log"
local suggest = require "ipfi.base.suggest"
local text = require "ipfi.base.text"

local limits = {}

-- Limits of 0 and 1 that Lua shows as false and true, as 0 is true in Lua.
local SWITCHES = { tcp_loose = true }

-- Names of earlier versions, understood for one more.
local RENAMED = { tcp_guessed = "tcp_midstream" }

limits.list = codec.limits()
limits.by_name = {}
limits.names = {}
for i, limit in ipairs(limits.list) do
  limits.by_name[limit.name] = limit
  limits.names[i] = limit.name
end

--- What each limit means, for the help and the manual.
limits.help = {
  max_states = "most states there may be; by default what the machine's memory allows, at least 65536; never "
    .. "more than in the machine's first network namespace",
  max_states_per_source = "most states one source address may have; 0 for no limit",
  tcp_loose = "pick up TCP connections mid-stream when a rule allows them",
  tcp_syn_sent = "seconds without traffic: SYN seen, no answer yet",
  tcp_syn_recv = "seconds: SYN answered, handshake not complete",
  tcp_established = "seconds: an open connection",
  tcp_fin_wait = "seconds: one side has closed",
  tcp_close_wait = "seconds: the other side has acknowledged that",
  tcp_last_ack = "seconds: both sides have closed, the last acknowledgement is missing",
  tcp_time_wait = "seconds: closed in order",
  tcp_closed = "seconds: ended by a reset",
  tcp_midstream = "seconds: picked up mid-stream and seen from one side only; more than 30 count as 30",
  udp_new = "seconds: traffic one way only",
  udp_established = "seconds: traffic both ways",
  icmp = "seconds: an ICMP query, like ping",
  other = "seconds: any other protocol",
}

--- Checks one limit.
-- @return its number, or nil and a message
function limits.check(name, value)
  local limit = limits.by_name[name]
  if not limit then
    local hint = type(name) == "string" and suggest.hint(name, limits.names) or ""
    return nil, ("unknown limit %s%s"):format(text.quote(name), hint)
  end
  if SWITCHES[name] and type(value) == "boolean" then
    return value and 1 or 0
  end
  local number = type(value) == "number" and math.tointeger(value)
  if not number then
    return nil, ("%s: expected %s, got %s")
      :format(name, SWITCHES[name] and "true or false" or "a whole number",
      text.quote(value))
  elseif number < limit.least or number > limit.most then
    return nil, ("%s: %d is not in %d to %d"):format(name, number, limit.least, limit.most)
  end
  return number
end

--- Checks a table of limits.
-- @param wanted { name = value }
-- @param report function (message) called for each mistake
-- @return { name = number }
function limits.parse(wanted, report)
  local numbers = {}
  local names = {}
  for name in next, wanted do
    names[#names + 1] = name
  end
  table.sort(names, function(a, b)
    return tostring(a) < tostring(b)
  end)
  for _, name in ipairs(names) do
    local new = RENAMED[name]
    local number, message = limits.check(new or name, wanted[name])
    if new then
      log.write("notice", ("limit '%s' is called '%s' now"):format(name, new))
    end
    if number then
      numbers[new or name] = number
    else
      report(message)
    end
  end
  return numbers
end

--- Numbers of the wire as Lua shows them.
function limits.shown(numbers)
  local shown = {}
  for name, number in pairs(numbers) do
    if SWITCHES[name] then
      shown[name] = number ~= 0
    else
      shown[name] = number
    end
  end
  return shown
end

return limits
