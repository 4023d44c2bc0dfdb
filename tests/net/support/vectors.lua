#!/usr/sbin/ipfi
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- The TCP conversations of tests/vectors (see the README there) as packets for tool/wire, each case between
-- ports of its own:
--
--   ipfi vectors.lua mode=packets loose=0|1 family=4|6 FILE...
--   ipfi vectors.lua mode=check loose=0|1 family=4|6 verdicts=FILE FILE...
--
-- The first prints the packets of the cases with that tcp_loose. The second holds what wire has answered to them, and
-- the states that live now, against what the vectors want, and prints "ok ..." or "not ok ..." for each file. Of the
-- states only the last of each case is looked at.
local TCP_FLAGS_ALL = "^[FSRPAUEC]+$"
local PASSES = { open = true, pass = true, ignore = true, reopen = true, resync = true, refuse = false, drop = false }
local ends = args.family == "6" and { "fd00:9::1", "fd00:8::1" } or { "10.9.0.1", "10.8.0.1" }
local FIRST_PORT = 2000

local function hex(format, ...)
  return (string.pack(format, ...):gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

-- TCP options by their names in the vectors: function (value) -> hexadecimal digits.
local OPTIONS = {
  mss = function(value) return hex(">BBI2", 2, 4, tonumber(value)) end,
  wscale = function(value) return hex("BBB", 3, 3, tonumber(value)) end,
  sackok = function() return "0402" end,
  ts = function() return hex(">BBI4I4", 8, 10, 1, 1) end,
  nop = function() return "01" end,
  raw = function(value) return value end,
  sack = function(value)
    local blocks = {}
    for left, right in value:gmatch("(%d+)%-(%d+)") do
      blocks[#blocks + 1] = hex(">I4I4", tonumber(left), tonumber(right))
    end
    return hex("BB", 5, 2 + 8 * #blocks) .. table.concat(blocks)
  end,
}

-- One line of a conversation: { direction, packet (to be given its ports), passes, state, line }.
local function segment(line, place)
  local what, answer = line:match("^(.-)%s*%->%s*(.*)$")
  assert(what, place .. ": no answer")
  local words = {}
  for word in what:gmatch("%S+") do
    words[#words + 1] = word
  end
  local direction, flags, seq, ack, window = table.unpack(words)
  assert(direction == ">" or direction == "<", place .. ": no direction")
  assert(flags == "-" or flags:match(TCP_FLAGS_ALL), place .. ": flags")
  local options, length = "", "0"
  for i = 6, #words do
    local name, value = words[i]:match("^(%w+)=?(.*)$")
    if name == "len" then
      length = value
    else
      options = options .. assert(OPTIONS[name], place .. ": option " .. name)(value)
    end
  end
  local verdict, state = answer:match("^(%w+)%s*([%u_]*%??)")
  assert(PASSES[verdict] ~= nil, place .. ": answer")
  return {
    direction = direction,
    rest = ("%s seq=%s ack=%s win=%s len=%s%s"):format(flags, seq, ack == "-" and "0" or ack, window, length,
      options ~= "" and " options=" .. options or ""),
    passes = PASSES[verdict],
    state = verdict ~= "refuse" and state or nil,
    place = place,
  }
end

-- The cases of a file: { name =, loose =, segments... }.
local function read(path)
  local preludes, cases, current = {}, {}, nil
  local number = 0
  for line in io.lines(path) do
    number = number + 1
    line = line:gsub("#.*", ""):gsub("%s+$", "")
    local word, name = line:match("^(%l+)%s+(.+)$")
    if word == "prelude" then
      current = { name = name }
      preludes[name] = current
    elseif word == "case" then
      current = { name = name, loose = "1" }
      cases[#cases + 1] = current
    elseif word == "after" then
      table.move(assert(preludes[name], path .. ": no prelude " .. name), 1, #preludes[name], #current + 1, current)
    elseif word == "loose" then
      current.loose = name
    elseif line ~= "" then
      current[#current + 1] = segment(line, ("%s:%d"):format(path:match("[^/]*$"), number))
    end
  end
  return cases
end

-- Calls fn(path, case, port) for the cases of all files that the arguments ask for.
local function each(fn)
  local port = FIRST_PORT
  for _, path in ipairs(arg) do
    if not path:find("=", 1, true) then
      for _, case in ipairs(read(path)) do
        if case.loose == args.loose then
          port = port + 1
          fn(path, case, port)
        end
      end
    end
  end
end

local function print_packets()
  each(function(_, case, port)
    for _, s in ipairs(case) do
      local client, server = ("%s %d"):format(ends[1], port), ("%s 80"):format(ends[2])
      local from, to = client, server
      if s.direction == "<" then
        from, to = server, client
      end
      print(s.direction, "tcp", from, to, s.rest)
    end
  end)
end

local function check()
  local verdicts = {}
  for line in io.lines(args.verdicts) do
    verdicts[#verdicts + 1] = line:match("^%l+")
  end
  local lives = {}
  for row in fw.states { proto = "tcp" }:each() do
    lives[row.sport == 80 and row.dport or row.sport] = row.guessed and row.state .. "?" or row.state
  end
  local results, order, place = {}, {}, 0
  each(function(path, case, port)
    local result = results[path]
    if not result then
      result = { cases = 0, wrong = {} }
      results[path] = result
      order[#order + 1] = path
    end
    result.cases = result.cases + 1
    for _, s in ipairs(case) do
      place = place + 1
      local wanted = s.passes and "pass" or "drop"
      local got = verdicts[place] or "nothing"
      if got ~= wanted then
        result.wrong[#result.wrong + 1] = ("%s (%s): %s, not %s"):format(s.place, case.name, got, wanted)
      end
    end
    local last = case[#case]
    if lives[port] ~= last.state then
      result.wrong[#result.wrong + 1] = ("%s (%s): in the end %s, not %s")
        :format(last.place, case.name, lives[port] or "no state", last.state or "no state")
    end
  end)
  for _, path in ipairs(order) do
    local result = results[path]
    local name = ("%s, IPv%s, tcp_loose %s: %d cases")
      :format(path:match("[^/]*$"), args.family, args.loose, result.cases)
    if #result.wrong == 0 then
      print("ok " .. name)
    else
      print(("not ok %s - %s"):format(name, table.concat(result.wrong, "; ", 1, math.min(#result.wrong, 5))))
    end
  end
  assert(place == #verdicts, ("%d packets, %d answers"):format(place, #verdicts))
end

if args.mode == "packets" then
  print_packets()
else
  check()
end
