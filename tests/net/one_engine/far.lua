-- SPDX-License-Identifier: GPL-2.0-or-later
-- The far ends of captured connections, when the capture is replayed behind a firewall that translates: there
-- each end sees the other as the firewall shows it, answers to that address, counts what arrived and not what was
-- sent, and opens the data connections that it was told of. Where nothing is translated, a packet stays as it was
-- captured.
local packet = require "ipfi.packet.packet"
local packets = dofile "tests/net/one_engine/packets.lua"

local far = {}

local Ends = {}
Ends.__index = Ends

local FTP = 21

--- Ends that have seen nothing yet; each side of a comparison has its own.
function far.new()
  return setmetatable({ passed = {}, told = {} }, Ends)
end

local function key(src, sport, dst, dport)
  return ("%s %d %s %d"):format(src, sport, dst, dport)
end

local function place(host, port)
  return ("%s %d"):format(host, port)
end

-- Where a segment ends in the sequence space (RFC 9293, 3.4).
local function end_of(t)
  return t.seq + #(t.payload or "") + (t.flags:find "S" and 1 or 0) + (t.flags:find "F" and 1 or 0) & 0xffffffff
end

--- A captured packet as its sender would have sent it here.
-- @param t packet.parse() of it
-- @param data its bytes
-- @return bytes
function Ends:send(t, data)
  local seen, told = self.passed[key(t.dst, t.dport, t.src, t.sport)], self.told[place(t.dst, t.dport)]
  local changed
  if seen then
    changed = { src = seen.dst, sport = seen.dport, dst = seen.src, dport = seen.sport }
    if t.proto == "tcp" and t.flags:find "A" then
      changed.ack = seen.ends[t.ack] or t.ack + seen.shift & 0xffffffff
    end
  elseif told then
    changed = { src = told.by, dst = told.host, dport = told.port }
  else
    return data
  end
  local sent, same = {}, true
  for name, value in pairs(t) do
    sent[name] = value
  end
  for name, value in pairs(changed) do
    same = same and t[name] == value
    sent[name] = value
  end
  return same and data or assert(packet.build(sent))
end

--- Notes what came through.
-- @param t packet.parse() of a captured packet
-- @param left packet.parse() of what became of it
function Ends:note(t, left)
  local name = key(t.src, t.sport, t.dst, t.dport)
  local seen = self.passed[name] or { ends = {}, shift = 0 }
  self.passed[name] = seen
  seen.src, seen.sport, seen.dst, seen.dport = left.src, left.sport, left.dst, left.dport
  if t.proto ~= "tcp" then
    return
  end
  seen.ends[end_of(t)] = end_of(left)
  seen.shift = end_of(left) - end_of(t)
  if t.sport == FTP or t.dport == FTP then
    local host, port = packets.announced(t.payload or "")
    local new_host, new_port = packets.announced(left.payload or "")
    if port then
      self.told[place(host or t.src, port)] = { host = new_host or left.src, port = new_port, by = left.dst }
    end
  end
end

return far
