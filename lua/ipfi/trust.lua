-- SPDX-License-Identifier: GPL-2.0-or-later
-- Is a file fit to be believed? One that somebody other than root or the caller could have written is not:
-- whoever writes the policy rules the firewall.
local sys = require "ipfi.c.sys"
local text = require "ipfi.text"

local trust = {}

-- Permission bits of stat(2).
local OTHERS_WRITE, GROUP_WRITE, STICKY = 0x2, 0x10, 0x200

-- May nobody but root and the caller write here? Members of group 0 are root's own.
local function writable_by_others(mode, gid)
  if mode & OTHERS_WRITE ~= 0 then
    return "everybody"
  elseif mode & GROUP_WRITE ~= 0 and gid ~= 0 then
    return "its group"
  end
  return nil
end

--- Checks the owner and the mode of a file and of the directory it stands in.
-- @param path of a file
-- @return true; or nil and a message that says what to change
function trust.check(path)
  local stat, problem = sys.stat(path)
  local shown = text.escape(path)
  if not stat then
    return nil, ("cannot open %s: %s"):format(shown, problem or "no such file")
  elseif stat.type ~= "file" then
    return nil, ("%s is not a regular file"):format(shown)
  end
  local caller = sys.geteuid()
  if stat.uid ~= 0 and stat.uid ~= caller then
    return nil, ("refusing %s: it belongs to %s, not to root or you"):format(shown,
      sys.user_name(stat.uid) or "user " .. stat.uid)
  end
  local who = writable_by_others(stat.mode, stat.gid)
  if who then
    return nil, ("refusing %s: %s may write to it (chmod go-w %s)"):format(shown, who, shown)
  end
  -- In a sticky directory only the owner of a file can replace it.
  if stat.dir_mode & STICKY == 0 then
    who = writable_by_others(stat.dir_mode, stat.dir_gid)
    if who then
      return nil, ("refusing %s: %s may write to its directory (chmod go-w it)"):format(shown, who)
    end
  end
  if stat.dir_uid ~= 0 and stat.dir_uid ~= caller then
    return nil, ("refusing %s: its directory belongs to %s, not to root or you"):format(shown,
      sys.user_name(stat.dir_uid) or "user " .. stat.dir_uid)
  end
  return true
end

return trust
