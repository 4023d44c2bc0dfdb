-- SPDX-License-Identifier: GPL-2.0-or-later
-- Cases of connections that do not go by the book: forged segments, ends out of step, errors about nothing.
package.path = "lua/?.lua;tests/unit/?.lua"

local explain = require "ipfi.live.explain"
local kernel = require "ipfi.base.kernel"
local packet = require "ipfi.packet.packet"
local running = require "ipfi.live.ruleset"
local scene = require "engine_scene"

local cases = {}
local expect = scene.expect

-- The scene's gateway, with a policy.
local function gateway(source)
  local world = scene.gateway()
  scene.commit(world, scene.checked(source))
  return world
end

-- Lets a packet pass, and returns "accept" or "drop", and the packet that left.
local function pass(world, fields)
  local out, left = scene.pass(world, fields)
  return out.verdict, left
end

local live, like = scene.states, scene.like

local FAMILIES = {
  [4] = { me = "192.0.2.1", other = "198.51.100.%d" },
  [6] = { me = "2001:db8::1", other = "2001:db8:9::%d" },
}

-- Forged segments alone, each from another source, on a full table; then honest clients.
local function flood(family, flags)
  local names = FAMILIES[family]
  local world <close> = gateway [[limits = { max_states = 64 },
    rules = { allow { "web", dir = "in", proto = "tcp", dport = 80, state = true } }]]
  local function segment(i, fields)
    return pass(world, like({ dir = "in", iif = "eth0", proto = "tcp", src = names.other:format(i % 250 + 1),
      sport = 1024 + i, dst = names.me, dport = 80, seq = i * 7919 }, fields))
  end
  for i = 1, 400 do
    expect(segment(i, { flags = flags, ack = 12345 + i }), "accept", "forged segment " .. i)
  end
  local refused = 0
  for i = 1000, 1099 do
    if segment(i, { flags = "S" }) ~= "accept" then
      refused = refused + 1
    end
  end
  expect(refused, 0, "honest clients at the limit")
  world:advance(31)
  expect(#live(world, { guessed = true }), 0, "what nobody has confirmed is over after half a minute")
end

function cases.forged_segments_keep_nobody_out()
  for _, family in ipairs { 4, 6 } do
    for _, flags in ipairs { "A", "PA", "FA" } do
      flood(family, flags)
    end
  end
end

-- A guess that its other side has confirmed stays, however many are forged.
function cases.a_confirmed_guess_is_kept()
  local world <close> = gateway [[limits = { max_states = 64 },
    rules = { allow { "web", dir = "in", proto = "tcp", dport = 80, state = true } }]]
  local client = { dir = "in", iif = "eth0", proto = "tcp", src = "203.0.113.9", sport = 5000,
    dst = "192.0.2.1", dport = 80, flags = "A", seq = 1000, ack = 9000, window = 500 }
  expect(pass(world, client), "accept")
  expect(pass(world, { dir = "out", oif = "eth0", proto = "tcp", src = "192.0.2.1", sport = 80,
    dst = "203.0.113.9", dport = 5000, flags = "A", seq = 9000, ack = 1000, window = 500 }), "accept")
  for i = 1, 300 do
    pass(world, like(client, { src = "198.51.100." .. i % 250 + 1, sport = 6000 + i }))
  end
  world:advance(300)
  local list = live(world)
  expect(#list, 1)
  expect(list[1].sport, 5000)
  expect(list[1].guessed, true)
end

-- A conversation between a client behind eth1 and a server behind eth0, or what of it is seen there.
local function between(client, server)
  local from = { dir = "forward", iif = "eth1", oif = "eth0", proto = "tcp", src = client, sport = 1287,
    dst = server, dport = 80, window = 8192 }
  local back = { dir = "forward", iif = "eth0", oif = "eth1", proto = "tcp", src = server, sport = 80,
    dst = client, dport = 1287, window = 8192 }
  return from, back
end

local function establish(world, from, back)
  expect(pass(world, like(from, { flags = "S", seq = 1000 })), "accept")
  expect(pass(world, like(back, { flags = "SA", seq = 5000, ack = 1001 })), "accept")
  expect(pass(world, like(from, { flags = "A", seq = 1001, ack = 5001 })), "accept")
end

local ENDS = { [4] = { "10.0.0.5", "198.51.100.9" }, [6] = { "2001:db8:1::5", "2001:db8:9::9" } }
local OUTWARDS = [[rules = { allow { "outwards", dir = "forward", iif = "eth1", state = true } }]]
local BOTH_WAYS = [[rules = { allow { "outwards", dir = "forward", iif = "eth1", state = true },
  allow { "inwards", dir = "forward", iif = "eth0", state = true } }]]

-- What explain says of a packet, and what then becomes of it, must be the same.
local function try(world, fields, verdict, state)
  local meta = { list = fields.dir, iif = fields.iif, oif = fields.oif, mark = fields.mark }
  local data = assert(packet.build(fields))
  local said = kernel.with(world, function()
    return explain.judgement(kernel.list(explain.question(data, meta), "test"), running.by_id(), data, meta)
  end)
  expect(said.verdict == "allow" and "accept" or "drop", verdict, "explained")
  expect(pass(world, fields), verdict, "happened")
  local row = live(world)[1]
  expect(row and row.state, state, "state")
  if verdict == "accept" then
    expect(said.state, state, "explained state")
  end
  return row, said
end

function cases.an_answer_takes_the_connection_up_again()
  for family, ends in pairs(ENDS) do
    local world <close> = gateway(OUTWARDS)
    local from, back = between(table.unpack(ends))
    establish(world, from, back)
    expect(pass(world, like(from, { flags = "S", seq = 500 })), "accept")
    try(world, like(back, { flags = "SA", seq = 9000, ack = 502 }), "drop", "ESTABLISHED")
    try(world, like(back, { flags = "SA", seq = 9000, ack = 501 }), "accept", "SYN_RECV")
    local row = try(world, like(from, { flags = "A", seq = 501, ack = 9001 }), "accept", "ESTABLISHED")
    expect(row.rule, "outwards", "IPv" .. family)
    expect(row.src, ends[1])
    expect(pass(world, like(from, { flags = "S", seq = 70000 })), "accept")
    try(world, like(back, { flags = "RA", seq = 0, ack = 70001 }), "accept", "CLOSED")
  end
end

function cases.the_direction_turns_by_the_rules()
  for _, ends in pairs(ENDS) do
    local world <close> = gateway(BOTH_WAYS)
    local from, back = between(table.unpack(ends))
    establish(world, from, back)
    expect(pass(world, like(back, { flags = "S", seq = 70000, iif = "eth0", oif = "eth1" })), "accept")
    local row = try(world, like(from, { flags = "SA", seq = 9000, ack = 70001 }), "accept", "SYN_RECV")
    expect(row.rule, "inwards")
    expect(row.src .. " " .. row.sport, ends[2] .. " 80")
    expect(row.iif .. ">" .. row.oif, "eth0>eth1")
    try(world, like(back, { flags = "A", seq = 70001, ack = 9001 }), "accept", "ESTABLISHED")
  end
end

function cases.what_the_rules_deny_is_not_taken_up()
  local from, back = between(table.unpack(ENDS[4]))
  local world <close> = gateway(OUTWARDS)
  establish(world, from, back)
  expect(pass(world, like(back, { flags = "S", seq = 70000 })), "accept")
  expect(#live(world), 1, "a SYN alone ends nothing")
  try(world, like(from, { flags = "SA", seq = 9000, ack = 70001 }), "drop", nil)

  -- The rules of today count, and all that there is to the SYN.
  local other <close> = gateway(OUTWARDS)
  establish(other, from, back)
  expect(pass(other, like(from, { flags = "S", seq = 70000 })), "accept")
  scene.commit(other, scene.checked [[rules = { deny { "no more", dport = 80 },
    allow { "all", state = true } }]])
  try(other, like(back, { flags = "SA", seq = 9000, ack = 70001 }), "drop", nil)

  local marked <close> = gateway [[rules = { allow { "marked", mark = 7, state = true } }]]
  establish(marked, like(from, { mark = 7 }), back)
  expect(pass(marked, like(from, { mark = 8, flags = "S", seq = 70000 })), "accept")
  try(marked, like(back, { flags = "SA", seq = 9000, ack = 70001 }), "drop", nil)
end

function cases.a_translation_is_kept()
  local world <close> = gateway [[nat = { masquerade { "out", oif = "eth0" } },
    rules = { allow { "outwards", dir = "forward", iif = "eth1", state = true } }]]
  local from = between("10.0.0.5", "198.51.100.9")
  local back = { dir = "in", iif = "eth0", proto = "tcp", src = "198.51.100.9", sport = 80, dst = "192.0.2.1",
    dport = 1287, window = 8192 }
  establish(world, from, back)
  local _, left = pass(world, like(from, { flags = "S", seq = 500 }))
  expect(packet.line(left), "192.0.2.1:1287 > 198.51.100.9:80 tcp S len 40")
  try(world, like(back, { flags = "SA", seq = 9000, ack = 501 }), "accept", "SYN_RECV")
  local row = try(world, like(from, { flags = "A", seq = 501, ack = 9001 }), "accept", "ESTABLISHED")
  expect(row.nat_src, "192.0.2.1")
  -- The other way round the answer cannot say what the rules would translate: the SYN comes again, to them.
  expect(pass(world, like(back, { flags = "S", seq = 70000 })), "accept")
  try(world, like(from, { flags = "SA", seq = 20000, ack = 70001 }), "drop", nil)
  expect(pass(world, like(back, { flags = "S", seq = 70000 })), "drop")
end

-- A SYN in the place of a control connection whose text was edited: its answer is not counted by the edits.
function cases.a_control_connection_begins_again()
  local world <close> = gateway [[nat = { masquerade { "out", oif = "eth0" } },
    rules = { allow { "ftp", dir = "forward", proto = "tcp", dport = 21, helper = "ftp" } }]]
  local from = like(between("10.0.0.5", "198.51.100.9"), { dport = 21 })
  local back = { dir = "in", iif = "eth0", proto = "tcp", src = "198.51.100.9", sport = 21, dst = "192.0.2.1",
    dport = 1287, window = 8192 }
  establish(world, from, back)
  local text = "PORT 10,0,0,5,4,210\r\n"
  local _, left = pass(world, like(from, { flags = "PA", seq = 1001, ack = 5001, payload = text }))
  expect(left.length ~= 40 + #text, true, "it was edited")
  expect(pass(world, like(from, { flags = "S", seq = 70000 })), "accept")
  local verdict
  verdict, left = pass(world, like(back, { flags = "SA", seq = 9000, ack = 70001 }))
  expect(verdict, "accept")
  expect(left.ack, 70001)
  expect(live(world)[1].state, "SYN_RECV")
  verdict, left = pass(world, like(from, { flags = "A", seq = 70001, ack = 9001 }))
  expect(verdict .. " " .. left.seq, "accept 70001")
  verdict, left = pass(world, like(from, { flags = "PA", seq = 70001, ack = 9001, payload = "NOOP\r\n" }))
  expect(verdict .. " " .. left.seq, "accept 70001")
end

-- IPv6 packets whose transport checksum covers other addresses than their header has (RFC 8200 section 8.1).

local ROUTER = "2001:db8:7::7"

local function address(text)
  return packet.build({ proto = 59, src = text, dst = text }):sub(9, 24)
end

-- A packet as its ends see it, on its way: with an extension header of this type, and perhaps another source
-- or destination in its header.
local function on_its_way(data, kind, extension, src, dst)
  local payload = string.pack(">I2", #data - 40 + #extension)
  return data:sub(1, 4) .. payload .. string.char(kind) .. data:sub(8, 8)
    .. (src and address(src) or data:sub(9, 24))
    .. (dst and address(dst) or data:sub(25, 40)) .. data:sub(7, 7) .. extension:sub(2) .. data:sub(41)
end

function cases.checksums_cover_the_final_ends()
  local SRC, DST, HOME = "2001:db8:9::9", "2001:db8:1::5", "2001:db8:9::aaaa"
  local fields = { dir = "forward", iif = "eth0", oif = "eth1", proto = "tcp", src = SRC, sport = 1000,
    dst = DST, dport = 22, flags = "S", seq = 100 }
  local function routing(type_, left, ...)
    local list = { ... }
    for i, text in ipairs(list) do
      list[i] = address(text)
    end
    return "\0" .. string.char(#list * 2, type_, left) .. "\0\0\0\0" .. table.concat(list)
  end
  local padding = ("\1\2\0\0"):rep(1)
  local home = "\0\2" .. padding .. string.char(201, 16) .. address(HOME)
  for _, case in ipairs {
    -- what, extension header's type, itself, source and destination in the header; src: what the sum covers
    { "type 0, on its way", 43, routing(0, 1, ROUTER, DST), nil, ROUTER },
    { "type 0, at its end", 43, routing(0, 0, ROUTER, ROUTER), nil, nil },
    { "type 2", 43, routing(2, 1, DST), nil, ROUTER },
    { "type 4, the last segment first", 43, routing(4, 1, DST, ROUTER), nil, ROUTER },
    { "type 4, at its end", 43, routing(4, 0, DST, ROUTER), nil, nil },
    { "a type that nobody knows", 43, routing(99, 1, ROUTER), nil, ROUTER, any = true },
    { "a home address", 60, home, "2001:db8:9::bbbb", nil, src = HOME },
    { "options without one", 60, "\0\0\1\4\0\0\0\0", nil, nil },
  } do
    local what, kind, extension, src, dst = table.unpack(case, 1, 5)
    local world <close> = gateway [[rules = { allow { "ssh", proto = "tcp", dport = 22, state = true } }]]
    local data = packet.build(like(fields, { src = case.src or SRC }))
    local sent = on_its_way(data, kind, extension, src, dst)
    local damaged = sent:sub(1, -5) .. "\1" .. sent:sub(-3)
    local function passes(bytes)
      return (pass(world, { dir = "forward", iif = "eth0", oif = "eth1", data = bytes }))
    end
    expect(passes(damaged), case.any and "accept" or "drop", what .. ", damaged")
    expect(passes(sent), "accept", what)
    expect(#live(world), 1, what)
  end
end

-- Headers cut and filled at random are read within their bounds, whatever the answer.
function cases.extension_headers_of_anything()
  math.randomseed(7)
  local world <close> = gateway [[rules = { allow { "all", state = true } }]]
  local data = packet.build { dir = "in", proto = "tcp", src = "2001:db8:9::9", sport = 1000,
    dst = "2001:db8::1", dport = 22, flags = "S", seq = 100 }
  for _ = 1, 3000 do
    local units = math.random(0, 4)
    local extension = { "\0", string.char(units) }
    for i = 3, (units + 1) * 8 do
      local likely = { 0, 1, 2, 4, 16, 201 }
      extension[i] = string.char(math.random(4) == 1 and math.random(0, 255) or likely[math.random(#likely)])
    end
    pass(world, { dir = "in", iif = "eth0",
      data = on_its_way(data, ({ 43, 60 })[math.random(2)], table.concat(extension)) })
  end
end

-- ICMP errors about nothing that is known.

local ERRORS = { { "icmp", "192.0.2.1", "198.51.100.9", "port-unreachable" },
  { "icmpv6", "2001:db8::1", "2001:db8:9::9", "packet-too-big" } }

-- What this machine's own kernel says, of a hop limit or a link's MTU, is for the rules as all that it sends.
function cases.the_rules_decide_about_own_errors()
  for _, e in ipairs(ERRORS) do
    local proto, own, far, name = table.unpack(e)
    local fields = { dir = "out", oif = "eth0", proto = proto, src = own, dst = far, icmp = name,
      inner = { proto = "udp", src = far, sport = 4000, dst = own, dport = 33434 } }
    for source, wanted in pairs { ["allow { 'all', state = true }"] = "accept", [""] = "drop",
      ["deny { 'icmp', proto = { 'icmp', 'icmpv6' } }, allow { 'all' }"] = "drop" } do
      local world <close> = gateway(("rules = { %s }"):format(source))
      try(world, fields, wanted, nil)
    end
  end
end

function cases.an_error_about_nothing_needs_a_rule_that_says_so()
  for _, words in ipairs {
    { "allow { 'all' }", "drop" },
    { "allow { 'all', state = true }", "drop" },
    { "allow { 'by protocol', proto = { 'icmp', 'icmpv6' } }", "drop" },
    { "allow { 'another', icmp = 'echo-request' }", "drop" },
    { "allow { 'stateful', icmp = '%s', state = true }", "drop" },
    { "allow { 'named', icmp = '%s' }", "accept" },
    { "allow { 'all' }, allow { 'named', icmp = '%s', state = false }", "accept" },
    { "deny { 'no', proto = { 'icmp', 'icmpv6' } }, allow { 'named', icmp = '%s' }", "drop" },
    { "", "drop" },
  } do
    for _, e in ipairs(ERRORS) do
      local proto, own, far, name = table.unpack(e)
      local source = words[1]:format(name)
      for _, default in ipairs { "allow", "deny" } do
        local world <close> = gateway(("default = { ['in'] = '%s' }, rules = { %s }"):format(default, source))
        local fields = { dir = "in", iif = "eth0", proto = proto, src = far, dst = own, icmp = name,
          inner = { proto = "udp", src = own, sport = 4000, dst = far, dport = 53 } }
        local _, said = try(world, fields, words[2], nil)
        expect(said.verdict, words[2] == "accept" and "allow" or "deny", source)
        fields.dir, fields.oif = "forward", "eth1"
        fields.dst, fields.inner.src = fields.src, fields.src
        _, said = try(world, fields, words[2], nil)
        expect(said.verdict, words[2] == "accept" and "allow" or "deny", source)
      end
    end
  end
end

return cases
