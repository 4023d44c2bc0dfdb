-- SPDX-License-Identifier: GPL-2.0-or-later
-- The connection to the kernel module, opened when first needed, and its errors as values.
local errors = require "ipfi.errors"
local netlink = require "ipfi.c.netlink"

local kernel = {}

-- A dump of rules that a commit overtook is asked again so often.
local TRIES = 10

local connection
-- Counts connections: what was learnt over one may not hold for a module that was loaded anew.
local epoch = 0

--- Opens the connection, or says why not.
-- @return connection; or nil and an error value of kind "absent" or another
function kernel.open(doing)
  if connection then
    return connection
  end
  local opened, err = netlink.open()
  if not opened then
    return nil, errors.kernel(err, doing or "ipfi")
  end
  connection, epoch = opened, epoch + 1
  return connection
end

--- Closes the connection; the next request opens a new one.
function kernel.close()
  if connection then
    connection:close()
    connection = nil
  end
end

--- A number that changes with every connection.
function kernel.epoch()
  return epoch
end

-- A module that was removed and loaded again has another family number: the connection is of no more use.
-- (That there is no set of some name is said with the attribute that named it.)
local function is_lost(err)
  return (err.name == "ENOENT" and not err.attr) or err.name == "EOPNOTSUPP"
end

local function fail(err, doing)
  if is_lost(err) then
    kernel.close()
  end
  error(errors.kernel(err, doing), 0)
end

local function need(doing)
  local opened, err = kernel.open(doing)
  if not opened then
    error(err, 0)
  end
  return opened
end

--- Sends one message and returns the kernel's answer.
-- @param message as the codec takes it
-- @param doing what is tried, for the error
-- @return the first message of the answer, or an empty table
function kernel.ask(message, doing)
  local replies, err = need(doing):request(message)
  if not replies and is_lost(err) then
    kernel.close()
    replies, err = need(doing):request(message)
  end
  if not replies then
    fail(err, doing)
  end
  return replies[1] or {}
end

--- Iterates over the messages of a dump.
-- @param message the request
-- @param doing what is tried, for the error
-- @param changed optional function called at the end when the dump is not of one moment; without it
--   that is no error: the states change all the time
function kernel.dump(message, doing, changed)
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
function kernel.list(message, doing)
  for _ = 1, TRIES do
    local list, consistent = {}, true
    for row in kernel.dump(message, doing, function() consistent = false end) do
      list[#list + 1] = row
    end
    if consistent then
      return list
    end
  end
  errors.raise("busy", "%s: the rules change faster than they can be read", doing)
end

--- Counts the values of one field over a dump, without making rows.
-- @return { value = count }, number of rows, also those without the field; nil when the table changed so much
--   meanwhile that they do not count
function kernel.count(message, field, doing)
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
function kernel.transact(messages, doing, place)
  local conn, err = netlink.open()
  if not conn then
    error(errors.kernel(err, doing), 0)
  end
  local ok, reply, index = conn:stream(messages)
  conn:close()
  if ok then
    return reply or {}
  end
  index = index or reply.index
  error(errors.kernel(reply, doing, index and place and place(index)), 0)
end

return kernel
