-- SPDX-License-Identifier: GPL-2.0-or-later
-- What is typed at the prompt: compiled, remembered, and shown again by the errors it leads to.
local errors = require "ipfi.errors"
local excerpt = require "ipfi.excerpt"
local sys = require "ipfi.c.sys"
local text = require "ipfi.text"

local inputs = {}

-- The name of every input in messages and in the place of rules.
local NAME = "stdin"

-- As in sandbox.run: no tail call, so that the words of the policy language see the line that calls them.
local EXPRESSION = "local _ <close> = nil return "

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

--- Compiles what was typed: an expression whose values are shown, else a statement. Of a text that is
-- neither, the mistake is that of the reading which came further.
-- @param source what was typed, maybe of several lines
-- @return chunk; or nil and what is wrong, for the user to read; or nil, nil when more lines are needed
function inputs.compile(source)
  local asked = source:find "^%s*="
  local expression = asked and source:gsub("=", " ", 1) or source
  local chunk, problem = load(EXPRESSION .. expression, "=" .. NAME, "t")
  if not chunk and not asked then
    local statement, refused = load(source, "=" .. NAME, "t")
    chunk = statement
    if not statement and reach(source, refused) >= reach(source, problem, EXPRESSION) then
      problem = refused
      expression = nil
    end
  end
  if chunk then
    remember(chunk, source)
    return chunk
  elseif problem:find "near <eof>$" and not problem:find "unfinished string" then
    return nil, nil
  end
  return nil, refusal(source, problem, expression and EXPRESSION)
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
