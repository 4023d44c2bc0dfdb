-- SPDX-License-Identifier: GPL-2.0-or-later
-- The fields of a rule, each written once: how it is checked and put on the wire, how it is read back,
-- and what the help and the manual say of it.
--
-- check(c, value) looks at one value and writes into c.wire, the message of the rule (its keys are the
-- attributes of enum ipfi_rule_attr). c is a check of rule.lua: c.fields holds what was written, c.verdict
-- the verdict, c:fail(field, ...) records a mistake, c:narrow(field, mask) says which families are left.
-- read(wire) gives the value back, for rules that were not written by this program.
-- barred says in which kinds of rules the field cannot stand, "filter", "dstnat" or "srcnat", and why.
-- The order matters: a field may look at what those before it left (proto before ports, addresses before
-- icmp, all of them before the target of a translation).
local address = require "ipfi.field.address"
local device = require "ipfi.field.interface"
local dscp = require "ipfi.field.dscp"
local helper = require "ipfi.field.helper"
local icmp = require "ipfi.field.icmp"
local lists = require "ipfi.field.lists"
local mark = require "ipfi.field.mark"
local mss = require "ipfi.field.mss"
local ports = require "ipfi.field.ports"
local protocol = require "ipfi.field.protocol"
local rate = require "ipfi.field.rate"
local suggest = require "ipfi.base.suggest"
local sys = require "ipfi.c.sys"
local target = require "ipfi.field.target"
local tcpflags = require "ipfi.field.tcpflags"
local text = require "ipfi.base.text"
local values = require "ipfi.base.values"

local fields = {}

-- IPFI_LOG_LEN and IPFI_COMMENT_LEN of the uapi header.
local LOG_LENGTH, COMMENT_LENGTH = 63, 255

fields.lists = lists.names

local is_negated = values.is_negated

local ALONE = { ["in"] = { "in" }, out = { "out" }, forward = { "forward" } }

local function check_dir(c, value)
  local alone = lists.named(value)
  if alone then
    c.wire.lists = ALONE[alone]
    return
  end
  local wanted = type(value) == "table" and value or { value }
  local count, problem = values.length(wanted)
  if not count then
    return c:fail("dir", "dir: %s", problem)
  end
  local named, seen = {}, {}
  for _, name in ipairs(wanted) do
    local list = lists.named(name)
    if not list then
      local hint = type(name) == "string" and suggest.hint(name, fields.lists) or ""
      return c:fail("dir", "dir is 'in', 'out' or 'forward', got %s%s", text.quote(name), hint)
    end
    if not seen[list] then
      seen[list] = true
      named[#named + 1] = list
    end
  end
  c.wire.lists = named
end

local function read_dir(wire)
  return #wire.lists == 1 and wire.lists[1] or wire.lists
end

local FAMILIES = { [4] = 4, [6] = 6, ["4"] = 4, ["6"] = 6, ipv4 = 4, ipv6 = 6 }

local function check_family(c, value)
  local family = FAMILIES[math.tointeger(value) or value]
  if not family then
    return c:fail("family", "family is 4 or 6, got %s", text.quote(value))
  end
  c.wire.family = family
  c:narrow("family", address.mask(family))
end

-- list is the one whose packets have no such device, other the field that they have instead.
local function check_device(name, list, other)
  return function(c, value)
    local parsed, negated = device.parse(value)
    if not parsed then
      return c:fail(name, "%s: %s", name, negated)
    end
    local possible = false
    for _, dir in ipairs(c.wire.lists or fields.lists) do
      possible = possible or dir ~= list
    end
    if not possible then
      return c:fail(name, "%s: packets of list '%s' have no %s device; use %s", name, list,
        list == "in" and "out" or "in", other)
    end
    c.wire[name] = parsed
    if negated then
      c:negate(name)
    end
  end
end

local function read_text(name)
  return function(wire)
    local value = wire[name]
    return value and is_negated(wire, name) and "!" .. value or value
  end
end

local function check_proto(c, value)
  local ranges, negated = values.ranges(value, protocol.spec)
  if not ranges then
    return c:fail("proto", "%s", negated)
  end
  c.wire.proto = ranges
  c:take_room("proto", ranges)
  if negated then
    c.proto_negated = true
    return c:negate("proto")
  end
  c.protos = {}
  local v4, v6, others = false, false, false
  for _, range in ipairs(ranges) do
    for number = range.from, range.to or range.from do
      c.protos[#c.protos + 1] = number
      v4 = v4 or number == protocol.ICMP
      v6 = v6 or number == protocol.ICMPV6
      others = others or (number ~= protocol.ICMP and number ~= protocol.ICMPV6)
    end
  end
  if not others and v4 ~= v6 then
    c:narrow("proto", v4 and address.V4 or address.V6)
  end
end

local function check_addresses(name)
  return function(c, value)
    local parsed, negated = address.parse(value)
    if not parsed then
      return c:fail(name, "%s: %s", name, negated)
    end
    c.wire[name] = {
      ranges = #parsed.ranges > 0 and parsed.ranges or nil, me = parsed.me, set = parsed.sets,
    }
    c:take_room(name, parsed.ranges, parsed.sets and #parsed.sets)
    if negated then
      c:negate(name)
      c.unlike[name] = parsed.families
    else
      c:narrow(name, parsed.families)
    end
  end
end

local function read_addresses(name)
  return function(wire)
    return wire[name] and address.written(wire[name], is_negated(wire, name))
  end
end

local function check_ports(name)
  return function(c, value)
    local protos = c:protocols_with_ports(name)
    if not protos then
      return
    end
    local ranges, negated = ports.parse(value, protos)
    if not ranges then
      return c:fail(name, "%s", negated:gsub("^expected", name .. ": expected"))
    end
    c.wire[name] = ranges
    c.wire.proto = c.wire.proto or { { from = protocol.TCP }, { from = protocol.UDP } }
    c:take_room(name, ranges)
    if negated then
      c:negate(name)
    end
  end
end

local function read_ranges(name, show)
  return function(wire)
    return wire[name] and values.written(wire[name], is_negated(wire, name), show)
  end
end

local function check_icmp(c, value)
  if c.proto_negated then
    return c:fail("proto", "icmp: name the protocol that is meant instead of '!' in proto")
  elseif c.failed.proto then
    return
  elseif c.wire.sport or c.wire.dport then
    return c:fail("icmp", "icmp: ICMP has no ports; a rule asks for one or the other")
  end
  for _, number in ipairs(c.protos or {}) do
    if number ~= protocol.ICMP and number ~= protocol.ICMPV6 then
      return c:fail("icmp", "icmp: protocol %s has no ICMP messages", text.quote(protocol.name(number)))
    end
  end
  local ranges, negated, families = icmp.parse(value, c.families)
  if not ranges then
    return c:fail("icmp", "%s", negated)
  end
  if negated then
    c:negate("icmp")
    families = c.families
  elseif c.place ~= "filter" and not icmp.opens(ranges) then
    return c:fail("icmp", "icmp: %s opens no connection, and only those that do are translated by rules; the "
      .. "others go by their connection", text.quote(icmp.range_text(ranges[1])))
  else
    c:narrow("icmp", families)
  end
  c.wire.icmp = ranges
  c:take_room("icmp", ranges)
  if not c.protos then
    local proto = {}
    if families & address.V4 ~= 0 then
      proto[1] = { from = protocol.ICMP }
    end
    if families & address.V6 ~= 0 then
      proto[#proto + 1] = { from = protocol.ICMPV6 }
    end
    c.wire.proto = proto
  end
end

local function read_icmp(wire)
  return wire.icmp and icmp.written(wire.icmp, is_negated(wire, "icmp"))
end

local function check_flags(c, value)
  if c.proto_negated or (c.protos and (#c.protos ~= 1 or c.protos[1] ~= protocol.TCP)) then
    return c:fail("flags", "flags: only TCP has them; say proto = 'tcp' or leave proto out")
  elseif c.wire.icmp then
    return c:fail("flags", "flags: only TCP has them, but the rule asks for ICMP")
  end
  local set, looked_at = tcpflags.parse(value)
  if not set then
    return c:fail("flags", "flags: %s", looked_at)
  end
  c.wire.tcp_value, c.wire.tcp_mask = set, looked_at
  c.wire.proto = { { from = protocol.TCP } }
end

local function read_flags(wire)
  return wire.tcp_mask and tcpflags.written(wire.tcp_value or 0, wire.tcp_mask)
end

local function check_ranges(name, spec)
  return function(c, value)
    local ranges, negated = values.ranges(value, spec)
    if not ranges then
      return c:fail(name, "%s", negated:gsub("^expected", name .. ": expected"))
    end
    c.wire[name] = ranges
    c:take_room(name, ranges)
    if negated then
      c:negate(name)
    end
  end
end

-- The longest packet is an IPv6 header of 40 bytes and a payload of 65535.
local LENGTH = {
  what = "length",
  want = "bytes, a range 'a-b' or a list of these",
  least = 0,
  most = 65575,
}

-- 4294967295 is "no user" to the kernel.
local USER = {
  what = "user id",
  want = "a user by name or number, a range 'a-b' of numbers or a list of these",
  least = 0,
  most = 4294967294,
  named = function(word)
    local uid = sys.user(word)
    if uid then
      return uid
    end
    return nil, ("unknown user %s"):format(text.quote(word))
  end,
}

local check_user_ranges = check_ranges("user", USER)

local function check_user(c, value)
  local own = c.wire.lists
  if not own or #own ~= 1 or own[1] ~= "out" then
    if not c.failed.dir then
      c:fail("user", "user: only packets made here have one; say dir = 'out'")
    end
    return
  end
  check_user_ranges(c, value)
end

local function check_mark(c, value)
  local parsed, problem = mark.parse(value)
  if not parsed then
    return c:fail("mark", "mark: %s", problem)
  end
  c.wire.mark_value, c.wire.mark_mask = parsed.value, parsed.mask
  if parsed.negated then
    c:negate("mark")
  end
end

local function read_mark(wire)
  return wire.mark_value and mark.written(wire.mark_value, wire.mark_mask, is_negated(wire, "mark"))
end

local function check_limit(c, value)
  local parsed, problem = rate.parse(value)
  if not parsed then
    return c:fail("limit", "limit: %s", problem)
  end
  c.wire.limit_count, c.wire.limit_period, c.wire.limit_burst = parsed.count, parsed.period, parsed.burst
end

local function read_limit(wire)
  return wire.limit_count and rate.written(wire.limit_count, wire.limit_period, wire.limit_burst)
end

local function check_per_source(c, value)
  local number = values.integer(value)
  if not number or number < 1 or number > 0x7fffffff then
    return c:fail("per_source", "per_source: expected a number of states from 1 on, got %s",
      text.quote(value))
  elseif c.verdict ~= "allow" then
    if c:written_here("per_source") then
      c:fail("per_source", "per_source counts the live states a rule made; a rule that says %s makes none",
        c.verdict)
    end
    return c:leave_out("per_source")
  end
  c.wire.per_source = number
end

local function check_ipsec(c, value)
  if type(value) ~= "boolean" then
    return c:fail("ipsec", "ipsec: expected true or false, got %s", text.quote(value))
  end
  c.wire.ipsec = value and 1 or 0
end

local function read_ipsec(wire)
  if wire.ipsec == nil then
    return nil
  end
  return wire.ipsec == 1
end

local function check_state(c, value)
  if type(value) ~= "boolean" then
    return c:fail("state", "state: expected true or false, got %s", text.quote(value))
  elseif c.verdict ~= "allow" then
    if value and c:written_here("state") then
      c:fail("state", "state: a rule that says %s lets nothing pass that a state could follow", c.verdict)
    elseif value then
      c:leave_out("state")
    end
    return
  end
  c.state = value
end

local function read_state(wire)
  return wire.verdict == "allow" and values.contains(wire.flags, "stateful") or nil
end

local function check_log(c, value)
  if value == true then
    value = c.name:sub(1, LOG_LENGTH)
  end
  if type(value) ~= "string" then
    return c:fail("log", "log: expected a prefix or true, got %s", text.quote(value))
  elseif #value > LOG_LENGTH then
    return c:fail("log", "log: the prefix has %d bytes; at most %d fit", #value, LOG_LENGTH)
  elseif value == "" or value:find("%c") then
    return c:fail("log", "log: %s is no prefix (some text without control characters)", text.quote(value))
  end
  c.wire.log = value
end

local function check_comment(c, value)
  if type(value) ~= "string" then
    return c:fail("comment", "comment: expected text, got %s", text.quote(value))
  elseif #value > COMMENT_LENGTH then
    return c:fail("comment", "comment: %d bytes are too long; at most %d fit", #value, COMMENT_LENGTH)
  elseif value:find("%z") then
    return c:fail("comment", "comment: text without zero bytes is wanted")
  end
  c.wire.comment = value
end

-- Why a field of filter rules is none of NAT rules.
local function barred(dstnat, srcnat)
  return { dstnat = dstnat, srcnat = srcnat or dstnat }
end

local ADDRESS_FORMS =
  [['192.0.2.1', '10.0.0.0/8', 'fd00::/8', '10.0.0.5-10.0.0.9', 'me', a set, lists; '!', ~ negate]]
local PORT_FORMS = [[22, 'ssh', '1024-65535', { 80, 'https' }; '!' negates]]

--- The fields in their order: { name =, forms = the values it takes, help =, check =, read = }.
fields.list = {
  {
    name = "dir",
    forms = [['in', 'out', 'forward' or a list of these]],
    help = "The lists the rule stands in: packets to this machine, made here, or passing through; input and "
      .. "output are understood too. Without it, all three.",
    check = check_dir,
    read = read_dir,
    barred = barred("a destination is translated before it is known whether a connection is for this "
      .. "machine; "
      .. "iif says where it comes in", "a source is translated when a connection leaves, passing through or "
      .. "made here; oif says where"),
  },
  {
    name = "family",
    forms = "4 or 6",
    help = "IPv4 or IPv6 only. Without it, both.",
    check = check_family,
    read = function(wire)
      return wire.family
    end,
  },
  {
    name = "iif",
    forms = [[a device name, 'eth*', '!eth0']],
    help = "The device the packet came in by. A last '*' stands for any rest. A device that belongs to a VRF "
      .. "is also known by the VRF's name.",
    check = check_device("iif", "out", "oif"),
    read = read_text("iif"),
  },
  {
    name = "oif",
    forms = [[a device name, 'eth*', '!eth0']],
    help = "The device the packet leaves by, or its VRF.",
    check = check_device("oif", "in", "iif"),
    read = read_text("oif"),
    barred = { dstnat = "the way out is only known when the destination is; use iif or dst" },
  },
  {
    name = "proto",
    forms = [['tcp', 'udp', 'icmp', 'icmpv6', any name of protocols(5), a number, a list; '!' negates]],
    help = "The protocol. Without it any, but ports mean TCP and UDP, flags TCP, and icmp ICMP and ICMPv6.",
    check = check_proto,
    read = read_ranges("proto", protocol.name),
  },
  {
    name = "src",
    forms = ADDRESS_FORMS,
    help = "Who sends it. 'me' is any address of this machine. A negation also matches the other family.",
    check = check_addresses("src"),
    read = read_addresses("src"),
  },
  {
    name = "dst",
    forms = ADDRESS_FORMS,
    help = "Whom it is for.",
    check = check_addresses("dst"),
    read = read_addresses("dst"),
  },
  {
    name = "sport",
    forms = PORT_FORMS,
    help = "The port it comes from, by number, range or name of services(5). Without proto, of TCP and UDP.",
    check = check_ports("sport"),
    read = read_ranges("sport"),
  },
  {
    name = "dport",
    forms = PORT_FORMS,
    help = "The port it goes to.",
    check = check_ports("dport"),
    read = read_ranges("dport"),
  },
  {
    name = "icmp",
    forms = [['echo-request', 'packet-too-big', 8, '3/4', a list; '!' negates]],
    help = "The ICMP message, by name (in each family that has it) or as type or type/code of the one proto "
      .. "says. An error about nothing that is known passes only by a rule without state that names it.",
    check = check_icmp,
    read = read_icmp,
  },
  {
    name = "flags",
    forms = [['S/SAFR': those set / those looked at; 'S' looks at all six. Letters F S R P A U E C]],
    help = "TCP flags.",
    check = check_flags,
    read = read_flags,
    barred = barred "a translation is for whole connections, not for single packets",
  },
  {
    name = "length",
    forms = [[bytes, '0-128', a list; '!' negates]],
    help = "The length of the whole IP packet.",
    check = check_ranges("length", LENGTH),
    read = read_ranges("length"),
  },
  {
    name = "dscp",
    forms = [['ef', 'af11', 'cs6', 0 to 63, a range, a list; '!' negates]],
    help = "The differentiated services code point.",
    check = check_ranges("dscp", dscp.spec),
    read = read_ranges("dscp", dscp.name),
  },
  {
    name = "user",
    forms = [[a user name, an id, '1000-2000', a list; '!' negates]],
    help = "The owner of the socket that made the packet; only with dir = 'out'.",
    check = check_user,
    read = read_ranges("user"),
    barred = barred "only filter rules can ask for it",
  },
  {
    name = "mark",
    forms = [[0x1, '0x1/0xff', '!0x1']],
    help = "The packet's mark, all of it or the bits of a mask.",
    check = check_mark,
    read = read_mark,
  },
  {
    name = "ipsec",
    forms = "true or false",
    help = "Whether it came through IPsec, or, with dir = 'out' and where a source is translated, will leave "
      .. "through it by a policy. A live connection does not remember that.",
    check = check_ipsec,
    read = read_ipsec,
  },
  {
    name = "limit",
    forms = [['10/minute', '10/minute burst 20', { '10/minute', burst = 20 }; second, minute, hour, day]],
    help = "Matches at most so often; those beyond go on to the next rule. Without burst, the count is the "
      .. "burst. A rule that makes states is asked for first packets only, so it counts new states; with "
      .. "state = false, all packets.",
    check = check_limit,
    read = read_limit,
  },
  {
    name = "per_source",
    forms = "a number from 1 on",
    help = "Matches while the rule has fewer live states from the packet's source. Needs state.",
    check = check_per_source,
    read = function(wire)
      return wire.per_source
    end,
    barred = barred "it counts the states that an allow rule made; say it there",
  },
  {
    name = "state",
    forms = "true or false",
    help = "An allowed first packet makes a state, and the connection's other packets, both ways, need no "
      .. "rule. stateful = true in the policy makes it the default.",
    check = check_state,
    read = read_state,
    barred = barred "a translated connection always has one",
  },
  helper.fields[1],
  helper.fields[2],
  mss.field,
  target.fields[1],
  target.fields[2],
  target.fields[3],
  {
    name = "log",
    forms = "a prefix, or true for the rule's name",
    help = "Packets that the rule decides are logged (nf_log, and the shell's log events).",
    check = check_log,
    read = read_text("log"),
  },
  {
    name = "comment",
    forms = "text",
    help = "Kept with the rule and shown with it.",
    check = check_comment,
    read = read_text("comment"),
  },
}

--- The same by name.
fields.by_name = {}
fields.names = {}
for i, field in ipairs(fields.list) do
  fields.by_name[field.name] = field
  fields.names[i] = field.name
end

--- Names of the fields that rules of a kind may have.
-- @param place "filter", "dstnat" or "srcnat"
function fields.names_for(place)
  local names = {}
  for _, field in ipairs(fields.list) do
    if not (field.barred and field.barred[place]) then
      names[#names + 1] = field.name
    end
  end
  return names
end

return fields
