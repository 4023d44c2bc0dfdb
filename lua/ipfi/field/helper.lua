-- SPDX-License-Identifier: GPL-2.0-or-later
-- Helpers: what reads a control connection for the data connections that it announces. The fields "helper"
-- and "ftp_foreign".
local codec = require "ipfi.c.codec"
local suggest = require "ipfi.base.suggest"
local text = require "ipfi.base.text"
local values = require "ipfi.base.values"

local helper = {}

--- Names of the helpers.
helper.names = codec.helpers()

local function check_helper(c, value)
  if not values.contains(helper.names, value) then
    local hint = type(value) == "string" and suggest.hint(value, helper.names) or ""
    return c:fail("helper", "helper: expected '%s', got %s%s", table.concat(helper.names, "' or '"),
      text.quote(value), hint)
  elseif not c:allows("helper") then
    return
  elseif c.state == false then
    return c:fail("helper", "helper: it follows a connection, which needs a state; leave state = false out")
  end
  if c:tcp_only("helper") then
    c.wire.helper, c.state = value, true
  end
end

local function check_foreign(c, value)
  if type(value) ~= "boolean" then
    return c:fail("ftp_foreign", "ftp_foreign: expected true or false, got %s", text.quote(value))
  elseif value and c:allows("ftp_foreign") then
    if c.wire.helper == "ftp" then
      c.ftp_foreign = true
    elseif not c.failed.helper then
      c:fail("ftp_foreign", "ftp_foreign: it is about the helper; say helper = 'ftp' too")
    end
  end
end

local function barred(why)
  return { dstnat = why, srcnat = why }
end

--- The fields, as fields.lua wants them.
helper.fields = {
  {
    name = "helper",
    forms = ("'%s'"):format(table.concat(helper.names, "', '")),
    help = "Reads what control connections that the rule allows announce, and lets in exactly the data "
      .. "connections announced. Makes the rule stateful, and one about TCP.",
    check = check_helper,
    read = function(wire)
      return wire.helper
    end,
    barred = barred "it stands on the allow rule that lets the control connection pass",
  },
  {
    name = "ftp_foreign",
    forms = "true or false",
    help = "With helper = 'ftp': believe an address that is not that of who announces it (transfers between "
      .. "two servers, RFC 959). Whoever logs in may then reach ports of others from 1024 on. A server's 227 "
      .. "lets in its own address with the announced port in any case.",
    check = check_foreign,
    read = function(wire) return values.contains(wire.flags, "ftp_foreign") or nil end,
    barred = barred "it stands beside helper = 'ftp' on an allow rule",
  },
}

return helper
