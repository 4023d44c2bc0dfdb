-- SPDX-License-Identifier: GPL-2.0-or-later
-- The warning to who commits over a connection that the policy would not let in again. The program itself is
-- run, with --sim: nothing of it stands in for another.
local PROGRAM = "build/ipfi"

local function built()
  local file = io.open(PROGRAM)
  return file and file:close()
end

-- What a confirmed commit of a policy with these rules says to who uses it over a connection.
local function commit(rules, connection, options)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write("return policy { name = 'x', rules = {\n", rules, "\n} }\n")
  file:close()
  local pipe = assert(io.popen(("SSH_CONNECTION='%s' %s --sim %s -f %s </dev/null 2>&1"):format(connection,
    PROGRAM, options or "--confirm=60", path)))
  local said = pipe:read "a":gsub(path:gsub("%p", "%%%0"), "x.lua")
  pipe:close()
  os.remove(path)
  -- That it is only a simulation is said each time.
  return (said:gsub("[^\n]*: nothing was changed on this machine\n", ""))
end

local SSH = "192.0.2.7 50000 198.51.100.1 22"
local STATEFUL = 'allow { "ssh", dir = "in", proto = "tcp", dport = 22, state = true },'

describe("a confirmed commit", function()
  if not built() then
    pending "build/ipfi is not built"
    return
  end

  it("says nothing to who could come back", function()
    assert.equal("", commit(STATEFUL, SSH))
    assert.equal("", commit(STATEFUL, "2001:db8::7 50000 2001:db8::1 22"))
  end)

  it("names the rule that would refuse who uses it", function()
    assert.equal("ipfi: the connection that you use, 192.0.2.7:50000 > 198.51.100.1:22, could not be made "
      .. "anew: it would meet deny 'rest' (x.lua:2)\n",
      commit('deny { "rest", dir = "in" }, ' .. STATEFUL, SSH))
    assert.matches("%[2001:db8::7%]:50000 > %[2001:db8::1%]:22.*it would meet reject 'no'",
      commit('reject { "no", proto = "tcp", dport = 22 }', "2001:db8::7 50000 2001:db8::1 22"))
    assert.matches("it would meet deny 'default'\n$", commit('allow { "lo", iif = "lo" }', SSH))
  end)

  it("sees when only the answers would be refused", function()
    assert.matches("the answer to it would meet deny 'default'\n$",
      commit('allow { "ssh", dir = "in", proto = "tcp", dport = 22 }', SSH))
  end)

  it("is about the port that is used", function()
    assert.matches("would meet deny", commit(STATEFUL, "192.0.2.7 50000 198.51.100.1 2222"))
  end)

  it("believes no nonsense", function()
    for _, nonsense in ipairs { "", "x", "1.2.3.4 1 1.2.3.4", "1.2.3 1 1.2.3.4 22",
      "1.2.3.4 70000 1.2.3.4 22" } do
      assert.equal("", commit('deny { "all" }', nonsense), nonsense)
    end
  end)

  it("is what is warned about, no other", function()
    assert.equal("", commit('deny { "all" }', SSH, ""))
  end)
end)
