-- SPDX-License-Identifier: GPL-2.0-or-later
-- What is to be said of the original's rule files: what could not be kept, and what is wrong in them. Every
-- message begins with "directory/file:line"; those of a file come in the order of its lines.
local text = require "ipfi.base.text"

local journal = {}

local Journal = {}
Journal.__index = Journal

--- Opens a journal.
-- @param dir the directory of the files, as the user gave it
-- @param files list of their names, in the order in which they are told of
function journal.new(dir, files)
  local order = {}
  for i, file in ipairs(files) do
    order[file] = i
  end
  return setmetatable({ dir = dir, order = order, mistakes = {}, losses = {} }, Journal)
end

--- The path of one of the files.
function Journal:path(file)
  return (self.dir:gsub("/*$", "") .. "/" .. file)
end

--- "directory/file:line", or without a line for the file as a whole.
-- @param place { file =, line = or nil }
function Journal:at(place)
  local path = text.escape(self:path(place.file))
  return place.line and ("%s:%d"):format(path, place.line) or path
end

--- Notes what could not be kept.
function Journal:warn(place, message)
  self.losses[#self.losses + 1] = { place = place, text = self:at(place) .. ": " .. message }
end

--- Notes a mistake: there will be no policy.
function Journal:fail(place, message)
  self.mistakes[#self.mistakes + 1] = { place = place, text = self:at(place) .. ": " .. message }
end

--- Sorts things that have a place; those of the same line stay in their order.
function Journal:sort(list)
  local number = {}
  for i, item in ipairs(list) do
    number[item] = i
  end
  table.sort(list, function(a, b)
    local one, other = self.order[a.place.file], self.order[b.place.file]
    if one == other then
      one, other = a.place.line or 0, b.place.line or 0
    end
    if one == other then
      one, other = number[a], number[b]
    end
    return one < other
  end)
end

local function texts(self, list)
  self:sort(list)
  local lines = {}
  for i, item in ipairs(list) do
    lines[i] = item.text
  end
  return lines
end

--- What could not be kept, a list of text.
function Journal:warnings()
  return texts(self, self.losses)
end

--- What is wrong, a list of text.
function Journal:errors()
  return texts(self, self.mistakes)
end

return journal
