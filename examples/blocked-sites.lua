#!/usr/sbin/ipfi
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- For cron: keeps the addresses of sites, IPv4 and IPv6, in the dynamic set of a policy that denies it both
-- ways (blocked-sites-policy.lua). Each address stays for a while after the last answer that had it, longer
-- than until the next run, so that the set never is short and lets go by itself of what is no longer asked
-- for.
--
--     */15 * * * *  root  ipfi --syslog /etc/ipfi/jobs/blocked-sites.lua file=/etc/ipfi/blocked-sites
--     ... blocked-sites.lua www.example.com ads.example.net set=blocked timeout=2h wait=20
--
--   file      names, one a line; what follows a "#" is a comment
--   set       name of the dynamic set
--   timeout   how long an address stays; more than twice the time between two runs is safe
--   wait      seconds to wait for the answers, all together
--   state     file in which the last answers are remembered; state=no for none
--   private   private=yes: take private addresses and loopback too
--
-- A name that does not resolve keeps the addresses of its last answer, is reported, and makes the exit status
-- 1; the others are brought up to date all the same. Whoever owns a blocked name decides what it resolves to,
-- so addresses that cannot be a site's on the net are passed over: a site must not be able to block the
-- gateway.

local NAME = "^[%w_]([%w_.-]*)$"
local set = fw.set(args.set or "blocked")
local wait = tonumber(args.wait or 20)
local state = args.state or "/run/ipfi-blocked-sites." .. (args.set or "blocked")
local troubles = 0

local function trouble(level, message, ...)
  troubles = troubles + 1
  fw.log(level, "blocked-sites: " .. message, ...)
end

-- Prefixes of addresses that no site on the net has.
local NO_SITES = {
  "^0%.", "^10%.", "^127%.", "^169%.254%.", "^192%.168%.", "^172%.1[6-9]%.", "^172%.2%d%.", "^172%.3[01]%.",
  "^100%.6[4-9]%.", "^100%.[7-9]%d%.", "^100%.1[01]%d%.", "^100%.12[0-7]%.", "^22[4-9]%.", "^2[3-5]%d%.",
  "^::", "^f[cd]", "^fe[89ab]", "^ff",
}

local function may_be_a_site(address)
  if args.private == "yes" then
    return true
  end
  for _, pattern in ipairs(NO_SITES) do
    if address:find(pattern) then
      return false
    end
  end
  return true
end

-- The names asked for, each once.
local function names()
  local list, seen = {}, {}
  local function add(name, where)
    name = name:lower():gsub("%.$", "")
    if not name:find(NAME) or #name > 253 then
      trouble("error", "%s: '%s' is no name", where, name)
    elseif not seen[name] then
      seen[name] = true
      list[#list + 1] = name
    end
  end
  for _, name in ipairs(args) do
    add(name, "arguments")
  end
  if args.file then
    local number = 0
    for line in io.lines(args.file) do
      number = number + 1
      for name in line:gsub("#.*$", ""):gmatch("%S+") do
        add(name, ("%s:%d"):format(args.file, number))
      end
    end
  end
  return list
end

-- The last answers: { name = list of addresses }, a line each.
local function remembered()
  local known = {}
  local file = state ~= "no" and io.open(state)
  if file then
    for line in file:lines() do
      local name, rest = line:match("^(%S+) (.+)$")
      if name then
        known[name] = {}
        for address in rest:gmatch("%S+") do
          table.insert(known[name], address)
        end
      end
    end
    file:close()
  end
  return known
end

-- Written beside and renamed, so that who is killed half way leaves the old one.
local function remember(list, answers)
  if state == "no" then
    return
  end
  local file, problem = io.open(state .. ".new", "w")
  if file then
    for _, name in ipairs(list) do
      if answers[name] then
        file:write(name, " ", table.concat(answers[name], " "), "\n")
      end
    end
    local written
    written, problem = file:close()
    if written then
      written, problem = os.rename(state .. ".new", state)
    end
    if written then
      return
    end
  end
  trouble("warning", "the answers cannot be remembered: %s", problem)
end

-- Of each name the addresses that are to be blocked.
local function answers_of(list)
  local found, failed = fw.resolve(list, wait)
  local known, answers = remembered(), {}
  for _, name in ipairs(list) do
    local sites = {}
    for _, address in ipairs(found[name] or {}) do
      if may_be_a_site(address) then
        sites[#sites + 1] = address
      else
        fw.log("notice", "blocked-sites: %s: %s is no site's address on the net: passed over", name, address)
      end
    end
    if failed[name] then
      trouble("warning", "%s: %s; %s", name, failed[name],
        known[name] and "what it was the last time stays blocked" or "it never resolved")
      sites = known[name] or {}
    end
    answers[name] = #sites > 0 and sites or nil
  end
  return answers
end

if not wait then
  error(("blocked-sites: wait=%s is no number"):format(args.wait), 0)
end
local list = names()
if #list == 0 then
  error("blocked-sites: no names: give them as arguments, or in a file: file=/etc/ipfi/blocked-sites", 0)
end
-- Before the resolver is troubled: is there such a set?
local before = set:count()
local answers = answers_of(list)
local addresses = {}
for _, name in ipairs(list) do
  table.move(answers[name] or {}, 1, #(answers[name] or {}), #addresses + 1, addresses)
end
local added = set:add(addresses, { timeout = args.timeout or "2h" })
remember(list, answers)
fw.log("info", "blocked-sites: %d names, %d addresses, %d of them new; %d members before", #list, #addresses,
  added, before)
if troubles > 0 then
  os.exit(1, true)
end
