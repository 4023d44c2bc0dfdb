#!/usr/sbin/ipfi
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- Port knocking: a source that knocks at the right ports, in their order and in time, becomes a member of a
-- dynamic set, and with it meets the rule that lets it in (knock-policy.lua). It runs until it is ended.
--
--     ipfi --syslog knock.lua
--     ipfi --syslog knock.lua ports=7391,8020/udp,9145 within=10 open=1h
--
--   ports    the sequence: ports of TCP, or of UDP with "/udp"
--   within   seconds from the first knock to the last
--   open     how long the door stays open for who has knocked
--   set      name of the dynamic set
--   log      prefix of the rules that log the knocks
--   rule     rule that lets members in: who has a connection by it stays a member; rule=no: nobody does
--
-- Knock with: for port in 7000 8000 9000; do nc -w 1 -z HOST $port; done
--
-- A knock at any other port of those that are logged begins anew, so a scan is never in step. What a source
-- has knocked is forgotten when the time is over or when it has succeeded; a retransmitted packet is no
-- second knock. At most MOST sources are remembered: who floods gets nothing but the oldest forgotten.
--
-- Knocking hides a service, it does not guard it: who can listen on the way learns the ports. Keep the keys.

local MOST = 10000
local RENEWAL = 20 -- seconds
-- Connections that are open. A closed one is remembered for two minutes, one that nobody answered too: none
-- of these holds a door.
local STANDING = { "ESTABLISHED", "UDP_ESTABLISHED" }

local within = tonumber(args.within or 10)
local set = fw.set(args.set or "knockers")
local open, prefix, rule = args.open or "1h", args.log or "knock", args.rule or "knocked"

if not within or within <= 0 then
  error(("knock: within=%s is no number of seconds"):format(args.within), 0)
end

-- The sequence as "tcp 7000", "udp 8000", ...
local sequence = {}
for written in ((args.ports or "7000,8000,9000") .. ","):gmatch("([^,]*),") do
  local port, proto = written:match("^(%d+)(/?%a*)$")
  port = math.tointeger(tonumber(port))
  if not port or port < 1 or port > 65535 or (proto ~= "" and proto ~= "/tcp" and proto ~= "/udp") then
    error(("knock: ports: '%s' is no port; write them like 7000,8000/udp,9000"):format(written), 0)
  end
  sequence[#sequence + 1] = ("%s %d"):format(proto == "/udp" and "udp" or "tcp", port)
end
if #sequence < 2 then
  error("knock: ports: one knock alone comes by chance; say at least two", 0)
end

-- Who has knocked: { src =, step = knocks in order so far, since = time of the first, seen = { packets } }.
-- They stand in a queue too, in the order in which they were first heard, and leave both from its front.
local sources, queue, front, back = {}, {}, 1, 0

local function is_over(source, now)
  return now < source.since or now - source.since > within
end

-- Makes room: who is at the front and too late goes, and whoever is there when the queue is full.
local function newcomer(src, now)
  while front <= back and (is_over(queue[front], now) or back - front >= MOST - 1) do
    sources[queue[front].src], queue[front] = nil, nil
    front = front + 1
  end
  local source = { src = src, step = 0, since = now, seen = {} }
  back = back + 1
  sources[src], queue[back] = source, source
  return source
end

local function open_for(src)
  local ok, problem = pcall(set.add, set, src, { timeout = open })
  if ok then
    fw.log("notice", "knock: open for %s", src)
  else
    -- The next policy may have the set again: who knocks then is heard.
    fw.log("error", "knock: %s knocked, but: %s", src, tostring(problem))
  end
end

local function hear(packet)
  if packet.prefix ~= prefix or not packet.dport or not packet.src then
    return
  end
  local knock, now = ("%s %d"):format(packet.proto, packet.dport), packet.time
  local source = sources[packet.src]
  if source and is_over(source, now) then
    source.step, source.seen = 0, {}
  end
  -- The same packet once more: nobody answered it, so its sender tries again.
  local one = knock .. " " .. packet.sport
  if source and source.seen[one] then
    return
  end
  if source and source.step > 0 and knock == sequence[source.step + 1] then
    source.step, source.seen[one] = source.step + 1, true
  elseif knock == sequence[1] then
    source = source or newcomer(packet.src, now)
    source.step, source.since, source.seen = 1, now, { [one] = true }
  elseif source then
    source.step = 0
  end
  if source and source.step == #sequence then
    source.step = 0
    open_for(source.src)
  end
end

-- Members with an open connection stay so: a door does not close on who stands in it. Whom somebody deleted
-- from the set meanwhile is not brought back.
local function renew()
  local inside = {}
  for state in fw.states { rule = rule, state = STANDING }:each() do
    inside[state.src] = true
  end
  for src in pairs(inside) do
    if set:has(src) then
      set:add(src, { timeout = open })
    end
  end
end

-- Is there such a set? Later it may come and go with the policies.
set:count()
fw.on("log", hear)
fw.log("info", "knock: listening for %s", table.concat(sequence, ", "))
local said
while true do
  fw.run(RENEWAL)
  if rule ~= "no" then
    local ok, problem = pcall(renew)
    problem = not ok and tostring(problem)
    if problem and problem ~= said then
      fw.log("warning", "knock: nobody's time is renewed: %s", problem)
    end
    said = problem
  end
end
