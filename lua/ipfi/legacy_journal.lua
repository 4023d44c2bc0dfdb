-- SPDX-License-Identifier: GPL-2.0-or-later
-- What is to be said of the original's rule files: what could not be kept, and what is wrong in them. Every
-- message begins with "directory/file:line".
local text = require "ipfi.text"

local journal = {}

local Journal = {}
Journal.__index = Journal

--- Opens a journal.
-- @param dir the directory of the files, as the user gave it
-- @return journal with the lists errors and warnings
function journal.new(dir)
  return setmetatable({ dir = dir, errors = {}, warnings = {} }, Journal)
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
  self.warnings[#self.warnings + 1] = self:at(place) .. ": " .. message
end

--- Notes a mistake: there will be no policy.
function Journal:fail(place, message)
  self.errors[#self.errors + 1] = self:at(place) .. ": " .. message
end

return journal
