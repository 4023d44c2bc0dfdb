-- SPDX-License-Identifier: GPL-2.0-or-later
-- Connections to the kernel module, opened when first needed, and its errors as values.
--
-- The module answers in the kernel, or in a world of the built-in engine, which is the same module inside
-- this program (ipfi.c.engine). kernel.of(world) is a link to one; it has the functions listed below. kernel
-- itself has them too, of the link that is in use: the kernel's, until kernel.use(world) says otherwise.
--
--     local sim = kernel.of(world)                 -- beside whatever is in use
--     sim.transact(messages, "fw.simulate")
--     kernel.with(world, fw.commit, p)             -- all of fw, as long as the function runs
--     kernel.use(world)                            -- from now on: --sim
local errors = require "ipfi.base.errors"
local netlink = require "ipfi.c.netlink"
local sys = require "ipfi.c.sys"

local kernel = {}

-- A dump of rules that a commit overtook is asked again so often.
local TRIES = 10

-- A module that was removed and loaded again has another family number: the connection is of no more use.
-- (That there is no set of some name is said with the attribute that named it.)
local function is_lost(err)
  return (err.name == "ENOENT" and not err.attr) or err.name == "EOPNOTSUPP"
end

-- Counts connections of all links: what was learnt over one may not hold for a module that was loaded anew,
-- or for another world.
local epochs = 0

--- Counts rules as everything else does, the NAT rules apart.
-- @param info of the module: { rules = all of them, nat_rules = or nil for none }; changed
-- @return it
function kernel.count_rules(info)
  info.rules = info.rules and info.rules - (info.nat_rules or 0)
  return info
end

-- A link. connect: function () -> connection, or nil and an error table. world: that of the engine, or nil.
local function new(connect, world)
  local link = {}
  local connection
  local epoch = 0

  --- The world of the engine that answers; nil: the kernel does.
  function link.world()
    return world
  end

  --- Opens the connection, or says why not.
  -- @return connection; or nil and an error value of kind "absent" or another
  function link.open(doing)
    if connection then
      return connection
    end
    local opened, err = connect()
    if not opened then
      return nil, errors.kernel(err, doing or "ipfi")
    end
    epochs = epochs + 1
    connection, epoch = opened, epochs
    return connection
  end

  --- Opens a connection of the caller's own, to be closed by him.
  -- @return connection
  function link.connect(doing)
    local opened, err = connect()
    if not opened then
      error(errors.kernel(err, doing), 0)
    end
    return opened
  end

  --- Closes the connection; the next request opens a new one.
  function link.close()
    if connection then
      connection:close()
      connection = nil
    end
  end

  --- A number that changes with every connection.
  function link.epoch()
    return epoch
  end

  local function fail(err, doing)
    if is_lost(err) then
      link.close()
    end
    error(errors.kernel(err, doing), 0)
  end

  local function need(doing)
    local opened, err = link.open(doing)
    if not opened then
      error(err, 0)
    end
    return opened
  end

  --- Sends one message and returns the kernel's answer.
  -- @param message as the codec takes it
  -- @param doing what is tried, for the error
  -- @return the first message of the answer, or an empty table
  function link.ask(message, doing)
    local replies, err = need(doing):request(message)
    if not replies and is_lost(err) then
      link.close()
      replies, err = need(doing):request(message)
    end
    if not replies then
      fail(err, doing)
    end
    return replies[1] or {}
  end

  --- Sends one message and returns all messages of the answer.
  -- @param message as the codec takes it
  -- @param doing what is tried, for the error
  -- @return list
  function link.ask_all(message, doing)
    local replies, err = need(doing):request(message)
    if not replies then
      fail(err, doing)
    end
    return replies
  end

  --- Iterates over the messages of a dump.
  -- @param message the request
  -- @param doing what is tried, for the error
  -- @param changed optional function called at the end when the dump is not of one moment; without it
  --   that is no error: the states change all the time
  function link.dump(message, doing, changed)
    local conn = need(doing)
    local next_message = conn:dump(message)
    return function()
      local row = next_message()
      if row == nil then
        local err = conn:dump_error()
        if err and not err.interrupted then
          fail(err, doing)
        elseif err and changed then
          changed()
        end
      end
      return row
    end
  end

  --- Reads a dump that must be of one moment as a list, again when it was not.
  function link.list(message, doing)
    for _ = 1, TRIES do
      local list, consistent = {}, true
      for row in link.dump(message, doing, function() consistent = false end) do
        list[#list + 1] = row
      end
      if consistent then
        return list
      end
    end
    errors.raise("busy", "%s: the rules change faster than they can be read", doing)
  end

  --- Counts the values of one field over a dump, without making rows.
  -- @return { value = count }, number of rows, also those without the field; nil when the table changed so
  --   much meanwhile that they do not count
  function link.count(message, field, doing)
    local counts, rows = need(doing):dump_count(message, field)
    if counts then
      return counts, rows
    elseif not rows.interrupted then
      fail(rows, doing)
    end
    return nil
  end

  --- Sends the messages of a transaction on a connection of its own, which takes the transaction with it
  -- when anything goes wrong.
  -- @param messages list or bytes
  -- @param doing what is tried, for the error
  -- @param place function (index) -> { at =, rule = } of a message, or nil
  -- @return the kernel's answer to the commit
  function link.transact(messages, doing, place)
    local conn = link.connect(doing)
    local ok, reply, index = conn:stream(messages)
    conn:close()
    if ok then
      return reply or {}
    end
    index = index or reply.index
    error(errors.kernel(reply, doing, index and place and place(index)), 0)
  end

  --- The index of a network device, and its name by index: of this machine, or of the world.
  -- @return number or name; nil for none
  function link.ifindex(name)
    if world then
      return world:ifindex(name)
    end
    return sys.ifindex(name)
  end

  function link.ifname(index)
    if world then
      return world:ifname(index)
    end
    return sys.ifname(index)
  end

  --- Names of all devices.
  -- @return list
  function link.interfaces()
    if world then
      return world:interfaces()
    end
    return sys.interfaces()
  end

  return link
end

local real = new(function() return netlink.open() end)
local used = real

--- A link to a world of the engine.
function kernel.of(world)
  return new(function() return world:connection() end, world)
end

--- Lets a world answer from now on; nil: the kernel.
function kernel.use(world)
  used.close()
  used = world and kernel.of(world) or real
end

--- Lets a world answer while a function runs.
-- @return what the function returns
function kernel.with(world, run, ...)
  local before = used
  used = kernel.of(world)
  local result = table.pack(pcall(run, ...))
  used.close()
  used = before
  if not result[1] then
    error(result[2], 0)
  end
  return table.unpack(result, 2, result.n)
end

for name in pairs(real) do
  kernel[name] = function(...)
    return used[name](...)
  end
end

return kernel
