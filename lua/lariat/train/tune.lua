--- Hyper-parameters that move: what `schedule` of `lariat.fit` sets before each step.
-- @module lariat.train.tune

local fail = require "lariat.train.fail"
local is_callable = require "lariat.train.callable"

-- The setting of the stochastic layers of a kind ("dropout": their p), as base and setter.
local function layer_setter(model, kind)
  local layers, field = {}, nil
  model:apply(function(m)
    if m.kind ~= kind then return end
    for _, name in ipairs { "p", "std" } do
      if pcall(function() return m[name] end) then field = name end
    end
    layers[#layers + 1] = m
  end)
  if not field then return nil end
  return layers[1][field], function(v)
    for _, m in ipairs(layers) do m[field] = v end
  end
end

-- The base value of a hyper-parameter, and a function that sets it.
local function setter(name, optimizer, model)
  local term = name:match "^penalty%.(.+)$"
  if term then
    return optimizer:get_lambda(term), function(v) optimizer:set_lambda(term, v) end
  end
  local known, base = pcall(function() return optimizer[name] end)
  if known and type(base) == "number" then
    return base, function(v) optimizer[name] = v end
  end
  local set
  base, set = layer_setter(model, name)
  if set then return base, set end
  fail("schedule: no hyper-parameter '%s' in the optimiser, the penalty or the layers", name)
end

local tune = {}

-- The moves that were asked for; `bases` keeps the first values for a resumed run.
function tune.read(given, optimizer, model, bases)
  local moves = {}
  if given ~= nil and type(given) ~= "table" then
    fail("schedule must be a table { lr = ... }, not a %s", type(given))
  end
  for name, fn in pairs(given or {}) do
    if type(fn) ~= "number" and not is_callable(fn) then
      fail("schedule.%s must be a schedule or a function, not a %s", name, type(fn))
    end
    local base, set = setter(name, optimizer, model)
    bases[name] = bases[name] or base
    moves[#moves + 1] = { name = name, base = bases[name], set = set, fn = fn }
  end
  table.sort(moves, function(a, b) return a.name < b.name end)
  return moves
end

-- Sets all of them for the step at hand.
function tune.move(moves, state)
  for _, m in ipairs(moves) do
    local v = type(m.fn) == "number" and m.fn or m.fn(state, m.base)
    if type(v) ~= "number" or v ~= v then
      fail("schedule.%s returned %s at step %d", m.name, tostring(v), state.step)
    end
    m.set(v)
  end
end

return tune
