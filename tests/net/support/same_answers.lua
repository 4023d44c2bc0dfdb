#!/usr/sbin/ipfi
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- Asks the kernel and the built-in engine the same: requests of all commands, then the same with bytes changed,
-- and holds the answers against each other: errors, their texts, the attributes they name, and replies.
--
--   ipfi same_answers.lua seed=N rounds=N
--
-- In a network namespace in which nothing was committed yet. Prints "ok ..." or "not ok ...".
local codec = require "ipfi.c.codec"
local compile = require "ipfi.policy.compile"
local engine = require "ipfi.c.engine"
local json = require "ipfi.base.json"
local netlink = require "ipfi.c.netlink"

local words = _G
local allow, reject, deny, set = words.allow, words.reject, words.deny, words.set

local SHOWN = 5 -- differences
local HEADER = 20 -- of netlink and of generic netlink

math.randomseed(tonumber(args.seed or 1))

local p = words.policy {
  name = "same", limits = { max_states = 70000, tcp_established = 1000 },
  nat = {
    words.masquerade { "out", oif = "wan*", src = "10.0.0.0/8", persistent = true },
    words.dnat { "www", iif = "eth0", proto = "tcp", dport = { 80, 443 }, to = "10.0.0.10" },
    words.snat { "six", oif = "wan0", src = "fd00::/8", to = "2001:db8::1" },
    words.redirect { "proxy", iif = "lan0", proto = "tcp", dport = "http", to = 3128 },
  },
  rules = {
    allow { "lo", iif = "lo" },
    deny { "banned", src = set { name = "bans", dynamic = true }, log = "ban" },
    allow { "web", dir = "in", proto = { "tcp", "udp" }, dport = { 80, "8000-9000" }, src = "!10.0.0.0/8", state = true,
      limit = "10/minute", per_source = 5, comment = "for all" },
    allow { "ftp", dir = "forward", proto = "tcp", dport = "ftp", helper = "ftp", mss = "pmtu" },
    allow { "ping", icmp = { "echo-request" } },
    allow { "syn", dir = "out", proto = "tcp", flags = "S/SA", user = 0, mark = "1/0xff", length = "40-1500",
      dscp = "ef" },
    reject { "rest", dir = "in", dst = "me" },
  },
}

-- Requests that change what the next ones meet, too: both sides meet the same.
local requests = compile.messages(p)
local MORE = {
  { cmd = "info" }, { cmd = "limits_set", limits = { max_states = 70000, udp_new = 31 } }, { cmd = "limits_get" },
  { cmd = "set_add", set = { name = "bans", member = { { addr = "192.0.2.7" }, { addr = "10.0.0.0", length = 8 } } } },
  { cmd = "set_add", set = { name = "bans", member = { { addr = "2001:db8::", length = 32, timeout = 60000 } } } },
  { cmd = "set_delete", set = { name = "bans", member = { { addr = "192.0.2.7" } } } },
  { cmd = "set_add", set = { name = "nobodys", member = { { addr = "192.0.2.7" } } } },
  { cmd = "states_count", filter = { family = 4, proto = 6, dport = { from = 1, to = 80 },
    src = { addr = "10.0.0.0", length = 8 }, mark = 1, iif = 1 } },
  { cmd = "states_delete", filter = { addr = { addr = "192.0.2.1" }, midstream = 1 } },
  { cmd = "ruleset_abort" }, { cmd = "ruleset_commit", commit = { expect = 9 } }, { cmd = "ruleset_dry_run" },
  { cmd = "ruleset_commit", commit = { states = "keep", confirm = 600 } }, { cmd = "ruleset_rollback", commit = {} },
}
for _, message in ipairs(MORE) do
  requests[#requests + 1] = message
end
for i, message in ipairs(requests) do
  requests[i] = codec.encode { message }
end

-- The bytes with one of them changed, or some doubled, taken out or exchanged behind the headers. The length of the
-- message is set right, and mostly that of its first attribute.
local function mutate(bytes)
  local at = math.random(HEADER + 1, math.max(#bytes, HEADER + 1))
  local kind, before = math.random(9), #bytes
  if kind <= 6 then
    local old = bytes:byte(at) or 0
    local new = kind <= 3 and math.random(0, 255) or old ~ 1 << math.random(0, 7)
    bytes = bytes:sub(1, at - 1) .. string.char(new) .. bytes:sub(at + 1)
  else
    -- Attributes begin at multiples of four.
    local from = HEADER + (at - HEADER) // 4 * 4
    local length = 4 * math.random(1, 4)
    if kind == 7 then
      bytes = bytes:sub(1, from) .. bytes:sub(from + length + 1)
    elseif kind == 8 then
      bytes = bytes:sub(1, from + length) .. bytes:sub(from + 1)
    else
      bytes = bytes .. bytes:sub(from + 1)
    end
  end
  bytes = bytes .. ("\0"):rep(-#bytes % 4)
  if #bytes >= HEADER + 4 and #bytes ~= before and math.random(4) > 1 then
    local length = string.unpack("=I2", bytes, HEADER + 1) + #bytes - before
    bytes = bytes:sub(1, HEADER) .. string.pack("=I2", length & 0xffff) .. bytes:sub(HEADER + 3)
  end
  return string.pack("=I4", #bytes) .. bytes:sub(5)
end

-- Every now and then the command, or reserved bits in the header, instead.
local function mutate_header(bytes)
  local at = math.random(17, 20)
  return bytes:sub(1, at - 1) .. string.char(math.random(0, 32)) .. bytes:sub(at + 1)
end

local function answers(conn, bytes)
  local refusals = {}
  local ok, reply = conn:stream(bytes, function(err)
    refusals[#refusals + 1] = { err.name, err.message, err.attr or "" }
    return true
  end)
  -- What is left to confirm, in milliseconds: the one clock moves, the other stands still.
  local info = ok and reply and reply.info
  if info and info.confirm then
    info.confirm = math.ceil(info.confirm / 60000)
  end
  return json.encode { ok and "sent" or reply.name or "?", refusals, ok and reply or false }
end

local world = engine.new()
local real, simulated = assert(netlink.open()), assert(world:connection())
local different, asked, refused = {}, 0, 0

local function compare(bytes)
  local of_kernel, of_engine = answers(real, bytes), answers(simulated, bytes)
  asked = asked + 1
  refused = refused + (of_kernel:find('"E', 1, true) and 1 or 0)
  if of_kernel ~= of_engine then
    different[#different + 1] = ("kernel %s, engine %s, request %s"):format(of_kernel, of_engine,
      (bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end)):sub(1, 400))
  end
end

local ABORT = codec.encode { { cmd = "ruleset_abort" } }
-- So that no rule set is taken back: the one clock moves, the other stands still.
local CONFIRM = codec.encode { { cmd = "ruleset_confirm", commit = {} } }

for _, request in ipairs(requests) do
  compare(request)
end
for round = 1, tonumber(args.rounds or 100) do
  for _, request in ipairs(requests) do
    -- A transaction that nothing has broken yet, mostly.
    if math.random(8) > 1 then
      compare(ABORT)
      compare(requests[1])
    end
    local bytes = request
    for _ = 1, math.random(1, 2) do
      bytes = mutate(bytes)
    end
    compare(round % 10 == 0 and mutate_header(bytes) or bytes)
    compare(CONFIRM)
  end
end

local name = ("the engine answers %d requests as the kernel does, %d of them refused"):format(asked, refused)
if #different == 0 and refused > asked // 4 and refused < asked then
  print("ok " .. name)
else
  print(("not ok %s - %d differences"):format(name, #different))
  for i = 1, math.min(#different, SHOWN) do
    print("# " .. different[i])
  end
end
