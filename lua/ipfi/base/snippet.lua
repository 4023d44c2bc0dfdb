-- SPDX-License-Identifier: GPL-2.0-or-later
-- The line of a program that an error is about, with a caret under the place. Lua tells the line of an
-- error, and of a mistake in the grammar the word; where in the line that stands is found out here. Without
-- certainty there is no caret.
local lexer = require "ipfi.base.lexer"
local text = require "ipfi.base.text"

local excerpt = {}

local INDENT = "    "

-- The Nth line of a text, without its newline.
local function line_of(source, number)
  local at = 1
  for _ = 2, number do
    local stop = source:find("\n", at, true)
    if not stop then
      return nil
    end
    at = stop + 1
  end
  return (source:match("[^\n]*", at)), at
end

-- Is what stands in the line from first to last a word of its own?
local function is_whole(line, first, last)
  return not (line:find("^[%w_]", first) and line:find("^[%w_]", first - 1) and first > 1)
    and not (line:find("^[%w_]", last) and line:find("^[%w_]", last + 1))
end

-- The only place of a word in a line, behind what stands before it there ("." of a field); nil when there are
-- several or none.
local function only_place(line, word, before)
  local place, at = nil, 1
  while true do
    local first, last = line:find(word, at, true)
    if not first then
      return place
    end
    if is_whole(line, first, last) and (not before or line:sub(1, first - 1):find(before .. "%s*$")) then
      if place then
        return nil
      end
      place = first
    end
    at = first + 1
  end
end

-- What Lua calls the value it complains about, and what stands before its name.
local NAMED = {
  { "%(field '([^']+)'%)", "[%.%[{,;\"']" },
  { "%(method '([^']+)'%)", ":" },
  { "%(global '([^']+)'%)" },
  { "%(local '([^']+)'%)" },
  { "%(upvalue '([^']+)'%)" },
  { "bad argument #%d+ to '([^']+)'" },
}

-- The place in a line that the message of an error speaks of.
local function place_of(line, message)
  for _, named in ipairs(NAMED) do
    local word = message:match(named[1])
    if word then
      return only_place(line, word, named[2])
    end
  end
  -- Messages of the policy language and of fw begin with the name of the rule or function.
  local rest = message:gsub("^rule '.-': ", "")
  for word in rest:gmatch "'([^']+)'" do
    local place = only_place(line, word)
    if place then
      return place
    end
  end
  -- fw.set_limits: udp_new: expected ...
  local name = rest:match "^[%w_%.]+: ([%a_][%w_]*):" or rest:match "^([%a_][%w_]*):"
  return name and only_place(line, name, "[^%.%w]") or nil
end

-- Messages about what stands between braces, which name the line where these begin.
local ABOUT_BRACES = { "^rule '", "^group '", "^test '", "^policy: ", "^set: ", "^fw%.[%a_.]+: " }

local function is_about_braces(message)
  for _, pattern in ipairs(ABOUT_BRACES) do
    if message:find(pattern) then
      return true
    end
  end
  return false
end

-- The line of braces that begin in a line, and the place in it, when the message speaks of something
-- that only one of them has.
-- @param start byte of the first line, line its text, which is what there is to show otherwise
local function within(source, start, message, line)
  local braces, first, last = 0, nil, nil
  for kind, from in lexer.new(source:sub(start)) do
    if kind == "{" then
      braces, first = braces + 1, first or from
      if from > #line and first == from then
        return line, nil
      end
    elseif kind == "}" then
      braces, last = braces - 1, from
      if braces <= 0 then
        break
      end
    end
  end
  local found, place
  for other in (first and last and source:sub(start + #line + 1, start + last - 1) or ""):gmatch "[^\n]+" do
    local at = place_of(other, message)
    if at and found then
      return line, nil
    elseif at then
      found, place = other, at
    end
  end
  return found or line, place
end

-- A line that is wider than the screen is cut around the place.
local function cut(line, place, columns)
  local width = text.width(line)
  if width <= columns or not utf8.len(line) then
    return text.cut(line, columns), place
  end
  local first = math.max(1, math.min((place or 1) - columns // 2, width - columns + 1))
  if first == 1 then
    return text.cut(line, columns), place
  end
  local shown = text.cut("…" .. line:sub(utf8.offset(line, first + 1)), columns)
  return shown, place and place - first + 1
end

--- A line, and a caret under a place of it.
-- @param line without newline
-- @param place byte of the line, from 1 to one behind its end, or nil for no caret
-- @param columns of the screen, 80 when absent
-- @return text of one or two lines
function excerpt.show(line, place, columns)
  local before = place and text.width((text.escape(line:sub(1, place - 1):gsub("\t", " ")))) + 1
  local shown, at = cut(text.escape((line:gsub("\t", " "))), before, (columns or 80) - #INDENT)
  return INDENT .. shown .. "\n" .. (at and INDENT .. (" "):rep(at - 1) .. "^\n" or "")
end

-- What is added to a mistake of grammar.
local IN_HINT = "; 'in' is a word of Lua: write [\"in\"] = ..., or input = ..."

--- Adds to a mistake of grammar what it comes from: a list of rules is called like a word of Lua.
-- @param problem what load() said
-- @param source the text that it refused
-- @return the message
function excerpt.explain(problem, source)
  local number = problem:match ":(%d+): .* near 'in'$"
  local line = number and line_of(source, tonumber(number))
  if line and line:find "%f[%w_]in%s*=%s*[^=%s]" then
    return problem .. IN_HINT
  end
  return problem
end

--- Where in a source a mistake of grammar is.
-- @param source the text that load() refused
-- @param problem what it said
-- @param before what load() was given before the source, "" when absent
-- @return line, byte in the line; both nil when it cannot be told
function excerpt.syntax(source, problem, before)
  if problem:sub(-#IN_HINT) == IN_HINT then
    problem = problem:sub(1, -#IN_HINT - 1)
  end
  local number, near = problem:match ":(%d+): .* near (.*)$"
  number = tonumber(number)
  if not number then
    return tonumber(problem:match ":(%d+): "), nil
  end
  local line, start = line_of(source, number)
  if not line then
    return nil
  elseif near == "<eof>" then
    return number, #line + 1
  end
  local word = near:match "^'(.*)'$" or near
  -- A parser stops at the first word that cannot stand where it stands. So what goes up to there fails, and
  -- what goes up to an earlier word of the kind does not, or only for being unfinished.
  local at = 1
  while true do
    local first, last = line:find(word, at, true)
    if not first then
      return number, nil
    end
    local _, refused = load((before or "") .. source:sub(1, start + last - 1), "=x", "t")
    if refused and not refused:find "near <eof>$" then
      return number, first
    end
    at = first + 1
  end
end

--- The line of a source that the message of an error is about, with a caret where the place is known.
-- @param source of several lines
-- @param number of the line
-- @param message of the error, without "file:line: "
-- @param columns of the screen
-- @return text of one or two lines that ends in a newline, "" when there is no such line; whether it has a
--   caret
function excerpt.about(source, number, message, columns)
  local line, start = line_of(source, number)
  if not line or not line:find "%S" then
    return "", false
  end
  local place
  if message:find " near " then
    place = select(2, excerpt.syntax(source, (":%d: %s"):format(number, message)))
  else
    place = place_of(line, message)
    if not place and is_about_braces(message) then
      line, place = within(source, start, message, line)
    end
  end
  return excerpt.show(line, place, columns), place ~= nil
end

--- A message of several lines, each "file:line: ..." of a file followed by that line of it.
-- @param message text, safe for the terminal
-- @param file its name in the message
-- @param source its text
-- @param columns of the screen
-- @return text without a newline at its end
function excerpt.annotate(message, file, source, columns)
  local out = {}
  for line in message:gmatch "[^\n]+" do
    out[#out + 1] = line
    if line:sub(1, #file + 1) == file .. ":" then
      local number, said = line:match("^(%d+): (.*)$", #file + 2)
      local shown = number and excerpt.about(source, tonumber(number), said, columns) or ""
      if shown ~= "" then
        out[#out + 1] = shown:sub(1, -2)
      end
    end
  end
  return table.concat(out, "\n")
end

return excerpt
