-- SPDX-License-Identifier: GPL-2.0-or-later
-- Cases of the library ipfi.c.sys, on the machine they run on.
local sys = require "ipfi.c.sys"

local cases = {}

local function expect(got, wanted)
  if got ~= wanted then
    error(("got %s, wanted %s"):format(tostring(got), tostring(wanted)), 2)
  end
end

local function shell(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  pipe:close()
  return (text:gsub("\n$", ""))
end

-- Runs body with a new directory, which goes afterwards.
local function with_directory(body)
  local path = shell "mktemp -d /tmp/ipfi-sys-test-XXXXXX"
  local ok, err = pcall(body, path)
  os.execute("rm -rf " .. path)
  if not ok then
    error(err, 0)
  end
end

function cases.resolves_names_in_time()
  local found = assert(sys.resolve({ "localhost", "192.0.2.1", "2001:DB8::1", "no.such.name.invalid" }, 20))
  local list = table.concat(found.localhost, " ")
  assert(list:find("127.0.0.1", 1, true) or list:find("::1", 1, true), list)
  expect(found["192.0.2.1"][1], "192.0.2.1")
  expect(#found["192.0.2.1"], 1)
  expect(found["2001:DB8::1"][1], "2001:db8::1")
  expect(type(found["no.such.name.invalid"]), "string")
  expect(next(assert(sys.resolve({}, 1))), nil)
  expect((pcall(sys.resolve, { 5 }, 1)), false)
  expect((pcall(sys.resolve, { "a\0b" }, 1)), false)
  expect((pcall(sys.resolve, "localhost", 1)), false)
end

-- Whatever the system's resolver does, it is waited for no longer than said.
function cases.gives_up_names_in_time()
  local names, begun = {}, sys.monotonic()
  for i = 1, 500 do
    names[i] = ("n%d.example.invalid"):format(i)
  end
  local found = assert(sys.resolve(names, 0.05))
  assert(sys.monotonic() - begun < 5)
  for _, name in ipairs(names) do
    expect(type(found[name]), "string")
  end
end

function cases.addresses()
  local four, six = sys.address "10.0.0.1", sys.address "FD00:0::1"
  expect(four.family, 4)
  expect(four.text, "10.0.0.1")
  expect(four.bytes, "\10\0\0\1")
  expect(six.family, 6)
  expect(six.text, "fd00::1")
  expect(#six.bytes, 16)
  local none = { "", "10.0.0", "10.0.0.256", "010.0.0.1", "fd00::1::", "fe80::1%lo", " 10.0.0.1", "host" }
  for _, text in ipairs(none) do
    expect(sys.address(text), nil)
  end
end

function cases.prefixes_and_order()
  local first, last = sys.prefix_range("192.168.1.77", 24)
  expect(first .. " " .. last, "192.168.1.0 192.168.1.255")
  first, last = sys.prefix_range("fd00::1", 64)
  expect(first .. " " .. last, "fd00:: fd00::ffff:ffff:ffff:ffff")
  assert(not pcall(sys.prefix_range, "10.0.0.0", 33))
  assert(not pcall(sys.prefix_range, "10.0.0.0", -1))
  assert(not pcall(sys.prefix_range, "x", 1))
  assert(sys.compare_addresses("10.0.0.2", "10.0.0.10") < 0)
  assert(sys.compare_addresses("10.0.0.255", "10.0.0.1") > 0)
  expect(sys.compare_addresses("::1", "0::1"), 0)
  assert(sys.compare_addresses("255.0.0.0", "::1") < 0)
end

function cases.names()
  expect(sys.user "root", 0)
  expect(sys.user_name(0), "root")
  expect(sys.user "no such user", nil)
  expect(sys.user_name(-1), nil)
  expect(sys.user_name(1 << 40), nil)
  expect(sys.protocol "no such protocol", nil)
  expect(sys.protocol_name(300), nil)
  expect(sys.service_name(70000), nil)
  expect(sys.service "no such service", nil)
  expect(math.type(#sys.services()), "integer")
  -- Where the databases are.
  if sys.protocol "tcp" then
    expect(sys.protocol "tcp", 6)
    expect(sys.protocol_name(17), "udp")
    assert(#sys.protocols() > 3)
  end
  if sys.service "ssh" then
    expect(sys.service("ssh", "tcp"), 22)
    expect(sys.service_name(22, "tcp"), "ssh")
    expect(sys.service("ssh", "no such protocol"), nil)
    assert(#sys.services() > 10)
  end
end

function cases.devices()
  local index = assert(sys.ifindex "lo")
  expect(sys.ifname(index), "lo")
  expect(sys.ifindex "no-such-device", nil)
  expect(sys.ifname(0), nil)
  expect(sys.ifname(1 << 40), nil)
  local found = false
  for _, name in ipairs(sys.interfaces()) do
    found = found or name == "lo"
  end
  assert(found)
end

-- The paths that a path leads through, those of links in ().
local function way_of(path)
  local steps = {}
  for i, step in ipairs(assert(sys.way(path))) do
    steps[i] = step.link and "(" .. step.path .. ")" or step.path
  end
  return table.concat(steps, " ")
end

function cases.ways()
  with_directory(function(path)
    os.execute(("cd %s && mkdir -p a/b c && touch a/b/file c/file && ln -s ../a/b c/b"):format(path))
    os.execute(("cd %s && ln -s %s/c/b/file link && ln -s loop loop && ln -s / root && chmod 1757 c")
      :format(path, path))
    local above = way_of(path)
    expect(above:match "^%S+", "/")
    above = above .. " " .. path
    expect(way_of(path .. "/a/b/file"), ("%s %s/a %s/a/b"):format(above, path, path))
    expect(way_of(path .. "//a/./b/../b//file"), ("%s %s/a %s/a %s/a/b"):format(above, path, path, path))
    local to_file = ("%s/c (%s/c/b) %s %s/a %s/a/b"):format(path, path, path, path, path)
    expect(way_of(path .. "/c/b/file"), above .. " " .. to_file)
    expect(way_of(path .. "/link"), ("%s (%s/link) %s %s"):format(above, path, above, to_file))
    expect(way_of(path .. "/root/etc"), ("%s (%s/root) /"):format(above, path))
    expect(way_of "/", "")
    expect(way_of "/../..//etc", "/")
    local steps = sys.way(path .. "/c/file")
    expect(steps[#steps].mode, tonumber("1757", 8))
    expect(steps[#steps].sticky, true)
    expect(steps[#steps].uid, sys.geteuid())
    expect(sys.way(path .. "/loop"), nil)
    expect(select(2, sys.way(path .. "/loop")), "Too many levels of symbolic links")
    expect(select(2, sys.way(path .. "/no/such")), "No such file or directory")
    expect(sys.way(("x/"):rep(5000)), nil)
    assert(#sys.way "tests/unit" >= 2)
  end)
end

function cases.files_and_their_directories()
  with_directory(function(path)
    local file = path .. "/policy.lua"
    os.execute(("printf 'return 1' >%s && chmod 640 %s && chmod 1777 %s"):format(file, file, path))
    os.execute(("ln -s %s %s/link.lua"):format(file, path))
    local status = assert(sys.stat(file))
    expect(status.type, "file")
    expect(status.size, 8)
    expect(status.mode, tonumber("640", 8))
    expect(status.uid, sys.geteuid())
    expect(status.sticky, false)
    expect(status.dirs[1].path, path)
    expect(status.dirs[1].mode, tonumber("1777", 8))
    expect(status.dirs[1].sticky, true)
    expect(status.dirs[#status.dirs].path, "/")
    expect(#status.dirs, 3)

    -- Through a link it is the file itself that counts.
    local text, read = assert(sys.read_file(path .. "/link.lua"))
    expect(text, "return 1")
    expect(read.path, file)
    expect(read.mode, tonumber("640", 8))
    expect(read.dirs[1].path, path)

    expect(sys.stat(path).type, "directory")
    local names = sys.list_dir(path)
    table.sort(names)
    expect(table.concat(names, " "), "link.lua policy.lua")
  end)
end

function cases.files_that_cannot_be_read()
  local text, why = sys.read_file "/no/such/file"
  expect(text, nil)
  expect(why, "No such file or directory")
  expect(select(2, sys.read_file "/tmp"), "Is a directory")
  expect(select(2, sys.stat "/no/such/file"), "No such file or directory")
  expect(select(2, sys.list_dir "/no/such/file"), "No such file or directory")
  with_directory(function(path)
    -- A fifo without a writer does not keep us waiting.
    os.execute("mkfifo " .. path .. "/fifo")
    expect(sys.read_file(path .. "/fifo"), "")
    expect(select(2, sys.read_file(path .. "/fifo")).type, "fifo")
    os.execute("truncate -s 65M " .. path .. "/huge")
    expect(select(2, sys.read_file(path .. "/huge")), "File too large")
    -- A million bytes come whole.
    os.execute("head -c 1000000 /dev/zero | tr '\\0' x >" .. path .. "/large")
    expect(sys.read_file(path .. "/large"), ("x"):rep(1000000))
  end)
end

function cases.files_that_are_replaced()
  with_directory(function(path)
    local file = path .. "/policy.bin"
    expect(sys.replace_file(file, "one\0two"), true)
    expect(sys.read_file(file), "one\0two")
    expect(sys.stat(file).mode, tonumber("600", 8))
    expect(sys.replace_file(file, ("x"):rep(1000000)), true)
    expect(#sys.read_file(file), 1000000)
    expect(sys.replace_file(file, ""), true)
    expect(sys.read_file(file), "")
    -- Nothing is left beside it, and what is no file stays as it is.
    expect(table.concat(sys.list_dir(path), " "), "policy.bin")
    os.execute(("ln -s policy.bin %s/link; mkfifo %s/fifo"):format(path, path))
    for _, name in ipairs { "link", "fifo", "" } do
      expect(select(2, sys.replace_file(path .. "/" .. name, "x")),
        "there is something that is not a regular file")
    end
    expect(sys.read_file(file), "")
    expect(#sys.list_dir(path), 3)
    expect(select(2, sys.replace_file("/no/such/directory/file", "x")), "No such file or directory")
    expect(sys.replace_file("/dev/full", "x"), nil)
    sys.replace_file(file, "1234")
    expect(select(2, sys.read_file(file, 3)), "File too large")
  end)
end

function cases.one_lock_at_a_time()
  with_directory(function(path)
    local lock = path .. "/lock"
    -- Another process has it, for a second.
    local pipe = assert(io.popen(("flock %s sh -c 'echo taken; sleep 1'"):format(lock)))
    expect(pipe:read(), "taken")
    local taken, why = sys.lock(lock)
    expect(taken, nil)
    expect(why, "busy")
    taken, why = sys.lock(lock, 0.1)
    expect(taken, nil)
    expect(why, "busy")
    expect(sys.lock(lock, 20), true)
    pipe:close()
    -- It is ours, and stays so.
    expect(sys.lock(lock), true)
    expect(os.execute(("flock -n %s true"):format(lock)), nil)
    assert(tonumber((sys.read_file(lock))))
    expect(sys.lock(path .. "/own"), true)
    expect(sys.stat(path .. "/own").mode, tonumber("600", 8))
    -- A link is not followed: it may lead to a file that is not ours to empty.
    os.execute(("ln -s %s %s/link"):format(path .. "/victim", path))
    expect(sys.lock(path .. "/link"), nil)
    expect(sys.stat(path .. "/victim"), nil)
    expect(select(2, sys.lock "/no/such/directory/lock"), "No such file or directory")
  end)
end

function cases.time_and_memory()
  local start, clock = sys.monotonic(), sys.time()
  os.execute "sleep 0.2"
  local passed = sys.monotonic() - start
  assert(passed > 0.15 and passed < 20, passed)
  assert(math.abs(clock - os.time()) < 5)
  local memory = sys.memory()
  assert(memory.total > 1 << 24 and memory.available > 0 and memory.available < memory.total)
end

function cases.terminal_and_rights()
  expect(sys.isatty(999), false)
  expect(sys.geteuid(), tonumber(shell "id -u"))
  local effective = tonumber(shell "sed -n 's/^CapEff:\t//p' /proc/self/status", 16)
  expect(sys.has_cap_net_admin(), effective & 1 << 12 ~= 0)
  expect(sys.interrupted(), false)
  assert(not pcall(sys.syslog, "loud", "text"))
end

return cases
