-- SPDX-License-Identifier: GPL-2.0-or-later
-- Cases of the library ipfi.c.capture, on files that are written here byte by byte.
local capture = require "ipfi.c.capture"

local cases = {}

local function expect(got, wanted, what)
  if got ~= wanted then
    error(("%s: got %s, wanted %s"):format(what or "?", tostring(got), tostring(wanted)), 2)
  end
end

local FOUR = "\x45\0\0\x15\0\0\x40\0\x40\xfd\0\0\10\0\0\1\10\0\0\2x"
local SIX = "\x60\0\0\0\0\1\xfd\x40" .. ("\xfd" .. ("\0"):rep(14) .. "\1"):rep(2) .. "x"

local function with_file(content, body)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(content)
  file:close()
  local ok, err = pcall(body, path)
  os.remove(path)
  if not ok then
    error(err, 0)
  end
end

-- A pcap file (draft-ietf-opsawg-pcap): frames = list of bytes, or { bytes, length on the wire }.
local function pcap(link, frames, order, nano)
  order = order or "<"
  local out = { (order .. "I4I2I2i4I4I4I4"):pack(nano and 0xa1b23c4d or 0xa1b2c3d4, 2, 4, 0, 0, 65535, link) }
  for i, frame in ipairs(frames) do
    local bytes, length = frame, #frame
    if type(frame) == "table" then
      bytes, length = frame[1], frame[2]
    end
    out[#out + 1] = (order .. "I4I4I4I4"):pack(1700000000 + i, nano and 250000000 or 250000, #bytes, length)
      .. bytes
  end
  return table.concat(out)
end

local function block(order, kind, body)
  body = body .. ("\0"):rep(-#body % 4)
  local length = #body + 12
  return (order .. "I4I4"):pack(kind, length) .. body .. (order .. "I4"):pack(length)
end

local function option(order, code, value)
  return (order .. "I2I2"):pack(code, #value) .. value .. ("\0"):rep(-#value % 4)
end

local function section(order)
  return block(order, 0x0a0d0d0a, (order .. "I4I2I2i8"):pack(0x1a2b3c4d, 1, 0, -1))
end

local function interface(order, link, name)
  local options = name and option(order, 2, name) .. option(order, 0, "") or ""
  return block(order, 1, (order .. "I2I2I4"):pack(link, 0, 65535) .. options)
end

local function enhanced(order, place, bytes)
  return block(order, 6, (order .. "I4I4I4I4I4"):pack(place, 0x60000, 0, #bytes, #bytes) .. bytes)
end

local function read(content)
  local rows
  with_file(content, function(path)
    local file = assert(capture.open(path))
    rows = {}
    while true do
      local data, time, device, outgoing, kind, missing = file:next()
      if data == nil then
        rows.problem = time
        break
      end
      rows[#rows + 1] = { data = data, time = time, device = device, outgoing = outgoing, kind = kind,
        missing = missing }
    end
    file:close()
  end)
  return rows
end

local MAC = "\2\0\0\0\0\1\2\0\0\0\0\2"

function cases.ethernet_with_and_without_tags()
  local rows = read(pcap(1, {
    MAC .. "\x08\0" .. FOUR,
    MAC .. "\x86\xdd" .. SIX,
    MAC .. "\x81\0\0\7\x08\0" .. FOUR,
    MAC .. "\x88\xa8\0\7\x81\0\0\8\x86\xdd" .. SIX,
    MAC .. "\x88\x64\x11\0\0\1\0\x17\0\x21" .. FOUR,
    MAC .. "\0\x1d\xaa\xaa\3\0\0\0\x08\0" .. FOUR,
    MAC .. "\x08\6" .. ("\0"):rep(28),
    MAC .. "\x08",
    "",
  }))
  expect(#rows, 9)
  for i, wanted in ipairs { FOUR, SIX, FOUR, SIX, FOUR, FOUR, false, false, false } do
    expect(rows[i].data, wanted, "frame " .. i)
    expect(rows[i].outgoing, nil, "frame " .. i)
    expect(rows[i].device, nil, "frame " .. i)
  end
  expect(rows[7].kind, 0x806)
  expect(rows[8].kind, nil)
  expect(rows[1].time, 1700000001.25)
end

function cases.cooked_raw_and_loopback()
  local rows = read(pcap(113, { "\0\4\0\1\0\6" .. ("\0"):rep(8) .. "\x08\0" .. FOUR,
    "\0\0\0\1\0\6" .. ("\0"):rep(8) .. "\x86\xdd" .. SIX }))
  expect(rows[1].data, FOUR)
  expect(rows[1].outgoing, true)
  expect(rows[2].data, SIX)
  expect(rows[2].outgoing, false)
  rows = read(pcap(276, { "\x08\0\0\0\0\0\0\2\0\1\4\6" .. ("\0"):rep(8) .. FOUR }))
  expect(rows[1].data, FOUR)
  expect(rows[1].outgoing, true)
  rows = read(pcap(101, { FOUR, SIX, "?" }))
  expect(rows[1].data, FOUR)
  expect(rows[2].data, SIX)
  expect(rows[3].data, false)
  rows = read(pcap(0, { "\2\0\0\0" .. FOUR, "\0\0\0\x1e" .. SIX, "\0\0\0\x63" .. SIX, "\2" }))
  expect(rows[1].data, FOUR)
  expect(rows[2].data, SIX)
  expect(rows[3].data, false)
  expect(rows[4].data, false)
  rows = read(pcap(108, { "\0\0\0\2" .. FOUR }))
  expect(rows[1].data, FOUR)
end

function cases.ppp_of_all_kinds()
  -- LINKTYPE_PPP, LINKTYPE_PPP_HDLC, LINKTYPE_C_HDLC: with and without address and control, short protocols.
  for _, link in ipairs { 9, 50, 104 } do
    local rows = read(pcap(link, {
      "\xff\3\0\x21" .. FOUR, "\0\x57" .. SIX, "\x21" .. FOUR, "\xff\3\x57" .. SIX,
      "\x0f\0\x08\0" .. FOUR, "\x8f\0\x86\xdd" .. SIX,
      "\xff\3\xc0\x21\1\1\0\4", "\xff\3", "\xff\3\0", "",
    }))
    for i, wanted in ipairs { FOUR, SIX, FOUR, SIX, FOUR, SIX, false, false, false, false } do
      expect(rows[i].data, wanted, ("link %d frame %d"):format(link, i))
    end
    expect(rows[1].kind, 0x800)
    expect(rows[7].kind, 0xc021)
  end
  -- LINKTYPE_PPP_ETHER: the header of a session, then PPP.
  local rows = read(pcap(51, { "\x11\0\0\1\0\x17\0\x21" .. FOUR, "\x11\0\0\1\0\2\0\x57" .. SIX, "\x11\0" }))
  expect(rows[1].data, FOUR)
  expect(rows[2].data, SIX)
  expect(rows[3].data, false)
  -- LINKTYPE_PPP_PPPD: the direction first.
  rows = read(pcap(166, { "\1\xff\3\0\x21" .. FOUR, "\0\0\x57" .. SIX, "" }))
  expect(rows[1].data, FOUR)
  expect(rows[1].outgoing, true)
  expect(rows[2].data, SIX)
  expect(rows[2].outgoing, false)
  expect(rows[3].data, false)
end

-- An attribute of an nflog record.
local function attribute(order, kind, value)
  return (order .. "I2I2"):pack(#value + 4, kind) .. value .. ("\0"):rep(-#value % 4)
end

function cases.nflog_in_either_byte_order()
  for _, order in ipairs { "<", ">" } do
    local function record(hook, packet, ...)
      local kind = packet == SIX and 0x86dd or 0x800
      local header = hook and attribute(order, 1, (">I2B"):pack(kind, hook)) or ""
      return "\2\0\0\5" .. header .. table.concat { ... } .. attribute(order, 9, packet)
    end
    local rows = read(pcap(239, {
      record(1, FOUR, attribute(order, 4, "\0\0\0\2"), attribute(order, 10, "prefix\0")),
      record(3, SIX), record(2, FOUR), record(nil, FOUR),
      "\2\0\0\5" .. attribute(order, 10, "prefix\0"), "\2\0\0\5" .. ("\0"):rep(20), "\2\0", "",
      record(0, FOUR):sub(1, -12),
    }))
    for i, wanted in ipairs { FOUR, SIX, FOUR, FOUR, false, false, false, false } do
      expect(rows[i].data, wanted, order .. i)
    end
    expect(rows[1].outgoing, false)
    expect(rows[2].outgoing, true)
    expect(rows[3].outgoing, nil)
    expect(rows[9].data, FOUR:sub(1, #rows[9].data))
    assert(#rows[9].data > 0)
  end
end

function cases.mpls_and_tags_that_are_cut()
  local rows = read(pcap(1, {
    MAC .. "\x88\x47\0\0\x10\x40\0\0\x21\x40" .. FOUR, MAC .. "\x88\x47\0\0\x11\x40" .. SIX,
    MAC .. "\x88\x47\0\0\x10\x40", { MAC .. "\x81\0\0", 60 },
  }))
  expect(rows[1].data, FOUR)
  expect(rows[2].data, SIX)
  expect(rows[3].data, false)
  expect(rows[4].data, false)
  expect(rows[4].kind, nil)
  expect(rows[4].missing, 60 - 15)
  -- OpenBSD's number for raw IP.
  expect(read(pcap(14, { FOUR }))[1].data, FOUR)
end

function cases.either_byte_order_and_precision()
  for _, order in ipairs { "<", ">" } do
    for _, nano in ipairs { false, true } do
      local rows = read(pcap(101, { FOUR }, order, nano))
      expect(rows[1].data, FOUR)
      expect(rows[1].time, 1700000001.25)
    end
  end
end

function cases.what_was_captured_of_a_longer_packet()
  local rows = read(pcap(101, { { FOUR:sub(1, 20), 1500 } }))
  expect(rows[1].data, FOUR:sub(1, 20))
  expect(rows[1].missing, 1480)
  expect(read(pcap(101, { FOUR }))[1].missing, 0)
end

function cases.pcapng_with_its_interfaces()
  local four, six = MAC .. "\x08\0" .. FOUR, MAC .. "\x86\xdd" .. SIX
  for _, order in ipairs { "<", ">" } do
    local rows = read(section(order) .. interface(order, 1, "wan0") .. interface(order, 1)
      .. block(order, 0xbad, "something else") .. enhanced(order, 1, four) .. enhanced(order, 0, six)
      .. interface(order, 1, "lan0") .. enhanced(order, 2, four)
      .. block(order, 3, (order .. "I4"):pack(#four) .. four)
      .. block(order, 2, (order .. "I2I2I4I4I4I4"):pack(2, 9, 0, 0, #six, #six) .. six))
    expect(rows.problem, nil, order)
    expect(#rows, 5)
    expect(rows.problem, nil)
    local all = { { FOUR }, { SIX, "wan0" }, { FOUR, "lan0" }, { FOUR, "wan0" }, { SIX, "lan0" } }
    for i, wanted in ipairs(all) do
      expect(rows[i].data, wanted[1], order .. i)
      expect(rows[i].device, wanted[2], order .. i)
    end
  end
  -- A second section has interfaces of its own.
  local rows = read(section "<" .. interface("<", 1, "a") .. enhanced("<", 0, four) .. section "<"
    .. interface("<", 1, "b") .. enhanced("<", 0, six))
  expect(rows[1].device, "a")
  expect(rows[2].device, "b")
  expect(rows[2].data, SIX)
end

function cases.what_is_no_capture_is_said()
  with_file("no capture, but long enough to be one", function(path)
    local file, problem = capture.open(path)
    expect(file, nil)
    assert(problem:find("unknown file format", 1, true), problem)
  end)
  with_file("", function(path)
    local file, problem = capture.open(path)
    expect(file, nil)
    assert(problem:find("truncated", 1, true), problem)
  end)
  with_file(pcap(105, { "x" }), function(path)
    local file, problem = capture.open(path)
    expect(file, nil)
    assert(problem:find("link type IEEE802_11 (105)", 1, true), problem)
  end)
  local file, problem = capture.open "/nowhere/x.pcap"
  expect(file, nil)
  assert(problem:find("No such file", 1, true), problem)
end

function cases.a_file_that_ends_too_early_is_said()
  local rows = read(pcap(101, { FOUR, FOUR }):sub(1, -5))
  expect(#rows, 1)
  assert(rows.problem:find("truncated", 1, true), rows.problem)
end

function cases.damage_of_any_byte_is_survived()
  local samples = {
    pcap(1, { MAC .. "\x08\0" .. FOUR, MAC .. "\x81\0\0\7\x08\0" .. FOUR }),
    section "<" .. interface("<", 101, "wan0") .. enhanced("<", 0, FOUR) .. enhanced("<", 0, SIX),
    pcap(239, { "\2\0\0\5" .. attribute("<", 1, "\x08\0\1") .. attribute("<", 9, FOUR) }),
    pcap(9, { "\xff\3\0\x21" .. FOUR }),
  }
  for _, sample in ipairs(samples) do
    for at = 1, #sample do
      for _, byte in ipairs { "\0", "\1", "\x7f", "\xff" } do
        with_file(sample:sub(1, at - 1) .. byte .. sample:sub(at + 1), function(path)
          local file = capture.open(path)
          local count = 0
          while file and file:next() ~= nil and count < 1000 do
            count = count + 1
          end
          assert(count < 1000)
        end)
      end
    end
    for length = 0, #sample do
      with_file(sample:sub(1, length), function(path)
        local file = capture.open(path)
        while file and file:next() ~= nil do
        end
      end)
    end
  end
end

function cases.a_closed_capture_is_not_read()
  with_file(pcap(101, { FOUR }), function(path)
    local file = assert(capture.open(path))
    expect(file:link(), "RAW")
    file:close()
    file:close()
    local ok, problem = pcall(file.next, file)
    expect(ok, false)
    assert(problem:find("closed", 1, true), problem)
    do
      local scoped <close> = assert(capture.open(path))
      expect(scoped:next(), FOUR)
    end
  end)
end

return cases
