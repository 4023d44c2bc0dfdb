-- SPDX-License-Identifier: GPL-2.0-or-later
-- What is typed at the prompt: compiled, remembered, and shown again by the errors it leads to. Its locals
-- live on: see locals.lua.
local constructors = require "ipfi.policy.constructors"
local errors = require "ipfi.base.errors"
local excerpt = require "ipfi.base.snippet"
local locals = require "ipfi.prompt.locals"
local strict = require "ipfi.policy.strict"
local sys = require "ipfi.c.sys"
local text = require "ipfi.base.text"

local inputs = {}

-- The name of every input in messages and in the place of rules.
local NAME = "stdin"

-- As in sandbox.run: no tail call, so that the words of the policy language see the line that calls them.
local EXPRESSION = "local _ <close> = nil return "

-- The globals of all inputs.
local environment = strict.environment(_G, locals.names)

-- Inputs whose text is remembered: functions typed long ago may still fail.
local KEPT = 500

-- Functions of one input share its _ENV, and no other's: by that variable's identity the text is found
-- again. An identity is sure as long as the input's chunk is kept.
local chunks, sources = {}, {}

local function identity(f)
  for i = 1, math.huge do
    local name = debug.getupvalue(f, i)
    if name == "_ENV" then
      return debug.upvalueid(f, i)
    elseif not name then
      return nil
    end
  end
end

local function remember(chunk, source)
  local id = identity(chunk)
  chunks[#chunks + 1] = { id = id, chunk = chunk }
  sources[id] = source
  if #chunks > KEPT then
    sources[table.remove(chunks, 1).id] = nil
  end
end

local function columns()
  return sys.winsize() or 80
end

-- How far a parser came: the place of the mistake as one number, infinite when only more lines are wanted.
local function reach(source, problem, before)
  if problem:find "near <eof>$" then
    return math.huge
  end
  local line, byte = excerpt.syntax(source, problem, before)
  return (line or 0) * 1e6 + (byte or 0)
end

-- A mistake of grammar with the line it is in.
local function refusal(source, problem, before)
  local line, byte = excerpt.syntax(source, problem, before)
  local shown = text.escape_lines(problem)
  if not line then
    return shown
  end
  local number = 0
  for content in (source .. "\n"):gmatch "([^\n]*)\n" do
    number = number + 1
    if number == line then
      return shown .. "\n" .. excerpt.show(content, byte, columns()):sub(1, -2)
    end
  end
  return shown
end

-- What Lua says of a text that is taken for a statement or, with before, an expression; nil when it is one.
local function objection(source, before)
  local chunk, problem = load((before or "") .. source, "=" .. NAME, "t")
  return not chunk and problem or nil
end

-- The chunk of a text that Lua can read.
local function chunk_of(source, before)
  local insertions, twice = constructors.prepare(source)
  if not insertions then
    return nil, ("%s:%d: %s"):format(NAME, twice[1].line, constructors.twice(twice[1].key))
  end
  return locals.load(source, before, insertions, "=" .. NAME, environment)
end

--- Compiles what was typed: an expression whose values are shown, else a statement. Of a text that is
-- neither, the mistake is that of the reading which came further.
-- @param source what was typed, maybe of several lines
-- @return chunk; or nil and what is wrong, for the user to read; or nil, nil when more lines are needed
function inputs.compile(source)
  local asked = source:find "^%s*="
  local expression = asked and source:gsub("=", " ", 1) or source
  local before = EXPRESSION
  local problem = objection(expression, EXPRESSION)
  if problem and not asked then
    local refused = objection(source)
    if not refused or reach(source, refused) >= reach(source, problem, EXPRESSION) then
      problem, before = refused, nil
    end
  end
  if not problem then
    local chunk
    chunk, problem = chunk_of(before and expression or source, before)
    if chunk then
      remember(chunk, source)
      return chunk
    end
  elseif problem:find "near <eof>$" and not problem:find "unfinished string" then
    return nil, nil
  end
  return nil, refusal(source, excerpt.explain(problem, source), before)
end

--- The text of the input that a function belongs to; nil for none.
function inputs.source_of(f)
  return sources[identity(f)]
end

-- Mistakes of rules, each with the line of the input that made the rule. Lines of several inputs have one
-- number: that is shown in which the place is found, else that of the latest.
local function annotate(message, texts)
  local out = {}
  for line in message:gmatch "[^\n]+" do
    out[#out + 1] = line
    local at, number, said = line:match("^(" .. NAME .. ":(%d+)): (.*)$")
    local candidates, shown = at and texts[at] or {}, nil
    for i = #candidates, 1, -1 do
      local lines, caret = excerpt.about(candidates[i], tonumber(number), said, columns())
      if caret or not shown then
        shown = lines
      end
      if caret then
        break
      end
    end
    if shown and shown ~= "" then
      out[#out + 1] = shown:sub(1, -2)
    end
  end
  return table.concat(out, "\n")
end

--- What an error at the prompt has to show, made while the calls that led to it still stand.
-- @param value what was raised
-- @return text for the user, safe for the terminal
function inputs.describe(value)
  local message = errors.describe(value)
  local shown = text.escape_lines(message)
  if message == "interrupted!" then
    return shown
  elseif errors.is(value) and value.source then
    return excerpt.annotate(shown, value.file, value.source, columns())
  elseif errors.is(value) and value.texts then
    return annotate(shown, value.texts)
  end
  local line, said = message:match("^" .. NAME .. ":(%d+): ([^\n]*)")
  line = tonumber(line)
  for level = 2, math.huge do
    local info = debug.getinfo(level, "Slf")
    if not info then
      return shown
    end
    local id = info.source == "=" .. NAME and identity(info.func)
    local source = id and sources[id]
    if source and (not line or line == info.currentline) then
      local lines, caret = excerpt.about(source, info.currentline, said or message:match "[^\n]*", columns())
      -- Of one line that was just typed there is no need to say that it is the one.
      if lines ~= "" and (line or caret or source:find("\n", 1, true)) then
        shown = shown .. "\n" .. lines:sub(1, -2)
      end
      return shown
    end
  end
end

return inputs
