#!/usr/sbin/ipfi
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- Random policies and packets, given to the kernel and to the built-in engine: both must say and do the same.
--
--   ipfi run.lua to=PIPE from=PIPE first=SEED policies=N packets=N [verbose=yes]
--
-- Without pipes, and with --sim, two worlds of the engine are compared, which needs no guest and tries this file: they
-- differ by their secrets only, so what differs then was left to chance.
-- Prints "ok ..." or, for the first difference of a policy, "not ok ..." with the policy and its packets so far.
-- Each packet is explained by both, then passes both; what comes out is held against the explanation and against
-- the other. At the end of a policy the states, the rules' counters, the reasons' counters and the
-- expectations are compared.
local compare = dofile "tests/net/one_engine/compare.lua"
local compile = require "ipfi.policy.compile"
local conversation = require "ipfi.simulate.peers"
local kernel = require "ipfi.base.kernel"
local loader = require "ipfi.policy.loader"
local packet = require "ipfi.packet.packet"
local packets = dofile "tests/net/one_engine/packets.lua"
local policies = dofile "tests/net/one_engine/policies.lua"
local sys = require "ipfi.c.sys"
local sides = dofile "tests/net/one_engine/sides.lua"

local count_of = { policies = tonumber(args.policies or 50), packets = tonumber(args.packets or 100) }
local first = tonumber(args.first or 1)
local verbose = args.verbose ~= nil

local real = args.to and sides.kernel(assert(io.open(args.to, "wb")), assert(io.open(args.from, "rb")))
  or sides.engine(99)
local total = { packets = 0, allow = 0, deny = 0, reject = 0, translated = 0, states = 0, free = 0, ended = 0 }

-- A policy that is right: rules that say what cannot be are left out.
local function load_policy(made)
  local without = {}
  while true do
    local source = made.text(without)
    local ok, value = pcall(loader.text, source, made.name)
    if ok then
      return value, source
    end
    local before = next(without) and #source
    for name in tostring(value):gmatch("rule '([^']+)'") do
      without[name] = true
    end
    if before == #made.text(without) then
      error(value, 0)
    end
  end
end

local function fill(side, name, members)
  local list = {}
  for i, written in ipairs(members) do
    list[i] = require("ipfi.field.address").member(written)
  end
  if #list > 0 then
    side.link.ask({ cmd = "set_add", set = { name = name, member = list } }, "set_add")
  end
end

-- States that make no room for others when the table is full: see ipfi_flow_evictable(). Those of the second
-- list, when there was a reply.
local LASTING = { ESTABLISHED = true, UDP_ESTABLISHED = true }
local REPLIED = { ICMP = true, OTHER = true }

-- Which of several is evicted, follows from a secret of each side's hash: then there is nothing to compare any more.
local function somebody_may_be_evicted(p)
  return real.with(function()
    if fw.stats().states < p.limits.max_states then
      return false
    end
    for row in fw.states():each() do
      if row.guessed and not row.reply_seen
        or not LASTING[row.state] and (row.reply_packets == 0 or not REPLIED[row.state]) then
        return true
      end
    end
    return false
  end)
end

local function itself(text)
  return text
end

local SUM_AT = { tcp = 16, udp = 6, udplite = 6, sctp = 8, dccp = 6, icmp = 2, icmpv6 = 2 }

local function spoil(data, proto)
  local at = (data:byte() >> 4 == 4 and 20 or 40) + SUM_AT[proto]
  return data:sub(1, at) .. ("I2"):pack(("I2"):unpack(data, at + 1) ~ 0x5a5a) .. data:sub(at + 3)
end

-- The bytes of a packet as a side's sender would write them, and their way.
local function make(of, t)
  local fields = {}
  for name, value in pairs(t) do
    fields[name] = value
  end
  fields.mark_wanted, fields.user_wanted, fields.bad_sum, fields.seq_off, fields.ack_off = nil, nil, nil, nil, nil
  local way = packets.way(fields.src, fields.dst)
  if way.dir == "out" then
    way.mark, way.user = t.mark_wanted, t.user_wanted
  end
  local data = assert(packet.build(fields))
  fields = of.talk:complete(fields, packet.parse(data))
  local parsed = packet.parse(assert(packet.build(fields)))
  if t.seq_off or t.ack_off then
    local copy = {}
    for name, value in pairs(fields) do
      copy[name] = value
    end
    copy.seq = parsed.seq + (t.seq_off or 0) & 0xffffffff
    copy.ack = parsed.ack + (t.ack_off or 0) & 0xffffffff
    fields = copy
  end
  data = assert(packet.build(fields))
  if t.bad_sum then
    data = spoil(data, t.proto)
  end
  return way, data, packet.parse(data)
end

-- Asks where a packet will be judged: a translated destination may lead elsewhere than its own.
local function ask(side, way, data, arrived)
  local judged = side:explain(way, data)
  if judged.nat and judged.nat.dst ~= arrived.dst then
    local led = packets.way(way.dir == "out" and "10.0.0.1" or arrived.src, judged.nat.dst)
    if way.dir == "out" then
      led.dir, led.iif = "out", nil
    end
    led.mark, led.user = way.mark, way.user
    if led.dir ~= way.dir or led.oif ~= way.oif then
      judged = side:explain(led, data)
    end
  end
  return judged
end

-- One packet through one side.
local function step(of, c, draw, forth)
  local about = c.views or c
  local view = of.views[about]
  if not view then
    view = {}
    of.views[about] = view
  end
  local t = draw(view, c.control and of.views[c.control])
  if not t then
    return nil
  end
  local way, data, arrived = make(of, t)
  local done = { way = way, arrived = arrived, line = packet.line(data) }
  done.judged = ask(of.side, way, data, arrived)
  done.came = of.side:pass(way, data)
  if of.side.late and #done.came == 0 and way.dir == "out" and (done.judged.verdict == "allow"
    or (done.judged.verdict == "reject" and arrived.flags and not arrived.flags:find "S")) then
    -- What comes in again by the loopback device may take its time.
    of.side.late(done.came)
  end
  local left
  done.broken, left = compare.promise(done.judged, arrived, done.came, not t.bad_sum,
    way.oif == "lo" or (done.judged.nat and packets.device_of(done.judged.nat.dst) == nil))
  if left then
    local parsed = packet.parse(left.data)
    of.talk:note(arrived, parsed)
    packets.note(view, forth, parsed, left.data)
  end
  return done
end

local function report(made, source, history, problem)
  print(("not ok policy %d - %s"):format(made.seed, problem:match("^[^\n]*")))
  print("# " .. problem:gsub("\n", "\n# "))
  print("# " .. source:gsub("\n$", ""):gsub("\n", "\n# "))
  for name, members in pairs(made.sets) do
    print(("# set %s: %s"):format(name, table.concat(members, " ")))
  end
  for i = math.max(1, #history - 40), #history do
    print("# " .. history[i])
  end
end

-- Time that parts took, for who asks where it goes.
local spent = {}
local function timed(name, run, ...)
  local from = sys.monotonic()
  local result = table.pack(run(...))
  spent[name] = (spent[name] or 0) + sys.monotonic() - from
  return table.unpack(result, 1, result.n)
end

local function run(seed)
  local made = policies.make(seed)
  made.seed = seed
  local p, source = timed("load", load_policy, made)
  local policy = { chance = #p.nat > 0, free = 0 }
  local both = {}
  for i, side in ipairs { real, sides.engine(seed) } do
    both[i] = { side = side, talk = conversation.new(), views = setmetatable({}, { __mode = "k" }) }
    side:commit(compile.messages(p, { states = "flush" }))
    for name, members in pairs(made.sets) do
      fill(side, name, members)
    end
    both[i].before = side:counters()
  end
  local draw_next, history = packets.source(), {}
  local function finish(problem)
    if problem then
      report(made, source, history, problem)
    end
    both[2].side.link.close()
    both[2].side.world:close()
    total.free = total.free + policy.free
    return not problem
  end
  for _ = 1, count_of.packets do
    if p.limits.max_states < 65536 and somebody_may_be_evicted(p) then
      total.ended = total.ended + 1
      return finish()
    end
    local c, draw, forth = draw_next()
    local a = timed("kernel", step, both[1], c, draw, forth)
    local b = timed("engine", step, both[2], c, draw, forth)
    if a or b then
      history[#history + 1] = ("%s %s%s%s: %s: %s by %s"):format(a.way.dir, a.way.iif or "",
        a.way.oif and ">" .. a.way.oif or "",
        a.way.mark and (" mark %d user %d"):format(a.way.mark, a.way.user) or "", a.line, a.judged.verdict,
        a.judged.rule)
      if verbose then
        print("# " .. history[#history])
      end
      if not b then
        return finish "the engine let through less"
      end
      local problem = compare.explanations(policy, a.judged, b.judged)
        or compare.outcomes(policy, a.came, b.came)
        or (a.broken and "the kernel: " .. a.broken) or (b.broken and "the engine: " .. b.broken)
      total.packets = total.packets + 1
      total[a.judged.verdict] = total[a.judged.verdict] + 1
      total.translated = total.translated + (a.judged.nat and 1 or 0)
      if problem then
        return finish(("packet %d (%s; %s): %s"):format(#history, a.line, b.line, problem))
      end
    end
  end
  local rows = { both[1].side:states(), both[2].side:states() }
  total.states = total.states + #rows[1]
  return finish(compare.lists(policy, "the states differ", compare.states, rows[1], rows[2])
    or compare.lists(policy, "the rules' counters differ", itself, both[1].side:counts(), both[2].side:counts())
    or compare.lists(policy, "the reasons' counters differ", itself, both[1].side:since(both[1].before),
      both[2].side:since(both[2].before))
    or compare.lists(policy, "the expectations differ", itself, both[1].side:expectations(policy.free > 0),
      both[2].side:expectations(policy.free > 0)))
end

local wrong, begun = 0, os.time()
for seed = first, first + count_of.policies - 1 do
  wrong = wrong + (run(seed) and 0 or 1)
  if seed % 100 == 0 then
    print(("# policy %d, %d s, %d packets, %d wrong"):format(seed, os.time() - begun, total.packets, wrong))
    io.stdout:flush()
  end
end
local words = {}
for _, name in ipairs { "packets", "allow", "deny", "reject", "translated", "states", "free", "ended" } do
  words[#words + 1] = ("%s %d"):format(name, total[name])
end
print("# " .. table.concat(words, ", "))
if wrong == 0 then
  print(("ok the engine answers as the kernel: %d policies, %d packets"):format(count_of.policies, total.packets))
end
for _, name in ipairs { "load", "kernel", "engine" } do
  print(("# %s: %.1f s"):format(name, spent[name] or 0))
end
kernel.close()
os.exit(wrong == 0 and 0 or 1)
