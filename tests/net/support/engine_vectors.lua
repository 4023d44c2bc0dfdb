#!/usr/sbin/ipfi
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- Plays the conversations of tests/vectors to the built-in engine: with the players that the guests use
-- (vectors.lua, ftp_vectors.lua), over a wire that is a world of the engine in the place of tool/wire.
--
--   ipfi engine_vectors.lua DIRECTORY FILE...
--
-- DIRECTORY is that of the players. Prints "ok ..." or "not ok ..." for each file.
local engine = require "ipfi.c.engine"
local kernel = require "ipfi.base.kernel"
local packet = require "ipfi.packet.packet"

local FLAGS = "FSRPAUEC"
local DEVICES = { [">"] = { "lan0", "wan0" }, ["<"] = { "wan0", "lan0" } }

local function bytes(hex)
  return (hex:gsub("%x%x", function(digits) return string.char(tonumber(digits, 16)) end))
end

local function hex(data)
  return (data:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

-- The packet of one of wire's lines: direction, bytes, whether what comes out is to be told.
local function read(line)
  local direction, proto, src, sport, dst, dport, flags, rest =
    line:match "^([<>])%s+(%l+)%s+(%S+)%s+(%d+)%s+(%S+)%s+(%d+)%s+(%S+)(.*)$"
  assert(proto == "tcp", line)
  local words = {}
  for name, value in rest:gmatch "(%l+)=(%S+)" do
    words[name] = value
  end
  local data = assert(packet.build {
    proto = proto, src = src, dst = dst, sport = tonumber(sport), dport = tonumber(dport),
    flags = flags ~= "-" and flags or "",
    seq = tonumber(words.seq or 0), ack = tonumber(words.ack or 0), window = tonumber(words.win or 65535),
    options = words.options and bytes(words.options), payload = words.data and bytes(words.data)
      or ("\0"):rep(tonumber(words.len or 0)),
  })
  return direction, data, rest:find("tell", 1, true) ~= nil
end

-- A segment as wire tells it.
local function describe(data)
  local p = packet.parse(data)
  local header = p.family == 4 and 20 or 40
  local offset, bits = data:byte(header + 13) >> 4, data:byte(header + 14)
  local flags = FLAGS:gsub(".", function(letter)
    return bits & 1 << (FLAGS:find(letter) - 1) == 0 and "" or nil
  end)
  local options, payload = data:sub(header + 21, header + offset * 4), data:sub(header + offset * 4 + 1)
  return ("tcp %s %d %s %d %s seq=%d ack=%d win=%d%s%s"):format(p.src, p.sport, p.dst, p.dport, flags, p.seq,
    string.unpack(">I4", data, header + 9), p.window, options ~= "" and " options=" .. hex(options) or "",
    payload ~= "" and " data=" .. hex(payload) or "")
end

-- What wire would answer to a line.
local function wire(world, line)
  local direction, data, tell = read(line)
  local from, to = table.unpack(DEVICES[direction])
  local out = assert(world:pass { list = "forward", iif = from, oif = to, data = data })
  if out.verdict == "drop" then
    return "drop"
  end
  assert(out.list == "forward" and out.oif == to, line)
  return tell and "pass " .. describe(out.data) or "pass"
end

-- Runs a player with arguments of its own, and its output caught.
local function run(player, arguments, files, environment)
  local printed = {}
  local globals = setmetatable(environment or {}, { __index = _G })
  globals.args, globals.arg = arguments, files
  function globals.print(...)
    printed[#printed + 1] = table.concat({ ... }, " ")
  end
  assert(loadfile(player, "t", globals))()
  return printed
end

local function fresh()
  local world = engine.new()
  world:device("lan0", { addresses = { "10.9.255.254/16", "fd00:9::ffff/64" } })
  world:device("wan0", { addresses = { "10.8.255.254/16", "fd00:8::ffff/64" } })
  kernel.use(world)
  return world
end

-- A state that ends before it is looked at would be missed.
local LIMITS = { tcp_syn_sent = 3600, tcp_syn_recv = 3600, tcp_fin_wait = 3600, tcp_close_wait = 3600,
  tcp_last_ack = 3600, tcp_time_wait = 3600, tcp_closed = 3600, tcp_midstream = 3600 }

local function play_tcp(player, files)
  for _, loose in ipairs { "1", "0" } do
    for _, family in ipairs { "4", "6" } do
      local world = fresh()
      local words = _G
      fw.commit(words.policy { name = "vectors", limits = LIMITS,
        rules = { words.allow { "all", dir = "forward", proto = "tcp", state = true } } })
      fw.set_limits { tcp_loose = tonumber(loose) }
      local verdicts = run(player, { mode = "packets", loose = loose, family = family }, files)
      assert(#verdicts > 0, "no vectors")
      for i, line in ipairs(verdicts) do
        verdicts[i] = wire(world, line)
      end
      local results = run(player, { mode = "check", loose = loose, family = family, verdicts = "verdicts" }, files, {
        io = setmetatable({ lines = function(path)
          if path ~= "verdicts" then
            return io.lines(path)
          end
          local next_verdict = ipairs(verdicts)
          local place, verdict = 0, nil
          return function()
            place, verdict = next_verdict(verdicts, place)
            return verdict
          end
        end }, { __index = io }),
      })
      for _, result in ipairs(results) do
        print(result)
      end
      kernel.use(nil)
      world:close()
    end
  end
end

-- The player's policy, of its arguments.
local POLICY = [[
local client, server, foreign = args.client, args.server, args.foreign
local six = args.family == "6"
local nat = {}
if server then
  nat[#nat + 1] = dnat { "published", proto = "tcp", dst = server, dport = 21, to = six and "fd00:8::1" or "10.8.0.1" }
end
if client then
  nat[#nat + 1] = snat { "hidden", proto = "tcp", src = six and "fd00:9::1" or "10.9.0.1", dport = 21, to = client }
end
return policy { name = "ftp vectors", nat = nat, rules = {
  allow { "control", dir = "forward", proto = "tcp", dport = 21, helper = "ftp", ftp_foreign = foreign == "yes" } } }
]]

local function play_ftp(player, files)
  local world = fresh()
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(POLICY)
  file:close()
  local sent
  local results = run(player, { lines = "lines", answers = "answers", policy = path }, files, {
    io = setmetatable({
      open = function(name, mode)
        if name ~= "lines" then
          return io.open(name, mode)
        end
        return {
          write = function(_, ...)
            sent = table.concat { ... }
          end,
          close = function() end,
        }
      end,
      lines = function(name)
        if name ~= "answers" then
          return io.lines(name)
        end
        local next_line = sent:gmatch "[^\n]+"
        return function()
          local line = next_line()
          return line and wire(world, line)
        end
      end,
    }, { __index = io }),
  })
  os.remove(path)
  for _, result in ipairs(results) do
    print(result)
  end
  kernel.use(nil)
  world:close()
end

local players = arg[1]
local tcp, ftp = {}, {}
for i = 2, #arg do
  local list = arg[i]:find "%.ftp$" and ftp or tcp
  list[#list + 1] = arg[i]
end
if #tcp > 0 then
  play_tcp(players .. "/vectors.lua", tcp)
end
if #ftp > 0 then
  play_ftp(players .. "/ftp_vectors.lua", ftp)
end
