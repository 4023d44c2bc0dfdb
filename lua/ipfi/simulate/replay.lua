-- SPDX-License-Identifier: GPL-2.0-or-later
-- Replays a capture: each of its packets passes in a simulation, whose clock follows the time stamps.
local address = require "ipfi.field.address"
local capture = require "ipfi.c.capture"
local columns = require "ipfi.base.columns"
local errors = require "ipfi.base.errors"
local lists = require "ipfi.field.lists"
local mend = require "ipfi.packet.mend"
local packet = require "ipfi.packet.packet"
local protocol = require "ipfi.field.protocol"
local reassembly = require "ipfi.packet.reassembly"
local simulate = require "ipfi.simulate.simulate"
local style = require "ipfi.base.style"
local suggest = require "ipfi.base.suggest"
local sys = require "ipfi.c.sys"
local text = require "ipfi.base.text"

local replay = {}

-- Rows that are shown at the prompt.
local SHOWN = 200

local OPTIONS = { "devices", "dir", "iif", "me", "oif", "seed", "sets", "time" }
-- Protocols by whose ports the connection of a quoted packet is found.
local PORTS = { tcp = true, udp = true, udplite = true, sctp = true, dccp = true }

-- Time stamps, in seconds: how far apart those of one clock may be, how far one may jump ahead, and how far
-- all of them in one file; how many clocks are told apart.
local CLOCK_NEAR, JUMP_MOST, JUMPS_MOST = 86400, 30 * 86400, 365 * 86400
local CLOCKS_MOST = 16

-- Rows that wait for the rest of a packet's fragments.
local QUEUE_MOST = 4096

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
  if options and options.dir ~= nil and not lists.named(options.dir) then
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
  local dir = lists.named(options.dir)
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

-- What cannot be judged, because the headers that decide are not all in the capture.
local function truncated(row)
  row.truncated, row.verdict, row.rule, row.reason = true, "truncated", "none", "truncated"
end

local function denied(row, reason)
  row.verdict, row.rule, row.reason = "deny", "default", reason
end

-- Are the headers of an error's quoted packet there, by which its connection is found?
local function quotes(t)
  return not t.inner or (t.inner.src and (not PORTS[t.inner.proto] or t.inner.sport or t.inner.fragment))
end

-- Lets a packet pass whose bytes are all there; the rows are those of its frames.
local function pass(self, data, rows, way)
  local t, at = packet.parse(data)
  local proto = t.proto and protocol.number(t.proto)
  if at and proto and not t.problem and not t.fragment then
    data = mend.checksum(data, proto, at)
  end
  local judged = self.simulation:replay(data, way, packet.parse(data))
  for _, row in ipairs(rows) do
    row.verdict, row.reason, row.rule = judged.verdict, judged.reason, judged.rule
    row.at, row.state, row.nat = judged.at, judged.state, judged.nat
  end
end

-- A packet that never was complete: the kernel drops what it has of it.
local function dropped(whole)
  for _, row in ipairs(whole.owners) do
    denied(row, "fragment")
  end
end

local function judge(self, row, data, missing, device, outgoing)
  local wire = #data + missing
  local t = packet.parse(data)
  row.line, row.truncated = tostring(t), t.truncated
  local whole = t.src and mend.length(data, wire)
  if not whole then
    if missing > 0 then
      return truncated(row)
    end
    return denied(row, "bad-header")
  end
  local cut = #data < #whole
  -- What the header says now may be another length.
  t = packet.parse(whole)
  row.truncated = cut or nil
  row.line = tostring(t)
  local seen = packet.parse(whole:sub(1, math.min(#data, #whole)))
  local way = way_of(self, t, device, outgoing)
  row.dir = way.dir
  if cut and (seen.problem or not quotes(seen)) then
    return truncated(row)
  end
  if not t.fragment or t.problem then
    return pass(self, whole, { row }, way)
  end
  local complete, rows = self.fragments:take(whole, t, self.passed, row, dropped)
  if complete then
    complete = mend.length(complete, #complete)
    pass(self, complete, rows, way)
  elseif rows == "bad" then
    denied(row, "fragment")
  end
end

-- The clocks of the machines that captured: in files that were merged they differ, by years where one was
-- never set. A time stamp belongs to a clock when it is near its last one; each runs on from where it was.
local function moment(self, time)
  local clock, distance = nil, CLOCK_NEAR
  for _, one in ipairs(self.clocks) do
    local apart = math.abs(time - one.last)
    if apart <= distance then
      clock, distance = one, apart
    end
  end
  if clock then
    clock.last = math.max(clock.last, time)
    return time + clock.offset
  end
  -- Another clock, or nobody captured anything for long: as far ahead as it seems, but not without end.
  local ahead = self.latest and math.max(0, math.min(time - self.latest, JUMP_MOST, self.jumps)) or 0
  self.jumps = self.jumps - ahead
  table.insert(self.clocks, { last = time, offset = self.passed + ahead - time })
  if #self.clocks > CLOCKS_MOST then
    table.remove(self.clocks, 1)
  end
  return self.passed + ahead
end

local function advance(self, time)
  local wanted = moment(self, time)
  self.latest = time
  if wanted > self.passed then
    self.simulation:advance(wanted - self.passed)
    self.passed = wanted
  end
end

-- Reads one frame, and queues its row. Returns false at the end of the file.
function Replay:read()
  local data, time, device, outgoing, kind, missing = self.file:next()
  if data == nil then
    self.file:close()
    self.file = nil
    self.fragments:finish(dropped)
    -- Of a file that ends within a frame, that is the last one that can be told of.
    if time then
      self.count = self.count + 1
      local row = { number = self.count, time = self.latest or 0,
        line = "the file cannot be read further: " .. text.escape(time) }
      truncated(row)
      self.summary.problem = text.escape(time)
      self.queue[#self.queue + 1] = row
    end
    return
  end
  self.count = self.count + 1
  if not data and (kind or missing == 0) then
    self.summary.skipped = self.summary.skipped + 1
    return
  end
  advance(self, time)
  local row = { number = self.count, time = time }
  self.queue[#self.queue + 1] = row
  if data then
    judge(self, row, data, missing, device, outgoing)
  else
    row.line = "a frame that was cut before it says what it holds"
    truncated(row)
  end
end

--- The next packet that is IP, or nil at the end. A packet that came in fragments passes when it is complete,
-- and what became of it stands in the rows of them all.
-- @return { number =, time = seconds since the epoch, line =, dir =, verdict = "allow", "deny", "reject" or,
--   where too little was captured to tell, "truncated", rule =, at =, reason =, state =, nat =, truncated =
--   true when only its beginning was captured }
function Replay:next()
  local queue = self.queue
  -- The first row waits for the rest of its fragments, but not for ever.
  while self.file and (not queue[1] or (not queue[1].verdict and #queue < QUEUE_MOST)) do
    self:read()
  end
  local row = table.remove(queue, 1)
  if row then
    if not row.verdict then
      denied(row, "fragment")
    end
    self:add(row)
  elseif not self.finished then
    self.finished = true
    self:finish()
  end
  return row
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
  if row.truncated then
    s.truncated = s.truncated + 1
  end
  if row.verdict ~= "truncated" then
    count(s, row.verdict)
    count(s.rules, row.rule)
  end
  count(s.reasons, row.reason or "no rules")
end

-- What is left when the capture ends: the live states.
function Replay:finish()
  local states = {}
  self.simulation:with(function()
    for name, number in pairs(require("ipfi.live.states").query():count_by "state") do
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
    queue = {}, clocks = {}, passed = 0, jumps = JUMPS_MOST, fragments = reassembly.new(),
    simulation = simulate.new(p, { devices = options.devices, seed = options.seed, sets = options.sets,
      time = options.time }),
    summary = { packets = 0, allow = 0, deny = 0, reject = 0, skipped = 0, truncated = 0, rules = {},
      reasons = {} },
  }, Replay)
  return self
end

return replay
