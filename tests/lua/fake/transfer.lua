-- SPDX-License-Identifier: GPL-2.0-or-later
-- Stands in for ipfi.c.transfer: the value itself waits until somebody asks for what its bytes say.
local transfer = {}

local waiting, count = {}, 0

function transfer.encode(value)
  count = count + 1
  local bytes = ("value %d"):format(count)
  waiting[bytes] = value
  return bytes
end

function transfer.decode(bytes)
  local value = waiting[bytes]
  waiting[bytes] = nil
  return value
end

return transfer
