-- SPDX-License-Identifier: GPL-2.0-or-later
-- The locals of the prompt. Each input is a chunk of its own, but "local lan = set { ... }" in one is meant
-- for the next ones too: what an input makes local at its outermost level, the inputs after it see, until
-- another takes the name. They are Lua's own variables, shared as functions share them: what an input assigns
-- to one, functions of earlier inputs see, and a variable of the same name made later is another one.
local constructors = require "ipfi.policy.constructors"
local lexer = require "ipfi.base.lexer"

local locals = {}

-- The function that an input calls when it has made locals.
local KEEP = "__ipfi_keep"

-- Lua's own limit for the locals of a function is 200; the names of an input that are locals of earlier ones
-- are also its own.
local MOST = 150

-- The variables that live: { name = { f = function, i = number of its upvalue that is the variable,
-- const = true for those that cannot be assigned to } }.
local living = {}

local OPENS = { ["{"] = true, ["("] = true, ["["] = true, ["function"] = true, ["do"] = true, ["if"] = true,
  ["repeat"] = true }
local CLOSES = { ["}"] = true, [")"] = true, ["]"] = true, ["end"] = true, ["until"] = true }

-- Tokens behind which an expression goes on.
local GOES_ON = {}
for symbol in ("+ - * / // ^ % & ~ | >> << .. < <= > >= == ~= and or , not #"):gmatch "%S+" do
  GOES_ON[symbol] = true
end
-- Tokens that go on with a variable or a call.
local SUFFIX = { ["."] = true, [":"] = true, ["["] = true, ["("] = true, ["{"] = true, string = true }

-- The number of the token that closes what the one with a number opens.
local function closing(tokens, i)
  local depth = 0
  for j = i, #tokens do
    depth = depth + (OPENS[tokens[j].kind] and 1 or CLOSES[tokens[j].kind] and -1 or 0)
    if depth == 0 then
      return j
    end
  end
  return #tokens
end

-- The number of the last token of a list of expressions that begins at a token.
local function expressions_end(tokens, i)
  local last = i - 1
  -- Is an operand wanted, and could the one before be called or indexed?
  local wanted, open = true, false
  while tokens[i] do
    local kind = tokens[i].kind
    if GOES_ON[kind] and (wanted or (kind ~= "not" and kind ~= "#")) then
      wanted = true
    elseif wanted then
      wanted, open = false, kind == "name" or kind == "("
    elseif open and SUFFIX[kind] then
      wanted = kind == "." or kind == ":"
    else
      return last
    end
    last = OPENS[kind] and closing(tokens, i) or i
    i = last + 1
  end
  return last
end

-- Reads "local a, b <const> = ..." whose first word is the token with a number. Returns a list of { name =,
-- const = }, and the number of its last token.
local function declaration(text, tokens, i)
  local function word(j)
    return tokens[j] and text:sub(tokens[j].first, tokens[j].last)
  end
  if word(i + 1) == "function" then
    return { { name = word(i + 2) } }, closing(tokens, i + 1)
  end
  local list = {}
  repeat
    i = i + 1
    local one, attribute = { name = word(i) }, nil
    if word(i + 1) == "<" then
      attribute = word(i + 2)
      i = i + 3
    end
    one.const = attribute == "const" or nil
    -- What is to be closed at the end of an input cannot live on.
    if attribute ~= "close" and one.name ~= "_ENV" then
      list[#list + 1] = one
    end
    i = i + 1
  until word(i) ~= ","
  return list, word(i) == "=" and expressions_end(tokens, i + 1) or i - 1
end

-- The declarations at the outermost level of a text: { names = list of { name =, const = }, at = place }.
local function declarations(text, tokens)
  local list, depth = {}, 0
  local i = 1
  while tokens[i] do
    local kind = tokens[i].kind
    if kind == "local" and depth == 0 then
      local names
      names, i = declaration(text, tokens, i)
      if #names > 0 and tokens[i] then
        list[#list + 1] = { names = names, at = tokens[i].last + 1 }
      end
    elseif OPENS[kind] then
      depth = depth + 1
    elseif CLOSES[kind] then
      depth = depth - 1
    end
    i = i + 1
  end
  return list
end

-- Notes variables. f has them as upvalues and returns their values, in order; where a variable is a constant,
-- Lua puts its value in its place.
local function keep(names, f)
  local values = table.pack(f())
  for i, one in ipairs(names) do
    local value = values[i]
    living[one.name] = { f = function() return value end, i = 1, const = one.const }
  end
  for i = 1, math.huge do
    local name = debug.getupvalue(f, i)
    if not name then
      return
    elseif living[name] and living[name].f ~= f then
      living[name].f, living[name].i = f, i
    end
  end
end

-- The names of a text that are locals of earlier inputs, at most so many as Lua can hold.
local function used(text, tokens)
  local list, seen = {}, {}
  for _, token in ipairs(tokens) do
    local name = token.kind == "name" and text:sub(token.first, token.last)
    if name and living[name] and not seen[name] and #list < MOST then
      seen[name] = true
      list[#list + 1] = name
    end
  end
  return list
end

--- Makes a chunk of a text that Lua can read; it sees the locals of earlier ones and keeps its own.
-- @param text the source
-- @param before what stands before it, on its first line; nil for nothing
-- @param insertions what is to be put into the text; see constructors.insert()
-- @param name of the chunk
-- @param env its globals
-- @return the chunk, or nil and why Lua refuses it
function locals.load(text, before, insertions, name, env)
  local tokens = lexer.all(text)
  local head = { KEEP }
  for i, one in ipairs(used(text, tokens)) do
    head[i + 1] = one .. (living[one].const and " <const>" or "")
  end
  local made = declarations(text, tokens)
  for i, one in ipairs(made) do
    local list = {}
    for j, variable in ipairs(one.names) do
      list[j] = variable.name
    end
    insertions[#insertions + 1] = {
      at = one.at, text = (";%s(%d, function() return %s end);"):format(KEEP, i, table.concat(list, ", ")),
    }
  end
  -- The globals are an upvalue of every input, by which its functions are found again: see inputs.lua.
  local outer, problem = load(("local %s = ... return function(...) do local _ = _ENV end %s%s\nend")
    :format(table.concat(head, ", "), before or "", constructors.insert(text, insertions)), name, "t", env)
  if not outer then
    -- Constants of earlier inputs are refused for good; what else Lua cannot hold goes without the locals.
    if problem:find "const variable" then
      return nil, problem
    end
    return load((before or "") .. text, name, "t", env)
  end
  local chunk = outer(function(number, f)
    keep(made[number].names, f)
  end)
  for i = 1, math.huge do
    local upvalue = debug.getupvalue(chunk, i)
    if not upvalue then
      return chunk
    elseif living[upvalue] then
      debug.upvaluejoin(chunk, i, living[upvalue].f, living[upvalue].i)
    end
  end
end

--- The names of the locals that live.
function locals.names()
  local list = {}
  for name in pairs(living) do
    list[#list + 1] = name
  end
  table.sort(list)
  return list
end

--- Is there a local of this name?
function locals.has(name)
  return living[name] ~= nil
end

--- A table of globals with the locals in front of them, as it is now.
function locals.over(globals)
  local all = {}
  for name, value in next, globals do
    all[name] = value
  end
  for name, one in pairs(living) do
    all[name] = select(2, debug.getupvalue(one.f, one.i))
  end
  return all
end

--- Forgets all locals.
function locals.reset()
  living = {}
end

return locals
