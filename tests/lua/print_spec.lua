-- SPDX-License-Identifier: GPL-2.0-or-later
local support = require "support"
local columns = require "ipfi.base.columns"
local json = require "ipfi.base.json"
local printer = require "ipfi.base.print"
local settings = require "ipfi.base.settings"
local style = require "ipfi.base.style"
local suggest = require "ipfi.base.suggest"
local sys = require "ipfi.c.sys"
local text = require "ipfi.base.text"

local function show(value, st)
  return printer.show(value, st or style.plain())
end

describe("a value", function()
  it("is shown as Lua would write it, with sorted keys", function()
    assert.equal("5\n", show(5))
    assert.equal("nil\n", show(nil))
    assert.equal("a\nb\n", show "a\nb")
    assert.equal('{ 1, "two", { x = 3 } }\n', show { 1, "two", { x = 3 } })
    assert.equal('{ a = 1, b = 2, ["end"] = 4, ["not a name"] = 3 }\n',
      show { b = 2, a = 1, ["not a name"] = 3, ["end"] = 4 })
    assert.equal("{ 1, [3] = 3, x = true }\n", show { 1, nil, 3, x = true })
    assert.equal("{}\n", show {})
  end)

  it("that is long takes several lines", function()
    local shown = show { first = ("x"):rep(60), second = ("y"):rep(60) }
    assert.equal(('{\n  first = "%s",\n  second = "%s"\n}\n'):format(("x"):rep(60), ("y"):rep(60)), shown)
  end)

  it("may hold itself", function()
    local t = {}
    t.t = t
    assert.equal("{ t = { the table around it } }\n", show(t))
  end)

  it("of many elements is cut with their number", function()
    local list = {}
    for i = 1, 1000 do
      list[i] = i
    end
    assert.matches("%.%.%. 800 more\n}\n$", show(list))
  end)

  it("of deep tables is cut", function()
    local t = {}
    for _ = 1, 20 do
      t = { t }
    end
    assert.matches("{ %.%.%. }", show(t))
  end)

  it("never sends control characters to the terminal", function()
    assert.equal("a\\x1b[31m\n", show "a\27[31m")
    assert.equal('{ x = "\\x07" }\n', show { x = "\7" })
    assert.equal('{ ["\\x1b"] = 1 }\n', show { ["\27"] = 1 })
  end)

  it("has colours on a terminal that wants them", function()
    assert.equal('{ \27[36mx\27[0m = \27[32m"y"\27[0m }\n', show({ x = "y" }, style.new { color = true }))
  end)
end)

describe("escape", function()
  it("leaves text alone and shows the rest", function()
    assert.equal("plain é ☺", text.escape "plain é ☺")
    assert.equal("\\x00\\x09\\x0a\\x1b\\x7f", text.escape "\0\t\n\27\127")
    assert.equal("\\xff\\xc3(", text.escape "\xff\xc3(")
    assert.equal("a\\u{202e}b", text.escape "a\u{202e}b")
    assert.equal("\\u{009b}31m", text.escape "\u{9b}31m")
    assert.equal("a\n\tb\\x1b", text.escape_lines "a\n\tb\27")
  end)

  it("cuts by characters", function()
    assert.equal("abc", text.cut("abc", 3))
    assert.equal("ab…", text.cut("abcd", 3))
    assert.equal("é…", text.cut("éàü", 2))
    assert.equal("", text.cut("abc", 0))
    assert.equal(3, text.width "\27[1;34mabc\27[0m")
  end)
end)

describe("a table", function()
  local list = {
    { title = "NAME", cut = true, cell = function(row) return row.name end },
    { title = "N", right = true, cell = function(row) return tostring(row.n) end },
    { title = "SPARE", spare = 1, cell = function(row) return row.spare end },
    { title = "NONE", empty = false, cell = function() return nil end },
  }
  local rows = { { name = "a name that is long", n = 1, spare = "xxxxxxxx" }, { name = "b\27", n = 200,
    spare = "y" } }

  it("is aligned", function()
    assert.equal(table.concat {
      "NAME                   N  SPARE\n",
      "a name that is long    1  xxxxxxxx\n",
      "b\\x1b                200  y\n",
    }, columns.format(style.plain(), list, rows))
  end)

  it("fits: spare columns go first, then cells are cut", function()
    assert.equal(table.concat {
      "NAME                   N\n",
      "a name that is long    1\n",
      "b\\x1b                200\n",
    }, columns.format(support.terminal(30), list, rows))
    assert.equal(table.concat {
      "NAME           N\n",
      "a name tha…    1\n",
      "b\\x1b        200\n",
    }, columns.format(support.terminal(16), list, rows))
  end)
end)

describe("numbers", function()
  local st = support.terminal(80)

  it("are rounded for people", function()
    assert.equal("99999", st:count(99999))
    assert.equal("100k", st:count(100000))
    assert.equal("1.23M", st:count(1234567))
    assert.equal("9999", st:bytes(9999))
    assert.equal("9.77K", st:bytes(10000))
    assert.equal("1.00M", st:bytes(1 << 20))
    assert.equal("12.0M", st:bytes(12 << 20))
    assert.equal("8.00E", st:bytes(math.maxinteger))
    assert.equal("1234567", style.plain():count(1234567))
    assert.equal("1048576", style.plain():bytes(1 << 20))
  end)

  it("of seconds too", function()
    assert.equal("0.5s", st:duration(0.5))
    assert.equal("5s", st:duration(5))
    assert.equal("59s", st:duration(59.9))
    assert.equal("1m00s", st:duration(60))
    assert.equal("59m59s", st:duration(3599.9))
    assert.equal("1h00m", st:duration(3600))
    assert.equal("7d00h", st:duration(604800))
    assert.equal("0.5", style.plain():duration(0.5))
  end)
end)

describe("colours", function()
  local getenv = os.getenv
  local env

  before_each(function()
    env = {}
    os.getenv = function(name) -- luacheck: ignore 122
      return env[name]
    end
  end)
  after_each(function()
    os.getenv = getenv -- luacheck: ignore 122
    sys.world.tty = {}
    settings.color = "auto"
  end)

  it("are for terminals without NO_COLOR", function()
    assert.is_false(style.output().color)
    assert.is_nil(style.output().width)
    sys.world.tty[1] = true
    -- One that has no name, as that of a job may.
    assert.is_false(style.output().color)
    env.TERM = ""
    assert.is_false(style.output().color)
    env.TERM = "xterm"
    assert.is_true(style.output().color)
    assert.equal(100, style.output().width)
    env.NO_COLOR = ""
    assert.is_true(style.output().color)
    env.NO_COLOR = "1"
    assert.is_false(style.output().color)
    settings.color = "always"
    assert.is_true(style.output().color)
    settings.color = "never"
    env = { TERM = "xterm" }
    assert.is_false(style.output().color)
    settings.color, env = "auto", { TERM = "dumb" }
    assert.is_false(style.output().color)
  end)
end)

describe("JSON", function()
  it("keeps integers, sorts keys, and is always UTF-8", function()
    assert.equal('{"a":[1,2],"b":9223372036854775807,"c":1.5,"d":true}',
      json.encode { b = math.maxinteger, a = { 1, 2 }, d = true, c = 1.5 })
    assert.equal('"\\"\\\\\\n\\u001b\\u007fé/"', json.encode "\"\\\n\27\127é/")
    assert.equal('"\u{fffd}x\u{fffd}"', json.encode "\xffx\xc3")
    assert.equal('"\\u202ea\\u009b\\udb40\\udc41é…ж"', json.encode "\u{202e}a\u{9b}\u{e0041}é…ж")
    assert.equal("\u{202e}\u{e0041}", json.decode(json.encode "\u{202e}\u{e0041}"))
    assert.equal("null", json.encode(0 / 0))
    assert.equal("null", json.encode(math.huge))
    assert.equal('{"1":"x","3":"y"}', json.encode { [1] = nil, [3] = "y", ["1"] = "x" })
    assert.equal("{}", json.encode {})
    assert.has_error(function()
      local t = {}
      t[1] = t
      json.encode(t)
    end)
  end)

  it("is read with whole numbers, and without null", function()
    local value = json.decode '{"a":5,"b":[1.5,2],"c":null}'
    assert.same({ a = 5, b = { 1.5, 2 } }, value)
    assert.equal("integer", math.type(value.a))
    local nothing, problem = json.decode "{"
    assert.is_nil(nothing)
    assert.is_string(problem)
  end)

  it("is one line for each row", function()
    local function lines(value)
      local out = {}
      printer.json(value, function(line)
        out[#out + 1] = line
      end)
      return table.concat(out)
    end
    assert.equal('{"a":1}\n{"a":2}\n', lines { { a = 1 }, { a = 2 } })
    assert.equal('{"a":1}\n', lines { a = 1 })
    assert.equal("[1,2]\n", lines { 1, 2 })
    assert.equal('"x"\n', lines "x")
    assert.equal('{"n":1}\n{"n":2}\n', lines(setmetatable({}, {
      __rows = function()
        local i = 0
        return function()
          i = i + 1
          return i < 3 and { n = i } or nil
        end
      end,
    })))
  end)
end)

describe("a suggestion", function()
  it("is near", function()
    local names = { "https", "http", "ssh", "state", "src" }
    assert.equal("https", suggest.nearest("htpps", names))
    assert.equal("ssh", suggest.nearest("shs", names))
    assert.equal("state", suggest.nearest("STAET", names))
    assert.is_nil(suggest.nearest("completely", names))
    assert.equal("", suggest.hint("zzz", names))
    assert.equal("; did you mean 'src'?", suggest.hint("scr", names))
    assert.is_nil(suggest.nearest("", names))
  end)
end)
