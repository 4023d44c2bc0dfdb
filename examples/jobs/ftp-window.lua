#!/usr/sbin/ipfi
-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- For cron: opens FTP for some machines at given hours. They are members of a dynamic set, and a rule of the
-- policy is for its members only:
--
--     local ftp_hosts = set { name = "ftp_hosts", dynamic = true }
--     allow { "ftp in its hours", src = ftp_hosts, proto = "tcp", dport = "ftp", helper = "ftp" }
--
-- (examples/gateway.lua has them with ftp_hours=yes.) By the clock, as often as one likes; the days are for
-- cron to say:
--
--     */10 * * * 1-5  root  ipfi --syslog /etc/ipfi/jobs/ftp-window.lua from=8:00 until=18:00 10.0.0.5
--
-- Or by hand: now, with or without an end.
--
--     ipfi ftp-window.lua open until=18:00 10.0.0.5 10.0.1.0/24
--     ipfi ftp-window.lua close 10.0.0.5
--
--   from, until   HH:MM of local time; they may span midnight
--   set           another set than ftp_hosts
--   now           another time than the clock's, for trying out: HH:MM of today, or seconds since 1970
--
-- The closing hour is told to the kernel with the hosts. It closes to the second, and ends transfers that
-- run: that needs no other job, and no cron that is still alive. Says nothing when nothing changes; what
-- opens and closes is told with -v or --syslog. Without a policy that declares the set it fails (status 4).

local function usage(message, ...)
  error("ftp-window: " .. message:format(...), 0)
end

-- What was asked for: "open", "close", or nil for what the clock says; and for whom.
local VERBS = { open = true, close = true }
local verb, hosts = nil, {}
for i, word in ipairs(args) do
  if i == 1 and VERBS[word] then
    verb = word
  else
    hosts[#hosts + 1] = word
  end
end

-- An argument HH:MM as minutes since midnight.
local function minutes(name)
  local hour, minute = (args[name] or ""):match("^(%d%d?):(%d%d)$")
  hour, minute = math.tointeger(tonumber(hour)), math.tointeger(tonumber(minute))
  if args[name] and not (hour and hour < 24 and minute < 60) then
    usage("%s=%s is no time of the day, like 18:00", name, args[name])
  end
  return hour and hour * 60 + minute
end

-- The moment of a day's minute, in local time: clocks that are put forward or back between do not matter.
local function moment(date, days, minute)
  return os.time { year = date.year, month = date.month, day = date.day + days, hour = 0, min = minute }
end

local from, closing = minutes "from", minutes "until"
local now = tonumber(args.now) or (args.now and moment(os.date "*t", 0, minutes "now")) or os.time()
local date = os.date("*t", now)

if #hosts == 0 then
  usage "for whom? Name addresses or networks"
elseif verb and from then
  usage("%s happens now; leave from out", verb)
elseif not verb and not (from and closing) then
  usage "say open or close, or the hours: from=8:00 until=18:00"
elseif from and from == closing then
  usage "from and until are the same"
end

if not verb then
  local minute = date.hour * 60 + date.min
  local begun, over = minute >= from, minute >= closing
  local inside
  if from < closing then
    inside = begun and not over
  else
    inside = begun or not over
  end
  verb = inside and "open" or "close"
end

local set = fw.set(args.set or "ftp_hosts")
local who = table.concat(hosts, ", ")

if verb == "close" then
  if set:del(hosts) > 0 then
    fw.log("notice", "FTP is closed for %s", who)
  end
  return
end

local finish = closing and moment(date, 0, closing)
if finish and finish <= now then
  finish = moment(date, 1, closing)
end
if set:add(hosts, { timeout = finish and finish - now }) > 0 then
  fw.log("notice", "FTP is open for %s%s", who, finish and os.date(" until %H:%M", finish) or "")
end
