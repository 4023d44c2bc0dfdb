-- SPDX-License-Identifier: GPL-2.0-or-later
-- The largest segment size that TCP connections passing through may ask for: the field "mss".
local text = require "ipfi.base.text"
local values = require "ipfi.base.values"

local mss = {}

-- IPFI_MSS_PMTU of the uapi header stands for the path's. Below 64 bytes of data a segment is mostly headers:
-- nobody means that.
local PMTU, LEAST, MOST = 0xffff, 64, 65534
local SYN = 2 -- as in the TCP header

local function check_mss(c, value)
  local size = value == "pmtu" and PMTU or values.integer(value)
  if not size or size < LEAST or (size > MOST and value ~= "pmtu") then
    return c:fail("mss", "mss: expected bytes from %d to %d, or 'pmtu', got %s", LEAST, MOST,
      text.quote(value))
  elseif not c:allows("mss") then
    return
  end
  local forward = not c.wire.lists or c.failed.dir
  for _, list in ipairs(c.wire.lists or {}) do
    forward = forward or list == "forward"
  end
  if not forward then
    return c:fail("mss", "mss: it is about connections that pass through; say dir = 'forward'")
  end
  local syn = c.wire.tcp_mask and c.wire.tcp_mask & SYN ~= 0
  if syn and c.wire.tcp_value & SYN == 0 then
    return c:fail("mss", "mss: it stands in SYNs, and the rule's flags leave them out")
  end
  if c:tcp_only("mss") then
    c.wire.mss = size
  end
end

local WHY = "it stands on the allow rule that lets the connections pass"

--- The field, as fields.lua wants it.
mss.field = {
  name = "mss",
  forms = "64 to 65534, or 'pmtu'",
  help = "No SYN of a connection that passes through asks for larger TCP segments; 'pmtu' is what the paths "
    .. "both ways bear. The rule is about TCP then.",
  check = check_mss,
  read = function(wire)
    return wire.mss == PMTU and "pmtu" or wire.mss
  end,
  barred = { dstnat = WHY, srcnat = WHY },
}

return mss
