-- SPDX-License-Identifier: GPL-2.0-or-later
-- Replays a capture: each of its packets passes in a simulation, whose clock follows the time stamps.
local address = require "ipfi.address"
local capture = require "ipfi.c.capture"
local columns = require "ipfi.columns"
local errors = require "ipfi.errors"
local packet = require "ipfi.packet"
local simulate = require "ipfi.simulate"
local style = require "ipfi.style"
local suggest = require "ipfi.suggest"
local sys = require "ipfi.c.sys"
local text = require "ipfi.text"

local replay = {}

-- Rows that are shown at the prompt.
local SHOWN = 200

local OPTIONS = { "devices", "dir", "iif", "me", "oif", "seed", "sets", "time" }
local LISTS = { ["in"] = true, out = true, forward = true }
local TRANSPORT = { tcp = true, udp = true, icmp = true, icmpv6 = true }

local Replay = { __name = "replay" }
Replay.__index = Replay

local function check_options(options)
  if options ~= nil and type(options) ~= "table" then
    errors.raise("lua", "fw.replay: expected a table of options, got %s", text.quote(options))
  end
  for name in next, options or {} do
    local known = false
    for _, one in ipairs(OPTIONS) do
      known = known or one == name
    end
    if not known then
      errors.raise("lua", "fw.replay: unknown option %s%s", text.quote(name),
        type(name) == "string" and suggest.hint(name, OPTIONS) or "")
    end
  end
  if options and options.dir ~= nil and not LISTS[options.dir] then
    errors.raise("lua", "fw.replay: dir is 'in', 'out' or 'forward', got %s", text.quote(options.dir))
  end
  return options or {}
end

-- The machine's own addresses: those that were said, those of its devices, or this machine's.
local function own_addresses(options)
  local written, own = {}, {}
  if options.me then
    written = type(options.me) == "table" and options.me or { options.me }
  elseif options.devices then
    for _, list in next, options.devices do
      for _, item in ipairs(type(list) == "table" and list or { list }) do
        written[#written + 1] = item
      end
    end
  else
    for _, device in ipairs(sys.devices()) do
      table.move(device.addresses, 1, #device.addresses, #written + 1, written)
    end
  end
  for _, item in ipairs(written) do
    local prefix, problem = address.prefix(item)
    if not prefix then
      errors.raise("lua", "fw.replay: me: %s", problem)
    end
    own[prefix.addr] = true
  end
  return own
end

local function is_for_all(host)
  return host == "255.255.255.255" or host:find("^22[4-9]%.") ~= nil or host:find("^23%d%.") ~= nil
    or host:find("^ff") ~= nil
end

-- The way of a packet: which list judges it, and by which devices it goes.
local function way_of(self, t, device, outgoing)
  local options = self.options
  local dir = options.dir
  if not dir then
    if self.own[t.src] then
      dir = "out"
    elseif self.own[t.dst] or is_for_all(t.dst) then
      dir = "in"
    elseif outgoing == true then
      dir = "out"
    else
      dir = "forward"
    end
  end
  return {
    dir = dir,
    iif = dir ~= "out" and (options.iif or device) or nil,
    oif = dir ~= "in" and (options.oif or (dir == "out" and device)) or nil,
  }
end

-- The packet again, as far as it was captured, with checksums that are right: on the machine that captures,
-- those of what it sends are not yet written, and what was cut off has none. nil where it cannot be.
local function mend(t)
  if t.problem or t.fragment or t.extensions or not TRANSPORT[t.proto] or (t.inner and not t.truncated) then
    return nil
  end
  local copy = {}
  for name, value in next, t do
    copy[name] = value
  end
  copy.truncated = nil
  return packet.build(copy)
end

local function row_of(self, data, time, device, outgoing)
  local t = packet.parse(data)
  local row = { number = self.count, time = time, line = tostring(t), truncated = t.truncated }
  if not t.src then
    row.verdict, row.rule, row.reason = "deny", "default", "bad-header"
    return row
  end
  local way = way_of(self, t, device, outgoing)
  way.data = mend(t) or data
  local ok, judged = pcall(self.simulation.pass, self.simulation, way)
  if not ok then
    error(judged, 0)
  end
  row.dir, row.verdict, row.reason = way.dir, judged.verdict, judged.reason
  row.rule, row.at, row.state, row.nat = judged.rule, judged.at, judged.state, judged.nat
  return row
end

--- The next packet that is IP, or nil at the end.
-- @return { number =, time = seconds since the epoch, line =, dir =, verdict =, rule =, at =, reason =,
--   state =, nat =, truncated = true when only its beginning was captured }
function Replay:next()
  while self.file do
    local data, time, device, outgoing = self.file:next()
    if data == nil then
      self.file:close()
      self.file = nil
      if time then
        errors.raise("lua", "fw.replay: %s: %s", self.path, time)
      end
      self:finish()
      return nil
    end
    self.count = self.count + 1
    if not data then
      self.summary.skipped = self.summary.skipped + 1
    else
      local past = self.clock and time - self.clock or 0
      self.clock = math.max(self.clock or time, time)
      if past > 0 then
        self.simulation:advance(past)
      end
      local row = row_of(self, data, time, device, outgoing)
      self:add(row)
      return row
    end
  end
  return nil
end

--- Goes through the packets: for row in replay:each() do ... end
function Replay:each()
  return function()
    return self:next()
  end
end

local function count(t, key)
  t[key] = (t[key] or 0) + 1
end

function Replay:add(row)
  local s = self.summary
  s.packets = s.packets + 1
  count(s, row.verdict)
  count(s.rules, row.rule)
  count(s.reasons, row.reason or "no rules")
  if row.truncated then
    s.truncated = s.truncated + 1
  end
end

-- What is left when the capture ends: the live states.
function Replay:finish()
  local states = {}
  self.simulation:with(function()
    for name, number in pairs(require("ipfi.states").query():count_by "state") do
      states[name] = number
    end
  end)
  self.summary.states = states
  self.simulation:close()
end

--- Reads to the end and tells what was met: packets, allow, deny, reject, skipped (no IP), truncated, rules =
-- { name = packets }, reasons = { name = packets }, states = { state = how many live at the end }.
function Replay:total()
  while self:next() do
  end
  return self.summary
end

local function listed(numbers)
  local names = {}
  for name in pairs(numbers) do
    names[#names + 1] = name
  end
  table.sort(names, function(a, b)
    return numbers[a] > numbers[b] or (numbers[a] == numbers[b] and a < b)
  end)
  for i, name in ipairs(names) do
    names[i] = ("%s %d"):format(text.escape(name), numbers[name])
  end
  return #names > 0 and table.concat(names, ", ") or "none"
end

local function summary_text(s)
  local out = { ("%s: %d allowed, %d denied, %d rejected"):format(text.plural(s.packets, "packet"), s.allow,
    s.deny, s.reject) }
  if s.skipped > 0 or s.truncated > 0 then
    out[1] = ("%s; %d cut, %s without IP passed over"):format(out[1], s.truncated,
      text.plural(s.skipped, "frame"))
  end
  out[2] = "by rule: " .. listed(s.rules)
  out[3] = "by reason: " .. listed(s.reasons)
  out[4] = "states at the end: " .. listed(s.states or {})
  return table.concat(out, "\n") .. "\n"
end

--- How the prompt shows it: the first packets, and the summary of all.
function Replay:__show(st)
  local rows, first = {}, nil
  for row in self:each() do
    if #rows < SHOWN then
      rows[#rows + 1] = row
      first = first or row.time
    end
  end
  local shown = columns.format(st, {
    { title = "#", right = true, cell = function(row) return tostring(row.number) end },
    {
      title = "TIME",
      right = true,
      spare = 2,
      cell = function(row) return ("%.3f"):format(row.time - first) end,
    },
    { title = "VERDICT", cell = function(row) return row.verdict end },
    { title = "RULE", cut = true, cell = function(row) return row.rule end },
    { title = "REASON", spare = 1, cell = function(row) return row.reason or "" end },
    { title = "STATE", empty = false, cell = function(row) return row.state or "" end },
    { title = "PACKET", cut = true, cell = function(row) return row.line end },
  }, rows)
  if self.summary.packets > #rows then
    shown = ("%s... and %d more (replay:each() goes through all)\n"):format(shown,
      self.summary.packets - #rows)
  end
  return shown .. summary_text(self.summary)
end

function Replay:__tostring()
  return (self:__show(style.plain()):gsub("\n$", ""))
end

--- For JSON lines: every packet, then the summary.
function Replay:__rows()
  local told = false
  return function()
    local row = self:next()
    if row == nil and not told then
      told = true
      return { summary = self.summary }
    end
    return row
  end
end

--- fw.replay(p, path, options): a capture, ready to be gone through.
-- @param p a checked policy
-- @param path of a pcap or pcapng file
-- @param options { me = the machine's addresses, dir = one list for all packets, iif =, oif = devices,
--   devices =, sets =, seed = as for fw.sim.new }
-- @return replay, with :each(), :next() and :total()
function replay.open(p, path, options)
  options = check_options(options)
  if type(path) ~= "string" then
    errors.raise("lua", "fw.replay: expected the path of a capture, got %s", text.quote(path))
  end
  local file, problem = capture.open(path)
  if not file then
    errors.raise("lua", "fw.replay: cannot read %s: %s", text.escape(path), text.escape(problem))
  end
  local self = setmetatable({
    file = file, path = text.escape(path), options = options, own = own_addresses(options), count = 0,
    simulation = simulate.new(p, { devices = options.devices, seed = options.seed, sets = options.sets,
      time = options.time }),
    summary = { packets = 0, allow = 0, deny = 0, reject = 0, skipped = 0, truncated = 0, rules = {},
      reasons = {} },
  }, Replay)
  return self
end

return replay
