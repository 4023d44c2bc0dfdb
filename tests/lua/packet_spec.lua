-- SPDX-License-Identifier: GPL-2.0-or-later
-- Packets as tables: what they become as bytes, what is refused, and how bytes are read again.
require "support"
local packet = require "ipfi.packet.packet"
local packet_bytes = require "ipfi.packet.build"

local function line(t)
  local data, problem = packet.build(t)
  return data and packet.line(data) or problem
end

describe("packet.build", function()
  -- { what is written, its line }
  local good = {
    { { src = "192.168.1.5", proto = "tcp", dport = "ssh" },
      "192.168.1.5:40000 > 192.0.2.1:22 tcp S len 40" },
    { { dir = "out", dst = "2001:db8::1", proto = "udp", dport = 53, length = 100 },
      "[3fff:1::1]:40000 > [2001:db8::1]:53 udp len 100" },
    { { dir = "forward", proto = "tcp", flags = "AF", sport = 1, dport = 2, length = 60 },
      "198.51.100.1:1 > 203.0.113.1:2 tcp FA len 60" },
    { { dst = "me", flags = "" }, "198.51.100.1:40000 > 192.0.2.1:80 tcp none len 40" },
    { { icmp = "echo-request", family = 6, id = 7 },
      "3fff::1 > 3fff:1::1 icmpv6 echo-request id 7 len 48" },
    { { proto = "icmp", icmp = { 3, 9 }, inner = { proto = "tcp", dport = 25 } },
      "198.51.100.1 > 192.0.2.1 icmp 3/9 len 68 (about 192.0.2.1:40000 > 198.51.100.1:25 tcp S len 40)" },
    { { icmp = "packet-too-big", src = "2001:db8::4", inner = { dst = "2001:db8::9", proto = "udp" } },
      "2001:db8::4 > 3fff:1::1 icmpv6 packet-too-big len 96 "
        .. "(about [3fff:1::1]:40000 > [2001:db8::9]:80 udp len 48)" },
    { { icmp = "neighbour-solicitation", src = "fe80::1" },
      "fe80::1 > 3fff:1::1 icmpv6 neighbour-solicitation len 64" },
    { { proto = 47, payload = "xx" }, "198.51.100.1 > 192.0.2.1 gre len 22" },
  }
  for _, case in ipairs(good) do
    it("makes " .. case[2], function()
      assert.equal(case[2], line(case[1]))
    end)
  end

  -- { what is written, what is wrong with it }
  local bad = {
    { "x", "expected a packet { src = ..., proto = 'tcp', dport = 'ssh' }, got 'x'" },
    { { dport = 22 }, "proto: which one? A packet with ports says proto = 'tcp' or proto = 'udp'" },
    { {}, "proto: which one? Say proto = 'tcp', 'udp', 'icmp' ..." },
    { { proto = "tcp", dprt = 3 }, "unknown field 'dprt'; did you mean 'dport'?" },
    { { "tcp" }, "unknown field 1; a packet is { src = ..., proto = 'tcp', dport = 'ssh' }" },
    { { proto = "tcp", dport = { 1, 2 } }, "dport: a packet has one, not a list" },
    { { proto = "tcp", dport = "1-2" }, "dport: a packet has one, not '1-2'" },
    { { proto = "tcp", dport = "!1" }, "dport: a packet has one, not '!1'" },
    { { proto = "tcp", dport = "htpps" }, "dport: unknown service 'htpps'; did you mean 'https'?" },
    { { proto = "gre", dport = 1 }, "dport: protocol 'gre' has no ports" },
    { { proto = { "tcp", "udp" } }, "proto: a packet has one, not a list" },
    { { icmp = "echo-reqest" }, "icmp: unknown ICMP message 'echo-reqest'; did you mean 'echo-request'?" },
    { { icmp = "redirect", proto = "tcp" }, "icmp: protocol 'tcp' has no ICMP messages" },
    { { icmp = "port-unreachable" }, "icmp: an error is about a packet; say inner = { proto = ..., ... }" },
    { { icmp = "port-unreachable", inner = { dport = 3 } },
      "inner: proto: which one? A packet with ports says proto = 'tcp' or proto = 'udp'" },
    { { src = "1.1.1.1", dst = "::1", proto = "tcp" }, "dst is IPv6, but src says IPv4" },
    { { src = "10.0.0.0/8", proto = "tcp" }, "src: expected one address or 'me', got '10.0.0.0/8'" },
    { { src = "www", proto = "tcp" },
      "src: expected one address or 'me', got 'www' (names are not looked up)" },
    { { proto = "icmpv6", family = 4 }, "proto is IPv6, but family says IPv4" },
    { { flags = "SX" },
      "flags: expected the letters of those that are set, like 'SA' (letters FSRPAUEC), got 'SX'" },
    { { flags = "S", proto = "udp" }, "flags: only TCP has them, not 'udp'" },
    { { proto = "tcp", length = 30 }, "length: the headers and the payload alone have 40 bytes" },
    { { proto = "tcp", dscp = "fe" }, "dscp: unknown DSCP 'fe'; did you mean 'be'?" },
    { { proto = "tcp", dir = "int" },
      "dir: a packet is in list in, out or forward, got 'int'; did you mean 'in'?" },
    { { proto = "tcp", oif = "eth0" }, "oif: a packet for this machine leaves by no device; use iif" },
    { { proto = "tcp", user = 0 }, "user: only packets made here have one; say dir = 'out'" },
    { { proto = "tcp", iif = "eth*" }, "iif: expected the name of a device, got 'eth*'" },
    { { proto = "tcp", ttl = 256 }, "ttl: expected a number from 0 to 255, got 256" },
  }
  for _, case in ipairs(bad) do
    it("refuses: " .. case[2], function()
      local data, problem = packet.build(case[1])
      assert.is_nil(data)
      assert.equal(case[2], problem)
    end)
  end

  it("asks for the machine's own addresses", function()
    local function own(family, device)
      return family == 4 and device == "eth1" and "10.9.8.7" or nil
    end
    local data, meta = packet.build({ iif = "eth1", proto = "udp", mark = "0x10" }, own)
    assert.equal("198.51.100.1:40000 > 10.9.8.7:80 udp len 28", packet.line(data))
    assert.same({ list = "in", iif = "eth1", mark = 16 }, meta)
    assert.equal("198.51.100.1:40000 > 192.0.2.1:80 udp len 28",
      packet.line((packet.build({ iif = "eth0", proto = "udp" }, own))))
  end)

  it("takes whole packets with the way they go", function()
    local data, meta = packet.build { dir = "out", oif = "eth0", data = "E...", reason = "rule", user = 0 }
    assert.equal("E...", data)
    assert.same({ list = "out", oif = "eth0", user = 0 }, meta)
  end)
end)

-- Numbers that are the same in every run (MINSTD: Park and Miller, 1988).
local function random(seed)
  return function(least, most)
    seed = seed * 48271 % 0x7fffffff
    return least + seed % (most - least + 1)
  end
end

local PROTOS = { "tcp", "udp", "udplite", "sctp", "dccp", "gre", "icmp", "error" }

local function some_address(r, family)
  if family == 4 then
    return ("10.%d.%d.%d"):format(r(0, 255), r(0, 255), r(1, 254))
  end
  return ("fd00::%x:%x:%x"):format(r(0, 0xffff), r(0, 0xffff), r(1, 0xffff))
end

local function some_packet(r, simple)
  local family = r(0, 1) == 0 and 4 or 6
  local proto = PROTOS[r(1, simple and 7 or 8)]
  local t = { src = some_address(r, family), dst = some_address(r, family), dscp = r(0, 63), ttl = r(1, 255) }
  if proto == "icmp" then
    t.icmp, t.id, t.seq = "echo-request", r(0, 65535), r(0, 65535)
  elseif proto == "error" then
    t.icmp, t.inner = r(0, 1) == 0 and "port-unreachable" or "ttl-exceeded", some_packet(r, true)
    t.inner.src, t.inner.dst = some_address(r, family), some_address(r, family)
    return t
  else
    t.proto = proto
    if proto ~= "gre" then
      t.sport, t.dport = r(1, 65535), r(1, 65535)
    end
  end
  if proto == "tcp" then
    t.flags = ({ "S", "SA", "A", "PA", "FA", "R", "RA", "" })[r(1, 8)]
    t.seq, t.ack, t.window = r(0, 0x7ffffffe), r(0, 0x7ffffffe), r(0, 65535)
    t.options = r(0, 1) == 0 and "\2\4\5\180" or nil
  end
  local payload = {}
  for i = 1, r(0, 40) do
    payload[i] = string.char(r(0, 255))
  end
  t.payload = table.concat(payload)
  return t
end

describe("packet.parse", function()
  it("gives back what was built, ten thousand times", function()
    local r = random(7)
    for i = 1, 10000 do
      local t = some_packet(r)
      local data = assert(packet.build(t))
      local read = packet.parse(data)
      assert.is_nil(read.problem)
      assert.equal(#data, read.length)
      for field, value in pairs(t) do
        if field ~= "inner" and not (field == "payload" and (value == "" or t.proto == "sctp")) then
          assert.equal(value, read[field], ("packet %d: %s"):format(i, field))
        end
      end
      local again = assert(packet.build(read))
      assert.equal(data, again, ("packet %d: %s"):format(i, packet.line(data)))
    end
  end)

  it("reads any beginning of a packet without an error", function()
    local r = random(11)
    for _ = 1, 300 do
      local data = assert(packet.build(some_packet(r)))
      for length = 0, #data - 1 do
        local read = packet.parse(data:sub(1, length))
        assert.is_true(read.truncated or read.problem ~= nil, packet.line(data))
        assert.is_string(tostring(read))
      end
    end
  end)

  it("reads any bytes without an error", function()
    local r = random(13)
    for _ = 1, 5000 do
      local data = { assert(packet.build(some_packet(r))):byte(1, -1) }
      for _ = 1, r(1, 8) do
        data[r(1, #data)] = r(0, 255)
      end
      assert.is_string(tostring(packet.parse(string.char(table.unpack(data)))))
    end
  end)

  it("follows extension headers and tells fragments", function()
    local data = assert(packet.build { family = 6, proto = "udp", dport = 53, payload = "abc" })
    local options = "\17\0\1\4\0\0\0\0"
    local with = data:sub(1, 4) .. (">I2B"):pack(#data - 40 + 8, 60) .. data:sub(8, 40) .. options
      .. data:sub(41)
    local read = packet.parse(with)
    assert.same({ "destination" }, read.extensions)
    assert.equal(53, read.dport)
    assert.equal("abc", read.payload)
    local fragment = data:sub(1, 4) .. (">I2B"):pack(#data - 40 + 8, 44) .. data:sub(8, 40)
      .. "\17\0\0\9\0\0\0\1" .. data:sub(41)
    read = packet.parse(fragment)
    assert.same({ offset = 8, more = true }, read.fragment)
    assert.is_nil(read.dport)
    assert.equal("3fff::1 > 3fff:1::1 udp fragment 8+ len 59", tostring(read))
  end)
end)

describe("the bytes", function()
  it("have the checksum of RFC 1071's example", function()
    assert.equal(0x220d, packet_bytes.checksum("\0\1\xf2\3\xf4\xf5\xf6\xf7"))
  end)

  -- A program that has nothing to do with this one says what they are.
  it("are what tcpdump reads, with right checksums", function()
    local tool = io.popen("command -v tcpdump")
    local found = tool:read("a") ~= ""
    tool:close()
    if not found then
      return pending("tcpdump is not installed")
    end
    local path = os.tmpname()
    local file = assert(io.open(path, "wb"))
    -- pcap's header: link type 101, raw IP
    file:write(("<I4I2I2i4I4I4I4"):pack(0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
    local r, sent = random(5), {}
    for i = 1, 500 do
      sent[i] = assert(packet.build(some_packet(r)))
      file:write(("<I4I4I4I4"):pack(i, 0, #sent[i], #sent[i]), sent[i])
    end
    file:close()
    local reader = io.popen("tcpdump -nn -v -r " .. path .. " 2>/dev/null")
    local said = reader:read("a")
    reader:close()
    os.remove(path)
    assert.is_nil(said:find("bad ", 1, true), said:match("[^\n]*bad [^\n]*"))
    assert.is_nil(said:find("incorrect", 1, true), said:match("[^\n]*incorrect[^\n]*"))
    assert.is_nil(said:find("invalid", 1, true), said:match("[^\n]*invalid[^\n]*"))
    local _, tcp = said:gsub("cksum %g+ %(correct%)", "")
    local _, other = said:gsub("sum ok%]", "")
    assert.is_true(tcp > 50 and other > 50, ("%d and %d"):format(tcp, other))
    for i = 1, 500 do
      local t = packet.parse(sent[i])
      if t.proto == "tcp" or t.proto == "udp" then
        local ends = ("%s.%d > %s.%d"):format(t.src, t.sport, t.dst, t.dport)
        assert.is_truthy(said:find(ends, 1, true), ends)
      end
    end
  end)
end)
