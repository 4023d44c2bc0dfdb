-- SPDX-License-Identifier: GPL-2.0-or-later
-- fw.replay, in the program itself: no frame ends it, whatever it holds. Frames that are cut, without a
-- length, as long as can be, with options, in fragments; clocks that jump.
require "support"
local bytes = require "ipfi.packet.build"
local mend = require "ipfi.packet.mend"
local packet = require "ipfi.packet.packet"
local program = require "program"
local reassembly = require "ipfi.packet.reassembly"

local POLICY = [[return policy { name = "p", stateful = true, rules = {
  allow { "web", proto = "tcp", dport = 80 },
  allow { "ftp", proto = "tcp", dport = 21, helper = "ftp" },
  allow { "dns", proto = "udp", dport = 53 },
  allow { "ping", icmp = "echo-request" },
  allow { "esp", proto = "esp" },
  deny { "rest" },
} }]]

-- A packet with bytes of options, or of extension headers of IPv6, that build() does not make.
local function with(t, options)
  local data = assert(packet.build(t))
  if data:byte() >> 4 == 4 then
    data = string.char(0x45 + #options // 4) .. data:sub(2, 2)
      .. (">I2"):pack(#data + #options) .. data:sub(5, 20) .. options .. data:sub(21)
  else
    data = data:sub(1, 4) .. (">I2"):pack(#data - 40 + #options) .. "\0" .. data:sub(8, 40)
      .. data:sub(7, 7) .. options:sub(2) .. data:sub(41)
  end
  return mend.length(data, #data)
end

-- The fragments of a packet: list of { first byte of the payload, its end, more }.
local function fragments(data, pieces, id)
  local list, four = {}, data:byte() >> 4 == 4
  local head, payload = data:sub(1, four and 20 or 40), data:sub(four and 21 or 41)
  for i, piece in ipairs(pieces) do
    local part, more = payload:sub(piece[1] + 1, piece[2]), piece[3] and 1 or 0
    if four then
      local header = head:sub(1, 2) .. (">I2I2I2"):pack(20 + #part, id or 7, piece[1] // 8 | more << 13)
        .. head:sub(9, 10) .. "\0\0" .. head:sub(13)
      list[i] = header:sub(1, 10) .. (">I2"):pack(bytes.checksum(header)) .. header:sub(13) .. part
    else
      list[i] = head:sub(1, 4) .. (">I2"):pack(#part + 8) .. "\44" .. head:sub(8)
        .. head:sub(7, 7) .. "\0" .. (">I2I4"):pack(piece[1] | more, id or 7) .. part
    end
  end
  return list
end

local function capture(frames, link)
  local out = { ("<I4I2I2i4I4I4I4"):pack(0xa1b2c3d4, 2, 4, 0, 0, 262144, link or 101) }
  for i, frame in ipairs(frames) do
    if type(frame) ~= "table" or frame.dst then
      frame = { 1000 + i, frame }
    end
    local data = type(frame[2]) == "string" and frame[2] or assert(packet.build(frame[2]))
    local kept = data:sub(1, frame[3] or #data)
    out[#out + 1] = ("<I4I4I4I4"):pack(frame[1], 0, #kept, math.max(#data, frame[4] or 0)) .. kept
  end
  return table.concat(out)
end

local function tcp(flags, seq, ack, payload, more)
  local t = { dir = "forward", proto = "tcp", src = "192.0.2.14", dst = "198.51.100.8", sport = 4000,
    dport = 80, flags = flags, seq = seq, ack = ack, payload = payload }
  for name, value in pairs(more or {}) do
    t[name] = value
  end
  return t
end

local function back(t)
  t.src, t.dst, t.sport, t.dport = t.dst, t.src, t.dport, t.sport
  return t
end

local QUERY = { dir = "forward", proto = "udp", src = "192.0.2.14", dst = "198.51.100.53", sport = 4000,
  dport = 53, payload = "question" }
local QUERY6 = { dir = "forward", proto = "udp", src = "2001:db8::14", dst = "2001:db8:1::53", sport = 4000,
  dport = 53, payload = ("q"):rep(3000) }

if not program.exists(program.path) then
  return
end

describe("fw.replay", function()
  local room
  setup(function()
    room = program.room()
    room.write("p.lua", POLICY)
  end)
  teardown(function() room.remove() end)

  -- A line for each row: "verdict reason state", and the summary behind.
  local function replay(frames, options, link)
    room.write("c.pcap", type(frames) == "string" and frames or capture(frames, link))
    local script = room.write("s.lua", ([[
      local r = fw.replay(fw.load "%s/p.lua", "%s/c.pcap", %s)
      for row in r:each() do
        print(("%%s %%s %%s%%s"):format(row.verdict, row.reason, row.state or "-",
          row.truncated and " cut" or ""))
      end
      local s = r:total()
      print(s.packets, s.truncated)
    ]]):format(room.directory, room.directory, options or "{ dir = 'forward' }"))
    local status, out, err = room.run(script)
    assert.equal("", err)
    assert.equal(0, status)
    return out
  end

  it("lets the answer to a translated connection leave as the translation wants", function()
    room.write("p.lua", [[return policy { name = "p",
      nat = { masquerade { "lan out", oif = "wan0", src = "10.0.0.0/24" } },
      rules = {
        allow { "web", dir = "forward", iif = "lan0", oif = "wan0", proto = "tcp", dport = 80,
          state = true } } }]])
    local out = replay({ tcp("S", 1, 0, nil, { src = "10.0.0.2", dst = "203.0.113.9" }),
      back(tcp("SA", 5, 2, nil, { src = "203.0.113.1", dst = "203.0.113.9" })) },
      [[{ dir = "forward", devices = { lan0 = { "10.0.0.1/24" }, dmz0 = { "10.1.0.1/24" },
        wan0 = { "203.0.113.1/24" } } }]])
    room.write("p.lua", POLICY)
    assert.equal("allow rule-allow SYN_SENT\nallow state SYN_RECV\n2\t0\n", out)
  end)

  it("goes on behind frames that are cut", function()
    local syn, esp = packet.build(tcp("S", 1, 0)), packet.build { dir = "forward", src = "192.0.2.14",
      dst = "198.51.100.8", proto = "esp", payload = ("e"):rep(1000) }
    assert.equal("truncated truncated - cut\ntruncated truncated - cut\ntruncated truncated - cut\n"
      .. "allow rule-allow OTHER cut\nallow rule-allow UDP_NEW cut\ntruncated truncated - cut\n"
      .. "allow rule-allow UDP_NEW\n7\t6\n", replay {
        { 1, syn, 30 }, { 2, syn, 19 }, { 3, syn, 0 }, { 4, esp, 120 }, { 5, QUERY6, 60 }, { 6, QUERY6, 44 },
        { 7, QUERY },
      })
  end)

  it("goes on behind frames that are cut before they say what they hold", function()
    local ether = ("\2\0\0\0\0\1"):rep(2)
    local query = ether .. "\8\0" .. packet.build(QUERY)
    assert.equal(("truncated truncated - cut\n"):rep(2) .. "allow rule-allow UDP_NEW\n3\t2\n", replay({
      { 1, query, 12 }, { 2, ether .. "\x81\0\0\7\8\0" .. packet.build(QUERY), 14 },
      { 3, ether .. "\8\6" .. ("\0"):rep(28) }, { 4, ether .. "\8\6" .. ("\0"):rep(28), 20 }, { 5, query },
    }, nil, 1))
  end)

  it("goes on behind headers that make no sense", function()
    local syn = packet.build(tcp("S", 1, 0))
    local said = ("deny bad-header -\n"):rep(4) .. "deny truncated -\nallow rule-allow UDP_NEW\n6\t0\n"
    assert.equal(said, replay {
      "\x45" .. ("\0"):rep(10), syn:sub(1, 2) .. "\0\10" .. syn:sub(5), "\x44" .. syn:sub(2),
      syn:sub(1, 32) .. "\x10" .. syn:sub(34), syn:sub(1, 2) .. "\0\24" .. syn:sub(5, 24), QUERY,
    })
  end)

  it("takes packets without a length as long as they are", function()
    for _, more in ipairs { {}, { src = "2001:db8::14", dst = "2001:db8:1::8" } } do
      local data = packet.build(tcp("PA", 2, 11, ("x"):rep(3000), more))
      data = more.src and data:sub(1, 4) .. "\0\0" .. data:sub(7) or data:sub(1, 2) .. "\0\0" .. data:sub(5)
      assert.equal("allow rule-allow SYN_SENT\nallow state SYN_RECV\nallow state ESTABLISHED\n"
        .. "allow state ESTABLISHED\nallow state ESTABLISHED\n5\t0\n", replay {
          tcp("S", 1, 0, nil, more), back(tcp("SA", 10, 2, nil, more)), tcp("A", 2, 11, nil, more),
          data, back(tcp("A", 11, 3002, nil, more)),
        })
    end
  end)

  it("takes packets as long as can be", function()
    local long = packet.build(tcp("PA", 2, 11, ("x"):rep(65495)))
    assert.equal(65535, #long)
    local said = "allow rule-allow SYN_SENT\nallow state SYN_RECV\nallow state ESTABLISHED\n"
      .. "allow state ESTABLISHED%s\nallow state ESTABLISHED\n5\t%d\n"
    local function frames(kept)
      return { tcp("S", 1, 0), back(tcp("SA", 10, 2, nil, { window = 65535 })), tcp("A", 2, 11),
        { 1004, long, kept }, back(tcp("A", 11, 65497)) }
    end
    assert.equal(said:format("", 0), replay(frames()))
    assert.equal(said:format(" cut", 1), replay(frames(96)))
    -- What a device was to cut is longer than a header can say.
    local longer = long:sub(1, 2) .. "\0\0" .. long:sub(5) .. ("x"):rep(20000)
    assert.equal("allow rule-allow UDP_NEW\nallow rule-allow ESTABLISHED\nallow state UDP_NEW\n3\t0\n",
      replay { QUERY, { 1002, longer }, QUERY })
  end)

  it("keeps IP options and extension headers", function()
    local nops, hops = ("\1"):rep(12), "\0\0\1\4\0\0\0\0"
    for _, case in ipairs { { {}, nops }, { { src = "2001:db8::14", dst = "2001:db8:1::8" }, hops } } do
      local list, more = {}, case[1]
      for i, t in ipairs {
        tcp("S", 1, 0, nil, more), back(tcp("SA", 10, 2, nil, more)), tcp("A", 2, 11, nil, more),
        tcp("PA", 2, 11, "hello", more), back(tcp("PA", 11, 7, "you", more)), tcp("FA", 7, 14, nil, more),
        back(tcp("FA", 14, 8, nil, more)), tcp("A", 8, 15, nil, more),
      } do
        list[i] = with(t, case[2])
      end
      assert.matches("allow state TIME_WAIT\n8\t0\n$", replay(list))
    end
  end)

  it("lets the clock jump", function()
    local answer = { dir = "forward", proto = "udp", src = "198.51.100.53", dst = "192.0.2.14", sport = 53,
      dport = 4000, payload = "answer" }
    local year = 365 * 86400
    -- Ahead by years: what was is over. Back: no time passes.
    assert.equal("allow rule-allow UDP_NEW\ndeny rule-deny -\nallow rule-allow UDP_NEW\n"
      .. "allow state UDP_ESTABLISHED\n4\t0\n",
      replay { { 1000, QUERY }, { 1000 + 40 * year, answer }, { 1001, QUERY }, { 1002, answer } })
    assert.equal("allow rule-allow UDP_NEW\nallow state UDP_ESTABLISHED\nallow state UDP_ESTABLISHED\n3\t0\n",
      replay { { 1700000000, QUERY }, { 5, answer }, { 6, QUERY } })
    -- Two captures in one: the second's clock was never set, and both go on.
    local list = {}
    for i = 1, 200 do
      list[i] = { (i % 2 == 0 and 10 or 1700000000) + i, i % 4 < 2 and QUERY or answer }
    end
    assert.equal("200\t0\n", replay(list):match "\n(%d+\t%d+\n)$")
    assert.equal(0, select(2, replay(list):gsub("deny", "")))
    -- Very many jumps are no reason to wait.
    for i = 1, 500 do
      list[i] = { i * 86400 * 40 % 4294967295, QUERY }
    end
    assert.matches("\n500\t0\n$", replay(list))
  end)

  it("goes as far as a file can be read", function()
    local whole = capture { QUERY, QUERY }
    assert.equal("allow rule-allow UDP_NEW\ntruncated truncated - cut\n2\t1\n", replay(whole:sub(1, -5)))
    assert.equal("allow rule-allow UDP_NEW\nallow state UDP_NEW\ntruncated truncated - cut\n3\t1\n",
      replay(whole .. "\1\2\3"))
  end)

  it("puts fragments together", function()
    local four = packet.build { dir = "forward", proto = "udp", src = "192.0.2.14", dst = "198.51.100.53",
      sport = 4000, dport = 53, payload = ("q"):rep(3000) }
    for _, data in ipairs { four, (packet.build(QUERY6)) } do
      local size = 3008
      local a, b, c = table.unpack(fragments(data,
        { { 0, 1480, true }, { 1480, 2960, true }, { 2960, size, false } }))
      local all = ("allow rule-allow UDP_NEW\n"):rep(3) .. "3\t0\n"
      for _, order in ipairs { { a, b, c }, { c, b, a }, { b, c, a }, { c, a, b } } do
        assert.equal(all, replay(order))
      end
      -- Twice is once; another packet between them has its row in its place.
      assert.equal(("allow rule-allow UDP_NEW\n"):rep(4) .. "4\t0\n", replay { a, b, a, c })
      assert.equal("allow rule-allow UDP_NEW\nallow rule-allow PING\nallow rule-allow UDP_NEW\n"
        .. "allow rule-allow UDP_NEW\n4\t0\n", (replay { c, { dir = "forward", icmp = "echo-request",
          src = "192.0.2.14", dst = "198.51.100.9" }, b, a }:gsub("ICMP", "PING")))
      -- What overlaps ends the packet, unless all of it was there; what lacks a part never was one.
      local over = fragments(data, { { 1472, 2960, true } })[1]
      assert.equal(("allow rule-allow UDP_NEW\n"):rep(4) .. "4\t0\n", replay { a, b, over, c })
      assert.equal(("deny fragment -\n"):rep(4) .. "4\t0\n", replay { a, over, b, c })
      assert.equal(("deny fragment -\n"):rep(3) .. "3\t0\n", replay { over, a, c })
      assert.equal(("deny fragment -\n"):rep(2) .. "2\t0\n", replay { a, c })
      -- Another identification is another packet, and who waits too long is gone.
      assert.equal(("deny fragment -\n"):rep(3) .. "3\t0\n",
        replay { a, fragments(data, { { 1480, 2960, true } }, 8)[1], c })
      assert.equal("deny fragment -\ndeny fragment -\ndeny fragment -\n3\t0\n",
        replay { { 1000, a }, { 1001, b }, { 1100, c } })
      -- An end before what is there.
      assert.equal(("deny fragment -\n"):rep(3) .. "3\t0\n",
        replay { b, fragments(data, { { 8, 1480, false } })[1], a })
      -- Cut by the capture.
      assert.equal("allow rule-allow UDP_NEW cut\n" .. ("allow rule-allow UDP_NEW\n"):rep(2) .. "3\t1\n",
        replay { { 1000, a, 100 }, { 1001, b }, { 1002, c } })
    end
  end)

  it("does not wait for fragments without end", function()
    local data, list = packet.build { dir = "forward", proto = "udp", src = "192.0.2.14",
      dst = "198.51.100.53", sport = 4000, dport = 53, payload = ("q"):rep(3000) }, {}
    for id = 1, 5000 do
      list[id] = { 1000, fragments(data, { { 0, 1480, true } }, id)[1] }
    end
    list[#list + 1] = { 1000, QUERY }
    local said = replay(list)
    assert.equal(5000, select(2, said:gsub("deny fragment", "")))
    assert.matches("allow rule%-allow UDP_NEW\n5001\t0\n$", said)
  end)

  it("goes through anything", function()
    math.randomseed(5)
    local function one_of(list)
      return list[math.random(#list)]
    end
    for _, link in ipairs { 1, 101, 113, 239, 9 } do
      local list, time = {}, 1000
      for i = 1, 300 do
        local size, data = one_of { 0, 1, 13, 20, 33, 40, 60, 100, 1500 }, {}
        for at = 1, size do
          data[at] = string.char(math.random(0, 255))
        end
        local at = link == 1 and 15 or 1
        if size > at + 20 then
          data[13] = link == 1 and "\8" or data[13]
          data[14] = link == 1 and "\0" or data[14]
          data[at] = one_of { "\x45", "\x46", "\x4f", "\x60" }
          data[at + 2], data[at + 3] = "\0", string.char(one_of { 0, 20, 40, size & 0xff })
          data[at + 6], data[at + 9] = one_of { "\0", "\x20", "\x40", "\44" }, one_of { "\1", "\6", "\58" }
        end
        time = math.max(0, math.min(time + one_of { 0, 1, -1e8 // 1, 1e8 // 1 }, 2147483647)) // 1 | 0
        list[i] = { time, table.concat(data), nil, size + one_of { 0, 0, 100 } }
      end
      assert.matches("\n%d+\t%d+\n$", replay(list, nil, link))
    end
  end)

  it("reads other links", function()
    local query = packet.build(QUERY)
    assert.equal("allow rule-allow UDP_NEW\n1\t0\n", replay({ "\xff\3\0\x21" .. query }, nil, 9))
    assert.equal("allow rule-allow UDP_NEW\n1\t0\n", replay({ "\2\0\0\0\7\0\1\0\8\0\2\0"
      .. ("<I2I2"):pack(#query + 4, 9) .. query }, nil, 239))
  end)
end)

describe("fw.sim.advance", function()
  it("moves all that a script began", function()
    local room = program.room()
    room.write("p.lua", [[
      local bans = set { name = "bans", dynamic = true }
      return policy { name = "p", stateful = true, rules = {
        deny { "banned", src = bans },
        allow { "few", proto = "udp", dport = 53, limit = "1/minute" },
        allow { "web", proto = "tcp", dport = 80 } } }]])
    local script = room.write("s.lua", ([[
      local p = fw.load "%s/p.lua"
      local packet = { dir = "forward", proto = "udp", src = "10.0.0.1", dst = "10.1.0.1", sport = 1,
        dport = 53 }
      local one, closed = fw.sim.new(p), fw.sim.new(p)
      closed:close()
      fw.commit(p)
      local function all()
        packet.sport = packet.sport + 1
        local said = { fw.simulate(p, packet).verdict, fw.simulate(one, packet).verdict,
          fw.sim.pass(packet).verdict }
        said[4] = fw.states():count()
        said[5] = one:with(function() return fw.states():count() end)
        print(table.unpack(said))
      end
      fw.set("bans"):add("10.0.0.9", { timeout = 50 })
      all() all() fw.sim.advance(25) all() fw.sim.advance(35)
      print(fw.set("bans"):has "10.0.0.9")
      all()
      local drops = fw.drops()
      print(#drops, drops[1].time - drops[2].time)
      fw.commit_confirmed(p, 30)
      fw.sim.advance(29)
      print(fw.info().generation, fw.info().confirm)
      fw.sim.advance(2)
      print(fw.info().generation, fw.info().confirm)
    ]]):format(room.directory))
    local status, out, err = room.run("--sim " .. script)
    room.remove()
    assert.equal("", err)
    assert.equal(0, status)
    assert.equal("allow\tallow\tallow\t1\t1\ndeny\tdeny\tdeny\t1\t1\ndeny\tdeny\tdeny\t1\t1\nfalse\n"
      .. "allow\tallow\tallow\t1\t1\n2\t-25.0\n2\t1.0\n3\tnil\n", out)
  end)
end)

describe("reassembly", function()
  it("holds only so much", function()
    local all, ended = reassembly.new(), 0
    for id = 1, 1000 do
      local one = fragments(packet.build(QUERY6), { { 0, 1480, true } }, id)[1]
      all:take(one, packet.parse(one), 0, id, function(whole) ended = ended + #whole.owners end)
    end
    assert.is_true(all.count <= 257 and ended == 1000 - all.count, all.count)
    all:finish(function(whole) ended = ended + #whole.owners end)
    assert.same({ 0, 0, 1000 }, { all.count, all.bytes, ended })
  end)
end)
