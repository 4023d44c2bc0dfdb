-- SPDX-License-Identifier: GPL-2.0-or-later
-- What happens in the kernel, told to functions of a script: fw.on() names them, fw.run() waits and calls.
--
-- Events come over a connection of their own, so that the answers to what a function asks meanwhile do not
-- get between them. It is opened by the first fw.on(): the next fw.run() tells what happens from then on.
local errors = require "ipfi.base.errors"
local kernel = require "ipfi.base.kernel"
local log = require "ipfi.base.log"
local states = require "ipfi.live.states"
local suggest = require "ipfi.base.suggest"
local sys = require "ipfi.c.sys"
local text = require "ipfi.base.text"

local events = {}

-- A packet that was logged, or for which there was no translation.
local function packet_row(finish, message)
  local row = message.log
  row.rule, row.name = row.name or (row.rule and finish.rule(row.rule)), nil
  row.proto = row.proto and finish.proto(row.proto)
  row.iif, row.oif = finish.iif(row.iif or 0), finish.oif(row.oif or 0)
  if row.icmp then
    row.icmp_type, row.icmp_code, row.icmp = row.icmp >> 8, row.icmp & 0xff, nil
  end
  row.time = row.time and row.time / 1e9
  return row
end

--- The events: { name =, group = that tells of them, help =, row = function (finisher, message) -> what the
-- functions get }.
events.list = {
  {
    name = "log",
    group = "log",
    help = "a packet that a rule with log decided: prefix, rule, verdict, reason, state, list, family, "
      .. "proto, "
      .. "src, sport, dst, dport (icmp_type, icmp_code), iif, oif, length, time (seconds since 1970)",
    row = packet_row,
  },
  {
    name = "state",
    group = "state",
    help = "a state that was made, changed or destroyed: a row as of fw.states, with kind (\"new\", "
      .. "\"changed\", "
      .. "\"destroyed\") and, of a destroyed one, cause",
    row = function(finish, message)
      local event = message.event or {}
      local row = finish.row(message.state)
      row.kind, row.cause = event.kind, event.cause
      return row
    end,
  },
  {
    name = "full",
    group = "state",
    help = "the state table is full: states, max_states; about once a second while it is",
    row = function(_, message)
      return message.stats
    end,
  },
  {
    name = "nat_full",
    group = "state",
    help = "no address and port were left for a translation: rule, list, family, proto, src, sport, dst, "
      .. "dport, "
      .. "time; at most once a second",
    row = packet_row,
  },
  {
    name = "ruleset",
    group = "ruleset",
    help = "the running rule set changed: change (\"committed\", \"confirmed\", \"rolled-back\", or "
      .. "\"timed-out\": nobody confirmed it), generation, name, rules, nat_rules (if any), and confirm "
      .. "(seconds left) while it waits to be confirmed",
    row = function(_, message)
      local row = kernel.count_rules(message.info)
      row.confirm = row.confirm and row.confirm / 1000
      return row
    end,
  },
  {
    name = "lost",
    help = "events were lost, because they came faster than they were handled; without a function for it a "
      .. "warning says so",
  },
}

local by_name, by_cmd = {}, {}
--- Their names.
events.names = {}
for i, event in ipairs(events.list) do
  by_name[event.name] = event
  by_cmd[event.group and "event_" .. event.name or event.name] = event
  events.names[i] = event.name
end

-- Functions by event, in the order of fw.on(); the connection, and the groups that it hears.
local listeners, connection, joined = {}, nil, {}

local function close()
  if connection then
    connection:close()
  end
  connection, joined = nil, {}
end

local function join(group)
  if not connection then
    connection = kernel.connect("fw.on")
  end
  if group and not joined[group] then
    local ok, err = connection:subscribe(group)
    if not ok then
      error(errors.kernel(err, "fw.on"), 0)
    end
    joined[group] = true
  end
end

--- Names a function that fw.run() calls for every event of a kind, until it returns false.
-- @param name of events.list
-- @param listener function (row)
function events.on(name, listener)
  local event = by_name[name]
  if not event then
    errors.raise("lua", "fw.on: unknown event %s%s", text.quote(name),
      type(name) == "string" and suggest.hint(name, events.names) or "")
  elseif type(listener) ~= "function" then
    errors.raise("lua", "fw.on: expected a function, got %s", text.quote(listener))
  end
  if event.group then
    join(event.group)
  end
  local list = listeners[name] or {}
  list[#list + 1] = listener
  listeners[name] = list
end

-- Calls the functions for an event; those that return false are not called again.
local function tell(event, row)
  local list = listeners[event.name]
  if not list then
    if event.name == "lost" then
      log.write("warning", "events were lost: they come faster than they are handled")
    end
    return
  end
  local staying = {}
  listeners[event.name] = staying
  for i, listener in ipairs(list) do
    -- After an error the others, and this one, are still there for the next fw.run().
    local ok, result = pcall(listener, row)
    if not ok then
      table.move(list, i, #list, #staying + 1, staying)
      error(result, 0)
    elseif result ~= false then
      staying[#staying + 1] = listener
    end
  end
  if #staying == 0 then
    listeners[event.name] = nil
  end
end

local function anybody()
  for name in pairs(listeners) do
    if by_name[name].group then
      return true
    end
  end
  return false
end

--- Waits for events and calls the functions of fw.on().
-- @param seconds how long; for ever when nil. It also ends when no function is left. In a simulation the
--   clock is moved by so much, and the events of that time are told at once.
function events.run(seconds)
  if seconds ~= nil and (type(seconds) ~= "number" or seconds < 0 or seconds ~= seconds) then
    errors.raise("lua", "fw.run: expected seconds from 0 on, got %s", text.quote(seconds))
  elseif not anybody() then
    errors.raise("lua", "fw.run: no function waits for an event; name one by fw.on(event, function)")
  end
  local world = kernel.world()
  if world then
    -- Nothing happens there by waiting: its clock is moved instead.
    world:advance(seconds or 0)
    seconds = 0
  end
  local finish = seconds and sys.monotonic() + seconds
  local left = seconds
  repeat
    local list, err = connection:events(left)
    if not list then
      if not err.interrupt then
        close()
        listeners = {}
      end
      error(errors.kernel(err, "fw.run"), 0)
    end
    local finisher
    for _, message in ipairs(list) do
      local event = by_cmd[message.cmd]
      if event and (listeners[event.name] or event.name == "lost") then
        if event.row then
          finisher = finisher or states.finisher()
          message = event.row(finisher, message)
        end
        tell(event, message)
      end
    end
    left = finish and math.max(0, finish - sys.monotonic())
  until left == 0 or not anybody()
  if not anybody() then
    close()
  end
end

return events
