-- SPDX-License-Identifier: GPL-2.0-or-later
-- Tables of text that fit the terminal.
local text = require "ipfi.base.text"

local columns = {}

-- No column is cut below this.
local LEAST = 6

-- Widths that fit: first the columns that can be spared go, then the widest that may be cut are.
local function fit(list, widths, most)
  local shown = {}
  for i in ipairs(list) do
    shown[i] = widths[i] > 0
  end
  local function total()
    local sum = -2
    for i in ipairs(list) do
      sum = sum + (shown[i] and widths[i] + 2 or 0)
    end
    return sum
  end
  while total() > most do
    local spare
    for i, column in ipairs(list) do
      if shown[i] and column.spare and (not spare or column.spare > list[spare].spare) then
        spare = i
      end
    end
    if not spare then
      break
    end
    shown[spare] = false
  end
  while total() > most do
    local widest
    for i, column in ipairs(list) do
      if shown[i] and column.cut and widths[i] > LEAST and (not widest or widths[i] > widths[widest]) then
        widest = i
      end
    end
    if not widest then
      break
    end
    widths[widest] = math.max(LEAST, widths[widest] - math.max(1, total() - most))
  end
  return shown
end

local function pad(cell, width, right)
  local gap = (" "):rep(width - text.width(cell))
  return right and gap .. cell or cell .. gap
end

local Formatter = {}
Formatter.__index = Formatter

--- A table that is made piece by piece: formatter:add(rows) -> text. The columns are as wide as the rows so
-- far ask for; the heading comes with the first piece, and again when other columns are shown than before.
-- @param style of style.lua; without a width nothing is cut or left out
-- @param list of columns: { title =, cell = function (row) -> text without colours, right = true to align
--   right, cut = true when it may be cut, spare = number when it may be left out, the highest first,
--   paint = function (text, row) -> text with colours, under = function (row) -> text for a line of its own
--   below the row's, or nil for none }. A column that is empty in every row is left out when empty = false.
function columns.formatter(style, list)
  return setmetatable({ style = style, list = list, natural = {}, shown = {} }, Formatter)
end

-- The texts of rows, and in widths what they and those before take: 0 for a column that is not used.
local function read(list, rows, natural)
  local cells, below = {}, {}
  for i, column in ipairs(list) do
    local width = natural[i] or 0
    local used = width > 0 or column.empty ~= false
    width = math.max(width, text.width(column.title))
    for r, row in ipairs(rows) do
      cells[r] = cells[r] or {}
      local cell = text.escape(column.cell(row) or "")
      cells[r][i] = cell
      used = used or cell ~= ""
      width = math.max(width, text.width(cell))
      local under = column.under and column.under(row)
      if under then
        below[r] = below[r] or {}
        below[r][i] = text.escape(under)
        width = math.max(width, text.width(below[r][i]))
      end
    end
    natural[i] = used and width or 0
  end
  return cells, below
end

--- The next rows as text that ends in a newline.
function Formatter:add(rows)
  local list, style = self.list, self.style
  local cells, below = read(list, rows, self.natural)
  local widths = table.move(self.natural, 1, #list, 1, {})
  local shown = fit(list, widths, style.width or math.huge)
  local out, changed = {}, false
  local function line(cell_of)
    local parts = {}
    for i, column in ipairs(list) do
      if shown[i] then
        parts[#parts + 1] = cell_of(i, column)
      end
    end
    out[#out + 1] = table.concat(parts, "  "):gsub("%s+$", "")
  end
  for i in ipairs(list) do
    changed = changed or shown[i] ~= (self.shown[i] or false)
  end
  self.shown = shown
  if changed then
    line(function(i, column)
      return style:paint("heading", pad(text.cut(column.title, widths[i]), widths[i], column.right))
    end)
  end
  for r, row in ipairs(rows) do
    line(function(i, column)
      local cell = pad(text.cut(cells[r][i], widths[i]), widths[i], column.right)
      return column.paint and column.paint(cell, row) or cell
    end)
    if below[r] then
      line(function(i, column)
        return pad(text.cut(below[r][i] or "", widths[i]), widths[i], column.right)
      end)
    end
  end
  return table.concat(out, "\n") .. "\n"
end

--- Formats rows as a table with a heading.
-- @param style of style.lua, list of columns as for columns.formatter()
-- @param rows list of rows
-- @return text that ends in a newline
function columns.format(style, list, rows)
  return columns.formatter(style, list):add(rows)
end

return columns
