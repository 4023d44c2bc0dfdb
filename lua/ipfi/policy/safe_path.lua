-- SPDX-License-Identifier: GPL-2.0-or-later
-- Is a file fit to be believed? One that somebody other than root or the caller could have written is not:
-- whoever writes the policy rules the firewall.
local sys = require "ipfi.c.sys"
local text = require "ipfi.base.text"

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

-- The same for a directory that a file is found by, or a link in one. In a sticky directory only its owner
-- and that of a file can put another in its place. The mode of a link says nothing.
local function stranger_on_the_way(step)
  if step.sticky or step.link then
    step = { uid = step.uid, gid = step.gid, mode = 0 }
  end
  return stranger(step)
end

--- Judges a file by the owners and modes of itself and of the directories it stands in, and of those and the
-- links that its path leads through: who may write to one of them may put another file in its place.
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
  local way, problem = sys.way(path)
  if not way then
    return nil, ("refusing %s: where it leads cannot be told: %s"):format(shown, problem)
  end
  for _, steps in ipairs { status.dirs, way } do
    for _, step in ipairs(steps) do
      why = stranger_on_the_way(step)
      if why then
        return nil, ("refusing %s, because of its %s %s: %s")
          :format(shown, step.link and "link" or "directory", text.escape(step.path), why)
      end
    end
  end
  return true
end

return trust
