-- SPDX-License-Identifier: GPL-2.0-or-later
-- The fields of a rule, each written once: how it is checked and put on the wire, how it is read back,
-- and what the help and the manual say of it.
--
-- check(c, value) looks at one value and writes into c.wire, the message of the rule (its keys are the
-- attributes of enum ipfi_rule_attr). c is a check of rule.lua: c.fields holds what was written, c.verdict
-- the verdict, c:fail(field, ...) records a mistake, c:narrow(field, mask) says which families are left.
-- read(wire) gives the value back, for rules that were not written by this program.
-- The order matters: a field may look at what those before it left (proto before ports, addresses before icmp).
local address = require "ipfi.address"
local icmp = require "ipfi.icmp"
local ports = require "ipfi.ports"
local protocol = require "ipfi.protocol"
local suggest = require "ipfi.suggest"
local sys = require "ipfi.c.sys"
local text = require "ipfi.text"
local values = require "ipfi.values"

local fields = {}

-- Lengths of the uapi header (IPFI_LOG_LEN, IPFI_COMMENT_LEN, IFNAMSIZ - 1).
local LOG_LENGTH, COMMENT_LENGTH, DEVICE_LENGTH = 63, 255, 15

fields.lists = { "in", "out", "forward" }

local function is_negated(wire, name)
  for _, other in ipairs(wire.negated or {}) do
    if other == name then
      return true
    end
  end
  return false
end

local ALONE = { ["in"] = { "in" }, out = { "out" }, forward = { "forward" } }

local function check_dir(c, value)
  if ALONE[value] then
    c.wire.lists = ALONE[value]
    return
  end
  local wanted = type(value) == "table" and value or { value }
  local count, problem = values.length(wanted)
  if not count then
    return c:fail("dir", "dir: %s", problem)
  end
  local lists, seen = {}, {}
  for _, name in ipairs(wanted) do
    local known = false
    for _, list in ipairs(fields.lists) do
      known = known or list == name
    end
    if not known then
      local hint = type(name) == "string" and suggest.hint(name, fields.lists) or ""
      return c:fail("dir", "dir is 'in', 'out' or 'forward', got %s%s", text.quote(name), hint)
    end
    if not seen[name] then
      seen[name] = true
      lists[#lists + 1] = name
    end
  end
  c.wire.lists = lists
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

local function check_device(name, list, other)
  return function(c, value)
    if type(value) ~= "string" then
      local why = type(value) == "table" and "; write one rule for each, or a pattern like 'eth*'" or ""
      return c:fail(name, "%s: expected one device name, got %s%s", name, text.quote(value), why)
    end
    local device, negated = value:match("^%s*!%s*(.*)$"), true
    if not device then
      device, negated = value, false
    end
    local stem = device:gsub("%*$", "")
    if device == "" or #device > DEVICE_LENGTH or device == "." or device == ".." then
      return c:fail(name, "%s: %s is no device name (1 to %d characters)", name, text.quote(value), DEVICE_LENGTH)
    elseif stem:find("[%s/%c*:]") then
      return c:fail(name, "%s: %s is no device name (only a last '*' stands for any rest)", name, text.quote(value))
    end
    local possible = false
    for _, dir in ipairs(c.wire.lists or fields.lists) do
      possible = possible or dir ~= list
    end
    if not possible then
      return c:fail(name, "%s: packets of list '%s' have no %s device; use %s", name, list,
        list == "in" and "out" or "in", other)
    end
    c.wire[name] = device
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
    c.wire[name] = { ranges = #parsed.ranges > 0 and parsed.ranges or nil, me = parsed.me }
    c.size = c.size + #parsed.ranges * 44
    if negated then
      c:negate(name)
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

local BOTH = { protocol.TCP, protocol.UDP }

-- Protocols that a rule with ports is about; nil after a mistake.
local function protocols_with_ports(c, name)
  if c.proto_negated then
    return c:fail("proto", "%s: ports belong to protocols; name those that are meant instead of '!' in proto", name)
  elseif c.failed.proto then
    return nil
  end
  for _, number in ipairs(c.protos or {}) do
    if not protocol.has_ports(number) then
      return c:fail(name, "%s: protocol %s has no ports", name, text.quote(protocol.name(number)))
    end
  end
  return c.protos or BOTH
end

local function check_ports(name)
  return function(c, value)
    local protos = protocols_with_ports(c, name)
    if not protos then
      return
    end
    local ranges, negated = ports.parse(value, protos)
    if not ranges then
      return c:fail(name, "%s", negated:gsub("^expected", name .. ": expected"))
    end
    c.wire[name] = ranges
    c.wire.proto = c.wire.proto or { { from = protocol.TCP }, { from = protocol.UDP } }
    c.size = c.size + #ranges * 20
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
  else
    c:narrow("icmp", families)
  end
  c.wire.icmp = ranges
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

-- Bits as in the TCP header (RFC 9293, 3.1); E and C of RFC 3168.
local FLAGS = { F = 1, S = 2, R = 4, P = 8, A = 16, U = 32, E = 64, C = 128 }
local FLAG_ORDER = "FSRPAUEC"
local ALL_SIX = 0x3f

local function flag_bits(letters)
  local bits = 0
  for letter in letters:gmatch(".") do
    local bit = FLAGS[letter:upper()]
    if not bit then
      return nil
    end
    bits = bits | bit
  end
  return bits
end

local function check_flags(c, value)
  if type(value) ~= "string" then
    return c:fail("flags", "flags: expected text like 'S/SAFR', got %s", text.quote(value))
  elseif c.proto_negated or (c.protos and (#c.protos ~= 1 or c.protos[1] ~= protocol.TCP)) then
    return c:fail("flags", "flags: only TCP has them; say proto = 'tcp' or leave proto out")
  elseif c.wire.icmp then
    return c:fail("flags", "flags: only TCP has them, but the rule asks for ICMP")
  end
  local set, looked_at = value:match("^%s*(%a*)%s*/%s*(%a+)%s*$")
  if not set then
    set = value:match("^%s*(%a+)%s*$")
  end
  local bits = set and flag_bits(set)
  local mask = looked_at and flag_bits(looked_at) or (not looked_at and ALL_SIX)
  if not bits or not mask then
    return c:fail("flags", "flags: expected those set and those looked at, like 'S/SAFR' (letters %s), got %s",
      FLAG_ORDER, text.quote(value))
  elseif bits & ~mask ~= 0 then
    return c:fail("flags", "flags: %s asks for flags that it does not look at", text.quote(value))
  end
  c.wire.tcp_value, c.wire.tcp_mask = bits, mask
  c.wire.proto = { { from = protocol.TCP } }
end

local function read_flags(wire)
  if not wire.tcp_mask then
    return nil
  end
  local set, looked_at = {}, {}
  for letter in FLAG_ORDER:gmatch(".") do
    if (wire.tcp_value or 0) & FLAGS[letter] ~= 0 then
      set[#set + 1] = letter
    end
    if wire.tcp_mask & FLAGS[letter] ~= 0 then
      looked_at[#looked_at + 1] = letter
    end
  end
  return table.concat(set) .. "/" .. table.concat(looked_at)
end

local function check_ranges(name, spec)
  return function(c, value)
    local ranges, negated = values.ranges(value, spec)
    if not ranges then
      return c:fail(name, "%s", negated:gsub("^expected", name .. ": expected"))
    end
    c.wire[name] = ranges
    c.size = c.size + #ranges * 20
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

-- Class selectors (RFC 2474), assured forwarding (RFC 2597), expedited forwarding (RFC 3246),
-- voice-admit (RFC 5865), lower effort (RFC 8622).
local DSCP = {
  be = 0, le = 1, va = 44, ef = 46,
  cs0 = 0, cs1 = 8, cs2 = 16, cs3 = 24, cs4 = 32, cs5 = 40, cs6 = 48, cs7 = 56,
  af11 = 10, af12 = 12, af13 = 14, af21 = 18, af22 = 20, af23 = 22,
  af31 = 26, af32 = 28, af33 = 30, af41 = 34, af42 = 36, af43 = 38,
}

local DSCP_SPEC = {
  what = "dscp",
  want = "a DSCP by name or number, a range 'a-b' or a list of these",
  least = 0,
  most = 63,
  named = function(word)
    local number = DSCP[word:lower()]
    if number then
      return number
    end
    return nil, ("unknown DSCP %s%s"):format(text.quote(word), suggest.hint(word, suggest.keys(DSCP)))
  end,
}

local function dscp_name(number)
  for _, name in ipairs { "cs0", "cs1", "cs2", "cs3", "cs4", "cs5", "cs6", "cs7" } do
    if DSCP[name] == number then
      return name
    end
  end
  for _, name in ipairs(suggest.keys(DSCP)) do
    if DSCP[name] == number then
      return name
    end
  end
  return nil
end

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
  local lists = c.wire.lists
  if not lists or #lists ~= 1 or lists[1] ~= "out" then
    if not c.failed.dir then
      c:fail("user", "user: only packets made here have one; say dir = 'out'")
    end
    return
  end
  check_user_ranges(c, value)
end

local MARK_MOST = 0xffffffff

local function check_mark(c, value)
  local negated = false
  local number, mask = values.integer(value, true), nil
  if not number and type(value) == "string" then
    local rest = value:match("^%s*!%s*(.*)$")
    negated = rest ~= nil
    local a, b = (rest or value):match("^(%w+)/(%w+)$")
    number = values.integer(a or rest or value, true)
    mask = b and values.integer(b, true)
    if b and not mask then
      number = nil
    end
  end
  if not number or number < 0 or number > MARK_MOST or (mask and mask > MARK_MOST) then
    return c:fail("mark", "mark: expected a number or text like '0x1/0xff', got %s", text.quote(value))
  elseif mask and number & ~mask ~= 0 then
    return c:fail("mark", "mark: %s asks for bits that its mask does not look at", text.quote(value))
  end
  c.wire.mark_value, c.wire.mark_mask = number, mask
  if negated then
    c:negate("mark")
  end
end

local function read_mark(wire)
  if not wire.mark_value then
    return nil
  end
  local value = ("0x%x"):format(wire.mark_value)
  if wire.mark_mask and wire.mark_mask ~= MARK_MOST then
    value = ("%s/0x%x"):format(value, wire.mark_mask)
  end
  return is_negated(wire, "mark") and "!" .. value or value
end

local PERIODS = { second = 1000, minute = 60000, hour = 3600000, day = 86400000 }
local SHORT_PERIODS = { s = "second", sec = "second", m = "minute", min = "minute", h = "hour", d = "day" }
local LIMIT_MOST = 1000000

local function check_limit(c, value)
  local rate, burst = value, nil
  if type(value) == "table" then
    rate, burst = value[1], value.burst
    for key in next, value do
      if key ~= 1 and key ~= "burst" then
        return c:fail("limit", "limit: unknown %s; a limit is written { '10/minute', burst = 20 }", text.quote(key))
      end
    end
  end
  local count, period
  if type(rate) == "string" then
    local more
    count, period, more = rate:match("^%s*(%d+)%s*/%s*(%a+)%s*(.-)%s*$")
    if count and more ~= "" then
      local n = more:match("^burst%s+(%d+)$")
      count = n and burst == nil and count
      burst = n
    end
  end
  if not count then
    return c:fail("limit", "limit: expected text like '10/minute' or '10/minute burst 20', got %s", text.quote(value))
  end
  local unit = SHORT_PERIODS[period] or period
  local milliseconds = PERIODS[unit]
  if not milliseconds then
    return c:fail("limit", "limit: unknown unit %s%s", text.quote(period),
      suggest.hint(period, suggest.keys(PERIODS)))
  end
  count = math.tointeger(tonumber(count))
  if not count or count < 1 or count > LIMIT_MOST then
    return c:fail("limit", "limit: %s is not in 1 to %d packets", text.quote(rate), LIMIT_MOST)
  end
  local most
  if burst ~= nil then
    most = values.integer(burst)
    if not most or most < 1 or most > LIMIT_MOST then
      return c:fail("limit", "limit: burst %s is not in 1 to %d", text.quote(burst), LIMIT_MOST)
    end
  end
  c.wire.limit_count, c.wire.limit_period, c.wire.limit_burst = count, milliseconds, most
end

local function read_limit(wire)
  if not wire.limit_count then
    return nil
  end
  local rate
  for unit, milliseconds in pairs(PERIODS) do
    if milliseconds == wire.limit_period then
      rate = ("%d/%s"):format(wire.limit_count, unit)
    end
  end
  rate = rate or ("%d/%d ms"):format(wire.limit_count, wire.limit_period)
  return wire.limit_burst and ("%s burst %d"):format(rate, wire.limit_burst) or rate
end

local function check_per_source(c, value)
  local number = values.integer(value)
  if not number or number < 1 or number > 0x7fffffff then
    return c:fail("per_source", "per_source: expected a number of states from 1 on, got %s", text.quote(value))
  elseif c.verdict ~= "allow" then
    if c:written_here("per_source") then
      c:fail("per_source", "per_source counts the live states a rule made; a rule that says %s makes none", c.verdict)
    end
    return
  end
  c.wire.per_source = number
end

local function check_state(c, value)
  if type(value) ~= "boolean" then
    return c:fail("state", "state: expected true or false, got %s", text.quote(value))
  elseif c.verdict ~= "allow" then
    if value and c:written_here("state") then
      c:fail("state", "state: a rule that says %s lets nothing pass that a state could follow", c.verdict)
    end
    return
  end
  c.state = value
end

local function read_state(wire)
  if wire.verdict ~= "allow" then
    return nil
  end
  for _, flag in ipairs(wire.flags or {}) do
    if flag == "stateful" then
      return true
    end
  end
  return nil
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

--- The fields in their order: { name =, forms = the values it takes, help =, check =, read = }.
fields.list = {
  {
    name = "dir",
    forms = [['in', 'out', 'forward' or a list of these]],
    help = "The lists the rule stands in: packets to this machine, made here, or passing through. Without it, all three.",
    check = check_dir,
    read = read_dir,
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
    help = "The device the packet came in by. A last '*' stands for any rest.",
    check = check_device("iif", "out", "oif"),
    read = read_text("iif"),
  },
  {
    name = "oif",
    forms = [[a device name, 'eth*', '!eth0']],
    help = "The device the packet leaves by.",
    check = check_device("oif", "in", "iif"),
    read = read_text("oif"),
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
    forms = [['192.0.2.1', '10.0.0.0/8', 'fd00::/8', '10.0.0.5-10.0.0.9', 'me', a set, a list; '!' or ~set negates]],
    help = "Who sends it. 'me' is any address of this machine. A negation also matches the other family.",
    check = check_addresses("src"),
    read = read_addresses("src"),
  },
  {
    name = "dst",
    forms = "as src",
    help = "Whom it is for.",
    check = check_addresses("dst"),
    read = read_addresses("dst"),
  },
  {
    name = "sport",
    forms = [[22, 'ssh', '1024-65535', { 80, 'https' }; '!' negates]],
    help = "The port it comes from, by number, range or name of services(5). Without proto, of TCP and UDP.",
    check = check_ports("sport"),
    read = read_ranges("sport"),
  },
  {
    name = "dport",
    forms = "as sport",
    help = "The port it goes to.",
    check = check_ports("dport"),
    read = read_ranges("dport"),
  },
  {
    name = "icmp",
    forms = [['echo-request', 'packet-too-big', 8, '3/4', a list; '!' negates]],
    help = "The ICMP message, by name (in each family that has it) or as type or type/code of the one proto says.",
    check = check_icmp,
    read = read_icmp,
  },
  {
    name = "flags",
    forms = [['S/SAFR': those set / those looked at; 'S' looks at all six. Letters F S R P A U E C]],
    help = "TCP flags.",
    check = check_flags,
    read = read_flags,
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
    check = check_ranges("dscp", DSCP_SPEC),
    read = read_ranges("dscp", dscp_name),
  },
  {
    name = "user",
    forms = [[a user name, an id, '1000-2000', a list; '!' negates]],
    help = "The owner of the socket that made the packet; only with dir = 'out'.",
    check = check_user,
    read = read_ranges("user"),
  },
  {
    name = "mark",
    forms = [[0x1, '0x1/0xff', '!0x1']],
    help = "The packet's mark, all of it or the bits of a mask.",
    check = check_mark,
    read = read_mark,
  },
  {
    name = "limit",
    forms = [['10/minute', '10/minute burst 20', { '10/minute', burst = 20 }; second, minute, hour, day]],
    help = "Matches at most so often; those beyond go on to the next rule. Without burst, the count is the burst.",
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
  },
  {
    name = "state",
    forms = "true or false",
    help = "An allowed first packet makes a state, and the connection's other packets, both ways, need no rule. "
      .. "stateful = true in the policy makes it the default.",
    check = check_state,
    read = read_state,
  },
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

--- Fields that a later version will have: { name = what to say }.
fields.later = {
  helper = "helper is not available in this version",
}

fields.dscp_names = suggest.keys(DSCP)

return fields
