-- SPDX-License-Identifier: GPL-2.0-or-later
-- The globals as scripts and the prompt see them: to read a name that has no value is an error, because a
-- field whose value is nil is not there, and a rule without src is one for everybody. _G itself is as ever,
-- for Lua libraries that look for what may not be there: rawget(_G, "name") and _G.name ask without an error.
local constructors = require "ipfi.policy.constructors"
local suggest = require "ipfi.base.suggest"
local text = require "ipfi.base.text"

local strict = {}

-- The names that are near, of the globals and others.
local function hint(name, globals, others)
  local known = suggest.keys(globals)
  table.move(others, 1, #others, #known + 1, known)
  -- To one letter any other is as near.
  return type(name) == "string" and #name > 1 and suggest.hint(name, known) or ""
end

-- The text that load() was given, which may come in pieces; nil for what it would refuse.
local function whole(chunk)
  if type(chunk) ~= "function" then
    return chunk
  end
  local pieces = {}
  while true do
    local piece = chunk()
    if piece == nil or piece == "" then
      return table.concat(pieces)
    elseif type(piece) ~= "string" then
      return nil
    end
    pieces[#pieces + 1] = piece
  end
end

-- Lua's functions that compile, for chunks that see the same globals as the chunk that calls them.
local function compilers(env)
  local function compile(source, name, mode)
    if type(source) ~= "string" or source:sub(1, 1) == "\27" or not tostring(mode):find "t" then
      return load(source, name, mode, env)
    end
    return constructors.load(source, name, env)
  end

  local function from_file(path, mode)
    if path == nil then
      return loadfile(nil, mode, env)
    end
    local file, problem = io.open(path, "rb")
    if not file then
      return nil, ("cannot open %s"):format(problem)
    end
    local source = file:read "a"
    file:close()
    if not source then
      return nil, ("cannot read %s"):format(path)
    end
    return compile(source:gsub("^\xef\xbb\xbf", ""):gsub("^#[^\n]*", ""), "@" .. path, mode)
  end

  rawset(env, "load", function(chunk, name, mode, ...)
    if select("#", ...) > 0 then
      return load(chunk, name, mode, ...)
    end
    local source = whole(chunk)
    return compile(source, name or (type(chunk) == "string" and chunk) or "=(load)", mode or "bt")
  end)
  rawset(env, "loadfile", function(path, mode, ...)
    if select("#", ...) > 0 then
      return loadfile(path, mode, ...)
    end
    return from_file(path, mode or "bt")
  end)
  rawset(env, "dofile", function(path)
    local chunk, problem = from_file(path, "bt")
    if not chunk then
      error(problem, 0)
    end
    return chunk()
  end)
  return compile
end

--- Makes an environment for chunks.
-- @param globals the table of globals: read, and written to
-- @param others function () -> list of further names that may have been meant, or nil
-- @return the environment; function (source, name, mode) -> chunk, or nil and a message: what load() does,
--   for chunks in this environment
function strict.environment(globals, others)
  local env = setmetatable({}, {
    __index = function(_, name)
      local value = globals[name]
      if value == nil then
        error(("unknown name %s%s"):format(text.quote(name),
          hint(name, globals, others and others() or {})), 2)
      end
      return value
    end,
    __newindex = globals,
    __pairs = function()
      return pairs(globals)
    end,
  })
  rawset(env, constructors.NAME, constructors.note)
  return env, compilers(env)
end

return strict
