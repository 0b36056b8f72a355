--- Cross-validation: what `lariat.glm.cv` gives.
--
-- Fields: `lambda` (L), `mean` and `se` (L): the loss over folds, `lambda_min` (where the mean
-- is best), `lambda_1se` (the largest lambda within a standard error of it), `index_min`,
-- `index_1se`, `fit` (the path of all rows), `folds`, `loss`, `scores` (K, L), `eta`: linear
-- predictors of every row from the fit that has not seen it, (n, L) or (n, k, L); `status`:
-- "complete" or "interrupted": then the folds that ended count, `folds_judged` of them, rows of
-- the others have NaN in `eta`, and `fit` is a path as far as it came. With axes: `grid`, a
-- list of `{l1_ratio =, ..., mean, se, lambda, lambda_min, loss_min}`, and the best `l1_ratio`,
-- `gamma`, `tau` by name; the other fields are those of the best.
-- @classmod lariat.glm.CV

local core = require "lariat.core"
local fail = require "lariat.glm.fail"
local ask = require "lariat.glm.ask"
local response = require "lariat.glm.response"
local score = require "lariat.glm.score"
local Path = require "lariat.glm.path"
local Folds = require "lariat.select.folds"
local select = require "lariat.select"

local P = require "lariat.penalty"

local raise = fail.raise
local CV = { __name = "lariat.glm.cv" }
CV.__index = CV

-- The lambda asked for: a number, "min" (the default) or "1se".
local function chosen(self, which)
  if which == nil or which == "min" then return self.lambda_min end
  if which == "1se" then return self.lambda_1se end
  if type(which) == "number" then return which end
  raise("cv: say 'min', '1se' or a lambda, not %s", tostring(which))
end

local function need(self)
  if not self.lambda_min then
    raise "cv: it was interrupted before any lambda was judged; the path so far is cv.fit"
  end
end

--- The fit to all rows at a lambda.
-- @function at
-- @param[opt="min"] which  "min", "1se", or a number
-- @treturn lariat.glm.Fit
-- @usage print(lariat.glm.cv { x = x, y = y }:at "1se")
function CV:at(which)
  return fail.call(function()
    need(self)
    return self.fit:at(chosen(self, which))
  end)
end

--- Predictions for new rows.
-- @function predict
-- @param x  a tensor (m, p), a sparse matrix, or a data set
-- @param[opt="min"] which  "min", "1se", or a lambda
-- @tparam[opt] table given  `type`, `offset`: see `path:predict`
-- @treturn Tensor (m), or (m, k)
-- @usage print(lariat.glm.cv { x = x, y = y }:predict(x, "1se"))
function CV:predict(x, which, given)
  return fail.call(function()
    need(self)
    return self.fit:predict(x, chosen(self, which), given)
  end)
end

--- Predictions of every row by the fit that has not seen it.
-- @function held_out
-- @param[opt="min"] which  "min" or "1se"
-- @tparam[opt] string type  "response" (the default), "link", "class"
-- @treturn Tensor (n), or (n, k)
-- @usage print(lariat.glm.cv { x = x, y = y }:held_out())
function CV:held_out(which, type)
  return fail.call(function()
    need(self)
    local index = which == "1se" and self.index_1se or self.index_min
    local eta = self.eta:select(self.eta.ndim, index):contiguous()
    return response.from(self.fit, eta, type or "response")
  end)
end

--- Draws the mean loss against lambda with its standard errors, and both choices.
-- @function plot
-- @tparam[opt] string file  .svg or .png; the terminal otherwise
-- @raise when gnuplot is missing
-- @usage lariat.glm.cv { x = x, y = y }:plot()
function CV:plot(file) return fail.call(require "lariat.glm.draw".cv, self, file) end

--- What the fits minimised, written out.
-- @function objective
-- @treturn string
-- @usage print(lariat.glm.cv { x = x, y = y }:objective())
function CV:objective() return self.fit:objective() end

local function loss_name(self)
  return type(self.loss) == "string" and self.loss or "loss"
end

function CV:__tostring()
  local state = self.status
  if self.folds_judged then
    state = ("%s: by %d of the folds"):format(state, self.folds_judged)
  end
  local lines = {
    "glm cv: " .. tostring(self.folds) .. ", " .. state,
    "  " .. self:objective(),
  }
  for _, name in ipairs(self.axes or {}) do
    lines[#lines + 1] = ("  %s = %g, best of %d"):format(name, self[name], #self.grid)
  end
  if not self.index_min then return table.concat(lines, "\n") .. "\n  no lambda was judged" end
  lines[#lines + 1] = ""
  lines[#lines + 1] = ("%14s %6s %12s %10s %6s"):format("lambda", "index", loss_name(self),
    "se", "df")
  for _, which in ipairs { "min", "1se" } do
    local l = self["index_" .. which]
    if l then
      lines[#lines + 1] = ("%-4s%10.5g %6d %12.6g %10.4g %6d"):format(which, self.lambda[l], l,
        self.mean[l], self.se[l], self.fit.df[l])
    end
  end
  return table.concat(lines, "\n")
end

-- Folds -------------------------------------------------------------------------------------

local function folds_of(q, given, seed)
  if given == nil then given = math.min(10, q.n) end
  if type(given) ~= "number" then
    local folds = select.folds(given)
    if folds.ids.numel ~= q.n then
      raise("folds are of %d rows; x has %d", folds.ids.numel, q.n)
    end
    return folds
  end
  if seed ~= nil and math.type(seed) ~= "integer" then
    raise("seed must be an integer, not %s", tostring(seed))
  end
  given = math.tointeger(given) or given
  local strata = response.strata(q)
  if strata then return select.stratified_kfold(strata, { folds = given, seed = seed }) end
  return select.kfold(q.n, { folds = given, seed = seed })
end

-- Axes --------------------------------------------------------------------------------------

local AXES = { "l1_ratio", "gamma", "tau" }

-- Lists of values, by name; a number is a list of one.
local function read_axes(q, given)
  local axes = {}
  for _, name in ipairs(AXES) do
    local v = given[name]
    if core.is_tensor(v) then v = v:reshape(-1):totable() end
    if type(v) == "table" and not (name == "l1_ratio" and q.given.compat == "sklearn") then
      if #v == 0 then raise("%s is an empty list", name) end
      axes[#axes + 1] = { name = name, values = v }
    elseif v ~= nil and name == "gamma" then
      axes[#axes + 1] = { name = name, values = { v } }
    elseif type(v) == "number" and name == "l1_ratio" and q.given.compat ~= "sklearn" then
      axes[#axes + 1] = { name = name, values = { v } }
    end
  end
  return axes
end

-- Every combination, as tables name -> value.
local function combinations(axes)
  local all = { {} }
  for _, axis in ipairs(axes) do
    local next_all = {}
    for _, before in ipairs(all) do
      for _, v in ipairs(axis.values) do
        local one = {}
        for name, old in pairs(before) do one[name] = old end
        one[axis.name] = v
        next_all[#next_all + 1] = one
      end
    end
    all = next_all
  end
  return all
end

-- A term made again, with other options where it has them; SCAD's gamma is its a.
local function remade(term, values)
  if term.spec then return term.scale * P.new(term.spec), false end
  local options, any = ask.with(term.options, {}), false
  for _, name in ipairs { "l1_ratio", "gamma" } do
    local own = name == "gamma" and term.kind == "scad" and "a" or name
    if values[name] ~= nil and term[own] ~= nil then
      options[own], any = values[name], true
    end
  end
  return term.scale * P[term.kind](options), any
end

-- A penalty with another l1_ratio or gamma.
local function adjusted(penalty, values)
  if values.l1_ratio == nil and values.gamma == nil then return penalty end
  local sum, found
  for _, term in ipairs(penalty:describe()) do
    local made, any = remade(term, values)
    sum, found = sum and sum + made or made, found or any
  end
  if not found then
    raise("no term of the penalty has %s to choose",
      values.l1_ratio ~= nil and "an l1_ratio" or "a gamma")
  end
  return sum
end

-- The question with one combination.
local function variant(q, values)
  local own = ask.with(q, {})
  own.penalty = adjusted(q.penalty, values)
  own.ask = ask.with(q.ask, { penalty = own.penalty })
  if values.tau ~= nil then
    own.family_params = ask.with(q.family_params, { tau = values.tau })
    own.ask.family_params = own.family_params
  end
  return own
end

-- One combination ---------------------------------------------------------------------------

-- The best index and the first within one standard error of it (lambdas fall).
local function choose(mean, se, larger)
  local sign = larger and -1 or 1
  local m = (mean * sign):totable()
  local best
  for l, v in ipairs(m) do
    if v == v and (not best or v < m[best]) then best = l end
  end
  if not best then return nil end
  local limit = m[best] + (se[best] == se[best] and se[best] or 0)
  for l, v in ipairs(m) do
    if v <= limit then return best, l end
  end
end

local function judge(self, raw, weight)
  self.scores, self.fold_weights = raw, weight
  self.mean, self.se = score.summary(raw, weight)
  local best, first = choose(self.mean, self.se, score.larger(self.loss))
  self.index_min, self.index_1se = best, first
  if not best then return self end
  self.lambda_min, self.lambda_1se = self.lambda[best], self.lambda[first]
  self.loss_min = self.mean[best]
  return self
end

-- The same by the paths of folds one after the other, where each has a penalty of its own.
local function fold_by_fold(q, folds, lambda)
  local out, finished = nil, {}
  local weights = q.ask.weights or core.ones(q.n, { dtype = "float64" })
  for f = 1, folds.n_folds do
    local kept = weights * folds.ids:ne(f):double()
    local own = ask.with(q.ask, { lambda = lambda, early_end = false, weights = kept })
    own.penalty = q.penalty_of(kept)
    local result = core.glm_path(own)
    if result.status[#result.status] == "interrupted" then break end
    local path = Path.new(q, result)
    local eta = path:predict(q.ask.x, { type = "link", offset = q.ask.offset })
    out = out and core.op.where(folds.ids:eq(f):reshape(-1, 1), eta, out) or eta
    finished[f] = true
  end
  local ended = #finished
  if ended < 2 then out = core.zeros(q.n, 0, { dtype = "float64" }) end
  for f = ended + 1, folds.n_folds do finished[f] = false end
  return {
    eta = out, interrupted = ended < folds.n_folds, finished = core.tensor(finished),
  }
end

local function left_out(q, folds, lambda)
  if q.penalty_of then return fold_by_fold(q, folds, lambda) end
  return core.glm_cv(ask.with(q.ask, { lambda = lambda, early_end = false }), folds.ids,
    folds.n_folds)
end

-- Of folds that an interrupt left unfinished nothing counts.
local function without(self, folds, finished, raw)
  local nan = core.full({ 1 }, 0 / 0, { dtype = "float64" })
  self.folds_judged = finished:count_nonzero():item()
  local rows = finished[folds.ids:clamp(1, folds.n_folds)]
  local shape = { self.eta.shape[1], 1 }
  if self.eta.ndim == 3 then shape[3] = 1 end
  self.eta = core.op.where(rows:reshape(table.unpack(shape)), self.eta, nan)
  return core.op.where(finished:reshape(-1, 1), raw, nan)
end

-- A cross-validation of one combination; `told` sees the points of the path.
local function run(q, folds, loss, told)
  local result = ask.solve(q, q.ask, told)
  local path = Path.new(q, result)
  local self = { fit = path, folds = folds, loss = loss, lambda = path.lambda }
  self.status = path.ended == "interrupted" and "interrupted" or "complete"
  if self.status == "interrupted" then return self end
  local left = left_out(q, folds, path.lambda)
  self.eta = left.eta
  local points = left.eta.shape[left.eta.ndim]
  if left.interrupted then self.status = "interrupted" end
  if points == 0 then return self end
  if points < #path.status then self.lambda = path.lambda[{ { 1, points } }] end
  local raw, weight = score.of(q, folds, loss, left)
  if left.interrupted then raw = without(self, folds, left.finished, raw) end
  return judge(self, raw, weight)
end

local function better(a, b, larger)
  if not a.loss_min then return false end
  if not b.loss_min then return true end
  if larger then return a.loss_min > b.loss_min end
  return a.loss_min < b.loss_min
end

local KEYS = { "folds", "seed", "loss", "l1_ratio", "gamma" }

-- Everything but lists: what a single fit takes.
local function plain(given)
  if type(given) ~= "table" then return given end
  local own = {}
  for key, v in pairs(given) do own[key] = v end
  if type(own.tau) == "table" or core.is_tensor(own.tau) then own.tau = nil end
  return own
end

--- Runs a cross-validation.
-- @local
function CV.run(given, watch)
  local q = ask.read("glm.cv", plain(given), KEYS)
  q.given.tau = given.tau
  local loss = score.check(q, given.loss)
  local folds = folds_of(q, given.folds, given.seed)
  local axes = read_axes(q, given)
  local best, grid, interrupted = nil, {}, false
  for _, values in ipairs(combinations(axes)) do
    local one = run(variant(q, values), folds, loss, watch and watch(q))
    for name, v in pairs(values) do one[name] = v end
    grid[#grid + 1] = one
    if not best or better(one, best, score.larger(loss)) then best = one end
    interrupted = interrupted or one.status == "interrupted"
    if interrupted then break end
  end
  if #axes > 0 then
    best = ask.with(best, { grid = grid, axes = {} })
    for k, axis in ipairs(axes) do best.axes[k] = axis.name end
  end
  if interrupted then best.status = "interrupted" end
  return setmetatable(best, CV)
end

CV.Folds = Folds

return CV
