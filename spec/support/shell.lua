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

local function sleep(seconds) os.execute("sleep " .. seconds) end

local function shown_in(path)
  local f = io.open(path, "rb")
  local text = f and f:read "a" or ""
  if f then f:close() end
  return (text:gsub("\r", ""))
end

-- Wait until the terminal shows more than it did and then a prompt; ten seconds at most.
local function await_prompt(path, seen)
  for _ = 1, 500 do
    local text = shown_in(path)
    if #text > seen and text:find("[>:] $", seen + 1) then return #text end
    sleep(0.02)
  end
  return #shown_in(path)
end

--- Type into a program on a terminal: what the terminal shows comes back. Keys that end in a
-- newline, or in Ctrl-C, wait for the next prompt; others for a moment; a number is a pause
-- in seconds after the keys before it, in place of the prompt.
function shell.type(command, keys)
  local path = os.tmpname()
  local script = assert(io.popen(("{ script -qfc %s /dev/null >%s 2>&1; cat >/dev/null; }")
    :format(shell.quote(command), path), "w"))
  local seen = await_prompt(path, 0)
  for i, key in ipairs(keys) do
    if type(key) == "number" then
      sleep(key)
      seen = #shown_in(path)
    else
      script:write(key)
      script:flush()
      if key:find "[\n\3]$" and type(keys[i + 1]) ~= "number" then
        seen = await_prompt(path, seen)
      else
        sleep(0.1)
      end
    end
  end
  script:close()
  return (slurp(path):gsub("\r", ""))
end

return shell
