-- SPDX-License-Identifier: GPL-2.0-or-later
-- Random packets and conversations for the policies of policies.lua. All that chance decides is decided once;
-- what follows from earlier answers, like the address that a server saw, is taken from each side's own.
--
-- A draw is a function (view) -> packet table. view belongs to one side and one conversation: what came through
-- there is noted in it by packets.note().
local policies = dofile "tests/net/one_engine/policies.lua"

local packets = {}

local random = math.random

local function chance(percent)
  return random(100) <= percent
end

local function one_of(list)
  return list[random(#list)]
end

local PLACES = { "lan0", "lan0", "dmz0", "wan0", "beyond", "beyond", "here" }

local function place(family)
  local where = one_of(PLACES)
  if where == "here" then
    return policies.host(one_of(policies.devices), family, 1)
  end
  return policies.host(where, family, random(2, 7))
end

-- Two ends that are not on the same network, and not both this machine (but rarely).
local function ends(family)
  while true do
    local a, b = place(family), place(family)
    local na, nb = packets.device_of(a), packets.device_of(b)
    if na ~= nb or (na == nil and a ~= b and chance(30)) then
      return a, b
    end
  end
end

--- The device whose network an address belongs to; nil for the machine's own.
function packets.device_of(address)
  local found = "wan0"
  for name, prefixes in pairs(policies.networks) do
    for _, prefix in ipairs(prefixes) do
      if address:sub(1, #prefix) == prefix then
        if address:sub(#prefix + 1) == "1" then
          return nil
        end
        found = name
      end
    end
  end
  if address == "::1" or address:find("^127%.") then
    return nil
  end
  return found
end

--- The way of a packet with these ends: its list and devices.
function packets.way(src, dst)
  local from, to = packets.device_of(src), packets.device_of(dst)
  if from and to then
    return { dir = "forward", iif = from, oif = to }
  elseif from then
    return { dir = "in", iif = from }
  end
  return { dir = "out", oif = to or "lo" }
end

local function dress(t)
  if chance(8) then
    t.dscp = one_of(policies.dscps)
  end
  t.mark_wanted, t.user_wanted = one_of(policies.marks), one_of(policies.users)
  return t
end

-- Ends as a side knows them: the client by the address that the server saw, the server by the one it has.
local function from_client(c, fields)
  return function()
    local t = { src = c.client, dst = c.server, sport = c.sport, dport = c.dport, proto = c.proto }
    for name, value in pairs(fields) do
      t[name] = value
    end
    return t
  end
end

local function from_server(c, fields)
  return function(view)
    local seen = view.seen or {}
    local t = {
      src = seen.dst or c.server, dst = seen.src or c.client, proto = c.proto,
      sport = seen.dport or c.dport, dport = seen.sport or c.sport,
    }
    for name, value in pairs(fields) do
      t[name] = value
    end
    return t
  end
end

-- One step of a TCP conversation: who speaks, flags, and sometimes what is out of place.
local function tcp_step(c)
  local script = c.script
  local flags, forth, payload
  if c.at < #script then
    c.at = c.at + 1
    local step = script[c.at]
    forth, flags, payload = step[1] == ">", step[2], step[3]
  else
    forth, flags = chance(50), one_of { "A", "PA", "FA", "R", "RA", "A", "S", "SA" }
  end
  local fields = dress { flags = flags, payload = payload }
  if not payload and flags:find("A") and not flags:find("[SFR]") and chance(40) then
    fields.payload = ("x"):rep(random(1, 30))
  end
  if chance(6) then
    fields.seq_off = one_of { -1, 1, 100, 70000, -70000, 0x7fffffff }
  elseif chance(3) then
    fields.ack_off = one_of { 1, -1, 100000 }
  end
  if flags:find("S") and c.options then
    fields.options = c.options
  end
  if chance(10) then
    fields.window = one_of { 0, 1, 1000, 65535 }
  end
  return forth and from_client(c, fields) or from_server(c, fields), forth
end

local HANDSHAKE = { { ">", "S" }, { "<", "SA" }, { ">", "A" } }
local SCRIPTS = {
  { ">PA", "<A", ">FA", "<A", "<FA", ">A" },
  { "<PA", ">A", "<FA", ">A", ">FA", "<A" },
  { ">PA", "<PA", ">R" },
  { "<RA" },
  { ">FA", "<FA", ">A", "<A", ">S" },
  {},
}

local function new_tcp(family)
  local client, server = ends(family)
  local c = { proto = "tcp", client = client, server = server, sport = one_of(policies.ports),
    dport = one_of(policies.ports), step = tcp_step, at = 0 }
  c.script = chance(85) and table.move(HANDSHAKE, 1, 3, 1, {}) or chance(50) and { { ">", "S" }, { "<", "RA" } } or {}
  for _, step in ipairs(one_of(SCRIPTS)) do
    c.script[#c.script + 1] = { step:sub(1, 1), step:sub(2) }
  end
  c.options = chance(50) and one_of { "\2\4\5\180", "\2\4\5\180\1\3\3\7", "\2\4\5\180\4\2\1\1", "\3\3\14\0" } or nil
  return c
end

local function udp_step(c)
  local forth = chance(c.begun and 55 or 90)
  c.begun = true
  local fields = dress { payload = ("y"):rep(random(0, 40)) }
  return forth and from_client(c, fields) or from_server(c, fields), forth
end

local function new_udp(family)
  local client, server = ends(family)
  return { proto = one_of { "udp", "udp", "udp", "udplite", "sctp", "dccp" }, client = client, server = server,
    sport = one_of(policies.ports), dport = one_of(policies.ports), step = udp_step }
end

local function echo_step(c)
  local forth = chance(c.begun and 55 or 90)
  c.begun = true
  local fields = dress { id = c.id, seq = random(1, 9), payload = ("z"):rep(random(0, 20)) }
  if forth then
    fields.icmp = "echo-request"
    return from_client(c, fields), true
  end
  fields.icmp = "echo-reply"
  return function(view)
    local seen = view.seen or {}
    local t = { src = seen.dst or c.server, dst = seen.src or c.client, proto = c.proto }
    for name, value in pairs(fields) do
      t[name] = value
    end
    t.id = seen.id or c.id
    return t
  end, false
end

local function new_echo(family)
  local client, server = ends(family)
  return { proto = family == 4 and "icmp" or "icmpv6", client = client, server = server, id = random(1, 4),
    step = echo_step }
end

-- The dialogue of an FTP control connection, and the data connection that it announces.
local function ftp_text(c, view, what)
  local seen = view.seen or {}
  local four = c.family == 4
  if what == "passive" then
    local address = seen.dst or c.server
    return four and ("227 Entering Passive Mode (%s,%d,%d).\r\n"):format(address:gsub("%.", ","), c.data >> 8,
      c.data & 255) or ("229 Extended Passive Mode (|||%d|)\r\n"):format(c.data)
  end
  return four and ("PORT %s,%d,%d\r\n"):format(c.client:gsub("%.", ","), c.data >> 8, c.data & 255)
    or ("EPRT |2|%s|%d|\r\n"):format(c.client, c.data)
end

local function ftp_step(c)
  local script = c.script
  if c.at >= #script then
    return tcp_step(c)
  end
  c.at = c.at + 1
  local forth, flags, what = table.unpack(script[c.at])
  local fields = dress { flags = flags }
  local draw = forth and from_client(c, fields) or from_server(c, fields)
  return function(view)
    local t = draw(view)
    if what == "passive" or what == "active" then
      t.payload = ftp_text(c, view, what)
    else
      t.payload = what
    end
    return t
  end, forth
end

local function ftp_data(control)
  local active = control.active
  local c = { proto = "tcp", step = tcp_step, at = 0, sport = active and 20 or random(40000, 40009),
    dport = control.data,
    script = { { ">", "S" }, { "<", "SA" }, { ">", "A" }, { ">", "PA" }, { "<", "A" } } }
  c.client, c.server = control.client, control.server
  -- Who opens it, and whom he addresses, each side knows from its control connection.
  c.bind = function(view, of_control)
    local seen = of_control.seen or {}
    if active then
      view.client = seen.dst or control.server
      view.server, view.dport = of_control.told_host or seen.src or control.client, of_control.told_port or control.data
    else
      view.client = control.client
      view.server, view.dport = of_control.told_host or control.server, of_control.told_port or control.data
    end
  end
  c.control = control
  return c
end

local function new_ftp(family)
  local client, server = ends(family)
  local active = chance(40)
  local c = { proto = "tcp", family = family, client = client, server = server, sport = random(40000, 40009),
    dport = 21,
    data = random(2000, 2003), active = active, step = ftp_step, at = 0 }
  c.script = { { true, "S" }, { false, "SA" }, { true, "A" }, { false, "PA", "220 ready\r\n" }, { true, "A" } }
  if active then
    c.script[#c.script + 1] = { true, "PA", "active" }
    c.script[#c.script + 1] = { false, "PA", "200 PORT command successful.\r\n" }
  else
    c.script[#c.script + 1] = { true, "PA", family == 4 and "PASV\r\n" or "EPSV\r\n" }
    c.script[#c.script + 1] = { false, "PA", "passive" }
  end
  return c
end

-- A packet by itself: of any kind, also such as have no meaning.
local function single_step(c)
  c.done = true
  local family = one_of { 4, 4, 6 }
  local src, dst = ends(family)
  local t = dress { src = src, dst = dst }
  local kind = random(8)
  if kind <= 3 then
    t.proto, t.sport, t.dport = "tcp", one_of(policies.ports), one_of(policies.ports)
    t.flags = one_of { "S", "SA", "A", "FA", "R", "RA", "PA", "SF", "SR", "FPU", "", "F", "UA", "SAEC", "SEC" }
    t.seq, t.ack = random(0, 0xffffffff), random(0, 0xffffffff)
  elseif kind <= 5 then
    t.proto, t.sport, t.dport = one_of { "udp", "udplite", "sctp", "dccp" }, one_of(policies.ports),
      one_of(policies.ports)
  elseif kind == 6 then
    t.proto, t.payload = one_of { "gre", "esp", "ospf", 200 }, ("w"):rep(random(8, 40))
  else
    t.proto = family == 4 and "icmp" or "icmpv6"
    t.icmp = one_of(family == 4 and { "echo-request", "echo-reply", "timestamp-request", "redirect", "40/0" }
      or { "echo-request", "echo-reply", "router-solicitation", "neighbour-solicitation", "mld-query", "200/0" })
    t.payload = ("v"):rep(32)
    -- A router answers what is at the end of its way.
    t.ttl = packets.device_of(src) and packets.device_of(dst) and 64 or nil
  end
  if kind <= 5 and chance(10) then
    t.bad_sum = true
  end
  return function()
    return t
  end, true
end

local ABOUT = {
  [4] = { "port-unreachable", "host-unreachable", "ttl-exceeded", "fragmentation-needed", "admin-prohibited" },
  [6] = { "port-unreachable", "no-route", "ttl-exceeded", "packet-too-big", "admin-prohibited" },
}

-- An ICMP error about the last packet of a conversation that came through, from its receiver or from a router.
local function error_step(c)
  c.done = true
  local about, forth = c.about, c.forth
  local name = one_of(ABOUT[about.client:find(":") and 6 or 4])
  local router = chance(30) and 5 or nil
  local fields = dress {}
  return function(view)
    local left = view[forth and "forth" or "back"]
    if not left then
      return nil
    end
    local t = { src = left.t.dst, dst = left.t.src, icmp = name, inner = left.data }
    if router and packets.device_of(left.t.dst) then
      local family = left.t.family
      t.src = policies.host(packets.device_of(left.t.dst), family, router)
    end
    for key, value in pairs(fields) do
      t[key] = value
    end
    return t
  end, not forth
end

local KINDS = { new_tcp, new_tcp, new_tcp, new_udp, new_udp, new_echo, new_ftp, "single", "single", "error" }

--- Begins a source of packets.
-- @return function () -> conversation, draw, forth: the next packet is draw(view of that conversation), and forth
--   says whether its client sends it
function packets.source()
  local open = {}
  local function begin()
    local kind = one_of(KINDS)
    if kind == "single" then
      return { step = single_step }
    elseif kind == "error" then
      local about = #open > 0 and one_of(open)
      if about and about.client then
        return { step = error_step, about = about, forth = chance(50), views = about }
      end
      return { step = single_step }
    end
    local c = kind(one_of { 4, 4, 6 })
    open[#open + 1] = c
    if #open > 12 then
      table.remove(open, 1)
    end
    return c
  end
  return function()
    local c
    if #open > 0 and chance(75) then
      c = one_of(open)
      -- What was announced is made use of.
      if c.step == ftp_step and c.at == #c.script and not c.used then
        c.used = true
        c = ftp_data(c)
        open[#open + 1] = c
      end
    else
      c = begin()
    end
    local draw, forth = c:step()
    if c.bind then
      local inner, bound = draw, c
      draw = function(view, of_control)
        bound.bind(view, of_control or {})
        local was = { bound.client, bound.server, bound.dport }
        bound.client, bound.server, bound.dport = view.client, view.server, view.dport
        local t = inner(view)
        bound.client, bound.server, bound.dport = table.unpack(was)
        return t
      end
    end
    return c, draw, forth
  end
end

--- The data connection that a line of an FTP control connection announces.
-- @return its host (nil where the line leaves that to the control connection's own) and its port, or nil
function packets.announced(text)
  local a, b, c, d, high, low = text:match("(%d+),(%d+),(%d+),(%d+),(%d+),(%d+)")
  if a then
    return ("%s.%s.%s.%s"):format(a, b, c, d), high * 256 + low
  elseif text:find("|||%d+|") then
    return nil, tonumber(text:match("|||(%d+)|"))
  end
  local host, port = text:match("^EPRT |[12]|([^|]+)|(%d+)|")
  return host, tonumber(port)
end

--- Notes in a view what came through.
-- @param view of a side and a conversation
-- @param forth did its client send it?
-- @param arrived, left packet.parse() of it
-- @param data bytes as it left
function packets.note(view, forth, left, data)
  view[forth and "forth" or "back"] = { t = left, data = data }
  if forth then
    view.seen = { src = left.src, dst = left.dst, sport = left.sport, dport = left.dport, id = left.id }
  end
  -- What a control connection announces, as the one who will open the data connection reads it.
  local host, port = packets.announced(left.payload or "")
  view.told_host, view.told_port = host or view.told_host, port or view.told_port
end

return packets
