#!/usr/sbin/ipfi
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- Plays the FTP conversations of tests/vectors (see the README there) across this machine with tool/wire:
--
--   ipfi ftp_vectors.lua lines=FIFO answers=FIFO policy=FILE FILE...
--
-- This process may administer the network and nothing else, so wire does not run under it: somebody else lets it read
-- the one FIFO and write the other, again and again.
-- Each case is a control connection of its own, under the policy that FILE makes of the arguments family, client,
-- server and foreign, and is held against what the vectors want: each segment that leaves, what is expected then,
-- what was counted. Prints "ok ..." or "not ok ..." for each file.
local WORD = 1 << 32
local ISN = { [">"] = 0xffffffc0, ["<"] = 7000 } -- of the first byte of data
local OTHER = { [">"] = "<", ["<"] = ">" }
local OWN = {
  ["4"] = { [">"] = "10.9.0.1", ["<"] = "10.8.0.1" },
  ["6"] = { [">"] = "fd00:9::1", ["<"] = "fd00:8::1" },
}
local PORT = { [">"] = 40000, ["<"] = 21 }
local SACK_PERMITTED = "04020101"

local function hex(format, ...)
  return (string.pack(format, ...):gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

-- A text in quotes at @at: its bytes in hexadecimal digits, and the place behind it.
local function quoted(line, at, place)
  assert(line:sub(at, at) == '"', place .. ": no text")
  local bytes = {}
  at = at + 1
  while line:sub(at, at) ~= '"' do
    local c = line:sub(at, at)
    assert(c ~= "", place .. ": no end of the text")
    local escape = c == "\\" and line:sub(at + 1, at + 1)
    if escape == "x" then
      bytes[#bytes + 1] = line:sub(at + 2, at + 3):lower()
      at = at + 4
    elseif escape then
      bytes[#bytes + 1] = ("%02x"):format(escape == "r" and 13 or escape == "n" and 10 or escape:byte())
      at = at + 2
    else
      bytes[#bytes + 1] = ("%02x"):format(c:byte())
      at = at + 1
    end
  end
  return table.concat(bytes), at + 1
end

-- SEQ ACK "TEXT" [fin] [sack=L-R] at the beginning of @line: a table, and the rest of the line.
local function payload(line, place)
  local seq, ack, at = line:match("^(%-?%d+)%s+(%-?%d+)%s+()")
  assert(seq, place .. ": no numbers")
  local data, behind = quoted(line, at, place)
  local rest = line:sub(behind)
  local options = rest:match("^(.-)%s*%->") or rest:match("^(.-)%s*;") or rest
  local left, right = options:match("sack=(%d+)%-(%d+)")
  return { seq = math.tointeger(seq), ack = math.tointeger(ack), data = data,
    fin = options:find("fin", 1, true) ~= nil, left = math.tointeger(left), right = math.tointeger(right) },
    rest:sub(#options + 1)
end

-- One line of a conversation: { from, sent, owed (a payload, or false for a drop), events, place }.
local function segment(line, place)
  local from, rest = line:match("^([<>])%s+(.*)$")
  local sent, answer = payload(rest, place)
  answer = answer:match("^%s*%->%s*(.*)$")
  assert(answer, place .. ": no answer")
  local owed, events
  if answer:find("^same") then
    owed, events = sent, answer:sub(5)
  elseif answer:find("^drop") then
    owed, events = false, answer:sub(5)
  else
    owed, events = payload(answer, place)
  end
  local s = { from = from, sent = sent, owed = owed, events = {}, place = place }
  for event in events:gmatch(";%s*([^;]*)") do
    s.events[#s.events + 1] = event
  end
  return s
end

-- The cases of a file: { name =, family =, client =, server =, foreign =, segments... }.
local function read(path)
  local preludes, cases, current = {}, {}, nil
  local number = 0
  for line in io.lines(path) do
    number = number + 1
    local place = ("%s:%d"):format(path:match("[^/]*$"), number)
    local word, rest = line:match("^(%l+)%s*(.-)%s*$")
    if word == "prelude" then
      current = {}
      preludes[rest] = current
    elseif word == "case" then
      current = { name = rest, family = "4" }
      cases[#cases + 1] = current
    elseif word == "after" then
      table.move(assert(preludes[rest], place .. ": no prelude " .. rest), 1, #preludes[rest], #current + 1, current)
    elseif word == "foreign" then
      current.foreign = "yes"
    elseif word then
      assert(word == "family" or word == "client" or word == "server", place .. ": " .. word)
      current[word] = rest
    elseif line:find("^[<>]") then
      current[#current + 1] = segment(line, place)
    end
  end
  return cases
end

-- The ends as the side that sends in @direction knows them: its own address, and the other's.
local function ends(case, direction)
  local outer = { [">"] = case.client, ["<"] = case.server }
  local own, other = OWN[case.family], OTHER[direction]
  return own[direction], outer[other] or own[other]
end

local function absolute(direction, position)
  return (ISN[direction] + position) % WORD
end

-- A segment as wire's words, without direction: of the side that sends it, or as it arrives.
local function words(case, direction, flags, p, arrives)
  local src, dst = ends(case, direction)
  if arrives then
    dst, src = ends(case, OTHER[direction])
  end
  local sack = p.left and p.left ~= p.right and " options=0101050a"
    .. hex(">I4I4", absolute(OTHER[direction], p.left), absolute(OTHER[direction], p.right)) or ""
  return ("tcp %s %d %s %d %s seq=%d ack=%d win=65535%s%s"):format(src, PORT[direction], dst, PORT[OTHER[direction]],
    flags .. (p.fin and "F" or "") .. "A", absolute(direction, p.seq), absolute(OTHER[direction], p.ack), sack,
    p.data ~= "" and " data=" .. p.data or "")
end

-- wire prints flags in the order of their bits.
local function expected(case, s)
  if not s.owed then
    return "drop"
  end
  return "pass " .. words(case, s.from, "", s.owed, true)
end

-- Have both sides said their last, and the second of them been answered? Then nothing is expected any more.
local function closed(case)
  local fins = 0
  for _, s in ipairs(case) do
    fins = fins + (s.sent.fin and 1 or 0)
  end
  return fins == 2 and not case[#case].sent.fin
end

local function handshake(case)
  local client, server = ends(case, ">")
  local own, client_outer = ends(case, "<")
  return {
    ("> tcp %s %d %s %d S seq=%d options=%s"):format(client, PORT[">"], server, PORT["<"], ISN[">"] - 1,
      SACK_PERMITTED),
    ("< tcp %s %d %s %d SA seq=%d ack=%d options=%s tell"):format(own, PORT["<"], client_outer, PORT[">"],
      ISN["<"] - 1, ISN[">"], SACK_PERMITTED),
    ("> tcp %s %d %s %d A seq=%d ack=%d tell"):format(client, PORT[">"], server, PORT["<"], ISN[">"], ISN["<"]),
  }
end

-- Sends lines with wire; returns its answers.
local function wire(lines)
  local out = assert(io.open(args.lines, "w"))
  out:write(table.concat(lines, "\n"), "\n")
  out:close()
  local answers = {}
  for line in io.lines(args.answers) do
    answers[#answers + 1] = line
  end
  return answers
end

local function counters()
  local all = {}
  local stats = fw.stats()
  for _, part in ipairs { stats.passes, stats.drops } do
    for reason, packets in pairs(part) do
      all[reason] = packets
    end
  end
  return all
end

local function sorted(list)
  table.sort(list)
  return table.concat(list, "; ")
end

-- What of the case is not as it should be: a list of messages.
local function play(case)
  local wrong = {}
  fw.commit(fw.load(args.policy, { family = case.family, client = case.client, server = case.server,
    foreign = case.foreign }), { states = "flush" })
  local lines = handshake(case)
  local first = #lines
  for _, s in ipairs(case) do
    lines[#lines + 1] = s.from .. " " .. words(case, s.from, "", s.sent) .. " tell"
  end
  local before = counters()
  local answers = wire(lines)
  for i = 2, first do
    if not (answers[i] or ""):find("^pass") then
      wrong[#wrong + 1] = ("%s: the handshake's packet %d: %s"):format(case.name, i, answers[i] or "nothing")
    end
  end
  local refused, wanted = {}, {}
  for i, s in ipairs(case) do
    local owed, came = expected(case, s), answers[first + i] or "nothing"
    if owed ~= came then
      wrong[#wrong + 1] = ("%s (%s): '%s', not '%s'"):format(s.place, case.name, came, owed)
    end
    local last -- of several in a segment the last is what it is counted by
    for _, event in ipairs(s.events) do
      local target = event:match("^expect (.*)$")
      if target then
        wanted[#wanted + 1] = target
      else
        last = event
      end
    end
    if last then
      refused[last] = (refused[last] or 0) + 1
    end
    if not s.owed then
      refused["ftp-order"] = (refused["ftp-order"] or 0) + 1
    end
  end
  if closed(case) then
    wanted = {}
  end
  local found = {}
  for _, row in ipairs(fw.expectations()) do
    found[#found + 1] = ("%s %d"):format(row.dst, row.dport)
  end
  if sorted(found) ~= sorted(wanted) then
    wrong[#wrong + 1] = ("%s: expected are '%s', not '%s'"):format(case.name, sorted(found), sorted(wanted))
  end
  local after = counters()
  for reason, packets in pairs(after) do
    local more = packets - (before[reason] or 0)
    if reason:find("^ftp%-") and more ~= (refused[reason] or 0) then
      wrong[#wrong + 1] = ("%s: %d times %s, not %d"):format(case.name, more, reason, refused[reason] or 0)
    end
  end
  for reason in pairs(refused) do
    if not after[reason] then
      wrong[#wrong + 1] = ("%s: no %s"):format(case.name, reason)
    end
  end
  return wrong
end

for _, path in ipairs(arg) do
  if not path:find("=", 1, true) then
    local cases, wrong = read(path), {}
    for _, case in ipairs(cases) do
      table.move(play(case), 1, 5, #wrong + 1, wrong)
    end
    local name = ("%s: %d cases"):format(path:match("[^/]*$"), #cases)
    if #cases > 0 and #wrong == 0 then
      print("ok " .. name)
    else
      print(("not ok %s - %s"):format(name, table.concat(wrong, "; ")))
    end
  end
end
