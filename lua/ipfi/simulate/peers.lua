-- SPDX-License-Identifier: GPL-2.0-or-later
-- What the two ends of simulated connections would say next: TCP's numbers, and answers. Each end sees its
-- own side of the firewall, so what arrives from one and what leaves for the other is kept apart.
local packet = require "ipfi.packet.packet"

local conversation = {}

local Conversations = {}
Conversations.__index = Conversations

--- Remembers nothing yet.
function conversation.new()
  return setmetatable({ ends = {} }, Conversations)
end

local function key(src, sport, dst, dport)
  return ("%s %d %s %d"):format(src, sport, dst, dport)
end

-- What a segment takes of the sequence space (RFC 9293, 3.4).
local function space(t)
  local flags = t.flags
  return #(t.payload or "") + (flags:find("S", 1, true) and 1 or 0) + (flags:find("F", 1, true) and 1 or 0)
end

local function is_tcp(t)
  return t.proto == "tcp" and t.sport and t.flags and t.seq
end

--- Gives a segment the numbers that its sender would write, where they were left out.
-- @param t the packet as it was asked for
-- @param built the same as packet.parse() has it
-- @return t, or a copy of it with seq and ack
function Conversations:complete(t, built)
  if t.data or not is_tcp(built) or (t.seq and t.ack) then
    return t
  end
  local mine = self.ends[key(built.src, built.sport, built.dst, built.dport)]
  if not mine or (built.flags:find("S", 1, true) and not built.flags:find("A", 1, true)) then
    return t
  end
  local copy = {}
  for name, value in next, t do
    copy[name] = value
  end
  copy.seq = t.seq or mine.next
  if built.flags:find("A", 1, true) then
    copy.ack = t.ack or mine.peer.seen
  end
  return copy
end

--- Notes a packet that came through.
-- @param arrived, left packet.parse() of it before and behind the firewall
function Conversations:note(arrived, left)
  if not is_tcp(arrived) or not is_tcp(left) then
    return
  end
  local forth = key(arrived.src, arrived.sport, arrived.dst, arrived.dport)
  local back = key(left.dst, left.dport, left.src, left.sport)
  local mine = self.ends[forth]
  if not mine then
    mine = {}
    mine.peer = { peer = mine }
    self.ends[forth] = mine
  end
  self.ends[back] = mine.peer
  mine.next = arrived.seq + space(arrived) & 0xffffffff
  mine.seen = left.seq + space(left) & 0xffffffff
  mine.peer.next = mine.peer.next or arrived.ack
end

-- Flags of the answer to a segment.
local function answer(flags)
  if flags:find("S", 1, true) and not flags:find("A", 1, true) then
    return "SA"
  end
  return "A"
end

local OTHER = { ["in"] = "out", out = "in", forward = "forward" }
local ECHO = { ["echo-request"] = "echo-reply", ["timestamp-request"] = "timestamp-reply",
  ["info-request"] = "info-reply", ["address-mask-request"] = "address-mask-reply" }

--- The packet that the other end would answer with.
-- @param left packet.parse() of what came through, as it left the firewall
-- @param way { list =, iif =, oif = } of it
-- @param fields table of fields that are to be otherwise, or nil
-- @return packet table
function conversation.reply(left, way, fields)
  local t = {
    dir = OTHER[way.list], family = left.family, proto = left.proto, src = left.dst, dst = left.src,
    sport = left.dport, dport = left.sport,
  }
  -- What came in goes out by the same device, and the other way round.
  t.iif = way.list ~= "in" and way.oif or nil
  t.oif = way.list ~= "out" and way.iif or nil
  if left.flags then
    t.flags = answer(left.flags)
  elseif left.icmp then
    t.icmp, t.id, t.seq, t.payload = ECHO[left.icmp] or left.icmp, left.id, left.seq, left.payload
  end
  for name, value in next, fields or {} do
    t[name] = value
  end
  -- An error speaks about what it answers.
  if t.icmp ~= left.icmp and fields and fields.icmp ~= nil and t.inner == nil then
    t.proto, t.sport, t.dport, t.flags, t.id, t.seq, t.payload = fields.proto, nil, nil, nil, nil, nil, nil
    t.inner = packet.build(left)
  end
  return t
end

return conversation
