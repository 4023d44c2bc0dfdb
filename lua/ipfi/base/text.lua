-- SPDX-License-Identifier: GPL-2.0-or-later
-- Text that is safe to send to a terminal, and its width there.
local text = {}

--- Does a character beyond ASCII do something to a terminal, or to a reader? The control characters of
-- ISO 6429, and marks that reorder or hide what follows them (Unicode's bidirectional controls, line and
-- paragraph separators, characters without width, tags): a name must not look like another one.
-- @param code of the character
function text.misleads(code)
  return (code >= 0x80 and code <= 0x9f) or code == 0xad or code == 0x61c or code == 0x180e
    or (code >= 0x200b and code <= 0x200f) or (code >= 0x2028 and code <= 0x202e)
    or (code >= 0x2060 and code <= 0x206f) or code == 0xfeff or (code >= 0xfff9 and code <= 0xfffb)
    or (code >= 0xe0000 and code <= 0xe007f)
end

local function escape_byte(c)
  return ("\\x%02x"):format(c:byte())
end

--- Makes a foreign string harmless: control characters, bytes that are not UTF-8 and marks that reorder
-- text come out as \xNN or \u{NNNN}.
function text.escape(s)
  if not s:find("[%c\x80-\xff]") then
    return s
  end
  local out, at = {}, 1
  while at <= #s do
    local length, bad = utf8.len(s, at)
    local good = length and #s or bad - 1
    for _, code in utf8.codes(s:sub(at, good)) do
      if code < 0x20 or code == 0x7f then
        out[#out + 1] = ("\\x%02x"):format(code)
      elseif text.misleads(code) then
        out[#out + 1] = ("\\u{%04x}"):format(code)
      else
        out[#out + 1] = utf8.char(code)
      end
    end
    if length then
      break
    end
    out[#out + 1] = escape_byte(s:sub(bad, bad))
    at = bad + 1
  end
  return table.concat(out)
end

--- The same for text of several lines: newlines and tabs stay.
function text.escape_lines(s)
  return (s:gsub("[^\n\t]+", text.escape))
end

--- Columns a string takes, colour codes not counted (each character is taken for one column wide).
function text.width(s)
  local plain = s:gsub("\27%[[%d;]*m", "")
  return utf8.len(plain) or #plain
end

--- Cuts a string without colours to so many columns, the last one an ellipsis.
function text.cut(s, columns)
  local length = utf8.len(s)
  if not length then
    return #s <= columns and s or s:sub(1, math.max(columns, 0))
  end
  if length <= columns then
    return s
  end
  if columns < 1 then
    return ""
  end
  return s:sub(1, utf8.offset(s, columns) - 1) .. "…"
end

--- A number and what it counts: "1 rule", "5 rules".
function text.plural(number, noun)
  return ("%d %s%s"):format(number, noun, number == 1 and "" or "s")
end

--- Quotes a value that was written in a policy, for an error message: strings in '', others as Lua shows
-- them.
function text.quote(value)
  if type(value) == "string" then
    local shown = text.escape(value)
    return ("'%s'"):format(text.cut(shown, 80))
  elseif type(value) == "number" or type(value) == "boolean" or value == nil then
    return tostring(value)
  end
  return "a " .. type(value)
end

return text
