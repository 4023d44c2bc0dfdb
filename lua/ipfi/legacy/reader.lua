-- SPDX-License-Identifier: GPL-2.0-or-later
-- The original's files, line by line: records of "KEY=value" or bare "KEY", opened by RULE (BSRULE in
-- blacksites), and END at the end of the file or of each record.
local text = require "ipfi.base.text"

local reader = {}

--- A record's entries: { key =, value = text or nil for a bare key, file =, line = }.
local Record = {}
Record.__index = Record

--- Takes an entry out of the record.
-- @return the entry, or nil when the record has none of that key
function Record:take(key)
  local entry = self.entries[key]
  self.entries[key] = nil
  return entry
end

--- The entries that nobody took, in the order of their lines.
function Record:rest()
  local list = {}
  for _, entry in pairs(self.entries) do
    list[#list + 1] = entry
  end
  table.sort(list, function(a, b)
    return a.line < b.line
  end)
  return list
end

local function new_record(file, line)
  return setmetatable({ file = file, line = line, entries = {}, written = {} }, Record)
end

-- Whether which of two values was meant is not known; and where RULE is missing between two rules, they must
-- not become one.
local function add(record, entry, journal)
  local first = record.entries[entry.key]
  if first and first.value ~= entry.value then
    journal:fail(entry, ("%s stands here a second time; the first is in line %d (is a RULE missing between?)")
      :format(entry.key, first.line))
  elseif not first then
    record.entries[entry.key] = entry
  end
end

-- An entry of a line; nil when it is none. A "#" behind a value starts a comment, but not in a name.
local function parse(line)
  local key, value = line:match("^([%a_][%w_]*)%s*=%s*(.-)$")
  key = (key or line:match("^([%a_][%w_]*)%s*$") or line:match("^([%a_][%w_]*)%s+#") or ""):upper()
  if key == "" then
    return nil
  elseif value and key ~= "NAME" then
    value = value:gsub("%s+#.*$", ""):gsub("^#.*$", "")
  end
  return { key = key, value = value }
end

-- Lines with their numbers; ends of line as of any system, the last one may lack it.
local function lines(source)
  local list = {}
  for line in (source:gsub("^\xef\xbb\xbf", "") .. "\n"):gmatch("([^\n]*)\n") do
    list[#list + 1] = line:match("^%s*(.-)%s*$")
  end
  return list
end

-- Is there an END where there should be one? Files have one at their end, or one behind each record.
local function check_ends(file, records, ends, journal)
  if #records > 0 and ends == 0 then
    journal:warn({ file = file }, "has no END: it may have been cut short; look at its last rule")
  elseif ends > 0 then
    for i, record in ipairs(records) do
      if not record.ended and (i == #records or ends > 1) then
        journal:warn(record, "this rule has no END; is it complete?")
      end
    end
  end
end

-- Goes through the lines that say something: each(entry, line). One that is neither a key nor a comment is a
-- mistake.
local function each_line(source, file, journal, each)
  for number, line in ipairs(lines(source)) do
    if line ~= "" and not line:find("^#") then
      local entry = not line:find("%z") and parse(line)
      if entry then
        entry.file, entry.line = file, number
        each(entry, line)
      else
        journal:fail({ file = file, line = number }, ("expected KEY=value, got %s"):format(text.quote(line)))
      end
    end
  end
end

--- Reads a file of records.
-- @param source the file's text
-- @param file its name
-- @param openers { word = true } of the words that open a record
-- @param journal takes the mistakes
-- @return list of records { file =, line =, entries = { key = entry }, written = list of lines }
function reader.records(source, file, openers, journal)
  local records, current, ends = {}, nil, 0
  each_line(source, file, journal, function(entry, line)
    if entry.value == nil and openers[entry.key] then
      current = new_record(file, entry.line)
      records[#records + 1] = current
    elseif entry.value == nil and entry.key == "END" then
      if current then
        current.ended = true
      end
      current, ends = nil, ends + 1
    elseif not current then
      journal:fail(entry, ("%s stands outside of a rule"):format(text.quote(line)))
    else
      add(current, entry, journal)
      table.insert(current.written, line)
    end
  end)
  check_ends(file, records, ends, journal)
  return records
end

--- Reads a file that is one record without RULE and END, like options.
-- @return a record
function reader.options(source, file, journal)
  local record = new_record(file, 1)
  each_line(source, file, journal, function(entry)
    if entry.value ~= nil or entry.key ~= "END" then
      add(record, entry, journal)
    end
  end)
  return record
end

return reader
