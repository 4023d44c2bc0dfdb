-- SPDX-License-Identifier: GPL-2.0-or-later
-- Is a file fit to be believed? One that somebody other than root or the caller could have written is not:
-- whoever writes the policy rules the firewall.
local sys = require "ipfi.c.sys"
local text = require "ipfi.text"

local trust = {}

-- Permission bits of stat(2).
local OTHERS_WRITE, GROUP_WRITE = 0x2, 0x10

local function owner(uid)
  return sys.user_name(uid) or ("user %d"):format(uid)
end

-- Who beside root and the caller may change what this status belongs to; nil for nobody. Members of group
-- 0 are root's own.
local function stranger(status)
  if status.uid ~= 0 and status.uid ~= sys.geteuid() then
    return ("it belongs to %s, not to root or you"):format(owner(status.uid))
  elseif status.mode & OTHERS_WRITE ~= 0 then
    return "everybody may write to it (chmod go-w it)"
  elseif status.mode & GROUP_WRITE ~= 0 and status.gid ~= 0 then
    return "its group may write to it (chmod go-w it)"
  end
  return nil
end

--- Judges a file by the owners and modes of itself and of the directories it stands in: who may write
-- to one of those may put another file in its place. In a sticky directory only the owner of a file can.
-- @param path as the user gave it, for messages
-- @param status as sys.stat() and sys.read_file() give it
-- @return true; or nil and a message that says what to change
function trust.check(path, status)
  local shown = text.escape(path)
  if status.type ~= "file" then
    return nil, ("%s is not a regular file"):format(shown)
  end
  local why = stranger(status)
  if why then
    return nil, ("refusing %s: %s"):format(shown, why)
  end
  for _, directory in ipairs(status.dirs) do
    local sticky = { uid = directory.uid, gid = directory.gid, mode = 0 }
    why = stranger(directory.sticky and sticky or directory)
    if why then
      return nil, ("refusing %s, because of its directory %s: %s")
        :format(shown, text.escape(directory.path), why)
    end
  end
  return true
end

return trust
