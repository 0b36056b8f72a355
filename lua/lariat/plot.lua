--- Plots through gnuplot: in the terminal, or as an .svg or .png file.
-- @module lariat.plot

local core = require "lariat.core"
local options = require "lariat.options"

local plot = {}

local TERMINAL = {
  svg = "svg size 800,500 background 'white'", png = "png size 800,500",
}

local function quoted(text) return "'" .. tostring(text):gsub("'", "''") .. "'" end

local function number(v) return v == v and ("%.9g"):format(v) or "NaN" end

local function numbers(owner, what, values)
  if core.is_tensor(values) then values = values:double():reshape(-1):totable() end
  if type(values) ~= "table" then
    error(("%s: %s must be a tensor or a list of numbers"):format(owner, what), 3)
  end
  return values
end

-- One block of gnuplot data: x y lines (x y error, for bars), ended by `e`.
local function block(owner, curve, bars)
  local y = numbers(owner, "y", curve.y)
  local x = curve.x and numbers(owner, "x", curve.x)
  local error = bars and numbers(owner, "error", curve.error)
  local lines = {}
  for i = 1, #y do
    lines[i] = number(x and x[i] or i) .. " " .. number(y[i])
    if error then lines[i] = lines[i] .. " " .. number(error[i]) end
  end
  lines[#lines + 1] = "e"
  return table.concat(lines, "\n")
end

local function terminal(path)
  if not path then return "dumb size 100,28", nil end
  local kind = TERMINAL[tostring(path):match "%.(%w+)$" or ""]
  if not kind then
    error(("plot: '%s' must end in .svg or .png"):format(tostring(path)), 3)
  end
  local file, why = io.open(path, "wb")
  if not file then error("plot: " .. why, 3) end
  file:close()
  return kind, path
end

-- Is there a gnuplot to talk to?
local function available()
  local pipe = io.popen "command -v gnuplot 2>/dev/null"
  local found = pipe and pipe:read "l"
  if pipe then pipe:close() end
  return found ~= nil
end

local KNOWN = {
  1, 2, 3, 4, 5, 6, 7, 8, "title", "xlabel", "ylabel", "logx", "logy", "path", "marks",
}

-- What stands before the curves.
local function header(given)
  local kind, path = terminal(given.path)
  local script = { "set terminal " .. kind }
  if path then script[2] = "set output " .. quoted(path) end
  script[#script + 1] = "set termoption noenhanced" -- names hold underscores
  for _, key in ipairs { "title", "xlabel", "ylabel" } do
    if given[key] then script[#script + 1] = ("set %s %s"):format(key, quoted(given[key])) end
  end
  for _, axis in ipairs { "x", "y" } do
    if given["log" .. axis] then
      script[#script + 1] = ("set logscale %s\nset format %s '%%g'"):format(axis, axis)
    end
  end
  for k, mark in ipairs(given.marks or {}) do
    script[#script + 1] = ("set arrow from %.9g, graph 0 to %.9g, graph 1 nohead dt 2"):format(
      mark.x, mark.x)
    if mark.label then
      script[#script + 1] = ("set label %s at %.9g, graph %.2f offset 1, 0"):format(
        quoted(" " .. mark.label), mark.x, 1.02 - 0.06 * k)
    end
  end
  return script
end

--- Lines: one curve or several over a common axis.
-- @tparam table given  a list of curves `{y = , x = , label = , error = }` (or one in
-- `given[1]` as a list of them), where `error` draws bars; title, xlabel, ylabel, logx, logy;
-- `marks`, a list of `{x = , label = }`: upright lines; path = "file.svg" or ".png"
-- @raise when gnuplot is missing
-- @usage lariat.plot.lines { { y = { 3, 2, 1 }, label = "loss" } }
function plot.lines(given)
  options.check("plot.lines", given, KNOWN)
  local first = given[1]
  if not first or #first == 0 and not first.y then
    error("plot.lines: there is nothing to draw", 2)
  end
  if not available() then
    error("plot.lines: gnuplot is not installed; `apt install gnuplot-nox` brings it", 2)
  end
  local script, names, data = header(given), {}, {}
  local curves = first.y and given or first
  if #curves > 1 then script[#script + 1] = "set key outside" end
  for i, curve in ipairs(curves) do
    names[#names + 1] = ("'-' with lines lt %d title %s"):format(i,
      quoted(curve.label or "y" .. i))
    data[#data + 1] = block("plot.lines", curve)
    if curve.error then
      names[#names + 1] = ("'-' with yerrorbars lt %d notitle"):format(i)
      data[#data + 1] = block("plot.lines", curve, true)
    end
  end
  script[#script + 1] = "plot " .. table.concat(names, ", ")
  local pipe = assert(io.popen("gnuplot", "w"))
  pipe:write(table.concat(script, "\n"), "\n", table.concat(data, "\n"), "\n")
  pipe:close()
end

return plot
