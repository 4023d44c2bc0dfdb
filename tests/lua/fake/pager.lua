-- SPDX-License-Identifier: GPL-2.0-or-later
-- Stands in for ipfi.c.pager: keeps what it is given, for as many pieces as a test's reader has patience.
local pager = { started = {}, patience = math.huge }

function pager.start(command)
  local reader = { command = command, pieces = {} }
  function reader.write(_, s)
    if #reader.pieces >= pager.patience then
      return false
    end
    reader.pieces[#reader.pieces + 1] = s
    return true
  end
  function reader.close()
    reader.closed = true
    return 0
  end
  pager.started[#pager.started + 1] = reader
  return reader
end

return pager
