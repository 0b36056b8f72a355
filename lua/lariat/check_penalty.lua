--- The self-test of a penalty, behind `lariat.penalty.check`.
-- @module lariat.check_penalty
-- @usage
-- local check = require "lariat.check_penalty"
-- local ok, report = check(lariat.penalty.l1(0.1), { quiet = true })

local core = require "lariat.core"

local POINTS = { 1e-3, -0.02, 0.3, -0.7, 1.4, -3, 8 }
local STEPS = { 0.1, 0.5, 2 }

-- A small generator of its own: a test leaves the program's random numbers alone.
local function generator(seed)
  local s = seed % 2147483646 + 1
  return function()
    s = 16807 * s % 2147483647
    return s / 2147483647
  end
end

local function tensor(values)
  return core.tensor(values, { dtype = "float64" })
end

local function random(rng, n, spread)
  local out = {}
  for i = 1, n do out[i] = spread * (2 * rng() - 1) * 2 ^ (4 * rng() - 2) end
  return out
end

local Check = {}
Check.__index = Check

function Check:say(ok, fmt, ...)
  local line = (ok and "ok    " or "WRONG ") .. fmt:format(...)
  self.report[#self.report + 1] = line
  self.ok = self.ok and ok
  if not self.quiet then print(line) end
end

-- Values at a table of numbers laid out as `shape`.
function Check:at(values)
  local t = tensor(values)
  return self.rows and t:view(self.rows, #values // self.rows) or t
end

function Check:value(values) return self.pen:value(self:at(values)) end

-- The prox's objective: |u - v|^2 / (2 step) + Omega(u).
function Check:objective(u, v, step)
  local sum = 0
  for i = 1, #v do sum = sum + (u[i] - v[i]) ^ 2 / (2 * step) end
  return sum + self:value(u)
end

function Check:prox(v, step)
  return self.pen:prox(self:at(v), step):reshape(#v):totable()
end

-- Value: a number, infinite where a constraint does not hold ---------------------------------

function Check:number(rng)
  local bad
  for _ = 1, 8 do
    local values = random(rng, self.size, 1)
    local v = self:value(values)
    if v ~= v then bad = values end
  end
  self:say(not bad, "value: a number at 8 points%s", bad
    and (" (none at w = %.4g, %.4g, ...)"):format(bad[1], bad[2]) or "")
end

-- Gradient -----------------------------------------------------------------------------

function Check:slope(values, i)
  local h = 1e-6 * math.max(1, math.abs(values[i]))
  local x = values[i]
  values[i] = x + h
  local up = self:value(values)
  values[i] = x - h
  local down = self:value(values)
  values[i] = x
  return (up - down) / (2 * h)
end

function Check:gradient(rng)
  local worst, where, n = 0, 0, 0
  for _ = 1, 8 do
    local values = random(rng, self.size, 1)
    local g = self.pen:gradient(self:at(values)):reshape(#values):totable()
    for i = 1, #values do
      local d = self:slope(values, i)
      if d == d and math.abs(d) < math.huge then
        local gap = math.abs(d - g[i]) / math.max(1, math.abs(d))
        n = n + 1
        if not (gap <= worst) then worst, where = gap, values[i] end
      end
    end
  end
  self:say(worst < 1e-5, "gradient: %d partial derivatives, %.2g off at most%s", n, worst,
    worst < 1e-5 and "" or (" (at w = %.4g)"):format(where))
end

-- Prox in one dimension: a grid, then a finer one around its best point ----------------------

function Check:best_on_line(v, step)
  local lo, hi = -2 * math.abs(v) - 1, 2 * math.abs(v) + 1
  local best, at = self:objective({ 0 }, { v }, step), 0
  for _ = 1, 6 do
    local wide = (hi - lo) / 200
    for k = 0, 200 do
      local u = lo + k * wide
      local f = self:objective({ u }, { v }, step)
      if f < best then best, at = f, u end
    end
    lo, hi = at - wide, at + wide
  end
  return best, at
end

function Check:prox_on_line()
  local worst, text, n = 0, "", 0
  for _, step in ipairs(STEPS) do
    for _, v in ipairs(POINTS) do
      local u = self:prox({ v }, step)[1]
      local best, at = self:best_on_line(v, step)
      local mine = self:objective({ u }, { v }, step)
      local gap = mine < best and 0 or (mine - best) / math.max(1, best)
      n = n + 1
      if not (gap <= worst) then
        worst = gap
        text = (" (v = %.4g, step %.3g: prox %.6g, but %.6g is better)"):format(v, step, u, at)
      end
    end
  end
  local ok = worst < 1e-8
  self:say(ok, "prox, 1 coordinate: %d points by brute force, %.2g above the least%s", n, worst,
    ok and "" or text)
end

-- Prox in several dimensions: no random point may be better -----------------------------------

function Check:search(rng, v, step, u)
  local best = self:objective(u, v, step)
  local least, spread = best, 1
  for k = 1, 400 do
    local trial, size = {}, spread * 10 ^ (-6 * (k / 400))
    for i = 1, #v do
      local base = k % 3 == 0 and v[i] or u[i]
      trial[i] = k % 5 == 0 and rng() < 0.3 and 0 or base + size * (2 * rng() - 1)
    end
    least = math.min(least, self:objective(trial, v, step))
  end
  if best == math.huge or best ~= best then return math.huge end
  return (best - least) / math.max(1, best)
end

-- Steps of their own for coordinates. What knows none is used with their mean, and says so.
function Check:prox_in_metric(rng)
  local term, worst, n = self.pen:describe()[1], 0, 0
  if #self.pen:describe() > 1 or not (term.spec and term.spec.separable) then return end
  for _ = 1, 4 do
    local v, steps = random(rng, self.size, 1), {}
    for i = 1, #v do steps[i] = 10 ^ (2 * rng() - 1) end
    local u = self.pen:prox(self:at(v), self:at(steps)):reshape(#v):totable()
    for i = 1, #v do
      local gap = math.abs(u[i] - self:prox({ v[i] }, steps[i])[1])
      n, worst = n + 1, gap <= worst and worst or gap
    end
  end
  self:say(worst < 1e-9, "prox, a step for each: %d coordinates, %.2g from their own at most",
    n, worst)
end

function Check:prox_in_space(rng)
  local worst, n = 0, 0
  for _, step in ipairs(STEPS) do
    for _ = 1, 4 do
      local v = random(rng, self.size, 1)
      local gap = self:search(rng, v, step, self:prox(v, step))
      n = n + 1
      if not (gap <= worst) then worst = gap end
    end
  end
  self:say(worst < 1e-8, "prox, %d coordinates: %d points by random search, %.2g above the "
    .. "least", self.size, n, worst)
end

-- Is lambda also a place in the function, so that a factor is no mere factor?
local function has_knee(pen)
  local kinds = {}
  for _, entry in ipairs(core.penalty.entries()) do kinds[entry.name] = entry.knee end
  for _, term in ipairs(pen:describe()) do
    if kinds[term.kind] then return true end
  end
  return false
end

-- Twice the penalty has twice the value and gradient, and the prox of twice the step ----------

function Check:scaling(rng)
  local double = 2 * self.pen
  local values, worst = random(rng, self.size, 1), 0
  local w = self:at(values)
  local a, b = self.pen:value(w), double:value(w)
  if math.abs(a) < math.huge then worst = math.abs(2 * a - b) / math.max(1, math.abs(b)) end
  local g, h = self.pen:gradient(w) * 2, double:gradient(w)
  worst = math.max(worst, (g - h):abs():max():item() / math.max(1, h:abs():max():item()))
  if self.has_prox then
    local u, v = self.pen:prox(w, 0.6), double:prox(w, 0.3)
    worst = math.max(worst, (u - v):abs():max():item())
  end
  self:say(worst < 1e-9, "scaling: a factor of 2 is one of value, gradient%s; %.2g off",
    self.has_prox and " and step" or "", worst)
end

-- How one tensor is laid out for it: penalties of rows or columns need a matrix.
local function layout(self)
  for _, rows in ipairs { 0, 3 } do
    self.rows, self.size = rows > 0 and rows or nil, rows > 0 and 12 or 7
    if pcall(self.value, self, random(generator(1), self.size, 1)) then return true end
  end
  return pcall(self.value, self, random(generator(1), self.size, 1))
end

-- Is there a prox? One that raises is wrong.
function Check:find_prox(rng)
  local ok, why = pcall(self.pen.prox, self.pen, self:at(random(rng, self.size, 1)), 1)
  self.has_prox = ok
  if not ok and not tostring(why):find("has no prox", 1, true) then
    self:say(false, "prox: raises '%s'", why)
  end
end

local function check(pen, options)
  options = options or {}
  if not core.penalty.is(pen) then
    error("penalty.check: expects a penalty, not a " .. type(pen), 2)
  end
  local self = setmetatable({ pen = pen, quiet = options.quiet, report = {}, ok = true }, Check)
  local rng = generator(options.seed or 1)
  local ok, why = layout(self)
  if not ok then
    if type(why) == "string" then
      why = "penalty.check: " .. why:gsub("^lariat/.-:%d+: ", "")
    end
    error(why, 2)
  end
  self:find_prox(rng)
  self:number(rng)
  self:gradient(rng)
  if self.has_prox then
    if not self.rows and pcall(self.prox, self, { 1 }, 1) then self:prox_on_line() end
    self:prox_in_space(rng)
    self:prox_in_metric(rng)
  end
  if not has_knee(pen) then self:scaling(rng) end
  return self.ok, self.report
end

return check
