-- SPDX-License-Identifier: GPL-2.0-or-later
-- Fragments of IP packets, put together as Linux does before the firewall sees them (RFC 791, 3.2; RFC 8200,
-- 4.5): one that overlaps others ends its packet (RFC 5722, and by the same code IPv4), one that was there is
-- passed over, and what is not complete in time never was.
local reassembly = {}

-- Seconds that a packet waits for the rest.
local WAITS = { [4] = 30, [6] = 60 }
-- What may wait at once: packets, and bytes in all.
local PACKETS_MOST, BYTES_MOST = 256, 4 << 20
local LENGTH_MOST = 65535

local Reassembly = {}
Reassembly.__index = Reassembly

--- Nothing waits yet.
function reassembly.new()
  return setmetatable({ waiting = {}, count = 0, bytes = 0, order = {} }, Reassembly)
end

-- Ends a packet that waits.
function Reassembly:forget(whole)
  if self.waiting[whole.key] == whole then
    self.waiting[whole.key] = nil
    self.count, self.bytes = self.count - 1, self.bytes - whole.bytes
  end
end

-- Reads a fragment. Returns { key =, family =, offset =, more =, data = its part of the payload, head = the
-- headers before it, of the first fragment with what must change }, or nil when it makes no sense.
local function read(data, t)
  if t.family == 4 then
    local size = (data:byte() & 15) * 4
    return {
      key = "4" .. data:sub(13, 20) .. data:sub(5, 6) .. data:sub(10, 10), family = 4,
      head = data:sub(1, size), data = data:sub(size + 1), offset = t.fragment.offset, more = t.fragment.more,
    }
  end
  -- The headers before the fragment header stand in every fragment.
  local at, following, place = 41, data:byte(7), 7
  while following ~= 44 do
    local length = data:byte(at + 1)
    if not length then
      return nil
    end
    following, place, at = data:byte(at), at, at + (length + 1) * 8
  end
  if #data < at + 7 then
    return nil
  end
  return {
    key = "6" .. data:sub(9, 40) .. data:sub(at + 4, at + 7), family = 6,
    head = data:sub(1, place - 1) .. data:sub(at, at) .. data:sub(place + 1, at - 1),
    data = data:sub(at + 8), offset = t.fragment.offset, more = t.fragment.more,
  }
end

-- Takes a fragment into its packet. Returns "new", "known" for one that was there, "bad" for one that ends
-- the packet.
local function insert(whole, one)
  local first, last = one.offset, one.offset + #one.data
  if first == last then
    return "bad"
  end
  -- Fragments that touch each other are one run; what lies within it was there.
  local runs = whole.runs
  for _, run in ipairs(runs) do
    if first >= run.first and last <= run.last then
      return "known"
    elseif first < run.last and last > run.first then
      return "bad"
    end
  end
  whole.parts[first] = one.data
  local place = #runs + 1
  for i, run in ipairs(runs) do
    if run.first >= last then
      place = i
      break
    end
  end
  local before, after = runs[place - 1], runs[place]
  if before and before.last == first then
    before.last = last
    if after and after.first == last then
      before.last = after.last
      table.remove(runs, place)
    end
  elseif after and after.first == last then
    after.first = first
  else
    table.insert(runs, place, { first = first, last = last })
  end
  return "new"
end

-- Notes where the packet ends. Returns false when two fragments disagree.
local function note_end(whole, one)
  local last = one.offset + #one.data
  if not one.more then
    if last < whole.reached or (whole.last and whole.last ~= last) then
      return false
    end
    whole.last = last
  elseif whole.last and last > whole.last then
    return false
  end
  whole.reached = math.max(whole.reached, last)
  return true
end

-- The packet of its fragments.
local function join(whole)
  local places, parts = {}, {}
  for place in next, whole.parts do
    places[#places + 1] = place
  end
  table.sort(places)
  for i, place in ipairs(places) do
    parts[i] = whole.parts[place]
  end
  local payload, head = table.concat(parts), whole.head
  if whole.family == 4 then
    -- No fragment any more; the checksum is the reader's.
    local length = (">I2"):pack(#head + #payload)
    return head:sub(1, 2) .. length .. head:sub(5, 6) .. "\0\0" .. head:sub(9) .. payload
  end
  return head:sub(1, 4) .. (">I2"):pack(#head - 40 + #payload) .. head:sub(7) .. payload
end

-- Makes room, and ends what has waited too long; the oldest stand first.
function Reassembly:expire(now, ended)
  while self.order[1] do
    local oldest = self.order[1]
    local waits = self.waiting[oldest.key] == oldest
    if waits and now < oldest.until_ and self.count <= PACKETS_MOST and self.bytes <= BYTES_MOST then
      return
    end
    table.remove(self.order, 1)
    if waits then
      self:forget(oldest)
      ended(oldest)
    end
  end
end

--- Takes a fragment.
-- @param data the whole fragment
-- @param t the same as packet.parse() has it
-- @param now seconds, never going back
-- @param owner what belongs to it, kept with the others of its packet
-- @param ended function (packet) called for each packet that ends without being complete; packet.owners are
--   those of its fragments
-- @return the whole packet and the list of owners, of which this is one; nil when more is wanted, or when it
--   is not one of a packet (ended has been called, or "known" or "bad" is the second value)
function Reassembly:take(data, t, now, owner, ended)
  self:expire(now, ended)
  local one = read(data, t)
  local size = one and #one.head - (one.family == 6 and 40 or 0)
  if not one or size + one.offset + #one.data > LENGTH_MOST then
    return nil, "bad"
  end
  if one.more then
    -- A fragment that is not the last has whole units of eight bytes: RFC 791 lets a receiver cut the rest
    -- off.
    if one.family == 6 and #one.data % 8 ~= 0 then
      one.bad = true
    end
    one.data = one.data:sub(1, #one.data - #one.data % 8)
  end
  local whole = self.waiting[one.key]
  if not whole then
    whole = { key = one.key, family = one.family, runs = {}, parts = {}, owners = {}, bytes = 0, reached = 0,
      until_ = now + WAITS[one.family] }
    self.waiting[one.key] = whole
    self.count = self.count + 1
    self.order[#self.order + 1] = whole
  end
  whole.owners[#whole.owners + 1] = owner
  local said = one.bad and "bad" or insert(whole, one)
  if said == "known" then
    return nil, nil
  elseif said == "bad" or not note_end(whole, one) then
    self:forget(whole)
    ended(whole)
    return nil, nil
  end
  whole.bytes, self.bytes = whole.bytes + #one.data, self.bytes + #one.data
  if one.offset == 0 then
    whole.head = one.head
  end
  local run = whole.runs[1]
  if whole.last and run.first == 0 and run.last == whole.last then
    self:forget(whole)
    return join(whole), whole.owners
  end
  return nil, nil
end

--- Ends all that waits.
function Reassembly:finish(ended)
  self:expire(math.huge, ended)
end

return reassembly
