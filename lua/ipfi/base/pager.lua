-- SPDX-License-Identifier: GPL-2.0-or-later
-- Output that is longer than the screen: on a terminal it goes through a pager, and what makes it stops when
-- nobody reads any more.
local pagers = require "ipfi.c.pager"
local settings = require "ipfi.base.settings"
local sys = require "ipfi.c.sys"
local text = require "ipfi.base.text"

local pager = {}

-- What is there without PAGER, the first that is.
local KNOWN = { "/usr/bin/less", "/bin/less", "/usr/bin/more", "/bin/more" }

--- The command that shows long output: PAGER of the environment, else less, else more.
-- @return command; nil when nothing is paged: PAGER is empty or "cat", or the terminal is a simple one
function pager.command()
  local wanted = os.getenv "PAGER"
  if os.getenv "TERM" == "dumb" or wanted == "" or wanted == "cat" then
    return nil
  elseif wanted then
    return wanted
  end
  for _, path in ipairs(KNOWN) do
    if sys.stat(path) then
      return path
    end
  end
  return nil
end

-- Lines that a text takes on a terminal so wide.
local function height(s, columns)
  local lines = 0
  for line in s:gmatch "([^\n]*)\n" do
    lines = lines + math.max(1, (text.width(line) + columns - 1) // columns)
  end
  return lines
end

local function plain(s)
  io.stdout:write(s)
  return true
end

-- Where the pieces go: kept until they are more than the screen takes, then to the pager. Closing it shows
-- what is kept, or waits until the user has left the pager, however the producing ended.
local Sink = {}
Sink.__index = Sink

function Sink:write(s)
  if self.pager then
    return self.pager:write(s)
  elseif self.refused then
    return plain(s)
  end
  self.kept[#self.kept + 1] = s
  self.lines = self.lines + height(s, self.columns)
  -- The last line of the screen is the prompt's.
  if self.lines < self.rows then
    return true
  end
  local all = table.concat(self.kept)
  self.kept = {}
  self.pager = pagers.start(self.command)
  if self.pager then
    return self.pager:write(all)
  end
  self.refused = true
  return plain(all)
end

function Sink:__close()
  if self.pager then
    self.pager:close()
  else
    plain(table.concat(self.kept))
  end
end

--- Writes to standard output what a function produces: through the pager when this is the prompt, on a
-- terminal, and it is longer than the screen.
-- @param produce function (write); write (text) -> boolean is to be called with pieces of whole lines until
--   it returns false: then nobody reads any more
function pager.page(produce)
  local command = settings.paged and sys.isatty(0) and sys.isatty(1) and pager.command()
  local columns, rows = sys.winsize()
  if command and columns and rows and rows > 1 then
    local sink <close> = setmetatable({
      command = command,
      columns = columns,
      rows = rows,
      kept = {},
      lines = 0,
    }, Sink)
    produce(function(s)
      return sink:write(s)
    end)
  else
    produce(plain)
  end
end

return pager
