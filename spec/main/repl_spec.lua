-- The REPL, driven through a terminal.
local shell = require "support.shell"

describe("the REPL", function()
  local history

  before_each(function()
    history = os.tmpname()
    os.remove(history)
  end)
  after_each(function() os.remove(history) end)

  local function type_in(...)
    local env = ("env LARIAT_HISTORY=%s LC_ALL=C.UTF-8 "):format(history)
    return shell.type(env .. shell.lariat, { ... })
  end

  local function past()
    local f = assert(io.open(history))
    local text = f:read "a"
    f:close()
    return text
  end

  local function has(text, part) assert.is_truthy(text:find(part, 1, true), text) end

  it("says its version once, and leaves at the end of input", function()
    local shown = type_in "\4"
    assert.is_truthy(shown:find "^lariat %d+%.%d+%.%d+ %(Lua 5%.4%.%d+%)\n> ")
    assert.equal(1, select(2, shown:gsub("lariat %d", "")))
    assert.equal("\n", shown:sub(-1))
  end)

  it("prints expressions, and nothing for statements", function()
    local shown = type_in("1 + 1\n", "'a', nil, 'b'\n", "x = 7\n", "x\n", "= x * 2\n",
      "setmetatable({}, {__tostring = function() return 'pretty' end})\n", "print()\n", "\4")
    has(shown, "> 1 + 1\n2\n>")
    has(shown, "\na\tnil\tb\n> x = 7\n> x\n7\n> = x * 2\n14\n>")
    has(shown, "\npretty\n> print()\n\n> ")
  end)

  it("reads on while a statement is incomplete", function()
    local shown = type_in("for i = 1, 2 do\n", "print(i * 10)\n", "end\n", "\4")
    has(shown, "> for i = 1, 2 do\n>> print(i * 10)\n>> end\n10\n20\n>")
  end)

  it("shows errors with a traceback and goes on", function()
    local shown = type_in("error 'no'\n", "x = = 1\n", "error({})\n", "1 + 2\n", "\4")
    has(shown, "lariat: stdin:1: no\nstack traceback:\n\t[C]: in function 'error'\n")
    has(shown, "lariat: stdin:1: unexpected symbol near '='\n>")
    has(shown, "lariat: (error object is a table value)\n")
    has(shown, "> 1 + 2\n3\n")
  end)

  it("takes its prompts from _PROMPT and _PROMPT2", function()
    local shown = type_in("_PROMPT = 'one: '; _PROMPT2 = 'two: '\n", "do\n", "end\n", "\4")
    has(shown, "one: do\ntwo: end\none: ")
  end)

  it("throws the line away at Ctrl-C and stays", function()
    local shown = type_in("x = 1\n", "x = 2 nonsense", "\3", "x\n", "do\n", "\3", "x\n", "\4")
    assert.is_truthy(shown:find "nonsense.-\n> x\n1\n> do\n>> .-\n> x\n1\n", shown)
  end)

  it("stops what runs at Ctrl-C, and stays #interrupt", function()
    local shown = type_in("while true do end\n", 0.3, "\3", "40 + 2\n", "\4")
    has(shown, "lariat: interrupted!\nstack traceback:\n")
    has(shown, "> 40 + 2\n42\n")
  end)

  it("keeps the half-trained model when Ctrl-C ends a fit #interrupt", function()
    local shown = type_in(
      "net = lariat.nn.linear(50, 1)\n",
      "d = { x = lariat.randn(2000, 50), y = lariat.randn(2000) }\n",
      "h = lariat.fit(net, d, { loss = 'mse', epochs = 1e6, progress = false })\n", 0.5, "\3",
      "h.status, #h > 0, net.weight:isfinite():all():item()\n",
      "g = lariat.fit(net, d, { resume = h, epochs = #h + 1, progress = false })\n",
      "g == h, g.status\n", "\4")
    has(shown, "\ninterrupted\ttrue\ttrue\n")
    has(shown, "\ntrue\tmax_epochs\n")
  end)

  it("keeps what was typed for the next time", function()
    type_in("first = 1\n", "first = 1\n", "  \n", "second = 2\n", "\4")
    assert.equal("first = 1\nsecond = 2\n", past())
    local shown = type_in("\27[A\27[A\n", "first\n", "\4") -- up, up, enter
    has(shown, "\n1\n")
    assert.equal("first = 1\nsecond = 2\nfirst = 1\nfirst\n", past())
  end)

  it("keeps the last thousand lines", function()
    local lines = {}
    for i = 1, 1200 do lines[i] = "x" .. i end
    shell.write(history, table.concat(lines, "\n") .. "\n")
    type_in("last\n", "\4")
    local text = past()
    assert.equal(1000, select(2, text:gsub("\n", "")))
    assert.is_truthy(text:find "^x202\n" and text:find "\nx1200\nlast\n$")
  end)

  it("edits characters of more than a byte", function()
    local shown = type_in("'é' .. 'ü'\n", "\4")
    has(shown, "\néü\n")
  end)

  it("serves a pipe with -i", function()
    local out, err, code = shell.run(shell.lariat .. " -i", "1 + 1\nx = 3\ndo\nend\nx\n")
    assert.equal("\n> 2\n> > >> > 3\n> \n", out:match "\n.*")
    assert.equal("", err)
    assert.equal(0, code)
  end)
end)
