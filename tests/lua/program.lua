-- SPDX-License-Identifier: GPL-2.0-or-later
-- What the specs share that run the program as it is built: each has a directory of its own for its files.
local program = {}

program.path = "build/ipfi"

--- Is there a file?
function program.exists(path)
  local file = io.open(path)
  if file then
    file:close()
  end
  return file ~= nil
end

--- Runs a command of the shell and returns what it prints.
function program.shell(command)
  local pipe = assert(io.popen(command))
  local output = pipe:read "a"
  pipe:close()
  return output
end

--- A word as the shell takes it.
function program.quote(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

--- A directory for files, and the program.
-- @return { directory =, run = function (arguments, before) -> status, standard output, standard error;
--   write = function (name, content) -> path, remove = function () }
function program.room()
  local directory = program.shell("mktemp -d"):match "%S+"
  local room = { directory = directory }

  function room.run(arguments, before)
    local command = ("%s %s %s >%s/out 2>%s/err </dev/null; echo $?")
      :format(before or "", program.path, arguments, directory, directory)
    local status = tonumber(program.shell(command))
    local function read(name)
      local file = assert(io.open(directory .. "/" .. name))
      local content = file:read "a"
      file:close()
      return content
    end
    return status, read "out", read "err"
  end

  function room.write(name, content)
    local path = directory .. "/" .. name
    local file = assert(io.open(path, "w"))
    file:write(content)
    file:close()
    os.execute("chmod 600 " .. path)
    return path
  end

  function room.remove()
    os.execute("rm -rf " .. program.quote(directory))
  end

  return room
end

return program
