-- SPDX-License-Identifier: GPL-2.0-or-later
-- Simulation: the rules of a policy in a world of the built-in engine, which is the code of the module
-- itself, with a state table, devices and a clock of its own. Packets pass there as they would in the kernel.
local address = require "ipfi.field.address"
local compile = require "ipfi.policy.compile"
local conversation = require "ipfi.simulate.peers"
local engine = require "ipfi.c.engine"
local errors = require "ipfi.base.errors"
local explain = require "ipfi.live.explain"
local kernel = require "ipfi.base.kernel"
local packet = require "ipfi.packet.packet"
local policy = require "ipfi.policy.policy"
local running = require "ipfi.live.ruleset"
local suggest = require "ipfi.base.suggest"
local sys = require "ipfi.c.sys"
local text = require "ipfi.base.text"

local simulate = {}

-- A world begins at this moment unless told otherwise, so that a simulation repeats: 1 January 2024.
local EPOCH = 1704067200

local OPTIONS = { "devices", "seed", "sets", "time" }

local Simulation = { __name = "simulation" }
Simulation.__index = Simulation

-- What a judgement was made of, beside what it shows: { left = packet.parse() of what came through, way = }.
local passages = setmetatable({}, { __mode = "k" })

local function check_options(options)
  if options == nil then
    return {}
  elseif type(options) ~= "table" then
    errors.raise("lua", "fw.sim.new: expected a table of options, got %s", text.quote(options))
  end
  for name in next, options do
    local known = false
    for _, one in ipairs(OPTIONS) do
      known = known or one == name
    end
    if not known then
      errors.raise("lua", "fw.sim.new: unknown option %s%s", text.quote(name),
        type(name) == "string" and suggest.hint(name, OPTIONS) or "")
    end
  end
  return options
end

local function list_of(value)
  return type(value) == "table" and value or { value }
end

-- A device that a packet or a rule is about and nobody described gets addresses of its own, of the networks
-- for benchmarks (RFC 2544) and documentation (RFC 3849).
local function make_device(self, name)
  self.devices = self.devices + 1
  self.world:device(name, {
    addresses = name == "lo" and { "127.0.0.1/8", "::1/128" }
      or { ("198.18.%d.1/24"):format(self.devices % 256), ("2001:db8:%x::1/64"):format(self.devices) },
  })
end

-- Remembers what a device leads to; returns its addresses as the engine takes them.
local function note_networks(self, name, written)
  local addresses = {}
  for i, item in ipairs(written) do
    local prefix, family = address.prefix(item)
    if not prefix then
      errors.raise("lua", "fw.sim.new: devices: %s", family)
    end
    local bits = prefix.length or (family == 4 and 32 or 128)
    local from, to = sys.prefix_range(prefix.addr, bits)
    addresses[i] = ("%s/%d"):format(prefix.addr, bits)
    self.networks[#self.networks + 1] = { device = name, family = family, address = prefix.addr,
      from = from, to = to }
  end
  return addresses
end

local function make_devices(self, devices)
  if type(devices) ~= "table" then
    errors.raise("lua", "fw.sim.new: devices: expected { name = address }, got %s", text.quote(devices))
  end
  for _, name in ipairs(suggest.keys(devices)) do
    local addresses = note_networks(self, name, list_of(devices[name]))
    self.world:device(name, { addresses = addresses, loopback = name == "lo" })
  end
end

local function fill_sets(self, sets)
  for name, members in next, sets do
    local list = {}
    for i, member in ipairs(list_of(members)) do
      local checked, problem = member, nil
      if type(member) ~= "table" then
        checked, problem = address.member(member)
      end
      list[i] = checked or errors.raise("lua", "fw.sim.new: sets: %s", problem)
    end
    self.link.ask({ cmd = "set_add", set = { name = name, member = list } }, "fw.sim.new: sets")
  end
end

--- Begins a simulation of a policy: no state lives, the clock stands.
-- @param p a checked policy
-- @param options { devices = { name = address or list }, time = seconds since the epoch, seed = of all that
--   is random, sets = { name = list of members } }, each optional
-- @return simulation
function simulate.new(p, options)
  options = check_options(options)
  if not policy.is(p) or not p.checked then
    errors.raise("lua", "fw.sim.new: expected a policy, as fw.load() returns it, got %s", text.quote(p))
  end
  local world = engine.new { seed = options.seed or 1, time = options.time or EPOCH }
  local self = setmetatable({
    policy = p, world = world, link = kernel.of(world), networks = {}, devices = 0,
    talk = conversation.new(), passed = 0,
  }, Simulation)
  make_devices(self, options.devices or {})
  local messages = compile.messages(p)
  self.link.transact(messages, "simulation of policy '" .. p.name .. "'", function(index)
    local rule = messages:rule(index)
    return rule and { at = rule.at, rule = rule.name }
  end)
  fill_sets(self, options.sets or {})
  return self
end

function Simulation:__tostring()
  return ("simulation of policy '%s', %s passed"):format(text.escape(self.policy.name),
    text.plural(self.passed, "packet"))
end

-- The device whose network an address belongs to, of those that are not a certain one.
function Simulation:device_of(host, but)
  for _, network in ipairs(self.networks) do
    if host:find(":", 1, true) == nil and network.family == 4 or host:find(":", 1, true)
      and network.family == 6 then
      if sys.compare_addresses(host, network.from) >= 0 and sys.compare_addresses(host, network.to) <= 0
        and network.device ~= but then
        return network.device
      end
    end
  end
  for _, network in ipairs(self.networks) do
    if network.device ~= but and network.device ~= "lo" then
      return network.device
    end
  end
  return but == "dev0" and "dev1" or "dev0"
end

local function is_loopback(host)
  return host == "::1" or host:find("^127%.") ~= nil
end

-- Devices are known to the kernel of each packet; what was left out follows from the addresses.
function Simulation:route(meta, built)
  if not built.src then
    return
  end
  if meta.list ~= "forward" and (is_loopback(built.src) or is_loopback(built.dst)) then
    meta.iif = meta.list == "in" and (meta.iif or "lo") or nil
    meta.oif = meta.list == "out" and (meta.oif or "lo") or nil
    return
  end
  if meta.list ~= "out" and not meta.iif then
    meta.iif = self:device_of(built.src, meta.oif)
  end
  -- What is forwarded though it is for this machine leaves as its translation wants, which the engine knows.
  if meta.list == "forward" and self:is_own(built.dst) then
    return
  elseif meta.list ~= "in" and not meta.oif then
    meta.oif = self:device_of(built.dst, meta.iif)
  end
end

-- Is it an address of one of the devices?
function Simulation:is_own(host)
  for _, network in ipairs(self.networks) do
    if sys.compare_addresses(host, network.address) == 0 then
      return true
    end
  end
  return false
end

-- An address of the machine, of a device's if it has one.
function Simulation:own(family, device)
  local found
  for _, network in ipairs(self.networks) do
    if network.family == family and network.device ~= "lo" then
      if network.device == device then
        return network.address
      end
      found = found or network.address
    end
  end
  return found
end

function Simulation:bytes(t)
  local function own(family, device)
    return self:own(family, device)
  end
  local data, meta = packet.build(t, own)
  if not data then
    errors.raise("lua", "packet: %s", meta)
  end
  local built = packet.parse(data)
  local whole = self.talk:complete(t, built)
  if whole ~= t then
    data, meta = packet.build(whole, own)
    built = packet.parse(data)
  end
  self:route(meta, built)
  return data, meta, built
end

-- The rules by their id; they change when somebody commits to the world.
function Simulation:rows()
  local generation = (self.link.ask({ cmd = "info" }, "simulation").info or {}).generation
  if generation ~= self.generation then
    self.generation = generation
    self.by_id = kernel.with(self.world, running.by_id)
  end
  return self.by_id
end

-- What the firewall would do, by its own account.
function Simulation:explain(data, meta)
  for _, name in ipairs { meta.iif or false, meta.oif or false } do
    if name and not self.world:ifindex(name) then
      make_device(self, name)
    end
  end
  local messages = self.link.list(explain.question(data, meta), "simulation")
  local judged = explain.judgement(messages, self:rows(), data, meta)
  judged.rule = judged.rule or "default"
  return judged
end

-- What a packet became, when that is not what it was.
local function translation(before, after)
  local sport = after.sport or after.id
  if before.src == after.src and before.dst == after.dst and (before.sport or before.id) == sport
    and before.dport == after.dport then
    return nil
  end
  return { src = after.src, sport = sport, dst = after.dst, dport = after.dport }
end

--- Lets a packet pass: what it does to the state table, counters and limits stays.
-- @param t a packet table
-- @return judgement
function Simulation:pass(t)
  local data, meta, built = self:bytes(t)
  local judged = self:explain(data, meta)
  local out = self.world:pass {
    list = meta.list, data = data, iif = meta.iif, oif = meta.oif, mark = meta.mark, user = meta.user,
    ipsec = meta.ipsec,
  }
  self.passed = self.passed + 1
  local accepted = out.verdict == "accept"
  if meta.oif == "lo" and judged.verdict == "allow" and not accepted then
    -- What leaves by loopback came in again, and was refused there.
    judged = self:explain(out.data or data, { list = "in", iif = "lo", mark = meta.mark })
  end
  if accepted ~= (judged.verdict == "allow") then
    errors.raise("lua", "simulation: a fault of ipfi: %s: explained as %s (%s), but the packet was %s",
      packet.line(data), judged.verdict, judged.reason, accepted and "accepted" or "dropped")
  end
  for _, answer in ipairs(out.answers or {}) do
    judged.answers = judged.answers or {}
    judged.answers[#judged.answers + 1] = packet.line(answer.data)
  end
  if accepted then
    local left = packet.parse(out.data)
    self.talk:note(built, left)
    judged.nat = translation(built, left)
    passages[judged] = { left = left, way = meta }
  end
  return judged
end

-- Headers and what is read behind them; the rest of a long packet is not asked about. Of a packet that lacks
-- something the checksum counts as right, which those behind a routing header, or of a mobile host, are made
-- for other ends.
local ASKED_MOST = 4096
local MOBILE = { routing = true, destination = true }

local function asked_of(data, t)
  local most = ASKED_MOST
  for _, name in ipairs(t.extensions or {}) do
    if MOBILE[name] and t.payload and #t.payload > 0 then
      most = math.min(most, #data - 1)
    end
  end
  return data:sub(1, most)
end

-- What the last packet was dropped for, by the recorder of dropped packets.
local function last_drop(self)
  local list = kernel.with(self.world, require("ipfi.live.drops").get)
  local last = list[#list]
  return last and { reason = last.reason, rule = last.rule, at = last.at } or {}
end

--- Lets the bytes of a packet pass as they are, whatever they are: what the engine says of them stands, and
-- checksums count as right.
-- @param data bytes of an IP packet
-- @param way { dir =, iif =, oif = }
-- @param t the same as packet.parse() has it
-- @return judgement: verdict, rule, at, reason, state, nat
function Simulation:replay(data, way, t)
  local meta = { list = way.dir, iif = way.iif, oif = way.oif }
  self:route(meta, t)
  local known, judged = pcall(self.explain, self, asked_of(data, t), meta)
  if not known and not (errors.is(judged) and (judged.kind == "refused" or judged.kind == "lua")) then
    error(judged, 0)
  end
  local out = self.world:pass {
    list = meta.list, data = data, iif = meta.iif, oif = meta.oif, checked = true,
  }
  self.passed = self.passed + 1
  local accepted = out ~= nil and out.verdict == "accept"
  if known and meta.oif == "lo" and judged.verdict == "allow" and not accepted and out then
    judged = self:explain(out.data:sub(1, ASKED_MOST), { list = "in", iif = "lo" })
  end
  if not out then
    return { verdict = "deny", rule = "default", reason = "bad-header" }
  elseif not known or accepted ~= (judged.verdict == "allow") then
    -- What was not captured may decide; what happened counts.
    local drop = not accepted and last_drop(self) or {}
    return { verdict = accepted and "allow" or "deny", rule = drop.rule or "default", at = drop.at,
      reason = drop.reason }
  end
  if accepted then
    judged.nat = translation(t, packet.parse(out.data))
  end
  return judged
end

-- Longer than any time-out by far, and what the engine's clock can count.
local ADVANCE_MOST = 365 * 86400

local function check_seconds(seconds)
  if type(seconds) ~= "number" or not (seconds >= 0 and seconds <= ADVANCE_MOST) then
    errors.raise("lua", "advance: expected seconds, from 0 to those of a year, got %s", text.quote(seconds))
  end
end

--- Moves the clock: states end, limits fill up again.
-- @param seconds from 0 on, also parts of one
function Simulation:advance(seconds)
  check_seconds(seconds)
  self.world:advance(seconds)
end

-- The simulations that scripts began by fw.sim.new().
local made = setmetatable({}, { __mode = "k" })

--- Ends the simulation; its memory is free again.
function Simulation:close()
  made[self] = nil
  self.link.close()
  self.world:close()
end

--- Runs a function with all of fw talking to the simulation: fw.states(), fw.stats(), fw.set() ...
-- @return what the function returns
function Simulation:with(run, ...)
  return kernel.with(self.world, run, ...)
end

-- The simulations that fw.simulate() began, by policy.
local begun = setmetatable({}, { __mode = "k" })

--- Is this value a simulation?
function simulate.is(value)
  return getmetatable(value) == Simulation
end

--- fw.simulate(p, packet): the first packet of a policy begins its simulation, which later ones go on with.
-- @param p a checked policy, or what simulate.new() returned
-- @param t a packet table
-- @return judgement
function simulate.pass(p, t)
  if simulate.is(p) then
    return p:pass(t)
  elseif type(p) ~= "table" or not begun[p] then
    local one = simulate.new(p)
    begun[p] = one
  end
  return begun[p]:pass(t)
end

--- fw.sim: what goes with fw.simulate().
simulate.library = {}

--- fw.sim.new(p, options): see simulate.new().
function simulate.library.new(p, options)
  local one = simulate.new(p, options)
  made[one] = true
  return one
end

--- fw.sim.reset(p): forgets the simulation of a policy, or all of them.
function simulate.library.reset(p)
  if p == nil then
    begun = setmetatable({}, { __mode = "k" })
  else
    begun[p] = nil
  end
end

--- fw.sim.advance(seconds): moves the clocks of all that fw.simulate() and fw.sim.new() began, and with --sim
--- that of fw. A replay has the clock of its capture.
function simulate.library.advance(seconds)
  check_seconds(seconds)
  for _, one in pairs(begun) do
    one.world:advance(seconds)
  end
  for one in pairs(made) do
    one.world:advance(seconds)
  end
  local used = kernel.world()
  if used then
    used:advance(seconds)
  end
end

--- fw.sim.reply(judgement, fields): the answer of the other end to a packet that came through.
-- @param judged what fw.simulate() returned
-- @param fields table of fields that are to be otherwise, or nil
-- @return packet table
function simulate.library.reply(judged, fields)
  local passage = passages[judged]
  if not passage then
    errors.raise("lua", "fw.sim.reply: expected the judgement of a packet that was let through, got %s",
      type(judged) == "table" and judged.verdict and "one that was not" or text.quote(judged))
  end
  return conversation.reply(passage.left, passage.way, fields)
end

-- The world of --sim as a simulation.
local here

--- fw.sim.pass(packet): lets a packet pass in the world that fw talks to; only with --sim.
-- @return judgement
function simulate.library.pass(t)
  local used = kernel.world()
  if not used then
    errors.raise("lua", "fw.sim.pass: fw talks to the kernel; start with --sim, or use fw.simulate(p, "
      .. "packet)")
  elseif not here or here.world ~= used then
    here = setmetatable({
      world = used, link = kernel.of(used), networks = {}, devices = 0,
      talk = conversation.new(), passed = 0,
    }, Simulation)
    for _, device in ipairs(sys.devices()) do
      note_networks(here, device.name, device.addresses)
    end
  end
  return here:pass(t)
end

return simulate
