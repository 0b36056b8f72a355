-- Running programs from specs: lariat, a stock Lua, and either of them on a terminal.
local shell = {}

shell.lariat = (os.getenv "LARIAT_BUILD" or "build") .. "/bin/lariat"
shell.lua = "lua5.4"

function shell.quote(s) return "'" .. s:gsub("'", "'\\''") .. "'" end

local function slurp(path)
  local f = assert(io.open(path, "rb"))
  local text = f:read "a"
  f:close()
  os.remove(path)
  return text
end

function shell.write(path, text)
  local f = assert(io.open(path, "wb"))
  f:write(text)
  f:close()
end

--- Run a shell command with a text on its standard input: stdout, stderr, exit status.
function shell.run(command, input)
  local out, err, inp = os.tmpname(), os.tmpname(), os.tmpname()
  shell.write(inp, input or "")
  local _, how, code = os.execute(("{ %s ; } >%s 2>%s <%s"):format(command, out, err, inp))
  os.remove(inp)
  return slurp(out), slurp(err), how == "signal" and code + 128 or code
end

--- Type into a program on a terminal: a list of strings, half a second apart at most; what
-- the terminal shows comes back. A number is a pause in seconds.
function shell.type(command, keys)
  local typed = { "sleep 0.6" }
  for _, key in ipairs(keys) do
    if type(key) == "number" then
      typed[#typed + 1] = "sleep " .. key
    else
      typed[#typed + 1] = "printf '%b' " .. shell.quote((key:gsub(".", function(c)
        return ("\\0%03o"):format(c:byte())
      end)))
      typed[#typed + 1] = "sleep 0.25"
    end
  end
  local shown = shell.run(("{ %s; } | script -qc %s /dev/null")
    :format(table.concat(typed, "; "), shell.quote(command)))
  return (shown:gsub("\r", ""))
end

return shell
