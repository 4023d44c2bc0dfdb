-- SPDX-License-Identifier: GPL-2.0-or-later
-- The help of the prompt. Fields, limits and filters come from the tables that check them.
local codec = require "ipfi.c.codec"
local events = require "ipfi.live.events"
local fields = require "ipfi.field.list"
local filters = require "ipfi.live.filters"
local fw = require "ipfi.fw"
local limits = require "ipfi.field.limits"
local packet = require "ipfi.packet.packet"
local packet_test = require "ipfi.policy.packet_test"
local policy = require "ipfi.policy.policy"
local states = require "ipfi.live.states"
local suggest = require "ipfi.base.suggest"
local sys = require "ipfi.c.sys"
local text = require "ipfi.base.text"

local help = {}

--- Functions and words: { name =, call =, text = }, in the order of a first reading.
help.entries = {
  {
    name = "fw.load",
    call = "fw.load(path, args) -> policy",
    text = "Loads and checks a policy file; nothing is sent. args is a table that the policy sees as args. "
      .. "All mistakes of the file come in one error.",
  },
  {
    name = "fw.lint",
    call = "fw.lint(policy) -> findings",
    text = "Rules of the policy that are of no use, or do something else than they seem to, as rows with "
      .. "kind, rule, at, by = { { rule =, at = } }, "
      .. "text, packet and witness. kind is \"dead\" when no packet has what the rule asks for, "
      .. "\"shadowed\" when those of by stand before it and take all its packets, \"contradiction\" "
      .. "when these say something else, \"redundant\" when without it those of by, behind it, or the "
      .. "default (default is true) would do the same. All that are found can go at once. packet is one "
      .. "that the rule matches; it meets the rule of meets before, or without that the rule itself. "
      .. "Nothing is said of a rule where the proof would take too long. Rules that are traps have the "
      .. "kinds \"limit\" (of a rule that makes states: it counts new states only), \"unallowed\" (no rule "
      .. "allows what a dnat or redirect makes of a connection) and \"mapping\" (as many addresses or "
      .. "ports before as behind a translation, which is not one to one).",
  },
  {
    name = "fw.import_legacy",
    call = "fw.import_legacy(dir) -> policy, warnings, text",
    text = "Makes a policy of the rule files of the original IPFIREwall (allowed, blacklist, translation, "
      .. "blacksites, options); nothing is sent. What cannot be kept is said on standard error, each with "
      .. "its file and line, and comes as a list. text is the policy as Lua. A rule that would allow more "
      .. "than it did is left out.",
  },
  {
    name = "fw.plan",
    call = "fw.plan(policy, { states = }) -> plan",
    text = "What a commit of the policy would change; nothing is changed. plan.changes is a list of rows "
      .. "with change (\"added\", \"removed\", \"changed\", \"moved\", \"renamed\"), kind (\"rule\", "
      .. "\"nat\", \"set\", \"limit\", \"default\", \"name\"), rule, at and was_at, and fields = { { "
      .. "field =, from =, to = } } of a changed one; plan.empty is true without any. What is written "
      .. "otherwise and means the same is no change. plan.states has judged, the number of live states, "
      .. "and denied and retranslated = { total =, by_rule = { name = number }, rows = }: those that the "
      .. "policy would end, and those that keep a translation which new connections would not get. The "
      .. "kernel judges them.",
  },
  {
    name = "fw.commit",
    call = "fw.commit(policy, { states =, expect =, confirm = })"
      .. " -> { generation =, rules =, confirm =, warning = }",
    text = "Puts the policy in the place of the running rules, all of it or nothing. Live states are judged "
      .. "again by the new rules at their next packet; states = \"keep\" leaves them alone, \"flush\" ends "
      .. "them all. With expect, only when that generation is the running one. With confirm, seconds, the "
      .. "kernel puts the rules and limits before it back in force by itself unless it is confirmed in "
      .. "time. warning is what the kernel says about a rule set that it accepted: nf_conntrack beside NAT.",
  },
  {
    name = "fw.commit_confirmed",
    call = "fw.commit_confirmed(policy, seconds) -> { generation =, rules =, confirm =, warning = }",
    text = "fw.commit with confirm: a policy that shuts its author out goes by itself.",
  },
  {
    name = "fw.confirm",
    call = "fw.confirm({ expect = }) -> { generation =, rules = }",
    text = "The rule set that waits to be confirmed stays. Any session may say so. When it has been rolled "
      .. "back already the error is of kind \"rolled_back\", status 6.",
  },
  {
    name = "fw.rollback",
    call = "fw.rollback({ expect = }) -> { generation =, rules = }",
    text = "The rules and limits before the ones that wait to be confirmed are in force again, now; live "
      .. "states are judged by them at their next packet.",
  },
  {
    name = "fw.running",
    call = "fw.running() -> { name =, generation =, default =, rules =, nat = }",
    text = "The running rule set. A row of rules has id, name, verdict, dir, at (\"file:line\"), packets, "
      .. "bytes, stateful and the fields as written; the rows of nat, the NAT rules, are like them.",
  },
  {
    name = "fw.simulate",
    call = "fw.simulate(policy, packet) -> judgement",
    text = "Lets a packet pass in a simulation of the policy, which needs no kernel and no root: the "
      .. "module's own code, with a state table and a clock of its own. The judgement has verdict, "
      .. "rule, at, reason, state, nat and steps, like that of fw.explain; answers lists what a "
      .. "rejected packet is answered with. All packets of one policy go on in one simulation, so "
      .. "several make a conversation; TCP's numbers that are left out go on, too. help "
      .. "\"packets\" lists the fields of a packet.",
  },
  {
    name = "fw.sim",
    call = "fw.sim.advance(seconds), fw.sim.reply(judgement, fields), fw.sim.new(policy, options), "
      .. "fw.sim.reset(policy), fw.sim.pass(packet)",
    text = "advance() moves the clock of all simulations, those of new() and the world of --sim too, "
      .. "which stands still otherwise: states, expectations and members of sets come to their end, "
      .. "limits fill up, a commit that waits goes back. A replay has the clock of its capture. "
      .. "reply() makes the packet that the other end answers with, its addresses as that end saw "
      .. "them. new() begins a simulation of its own, to be used in the policy's "
      .. "place: devices = { wan0 = \"203.0.113.1/24\" } gives it devices and addresses, sets = { "
      .. "bans = { \"192.0.2.7\" } } members of dynamic sets, time its clock; it has :advance(), "
      .. ":with(function) for which all of fw talks to it, and :close(). reset() forgets the "
      .. "simulation of a policy, or all. pass() is fw.simulate for the world that --sim talks to.",
  },
  {
    name = "fw.replay",
    call = "fw.replay(policy, \"file.pcap\", { me =, dir =, iif =, oif =, devices =, sets = }) -> replay",
    text = "Lets every packet of a capture (pcap or pcapng) pass in a simulation, whose clock "
      .. "follows the capture. At the prompt it prints the packets with verdict, rule, reason and "
      .. "state, and a summary; :each() goes through the rows, :total() returns the summary alone. "
      .. "me lists the addresses of the machine that is simulated, without it those of devices, "
      .. "else this machine's: what they send is judged by list out, what is for them by in, all "
      .. "else by forward, unless dir says one list for all. Interface names of a pcapng file are "
      .. "devices where iif and oif say none. Checksums count as right, for captures often lack "
      .. "them, and what was not captured of a payload as zeros; where too little was captured to "
      .. "tell, the verdict is \"truncated\". Fragments are put together as the kernel does: all of a "
      .. "packet's have the verdict of the whole. Time stamps that go back, or a day and more ahead, "
      .. "are those of another clock, as in captures that were merged: at most 30 days pass.",
  },
  {
    name = "fw.states",
    call = "fw.states(filter) -> query",
    text = "The states that match a filter, which the kernel evaluates; help \"filters\" lists them. The "
      .. "query has :each() :count() :count_by(field) :top(n, field) :kill(). help \"rows\" lists the fields "
      .. "of a row.",
  },
  {
    name = "each",
    call = "for row in query:each() do ... end",
    text = "Goes through the rows as they are read from the kernel; millions do not stand in memory at once.",
  },
  {
    name = "fw.expectations",
    call = "fw.expectations() -> list",
    text = "The data connections that helpers expect: family, proto, src, dst, dport, nat_dst and "
      .. "nat_dport where "
      .. "they will be translated, helper, master (id of the control connection's state), rule, timeout "
      .. "(seconds left).",
  },
  { name = "count", call = "query:count() -> number", text = "How many states match." },
  {
    name = "count_by",
    call = "query:count_by(field) -> { value = number }",
    text = "How many states there are for each value of a field.",
  },
  {
    name = "top",
    call = "query:top(n, field) -> list",
    text = "The n commonest values of a field as { [field] =, states = }, sources when no field is named; of "
      .. "a quantity like \"bytes\" the n rows that have most of it.",
  },
  {
    name = "kill",
    call = "query:kill() -> number",
    text = "Ends the states that match. The next packets of their connections must pass the rules again.",
  },
  {
    name = "fw.explain",
    call = "fw.explain { dir = \"in\", src = \"10.0.0.1\", proto = \"tcp\", dport = \"ssh\" } -> judgement",
    text = "What would happen to a packet now, by the running rules and the live states; nothing is "
      .. "changed by the question. The judgement has verdict, rule (\"default\" for a list's "
      .. "default), at, reason, list, state, state_id (of a live state), nat = { src =, sport =, "
      .. "dst =, dport = } as the packet leaves where it is translated, dstnat and srcnat = { rule "
      .. "=, at = } that do so, and steps: the rules that were asked, each { rule =, at =, list =, "
      .. "field = that differs first, wants = the rule's value, has = the packet's }, or matched = "
      .. "true. Without oif the packet leaves by the way to its destination. A row of fw.drops() "
      .. "is a packet, too.",
  },
  {
    name = "fw.drops",
    call = "fw.drops { reason =, src =, dport =, ... } -> list",
    text = "The packets that were dropped last, 1024 at most, the newest last: time (seconds since "
      .. "the epoch), reason, dir, iif, oif, rule and at of the rule that decided, line (its "
      .. "headers), family, proto, src, sport, dst, dport, mark, length, data (its first 96 "
      .. "bytes), missed. In a flood 1000 a second are remembered; missed is how many were dropped "
      .. "before this one and only counted. The filter has any of dir, dport, dst, family, iif, "
      .. "mark, oif, proto, reason, rule, sport, src; addresses may be prefixes.",
  },
  {
    name = "fw.set",
    call = "fw.set(name) -> set",
    text = "A dynamic set that the running policy declares, by set { name =, dynamic = true }. It has "
      .. ":add(), :del(), :has(), :list(), :each(), :count() and :flush(). Its members come and go while the "
      .. "rules stay, and outlive commits as long as the policy declares it. A change judges live "
      .. "connections again.",
  },
  {
    name = "add",
    call = "set:add(address, { timeout = \"10m\" }) -> number",
    text = "Adds an address, a prefix or a list of these; those that are there get the new time-out "
      .. "(seconds, or text like \"90s\", \"1h30m\", \"2d\"), without one they stay. Returns how many were "
      .. "not there before. More than 1500 go in several steps.",
  },
  {
    name = "del",
    call = "set:del(address) -> number",
    text = "Deletes an address, a prefix or a list of these, as they were added. Returns how many were "
      .. "there.",
  },
  {
    name = "has",
    call = "set:has(address) -> boolean, member",
    text = "Is the address, or the whole network, in the set? With it the longest member that contains it.",
  },
  {
    name = "list",
    call = "set:list() -> rows",
    text = "The members in order, each { address =, timeout = seconds left or nil }. set:each() goes through "
      .. "them without a list.",
  },
  {
    name = "flush",
    call = "set:flush() -> number",
    text = "Deletes all members.",
  },
  {
    name = "fw.sets",
    call = "fw.sets() -> list",
    text = "All dynamic sets: name, and members (how many).",
  },
  {
    name = "fw.resolve",
    call = "fw.resolve(names, seconds) -> { name = addresses }, { name = why not }",
    text = "The addresses of a name or a list of names, IPv4 and IPv6, asked for all at once; those that "
      .. "have not answered after so many seconds (10) have failed. Rules hold addresses: who wants names "
      .. "keeps a dynamic set of their addresses.",
  },
  {
    name = "fw.limits",
    call = "fw.limits() -> { max_states =, ... }",
    text = "The limits and time-outs; help \"limits\" explains each.",
  },
  {
    name = "fw.set_limits",
    call = "fw.set_limits { max_states = 100000 } -> boolean",
    text = "Sets limits; true when one of them was changed. A max_states below the number of states refuses "
      .. "new ones and keeps the old; one above that of the machine's first network namespace is refused.",
  },
  {
    name = "fw.stats",
    call = "fw.stats() -> { states =, ... }",
    text = "states, states_peak, max_states, state_size (bytes a state takes, all in), memory (bytes now) "
      .. "and memory_at_limit (bytes of max_states such states: with a translation they are larger, and a "
      .. "control connection that is watched takes 3 KiB), generation, packets (judged), created, evicted, "
      .. "expired, translated and expectations (states with a translation and connections expected, now), "
      .. "drops and passes ({ reason = packets }).",
  },
  {
    name = "fw.on",
    call = "fw.on(event, function (row) ... end)",
    text = "Names a function that fw.run() calls for every event of a kind from now on, until it returns "
      .. "false. "
      .. "help \"events\" lists the events.",
  },
  {
    name = "fw.run",
    call = "fw.run(seconds)",
    text = "Waits for events and calls the functions of fw.on(), so many seconds or for ever; it ends "
      .. "when no "
      .. "function is left.",
  },
  {
    name = "fw.info",
    call = "fw.info() -> { version =, generation =, armed =, name =, rules =, nat_rules =, confirm =, "
      .. "change = }",
    text = "What the module is and runs. Until the first commit armed is false and every packet passes. "
      .. "confirm: seconds until the rule set before comes back, while one waits; change: what happened "
      .. "last, \"committed\", \"confirmed\", \"rolled-back\" or \"timed-out\".",
  },
  {
    name = "fw.compile",
    call = "fw.compile(policy, { states =, expect = }) -> messages",
    text = "The messages of the policy's transaction, as tables; messages:bytes() gives them as netlink "
      .. "bytes.",
  },
  {
    name = "fw.decode",
    call = "fw.decode(bytes) -> messages",
    text = "The messages in netlink bytes, or in a compiled policy, as tables; fw.print() shows them "
      .. "field by field.",
  },
  {
    name = "fw.log",
    call = "fw.log(level, format, ...)",
    text = "Says something on standard error, and in the system log with --syslog. level is \"error\", "
      .. "\"warning\", \"notice\", \"info\" or \"debug\"; what is below a warning is only said with -v.",
  },
  {
    name = "fw.print",
    call = "fw.print(value, ...)",
    text = "Prints values as the prompt does; with -j as JSON lines.",
  },
  {
    name = "fw.output",
    call = "fw.output",
    text = "What fw.print writes: \"text\", or \"json\" with -j.",
  },
  {
    name = "fw.json", call = "fw.json(value) -> text",
    text = "A value as JSON. Ids of rules are text, for they use all of 64 bits.",
  },
  { name = "fw.version", call = "fw.version", text = "The version of this program." },
  {
    name = "allow",
    call = "allow { \"name\", field = value, ... }",
    text = "A rule that lets packets pass. Its first value is its name, unique in the policy. help "
      .. "\"fields\" lists the fields.",
  },
  { name = "deny", call = "deny { \"name\", ... }", text = "A rule that drops packets in silence." },
  {
    name = "reject",
    call = "reject { \"name\", ... }",
    text = "A rule that drops packets and says so: with a TCP reset, or an ICMP error \"administratively "
      .. "prohibited\".",
  },
  {
    name = "dnat",
    call = "dnat { \"name\", to = \"10.0.0.10:8080\", field = value, ... }",
    text = "A NAT rule that changes the destination of connections that enter or are made here. NAT rules "
      .. "stand in nat = { ... } of the policy; help \"nat\" explains them.",
  },
  {
    name = "redirect",
    call = "redirect { \"name\", to_port = 3128, field = value, ... }",
    text = "A NAT rule that sends connections to this machine: to the address of the device they come in by, "
      .. "or to loopback for those made here.",
  },
  {
    name = "snat",
    call = "snat { \"name\", to = \"192.0.2.1\", field = value, ... }",
    text = "A NAT rule that changes the source of connections that leave.",
  },
  {
    name = "masquerade",
    call = "masquerade { \"name\", oif = \"wan0\", field = value, ... }",
    text = "A NAT rule that changes the source of connections that leave to the address that the machine "
      .. "itself would use there. They end when the device goes down or loses that address, or when they "
      .. "leave by another one.",
  },
  {
    name = "group",
    call = "group { \"name\", field = value, ... } { rules }",
    text = "Rules that share fields: each rule has those of the group, unless it says otherwise. Groups may "
      .. "stand in groups.",
  },
  {
    name = "set",
    call = "set { \"192.0.2.0/24\", \"2001:db8::/32\", ... }, set { name = \"bans\", dynamic = true }",
    text = "Addresses to be used as src or dst, alone or in lists. ~s stands for all that are not in s. A "
      .. "dynamic set has a name instead of addresses: fw.set(name) fills it.",
  },
  {
    name = "policy",
    call = "policy { name =, default =, limits =, stateful =, rules =, nat = }",
    text = "What a policy file returns. help \"policy\" lists its fields.",
  },
  {
    name = "test",
    call = "test { \"name\", src = \"192.168.1.5\", proto = \"tcp\", dport = \"ssh\", expect = \"allow\", "
      .. "rule = \"ssh\" }",
    text = "A packet test: what the policy is to make of a packet, or of several, each in braces of its own "
      .. "behind the name. It is tried in a simulation when the policy is checked (-c), planned or "
      .. "committed, and one that fails refuses the policy. help \"tests\" and help \"packets\" list the "
      .. "fields.",
  },
  {
    name = "args",
    call = "args[1], args.name",
    text = "The words behind the policy's file name; those like name=value also by name. An argument that "
      .. "the policy never looks at is an error.",
  },
  {
    name = "help",
    call = "help(), help(fw.commit), help \"dport\"",
    text = "Explains. Topics: fw, policy, nat, fields, tests, packets, filters, rows, states, events, "
      .. "limits, reasons, keys.",
  },
}

-- Columns of what has no lines of its own, where the terminal has so many.
local WIDTH = 90

local function wrap(words, indent)
  local width = math.min(WIDTH, (sys.winsize() or WIDTH) - 1)
  local lines, line = {}, indent
  for word in words:gmatch("%S+") do
    if #line > #indent and #line + 1 + #word > width then
      lines[#lines + 1] = line
      line = indent
    end
    line = line .. (#line > #indent and " " or "") .. word
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n") .. "\n"
end

local function entry_text(entry)
  return entry.call .. "\n" .. wrap(entry.text, "    ")
end

local function definition(name, forms, words)
  return ("  %s%s%s\n%s"):format(name, forms and ": " or "", forms or "", wrap(words, "      "))
end

local function list_of(title, items)
  local out = { title .. "\n" }
  for _, item in ipairs(items) do
    out[#out + 1] = definition(item.name, item.forms, item.help)
  end
  return table.concat(out)
end

local KEYS = [[
Keys of the prompt
  F1      help about the word at the cursor
  F3      rules and NAT rules with counters
  F4, F6  states whose source, or destination, is translated
  F5      states
  F7      statistics
  C       alone on a line: limits, states, most ever, bytes a state, memory now
          and at the limit
  Tab     completes names, fields and their values, rules, sets, devices, files
  Ctrl-R  searches what was typed before; a line that begins with a blank is
          not kept
  Ctrl-C  gives up a line, or stops what runs
  Ctrl-D  leaves; states live on when the prompt ends
What is longer than the screen goes through PAGER, or less; q leaves it.
]]

local NAT = [[
NAT rules: policy { nat = { ... }, rules = { ... } }

  dnat { "to www", iif = "wan0", proto = "tcp", dport = { 80, 443 }, to = "10.0.0.10" }
  redirect { "proxy", iif = "lan0", proto = "tcp", dport = 80, to_port = 3128 }
  masquerade { "lan out", oif = "wan0", src = "10.0.0.0/24" }
  snat { "servers out", oif = "wan0", src = "10.0.1.0/24", to = "192.0.2.5-192.0.2.8" }

  A connection that enters or is made here meets the dnat and redirect rules,
  the first that matches changes its destination. The rules then see its real
  end points: the client, and the server inside. One that they allow meets the
  snat and masquerade rules when it leaves. Its translation stays until it ends,
  also over commits. A translated connection always has a state, and its replies
  need no rule.
]]

-- The fields that some NAT rule may have.
local function nat_fields()
  local list = {}
  for _, field in ipairs(fields.list) do
    local barred = field.barred or {}
    if not barred.dstnat or not barred.srcnat then
      list[#list + 1] = field
    end
  end
  return list
end

local function limit_items()
  local items = {}
  for i, limit in ipairs(limits.list) do
    items[i] = {
      name = limit.name,
      forms = ("%d to %d, by default %s"):format(limit.least, limit.most,
        limit.default < limit.least and "as memory allows" or limit.default),
      help = limits.help[limit.name],
    }
  end
  return items
end

local function reason_items()
  local items = {}
  for i, reason in ipairs(codec.reasons()) do
    items[i] = { name = reason.name, forms = reason.accepted and "passes" or "dropped", help = reason.help }
  end
  return items
end

--- Topics: { name = function () -> text }.
help.topics = {
  fw = function()
    local out = { "The firewall\n" }
    for _, entry in ipairs(help.entries) do
      if entry.name:find("^fw%.") then
        out[#out + 1] = entry_text(entry)
      end
    end
    return table.concat(out)
  end,
  policy = function()
    local out = {}
    for _, entry in ipairs(help.entries) do
      if entry.name == "policy" then
        out[1] = entry_text(entry)
      end
    end
    out[#out + 1] = list_of("Fields of a policy", policy.fields)
    return table.concat(out)
  end,
  nat = function()
    return NAT .. list_of("\nFields of NAT rules; those that are absent match anything", nat_fields())
  end,
  fields = function()
    return list_of("Fields of a rule; those that are absent match anything", fields.list)
  end,
  tests = function()
    return list_of("Fields of test { }, beside those of a packet", packet_test.fields)
  end,
  packets = function()
    return list_of("Fields of a packet; each has one value", packet.fields)
  end,
  filters = function()
    return list_of("Filters of fw.states; all that are given must hold", filters.list)
  end,
  rows = function()
    return list_of("Fields of a state", states.fields)
  end,
  events = function()
    return list_of("Events of fw.on", events.list)
  end,
  states = function()
    local out = { "States of a connection, and seconds until it ends without traffic by default\n" }
    for i, name in ipairs(codec.states()) do
      -- ORDER STATE: time-outs stand in the order of the states, after tcp_loose.
      local limit = limits.list[i + 3]
      out[#out + 1] = ("  %-16s %5d  (%s)\n"):format(name, limit.default, limit.name)
    end
    out[#out + 1] = "  A name with a question mark is a guess: the connection was met in the middle.\n"
    return table.concat(out)
  end,
  limits = function()
    return list_of("Limits", limit_items())
  end,
  reasons = function()
    return list_of("Why a packet passes or is dropped; each is counted in fw.stats()", reason_items())
  end,
  keys = function()
    return KEYS
  end,
}

--- The first page.
function help.overview()
  return [[
ipfi: a firewall that you program. What stands here is Lua; values are shown as
they come.

  fw.running()                         the rules and their counters (F3)
  fw.states()                          the live states (F5), those whose source
                                       (F4) or destination (F6) is translated
  fw.states { state = "ESTABLISHED", dport = "ssh" }:count()
  fw.states { src = "192.0.2.7" }:kill()
  fw.stats()                           counters and memory (F7)
  fw.limits(), fw.set_limits { max_states = 100000 }
  p = fw.load("/etc/ipfi/policy.lua")  check a policy, then fw.commit(p)

F1 explains what the cursor is at, help(fw.commit) or help "dport" one thing;
help "fw", "policy", "nat", "fields", "tests", "packets", "filters", "rows",
"states", "events", "limits", "reasons" and "keys" list many.
]]
end

-- Lists of things with names, beside the functions and words: { title =, list = function () -> list of {
-- name =, forms =, help = } }. The manual has the same lists.
local KINDS = {
  { title = "Field of a rule", list = function() return fields.list end },
  { title = "Field of a policy", list = function() return policy.fields end },
  { title = "Filter of fw.states", list = function() return filters.list end },
  { title = "Field of a packet", list = function() return packet.fields end },
  { title = "Field of a state", list = function() return states.fields end },
  { title = "Event of fw.on", list = function() return events.list end },
  { title = "Limit", list = limit_items },
  { title = "Reason", list = reason_items },
}

--- Every name that help knows.
function help.names()
  local names = suggest.keys(help.topics)
  for _, entry in ipairs(help.entries) do
    names[#names + 1] = entry.name
  end
  for _, kind in ipairs(KINDS) do
    for _, item in ipairs(kind.list()) do
      names[#names + 1] = item.name
    end
  end
  return names
end

local function by_value(value, words)
  for name, other in pairs(fw) do
    if other == value then
      return "fw." .. name
    end
  end
  for name, other in pairs(words) do
    if other == value then
      return name
    end
  end
  return nil
end

-- What there is to say about a name, or nil. Most names mean one thing, but dport is a field of rules, one of
-- states and a filter.
local function find(name)
  if help.topics[name] then
    return help.topics[name]()
  end
  local out = {}
  for _, entry in ipairs(help.entries) do
    if entry.name == name or entry.name == "fw." .. name then
      out[#out + 1] = entry_text(entry)
    end
  end
  for _, kind in ipairs(KINDS) do
    for _, item in ipairs(kind.list()) do
      if item.name == name then
        out[#out + 1] = kind.title .. "\n" .. definition(item.name, item.forms, item.help)
      end
    end
  end
  return #out > 0 and table.concat(out) or nil
end

--- Text about something.
-- @param subject a name, a function or nothing
-- @param words table of the policy language's words, to be recognised
function help.about(subject, words)
  if subject == nil then
    return help.overview()
  elseif subject == fw then
    return help.topics.fw()
  end
  local name = type(subject) == "string" and subject or by_value(subject, words or {})
  if not name then
    return ("There is no help about %s.\n"):format(text.quote(subject))
  end
  return find(name)
    or ("There is no help about %s%s\n"):format(text.quote(name), suggest.hint(name, help.names()))
end

--- Text about the first of some names that there is help about, else the first page.
-- @param names list, as complete.place() gives it
function help.at(names)
  for _, name in ipairs(names) do
    local found = find(name)
    if found then
      return found
    end
  end
  return help.overview()
end

return help
