-- SPDX-License-Identifier: GPL-2.0-or-later
-- Table constructors as they were written. A field whose value is nil is not in the table, so the words of
-- the policy language cannot see that it was meant; the text can. It is changed, without moving a line, so
-- that each constructor tells which of its fields came out as nil; and a key that it has twice is found.
local excerpt = require "ipfi.base.snippet"
local lexer = require "ipfi.base.lexer"
local escape = require("ipfi.base.text").escape

local constructors = {}

--- The name by which a changed text calls what notes its tables; its environment must have it.
constructors.NAME = "__ipfi_constructor"

-- Fields that a table was written with and did not get: { table = list of fields }.
local missing = setmetatable({}, { __mode = "k" })

-- The fields of every constructor of a text that was changed, by its number there.
local written = {}

-- Keywords that begin a block, and those that end one.
local BEGINS = { ["function"] = true, ["do"] = true, ["if"] = true, ["repeat"] = true }
local ENDS = { ["end"] = true, ["until"] = true }
local CLOSES = { [")"] = "(", ["]"] = "[", ["}"] = "{" }

-- What a value ends with when a constructor behind it is the argument of a call.
local CALLED = { name = true, string = true, [")"] = true, ["]"] = true, ["}"] = true }

-- Words of the policy language, which always give something.
local WORDS = { allow = true, deny = true, reject = true, dnat = true, snat = true, redirect = true,
  masquerade = true, set = true, test = true }

-- Values that are never nil.
local LITERAL = { string = true, number = true, ["true"] = true, ["false"] = true, ["{}"] = true,
  ["function"] = true }

-- Adds a token, or something in brackets as one, to the field that is being read.
local function extend(frame, kind, first, last)
  local count = frame.count + 1
  frame.count = count
  if count == 1 then
    frame.first, frame.from, frame.path = kind, first, kind == "name"
  elseif frame.path then
    frame.path = kind == "." or kind == "name" or kind == "[]"
  end
  frame.before, frame.last, frame.to = frame.last, kind, last
end

local function begin_field(frame)
  frame.count, frame.key, frame.last, frame.only = 0, nil, nil, nil
end

-- The text of a string's token without its quotes.
local function content(text, first, last)
  return (text:sub(first, last):gsub("^%[(=*)%[(.*)%]%1%]$", "%2"):gsub("^(['\"])(.*)%1$", "%2"))
end

-- Ends a field: notes its key, and what must be there afterwards.
local function end_field(text, frame)
  if frame.count == 0 then
    return
  end
  local key, named = frame.key, frame.key ~= nil
  if not named then
    frame.positions = frame.positions + 1
    key = frame.positions
  end
  local first, last = frame.first, frame.last
  if key ~= false then
    if named then
      frame.keys = frame.keys or {}
      if frame.keys[key] then
        frame.twice[#frame.twice + 1] = { key = key, at = frame.from }
      end
      frame.keys[key] = frame.from
    end
    if not (frame.count == 1 and LITERAL[first]) and not (last == "nil" and frame.before == "or")
      and not (frame.count == 2 and last == "{}" and WORDS[text:match("^%a+", frame.from)]) then
      frame.fields[#frame.fields + 1] = {
        key = key, member = frame.path and frame.count > 1,
        shown = frame.path and text:sub(frame.from, frame.to) or nil,
        many = not named and (last == "()" or last == "..." or (frame.count > 1 and (last == "{}"
          or last == "string"))),
      }
    end
  end
  begin_field(frame)
end

-- Is a constructor's inside one level of literals, each key once? It stands here without its strings and
-- numbers.
local function is_plain(body)
  local keys = {}
  if body:find "[^%w_%s=,]" then
    return false
  end
  for field in body:gmatch "[^,]+" do
    local key, value = field:match "^%s*([%a_][%w_]*)%s*=%s*(%w+)%s*$"
    value = value or field:match "^%s*(%w+)%s*$"
    if field:find "%S" and (not (value == "0" or value == "true" or value == "false") or keys[key or 0]) then
      return false
    elseif key then
      keys[key] = true
    end
  end
  return true
end

-- Makes a function that steps over constructors of nothing but literals. Long files are made by programs, and
-- most of theirs are of this kind and of few shapes. It returns the place of the closing brace, nil for any
-- other constructor.
local function stepper(text)
  local shapes = {}
  return function(open)
    local close = text:find("}", open, true)
    if not close or close - open > 500 then
      return nil
    end
    local shape = text:sub(open + 1, close - 1):gsub('"[^"\\\n]*"', "0"):gsub("%f[%w_]%d%w*", "0")
    local plain = shapes[shape]
    if plain == nil then
      plain = is_plain(shape)
      shapes[shape] = plain
    end
    return plain and close or nil
  end
end

-- Reads a text. Returns a list of constructors { open =, close = bytes of its braces, called = true when it
-- is the argument of a call without parentheses, fields = those that might be nil }, and a list of keys that
-- stand twice { key =, at = byte }; nil when the text makes no sense.
local function read(text)
  local found, twice = {}, {}
  local frames, frame = {}, { kind = "" }
  local depth, before = 0, nil
  local next_token, go_on = lexer.new(text)
  local step_over = stepper(text)
  for kind, first, last in next_token do
    local plain = kind == "{" and step_over(first)
    if plain then
      go_on(plain + 1)
      -- What it is part of sees one value.
      kind, last = "{}", plain
    end
    local opened, closed = kind == "{" or kind == "(" or kind == "[" or BEGINS[kind], CLOSES[kind]
    if opened then
      depth = depth + 1
      frames[depth] = frame
      frame = { kind = kind, open = first, called = CALLED[before] }
      if kind == "{" then
        frame.fields, frame.positions, frame.count, frame.twice = {}, 0, 0, twice
      end
    elseif closed or ENDS[kind] then
      if closed and closed ~= frame.kind or not closed and not BEGINS[frame.kind] or depth == 0 then
        return nil
      end
      if kind == "}" then
        end_field(text, frame)
        for key, at in next, frame.keys or {} do
          if math.type(key) == "integer" and key >= 1 and key <= frame.positions then
            twice[#twice + 1] = { key = key, at = at }
          end
        end
        local fields = frame.fields
        -- The last value may stand for several, or for none.
        if #fields > 0 and fields[#fields].many and fields[#fields].key == frame.positions then
          fields[#fields] = nil
        end
        if #fields > 0 then
          found[#found + 1] = { open = frame.open, close = first, called = frame.called, fields = fields }
        end
      end
      local inner = frame
      frame, frames[depth] = frames[depth], nil
      depth = depth - 1
      if frame.kind == "{" then
        extend(frame, closed and closed .. kind or inner.kind, inner.open, last)
        frame.only = kind == "]" and inner.only or nil
      end
    elseif frame.kind == "{" then
      if kind == "," or kind == ";" then
        end_field(text, frame)
      elseif kind == "=" and frame.count == 1 and (frame.first == "name" or frame.first == "[]") then
        local key = frame.first == "name" and text:sub(frame.from, frame.to) or frame.only or false
        begin_field(frame)
        frame.key = key
      else
        extend(frame, kind, first, last)
      end
    elseif frame.kind == "[" then
      -- A key in brackets is known when it is one literal.
      local one = frame.only == nil and kind == "string" and content(text, first, last)
        or frame.only == nil and kind == "number" and math.tointeger(tonumber(text:sub(first, last)))
      frame.only = one or false
    end
    before = plain and "}" or kind
  end
  return depth == 0 and found or nil, twice
end

--- What constructors.NAME stands for: notes which fields of a constructor came out as nil.
-- @param number of the constructor
-- @param t the table that it made
-- @return the table
function constructors.note(number, t)
  local fields, absent = written[number], nil
  for i = 1, #fields do
    if t[fields[i].key] == nil then
      absent = absent or {}
      absent[#absent + 1] = fields[i]
    end
  end
  if absent then
    missing[t] = absent
  end
  return t
end

--- Puts texts into a text.
-- @param list of { at = byte before which it comes, text = }, those of one place in their order
function constructors.insert(text, list)
  for i, one in ipairs(list) do
    one.order = i
  end
  table.sort(list, function(a, b)
    return a.at < b.at or (a.at == b.at and a.order < b.order)
  end)
  local pieces, at = {}, 1
  for _, one in ipairs(list) do
    pieces[#pieces + 1] = text:sub(at, one.at - 1)
    pieces[#pieces + 1] = one.text
    at = one.at
  end
  pieces[#pieces + 1] = text:sub(at)
  return table.concat(pieces)
end

--- Prepares a text that Lua can read.
-- @param text the source
-- @return list of what is to be put into it, for constructors.insert(), empty when nothing can be nil;
--   or nil and a list of keys that stand twice in one constructor: { key =, line = }
function constructors.prepare(text)
  local found, twice = read(text)
  if #twice > 0 then
    for _, one in ipairs(twice) do
      one.line = lexer.line(text, one.at)
    end
    return nil, twice
  end
  local list = {}
  for _, one in ipairs(found or {}) do
    local number = #written + 1
    written[number] = one.fields
    list[#list + 1] = {
      at = one.open, text = ("%s%s(%d,"):format(one.called and "(" or "", constructors.NAME, number),
    }
    list[#list + 1] = { at = one.close + 1, text = one.called and "))" or ")" }
  end
  return list
end

--- What load() does, with a prepared text. What Lua would refuse is refused as it is.
-- @param text the source
-- @param name of the chunk
-- @param env table of its globals, in which constructors.NAME stands for constructors.note
-- @param before what stands before the text, on its first line; nil for nothing
-- @return the chunk; or nil and a message
function constructors.load(text, name, env, before)
  before = before or ""
  local chunk, problem = load(before .. text, name, "t", env)
  if not chunk then
    return nil, excerpt.explain(problem, text)
  end
  local list, twice = constructors.prepare(text)
  if not list then
    return nil, ("%s:%d: %s"):format(escape((name:gsub("^[@=]", ""))), twice[1].line,
      constructors.twice(twice[1].key))
  elseif #list == 0 or text:find("_ENV", 1, true) then
    return chunk
  end
  -- What Lua cannot hold in one more pair of brackets stays as it was.
  return load(before .. constructors.insert(text, list), name, "t", env) or chunk
end

--- What is said of a key that stands twice in one constructor.
function constructors.twice(key)
  return (math.type(key) == "integer" and "value %d stands twice between these braces"
    or "field '%s' stands twice between these braces"):format(key)
end

--- The fields that a table was written with and that are nil.
-- @param t a table
-- @return list of { key =, shown = the value's text when it is a variable or a field of one, member = true
--   for the latter }
function constructors.missing(t)
  local list = {}
  for _, field in ipairs(missing[t] or {}) do
    if rawget(t, field.key) == nil then
      list[#list + 1] = field
    end
  end
  return list
end

-- Is a place of a list behind all its values?
local function is_last(list, place)
  for key in next, list do
    if math.type(key) == "integer" and key > place then
      return false
    end
  end
  return true
end

--- The same for a table and those within it, as texts. Holes of lists within are seen by those who read them.
-- @param t a table
-- @param options { lists = true when its values are optional: only fields of tables must be there; into =
--   function (value) -> whether a table within is to be looked at, nil for all }
-- @return list of texts like "field 'src' is nil (lan)"
function constructors.problems(t, options)
  options = options or {}
  local out, seen = {}, {}
  -- Mostly nothing is missing anywhere.
  if next(missing) == nil then
    return out
  end
  local function look(one, before, depth)
    if seen[one] or depth > 8 then
      return
    end
    seen[one] = true
    for _, field in ipairs(constructors.missing(one)) do
      local hole = math.type(field.key) == "integer" and depth > 0 and not is_last(one, field.key)
      if options.lists and field.member or not (options.lists or hole) then
        local what = math.type(field.key) == "integer" and "value %d" or "field '%s'"
        out[#out + 1] = before .. what:format(field.key) .. " is nil"
          .. (field.shown and #field.shown <= 60 and (" (%s)"):format(field.shown) or "")
          .. "; if that is meant, write 'or nil' behind it"
      end
    end
    for key, value in next, one do
      if type(value) == "table" and (not options.into or options.into(value)) then
        look(value, type(key) == "string" and ("%sfield '%s': "):format(before, key) or before, depth + 1)
      end
    end
  end
  look(t, "", 0)
  table.sort(out)
  return out
end

return constructors
