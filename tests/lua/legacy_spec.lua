-- SPDX-License-Identifier: GPL-2.0-or-later
-- The importer of the original's rule files: whole directories (tests/lua/legacy), and single records.
local support = require "support"
local compile = require "ipfi.policy.compile"
local errors = require "ipfi.base.errors"
local fw = require "ipfi.fw"
local loader = require "ipfi.policy.loader"
local main = require "ipfi.main"
local settings = require "ipfi.base.settings"
local sys = require "ipfi.c.sys"
local escape = require("ipfi.base.text").escape

local FIXTURES = "tests/lua/legacy/"
local directory

local function read(path)
  local file = assert(io.open(path, "rb"))
  local content = file:read "a"
  file:close()
  return content
end

-- A directory of rule files: { name = content }.
local function files(contents)
  os.execute(("rm -rf '%s'; mkdir '%s'"):format(directory, directory))
  for name, content in pairs(contents) do
    local file = assert(io.open(directory .. "/" .. name, "wb"))
    file:write(content)
    file:close()
  end
  return directory
end

-- Imports; returns the policy, the warnings without the directory, and the text. Or nil and the error.
local function import(dir)
  local result
  local _, complained = support.catch(function()
    result = table.pack(pcall(fw.import_legacy, dir))
  end)
  if not result[1] then
    return nil, (tostring(result[2]):gsub(dir:gsub("%p", "%%%0") .. "/", "")), result[2]
  end
  local warnings = {}
  for i, warning in ipairs(result[3]) do
    assert.truthy(complained:find("ipfi: " .. escape(warning) .. "\n", 1, true), warning)
    warnings[i] = warning:sub(#dir + 2)
  end
  return result[2], warnings, result[4]
end

-- A record's only rule, as the policy has it: its fields as written; and the warnings, without place and
-- name.
local function record(file, lines, options)
  local content = "RULE\nNAME=r\n" .. lines .. "\nEND\n"
  local p, warnings, text = import(files { [file] = content, options = options })
  if not p then
    return nil, (warnings:gsub("^%l+:%d+: ", "")), text
  end
  for i, warning in ipairs(warnings) do
    warnings[i] = warning:gsub("^%l+:%d+: rule 'r': ", "")
  end
  local rules = #p.rules > 0 and p.rules or p.nat or {}
  local fields = rules[1] and { verdict = rules[1].verdict }
  for name, value in pairs(rules[1] and rules[1].fields or {}) do
    fields[name] = value
  end
  assert.truthy(#rules <= 1)
  return fields, warnings, text
end

-- What every permission has beside.
local function allow(fields)
  fields.verdict, fields.family, fields.dir = "allow", 4, fields.dir or "in"
  return fields
end

local function allowed(lines, options)
  return record("allowed", "DIRECTION=INPUT\n" .. lines, options)
end

local LEFT_OUT = "; it is left out, because it would allow more without that"
local WIDER = "; it is kept without that, so it denies more than it did"

setup(function()
  directory = os.tmpname()
  os.remove(directory)
end)

teardown(function()
  os.execute(("rm -rf '%s'"):format(directory))
end)

before_each(function()
  sys.world.files = {}
end)

describe("the import of a directory", function()
  for _, name in ipairs { "workstation", "gateway" } do
    it("gives the policy that is expected: " .. name, function()
      local p, _, text = import(FIXTURES .. name)
      assert.truthy(p, "it is refused")
      assert.equal(read(FIXTURES .. name .. "/policy.lua"), text)
    end)

    it("gives the same messages as the text that is printed: " .. name, function()
      local p, _, text = import(FIXTURES .. name)
      local printed = compile.messages(loader.text(text, "p.lua"))
      local imported = compile.messages(p)
      assert.equal(#printed, #imported)
      assert.truthy(#printed > 5)
      for i, message in ipairs(imported) do
        if message.rule then
          local line = message.rule.at:match(":%d+$")
          assert.equal("imported from " .. FIXTURES .. name .. line, message.rule.at)
          message.rule.at = message.rule.at:gsub("^.*:", "p.lua:")
        end
        assert.same(printed[i], message)
      end
    end)
  end

  it("tells what was lost, in the order of the files and lines", function()
    local _, warnings = import(FIXTURES .. "workstation")
    assert.same({
      "options:5: USER_ALLOWED is not kept: only root commits rules",
      "options:6: NOFLUSH_ON_EXIT=NO is not kept: the rules stay when ipfi ends",
      "options:8: MAX_LOGINFO_ENTRIES is not kept: a rule's own limit says how often it is logged",
      'options:10: LOGUSER is not kept: rules log by themselves: log = "prefix"',
      "options:11: unknown option 'MAX_STATES'",
      "blacklist:24: rule 'odd pings': ICMP_ECHO_SEQ is nothing a rule can ask for" .. WIDER,
      "blacklist:27: rule 'a nat rule': DIRECTION=POST is for address translation, whose rules stand in the "
        .. "file translation; it is left out",
      "allowed:56: rule 'ssh': the name is taken by the rule at allowed:40; here it is 'ssh 2'",
      "allowed:68: rule 'one ping only': ICMP_ECHO_ID is nothing a rule can ask for" .. LEFT_OUT,
    }, warnings)
  end)

  it("tells all mistakes, each with its line, and gives no policy", function()
    local p, message, value = import(FIXTURES .. "broken")
    assert.is_nil(p)
    assert.equal(3, value.status)
    assert.equal([[
options:1: MAX_STATE_ENTRIES: expected a number from 0 to 4294967295, got 'many'
options:2: STATEFUL: expected YES or NO, got 'PERHAPS'
options:3: PROC_IPFIRE_POLICY: expected a number from 0 to 1, got '2'
allowed:1: 'NAME=lost' stands outside of a rule
allowed:5: DSTPORT: expected a number from 0 to 65535, got 'http'
allowed:6: DSTPORT stands here a second time; the first is in line 5 (is a RULE missing between?)
allowed:9: DIRECTION: expected INPUT, OUTPUT, FORWARD, PRE or POST, got 'SIDEWAYS'
allowed:10: SRCADDR: expected an IPv4 address, got '10.0.0.300'
allowed:11: PROTOCOL: expected a number from 0 to 255, got '256'
allowed:16: _END_SRCPORT: the interval ends before it begins
allowed:17: _END_DSTADDR: the interval ends before it begins
allowed:19: _END_SRCADDR ends an interval that has no SRCADDR
allowed:20: SYN: expected TRUE or FALSE, got 'MAYBE'
allowed:21: INDEVICE: expected the name of a device, got '!eth0'
allowed:22: expected KEY=value, got 'this is no key'
allowed:23: KEEP_STATE: expected YES or NO, got '5'
allowed:24: TOS: expected a number from 0 to 255, got '256'
allowed:25: MSS_VALUE: expected a number from 64 to 65534 or TO_PMTU, got 'big']], message)
  end)

  it("needs a directory with one of the files", function()
    local p, message = import(files { readme = "" })
    assert.is_nil(p)
    assert.matches("none of the files options, blacksites, blacklist, allowed, translation is there", message)
    p, message = import "no/such/directory"
    assert.is_nil(p)
    assert.equal("cannot read no/such/directory: No such file or directory", message)
    for _, value in ipairs { false, 5, "" } do
      assert.has_error(function()
        fw.import_legacy(value)
      end)
    end
  end)

  it("refuses a file that others could have written", function()
    local dir = files { allowed = "RULE\nNAME=r\nDIRECTION=INPUT\nEND\n" }
    sys.world.files[dir .. "/allowed"] = sys.kept { mode = tonumber("666", 8) }
    local p, message, value = import(dir)
    assert.is_nil(p)
    assert.equal(3, value.status)
    assert.matches("refusing allowed: everybody may write to it", message)
  end)

  it("keeps the order of judgement: sites, blacklist, allowed, default", function()
    local p = import(files {
      allowed = "RULE\nNAME=a\nDIRECTION=INPUT\nEND\n",
      blacklist = "RULE\nNAME=b\nDIRECTION=INPUT\nEND\n",
      blacksites = "BSRULE\nNAME=198.51.100.1\nEND\n",
    })
    local order = {}
    for i, rule in ipairs(p.rules) do
      order[i] = rule.verdict .. " " .. rule.name
    end
    assert.same({ "deny from blocked sites", "deny to blocked sites", "deny b", "allow a" }, order)
    assert.same({ ["in"] = "deny", out = "deny", forward = "deny" }, p.default)
    assert.same({ { from = "198.51.100.1" } }, p.rules[1].wire.src.ranges)
    assert.same({ { from = "198.51.100.1" } }, p.rules[2].wire.dst.ranges)
    assert.same({ "in", "out", "forward" }, p.rules[1].wire.lists)
  end)
end)

describe("a file", function()
  local WEB = "NAME=web\nDIRECTION=INPUT\nPROTOCOL=6\nDSTPORT=80\n"

  local function names(p)
    local list = {}
    for i, rule in ipairs(p.rules) do
      list[i] = rule.name
    end
    return list
  end

  it("may end in END behind each record or once, with or without end of line", function()
    for _, content in ipairs {
      "RULE\n" .. WEB .. "RULE\nNAME=b\nDIRECTION=INPUT\nEND\n",
      "RULE\n" .. WEB .. "RULE\nNAME=b\nDIRECTION=INPUT\nEND",
      "RULE\n" .. WEB .. "END\nRULE\nNAME=b\nDIRECTION=INPUT\nEND\n",
      (("\xef\xbb\xbf# first\nRULE\n" .. WEB .. "\nRULE\nNAME=b\n  DIRECTION = INPUT # second\nEND")
        :gsub("\n", "\r\n")),
    } do
      local p, warnings = import(files { allowed = content })
      assert.same({ "web", "b" }, names(p))
      assert.same({}, warnings)
      assert.same({ { from = 80 } }, p.rules[1].wire.dport)
      assert.same({ "in" }, p.rules[2].wire.lists)
    end
  end)

  it("that lacks an END is read, and told", function()
    local p, warnings = import(files { allowed = "RULE\n" .. WEB })
    assert.same({ "web" }, names(p))
    assert.same({ "allowed: has no END: it may have been cut short; look at its last rule" }, warnings)
    p, warnings = import(files { allowed = "RULE\n" .. WEB .. "END\nRULE\nNAME=b\nDIRECTION=INPUT" })
    assert.same({ "web", "b" }, names(p))
    assert.same({ "allowed:7: this rule has no END; is it complete?" }, warnings)
    p, warnings = import(files { allowed = "RULE\n" .. WEB .. "RULE\nNAME=b\nEND\nRULE\nNAME=c\nEND\n" })
    assert.same({ "web" }, names(p))
    assert.equal("allowed:1: this rule has no END; is it complete?", warnings[1])
  end)

  it("may be empty", function()
    local p, warnings, text = import(files { allowed = "", translation = "END", options = "" })
    assert.same({}, names(p))
    assert.same({}, warnings)
    assert.is_nil(text:find("nat", 1, true))
  end)

  it("that is none is refused", function()
    local p, message = import(files { allowed = "\x7fELF\0\1\2" })
    assert.is_nil(p)
    assert.equal("allowed:1: expected KEY=value, got '\\x7fELF\\x00\\x01\\x02'", message)
    p, message = import(files { allowed = "BSRULE\nNAME=www.example\nEND\n" })
    assert.is_nil(p)
    assert.matches("^allowed:1: 'BSRULE' stands outside of a rule", message)
  end)
end)

describe("a permission", function()
  it("keeps lists, intervals and negations", function()
    assert.same(allow { src = { "10.0.0.1-10.0.0.9", "10.0.1.1", "10.0.1.5" }, dport = { "20-21", 80 } },
      (allowed("SRCADDR=10.0.0.1\n_END_SRCADDR=10.0.0.9\nSRCADDR2=10.0.1.1\nSRCADDR50=10.0.1.5\nDSTPORT=20\n"
        .. "_END_DSTPORT=21\nDSTPORT2=80")))
    -- The keys of a record have no order.
    assert.same(allow { dst = { "!me", "!10.0.0.1-10.0.0.9", "!10.0.1.1" }, sport = { "!1-1023", "!6000" } },
      (allowed("_END_DSTADDR_NOT=10.0.0.9\nDSTADDR2_NOT=10.0.1.1\nDSTADDR_NOT=10.0.0.1\nMYDSTADDR_NOT\n"
        .. "_END_SRCPORT=1023\nSRCPORT_NOT=1\nSRCPORT2_NOT=6000")))
    assert.same(allow { src = "me", dst = "!me" }, (allowed "MYSRCADDR=YES\nMYDSTADDR_NOT=YES"))
    assert.same(allow {}, (allowed "MYSRCADDR=NO\nNOTIFY=NO\nKEEP_STATE=NO"))
    assert.same(allow {}, (allowed "NATURAL_LANGUAGE=YES\nPOSITION=4"))
  end)

  it("keeps devices, protocols, flags, ICMP, length and TOS", function()
    assert.same(allow { dir = "forward", iif = "eth0", oif = "ppp0", proto = 47 },
      (record("allowed", "DIRECTION=FORWARD\nINDEVICE=eth0\nOUTDEVICE=ppp0\nPROTOCOL=47")))
    assert.same(allow { proto = "tcp", flags = "SP/SFRPAU" },
      (allowed "SYN=TRUE\nFIN=FALSE\nPSH=TRUE\nACK=FALSE\nRST=FALSE\nURG=FALSE"))
    assert.same(allow { proto = "tcp", flags = "/S" }, (allowed "PROTOCOL=6\nSYN=FALSE"))
    assert.same(allow { proto = "icmp", icmp = 8 }, (allowed "ICMP_TYPE=8"))
    assert.same(allow { proto = "icmp", icmp = "3/0" }, (allowed "PROTOCOL=1\nICMP_TYPE=3\nICMP_CODE=0"))
    assert.same(allow { length = 84, dscp = 46 }, (allowed "TOTAL_LENGTH=84\nTOS=0xb8"))
    assert.same(allow { log = true }, (allowed "NOTIFY=YES"))
  end)

  it("that asks for more than a rule can is left out, and told", function()
    for lines, message in pairs {
      ["ICMP_ECHO_ID=1"] = "ICMP_ECHO_ID is nothing a rule can ask for",
      ["ICMP_CODE=1"] = "ICMP_CODE without ICMP_TYPE is nothing a rule can ask for",
      ["ICMP_TYPE=8\nDSTPORT=80"] = "ICMP_TYPE: ICMP has no ports, but the rule asks for some",
      ["ICMP_TYPE=8\nPROTOCOL=6"] = "ICMP_TYPE: types and codes belong to ICMP, but the rule is about "
        .. "protocol 6",
      ["SYN=TRUE\nPROTOCOL=17"] = "SYN: flags belong to TCP, but the rule is about protocol 17",
      ["DSTPORT=80\nPROTOCOL=1"] = "DSTPORT: protocol 1 has no ports",
      ["TOS=2"] = "TOS=2 has bits that are no type of service any more, but congestion notification",
      ["SRCADDR=www.example.com"] = "'www.example.com' is the name of a host, but a rule holds addresses",
      ["SRCADDR=10.0.0.1\nSRCADDR2_NOT=10.0.0.2"] = "SRCADDR and SRCADDR2_NOT in one rule cannot be kept",
      ["SRCADDR=10.0.0.1\nMYSRCADDR"] = "MYSRCADDR and SRCADDR in one rule cannot be kept apart",
      ["OUTDEVICE=eth0"] = "OUTDEVICE: what is for this machine leaves by no device",
      ["SRCADDR51=10.0.0.1"] = "unknown key 'SRCADDR51'; did you mean 'SRCADDR'? (it may be a restriction)",
      ["FROMPORTS=1-5"] = "unknown key 'FROMPORTS' (it may be a restriction)",
    } do
      local fields, warnings = allowed(lines)
      assert.is_nil(fields, lines)
      assert.same({ message .. LEFT_OUT }, warnings)
    end
    local fields, warnings = record("allowed", "DIRECTION=OUTPUT\nINDEVICE=eth0")
    assert.is_nil(fields)
    assert.same({ "INDEVICE: what is made on this machine has come in by no device" .. LEFT_OUT }, warnings)
  end)

  it("that no original rule could be is left out", function()
    for lines, message in pairs {
      ["DSTPORT=80"] = "the rule has no DIRECTION, so it never matched",
      ["DIRECTION=PRE"] = "DIRECTION=PRE is for address translation, whose rules stand in the file "
        .. "translation",
      ["DIRECTION=INPUT\nNAT=YES\nNEWADDR=10.0.0.1"] = "NAT translates addresses; such rules stand in the "
        .. "file translation",
      ["DIRECTION=INPUT\nNEWPORT=80"] = "NEWPORT translates addresses; such rules stand in the file "
        .. "translation",
    } do
      for _, file in ipairs { "allowed", "blacklist" } do
        local fields, warnings, text = record(file, lines)
        assert.is_nil(fields, lines)
        assert.same({ message .. "; it is left out" }, warnings)
        local shown = "--     NAME=r " .. lines:gsub("\n", " ") .. "\n"
        assert.truthy(text:find(shown, 1, true), text)
      end
    end
  end)

  it("with an unknown key that restricts nothing is kept, and told", function()
    local fields, warnings = allowed "COLOUR=blue"
    assert.same(allow {}, fields)
    assert.same({ "unknown key 'COLOUR'" }, warnings)
  end)

  it("keeps state when it or the options say so", function()
    assert.same(allow { state = true }, (allowed "KEEP_STATE=YES"))
    assert.same(allow {}, (allowed("KEEP_STATE=YES", "STATEFUL=NO\nALL_STATEFUL=YES")))
    local p, _, text = import(files {
      allowed = "RULE\nNAME=r\nDIRECTION=INPUT\nKEEP_STATE=YES\nEND",
      options = "ALL_STATEFUL=YES",
    })
    assert.same({ "stateful" }, p.rules[1].wire.flags)
    assert.truthy(text:find("\n  stateful = true,\n", 1, true))
    assert.is_nil(text:find("state = true", text:find "rules = {", true))
  end)
end)

describe("a denial", function()
  it("that asks for more than a rule can is kept without that, and told", function()
    local fields, warnings = record("blacklist", "DIRECTION=INPUT\nPROTOCOL=17\nSRCADDR=10.0.0.1\n"
      .. "SRCADDR2=www.example.com\nDSTPORT=53")
    -- One address less would deny less.
    assert.same({ verdict = "deny", dir = "in", proto = "udp", dport = 53 }, fields)
    assert.same({ "'www.example.com' is the name of a host, but a rule holds addresses" .. WIDER }, warnings)
    fields = record("blacklist", "DIRECTION=INPUT\nSRCADDR=10.0.0.1\nMYSRCADDR")
    assert.same({ verdict = "deny", dir = "in", src = { "me", "10.0.0.1" } }, fields)
    fields = record("blacklist", "DIRECTION=FORWARD\nICMP_ECHO_SEQ=1")
    assert.same({ verdict = "deny", dir = "forward", proto = "icmp" }, fields)
    fields = record("blacklist", "DIRECTION=INPUT\nSRCPORT=5\nICMP_ECHO_ID=1")
    assert.same({ verdict = "deny", dir = "in", sport = 5 }, fields)
  end)

  it("holds for both families, unless it says not", function()
    assert.same({ verdict = "deny", dir = "out", dport = 25 }, (record("blacklist",
      "DIRECTION=OUTPUT\nDSTPORT=25\nKEEP_STATE=YES")))
    assert.same({ verdict = "deny", dir = "in", family = 4, src = "!10.0.0.1" }, (record("blacklist",
      "DIRECTION=INPUT\nSRCADDR_NOT=10.0.0.1")))
  end)
end)

describe("a translation", function()
  local function translation(lines, options)
    return record("translation", lines, options)
  end

  it("is of the kind and the direction that it says", function()
    assert.same({ verdict = "dnat", iif = "*", proto = "tcp", dport = 80, to = "10.0.0.1:8080" },
      (translation "DIRECTION=PRE\nNAT=YES\nPROTOCOL=6\nDSTPORT=80\nNEWADDR=10.0.0.1\nNEWPORT=8080"))
    assert.same({ verdict = "dnat", src = "me", to = "10.0.0.1" },
      (translation "DIRECTION=OUTPUT\nNAT=YES\nMYSRCADDR\nNEWADDR=10.0.0.1"))
    assert.same({ verdict = "dnat", iif = "eth0", dst = "10.0.0.9", to = "10.0.0.9:80" },
      (translation "DIRECTION=PRE\nNAT=YES\nINDEVICE=eth0\nDSTADDR=10.0.0.9\nNEWPORT=80"))
    assert.same({ verdict = "redirect", family = 4, iif = "*", dst = "me", to_port = 80 },
      (translation "DIRECTION=PRE\nNAT=YES\nMYDSTADDR\nNEWPORT=80"))
    assert.same({ verdict = "snat", src = { "!10.0.0.1", "!10.0.0.2" }, to = "192.0.2.1" },
      (translation("DIRECTION=POST\nSNAT=YES\nSRCADDR_NOT=10.0.0.1\nSRCADDR2_NOT=10.0.0.2\n"
        .. "NEWADDR=192.0.2.1")))
    assert.same({ verdict = "masquerade", family = 4, oif = "eth0", proto = "udp", to_port = 50, log = true },
      (translation "DIRECTION=POST\nMASQUERADE=YES\nOUTDEVICE=eth0\nPROTOCOL=17\nNEWPORT=50\nNOTIFY=YES"))
    assert.same({ verdict = "masquerade", family = 4, proto = "tcp" },
      (translation "DIRECTION=POST\nMASQUERADE=YES\nSYN=TRUE\nACK=FALSE\nKEEP_STATE=YES"))
  end)

  it("never becomes something else", function()
    for lines, message in pairs {
      ["DIRECTION=POST\nNAT=YES\nNEWADDR=10.0.0.1"] = "DIRECTION=POST: DNAT has DIRECTION=PRE or OUTPUT",
      ["DIRECTION=INPUT\nNAT=YES\nNEWADDR=10.0.0.1"] = "DIRECTION=INPUT: DNAT has DIRECTION=PRE or OUTPUT",
      ["DIRECTION=PRE\nSNAT=YES\nNEWADDR=10.0.0.1"] = "DIRECTION=PRE: SNAT has DIRECTION=POST",
      ["DIRECTION=FORWARD\nMASQUERADE=YES"] = "DIRECTION=FORWARD: MASQUERADE has DIRECTION=POST",
      ["NAT=YES\nNEWADDR=10.0.0.1"] = "the rule has no DIRECTION, so it never matched",
      ["DIRECTION=POST\nSNAT=YES\nMASQUERADE=YES"] = "SNAT and MASQUERADE in one rule",
      ["DIRECTION=POST\nSRCADDR=10.0.0.1"] = "it says neither NAT, SNAT nor MASQUERADE",
      ["DIRECTION=POST\nSNAT=YES"] = "it has no NEWADDR",
      ["DIRECTION=PRE\nNAT=YES"] = "it has no NEWADDR",
      ["DIRECTION=PRE\nNAT=YES\nNEWADDR=www.example"] = "NEWADDR: 'www.example' is the name of a host, but a "
        .. "rule holds addresses",
      ["DIRECTION=PRE\nNAT=YES\nPROTOCOL=47\nNEWADDR=10.0.0.1\nNEWPORT=5"] = "NEWPORT: protocol 47 has no "
        .. "ports",
      ["DIRECTION=PRE\nNAT=YES\nNEWPORT=5\nDSTADDR=10.0.0.1\n_END_DSTADDR=10.0.0.2"] = "NEWPORT without "
        .. "NEWADDR is kept only for one destination (one DSTADDR, or MYDSTADDR)",
    } do
      local fields, warnings = translation(lines)
      assert.is_nil(fields, lines)
      assert.same({ message .. "; it is left out" }, warnings)
    end
  end)

  it("that asks for more than a rule can is left out, and told", function()
    for lines, message in pairs {
      ["DIRECTION=PRE\nNAT=YES\nOUTDEVICE=eth0\nNEWADDR=10.0.0.1"] = "OUTDEVICE: the way out is not known "
        .. "yet where destinations are translated",
      ["DIRECTION=OUTPUT\nNAT=YES\nSRCADDR=10.0.0.9\nNEWADDR=10.0.0.1"] = "DIRECTION=OUTPUT with source "
        .. "addresses of its own would also be about what comes in",
      ["DIRECTION=POST\nMASQUERADE=YES\nACK=TRUE"] = "ACK: translation is for whole connections, not for "
        .. "single packets",
    } do
      local fields, warnings = translation(lines)
      assert.is_nil(fields, lines)
      assert.same({ message .. "; it is left out, because it would translate more without that" }, warnings)
    end
  end)

  it("was in force only when the options said so", function()
    local dnat, masquerade = "DIRECTION=PRE\nNAT=YES\nNEWADDR=10.0.0.1", "DIRECTION=POST\nMASQUERADE=YES"
    local fields, warnings = translation(dnat, "NAT=NO")
    assert.is_nil(fields)
    assert.same({ "NAT is NO in options, so the rule was not in force; it is left out" }, warnings)
    assert.is_nil((translation(masquerade, "MASQUERADE=NO")))
    assert.equal("dnat", translation(dnat, "MASQUERADE=NO").verdict)
    assert.equal("masquerade", translation(masquerade, "NAT=NO").verdict)
  end)

  it("has no use for what belongs to permissions", function()
    local fields, warnings = translation "DIRECTION=POST\nMASQUERADE=YES\nFTP_SUPPORT=YES\nMSS_VALUE=1400"
    assert.same({ verdict = "masquerade", family = 4 }, fields)
    assert.same({
      "FTP_SUPPORT belongs to the rule that allows the control connection, not to a rule that translates",
      "MSS_VALUE belongs to the rule that allows the connection (mss = ...): not kept",
    }, warnings)
  end)
end)

describe("FTP and segment sizes", function()
  it("are kept on the rule that allows the connection", function()
    assert.same(allow { proto = "tcp", dport = 21, helper = "ftp" },
      (allowed "PROTOCOL=6\nDSTPORT=21\nKEEP_STATE=YES\nFTP_SUPPORT=YES"))
    assert.same(allow { dir = "forward", proto = "tcp", mss = 1400, state = true },
      (record("allowed", "DIRECTION=FORWARD\nPROTOCOL=6\nMSS_VALUE=1400\nKEEP_STATE=YES")))
    assert.same(allow { dir = "forward", proto = "tcp", mss = "pmtu" },
      (record("allowed", "DIRECTION=FORWARD\nPROTOCOL=6\nMSS_VALUE=TO_PMTU")))
  end)

  it("are told where they cannot be", function()
    local fields, warnings = allowed "DSTPORT=21\nFTP_SUPPORT=YES"
    assert.same(allow { proto = "tcp", dport = 21, helper = "ftp" }, fields)
    assert.same({ "FTP_SUPPORT: FTP is TCP, so the rule is about TCP only here" }, warnings)
    fields, warnings = allowed "PROTOCOL=17\nDSTPORT=69\nFTP_SUPPORT=YES\nKEEP_STATE=YES"
    assert.same(allow { proto = "udp", dport = 69, state = true }, fields)
    assert.same({ "FTP_SUPPORT: FTP is TCP, but the rule is about protocol 17: not kept" }, warnings)
    fields, warnings = allowed("PROTOCOL=6\nFTP_SUPPORT=YES", "STATEFUL=NO")
    assert.same(allow { proto = "tcp" }, fields)
    assert.same({ "FTP_SUPPORT had no effect, because STATEFUL is NO in options: not kept" }, warnings)
    for lines, left in pairs {
      ["DIRECTION=INPUT\nPROTOCOL=6\nMSS_VALUE=TO_PMTU"] = allow { proto = "tcp" },
      ["DIRECTION=FORWARD\nMSS_VALUE=1400"] = allow { dir = "forward" },
    } do
      fields, warnings = record("allowed", lines)
      assert.same(left, fields)
      assert.same({ "MSS_VALUE needs DIRECTION=FORWARD and PROTOCOL=6: not kept" }, warnings)
    end
  end)
end)

describe("the options", function()
  local EMPTY = "RULE\nNAME=r\nDIRECTION=INPUT\nEND\n"

  it("set the default and the number of states", function()
    local p = import(files { allowed = EMPTY, options = "PROC_IPFIRE_POLICY=1\nMAX_STATE_ENTRIES=5000\n" })
    assert.same({ ["in"] = "allow", out = "allow", forward = "allow" }, p.default)
    assert.same({ max_states = 5000 }, p.limits)
  end)

  it("never make a limit of 0", function()
    local options = "MAX_STATE_ENTRIES=0\nNOFLUSH_ON_EXIT=YES"
    local p, warnings = import(files { allowed = EMPTY, options = options })
    assert.same({}, p.limits)
    assert.same({ "options:1: MAX_STATE_ENTRIES=0 is not kept: max_states is 1 to 2147483647" }, warnings)
  end)
end)

describe("blocked sites", function()
  it("are a set that a job keeps, and addresses", function()
    local p, warnings, text = import(files {
      blacksites = "BSRULE\nNAME=WWW.Ads.example.\nBSRULE\nNAME=www.ads.example\nBSRULE\nNAME=a net\n"
        .. "SRCADDR=198.51.100.7\nDSTADDR2=198.51.100.8\nBSRULE\nNAME=other\nDSTADDR=b.example\nCOLOUR=1\n"
        .. "BSRULE\nNAME=nobody\nEND\n",
    })
    assert.same({
      "blacksites:1: names are not looked up by rules: let cron run ipfi examples/blocked-sites.lua "
        .. "set=blocked_sites www.ads.example b.example, which keeps the set that is denied both ways",
      "blacksites:12: unknown key 'COLOUR'",
      "blacksites:13: the record names no site",
    }, warnings)
    assert.truthy(text:find("\n--     www.ads.example\n--     b.example\n", 1, true))
    local addresses = { { from = "198.51.100.7" }, { from = "198.51.100.8" } }
    assert.equal(2, #p.rules)
    assert.same({ ranges = addresses, set = { "blocked_sites" } }, p.rules[1].wire.src)
    assert.same({ ranges = addresses, set = { "blocked_sites" } }, p.rules[2].wire.dst)
  end)

  it("never are words of a shell, or of Lua", function()
    for _, name in ipairs { "a.example;reboot", "$(x).example", "-rf.example", "a b.example", "`x`.y",
      "a.example\27[31m", 'x".example', "..", "1.2.3.400" } do
      local p, warnings, text = import(files { blacksites = "BSRULE\nNAME=" .. name .. "\nEND\n" })
      assert.same({ "blacksites:1: the record names no site" }, warnings)
      assert.equal(0, #p.rules)
      assert.is_nil(text:find("blocked_sites", 1, true))
    end
    local p, message = import(files { blacksites = "BSRULE\nNAME=x\nSRCADDR=a b\nEND\n" })
    assert.is_nil(p)
    assert.equal("blacksites:3: SRCADDR: expected an IPv4 address, got 'a b'", message)
  end)
end)

describe("names", function()
  local function named(name)
    local p, warnings, text = import(files { allowed = "RULE\nNAME=" .. name .. "\nDIRECTION=INPUT\nEND\n" })
    return p.rules[1].name, warnings, text
  end

  it("are kept, whatever Lua would make of them", function()
    for _, name in ipairs {
      'a "quoted" one', "]] error('no') --[[", "back\\slash\\", "\\\" }, allow { \"all", "-- comment",
      "{ 5 }",
      "número uno", "right \xe2\x80\xae left", "#1", "$(reboot)", "%s%d", "=",
    } do
      local got, warnings = named(name)
      assert.equal(name, got)
      assert.same({}, warnings)
    end
  end)

  it("that cannot be are changed, and told", function()
    local name, warnings, text = named "a\27[31m\r\tb"
    assert.equal("a?[31m??b", name)
    assert.same({ "allowed:2: rule 'a?[31m??b': the name 'a\\x1b[31m\\x0d\\x09b' cannot be kept as it is; "
      .. "here it is 'a?[31m??b'" }, warnings)
    assert.is_nil(text:find("[\27\r]"))
    name = named(("é"):rep(40))
    assert.equal(("é"):rep(31), name)
    name = named(("\xff"):rep(80))
    assert.equal(("\xff"):rep(63), name)
    name, warnings = named ""
    assert.equal("allowed 1", name)
    assert.same({ "allowed:2: rule 'allowed 1': the rule has no name; here it is 'allowed 1'" }, warnings)
  end)

  it("are unique in all files, with a number where they were not", function()
    local long = ("x"):rep(63)
    local content = {}
    for _, name in ipairs { "web", "web", "web 2", long, long, "web" } do
      content[#content + 1] = ("RULE\nNAME=%s\nDIRECTION=INPUT\n"):format(name)
    end
    local p = import(files {
      blacklist = "RULE\nNAME=web\nDIRECTION=INPUT\nEND",
      allowed = table.concat(content) .. "END",
    })
    local list = {}
    for i, rule in ipairs(p.rules) do
      list[i] = rule.name
    end
    assert.same({ "web", "web 2", "web 3", "web 2 2", long, ("x"):rep(61) .. " 2", "web 4" }, list)
  end)
end)

describe("ipfi --import-legacy", function()
  local function run(options)
    local all = { expr = {}, modules = {}, args = {}, color = "auto", verbose = 0, lock_wait = 0 }
    for name, value in pairs(options) do
      all[name] = value
    end
    local out, complained, status = support.catch(main, all)
    settings.quiet = false
    return status, out, complained
  end

  it("prints the policy and warns, with status 0", function()
    local status, out, complained = run { import_legacy = FIXTURES .. "workstation" }
    assert.equal(0, status)
    assert.equal(read(FIXTURES .. "workstation/policy.lua"), out)
    assert.equal(9, select(2, complained:gsub("ipfi: tests/lua/legacy/workstation/%l+:%d+: [^\n]+\n", "")))
    assert.truthy(loader.text(out, "p.lua"))
    status, out, complained = run { import_legacy = FIXTURES .. "workstation", quiet = true }
    assert.equal(0, status)
    assert.equal(read(FIXTURES .. "workstation/policy.lua"), out)
    assert.equal("", complained)
  end)

  it("ends with 3 when a file is broken, and prints no policy", function()
    local status, out, complained = run { import_legacy = FIXTURES .. "broken" }
    assert.equal(errors.status.policy, status)
    assert.equal("", out)
    assert.truthy(complained:find("tests/lua/legacy/broken/options:1: MAX_STATE_ENTRIES", 1, true))
    assert.equal(3, (run { import_legacy = "no/such/directory" }))
  end)
end)
