-- SPDX-License-Identifier: GPL-2.0-or-later
-- Names of differentiated services code points.
local suggest = require "ipfi.base.suggest"
local text = require "ipfi.base.text"

local dscp = {}

-- Class selectors (RFC 2474), assured forwarding (RFC 2597), expedited forwarding (RFC 3246),
-- voice-admit (RFC 5865), lower effort (RFC 8622).
local NAMES = {
  be = 0, le = 1, va = 44, ef = 46,
  cs0 = 0, cs1 = 8, cs2 = 16, cs3 = 24, cs4 = 32, cs5 = 40, cs6 = 48, cs7 = 56,
  af11 = 10, af12 = 12, af13 = 14, af21 = 18, af22 = 20, af23 = 22,
  af31 = 26, af32 = 28, af33 = 30, af41 = 34, af42 = 36, af43 = 38,
}

dscp.names = suggest.keys(NAMES)

local by_number = {}
for _, name in ipairs(dscp.names) do
  by_number[NAMES[name]] = name
end

--- The name of a code point, or nil.
function dscp.name(number)
  return by_number[number]
end

--- How the values of the field are read, for values.ranges().
dscp.spec = {
  what = "dscp",
  want = "a DSCP by name or number, a range 'a-b' or a list of these",
  least = 0,
  most = 63,
  memo = {},
  named = function(word)
    local number = NAMES[word:lower()]
    if number then
      return number
    end
    return nil, ("unknown DSCP %s%s"):format(text.quote(word), suggest.hint(word, dscp.names))
  end,
}

return dscp
