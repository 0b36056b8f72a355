-- The program takes the options of lua, and answers as lua does.
local shell = require "support.shell"

local function lariat(args, input, env)
  return shell.run(("%s %s %s"):format(env or "", shell.lariat, args), input)
end

-- Both programs on the same input. Messages differ by the program's name alone.
local function same(args, input, env)
  local out, err, code = lariat(args, input, env)
  local lua_out, lua_err, lua_code = shell.run(
    ("%s %s %s"):format(env or "", shell.lua, args), input)
  assert.equal(lua_out, out)
  assert.equal((lua_err:gsub("lua5%.4", "lariat")), err)
  assert.equal(lua_code, code)
  return out, err, code
end

describe("lariat", function()
  local script

  setup(function() script = os.tmpname() end)
  teardown(function() os.remove(script) end)

  local function write(text) shell.write(script, text) end

  it("runs a script with arg and ...", function()
    write "print(arg[1], arg[2], #arg, ...) print(arg[-1] ~= nil, arg[-2], arg[0] ~= nil)"
    local out = same(script .. " one 'two words'")
    assert.equal("one\ttwo words\t2\tone\ttwo words\ntrue\tnil\ttrue\n", out)
  end)

  it("gives what precedes the script negative indices", function()
    write "print(arg[-1], arg[-2], arg[-3] == nil, arg[-4])"
    assert.equal("x=1\t-e\tfalse\tnil\n", (same("-e x=1 " .. script)))
  end)

  it("runs -e in order, in one state", function()
    assert.equal("3\n", (same "-e 'x = 1' -e 'x = x + 2' -e 'print(x)'"))
    assert.equal("5\n", (same "'-eprint(2+3)'"))
  end)

  it("exits as it is told", function()
    for _, how in ipairs { "os.exit()", "os.exit(3)", "os.exit(true)", "os.exit(false)",
      "os.exit(4, true)", "return 5", "error 'x'", "error()", "syntax error" } do
      write(how)
      same(script)
    end
  end)

  it("reports errors with the traceback of lua", function()
    write "local function f() error 'deep' end\nlocal function g() f() end\ng()"
    local _, err = same(script)
    assert.is_truthy(err:find "^lariat: .*:1: deep\nstack traceback:\n")
    write "local t = nil\nt.x = 1"
    same(script)
    write "error(setmetatable({}, { __tostring = function() return 'an object' end }))"
    same(script)
    write "error {}"
    same(script)
    write "coroutine.wrap(function() error 'inside' end)()"
    same(script)
    write "x = = 1"
    same(script)
  end)

  it("reports a script that is not there, and an error of -e", function()
    same "no/such/script.lua"
    same "-e 'error [[now]]'"
    same "-e 'x ='"
  end)

  it("takes -l", function()
    assert.equal("table\n", (same "-l string -e 'print(type(string))'"))
    assert.equal("function\n", (same "-l s=string -e 'print(type(s.rep))'"))
    local _, err, code = lariat "-l no.such.module"
    assert.equal(1, code)
    assert.is_truthy(err:find "^lariat: module 'no.such.module' not found:\n\tno field")
    assert.is_truthy(err:find "\nstack traceback:\n\t%[C%]: in function 'require'\n")
  end)

  it("says its version with -v", function()
    local release = shell.run(shell.lua .. " -v"):match "^Lua [%d.]+"
    local out, err, code = lariat "-v"
    assert.equal(release, out:match "^lariat %d+%.%d+%.%d+ %((.*)%)\n$")
    assert.equal("", err)
    assert.equal(0, code)
  end)

  it("runs standard input, for - or for want of a script", function()
    same("", "print(1 + 1, ...)")
    same("- a b", "print(..., arg[0], arg[1])")
    same("-", "error 'x'")
    same("", "return = 1")
    same("-e 'x = 1'", "print 'not run'")
  end)

  it("stops at --", function()
    write "print(...)"
    same(("-- %s -e"):format(script))
    same("--", "print 'stdin'")
    same "-- -"
  end)

  it("refuses unknown options and missing arguments", function()
    for _, args in ipairs { "-z", "-e", "-l", "--x", "-vv", "-e -v", "-E1" } do
      same(args)
    end
  end)

  it("takes -W", function()
    same "-W -e 'warn [[be warned]]'"
    same "-e 'warn [[silent]]'"
  end)

  it("reads LUA_INIT, and not with -E", function()
    same("-e 'print(x)'", "", "LUA_INIT='x = 1'")
    same("-e 'print(x)'", "", "LUA_INIT='x = 1' LUA_INIT_5_4='x = 2'")
    same("-E -e 'print(x)'", "", "LUA_INIT='x = 1'")
    same("-e 'print(x)'", "", "LUA_INIT='error [[at start]]'")
    write "x = 'from a file'"
    same("-e 'print(x)'", "", "LUA_INIT=@" .. script)
    same("-e 'print(package.path)'", "", "LUA_PATH='here/?.lua'")
    same("-E -e 'print(package.path)'", "", "LUA_PATH='here/?.lua'")
  end)

  it("has an arg that is a table", function()
    write "print(1)"
    same("-e 'arg = nil' " .. script)
  end)

  it("collects garbage as lua does", function()
    same "-e 'print(collectgarbage [[incremental]])'"
  end)

  it("loads modules written in C", function()
    local out = lariat [[-e 'print(require "lfs".currentdir() ~= nil)']]
    assert.equal("true\n", out)
  end)
end)

describe("the library inside", function()
  -- A module with a sanitizer in it is none for a stock Lua.
  local stock = shell.lariat == "build/bin/lariat"

  it("is the global lariat, loaded when it is named", function()
    local out = lariat [[-e 'print(package.loaded.lariat, rawget(_G, "lariat"))
      print(lariat == require "lariat", rawget(_G, "lariat") == lariat)']]
    assert.equal("nil\tnil\ntrue\ttrue\n", out)
  end)

  it("needs no file", function()
    if not stock then return end
    local out = shell.run(([[p=$PWD; cd / && "$p"/%s -e 'print(type(lariat))']])
      :format(shell.lariat))
    assert.equal("table\n", out)
  end)

  it("is read from disk with LARIAT_LUA", function()
    local dir = os.tmpname()
    os.remove(dir)
    shell.run("mkdir -p " .. dir .. "/lariat/deep")
    shell.write(dir .. "/lariat/init.lua", "return { from = ... }")
    shell.write(dir .. "/lariat/deep/init.lua", "return 'deep'")
    shell.write(dir .. "/lariat/note.txt", "a\0b")
    local out = lariat([[-l core=lariat.core -e 'print(lariat.from, (require "lariat.deep"))
      print(#core.baked "lariat/note.txt", core.baked "lariat/none.txt")']], "",
      "LARIAT_LUA=" .. dir)
    assert.equal("lariat\tdeep\n3\tnil\n", out)
    local _, err = lariat("-e 'require [[lariat.none]]'", "", "LARIAT_LUA=" .. dir)
    assert.is_truthy(err:find("no baked file 'lariat/none.lua'", 1, true))
    out = lariat("-E -e 'print(lariat.from)'", "", "LARIAT_LUA=" .. dir)
    assert.equal("nil\n", out)
    shell.run("rm -r " .. dir)
  end)

  it("serves a stock Lua", function()
    if not stock then return end
    local out, err = shell.run(shell.lua .. [[ -e 'local l = require "lariat"
      print(type(l), rawget(_G, "lariat"), l == require "lariat")']])
    assert.equal("", err)
    assert.equal("table\tnil\ttrue\n", out)
  end)

  it("exports from the module what Lua looks for, and no more", function()
    if not stock then return end
    local names = shell.run "nm -D --defined-only build/lariat.so"
    for kind, name in names:gmatch "%x+ (%u) (%S+)" do
      assert.is_truthy(name:find "^luaopen_", kind .. " " .. name)
    end
    assert.is_truthy(names:find "luaopen_lariat\n")
  end)
end)

describe("Ctrl-C #interrupt", function()
  it("stops a script", function()
    local _, err, code = shell.run(
      ("%s -e 'while true do end' & sleep 0.5; kill -INT $!; wait $!"):format(shell.lariat))
    assert.is_truthy(err:find "^lariat: .*interrupted!\nstack traceback:")
    assert.equal(1, code)
  end)

  it("kills a script that does not hear the first one", function()
    -- a pattern that backtracks for ages, in C
    local deaf = [[(("a"):rep(60)):find(("a-"):rep(40) .. "b")]]
    local _, _, code = shell.run(
      ("%s -e '%s' & sleep 0.5; kill -INT $!; sleep 0.3; kill -INT $!; wait $!")
      :format(shell.lariat, deaf))
    assert.equal(130, code)
  end)
end)
