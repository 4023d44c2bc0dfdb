-- SPDX-License-Identifier: GPL-2.0-or-later
-- Stands in for ipfi.c.sys: the same answers on every machine. A test may change sys.world.
local sys = {}

local SERVICES = {
  ftp = { tcp = 21 }, ssh = { tcp = 22 }, smtp = { tcp = 25 }, domain = { tcp = 53, udp = 53 },
  bootps = { udp = 67 }, bootpc = { udp = 68 }, http = { tcp = 80 }, ntp = { udp = 123 }, https = { tcp = 443,
    udp = 443 },
  ["dhcpv6-client"] = { tcp = 546, udp = 546 }, ["dhcpv6-server"] = { tcp = 547, udp = 547 },
  shell = { tcp = 514 }, syslog = { udp = 514 }, exec = { tcp = 512 }, biff = { udp = 512 }, rpc = { tcp = 1,
    udp = 2 },
  ["http-alt"] = { tcp = 8080, udp = 8080 }, imaps = { tcp = 993 }, submission = { tcp = 587 },
}
local PROTOCOLS = { tcp = 6, udp = 17, icmp = 1, ["ipv6-icmp"] = 58, gre = 47, sctp = 132, rsvp = 46 }
local USERS = { root = 0, backup = 34, alice = 1000 }

sys.world = {
  files = {},
  euid = 0,
  tty = {},
  columns = 100,
  rows = 25,
  interrupted = false,
  locked = false,
  syslog = {},
  stdin = "",
  interfaces = { "lo", "eth0", "eth1" },
  devices = {
    { name = "lo", up = true, loopback = true, mtu = 65536, addresses = { "127.0.0.1/8", "::1/128" } },
    { name = "eth0", up = true, loopback = false, mtu = 1500,
      addresses = { "192.0.2.7/24", "fe80::7/64", "2001:db8::7/64" } },
    { name = "eth1", up = true, loopback = false, mtu = 1500, addresses = { "10.0.0.1/8" } },
  },
  clock = 1000.0,
}

local function parse4(text)
  local a, b, c, d = text:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$")
  local bytes = {}
  for i, part in ipairs { a, b, c, d } do
    local number = tonumber(part)
    if number > 255 or (#part > 1 and part:sub(1, 1) == "0") then
      return nil
    end
    bytes[i] = string.char(number)
  end
  return a and table.concat(bytes)
end

local function groups(text)
  local list = {}
  if text == "" then
    return list
  end
  for part in (text .. ":"):gmatch("([^:]*):") do
    if part:find(".", 1, true) then
      local four = parse4(part)
      if not four then
        return nil
      end
      local x, y = string.unpack(">I2I2", four)
      list[#list + 1] = x
      list[#list + 1] = y
    elseif part:find("^%x%x?%x?%x?$") then
      list[#list + 1] = tonumber(part, 16)
    else
      return nil
    end
  end
  return list
end

local function parse6(text)
  if not text:find(":", 1, true) or text:find(":::", 1, true) then
    return nil
  end
  local head, tail = text:match("^(.-)::(.*)$")
  local list
  if head then
    local a, b = groups(head), groups(tail)
    if not a or not b or #a + #b > 7 or tail:find("::", 1, true) then
      return nil
    end
    list = a
    for _ = #a + #b + 1, 8 do
      list[#list + 1] = 0
    end
    table.move(b, 1, #b, #list + 1, list)
  else
    list = groups(text)
  end
  if not list or #list ~= 8 then
    return nil
  end
  return string.pack(">I2I2I2I2I2I2I2I2", table.unpack(list))
end

local function show(bytes)
  if #bytes == 4 then
    return ("%d.%d.%d.%d"):format(bytes:byte(1, 4))
  end
  local list = { string.unpack(">I2I2I2I2I2I2I2I2", bytes) }
  local start, length = 0, 1
  local at = 1
  while at <= 8 do
    local stop = at
    while stop <= 8 and list[stop] == 0 do
      stop = stop + 1
    end
    if stop - at > length then
      start, length = at, stop - at
    end
    at = stop + 1
  end
  local text, i = {}, 1
  while i <= 8 do
    if i == start then
      text[#text + 1] = i == 1 and "::" or ":"
      i = i + length
    else
      text[#text + 1] = ("%x"):format(list[i]) .. (i < 8 and ":" or "")
      i = i + 1
    end
  end
  return table.concat(text)
end

function sys.address(text)
  if type(text) ~= "string" then
    return nil
  end
  local bytes = text:find("^%d+%.%d+%.%d+%.%d+$") and parse4(text) or parse6(text)
  if not bytes then
    return nil
  end
  return { family = #bytes == 4 and 4 or 6, text = show(bytes), bytes = bytes }
end

function sys.prefix_range(text, length)
  local bytes = assert(sys.address(text)).bytes
  local first, last = {}, {}
  for i = 1, #bytes do
    local bits = math.max(0, math.min(8, length - (i - 1) * 8))
    local host = 0xff >> bits
    first[i] = string.char(bytes:byte(i) & ~host & 0xff)
    last[i] = string.char(bytes:byte(i) | host)
  end
  return show(table.concat(first)), show(table.concat(last))
end

function sys.compare_addresses(a, b)
  local x, y = sys.address(a).bytes, sys.address(b).bytes
  if #x ~= #y then
    return #x < #y and -1 or 1
  end
  return x == y and 0 or x < y and -1 or 1
end

-- sys.world.names: { name = list of addresses, or what went wrong }
function sys.resolve(names)
  local answers = {}
  for _, name in ipairs(names) do
    local answer = (sys.world.names or {})[name] or "Name or service not known"
    answers[name] = type(answer) == "table" and table.move(answer, 1, #answer, 1, {}) or answer
  end
  return answers
end

function sys.service(name, proto)
  local ports = SERVICES[name]
  if not ports then
    return nil
  elseif proto then
    return ports[proto]
  end
  return ports.tcp or ports.udp
end

function sys.service_name(port, proto)
  local found
  for name, ports in pairs(SERVICES) do
    for p, number in pairs(ports) do
      if number == port and (not proto or p == proto) and (not found or name < found) then
        found = name
      end
    end
  end
  return found
end

local function keys(t)
  local list = {}
  for key in pairs(t) do
    list[#list + 1] = key
  end
  table.sort(list)
  return list
end

function sys.services()
  return keys(SERVICES)
end

function sys.protocol(name)
  return PROTOCOLS[name]
end

function sys.protocol_name(number)
  for name, n in pairs(PROTOCOLS) do
    if n == number then
      return name
    end
  end
  return nil
end

function sys.protocols()
  return keys(PROTOCOLS)
end

function sys.user(name)
  return USERS[name]
end

function sys.user_name(uid)
  for name, n in pairs(USERS) do
    if n == uid then
      return name
    end
  end
  return nil
end

function sys.ifindex(name)
  for i, other in ipairs(sys.world.interfaces) do
    if name == other then
      return i
    end
  end
  return nil
end

function sys.ifname(index)
  return sys.world.interfaces[index]
end

function sys.devices()
  return sys.world.devices
end

function sys.interfaces()
  return sys.world.interfaces
end

-- The status of files is as a test describes it; others belong to root and are well kept.
function sys.read_file(path)
  local file = io.open(path, "rb")
  if not file then
    return nil, "No such file or directory"
  end
  local source = file:read("a")
  file:close()
  return source, sys.world.files[path] or sys.kept()
end

--- The status of a path: of those in world.stats when a test has put some there, else of the real files.
-- sys.world.way: what every path leads through.
function sys.way()
  return sys.world.way or {}
end

function sys.stat(path)
  if sys.world.stats then
    return sys.world.stats[path]
  end
  local file = io.open(path, "rb")
  if not file then
    return nil, "No such file or directory"
  end
  file:close()
  return sys.world.files[path] or sys.kept()
end

-- The status of a file that root keeps well, with changes.
function sys.kept(changes)
  local status = {
    type = "file", uid = 0, gid = 0, mode = tonumber("644", 8), sticky = false, path = "/etc/ipfi/x.lua",
    dirs = {
      { path = "/etc/ipfi", uid = 0, gid = 0, mode = tonumber("755", 8), sticky = false },
      { path = "/", uid = 0, gid = 0, mode = tonumber("755", 8), sticky = false },
    },
  }
  for key, value in pairs(changes or {}) do
    status[key] = value
  end
  return status
end

--- The home directory that the system knows.
function sys.home()
  return sys.world.home
end

function sys.geteuid()
  return sys.world.euid
end

function sys.has_cap_net_admin()
  return sys.world.euid == 0
end

function sys.isatty(fd)
  return sys.world.tty[fd] or false
end

function sys.winsize()
  return sys.world.columns, sys.world.rows
end

function sys.memory()
  return { total = 8 << 30, available = 4 << 30 }
end

function sys.interrupted()
  return sys.world.interrupted
end

function sys.clear_interrupt()
  sys.world.interrupted = false
end

function sys.lock()
  if sys.world.locked then
    return nil, "busy"
  end
  return true
end

function sys.unlock() end

-- sys.world.login: where the program is used from, as a test says.
function sys.login()
  return sys.world.login
end

-- Hands out what a test put into sys.world.typed: lines, or { why not }; then time passes.
function sys.read_line(seconds)
  local typed = table.remove(sys.world.typed or {}, 1)
  if type(typed) == "string" then
    return typed
  end
  sys.world.clock = sys.world.clock + seconds
  return nil, typed and typed[1] or "timeout"
end

function sys.openlog() end

function sys.syslog(level, message)
  table.insert(sys.world.syslog, level .. ": " .. message)
end

function sys.read_stdin()
  return sys.world.stdin
end

function sys.monotonic()
  return sys.world.clock
end

sys.time = sys.monotonic

function sys.list_dir(path)
  local pipe = assert(io.popen(("ls -A1 '%s' 2>/dev/null"):format(path)))
  local names = {}
  for name in pipe:lines() do
    names[#names + 1] = name
  end
  if not pipe:close() then
    return nil, "No such file or directory"
  end
  return names
end

return sys
