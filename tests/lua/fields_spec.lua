-- SPDX-License-Identifier: GPL-2.0-or-later
local support = require "support"
local rule = support.rule

-- The message of a rule beside what every rule has.
local function wire(fields, verdict)
  local message, problem = rule(fields, verdict)
  assert(message, problem)
  message.name, message.verdict, message.at, message.lists = nil, nil, nil, nil
  return message
end

local function problem_of(fields, verdict)
  local message, problem = rule(fields, verdict)
  assert.is_nil(message)
  return problem
end

local TCP_UDP = { { from = 6 }, { from = 17 } }

describe("a field", function()
  -- { what is written, what goes on the wire }
  local good = {
    { "", {} },
    { "family = 4", { family = 4 } },
    { "family = 'ipv6'", { family = 6 } },
    { "iif = 'eth0'", { iif = "eth0" } },
    { "oif = 'wlan*'", { oif = "wlan*" } },
    { "iif = '!eth0'", { iif = "eth0", negated = { "iif" } } },
    { "proto = 'tcp'", { proto = { { from = 6 } } } },
    { "proto = 47", { proto = { { from = 47 } } } },
    { "proto = 'icmpv6'", { proto = { { from = 58 } } } },
    { "proto = { 'udp', 'tcp', 'rsvp' }", { proto = { { from = 6 }, { from = 17 }, { from = 46 } } } },
    { "proto = '!tcp'", { proto = { { from = 6 } }, negated = { "proto" } } },
    { "src = '192.0.2.1'", { src = { ranges = { { from = "192.0.2.1" } } } } },
    { "src = '10.1.2.3/8'", { src = { ranges = { { from = "10.0.0.0", to = "10.255.255.255" } } } } },
    { "src = '10.0.0.7/32'", { src = { ranges = { { from = "10.0.0.7" } } } } },
    { "src = '0.0.0.0/0'", { src = { ranges = { { from = "0.0.0.0", to = "255.255.255.255" } } } } },
    {
      "dst = '2001:db8::/33'",
      { dst = { ranges = { { from = "2001:db8::", to = "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff" } } } },
    },
    { "dst = '10.0.0.5-10.0.0.9'", { dst = { ranges = { { from = "10.0.0.5", to = "10.0.0.9" } } } } },
    { "dst = 'me'", { dst = { me = true } } },
    { "dst = '!me'", { dst = { me = true }, negated = { "dst" } } },
    {
      "src = { '10.0.0.1', 'fd00::1', 'me', '10.0.0.1' }",
      { src = { ranges = { { from = "10.0.0.1" }, { from = "fd00::1" } }, me = true } },
    },
    {
      "src = { '!10.0.0.1', '! 10.0.0.2' }",
      { src = { ranges = { { from = "10.0.0.1" }, { from = "10.0.0.2" } } }, negated = { "src" } },
    },
    { "src = set { '10.0.0.1' }", { src = { ranges = { { from = "10.0.0.1" } } } } },
    { "src = ~set { '10.0.0.1' }", { src = { ranges = { { from = "10.0.0.1" } } }, negated = { "src" } } },
    { "src = ~~set { '10.0.0.1' }", { src = { ranges = { { from = "10.0.0.1" } } } } },
    {
      "src = { set { '10.0.0.1', set { 'fd00::1' } }, '10.0.0.2' }",
      { src = { ranges = { { from = "10.0.0.1" }, { from = "fd00::1" }, { from = "10.0.0.2" } } } },
    },
    { "dport = 22", { dport = { { from = 22 } }, proto = TCP_UDP } },
    { "dport = 22.0", { dport = { { from = 22 } }, proto = TCP_UDP } },
    { "dport = '22'", { dport = { { from = 22 } }, proto = TCP_UDP } },
    { "dport = 'ssh'", { dport = { { from = 22 } }, proto = TCP_UDP } },
    { "dport = 'http-alt'", { dport = { { from = 8080 } }, proto = TCP_UDP } },
    { "sport = '1024-65535'", { sport = { { from = 1024, to = 65535 } }, proto = TCP_UDP } },
    { "dport = 0", { dport = { { from = 0 } }, proto = TCP_UDP } },
    { "dport = '7-7'", { dport = { { from = 7 } }, proto = TCP_UDP } },
    {
      "dport = { 443, 80, 81, '79-80', 'domain' }, proto = 'tcp'",
      { dport = { { from = 53 }, { from = 79, to = 81 }, { from = 443 } }, proto = { { from = 6 } } },
    },
    { "dport = { '!22', '!23' }, proto = 'sctp'",
      { dport = { { from = 22, to = 23 } }, proto = { { from = 132 } }, negated = { "dport" } } },
    { "proto = 'udp', dport = 'shell' == nil and 1 or 'syslog'",
      { dport = { { from = 514 } }, proto = { { from = 17 } } } },
    {
      "icmp = 'echo-request'",
      { icmp = { { from = 0x800, to = 0x8ff }, { from = 0x18000, to = 0x180ff } }, proto = { { from = 1 },
        { from = 58 } } },
    },
    { "icmp = 'echo-request', family = 4", { family = 4, icmp = { { from = 0x800, to = 0x8ff } },
      proto = { { from = 1 } } } },
    {
      "icmp = 'echo-request', src = 'fd00::/8'",
      {
        src = { ranges = { { from = "fd00::", to = "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" } } },
        icmp = { { from = 0x18000, to = 0x180ff } }, proto = { { from = 58 } },
      },
    },
    { "icmp = 'timestamp-request'", { icmp = { { from = 0xd00, to = 0xdff } }, proto = { { from = 1 } } } },
    { "icmp = 'packet-too-big'", { icmp = { { from = 0x10200, to = 0x102ff } }, proto = { { from = 58 } } } },
    { "icmp = 'fragmentation-needed'", { icmp = { { from = 0x304 } }, proto = { { from = 1 } } } },
    { "icmp = 8, proto = 'icmp'", { icmp = { { from = 0x800, to = 0x8ff } }, proto = { { from = 1 } } } },
    { "icmp = '3/4', proto = 'icmp'", { icmp = { { from = 0x304 } }, proto = { { from = 1 } } } },
    { "icmp = '1/4', proto = 58", { icmp = { { from = 0x10104 } }, proto = { { from = 58 } } } },
    {
      "icmp = '!redirect'",
      {
        icmp = { { from = 0x500, to = 0x5ff }, { from = 0x18900, to = 0x189ff } },
        proto = { { from = 1 }, { from = 58 } }, negated = { "icmp" },
      },
    },
    { "flags = 'S/SAFR'", { tcp_value = 2, tcp_mask = 0x17, proto = { { from = 6 } } } },
    { "flags = 'S'", { tcp_value = 2, tcp_mask = 0x3f, proto = { { from = 6 } } } },
    { "flags = '/FSRPAU'", { tcp_value = 0, tcp_mask = 0x3f, proto = { { from = 6 } } } },
    { "flags = 'ec/EC', proto = 'tcp'", { tcp_value = 0xc0, tcp_mask = 0xc0, proto = { { from = 6 } } } },
    { "flags = 'S', dport = 22",
      { tcp_value = 2, tcp_mask = 0x3f, dport = { { from = 22 } }, proto = { { from = 6 } } } },
    { "length = '0-128'", { length = { { from = 0, to = 128 } } } },
    { "length = '!1500'", { length = { { from = 1500 } }, negated = { "length" } } },
    { "ipsec = true", { ipsec = 1 } },
    { "ipsec = false", { ipsec = 0 } },
    { "dscp = 'ef'", { dscp = { { from = 46 } } } },
    { "dscp = { 'cs6', 'AF11', 0 }", { dscp = { { from = 0 }, { from = 10 }, { from = 48 } } } },
    { "dir = 'out', user = 'alice'", { user = { { from = 1000 } } } },
    { "dir = 'out', user = { '1000-2000', 'root' }", { user = { { from = 0 }, { from = 1000,
      to = 2000 } } } },
    { "dir = 'out', user = '!root'", { user = { { from = 0 } }, negated = { "user" } } },
    { "mark = 1", { mark_value = 1 } },
    { "mark = '0x10/0xf0'", { mark_value = 0x10, mark_mask = 0xf0 } },
    { "mark = '!0x1'", { mark_value = 1, negated = { "mark" } } },
    { "mark = 0xffffffff", { mark_value = 0xffffffff } },
    { "limit = '10/minute'", { limit_count = 10, limit_period = 60000 } },
    { "limit = '10/minute burst 20'", { limit_count = 10, limit_period = 60000, limit_burst = 20 } },
    { "limit = { '1/s', burst = 5 }", { limit_count = 1, limit_period = 1000, limit_burst = 5 } },
    { "limit = '3 / day'", { limit_count = 3, limit_period = 86400000 } },
    { "state = true, per_source = 10", { per_source = 10, flags = { "stateful" } } },
    { "state = true", { flags = { "stateful" } } },
    { "state = false", {} },
    { "log = 'x'", { log = "x" } },
    { "log = true", { log = "r" } },
    { "comment = 'why'", { comment = "why" } },
  }
  for _, case in ipairs(good) do
    it(("takes { %s }"):format(case[1]), function()
      assert.same(case[2], wire(case[1]))
    end)
  end

  -- { what is written, the error }
  local bad = {
    { "dir = 'on'", "dir is 'in', 'out' or 'forward', got 'on'; did you mean 'in'?" },
    { "dir = {}", "dir: an empty list matches nothing" },
    { "family = 5", "family is 4 or 6, got 5" },
    { "iif = 'a-name-that-is-too-long'",
      "iif: 'a-name-that-is-too-long' is no device name (1 to 15 characters)" },
    { "iif = 'et*h'", "iif: 'et*h' is no device name (only a last '*' stands for any rest)" },
    { "iif = { 'eth0', 'eth1' }",
      "iif: expected one device name, got a table; write one rule for each, or a pattern like 'eth*'" },
    { "dir = 'out', iif = 'eth0'", "iif: packets of list 'out' have no in device; use oif" },
    { "dir = 'in', oif = 'eth0'", "oif: packets of list 'in' have no out device; use iif" },
    { "proto = 'tpc'", "unknown protocol 'tpc'; did you mean 'tcp'?" },
    { "proto = 256", "protocol 256 is not in 0 to 255" },
    { "proto = ''", "expected a protocol name or number, or a list of these, got ''" },
    { "src = '10.0.0.256'", "src: bad address '10.0.0.256'" },
    { "src = '010.0.0.1'", "src: bad address '010.0.0.1'" },
    { "src = 'example.com'",
      "src: bad address 'example.com' (names are not looked up: a rule holds addresses)" },
    { "src = 'fe80::1%eth0'",
      "src: bad address 'fe80::1%eth0' (a zone has no meaning here; use iif or oif)" },
    { "src = 'mee'", "src: bad address 'mee'; did you mean 'me'?" },
    { "src = '10.0.0.0/33'", "src: '10.0.0.0/33': an IPv4 prefix has at most 32 bits" },
    { "src = '10.0.0.0/255.0.0.0'",
      "src: bad prefix '10.0.0.0/255.0.0.0': write it as 192.0.2.0/24 or 2001:db8::/32" },
    { "src = '10.0.0.9-10.0.0.1'", "src: the range '10.0.0.9-10.0.0.1' ends before it begins" },
    { "src = '10.0.0.9-fd00::1'",
      "src: the range '10.0.0.9-fd00::1' begins in one family and ends in the other" },
    { "src = {}", "src: an empty list matches nothing" },
    { "src = { '10.0.0.1', nil, '10.0.0.2' }", "src: the list has a hole: one of its values is nil" },
    { "src = { net = '10.0.0.1' }", "src: a list is wanted here, but it has the key 'net'" },
    { "src = { '10.0.0.1', '!10.0.0.2' }",
      "src: a list is negated as a whole: put '!' before all of its values or before none" },
    { "src = 5", "src: expected an address, a prefix, a range 'a-b', 'me', a set or a list of these, got 5" },
    { "src = false",
      "src: expected an address, a prefix, a range 'a-b', 'me', a set or a list of these, got false" },
    { "dport = 'htpps'", "unknown service 'htpps'; did you mean 'https'?" },
    { "dport = 65536", "port 65536 is not in 0 to 65535" },
    { "dport = -1", "port -1 is not in 0 to 65535" },
    { "dport = 22.5",
      "dport: expected a port number, a service name, a range 'a-b' or a list of these, got 22.5" },
    { "dport = '99999999999999999999'",
      "dport: expected a port number, a service name, a range 'a-b' or a list of these, got "
        .. "'99999999999999999999'" },
    { "dport = '30-20'", "the range '30-20' ends before it begins" },
    { "dport = true",
      "dport: expected a port number, a service name, a range 'a-b' or a list of these, got true" },
    { "proto = 'udp', dport = 'ssh'", "service 'ssh' is not one of udp" },
    { "dport = 'rpc'", "service 'rpc' has a port of its own in each protocol; say which with proto" },
    { "proto = 'icmp', dport = 22", "dport: protocol 'icmp' has no ports" },
    { "proto = '!tcp', dport = 22",
      "dport: ports belong to protocols; name those that are meant instead of '!' in proto" },
    { "icmp = 'echo'", "unknown ICMP message 'echo'" },
    { "icmp = 'echo-requst'", "unknown ICMP message 'echo-requst'; did you mean 'echo-request'?" },
    { "icmp = 8", "icmp = 8: which family? Say proto = 'icmp' or proto = 'icmpv6', or use a name" },
    { "icmp = '8/256', proto = 'icmp'", "ICMP type and code are 0 to 255, got '8/256'" },
    { "icmp = 'packet-too-big', family = 4",
      "'packet-too-big' does not exist in ICMP, the only family this rule can match" },
    { "icmp = 'echo-request', proto = 'tcp'", "icmp: protocol 'tcp' has no ICMP messages" },
    { "icmp = 'echo-request', dport = 5", "icmp: ICMP has no ports; a rule asks for one or the other" },
    { "flags = 'S/A'", "flags: 'S/A' asks for flags that it does not look at" },
    { "flags = 'X'",
      "flags: expected those set and those looked at, like 'S/SAFR' (letters FSRPAUEC), got 'X'" },
    { "flags = 'S', proto = 'udp'", "flags: only TCP has them; say proto = 'tcp' or leave proto out" },
    { "flags = 2", "flags: expected text like 'S/SAFR', got 2" },
    { "length = 70000", "length 70000 is not in 0 to 65575" },
    { "ipsec = 'yes'", "ipsec: expected true or false, got 'yes'" },
    { "dscp = 64", "dscp 64 is not in 0 to 63" },
    { "dscp = 'af51'", "unknown DSCP 'af51'; did you mean 'af11'?" },
    { "user = 'root'", "user: only packets made here have one; say dir = 'out'" },
    { "dir = { 'in', 'out' }, user = 'root'", "user: only packets made here have one; say dir = 'out'" },
    { "dir = 'out', user = 'nobody-knows'", "unknown user 'nobody-knows'" },
    { "mark = 'x'", "mark: expected a number or text like '0x1/0xff', got 'x'" },
    { "mark = 0x100000000", "mark: expected a number or text like '0x1/0xff', got 4294967296" },
    { "mark = '0x100/0xff'", "mark: '0x100/0xff' asks for bits that its mask does not look at" },
    { "limit = 10", "limit: expected text like '10/minute' or '10/minute burst 20', got 10" },
    { "limit = '10/minut'", "limit: unknown unit 'minut'; did you mean 'minute'?" },
    { "limit = '0/minute'", "limit: '0/minute' is not in 1 to 1000000 packets" },
    { "limit = { '1/s', brust = 5 }", "limit: unknown 'brust'; it is written { '10/minute', burst = 20 }" },
    { "limit = '1/s bust 5'",
      "limit: expected text like '10/minute' or '10/minute burst 20', got '1/s bust 5'" },
    { "per_source = 5", "per_source counts the live states a rule made; say state = true" },
    { "per_source = 0, state = true", "per_source: expected a number of states from 1 on, got 0" },
    { "state = 'yes'", "state: expected true or false, got 'yes'" },
    { "log = ''", "log: '' is no prefix (some text without control characters)" },
    { "log = 'a\\nb'", "log: 'a\\x0ab' is no prefix (some text without control characters)" },
    { "log = ('x'):rep(64)", "log: the prefix has 64 bytes; at most 63 fit" },
    { "comment = ('x'):rep(256)", "comment: 256 bytes are too long; at most 255 fit" },
    { "family = 4, src = 'fd00::1'", "can never match: src is IPv6 only, but family is not" },
    { "src = '10.0.0.1', dst = 'fd00::1'", "can never match: dst is IPv6 only, but src is not" },
    { "proto = 'icmpv6', src = '10.0.0.1'", "can never match: src is IPv4 only, but proto is not" },
    { "sate = true", "unknown field 'sate'; did you mean 'state'?" },
    { "name = 'x'", "unknown field 'name': the first value is the rule's name" },
    { "'y'", "a rule has one name and then fields like dport = 80; what is the value at 2?" },
  }
  for _, case in ipairs(bad) do
    it(("refuses { %s }"):format(case[1]), function()
      assert.equal(case[2], problem_of(case[1]))
    end)
  end

  it("of states is refused in a rule that lets nothing pass", function()
    assert.matches("state: a rule that says deny lets nothing pass", problem_of("state = true", "deny"))
    assert.matches("a rule that says reject makes none", problem_of("per_source = 3", "reject"))
    assert.same({}, wire("state = false", "deny"))
  end)

  it("holds no more than a message", function()
    local list = {}
    for i = 1, 1500 do
      list[i] = ("'fd00::%x'"):format(i)
    end
    local problem = problem_of("src = { " .. table.concat(list, ",") .. " }")
    assert.matches("too many addresses and ports for one rule", problem)
  end)

  it("of addresses of both families is a negation of both", function()
    local message = wire("src = { '!10.0.0.0/8', '!fd00::/8' }, dst = '192.0.2.1'")
    assert.same({ "src" }, message.negated)
  end)
end)

describe("dir", function()
  it("is all three lists when it is absent", function()
    assert.same({ "in", "out", "forward" }, rule("").lists)
    assert.same({ "in" }, rule("dir = 'in'").lists)
    assert.same({ "forward", "out" }, rule("dir = { 'forward', 'out', 'out' }").lists)
    assert.same({ "in", "out", "forward" }, rule("iif = 'lo'").lists)
  end)
end)

describe("a rule of the wire", function()
  local read = require("ipfi.policy.rule").read

  it("is read back as it would be written", function()
    local cases = {
      [[src = '10.0.0.0/8']], [[src = '!fd00::/8']], [[dst = { 'me', '10.0.0.1', '10.0.0.3-10.0.0.9' }]],
      [[dst = '2001:db8::/33']], [[dst = '0.0.0.0/0']], [[dst = '::/0']], [[dst = '10.0.0.1-10.0.0.2']],
      [[dst = '10.0.0.0-10.0.0.5']], [[dst = '10.0.0.0-10.0.1.255']], [[dst = 'fd00::ff00-fd00::1:ffff']],
      [[dport = { 22, '80-81' }, proto = 'tcp']], [[proto = '!udp']],
        [[proto = { 'tcp', 'udp' }, sport = 53]],
      [[icmp = 'echo-request', proto = { 'icmp', 'icmpv6' }]], [[icmp = '3/4', proto = 'icmp']],
      [[icmp = 'fragmentation-needed', proto = 'icmp']], [[icmp = '42', proto = 'icmp']],
      [[flags = 'S/FSRA', proto = 'tcp']], [[length = '!0-128']], [[dscp = { 'cs1', 'ef' }]],
        [[dscp = 'af11']],
      [[ipsec = true]], [[ipsec = false]],
      [[dir = 'out', user = '1000-2000']], [[mark = '0x1/0xff']], [[mark = '!0x1']], [[limit = '10/minute']],
      [[limit = '1/day burst 4']], [[state = true, per_source = 3]], [[log = 'x', comment = 'y']],
      [[iif = '!eth0', oif = 'eth*', dir = 'forward']], [[family = 6]],
    }
    for _, fields in ipairs(cases) do
      local first = assert(rule(fields))
      local row = read(first)
      row.dir = row.dir and #first.lists < 3 and row.dir or nil
      local written = {}
      for name, value in pairs(row) do
        written[#written + 1] = name .. " = " .. require("ipfi.base.print").show(value)
          :gsub("^([^{\n]*)\n$", type(value) == "string" and "'%1'" or "%1")
      end
      local again, problem = rule(table.concat(written, ", "))
      assert(again, problem)
      first.at, again.at = nil, nil
      assert.same(first, again, fields)
    end
  end)
end)
