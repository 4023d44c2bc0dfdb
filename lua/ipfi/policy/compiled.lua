-- SPDX-License-Identifier: GPL-2.0-or-later
-- Compiled policies: the messages of a policy's transaction in a file, which is applied without running
-- any policy.
--
-- The file is a stream of netlink messages. The first is one that netlink passes over (NLMSG_NOOP); its
-- payload is text, lines of a key and a value, that says what the file is and that the rest is whole. The
-- others are those of compile.messages(), as the kernel takes them but for the number of the family.
local codec = require "ipfi.c.codec"
local compile = require "ipfi.policy.compile"
local errors = require "ipfi.base.errors"
local kernel = require "ipfi.base.kernel"
local policy = require "ipfi.policy.policy"
local sys = require "ipfi.c.sys"
local text = require "ipfi.base.text"
local trust = require "ipfi.policy.safe_path"
local version = require "ipfi.version"

local compiled = {}

local MAGIC = "ipfi compiled policy"
-- Of this form of the file.
local FORMAT = 1
-- nlmsghdr: length, type, flags, sequence, port; then genlmsghdr: command, version, reserved.
local NLMSG, GENL = "=I4I2I2I4I4", "BBI2"
local HEADER = string.packsize(NLMSG)
local NLMSG_NOOP = 1
-- More than a million rules take.
local FILE_MOST = 1 << 30

local ORDER = string.pack("=I2", 1) == "\1\0" and "little" or "big"

local function fields_text(fields)
  local lines = { MAGIC }
  for _, field in ipairs(fields) do
    lines[#lines + 1] = ("%s %s"):format(field[1], field[2])
  end
  return table.concat(lines, "\n") .. "\n"
end

--- The bytes of a compiled policy.
-- @param messages of compile.messages()
-- @param p the policy that they are of
function compiled.bytes(messages, p)
  local body = messages:bytes()
  local head = fields_text {
    { "format", FORMAT }, { "order", ORDER }, { "family", codec.schema().version }, { "program", version },
    { "messages", #messages }, { "bytes", #body }, { "sum", ("%016x"):format(codec.checksum(body)) },
    { "policy", text.escape(p.name) }, { "size", policy.size(p) },
  }
  head = head .. ("\0"):rep(-#head % 4)
  return string.pack(NLMSG, HEADER + #head, NLMSG_NOOP, 0, 0, 0) .. head .. body
end

--- Writes a compiled policy, as a whole or not at all; only its owner may read it.
-- @param p a checked policy
-- @param options of compile.messages()
-- @param path of the file; "-" is standard output
function compiled.write(p, options, path)
  local bytes = compiled.bytes(compile.messages(p, options), p)
  local done, problem
  if path ~= "-" then
    done, problem = sys.replace_file(path, bytes)
  elseif sys.isatty(1) then
    errors.raise("usage", "--compile=-: a terminal cannot show the bytes; write them into a file or a pipe")
  else
    done, problem = io.stdout:write(bytes)
    if done then
      done, problem = io.stdout:flush()
    end
  end
  if not done then
    local shown = path == "-" and "standard output" or text.escape(path)
    errors.raise("lua", "cannot write %s: %s", shown, problem)
  end
end

-- The places of the messages in the bytes, each with its command's number; nil when they are not whole.
local function places_of(body)
  local places, at = {}, 1
  while at <= #body do
    if #body - at + 1 < HEADER + string.packsize(GENL) then
      return nil
    end
    local length = string.unpack("=I4", body, at)
    if length < HEADER + string.packsize(GENL) or length > #body - at + 1 then
      return nil
    end
    places[#places + 1] = { at = at, length = length, cmd = body:byte(at + HEADER) }
    at = at + length + -length % 4
  end
  return places
end

-- Begin, rules, commit, and nothing else.
local function is_transaction(places)
  local number = {}
  for _, command in ipairs(codec.schema().commands) do
    number[command.name] = command.value
  end
  for i, place in ipairs(places) do
    local wanted = i == 1 and "ruleset_begin" or i == #places and "ruleset_commit" or "rule_add"
    if place.cmd ~= number[wanted] then
      return false
    end
  end
  return #places >= 2
end

-- The lines of the header, and where the messages begin; nil when the bytes begin otherwise.
local function parse_header(bytes)
  if bytes:sub(HEADER + 1, HEADER + #MAGIC + 1) ~= MAGIC .. "\n" then
    return nil
  end
  local fields = {}
  local rest = bytes:sub(HEADER + 1, HEADER + 4096):match("^[^%z]*")
  for key, value in rest:gmatch("\n(%l+) ([^\n]*)") do
    fields[key] = value
  end
  return fields
end

--- Looks into a compiled policy.
-- @param bytes of the file
-- @return { body = bytes of the messages, places = list of { at =, length = } in them, policy =, size =
--   text }; or nil and what is wrong
function compiled.read(bytes)
  local fields = parse_header(bytes)
  if not fields then
    return nil, "is no compiled policy (see --compile)"
  elseif fields.format ~= tostring(FORMAT) or fields.family ~= tostring(codec.schema().version) then
    return nil, ("was compiled by another version of ipfi (%s, this is %s): compile it again")
      :format(text.escape(fields.program or "?"), version)
  elseif fields.order ~= ORDER then
    return nil, "was compiled on a machine of the other byte order: compile it on this one"
  end
  local body = bytes:sub(1 + string.unpack("=I4", bytes))
  if not fields.bytes or not fields.sum or not fields.messages then
    return nil, "is cut off within its header"
  elseif fields.bytes ~= tostring(#body) then
    return nil, ("is cut off: %d bytes of messages instead of %s")
      :format(#body, text.escape(fields.bytes))
  elseif fields.sum ~= ("%016x"):format(codec.checksum(body)) then
    return nil, "is damaged: its checksum is wrong"
  end
  local places = places_of(body)
  if not places or fields.messages ~= tostring(#places) or not is_transaction(places) then
    return nil, "is damaged: its messages are no transaction"
  end
  return { body = body, places = places, policy = fields.policy, size = fields.size or "" }
end

--- Reads and judges a file.
-- @param path of it; "-" reads standard input
-- @return as compiled.read(), with source = what to call it; raises an error of kind "policy"
function compiled.open(path)
  local shown = path == "-" and "stdin" or text.escape(path)
  local bytes, status
  if path == "-" then
    bytes, status = sys.read_stdin(FILE_MOST)
  else
    bytes, status = sys.read_file(path, FILE_MOST)
  end
  if not bytes then
    errors.raise("policy", "cannot open %s: %s", shown, status)
  elseif path ~= "-" then
    local fit, problem = trust.check(path, status)
    if not fit then
      errors.raise("policy", "%s", problem)
    end
  end
  local found, problem = compiled.read(bytes)
  if not found then
    errors.raise("policy", "%s: %s", shown, problem)
  end
  found.source = shown
  return found
end

local function decode(found, index)
  local place = found.places[index]
  local messages = place and codec.decode(found.body:sub(place.at, place.at + place.length - 1))
  return messages and messages[1]
end

--- Commits a compiled policy.
-- @param found what compiled.open() returned
-- @param options { expect = generation to replace, confirm = seconds }; the states are as it was compiled
-- @return { generation =, rules =, nat_rules =, confirm = seconds }; raises errors that name the rule and its
--   place
function compiled.apply(found, options)
  local last = #found.places
  local message = decode(found, last)
  if not message or type(message.commit) ~= "table" then
    errors.raise("policy", "%s: is damaged: its last message is no commit", found.source)
  end
  message.flags = { "ack" }
  message.commit.expect, message.commit.confirm = options.expect, options.confirm
  local bytes = found.body:sub(1, found.places[last].at - 1) .. codec.encode { message }
  local answer = kernel.transact(bytes, "commit of " .. found.source, function(index)
    local refused = decode(found, index)
    return refused and refused.rule and { at = refused.rule.at or found.source, rule = refused.rule.name }
  end)
  local info = answer.info or {}
  kernel.count_rules(info)
  return { generation = info.generation, rules = info.rules, nat_rules = info.nat_rules,
    confirm = info.confirm and info.confirm / 1000, warning = answer.warning }
end

return compiled
