-- SPDX-License-Identifier: GPL-2.0-or-later
-- Cases of the codec: what goes out, what comes back, what is refused.
local codec = require "ipfi.c.codec"

local cases = {}

-- Are two values the same, tables by what is in them?
local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then
    return a == b and math.type(a) == math.type(b)
  end
  for key, value in pairs(a) do
    if not same(value, b[key]) then
      return false
    end
  end
  for key in pairs(b) do
    if a[key] == nil then
      return false
    end
  end
  return true
end

local function hex(bytes)
  return (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

-- Bytes from hexadecimal digits; spaces, and "--" up to the end of a line, are for the reader.
local function unhex(text)
  text = text:gsub("%-%-[^\n]*", ""):gsub("%s", "")
  return (text:gsub("..", function(pair) return string.char(tonumber(pair, 16)) end))
end

local function expect(got, wanted)
  if got ~= wanted then
    error(("got %s\nwanted %s"):format(tostring(got), tostring(wanted)), 2)
  end
end

-- What encode() says to a message that it refuses.
local function refusal(message)
  local ok, err = pcall(codec.encode, { message })
  assert(not ok, "was not refused")
  return err
end

-- Golden bytes, written down from linux/netlink.h, linux/genetlink.h and linux/ipfi.h.
function cases.golden_bytes_of_a_rule()
  local bytes = codec.encode { { cmd = "rule_add", flags = { "ack" }, rule = {
    name = "web", lists = { "in", "forward" }, verdict = "allow", flags = { "stateful" },
    src = { ranges = { { from = "10.0.0.0", to = "10.0.0.255" } }, me = true },
    dport = { { from = 80 }, { from = 443, to = 445 } },
  } } }
  expect(hex(bytes), hex(unhex [[
    78000000 1000 0500 00000000 00000000  -- length, GENL_MIN_ID, REQUEST | ACK, sequence, port
    05 01 0000                            -- RULE_ADD, version 1
    6400 0480                             -- RULE, nested
      0800 0100 77656200                  --   NAME "web"
      0500 0200 05000000                  --   LISTS in, forward
      0500 0300 01000000                  --   VERDICT allow
      0800 0400 01000000                  --   FLAGS stateful
      1c00 0a80                           --   SRC, nested
        1400 0180                         --     RANGE, nested
          0800 0100 0a000000              --       FROM
          0800 0200 0a0000ff              --       TO
        0400 0200                         --     ME
      2400 0d80                           --   DPORT, nested
        0c00 0180 0800 0100 50000000      --     RANGE { FROM 80 }
        1400 0180 0800 0100 bb010000      --     RANGE { FROM 443,
                  0800 0200 bd010000      --             TO 445 }
  ]]))
end

-- One message of each command, with every attribute somewhere.
local MESSAGES = {
  { cmd = "info", info = { version = "1.0", generation = 7, armed = 1, name = "gateway", rules = 3,
    confirm = 60000 } },
  { cmd = "limits_get" },
  { cmd = "limits_set", flags = { "ack" }, limits = { max_states = 0x7fffffff, tcp_loose = 0, icmp = 30 } },
  { cmd = "ruleset_begin", ruleset = { name = "p", default_in = "deny", default_out = "allow",
    default_forward = "reject", limits = { tcp_established = 3600 }, set = { "bans", "friends" } } },
  { cmd = "rule_add", rule = {
    name = "all", lists = { "in", "out", "forward" }, verdict = "reject", flags = { "stateful" },
    negated = { "iif", "src", "mark" }, family = 6, iif = "eth*", oif = "wan0",
    proto = { { from = 6 }, { from = 17 } },
    src = { ranges = { { from = "fd00::", to = "fd00::ffff" }, { from = "192.0.2.1" } } },
    dst = { me = true, set = { "bans" } }, sport = { { from = 1024, to = 65535 } }, dport = { { from = 53 } },
    icmp = { { from = 0x10000 + (128 << 8) } }, tcp_mask = 0x3f, tcp_value = 2,
    length = { { from = 40, to = 1500 } }, dscp = { { from = 46 } }, user = { { from = 0, to = 0xffffffff } },
    ipsec = 1, mark_value = 1, mark_mask = 0xffffffff, limit_count = 10, limit_period = 60000,
    limit_burst = 20,
    per_source = 5, helper = "ftp", mss = 0xffff, log = "in-deny", comment = "", at = "a.lua:3",
    written = "{\"x\":\"\0\"}",
    id = -1, packets = math.maxinteger, bytes = math.mininteger,
  } },
  { cmd = "rule_add", rule = {
    name = "www", lists = { "dstnat" }, verdict = "dnat", flags = { "persistent", "ftp_foreign" },
    target = { addrs = { ranges = { { from = "10.0.0.10", to = "10.0.0.20" }, { from = "fd00::10" } } },
      port_from = 8000, port_to = 8010 },
  } },
  { cmd = "ruleset_commit", flags = { "ack" }, commit = { expect = 0xffffffff, states = "flush",
    confirm = 86400 } },
  { cmd = "ruleset_abort" },
  { cmd = "rules_dump", flags = { "dump" } },
  { cmd = "states_dump", state = {
    family = 4, proto = 6, state = "SYN_SENT", flags = { "midstream", "reply_seen", "src_nat", "dst_nat" },
    src = "10.0.0.1", dst = "255.255.255.255", sport = 65535, dport = 0, list = "out", iif = 0, oif = 2,
    rule = 1 << 62, packets = 1, bytes = 2, reply_packets = 3, reply_bytes = 4, timeout = 5, age = 6,
    mark = 7, generation = 8, id = (1 << 53) - 1, nat_src = "203.0.113.1", nat_sport = 40000,
    nat_dst = "10.0.0.10", nat_dport = 8080, helper = "ftp", master = 9, vrf = 3, dst_vrf = 4,
  } },
  { cmd = "states_count", filter = { vrf = 3,
    family = 4, proto = 17, states = { "SYN_SENT", "UDP_NEW", "OTHER" },
    src = { addr = "10.0.0.0", length = 8 }, dst = { addr = "::", length = 0 },
    addr = { addr = "192.0.2.1" }, sport = { from = 1, to = 2 },
    dport = { from = 53 }, port = { from = 0, to = 65535 }, rule = 5, iif = 1, oif = 2,
    device = 3, midstream = 1, mark = 4, id = 5, master = 6, helper = "ftp", nat = { "src_nat" },
  } },
  { cmd = "states_delete", filter = {} },
  { cmd = "stats", stats = {
    states = 1, states_peak = 2, max_states = 3, state_size = 192, memory = 1 << 40,
    memory_at_limit = 1 << 41, generation = 4, packets = 5, created = 6, evicted = 7, expired = 8,
    translated = 9, expectations = 10,
    counters = { { reason = "rule-deny", packets = 1 }, { reason = "state", packets = 1 << 33 } },
  } },
  { cmd = "expectations_dump", flags = { "dump" }, expectation = {
    family = 6, proto = 6, src = "fd00::5", dst = "2001:db8::1", dport = 40001, nat_dst = "fd00::10",
    nat_dport = 40002, helper = "ftp", master = 7, rule = 1 << 62, timeout = 30000,
  } },
  { cmd = "sets_dump", flags = { "dump" }, set = { name = "bans", members = 100000, changed = 1 } },
  { cmd = "set_add", set = { name = "bans", member = {
    { addr = "192.0.2.1", timeout = 600000 }, { addr = "2001:db8::", length = 32 } } } },
  { cmd = "set_delete", set = { name = "bans", member = { { addr = "192.0.2.0", length = 24 } } } },
  { cmd = "ruleset_confirm", flags = { "ack" }, commit = { expect = 7 } },
  { cmd = "ruleset_rollback", flags = { "ack" }, commit = {} },
  { cmd = "explain", flags = { "dump" }, packet = {
    data = "\x45\0\0\x14", list = "out", iif = "lo", oif = "eth0", mark = 1, user = 1000, ipsec = 1 } },
  { cmd = "explain", step = { { list = "in", rule = 1, field = "dport" }, { list = "srcnat", rule = -1 } },
    result = { verdict = "allow", reason = "rule-allow", list = "forward", rule = 1 << 62,
      state = "SYN_SENT", state_id = (1 << 53) - 1, dstnat_rule = 2, srcnat_rule = 3,
      src = "203.0.113.1", dst = "192.0.2.1", sport = 40000, dport = 443 } },
  { cmd = "drops_dump", flags = { "dump" }, drop = {
    time = 1700000000000000000, reason = "rule-deny", list = "in", iif = 2, oif = 0, rule = 5, mark = 6,
    length = 60, header = "\x45\0\0\x3c", missed = 7 } },
  { cmd = "ruleset_dry_run", flags = { "ack" }, stats = { states = 9 }, dry_run = {
    { impact = "denied", list = "in", rule = 1 << 62, by = "rest", states = 7 },
    { impact = "retranslated", states = 2, rest = true } } },
  { cmd = "event_state", event = { kind = "destroyed", cause = "expired" }, state = { proto = 1 } },
  { cmd = "event_full", stats = { states = 5, max_states = 5 } },
  { cmd = "event_nat_full", log = { name = "lan out", list = "srcnat", dport = 80 } },
  { cmd = "event_log", log = {
    prefix = "x", rule = 1, name = "r", verdict = "deny", reason = "rule-deny", state = "NONE",
    list = "in", family = 6, proto = 58, src = "fe80::1", dst = "ff02::1", sport = 1, dport = 2,
    icmp = 0x8700, iif = 1, oif = 0, length = 72, time = 1700000000000000000,
  } },
  { cmd = "event_ruleset", info = { generation = 2, change = "timed-out", rules = 3, nat_rules = 1 } },
}

function cases.every_message_comes_back()
  for _, message in ipairs(MESSAGES) do
    local back = assert(codec.decode(codec.encode { message }))
    assert(#back == 1 and same(back[1], message), message.cmd)
  end
  local all = codec.encode(MESSAGES)
  assert(same(codec.decode(all), MESSAGES))
  expect(#all % 4, 0)
end

function cases.the_messages_cover_the_schema()
  local schema, commands, seen = codec.schema(), {}, {}
  local function walk(nest, value)
    for key, inner in pairs(value) do
      for _, attr in ipairs(schema.nests[nest]) do
        if schema.nests[nest].list or attr.name == key then
          seen[nest .. "." .. attr.name] = true
          local list = attr.repeated and not schema.nests[nest].list and inner or { inner }
          for _, one in ipairs(attr.nest and list or {}) do
            walk(attr.nest, one)
          end
        end
      end
    end
  end
  for _, message in ipairs(MESSAGES) do
    commands[message.cmd] = true
    walk(schema.top, message)
  end
  for _, command in ipairs(schema.commands) do
    assert(commands[command.name], command.name)
  end
  for name, nest in pairs(schema.nests) do
    for _, attr in ipairs(nest) do
      -- The limits are all alike.
      assert(name == "limits" or seen[name .. "." .. attr.name], name .. "." .. attr.name)
    end
  end
end

function cases.values_without_a_name_are_numbers()
  local message = { cmd = "event_log", log = { verdict = 9, reason = 255 } }
  message.state = { flags = { "midstream", 31 } }
  local back = codec.decode(codec.encode { message })[1]
  assert(same(back, message))
  -- A name and its number are the same on the wire.
  expect(codec.encode { { cmd = 1 } }, codec.encode { { cmd = "info" } })
end

function cases.addresses_are_canonical()
  local function text(address)
    return codec.decode(codec.encode { { cmd = "states_count", filter = { addr = { addr = address } } } })[1]
      .filter.addr.addr
  end
  for given, canonical in pairs {
    ["10.0.0.1"] = "10.0.0.1", ["255.255.255.255"] = "255.255.255.255", ["0.0.0.0"] = "0.0.0.0",
    -- RFC 5952, sections 2 and 4
    ["2001:0db8:0000:0000:0001:0000:0000:0001"] = "2001:db8::1:0:0:1",
    ["2001:DB8:0:0:1:1:1:1"] = "2001:db8::1:1:1:1",
    ["2001:db8:0:1:1:1:1:1"] = "2001:db8:0:1:1:1:1:1",
    ["2001:0:0:1:0:0:0:1"] = "2001:0:0:1::1",
    ["0:0:0:0:0:0:0:0"] = "::", ["::0001"] = "::1", ["1::"] = "1::",
    ["ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"] = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ["::ffff:c000:0201"] = "::ffff:192.0.2.1", ["::1.2.3.4"] = "::1.2.3.4",
  } do
    expect(text(given), canonical)
  end
end

function cases.refusals_name_the_path()
  local function rule(fields)
    return { cmd = "rule_add", rule = fields }
  end
  local refused = {
    [rule { name = 3 }] = "rule.name: wants a string, got number",
    [rule { name = ("x"):rep(64) }] = "rule.name: 64 bytes are too long; at most 63 fit",
    [rule { name = "a\0b" }] = "rule.name: a string with a NUL in it",
    [rule { written = ("x"):rep(8193) }] = "rule.written: 8193 bytes are too long; at most 8192 fit",
    [rule { colour = "red" }] = "rule: rule has no 'colour'",
    [rule { "x" }] = "rule: rule has no '1'",
    [rule { dport = { { from = 1 }, { from = "x" } } }] = "rule.dport[2].from: wants an integer, got string",
    [rule { dport = { { from = 1 << 32 } } }] =
      "rule.dport[1].from: 4294967296 is not between 0 and 4294967295",
    [rule { dport = { { from = -1 } } }] = "rule.dport[1].from: -1 is not between 0 and 4294967295",
    [rule { dport = { { from = 1.5 } } }] = "rule.dport[1].from: 1.5 is no integer",
    [rule { dport = 5 }] = "rule.dport: wants a table, got number",
    [rule { dport = { 5 } }] = "rule.dport[1]: wants a table, got number",
    [rule { src = { ranges = { { from = "10.0.0.256" } } } }] =
      "rule.src.ranges[1].from: '10.0.0.256' is no address",
    [rule { src = { ranges = 1 } }] = "rule.src.ranges: wants a list, got number",
    [rule { src = { me = 1 } }] = "rule.src.me: wants a boolean, got number",
    [rule { verdict = "maybe" }] = "rule.verdict: 'maybe' is no verdict",
    [rule { verdict = 256 }] = "rule.verdict: 256 is not between 0 and 255",
    [rule { verdict = {} }] = "rule.verdict: wants a name, got table",
    [rule { lists = "in" }] = "rule.lists: wants a list of names, got string",
    [rule { lists = { "in", "up" } }] = "rule.lists[2]: 'up' is no list",
    [rule { lists = { 8 } }] = "rule.lists[1]: 8 is not between 0 and 7",
    [{ cmd = "fly" }] = "cmd: 'fly' is no cmd",
    [{}] = "cmd: wants a name, got nil",
    [{ cmd = "info", flags = { "loud" } }] = "flags: knows only 'ack' and 'dump'",
    [{ cmd = "info", extra = 1 }] = "ipfi has no 'extra'",
    [5] = "a message is a table, not number",
  }
  for message, wanted in pairs(refused) do
    expect(refusal(message), wanted)
  end
end

function cases.a_nest_has_its_limit()
  local function ranges(count)
    local list = {}
    for i = 1, count do
      list[i] = { from = i }
    end
    return { cmd = "rule_add", rule = { dport = list } }
  end
  -- 12 bytes each, and 4 of dport's own header in that of the rule.
  assert(#codec.encode { ranges(5460) } > 65000)
  local full = ranges(5460)
  full.rule.name = "x"
  expect(refusal(full), "rule: more than the 65531 bytes that fit into one message's part")
  expect(refusal(ranges(6000)), "rule.dport: more than the 65531 bytes that fit into one message's part")
end

function cases.a_long_list_of_messages()
  local list = {}
  for i = 1, 20000 do
    list[i] = { cmd = "rule_add", rule = { name = "rule " .. i, id = i } }
  end
  local back = assert(codec.decode(codec.encode(list)))
  assert(same(back, list))
end

-- Malformed bytes: each with its offset and reason.
function cases.malformed_bytes_are_no_messages()
  local function try(text, offset, why)
    local messages, err = codec.decode(unhex(text))
    assert(messages == nil)
    expect(err, ("offset %d: %s"):format(offset, why))
  end
  local function message(attributes)
    local bytes = unhex(attributes)
    return hex(string.pack("<I4I2I2I4I4BBI2", 20 + #bytes, 16, 1, 0, 0, 1, 1, 0)) .. attributes
  end
  try("00", 0, "too short for a message header")
  try("0f000000 10000000 00000000 00000000", 0, "a message length below that of its header")
  try("11000000 10000000 00000000 00000000", 0, "a message longer than the bytes there are")
  try("10000000 10000000 00000000 00000000", 0, "too short for a generic netlink header")
  try("10000000 0400 0000 00000000 00000000", 0, "a message of unknown type")
  try("12000000 0200 0000 00000000 00000000 0000", 0, "too short for an acknowledgement")
  try(message "0400 01", 20, "too short for an attribute header")
  try(message "0300 0100", 20, "an attribute length below that of its header")
  try(message "0800 0100 0000", 20, "an attribute longer than what holds it")
  -- info { generation }
  try(message "0a00 0180  0600 0200 0000 0000", 24, "a number of the wrong size")
  -- info { version }
  try(message "0800 0180  0400 0100", 24, "a string without its end")
  try(message "0c00 0180  0800 0100 61626364", 24, "a string without its end")
  -- info { generation } longer than info
  try(message "0800 0180  0800 0200", 24, "an attribute longer than what holds it")
  -- rule { src { me } } with a value, and an address of 5 bytes
  try(message "1000 0480  0c00 0a80  0800 0200 00000000", 28, "a flag with a value")
  try(message "1800 0480  1400 0a80  1000 0180  0900 0100 0a00000001000000", 32,
    "an address that has neither 4 nor 16 bytes")
end

function cases.every_truncation_is_noticed()
  local whole = codec.encode { MESSAGES[5] }
  for length = 1, #whole - 1 do
    local messages, err = codec.decode(whole:sub(1, length))
    assert(messages == nil and err:find "^offset %d+: ", length)
  end
  -- The padding of the last message and of its last attributes may be missing.
  local bare = "1f000000 1000 0100 00000000 00000000 01 01 0000  0b00 0180  0700 0400 616200"
  for _, padding in ipairs { "", "00" } do
    assert(same(codec.decode(unhex(bare .. padding)), { { cmd = "info", info = { name = "ab" } } }))
  end
end

function cases.what_is_unknown_is_skipped()
  -- Attribute 99 on the top level and in info, before the generation.
  local messages = assert(codec.decode(unhex [[
    30000000 1000 0100 00000000 00000000 01 01 0000
    0800 6300 01020304
    1400 0180 0500 6300 ff000000 0800 0200 05000000 ]]))
  assert(same(messages, { { cmd = "info", info = { generation = 5 } } }))
  -- A command without a name.
  expect(codec.decode(unhex "14000000 1000 0100 00000000 00000000 c8 01 0000")[1].cmd, 200)
end

function cases.acknowledgements()
  local ack = codec.decode(unhex [[ 24000000 0200 0001 01000000 00000000
    00000000 14000000 1000 0500 01000000 00000000 ]])
  assert(same(ack, { { cmd = "ack" } }))
  local refused = codec.decode(unhex [[ 24000000 0200 0001 01000000 00000000
    8cffffff 14000000 1000 0500 01000000 00000000 ]])
  assert(same(refused, { { cmd = "error", errno = 116, name = "ESTALE", message = "Stale file handle" } }))
  -- With a text: NLM_F_CAPPED | NLM_F_ACK_TLVS, MSG "no".
  local why = codec.decode(unhex [[ 2c000000 0200 0003 01000000 00000000
    eaffffff 14000000 1000 0500 01000000 00000000 0700 0100 6e6f0000 ]])
  assert(same(why, { { cmd = "error", errno = 22, name = "EINVAL", message = "no" } }))
  -- Not capped: the request of 20 bytes stands before the text.
  why = codec.decode(unhex [[ 30000000 0200 0002 01000000 00000000
    eaffffff 14000000 1000 0500 01000000 00000000 01010000 0700 0100 6e6f0000 ]])
  assert(same(why, { { cmd = "error", errno = 22, name = "EINVAL", message = "no" } }))
  assert(same(codec.decode(unhex "14000000 0300 0200 01000000 00000000 00000000"), { { cmd = "done" } }))
end

function cases.lists_for_the_shell()
  local limits, states, reasons = codec.limits(), codec.states(), codec.reasons()
  expect(limits[1].name, "max_states")
  expect(limits[6].name .. limits[6].least .. limits[6].default, "tcp_established13600")
  expect(states[1], "SYN_SENT")
  expect(states[#states], "OTHER")
  expect(reasons[1].name, "state")
  assert(reasons[1].accepted and #reasons[1].help > 0)
  expect(table.concat(codec.helpers(), " "), "ftp")
  local schema = codec.schema()
  expect(schema.name .. schema.version .. schema.top, "ipfi1ipfi")
  expect(schema.enums.verdict[3].name .. schema.enums.verdict[3].value, "reject3")
  assert(schema.nests.ranges.list and not schema.nests.rule.list)
end

return cases
