#!/usr/sbin/ipfi
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- Captures of real programs, replayed through the kernel and through the built-in engine, packet by packet and
-- under several policies: verdict, rule, state and translation must be the same, what comes out, and at the end the
-- live states and all counters. What was sent is replayed once more by fw.replay, whose rows must say the same.
--
--   ipfi captures.lua to=PIPE from=PIPE tmp=DIRECTORY web=CAPTURE dns=CAPTURE ftp=CAPTURE [verbose=yes]
--
-- Without pipes, and with --sim, two worlds of the engine are compared, which needs no guest and tries this file.
-- In the captures a client on lan0 talks to servers on wan0; the last packet of each, to the discard port, is
-- nobody's.
local capture = require "ipfi.c.capture"
local compare = dofile "tests/net/one_engine/compare.lua"
local compile = require "ipfi.policy.compile"
local far = dofile "tests/net/one_engine/far.lua"
local kernel = require "ipfi.base.kernel"
local loader = require "ipfi.policy.loader"
local packet = require "ipfi.packet.packet"
local packets = dofile "tests/net/one_engine/packets.lua"
local policies = dofile "tests/net/one_engine/policies.lua"
local sides = dofile "tests/net/one_engine/sides.lua"

local SEED = 1

local real = args.to and sides.kernel(assert(io.open(args.to, "wb")), assert(io.open(args.from, "rb")))
  or sides.engine(99)

-- States outlive the comparison, however long the programs took: their end is tried elsewhere.
local TEXT = [[
local limits = {}
for _, name in ipairs { "tcp_syn_sent", "tcp_syn_recv", "tcp_fin_wait", "tcp_close_wait", "tcp_last_ack",
  "tcp_time_wait", "tcp_closed", "tcp_midstream", "udp_new", "udp_established" } do
  limits[name] = 3600
end
return policy {
  name = "captures",
  limits = limits,
  nat = { %s },
  rules = {
    group { "outward", dir = "forward", iif = "lan0", oif = "wan0" } {
      reject { "proxy", proto = "tcp", dport = 8080 },
      allow { "web", proto = "tcp", dport = "http", state = true, mss = 1200 },
      allow { "names", proto = { "udp", "tcp" }, dport = "domain", state = true },
      allow { "files", proto = "tcp", dport = "ftp", %s },
    },
  },
}
]]
local NAT = [[
    masquerade { "lan out", family = 4, oif = "wan0", src = "10.0.0.0/24" },
    dnat { "moved", family = 6, iif = "lan0", dst = "2001:db8:f::9", to = "2001:db8:f::10" },
]]

-- What is denied of the FTP capture, but for its last packet, are data connections that nobody announced.
local POLICIES = {
  { name = "stateful", text = TEXT:format("", 'helper = "ftp"'), denied = { dns = 1, ftp = 1 } },
  { name = "translating", text = TEXT:format(NAT, 'helper = "ftp"'), denied = { dns = 1, ftp = 1 },
    translates = true },
  { name = "without helper", text = TEXT:format("", "state = true"), denied = { dns = 1 } },
}
local CAPTURES = { "web", "dns", "ftp" }

local wrong = 0
local function result(name, problem)
  if problem then
    wrong = wrong + 1
    print(("not ok %s - %s"):format(name, problem:match "^[^\n]*"))
    print("# " .. problem:gsub("\n", "\n# "))
  else
    print("ok " .. name)
  end
end

-- The packets of a capture: { { data =, time =, t = packet.parse(data) } ... }.
local function read(path)
  local file, list = assert(capture.open(path)), {}
  while true do
    local data, time = file:next()
    if not data then
      assert(data == nil and not time, time or "a frame without IP")
      file:close()
      return list
    end
    list[#list + 1] = { data = data, time = time, t = packet.parse(data) }
  end
end

-- Writes packets as a capture of them without link headers (draft-ietf-opsawg-pcap, LINKTYPE_RAW).
local function write(path, list)
  local file = assert(io.open(path, "wb"))
  file:write(("=I4I2I2I4I4I4I4"):pack(0xa1b2c3d4, 2, 4, 0, 0, 0x40000, 101))
  for _, one in ipairs(list) do
    local seconds = math.floor(one.time)
    file:write(("=I4I4I4I4"):pack(seconds, math.floor((one.time - seconds) * 1e6), #one.data, #one.data), one.data)
  end
  file:close()
end

-- Is what left for the client what it had got when this was captured?
local function arrives_as_captured(t, left)
  for _, field in ipairs { "src", "sport", "dst", "dport", "flags", "seq", "ack", "payload" } do
    if t[field] ~= left[field] then
      return ("the client gets another %s: %s, captured was %s"):format(field, packet.line(left), packet.line(t))
    end
  end
end

-- One captured packet through one side.
local function step(of, t, data, way)
  local done = { data = of.far:send(t, data) }
  local arrived = packet.parse(done.data)
  done.line = packet.line(arrived)
  done.judged = of.side:explain(way, done.data)
  done.came = of.side:pass(way, done.data)
  local left
  done.broken, left = compare.promise(done.judged, arrived, done.came, true)
  if left then
    local parsed = packet.parse(left.data)
    of.far:note(t, parsed)
    done.broken = done.broken or (way.oif == "lan0" and arrives_as_captured(t, parsed) or nil)
  end
  return done
end

local function itself(text)
  return text
end

local function judgement_text(row)
  local nat = row.nat
  return ("%s by %s, %s, state %s, nat %s"):format(row.verdict, row.rule or "default", row.reason, row.state,
    nat and ("%s:%s > %s:%s"):format(nat.src, nat.sport, nat.dst, nat.dport))
end

-- What fw.replay says of the packets that were sent, against what the kernel said, and the states that live then.
local function replayed(p, sent, rows)
  local path = args.tmp .. "/sent.pcap"
  write(path, sent)
  local devices = {}
  for _, name in ipairs(policies.devices) do
    devices[name] = { policies.host(name, 4, 1) .. "/24", policies.host(name, 6, 1) .. "/64" }
  end
  local again = fw.replay(p, path, { devices = devices, dir = "forward", seed = SEED })
  for i, one in ipairs(sent) do
    local row = again:next()
    local said, wanted = row and judgement_text(row) or "nothing", judgement_text(one.judged)
    if said ~= wanted then
      return ("fw.replay, packet %d (%s): %s; the kernel: %s"):format(i, packet.line(one.data), said, wanted)
    end
  end
  local live, kept = {}, again:total().states
  for _, row in ipairs(rows) do
    live[row.state] = (live[row.state] or 0) + 1
  end
  for state, n in pairs(live) do
    if kept[state] ~= n then
      return ("fw.replay ends with %s states %s, the kernel with %d"):format(kept[state], state, n)
    end
    kept[state] = nil
  end
  return next(kept) and "fw.replay ends with states that the kernel does not have" or nil
end

local all = { packets = 0, states = 0, translated = 0 }

-- Was it this at all that was to be tried?
local function is_worth(name, policy, count, states)
  local denied = policy.denied[name]
  if denied and count.deny ~= denied then
    return ("%d packets were denied, %d should be"):format(count.deny, denied)
  elseif count.deny == 0 or count.allow == 0 or states == 0 then
    return "nothing is denied, allowed or remembered"
  elseif name == "web" and count.reject == 0 then
    return "nothing is rejected"
  elseif name == "ftp" and not denied and count.deny < 5 then
    return "the data connections were let in without the helper"
  elseif (count.translated > 0) ~= (policy.translates == true) then
    return ("%d packets were translated"):format(count.translated)
  end
end

-- One capture under one policy. Returns nil or what is wrong, and a summary.
local function run(name, policy, list)
  local p = loader.text(policy.text, policy.name)
  local about, both = { chance = false, free = 0 }, {}
  for i, side in ipairs { real, sides.engine(SEED) } do
    both[i] = { side = side, far = far.new() }
    side:commit(compile.messages(p, { states = "flush" }))
    both[i].before = side:counters()
  end
  local sent, count = {}, { allow = 0, deny = 0, reject = 0, translated = 0 }
  for i, one in ipairs(list) do
    local way = packets.way(one.t.src, one.t.dst)
    local a, b = step(both[1], one.t, one.data, way), step(both[2], one.t, one.data, way)
    local problem = compare.explanations(about, a.judged, b.judged) or compare.outcomes(about, a.came, b.came)
      or (a.data ~= b.data and "the far ends differ: " .. b.line)
      or (a.broken and "the kernel: " .. a.broken) or (b.broken and "the engine: " .. b.broken)
    if args.verbose then
      print(("# %d %s: %s"):format(i, a.line, judgement_text(a.judged)))
    end
    if problem then
      return ("packet %d (%s): %s"):format(i, a.line, problem)
    end
    sent[i] = { data = a.data, time = one.time, judged = a.judged }
    count[a.judged.verdict] = count[a.judged.verdict] + 1
    count.translated = count.translated + (a.judged.nat and 1 or 0)
  end
  local kernels, engines = both[1].side, both[2].side
  local rows = kernels:states()
  local problem = compare.lists(about, "the states differ", compare.states, rows, engines:states())
    or compare.lists(about, "the rules' counters differ", itself, kernels:counts(), engines:counts())
    or compare.lists(about, "the reasons' counters differ", itself, kernels:since(both[1].before),
      engines:since(both[2].before))
    or compare.lists(about, "the expectations differ", itself, kernels:expectations(), engines:expectations())
    or replayed(p, sent, rows)
    or is_worth(name, policy, count, #rows)
  engines.link.close()
  engines.world:close()
  all.packets, all.states = all.packets + #list, all.states + #rows
  all.translated = all.translated + count.translated
  return problem, ("%d packets: %d allowed, %d denied, %d rejected, %d translated; %d states"):format(#list,
    count.allow, count.deny, count.reject, count.translated, #rows)
end

for _, name in ipairs(CAPTURES) do
  local list = read(args[name])
  for _, policy in ipairs(POLICIES) do
    local problem, summary = run(name, policy, list)
    result(("%s, %s%s"):format(name, policy.name, summary and ": " .. summary or ""), problem)
  end
end
result(("the engine answers as the kernel: %d packets, %d of them translated, %d states, all equal"):format(all.packets,
  all.translated, all.states), wrong > 0 and "see above" or nil)
kernel.close()
os.exit(wrong == 0 and 0 or 1)
