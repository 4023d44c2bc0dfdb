-- SPDX-License-Identifier: GPL-2.0-or-later
-- The tokens of a Lua text (Lua 5.4 reference manual, 3.1), one after the other.
local lexer = {}

local byte, find, sub = string.byte, string.find, string.sub

-- The words that are no names, each its own kind.
local KEYWORDS = {}
for word in ("and break do else elseif end false for function goto if in local nil not or repeat return "
  .. "then true until while"):gmatch "%a+" do
  KEYWORDS[word] = word
end

-- What begins with a byte: the pattern of a name or a number, or the longest symbols that do.
local NAME, NUMBER, SYMBOLS = {}, {}, {}
for c in ("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"):gmatch "." do
  NAME[byte(c)] = true
end
for c in ("0123456789"):gmatch "." do
  NUMBER[byte(c)] = true
end
for symbol in ("... .. == ~= <= >= // :: << >>"):gmatch "%S+" do
  local list = SYMBOLS[byte(symbol)] or {}
  list[#list + 1], SYMBOLS[byte(symbol)] = symbol, list
end

local QUOTE, APOSTROPHE, BRACKET, DASH, DOT = byte "\"", byte "'", byte "[", byte "-", byte "."

-- The end of a string in quotes that begins at a place, nil when it has none.
local function string_end(text, first, quote)
  local at = first + 1
  local wanted = quote == QUOTE and '["\\]' or "['\\]"
  while true do
    local stop = find(text, wanted, at)
    if not stop or byte(text, stop) == quote then
      return stop
    end
    at = stop + 2
  end
end

-- The end of what stands in long brackets that may begin at a place, nil when none do.
local function long_end(text, first)
  local _, last, level = find(text, "^%[(=*)%[", first)
  if not last then
    return nil
  end
  local _, stop = find(text, "]" .. level .. "]", last + 1, true)
  return stop or #text
end

local function number_end(text, first)
  local hex = find(text, "^0[xX]", first)
  local at = first
  while true do
    local _, last = find(text, "^[%x%a_.]*", at)
    -- A sign may stand behind the letter of an exponent.
    if not (find(text, hex and "^[pP]" or "^[eE]", last) and find(text, "^[+-]", last + 1)) then
      return last
    end
    at = last + 2
  end
end

--- Makes a function that returns the next token each time it is called.
-- @param text the source, which may be no Lua at all
-- @return function () -> kind, first byte, last byte; nil at the end. The kind is "name", "string", "number",
--   or the keyword or symbol itself. And function (byte) that goes on at a place.
function lexer.new(text)
  local at = 1
  local function go_on(place)
    at = place
  end
  return function()
    while true do
      local first = find(text, "[^ \t\r\n\f\v]", at)
      if not first then
        return nil
      end
      local b = byte(text, first)
      local last
      if NAME[b] then
        last = select(2, find(text, "^[A-Za-z0-9_]*", first))
        at = last + 1
        return KEYWORDS[sub(text, first, last)] or "name", first, last
      elseif b == QUOTE or b == APOSTROPHE then
        last = string_end(text, first, b) or #text
        at = last + 1
        return "string", first, last
      elseif NUMBER[b] or (b == DOT and NUMBER[byte(text, first + 1)]) then
        last = number_end(text, first)
        at = last + 1
        return "number", first, last
      elseif b == DASH and byte(text, first + 1) == DASH then
        last = long_end(text, first + 2)
        at = (last or find(text, "\n", first, true) or #text) + 1
      else
        last = b == BRACKET and long_end(text, first)
        if last then
          at = last + 1
          return "string", first, last
        end
        for _, symbol in ipairs(SYMBOLS[b] or {}) do
          if sub(text, first, first + #symbol - 1) == symbol then
            at = first + #symbol
            return symbol, first, at - 1
          end
        end
        at = first + 1
        return sub(text, first, first), first, first
      end
    end
  end, go_on
end

--- All tokens of a short text.
-- @return list of { kind =, first =, last = }
function lexer.all(text)
  local list = {}
  for kind, first, last in lexer.new(text) do
    list[#list + 1] = { kind = kind, first = first, last = last }
  end
  return list
end

--- The number of the line that a byte of a text stands in.
function lexer.line(text, place)
  return select(2, sub(text, 1, place - 1):gsub("\n", "")) + 1
end

return lexer
