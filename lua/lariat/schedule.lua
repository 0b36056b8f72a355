--- Schedules: how a hyper-parameter moves during training.
-- A schedule is called with the training state and the base value (what the optimiser was
-- given) before each step, and returns the value for that step. Any Lua function
-- `function(state, base) -> number` is one; those here are also printable and have `:at` to
-- look at them outside a run.
--
-- All count steps (one batch each) from 1. Lengths that are not given are those of the run.
-- @module lariat.schedule

local options = require "lariat.options"

local schedule = {}

local class = {}
class.__index = class

function class:__call(state, base)
  return self.value(state, base or state.base or 1)
end

function class:__tostring()
  local parts = {}
  for k, v in pairs(self.given) do parts[#parts + 1] = ("%s = %s"):format(k, tostring(v)) end
  table.sort(parts)
  return ("schedule.%s { %s }"):format(self.name, table.concat(parts, ", "))
end

--- The value at a step outside a run.
-- @function schedule:at
-- @tparam number step  from 1
-- @tparam[opt=1] number base  the base value
-- @tparam[opt] number total  steps in the whole run
-- @treturn number
-- @usage lariat.schedule.exponential { gamma = 0.5, every = 10 }:at(11, 0.1) --> 0.05
function class:at(step, base, total)
  return self.value({ step = step, epoch = step, total_steps = total, steps_per_epoch = 1 },
    base or 1)
end

local function new(name, given, value)
  return setmetatable({ name = name, given = given, value = value }, class)
end

local function number(name, given, key, default, lo, hi)
  return options.number("schedule." .. name, given, key, default, lo, hi)
end

-- Options that every schedule shares, around its own curve: a linear warm-up first.
local function define(name, known, build)
  known[#known + 1] = "warmup"
  schedule[name] = function(given)
    given = options.check("schedule." .. name, given, known)
    local warmup = number(name, given, "warmup", 0, 0)
    local curve = build(given)
    return new(name, given, function(state, base)
      if state.step <= warmup then return base * state.step / (warmup + 1) end
      return curve(state, base, state.step - warmup, warmup)
    end)
  end
end

-- Steps from the end of the warm-up to the end of the run.
local function length(name, given, state, warmup)
  local total = given.steps or state.total_steps
  if not total then
    error(("schedule.%s: the length of the run is not known; give steps ="):format(name), 0)
  end
  return math.max(total - warmup, 1)
end

local function fraction(name, given, state, k, warmup)
  local n = length(name, given, state, warmup)
  return n > 1 and math.min((k - 1) / (n - 1), 1) or 1
end

--- A factor `gamma` after every `every` epochs.
-- @function step
-- @tparam table options  every = 10 (epochs), gamma = 0.1, warmup = 0 (steps)
-- @treturn schedule
-- @usage lariat.schedule.step { every = 30, gamma = 0.1 }
define("step", { "every", "gamma" }, function(given)
  local every = number("step", given, "every", 10, 1)
  local gamma = number("step", given, "gamma", 0.1, 0)
  return function(state, base) return base * gamma ^ ((state.epoch - 1) // every) end
end)

--- Decay by `gamma` for each `every` steps, smoothly, or in stairs.
-- @function exponential
-- @tparam table options  gamma = 0.99, every = 1 (steps), stairs = false, warmup = 0
-- @treturn schedule
-- @usage lariat.schedule.exponential { gamma = 0.999 }
define("exponential", { "gamma", "every", "stairs" }, function(given)
  local gamma = number("exponential", given, "gamma", 0.99, 0)
  local every = number("exponential", given, "every", 1, 1)
  return function(_, base, k)
    local t = (k - 1) / every
    return base * gamma ^ (given.stairs and t // 1 or t)
  end
end)

--- Half a cosine from the base value to `min`.
-- @function cosine
-- @tparam table options  min = 0, steps = the run's, warmup = 0 (steps)
-- @treturn schedule
-- @usage lariat.schedule.cosine { warmup = 500 }
define("cosine", { "min", "steps" }, function(given)
  local min = number("cosine", given, "min", 0)
  return function(state, base, k, warmup)
    local t = fraction("cosine", given, state, k, warmup)
    return min + (base - min) * (1 + math.cos(math.pi * t)) / 2
  end
end)

--- A straight line from `from` to `to`, given as factors of the base value.
-- @function linear
-- @tparam table options  from = 1, to = 0, steps = the run's, warmup = 0
-- @treturn schedule
-- @usage lariat.schedule.linear { to = 0.1 }
define("linear", { "from", "to", "steps" }, function(given)
  local from, to = number("linear", given, "from", 1), number("linear", given, "to", 0)
  return function(state, base, k, warmup)
    return base * (from + (to - from) * fraction("linear", given, state, k, warmup))
  end
end)

--- The base value after a linear warm-up, and nothing else.
-- @function warmup
-- @tparam table options  steps = 100; or warmup =
-- @treturn schedule
-- @usage lariat.schedule.warmup { steps = 500 }
function schedule.warmup(given)
  given = options.check("schedule.warmup", given, { "steps", "warmup" })
  local n = number("warmup", given, "steps", given.warmup or 100, 0)
  return new("warmup", given, function(state, base)
    return state.step <= n and base * state.step / (n + 1) or base
  end)
end

--- Up to the base value and down again in one run (Smith & Topin 2018).
-- @function one_cycle
-- @tparam table options  pct_start = 0.3, div_factor = 25, final_div_factor = 1e4, steps
-- @treturn schedule
-- @usage lariat.schedule.one_cycle { pct_start = 0.25 }
define("one_cycle", { "pct_start", "div_factor", "final_div_factor", "steps" }, function(given)
  local rise = number("one_cycle", given, "pct_start", 0.3, 0, 1)
  local first = 1 / number("one_cycle", given, "div_factor", 25, 1)
  local last = first / number("one_cycle", given, "final_div_factor", 1e4, 1)
  local function between(a, b, t) return b + (a - b) * (1 + math.cos(math.pi * t)) / 2 end
  return function(state, base, k, warmup)
    local t = fraction("one_cycle", given, state, k, warmup)
    if t < rise then return base * between(first, 1, t / rise) end
    return base * between(1, last, rise < 1 and (t - rise) / (1 - rise) or 1)
  end
end)

--- A factor each time a monitored value has not improved for `patience` epochs.
-- @tparam table given  monitor = "val_loss", factor = 0.1, patience = 10, min = 0,
-- min_delta = 1e-4 (relative), mode = "min" or "max"
-- @treturn schedule
-- @usage lariat.schedule.plateau { patience = 3, factor = 0.5 }
function schedule.plateau(given)
  given = options.check("schedule.plateau", given,
    { "monitor", "factor", "patience", "min", "min_delta", "mode" })
  local monitor, sign = given.monitor or "val_loss", given.mode == "max" and -1 or 1
  local factor = number("plateau", given, "factor", 0.1, 0, 1)
  local patience = number("plateau", given, "patience", 10, 0)
  local min = number("plateau", given, "min", 0, 0)
  local delta = number("plateau", given, "min_delta", 1e-4, 0)
  local scale, best, wait, seen
  local function look(v)
    if best == nil or sign * v < best - delta * math.abs(best) then
      best, wait = sign * v, 0
    elseif wait < patience then
      wait = wait + 1
    else
      scale, wait = scale * factor, 0
    end
  end
  return new("plateau", given, function(state, base)
    if state.step <= 1 or not scale then scale, best, wait, seen = 1, nil, 0, 0 end
    for i = seen + 1, #(state.history or {}) do
      local v = state.history[i][monitor]
      if not v then
        error(("schedule.plateau: history has no '%s' to monitor"):format(monitor), 0)
      end
      look(v)
      seen = i
    end
    return math.max(base * scale, min)
  end)
end

--- The same value throughout.
-- @tparam number value
-- @treturn schedule
-- @usage lariat.schedule.constant(0.1)
function schedule.constant(value)
  return new("constant", { value = value }, function() return value end)
end

return schedule
