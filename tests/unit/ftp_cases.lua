-- SPDX-License-Identifier: GPL-2.0-or-later
-- Cases of the built-in engine about FTP.
package.path = "lua/?.lua;tests/unit/?.lua"

local compile = require "ipfi.policy.compile"
local kernel = require "ipfi.base.kernel"
local packet = require "ipfi.packet.packet"

local ftp = require "ftp_scene"
local scene = require "engine_scene"

local cases = {}
local expect = scene.expect

-- A world with a control connection, with and without translation, in both families.
local function each(run, kinds, more, fields)
  for _, kind in ipairs(kinds or { "plain", "dnat", "snat" }) do
    for _, family in ipairs { 4, 6 } do
      local world <close>, control = ftp.begin(kind, family, more, fields)
      run(control, world, ("%s, IPv%d"):format(kind, family), ftp.ends[family])
    end
  end
end

-- The client asks and the server announces a port; the client's SYN to it.
local function announce(control, port)
  expect(control:say("client", "EPSV\r\n"), "state")
  expect(control:say("server", ("229 Entering (|||%d|)\r\n"):format(port)), "state")
  return ftp.with(control.client, { proto = "tcp", sport = 4001, dport = port, seq = 77, flags = "S" })
end

--- Expectations ---

function cases.only_what_opens_a_connection_uses_an_expectation_up()
  each(function(control, world, what)
    local syn = announce(control, 2000)
    for _, flags in ipairs { "R", "RA", "SA", "A", "FA", "PA" } do
      expect(ftp.pass(world, ftp.with(syn, { flags = flags, ack = 9 })).verdict, "drop",
        what .. ", " .. flags)
    end
    local broken = packet.build(syn)
    broken = broken:sub(1, -2) .. string.char(broken:byte(-1) ~ 1)
    expect(ftp.reason(world, ftp.with(syn, { data = broken })), "bad-checksum", what)
    expect(#ftp.expected(world), 1, what)
    expect(ftp.reason(world, syn), "expected", what)
    expect(#ftp.expected(world), 0, what)
    expect(ftp.pass(world, ftp.with(syn, { sport = 4002 })).verdict, "drop", what .. ", another")
    expect(ftp.pass(world, syn).verdict, "accept", what .. ", again")
  end)
end

function cases.what_gets_no_state_leaves_an_expectation()
  each(function(control, world, what)
    local link = kernel.of(world)
    local syn = announce(control, 2000)
    for _, limit in ipairs { { "max_states", "table-full" }, { "max_states_per_source", "source-full" } } do
      local before = link.ask({ cmd = "limits_get" }, "test").limits[limit[1]]
      link.ask({ cmd = "limits_set", limits = { [limit[1]] = 1 } }, "test")
      expect(ftp.reason(world, syn), limit[2], what)
      link.ask({ cmd = "limits_set", limits = { [limit[1]] = before } }, "test")
    end
    expect(#ftp.expected(world), 1, what)
    expect(ftp.reason(world, syn), "expected", what)
    link.close()
  end)
end

function cases.a_namespace_expects_so_many()
  local world <close>, first = ftp.begin("plain", 4, "", "limits = { max_states = 10000 }")
  local function announce_all(control, from)
    for port = from, from + 7 do
      expect(control:say("client", ("PORT 198,51,100,9,%d,%d\r\n"):format(port >> 8, port & 255)), "state")
    end
  end
  announce_all(first, 2000)
  expect(first:say("client", "PORT 198,51,100,9,200,1\r\n"), "ftp-full")
  local all = 4096
  for i = 1, all // 8 do
    local control = ftp.control(world, { client = ftp.with(first.client, { sport = 4000 + i }),
      server = ftp.with(first.server, { dport = 4000 + i }) })
    announce_all(control, 3000 + 8 * i)
    if i == all // 8 - 1 then
      expect(ftp.expected(world)[1], "10.0.0.5 > 198.51.100.9:2000")
      expect(#ftp.expected(world), all)
    end
  end
  -- The oldest have made way, and their control connection may announce others.
  local list = ftp.expected(world)
  expect(#list, all)
  expect(list[1], "10.0.0.5 > 198.51.100.9:3008")
  expect(list[all], ("10.0.0.5 > 198.51.100.9:%d"):format(3000 + all + 7))
  announce_all(first, 2000)
  expect(#ftp.expected(world), all)
  world:advance(31)
  expect(#ftp.expected(world), 0)
end

--- Addresses that are not the server's ---

local function pasv(control, address, port)
  expect(control:say("client", "PASV\r\n"), "state")
  local text = ("227 Entering Passive Mode (%s,%d,%d).\r\n"):format(address:gsub("%.", ","), port >> 8,
    port & 255)
  local _, left, reason = control:send("server", { payload = text })
  return reason, left.payload, text
end

-- A data connection of the client to an address: the reason, and how it leaves.
local function data(control, dst, port, sport)
  local syn = ftp.with(control.client, { proto = "tcp", sport = sport or 4001, dst = dst, dport = port,
    seq = 7,
    flags = "S" })
  local reason, _, left = ftp.reason(control.world, syn)
  return reason, left
end

function cases.a_server_may_announce_what_its_clients_ignore()
  for _, kind in ipairs { "plain", "dnat", "snat" } do
    local world <close>, control = ftp.begin(kind, 4)
    local server = control.client.dst
    local reason, heard, said = pasv(control, "192.168.178.2", 63037)
    expect(reason, "ftp-foreign", kind)
    expect(heard, said, kind .. ": it passes as it was sent")
    expect(table.concat(ftp.expected(world), "; "), ("%s > %s:63037"):format(control.client.src, server),
      kind)
    expect(data(control, "192.168.178.2", 63037), "default-deny", kind .. ": no third host")
    expect(data(control, server, 63038), "default-deny", kind .. ": no other port")
    local opened, left = data(control, server, 63037)
    expect(opened, "expected", kind)
    expect(left.dst, kind == "dnat" and "10.0.0.5" or server, kind)
    expect(left.dport, 63037, kind)
    expect(#ftp.expected(world), 0, kind)
    -- Its own address is believed as ever, and rewritten; a service of any host is not.
    reason, heard = pasv(control, kind == "dnat" and "10.0.0.5" or server, 63039)
    expect(reason, "state", kind)
    expect(heard:match("%((.-),246,63"), (server:gsub("%.", ",")), kind)
    expect(pasv(control, "192.168.178.2", 1023), "ftp-foreign", kind)
    expect(#ftp.expected(world), 1, kind)
  end
end

function cases.a_foreign_address_that_is_believed_is_expected_beside_the_servers_own()
  for _, kind in ipairs { "plain", "snat" } do
    local world <close>, control = ftp.begin(kind, 4, ", ftp_foreign = true")
    local reason, heard, said = pasv(control, "198.51.100.77", 2000)
    expect(reason, "state", kind)
    expect(heard, said, kind)
    expect(#ftp.expected(world), 2, kind)
    expect(data(control, control.client.dst, 2000), "expected", kind .. ": the server's own")
    expect(data(control, "198.51.100.77", 2000, 4002), "expected", kind .. ": the other")
    expect(#ftp.expected(world), 0, kind)
  end
end

--- Segments that went another way ---

function cases.a_segment_that_went_another_way_ends_nothing()
  each(function(control, world, what)
    local lost = "331 Please specify the password.\r\n"
    expect(control:say("client", "USER me\r\n"), "state", what)
    control.next.server = control.next.server + #lost
    local behind = control.next.server
    for _ = 1, 2 do
      expect(control:say("server", "230 in\r\n", { seq = behind }), "ftp-order", what)
    end
    -- It has arrived: its receiver says so.
    expect(select(3, control:send("client", { flags = "A" })), "state", what)
    expect(control:say("server", "230 in\r\n"), "state", what)
    expect(ftp.reason(world, announce(control, 2000)), "expected", what)
    -- A command.
    control.next.client = control.next.client + 20
    behind = control.next.client
    expect(control:say("client", "NOOP\r\n", { seq = behind }), "ftp-order", what)
    expect(select(3, control:send("server", { flags = "A" })), "state", what)
    expect(control:say("client", "NOOP\r\n"), "state", what)
    expect(ftp.reason(world, ftp.with(announce(control, 2001), { sport = 4002 })), "expected", what)
  end)
end

--- The packet that opens the state ---

-- The client's first packet has a command; what comes of that.
local function opening(kind, family, flags, command)
  local world = scene.gateway()
  local policy, ends = ftp.setting(kind, family)
  scene.commit(world, scene.checked(policy))
  ends.midstream = true
  local control = ftp.control(world, ends)
  local _, left, reason = control:send("client", { flags = flags, payload = command,
    ack = flags == "S" and 0 or 5000 })
  return world, control, reason, left
end

function cases.what_opens_a_state_is_read()
  for _, kind in ipairs { "plain", "dnat", "snat" } do
    for _, family in ipairs { 4, 6 } do
      for _, flags in ipairs { "S", "PA" } do
        local what = ("%s, IPv%d, %s"):format(kind, family, flags)
        local world <close>, control, reason = opening(kind, family, flags, "EPSV\r\n")
        expect(reason, "rule-allow", what)
        if flags == "S" then
          expect(select(3, control:send("server", { flags = "SA" })), "state", what)
          expect(select(3, control:send("client", { flags = "A" })), "state", what)
        end
        expect(control:say("server", "229 Entering (|||2000|)\r\n"), "state", what)
        local syn = ftp.with(control.client, { proto = "tcp", sport = 4001, dport = 2000, seq = 77,
          flags = "S" })
        expect(ftp.reason(world, syn), "expected", what)
      end
    end
  end
end

function cases.what_opens_a_state_is_rewritten()
  for _, flags in ipairs { "S", "PA" } do
    local world <close>, control, reason, left = opening("snat", 4, flags, "PORT 10,0,0,5,7,208\r\n")
    expect(reason, "rule-allow", flags)
    expect(left.payload, "PORT 192,0,2,1,7,208\r\n", flags)
    expect(left.seq, 1000, flags)
    expect(left.problem, nil, flags)
    expect(ftp.expected(world)[1], "198.51.100.9 > 192.0.2.1:2000", flags)
    -- The server has one byte more; the client reads that it has all.
    local ack = 1000 + (flags == "S" and 1 or 0) + #left.payload
    local _, answer = control:send("server", { flags = flags == "S" and "SA" or "A", ack = ack })
    expect(answer.ack, control.next.client, flags)
    -- Sent again it is the same.
    local _, again = control:send("client", { flags = flags, payload = "PORT 10,0,0,5,7,208\r\n", seq = 1000,
      ack = flags == "S" and 0 or 5000 })
    expect(again.payload, left.payload, flags)
    expect(again.seq, 1000, flags)
  end
  for _, bad in ipairs { { "PORT 10,0,0,77,7,208\r\n", "ftp-foreign" }, { "PORT 10,0,0,5,1,1\r\n",
    "ftp-port" } } do
    local world <close>, _, reason, left = opening("snat", 4, "PA", bad[1])
    expect(reason, bad[2])
    expect(left.payload, bad[1])
    expect(#ftp.expected(world), 0)
  end
end

-- A line that is not whole yet is held back, of a SYN as of others.
function cases.what_opens_a_state_may_be_held_back()
  for _, flags in ipairs { "S", "PA" } do
    local world <close>, control, reason, left = opening("snat", 4, flags, "PORT 10,0,0")
    expect(reason, "rule-allow", flags)
    expect(left.payload, "PORT ", flags)
    expect(left.seq, 1000, flags)
    local first = 1000 + (flags == "S" and 1 or 0)
    local _, answer = control:send("server", { flags = flags == "S" and "SA" or "A", ack = first + 5 })
    expect(answer.ack, control.next.client, flags .. ": it is owed now")
    local _, rest = control:send("client", { flags = "PA", payload = ",5,7,208\r\n" })
    expect(rest.payload, "192,0,2,1,7,208\r\n", flags)
    expect(rest.seq, first + 5, flags)
    expect(#ftp.expected(world), 1, flags)
  end
end

--- Errors about edited text ---

function cases.errors_quote_the_numbers_of_who_sent()
  -- A text that becomes longer, in each direction; then an error about what follows it.
  for _, setting in ipairs { { "dnat", "server" }, { "snat", "client" } } do
    local kind, who = setting[1], setting[2]
    local world <close>, control = ftp.begin(kind, 4)
    local other = who == "server" and "client" or "server"
    local text = who == "server" and "227 (10,0,0,5,7,208)\r\n" or "EPRT |1|10.0.0.5|2000|\r\n"
    if who == "server" then
      control:say("client", "PASV\r\n")
    end
    local _, left = control:send(who, { payload = text })
    local more = #left.payload - #text
    expect(more ~= 0, true, kind)
    local after = { payload = ("200 this is what it is about\r\n"):rep(3) }
    local _, later = control:send(who, after)
    local sent = ftp.with({ proto = "tcp", flags = "PA" }, control[who], after,
      { seq = control.next[who] - #after.payload, ack = control.next[other] })
    expect(later.seq, sent.seq + more, kind)
    -- What the error quotes is what left.
    local seen = assert(packet.build(ftp.with({ proto = "tcp" }, later)))
    for _, length in ipairs { 8, 20, #seen - 20 } do
      local out, showed = ftp.pass(world, { dir = control[other].dir, iif = control[other].iif,
        oif = control[other].oif, src = kind == "dnat" and "198.51.100.1" or "198.51.100.2", dst = later.src,
        icmp = "host-unreachable", inner = seen:sub(1, 20 + length) })
      local what = ("%s, %d bytes"):format(kind, length)
      expect(out.verdict, "accept", what)
      expect(showed.problem, nil, what)
      expect(showed.dst, sent.src, what)
      expect(showed.inner.seq, sent.seq, what)
      expect(showed.inner.src, sent.src, what)
    end
    expect(ftp.count(world, "related"), 3, kind)
    -- What was never sent is nobody's.
    local forged = assert(packet.build(ftp.with({ proto = "tcp" }, later, { seq = later.seq + 70000 })))
    expect(ftp.reason(world, { dir = control[other].dir, iif = control[other].iif, oif = control[other].oif,
      src = "198.51.100.2", dst = later.src, icmp = "host-unreachable", inner = forged }), "icmp-unasked",
        kind)
  end
end

--- Helpers that go and come back ---

function cases.a_helper_comes_back_with_its_rules()
  for _, kind in ipairs { "plain", "dnat", "snat" } do
    local world <close>, control = ftp.begin(kind, 4)
    local policy = ftp.setting(kind, 4)
    local _, hidden = pasv(control, kind == "dnat" and "10.0.0.5" or control.client.dst, 2000)
    expect(#ftp.expected(world), 1, kind)
    local link = kernel.of(world)
    local without = scene.checked((policy:gsub('helper = "ftp"', "state = true")))
    link.transact(compile.messages(without, { confirm = 60 }), "test")
    expect(control:say("client", "EPSV\r\n"), "state", kind)
    expect(#ftp.expected(world), 0, kind .. ": what it had announced is forgotten")
    expect(control:say("server", "229 Entering (|||2001|)\r\n"), "state", kind)
    expect(#ftp.expected(world), 0, kind .. ": nobody reads")
    -- The half of a line that nobody held back.
    expect(control:say("client", "EPRT |1|"), "state", kind)
    world:advance(61)
    expect(control:say("client", control.client.src .. "|2002|\r\n"), "state", kind)
    expect(#ftp.expected(world), 0, kind .. ": it cannot be changed any more")
    expect(ftp.reason(world, announce(control, 2003)), "expected", kind .. ": it is read again")
    -- Its edits have lived on: the text that was rewritten first is still that, and so are numbers behind it.
    if kind == "dnat" then
      local _, again = control:send("server", { seq = 5001,
        payload = "227 Entering Passive Mode (10,0,0,5,7,208).\r\n" })
      expect(again.payload, hidden, kind)
    end
    link.close()
  end
end

return cases
