-- SPDX-License-Identifier: GPL-2.0-or-later
-- Are two sides' answers the same? Where a translation chooses by chance (one of several addresses, a port when
-- the wanted one is taken), both choices must be of the same kind: addresses of the same network, ports of the
-- same class; identifiers of ICMP are all of one. Such a difference is counted, and from then on holds for the whole
-- policy.
local packet = require "ipfi.packet.packet"
local packet_bytes = require "ipfi.packet.build"

local compare = {}

local function port_class(port, proto)
  return port and ((proto == "icmp" or proto == "icmpv6") and "id" or port < 1024 and "low" or "high")
end

local function network(address)
  return address and (address:gsub("[^.:]+$", "x"))
end

-- The packet as text. What routers and sending change is left out: the hop limit, IPv4's identification.
local function text_of(t, masked)
  local function address(a)
    return masked and network(a) or a
  end
  local function port(n)
    return masked and port_class(n, t.proto) or n
  end
  local payload = (t.payload or ""):gsub("[^\32-\126]", function(c) return ("\\%02x"):format(c:byte()) end)
  if masked then
    payload = payload:gsub("%d+", "#")
  end
  local numbers = masked and "" or ("seq=%s ack=%s len=%s"):format(t.seq, t.ack, t.length)
  return ("%s %s:%s > %s:%s %s %s %s %s win=%s dscp=%s opt=%s [%s]%s%s"):format(t.proto, address(t.src), port(t.sport),
    address(t.dst), port(t.dport), t.flags or "", t.icmp or "", port(t.id) or "", numbers, t.window, t.dscp,
    (t.options or ""):gsub(".", function(c) return ("%02x"):format(c:byte()) end), payload,
    t.inner and " about " .. text_of(t.inner, masked) or "", t.problem or "")
end

-- Is the checksum of what came out right?
local function sum_is_right(data)
  local t = packet.parse(data)
  local number = ({ tcp = 6, udp = 17, icmpv6 = 58, icmp = 1, dccp = 33 })[t.proto]
  if not number or t.extensions or t.problem then
    return true
  end
  local header = t.family == 4 and (data:byte() & 15) * 4 or 40
  local rest = data:sub(header + 1, t.length)
  if number == 17 and rest:sub(7, 8) == "\0\0" then
    return true
  elseif number == 1 then
    return packet_bytes.checksum(rest) == 0
  end
  local ends = t.family == 4 and data:sub(13, 20) or data:sub(9, 40)
  local pseudo = ends .. (t.family == 4 and (">I2I2"):pack(number, #rest) or (">I4I4"):pack(#rest, number))
  return packet_bytes.checksum(pseudo, rest) == 0
end

local function outcome(came, masked)
  local list = {}
  for i, one in ipairs(came) do
    list[i] = one.where .. ": " .. text_of(packet.parse(one.data), masked)
  end
  table.sort(list)
  return #list > 0 and table.concat(list, "\n    ") or "nothing"
end

local function ends_of(nat)
  return nat and ("%s:%s>%s:%s"):format(nat.src, nat.sport, nat.dst, nat.dport) or "-"
end

local function explanation(j, masked)
  local steps = {}
  for i, step in ipairs(j.steps) do
    steps[i] = ("%s %s %s"):format(step.list, step.rule, step.field or "matches")
  end
  -- One of several addresses may be the very one that it had; what came out is compared all the same.
  local nat = masked and "by chance" or ends_of(j.nat)
  return ("%s by %s, %s, list %s, state %s, nat %s, %s %s\n    %s"):format(j.verdict, j.rule, j.reason, j.list,
    j.state, nat, j.dstnat and j.dstnat.rule, j.srcnat and j.srcnat.rule, table.concat(steps, "\n    "))
end

-- Compares by a function (value, masked) -> text. Returns nil, or what both sides said. policy.free counts.
local function same(policy, what, form, kernel, engine)
  local a, b = form(kernel, false), form(engine, false)
  if a == b then
    return nil
  end
  if policy.chance and form(kernel, true) == form(engine, true) then
    policy.free = policy.free + 1
    return nil
  end
  return ("%s\n  kernel:\n    %s\n  engine:\n    %s"):format(what, a, b)
end

--- What both say would happen.
function compare.explanations(policy, kernel, engine)
  return same(policy, "the explanations differ", explanation, kernel, engine)
end

--- What came out.
function compare.outcomes(policy, kernel, engine)
  return same(policy, "what came out differs", outcome, kernel, engine)
end

--- Does what came out agree with what was said before? What leaves by the loopback device may be refused when it
-- comes in. Returns nil or what is wrong.
function compare.promise(judged, arrived, came, sums, looped)
  local allowed, left = judged.verdict == "allow", nil
  local wanted = judged.nat or { src = arrived.src, dst = arrived.dst, sport = arrived.sport or arrived.id,
    dport = arrived.dport }
  for _, one in ipairs(came) do
    local t = packet.parse(one.data)
    -- On the loopback device nobody writes checksums.
    if sums and one.where ~= "here" and not sum_is_right(one.data) then
      return "a checksum is wrong: " .. packet.line(one.data)
    elseif t.src == wanted.src and t.dst == wanted.dst and (t.sport or t.id) == (wanted.sport or t.id)
      and t.dport == (wanted.dport or t.dport) and t.proto == arrived.proto
      and (t.flags or "") == (arrived.flags or "") then
      left = one
    end
  end
  if allowed ~= (left ~= nil) and not (allowed and looped) then
    return ("explained as %s as %s, but what came out is %s"):format(judged.verdict, ends_of(judged.nat),
      outcome(came))
  end
  return nil, left
end

local FIELDS = { "family", "proto", "state", "guessed", "src", "sport", "dst", "dport", "nat_src", "nat_sport",
  "nat_dst", "nat_dport", "iif", "oif", "rule", "packets", "bytes", "reply_packets", "reply_bytes", "mark", "helper" }
local ADDRESSES = { src = true, dst = true }
local PORTS = { sport = true, dport = true }
-- A translation to the very address that it had is none.
local VARIES = { bytes = true, reply_bytes = true, nat_src = true, nat_sport = true, nat_dst = true, nat_dport = true }

--- The state table as text.
function compare.states(rows, masked)
  local lines = {}
  for _, row in ipairs(rows) do
    local words = {}
    for i, name in ipairs(FIELDS) do
      local value = row[name]
      if masked then
        value = not VARIES[name] and (ADDRESSES[name] and network(value)
          or PORTS[name] and port_class(value, row.proto) or value)
      end
      words[i] = ("%s=%s"):format(name, tostring(value))
    end
    lines[#lines + 1] = table.concat(words, " ")
  end
  table.sort(lines)
  return table.concat(lines, "\n    ")
end

--- Two lists of states, or of anything else that form knows.
function compare.lists(policy, what, form, kernel, engine)
  return same(policy, what, form, kernel, engine)
end

return compare
