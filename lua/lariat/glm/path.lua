--- A path: fits along falling lambdas, each from the last.
--
-- Fields, for L lambdas: `lambda` (L), `coef` (p, L) or (p, k, L), `intercept` (L) or (k, L),
-- `df` (coefficients that are not 0; columns, where there are several predictors), `dev_ratio`
-- (share of the null deviance that is explained), `loss`, `value` (the objective), `gap`,
-- `kkt`, `iterations`, `status` (a list of strings); `null_deviance`, `lambda_max`, `solver`,
-- `names`, `family`, `penalty`. `path.ended` says how it ended: "complete", "saturated" (no
-- deviance left to explain), "interrupted". `path.knots`, of the lasso: the exact breakpoints,
-- `{lambda, coef, intercept}`. `path.convex_until`, of MCP and SCAD: the least lambda down to
-- which the objective is convex in what is not 0; below, other local minima may exist.
-- @classmod lariat.glm.Path

local core = require "lariat.core"
local fail = require "lariat.glm.fail"
local ask = require "lariat.glm.ask"
local criteria = require "lariat.glm.criteria"
local model = require "lariat.glm.model"
local text = require "lariat.glm.text"
local Fit = require "lariat.glm.fit"

local raise = fail.raise
local Path = { __name = "lariat.glm.path" }

-- Fields that are worked out when first asked for.
local lazy = {}

function lazy.knots(self) return fail.call(criteria.knots, self) end
function lazy.convex_until(self) return criteria.convex_until(self) end
function lazy.lambdas(self) return self.lambda:totable() end

function Path.__index(self, key)
  if Path[key] ~= nil then return Path[key] end
  if not lazy[key] then return nil end
  local value = lazy[key](self)
  rawset(self, key, value)
  return value
end

-- One point ---------------------------------------------------------------------------------

-- The points around lambda, and how far it is on the way from the first to the second.
local function around(self, lambda)
  local list = self.lambdas
  if #list == 0 then raise "at: the path has no points" end
  if lambda >= list[1] then return 1, 1, 0 end
  if lambda <= list[#list] then return #list, #list, 0 end
  local lo, hi = 1, #list
  while hi - lo > 1 do
    local mid = (lo + hi) // 2
    if list[mid] >= lambda then lo = mid else hi = mid end
  end
  if list[lo] == lambda then return lo, lo, 0 end
  return lo, hi, (list[lo] - lambda) / (list[lo] - list[hi])
end

local function between(self, lambda, a, b, share)
  local one, two = model.point(self, a), model.point(self, b)
  local coef = one.coef * (1 - share) + two.coef * share
  local used = coef:ne(0)
  if used.ndim == 2 then used = used:any(2) end
  return {
    lambda = lambda, coef = coef, solver = self.solver, status = "interpolated",
    intercept = one.intercept * (1 - share) + two.intercept * share,
    df = used:count_nonzero():item(),
    dev_ratio = one.dev_ratio * (1 - share) + two.dev_ratio * share,
  }
end

local function exact(self, lambda)
  local grid = {}
  if not ask.is_convex(self.penalty) then
    for _, l in ipairs(self.lambdas) do
      if l > lambda then grid[#grid + 1] = l end
    end
  end
  grid[#grid + 1] = lambda
  local result = core.glm_path(ask.with(self.ask, {
    lambda = core.tensor(grid, { dtype = "float64" }), early_end = false,
  }))
  return model.point(result, #result.status)
end

local function at(self, lambda, given)
  if type(lambda) ~= "number" or not (lambda >= 0) then
    raise("at: lambda is a number, not negative; got %s", tostring(lambda))
  end
  local a, b, share = around(self, lambda)
  if given and given.exact and self.lambdas[a] ~= lambda then
    return Fit.new(self, exact(self, lambda))
  end
  if share > 0 then return Fit.new(self, between(self, lambda, a, b, share)) end
  local fields = model.point(self, a)
  fields.index = a
  return Fit.new(self, fields)
end

--- The fit at one lambda: a point of the path, or between two of them, by interpolation of
-- coefficients; or, with `exact = true`, by a fit of its own. Beyond the ends: the end, unless
-- exact.
-- @function at
-- @tparam number lambda
-- @tparam[opt] table given  `exact`
-- @treturn lariat.glm.Fit
-- @usage print(lariat.glm.path { x = x, y = y }:at(0.1, { exact = true }))
function Path:at(lambda, given) return fail.call(at, self, lambda, given) end

-- Predictions -------------------------------------------------------------------------------

local function stacked(self, lambdas)
  local coefs, intercepts = {}, {}
  for l, lambda in ipairs(lambdas) do
    local fit = at(self, lambda)
    coefs[l] = fit.coef
    intercepts[l] = core.is_tensor(fit.intercept) and fit.intercept
      or core.full({ 1 }, fit.intercept, { dtype = "float64" })
  end
  local coef, intercept = core.op.stack(coefs, -1), core.op.stack(intercepts, -1)
  return coef, self.k == 1 and intercept:reshape(-1) or intercept
end

local function predict(self, x, lambda, given)
  if type(lambda) == "table" and given == nil and #lambda == 0 then
    lambda, given = nil, lambda
  end
  if lambda == nil then return model.predict(self, x, self.coef, self.intercept, given) end
  if type(lambda) == "number" then
    local fit = at(self, lambda)
    return model.predict(self, x, fit.coef, fit.intercept, given)
  end
  if core.is_tensor(lambda) then lambda = lambda:reshape(-1):totable() end
  local coef, intercept = stacked(self, lambda)
  return model.predict(self, x, coef, intercept, given)
end

--- Predictions for new rows at one lambda, at several, or at all of the path.
-- @function predict
-- @param x  a tensor (m, p), a sparse matrix, or a data set
-- @param[opt] lambda  a number; or a list or tensor of them: one column each; or nothing: all
-- @tparam[opt] table given  `type`: "response" (the default: means, probabilities), "link" or
-- "class"; `offset`
-- @treturn Tensor (m), (m, k), (m, L) or (m, k, L)
-- @usage print(lariat.glm.path { x = x, y = y }:predict(x, 0.1))
function Path:predict(x, lambda, given) return fail.call(predict, self, x, lambda, given) end

-- Choosing ----------------------------------------------------------------------------------

--- Akaike's criterion of every point: -2 log likelihood + 2 df. A gaussian response has its
-- variance estimated at each point.
-- @function aic
-- @treturn Tensor (L)
-- @source Zou, Hastie & Tibshirani 2007, Ann. Statist. 35(5), for df
-- @usage print(lariat.glm.path { x = x, y = y }:aic():argmin())
function Path:aic() return fail.call(criteria.of, self, "aic") end

--- The same with log(n) df.
-- @function bic
-- @treturn Tensor (L)
-- @usage print(lariat.glm.path { x = x, y = y }:bic())
function Path:bic() return fail.call(criteria.of, self, "bic") end

--- The same with log(n) df + 2 gamma log(p choose df): for many columns.
-- @function ebic
-- @tparam[opt=0.5] number gamma
-- @treturn Tensor (L)
-- @source Chen & Chen 2008, Biometrika 95(3)
-- @usage print(lariat.glm.path { x = x, y = y }:ebic(1))
function Path:ebic(gamma) return fail.call(criteria.of, self, "ebic", gamma) end

--- The fit at which a criterion is least.
-- @function best
-- @tparam[opt="bic"] string criterion  "aic", "bic" or "ebic"
-- @tparam[opt] number gamma  of ebic
-- @treturn lariat.glm.Fit
-- @usage print(lariat.glm.path { x = x, y = y }:best("ebic"))
function Path:best(criterion, gamma)
  local values = fail.call(criteria.of, self, criterion or "bic", gamma)
  return self:at(self.lambdas[values:argmin():item()])
end

--- Every point refitted without shrinkage, or on the way there: see `fit:relax`.
-- @function relax
-- @tparam[opt=0] number gamma
-- @treturn {lariat.glm.Fit,...} one for each lambda
-- @usage print(lariat.glm.path { x = x, y = y, n_lambda = 5 }:relax()[5])
function Path:relax(gamma)
  return fail.call(function()
    local fits = {}
    for l, lambda in ipairs(self.lambdas) do
      fits[l] = model.relax(at(self, lambda), gamma or 0)
    end
    return fits
  end)
end

--- What it minimised, written out.
-- @function objective
-- @treturn string
-- @usage print(lariat.glm.path { x = x, y = y }:objective())
function Path:objective() return text.objective(self, "lambda") end

--- Draws coefficients against lambda, through gnuplot: in the terminal, or as a file. Where the
-- objective is not convex any more, a line says so.
-- @function plot
-- @tparam[opt] string file  .svg or .png
-- @tparam[opt] table given  `most` (8): so many coefficients, the largest
-- @raise when gnuplot is missing
-- @usage lariat.glm.path { x = x, y = y }:plot()
function Path:plot(file, given)
  return fail.call(require "lariat.glm.draw".path, self, file, given)
end

function Path:__tostring() return text.path(self) end

--- A path from the core's answer.
-- @local
function Path.new(q, result)
  for key, v in pairs(model.about(q)) do result[key] = v end
  local last = result.status[#result.status]
  result.ended = (last == "saturated" or last == "interrupted") and last or "complete"
  return setmetatable(result, Path)
end

return Path
