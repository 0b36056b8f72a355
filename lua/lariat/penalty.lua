--- Penalties: what is added to the loss, `J = mean loss + sum_k lambda_k Omega_k(parameters)`.
--
-- A penalty is a value: `0.01 * P.l1() + P.l2(1e-4):on("4.*")` makes new ones and changes
-- none. Unless `:on` says otherwise it covers weights, never biases or normalisation gains.
-- What is smooth goes into the gradient; what is not acts by a proximal step after it, in the
-- optimiser's metric, which is where exact zeros come from. `print(penalty)` writes out the
-- function, what acts how, and how proxes on the same parameters compose.
--
-- Every constructor takes a number (its lambda, or its bound) or one table with the keys
-- `lambda`, `weights`, `by`, `groups`, `mode` as far as they apply.
--
-- - `lambda`: a number, not negative, 1 by default; or `function(state) -> number`, called
--   before every step with the loop's state (`state.step`, `state.epoch`, ...).
-- - `weights`: a tensor of the parameter's shape that scales lambda by coordinate: 0 is free,
--   `math.huge` excludes (the coordinate is exactly 0). Of group penalties: one for each group
--   (of `tree_group` in the order in which lists end, inner ones first). Also a list or
--   a number.
-- - `by`: `"input"` or `"column"`, `"output"` or `"row"`, `"channel"`, `"all"` (one group); or
--   `groups`: lists of positions (row-major, from 1), or an int64 tensor with the group of each
--   coordinate.
-- - `mode = "subgradient"`: lambda sign(w) in the gradient instead of the proximal step.
--
-- Methods of a penalty: @{on}, @{value}, @{terms}, @{gradient}, @{prox}, @{lambda},
-- @{lambda_max}, @{distance}, @{describe}.
-- @module lariat.penalty

local core = require "lariat.core"

local P = {}

for _, theme in ipairs { "sparsity", "groups", "structure", "networks", "constraints" } do
  for name, make in pairs(require("lariat.penalty." .. theme)) do P[name] = make end
end

local reserved = {
  name = true, value = true, prox = true, separable = true, lambda = true, mode = true,
}

-- How a parameter shows: numbers short, tensors by their shape.
local function show(v)
  if type(v) == "number" then return ("%g"):format(v) end
  if type(v) == "string" or type(v) == "boolean" then return tostring(v) end
  local ok, shape = pcall(function() return type(v) == "userdata" and v.shape end)
  return ok and shape and ("(%s)"):format(table.concat(shape, ", ")) or nil
end

-- "log_sum(w; eps = 0.1)"
local function formula(spec)
  local named = {}
  for k, v in pairs(spec) do
    local text = type(k) == "string" and not reserved[k] and show(v)
    if text then named[#named + 1] = ("%s = %s"):format(k, text) end
  end
  table.sort(named)
  return spec.name .. "(w" .. (#named > 0 and "; " or "") .. table.concat(named, ", ") .. ")"
end

-- What f gives; its errors are of the caller's caller's line.
local function blaming_caller(f, ...)
  local result = table.pack(pcall(f, ...))
  if result[1] then return table.unpack(result, 2, result.n) end
  local why = result[2]
  error(type(why) == "string" and why:gsub("^lariat/[%w_/]*%.lua:%d+: ", "") or why, 3)
end

local function check_spec(spec)
  if type(spec) ~= "table" then
    error("penalty.new: expects a table with a value, not a " .. type(spec), 3)
  end
  if spec.name ~= nil and type(spec.name) ~= "string" then
    error("penalty.new: name must be a string, not a " .. type(spec.name), 3)
  end
  for _, key in ipairs { "value", "prox" } do
    local kind = type(spec[key])
    if kind ~= "function" and not (key == "prox" and kind == "nil") then
      error(("penalty.new: %s must be a function, not a %s"):format(key, kind), 3)
    end
  end
end

--- A penalty written in Lua. Its gradient is derived from `value`; without a `prox` it acts
-- by that gradient. A penalty made here can be called: `pen(1e-3)` is `1e-3 * pen`, and
-- `pen { eps = 0.01 }` a copy with other parameters.
-- @param spec a table with
--
-- - `value = function(self, w) -> number`: Omega(w) of one parameter, in tensor operations,
--   without lambda;
-- - `prox = function(self, v, step) -> tensor` (optional): argmin_u |u - v|^2 / (2 step) +
--   Omega(u); the engine has multiplied lambda into the step;
-- - `separable = true`: the prox works coordinate by coordinate and takes a tensor of steps as
--   well, so that adaptive optimisers use it in their own metric (see `lariat.optim`);
-- - `name` (for `terms` and messages), `lambda`, `mode`, and any parameters of its own, read as
--   `self.eps`. `self.lambda` is the strength in force.
-- @return a penalty; raises where value or prox is not a function
-- @usage local log_sum = lariat.penalty.new {
--   name = "log_sum", eps = 0.1,
--   value = function(self, w) return (w:abs() / self.eps):log1p():sum() end,
-- }
-- local reg = 1e-3 * log_sum:on("weight")
function P.new(spec)
  check_spec(spec)
  local own = {}
  for k, v in pairs(spec) do own[k] = v end
  own.name = own.name or "custom"
  own.formula = own.formula or formula(own)
  return (blaming_caller(core.penalty.custom, own))
end

-- Calling a penalty written in Lua: another strength, or other parameters.
function core.penalty.call(pen, change)
  local terms = pen:describe()
  local spec = #terms == 1 and terms[1].spec
  if not spec then error("only a penalty made by penalty.new can be called", 2) end
  if type(change) == "number" then return change * pen end
  local copy = {}
  for k, v in pairs(spec) do copy[k] = v end
  copy.formula = nil
  copy.lambda = terms[1].lambda
  for k, v in pairs(change or {}) do copy[k] = v end
  local made = terms[1].scale * P.new(copy)
  local on = terms[1].on
  if on == "weight" then return made end
  return made:on(on)
end

-- What adaptive weights come from: a tensor, a model, or a fit that holds one of them.
local function source(from)
  if type(from) ~= "table" then return from end
  return from.coef or from.model or from
end

local function check_keys(options)
  if type(options) ~= "table" or options.from == nil then
    error("adaptive: say from = a tensor, a model or a fit", 4)
  end
  for key in pairs(options) do
    if key ~= "from" and key ~= "gamma" then
      error(("adaptive: unknown key '%s'; there are from and gamma"):format(key), 4)
    end
  end
end

-- A tensor of another dtype or shape than its parameter's is no matter: only |w| counts.
local function adaptive_options(base, options)
  if not core.penalty.is(base) then
    error("adaptive: expects a penalty, not a " .. type(base), 3)
  end
  check_keys(options)
  local from, gamma = source(options.from), options.gamma or 1
  if type(from) ~= "table" and type(from) ~= "userdata" then
    error("adaptive: from must be a tensor, a model or a fit, not a " .. type(from), 3)
  end
  if type(gamma) ~= "number" or not (gamma > 0 and gamma < math.huge) then
    error(("adaptive: gamma = %s; it must be above 0"):format(tostring(gamma)), 3)
  end
  return from, gamma
end

--- Reweights a penalty by an earlier fit: each coordinate of a separable penalty gets the
-- weight `1/|w|^gamma`, each group of a group penalty `1/|w_g|^gamma` (the sparse group lasso
-- both). What was exactly 0 is excluded and stays 0; what was large is hardly shrunk.
-- @param base a single penalty that takes weights (its own are multiplied in); its scope counts
-- @param options `from`: a tensor, a model, or a table with `coef` or `model`; `gamma` (1)
-- @return a penalty: with weights from a tensor, in the scope of base; from a model, a sum with
-- one term for each parameter that base covers
-- @source Zou 2006, JASA 101(476); groups: Wang & Leng 2008, CSDA 52(12)
-- @usage local ridge = lariat.tensor { 2, -0.5, 0, 1 }
-- local reg = lariat.penalty.adaptive(lariat.penalty.l1(0.1), { from = ridge, gamma = 1 })
function P.adaptive(base, options)
  local from, gamma = adaptive_options(base, options)
  local made = table.pack(blaming_caller(core.penalty.adapt, base, from, gamma))
  local on = base:describe()[1].on
  local one = made.n == 2 and made[1] == "tensor"
  local sum = one and (on == "weight" and made[2] or made[2]:on(on)) or nil
  for k = 1, one and 0 or made.n, 2 do
    local term = made[k + 1]:on(made[k])
    sum = sum and sum + term or term
  end
  return sum
end

--- Is it a penalty?
-- @param x anything
-- @return boolean
-- @usage assert(lariat.penalty.is(lariat.penalty.l1()))
P.is = core.penalty.is

--- The penalties there are.
-- @return a list of `{name, doc, source, formula, params, convex, separable, smooth,
-- constraint, grouped}`
-- @usage for _, e in ipairs(lariat.penalty.entries()) do print(e.name, e.doc) end
P.entries = core.penalty.entries

--- Tests a penalty against its own value, on random points in float64: the gradient with
-- differences, the prox with brute force in one dimension and random search in several, and
-- that a factor scales all of it. Prints what it tried.
-- @param pen a penalty
-- @param options `quiet` (print nothing), `seed` (1)
-- @return true or false, and the report as a list of lines
-- @usage assert(lariat.penalty.check(lariat.penalty.l1(0.1), { quiet = true }))
function P.check(pen, options)
  return require "lariat.check_penalty"(pen, options)
end

--- @section methods

--- Where a penalty acts, in place of its former scope.
-- @function on
-- @param ... names or globs (`"1.weight"`, `"4.*"`), kinds (`"weight" "bias" "gain"`), a list
-- of them, or `function(name, tensor) -> boolean`. A glob whose last part holds a wildcard
-- means weights only: biases are named (`"*.bias"`) or asked for by kind. No wildcard means
-- gains: `"*.weight"` is weights, `"gain"` or `"2.weight"` gains.
-- @return a new penalty; used where nothing matches it raises, and lists what there is
-- @usage local reg = lariat.penalty.l2(0.1):on("weight", "bias")

--- The value on a model (scopes count) or on one tensor (they do not). Terms of the forward
-- pass need data too, and some of them the loss.
-- @function value
-- @param net a model, a list of tensors, or a tensor
-- @param x inputs (optional)
-- @param y targets (optional)
-- @param loss its name, a criterion or `function(prediction, target)` (optional)
-- @return a number
-- @usage print(reg:value(net))

--- A forward pass with the terms that look at it (activations, derivatives by x), by hand. The
-- other terms act in the optimiser's step as ever; a step that such a term has not been counted
-- in for raises.
-- @function forward
-- @param net a model
-- @param x inputs
-- @param y targets (optional)
-- @param loss its name, a criterion or `function(prediction, target)` (optional)
-- @return the prediction
-- @return the value of those terms, to be added to the loss; 0 where there are none
-- @return the loss, or nil
-- @usage local pred, extra, loss = reg:forward(net, x, y, "mse");
-- (loss + extra):backward()

--- The value of each term.
-- @function terms
-- @param ... as in `value`
-- @return a table name -> number; terms of one name are `l1`, `l1_2`, ...
-- @usage for name, v in pairs(reg:terms(net)) do print(name, v) end

--- A (sub)gradient of all terms at a tensor, 0 taken at kinks.
-- @function gradient
-- @param w a float tensor
-- @param g a contiguous tensor of its dtype and shape to add to (optional)
-- @return a tensor of its shape, or g
-- @usage local g = lariat.penalty.l1(0.1):gradient(w)

--- `argmin_u |u - w|^2 / (2 step) + Omega(u)`, of all terms, also those that act by gradient
-- in training; raises where a penalty written in Lua has no prox.
-- @function prox
-- @param w a float tensor
-- @param step a number above 0, or a tensor of w's shape: a diagonal metric
-- @return a new tensor
-- @usage local u = lariat.penalty.l1(0.1):prox(w, 0.5)

--- The same in place.
-- @function prox_
-- @param w a float tensor, overwritten
-- @param step as in `prox`
-- @return w
-- @usage lariat.penalty.l1(0.1):prox_(w, 0.5)

--- The strength: lambda times factors.
-- @function lambda
-- @return a number; of a sum a table name -> number
-- @usage print((2 * lariat.penalty.l1(0.1)):lambda())

--- The least strength that holds a parameter at 0: with the loss's gradient at w = 0, the
-- smallest lambda for which 0 is stationary, so that the prox keeps it there. Of non-convex
-- penalties: a local minimum. `l0`, `lq` (0 is stationary at any lambda), smooth penalties,
-- `exclusive_lasso` (0 at none) and constraints have none.
--
-- `tv1d`, `tv2d`, `trend_filter` and `fused_lasso` with `l1_ratio = 0` cost nothing where rows
-- are constant, matrices constant, rows polynomials: there it is the least lambda that holds w
-- among those, g being the gradient at the best of them (a part of g along them does not
-- count; for a prox, `g = -v` will do). Coordinates of weight 0, or in no group, do not count
-- either.
-- @function lambda_max
-- @param g a float tensor: the gradient of the loss at w = 0
-- @return a number; raises for a sum, and for a penalty that has none
-- @usage local most = lariat.penalty.l1():lambda_max(lariat.tensor { 0.5, -2 })

--- How far a point is from stationary: the distance of minus the loss's gradient from the
-- subdifferential of all terms, 0 at a minimum of loss + penalty (with lambda, of the order of
-- its violation). Infinite where a constraint is broken. Exact for one separable term and for
-- smooth ones; else by the prox of a short step, 1e-6 of the largest weight (1e-4 where the
-- prox iterates), to which weights that are nearer to a kink are on it.
-- @function distance
-- @param w a float tensor
-- @param g the gradient of the loss there
-- @return a number
-- @usage local d = lariat.penalty.l1(0.1):distance(w, lariat.full({ 4 }, -0.1))

--- What a penalty is made of, for programs: enough to make it again. A term is
-- `scale * P[kind](options)`, then `:on(on)` where on is not `"weight"`; one written in Lua is
-- `scale * P.new(spec)`.
-- @function describe
-- @return a list of `{name, kind, acts, lambda, scale, on, by, mode, options, spec, ...}`, one
-- for each term
-- @usage print(reg:describe()[1].options.lambda)

return P
