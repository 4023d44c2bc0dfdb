-- SPDX-License-Identifier: GPL-2.0-or-later
-- Trials of rule sets, in the built-in engine: what RULESET_TRY says of the live states is what a commit then
-- does.
package.path = "lua/?.lua;tests/unit/?.lua"

local compile = require "ipfi.policy.compile"
local kernel = require "ipfi.base.kernel"
local packet = require "ipfi.packet.packet"
local states = require "ipfi.live.states"

local scene = require "engine_scene"

local cases = {}

local expect, checked, gateway, commit = scene.expect, scene.checked, scene.gateway, scene.commit

local function try(world, p)
  return kernel.of(world).transact(compile.dry_run(p), "trial")
end

local function pass(world, fields)
  return assert(world:pass {
    list = fields.dir, iif = fields.iif, oif = fields.oif, mark = fields.mark, user = fields.user,
    data = assert(packet.build(fields)),
  })
end

local function rows(world)
  local list = {}
  kernel.with(world, function()
    for row in states.query({}):each() do
      list[row.id] = row
    end
  end)
  return list
end

-- Counts, as one text: "denied a 3, retranslated b 1".
local function told(counts)
  local list = {}
  for key, number in pairs(counts) do
    list[#list + 1] = key .. " " .. number
  end
  table.sort(list)
  return table.concat(list, ", ")
end

local function add(counts, fate, rule)
  local key = ("%s %s"):format(fate, rule)
  counts[key] = (counts[key] or 0) + 1
end

-- What the trial says, by the names of the rules that run.
local function said(answer, p)
  local names, counts = {}, {}
  for _, rule in ipairs(p.rules) do
    names[rule.name] = true
  end
  local by_id = {}
  for name in pairs(names) do
    local hash = 0xcbf29ce484222325
    for i = 1, #name do
      hash = (hash ~ name:byte(i)) * 0x100000001b3
    end
    by_id[hash] = name
  end
  for _, trial in ipairs(answer.dry_run or {}) do
    local key = ("%s %s"):format(trial.impact, by_id[trial.rule] or "default")
    counts[key] = (counts[key] or 0) + trial.states
  end
  return counts
end

-- The translation of a state. A source that has only got another port met a taken one: that is no rule's
-- doing.
local function translation(row)
  row = row or {}
  return ("%s %s %s"):format(row.nat_src ~= row.src and row.nat_src or nil, row.nat_dst, row.nat_dport)
end

local random

local function pick(list)
  return list[random(#list)]
end

-- A generator of its own, so that a failing seed can be tried again.
local function seed(number)
  local state = number * 2654435761 % 4294967296
  random = function(most)
    state = (state * 1103515245 + 12345) & 0x7fffffff
    return (state >> 8) % most + 1
  end
end

local function random_rule(name, verdict)
  local fields = {}
  local function maybe(field, value)
    if random(4) == 1 then
      fields[#fields + 1] = (", %s = %s"):format(field, value)
    end
  end
  maybe("dir", pick { "'in'", "'forward'", "{ 'in', 'out' }" })
  maybe("proto", pick { "'tcp'", "'udp'", "'icmp'", "{ 'tcp', 'udp' }" })
  maybe("src", pick { "'10.0.0.0/25'", "'10.0.0.128/25'", "'198.51.100.0/28'", "'me'", "'!10.0.0.0/25'" })
  maybe("mark", pick { "1", "'!1'", "'0x2/0x2'" })
  if #fields == 0 or random(6) == 1 then
    fields[#fields + 1] = (", dir = 'out', user = %s"):format(pick { "0", "1000", "'!0'" })
  end
  local state = verdict == "allow" and ", state = true" or ""
  return ("%s { '%s'%s%s }"):format(verdict, name, table.concat(fields), state)
end

local NAT = {
  "dnat { 'published', iif = 'eth0', proto = { 'tcp', 'udp' }, dport = '20-24', to = '10.0.0.%d:8022' }",
  "dnat { 'moved', iif = 'eth0', src = '198.51.100.0/29', to = '10.0.0.%d' }",
  "redirect { 'proxy', iif = 'eth1', proto = 'tcp', dport = '20-22', to = 3128 }",
  "snat { 'fixed', oif = 'eth0', src = '10.0.0.0/%d', to = '192.0.2.1' }",
  "snat { 'other', oif = 'eth0', mark = 1, to = '192.0.2.%d' }",
  "masquerade { 'lan', oif = 'eth0', src = '10.0.0.0/%d' }",
}

-- Returns it, and one that translates as it does and allows everything.
local function random_policy(last)
  local rules, nat = {}, {}
  for i = 1, random(5) do
    rules[i] = random_rule("r" .. i, pick { "allow", "deny", "reject" })
  end
  rules[#rules + 1] = last
  for i, rule in ipairs(NAT) do
    if random(3) == 1 then
      nat[#nat + 1] = rule:format(i <= 2 and 10 + random(2) or i == 5 and random(3) or 23 + random(4))
    end
  end
  local translating = ("nat = { %s }, rules = "):format(table.concat(nat, ", "))
  return checked(("default = '%s', %s { %s }")
    :format(pick { "allow", "deny", "reject" }, translating, table.concat(rules, ", "))),
    checked(translating .. "{ allow { 'any', state = true } }")
end

local function random_packet(place)
  local t = { proto = pick { "tcp", "udp", "icmp" }, mark = random(4) - 1 }
  local inside, outside = "10.0.0." .. random(250) + 2, "198.51.100." .. random(20)
  t.dir = pick { "in", "out", "forward", "forward" }
  if t.dir == "in" then
    t.iif = pick { "eth0", "eth1" }
    t.src = t.iif == "eth0" and outside or inside
    t.dst = t.iif == "eth0" and "192.0.2.1" or "10.0.0.1"
  elseif t.dir == "out" then
    t.oif, t.src, t.dst, t.user = "eth0", "192.0.2.1", outside, pick { 0, 1000, 2000 }
  elseif random(3) == 1 then
    t.iif, t.oif, t.src, t.dst = "eth0", "eth1", outside, inside
  else
    t.iif, t.oif, t.src, t.dst = "eth1", "eth0", inside, outside
  end
  if t.proto == "icmp" then
    t.icmp = "echo-request"
  else
    t.sport, t.dport = 1000 + place, 19 + random(8)
  end
  t.flags = t.proto == "tcp" and "S" or nil
  return t
end

-- The live states by what opened each, packets that opened none or another's left out.
local function open(world, packets)
  local opened, before = {}, rows(world)
  for _, t in ipairs(packets) do
    pass(world, t)
    local after = rows(world)
    for id, row in pairs(after) do
      if not before[id] then
        opened[id] = { packet = t, row = row }
      end
    end
    before = after
  end
  return opened
end

local function same_rows(before, after)
  for id, row in pairs(before) do
    local other = after[id]
    if not other or other.packets ~= row.packets or other.rule ~= row.rule
      or other.timeout ~= row.timeout then
      return false
    end
  end
  for id in pairs(after) do
    if not before[id] then
      return false
    end
  end
  return true
end

local function counters(world)
  local list = {}
  for _, counter in ipairs(kernel.of(world).ask({ cmd = "stats" }, "test").stats.counters) do
    list[#list + 1] = counter.packets
  end
  return table.concat(list, " ")
end

local function try_seed(number)
  seed(number)
  local world <close> = gateway()
  local a = random_policy "allow { 'any', state = true }"
  local b, open_b = random_policy(pick { "allow { 'any', state = true }", "deny { 'none', proto = 'tcp' }" })
  commit(world, a)
  local packets = {}
  for i = 1, 30 do
    packets[i] = random_packet(i)
  end
  local opened = open(world, packets)
  local before, counted = rows(world), counters(world)
  local answer = try(world, b)
  local what = "seed " .. number .. ": "
  assert(same_rows(before, rows(world)), what .. "the trial changes states")
  expect(counters(world), counted, what .. "the trial counts packets")
  expect(kernel.of(world).ask({ cmd = "info" }, "test").info.generation, 1, what .. "the generation")

  local number_of, done = 0, {}
  for _, one in pairs(opened) do
    number_of = number_of + 1
    local fresh <close> = gateway()
    commit(fresh, open_b)
    pass(fresh, one.packet)
    one.anew = select(2, next(rows(fresh)))
  end
  expect(answer.stats.states, number_of, what .. "states judged")
  commit(world, b)
  for _, one in pairs(opened) do
    pass(world, one.packet)
  end
  local after = rows(world)
  for id, one in pairs(opened) do
    if not after[id] then
      add(done, "denied", one.row.rule)
    elseif translation(one.row) ~= translation(one.anew) then
      add(done, "retranslated", one.row.rule)
    end
  end
  expect(told(said(answer, a)), told(done), what .. "fates")
end

function cases.a_trial_says_what_a_commit_does()
  for number = 1, 120 do
    try_seed(number)
  end
end

-- A data connection goes with its control connection, which may be over already.
function cases.data_connections_are_judged_by_their_control_connection()
  local function ftp(helper, more)
    local rule = "allow { 'ftp', dir = 'forward', proto = 'tcp', dport = 21, state = true, %s }"
    return checked(("rules = { " .. rule .. " %s }"):format(helper, more or ""))
  end
  local world <close> = gateway()
  commit(world, ftp "helper = 'ftp'")
  local client = { dir = "forward", iif = "eth0", oif = "eth1", proto = "tcp", src = "198.51.100.9",
    sport = 1000, dst = "10.0.0.10", dport = 21 }
  local server = { dir = "forward", iif = "eth1", oif = "eth0", proto = "tcp", src = "10.0.0.10",
    sport = 21, dst = "198.51.100.9", dport = 1000 }
  local function say(side, fields)
    local t = {}
    for _, from in ipairs { side, fields } do
      for name, value in pairs(from) do
        t[name] = value
      end
    end
    expect(pass(world, t).verdict, "accept", "a segment")
  end
  say(client, { flags = "S", seq = 100 })
  say(server, { flags = "SA", seq = 500, ack = 101 })
  say(client, { flags = "A", seq = 101, ack = 501 })
  say(client, { flags = "PA", seq = 101, ack = 501, payload = "PASV\r\n" })
  say(server, { flags = "PA", seq = 501, ack = 107,
    payload = "227 Entering Passive Mode (10,0,0,10,4,210).\r\n" })
  local data = { sport = 1001, dport = 1234, flags = "S", seq = 1 }
  say(client, data)
  local function fates(p)
    return told(said(try(world, p), ftp "helper = 'ftp'"))
  end
  expect(fates(ftp "helper = 'ftp'"), "", "the same rules")
  expect(fates(ftp "helper = nil"), "denied ftp 1", "no helper: the data connection")
  expect(fates(ftp("helper = nil", ", allow { 'data', dir = 'forward', proto = 'tcp', dport = 1234 }")), "",
    "another rule for it")
  expect(fates(checked "rules = {}"), "denied ftp 2", "neither")
  commit(world, ftp "helper = nil")
  local t = {}
  for _, from in ipairs { client, data } do
    for name, value in pairs(from) do
      t[name] = value
    end
  end
  expect(pass(world, t).verdict, "drop", "as the commit does")
end

function cases.a_trial_ends_its_transaction()
  local world <close> = gateway()
  local conn <close> = world:connection()
  local messages = compile.dry_run(checked
    "rules = { allow { 'a', src = set { name = 's', dynamic = true } } }")
  assert(conn:stream(messages))
  local _, err = conn:request { cmd = "ruleset_commit", commit = {} }
  expect(err.name, "ENOENT", "a commit after it")
  _, err = conn:request { cmd = "ruleset_dry_run" }
  expect(err.message, "this socket has no transaction open: begin one first", "another one after it")
  local link = kernel.of(world)
  expect(#link.list({ cmd = "sets_dump" }, "test"), 0, "sets")
  -- A refused rule leaves nothing to try.
  assert(conn:request { cmd = "ruleset_begin", ruleset = {} })
  conn:request { cmd = "rule_add", rule = { name = "x" } }
  _, err = conn:request { cmd = "ruleset_dry_run" }
  expect(err.name, "ECANCELED", "a broken transaction")
  link.close()
end

return cases
